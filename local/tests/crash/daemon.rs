//! The cloud as a process that can be killed, and what is deployed to it.

use crate::objects;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_resource::value::{encode, from_json};
use cloud_s3::listing::{Of, Query};
use mysfits_local::cloud::Endpoints;
use mysfits_local::server::{Server, ServerConfig};
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use pulumi_protocol::{ARCHIVE, SIGNATURE};
use rpc::resource_provider_client::ResourceProviderClient;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub const BUCKET: &str = "aws:s3/bucket:Bucket";
pub const BUCKET_POLICY: &str = "aws:s3/bucketPolicy:BucketPolicy";

/// A running cloud; killed when it goes out of scope.
pub struct Daemon {
    pub child: Child,
    pub endpoints: Endpoints,
}

impl Daemon {
    pub async fn start(home: &Path) -> Result<Self> {
        Self::start_with(home, Stdio::inherit(), "off").await
    }

    /// With its log in a file, as `cargo xtask up` starts it.
    pub async fn start_with_log(home: &Path, log: &Path) -> Result<Self> {
        let log = std::fs::File::create(log)?;
        Self::start_with(home, log.into(), "info").await
    }

    async fn start_with(home: &Path, log: Stdio, level: &str) -> Result<Self> {
        // Ignored signals stay so over exec: a file that may not grow is an error and no end.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_mysfits-local"))
            .args(["serve", "--port", "0", "--home"])
            .arg(home)
            .env("MYSFITS_LOG", level)
            .stderr(log)
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

    /// What the cloud says of itself.
    pub async fn health(&self) -> Result<Value> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://{}/_mysfits/health", self.aws());
        Ok(reqwest::get(url).await?.json().await?)
    }

    /// One call of S3 is held up for a millisecond.
    pub async fn slow_down_s3(&self) -> Result<()> {
        let fault = r#"{"service": "s3", "calls": 1, "fault": "slow", "delayMs": 1}"#;
        let url = format!("http://{}/_mysfits/faults", self.aws());
        let client = reqwest::Client::new();
        client
            .put(url)
            .body(fault)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    pub fn aws(&self) -> String {
        format!("127.0.0.1:{}", self.endpoints.aws)
    }

    pub async fn stop(&mut self) -> Result<()> {
        kill_process(self.pid()?, Signal::TERM)?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "{status}");
        Ok(())
    }

    /// From now on the disk is as good as full: no file grows beyond its first byte.
    pub fn fill_disk(&self) -> Result<()> {
        self.limit_files(Some(1))
    }

    pub fn free_disk(&self) -> Result<()> {
        self.limit_files(None)
    }

    fn limit_files(&self, current: Option<u64>) -> Result<()> {
        let limit = Rlimit {
            current,
            maximum: None,
        };
        prlimit(Some(self.pid()?), Resource::Fsize, limit)?;
        Ok(())
    }

    fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id().context("it runs")?)?;
        Pid::from_raw(pid).context("a process id")
    }

    /// Creates a resource as the engine does; gives its id.
    pub async fn create(&self, token: &str, name: &str, inputs: Value) -> Result<String> {
        let address = format!("http://127.0.0.1:{}", self.endpoints.provider);
        let mut engine = ResourceProviderClient::connect(address).await?;
        let request = rpc::CreateRequest {
            urn: urn(token, name),
            properties: inputs.as_object().map(|inputs| encode(from_json(inputs))),
            ..Default::default()
        };
        let created = engine.create(request).await.context(token.to_owned())?;
        Ok(created.into_inner().id)
    }

    pub async fn delete(&self, token: &str, name: &str, id: &str) -> Result<()> {
        let address = format!("http://127.0.0.1:{}", self.endpoints.provider);
        let mut engine = ResourceProviderClient::connect(address).await?;
        let request = rpc::DeleteRequest {
            urn: urn(token, name),
            id: id.to_owned(),
            ..Default::default()
        };
        engine.delete(request).await?;
        Ok(())
    }
}

fn urn(token: &str, name: &str) -> String {
    format!("urn:pulumi:dev::test::{token}::{name}")
}

/// A bucket, a function, and a stream between them that passes everything on at once.
pub async fn deploy(daemon: &Daemon, folder: &Path) -> Result<()> {
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
        parameter("NumberOfRetries", "0"),
    ];
    let archive = json!({
        SIGNATURE: ARCHIVE,
        "hash": "0",
        "path": package,
    });
    let resources = [
        (BUCKET, json!({ "bucket": "clicks" })),
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
                "timeout": 1,
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
    for (index, (token, inputs)) in resources.into_iter().enumerate() {
        daemon.create(token, &format!("r{index}"), inputs).await?;
    }
    Ok(())
}

pub fn policy(statement: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// Lets the cloud deliver what it can, by orderly stops, until all of it is in the bucket.
pub async fn ensure_all_delivered(home: &Path, acknowledged: &BTreeSet<u64>) -> Result<()> {
    ensure!(!acknowledged.is_empty(), "nothing was acknowledged");
    let mut lost = Vec::new();
    // As often as that takes with so much of it.
    for _ in 0..10 {
        Daemon::start(home).await?.stop().await?;
        let delivered = delivered(home).await?;
        lost = acknowledged
            .iter()
            .filter(|number| !delivered.contains_key(number))
            .collect();
        if lost.is_empty() {
            let twice = delivered.values().filter(|count| **count > 1).count();
            eprintln!(
                "{} records acknowledged, all delivered; {twice} more than once",
                acknowledged.len()
            );
            return Ok(());
        }
    }
    anyhow::bail!("lost: {lost:?}")
}

/// How often each number is in the bucket, delivered or failed.
pub async fn delivered(home: &Path) -> Result<BTreeMap<u64, u32>> {
    let (counts, damaged) = readable(home).await?;
    ensure!(damaged.is_empty(), "damaged objects: {damaged:?}");
    Ok(counts)
}

/// The same, without the objects whose bodies are damaged: the files of these, which the cloud
/// must have named.
pub async fn readable(home: &Path) -> Result<(BTreeMap<u64, u32>, Vec<PathBuf>)> {
    let server = Server::start(ServerConfig::new(home)).await?;
    let cloud = server.cloud();
    let mut counts = BTreeMap::new();
    let mut unreadable = 0;
    let mut query = Query {
        limit: 1000,
        ..Query::default()
    };
    loop {
        let page = cloud.s3.list("clicks", Of::Objects, &query).await?;
        for entry in page.entries {
            let object = objects::read(&cloud.s3, "clicks", &entry.key);
            let Ok(object) = object.await else {
                unreadable += 1;
                continue;
            };
            for line in String::from_utf8(object.to_vec())?.lines() {
                *counts.entry(number_of(line)?).or_default() += 1;
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    let named = cloud.context.troubles.damaged().into_iter();
    let named = named.filter(|damage| damage.file.starts_with("s3/"));
    let files: BTreeSet<PathBuf> = named.map(|damage| home.join(damage.file)).collect();
    drop(cloud);
    server.stop().await;
    ensure!(files.len() >= unreadable, "not named: {unreadable} objects");
    Ok((counts, files.into_iter().collect()))
}

/// The number in a delivered line, or in the raw data of a failed one.
fn number_of(line: &str) -> Result<u64> {
    let text = match serde_json::from_str::<Value>(line) {
        Ok(failed) => {
            let code = failed["errorCode"].as_str().unwrap_or_default();
            ensure!(code.starts_with("Lambda."), "{line}");
            let raw = failed["rawData"].as_str().context("raw data")?;
            String::from_utf8(STANDARD.decode(raw)?)?
        }
        Err(_) => line.to_owned(),
    };
    let number = text.trim_end().rsplit(' ').next().unwrap_or_default();
    number.parse().with_context(|| line.to_owned())
}
