//! What the store has of objects, read from a snapshot of it: [`S3::look_up`] and [`S3::records`]
//! give one, on a thread that may wait for the disk.

use super::S3;
use super::errors::{invalid_version_id, no_such_key, no_such_version};
use super::version::{
    BODIES, Content, NULL, VERSIONS, Version, body_key, record_key, sequence_of, versions_prefix,
};
use super::versioning::Versioning;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Snapshot;
use serde::de::DeserializeOwned;

/// Why there is nothing to read.
#[derive(Debug, Clone)]
pub enum Missing {
    /// There is no such object or version.
    Nothing(AwsError),
    /// There is a delete marker.
    Marker(Box<Version>),
}

impl S3 {
    /// Reads many records as of one moment, on a thread that may wait for the disk.
    pub(crate) async fn records<T, E>(
        &self,
        read: impl FnOnce(&Snapshot) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<AwsError> + Send + 'static,
    {
        of_store(self.context.store.read(read).await)
    }

    /// Reads a few records in the same way, which costs less.
    pub(crate) async fn look_up<T, E>(
        &self,
        read: impl FnOnce(&Snapshot) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<AwsError> + Send + 'static,
    {
        of_store(self.context.store.look_up(read).await)
    }

    /// The version to read: of this id, or the latest one.
    pub async fn find(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<(Version, Content), Missing> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let id = version_id.map(str::to_owned);
        self.look_up(move |records| find(records, &bucket, &key, id.as_deref()))
            .await
    }
}

/// What was read, or the store's own failure as an error of AWS's.
fn of_store<T, E: From<AwsError>>(read: anyhow::Result<Result<T, E>>) -> Result<T, E> {
    read.unwrap_or_else(|error| Err(AwsError::internal(format!("{error:#}")).into()))
}

/// A record that is JSON.
pub(crate) fn parse<T: DeserializeOwned>(json: &[u8]) -> AwsResult<T> {
    serde_json::from_slice(json).map_err(AwsError::internal)
}

/// The record under `key`, if there is one.
pub(crate) fn get<T: DeserializeOwned>(
    records: &Snapshot,
    table: &str,
    key: &str,
) -> AwsResult<Option<T>> {
    let json = records.get(table, key).map_err(AwsError::internal)?;
    json.map(|json| parse(&json)).transpose()
}

/// The records whose key starts with `prefix`, in the order of their keys.
pub(crate) fn scan<T: DeserializeOwned>(
    records: &Snapshot,
    table: &str,
    prefix: &str,
) -> AwsResult<Vec<T>> {
    let found = records.scan(table, prefix).map_err(AwsError::internal)?;
    found.iter().map(|(_, json)| parse(json)).collect()
}

/// All versions of an object and its delete markers, the newest first.
pub(crate) fn versions(records: &Snapshot, bucket: &str, key: &str) -> AwsResult<Vec<Version>> {
    scan(records, VERSIONS, &versions_prefix(bucket, key))
}

/// The newest version, or delete marker, of an object.
pub(crate) fn latest(records: &Snapshot, bucket: &str, key: &str) -> AwsResult<Option<Version>> {
    let prefix = versions_prefix(bucket, key);
    let found = records.range(VERSIONS, &prefix, "", 1);
    let first = found.map_err(AwsError::internal)?.into_iter().next();
    first.map(|(_, json)| parse(&json)).transpose()
}

/// The version with the id `null`, or delete marker, of an object.
pub(crate) fn null_version(
    records: &Snapshot,
    bucket: &str,
    key: &str,
) -> AwsResult<Option<Version>> {
    let found = records.scan(VERSIONS, &versions_prefix(bucket, key));
    for (_, json) in found.map_err(AwsError::internal)? {
        let version: Version = parse(&json)?;
        if version.id == NULL {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// The version, or delete marker, of this id.
pub(crate) fn version(
    records: &Snapshot,
    bucket: &str,
    key: &str,
    id: &str,
) -> AwsResult<Option<Version>> {
    if id == NULL {
        return null_version(records, bucket, key);
    }
    let sequence = sequence_of(id).ok_or_else(invalid_version_id)?;
    let version: Option<Version> = get(records, VERSIONS, &record_key(bucket, key, sequence))?;
    Ok(version.filter(|version| version.id == id))
}

/// The version that a bucket's versioning does not keep when a new one is written.
pub(crate) fn replaced(
    records: &Snapshot,
    versioning: Versioning,
    bucket: &str,
    key: &str,
) -> AwsResult<Option<Version>> {
    match versioning {
        Versioning::Enabled => Ok(None),
        Versioning::Never => latest(records, bucket, key),
        Versioning::Suspended => null_version(records, bucket, key),
    }
}

/// The version to read: of this id, or the latest one.
pub(crate) fn find(
    records: &Snapshot,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<(Version, Content), Missing> {
    let found = match version_id {
        None => latest(records, bucket, key)?,
        Some(id) => version(records, bucket, key, id)?,
    };
    match found {
        Some(version) => match version.content.clone() {
            Some(content) => Ok((version, content)),
            None => Err(Missing::Marker(Box::new(version))),
        },
        None if version_id.is_some() => Err(no_such_version().into()),
        None => Err(no_such_key().into()),
    }
}

/// The body of a version that is stored with its record.
pub(crate) fn body(records: &Snapshot, version: &Version) -> AwsResult<Option<Bytes>> {
    let body = records.get(BODIES, &body_key(version.sequence));
    Ok(body.map_err(AwsError::internal)?.map(Bytes::from))
}

impl From<AwsError> for Missing {
    fn from(error: AwsError) -> Self {
        Self::Nothing(error)
    }
}

impl From<Missing> for AwsError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Nothing(error) => error,
            Missing::Marker(_) => no_such_key(),
        }
    }
}
