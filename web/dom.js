// Elements from data. Text only ever becomes text: nothing in this site parses markup.

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

/** The picture of a mysfit; one that is missing becomes the picture of nobody. */
export function picture(mysfit, attributes = {}) {
  const image = element("img", {
    alt: "",
    width: 320,
    height: 320,
    decoding: "async",
    ...attributes,
    src: `images/${mysfit.mysfitId}.svg`,
  });
  image.addEventListener("error", () => { image.src = "images/nobody.svg"; }, { once: true });
  return image;
}
