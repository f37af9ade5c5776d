// The mysfits, from the mysfits service. What it says is data of unknown origin: every field is
// checked here, and an entry that is no mysfit is left out.

import { fetchJson } from "./settings.js";

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Longest text that is shown of any field, in characters. */
const LONGEST_TEXT = 2_000;

/** All mysfits of the service, in its order. Throws an Error whose message can be shown. */
export async function loadMysfits(endpoint) {
  const answer = await fetchJson(`${endpoint.replace(/\/+$/, "")}/mysfits`);
  if (!Array.isArray(answer?.mysfits)) {
    throw new Error("the register's answer holds no mysfits");
  }
  const seen = new Set();
  return answer.mysfits.map(toMysfit).filter((mysfit) => {
    if (mysfit === null || seen.has(mysfit.mysfitId)) return false;
    seen.add(mysfit.mysfitId);
    return true;
  });
}

function toMysfit(entry) {
  if (entry === null || typeof entry !== "object" || !ID.test(entry.mysfitId)) return null;
  return {
    mysfitId: entry.mysfitId.toLowerCase(),
    name: text(entry.name) || "Nameless",
    species: text(entry.species) || "Unknown species",
    age: Number.isFinite(entry.age) && entry.age >= 0 ? entry.age : null,
    goodevil: text(entry.goodevil),
    lawchaos: text(entry.lawchaos),
    description: text(entry.description),
  };
}

function text(value) {
  return typeof value === "string" ? value.slice(0, LONGEST_TEXT) : "";
}
