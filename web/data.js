// What the page is made of: the deployment's settings, the mysfits, and elements for them. What a
// service says is data of unknown origin: every field is checked here, and text only ever becomes
// text, for nothing in this site parses markup.

const TIME_OUT_MS = 10_000;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Longest text that is shown of any field, in characters. */
const LONGEST_TEXT = 2_000;

/** How many mysfits `insights.json` may call popular. */
const MOST_POPULAR = 5;

/**
 * The settings of this deployment, which it writes into config.json: `mysfitsApiEndpoint` (base
 * URL of the mysfits service), `streamingApiEndpoint` (the URL that takes a click), and what else
 * the page may do. Throws an Error whose message can be shown.
 */
export async function loadSettings() {
  const settings = await fetchJson("/config.json");
  for (const name of ["mysfitsApiEndpoint", "streamingApiEndpoint"]) {
    if (!isHttpUrl(settings?.[name])) throw new Error(`config.json has no usable ${name}`);
  }
  return settings;
}

/** All mysfits of the service at this URL, in its order. Throws an Error whose message can be shown. */
export async function loadMysfits(service) {
  const answer = await fetchJson(`${service}/mysfits`);
  if (!Array.isArray(answer?.mysfits)) throw new Error("the register's answer holds no mysfits");
  const seen = new Set();
  return answer.mysfits.map(toMysfit).filter((mysfit) => {
    if (mysfit === null || seen.has(mysfit.mysfitId)) return false;
    seen.add(mysfit.mysfitId);
    return true;
  });
}

/** A mysfit as the service has it now, or null. */
export async function loadMysfit(service, mysfitId) {
  return toMysfit(await fetchJson(`${service}/mysfits/${mysfitId}`));
}

/**
 * What was looked at most lately: `since` and `until` as texts, and `mysfits` with `mysfitId` and
 * `clicks`, the most popular first. Null when nothing is published.
 */
export async function loadPopular() {
  const insights = await fetchJson("/insights.json");
  if (!Array.isArray(insights?.mysfits) || !isDate(insights.since) || !isDate(insights.until)) return null;
  const mysfits = insights.mysfits
    .filter((one) => ID.test(one?.mysfitId) && Number.isSafeInteger(one.clicks) && one.clicks > 0)
    .map((one) => ({ mysfitId: one.mysfitId.toLowerCase(), clicks: one.clicks }))
    .slice(0, MOST_POPULAR);
  return mysfits.length === 0 ? null : { since: insights.since, until: insights.until, mysfits };
}

/** Fetches JSON with a time-out; anything but a 2xx with JSON in it is an Error. */
export async function fetchJson(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIME_OUT_MS) });
  } catch {
    throw new Error("the register cannot be reached");
  }
  if (!response.ok) throw new Error(`the register answered ${response.status}`);
  try {
    return await response.json();
  } catch {
    throw new Error("the register's answer makes no sense");
  }
}

function toMysfit(entry) {
  if (entry === null || typeof entry !== "object" || !ID.test(entry.mysfitId)) return null;
  return {
    mysfitId: entry.mysfitId.toLowerCase(),
    name: text(entry.name) || "Nameless",
    species: text(entry.species) || "Unknown species",
    age: Number.isFinite(entry.age) && entry.age >= 0 ? entry.age : null,
    goodevil: text(entry.goodevil) || "Unknown",
    lawchaos: text(entry.lawchaos) || "Unknown",
    description: text(entry.description),
    // Only a service that takes likes and adoptions has these two.
    likes: Number.isSafeInteger(entry.likes) && entry.likes >= 0 ? entry.likes : null,
    adopted: entry.adopted === true,
  };
}

function text(value) {
  return typeof value === "string" ? value.slice(0, LONGEST_TEXT) : "";
}

function isDate(value) {
  return typeof value === "string" && Number.isFinite(Date.parse(value));
}

function isHttpUrl(value) {
  try {
    return ["http:", "https:"].includes(new URL(value).protocol);
  } catch {
    return false;
  }
}

/**
 * Makes an element. `attributes` are set as attributes (true: present without a value; null,
 * undefined and false: left out); `children` are nodes, or strings that become text.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** A button that calls `action`. */
export function button(label, action, attributes = {}) {
  const node = element("button", { type: "button", ...attributes }, label);
  node.addEventListener("click", action);
  return node;
}

/** A copy of a template of the page, with the fields that it names in double braces filled in. */
export function fill(templateId, fields) {
  const copy = document.getElementById(templateId).content.firstElementChild.cloneNode(true);
  const filled = (value) => value.replace(/\{\{(\w+)\}\}/g, (_, name) => fields[name] ?? "");
  const nodes = document.createTreeWalker(copy, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = nodes.currentNode; node !== null; node = nodes.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      node.data = filled(node.data);
    } else {
      for (const attribute of node.attributes) attribute.value = filled(attribute.value);
    }
  }
  return copy;
}

/** The picture of a mysfit, with the drawing of nobody in its place when it is missing. */
export function picture(mysfitId) {
  return standIn(element("img", { src: `/images/${mysfitId}.svg`, alt: "", width: 320, height: 320 }));
}

/** Has the drawing of nobody take the place of a picture that is missing, now or later. */
export function standIn(image) {
  const replace = () => image.replaceWith(fill("nobody", {}));
  // What is not in the document yet has not been loaded yet.
  if (image.isConnected && image.complete && image.naturalWidth === 0) replace();
  else image.addEventListener("error", replace, { once: true });
  return image;
}
