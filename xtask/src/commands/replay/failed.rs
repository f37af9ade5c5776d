//! Failed records as Firehose writes them: objects under the error prefix, a line of JSON each.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// What Firehose puts in the place of the expression for the type of the error, for records
/// that the processor failed.
const TYPE: &str = "processing-failed";
const TYPE_EXPRESSION: &str = "!{firehose:error-output-type}";

/// Where failed records are: the parts of the error prefix that are the same in every key.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    literals: Vec<String>,
}

impl Place {
    /// Of a stream's destination, as it was declared.
    pub fn of(destination: &Value) -> Self {
        let declared = |name: &str| destination[name].as_str().unwrap_or_default();
        let pattern = match declared("errorOutputPrefix") {
            "" => format!("{}{TYPE}/", declared("prefix")),
            prefix => prefix.replace(TYPE_EXPRESSION, TYPE),
        };
        let mut literals = Vec::new();
        let mut rest = pattern.as_str();
        while let Some((literal, expression)) = rest.split_once("!{") {
            literals.push(literal.to_owned());
            rest = expression.split_once('}').map_or("", |(_, rest)| rest);
        }
        literals.push(rest.to_owned());
        Self { literals }
    }

    /// What every key begins with.
    pub fn prefix(&self) -> &str {
        self.literals.first().map_or("", String::as_str)
    }

    /// Whether a key can be that of failed records.
    pub fn holds(&self, key: &str) -> bool {
        let mut rest = key;
        key.starts_with(self.prefix())
            && self
                .literals
                .iter()
                .all(|literal| match rest.find(literal) {
                    Some(position) => {
                        rest = &rest[position + literal.len()..];
                        true
                    }
                    None => false,
                })
    }
}

/// A failed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which line of its object it is, from 0 on.
    pub line: u32,
    /// What was put into the stream, in base64.
    pub data: String,
    pub reason: String,
    /// When it failed, in milliseconds since the Unix epoch.
    pub failed_at: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    raw_data: String,
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    error_message: String,
    #[serde(default)]
    attempt_ending_timestamp: i64,
}

/// The lines of an object: records, and how many are none.
pub fn read(bytes: &[u8]) -> Result<(Vec<Record>, usize)> {
    let text = crate::aws::text::of(bytes)?;
    let mut records = Vec::new();
    let mut unreadable = 0;
    for (position, line) in text.lines().enumerate() {
        match record(u32::try_from(position)?, line) {
            Some(record) => records.push(record),
            None => unreadable += 1,
        }
    }
    Ok((records, unreadable))
}

fn record(line: u32, text: &str) -> Option<Record> {
    let found: Line = serde_json::from_str(text).ok()?;
    STANDARD.decode(&found.raw_data).ok()?;
    Some(Record {
        line,
        data: found.raw_data,
        reason: match found.error_message.as_str() {
            "" => found.error_code,
            message => format!("{}: {message}", found.error_code),
        },
        failed_at: found.attempt_ending_timestamp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write;

    #[test]
    fn failed_records_are_under_the_error_prefix() {
        let own = Place::of(&json!({
            "prefix": "firehose/",
            "errorOutputPrefix": "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
        }));
        assert_eq!(own.prefix(), "processing-failed/");
        assert!(own.holds("processing-failed/2026/11/23/16/a-stream"));
        assert!(!own.holds("firehose/2026/11/23/16/a-stream"));

        let dated = Place::of(&json!({
            "errorOutputPrefix": "!{timestamp:yyyy}/bad-!{firehose:error-output-type}/",
        }));
        assert_eq!(dated.prefix(), "");
        assert!(dated.holds("2026/bad-processing-failed/a"));
        assert!(!dated.holds("2026/bad-format-conversion-failed/a"));

        let default = Place::of(&json!({ "prefix": "firehose/" }));
        assert_eq!(default.prefix(), "firehose/processing-failed/");
    }

    #[test]
    fn lines_are_read_also_from_gzip() -> Result<()> {
        let text = "{\"rawData\":\"YQ==\",\"errorCode\":\"E\",\"errorMessage\":\"m\",\
                    \"attemptEndingTimestamp\":7}\nnonsense\n{\"rawData\":\"*\"}\n\
                    {\"rawData\":\"Yg==\",\"errorCode\":\"F\"}\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes())?;
        for bytes in [text.as_bytes().to_vec(), gzip.finish()?] {
            let (records, unreadable) = read(&bytes)?;
            assert_eq!(unreadable, 2);
            let read: Vec<_> = records
                .iter()
                .map(|record| (record.line, record.data.as_str(), record.reason.as_str()))
                .collect();
            assert_eq!(read, [(0, "YQ==", "E: m"), (3, "Yg==", "F")]);
            assert_eq!(records[0].failed_at, 7);
        }
        assert!(read(b"PK\x03\x04").is_err());
        Ok(())
    }
}
