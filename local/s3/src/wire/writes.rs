//! Objects written: uploaded at once, or copied.

use super::checks::{
    authorize_tags, check_acl, check_encryption, check_length, check_upload, named_algorithm,
    object_headers, storage_class,
};
use super::convert::{
    Sent, caller, check_key, check_owner, checksum_fields, checksum_type, encryption, etag,
    http_date, metadata, sent_checksum, set_checksum, tagging_header, timestamp, version_id,
};
use super::refused::Outcome;
use super::request::{Settled, missing_trailer};
use crate::S3;
use crate::bodies::MAX_RECORD_BODY;
use crate::checksums::{Algorithm, Checksum, verify};
use crate::conditions::ReadConditions;
use crate::errors::{invalid_argument, invalid_request, not_implemented, precondition_failed};
use crate::intake::Received;
use crate::objects::NewObject;
use crate::reading::{Unreadable, Wanted};
use crate::version::Content;
use crate::{DEFAULT_CHECKSUM, ObjectHeaders};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::body::Data;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use futures::{Stream, StreamExt};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

pub(super) async fn put(
    s3: &S3,
    mut req: S3Request<PutObjectInput>,
) -> Outcome<S3Response<PutObjectOutput>> {
    let caller = caller(&req);
    let bucket = s3.buckets.get(&req.input.bucket)?;
    let state = bucket.state();
    let key = req.input.key.clone();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&key), &[])?;
    check_length(&req.headers)?;
    check_upload!(req.input);
    if req.input.write_offset_bytes.is_some() {
        return Err(not_implemented("appending to objects").into());
    }
    let headers = object_headers!(req.input);
    let tags = tagging_header(req.input.tagging.as_deref())?;
    authorize_tags(s3, &caller, &state, &key, &tags)?;
    let conditions = Settled::conditions(&req).write()?;
    let body = req.input.body.take();
    let sent = sent_checksum(&req, checksum_fields!(req.input))?;
    let md5 = req.input.content_md5.take();
    let body = receive(s3, &req, body, sent, md5.as_deref(), MAX_RECORD_BODY).await?;
    let object = NewObject {
        body,
        headers,
        tags,
    };
    let version = s3.put(&bucket, &key, object, &conditions).await?;
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

/// Takes a body in and checks it against what the client sent with it.
pub(super) async fn receive<T>(
    s3: &S3,
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
    let received = s3.bodies.receive(body, algorithm, in_memory).await?;
    match sent.and_then(|sent| sent.value(request)) {
        Some(value) => verify(algorithm.name(), &value, &received.checksum)?,
        None if is_announced(request, algorithm.header()) => {
            return Err(missing_trailer(algorithm.header()));
        }
        None => {}
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
        let digest = hex::encode(digest);
        verify("Content-MD5", &digest, &received.md5)?;
    }
    Ok(received)
}

/// Whether a request says that a trailer follows its body.
fn is_announced<T>(request: &S3Request<T>, name: &str) -> bool {
    let trailers = request.headers.get("x-amz-trailer");
    let trailers = trailers
        .and_then(|names| names.to_str().ok())
        .unwrap_or_default();
    let mut names = trailers.split(',').map(str::trim);
    names.any(|trailer| trailer.eq_ignore_ascii_case(name))
}

pub(super) async fn copy(
    s3: &S3,
    req: S3Request<CopyObjectInput>,
) -> Outcome<S3Response<CopyObjectOutput>> {
    let caller = caller(&req);
    let conditions = Settled::conditions(&req);
    let written_if = conditions.write()?;
    let input = req.input;
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:PutObject", Some(&input.key), &[])?;
    check_upload!(input);
    check_owner(input.expected_source_bucket_owner.as_deref())?;

    let read_if = conditions.source;
    let source = Source::open(s3, &caller, &input.copy_source, &read_if, None).await?;
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
            ..source.content.headers.clone()
        };
    }
    let tags = match replaces(
        input
            .tagging_directive
            .as_ref()
            .map(TaggingDirective::as_str),
    )? {
        true => tagging_header(input.tagging.as_deref())?,
        false => source.content.tags.clone(),
    };
    authorize_tags(s3, &caller, &state, &input.key, &tags)?;
    let algorithm = match &input.checksum_algorithm {
        Some(name) => named_algorithm(name.as_str())?,
        None => source.algorithm(),
    };
    let source_version = source.version_id.clone();
    let body = s3
        .bodies
        .receive(source.data, algorithm, MAX_RECORD_BODY)
        .await?;
    let object = NewObject {
        body,
        headers,
        tags,
    };
    let version = s3.put(&bucket, &input.key, object, &written_if).await?;
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

type BoxedBytes = std::pin::Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + Sync>>;

/// The source of a copy.
pub(super) struct Source {
    bucket: String,
    key: String,
    is_latest: bool,
    content: Content,
    pub version_id: Option<String>,
    pub data: BoxedBytes,
}

impl Source {
    pub(super) async fn open(
        s3: &S3,
        caller: &Caller,
        source: &CopySource,
        conditions: &ReadConditions,
        range: Option<Range>,
    ) -> Outcome<Self> {
        let CopySource::Bucket {
            bucket: name,
            key,
            version_id: id,
        } = source
        else {
            return Err(not_implemented("copies from access points and Outposts").into());
        };
        let state = s3.buckets.get(name)?.state();
        let wanted = Wanted {
            version_id: id.as_deref(),
            range,
            ..Wanted::whole(caller, key, conditions)
        };
        let (found, data) = match s3.fetch(&state, &wanted).await {
            Ok(read) => read,
            // A copy of something unchanged is refused, not answered with 304.
            Err(Unreadable::Unchanged(_)) => return Err(precondition_failed().into()),
            Err(unreadable) => return Err(unreadable.into()),
        };
        Ok(Self {
            bucket: name.to_string(),
            key: key.to_string(),
            is_latest: id.is_none(),
            version_id: version_id(&found.version, state.shows_versions()),
            content: found.content,
            data: match data {
                Data::Whole(bytes) => Box::pin(futures::stream::iter([Ok(bytes)])),
                Data::Stream(stream) => stream,
            },
        })
    }

    fn algorithm(&self) -> Algorithm {
        let checksum: Option<&Checksum> = self.content.checksum.as_ref();
        checksum.map_or(DEFAULT_CHECKSUM, |checksum| checksum.algorithm)
    }
}
