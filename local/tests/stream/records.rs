//! Records from PutRecord to objects in a bucket, through a real function, in real roles.

use crate::pipeline::Pipeline;
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

#[tokio::test]
async fn a_record_goes_through_the_function_into_the_bucket() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let input = json!({
        "DeliveryStreamName": "s",
        "Record": { "Data": STANDARD.encode("hello\n") },
    });
    let answer = pipeline.call("PutRecord", input).await?;
    ensure!(
        answer["RecordId"].as_str().is_some_and(|id| id.len() >= 32),
        "{answer}"
    );
    ensure!(pipeline.objects("firehose/", 1).await? == ["HELLO\n"]);
    let keys = pipeline.keys("firehose/").await?;
    let now = pipeline.world.cloud().context.clock.now();
    let expected = format!("firehose/{}/{:02}/", now.year(), u8::from(now.month()));
    ensure!(
        keys[0].starts_with(&expected) && keys[0].contains("/s-1-"),
        "{keys:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_function_that_crashes_fails_its_batch_and_no_other() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    pipeline.put(&["crash a", "b"]).await?;
    let failed = pipeline.objects("errors/", 1).await?;
    ensure!(failed[0].lines().count() == 2 && failed[0].contains("Lambda.FunctionError"));
    let line = pipeline.logged("Lambda.FunctionError").await?;
    ensure!(
        line["deliveryStreamARN"] == pipeline.stream.resource.id,
        "{line}"
    );
    pipeline.put(&["c"]).await?;
    ensure!(pipeline.objects("firehose/", 1).await? == ["C"]);
    Ok(())
}

#[tokio::test]
async fn a_function_that_hangs_fails_its_batch_when_its_time_is_over() -> Result<()> {
    let pipeline = Pipeline::start_with(json!({ "timeout": 1 }), json!({})).await?;
    pipeline.put(&["hang a"]).await?;
    let failed = pipeline.objects("errors/", 1).await?;
    ensure!(failed[0].contains("Lambda.FunctionError"), "{failed:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_statement_its_step_fails_and_with_it_again_goes_on() -> Result<()> {
    let mut pipeline = Pipeline::start().await?;
    pipeline.allow(&["store", "log"]).await?;
    pipeline.put(&["a"]).await?;
    let failed = pipeline.objects("errors/", 1).await?;
    ensure!(
        failed[0].contains("Lambda.InvokeAccessDenied"),
        "{failed:?}"
    );
    pipeline.logged("Lambda.InvokeAccessDenied").await?;

    pipeline.allow(&["process", "log"]).await?;
    pipeline.put(&["b"]).await?;
    pipeline.logged("S3.AccessDenied").await?;
    ensure!(pipeline.keys("firehose/").await?.is_empty());
    pipeline.allow(&["process", "store"]).await?;
    ensure!(
        pipeline.objects("firehose/", 1).await? == ["B"],
        "kept, and delivered"
    );

    // Without the third only the log is missing.
    let lines = pipeline.world.log("errors")?.len();
    pipeline.put(&["crash c"]).await?;
    pipeline.objects("errors/", 2).await?;
    ensure!(pipeline.world.log("errors")?.len() == lines);
    Ok(())
}
