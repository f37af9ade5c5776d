// The profile of one mysfit, as a dialog over the grid.

import { button, element, picture } from "./data.js";

const dialog = document.getElementById("profile");
const part = (name) => document.getElementById(`profile-${name}`);

/** How long a button says that a link was copied. */
const SAID_MS = 4_000;

/** The dialog. */
export class Profile {
  #shown = null;
  #onStep;
  #closing = false;

  /**
   * `onClose` is called when the visitor closes it, in whatever way; `onStep` with -1 or 1 when
   * the visitor asks for the one before or the one after.
   */
  constructor(onClose, onStep) {
    this.#onStep = onStep;
    part("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      if (!this.#closing) onClose(this.#shown);
      this.#closing = false;
      this.#shown = null;
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => this.#press(event));
    for (const [name, step] of [["previous", -1], ["next", 1]]) {
      part(name).addEventListener("click", (event) => {
        if (!isPlain(event)) return;
        event.preventDefault();
        onStep(step);
      });
    }
  }

  /** The id of the mysfit that is shown, or null. */
  get shown() {
    return this.#shown;
  }

  /**
   * Shows a mysfit. `place` says where it is among those that are found: `before` and `after`
   * (links) and `text`, or null for the only one. `share` is the link to share.
   */
  show(mysfit, place, share) {
    this.#shown = mysfit.mysfitId;
    part("sheet").dataset.heart = mysfit.goodevil;
    part("picture").replaceChildren(picture(mysfit.mysfitId));
    part("species").textContent = mysfit.species;
    part("name").textContent = mysfit.name;
    part("description").textContent = mysfit.description || "Nothing is written about this one yet.";
    part("facts").replaceChildren(...facts(mysfit));
    part("actions").replaceChildren(button("Share", () => this.#share(mysfit, share), { class: "quiet" }));
    this.say("");
    part("neighbours").hidden = place === null;
    if (place !== null) {
      part("previous").href = place.before;
      part("next").href = place.after;
      part("place").textContent = place.text;
    }
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  /** Puts more actions before the one to share, in place of those that were there. */
  offer(...actions) {
    const focused = document.activeElement?.id;
    part("actions").replaceChildren(...actions, part("actions").lastElementChild);
    const again = actions.find((action) => action.id !== "" && action.id === focused);
    // A button that cannot be pressed any more takes no focus.
    if (again !== undefined) (again.disabled ? part("close") : again).focus();
  }

  /** Says something about the latest action. */
  say(message) {
    part("said").textContent = message;
  }

  /** Hides the dialog because the address no longer names a mysfit. */
  hide() {
    if (!dialog.open) return;
    this.#closing = true;
    dialog.close();
  }

  #press(event) {
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (plain && !part("neighbours").hidden && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      this.#onStep(event.key === "ArrowLeft" ? -1 : 1);
    }
    if (event.key !== "Tab" || event.altKey || event.ctrlKey || event.metaKey) return;
    // The order ends where it begins, so that no stop is outside of the dialog.
    const stops = [...dialog.querySelectorAll("button:not([disabled]), a[href]")]
      .filter((stop) => stop.checkVisibility());
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (document.activeElement === from || !dialog.contains(document.activeElement)) {
      event.preventDefault();
      to.focus();
    }
  }

  async #share(mysfit, url) {
    if (typeof navigator.share === "function") {
      try {
        await navigator.share({ title: `${mysfit.name} the ${mysfit.species}`, url });
        return;
      } catch (error) {
        if (error.name === "AbortError") return;
      }
    }
    try {
      await navigator.clipboard.writeText(url);
      this.say("The link is copied.");
      setTimeout(() => this.say(""), SAID_MS);
    } catch {
      part("said").replaceChildren("Copy this link: ", element("a", { href: url }, url));
    }
  }
}

/** Whether a click on a link asks for nothing but to follow it here. */
export function isPlain(event) {
  return event.button === 0 && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
}

function facts(mysfit) {
  const heart = element("i", { class: "mark", "data-heart": mysfit.goodevil });
  const rows = [
    ["Heart", heart, mysfit.goodevil],
    ["Manners", mysfit.lawchaos],
    ["Age", mysfit.age === null ? "Unknown" : years(mysfit.age)],
  ];
  return rows.map(([term, ...value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, ...value)));
}

function years(age) {
  const number = new Intl.NumberFormat("en", { notation: age >= 1e6 ? "compact" : "standard", compactDisplay: "long" });
  return `${number.format(age)} ${age === 1 ? "year" : "years"}`;
}
