// Faults as switches, and the reset.

import { element } from "./rows.js";

const KINDS = [
  { fault: "throttle", label: "Throttle" },
  { fault: "fail", label: "Fail" },
  { fault: "slow", label: "Slow, 5 s", delayMs: 5000 },
];

const NAMES = { firehose: "Firehose", lambda: "Lambda", s3: "S3" };

const byId = (id) => document.getElementById(id);

/** Asks the cloud for something; says so on the page when it refuses. */
async function ask(method, path, body) {
  const error = byId("switch-error");
  try {
    const answer = await fetch(`/_mysfits/${path}`, {
      method,
      body: body && JSON.stringify(body),
    });
    const said = await answer.json();
    error.textContent = answer.ok ? "" : said.message;
    return answer.ok ? said : null;
  } catch {
    error.textContent = "The cloud does not answer.";
    return null;
  }
}

/** The buttons of a service. */
function group(service) {
  const title = element("legend", "", NAMES[service.name] ?? service.name);
  const made = element("fieldset", "fault", title);
  for (const { fault, label, delayMs } of KINDS) {
    const button = element("button", "switch", label);
    button.type = "button";
    button.dataset.service = service.name;
    button.dataset.fault = fault;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", async () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      const calls = Number(byId("calls").value) || undefined;
      const wanted = { service: service.name, fault, calls, delayMs };
      const answer = pressed
        ? await ask("DELETE", `faults/${service.name}`)
        : await ask("PUT", "faults", wanted);
      if (answer) mark(answer.faults);
    });
    made.append(button);
  }
  made.append(element("span", "left", ""));
  made.dataset.service = service.name;
  return made;
}

/** Shows which faults are on. */
function mark(faults) {
  for (const button of document.querySelectorAll(".switch")) {
    const on = faults.some(
      (one) => one.service === button.dataset.service && one.fault === button.dataset.fault,
    );
    button.setAttribute("aria-pressed", String(on));
  }
  for (const field of document.querySelectorAll(".fault")) {
    const on = faults.filter((one) => one.service === field.dataset.service);
    const texts = on.map((one) => {
      const extent = one.calls ? `${one.calls} more` : "on";
      return one.operation ? `${one.operation}: ${extent}` : extent;
    });
    field.querySelector(".left").textContent = texts.join("; ");
  }
}

/** Shows the faults of a state. */
export function showFaults(state) {
  const faults = byId("faults");
  if (faults.childElementCount === 0) {
    faults.append(...state.services.map(group));
  }
  mark(state.faults);
}

/** Makes the buttons work that are on the page from the start. */
export function start() {
  const confirm = byId("confirm");
  byId("all-off").addEventListener("click", async () => {
    const answer = await ask("DELETE", "faults");
    if (answer) mark(answer.faults);
  });
  byId("reset").addEventListener("click", () => confirm.showModal());
  byId("confirm-no").addEventListener("click", () => confirm.close());
  byId("confirm-yes").addEventListener("click", async () => {
    confirm.close();
    await ask("POST", "reset");
  });
}
