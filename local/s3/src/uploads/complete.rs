//! Uploads completed: an object made of the parts that the client names.

use super::stored::{Ended, Known, end_upload, known, part_key, upload_key};
use super::{PARTS, Part};
use crate::bodies::{FilePart, forget_files};
use crate::buckets::Bucket;
use crate::checksums::{Algorithm, Checksum, Coverage, Hasher, composite, composite_etag, verify};
use crate::conditions::WriteConditions;
use crate::errors::{entity_too_large, invalid_request, malformed_xml, no_such_upload};
use crate::version::{Body, Content, Version};
use crate::{DEFAULT_CHECKSUM, S3};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use serde::{Deserialize, Serialize};

/// Of all parts but the last.
const MIN_PART: u64 = 5 * 1024 * 1024;

const MAX_OBJECT: u64 = 5 * 1024 * 1024 * 1024 * 1024;

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
    /// Makes an object of the named parts, which must be as the client claims. An upload that was
    /// completed of the same parts gives the same answer.
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
        let (of, parts_of) = (record.clone(), id.to_owned());
        let known = self.records(move |records| known(records, &of, &parts_of));
        let (upload, all) = match known.await? {
            Some(Known::UnderWay(upload, parts)) => (upload, parts),
            Some(Known::Over(ended)) => {
                return match ended.completed {
                    Some((same, completed)) if same == digest => Ok(completed),
                    _ => Err(no_such_upload()),
                };
            }
            None => return Err(no_such_upload()),
        };
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

    /// The checksum of the whole, of these parts.
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
                self.bodies.checksum(&files, algorithm).await?
            }
        };
        Ok(Some(Checksum {
            algorithm,
            value,
            coverage,
        }))
    }
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
        return Err(malformed_xml());
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
        return Err(entity_too_large());
    }
    Ok(chosen)
}
