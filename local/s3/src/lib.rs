//! S3: buckets, versions of objects, and who may touch them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`buckets`], [`names`], [`paths`], [`access`], [`lifecycle`] | buckets and their settings |
//! | [`expiry`] | the lifecycle rules, applied |
//! | [`version`], [`bodies`], `sealed`, `holds`, [`checksums`] | what is stored, and how |
//! | [`objects`], [`reading`], [`conditions`], [`listing`], [`uploads`] | what can be done with objects |
//! | [`protocol`] | S3's own protocol, on top of the rest |
//! | here | the service as its neighbours in this cloud call it |

pub mod access;
pub mod bodies;
pub mod buckets;
pub mod checksums;
pub mod conditions;
pub mod errors;
pub mod expiry;
mod holds;
pub mod lifecycle;
pub mod listing;
mod locks;
pub mod names;
pub mod objects;
pub mod paths;
pub mod protocol;
pub mod reading;
mod sealed;
pub mod uploads;
pub mod version;

use cloud_core::clock::Clock;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::faults::Service;
use cloud_iam::Caller;
use cloud_core::store::{Batch, Store};
use cloud_core::troubles::Troubles;
use anyhow::{Context, Result};
use bodies::Bodies;
use buckets::Buckets;
use bytes::{Bytes, BytesMut};
use checksums::Algorithm;
use conditions::ReadConditions;
use futures::StreamExt;
use locks::Locks;
use objects::Data;
use reading::{Found, Wanted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// The checksum that S3 adds to an object whose client sent none:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
pub const DEFAULT_CHECKSUM: Algorithm = Algorithm::Crc64Nvme;

/// The buckets of the account.
pub struct S3 {
    store: Store,
    clock: Clock,
    bodies: Bodies,
    pub buckets: Buckets,
    sequence: Sequence,
    locks: Locks,
    /// Apart from `locks`: completing an upload needs one of each.
    upload_locks: Locks,
}

/// What is stored with an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectHeaders {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// As the client wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `x-amz-meta-*`, without the prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// An object as it is read.
#[derive(Debug, Clone)]
pub struct Object {
    pub body: Bytes,
    pub headers: ObjectHeaders,
    /// Without the quotes.
    pub etag: String,
    pub last_modified: time::OffsetDateTime,
    /// Absent in a bucket that was never versioned.
    pub version_id: Option<String>,
}

impl S3 {
    /// Opens the folder of large bodies; everything else is in `store`.
    pub async fn open(
        folder: &Path,
        store: Store,
        clock: Clock,
        troubles: &Troubles,
    ) -> Result<Self> {
        Ok(Self {
            bodies: Bodies::open(folder, &store, troubles)?,
            buckets: Buckets::open(store.clone())?,
            sequence: Sequence::open(&store).await?,
            locks: Locks::new(),
            upload_locks: Locks::new(),
            store,
            clock,
        })
    }
}

impl S3 {
    /// Reads all large bodies for what is damaged in them. Blocks for as long as that takes.
    pub fn check(&self, stopping: &CancellationToken) {
        self.bodies.check(stopping);
    }
}

impl ObjectHeaders {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Calls from other services inside the cloud; each is decided by IAM like one from outside.
impl crate::cloud::Cloud {
    /// Stores an object; durable on return. Gives its version id, where the bucket has versions.
    pub async fn s3_put_object(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: ObjectHeaders,
    ) -> AwsResult<Option<String>> {
        self.faults.strike(Service::S3, "PutObject").await?;
        let bucket = self.s3.buckets.get(bucket)?;
        let state = bucket.state();
        if !names::key_fits(key) {
            return Err(errors::key_too_long());
        }
        self.s3_authorize(caller, &state, "s3:PutObject", Some(key), &[])?;
        let tags = BTreeMap::new();
        let put = self
            .s3
            .put_bytes(&bucket, key, body, DEFAULT_CHECKSUM, headers, tags);
        let version = put.await?;
        Ok(state.shows_versions().then_some(version.id))
    }

    /// Reads the current version of an object.
    pub async fn s3_get_object(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
    ) -> AwsResult<Object> {
        self.faults.strike(Service::S3, "GetObject").await?;
        let state = self.s3.buckets.get(bucket)?.state();
        let unconditional = ReadConditions::default();
        let wanted = Wanted::whole(caller, key, &unconditional);
        let (found, data) = self.s3_read(&state, &wanted).await?;
        let body = match data {
            Data::Whole(body) => body,
            Data::Stream(mut stream) => {
                let mut body = BytesMut::new();
                while let Some(chunk) = stream.next().await {
                    body.extend_from_slice(&chunk.map_err(AwsError::internal)?);
                }
                body.freeze()
            }
        };
        let Found {
            version, content, ..
        } = found;
        Ok(Object {
            body,
            etag: content.etag,
            last_modified: version.last_modified(),
            headers: content.headers,
            version_id: state.shows_versions().then_some(version.id),
        })
    }
}

/// Numbers that grow from write to write, over restarts and whatever the clock says.
struct Sequence(AtomicU64);

/// The table and key of how often the sequence was opened.
const META: &str = "s3.meta";
const EPOCH: &str = "epoch";

/// How many numbers an epoch has: the rest of 64 bits is left for 16 million starts.
const EPOCH_BITS: u32 = 40;

impl Sequence {
    async fn open(store: &Store) -> Result<Self> {
        let epoch: u64 = match store.get(META, EPOCH)? {
            Some(text) => std::str::from_utf8(&text)?
                .parse()
                .context("the store's S3 epoch is no number")?,
            None => 0,
        };
        let epoch = epoch + 1;
        let record = epoch.to_string().into_bytes();
        store.commit(Batch::new().put(META, EPOCH, record)).await?;
        Ok(Self(AtomicU64::new(epoch << EPOCH_BITS)))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
