//! A logged message as people read it: what it is about first, then the rest by name.

use serde_json::{Map, Value};

/// A message in one line.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub text: String,
    severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Usual,
    Warning,
    Error,
}

/// Fields that say when and where, which every line of `cargo xtask logs` begins with, or an id
/// that `--json` shows to who needs it.
const LEFT_OUT: [&str; 8] = [
    "timestamp",
    "time",
    "requestTime",
    "requestId",
    "request_id",
    "target",
    "protocol",
    "ip",
];

impl Message {
    /// As it was logged.
    pub fn plain(message: &str) -> Self {
        Self {
            text: message.to_owned(),
            severity: Severity::Usual,
        }
    }

    /// A request, a line with a level, or any other object of JSON; what is no object is shown as
    /// it was logged.
    pub fn of(message: &str) -> Self {
        match serde_json::from_str(message) {
            Ok(Value::Object(fields)) => Self::of_fields(fields),
            _ => Self::plain(message),
        }
    }

    fn of_fields(mut fields: Map<String, Value>) -> Self {
        let mut severity = Severity::Usual;
        let mut words = Vec::new();
        for name in LEFT_OUT {
            fields.remove(name);
        }
        // Of a request: PUT /clicks 200.
        if let Some(status) = fields.remove("status") {
            let status = plain(&status);
            severity = match status.as_bytes().first() {
                Some(b'5') => Severity::Error,
                Some(b'4') => Severity::Warning,
                _ => severity,
            };
            let request = ["method", "httpMethod", "path", "resourcePath"]
                .iter()
                .filter_map(|name| fields.remove(*name));
            words.extend(request.map(|value| plain(&value)));
            words.push(status);
        }
        if let Some(level) = fields.remove("level") {
            let level = plain(&level);
            severity = match level.to_ascii_uppercase().as_str() {
                "ERROR" | "FATAL" => Severity::Error,
                "WARN" | "WARNING" => Severity::Warning,
                _ => severity,
            };
            words.push(level);
        }
        for name in ["message", "type"] {
            words.extend(fields.remove(name).map(|value| plain(&value)));
        }
        words.extend(
            fields
                .iter()
                .filter(|(_, value)| is_said(value))
                .map(|(name, value)| format!("{name}={}", plain(value))),
        );
        Self {
            text: words.join(" "),
            severity,
        }
    }

    /// For a terminal.
    pub fn coloured(&self) -> String {
        match self.severity {
            Severity::Usual => self.text.clone(),
            Severity::Warning => format!("\x1b[33m{}\x1b[0m", self.text),
            Severity::Error => format!("\x1b[31m{}\x1b[0m", self.text),
        }
    }
}

/// API Gateway logs a variable that has no value as `-`.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !["", "-"].contains(&text.as_str()),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_first_what_it_is_about() {
        for (message, text, severity) in [
            (
                r#"{"requestId":"a","method":"PUT","path":"/clicks","status":"200","error":"-","responseLatency":"12"}"#,
                "PUT /clicks 200 responseLatency=12",
                Severity::Usual,
            ),
            (
                r#"{"method":"PUT","path":"/clicks","status":"503","integrationStatus":"500"}"#,
                "PUT /clicks 503 integrationStatus=500",
                Severity::Error,
            ),
            (
                r#"{"timestamp":"2026-01-31T12:00:00Z","level":"WARN","message":"batch","records":3,"failed":[{"a":1}]}"#,
                r#"WARN batch failed=[{"a":1}] records=3"#,
                Severity::Warning,
            ),
            ("START RequestId: 1", "START RequestId: 1", Severity::Usual),
            ("[1]", "[1]", Severity::Usual),
            ("{broken", "{broken", Severity::Usual),
        ] {
            let shown = Message::of(message);
            assert_eq!((shown.text.as_str(), shown.severity), (text, severity));
        }
    }
}
