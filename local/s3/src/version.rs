//! One version of an object, as it is stored, and the keys that versions are stored under.
//!
//! A record's key is bucket, object key and the complement of a sequence number: all versions
//! of an object are together, the newest first, and objects are in the order of S3's lists.

use super::ObjectHeaders;
use super::bodies::FilePart;
use super::checksums::Checksum;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The table of versions.
pub(crate) const VERSIONS: &str = "s3.version";

/// The table of small bodies, by sequence number.
pub(crate) const BODIES: &str = "s3.body";

/// The id of a version that was written while the bucket's versioning was not enabled.
pub(crate) const NULL: &str = "null";

/// A version of an object, or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    pub id: String,
    pub sequence: u64,
    /// Milliseconds since the Unix epoch.
    pub modified: i64,
    /// Absent in a delete marker.
    pub content: Option<Content>,
}

/// What a version that is no delete marker holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Content {
    pub size: u64,
    /// Without the quotes.
    pub etag: String,
    #[serde(default, skip_serializing_if = "ObjectHeaders::is_empty")]
    pub headers: ObjectHeaders,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The sizes of the parts it was uploaded in; empty when it was uploaded at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    pub body: Body,
}

/// Where a body is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Body {
    /// In the table of small bodies, under the version's sequence number.
    Record,
    /// In files, one after the other.
    Files(Vec<FilePart>),
}

impl Version {
    pub(crate) fn is_delete_marker(&self) -> bool {
        self.content.is_none()
    }

    pub fn last_modified(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.modified) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// A new version's id: its sequence number, so that it is found again, and something that
/// nobody can guess.
pub(crate) fn new_id(sequence: u64) -> String {
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    format!("{sequence:016x}{random:016x}")
}

/// The sequence number in a version's id; absent when no id has that form.
pub(crate) fn sequence_of(id: &str) -> Option<u64> {
    match id.get(..16) {
        Some(sequence) if id.len() == 32 => u64::from_str_radix(sequence, 16).ok(),
        _ => None,
    }
}

/// The key of a version's record.
pub(crate) fn record_key(bucket: &str, key: &str, sequence: u64) -> String {
    format!("{}{:016x}", versions_prefix(bucket, key), !sequence)
}

/// The key of a small body.
pub(crate) fn body_key(sequence: u64) -> String {
    format!("{sequence:016x}")
}

/// What the keys of all versions of an object begin with.
pub(crate) fn versions_prefix(bucket: &str, key: &str) -> String {
    format!("{bucket}\0{}\0", escape(key))
}

/// Where the records begin that come after all versions of an object.
pub(crate) fn after_versions(bucket: &str, key: &str) -> String {
    // Complements are written in hexadecimal digits, the last of which is f.
    format!("{}g", versions_prefix(bucket, key))
}

/// What the keys of all objects begin with whose key begins with `prefix`.
pub(crate) fn objects_prefix(bucket: &str, prefix: &str) -> String {
    format!("{bucket}\0{}", escape(prefix))
}

/// The object's key in a record's key.
pub(crate) fn object_key(record_key: &str) -> Option<String> {
    let (_, rest) = record_key.split_once('\0')?;
    let (key, _) = rest.rsplit_once('\0')?;
    Some(unescape(key))
}

/// Keys may hold the separator; escaped, they still sort as they did.
fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['\0', '\u{1}']) {
        let escaped = key.replace('\u{1}', "\u{1}\u{2}");
        Cow::Owned(escaped.replace('\0', "\u{1}\u{1}"))
    } else {
        Cow::Borrowed(key)
    }
}

fn unescape(key: &str) -> String {
    if !key.contains('\u{1}') {
        return key.to_owned();
    }
    key.replace("\u{1}\u{1}", "\0")
        .replace("\u{1}\u{2}", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_sort_like_keys_and_newest_first() {
        let keys = [
            "a",
            "a\0",
            "a\0b",
            "a\u{1}",
            "a\u{1}\u{2}",
            "a b",
            "a/",
            "b",
            "é",
            "\u{10ffff}",
        ];
        let mut records = Vec::new();
        for key in keys {
            records.push((record_key("bucket", key, 2), key));
            records.push((record_key("bucket", key, 1), key));
        }
        let mut sorted = records.clone();
        sorted.sort();
        assert_eq!(sorted, records);
        for (record, key) in records {
            assert_eq!(object_key(&record).as_deref(), Some(key));
            assert!(record < after_versions("bucket", key));
        }
    }

    #[test]
    fn a_versions_id_leads_back_to_its_record() {
        let id = new_id(42);
        assert_eq!(sequence_of(&id), Some(42));
        for wrong in ["", "null", "42", "zz", &id[..31], &format!("g{}", &id[1..])] {
            assert_eq!(sequence_of(wrong), None, "{wrong}");
        }
    }
}
