//! Uploads in parts. Limits:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.

use super::bodies::{FilePart, Place, Received, forget_files, name_files};
use super::buckets::Bucket;
use super::checksums::{Algorithm, Checksum, Coverage, Hasher, composite, composite_etag, verify};
use super::conditions::WriteConditions;
use super::errors::{invalid_part_number, invalid_request, no_such_upload};
use super::version::{Body, Content, Version, objects_prefix, versions_prefix};
use super::{DEFAULT_CHECKSUM, ObjectHeaders, S3};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Store};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const UPLOADS: &str = "s3.upload";
const PARTS: &str = "s3.part";

/// The table of uploads that were completed or aborted of late.
const ENDED: &str = "s3.ended";

/// How long the end of an upload is remembered, in milliseconds, so that a client that lost the
/// answer gets it again. On AWS, too, a second CompleteMultipartUpload gives the first one's
/// result (<https://github.com/adobe/S3Mock/issues/2586>), and a second AbortMultipartUpload
/// 204 (<https://github.com/minio/minio/issues/2250>), for about a day
/// (<https://github.com/beyondstorage/go-storage/issues/963>).
const REMEMBERED: i64 = 24 * 60 * 60 * 1_000;

pub(crate) const PART_NUMBERS: RangeInclusive<u32> = 1..=10_000;

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
pub(crate) struct NamedPart {
    pub number: u32,
    pub etag: String,
    pub checksum: Option<(Algorithm, String)>,
}

/// What became of a completed upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Completed {
    pub version_id: String,
    /// Without the quotes.
    pub etag: String,
    pub checksum: Option<Checksum>,
}

/// An upload that is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ended {
    /// Milliseconds since the Unix epoch.
    ended: i64,
    /// The same.
    initiated: i64,
    /// The digest of the parts that were named, and the answer; absent when it was aborted.
    completed: Option<(String, Completed)>,
}

impl Part {
    pub fn size(&self) -> u64 {
        self.file.size
    }
}

/// What a client says of an object that it completes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    /// Of the whole object.
    pub checksum: Option<(Algorithm, String)>,
    /// `FULL_OBJECT` or `COMPOSITE`.
    pub coverage: Option<String>,
    /// In bytes.
    pub size: Option<i64>,
}

impl Claimed {
    /// The checksum that the object gets, of an upload that was `begun` with one or without. Of
    /// one without it is the default's.
    fn settle(
        &self,
        begun: Option<(Algorithm, Coverage)>,
    ) -> AwsResult<Option<(Algorithm, Coverage)>> {
        let sent = self.checksum.as_ref().map(|(algorithm, _)| *algorithm);
        let coverage = self.coverage.as_deref();
        let is_default = begun.is_none() && sent == Some(DEFAULT_CHECKSUM);
        let checksum = match is_default {
            true => Some((DEFAULT_CHECKSUM, Coverage::FullObject)),
            false => begun,
        };
        if let Some(sent) = sent
            && checksum.is_none_or(|(algorithm, _)| algorithm != sent)
        {
            return Err(invalid_request(format!(
                "The upload was not begun with the checksum algorithm {}.",
                sent.name()
            )));
        }
        // Without one, the default's covers the whole object.
        let covered = checksum.map_or(Coverage::FullObject, |(_, coverage)| coverage);
        if coverage.is_some_and(|coverage| coverage != coverage_text(covered)) {
            return Err(AwsError::new(
                400,
                "BadDigest",
                "The checksum type you specified is not the one that the upload was begun with.",
            ));
        }
        Ok(checksum)
    }

    fn check_size(&self, parts: &[&Part]) -> AwsResult<()> {
        let size: u64 = parts.iter().map(|part| part.size()).sum();
        match self.size {
            Some(claimed) if u64::try_from(claimed) != Ok(size) => Err(invalid_request(
                "The x-amz-mp-object-size header is not the sum of the sizes of the parts.",
            )),
            _ => Ok(()),
        }
    }
}

/// How S3 calls a coverage.
pub(crate) fn coverage_text(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::FullObject => "FULL_OBJECT",
        Coverage::Composite => "COMPOSITE",
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

    /// The upload of this id.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> AwsResult<Upload> {
        self.find_upload(&upload_key(bucket, key, id))?
            .ok_or_else(no_such_upload)
    }

    /// The uploads under way whose key begins with `prefix`, by key and id.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> AwsResult<Vec<Upload>> {
        self.each_upload(bucket, prefix)?.into_iter().collect()
    }

    /// The same, where one that cannot be read is an error of its own.
    pub(super) fn each_upload(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> AwsResult<Vec<AwsResult<Upload>>> {
        let records = self
            .context
            .store
            .scan(UPLOADS, &objects_prefix(bucket, prefix));
        let records = records.map_err(AwsError::internal)?;
        let parse = |(_, json): &(String, Vec<u8>)| {
            serde_json::from_slice(json).map_err(AwsError::internal)
        };
        Ok(records.iter().map(parse).collect())
    }

    /// The parts that have arrived, by number.
    pub fn parts(&self, upload_id: &str) -> AwsResult<Vec<Part>> {
        let records = self.context.store.scan(PARTS, &parts_prefix(upload_id));
        parse_parts(records.map_err(AwsError::internal)?)
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
        // It may have been completed or aborted while the part arrived.
        self.upload(name, &upload.key, &upload.id)?;
        let record = part_key(&upload.id, number);
        let replaced = self
            .context
            .store
            .get(PARTS, &record)
            .map_err(AwsError::internal)?;
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

    /// Makes an object of the named parts, which must be as the client claims. An upload that was completed of the same parts gives the same answer.
    pub(crate) async fn complete_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        named: &[NamedPart],
        claimed: &Claimed,
        conditions: &WriteConditions,
    ) -> AwsResult<Completed> {
        let state = bucket.state();
        let name = state.settings.name.as_str();
        let _lock = self.upload_locks.lock(name, id).await;
        let record = upload_key(name, key, id);
        let digest = digest_of(named);
        let Some(upload) = self.find_upload(&record)? else {
            let ended = self.ended(&record)?;
            return match ended.and_then(|ended| ended.completed) {
                Some((same, completed)) if same == digest => Ok(completed),
                _ => Err(no_such_upload()),
            };
        };
        let all = self.parts(id)?;
        let chosen = choose(&all, named)?;
        claimed.check_size(&chosen)?;
        let checksum = claimed.settle(upload.checksum)?;
        let checksum = self.whole_checksum(checksum, &chosen).await?;
        if let (Some((_, sent)), Some(checksum)) = (&claimed.checksum, &checksum) {
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
        let (etag, checksum) = (content.etag.clone(), content.checksum.clone());
        let completed = |version: &Version| Completed {
            version_id: version.id.clone(),
            etag,
            checksum,
        };
        let mut answer = None;
        let finish = |batch: Batch, version: &Version| {
            let completed = completed(version);
            let ended = Ended {
                ended: version.modified,
                initiated: upload.initiated,
                completed: Some((digest, completed.clone())),
            };
            answer = Some(completed);
            let batch = end_upload(batch, &record, &ended)?;
            let batch = all.iter().fold(batch, |batch, part| {
                batch.delete(PARTS, &part_key(id, part.number))
            });
            Ok(forget_files(batch, &unused))
        };
        self.insert(bucket, key, Some(content), conditions, finish)
            .await?;
        self.bodies.remove(unused).await;
        answer.ok_or_else(|| AwsError::internal("an upload was completed without an answer"))
    }

    /// Gives an upload up, with all its parts. One that is over already stays as it is.
    pub(crate) async fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> AwsResult<()> {
        let _lock = self.upload_locks.lock(bucket, id).await;
        let record = upload_key(bucket, key, id);
        let Some(upload) = self.find_upload(&record)? else {
            return match self.ended(&record)? {
                Some(_) => Ok(()),
                None => Err(no_such_upload()),
            };
        };
        let parts = self.parts(id)?;
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

    /// When an upload was begun that is under way or ended of late, in milliseconds since the
    /// Unix epoch.
    pub(crate) fn upload_initiated(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> AwsResult<Option<i64>> {
        let record = upload_key(bucket, key, id);
        Ok(match self.find_upload(&record)? {
            Some(upload) => Some(upload.initiated),
            None => self.ended(&record)?.map(|ended| ended.initiated),
        })
    }

    /// Forgets the uploads that ended long before `now`, in milliseconds since the Unix epoch.
    pub(super) async fn forget_ended(&self, now: i64) -> AwsResult<()> {
        let records = self
            .context
            .store
            .scan(ENDED, "")
            .map_err(AwsError::internal)?;
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

    fn find_upload(&self, record: &str) -> AwsResult<Option<Upload>> {
        let json = self
            .context
            .store
            .get(UPLOADS, record)
            .map_err(AwsError::internal)?;
        let parse = |json: Vec<u8>| serde_json::from_slice(&json).map_err(AwsError::internal);
        json.map(parse).transpose()
    }

    fn ended(&self, record: &str) -> AwsResult<Option<Ended>> {
        let json = self
            .context
            .store
            .get(ENDED, record)
            .map_err(AwsError::internal)?;
        let parse = |json: Vec<u8>| serde_json::from_slice(&json).map_err(AwsError::internal);
        json.map(parse).transpose()
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
    let ended = store.scan(ENDED, &objects_prefix(bucket, ""));
    for (record, _) in ended.map_err(AwsError::internal)? {
        batch = batch.delete(ENDED, &record);
    }
    Ok(batch)
}

fn end_upload(batch: Batch, record: &str, ended: &Ended) -> AwsResult<Batch> {
    let json = serde_json::to_vec(ended).map_err(AwsError::internal)?;
    Ok(batch.delete(UPLOADS, record).put(ENDED, record, json))
}

/// What tells one choice of parts from another.
fn digest_of(named: &[NamedPart]) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for part in named {
        hasher.update(format!("{} {}\n", part.number, part.etag).as_bytes());
    }
    hasher.finish()
}

/// The parts that are named, in order, each as it was uploaded:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
fn choose<'a>(all: &'a [Part], named: &[NamedPart]) -> AwsResult<Vec<&'a Part>> {
    if named.is_empty() {
        // As S3 was seen to say: https://github.com/ceph/s3-tests, test_multipart_upload_empty.
        return Err(super::errors::malformed_xml());
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
