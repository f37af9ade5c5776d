//! What clients do while the rules are applied, and what cannot be read.

use super::*;
use crate::buckets::BucketSettings;
use crate::lifecycle::Rule;
use crate::version::versions_prefix;
use crate::versioning::Versioning;
use crate::{DEFAULT_CHECKSUM, ObjectHeaders};
use cloud_core::clock::Clock;
use cloud_core::context::Context;
use cloud_core::store::Store;
use cloud_core::troubles::Troubles;
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const BUCKET: &str = "bucket";

type Outcome = Result<(), Box<dyn std::error::Error>>;

struct World {
    s3: S3,
    store: Store,
    clock: Clock,
    _folder: TempDir,
}

impl World {
    /// A bucket whose objects expire after a day, old versions and unfinished uploads too.
    async fn new(versioning: Versioning) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let troubles = Troubles::open(folder.path());
        let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
        let clock = Clock::manual(time::macros::datetime!(2026-01-02 03:04 UTC));
        let (events, stopping) = (Arc::default(), CancellationToken::new());
        let context = Context::new(clock.clone(), store.clone(), troubles, events, stopping);
        let s3 = S3::open(&folder.path().join("s3"), &context, Arc::default()).await?;
        let rules: Vec<Rule> = serde_json::from_str(
            r#"[{"id":"r","status":"Enabled","expiration":{"days":1},
                 "noncurrentVersionExpiration":{"noncurrentDays":1},
                 "abortIncompleteMultipartUpload":{"daysAfterInitiation":1}}]"#,
        )?;
        for name in [BUCKET, "other"] {
            s3.buckets
                .create(BucketSettings::new(name, "us-east-1", 0, None))
                .await
                .map_err(AwsError::from)?;
            let rules = rules.clone();
            s3.buckets
                .change(name, |settings| {
                    settings.versioning = versioning;
                    settings.lifecycle = rules;
                })
                .await?;
        }
        Ok(Self {
            s3,
            store,
            clock,
            _folder: folder,
        })
    }

    async fn put(&self, bucket: &str, key: &str) -> AwsResult<Version> {
        let bucket = self.s3.buckets.get(bucket)?;
        let (headers, tags) = (ObjectHeaders::default(), BTreeMap::new());
        let body = "the same body".into();
        let put = self
            .s3
            .put_bytes(&bucket, key, body, DEFAULT_CHECKSUM, headers, tags);
        put.await
    }

    async fn latest(&self, bucket: &str, key: &str) -> AwsResult<Option<Version>> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.s3
            .records(move |records| records::latest(records, &bucket, &key))
            .await
    }

    async fn keys(&self, bucket: &str) -> AwsResult<Vec<String>> {
        let prefix = objects_prefix(bucket, "");
        let records = self.store.scan(VERSIONS, &prefix).await;
        let records = records.map_err(AwsError::internal)?;
        Ok(records
            .iter()
            .filter_map(|(record, _)| object_key(record))
            .collect())
    }

    fn pass_days(&self, days: i64) -> i64 {
        self.clock.advance(time::Duration::days(days));
        self.clock.unix_millis()
    }
}

fn numbered(number: u32) -> String {
    format!("o{number:02}")
}

#[tokio::test]
async fn what_is_written_while_rules_are_applied_stays() -> Outcome {
    for versioning in [Versioning::Never, Versioning::Suspended] {
        let world = World::new(versioning).await?;
        for number in 0..30 {
            world.put(BUCKET, &numbered(number)).await?;
        }
        let now = world.pass_days(3);
        let overwrite = async {
            // The list has been read, and the deletions have begun.
            while world
                .latest(BUCKET, &numbered(0))
                .await?
                .is_some_and(|version| !version.is_delete_marker())
            {
                tokio::task::yield_now().await;
            }
            world.put(BUCKET, &numbered(29)).await
        };
        let (expired, written) = tokio::join!(world.s3.expire(now), overwrite);
        expired?;
        let found = world.latest(BUCKET, &numbered(29)).await?;
        let found = found.ok_or("the object is gone")?;
        assert_eq!(found.sequence, written?.sequence, "{versioning:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_old_version_that_became_the_current_one_stays() -> Outcome {
    let world = World::new(Versioning::Enabled).await?;
    let mut newer = Vec::new();
    for number in 0..30 {
        world.put(BUCKET, &numbered(number)).await?;
        newer.push(world.put(BUCKET, &numbered(number)).await?);
    }
    // Old versions are due, current ones are not.
    let bucket = world.s3.buckets.get(BUCKET)?;
    let no_expiration = |settings: &mut BucketSettings| {
        settings
            .lifecycle
            .iter_mut()
            .for_each(|r| r.expiration = None)
    };
    world.s3.buckets.change(BUCKET, no_expiration).await?;
    let now = world.pass_days(3);
    let restore = async {
        while world.keys(BUCKET).await?.len() == 60 {
            tokio::task::yield_now().await;
        }
        let id = newer[29].id.as_str();
        let unconditional = Default::default();
        let key = numbered(29);
        let deleted = world.s3.delete(&bucket, &key, Some(id), &unconditional);
        deleted.await
    };
    let (expired, deleted) = tokio::join!(world.s3.expire(now), restore);
    expired?;
    deleted?;
    assert!(world.latest(BUCKET, &numbered(29)).await?.is_some());
    assert_eq!(world.keys(BUCKET).await?.len(), 30);
    Ok(())
}

#[tokio::test]
async fn an_upload_that_ends_meanwhile_does_not_end_the_run() -> Outcome {
    let world = World::new(Versioning::Never).await?;
    let bucket = world.s3.buckets.get(BUCKET)?;
    for number in 0..30 {
        let (headers, tags) = (ObjectHeaders::default(), BTreeMap::new());
        let key = numbered(number);
        let begun = world.s3.begin_upload(&bucket, &key, headers, tags, None);
        begun.await?;
    }
    world.put(BUCKET, "o").await?;
    world.put("other", "o").await?;
    let now = world.pass_days(3);
    let uploads = world.s3.uploads(BUCKET, "").await?;
    let abort = async {
        while world.s3.uploads(BUCKET, "").await?.len() == 30 {
            tokio::task::yield_now().await;
        }
        world
            .s3
            .abort_upload(BUCKET, &uploads[29].key, &uploads[29].id)
            .await
    };
    let (expired, aborted) = tokio::join!(world.s3.expire(now), abort);
    expired?;
    aborted?;
    assert!(world.s3.uploads(BUCKET, "").await?.is_empty());
    assert!(world.keys(BUCKET).await?.is_empty());
    assert!(world.keys("other").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_costs_itself_alone() -> Outcome {
    let world = World::new(Versioning::Never).await?;
    for key in ["a", "b", "c"] {
        world.put(BUCKET, key).await?;
    }
    world.put("other", "o").await?;
    let damaged = world
        .store
        .scan(VERSIONS, &versions_prefix(BUCKET, "b"))
        .await?;
    let (record, _) = damaged.first().ok_or("b is there")?;
    let batch = Batch::new().put(VERSIONS, record, b"{".to_vec()).put(
        "s3.upload",
        "bucket\0u\0id",
        b"{".to_vec(),
    );
    world.store.commit(batch).await?;
    let now = world.pass_days(3);
    assert!(world.s3.expire(now).await.is_err(), "it is reported");
    assert_eq!(world.keys(BUCKET).await?, ["b"]);
    assert!(world.keys("other").await?.is_empty());
    Ok(())
}
