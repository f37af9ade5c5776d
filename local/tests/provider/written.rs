//! A read that writes into a bucket what resources of their own have set, and the update after it.

use crate::support::{Engine, ResourceState};
use anyhow::{Context, Result};
use cloud_s3::versioning::Versioning;
use mysfits_local::cloud::Cloud;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};
use std::sync::Arc;

const BUCKET: &str = "urn:pulumi:dev::test::aws:s3/bucket:Bucket::clicks";
const INPUTS: [&str; 3] = [
    "lifecycleRules",
    "serverSideEncryptionConfiguration",
    "versioning",
];

/// Whether versions, old objects' end and the bucket's key are as they were declared.
fn is_set(cloud: &Cloud) -> Result<bool> {
    let bucket = cloud.s3.buckets.get("clicks").context("no bucket")?;
    let state = bucket.state();
    let settings = &state.settings;
    Ok(settings.versioning == Versioning::Enabled
        && settings.lifecycle.len() == 1
        && settings.bucket_key_enabled)
}

/// A bucket with its settings, refreshed while the fault is on.
async fn refreshed(cloud: &Arc<Cloud>, engine: &mut Engine) -> Result<ResourceState> {
    let made = engine.deploy(BUCKET, json!({ "bucket": "clicks" })).await?;
    let settings = [
        (
            "bucketVersioning:BucketVersioning",
            json!({ "bucket": "clicks", "versioningConfiguration": { "status": "Enabled" } }),
        ),
        (
            "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            json!({ "bucket": "clicks", "rules": [{
                "id": "old", "status": "Enabled", "filter": { "prefix": "" },
                "noncurrentVersionExpiration": { "noncurrentDays": 30 },
            }] }),
        ),
        (
            "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            json!({ "bucket": "clicks", "rules": [{
                "applyServerSideEncryptionByDefault": { "sseAlgorithm": "AES256" },
                "bucketKeyEnabled": true,
            }] }),
        ),
    ];
    for (token, inputs) in settings {
        let urn = format!("urn:pulumi:dev::test::aws:s3/{token}::clicks");
        engine.deploy(&urn, inputs).await?;
    }
    let fault = json!({ "service": "provider", "fault": "settings" });
    cloud.context.faults.set(serde_json::from_value(fault)?);
    let read = engine.read(BUCKET, &made).await?.context("is there")?;
    cloud.context.faults.clear();
    assert_eq!(
        read.inputs["lifecycleRules"],
        json!([{
            "id": "old", "enabled": true, "prefix": "",
            "noncurrentVersionExpiration": { "days": 30 },
        }])
    );
    assert_eq!(read.inputs["versioning"]["enabled"], true);
    assert!(is_set(cloud)?);
    Ok(read)
}

/// With `ignoreChanges` the engine hands over the inputs of the state.
#[tokio::test]
async fn ignored_inputs_stay_and_the_settings_with_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;
    let cloud = server.cloud();
    let read = refreshed(&cloud, &mut engine).await?;

    let olds = read.inputs.clone();
    let checked = engine.check(BUCKET, olds.clone(), olds.clone()).await?;
    assert!(checked.failures.is_empty(), "{:?}", checked.failures);
    let news = checked.inputs;
    let diff = engine.diff(BUCKET, olds.clone(), news.clone(), read.outputs.clone());
    assert_eq!(diff.await?.diffs, [] as [&str; 0]);
    let mut tagged = news;
    tagged["tags"] = json!({ "a": "b" });
    let checked = engine.check(BUCKET, olds, tagged).await?;
    assert!(checked.failures.is_empty(), "{:?}", checked.failures);
    let updated = engine.update(BUCKET, &read, checked.inputs).await?;
    assert!(is_set(&cloud)?);

    // Another read without the fault takes them out of the state again, and leaves them in force.
    let again = engine.read(BUCKET, &updated).await?.context("is there")?;
    for name in INPUTS {
        assert_eq!(again.inputs[name], Value::Null, "{name}");
    }
    assert!(is_set(&cloud)?);
    Ok(())
}

/// The harm that is done otherwise. And what a program itself sets is refused as before.
#[tokio::test]
async fn inputs_that_are_not_ignored_take_the_settings_away() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;
    let cloud = server.cloud();
    let read = refreshed(&cloud, &mut engine).await?;

    let olds = read.inputs.clone();
    let mut other = olds.clone();
    other["versioning"]["enabled"] = json!(false);
    let checked = engine.check(BUCKET, olds.clone(), other).await?;
    assert_eq!(checked.failures.len(), 1, "{:?}", checked.failures);

    let news = json!({ "bucket": "clicks" });
    let checked = engine.check(BUCKET, olds.clone(), news).await?;
    let news = checked.inputs;
    let diff = engine.diff(BUCKET, olds, news.clone(), read.outputs.clone());
    assert_eq!(diff.await?.diffs, INPUTS);
    engine.update(BUCKET, &read, news).await?;
    assert!(!is_set(&cloud)?);
    Ok(())
}
