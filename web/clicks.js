// Clicks on their way to the stream. A click is sent at once and outlives its page (keepalive);
// one that was refused for the moment, or found no network, waits in a small queue in this
// browser and is sent again later. One that the API calls malformed is given up: it would be
// refused for ever. A click has an id, which it keeps however often it is sent: the answer to one
// that arrived can be lost, and it is counted once all the same.

const QUEUE_KEY = "mysfits.clicks";
const LONGEST_QUEUE = 50;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Sends the clicks of one visitor to one endpoint. */
export class ClickStream {
  #endpoint;
  #pause = FIRST_PAUSE_MS;
  #timer = null;

  constructor(endpoint) {
    this.#endpoint = endpoint;
    addEventListener("online", () => this.#retryIn(0));
    if (readQueue().length > 0) this.#retryIn(0);
  }

  /** Reports that a visitor opened a profile. Never throws, and nothing waits for it. */
  async send(userId, mysfitId) {
    const click = { userId, mysfitId, clickId: newId() };
    const outcome = await this.#put(click);
    if (outcome.again) {
      writeQueue([...readQueue(), click].slice(-LONGEST_QUEUE));
      this.#retryIn(outcome.afterMs ?? this.#pause);
    }
  }

  async #put(click) {
    try {
      const response = await fetch(this.#endpoint, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(click),
        keepalive: true,
        mode: "cors",
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      const again = response.status === 429 || response.status >= 500;
      return { again, afterMs: again ? retryAfterMs(response) : null };
    } catch {
      return { again: true, afterMs: null };
    }
  }

  #retryIn(pauseMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), pauseMs);
  }

  // One tab at a time: the queue belongs to all tabs of this site.
  #flush() {
    return navigator.locks.request(QUEUE_KEY, { ifAvailable: true }, async (lock) => {
      if (lock === null) return;
      while (readQueue().length > 0) {
        const [click] = readQueue();
        const outcome = await this.#put(click);
        if (outcome.again) {
          this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
          this.#retryIn(outcome.afterMs ?? this.#pause);
          return;
        }
        writeQueue(readQueue().slice(1));
        this.#pause = FIRST_PAUSE_MS;
      }
    });
  }
}

// A UUID of version 4. `randomUUID` is for secure contexts alone, as 127.0.0.1 is; a site on plain
// http elsewhere has the numbers that it is made of.
function newId() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function retryAfterMs(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1) * 1_000, LONGEST_PAUSE_MS) : null;
}

// Storage can be full, forbidden, or hold what somebody else wrote: then there is no queue.
function readQueue() {
  try {
    const queue = JSON.parse(localStorage.getItem(QUEUE_KEY) ?? "[]");
    return Array.isArray(queue) ? queue : [];
  } catch {
    return [];
  }
}

function writeQueue(queue) {
  try {
    localStorage.setItem(QUEUE_KEY, JSON.stringify(queue));
  } catch {
    // The click is lost, the visit is not.
  }
}

/**
 * Who is visiting: the user whom Amazon Cognito's web client has signed in, as it keeps the name
 * in this browser, or `guest`. It is what the browser says, and proves nothing.
 */
export function visitor(settings) {
  const client = settings.cognitoUserPoolClientId;
  if (typeof client !== "string" || client === "") return "guest";
  try {
    const user = localStorage.getItem(`CognitoIdentityServiceProvider.${client}.LastAuthUser`);
    return user !== null && user.length >= 1 && user.length <= 128 ? user : "guest";
  } catch {
    return "guest";
  }
}
