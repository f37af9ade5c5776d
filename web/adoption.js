// What only some deployments offer: signing in, and likes and adoptions, which the mysfits service
// takes as the workshop's does. Nothing of this is loaded where it is not configured.

import { Account } from "./account.js";
import { button, element, loadMysfit } from "./data.js";

const TIME_OUT_MS = 10_000;

/**
 * The visitor's account, and its place in the page; null when the deployment has no sign-in.
 * `onChange` is called with who the visitor is, in words, now and when that changes.
 */
export async function prepareAccount(settings, onChange) {
  const { cognitoUserPoolId, cognitoUserPoolClientId, cognitoDomain } = settings;
  if (!cognitoUserPoolId || !cognitoUserPoolClientId || !cognitoDomain) return null;
  const place = element("div", { class: "account", id: "account", role: "group", "aria-label": "Your account" });
  const said = element("p", { class: "account__said", role: "status" });
  const account = new Account(settings, () => show("Your sign-in has run out."));

  function show(message) {
    const name = account.name;
    place.replaceChildren(said);
    said.textContent = message || (name === null ? "" : `Signed in as ${name}`);
    place.append(name === null
      ? button("Sign in", () => void account.signIn(), { id: "sign-in" })
      : button("Sign out", () => account.signOut(), { id: "sign-out" }));
    onChange(name === null ? "a guest" : "your account's id");
  }

  document.querySelector(".banner__inside").append(place);
  try {
    await account.comeBack();
    show("");
  } catch (error) {
    show(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
  }
  return account;
}

/** Likes and adoptions: `POST {service}/mysfits/{id}/like` and `…/adopt`. */
export class Adoption {
  #service;
  #account;
  /** What this page has liked, so that nobody likes by leaning on a key. */
  #liked = new Set();

  constructor(service, account) {
    this.#service = service;
    this.#account = account;
  }

  /** Offers in its profile what can be done for a mysfit; `onChange` gets what became of it. */
  offer(mysfit, profile, onChange) {
    const { mysfitId } = mysfit;
    const isShown = () => profile.shown === mysfitId;
    const change = (changed) => {
      onChange(changed);
      if (isShown()) draw();
    };
    const draw = () => profile.offer(...this.#actions(mysfit, profile, change));
    draw();
    // The list may not say how many likes there are, and somebody else may have adopted it since.
    loadMysfit(this.#service, mysfitId).then((now) => {
      if (now !== null) change({ likes: now.likes, adopted: now.adopted });
    }).catch(() => {});
  }

  #actions(mysfit, profile, change) {
    const likes = mysfit.likes === null ? "" : ` (${mysfit.likes.toLocaleString("en")})`;
    if (this.#account !== null && this.#account.token === null) {
      const label = mysfit.adopted ? `Adopted${likes}` : `Sign in to like or adopt${likes}`;
      return [button(label, () => void this.#account.signIn(), { id: "profile-adopt", disabled: mysfit.adopted })];
    }
    const isLiked = this.#liked.has(mysfit.mysfitId);
    const like = button(`${isLiked ? "Liked" : "Like"}${likes}`, () => this.#post(mysfit, "like", profile, () => {
      this.#liked.add(mysfit.mysfitId);
      change({ likes: mysfit.likes === null ? null : mysfit.likes + 1 });
    }), { id: "profile-like", class: "quiet", "aria-pressed": String(isLiked), disabled: isLiked });
    const adopt = button(mysfit.adopted ? "Adopted" : `Adopt ${mysfit.name}`, () => this.#post(mysfit, "adopt", profile, () => {
      change({ adopted: true });
      profile.say(`${mysfit.name} has a home.`);
    }), { id: "profile-adopt", disabled: mysfit.adopted });
    return [adopt, like];
  }

  async #post(mysfit, what, profile, onDone) {
    const token = this.#account?.token ?? null;
    let status = 0;
    try {
      const response = await fetch(`${this.#service}/mysfits/${mysfit.mysfitId}/${what}`, {
        method: "POST",
        headers: token === null ? {} : { Authorization: token },
        credentials: "omit",
        signal: AbortSignal.timeout(TIME_OUT_MS),
      });
      status = response.status;
    } catch {
      // Nothing came back.
    }
    if (status >= 200 && status < 300) return onDone();
    if (profile.shown !== mysfit.mysfitId) return;
    profile.say(status === 401 || status === 403
      ? "The register asks you to sign in again."
      : "The register did not take it: try again.");
  }
}
