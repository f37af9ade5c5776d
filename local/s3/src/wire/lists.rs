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

/// What all lists of a bucket are asked.
pub(super) struct Asked {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    pub encoding: Encoding,
    /// How many entries a page has at most, as it is used and as it is told.
    pub limit: usize,
    pub max: i32,
}

/// Reads what a list is asked. The inputs of the s3s crate are a type for each list, with the same
/// fields. Only the largest number of entries, `$max`, has another name in each; S3 calls it
/// `$name` when it refuses it.
macro_rules! asked {
    ($input:ident, $name:literal, $max:expr) => {{
        check_owner($input.expected_bucket_owner.as_deref())?;
        let encoding = Encoding::of($input.encoding_type)?;
        let (limit, max) = list_limit($name, $max)?;
        Asked {
            bucket: $input.bucket,
            prefix: $input.prefix.unwrap_or_default(),
            delimiter: $input.delimiter,
            encoding,
            limit,
            max,
        }
    }};
}
pub(super) use asked;

/// What every list of objects says. The outputs of the s3s crate are a type for each list, with
/// these fields in all of them.
macro_rules! listed {
    ($output:ident, $asked:ident, $page:ident) => {
        $output {
            common_prefixes: common_prefixes(&$page, $asked.encoding),
            delimiter: $asked
                .delimiter
                .as_deref()
                .map(|text| $asked.encoding.apply(text)),
            encoding_type: $asked.encoding.name(),
            is_truncated: Some($page.is_truncated),
            max_keys: Some($asked.max),
            name: Some($asked.bucket.clone()),
            prefix: Some($asked.encoding.apply(&$asked.prefix)),
            ..$output::default()
        }
    };
}

pub(super) async fn objects(
    s3: &S3,
    req: S3Request<ListObjectsInput>,
) -> Outcome<S3Response<ListObjectsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    let asked = asked!(input, "maxKeys", input.max_keys);
    let marker = input.marker.filter(|marker| !marker.is_empty());
    let query = asked.query(marker.clone().map(after_key));
    let page = page(s3, &caller, Of::Objects, &asked, &query).await?;
    // Without a delimiter, the last key is the marker of the next page.
    let next = page.next.as_ref().filter(|_| asked.delimiter.is_some());
    let encoding = asked.encoding;
    let mut output = listed!(ListObjectsOutput, asked, page);
    output.contents = Some(entries(&page, encoding, true));
    output.marker = Some(encoding.apply(&marker.unwrap_or_default()));
    output.next_marker = next.map(|after| encoding.apply(&after.key));
    Ok(S3Response::new(output))
}

pub(super) async fn objects_v2(
    s3: &S3,
    req: S3Request<ListObjectsV2Input>,
) -> Outcome<S3Response<ListObjectsV2Output>> {
    let caller = caller(&req);
    let input = req.input;
    let asked = asked!(input, "maxKeys", input.max_keys);
    let after = match &input.continuation_token {
        Some(token) => {
            let place = tokens::place(&list_of(&asked.bucket), token);
            Some(place.ok_or_else(unknown_token)?)
        }
        None => input.start_after.clone().filter(|key| !key.is_empty()),
    };
    let query = asked.query(after.map(after_key));
    let page = page(s3, &caller, Of::Objects, &asked, &query).await?;
    let next = page.next.as_ref();
    let encoding = asked.encoding;
    let mut output = listed!(ListObjectsV2Output, asked, page);
    output.contents = Some(entries(&page, encoding, input.fetch_owner == Some(true)));
    output.continuation_token = input.continuation_token;
    output.key_count = i32::try_from(page.entries.len() + page.common_prefixes.len()).ok();
    output.next_continuation_token =
        next.map(|after| tokens::token(&list_of(&asked.bucket), &after.key));
    output.start_after = input.start_after.map(|text| encoding.apply(&text));
    Ok(S3Response::new(output))
}

pub(super) async fn versions(
    s3: &S3,
    req: S3Request<ListObjectVersionsInput>,
) -> Outcome<S3Response<ListObjectVersionsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    let asked = asked!(input, "max-keys", input.max_keys);
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    let version_id_marker = input.version_id_marker.filter(|marker| !marker.is_empty());
    if version_id_marker.is_some() && key_marker.is_none() {
        return Err(invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
        )
        .into());
    }
    let query = asked.query(key_marker.clone().map(|key| After {
        key,
        version_id: version_id_marker.clone(),
    }));
    let page = page(s3, &caller, Of::Versions, &asked, &query).await?;
    let encoding = asked.encoding;
    let (markers, versions): (Vec<&Entry>, Vec<&Entry>) = page
        .entries
        .iter()
        .partition(|entry| entry.version.is_delete_marker());
    let markers = markers.into_iter().map(|one| delete_marker(one, encoding));
    let versions = versions.into_iter().map(|one| version(one, encoding));
    let next = page.next.as_ref();
    let mut output = listed!(ListObjectVersionsOutput, asked, page);
    output.delete_markers = Some(markers.collect());
    output.versions = Some(versions.collect());
    output.key_marker = Some(encoding.apply(&key_marker.unwrap_or_default()));
    output.next_key_marker = next.map(|after| encoding.apply(&after.key));
    output.next_version_id_marker = next.and_then(|after| after.version_id.clone());
    output.version_id_marker = Some(version_id_marker.unwrap_or_default());
    Ok(S3Response::new(output))
}

impl Asked {
    pub(super) fn query(&self, after: Option<After>) -> Query {
        Query {
            prefix: self.prefix.clone(),
            delimiter: self.delimiter.clone(),
            after,
            limit: self.limit,
        }
    }
}

/// A page, if the caller may list.
async fn page(
    s3: &S3,
    caller: &Caller,
    of: Of,
    asked: &Asked,
    query: &Query,
) -> AwsResult<Page<Entry>> {
    let action = match of {
        Of::Objects => "s3:ListBucket",
        Of::Versions => "s3:ListBucketVersions",
    };
    // Keys that a policy may test:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
    let max_keys = asked.max.to_string();
    let mut context = vec![("s3:max-keys", max_keys.as_str())];
    if !asked.prefix.is_empty() {
        context.push(("s3:prefix", &asked.prefix));
    }
    let delimiter = asked.delimiter.as_deref();
    context.extend(delimiter.map(|text| ("s3:delimiter", text)));
    let bucket = s3.buckets.get(&asked.bucket)?;
    s3.authorize(caller, &bucket.state(), action, None, &context)?;
    s3.list(&asked.bucket, of, query).await
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

fn after_key(key: String) -> After {
    After {
        key,
        version_id: None,
    }
}

/// What a bucket's list is to its tokens.
fn list_of(bucket: &str) -> String {
    format!("objects {bucket}")
}

fn common_prefixes(page: &Page<Entry>, encoding: Encoding) -> Option<Vec<CommonPrefix>> {
    let prefixes = page.common_prefixes.iter().map(|prefix| CommonPrefix {
        prefix: Some(encoding.apply(prefix)),
    });
    Some(prefixes.collect())
}

fn entries(page: &Page<Entry>, encoding: Encoding, with_owner: bool) -> Vec<Object> {
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
