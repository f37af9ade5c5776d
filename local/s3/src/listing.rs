//! Lists: objects, or all their versions, page by page, keys with a common prefix rolled up.

use super::S3;
use super::errors::invalid_version_id;
use super::records::{null_version, parse};
use super::version::{
    NULL, VERSIONS, Version, after_versions, object_key, objects_prefix, record_key, sequence_of,
};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Snapshot;

/// How many records are read at a time.
const CHUNK: usize = 512;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Begin after this.
    pub after: Option<After>,
    /// How many entries and common prefixes together.
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
#[derive(Debug)]
pub struct Page<T> {
    pub entries: Vec<T>,
    pub common_prefixes: Vec<String>,
    /// Whether there is more than this page.
    pub is_truncated: bool,
    /// Where the next page begins; absent on the last one, and when nothing was to be listed.
    pub next: Option<After>,
}

/// A version in a list.
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
    pub async fn list(&self, bucket: &str, of: Of, query: &Query) -> AwsResult<Page<Entry>> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        self.records(move |records| list(records, &bucket, of, &query))
            .await
    }
}

fn list(records: &Snapshot, bucket: &str, of: Of, query: &Query) -> AwsResult<Page<Entry>> {
    let mut pager = Pager::new(query);
    if query.limit == 0 {
        return Ok(pager.finish());
    }
    let prefix = objects_prefix(bucket, &query.prefix);
    let mut from = start(records, bucket, of, query)?;
    // The key before, whose newer versions have been seen.
    let mut seen = query
        .after
        .as_ref()
        .filter(|after| after.version_id.is_some())
        .map(|after| after.key.clone());
    'chunks: loop {
        let chunk = records.range(VERSIONS, &prefix, &from, CHUNK);
        let chunk = chunk.map_err(AwsError::internal)?;
        let is_end = chunk.len() < CHUNK;
        let last_record = chunk.last().map(|(record, _)| record.clone());
        for (record, json) in chunk {
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
            let common = common_prefix(&key, query);
            if let Some(common) = &common
                && pager.has_listed(common)
            {
                // Skip in the store what goes on beyond this chunk.
                let below = objects_prefix(bucket, common);
                let after = format!("{below}{}", char::MAX);
                let goes_on = last_record.as_ref().is_some_and(|l| l.starts_with(&below));
                if goes_on && record < after {
                    from = after;
                    continue 'chunks;
                }
                continue;
            }
            // A key whose only versions are deleted rolls up to nothing.
            let hides = |version: &Version| of == Of::Objects && version.is_delete_marker();
            let has_room = match common {
                Some(_) if of == Of::Objects && hides(&parse(&json)?) => continue,
                Some(common) => pager.roll_up(common),
                None => {
                    let version = parse(&json)?;
                    if hides(&version) {
                        continue;
                    }
                    let place = After {
                        key: key.clone(),
                        version_id: (of == Of::Versions).then(|| version.id.clone()),
                    };
                    let entry = Entry {
                        key,
                        version,
                        is_latest,
                    };
                    pager.add(entry, place)
                }
            };
            if !has_room {
                return Ok(pager.finish());
            }
        }
        if is_end {
            return Ok(pager.finish());
        }
    }
}

/// The key of the first record that may be in the page.
fn start(records: &Snapshot, bucket: &str, of: Of, query: &Query) -> AwsResult<String> {
    let Some(After { key, version_id }) = &query.after else {
        return Ok(String::new());
    };
    let sequence = match version_id.as_deref() {
        Some(NULL) => null_version(records, bucket, key)?.map(|version| version.sequence),
        Some(id) => Some(sequence_of(id).ok_or_else(invalid_version_id)?),
        None => None,
    };
    Ok(match sequence {
        Some(sequence) if of == Of::Versions => {
            format!("{}\0", record_key(bucket, key, sequence))
        }
        _ => after_versions(bucket, key),
    })
}

/// Fills a page with what it is given, in the order of the list.
pub(crate) struct Pager<'a, T> {
    query: &'a Query,
    page: Page<T>,
    last: Option<After>,
}

impl<'a, T> Pager<'a, T> {
    pub(crate) fn new(query: &'a Query) -> Self {
        Self {
            query,
            page: Page {
                entries: Vec::new(),
                common_prefixes: Vec::new(),
                is_truncated: false,
                next: None,
            },
            last: None,
        }
    }

    /// Adds an entry, unless the page is full; then the list goes on after the last one that is
    /// in it.
    pub(crate) fn add(&mut self, entry: T, place: After) -> bool {
        let has_room = self.take_room(place);
        if has_room {
            self.page.entries.push(entry);
        }
        has_room
    }

    /// Adds a common prefix in the same way.
    fn roll_up(&mut self, common: String) -> bool {
        let has_room = self.take_room(After {
            key: common.clone(),
            version_id: None,
        });
        if has_room {
            self.page.common_prefixes.push(common);
        }
        has_room
    }

    /// Whether a common prefix is in this page already, or was the last thing in the one before.
    fn has_listed(&self, common: &str) -> bool {
        let after = self.query.after.as_ref();
        self.page
            .common_prefixes
            .last()
            .is_some_and(|last| last == common)
            || after.is_some_and(|after| after.key == common)
    }

    pub(crate) fn finish(self) -> Page<T> {
        self.page
    }

    fn take_room(&mut self, place: After) -> bool {
        let listed = self.page.entries.len() + self.page.common_prefixes.len();
        if listed == self.query.limit {
            self.page.is_truncated = true;
            self.page.next = self.last.take();
            return false;
        }
        self.last = Some(place);
        true
    }
}

/// The key up to and with the first delimiter after the prefix.
fn common_prefix(key: &str, query: &Query) -> Option<String> {
    let delimiter = query.delimiter.as_deref().filter(|text| !text.is_empty())?;
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let end = rest.find(delimiter)? + delimiter.len();
    Some(format!("{}{}", query.prefix, &rest[..end]))
}
