//! A Lambda of its own for each test. Functions are real processes; their log is a stand-in.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::error::AwsResult;
use cloud_core::request_body::RequestBody;
use cloud_core::troubles::Troubles;
use cloud_iam::Caller;
use cloud_lambda::ports::LogSink;
use cloud_lambda::{Isolation, Lambda};
use cloud_resource::deployments::Record;
use cloud_resource::resource::{AnyResourceType, Properties};
use cloud_testing::client::Client;
use cloud_testing::stack::Stack;
use cloud_testing::{Cloud, Given, Service, json as protocol};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub const REGION: &str = "us-east-1";

/// The type tokens of what is deployed here.
pub const ROLE: &str = "aws:iam/role:Role";
pub const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";
pub const FUNCTION: &str = "aws:lambda/function:Function";
pub const PERMISSION: &str = "aws:lambda/permission:Permission";

/// A running Lambda in a folder of its own.
pub struct World {
    cloud: Cloud<Running>,
    log: Arc<Log>,
}

impl World {
    pub async fn start() -> Result<Self> {
        Self::in_folder(tempfile::tempdir()?).await
    }

    /// One in the folder of another, which has stopped.
    pub async fn in_folder(folder: TempDir) -> Result<Self> {
        let log = Arc::new(Log::default());
        let cloud = Cloud::start_in(folder, Arc::clone(&log)).await?;
        Ok(Self { cloud, log })
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        Self::in_folder(self.stop().await?).await
    }

    /// Stops. Gives the folder.
    pub async fn stop(self) -> Result<TempDir> {
        self.cloud.stop().await
    }

    pub fn lambda(&self) -> &Arc<Lambda> {
        &self.cloud.service.0
    }

    pub fn troubles(&self) -> &Troubles {
        &self.cloud.account.context.troubles
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.cloud.folder.path().join(name)
    }

    pub fn stack(&self) -> Stack {
        self.cloud.stack().named("dev")
    }

    /// A function that runs the test runtime and may write its log.
    pub async fn function(&self, name: &str, inputs: Value) -> Result<Record> {
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
        Ok(self.log.lines(group))
    }
}

impl Deref for World {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.cloud
    }
}

struct Running(Arc<Lambda>);

#[async_trait]
impl Service for Running {
    type Neighbours = Arc<Log>;
    type Body = Full<Bytes>;

    async fn open(given: Given, log: Arc<Log>) -> Result<Self> {
        let launcher = Path::new(env!("CARGO_BIN_EXE_lambda-launcher"));
        let lambda = Lambda::open(
            &given.home.join("lambda"),
            Isolation::probe(Some(launcher)).await,
            &given.context,
            given.iam,
            log,
            given.port,
        )?;
        Ok(Self(Arc::new(lambda)))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.whole(usize::MAX).await.unwrap_or_default();
        let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
        let answer = self
            .0
            .http(&Caller::Account, REGION, method, uri, headers, body);
        match answer.await {
            Ok(answer) => answer.map(Full::new),
            Err(error) => protocol::answer(Err(error)),
        }
    }

    fn stop(&self) {
        self.0.stop();
    }
}

/// A log that takes what anybody writes.
#[derive(Default)]
pub struct Log(Mutex<BTreeMap<String, Vec<String>>>);

impl Log {
    fn lines(&self, group: &str) -> Vec<String> {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.get(group).cloned().unwrap_or_default()
    }
}

impl LogSink for Log {
    fn write(
        &self,
        _caller: &Caller,
        _region: &str,
        group: &str,
        _stream: &str,
        messages: &[String],
    ) -> AwsResult<()> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = groups.entry(group.to_owned()).or_default();
        lines.extend_from_slice(messages);
        Ok(())
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
    let runtime = std::fs::read(env!("CARGO_BIN_EXE_lambda-function"))?;
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
