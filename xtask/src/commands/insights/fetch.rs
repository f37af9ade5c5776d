//! Objects from the bucket into the store: those that are not there yet, several at once.

use super::source::Source;
use crate::aws::s3::{self, Listed};
use crate::progress;
use analytics::span::Span;
use analytics::store::{Object, RecordKind, Store};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many objects are on their way at once.
const AT_ONCE: usize = 16;

/// MiB of objects that are held in memory at once.
const MEMORY: u32 = 256;

/// How often an object is asked for.
const ATTEMPTS: u32 = 4;

/// The first pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// The store of a bucket, closed to other users: it says who looked at what.
pub fn store(home: &Path, bucket: &str) -> Result<Store> {
    let all = home.join("insights");
    let create = || {
        fs::create_dir_all(&all)?;
        fs::set_permissions(&all, fs::Permissions::from_mode(0o700))
    };
    create().with_context(|| format!("{} cannot be created", all.display()))?;
    Ok(Store::new(all.join(bucket)))
}

/// Has all objects of a table in the store, and lists them.
pub async fn objects(
    source: &Source,
    kind: RecordKind,
    store: &Store,
    span: &Span,
) -> Result<Vec<Object>> {
    let prefix = source.prefix(kind);
    let first_hour = if span.is_limited() {
        span.first_hour()
    } else {
        ""
    };
    let step = progress::step(format!("listing s3://{}/{prefix}", source.bucket));
    let after = format!("{prefix}{first_hour}");
    let listed = source.objects.list_after(prefix, &after).await;
    let mut listed = listed.with_context(|| {
        format!(
            "the objects in bucket {} cannot be listed (the policy in the stack's output \
             analystPolicyArn lets who has it)",
            source.bucket
        )
    })?;
    step.done();
    listed.retain(|object| source.holds(kind, &object.key) && !object.key.ends_with('/'));
    let sizes: BTreeMap<&str, u64> = listed
        .iter()
        .map(|object| (object.key.as_str(), object.size))
        .collect();
    let objects: Vec<Object> = listed.iter().map(object).collect();

    let missing = store.missing(kind, &objects)?;
    if !missing.is_empty() {
        let step = progress::step(format!("fetching {} objects", missing.len()));
        let memory = Arc::new(Semaphore::new(MEMORY as usize));
        let mut fetched = 0;
        let mut works = futures::stream::iter(&missing)
            .map(|object| {
                let size = sizes.get(object.key.as_str()).copied().unwrap_or_default();
                let mebibytes = u32::try_from(size / (1024 * 1024) + 1).unwrap_or(MEMORY);
                let memory = memory.clone().acquire_many_owned(mebibytes.min(MEMORY));
                async move {
                    let _held = memory.await?;
                    fetch(source, kind, store, object).await
                }
            })
            .buffer_unordered(AT_ONCE);
        while works.try_next().await?.is_some() {
            fetched += 1;
            step.at(&format!("{fetched}"));
        }
        drop(works);
        step.done();
    }
    store.forget_all_but(kind, &objects, first_hour)?;
    Ok(objects)
}

async fn fetch(source: &Source, kind: RecordKind, store: &Store, object: &Object) -> Result<()> {
    // What has been deleted since it was listed is not there, and not missed.
    let Some(found) = get(&source.objects, &object.key).await? else {
        return Ok(());
    };
    tokio::task::block_in_place(|| store.put(kind, object, &found.bytes))
}

async fn get(objects: &s3::Objects, key: &str) -> Result<Option<s3::Object>> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        match objects.get(key).await {
            Ok(found) => return Ok(found),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
    objects
        .get(key)
        .await
        .with_context(|| format!("{key} cannot be fetched"))
}

fn object(listed: &Listed) -> Object {
    Object {
        key: listed.key.clone(),
        etag: listed.etag.clone(),
    }
}
