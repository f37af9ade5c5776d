//! A reset: the cloud is emptied while it runs.

use crate::objects;
use crate::pipeline::Pipeline;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One request to `/_mysfits/PATH`.
async fn operator(pipeline: &Pipeline, method: &str, path: &str) -> Result<Value> {
    // Another test may have given it one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let port = pipeline.world.server.endpoints().aws;
    let url = format!("http://127.0.0.1:{port}/_mysfits/{path}");
    let request = client.request(method.parse()?, url);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

#[tokio::test]
async fn a_reset_leaves_nothing_and_everything_can_be_deployed_again() -> Result<()> {
    let pipeline = Pipeline::start_with(json!({ "timeout": 900 }), json!({})).await?;
    let home = pipeline.world.path("data");
    pipeline.put(&["stored"]).await?;
    pipeline.objects("firehose/", 1).await?;
    // A record is with a function that does not give it back.
    pipeline.put(&["hang on"]).await?;
    while pipeline.world.log("/aws/lambda/f")?.len() < 4 {
        tokio::task::yield_now().await;
    }

    let answer = operator(&pipeline, "POST", "reset").await?;
    ensure!(answer == json!({ "status": "empty" }), "{answer}");
    ensure!(operator(&pipeline, "GET", "health").await?["status"] == "ok");
    let resources = operator(&pipeline, "GET", "resources").await?;
    ensure!(resources == json!({ "resources": [] }), "{resources}");
    let cloud = pipeline.world.cloud();
    ensure!(cloud.s3.buckets.list().is_empty());
    ensure!(pipeline.world.invoke("f", json!({})).await.is_err());
    let groups = pipeline.world.logs_call("DescribeLogGroups", json!({}))?;
    ensure!(groups == json!({ "logGroups": [] }), "{groups}");
    let streams = pipeline.call("ListDeliveryStreams", json!({})).await?;
    ensure!(streams["DeliveryStreamNames"] == json!([]), "{streams}");
    ensure!(objects::read(&cloud.s3, "clicks", "a").await.is_err());
    drop(cloud);
    // The process that hung is gone too, with the note of it.
    let mut left: Vec<_> = walk(&home)?.into_iter().collect();
    left.sort();
    ensure!(
        left == ["endpoints.json", "format", "lock", "store.redb"],
        "{left:?}"
    );

    let Pipeline { world, .. } = pipeline;
    let pipeline = Pipeline::deploy(world, json!({}), json!({})).await?;
    pipeline.put(&["again"]).await?;
    ensure!(pipeline.objects("", 1).await? == ["AGAIN"]);
    let pipeline = pipeline.restart().await?;
    ensure!(pipeline.objects("", 1).await? == ["AGAIN"], "and it lasts");
    Ok(())
}

/// The names of all files in a folder and those below.
fn walk(folder: &std::path::Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => names.extend(walk(&entry.path())?),
            false => {
                names.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    Ok(names)
}
