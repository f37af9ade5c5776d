// The page of one profile: opening it is a click, by the rule in clicks.js.

import { ClickStream, Consent, isOpening } from "./clicks.js";
import { loadSettings, standIn } from "./data.js";

const visit = document.getElementById("visit");
standIn(visit.querySelector("img"));
if (isOpening(visit.dataset.id)) {
  const settings = await loadSettings();
  let userId = "guest";
  if (settings.cognitoDomain) {
    const { Account } = await import("./account.js");
    userId = new Account(settings, () => {}).userId ?? userId;
  }
  await new ClickStream(settings.streamingApiEndpoint, new Consent(settings)).report(userId, visit.dataset.id);
}
