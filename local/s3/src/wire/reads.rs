//! Objects read.

use super::convert::{
    caller, check_owner, checksum_type, encryption, etag, http_date, length, set_checksum,
    timestamp, version_id,
};
use super::refused::Outcome;
use super::request::{ObjectBody, Settled};
use crate::ObjectHeaders;
use crate::S3;
use crate::checksums::Algorithm;
use crate::errors::not_implemented;
use crate::reading::{Found, Unreadable, Wanted};
use crate::version::{Content, Version};
use cloud_core::body::Data;
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

/// The type of an object whose client named none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// What GET and HEAD ask for. Their inputs are types of their own, with the same fields.
macro_rules! asked {
    ($s3:expr, $input:ident, $caller:expr, $conditions:expr) => {{
        check_owner($input.expected_bucket_owner.as_deref())?;
        if $input.sse_customer_algorithm.is_some() {
            return Err(not_implemented("encryption with customer keys").into());
        }
        let state = $s3.buckets.get(&$input.bucket)?.state();
        let wanted = Wanted {
            caller: $caller,
            key: &$input.key,
            version_id: $input.version_id.as_deref(),
            conditions: $conditions,
            range: $input.range,
            part: $input.part_number,
            context: &[],
        };
        (state, wanted)
    }};
}

/// What GET and HEAD say of an object. Their outputs are types of their own, with the same fields.
macro_rules! described {
    ($output:ident, $input:ident, $found:ident, $state:ident) => {{
        let Found {
            version,
            content,
            section,
        } = &$found;
        let shown = $input
            .checksum_mode
            .as_ref()
            .filter(|mode| mode.as_str() == ChecksumMode::ENABLED && section.is_whole)
            .and(content.checksum.as_ref());
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: content.headers.cache_control.clone(),
            checksum_type: checksum_type(shown),
            content_disposition: content.headers.content_disposition.clone(),
            content_encoding: content.headers.content_encoding.clone(),
            content_language: content.headers.content_language.clone(),
            content_length: length(section.length()),
            content_range: section.content_range(content.size),
            content_type: Some(content_type(&content.headers)),
            e_tag: etag(&content.etag),
            expires: expires(&content.headers),
            last_modified: Some(timestamp(version.last_modified())),
            metadata: Some(content.headers.metadata.clone().into_iter().collect()),
            parts_count: section.parts_count,
            server_side_encryption: encryption(),
            storage_class: shown_storage_class(&content.headers),
            version_id: version_id(version, $state.shows_versions()),
            ..$output::default()
        };
        set_checksum!(output, shown);
        output
    }};
}

pub(super) async fn get(
    s3: &S3,
    req: S3Request<GetObjectInput>,
) -> Outcome<S3Response<GetObjectOutput>> {
    let conditions = Settled::conditions(&req).read;
    let caller = caller(&req);
    let input = req.input;
    let (state, wanted) = asked!(s3, input, &caller, &conditions);
    let (found, data) = s3.fetch(&state, &wanted).await?;
    let mut output = described!(GetObjectOutput, input, found, state);
    output.tag_count = tag_count(&found.content);
    output.body = Some(match data {
        Data::Whole(bytes) => StreamingBlob::from(s3s::Body::from(bytes)),
        Data::Stream(stream) => StreamingBlob::wrap(stream),
    });
    let mut answer = S3Response::new(output);
    answer.extensions.insert(ObjectBody);
    Ok(answer)
}

pub(super) async fn head(
    s3: &S3,
    req: S3Request<HeadObjectInput>,
) -> Outcome<S3Response<HeadObjectOutput>> {
    let conditions = Settled::conditions(&req).read;
    let caller = caller(&req);
    let input = req.input;
    let (state, wanted) = asked!(s3, input, &caller, &conditions);
    let found = s3.look(&state, &wanted)?;
    let output = described!(HeadObjectOutput, input, found, state);
    Ok(S3Response::new(output))
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
