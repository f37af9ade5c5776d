//! Operations of uploads in parts.

use super::checks::{
    authorize_tags, check_acl, check_encryption, check_length, check_upload, named_algorithm,
    object_headers, storage_class,
};
use super::convert::{
    caller, check_key, check_owner, checksum_fields, checksum_type, encryption, etag, http_date,
    length, list_limit, metadata, millis, out_of_range, owner, sent_checksum, set_checksum,
    tagging_header,
};
use super::lists::{Asked, Encoding, asked};
use super::refused::Outcome;
use super::request::Settled;
use super::writes::{Source, receive};
use crate::S3;
use crate::checksums::{Algorithm, Coverage};
use crate::errors::{invalid_argument, invalid_part_number, invalid_request, not_implemented};
use crate::listing::After;
use crate::uploads::complete::{Claimed, NamedPart, coverage_text};
use crate::uploads::{PART_NUMBERS, Upload};
use crate::{DEFAULT_CHECKSUM, ObjectHeaders};
use cloud_core::error::AwsResult;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

/// Parts are always files, so that completing an upload need not touch their bytes.
const NOTHING_IN_MEMORY: usize = 0;

pub(super) async fn create(
    s3: &S3,
    req: S3Request<CreateMultipartUploadInput>,
) -> Outcome<S3Response<CreateMultipartUploadOutput>> {
    let caller = caller(&req);
    let input = req.input;
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    check_upload!(input);
    let headers = object_headers!(input);
    let tags = tagging_header(input.tagging.as_deref())?;
    authorize_tags(s3, &caller, &state, &input.key, &tags)?;
    let checksum = wanted_checksum(
        input
            .checksum_algorithm
            .as_ref()
            .map(ChecksumAlgorithm::as_str),
        input.checksum_type.as_ref().map(ChecksumType::as_str),
    )?;
    let upload = s3
        .begin_upload(&bucket, &input.key, headers, tags, checksum)
        .await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: algorithm_name(&upload),
        checksum_type: coverage_name(&upload),
        key: Some(input.key),
        server_side_encryption: encryption(),
        upload_id: Some(upload.id),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(super) async fn part(
    s3: &S3,
    mut req: S3Request<UploadPartInput>,
) -> Outcome<S3Response<UploadPartOutput>> {
    let caller = caller(&req);
    let body = req.input.body.take();
    let input = &req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    check_encryption(None, input.sse_customer_algorithm.is_some())?;
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    check_length(&req.headers)?;
    let number = part_number(input.part_number)?;
    let upload = s3
        .upload(&input.bucket, &input.key, &input.upload_id)
        .await?;
    let mut sent = sent_checksum(&req, checksum_fields!(input))?;
    if let (Some((wanted, _)), Some(sent)) = (upload.checksum, &sent)
        && sent.algorithm != wanted
    {
        return Err(invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            wanted.name().to_lowercase(),
            sent.algorithm.name().to_lowercase()
        ))
        .into());
    }
    if sent.is_none() {
        // Calculated all the same, in the kind that the object's will be made of.
        sent = upload.checksum.map(|(algorithm, _)| super::convert::Sent {
            algorithm,
            value: None,
        });
    }
    let md5 = input.content_md5.as_deref();
    let body = receive(s3, &req, body, sent, md5, NOTHING_IN_MEMORY).await?;
    let part = s3.put_part(&bucket, &upload, number, body).await?;
    let mut output = UploadPartOutput {
        e_tag: etag(&part.etag),
        server_side_encryption: encryption(),
        ..UploadPartOutput::default()
    };
    set_checksum!(output, Some(&part.checksum));
    Ok(S3Response::new(output))
}

pub(super) async fn part_copy(
    s3: &S3,
    req: S3Request<UploadPartCopyInput>,
) -> Outcome<S3Response<UploadPartCopyOutput>> {
    let caller = caller(&req);
    let conditions = Settled::conditions(&req).source;
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    check_owner(input.expected_source_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    let number = part_number(input.part_number)?;
    let upload = s3
        .upload(&input.bucket, &input.key, &input.upload_id)
        .await?;
    let range = input.copy_source_range.as_deref().map(copied_range);
    let range = range.transpose()?;
    let source = Source::open(s3, &caller, &input.copy_source, &conditions, range).await?;
    let algorithm = upload
        .checksum
        .map_or(DEFAULT_CHECKSUM, |(algorithm, _)| algorithm);
    let bodies = &s3.bodies;
    let body = bodies
        .receive(source.data, algorithm, NOTHING_IN_MEMORY)
        .await?;
    let part = s3.put_part(&bucket, &upload, number, body).await?;
    let mut result = CopyPartResult {
        e_tag: etag(&part.etag),
        last_modified: Some(millis(part.modified)),
        ..CopyPartResult::default()
    };
    set_checksum!(result, Some(&part.checksum));
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source.version_id,
        server_side_encryption: encryption(),
        ..UploadPartCopyOutput::default()
    }))
}

pub(super) async fn complete(
    s3: &S3,
    req: S3Request<CompleteMultipartUploadInput>,
) -> Outcome<S3Response<CompleteMultipartUploadOutput>> {
    let caller = caller(&req);
    let conditions = Settled::conditions(&req).write()?;
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    let sent = checksum_fields!(input)
        .into_iter()
        .find_map(|(algorithm, value)| value.map(|value| (algorithm, value)));
    let claimed = Claimed {
        checksum: sent,
        coverage: input
            .checksum_type
            .map(|coverage| coverage.as_str().to_owned()),
        size: input.mpu_object_size,
    };
    let parts = input.multipart_upload.and_then(|upload| upload.parts);
    let parts = parts
        .unwrap_or_default()
        .into_iter()
        .map(|part| {
            let checksum = checksum_fields!(part)
                .into_iter()
                .find_map(|(algorithm, value)| value.map(|value| (algorithm, value)));
            Ok(NamedPart {
                number: part_number(part.part_number.unwrap_or(0))?,
                etag: part.e_tag.map(ETag::into_value).unwrap_or_default(),
                checksum,
            })
        })
        .collect::<AwsResult<Vec<_>>>()?;
    let (key, id) = (&input.key, &input.upload_id);
    let completed = s3
        .complete_upload(&bucket, key, id, &parts, &claimed, &conditions)
        .await?;
    let checksum = completed.checksum.as_ref();
    let host = req.headers.get(http::header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut output = CompleteMultipartUploadOutput {
        checksum_type: checksum_type(checksum),
        e_tag: etag(&completed.etag),
        location: Some(format!("http://{host}/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        server_side_encryption: encryption(),
        version_id: state.shows_versions().then_some(completed.version_id),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksum!(output, checksum);
    Ok(S3Response::new(output))
}

pub(super) async fn abort(
    s3: &S3,
    req: S3Request<AbortMultipartUploadInput>,
) -> Outcome<S3Response<AbortMultipartUploadOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    if input.if_match_initiated_time.is_some() {
        return Err(not_implemented("aborting uploads by time").into());
    }
    let bucket = s3.buckets.get(&input.bucket)?;
    let action = "s3:AbortMultipartUpload";
    s3.authorize(&caller, &bucket.state(), action, Some(&input.key), &[])?;
    let (key, id) = (&input.key, &input.upload_id);
    s3.abort_upload(&input.bucket, key, id).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn parts(
    s3: &S3,
    req: S3Request<ListPartsInput>,
) -> Outcome<S3Response<ListPartsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&input.bucket)?;
    let action = "s3:ListMultipartUploadParts";
    s3.authorize(&caller, &bucket.state(), action, Some(&input.key), &[])?;
    let (limit, max_parts) = list_limit("max-parts", input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let after = u32::try_from(marker).map_err(|_| out_of_range("part-number-marker"))?;
    let (key, id) = (&input.key, &input.upload_id);
    let page = s3.list_parts(&input.bucket, key, id, after, limit).await?;
    let upload = page.upload;
    let parts: Vec<Part> = page
        .parts
        .iter()
        .map(|part| {
            let mut shown = Part {
                e_tag: etag(&part.etag),
                last_modified: Some(millis(part.modified)),
                part_number: i32::try_from(part.number).ok(),
                size: length(part.size()),
                ..Part::default()
            };
            if upload.checksum.is_some() {
                set_checksum!(shown, Some(&part.checksum));
            }
            shown
        })
        .collect();
    let last = parts.last().and_then(|part| part.part_number);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: algorithm_name(&upload),
        checksum_type: coverage_name(&upload),
        initiator: Some(Initiator {
            display_name: None,
            id: owner().id,
        }),
        is_truncated: Some(page.is_truncated),
        key: Some(input.key),
        max_parts: Some(max_parts),
        next_part_number_marker: last.filter(|_| page.is_truncated),
        owner: Some(owner()),
        part_number_marker: Some(marker),
        parts: Some(parts),
        storage_class: Some(upload_class(&upload)),
        upload_id: Some(upload.id),
        ..ListPartsOutput::default()
    }))
}

pub(super) async fn list(
    s3: &S3,
    req: S3Request<ListMultipartUploadsInput>,
) -> Outcome<S3Response<ListMultipartUploadsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    let asked = asked!(input, "max-uploads", input.max_uploads);
    if asked.delimiter.is_some() {
        return Err(not_implemented("delimiter in a list of uploads").into());
    }
    let bucket = s3.buckets.get(&asked.bucket)?;
    let action = "s3:ListBucketMultipartUploads";
    s3.authorize(&caller, &bucket.state(), action, None, &[])?;
    let key_marker = input.key_marker.unwrap_or_default();
    // Without a key, the id counts for nothing (API reference).
    let id_marker = input
        .upload_id_marker
        .filter(|id| !id.is_empty() && !key_marker.is_empty());
    let query = asked.query(Some(After {
        key: key_marker.clone(),
        version_id: id_marker.clone(),
    }));
    let page = s3.list_uploads(&asked.bucket, &query).await?;
    let encoding = asked.encoding;
    let uploads = page.entries.iter().map(|upload| MultipartUpload {
        checksum_algorithm: algorithm_name(upload),
        checksum_type: coverage_name(upload),
        initiated: Some(millis(upload.initiated)),
        initiator: Some(Initiator {
            display_name: None,
            id: owner().id,
        }),
        key: Some(encoding.apply(&upload.key)),
        owner: Some(owner()),
        storage_class: Some(upload_class(upload)),
        upload_id: Some(upload.id.clone()),
    });
    let next = page.next.as_ref();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        encoding_type: encoding.name(),
        is_truncated: Some(page.is_truncated),
        key_marker: Some(encoding.apply(&key_marker)),
        max_uploads: Some(asked.max),
        next_key_marker: next.map(|after| encoding.apply(&after.key)),
        next_upload_id_marker: next.and_then(|after| after.version_id.clone()),
        prefix: Some(encoding.apply(&asked.prefix)),
        upload_id_marker: Some(id_marker.unwrap_or_default()),
        uploads: Some(uploads.collect()),
        bucket: Some(asked.bucket),
        ..ListMultipartUploadsOutput::default()
    }))
}

/// Both ends of a range to copy must be given:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>.
fn copied_range(text: &str) -> AwsResult<Range> {
    match Range::parse(text) {
        Ok(range @ Range::Int { last: Some(_), .. }) => Ok(range),
        _ => Err(invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first \
             and last are the zero-based offsets of the first and last bytes to copy",
        )),
    }
}

fn part_number(number: i32) -> AwsResult<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| PART_NUMBERS.contains(number))
        .ok_or_else(invalid_part_number)
}

/// Which combinations there are:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
fn wanted_checksum(
    algorithm: Option<&str>,
    coverage: Option<&str>,
) -> AwsResult<Option<(Algorithm, Coverage)>> {
    let Some(name) = algorithm else {
        return match coverage {
            None => Ok(None),
            Some(_) => Err(invalid_request(
                "The x-amz-checksum-type header can only be used with the \
                 x-amz-checksum-algorithm header.",
            )),
        };
    };
    let algorithm = named_algorithm(name)?;
    let coverage = match (algorithm, coverage) {
        (Algorithm::Crc64Nvme, None | Some(ChecksumType::FULL_OBJECT)) => Coverage::FullObject,
        (Algorithm::Crc32 | Algorithm::Crc32c, Some(ChecksumType::FULL_OBJECT)) => {
            Coverage::FullObject
        }
        (
            Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Sha1 | Algorithm::Sha256,
            None | Some(ChecksumType::COMPOSITE),
        ) => Coverage::Composite,
        (_, Some(coverage)) => {
            return Err(invalid_request(format!(
                "The {coverage} checksum type cannot be used with the {} checksum algorithm.",
                name.to_lowercase()
            )));
        }
    };
    Ok(Some((algorithm, coverage)))
}

fn algorithm_name(upload: &Upload) -> Option<ChecksumAlgorithm> {
    let (algorithm, _) = upload.checksum?;
    Some(ChecksumAlgorithm::from(algorithm.name().to_owned()))
}

fn coverage_name(upload: &Upload) -> Option<ChecksumType> {
    let (_, coverage) = upload.checksum?;
    Some(ChecksumType::from_static(coverage_text(coverage)))
}

fn upload_class(upload: &Upload) -> StorageClass {
    match &upload.headers.storage_class {
        Some(class) => StorageClass::from(class.clone()),
        None => StorageClass::from_static(StorageClass::STANDARD),
    }
}
