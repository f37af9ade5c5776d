// Signing in with Amazon Cognito: the authorisation code flow with PKCE, as a public client. The
// password is typed on Cognito's own page. Tokens are kept in this tab alone, and are gone with it.
// https://docs.aws.amazon.com/cognito/latest/developerguide/using-pkce-in-authorization-code.html

const SESSION_KEY = "mysfits.session";
const SIGN_IN_KEY = "mysfits.signIn";
const TIME_OUT_MS = 10_000;
/** Longest that a timer of a browser can wait. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The visitor's session with one user pool. */
export class Account {
  #settings;
  #session = null;
  #onChange;

  /** `onChange` is called when the session has run out. */
  constructor(settings, onChange) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#adopt(read(SESSION_KEY));
  }

  /** The user's id (the token's `sub`), or null. It proves nothing to the receiver of a click. */
  get userId() {
    return this.#valid()?.claims.sub ?? null;
  }

  /** How the user is called, or null. */
  get name() {
    const claims = this.#valid()?.claims;
    return claims === undefined ? null : claims.email ?? claims["cognito:username"] ?? claims.sub;
  }

  /** The token for services that know the user pool, or null. */
  get token() {
    return this.#valid()?.token ?? null;
  }

  /** Leaves for Cognito's page. */
  async signIn() {
    const verifier = random();
    const state = random();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    // The view comes back with the visitor, and what was opened in it.
    write(SIGN_IN_KEY, { verifier, state, fragment: location.hash, entry: history.state });
    location.assign(this.#address("/oauth2/authorize", {
      response_type: "code",
      client_id: this.#settings.cognitoUserPoolClientId,
      redirect_uri: here(),
      scope: "openid",
      state,
      code_challenge_method: "S256",
      code_challenge: base64url(new Uint8Array(digest)),
    }));
  }

  /**
   * Ends a sign-in when this page is where Cognito sent the visitor back to. Throws an Error whose
   * message can be shown.
   */
  async comeBack() {
    const answer = new URLSearchParams(location.search);
    if (!answer.has("code") && !answer.has("error")) return;
    const begun = read(SIGN_IN_KEY);
    sessionStorage.removeItem(SIGN_IN_KEY);
    // The code is used once, and stays in neither address nor history. What was opened stays so;
    // but the entry before this one is Cognito's page, and no list to go back to.
    const entry = begun?.entry ? { ...begun.entry, fromList: false } : null;
    history.replaceState(entry, "", `${location.pathname}${begun?.fragment ?? ""}`);
    if (begun === null || answer.get("state") !== begun.state) {
      throw new Error("that sign-in was not begun in this tab");
    }
    if (answer.has("error")) throw new Error("the sign-in was not completed");
    const token = await this.#exchange(answer.get("code"), begun.verifier);
    const session = this.#checked(token);
    if (session === null) throw new Error("the sign-in's answer makes no sense");
    write(SESSION_KEY, session);
    this.#adopt(session);
  }

  /** Forgets the session, here and at Cognito. */
  signOut() {
    this.#forget();
    location.assign(this.#address("/logout", {
      client_id: this.#settings.cognitoUserPoolClientId,
      logout_uri: here(),
    }));
  }

  async #exchange(code, verifier) {
    let answer;
    try {
      const response = await fetch(this.#address("/oauth2/token", {}), {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "authorization_code",
          client_id: this.#settings.cognitoUserPoolClientId,
          redirect_uri: here(),
          code,
          code_verifier: verifier,
        }),
        credentials: "omit",
        signal: AbortSignal.timeout(TIME_OUT_MS),
      });
      answer = response.ok ? await response.json() : null;
    } catch {
      throw new Error("the sign-in's service cannot be reached");
    }
    if (typeof answer?.id_token !== "string") throw new Error("the sign-in was refused");
    return answer.id_token;
  }

  // The token comes straight from Cognito over TLS, so that its signature need not be checked
  // (OpenID Connect Core, 3.1.3.7); that it is for this pool and this client does.
  #checked(token) {
    const { cognitoUserPoolId, cognitoUserPoolClientId, awsRegion } = this.#settings;
    try {
      const claims = JSON.parse(new TextDecoder().decode(bytes(token.split(".")[1])));
      const good = claims.iss === `https://cognito-idp.${awsRegion}.amazonaws.com/${cognitoUserPoolId}`
        && claims.aud === cognitoUserPoolClientId
        && claims.token_use === "id"
        && typeof claims.sub === "string" && claims.sub.length >= 1 && claims.sub.length <= 128
        && Number.isFinite(claims.exp);
      return good ? { token, claims } : null;
    } catch {
      return null;
    }
  }

  #adopt(session) {
    this.#session = typeof session?.token === "string" ? this.#checked(session.token) : null;
    if (this.#valid() === null) return;
    const left = this.#session.claims.exp * 1_000 - Date.now();
    setTimeout(() => { if (this.#valid() === null) this.#onChange(); }, Math.min(left + 100, LONGEST_TIMER_MS));
  }

  #valid() {
    if (this.#session !== null && this.#session.claims.exp * 1_000 <= Date.now()) this.#forget();
    return this.#session;
  }

  #forget() {
    this.#session = null;
    sessionStorage.removeItem(SESSION_KEY);
  }

  #address(path, parameters) {
    const url = new URL(path, this.#settings.cognitoDomain);
    url.search = new URLSearchParams(parameters);
    return url;
  }
}

// Where Cognito sends visitors back to: it must be among the client's addresses.
function here() {
  return `${location.origin}/`;
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(data) {
  return btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function bytes(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  sessionStorage.setItem(key, JSON.stringify(value));
}
