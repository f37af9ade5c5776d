//! The cloud is killed under load, again and again: no acknowledged record is lost.
//!
//! 50 times in every run of the tests, and 1,000 times on request:
//! `cargo test --workspace --test crash -- --ignored --nocapture`. `MYSFITS_SEED` repeats a run.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use mysfits_local::cloud::Endpoints;
use mysfits_local::identity::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use mysfits_local::provider::value::{encode, from_json};
use mysfits_local::server::{Server, ServerConfig};
use mysfits_local::services::iam::Caller;
use mysfits_local::services::s3::listing::{Of, Query};
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::resource_provider_client::ResourceProviderClient;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How many connections put records.
const CONNECTIONS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_record_is_lost_in_50_kills() -> Result<()> {
    kill_and_count(50).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: for changes of the journal"]
async fn no_acknowledged_record_is_lost_in_1000_kills() -> Result<()> {
    kill_and_count(1000).await
}

async fn kill_and_count(kills: u64) -> Result<()> {
    let seed = std::env::var("MYSFITS_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() & 0xffff_ffff).unwrap_or(1)
    });
    eprintln!("MYSFITS_SEED={seed} repeats this run");
    let mut random = Random(seed);
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("data");

    let mut daemon = Daemon::start(&home).await?;
    deploy(&daemon, folder.path()).await?;
    let mut acknowledged = BTreeSet::new();
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..kills {
        let (sender, mut acknowledgements) = mpsc::unbounded_channel();
        let mut producers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            producers.spawn(produce(daemon.aws(), Arc::clone(&next), sender.clone()));
        }
        drop(sender);
        // Somewhere in the middle of the load, and of what it has set in motion.
        for _ in 0..=random.below(150) {
            acknowledged.extend(acknowledgements.recv().await.context("an answer")?);
        }
        daemon.child.kill().await?;
        while let Some(numbers) = acknowledgements.recv().await {
            acknowledged.extend(numbers);
        }
        producers.join_all().await;
        daemon = Daemon::start(&home).await?;
    }
    // An orderly stop delivers what is left; as often as that takes with so much of it.
    for _ in 0..3 {
        daemon.stop().await?;
        daemon = Daemon::start(&home).await?;
    }
    daemon.stop().await?;

    let delivered = delivered(&home).await?;
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|number| !delivered.contains_key(number))
        .collect();
    ensure!(lost.is_empty(), "lost with seed {seed}: {lost:?}");
    let twice = delivered.values().filter(|count| **count > 1).count();
    eprintln!(
        "{kills} kills, {} records acknowledged, all delivered; {twice} more than once",
        acknowledged.len()
    );
    Ok(())
}

/// Good enough to choose moments; the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

struct Daemon {
    child: Child,
    endpoints: Endpoints,
}

impl Daemon {
    async fn start(home: &Path) -> Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mysfits-local"))
            .args(["serve", "--port", "0", "--home"])
            .arg(home)
            .env("MYSFITS_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("standard output")?;
        BufReader::new(output).read_line(&mut line).await?;
        ensure!(line == "ready\n", "{line:?}");
        let endpoints = std::fs::read(home.join("endpoints.json"))?;
        Ok(Self {
            child,
            endpoints: serde_json::from_slice(&endpoints)?,
        })
    }

    fn aws(&self) -> String {
        format!("127.0.0.1:{}", self.endpoints.aws)
    }

    async fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id().context("it runs")?)?;
        kill_process(Pid::from_raw(pid).context("a process id")?, Signal::TERM)?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

/// Puts records, each with a number of its own, until the cloud is gone. One in ten is for the
/// function to fail, one call in four is a batch.
async fn produce(aws: String, next: Arc<AtomicU64>, acknowledged: mpsc::UnboundedSender<Vec<u64>>) {
    // The test that was first has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    loop {
        let count = match next.load(Ordering::Relaxed) % 4 {
            0 => 20,
            _ => 1,
        };
        let first = next.fetch_add(count, Ordering::Relaxed);
        let numbers: Vec<_> = (first..first + count).collect();
        let record = |number: &u64| {
            let text = match number % 10 {
                0 => format!("fail {number}\n"),
                _ => format!("record {number}\n"),
            };
            json!({ "Data": STANDARD.encode(text) })
        };
        let (action, input) = match numbers.as_slice() {
            [number] => ("PutRecord", json!({ "Record": record(number) })),
            numbers => {
                let records: Vec<_> = numbers.iter().map(record).collect();
                ("PutRecordBatch", json!({ "Records": records }))
            }
        };
        let answer = call(&client, &aws, action, input).await;
        let Ok(answer) = answer else { return };
        // Of a batch all or none are taken.
        let taken = answer["FailedPutCount"] == 0 || answer["RecordId"].is_string();
        if taken && acknowledged.send(numbers).is_err() {
            return;
        }
    }
}

async fn call(
    client: &reqwest::Client,
    aws: &str,
    action: &str,
    mut input: Value,
) -> Result<Value> {
    input["DeliveryStreamName"] = "s".into();
    let body = input.to_string();
    let target = format!("Firehose_20150804.{action}");
    let date = OffsetDateTime::now_utc().format(format_description!(
        "[year][month][day]T[hour][minute][second]Z"
    ))?;
    let response = client
        .post(format!("http://{aws}/"))
        .header("x-amz-target", &target)
        .header("x-amz-date", &date)
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", authorization(aws, &target, &date, &body)?)
        .body(body)
        .send()
        .await?;
    Ok(response.error_for_status()?.json().await?)
}

/// Signature version 4 of a request to Firehose.
fn authorization(host: &str, target: &str, date: &str, body: &str) -> Result<String> {
    const HEADERS: &str = "host;x-amz-date;x-amz-target";
    let scope = format!("{}/us-east-1/firehose/aws4_request", &date[..8]);
    let canonical = format!(
        "POST\n/\n\nhost:{host}\nx-amz-date:{date}\nx-amz-target:{target}\n\n{HEADERS}\n{}",
        hex(&Sha256::digest(body))
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in scope.split('/').chain([text.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders={HEADERS}, \
         Signature={}",
        hex(&key)
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A bucket, a function, and a stream between them that passes everything on at once.
async fn deploy(daemon: &Daemon, folder: &Path) -> Result<()> {
    let package = folder.join("runtime.zip");
    let mut zip = ZipWriter::new(std::fs::File::create(&package)?);
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    zip.write_all(&std::fs::read(env!("CARGO_BIN_EXE_test-runtime"))?)?;
    zip.finish()?;

    let trust = |service: &str| {
        policy(json!({
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole",
        }))
    };
    let may = policy(json!({
        "Effect": "Allow",
        "Action": ["s3:PutObject", "lambda:InvokeFunction"],
        "Resource": "*",
    }));
    let role = |name: &str| format!("arn:aws:iam::000000000000:role/{name}");
    let parameter =
        |name: &str, value: &str| json!({ "parameterName": name, "parameterValue": value });
    let function = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST";
    let parameters = [
        parameter("LambdaArn", function),
        parameter("BufferSizeInMBs", "0.2"),
        parameter("BufferIntervalInSeconds", "0"),
    ];
    let archive = json!({
        "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
        "hash": "0",
        "path": package,
    });
    let resources = [
        ("aws:s3/bucket:Bucket", json!({ "bucket": "clicks" })),
        (
            "aws:iam/role:Role",
            json!({ "name": "function", "assumeRolePolicy": trust("lambda.amazonaws.com") }),
        ),
        (
            "aws:iam/role:Role",
            json!({ "name": "delivery", "assumeRolePolicy": trust("firehose.amazonaws.com") }),
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            json!({ "name": "delivery", "role": "delivery", "policy": may }),
        ),
        (
            "aws:lambda/function:Function",
            json!({
                "name": "f",
                "role": role("function"),
                "code": archive,
                "runtime": "provided.al2023",
                "handler": "bootstrap",
            }),
        ),
        (
            "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
            json!({
                "name": "s",
                "destination": "extended_s3",
                "extendedS3Configuration": {
                    "bucketArn": "arn:aws:s3:::clicks",
                    "roleArn": role("delivery"),
                    "bufferingSize": 1,
                    "bufferingInterval": 0,
                    "processingConfiguration": {
                        "enabled": true,
                        "processors": [{ "type": "Lambda", "parameters": parameters }],
                    },
                },
            }),
        ),
    ];
    let address = format!("http://127.0.0.1:{}", daemon.endpoints.provider);
    let mut engine = ResourceProviderClient::connect(address).await?;
    for (index, (token, inputs)) in resources.into_iter().enumerate() {
        let request = rpc::CreateRequest {
            urn: format!("urn:pulumi:dev::test::{token}::r{index}"),
            properties: inputs.as_object().map(|inputs| encode(from_json(inputs))),
            ..Default::default()
        };
        engine.create(request).await.context(token)?;
    }
    Ok(())
}

fn policy(statement: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// How often each number stands in the bucket, delivered or failed.
async fn delivered(home: &Path) -> Result<BTreeMap<u64, u32>> {
    let server = Server::start(ServerConfig::new(home)).await?;
    let cloud = server.cloud();
    let mut counts = BTreeMap::new();
    let mut query = Query {
        limit: 1000,
        ..Query::default()
    };
    loop {
        let page = cloud.s3.list("clicks", Of::Objects, &query)?;
        for entry in page.entries {
            let object = cloud
                .s3_get_object(&Caller::Account, "clicks", &entry.key)
                .await?;
            for line in String::from_utf8(object.body.to_vec())?.lines() {
                *counts.entry(number_of(line)?).or_default() += 1;
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    drop(cloud);
    server.stop().await;
    Ok(counts)
}

/// The number in a delivered line, or in the raw data of a failed one.
fn number_of(line: &str) -> Result<u64> {
    let text = match serde_json::from_str::<Value>(line) {
        Ok(failed) => {
            ensure!(
                failed["errorCode"] == "Lambda.ProcessingFailedStatus",
                "{line}"
            );
            let raw = failed["rawData"].as_str().context("raw data")?;
            String::from_utf8(STANDARD.decode(raw)?)?
        }
        Err(_) => line.to_owned(),
    };
    let number = text.trim_end().rsplit(' ').next().unwrap_or_default();
    number.parse().with_context(|| line.to_owned())
}
