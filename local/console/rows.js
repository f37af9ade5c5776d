// How an event is shown: one row, with more behind it. Texts of others are texts here, never
// markup.

/** An element with a class, and with texts or elements in it. */
export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

export function count(number) {
  return number.toLocaleString("en");
}

/** "1 record", "2 records" */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function bytes(number) {
  if (number < 1024) return `${number} B`;
  if (number < 1024 * 1024) return `${short(number / 1024)} KiB`;
  return `${short(number / 1024 / 1024)} MiB`;
}

export function duration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${short(milliseconds / 1000)} s`;
}

function short(number) {
  return number.toFixed(1).replace(/\.0$/, "");
}

function time(at) {
  const date = new Date(at);
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const made = element("time", "time", clock);
  made.append(element("span", "millis", `.${String(date.getMilliseconds()).padStart(3, "0")}`));
  made.dateTime = date.toISOString();
  return made;
}

/** The name at the end of an ARN, without a version. */
function nameOf(arn) {
  const parts = arn.split(":");
  return parts[0] === "arn" ? (parts[6] ?? parts[5]) : arn;
}

/** JSON over several lines, other texts as they are. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A statement of a policy in the order in which people write it. */
function inOrder({ Effect, Principal, Action, Resource, Condition }) {
  return { Effect, Principal, Action, Resource, Condition };
}

/** What a log line says that is about something gone wrong: levels as text and in JSON, and
 * Firehose's log of deliveries. */
const LOUD = /\b(ERROR|WARN|FATAL)\b|"level":\s*"(error|warn|fatal)"|"errorCode"/;

/** One row: its summary, and what is behind it as pairs of name and text. */
function row(event, tone, summary, details) {
  const shown = details.filter(([, text]) => text !== null && text !== undefined && text !== "");
  const line = [time(event.at), ...summary];
  const made = element("li", `row ${tone}`);
  made.dataset.number = event.number;
  if (shown.length === 0) {
    made.append(element("div", "summary", ...line));
    return made;
  }
  const list = element("dl", "details");
  for (const [name, text] of shown) {
    list.append(element("dt", "", name), element("dd", "", element("pre", "", text)));
  }
  made.append(element("details", "", element("summary", "summary", ...line), list));
  return made;
}

const mark = (text) => element("span", "mark", text);
const strong = (text) => element("strong", "", text);
const mono = (text) => element("code", "grow", text);
const plain = (text) => element("span", "grow", text);
const quiet = (text) => element("span", "quiet", text);

/** The list that an event is shown in, and its row; nothing for one without a row. */
export function show(event) {
  switch (event.kind) {
    case "request": {
      const failed = event.status >= 400;
      const tone = event.status >= 500 ? "bad" : failed ? "odd" : "good";
      const summary = [mark(event.status), strong(event.method), mono(event.path), quiet(duration(event.duration))];
      if (failed && event.reason) summary.push(element("span", "reason", event.reason));
      return ["requests", row(event, tone, summary, [
        ["Reason", event.reason],
        ["Sent", pretty(event.body)],
        ["Answer", pretty(event.answer)],
        ["Request id", event.requestId],
      ])];
    }
    case "batch": {
      const tone = event.error ? "bad" : event.failed ? "odd" : "good";
      const results = [
        event.ok && `${count(event.ok)} ok`,
        event.dropped && `${count(event.dropped)} dropped`,
        event.failed && `${count(event.failed)} failed`,
      ].filter(Boolean).join(", ");
      const outcome = event.error ? "the invocation failed" : results;
      const attempt = event.attempt > 1 ? `, attempt ${event.attempt}` : "";
      return ["batches", row(event, tone, [
        mark("batch"), strong(event.stream),
        plain(`${plural(event.records, "record")} → ${outcome}${attempt}`), quiet(duration(event.duration)),
        event.error && element("span", "reason", event.error),
      ], [["Processor", event.function], ["Error", event.error]])];
    }
    case "invocation":
      return ["batches", row(event, event.error ? "bad" : "good", [
        mark("function"), strong(event.function),
        plain(`${bytes(event.bytes)}${event.cold ? ", in a new environment" : ""}${event.error ? ", ended in an error" : ""}`),
        quiet(duration(event.duration)),
      ], [["Error", event.error && pretty(event.error)]])];
    case "trouble":
      return ["batches", row(event, "bad", [
        mark("trouble"), strong(event.stream), plain(event.code),
        element("span", "reason", event.message),
      ], [])];
    case "object":
      return ["objects", row(event, event.failed ? "odd" : "good", [
        mark(event.failed ? "failed" : "stored"), mono(event.key),
        quiet(`${plural(event.records, "record")}, ${bytes(event.bytes)}`),
      ], [
        [event.more ? "First lines" : "Lines", event.lines.join("\n")],
        ["Object", `s3://${event.bucket}/${event.key}`],
        ["Stream", event.stream],
      ])];
    case "failed":
      return ["failed", row(event, "bad", [
        strong(event.code), plain(event.message),
      ], [
        ["Message", event.message],
        ["Raw data, decoded", event.data],
        ["Stream", event.stream],
        ["Attempts", String(event.attempts)],
        ["Accepted", new Date(event.arrived).toISOString()],
      ])];
    case "refusal": {
      const missing = event.statement && JSON.stringify(inOrder(event.statement), null, 2);
      return ["refusals", row(event, "bad", [
        strong(event.action), mono(event.resource),
        element("span", "reason", `${nameOf(event.caller)}: ${event.reason}`),
      ], [
        [missing ? `Missing in ${event.policy}` : `Denied by ${event.policy}`, missing ?? event.reason],
        ["Caller", event.caller],
      ])];
    }
    case "fault": {
      const { service, operation, calls, fault, delayMs } = event.fault;
      const extent = calls ? `for ${plural(calls, "call")}` : "until it is switched off";
      const how = delayMs ? `${fault} by ${duration(delayMs)}` : fault;
      return ["operations", row(event, "odd", [
        mark("on"), strong(service), plain(`${operation ?? "every operation"}: ${how}, ${extent}`),
      ], [])];
    }
    case "faultsOff":
      return ["operations", row(event, "good", [
        mark("off"), plain(event.service ? `faults of ${event.service}` : "all faults"),
      ], [])];
    case "reset":
      return ["operations", row(event, "bad", [mark("reset"), plain("the cloud was emptied")], [])];
    case "log": {
      const line = event.message.trimEnd();
      const tone = LOUD.test(line) ? "odd" : "";
      return ["logs", row(event, tone, [strong(event.group), mono(line)], [
        ["Line", pretty(line)],
        ["Log stream", event.stream],
      ])];
    }
    default:
      return null;
  }
}

/** What a screen reader is told of an event at once: what went wrong. */
export function announcement(event) {
  switch (event.kind) {
    case "request":
      return event.status >= 500 ? `A request was answered with ${event.status}` : null;
    case "failed":
      return `A record failed: ${event.code}`;
    case "trouble":
      return `A delivery failed: ${event.code}`;
    case "refusal":
      return `IAM refused ${event.action}`;
    case "reset":
      return "The cloud was emptied";
    default:
      return null;
  }
}
