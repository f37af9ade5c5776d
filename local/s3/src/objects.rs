//! Objects: written and deleted.

use super::bodies::{MAX_RECORD_BODY, forget_files, name_files};
use super::buckets::{Bucket, BucketSettings};
use super::checksums::{Algorithm, Checksum, Coverage};
use super::conditions::WriteConditions;
use super::intake::{Place, Received};
use super::records;
use super::version::{
    BODIES, Body, Content, NULL, VERSIONS, Version, body_key, new_id, object_key, objects_prefix,
    record_key,
};
use super::versioning::Versioning;
use super::{ObjectHeaders, S3};
use bytes::Bytes;
use cloud_core::context::reset_meanwhile;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use std::collections::BTreeMap;
use std::convert::Infallible;

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
}

/// What the store has of an object that is about to be written.
struct Before {
    /// Looked for where conditions ask for it.
    latest: Option<Version>,
    /// The version that the bucket's versioning does not keep.
    replaced: Option<Version>,
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

    /// Writes an object whose bytes are all in memory.
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
        let versioning = state.settings.versioning;
        let is_conditional = !conditions.is_empty();
        let before = self.before(name, key, versioning, is_conditional).await?;
        if is_conditional {
            conditions.check(before.latest.as_ref())?;
        }
        let replaced = before.replaced;
        let InFront { version, batch } =
            self.in_front(&state.settings, key, content, replaced.as_ref())?;
        let batch = complete(batch, &version)?;
        self.commit(batch).await?;
        if let Some(replaced) = replaced {
            self.remove_files(replaced).await;
        }
        Ok(version)
    }

    /// Reads what a write of an object depends on. Most writes, without conditions and in a
    /// bucket that keeps all versions, depend on nothing.
    async fn before(
        &self,
        bucket: &str,
        key: &str,
        versioning: Versioning,
        is_conditional: bool,
    ) -> AwsResult<Before> {
        if versioning == Versioning::Enabled && !is_conditional {
            return Ok(Before {
                latest: None,
                replaced: None,
            });
        }
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.look_up(move |records| {
            let latest = match is_conditional {
                true => records::latest(records, &bucket, &key)?,
                false => None,
            };
            let replaced = records::replaced(records, versioning, &bucket, &key)?;
            Ok(Before { latest, replaced })
        })
        .await
    }

    /// What puts a version, or a delete marker, in front of all others of an object, in place of
    /// the one that is `replaced`. The caller holds the object's lock until the batch is
    /// committed.
    pub(super) fn in_front(
        &self,
        settings: &BucketSettings,
        key: &str,
        content: Option<Content>,
        replaced: Option<&Version>,
    ) -> AwsResult<InFront> {
        let name = settings.name.as_str();
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
        if let Some(replaced) = replaced {
            batch = erase(batch, name, key, replaced);
        }
        Ok(InFront { version, batch })
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
        let found = {
            let (name, key, id) = (name.to_owned(), key.to_owned(), id.to_owned());
            self.look_up(move |records| records::version(records, &name, &key, &id))
                .await?
        };
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
        let (mut version, mut content) = self.find(name, key, version_id).await?;
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
        let (name, of) = (bucket.state().settings.name.clone(), key.to_owned());
        let versions = self.records(move |records| records::versions(records, &name, &of));
        for version in versions.await? {
            let unconditional = WriteConditions::default();
            self.delete(bucket, key, Some(&version.id), &unconditional)
                .await?;
        }
        Ok(())
    }

    /// Deletes all that is in a bucket, old versions and unfinished uploads too.
    pub async fn empty(&self, bucket: &str) -> AwsResult<()> {
        /// How many versions go in one commit.
        const AT_ONCE: usize = 1_000;
        for upload in self.uploads(bucket, "").await? {
            self.abort_upload(bucket, &upload.key, &upload.id).await?;
        }
        let prefix = objects_prefix(bucket, "");
        loop {
            let prefix = prefix.clone();
            let records = self.records(move |records| {
                let first = records.range(VERSIONS, &prefix, "", AT_ONCE);
                first.map_err(AwsError::internal)
            });
            let records = records.await?;
            if records.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            let mut erased = Vec::new();
            for (record, json) in records {
                let key = object_key(&record)
                    .ok_or_else(|| AwsError::internal("a version's record has no key"))?;
                let version: Version = records::parse(&json)?;
                batch = erase(batch, bucket, &key, &version);
                erased.push(version);
            }
            self.commit(batch).await?;
            for version in erased {
                self.remove_files(version).await;
            }
        }
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

/// Takes a version out of the store; its files go when that is durable.
pub(super) fn erase(batch: Batch, bucket: &str, key: &str, version: &Version) -> Batch {
    let batch = batch.delete(VERSIONS, &record_key(bucket, key, version.sequence));
    match version.content.as_ref().map(|content| &content.body) {
        Some(Body::Record) => batch.delete(BODIES, &body_key(version.sequence)),
        Some(Body::Files(parts)) => forget_files(batch, parts),
        None => batch,
    }
}
