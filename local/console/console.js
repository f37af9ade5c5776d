// The console: asks for what has happened since, as long as the page is open, and shows it.

import { announcement, bytes, count, duration, element, plural, show } from "./rows.js";
import { showFaults, start as startSwitches } from "./switches.js";

/** How many rows a list has at most. */
const ROWS = 100;

/** In milliseconds: the least time between two looks at the events, and after a flood of them. */
const BREATH = 150;
const FLOOD_BREATH = 600;

/** What is a flood. */
const FLOOD = 300;

/** In milliseconds: between two looks at the buffers while something waits, and otherwise. */
const BUSY = 250;
const IDLE = 1000;

const byId = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

let run = "";
let last = 0;
let paused = false;
let stateAsked = 0;
let state = null;
/** When `state` came, on the page's own clock. */
let stateAt = 0;

/** Says how the page and the cloud get on. */
function connected(kind, text) {
  const connection = byId("connection");
  if (connection.dataset.state === kind) return;
  connection.dataset.state = kind;
  connection.textContent = text;
}

function clear() {
  for (const list of document.querySelectorAll(".rows")) list.replaceChildren();
}

/** Puts the newest rows on top, and takes the oldest away. */
function add(events) {
  const lists = new Map();
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    const list = listOf(event.kind);
    const rows = lists.get(list) ?? [];
    // Older ones would be taken away at once.
    if (rows.length >= ROWS) continue;
    const shown = show(event);
    if (shown) rows.push(shown[1]);
    lists.set(list, rows);
  }
  for (const [id, rows] of lists) {
    const list = byId(id);
    if (!list) continue;
    list.prepend(...rows);
    while (list.childElementCount > ROWS) list.lastElementChild.remove();
  }
}

function listOf(kind) {
  const lists = {
    request: "requests", batch: "batches", invocation: "batches", trouble: "batches",
    object: "objects", failed: "failed", refusal: "refusals", log: "logs",
    fault: "operations", faultsOff: "operations", reset: "operations",
  };
  return lists[kind];
}

function newest(events, kind) {
  return events.findLast((event) => event.kind === kind);
}

/** The figures of the path, and what was last at each of its stations. */
function showPath(news) {
  for (const kind of ["request", "invocation", "object", "failed", "refusal"]) {
    byId(`total-${kind}`).textContent = count(news.totals[kind]);
  }
  for (const kind of ["failed", "refusal"]) {
    byId(`total-${kind}`).classList.toggle("bad", news.totals[kind] > 0);
  }
  const request = newest(news.events, "request");
  if (request) byId("note-request").textContent = `last: ${request.status}, ${duration(request.duration)}`;
  const invocation = newest(news.events, "invocation");
  if (invocation) {
    const outcome = invocation.error ? "an error" : "answered";
    byId("note-invocation").textContent = `last: ${outcome}, ${duration(invocation.duration)}`;
  }
  const object = newest(news.events, "object");
  if (object) byId("note-object").textContent = `last: ${plural(object.records, "record")}, ${bytes(object.bytes)}`;
  const kinds = new Set(news.events.map((event) => event.kind));
  for (const station of document.querySelectorAll(".station")) {
    if (!station.dataset.kinds.split(" ").some((kind) => kinds.has(kind))) continue;
    // A class that is taken away and given again starts its animation again.
    station.classList.remove("beat");
    void station.offsetWidth;
    station.classList.add("beat");
  }
}

function announce(events) {
  const texts = events.map(announcement).filter(Boolean);
  if (texts.length === 0) return;
  const more = texts.length > 1 ? `, and ${count(texts.length - 1)} more` : "";
  byId("announcements").textContent = texts.at(-1) + more;
}

/** Waits until somebody can see the page: one that nobody sees takes no connection. */
function seen() {
  return new Promise((done) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      done();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

/** Asks for events as long as the page is open. */
async function watch() {
  for (;;) {
    await seen();
    try {
      const answer = await fetch(`/_mysfits/events?after=${last}&run=${run}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      while (paused) await pause(BREATH);
      const first = run !== news.run;
      if (first) clear();
      run = news.run;
      last = news.last;
      connected("live", "live");
      add(news.events);
      showPath(news);
      if (!first) announce(news.events);
      if (news.events.length > 0) askState();
      await pause(news.events.length > FLOOD ? FLOOD_BREATH : BREATH);
    } catch {
      connected("lost", "The cloud does not answer. Trying again.");
      await pause(IDLE);
    }
  }
}

/** Asks for the state now, and again after a while. A later call takes the place of an earlier. */
async function askState() {
  stateAsked += 1;
  const mine = stateAsked;
  try {
    if (!document.hidden) {
      const answer = await fetch("/_mysfits/state", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      state = await answer.json();
      stateAt = performance.now();
      if (!paused) {
        showBuffers();
        showFaults(state);
      }
    }
  } catch {
    // The other loop says so.
  }
  const busy = state?.streams.some((stream) => stream.waiting > 0);
  await pause(busy ? BUSY : IDLE);
  if (mine === stateAsked) askState();
}

/** One buffer of a stream: how full, and how long until it is sent on. */
function showBuffer(parent, key, name, buffer, holds) {
  let made = parent.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!made) {
    const bar = (label) => {
      const progress = element("progress", "");
      progress.max = 1;
      progress.setAttribute("aria-label", `${name}: ${label}`);
      return progress;
    };
    made = element("div", "buffer", element("span", "name", name), bar("its time"), bar("its size"), element("span", "note", ""));
    made.dataset.key = key;
    parent.append(made);
  }
  const left = buffer.left === null ? null : Math.max(0, buffer.left - (performance.now() - stateAt));
  const [time, size] = made.querySelectorAll("progress");
  const elapsed = left === null ? 0 : buffer.interval === 0 ? 1 : 1 - left / buffer.interval;
  time.value = Math.min(1, Math.max(0, elapsed));
  size.value = Math.min(1, buffer.bytes / buffer.size);
  const rest = left === null ? "empty" : left === 0 ? holds : `${(left / 1000).toFixed(1)} s left`;
  made.querySelector(".note").textContent =
    `${plural(buffer.records, "record")}, ${bytes(buffer.bytes)} of ${bytes(buffer.size)}, ${rest}`;
}

function showBuffers() {
  if (!state) return;
  const processor = byId("buffers-processor");
  const s3 = byId("buffers-s3");
  const keys = new Set();
  let waitingProcessor = 0;
  let waitingS3 = 0;
  for (const { name, region, buffers } of state.streams) {
    const key = (of) => {
      const made = `${region} ${name} ${of}`;
      keys.add(made);
      return made;
    };
    if (buffers.processor) {
      waitingProcessor += buffers.processor.records;
      showBuffer(processor, key("processor"), name, buffers.processor, "due");
    }
    waitingS3 += buffers.delivered.records + buffers.failed.records;
    const due = buffers.storing > 0 ? "being stored" : "due";
    showBuffer(s3, key("delivered"), name, buffers.delivered, due);
    if (buffers.failed.records > 0) showBuffer(s3, key("failed"), `${name}, failed`, buffers.failed, due);
  }
  byId("waiting-processor").textContent = count(waitingProcessor);
  byId("waiting-s3").textContent = count(waitingS3);
  for (const made of document.querySelectorAll(".buffer")) {
    if (!keys.has(made.dataset.key)) made.remove();
  }
}

byId("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.currentTarget.setAttribute("aria-pressed", String(paused));
  document.body.classList.toggle("paused", paused);
  if (paused) {
    connected("paused", "paused");
  } else {
    connected("live", "live");
    showBuffers();
  }
});

// Lists that scroll can be scrolled with the keyboard.
for (const list of document.querySelectorAll(".rows")) {
  list.tabIndex = 0;
  list.setAttribute("aria-labelledby", list.closest("section").getAttribute("aria-labelledby"));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) askState();
});
setInterval(() => {
  const ticks = state?.streams.some(({ buffers }) =>
    [buffers.processor, buffers.delivered, buffers.failed].some((one) => one && one.left !== null));
  if (ticks && !paused && !document.hidden) showBuffers();
}, 100);

startSwitches();
askState();
watch();
