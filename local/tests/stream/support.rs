//! A cloud for tests, deployed as the provider deploys it.

use anyhow::{Context, Result};
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use cloud_lambda::Lambda;
use cloud_resource::deployments::Record;
use cloud_resource::resource::Properties;
use cloud_testing::stack::Stack;
use mysfits_local::cloud::Cloud;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub const REGION: &str = "us-east-1";

/// The type tokens of what is deployed here.
pub const ROLE: &str = "aws:iam/role:Role";
pub const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";
pub const FUNCTION: &str = "aws:lambda/function:Function";
pub const LOG_GROUP: &str = "aws:cloudwatch/logGroup:LogGroup";

pub const BUCKET: &str = "aws:s3/bucket:Bucket";
pub const STREAM: &str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

/// A running cloud in a folder of its own.
pub struct World {
    pub server: Server,
    pub folder: TempDir,
}

impl World {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = Server::start(config(folder.path())).await?;
        Ok(Self { server, folder })
    }

    /// One on a machine that lets nobody have namespaces, as it were.
    pub async fn start_without_namespaces() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = ServerConfig {
            launcher: None,
            ..config(folder.path())
        };
        let server = Server::start(config).await?;
        Ok(Self { server, folder })
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        let Self { server, folder } = self;
        let cloud = Arc::downgrade(&server.cloud());
        server.stop().await;
        while cloud.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
        let server = Server::start(config(folder.path())).await?;
        Ok(Self { server, folder })
    }

    pub fn lambda(&self) -> Arc<Lambda> {
        Arc::clone(&self.cloud().lambda)
    }

    pub fn cloud(&self) -> Arc<Cloud> {
        self.server.cloud()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn stack(&self) -> Stack {
        Stack::new(Arc::clone(&self.cloud().account)).named("dev")
    }

    /// A function that runs the test runtime and may write its log, which is there.
    pub async fn function(&self, name: &str, inputs: Value) -> Result<Record> {
        let group = format!("/aws/lambda/{name}");
        self.deploy(LOG_GROUP, name, json!({ "name": group }))
            .await?;
        let role = self
            .role(&format!("{name}-role"), "lambda.amazonaws.com", may_log())
            .await?;
        let mut all = json!({
            "name": name,
            "role": role.resource.output("arn"),
            "code": { "path": package(&self.path("runtime.zip"))? },
            "runtime": "provided.al2023",
            "handler": "bootstrap",
        });
        for (name, value) in object(inputs) {
            all[name] = value;
        }
        Ok(self.deploy(FUNCTION, name, all).await?)
    }

    /// All messages of a log group, in their order.
    pub fn log(&self, group: &str) -> Result<Vec<String>> {
        let answer = self.logs_call("FilterLogEvents", json!({ "logGroupName": group }))?;
        let events = answer["events"].as_array().context("events")?;
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        Ok(messages.map(str::to_owned).collect())
    }

    pub fn logs_call(&self, action: &str, input: Value) -> AwsResult<Value> {
        let body = input.to_string();
        let answer = self
            .cloud()
            .logs
            .call(&Caller::Account, REGION, action, body.as_bytes())?;
        serde_json::from_slice(&answer).map_err(AwsError::internal)
    }
}

fn config(folder: &Path) -> ServerConfig {
    ServerConfig {
        launcher: Some(PathBuf::from(env!("CARGO_BIN_EXE_mysfits-local"))),
        ..ServerConfig::new(folder.join("data"))
    }
}

/// What a function's role needs for its log.
pub fn may_log() -> Value {
    json!([{
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "*",
    }])
}

/// A package with the test runtime.
pub fn package(path: &Path) -> Result<String> {
    let runtime = std::fs::read(env!("CARGO_BIN_EXE_test-runtime"))?;
    package_of(path, &runtime, 0o755)
}

/// A package with this `bootstrap`.
pub fn package_of(path: &Path, bootstrap: &[u8], mode: u32) -> Result<String> {
    let mut zip = ZipWriter::new(std::fs::File::create(path)?);
    let options = SimpleFileOptions::default()
        .unix_permissions(mode)
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1));
    zip.start_file("bootstrap", options)?;
    zip.write_all(bootstrap)?;
    zip.finish()?;
    Ok(path.to_string_lossy().into_owned())
}

pub fn object(value: Value) -> Properties {
    match value {
        Value::Object(object) => object,
        _ => Properties::new(),
    }
}
