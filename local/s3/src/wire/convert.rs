//! Between the protocol's shapes and the service's.

use crate::checksums::{Algorithm, Checksum, Coverage};
use crate::errors::{access_denied, invalid_argument, invalid_request};
use crate::names::key_fits;
use crate::paths;
use crate::version::Version;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::Caller;
use s3s::S3Request;
use s3s::dto::{
    ChecksumType, ETag, Metadata, Owner, ServerSideEncryption, Tag, TagSet, Timestamp,
    TimestampFormat,
};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The account's canonical user id: 64 hexadecimal digits, as S3 has them.
const CANONICAL_USER_ID: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MAX_METADATA: usize = 2 * 1024;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
const MAX_OBJECT_TAGS: usize = 10;
const MAX_TAG_KEY: usize = 128;
const MAX_TAG_VALUE: usize = 256;

/// What objects are encrypted with when nothing else is said, which is all there is here.
pub(super) fn encryption() -> Option<ServerSideEncryption> {
    Some(ServerSideEncryption::from_static(
        ServerSideEncryption::AES256,
    ))
}

/// Who sent the request: a signature that was verified is the account's.
pub(super) fn caller<T>(request: &S3Request<T>) -> Caller {
    match request.credentials {
        Some(_) => Caller::Account,
        None => Caller::Anonymous,
    }
}

/// Refuses a request that expects the bucket of another account, or of none that there can be:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>.
pub(super) fn check_owner(expected: Option<&str>) -> AwsResult<()> {
    let is_account = |owner: &str| owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
    match expected {
        None | Some(ACCOUNT_ID) => Ok(()),
        Some(owner) if is_account(owner) => Err(access_denied()),
        Some(_) => Err(AwsError::new(
            400,
            "InvalidBucketOwnerAWSAccountID",
            "The value of the expected bucket owner parameter must be an AWS account ID",
        )),
    }
}

/// Refuses keys that S3 refuses.
pub(super) fn check_key(key: &str) -> AwsResult<()> {
    if key_fits(key) {
        return Ok(());
    }
    Err(crate::errors::key_too_long())
}

pub(super) fn owner() -> Owner {
    Owner {
        display_name: None,
        id: Some(CANONICAL_USER_ID.to_owned()),
    }
}

pub(super) fn etag(value: &str) -> Option<ETag> {
    Some(ETag::Strong(value.to_owned()))
}

pub(super) fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp::from(time)
}

/// As in HTTP's headers.
pub(super) fn http_date(timestamp: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    timestamp
        .format(TimestampFormat::HttpDate, &mut text)
        .ok()?;
    String::from_utf8(text).ok()
}

pub(super) fn millis(milliseconds: i64) -> Timestamp {
    let nanos = i128::from(milliseconds) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .into()
}

/// Sizes never reach the limit of what the protocol can say.
pub(super) fn length(size: u64) -> Option<i64> {
    i64::try_from(size).ok()
}

/// The id that a client sees, in a bucket that has versions.
pub(super) fn version_id(version: &Version, shows_versions: bool) -> Option<String> {
    shows_versions.then(|| version.id.clone())
}

/// How many entries of a list were asked for: at most a thousand are given. `name` is how S3
/// calls the parameter when it refuses a number (<https://github.com/versity/versitygw/issues/1804>).
pub(super) fn list_limit(name: &str, asked: Option<i32>) -> AwsResult<(usize, i32)> {
    const MAX: i32 = 1_000;
    let limit = asked.unwrap_or(MAX);
    match usize::try_from(limit.min(MAX)) {
        Ok(count) => Ok((count, limit.min(MAX))),
        Err(_) => Err(out_of_range(name)),
    }
}

/// A number that is below zero; the parameters of lists have 31 bits.
pub(super) fn out_of_range(name: &str) -> AwsError {
    invalid_argument(format!(
        "Argument {name} must be an integer between 0 and 2147483647"
    ))
}

pub(super) fn metadata(metadata: Option<Metadata>) -> AwsResult<BTreeMap<String, String>> {
    let metadata: BTreeMap<String, String> = metadata.unwrap_or_default().into_iter().collect();
    let size: usize = metadata.iter().map(|(k, v)| k.len() + v.len()).sum();
    if size > MAX_METADATA {
        return Err(AwsError::new(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(metadata)
}

/// The header `x-amz-tagging`: tags as URL query parameters.
pub(super) fn tagging_header(header: Option<&str>) -> AwsResult<BTreeMap<String, String>> {
    let pairs = header
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let mut tags = Vec::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        tags.push((decode(key)?, decode(value)?));
    }
    checked_tags(tags, MAX_OBJECT_TAGS)
}

pub(super) fn object_tags(tags: TagSet) -> AwsResult<BTreeMap<String, String>> {
    checked_tags(pairs(tags), MAX_OBJECT_TAGS)
}

/// A bucket may have 50:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>.
pub(super) fn bucket_tags(tags: TagSet) -> AwsResult<BTreeMap<String, String>> {
    checked_tags(pairs(tags), 50)
}

pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> TagSet {
    tags.iter()
        .map(|(key, value)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        })
        .collect()
}

fn pairs(tags: TagSet) -> Vec<(String, String)> {
    tags.into_iter()
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect()
}

fn checked_tags(pairs: Vec<(String, String)>, max: usize) -> AwsResult<BTreeMap<String, String>> {
    if pairs.len() > max {
        return Err(AwsError::new(
            400,
            "BadRequest",
            format!("Object tags cannot be greater than {max}"),
        ));
    }
    let invalid = |message| AwsError::new(400, "InvalidTag", message);
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if !(1..=MAX_TAG_KEY).contains(&key.chars().count()) || !key.chars().all(in_tags) {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > MAX_TAG_VALUE || !value.chars().all(in_tags) {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

/// What tags may hold: letters, digits, spaces and a few signs, of any script:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>, to
/// which S3's pages lead. The prefix `aws:` is reserved there too.
fn in_tags(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "+-=._:/@".contains(character)
}

/// Percent-encodes all but what S3 leaves alone in a list with `encoding-type=url`.
pub(super) fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/*".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode(text: &str) -> AwsResult<String> {
    // As in a path, a plus is a space.
    paths::decode(text).map_err(|_| not_encoded())
}

fn not_encoded() -> AwsError {
    invalid_argument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    )
}

/// A checksum that a client sent: in a header, or announced for the end of the body.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub algorithm: Algorithm,
    /// Absent while it is still to come.
    pub value: Option<String>,
}

/// The values of an input's five checksum fields.
macro_rules! checksum_fields {
    ($input:expr) => {
        [
            (Algorithm::Crc32, $input.checksum_crc32.clone()),
            (Algorithm::Crc32c, $input.checksum_crc32c.clone()),
            (Algorithm::Crc64Nvme, $input.checksum_crc64nvme.clone()),
            (Algorithm::Sha1, $input.checksum_sha1.clone()),
            (Algorithm::Sha256, $input.checksum_sha256.clone()),
        ]
    };
}
pub(super) use checksum_fields;

/// Sets the field of an output that belongs to a checksum.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                Algorithm::Crc32 => $output.checksum_crc32 = value,
                Algorithm::Crc32c => $output.checksum_crc32c = value,
                Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                Algorithm::Sha1 => $output.checksum_sha1 = value,
                Algorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}
pub(super) use set_checksum;

pub(super) fn checksum_type(checksum: Option<&Checksum>) -> Option<ChecksumType> {
    checksum.map(|checksum| {
        ChecksumType::from_static(match checksum.coverage {
            Coverage::FullObject => ChecksumType::FULL_OBJECT,
            Coverage::Composite => ChecksumType::COMPOSITE,
        })
    })
}

/// The checksum that a request carries, from its fields or from the trailer it announces.
pub(super) fn sent_checksum<T>(
    request: &S3Request<T>,
    fields: [(Algorithm, Option<String>); 5],
) -> AwsResult<Option<Sent>> {
    let mut sent = fields
        .into_iter()
        .filter_map(|(algorithm, value)| value.map(|value| (algorithm, value)));
    if let Some((algorithm, value)) = sent.next() {
        if sent.next().is_some() {
            return Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        return Ok(Some(Sent {
            algorithm,
            value: Some(value),
        }));
    }
    let trailers = request
        .headers
        .get("x-amz-trailer")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Ok(Algorithm::ALL
        .into_iter()
        .find(|algorithm| {
            trailers
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(algorithm.header()))
        })
        .map(|algorithm| Sent {
            algorithm,
            value: None,
        }))
}

impl Sent {
    /// The value, once the body has been read.
    pub(super) fn value<T>(&self, request: &S3Request<T>) -> Option<String> {
        let from_trailer = || {
            request.trailing_headers.as_ref()?.read(|trailers| {
                let value = trailers.get(self.algorithm.header())?;
                value.to_str().ok().map(str::to_owned)
            })?
        };
        self.value.clone().or_else(from_trailer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_in_a_header_are_query_parameters() -> AwsResult<()> {
        let tags = tagging_header(Some("a=1&b+c=%C3%A9&empty"))?;
        let pairs: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b c", "é"), ("empty", "")]);
        for wrong in ["a=%", "a=%zz", "a=%+4", "a=%ff", "a=1&a=2", "=1"] {
            assert!(tagging_header(Some(wrong)).is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn keys_in_lists_are_percent_encoded() {
        assert_eq!(url_encode("a/b c+é"), "a/b%20c%2B%C3%A9");
    }
}
