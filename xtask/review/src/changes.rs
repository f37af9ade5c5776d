//! Two values compared, path by path.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::value;

/// A property that has another value than before. What is absent is null.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Such as `extendedS3Configuration.bufferingInterval`, or `rules[0].status`.
    pub path: String,
    pub old: Value,
    pub new: Value,
}

/// As a person sees it: a secret is no more for a file than for a terminal.
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (old, new) = value::show_both(&self.old, &self.new);
        let mut fields = serializer.serialize_struct("Change", 3)?;
        fields.serialize_field("path", &self.path)?;
        fields.serialize_field("old", &old)?;
        fields.serialize_field("new", &new)?;
        fields.end()
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (old, new) = value::show_both(&self.old, &self.new);
        match old == new {
            // Two secrets.
            true => write!(formatter, "{}: {old}, changed", self.path),
            false => write!(formatter, "{}: {old} → {new}", self.path),
        }
    }
}

/// Every difference, in the order of the paths.
pub fn between(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), old, new, &mut changes);
    changes
}

fn compare(path: String, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let whole = value::is_secret(old) || value::is_secret(new);
    let file = value::asset(old).is_some() || value::asset(new).is_some();
    if file && same_content(old, new) {
        return;
    }
    match (document(old), document(new)) {
        (Some(Value::Object(old)), Some(Value::Object(new))) if !whole && !file => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names.into_iter().filter(|name| !name.starts_with("__")) {
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or_default()
                };
                compare(joined(&path, name), &of(&old), &of(&new), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(&new).enumerate() {
                compare(format!("{path}[{index}]"), old, new, changes);
            }
        }
        _ => changes.push(Change {
            path,
            old: old.clone(),
            new: new.clone(),
        }),
    }
}

/// A value, or what the JSON in it says: policies, dashboards and schemas are written as text.
fn document(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).ok(),
        Value::Object(_) | Value::Array(_) => Some(value.clone()),
        _ => None,
    }
}

/// A file is its content, wherever it is.
fn same_content(old: &Value, new: &Value) -> bool {
    match (value::asset(old), value::asset(new)) {
        (Some(old), Some(new)) => old.hash == new.hash,
        _ => false,
    }
}

fn joined(path: &str, name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-:/".contains(letter);
    match (path.is_empty(), name.chars().all(plain)) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name:?}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulumi_protocol::{SECRET, SIGNATURE};
    use serde_json::json;

    fn said(old: &Value, new: &Value) -> Vec<String> {
        between(old, new).iter().map(Change::to_string).collect()
    }

    #[test]
    fn differences_are_named_by_path() {
        let old = json!({ "a": { "b": 1, "c": [1, { "d": 2 }] }, "e": "x", "__defaults": [] });
        let new = json!({ "a": { "b": 2, "c": [1, { "d": 3 }] }, "f": true, "__defaults": ["a"] });
        assert_eq!(
            said(&old, &new),
            [
                "a.b: 1 → 2",
                "a.c[1].d: 2 → 3",
                r#"e: "x" → (none)"#,
                "f: (none) → true"
            ]
        );
        assert!(between(&old, &old).is_empty());
    }

    #[test]
    fn text_that_is_json_is_compared_as_json() {
        let (old, new) = (json!(r#"{"a": 1, "b": 2}"#), json!(r#"{"b":2,"a":3}"#));
        assert_eq!(
            said(&json!({ "body": old }), &json!({ "body": new })),
            ["body.a: 1 → 3"]
        );
        let (one, same) = (json!(r#"{"a": 1}"#), json!(r#"{"a":1}"#));
        assert!(between(&one, &same).is_empty());
    }

    #[test]
    fn two_secrets_differ_without_being_shown() {
        let secret = |text: &str| json!({ SIGNATURE: SECRET, "ciphertext": text });
        let said = said(&json!({ "a": secret("x") }), &json!({ "a": secret("y") }));
        assert_eq!(said, ["a: (secret), changed"]);
    }
}
