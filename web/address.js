// What is shown stands in the address's fragment, so that every view has a link:
// #goodevil=Evil&lawchaos=Chaotic&mysfit=ID

const NAMES = ["goodevil", "lawchaos", "mysfit"];

/** The view that the address names; what it does not name is "". */
export function currentView() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(NAMES.map((name) => [name, fragment.get(name) ?? ""]));
}

/** The link to the current view with `changes` made to it. */
export function linkTo(changes) {
  const view = { ...currentView(), ...changes };
  const fragment = new URLSearchParams();
  for (const name of NAMES) {
    if (view[name] !== "") fragment.set(name, view[name]);
  }
  return `#${fragment}`;
}

/** Goes to a view without leaving an entry in the history. */
export function replaceView(changes) {
  history.replaceState(null, "", linkTo(changes));
}
