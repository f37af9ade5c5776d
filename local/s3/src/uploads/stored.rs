//! What the store has of uploads, and the lists of uploads and parts.

use super::complete::Completed;
use super::{Part, Upload};
use crate::S3;
use crate::bodies::forget_files;
use crate::errors::{invalid_argument, no_such_upload};
use crate::listing::{After, Page, Pager, Query};
use crate::records;
use crate::version::{objects_prefix, versions_prefix};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Snapshot};
use serde::{Deserialize, Serialize};

pub(super) const UPLOADS: &str = "s3.upload";
pub(super) const PARTS: &str = "s3.part";

/// The table of uploads that were completed or aborted in the last day.
pub(super) const ENDED: &str = "s3.ended";

/// An upload that is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Milliseconds since the Unix epoch.
    pub(super) ended: i64,
    /// The same.
    pub(super) initiated: i64,
    /// The digest of the parts that were named, and the answer; absent when it was aborted.
    pub(super) completed: Option<(String, Completed)>,
}

/// An upload that the store knows.
pub(super) enum Known {
    UnderWay(Upload, Vec<Part>),
    Over(Ended),
}

/// Some parts of an upload.
pub(crate) struct PartsPage {
    pub upload: Upload,
    /// By number.
    pub parts: Vec<Part>,
    pub is_truncated: bool,
}

impl S3 {
    /// The upload of this id.
    pub async fn upload(&self, bucket: &str, key: &str, id: &str) -> AwsResult<Upload> {
        let record = upload_key(bucket, key, id);
        let found = self.look_up(move |records| records::get(records, UPLOADS, &record));
        found.await?.ok_or_else(no_such_upload)
    }

    /// The uploads under way whose key begins with `prefix`, by key and id.
    pub async fn uploads(&self, bucket: &str, prefix: &str) -> AwsResult<Vec<Upload>> {
        let prefix = objects_prefix(bucket, prefix);
        self.records(move |records| records::scan(records, UPLOADS, &prefix))
            .await
    }

    /// All uploads under way, where one that cannot be read is an error of its own.
    pub(crate) async fn each_upload(&self, bucket: &str) -> AwsResult<Vec<AwsResult<Upload>>> {
        let prefix = objects_prefix(bucket, "");
        self.records(move |records| {
            let found = records.scan(UPLOADS, &prefix).map_err(AwsError::internal)?;
            Ok(found.iter().map(|(_, json)| records::parse(json)).collect())
        })
        .await
    }

    /// Lists the uploads under way, by key; those of one key by when they were begun. The list
    /// begins after a key, or after one upload of it.
    pub(crate) async fn list_uploads(
        &self,
        bucket: &str,
        query: &Query,
    ) -> AwsResult<Page<Upload>> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        self.records(move |records| list(records, &bucket, &query))
            .await
    }

    /// Lists the parts that have arrived, from the number `after` on.
    pub(crate) async fn list_parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        after: u32,
        limit: usize,
    ) -> AwsResult<PartsPage> {
        let (record, prefix) = (upload_key(bucket, key, id), parts_prefix(id));
        self.records(move |records| {
            let upload: Option<Upload> = records::get(records, UPLOADS, &record)?;
            let upload = upload.ok_or_else(no_such_upload)?;
            let mut parts: Vec<Part> = records::scan(records, PARTS, &prefix)?;
            parts.retain(|part| part.number > after);
            let is_truncated = parts.len() > limit;
            parts.truncate(limit);
            Ok(PartsPage {
                upload,
                parts,
                is_truncated,
            })
        })
        .await
    }
}

fn list(records: &Snapshot, bucket: &str, query: &Query) -> AwsResult<Page<Upload>> {
    let prefix = objects_prefix(bucket, &query.prefix);
    let mut all: Vec<Upload> = records::scan(records, UPLOADS, &prefix)?;
    all.sort_by(|a, b| place(a).cmp(&place(b)));
    let mut pager = Pager::new(query);
    let marked = match &query.after {
        Some(After {
            key,
            version_id: Some(id),
        }) => {
            // One that was never given out is refused:
            // https://github.com/versity/versitygw/issues/1797
            let initiated = initiated(records, &upload_key(bucket, key, id))?;
            let initiated = initiated.ok_or_else(|| invalid_argument("Invalid uploadId marker"))?;
            Some((key.as_str(), initiated, id.as_str()))
        }
        _ => None,
    };
    let after = query.after.as_ref();
    for upload in all {
        let is_listed = match (marked, after) {
            (Some(marked), _) => place(&upload) <= marked,
            (None, Some(after)) => upload.key <= after.key,
            (None, None) => false,
        };
        let place = After {
            key: upload.key.clone(),
            version_id: Some(upload.id.clone()),
        };
        if !is_listed && !pager.add(upload, place) {
            break;
        }
    }
    Ok(pager.finish())
}

/// What uploads are sorted by.
fn place(upload: &Upload) -> (&str, i64, &str) {
    (&upload.key, upload.initiated, &upload.id)
}

/// When an upload was begun, in milliseconds since the Unix epoch; absent when it ended long ago or
/// never was.
fn initiated(records: &Snapshot, record: &str) -> AwsResult<Option<i64>> {
    let upload: Option<Upload> = records::get(records, UPLOADS, record)?;
    Ok(match upload {
        Some(upload) => Some(upload.initiated),
        None => ended(records, record)?.map(|ended| ended.initiated),
    })
}

/// The upload of a record and id.
pub(super) fn known(records: &Snapshot, record: &str, id: &str) -> AwsResult<Option<Known>> {
    Ok(match records::get(records, UPLOADS, record)? {
        Some(upload) => {
            let parts = records::scan(records, PARTS, &parts_prefix(id))?;
            Some(Known::UnderWay(upload, parts))
        }
        None => ended(records, record)?.map(Known::Over),
    })
}

fn ended(records: &Snapshot, record: &str) -> AwsResult<Option<Ended>> {
    records::get(records, ENDED, record)
}

/// Takes all uploads of a bucket that is going away out of the store; the next start removes
/// their files.
pub(crate) fn forget_all(records: &Snapshot, bucket: &str, mut batch: Batch) -> AwsResult<Batch> {
    let prefix = objects_prefix(bucket, "");
    let uploads = records.scan(UPLOADS, &prefix);
    for (record, json) in uploads.map_err(AwsError::internal)? {
        let upload: Upload = records::parse(&json)?;
        let parts: Vec<Part> = records::scan(records, PARTS, &parts_prefix(&upload.id))?;
        batch = forget_parts(batch.delete(UPLOADS, &record), &upload.id, &parts);
    }
    let ended = records.scan(ENDED, &prefix);
    for (record, _) in ended.map_err(AwsError::internal)? {
        batch = batch.delete(ENDED, &record);
    }
    Ok(batch)
}

pub(super) fn end_upload(batch: Batch, record: &str, ended: &Ended) -> AwsResult<Batch> {
    let json = serde_json::to_vec(ended).map_err(AwsError::internal)?;
    Ok(batch.delete(UPLOADS, record).put(ENDED, record, json))
}

pub(super) fn forget_parts(batch: Batch, upload_id: &str, parts: &[Part]) -> Batch {
    parts.iter().fold(batch, |batch, part| {
        let batch = batch.delete(PARTS, &part_key(upload_id, part.number));
        forget_files(batch, [&part.file])
    })
}

pub(super) fn upload_key(bucket: &str, key: &str, id: &str) -> String {
    format!("{}{id}", versions_prefix(bucket, key))
}

fn parts_prefix(upload_id: &str) -> String {
    format!("{upload_id}\0")
}

pub(super) fn part_key(upload_id: &str, number: u32) -> String {
    format!("{upload_id}\0{number:05}")
}
