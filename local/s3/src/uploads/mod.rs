//! Uploads in parts. Limits:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
//!
//! | module | what lives there |
//! | --- | --- |
//! | here | an upload begun, given parts, given up |
//! | [`complete`] | an object made of the parts |
//! | `stored` | what the store has of uploads, and their lists |

pub(crate) mod complete;
mod stored;

pub(super) use stored::forget_all;

use super::bodies::{FilePart, forget_files, name_files};
use super::buckets::Bucket;
use super::checksums::{Algorithm, Checksum, Coverage};
use super::errors::{invalid_part_number, no_such_upload};
use super::intake::{Place, Received};
use super::records;
use super::{ObjectHeaders, S3};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use stored::{
    ENDED, Ended, Known, PARTS, UPLOADS, end_upload, forget_parts, known, part_key, upload_key,
};

/// How long the end of an upload is remembered, in milliseconds, so that a client that lost the
/// answer gets it again. On AWS, too, a second CompleteMultipartUpload gives the first one's
/// result (<https://github.com/adobe/S3Mock/issues/2586>), and a second AbortMultipartUpload
/// 204 (<https://github.com/minio/minio/issues/2250>), for about a day
/// (<https://github.com/beyondstorage/go-storage/issues/963>).
const REMEMBERED: i64 = 24 * 60 * 60 * 1_000;

pub(crate) const PART_NUMBERS: RangeInclusive<u32> = 1..=10_000;

/// An upload that was begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    pub id: String,
    pub key: String,
    /// Milliseconds since the Unix epoch.
    pub initiated: i64,
    pub headers: ObjectHeaders,
    pub tags: BTreeMap<String, String>,
    /// The checksum of its parts and what the object's covers, where the client said.
    pub checksum: Option<(Algorithm, Coverage)>,
}

/// A part that has arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub number: u32,
    pub etag: String,
    pub checksum: Checksum,
    /// Milliseconds since the Unix epoch.
    pub modified: i64,
    file: FilePart,
}

impl Part {
    pub(crate) fn size(&self) -> u64 {
        self.file.size
    }
}

impl S3 {
    /// Begins an upload.
    pub(crate) async fn begin_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        headers: ObjectHeaders,
        tags: BTreeMap<String, String>,
        checksum: Option<(Algorithm, Coverage)>,
    ) -> AwsResult<Upload> {
        let _open = bucket.open().await?;
        let upload = Upload {
            id: format!(
                "{}{}",
                uuid::Uuid::new_v4().simple(),
                uuid::Uuid::new_v4().simple()
            ),
            key: key.to_owned(),
            initiated: self.context.clock.unix_millis(),
            headers,
            tags,
            checksum,
        };
        let json = serde_json::to_vec(&upload).map_err(AwsError::internal)?;
        let record = upload_key(&bucket.state().settings.name, key, &upload.id);
        self.commit(Batch::new().put(UPLOADS, &record, json))
            .await?;
        Ok(upload)
    }

    /// Adds a part, in place of one of the same number.
    pub(crate) async fn put_part(
        &self,
        bucket: &Bucket,
        upload: &Upload,
        number: u32,
        body: Received,
    ) -> AwsResult<Part> {
        if !PART_NUMBERS.contains(&number) {
            return Err(invalid_part_number());
        }
        let Place::File(file) = body.place else {
            return Err(AwsError::internal("a part was not received into a file"));
        };
        let state = bucket.state();
        let name = state.settings.name.as_str();
        // In the order of `complete_upload`: the upload, then the bucket.
        let _lock = self.upload_locks.lock(name, &upload.id).await;
        let _open = bucket.open().await?;
        let record = part_key(&upload.id, number);
        let (of, same_number) = (upload_key(name, &upload.key, &upload.id), record.clone());
        let replaced: Option<Part> = self
            .look_up(move |records| {
                // It may have been completed or aborted while the part arrived.
                let found: Option<Upload> = records::get(records, UPLOADS, &of)?;
                found.ok_or_else(no_such_upload)?;
                records::get(records, PARTS, &same_number)
            })
            .await?;

        let part = Part {
            number,
            etag: body.md5,
            checksum: Checksum {
                algorithm: body.algorithm,
                value: body.checksum,
                coverage: Coverage::FullObject,
            },
            modified: self.context.clock.unix_millis(),
            file: file.part(),
        };
        let json = serde_json::to_vec(&part).map_err(AwsError::internal)?;
        let mut batch = name_files(Batch::new().put(PARTS, &record, json), [&part.file]);
        if let Some(replaced) = &replaced {
            batch = forget_files(batch, [&replaced.file]);
        }
        self.commit(batch).await?;
        file.keep();
        self.bodies.remove(replaced.map(|part| part.file)).await;
        Ok(part)
    }

    /// Gives an upload up, with all its parts. One that is over already stays as it is.
    pub(crate) async fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> AwsResult<()> {
        let _lock = self.upload_locks.lock(bucket, id).await;
        let record = upload_key(bucket, key, id);
        let (of, parts_of) = (record.clone(), id.to_owned());
        let known = self.records(move |records| known(records, &of, &parts_of));
        let (upload, parts) = match known.await? {
            Some(Known::UnderWay(upload, parts)) => (upload, parts),
            Some(Known::Over(_)) => return Ok(()),
            None => return Err(no_such_upload()),
        };
        let ended = Ended {
            ended: self.context.clock.unix_millis(),
            initiated: upload.initiated,
            completed: None,
        };
        let batch = end_upload(Batch::new(), &record, &ended)?;
        self.commit(forget_parts(batch, id, &parts)).await?;
        self.bodies
            .remove(parts.into_iter().map(|part| part.file))
            .await;
        Ok(())
    }

    /// Forgets the uploads that ended long before `now`, in milliseconds since the Unix epoch.
    pub(super) async fn forget_ended(&self, now: i64) -> AwsResult<()> {
        let records = self.records(|records| records.scan(ENDED, "").map_err(AwsError::internal));
        let records = records.await?;
        let old = records.iter().filter(|(_, json)| {
            // One that cannot be read is of no use.
            serde_json::from_slice::<Ended>(json)
                .map_or(true, |ended| ended.ended.saturating_add(REMEMBERED) <= now)
        });
        let batch = old.fold(Batch::new(), |batch, (record, _)| {
            batch.delete(ENDED, record)
        });
        match batch.is_empty() {
            true => Ok(()),
            false => self.commit(batch).await,
        }
    }
}
