//! Objects: written, read, deleted.

use super::bodies::{MAX_RECORD_BODY, Place, Received, forget_files, name_files};
use super::buckets::{Bucket, Settings, Versioning};
use super::checksums::{Algorithm, Checksum, Coverage};
use super::conditions::WriteConditions;
use super::errors::{invalid_version_id, no_such_key, no_such_version};
use super::version::{
    BODIES, Body, Content, NULL, VERSIONS, Version, new_id, object_key, objects_prefix, record_key,
    sequence_of, versions_prefix,
};
use super::{ObjectHeaders, S3};
use bytes::Bytes;
use cloud_core::body::Data;
use cloud_core::context::reset_meanwhile;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Range;

/// A body to be written, and what goes with it.
pub struct NewObject {
    pub body: Received,
    pub headers: ObjectHeaders,
    pub tags: BTreeMap<String, String>,
}

/// What a deletion did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deletion {
    /// The version that was deleted, or the delete marker that was made.
    pub version_id: Option<String>,
    /// Whether that is a delete marker.
    pub delete_marker: bool,
}

/// A new version in front of an object's others, not yet committed.
pub(super) struct InFront {
    pub version: Version,
    pub batch: Batch,
    /// The version that the bucket's versioning does not keep; its files go when the batch is
    /// durable.
    pub replaced: Option<Version>,
}

/// Why there is nothing to read.
#[derive(Debug, Clone)]
pub enum Missing {
    /// There is no such object or version.
    Nothing(AwsError),
    /// There is a delete marker.
    Marker(Box<Version>),
}

impl S3 {
    /// Writes an object; durable on return.
    pub async fn put(
        &self,
        bucket: &Bucket,
        key: &str,
        object: NewObject,
        conditions: &WriteConditions,
    ) -> AwsResult<Version> {
        let Received {
            size,
            md5,
            checksum,
            algorithm,
            place,
        } = object.body;
        let mut content = Content {
            size,
            etag: md5,
            headers: object.headers,
            checksum: Some(Checksum {
                algorithm,
                value: checksum,
                coverage: Coverage::FullObject,
            }),
            parts: Vec::new(),
            tags: object.tags,
            body: Body::Record,
        };
        match place {
            Place::Memory(bytes) => {
                let add_body = |batch: Batch, version: &Version| {
                    Ok(batch.put(BODIES, &body_key(version.sequence), bytes.to_vec()))
                };
                self.insert(bucket, key, Some(content), conditions, add_body)
                    .await
            }
            Place::File(file) => {
                let part = file.part();
                content.body = Body::Files(vec![part.clone()]);
                let add_file = |batch, _: &Version| Ok(name_files(batch, [&part]));
                let version = self
                    .insert(bucket, key, Some(content), conditions, add_file)
                    .await?;
                file.keep();
                Ok(version)
            }
        }
    }

    /// Writes an object whose bytes are at hand.
    pub(crate) async fn put_bytes(
        &self,
        bucket: &Bucket,
        key: &str,
        bytes: Bytes,
        algorithm: Algorithm,
        headers: ObjectHeaders,
        tags: BTreeMap<String, String>,
    ) -> AwsResult<Version> {
        let bytes = futures::stream::iter([Ok::<_, Infallible>(bytes)]);
        let body = self.bodies.receive(bytes, algorithm, MAX_RECORD_BODY);
        let object = NewObject {
            body: body.await?,
            headers,
            tags,
        };
        let unconditional = WriteConditions::default();
        self.put(bucket, key, object, &unconditional).await
    }

    /// Adds a version, or a delete marker, in front of all others of the object, in place of
    /// the one that the bucket's versioning does not keep.
    pub(super) async fn insert(
        &self,
        bucket: &Bucket,
        key: &str,
        content: Option<Content>,
        conditions: &WriteConditions,
        complete: impl FnOnce(Batch, &Version) -> AwsResult<Batch>,
    ) -> AwsResult<Version> {
        let _open = bucket.open().await?;
        let state = bucket.state();
        let name = state.settings.name.as_str();
        let _lock = self.locks.lock(name, key).await;
        if !conditions.is_empty() {
            conditions.check(self.latest(name, key)?.as_ref())?;
        }
        let InFront {
            version,
            batch,
            replaced,
        } = self.in_front(&state.settings, key, content)?;
        let batch = complete(batch, &version)?;
        self.commit(batch).await?;
        if let Some(replaced) = replaced {
            self.remove_files(replaced).await;
        }
        Ok(version)
    }

    /// What puts a version, or a delete marker, in front of all others of an object. The caller
    /// holds the object's lock until the batch is committed.
    pub(super) fn in_front(
        &self,
        settings: &Settings,
        key: &str,
        content: Option<Content>,
    ) -> AwsResult<InFront> {
        let name = settings.name.as_str();
        let replaced = match settings.versioning {
            Versioning::Enabled => None,
            Versioning::Never => self.latest(name, key)?,
            Versioning::Suspended => self.null_version(name, key)?,
        };
        let sequence = self.sequence.next();
        let version = Version {
            id: match settings.versioning {
                Versioning::Enabled => new_id(sequence),
                Versioning::Never | Versioning::Suspended => NULL.to_owned(),
            },
            sequence,
            modified: self.context.clock.unix_millis(),
            content,
        };
        let json = serde_json::to_vec(&version).map_err(AwsError::internal)?;
        let mut batch = Batch::new().put(VERSIONS, &record_key(name, key, sequence), json);
        if let Some(replaced) = &replaced {
            batch = erase(batch, name, key, replaced);
        }
        Ok(InFront {
            version,
            batch,
            replaced,
        })
    }

    /// Deletes an object as the bucket's versioning has it, or for good the version of this id.
    pub async fn delete(
        &self,
        bucket: &Bucket,
        key: &str,
        version_id: Option<&str>,
        conditions: &WriteConditions,
    ) -> AwsResult<Deletion> {
        if let Some(id) = version_id {
            return self.delete_version(bucket, key, id, conditions).await;
        }
        match bucket.state().settings.versioning {
            Versioning::Never => {
                self.delete_version(bucket, key, NULL, conditions).await?;
                Ok(Deletion::default())
            }
            Versioning::Enabled | Versioning::Suspended => {
                let marker = self
                    .insert(bucket, key, None, conditions, |batch, _| Ok(batch))
                    .await?;
                Ok(Deletion {
                    version_id: Some(marker.id),
                    delete_marker: true,
                })
            }
        }
    }

    async fn delete_version(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        conditions: &WriteConditions,
    ) -> AwsResult<Deletion> {
        let _open = bucket.open().await?;
        let state = bucket.state();
        let name = state.settings.name.as_str();
        let _lock = self.locks.lock(name, key).await;
        let found = self.version(name, key, id)?;
        if !conditions.is_empty() {
            conditions.check(found.as_ref())?;
        }
        let deletion = Deletion {
            version_id: Some(id.to_owned()),
            delete_marker: found.as_ref().is_some_and(Version::is_delete_marker),
        };
        // A version that is not there is deleted as well.
        if let Some(version) = found {
            self.commit(erase(Batch::new(), name, key, &version))
                .await?;
            self.remove_files(version).await;
        }
        Ok(deletion)
    }

    /// The version to read: of this id, or the latest one.
    pub fn find(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<(Version, Content), Missing> {
        let found = match version_id {
            None => self.latest(bucket, key).map_err(Missing::Nothing)?,
            Some(id) => self.version(bucket, key, id).map_err(Missing::Nothing)?,
        };
        match found {
            Some(version) => match version.content.clone() {
                Some(content) => Ok((version, content)),
                None => Err(Missing::Marker(Box::new(version))),
            },
            None if version_id.is_some() => Err(Missing::Nothing(no_such_version())),
            None => Err(Missing::Nothing(no_such_key())),
        }
    }

    /// Bytes of a version; nothing when it was deleted in the meantime.
    pub async fn read(
        &self,
        version: &Version,
        content: &Content,
        range: Range<u64>,
    ) -> AwsResult<Option<Data>> {
        match &content.body {
            Body::Record => {
                let key = body_key(version.sequence);
                let body = self
                    .context
                    .store
                    .get(BODIES, &key)
                    .map_err(AwsError::internal)?;
                let slice = |body: Vec<u8>| {
                    let bytes = Bytes::from(body);
                    let end = usize::try_from(range.end).unwrap_or(usize::MAX);
                    let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                    let end = end.min(bytes.len());
                    Data::Whole(bytes.slice(start.min(end)..end))
                };
                Ok(body.map(slice))
            }
            Body::Files(parts) => match self.bodies.read(parts, range).await {
                Ok(stream) => Ok(Some(Data::Stream(Box::pin(stream)))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(AwsError::internal(error)),
            },
        }
    }

    /// Replaces the tags of a version.
    pub(crate) async fn set_tags(
        &self,
        bucket: &Bucket,
        key: &str,
        version_id: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> AwsResult<Version> {
        let _open = bucket.open().await?;
        let state = bucket.state();
        let name = state.settings.name.as_str();
        let _lock = self.locks.lock(name, key).await;
        let (mut version, mut content) = self.find(name, key, version_id)?;
        content.tags = tags;
        version.content = Some(content);
        let json = serde_json::to_vec(&version).map_err(AwsError::internal)?;
        let record = record_key(name, key, version.sequence);
        self.commit(Batch::new().put(VERSIONS, &record, json))
            .await?;
        Ok(version)
    }

    /// Deletes all versions of an object, for good.
    pub(crate) async fn erase_object(&self, bucket: &Bucket, key: &str) -> AwsResult<()> {
        let name = bucket.state().settings.name.clone();
        let records = self
            .context
            .store
            .scan(VERSIONS, &versions_prefix(&name, key));
        for (_, json) in records.map_err(AwsError::internal)? {
            let id = parse(&json)?.id;
            let unconditional = WriteConditions::default();
            self.delete(bucket, key, Some(&id), &unconditional).await?;
        }
        Ok(())
    }

    /// Deletes all that is in a bucket, old versions and unfinished uploads too.
    pub async fn empty(&self, bucket: &str) -> AwsResult<()> {
        /// How many versions go in one commit.
        const AT_ONCE: usize = 1_000;
        for upload in self.uploads(bucket, "")? {
            self.abort_upload(bucket, &upload.key, &upload.id).await?;
        }
        let prefix = objects_prefix(bucket, "");
        loop {
            let records = self.context.store.range(VERSIONS, &prefix, "", AT_ONCE);
            let records = records.map_err(AwsError::internal)?;
            if records.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            let mut erased = Vec::new();
            for (record, json) in records {
                let key = object_key(&record)
                    .ok_or_else(|| AwsError::internal("a version's record has no key"))?;
                let version = parse(&json)?;
                batch = erase(batch, bucket, &key, &version);
                erased.push(version);
            }
            self.commit(batch).await?;
            for version in erased {
                self.remove_files(version).await;
            }
        }
    }

    /// The newest version, or delete marker, of an object.
    pub(super) fn latest(&self, bucket: &str, key: &str) -> AwsResult<Option<Version>> {
        let prefix = versions_prefix(bucket, key);
        let records = self.context.store.range(VERSIONS, &prefix, "", 1);
        let first = records.map_err(AwsError::internal)?.into_iter().next();
        first.map(|(_, json)| parse(&json)).transpose()
    }

    pub(super) fn null_version(&self, bucket: &str, key: &str) -> AwsResult<Option<Version>> {
        let prefix = versions_prefix(bucket, key);
        let records = self.context.store.scan(VERSIONS, &prefix);
        for (_, json) in records.map_err(AwsError::internal)? {
            let version = parse(&json)?;
            if version.id == NULL {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    fn version(&self, bucket: &str, key: &str, id: &str) -> AwsResult<Option<Version>> {
        if id == NULL {
            return self.null_version(bucket, key);
        }
        let sequence = sequence_of(id).ok_or_else(invalid_version_id)?;
        let record = record_key(bucket, key, sequence);
        let json = self
            .context
            .store
            .get(VERSIONS, &record)
            .map_err(AwsError::internal)?;
        let version = json.map(|json| parse(&json)).transpose()?;
        Ok(version.filter(|version| version.id == id))
    }

    pub(super) async fn commit(&self, batch: Batch) -> AwsResult<()> {
        let written = self.context.store.commit(batch).await;
        written.map_err(|error| match self.context.store.is_closed() {
            true => reset_meanwhile(),
            false => AwsError::internal(format!("{error:#}")),
        })
    }

    pub(super) async fn remove_files(&self, version: Version) {
        if let Some(Content {
            body: Body::Files(parts),
            ..
        }) = version.content
        {
            self.bodies.remove(parts).await;
        }
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

/// Takes a version out of the store; its files go when that is durable.
pub(super) fn erase(batch: Batch, bucket: &str, key: &str, version: &Version) -> Batch {
    let batch = batch.delete(VERSIONS, &record_key(bucket, key, version.sequence));
    match version.content.as_ref().map(|content| &content.body) {
        Some(Body::Record) => batch.delete(BODIES, &body_key(version.sequence)),
        Some(Body::Files(parts)) => forget_files(batch, parts),
        None => batch,
    }
}

pub(super) fn parse(json: &[u8]) -> AwsResult<Version> {
    serde_json::from_slice(json).map_err(AwsError::internal)
}

fn body_key(sequence: u64) -> String {
    format!("{sequence:016x}")
}
