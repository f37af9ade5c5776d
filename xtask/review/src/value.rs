//! Values of properties, as the engine writes them: what is secret or unknown, what is a file, and
//! how long ones are shortened.

use pulumi_protocol::{ARCHIVE, ASSET, SECRET, SIGNATURE, UNKNOWN};
use serde_json::{Map, Value};

/// What the engine puts in place of a secret.
const HIDDEN: &str = "[secret]";

/// Characters of a value that are shown at most.
const LONGEST: usize = 72;

/// Characters before a difference that show where in a long value it is.
const LEAD: usize = 20;

pub const SHOWN_UNKNOWN: &str = "(known after the deployment)";
const SHOWN_SECRET: &str = "(secret)";

/// A file or an archive that a resource is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset<'a> {
    /// SHA-256 of its content, in hexadecimal digits.
    pub hash: &'a str,
    /// Where it is on the machine of the deployment.
    pub path: Option<&'a str>,
}

/// Whether the value, or any part of it, is known only after the deployment.
pub fn is_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(items) => items.iter().any(is_unknown),
        Value::Object(fields) => fields.values().any(is_unknown),
        _ => false,
    }
}

/// Whether the value as a whole is a secret.
pub fn is_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text == HIDDEN,
        Value::Object(fields) => signed(fields) == Some(SECRET),
        _ => false,
    }
}

/// The file or archive that a value is.
pub fn asset(value: &Value) -> Option<Asset<'_>> {
    let fields = value.as_object()?;
    if ![Some(ASSET), Some(ARCHIVE)].contains(&signed(fields)) {
        return None;
    }
    Some(Asset {
        hash: fields.get("hash").and_then(Value::as_str).unwrap_or(""),
        path: fields.get("path").and_then(Value::as_str),
    })
}

fn signed(fields: &Map<String, Value>) -> Option<&str> {
    fields.get(SIGNATURE)?.as_str()
}

/// A value in one line, not longer than a person reads.
pub fn show(value: &Value) -> String {
    shortened(&whole(value), 0)
}

/// Two values that differ, each in one line. Long ones are shown from a little before the place
/// where they differ.
pub fn show_both(old: &Value, new: &Value) -> (String, String) {
    let (old, new) = (whole(old), whole(new));
    let alike = old.chars().zip(new.chars());
    let alike = alike.take_while(|(old, new)| old == new).count();
    // A difference that the beginning shows needs no other place.
    let from = match alike < LONGEST - LEAD {
        true => 0,
        false => alike - LEAD,
    };
    (shortened(&old, from), shortened(&new, from))
}

/// A value in one line, however long.
fn whole(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        value if is_secret(value) => SHOWN_SECRET.to_owned(),
        Value::String(text) if text == UNKNOWN => SHOWN_UNKNOWN.to_owned(),
        value => match asset(value) {
            Some(file) => format!("file {}", file.hash.get(..8).unwrap_or(file.hash)),
            None => readable(value).to_string(),
        },
    }
}

/// The value with words in place of what is secret or unknown.
fn readable(value: &Value) -> Value {
    match value {
        value if is_secret(value) => SHOWN_SECRET.into(),
        Value::String(text) => text.replace(UNKNOWN, SHOWN_UNKNOWN).into(),
        Value::Array(items) => items.iter().map(readable).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .filter(|(name, _)| *name != "__defaults")
                    .map(|(name, value)| (name.clone(), readable(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// What is longer than [`LONGEST`] from that character on, and how long it is as a whole.
fn shortened(text: &str, from: usize) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text.to_owned();
    }
    let part: String = text.chars().skip(from).take(LONGEST).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if from + LONGEST < length { "…" } else { "" };
    format!("{before}{part}{after} ({length} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_and_unknown_values_are_never_shown() {
        let secret = json!({ SIGNATURE: SECRET, "ciphertext": "abc" });
        assert_eq!(show(&secret), "(secret)");
        assert_eq!(show(&json!({ "a": secret })), r#"{"a":"(secret)"}"#);
        assert_eq!(show(&json!(HIDDEN)), "(secret)");
        assert_eq!(show(&json!(UNKNOWN)), SHOWN_UNKNOWN);
        let arn = json!([format!("{UNKNOWN}/*")]);
        assert_eq!(show(&arn), r#"["(known after the deployment)/*"]"#);
        assert!(is_unknown(&arn) && !is_unknown(&json!({ "a": [1] })));
    }

    #[test]
    fn long_values_are_shortened() {
        let long = show(&json!("é".repeat(200)));
        assert!(long.ends_with("… (202 characters)"), "{long}");
        assert_eq!(long.chars().filter(|letter| *letter == 'é').count(), 71);
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let long = |end: &str| json!(format!("{}{end}", "é".repeat(300)));
        let (old, new) = show_both(&long("one"), &long("three"));
        assert_eq!(old, format!("…{}one\" (305 characters)", "é".repeat(20)));
        assert_eq!(new, format!("…{}three\" (307 characters)", "é".repeat(20)));

        // One is the other's beginning.
        let (old, new) = show_both(&long(""), &long("x"));
        assert_eq!(old, format!("…{}\" (302 characters)", "é".repeat(20)));
        assert_eq!(new, format!("…{}x\" (303 characters)", "é".repeat(20)));

        // A short one is whole, and what differs early is shown from the beginning.
        let (old, new) = show_both(&json!("a"), &long(""));
        assert_eq!(old, r#""a""#);
        assert!(new.starts_with("\"éé"), "{new}");
    }

    #[test]
    fn a_file_is_shown_by_its_hash() {
        let file = json!({ SIGNATURE: ARCHIVE, "hash": "0123456789abcdef", "path": "a.zip" });
        assert_eq!(show(&file), "file 01234567");
        assert_eq!(
            asset(&file),
            Some(Asset {
                hash: "0123456789abcdef",
                path: Some("a.zip")
            })
        );
    }
}
