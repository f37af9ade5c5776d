//! Objects read.

use super::convert::{
    caller, check_owner, checksum_type, encryption, etag, http_date, length, set_checksum,
    timestamp, version_id,
};
use super::refused::Outcome;
use super::request::{ObjectBody, Settled};
use crate::buckets::BucketState;
use crate::checksums::Algorithm;
use crate::conditions::ReadConditions;
use crate::errors::not_implemented;
use crate::reading::{Found, Unreadable, Wanted};
use crate::version::{Content, Version};
use crate::{ObjectHeaders, S3};
use cloud_core::body::Data;
use cloud_core::error::AwsResult;
use cloud_iam::Caller;
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::*;
use s3s::{S3Request, S3Response};
use std::sync::Arc;

pub(super) async fn get(
    s3: &S3,
    req: S3Request<GetObjectInput>,
) -> Outcome<S3Response<GetObjectOutput>> {
    let conditions = Settled::conditions(&req).read;
    let caller = caller(&req);
    let input = req.input;
    let bucket = checked(s3, &input)?;
    let wanted = wanted(&caller, &input, &conditions);
    let (found, data) = s3.fetch(&bucket, &wanted).await?;
    let mut output = described(&input, &found, &bucket);
    output.tag_count = tag_count(&found.content);
    output.body = Some(match data {
        Data::Whole(bytes) => StreamingBlob::from(s3s::Body::from(bytes)),
        Data::Stream(stream) => StreamingBlob::wrap(stream),
    });
    let mut answer = S3Response::new(output);
    answer.extensions.insert(ObjectBody);
    Ok(answer)
}

/// HEAD takes what GET takes and says what GET says
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>): here it is GET without
/// the bytes.
pub(super) async fn head(
    s3: &S3,
    req: S3Request<HeadObjectInput>,
) -> Outcome<S3Response<HeadObjectOutput>> {
    let conditions = Settled::conditions(&req).read;
    let caller = caller(&req);
    let input = as_get(req.input);
    let bucket = checked(s3, &input)?;
    let wanted = wanted(&caller, &input, &conditions);
    let found = s3.look(&bucket, &wanted).await?;
    let output = described(&input, &found, &bucket);
    Ok(S3Response::new(as_head(output)))
}

fn as_get(head: HeadObjectInput) -> GetObjectInput {
    GetObjectInput {
        bucket: head.bucket,
        checksum_mode: head.checksum_mode,
        expected_bucket_owner: head.expected_bucket_owner,
        key: head.key,
        part_number: head.part_number,
        range: head.range,
        sse_customer_algorithm: head.sse_customer_algorithm,
        version_id: head.version_id,
        ..GetObjectInput::default()
    }
}

fn as_head(get: GetObjectOutput) -> HeadObjectOutput {
    HeadObjectOutput {
        accept_ranges: get.accept_ranges,
        cache_control: get.cache_control,
        checksum_crc32: get.checksum_crc32,
        checksum_crc32c: get.checksum_crc32c,
        checksum_crc64nvme: get.checksum_crc64nvme,
        checksum_sha1: get.checksum_sha1,
        checksum_sha256: get.checksum_sha256,
        checksum_type: get.checksum_type,
        content_disposition: get.content_disposition,
        content_encoding: get.content_encoding,
        content_language: get.content_language,
        content_length: get.content_length,
        content_range: get.content_range,
        content_type: get.content_type,
        e_tag: get.e_tag,
        expires: get.expires,
        last_modified: get.last_modified,
        metadata: get.metadata,
        parts_count: get.parts_count,
        server_side_encryption: get.server_side_encryption,
        storage_class: get.storage_class,
        version_id: get.version_id,
        ..HeadObjectOutput::default()
    }
}

/// The bucket of a request that it can answer.
fn checked(s3: &S3, input: &GetObjectInput) -> AwsResult<Arc<BucketState>> {
    check_owner(input.expected_bucket_owner.as_deref())?;
    if input.sse_customer_algorithm.is_some() {
        return Err(not_implemented("encryption with customer keys"));
    }
    Ok(s3.buckets.get(&input.bucket)?.state())
}

fn wanted<'a>(
    caller: &'a Caller,
    input: &'a GetObjectInput,
    conditions: &'a ReadConditions,
) -> Wanted<'a> {
    Wanted {
        version_id: input.version_id.as_deref(),
        range: input.range,
        part: input.part_number,
        ..Wanted::whole(caller, &input.key, conditions)
    }
}

/// What GET and HEAD both say of an object.
fn described(input: &GetObjectInput, found: &Found, bucket: &BucketState) -> GetObjectOutput {
    let Found {
        version,
        content,
        section,
    } = found;
    let headers = content.headers.clone();
    let shown = input
        .checksum_mode
        .as_ref()
        .filter(|mode| mode.as_str() == ChecksumMode::ENABLED && section.is_whole)
        .and(content.checksum.as_ref());
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        checksum_type: checksum_type(shown),
        content_length: length(section.length()),
        content_range: section.content_range(content.size),
        content_type: Some(headers.content_type().to_owned()),
        e_tag: etag(&content.etag),
        expires: expires(&headers),
        last_modified: Some(timestamp(version.last_modified())),
        parts_count: section.parts_count,
        server_side_encryption: encryption(),
        // S3 names every class but the standard one.
        storage_class: headers.storage_class.map(StorageClass::from),
        version_id: version_id(version, bucket.shows_versions()),
        cache_control: headers.cache_control,
        content_disposition: headers.content_disposition,
        content_encoding: headers.content_encoding,
        content_language: headers.content_language,
        metadata: Some(headers.metadata.into_iter().collect()),
        ..GetObjectOutput::default()
    };
    set_checksum!(output, shown);
    output
}

/// The headers that an error has which says why there is nothing to read.
pub(crate) fn headers_of(unreadable: &Unreadable) -> HeaderMap {
    let mut headers = HeaderMap::new();
    match unreadable {
        Unreadable::Refused(_) => {}
        Unreadable::Hidden { marker, by_id } => {
            headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
            insert(&mut headers, "x-amz-version-id", &marker.id);
            if *by_id {
                headers.insert(header::ALLOW, HeaderValue::from_static("DELETE"));
                insert_last_modified(&mut headers, marker);
            }
        }
        Unreadable::Unchanged(found) => {
            insert(&mut headers, "etag", &format!("\"{}\"", found.content.etag));
            insert_last_modified(&mut headers, &found.version);
        }
    }
    headers
}

fn insert_last_modified(headers: &mut HeaderMap, version: &Version) {
    let date = http_date(&timestamp(version.last_modified()));
    insert(headers, "last-modified", &date.unwrap_or_default());
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn expires(headers: &ObjectHeaders) -> Option<Timestamp> {
    let text = headers.expires.as_deref()?;
    Timestamp::parse(TimestampFormat::HttpDate, text).ok()
}

fn tag_count(content: &Content) -> Option<i32> {
    i32::try_from(content.tags.len())
        .ok()
        .filter(|count| *count > 0)
}
