// The profile of one mysfit, as a dialog over the grid.

import { button, element, picture } from "./dom.js";

/** The dialog. `onClose` is called when the visitor closes it, in whatever way. */
export class Profile {
  #dialog;
  #closing = false;

  constructor(dialog, onClose) {
    this.#dialog = dialog;
    dialog.addEventListener("close", () => {
      if (!this.#closing) onClose();
      this.#closing = false;
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  /** Shows a mysfit; `neighbours` are the links to the one before and the one behind it. */
  show(mysfit, neighbours) {
    this.#dialog.replaceChildren(
      element(
        "article",
        { class: "profile__sheet", "data-heart": mysfit.goodevil },
        button("Close", () => this.#dialog.close(), { class: "profile__close" }),
        picture(mysfit, { class: "profile__picture" }),
        element(
          "div",
          { class: "profile__text" },
          element("p", { class: "profile__species" }, mysfit.species),
          element("h2", { id: "profile-name", tabindex: "-1" }, mysfit.name),
          element("p", { class: "profile__description" }, mysfit.description || "Nothing is written about this one yet."),
          facts(mysfit),
          element(
            "nav",
            { class: "profile__neighbours", "aria-label": "Other mysfits" },
            element("a", { href: neighbours.before, rel: "prev" }, "Previous"),
            element("a", { href: neighbours.behind, rel: "next" }, "Next"),
          ),
        ),
      ),
    );
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    this.#dialog.querySelector("#profile-name").focus();
  }

  /** Hides the dialog because the address no longer names a mysfit. */
  hide() {
    if (!this.#dialog.open) return;
    this.#closing = true;
    this.#dialog.close();
  }
}

function facts(mysfit) {
  const rows = [
    ["Heart", mysfit.goodevil || "Unknown"],
    ["Manners", mysfit.lawchaos || "Unknown"],
    ["Age", mysfit.age === null ? "Unknown" : years(mysfit.age)],
  ];
  return element(
    "dl",
    { class: "facts" },
    ...rows.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))),
  );
}

function years(age) {
  const number = new Intl.NumberFormat("en", { notation: age >= 1e6 ? "compact" : "standard", compactDisplay: "long" });
  return `${number.format(age)} ${age === 1 ? "year" : "years"}`;
}
