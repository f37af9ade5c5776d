//! Lifecycle rules applied: what is due is deleted, from time to time.
//!
//! What is due is decided twice: once to find the objects, and again under the lock of each,
//! with all its versions as they are then: a client that writes, restores or deletes a version
//! in between loses nothing. What goes wrong with one object, upload or bucket is logged and
//! costs that one alone: the next run comes back to it.

use super::S3;
use super::buckets::Bucket;
use super::lifecycle::{Step, due, upload_is_due};
use super::objects::erase;
use super::records::{self, parse, replaced};
use super::version::{VERSIONS, Version, object_key, objects_prefix};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use std::sync::Arc;
use std::time::Duration;

/// How many versions are looked at in one go.
const PAGE: usize = 1_000;

/// How often the rules are applied; AWS does so about once a day.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// What the task is called where troubles are named.
const SOURCE: &str = "the lifecycle of buckets";

/// Applies the rules of all buckets from time to time until the cloud stops.
pub fn spawn(s3: &Arc<S3>) {
    let task = Arc::clone(s3);
    s3.context.tasks.spawn(async move {
        let apply = || apply_until_stopped(&task);
        let shared = &task.context;
        let supervised = shared.troubles.supervise(SOURCE, &shared.stopping, apply);
        supervised.await;
    });
}

async fn apply_until_stopped(s3: &S3) {
    let context = &s3.context;
    loop {
        let expired = tokio::select! {
            // A reset deletes everything anyhow.
            () = context.abandoned.cancelled() => return,
            expired = s3.expire(context.clock.unix_millis()) => expired,
        };
        match expired {
            Ok(()) => context.troubles.ended(SOURCE),
            // What went wrong has been logged.
            Err(error) => context.troubles.began(SOURCE, error.to_string()),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = context.stopping.cancelled() => return,
        }
    }
}

/// The versions of one object, as they are found one after the other.
#[derive(Default)]
struct Object {
    key: String,
    versions: Vec<Version>,
    /// Why it is left alone: a version of it cannot be read.
    damaged: Option<AwsError>,
}

/// The first thing that went wrong, when all has had its turn.
#[derive(Default)]
struct Failures(Option<AwsError>);

impl S3 {
    /// Applies the rules of all buckets as of `now`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The first failure, after everything else has had its turn.
    pub async fn expire(&self, now: i64) -> AwsResult<()> {
        let mut failures = Failures::default();
        failures.note(
            "",
            "what ended uploads have left",
            self.forget_ended(now).await,
        );
        for bucket in self.buckets.list() {
            let state = bucket.state();
            let settings = &state.settings;
            if settings.lifecycle.is_empty() {
                continue;
            }
            let name = settings.name.as_str();
            match self.each_upload(name).await {
                Ok(uploads) => {
                    for upload in uploads {
                        let expired = match upload {
                            Ok(upload) if upload_is_due(&settings.lifecycle, &upload, now) => {
                                self.abort_upload(name, &upload.key, &upload.id).await
                            }
                            Ok(_) => Ok(()),
                            Err(error) => Err(error),
                        };
                        failures.note(name, "an unfinished upload", expired);
                    }
                }
                Err(error) => failures.note(name, "the unfinished uploads", Err(error)),
            }
            let expired = self.expire_versions(&bucket, now, &mut failures).await;
            failures.note(name, "the objects", expired);
        }
        failures.0.map_or(Ok(()), Err)
    }

    async fn expire_versions(
        &self,
        bucket: &Bucket,
        now: i64,
        failures: &mut Failures,
    ) -> AwsResult<()> {
        let name = bucket.state().settings.name.clone();
        let prefix = objects_prefix(&name, "");
        let mut from = String::new();
        let mut object = Object::default();
        loop {
            let (prefix, start) = (prefix.clone(), from.clone());
            let records = self.records(move |records| {
                let page = records.range(VERSIONS, &prefix, &start, PAGE);
                page.map_err(AwsError::internal)
            });
            let records = records.await?;
            let is_last = records.len() < PAGE;
            for (record, json) in records {
                // The least key after this one.
                from = format!("{record}\0");
                let Some(key) = object_key(&record) else {
                    continue;
                };
                if key != object.key {
                    let finished = std::mem::take(&mut object);
                    let expired = self.expire_found(bucket, &finished, now).await;
                    failures.note(&name, &finished.key, expired);
                    object.key = key;
                }
                match parse(&json) {
                    Ok(version) => object.versions.push(version),
                    Err(error) => object.damaged = Some(error),
                }
            }
            if is_last {
                let expired = self.expire_found(bucket, &object, now).await;
                failures.note(&name, &object.key, expired);
                return Ok(());
            }
        }
    }

    async fn expire_found(&self, bucket: &Bucket, object: &Object, now: i64) -> AwsResult<()> {
        if let Some(error) = &object.damaged {
            return Err(error.clone());
        }
        let state = bucket.state();
        let (rules, versioning) = (&state.settings.lifecycle, state.settings.versioning);
        match due(rules, &object.key, &object.versions, versioning, now).is_empty() {
            true => Ok(()),
            false => self.expire_object(bucket, &object.key, now).await,
        }
    }

    /// Deletes what is due of an object, under its lock: no client changes it meanwhile.
    async fn expire_object(&self, bucket: &Bucket, key: &str, now: i64) -> AwsResult<()> {
        let _open = bucket.open().await?;
        let state = bucket.state();
        let settings = &state.settings;
        let name = settings.name.as_str();
        let _lock = self.locks.lock(name, key).await;
        let (versioning, of) = (settings.versioning, (name.to_owned(), key.to_owned()));
        let read = self.records(move |records| {
            let (name, key) = of;
            let versions = records::versions(records, &name, &key)?;
            let replaced = replaced(records, versioning, &name, &key)?;
            AwsResult::Ok((versions, replaced))
        });
        let (versions, mut replaced) = read.await?;

        let mut batch = Batch::new();
        let mut gone = Vec::new();
        for step in due(
            &settings.lifecycle,
            key,
            &versions,
            settings.versioning,
            now,
        ) {
            match step {
                Step::Delete(index) => {
                    batch = erase(batch, name, key, &versions[index]);
                    gone.push(versions[index].clone());
                }
                Step::Mark => {
                    let replaced = replaced.take();
                    let marker = self.in_front(settings, key, None, replaced.as_ref())?;
                    batch = batch.and(marker.batch);
                    gone.extend(replaced);
                }
            }
        }
        self.commit(batch).await?;
        // A marker may have replaced a version that is due as well.
        gone.sort_by_key(|version| version.sequence);
        gone.dedup_by_key(|version| version.sequence);
        for version in gone {
            self.remove_files(version).await;
        }
        Ok(())
    }
}

impl Failures {
    /// Remembers and logs what went wrong. A thing that is gone already is no failure.
    fn note(&mut self, bucket: &str, what: &str, expired: AwsResult<()>) {
        if let Err(error) = expired
            && error.is_server_fault()
        {
            tracing::warn!(bucket, what, %error, "lifecycle rules could not be applied");
            self.0.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests;
