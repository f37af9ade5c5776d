//! A Lambda of its own for each test. Functions are real processes; their log is a stand-in.

use anyhow::{Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::request_body::RequestBody;
use cloud_core::troubles::Troubles;
use cloud_iam::Caller;
use cloud_lambda::ports::LogSink;
use cloud_lambda::{Invocation, Isolation, Lambda};
use cloud_resource::deployments::Record;
use cloud_resource::resource::{AnyResourceType, Properties};
use cloud_testing::client::Client;
use cloud_testing::stack::{Stack, aws_error};
use cloud_testing::{Cloud, Given, Service, json as protocol};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
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

    /// Deploys a resource, after the checks that the provider makes.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> AwsResult<Record> {
        let deployed = self.stack().deploy(token, name, inputs).await;
        deployed.map_err(aws_error)
    }

    /// Changes some inputs of a resource.
    pub async fn update(&self, record: &Record, changes: Value) -> AwsResult<Record> {
        let mut inputs = record.resource.inputs.clone();
        inputs.extend(object(changes));
        let (stack, inputs) = (self.stack(), Value::Object(inputs));
        let changed = stack.change(record.clone(), inputs).await;
        changed.map_err(aws_error)
    }

    pub async fn delete(&self, record: &Record) -> AwsResult<()> {
        self.stack().undeploy(record).await.map_err(aws_error)
    }

    fn stack(&self) -> Stack {
        self.cloud.stack().named("dev")
    }

    /// A role that a service may take on, with a policy of these statements.
    pub async fn role(&self, name: &str, service: &str, statements: Value) -> Result<Record> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
            }],
        });
        let inputs = json!({ "name": name, "assumeRolePolicy": trust.to_string() });
        let role = self.deploy(ROLE, name, inputs).await?;
        if statements.as_array().is_some_and(|all| !all.is_empty()) {
            let policy = json!({ "Version": "2012-10-17", "Statement": statements });
            let inputs = json!({ "name": name, "role": name, "policy": policy.to_string() });
            self.deploy(ROLE_POLICY, name, inputs).await?;
        }
        Ok(role)
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

    /// Invokes a function as the account.
    pub async fn invoke(&self, function: &str, input: Value) -> AwsResult<Invocation> {
        let payload = input.to_string().into();
        self.lambda()
            .invoke(&Caller::Account, function, payload)
            .await
    }

    /// Invokes a function that has to answer.
    pub async fn call(&self, function: &str, input: Value) -> Result<Value> {
        let invocation = self.invoke(function, input).await?;
        let answer = serde_json::from_slice(&invocation.payload)?;
        ensure!(invocation.function_error.is_none(), "{answer}");
        Ok(answer)
    }

    /// Invokes a function that has to fail: type and message of its error.
    pub async fn fail(&self, function: &str, input: Value) -> Result<(String, String)> {
        let invocation = self.invoke(function, input).await?;
        ensure!(
            invocation.function_error.as_deref() == Some("Unhandled"),
            "{invocation:?}"
        );
        let error: Value = serde_json::from_slice(&invocation.payload)?;
        let field = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Ok((field("errorType"), field("errorMessage")))
    }

    /// One request of Lambda's REST protocol.
    pub async fn http(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Result<Result<Response<Bytes>, AwsError>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        let uri = uri.parse()?;
        Ok(self
            .lambda()
            .http(&Caller::Account, REGION, &method, &uri, &map, body)
            .await)
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

fn object(value: Value) -> Properties {
    match value {
        Value::Object(object) => object,
        _ => Properties::new(),
    }
}
