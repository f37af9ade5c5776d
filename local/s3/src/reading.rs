//! Reading an object for any caller: may they, is it there, has it changed, which part of it.

use super::bodies::FilePart;
use super::buckets::BucketState;
use super::conditions::{Freshness, ReadConditions};
use super::errors::{access_denied, invalid_part_number, invalid_request, no_such_key};
use super::records::{self, Missing};
use super::uploads::PART_NUMBERS;
use super::version::{Body, Content, Version};
use crate::S3;
use cloud_core::body::Data;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use s3s::dto::Range;
use std::ops::Range as Bounds;

/// How often an object is looked up that is overwritten while it is opened.
const LOOKS: usize = 100;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub caller: &'a Caller,
    pub key: &'a str,
    /// The latest version, when none is named.
    pub version_id: Option<&'a str>,
    pub conditions: &'a ReadConditions,
    pub range: Option<Range>,
    /// A part, of an object that was uploaded in parts.
    pub part: Option<i32>,
    /// Condition keys of the request, beside those that every request has.
    pub context: &'a [(&'a str, &'a str)],
}

impl<'a> Wanted<'a> {
    /// All of the latest version, without conditions.
    pub fn whole(caller: &'a Caller, key: &'a str, conditions: &'a ReadConditions) -> Self {
        Self {
            caller,
            key,
            version_id: None,
            conditions,
            range: None,
            part: None,
            context: &[],
        }
    }
}

/// What is there.
#[derive(Debug, Clone)]
pub struct Found {
    pub version: Version,
    pub content: Content,
    pub section: Section,
}

/// The part of an object that is read.
#[derive(Debug, Clone)]
pub struct Section {
    pub bounds: Bounds<u64>,
    pub is_whole: bool,
    /// How many parts the object has, when a part was asked for.
    pub parts_count: Option<i32>,
}

/// Whether bytes are read with the records that lead to them.
#[derive(Clone, Copy)]
enum Bytes {
    No,
    /// Of a body that is stored with its record.
    IfSmall,
}

/// Why there is nothing to read.
#[derive(Debug, Clone)]
pub enum Unreadable {
    Refused(AwsError),
    /// There is a delete marker.
    Hidden {
        marker: Box<Version>,
        /// Whether it was the marker that was asked for.
        by_id: bool,
    },
    /// It is what the client has.
    Unchanged(Box<Found>),
}

impl S3 {
    /// Finds what is to be read.
    pub async fn look(
        &self,
        bucket: &BucketState,
        wanted: &Wanted<'_>,
    ) -> Result<Found, Unreadable> {
        let (found, _) = self.look_for(bucket, wanted, Bytes::No).await?;
        Ok(found)
    }

    /// Finds what is to be read, and opens it.
    pub async fn fetch(
        &self,
        bucket: &BucketState,
        wanted: &Wanted<'_>,
    ) -> Result<(Found, Data), Unreadable> {
        for _ in 0..LOOKS {
            let (found, small) = self.look_for(bucket, wanted, Bytes::IfSmall).await?;
            let bounds = found.section.bounds.clone();
            let data = match &found.content.body {
                Body::Record => small.map(|body| Data::Whole(slice(&body, &bounds))),
                Body::Files(parts) => self.open_files(parts, bounds).await?,
            };
            // What was overwritten in the meantime is looked up again.
            if let Some(data) = data {
                return Ok((found, data));
            }
        }
        let key = wanted.key;
        Err(AwsError::internal(format!("the data of {key:?} is not there")).into())
    }

    async fn look_for(
        &self,
        bucket: &BucketState,
        wanted: &Wanted<'_>,
        bytes: Bytes,
    ) -> Result<(Found, Option<bytes::Bytes>), Unreadable> {
        let Wanted {
            caller,
            key,
            version_id: id,
            context,
            ..
        } = *wanted;
        match id {
            Some(id) => {
                let context = [context, &[("s3:VersionId", id)]].concat();
                self.authorize(caller, bucket, "s3:GetObjectVersion", Some(key), &context)?;
            }
            None => self.authorize(caller, bucket, "s3:GetObject", Some(key), context)?,
        }
        let (version, content, small) = match self.find_with(bucket, wanted, bytes).await {
            Ok(found) => found,
            // A caller that may not list a bucket does not learn what is missing in it:
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
            Err(Missing::Nothing(error)) if error.is_server_fault() => return Err(error.into()),
            Err(_) if !self.may(caller, bucket, "s3:ListBucket", context) => {
                return Err(access_denied().into());
            }
            Err(Missing::Nothing(error)) => return Err(error.into()),
            Err(Missing::Marker(marker)) => {
                return Err(Unreadable::Hidden {
                    marker,
                    by_id: id.is_some(),
                });
            }
        };
        let etag = content.etag.clone();
        let modified = version.last_modified();
        // Conditions come before a range (RFC 9110, section 13.2.2).
        let freshness = wanted.conditions.check(&etag, modified)?;
        let unchanged = freshness == Freshness::Unchanged;
        let has_range = !unchanged && wanted.conditions.allow_range(&etag, modified);
        let wanted = Wanted {
            range: wanted.range.filter(|_| has_range),
            part: wanted.part.filter(|_| !unchanged),
            ..*wanted
        };
        let found = Found {
            section: section(&content, &wanted)?,
            version,
            content,
        };
        match unchanged {
            true => Err(Unreadable::Unchanged(Box::new(found))),
            false => Ok((found, small)),
        }
    }

    /// Finds a version, and its body where that is asked for and stored with the record: both
    /// with one look into the store.
    async fn find_with(
        &self,
        bucket: &BucketState,
        wanted: &Wanted<'_>,
        bytes: Bytes,
    ) -> Result<(Version, Content, Option<bytes::Bytes>), Missing> {
        let (bucket, key) = (bucket.settings.name.clone(), wanted.key.to_owned());
        let id = wanted.version_id.map(str::to_owned);
        self.look_up(move |records| {
            let (version, content) = records::find(records, &bucket, &key, id.as_deref())?;
            let small = match (bytes, &content.body) {
                (Bytes::IfSmall, Body::Record) => records::body(records, &version)?,
                _ => None,
            };
            Ok((version, content, small))
        })
        .await
    }

    /// Bytes in files; nothing when they were deleted in the meantime.
    async fn open_files(&self, parts: &[FilePart], range: Bounds<u64>) -> AwsResult<Option<Data>> {
        match self.bodies.read(parts, range).await {
            Ok(stream) => Ok(Some(Data::Stream(Box::pin(stream)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AwsError::internal(error)),
        }
    }
}

impl Section {
    /// The header of an answer that is a part of the whole.
    pub fn content_range(&self, size: u64) -> Option<String> {
        let Bounds { start, end } = self.bounds;
        (!self.is_whole && end > start).then(|| format!("bytes {start}-{}/{size}", end - 1))
    }

    pub fn length(&self) -> u64 {
        self.bounds.end - self.bounds.start
    }
}

impl From<AwsError> for Unreadable {
    fn from(error: AwsError) -> Self {
        Self::Refused(error)
    }
}

impl From<Unreadable> for AwsError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Refused(error) => error,
            Unreadable::Hidden { by_id: false, .. } => no_such_key(),
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
            Unreadable::Hidden { by_id: true, .. } => Self::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ),
            Unreadable::Unchanged(_) => Self::new(304, "NotModified", "Not Modified"),
        }
    }
}

fn slice(body: &bytes::Bytes, bounds: &Bounds<u64>) -> bytes::Bytes {
    let end = usize::try_from(bounds.end).unwrap_or(usize::MAX);
    let start = usize::try_from(bounds.start).unwrap_or(usize::MAX);
    let end = end.min(body.len());
    body.slice(start.min(end)..end)
}

fn section(content: &Content, wanted: &Wanted<'_>) -> AwsResult<Section> {
    match (wanted.range, wanted.part) {
        (None, None) => Ok(Section {
            bounds: 0..content.size,
            is_whole: true,
            parts_count: None,
        }),
        (Some(_), Some(_)) => Err(invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        )),
        (Some(range), None) => Ok(Section {
            bounds: range.check(content.size).map_err(|_| {
                AwsError::new(
                    416,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                )
            })?,
            is_whole: false,
            parts_count: None,
        }),
        (None, Some(part)) => one_part(content, part),
    }
}

fn one_part(content: &Content, part: i32) -> AwsResult<Section> {
    // From 1 to 10,000: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    if !u32::try_from(part).is_ok_and(|part| PART_NUMBERS.contains(&part)) {
        return Err(invalid_part_number());
    }
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
    let count = i32::try_from(content.parts.len()).ok();
    Ok(Section {
        bounds: start..start + parts[index],
        is_whole: false,
        parts_count: count.filter(|count| *count > 0),
    })
}
