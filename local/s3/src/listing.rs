//! Lists: objects, or all their versions, page by page, keys with a common prefix rolled up.

use super::S3;
use super::errors::invalid_version_id;
use super::objects::parse;
use super::version::{
    NULL, VERSIONS, Version, behind_versions, object_key, objects_prefix, record_key, sequence_of,
};
use cloud_core::error::{AwsError, AwsResult};

/// How many records are read at a time.
const CHUNK: usize = 512;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Begin after this.
    pub after: Option<After>,
    /// How many objects, versions and common prefixes together.
    pub limit: usize,
}

/// The last thing that was listed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// A key or a common prefix.
    pub key: String,
    /// A version of the key.
    pub version_id: Option<String>,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    pub common_prefixes: Vec<String>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<After>,
}

#[derive(Debug)]
pub struct Entry {
    pub key: String,
    pub version: Version,
    pub is_latest: bool,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The latest versions, unless they are delete markers.
    Objects,
    /// All versions and delete markers.
    Versions,
}

impl S3 {
    /// Lists a bucket, in the order of the keys' bytes; versions newest first.
    pub fn list(&self, bucket: &str, of: Of, query: &Query) -> AwsResult<Page> {
        let mut page = Page::default();
        if query.limit == 0 {
            return Ok(page);
        }
        let prefix = objects_prefix(bucket, &query.prefix);
        let mut from = self.start(bucket, of, query)?;
        // The key before, whose newer versions have been seen.
        let mut seen = query
            .after
            .as_ref()
            .filter(|after| after.version_id.is_some())
            .map(|after| after.key.clone());
        let mut last: Option<After> = None;
        'chunks: loop {
            let records = self
                .context
                .store
                .range(VERSIONS, &prefix, &from, CHUNK)
                .map_err(AwsError::internal)?;
            let is_end = records.len() < CHUNK;
            let last_record = records.last().map(|(record, _)| record.clone());
            for (record, json) in records {
                // The least key after this one.
                from = format!("{record}\0");
                let Some(key) = object_key(&record) else {
                    continue;
                };
                let is_latest = seen.as_ref() != Some(&key);
                seen = Some(key.clone());
                if of == Of::Objects && !is_latest {
                    continue;
                }
                if let Some(common) = common_prefix(&key, query) {
                    if page.common_prefixes.last() == Some(&common)
                        || query
                            .after
                            .as_ref()
                            .is_some_and(|after| after.key == common)
                    {
                        // Skip in the store what goes on beyond this chunk.
                        let below = objects_prefix(bucket, &common);
                        let behind = format!("{below}{}", char::MAX);
                        let goes_on = last_record.as_ref().is_some_and(|l| l.starts_with(&below));
                        if goes_on && record < behind {
                            from = behind;
                            continue 'chunks;
                        }
                        continue;
                    }
                    // A key whose only versions are deleted rolls up to nothing.
                    if of == Of::Objects && parse(&json)?.is_delete_marker() {
                        continue;
                    }
                    if page.len() == query.limit {
                        page.next = last;
                        return Ok(page);
                    }
                    last = Some(After {
                        key: common.clone(),
                        version_id: None,
                    });
                    page.common_prefixes.push(common);
                    continue;
                }
                let version = parse(&json)?;
                if of == Of::Objects && version.is_delete_marker() {
                    continue;
                }
                if page.len() == query.limit {
                    page.next = last;
                    return Ok(page);
                }
                last = Some(After {
                    key: key.clone(),
                    version_id: (of == Of::Versions).then(|| version.id.clone()),
                });
                page.entries.push(Entry {
                    key,
                    version,
                    is_latest,
                });
            }
            if is_end {
                return Ok(page);
            }
        }
    }

    fn start(&self, bucket: &str, of: Of, query: &Query) -> AwsResult<String> {
        let Some(After { key, version_id }) = &query.after else {
            return Ok(String::new());
        };
        let sequence = match version_id.as_deref() {
            Some(NULL) => self
                .null_version(bucket, key)?
                .map(|version| version.sequence),
            Some(id) => Some(sequence_of(id).ok_or_else(invalid_version_id)?),
            None => None,
        };
        Ok(match sequence {
            Some(sequence) if of == Of::Versions => {
                format!("{}\0", record_key(bucket, key, sequence))
            }
            _ => behind_versions(bucket, key),
        })
    }
}

impl Page {
    fn len(&self) -> usize {
        self.entries.len() + self.common_prefixes.len()
    }
}

/// The key up to and with the first delimiter after the prefix.
fn common_prefix(key: &str, query: &Query) -> Option<String> {
    let delimiter = query.delimiter.as_deref().filter(|text| !text.is_empty())?;
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let end = rest.find(delimiter)? + delimiter.len();
    Some(format!("{}{}", query.prefix, &rest[..end]))
}
