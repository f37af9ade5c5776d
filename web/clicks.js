// Clicks: which openings are clicks, whether they may be sent, and how they get to the stream.
//
// The rule: a person who opens a profile makes one click. The entry of the browser's history
// remembers which profiles were opened in it. So going back or forward to a profile, a reload, a
// tab that is restored or doubled, and paging back to a profile that was open a moment ago (Next
// and Previous stay in one entry) make none.

/** How many clicks wait at most; beyond that the oldest give way. */
const MOST_WAITING = 50;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** The name of the database with what waits, and of the lock of the tab that sends it. */
const NAME = "mysfits.clicks";

/** Whether showing this profile now is an opening by a person; from then on it was one. */
export function isOpening(mysfitId) {
  const opened = history.state?.opened ?? [];
  if (opened.includes(mysfitId)) return false;
  history.replaceState({ ...history.state, opened: [...opened, mysfitId] }, "");
  return true;
}

/**
 * Whether this browser's clicks may be sent. What the visitor chose here comes first; without a
 * choice, Global Privacy Control and Do Not Track do, unless the deployment ignores them.
 */
export class Consent {
  #respectsSignals;
  #choice = null;

  constructor(settings) {
    this.#respectsSignals = settings.respectPrivacySignals !== false;
  }

  get given() {
    return this.#chosen() ?? !this.refusedBySignal;
  }

  /** Whether it is the browser that refuses. */
  get refusedBySignal() {
    return this.#chosen() === null && this.#respectsSignals
      && (navigator.globalPrivacyControl === true || navigator.doNotTrack === "1");
  }

  choose(given) {
    this.#choice = given;
    try {
      localStorage.setItem(NAME, given ? "on" : "off");
    } catch {
      // Without storage the choice holds as long as the page.
    }
  }

  // Another tab may have chosen meanwhile.
  #chosen() {
    try {
      const stored = localStorage.getItem(NAME);
      if (stored !== null) return stored === "on";
    } catch {
      // See above.
    }
    return this.#choice;
  }
}

/**
 * Sends clicks to one endpoint. A click is sent at once and outlives its page (keepalive). One
 * that was refused for the moment, or found no network, waits in this browser and is sent again,
 * with the id that it had: the answer to one that arrived can be lost, and it is counted once all
 * the same. One that the API calls malformed is given up, for it would be refused forever.
 */
export class ClickStream {
  #endpoint;
  #consent;
  #waiting = new Waiting();
  #onChange;
  #sender = Promise.resolve();
  #wake = () => {};

  /** `onChange` is called whenever more or fewer clicks wait. */
  constructor(endpoint, consent, onChange = () => {}) {
    this.#endpoint = endpoint;
    this.#consent = consent;
    this.#onChange = onChange;
    addEventListener("online", () => this.#wake());
    this.#sendWaiting(0);
  }

  /** Reports that a visitor opened a profile. Never throws, and nothing waits for it. */
  async report(userId, mysfitId) {
    if (!this.#consent.given) return;
    const click = { userId, mysfitId, clickId: newId() };
    const outcome = await this.#put(click);
    if (!outcome.again) return;
    await this.#waiting.add(click);
    this.#onChange();
    this.#sendWaiting(outcome.afterMs ?? FIRST_PAUSE_MS);
  }

  /** Forgets what waits. */
  async forget() {
    await this.#waiting.clear();
    this.#onChange();
  }

  /** How many clicks wait, and how many have given way to newer ones. */
  counts() {
    return this.#waiting.counts();
  }

  // One tab sends, and the others wait for its lock: what waits belongs to all tabs of the site. A
  // tab that closes gives the lock up.
  #sendWaiting(pauseMs) {
    const work = () => this.#drain(pauseMs);
    const alone = () => (navigator.locks ? navigator.locks.request(NAME, work) : work());
    this.#sender = this.#sender.then(alone).catch(() => {});
  }

  async #drain(firstPauseMs) {
    let pauseMs = firstPauseMs;
    let next = FIRST_PAUSE_MS;
    for (;;) {
      const oldest = await this.#waiting.oldest();
      if (oldest === null) return this.#onChange();
      await this.#sleep(pauseMs);
      if (!this.#consent.given) return this.forget();
      const outcome = await this.#put(oldest.click);
      if (outcome.again) {
        pauseMs = outcome.afterMs ?? next;
        next = Math.min(next * 2, LONGEST_PAUSE_MS);
      } else {
        await this.#waiting.remove(oldest.key);
        this.#onChange();
        pauseMs = 0;
        next = FIRST_PAUSE_MS;
      }
    }
  }

  // Until the time is over, or the network is back.
  #sleep(pauseMs) {
    if (pauseMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, pauseMs);
    });
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
}

/**
 * The clicks that wait in this browser, oldest first. They are in a database because its
 * transactions hold for all tabs. Storage can be forbidden or full: then nothing waits.
 */
class Waiting {
  #database = null;

  async add(click) {
    await this.#transaction("readwrite", (clicks, counts) => {
      clicks.add(click);
      clicks.count().onsuccess = ({ target: { result: count } }) => {
        const tooMany = count - MOST_WAITING;
        if (tooMany <= 0) return;
        clicks.getAllKeys(null, tooMany).onsuccess = ({ target: { result: keys } }) => {
          for (const key of keys) clicks.delete(key);
        };
        counts.get("gaveWay").onsuccess = ({ target: { result: before = 0 } }) => {
          counts.put(before + tooMany, "gaveWay");
        };
      };
    });
  }

  async oldest() {
    let found = null;
    await this.#transaction("readonly", (clicks) => {
      clicks.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (cursor !== null) found = { key: cursor.key, click: cursor.value };
      };
    });
    return found;
  }

  async remove(key) {
    await this.#transaction("readwrite", (clicks) => { clicks.delete(key); });
  }

  async clear() {
    await this.#transaction("readwrite", (clicks, counts) => {
      clicks.clear();
      counts.clear();
    });
  }

  async counts() {
    const found = { waiting: 0, gaveWay: 0 };
    await this.#transaction("readonly", (clicks, counts) => {
      clicks.count().onsuccess = ({ target: { result } }) => { found.waiting = result; };
      counts.get("gaveWay").onsuccess = ({ target: { result = 0 } }) => { found.gaveWay = result; };
    });
    return found;
  }

  async #transaction(mode, work) {
    try {
      this.#database ??= open();
      const transaction = (await this.#database).transaction(["clicks", "counts"], mode);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
        work(transaction.objectStore("clicks"), transaction.objectStore("counts"));
      });
    } catch {
      // The click is lost, the visit is not.
    }
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("clicks", { autoIncrement: true });
      request.result.createObjectStore("counts");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
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
