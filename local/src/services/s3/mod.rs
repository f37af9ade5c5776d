//! S3: buckets, versions of objects, and who may touch them.

use crate::clock::Clock;
use crate::error::{AwsError, AwsResult};
use crate::services::iam::Caller;
use crate::store::Store;
use anyhow::Result;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The buckets of the account.
pub struct S3 {
    _folder: PathBuf,
    _store: Store,
    _clock: Clock,
}

/// What is stored with an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub cache_control: Option<String>,
    /// `x-amz-meta-*`, without the prefix.
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
    pub fn open(folder: &Path, store: Store, clock: Clock) -> Result<Self> {
        Ok(Self {
            _folder: folder.to_owned(),
            _store: store,
            _clock: clock,
        })
    }
}

/// Calls from other services inside the cloud; each is decided by IAM like one from outside.
impl crate::cloud::Cloud {
    /// Stores an object; durable on return. Gives its version id, where the bucket has versions.
    pub async fn s3_put_object(
        &self,
        _caller: &Caller,
        _bucket: &str,
        _key: &str,
        _body: Bytes,
        _headers: ObjectHeaders,
    ) -> AwsResult<Option<String>> {
        Err(AwsError::internal("not built yet"))
    }

    /// Reads the current version of an object.
    pub async fn s3_get_object(
        &self,
        _caller: &Caller,
        _bucket: &str,
        _key: &str,
    ) -> AwsResult<Object> {
        Err(AwsError::internal("not built yet"))
    }
}
