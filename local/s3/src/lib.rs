//! S3: buckets, versions of objects, and who may touch them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`buckets`], `names`, `paths`, `access`, `lifecycle` | buckets and their settings |
//! | [`expiry`] | the lifecycle rules, applied |
//! | `version`, `records`, `intake`, `bodies`, `sealed`, `holds`, `checksums` | what is stored, and how |
//! | `objects`, [`reading`], [`conditions`], [`listing`], `uploads` | what can be done with objects |
//! | [`wire`] | S3's own protocol, on top of the rest |
//! | [`origin`] | what CloudFront is answered that reads a bucket |
//! | `resources` | its resource types |
//! | here | the service as its neighbours in this cloud call it |

#![warn(unreachable_pub)]

mod access;
mod bodies;
pub mod buckets;
mod checksums;
pub mod conditions;
mod errors;
pub mod expiry;
mod holds;
mod intake;
mod lifecycle;
pub mod listing;
mod locks;
mod names;
mod objects;
pub mod origin;
mod paths;
pub mod reading;
mod records;
mod resources;
mod sealed;
mod uploads;
mod version;
pub mod versioning;
pub mod wire;

use anyhow::{Context as _, Result};
use bodies::Bodies;
use buckets::Buckets;
use bytes::Bytes;
use checksums::Algorithm;
use cloud_core::context::Context;
use cloud_core::error::AwsResult;
use cloud_core::faults::Disturbable;
use cloud_core::store::{Batch, COUNTERS, Store};
use cloud_iam::{Caller, Iam};
use cloud_resource::resource::AnyResourceType;
use locks::Locks;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// The checksum that S3 adds to an object whose client sent none:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
pub(crate) const DEFAULT_CHECKSUM: Algorithm = Algorithm::Crc64Nvme;

/// The type of an object whose client named none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// What can be disturbed of it: its page ErrorResponses has the errors.
pub static FAULTS: Disturbable = Disturbable {
    name: "s3",
    operations: wire::OPERATIONS,
    throttled: errors::slow_down,
    failed: errors::internal_error,
    has_settings: false,
};

/// The buckets of the account.
pub struct S3 {
    context: Context,
    iam: Arc<Iam>,
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

impl S3 {
    /// Opens the folder of large bodies; everything else is in `store`.
    pub async fn open(folder: &Path, context: &Context, iam: Arc<Iam>) -> Result<Self> {
        context.faults.register(&FAULTS);
        context.faults.register(&resources::FAULTS);
        Ok(Self {
            bodies: Bodies::open(folder, context).await?,
            buckets: Buckets::open(context.store.clone()).await?,
            sequence: Sequence::open(&context.store).await?,
            locks: Locks::new(),
            upload_locks: Locks::new(),
            context: context.clone(),
            iam,
        })
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        resources::all(self)
    }

    /// Stores an object for another service, if the caller may; durable on return. Gives its
    /// version id, where the bucket has versions.
    pub async fn put_object(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: ObjectHeaders,
    ) -> AwsResult<Option<String>> {
        self.context.faults.strike(&FAULTS, "PutObject").await?;
        let bucket = self.buckets.get(bucket)?;
        let state = bucket.state();
        if !names::key_fits(key) {
            return Err(errors::key_too_long());
        }
        self.authorize(caller, &state, "s3:PutObject", Some(key), &[])?;
        let tags = BTreeMap::new();
        let put = self.put_bytes(&bucket, key, body, DEFAULT_CHECKSUM, headers, tags);
        let version = put.await?;
        Ok(state.shows_versions().then_some(version.id))
    }
}

impl S3 {
    /// Reads all large bodies for what is damaged in them. Blocks for as long as that takes.
    pub fn check(&self, stopping: &CancellationToken) {
        self.bodies.check(stopping);
    }
}

impl ObjectHeaders {
    /// The type that the object goes out with.
    pub(crate) fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or(DEFAULT_CONTENT_TYPE)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Numbers that grow from write to write, over restarts and whatever the clock says.
struct Sequence(AtomicU64);

/// The counter of how often the sequence was opened.
const EPOCH: &str = "s3.epoch";

/// Where homes of older versions have it.
const FORMER_EPOCH: (&str, &str) = ("s3.meta", "epoch");

/// How many numbers an epoch has: the rest of 64 bits is left for 16 million starts.
const EPOCH_BITS: u32 = 40;

impl Sequence {
    async fn open(store: &Store) -> Result<Self> {
        let (table, key) = FORMER_EPOCH;
        let former = store.get(table, key).await?;
        let mut batch = Batch::new();
        if former.is_some() {
            batch = batch.delete(table, key);
        }
        let epoch: u64 = match store.get(COUNTERS, EPOCH).await?.or(former) {
            Some(text) => std::str::from_utf8(&text)?
                .parse()
                .context("the store's S3 epoch is no number")?,
            None => 0,
        };
        let epoch = epoch + 1;
        let record = epoch.to_string().into_bytes();
        store.commit(batch.put(COUNTERS, EPOCH, record)).await?;
        Ok(Self(AtomicU64::new(epoch << EPOCH_BITS)))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
