//! What uploads of all kinds ask for, and which of it this S3 does not do.

use crate::S3;
use crate::buckets::BucketState;
use crate::checksums::{Algorithm, NOT_STORED};
use crate::errors::{invalid_argument, invalid_request, not_implemented};
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use http::HeaderMap;
use s3s::dto::*;
use std::collections::BTreeMap;

/// The storage classes that are mere labels here; the archives, whose objects must be restored
/// before they can be read, are not among them.
const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "REDUCED_REDUNDANCY",
];

/// What S3 has besides:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.
const OTHER_CLASSES: &[&str] = &[
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
];

/// Refuses what an upload asks for and this S3 does not do.
macro_rules! check_upload {
    ($input:expr) => {{
        let input = &$input;
        check_key(&input.key)?;
        check_owner(input.expected_bucket_owner.as_deref())?;
        let grants = [
            &input.grant_full_control,
            &input.grant_read,
            &input.grant_read_acp,
            &input.grant_write_acp,
        ];
        let acl = input.acl.as_ref().map(ObjectCannedACL::as_str);
        check_acl(acl, grants.into_iter().any(Option::is_some))?;
        check_encryption(
            input.server_side_encryption.as_ref(),
            input.sse_customer_algorithm.is_some(),
        )?;
        if input.object_lock_mode.is_some()
            || input.object_lock_legal_hold_status.is_some()
            || input.object_lock_retain_until_date.is_some()
        {
            // No bucket here has object lock.
            return Err(invalid_request("Bucket is missing Object Lock Configuration").into());
        }
        if input.website_redirect_location.is_some() {
            return Err(not_implemented("website redirects").into());
        }
    }};
}
pub(super) use check_upload;

/// The headers that an upload leaves with its object.
macro_rules! object_headers {
    ($input:expr) => {{
        let input = &$input;
        ObjectHeaders {
            // `wire` may have put a space in front.
            content_type: input
                .content_type
                .as_ref()
                .map(|kind| kind.trim().to_owned()),
            content_encoding: input.content_encoding.clone(),
            content_disposition: input.content_disposition.clone(),
            content_language: input.content_language.clone(),
            cache_control: input.cache_control.clone(),
            expires: input.expires.as_ref().and_then(http_date),
            storage_class: storage_class(input.storage_class.as_ref())?,
            metadata: metadata(input.metadata.clone())?,
        }
    }};
}
pub(super) use object_headers;

/// Access control lists are off, as in every bucket that AWS makes since April 2023:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>.
pub(super) fn check_acl(acl: Option<&str>, has_grants: bool) -> AwsResult<()> {
    if !has_grants && matches!(acl, None | Some(ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL)) {
        return Ok(());
    }
    Err(AwsError::new(
        400,
        "AccessControlListNotSupported",
        "The bucket does not allow ACLs",
    ))
}

pub(super) fn check_encryption(
    encryption: Option<&ServerSideEncryption>,
    has_customer_key: bool,
) -> AwsResult<()> {
    match encryption.map(ServerSideEncryption::as_str) {
        _ if has_customer_key => Err(not_implemented("encryption with customer keys")),
        None | Some(ServerSideEncryption::AES256) => Ok(()),
        Some(other) if other.starts_with("aws:") => {
            Err(not_implemented(&format!("encryption by {other}")))
        }
        // Seen: https://github.com/thoughtbot/paperclip/pull/2243
        Some(_) => Err(invalid_argument(
            "The encryption method specified is not supported",
        )),
    }
}

pub(super) fn storage_class(class: Option<&StorageClass>) -> AwsResult<Option<String>> {
    match class.map(StorageClass::as_str) {
        None | Some("STANDARD") => Ok(None),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(Some(class.to_owned())),
        Some(class) if OTHER_CLASSES.contains(&class) => {
            Err(not_implemented(&format!("storage class {class}")))
        }
        Some(_) => Err(AwsError::new(
            400,
            "InvalidStorageClass",
            "The storage class you specified is not valid",
        )),
    }
}

/// Refuses a body whose length is not told. S3 takes `Transfer-Encoding: chunked` only around
/// its own chunks, whose header tells the length
/// (<https://github.com/aws/aws-sdk-js-v3/pull/3403>, <https://github.com/aws/aws-sdk-cpp/issues/3411>),
/// and answers 411 where there is neither
/// (<https://github.com/apache/arrow-rs-object-store/issues/155>).
pub(super) fn check_length(headers: &HeaderMap) -> AwsResult<()> {
    let has = |name: &str| headers.contains_key(name);
    if has("content-length") || has("x-amz-decoded-content-length") {
        return Ok(());
    }
    if has("transfer-encoding") {
        return Err(AwsError::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented: \
             Transfer-Encoding. Send the body with a Content-Length",
        ));
    }
    Err(AwsError::new(
        411,
        "MissingContentLength",
        "You must provide the Content-Length HTTP header.",
    ))
}

pub(super) fn named_algorithm(name: &str) -> AwsResult<Algorithm> {
    Algorithm::from_name(name).ok_or_else(|| unsupported_algorithm(name))
}

/// What an algorithm gets that this S3 does not store: of those that AWS has, it says so.
pub(super) fn unsupported_algorithm(name: &str) -> AwsError {
    let known = NOT_STORED
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name));
    match known {
        Some(known) => not_implemented(&format!("checksum algorithm {known} for objects")),
        None => invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid \
             types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        ),
    }
}

/// A caller that writes an object with tags must be allowed to tag it too.
pub(super) fn authorize_tags(
    s3: &S3,
    caller: &Caller,
    bucket: &BucketState,
    key: &str,
    tags: &BTreeMap<String, String>,
) -> AwsResult<()> {
    if tags.is_empty() {
        return Ok(());
    }
    s3.authorize(caller, bucket, "s3:PutObjectTagging", Some(key), &[])
}
