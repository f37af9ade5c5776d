// The page: loads settings and mysfits, then shows whatever view the address names.

import { ClickStream, Consent, isOpening } from "./clicks.js";
import { button, element, fill, loadMysfits, loadPopular, loadSettings, picture, standIn } from "./data.js";
import { Profile, isPlain } from "./profile.js";

/** What the address's fragment may name: #q=…&goodevil=Evil&lawchaos=Chaotic&sort=name&mysfit=ID */
const NAMES = ["q", "goodevil", "lawchaos", "sort", "mysfit"];
const EVERYBODY = { q: "", goodevil: "", lawchaos: "", sort: "", mysfit: "" };

/** How many empty cards are shown while a service is asked. */
const SKELETONS = 12;

/** How long going back to the list may take; then the profile is left in its own entry. */
const LONGEST_WAY_BACK_MS = 1_000;

const TITLE = document.title;
const filters = document.getElementById("filters");
const grid = document.getElementById("grid");
const notice = document.getElementById("notice");
const status = document.getElementById("status");

/** The mysfits service, what it has, in its order, and what of that is shown. */
let service = "";
let mysfits = [];
let found = [];
/** Cards by id; those that the deployment wrote into the page are kept. */
const cards = new Map([...grid.querySelectorAll("a")].map((link) => [link.dataset.id, link.closest("li")]));
/** Pages of profiles, by id, as far as the deployment has them. */
const pages = new Map([...cards].map(([id, card]) => [id, card.querySelector("a").href]));
/** Clicks of the last days by id, the most popular first. */
let popular = new Map();
/** Until the history has gone back from a profile to the list. */
let leaving = Promise.resolve();
/** Whether clicks are sent and where to, who the visitor is, and what else the service takes. */
let consent = null;
let stream = null;
let account = null;
let adoption = null;

const profile = new Profile(leaveProfile, step);

document.getElementById("mysfits").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-id]");
  if (link === null || !isPlain(event)) return;
  event.preventDefault();
  void leaving.then(() => {
    // Back leads from the profile to the list.
    history.pushState({ fromList: true }, "", linkTo({ mysfit: link.dataset.id }));
    showView();
  });
});
filters.addEventListener("input", () => {
  const chosen = Object.fromEntries(new FormData(filters));
  replaceView({ ...chosen, q: chosen.q.trim() });
  showView();
});
filters.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", showView);
addEventListener("popstate", showView);
// The fragment is the view's: skipping to the mysfits must not leave it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("mysfits").focus();
});

await start();

async function start() {
  notice.hidden = true;
  grid.setAttribute("aria-busy", "true");
  if (cards.size === 0) {
    status.textContent = "Calling the mysfits …";
    const skeleton = () => element("li", { class: "card card--waiting", "aria-hidden": "true" });
    grid.replaceChildren(...Array.from({ length: SKELETONS }, skeleton));
  }
  try {
    const settings = await loadSettings();
    // A catalogue that is published is at whatever name the visitor opened the site by.
    service = (pages.size > 0 ? location.origin : settings.mysfitsApiEndpoint).replace(/\/+$/, "");
    const [loaded] = await Promise.all([loadMysfits(service), prepare(settings)]);
    mysfits = loaded;
    for (const image of grid.querySelectorAll("img")) standIn(image);
    showView();
    if (settings.insightsOnSite === true) await showPopular();
  } catch (error) {
    grid.replaceChildren();
    status.textContent = "";
    const sentence = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    showNotice("The mysfits are not answering", `${sentence}.`, "Try again", start);
  } finally {
    grid.setAttribute("aria-busy", "false");
  }
}

/** Sets up what the deployment offers: clicks always, sign-in and adoption where it has them. */
async function prepare(settings) {
  if (stream === null) {
    consent = new Consent(settings);
    stream = new ClickStream(settings.streamingApiEndpoint, consent, () => void showWaiting());
    offerConsent();
  }
  if (account === null && (settings.cognitoDomain || settings.adoption === true)) {
    const { prepareAccount, Adoption } = await import("./adoption.js");
    account = await prepareAccount(settings, (who) => {
      document.getElementById("sends-who").textContent = who;
      if (profile.shown !== null) offerActions();
    });
    adoption = settings.adoption === true ? new Adoption(service, account) : null;
  }
}

// The view, which is all in the address.

/** The view that the address names; what it does not name is "". */
function currentView() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(NAMES.map((name) => [name, fragment.get(name) ?? ""]));
}

/** The link to the current view with `changes` made to it. */
function linkTo(changes) {
  const view = { ...currentView(), ...changes };
  const fragment = new URLSearchParams(NAMES.filter((name) => view[name] !== "").map((name) => [name, view[name]]));
  return fragment.size === 0 ? location.pathname : `${location.pathname}#${fragment}`;
}

/** Goes to a view in the same entry of the history. */
function replaceView(changes) {
  history.replaceState(history.state, "", linkTo(changes));
}

function showView() {
  const view = currentView();
  for (const name of ["goodevil", "lawchaos"]) {
    const choice = [...filters.elements[name]].find((radio) => radio.value === view[name]);
    (choice ?? filters.elements[name][0]).checked = true;
  }
  if (filters.elements.q.value.trim() !== view.q) filters.elements.q.value = view.q;
  filters.elements.sort.value = view.sort;
  if (filters.elements.sort.selectedIndex < 0) filters.elements.sort.value = "";
  showGrid(view);
  showProfile(view);
}

// The list.

function showGrid(view) {
  const words = folded(view.q).split(/\s+/);
  found = mysfits
    .filter((mysfit) => ["goodevil", "lawchaos"].every((name) => view[name] === "" || mysfit[name] === view[name]))
    .filter((mysfit) => words.every((word) => folded(`${mysfit.name} ${mysfit.species}`).includes(word)))
    .sort(order(view.sort));
  const shown = found.map(card);
  // A card that is taken out and put back loses the focus.
  const isSame = shown.length === grid.children.length && shown.every((one, at) => one === grid.children[at]);
  if (!isSame) grid.replaceChildren(...shown);
  status.textContent = found.length === 1 ? "1 mysfit" : `${found.length} mysfits`;
  const isUnknown = view.mysfit !== "" && mysfits.length > 0 && find(view.mysfit) === undefined;
  if (isUnknown) {
    const show = () => { replaceView({ mysfit: "" }); showView(); };
    showNotice("No such mysfit", "The link leads to one that is not in this register.", "Show the others", show);
  } else if (found.length > 0) {
    notice.hidden = true;
  } else if (mysfits.length === 0) {
    showNotice("The register is empty", "Every mysfit has found a home. Come back later.", "Look again", start);
  } else {
    const show = () => { replaceView(EVERYBODY); showView(); };
    showNotice("Nobody like that", "No mysfit has this name, heart and manners.", "Show all", show);
  }
}

/** Small letters without accents. */
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

function order(sort) {
  const age = (mysfit) => mysfit.age ?? 0;
  const clicks = (mysfit) => popular.get(mysfit.mysfitId) ?? 0;
  const orders = {
    name: (one, other) => one.name.localeCompare(other.name),
    species: (one, other) => one.species.localeCompare(other.species),
    youngest: (one, other) => age(one) - age(other),
    oldest: (one, other) => age(other) - age(one),
    popular: (one, other) => clicks(other) - clicks(one),
  };
  return Object.hasOwn(orders, sort) ? orders[sort] : () => 0;
}

function card(mysfit) {
  const fresh = fill("card", { ...mysfit, link: linkTo({ mysfit: mysfit.mysfitId }) });
  if (mysfit.adopted) fresh.querySelector("a").append(element("span", { class: "card__adopted" }, "Adopted"));
  const kept = cards.get(mysfit.mysfitId);
  if (kept !== undefined) {
    // The same card stays, picture and all.
    kept.querySelector("a").href = fresh.querySelector("a").getAttribute("href");
    if (kept.textContent === fresh.textContent && kept.dataset.heart === fresh.dataset.heart) return kept;
  }
  standIn(fresh.querySelector("img"));
  cards.set(mysfit.mysfitId, fresh);
  return fresh;
}

function showNotice(title, detail, label, action) {
  notice.replaceChildren(element("h2", {}, title), element("p", {}, detail), button(label, action));
  notice.hidden = false;
}

// The profile.

function find(mysfitId) {
  return mysfits.find((mysfit) => mysfit.mysfitId === mysfitId.toLowerCase());
}

function showProfile(view) {
  const mysfit = find(view.mysfit);
  if (mysfit === undefined) {
    document.title = TITLE;
    profile.hide();
    return;
  }
  if (profile.shown === mysfit.mysfitId) return;
  // A link may lead to one that the filters leave out.
  const among = found.includes(mysfit) ? found : mysfits;
  const index = among.indexOf(mysfit);
  const neighbour = (by) => linkTo({ mysfit: among.at((index + by) % among.length).mysfitId });
  const place = among.length < 2 ? null : {
    before: neighbour(-1),
    after: neighbour(1),
    text: `${index + 1} of ${among.length}`,
  };
  const share = pages.get(mysfit.mysfitId) ?? `${location.origin}/#mysfit=${mysfit.mysfitId}`;
  profile.show(mysfit, place, share);
  document.title = `${mysfit.name} the ${mysfit.species} – ${TITLE}`;
  offerActions();
  if (isOpening(mysfit.mysfitId)) void stream.report(account?.userId ?? "guest", mysfit.mysfitId);
}

function offerActions() {
  const mysfit = find(profile.shown);
  adoption?.offer(mysfit, profile, (changed) => {
    Object.assign(mysfit, changed);
    showGrid(currentView());
  });
}

/** To the one before or after, in the same entry of the history: Back leads to the list. */
function step(by) {
  const among = found.some((mysfit) => mysfit.mysfitId === profile.shown) ? found : mysfits;
  const index = among.findIndex((mysfit) => mysfit.mysfitId === profile.shown);
  replaceView({ mysfit: among.at((index + by) % among.length).mysfitId });
  showView();
}

function leaveProfile(left) {
  const isOver = () => {
    if (currentView().mysfit !== "") replaceView({ mysfit: "" });
    showView();
    grid.querySelector(`[data-id="${CSS.escape(left)}"]`)?.focus();
  };
  if (history.state?.fromList !== true) return isOver();
  // The history takes its time to go back, and the next opening waits for it.
  leaving = new Promise((resolve) => {
    addEventListener("popstate", resolve, { once: true });
    setTimeout(resolve, LONGEST_WAY_BACK_MS);
  }).then(isOver);
  history.back();
}

// What is sent, and what is popular.

function offerConsent() {
  const control = document.getElementById("consent-switch");
  document.getElementById("consent").hidden = false;
  control.checked = consent.given;
  control.addEventListener("change", () => {
    consent.choose(control.checked);
    if (!control.checked) void stream.forget();
    void showWaiting();
  });
  addEventListener("storage", () => {
    control.checked = consent.given;
    void showWaiting();
  });
  void showWaiting();
}

async function showWaiting() {
  const { waiting, gaveWay } = await stream.counts();
  const clicks = (count) => (count === 1 ? "1 click" : `${count} clicks`);
  const parts = [];
  if (consent.refusedBySignal) parts.push("Your browser asks not to be tracked: nothing is sent.");
  else if (!consent.given) parts.push("Nothing is sent.");
  if (waiting > 0) parts.push(`${clicks(waiting)} waiting to be sent.`);
  if (gaveWay > 0) parts.push(`${clicks(gaveWay)} gave way to newer ones.`);
  document.getElementById("consent-state").textContent = parts.join(" ");
}

async function showPopular() {
  const insights = await loadPopular().catch(() => null);
  const known = (insights?.mysfits ?? []).filter((one) => find(one.mysfitId) !== undefined);
  if (known.length === 0) return;
  popular = new Map(known.map((one) => [one.mysfitId, one.clicks]));
  const day = (text) => new Intl.DateTimeFormat("en", { day: "numeric", month: "long" }).format(new Date(text));
  document.getElementById("popular-about").textContent =
    `Most opened from ${day(insights.since)} to ${day(insights.until)}.`;
  document.getElementById("popular-list").replaceChildren(...known.map(({ mysfitId, clicks }) => {
    const link = element("a", { href: linkTo({ mysfit: mysfitId }), "data-id": mysfitId }, picture(mysfitId), find(mysfitId).name);
    return element("li", {}, link, element("span", {}, `${clicks.toLocaleString("en")} clicks`));
  }));
  document.getElementById("popular").hidden = false;
  filters.elements.sort.append(element("option", { value: "popular" }, "Popular now"));
  showView();
}
