// config.json, which the deployment writes: where the services are.

const TIME_OUT_MS = 10_000;

/**
 * The settings of this deployment:
 * `mysfitsApiEndpoint` (base URL of the mysfits service), `streamingApiEndpoint` (the URL that
 * takes a click), `cognitoUserPoolClientId` (empty without sign-in). Throws an Error whose
 * message can be shown.
 */
export async function loadSettings() {
  const settings = await fetchJson("config.json", { cache: "no-cache" });
  for (const name of ["mysfitsApiEndpoint", "streamingApiEndpoint"]) {
    if (!isHttpUrl(settings?.[name])) {
      throw new Error(`config.json has no usable ${name}`);
    }
  }
  return settings;
}

/** Fetches JSON with a time-out; anything but a 2xx with JSON in it is an Error. */
export async function fetchJson(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIME_OUT_MS) });
  } catch {
    throw new Error("the register cannot be reached");
  }
  if (!response.ok) throw new Error(`the register answered ${response.status}`);
  try {
    return await response.json();
  } catch {
    throw new Error("the register's answer makes no sense");
  }
}

function isHttpUrl(value) {
  try {
    return ["http:", "https:"].includes(new URL(value).protocol);
  } catch {
    return false;
  }
}
