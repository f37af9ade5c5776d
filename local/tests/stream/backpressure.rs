//! A journal that cannot get shorter: callers wait, as on AWS, and the operator is told.

use crate::pipeline::Pipeline;
use crate::support::World;
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MEBIBYTE: u64 = 1024 * 1024;

async fn health(pipeline: &Pipeline) -> Result<Value> {
    let port = pipeline.world.server.endpoints().aws;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://127.0.0.1:{port}/_mysfits/health");
    Ok(reqwest::get(url).await?.json().await?)
}

/// Puts one record; gives the error's code when it is refused.
async fn put(pipeline: &Pipeline, data: &str) -> Result<Option<String>> {
    let records = json!([{ "Data": STANDARD.encode(data) }]);
    let input = json!({ "DeliveryStreamName": "s", "Records": records });
    let answer = pipeline.call("PutRecordBatch", input).await?;
    let code = answer["RequestResponses"][0]["ErrorCode"].as_str();
    Ok(code.map(str::to_owned))
}

#[tokio::test]
async fn a_record_that_cannot_be_delivered_does_not_fill_the_disk() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = ServerConfig {
        max_journal_bytes: 20 * MEBIBYTE,
        ..ServerConfig::new(folder.path().join("data"))
    };
    let server = Server::start(config).await?;
    let world = World { server, folder };
    let mut pipeline = Pipeline::deploy(world, json!({}), json!({})).await?;

    // What fails cannot be stored; everything else can.
    pipeline.allow(&["store-delivered", "process"]).await?;
    ensure!(put(&pipeline, "fail it\n").await?.is_none());
    let large = "x".repeat(900_000);
    let mut taken = 0;
    let refused = loop {
        ensure!(taken < 40, "all of it is taken");
        match put(&pipeline, &large).await? {
            None => taken += 1,
            Some(code) => break code,
        }
    };
    ensure!(refused == "ServiceUnavailableException", "{refused}");
    ensure!(taken >= 18, "{taken}");

    let health = health_until(&pipeline, |health| health["status"] == "impaired").await?;
    let stream = &health["streams"][0];
    let bytes = stream["journalBytes"].as_u64().unwrap_or_default();
    ensure!(bytes > 15 * MEBIBYTE && bytes <= 20 * MEBIBYTE, "{stream}");
    ensure!(stream["maxJournalBytes"] == 20 * MEBIBYTE, "{stream}");
    let what = health["problems"].to_string();
    ensure!(what.contains("stream s, which is full"), "{what}");

    // When it can be delivered, all goes on.
    pipeline.allow(&["store", "process"]).await?;
    health_until(&pipeline, |health| health["streams"][0]["waiting"] == 0).await?;
    let started = Instant::now();
    while let Some(code) = put(&pipeline, "again\n").await? {
        ensure!(started.elapsed() < Duration::from_secs(60), "{code}");
        tokio::task::yield_now().await;
    }
    health_until(&pipeline, |health| health["status"] == "ok").await?;
    Ok(())
}

async fn health_until(pipeline: &Pipeline, fits: impl Fn(&Value) -> bool) -> Result<Value> {
    let started = Instant::now();
    loop {
        let health = health(pipeline).await?;
        if fits(&health) {
            return Ok(health);
        }
        ensure!(started.elapsed() < Duration::from_secs(90), "{health}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
