//! Uploads in parts. Limits:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.

use super::bodies::{FilePart, Place, Received, forget_files, name_files};
use super::buckets::Bucket;
use super::checksums::{Algorithm, Checksum, Coverage, Hasher, composite, composite_etag, verify};
use super::conditions::WriteConditions;
use super::errors::{invalid_argument, invalid_request, no_such_upload};
use super::version::{Body, Content, Version, objects_prefix, versions_prefix};
use super::{ObjectHeaders, S3};
use crate::error::{AwsError, AwsResult};
use crate::store::{Batch, Store};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const UPLOADS: &str = "s3.upload";
const PARTS: &str = "s3.part";

pub const PART_NUMBERS: RangeInclusive<u32> = 1..=10_000;

/// Of all parts but the last.
const MIN_PART: u64 = 5 * 1024 * 1024;

const MAX_OBJECT: u64 = 5 * 1024 * 1024 * 1024 * 1024;

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
pub struct Part {
    pub number: u32,
    pub etag: String,
    pub checksum: Checksum,
    /// Milliseconds since the Unix epoch.
    pub modified: i64,
    file: FilePart,
}

/// A part as the client names it when it completes the upload.
#[derive(Debug, Clone)]
pub struct NamedPart {
    pub number: u32,
    pub etag: String,
    pub checksum: Option<(Algorithm, String)>,
}

impl Part {
    pub fn size(&self) -> u64 {
        self.file.size
    }
}

impl S3 {
    /// Begins an upload.
    pub async fn begin_upload(
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
            initiated: self.clock.unix_millis(),
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

    /// The upload of this id.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> AwsResult<Upload> {
        let record = upload_key(bucket, key, id);
        let json = self
            .store
            .get(UPLOADS, &record)
            .map_err(AwsError::internal)?;
        let json = json.ok_or_else(no_such_upload)?;
        serde_json::from_slice(&json).map_err(AwsError::internal)
    }

    /// The uploads under way whose key begins with `prefix`, by key and id.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> AwsResult<Vec<Upload>> {
        let records = self.store.scan(UPLOADS, &objects_prefix(bucket, prefix));
        let records = records.map_err(AwsError::internal)?;
        records
            .iter()
            .map(|(_, json)| serde_json::from_slice(json).map_err(AwsError::internal))
            .collect()
    }

    /// The parts that have arrived, by number.
    pub fn parts(&self, upload_id: &str) -> AwsResult<Vec<Part>> {
        let records = self.store.scan(PARTS, &parts_prefix(upload_id));
        parse_parts(records.map_err(AwsError::internal)?)
    }

    /// Adds a part, in place of one of the same number.
    pub async fn put_part(
        &self,
        bucket: &Bucket,
        upload: &Upload,
        number: u32,
        body: Received,
    ) -> AwsResult<Part> {
        if !PART_NUMBERS.contains(&number) {
            return Err(invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        }
        let Place::File(file) = body.place else {
            return Err(AwsError::internal("a part was not received into a file"));
        };
        let state = bucket.state();
        let name = state.settings.name.as_str();
        // In the order of `complete_upload`: the upload, then the bucket.
        let _lock = self.upload_locks.lock(name, &upload.id).await;
        let _open = bucket.open().await?;
        // It may have been completed or aborted while the part arrived.
        self.upload(name, &upload.key, &upload.id)?;
        let record = part_key(&upload.id, number);
        let replaced = self.store.get(PARTS, &record).map_err(AwsError::internal)?;
        let replaced: Option<Part> = replaced
            .map(|json| serde_json::from_slice(&json).map_err(AwsError::internal))
            .transpose()?;

        let part = Part {
            number,
            etag: body.md5,
            checksum: Checksum {
                algorithm: body.algorithm,
                value: body.checksum,
                coverage: Coverage::FullObject,
            },
            modified: self.clock.unix_millis(),
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

    /// Makes an object of the named parts. `sent` is the checksum of the whole, where the
    /// client sent one.
    pub async fn complete_upload(
        &self,
        bucket: &Bucket,
        upload: Upload,
        named: &[NamedPart],
        sent: Option<String>,
        conditions: &WriteConditions,
    ) -> AwsResult<Version> {
        let state = bucket.state();
        let name = state.settings.name.as_str();
        let _lock = self.upload_locks.lock(name, &upload.id).await;
        self.upload(name, &upload.key, &upload.id)?;
        let all = self.parts(&upload.id)?;
        let chosen = choose(&all, named)?;
        let checksum = self.whole_checksum(upload.checksum, &chosen).await?;
        if let (Some(sent), Some(checksum)) = (&sent, &checksum) {
            verify(checksum.algorithm.name(), sent, &checksum.value)?;
        }
        let files: Vec<FilePart> = chosen.iter().map(|part| part.file.clone()).collect();
        let content = Content {
            size: files.iter().map(|file| file.size).sum(),
            etag: composite_etag(chosen.iter().map(|part| part.etag.as_str())),
            headers: upload.headers,
            checksum,
            parts: files.iter().map(|file| file.size).collect(),
            tags: upload.tags,
            body: Body::Files(files.clone()),
        };
        let unused: Vec<FilePart> = all
            .iter()
            .map(|part| part.file.clone())
            .filter(|file| !files.contains(file))
            .collect();
        let finish = |batch: Batch, _| {
            let batch = batch.delete(UPLOADS, &upload_key(name, &upload.key, &upload.id));
            let batch = all.iter().fold(batch, |batch, part| {
                batch.delete(PARTS, &part_key(&upload.id, part.number))
            });
            forget_files(batch, &unused)
        };
        let version = self
            .insert(bucket, &upload.key, Some(content), conditions, finish)
            .await?;
        self.bodies.remove(unused).await;
        Ok(version)
    }

    /// Gives an upload up, with all its parts.
    pub async fn abort_upload(&self, bucket: &str, upload: &Upload) -> AwsResult<()> {
        let _lock = self.upload_locks.lock(bucket, &upload.id).await;
        self.upload(bucket, &upload.key, &upload.id)?;
        let parts = self.parts(&upload.id)?;
        let batch = Batch::new().delete(UPLOADS, &upload_key(bucket, &upload.key, &upload.id));
        self.commit(forget_parts(batch, &upload.id, &parts)).await?;
        self.bodies
            .remove(parts.into_iter().map(|part| part.file))
            .await;
        Ok(())
    }

    async fn whole_checksum(
        &self,
        wanted: Option<(Algorithm, Coverage)>,
        parts: &[&Part],
    ) -> AwsResult<Option<Checksum>> {
        let Some((algorithm, coverage)) = wanted else {
            return Ok(None);
        };
        let value = match coverage {
            Coverage::Composite => {
                let values = parts.iter().map(|part| part.checksum.value.as_str());
                composite(algorithm, values)?
            }
            Coverage::FullObject => {
                let files: Vec<FilePart> = parts.iter().map(|part| part.file.clone()).collect();
                let size = files.iter().map(|file| file.size).sum();
                let bytes = self.bodies.read(&files, 0..size).await;
                let mut bytes = std::pin::pin!(bytes.map_err(AwsError::internal)?);
                let mut hasher = Hasher::new(algorithm);
                while let Some(chunk) = bytes.next().await {
                    hasher.update(&chunk.map_err(AwsError::internal)?);
                }
                hasher.finish()
            }
        };
        Ok(Some(Checksum {
            algorithm,
            value,
            coverage,
        }))
    }
}

/// Takes all uploads of a bucket that is going away out of the store; the next start removes
/// their files.
pub(super) fn forget_all(store: &Store, bucket: &str, mut batch: Batch) -> AwsResult<Batch> {
    let uploads = store.scan(UPLOADS, &objects_prefix(bucket, ""));
    for (record, json) in uploads.map_err(AwsError::internal)? {
        let upload: Upload = serde_json::from_slice(&json).map_err(AwsError::internal)?;
        let parts = store.scan(PARTS, &parts_prefix(&upload.id));
        let parts = parse_parts(parts.map_err(AwsError::internal)?)?;
        batch = forget_parts(batch.delete(UPLOADS, &record), &upload.id, &parts);
    }
    Ok(batch)
}

/// The parts that are named, in order, each as it was uploaded:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
fn choose<'a>(all: &'a [Part], named: &[NamedPart]) -> AwsResult<Vec<&'a Part>> {
    if named.is_empty() {
        return Err(invalid_request("You must specify at least one part"));
    }
    if named
        .windows(2)
        .any(|pair| pair[0].number >= pair[1].number)
    {
        return Err(AwsError::new(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. The parts list must be specified in \
             order by part number.",
        ));
    }
    let mut chosen = Vec::new();
    for name in named {
        let same_checksum = |part: &Part| match &name.checksum {
            Some((algorithm, value)) => {
                part.checksum.algorithm == *algorithm && part.checksum.value == *value
            }
            None => true,
        };
        let part = all
            .iter()
            .find(|part| part.number == name.number)
            .filter(|part| part.etag == name.etag && same_checksum(part));
        chosen.push(part.ok_or_else(|| {
            AwsError::new(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part might not have \
                 been uploaded, or the specified entity tag might not have matched the part's \
                 entity tag.",
            )
        })?);
    }
    let (_, but_last) = chosen.split_last().unzip();
    let but_last: &[&Part] = but_last.unwrap_or_default();
    if but_last.iter().any(|part| part.size() < MIN_PART) {
        return Err(AwsError::new(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed object size.",
        ));
    }
    if chosen.iter().map(|part| part.size()).sum::<u64>() > MAX_OBJECT {
        return Err(super::errors::entity_too_large());
    }
    Ok(chosen)
}

fn forget_parts(batch: Batch, upload_id: &str, parts: &[Part]) -> Batch {
    parts.iter().fold(batch, |batch, part| {
        let batch = batch.delete(PARTS, &part_key(upload_id, part.number));
        forget_files(batch, [&part.file])
    })
}

fn parse_parts(records: Vec<(String, Vec<u8>)>) -> AwsResult<Vec<Part>> {
    records
        .iter()
        .map(|(_, json)| serde_json::from_slice(json).map_err(AwsError::internal))
        .collect()
}

fn upload_key(bucket: &str, key: &str, id: &str) -> String {
    format!("{}{id}", versions_prefix(bucket, key))
}

fn parts_prefix(upload_id: &str) -> String {
    format!("{upload_id}\0")
}

fn part_key(upload_id: &str, number: u32) -> String {
    format!("{upload_id}\0{number:05}")
}
