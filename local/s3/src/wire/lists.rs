//! Lists of objects and versions.

use super::convert::{caller, check_owner, etag, length, list_limit, owner, timestamp, url_encode};
use super::refused::Outcome;
use crate::S3;
use crate::errors::{invalid_argument, unknown_token};
use crate::listing::{After, Entry, Of, Page, Query};
use cloud_core::error::AwsResult;
use cloud_core::tokens;
use cloud_iam::Caller;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

pub(super) async fn objects(
    s3: &S3,
    req: S3Request<ListObjectsInput>,
) -> Outcome<S3Response<ListObjectsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let encoding = Encoding::of(input.encoding_type)?;
    let (limit, max_keys) = list_limit("maxKeys", input.max_keys)?;
    let marker = input.marker.filter(|marker| !marker.is_empty());
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after: marker.clone().map(behind),
        limit,
    };
    authorize(
        s3,
        &caller,
        &input.bucket,
        "s3:ListBucket",
        &query,
        max_keys,
    )?;
    let page = s3.list(&input.bucket, Of::Objects, &query)?;
    // Without a delimiter, the last key is the marker of the next page.
    let next = page.next.as_ref().filter(|_| query.delimiter.is_some());
    Ok(S3Response::new(ListObjectsOutput {
        common_prefixes: common_prefixes(&page, encoding),
        contents: Some(entries(&page, encoding, true)),
        delimiter: query.delimiter.map(|text| encoding.apply(&text)),
        encoding_type: encoding.name(),
        is_truncated: Some(page.next.is_some()),
        marker: Some(encoding.apply(&marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        next_marker: next.map(|after| encoding.apply(&after.key)),
        prefix: Some(encoding.apply(&query.prefix)),
        ..ListObjectsOutput::default()
    }))
}

pub(super) async fn objects_v2(
    s3: &S3,
    req: S3Request<ListObjectsV2Input>,
) -> Outcome<S3Response<ListObjectsV2Output>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let encoding = Encoding::of(input.encoding_type)?;
    let (limit, max_keys) = list_limit("maxKeys", input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => {
            let place = tokens::place(&list_of(&input.bucket), token);
            Some(place.ok_or_else(unknown_token)?)
        }
        None => input.start_after.clone().filter(|key| !key.is_empty()),
    };
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after: after.map(behind),
        limit,
    };
    authorize(
        s3,
        &caller,
        &input.bucket,
        "s3:ListBucket",
        &query,
        max_keys,
    )?;
    let page = s3.list(&input.bucket, Of::Objects, &query)?;
    let with_owner = input.fetch_owner == Some(true);
    let next = page.next.as_ref();
    let next = next.map(|after| tokens::token(&list_of(&input.bucket), &after.key));
    Ok(S3Response::new(ListObjectsV2Output {
        common_prefixes: common_prefixes(&page, encoding),
        contents: Some(entries(&page, encoding, with_owner)),
        continuation_token: input.continuation_token,
        delimiter: query.delimiter.map(|text| encoding.apply(&text)),
        encoding_type: encoding.name(),
        is_truncated: Some(page.next.is_some()),
        key_count: i32::try_from(page.entries.len() + page.common_prefixes.len()).ok(),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        next_continuation_token: next,
        prefix: Some(encoding.apply(&query.prefix)),
        start_after: input.start_after.map(|text| encoding.apply(&text)),
        ..ListObjectsV2Output::default()
    }))
}

pub(super) async fn versions(
    s3: &S3,
    req: S3Request<ListObjectVersionsInput>,
) -> Outcome<S3Response<ListObjectVersionsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let encoding = Encoding::of(input.encoding_type)?;
    let (limit, max_keys) = list_limit("max-keys", input.max_keys)?;
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    let version_id_marker = input.version_id_marker.filter(|marker| !marker.is_empty());
    if version_id_marker.is_some() && key_marker.is_none() {
        return Err(invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
        )
        .into());
    }
    let after = key_marker.clone().map(|key| After {
        key,
        version_id: version_id_marker.clone(),
    });
    let query = Query {
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter,
        after,
        limit,
    };
    let action = "s3:ListBucketVersions";
    authorize(s3, &caller, &input.bucket, action, &query, max_keys)?;
    let page = s3.list(&input.bucket, Of::Versions, &query)?;
    let (markers, versions): (Vec<&Entry>, Vec<&Entry>) = page
        .entries
        .iter()
        .partition(|entry| entry.version.is_delete_marker());
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: common_prefixes(&page, encoding),
        delete_markers: Some(
            markers
                .into_iter()
                .map(|e| delete_marker(e, encoding))
                .collect(),
        ),
        versions: Some(versions.into_iter().map(|e| version(e, encoding)).collect()),
        delimiter: query.delimiter.as_deref().map(|text| encoding.apply(text)),
        encoding_type: encoding.name(),
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(encoding.apply(&key_marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        next_key_marker: page.next.as_ref().map(|after| encoding.apply(&after.key)),
        next_version_id_marker: page
            .next
            .as_ref()
            .and_then(|after| after.version_id.clone()),
        prefix: Some(encoding.apply(&query.prefix)),
        version_id_marker: Some(version_id_marker.unwrap_or_default()),
        ..ListObjectVersionsOutput::default()
    }))
}

/// How keys are written in a list.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn of(encoding: Option<EncodingType>) -> AwsResult<Self> {
        match encoding.as_ref().map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(invalid_argument(
                "Invalid Encoding Method specified in Request",
            )),
        }
    }

    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => url_encode(text),
        }
    }

    pub(super) fn name(self) -> Option<EncodingType> {
        match self {
            Self::Plain => None,
            Self::Url => Some(EncodingType::from_static(EncodingType::URL)),
        }
    }
}

/// Keys that a policy may test:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>.
fn authorize(
    s3: &S3,
    caller: &Caller,
    bucket: &str,
    action: &str,
    query: &Query,
    max_keys: i32,
) -> AwsResult<()> {
    let max_keys = max_keys.to_string();
    let mut context = vec![("s3:max-keys", max_keys.as_str())];
    if !query.prefix.is_empty() {
        context.push(("s3:prefix", &query.prefix));
    }
    context.extend(
        query
            .delimiter
            .as_deref()
            .map(|text| ("s3:delimiter", text)),
    );
    let bucket = s3.buckets.get(bucket)?;
    s3.authorize(caller, &bucket.state(), action, None, &context)
}

fn behind(key: String) -> After {
    After {
        key,
        version_id: None,
    }
}

/// What a bucket's list is to its tokens.
fn list_of(bucket: &str) -> String {
    format!("objects {bucket}")
}

fn common_prefixes(page: &Page, encoding: Encoding) -> Option<Vec<CommonPrefix>> {
    let prefixes = page.common_prefixes.iter().map(|prefix| CommonPrefix {
        prefix: Some(encoding.apply(prefix)),
    });
    Some(prefixes.collect())
}

fn entries(page: &Page, encoding: Encoding, with_owner: bool) -> Vec<Object> {
    let object = |entry: &Entry| {
        let content = entry.version.content.as_ref()?;
        let class = content.headers.storage_class.as_deref();
        Some(Object {
            checksum_algorithm: content.checksum.as_ref().map(|checksum| {
                vec![ChecksumAlgorithm::from(
                    checksum.algorithm.name().to_owned(),
                )]
            }),
            checksum_type: super::convert::checksum_type(content.checksum.as_ref()),
            e_tag: etag(&content.etag),
            key: Some(encoding.apply(&entry.key)),
            last_modified: Some(timestamp(entry.version.last_modified())),
            owner: with_owner.then(owner),
            restore_status: None,
            size: length(content.size),
            storage_class: Some(ObjectStorageClass::from(
                class.unwrap_or(ObjectStorageClass::STANDARD).to_owned(),
            )),
        })
    };
    page.entries.iter().filter_map(object).collect()
}

fn version(entry: &Entry, encoding: Encoding) -> ObjectVersion {
    let content = entry.version.content.as_ref();
    let checksum = content.and_then(|content| content.checksum.as_ref());
    let class = content.and_then(|content| content.headers.storage_class.clone());
    ObjectVersion {
        checksum_algorithm: checksum.map(|checksum| {
            vec![ChecksumAlgorithm::from(
                checksum.algorithm.name().to_owned(),
            )]
        }),
        checksum_type: super::convert::checksum_type(checksum),
        e_tag: content.and_then(|content| etag(&content.etag)),
        is_latest: Some(entry.is_latest),
        key: Some(encoding.apply(&entry.key)),
        last_modified: Some(timestamp(entry.version.last_modified())),
        owner: Some(owner()),
        restore_status: None,
        size: content.and_then(|content| length(content.size)),
        storage_class: Some(ObjectVersionStorageClass::from(
            class.unwrap_or_else(|| ObjectVersionStorageClass::STANDARD.to_owned()),
        )),
        version_id: Some(entry.version.id.clone()),
    }
}

fn delete_marker(entry: &Entry, encoding: Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(entry.is_latest),
        key: Some(encoding.apply(&entry.key)),
        last_modified: Some(timestamp(entry.version.last_modified())),
        owner: Some(owner()),
        version_id: Some(entry.version.id.clone()),
    }
}
