// The page: loads settings and catalogue, then shows whatever view the address names.

import { currentView, linkTo, replaceView } from "./address.js";
import { loadMysfits } from "./catalogue.js";
import { ClickStream, visitor } from "./clicks.js";
import { button, element, picture } from "./dom.js";
import { Profile } from "./profile.js";
import { loadSettings } from "./settings.js";

const SKELETONS = 12;

const filters = document.getElementById("filters");
const grid = document.getElementById("grid");
const notice = document.getElementById("notice");
const status = document.getElementById("status");

let mysfits = [];
let report = () => {};
let opened = "";

const profile = new Profile(document.getElementById("profile"), () => {
  const left = opened;
  replaceView({ mysfit: "" });
  showView();
  grid.querySelector(`[data-id="${CSS.escape(left)}"]`)?.focus();
});

filters.addEventListener("change", () => {
  const chosen = new FormData(filters);
  replaceView({ goodevil: chosen.get("goodevil"), lawchaos: chosen.get("lawchaos") });
  showView();
});
addEventListener("hashchange", showView);
// The fragment is the view's: skipping to the mysfits must not leave it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("mysfits").focus();
});

await start();

async function start() {
  notice.hidden = true;
  status.textContent = "Calling the mysfits …";
  grid.setAttribute("aria-busy", "true");
  grid.replaceChildren(...Array.from({ length: SKELETONS }, () => element("li", { class: "card card--waiting", "aria-hidden": "true" })));
  try {
    const settings = await loadSettings();
    mysfits = await loadMysfits(settings.mysfitsApiEndpoint);
    const stream = new ClickStream(settings.streamingApiEndpoint);
    report = (mysfitId) => void stream.send(visitor(settings), mysfitId);
    showView();
  } catch (error) {
    grid.replaceChildren();
    status.textContent = "";
    showNotice("The mysfits are not answering", `${capitalised(error.message)}.`, "Try again", start);
  } finally {
    grid.setAttribute("aria-busy", "false");
  }
}

function showView() {
  const view = currentView();
  for (const name of ["goodevil", "lawchaos"]) {
    const choice = [...filters.elements[name]].find((radio) => radio.value === view[name]);
    (choice ?? filters.elements[name][0]).checked = true;
  }
  showGrid(view);
  showProfile(view);
}

function showGrid(view) {
  const shown = mysfits.filter((mysfit) =>
    ["goodevil", "lawchaos"].every((name) => view[name] === "" || mysfit[name] === view[name]));
  grid.replaceChildren(...shown.map(card));
  status.textContent = shown.length === 1 ? "1 mysfit" : `${shown.length} mysfits`;
  if (shown.length > 0) {
    notice.hidden = true;
  } else if (mysfits.length === 0) {
    showNotice("The register is empty", "Every mysfit has found a home. Come back later.", "Look again", start);
  } else {
    showNotice("Nobody like that", "No mysfit has this heart and these manners.", "Show all", () => {
      replaceView({ goodevil: "", lawchaos: "" });
      showView();
    });
  }
}

function card(mysfit) {
  return element(
    "li",
    { class: "card", "data-heart": mysfit.goodevil },
    element(
      "a",
      { href: linkTo({ mysfit: mysfit.mysfitId }), "data-id": mysfit.mysfitId },
      picture(mysfit, { class: "card__picture", loading: "lazy" }),
      element("span", { class: "card__name" }, mysfit.name),
      element("span", { class: "card__species" }, mysfit.species),
    ),
  );
}

function showProfile(view) {
  const index = mysfits.findIndex((mysfit) => mysfit.mysfitId === view.mysfit.toLowerCase());
  if (index < 0) {
    opened = "";
    profile.hide();
    return;
  }
  const mysfit = mysfits[index];
  if (opened === mysfit.mysfitId) return;
  opened = mysfit.mysfitId;
  const neighbour = (step) => linkTo({ mysfit: mysfits.at((index + step) % mysfits.length).mysfitId });
  profile.show(mysfit, { before: neighbour(-1), behind: neighbour(1) });
  report(mysfit.mysfitId);
}

function showNotice(title, detail, label, action) {
  notice.replaceChildren(element("h2", {}, title), element("p", {}, detail), button(label, action));
  notice.hidden = false;
}

function capitalised(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
