//! Operations on objects.

use super::convert::{
    Sent, caller, check_key, check_owner, checksum_fields, checksum_type, condition, encryption,
    etag, length, metadata, object_tags, sent_checksum, set_checksum, tag_set, tagging_header,
    time_of, timestamp, version_id,
};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::services::iam::Caller;
use crate::services::s3::bodies::{MAX_RECORD_BODY, Received};
use crate::services::s3::buckets::State;
use crate::services::s3::checksums::{Algorithm, Checksum, verify};
use crate::services::s3::conditions::{ReadConditions, WriteConditions};
use crate::services::s3::errors::{
    access_denied, invalid_argument, invalid_request, no_such_key, not_implemented,
};
use crate::services::s3::objects::{Data, Missing, NewObject};
use crate::services::s3::version::{Content, Version};
use crate::services::s3::{DEFAULT_CHECKSUM, ObjectHeaders};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::ops::Range as Bounds;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MAX_DELETIONS: usize = 1_000;

/// The type of an object whose client named none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// The storage classes that are mere labels here; the archives, whose objects must be restored
/// before they can be read, are not among them.
const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "REDUCED_REDUNDANCY",
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
            content_type: input.content_type.clone(),
            content_encoding: without_chunked(input.content_encoding.as_deref()),
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

pub async fn put(
    cloud: &Cloud,
    mut req: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let caller = caller(&req);
    let bucket = cloud.s3.buckets.get(&req.input.bucket)?;
    let state = bucket.state();
    let key = req.input.key.clone();
    cloud.s3_authorize(&caller, &state, "s3:PutObject", Some(&key), &[])?;
    check_upload!(req.input);
    if req.input.write_offset_bytes.is_some() {
        return Err(not_implemented("appending to objects").into());
    }
    let headers = object_headers!(req.input);
    let tags = tagging_header(req.input.tagging.as_deref())?;
    if !tags.is_empty() {
        cloud.s3_authorize(&caller, &state, "s3:PutObjectTagging", Some(&key), &[])?;
    }
    let conditions = WriteConditions {
        if_match: condition(req.input.if_match.take()),
        if_none_match: condition(req.input.if_none_match.take()),
    };
    let body = req.input.body.take();
    let sent = sent_checksum(&req, checksum_fields!(req.input))?;
    let md5 = req.input.content_md5.take();
    let body = receive(cloud, &req, body, sent, md5.as_deref(), MAX_RECORD_BODY).await?;
    let object = NewObject {
        body,
        headers,
        tags,
    };
    let version = cloud.s3.put(&bucket, &key, object, &conditions).await?;
    let content = version.content.as_ref();
    let mut output = PutObjectOutput {
        e_tag: content.and_then(|content| etag(&content.etag)),
        server_side_encryption: encryption(),
        version_id: version_id(&version, state.shows_versions()),
        ..PutObjectOutput::default()
    };
    let checksum = content.and_then(|content| content.checksum.as_ref());
    output.checksum_type = checksum_type(checksum);
    set_checksum!(output, checksum);
    Ok(S3Response::new(output))
}

/// Forms that browsers send.
pub async fn post(
    _cloud: &Cloud,
    _req: S3Request<PostObjectInput>,
) -> S3Result<S3Response<PostObjectOutput>> {
    Err(not_implemented("uploads by HTML form").into())
}

/// Takes a body in and checks it against what the client sent with it.
pub(super) async fn receive<T>(
    cloud: &Cloud,
    request: &S3Request<T>,
    body: Option<StreamingBlob>,
    sent: Option<Sent>,
    content_md5: Option<&str>,
    in_memory: usize,
) -> AwsResult<Received> {
    let algorithm = sent
        .as_ref()
        .map_or(DEFAULT_CHECKSUM, |sent| sent.algorithm);
    let body = futures::stream::iter(body).flatten();
    let received = cloud.s3.bodies.receive(body, algorithm, in_memory).await?;
    if let Some(value) = sent.and_then(|sent| sent.value(request)) {
        verify(algorithm.name(), &value, &received.checksum)?;
    }
    if let Some(content_md5) = content_md5 {
        let digest = STANDARD.decode(content_md5).unwrap_or_default();
        if digest.len() != 16 {
            return Err(AwsError::new(
                400,
                "InvalidDigest",
                "The Content-MD5 you specified was invalid.",
            ));
        }
        let digest = crate::services::s3::checksums::hex(&digest);
        verify("Content-MD5", &digest, &received.md5)?;
    }
    Ok(received)
}

pub async fn get(
    cloud: &Cloud,
    req: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let overrides = [
        &input.response_cache_control,
        &input.response_content_disposition,
        &input.response_content_encoding,
        &input.response_content_language,
        &input.response_content_type,
    ];
    if caller == Caller::Anonymous
        && (overrides.into_iter().any(Option::is_some) || input.response_expires.is_some())
    {
        return Err(invalid_request(
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
        .into());
    }
    if input.sse_customer_algorithm.is_some() {
        return Err(not_implemented("encryption with customer keys").into());
    }
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let wanted = Wanted {
        caller: &caller,
        key: &input.key,
        version_id: input.version_id.as_deref(),
    };
    let conditions = ReadConditions {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since.map(time_of),
        if_unmodified_since: input.if_unmodified_since.map(time_of),
    };
    let (found, data) = loop {
        let found = find(cloud, &state, &wanted)?;
        check_read(&state, &found, &conditions)?;
        let section = section(&found.content, input.range, input.part_number)?;
        let bounds = section.bounds.clone();
        let data = cloud
            .s3
            .read(&found.version, &found.content, bounds)
            .await?;
        // What was overwritten in the meantime is looked up again.
        if let Some(data) = data {
            break ((found, section), data);
        }
    };
    let (Found { version, content }, section) = found;
    let body = match data {
        Data::Whole(bytes) => StreamingBlob::from(s3s::Body::from(bytes)),
        Data::Stream(stream) => StreamingBlob::wrap(stream),
    };
    let shown = input
        .checksum_mode
        .filter(|mode| mode.as_str() == ChecksumMode::ENABLED && section.is_whole)
        .and(content.checksum.as_ref());
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(body),
        cache_control: content.headers.cache_control.clone(),
        checksum_type: checksum_type(shown),
        content_disposition: content.headers.content_disposition.clone(),
        content_encoding: content.headers.content_encoding.clone(),
        content_language: content.headers.content_language.clone(),
        content_length: length(section.bounds.end - section.bounds.start),
        content_range: section.content_range(content.size),
        content_type: Some(content_type(&content.headers)),
        e_tag: etag(&content.etag),
        expires: expires(&content.headers),
        last_modified: Some(timestamp(version.last_modified())),
        metadata: Some(content.headers.metadata.clone().into_iter().collect()),
        parts_count: section.parts_count,
        server_side_encryption: encryption(),
        storage_class: shown_storage_class(&content.headers),
        tag_count: tag_count(&content),
        version_id: version_id(&version, state.shows_versions()),
        ..GetObjectOutput::default()
    };
    set_checksum!(output, shown);
    Ok(S3Response::new(output))
}

pub async fn head(
    cloud: &Cloud,
    req: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    if input.sse_customer_algorithm.is_some() {
        return Err(not_implemented("encryption with customer keys").into());
    }
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let wanted = Wanted {
        caller: &caller,
        key: &input.key,
        version_id: input.version_id.as_deref(),
    };
    let found = find(cloud, &state, &wanted)?;
    let conditions = ReadConditions {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since.map(time_of),
        if_unmodified_since: input.if_unmodified_since.map(time_of),
    };
    check_read(&state, &found, &conditions)?;
    let Found { version, content } = found;
    let section = section(&content, input.range, input.part_number)?;
    let shown = input
        .checksum_mode
        .filter(|mode| mode.as_str() == ChecksumMode::ENABLED && section.is_whole)
        .and(content.checksum.as_ref());
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: content.headers.cache_control.clone(),
        checksum_type: checksum_type(shown),
        content_disposition: content.headers.content_disposition.clone(),
        content_encoding: content.headers.content_encoding.clone(),
        content_language: content.headers.content_language.clone(),
        content_length: length(section.bounds.end - section.bounds.start),
        content_range: section.content_range(content.size),
        content_type: Some(content_type(&content.headers)),
        e_tag: etag(&content.etag),
        expires: expires(&content.headers),
        last_modified: Some(timestamp(version.last_modified())),
        metadata: Some(content.headers.metadata.clone().into_iter().collect()),
        parts_count: section.parts_count,
        server_side_encryption: encryption(),
        storage_class: shown_storage_class(&content.headers),
        version_id: version_id(&version, state.shows_versions()),
        ..HeadObjectOutput::default()
    };
    set_checksum!(output, shown);
    Ok(S3Response::new(output))
}

pub async fn copy(
    cloud: &Cloud,
    req: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let caller = caller(&req);
    let input = req.input;
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    cloud.s3_authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    check_upload!(input);
    check_owner(input.expected_source_bucket_owner.as_deref())?;

    let conditions = ReadConditions {
        if_match: condition(input.copy_source_if_match.clone()),
        if_none_match: condition(input.copy_source_if_none_match.clone()),
        if_modified_since: input.copy_source_if_modified_since.clone().map(time_of),
        if_unmodified_since: input.copy_source_if_unmodified_since.clone().map(time_of),
    };
    let source = Source::open(cloud, &caller, &input.copy_source, &conditions, None).await?;
    let replaces = |directive: Option<&str>| match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(invalid_argument(format!("Unknown directive {other:?}"))),
    };
    let replaces_headers = replaces(
        input
            .metadata_directive
            .as_ref()
            .map(MetadataDirective::as_str),
    )?;
    let same = source.bucket == input.bucket && source.key == input.key && source.is_latest;
    if same && !replaces_headers && input.storage_class.is_none() {
        return Err(invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself \
             without changing the object's metadata, storage class, website redirect location \
             or encryption attributes.",
        )
        .into());
    }
    let mut headers = object_headers!(input);
    if !replaces_headers {
        headers = ObjectHeaders {
            storage_class: headers.storage_class,
            ..source.found.content.headers.clone()
        };
    }
    let tags = match replaces(
        input
            .tagging_directive
            .as_ref()
            .map(TaggingDirective::as_str),
    )? {
        true => tagging_header(input.tagging.as_deref())?,
        false => source.found.content.tags.clone(),
    };
    let algorithm = match &input.checksum_algorithm {
        Some(name) => named_algorithm(name.as_str())?,
        None => source.algorithm(),
    };
    let source_version = source.version_id.clone();
    let body = cloud
        .s3
        .bodies
        .receive(source.data, algorithm, MAX_RECORD_BODY)
        .await?;
    let object = NewObject {
        body,
        headers,
        tags,
    };
    let unconditional = WriteConditions::default();
    let version = cloud
        .s3
        .put(&bucket, &input.key, object, &unconditional)
        .await?;
    let content = version.content.as_ref();
    let mut result = CopyObjectResult {
        e_tag: content.and_then(|content| etag(&content.etag)),
        last_modified: Some(timestamp(version.last_modified())),
        ..CopyObjectResult::default()
    };
    let checksum = content.and_then(|content| content.checksum.as_ref());
    result.checksum_type = checksum_type(checksum);
    set_checksum!(result, checksum);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_version,
        server_side_encryption: encryption(),
        version_id: version_id(&version, state.shows_versions()),
        ..CopyObjectOutput::default()
    }))
}

pub async fn delete(
    cloud: &Cloud,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(not_implemented("deletion by time or size").into());
    }
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let version = input.version_id.as_deref();
    authorize_deletion(cloud, &caller, &state, &input.key, version)?;
    let conditions = WriteConditions {
        if_match: condition(input.if_match),
        if_none_match: None,
    };
    let deletion = cloud
        .s3
        .delete(&bucket, &input.key, version, &conditions)
        .await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: deletion.delete_marker.then_some(true),
        version_id: deletion.version_id,
        ..DeleteObjectOutput::default()
    }))
}

pub async fn delete_many(
    cloud: &Cloud,
    req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let count = input.delete.objects.len();
    if !(1..=MAX_DELETIONS).contains(&count) {
        return Err(S3ErrorCode::MalformedXML.into());
    }
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let deletions = input.delete.objects.into_iter().map(|object| async {
        let version = object.version_id.as_deref();
        let conditions = WriteConditions {
            if_match: condition(object.e_tag.clone().map(ETagCondition::ETag)),
            if_none_match: None,
        };
        let deletion = match authorize_deletion(cloud, &caller, &state, &object.key, version) {
            Ok(()) => {
                let key = &object.key;
                cloud.s3.delete(&bucket, key, version, &conditions).await
            }
            Err(error) => Err(error),
        };
        (object, deletion)
    });
    // Together, so that they share the store's commits.
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for (object, deletion) in futures::future::join_all(deletions).await {
        match deletion {
            Ok(deletion) => deleted.push(DeletedObject {
                delete_marker: deletion.delete_marker.then_some(true),
                delete_marker_version_id: deletion.version_id.filter(|_| deletion.delete_marker),
                key: Some(object.key),
                version_id: object.version_id,
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code.to_string()),
                key: Some(object.key),
                message: Some(error.message),
                version_id: object.version_id,
            }),
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

pub async fn get_tags(
    cloud: &Cloud,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:GetObjectVersionTagging",
        None => "s3:GetObjectTagging",
    };
    cloud.s3_authorize(&caller, &state, action, Some(&input.key), &[])?;
    let found = cloud.s3.find(&input.bucket, &input.key, version);
    let (version, content) = found.map_err(AwsError::from)?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tag_set(&content.tags),
        version_id: version_id(&version, state.shows_versions()),
    }))
}

pub async fn put_tags(
    cloud: &Cloud,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:PutObjectVersionTagging",
        None => "s3:PutObjectTagging",
    };
    cloud.s3_authorize(&caller, &state, action, Some(&input.key), &[])?;
    let tags = object_tags(input.tagging.tag_set)?;
    let version = cloud
        .s3
        .set_tags(&bucket, &input.key, version, tags)
        .await?;
    Ok(S3Response::new(PutObjectTaggingOutput {
        version_id: version_id(&version, state.shows_versions()),
    }))
}

pub async fn delete_tags(
    cloud: &Cloud,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let bucket = cloud.s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:DeleteObjectVersionTagging",
        None => "s3:DeleteObjectTagging",
    };
    cloud.s3_authorize(&caller, &state, action, Some(&input.key), &[])?;
    let none = Default::default();
    let version = cloud
        .s3
        .set_tags(&bucket, &input.key, version, none)
        .await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput {
        version_id: version_id(&version, state.shows_versions()),
    }))
}

fn authorize_deletion(
    cloud: &Cloud,
    caller: &Caller,
    bucket: &State,
    key: &str,
    version_id: Option<&str>,
) -> AwsResult<()> {
    match version_id {
        Some(id) => {
            let context = [("s3:VersionId", id)];
            cloud.s3_authorize(
                caller,
                bucket,
                "s3:DeleteObjectVersion",
                Some(key),
                &context,
            )
        }
        None => cloud.s3_authorize(caller, bucket, "s3:DeleteObject", Some(key), &[]),
    }
}

/// What a reader asks for.
struct Wanted<'a> {
    caller: &'a Caller,
    key: &'a str,
    version_id: Option<&'a str>,
}

/// What is there.
struct Found {
    version: Version,
    content: Content,
}

fn find(cloud: &Cloud, bucket: &State, wanted: &Wanted<'_>) -> S3Result<Found> {
    let Wanted {
        caller,
        key,
        version_id: id,
    } = *wanted;
    match id {
        Some(id) => {
            let context = [("s3:VersionId", id)];
            cloud.s3_authorize(caller, bucket, "s3:GetObjectVersion", Some(key), &context)?;
        }
        None => cloud.s3_authorize(caller, bucket, "s3:GetObject", Some(key), &[])?,
    }
    let missing = match cloud.s3.find(&bucket.settings.name, key, id) {
        Ok((version, content)) => return Ok(Found { version, content }),
        Err(missing) => missing,
    };
    // Who may not list a bucket does not learn what is missing in it:
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    if !cloud.s3_may(caller, bucket, "s3:ListBucket") {
        return Err(access_denied().into());
    }
    Err(match missing {
        Missing::Nothing(error) => error.into(),
        Missing::Marker(marker) => hidden_by(&marker, id.is_some()),
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>
fn hidden_by(marker: &Version, asked_for: bool) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::from_str(&marker.id) {
        headers.insert("x-amz-version-id", id);
    }
    let error = if asked_for {
        headers.insert(http::header::ALLOW, HeaderValue::from_static("DELETE"));
        insert_last_modified(&mut headers, marker);
        AwsError::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
    } else {
        no_such_key()
    };
    let mut error = S3Error::from(error);
    error.set_headers(headers);
    error
}

fn check_read(bucket: &State, found: &Found, conditions: &ReadConditions) -> S3Result<()> {
    let Found { version, content } = found;
    let Err(error) = conditions.check(&content.etag, version.last_modified()) else {
        return Ok(());
    };
    let is_unchanged = error.status == 304;
    let mut error = S3Error::from(error);
    if is_unchanged {
        let mut headers = HeaderMap::new();
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", content.etag)) {
            headers.insert(http::header::ETAG, etag);
        }
        insert_last_modified(&mut headers, version);
        if let Some(Ok(id)) =
            version_id(version, bucket.shows_versions()).map(|id| HeaderValue::from_str(&id))
        {
            headers.insert("x-amz-version-id", id);
        }
        error.set_headers(headers);
    }
    Err(error)
}

fn insert_last_modified(headers: &mut HeaderMap, version: &Version) {
    let date = http_date(&timestamp(version.last_modified()));
    if let Some(Ok(date)) = date.map(|date| HeaderValue::from_str(&date)) {
        headers.insert(http::header::LAST_MODIFIED, date);
    }
}

/// The part of an object that is read.
struct Section {
    bounds: Bounds<u64>,
    is_whole: bool,
    parts_count: Option<i32>,
}

impl Section {
    fn content_range(&self, size: u64) -> Option<String> {
        let Bounds { start, end } = self.bounds;
        (!self.is_whole && end > start).then(|| format!("bytes {start}-{}/{size}", end - 1))
    }
}

fn section(content: &Content, range: Option<Range>, part: Option<i32>) -> AwsResult<Section> {
    let size = content.size;
    match (range, part) {
        (None, None) => Ok(Section {
            bounds: 0..size,
            is_whole: true,
            parts_count: None,
        }),
        (Some(_), Some(_)) => Err(invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        )),
        (Some(range), None) => Ok(Section {
            bounds: range.check(size).map_err(|_| {
                AwsError::new(
                    416,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                )
            })?,
            is_whole: false,
            parts_count: None,
        }),
        (None, Some(part)) => {
            let parts = match content.parts.as_slice() {
                [] => std::slice::from_ref(&content.size),
                parts => parts,
            };
            let index = usize::try_from(part)
                .ok()
                .and_then(|number| number.checked_sub(1))
                .filter(|index| *index < parts.len())
                .ok_or_else(|| {
                    AwsError::new(
                        416,
                        "InvalidPartNumber",
                        "The requested partnumber is not satisfiable",
                    )
                })?;
            let start = parts[..index].iter().sum();
            Ok(Section {
                bounds: start..start + parts[index],
                is_whole: false,
                parts_count: i32::try_from(content.parts.len()).ok().filter(|n| *n > 0),
            })
        }
    }
}

type BoxedBytes = std::pin::Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + Sync>>;

/// The source of a copy.
pub(super) struct Source {
    bucket: String,
    key: String,
    is_latest: bool,
    found: Found,
    pub version_id: Option<String>,
    pub data: BoxedBytes,
}

impl Source {
    pub async fn open(
        cloud: &Cloud,
        caller: &Caller,
        source: &CopySource,
        conditions: &ReadConditions,
        range: Option<Range>,
    ) -> S3Result<Self> {
        let CopySource::Bucket {
            bucket: name,
            key,
            version_id: id,
        } = source
        else {
            return Err(not_implemented("copies from access points and Outposts").into());
        };
        let bucket = cloud.s3.buckets.get(name)?;
        let state = bucket.state();
        let wanted = Wanted {
            caller,
            key,
            version_id: id.as_deref(),
        };
        loop {
            let found = find(cloud, &state, &wanted)?;
            // A copy from something unchanged is refused, not answered with 304.
            conditions
                .check(&found.content.etag, found.version.last_modified())
                .map_err(|_| crate::services::s3::errors::precondition_failed())?;
            let bounds = section(&found.content, range, None)?.bounds;
            let read = cloud
                .s3
                .read(&found.version, &found.content, bounds)
                .await?;
            let data: BoxedBytes = match read {
                Some(Data::Whole(bytes)) => Box::pin(futures::stream::iter([Ok(bytes)])),
                Some(Data::Stream(stream)) => stream,
                None => continue,
            };
            return Ok(Self {
                bucket: name.to_string(),
                key: key.to_string(),
                is_latest: id.is_none(),
                version_id: version_id(&found.version, state.shows_versions()),
                found,
                data,
            });
        }
    }

    fn algorithm(&self) -> Algorithm {
        let checksum: Option<&Checksum> = self.found.content.checksum.as_ref();
        checksum.map_or(DEFAULT_CHECKSUM, |checksum| checksum.algorithm)
    }
}

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
        Some(other) => Err(not_implemented(&format!("encryption by {other}"))),
    }
}

pub(super) fn storage_class(class: Option<&StorageClass>) -> AwsResult<Option<String>> {
    match class.map(StorageClass::as_str) {
        None | Some("STANDARD") => Ok(None),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(Some(class.to_owned())),
        Some(class) => Err(not_implemented(&format!("storage class {class}"))),
    }
}

pub(super) fn named_algorithm(name: &str) -> AwsResult<Algorithm> {
    Algorithm::from_name(name).ok_or_else(|| {
        invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid \
             types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

/// How the body came is not how it is stored.
pub(super) fn without_chunked(encoding: Option<&str>) -> Option<String> {
    let codings = encoding?
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"));
    let codings: Vec<&str> = codings.collect();
    (!codings.is_empty()).then(|| codings.join(","))
}

pub(super) fn http_date(timestamp: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    timestamp
        .format(TimestampFormat::HttpDate, &mut text)
        .ok()?;
    String::from_utf8(text).ok()
}

fn expires(headers: &ObjectHeaders) -> Option<Timestamp> {
    let text = headers.expires.as_deref()?;
    Timestamp::parse(TimestampFormat::HttpDate, text).ok()
}

fn content_type(headers: &ObjectHeaders) -> String {
    let given = headers.content_type.clone();
    given.unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned())
}

/// S3 names every class but the standard one.
fn shown_storage_class(headers: &ObjectHeaders) -> Option<StorageClass> {
    headers.storage_class.clone().map(StorageClass::from)
}

fn tag_count(content: &Content) -> Option<i32> {
    i32::try_from(content.tags.len())
        .ok()
        .filter(|count| *count > 0)
}
