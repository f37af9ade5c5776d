//! A Firehose of its own for each test, between stand-ins for a bucket, a function and a log.

use anyhow::{Context, Result};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::AwsResult;
use cloud_core::request_body::RequestBody;
use cloud_firehose::ports::{Invocation, Invoker, LogSink, ObjectHeaders, ObjectStore};
use cloud_firehose::{Firehose, MAX_JOURNAL_BYTES, Ports};
use cloud_iam::Caller;
use cloud_resource::account::Account;
use cloud_resource::deployments::Record;
use cloud_resource::resource::AnyResourceType;
use cloud_testing::client::Client;
use cloud_testing::stack::{Stack, aws_error};
use cloud_testing::{Cloud, Given, Service, json as protocol};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const ROLE: &str = "aws:iam/role:Role";
pub const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";
pub const STREAM: &str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

/// A running Firehose, and what it delivers through.
pub struct World {
    cloud: Cloud<Running>,
    bucket: Arc<Bucket>,
}

impl World {
    pub async fn start() -> Result<Self> {
        let bucket = Arc::new(Bucket::default());
        let cloud = Cloud::start(Arc::clone(&bucket)).await?;
        Ok(Self { cloud, bucket })
    }

    /// Stops and starts again, with everything in memory lost. The bucket stays.
    pub async fn restart(self) -> Result<Self> {
        let cloud = self.cloud.restart().await?;
        Ok(Self { cloud, ..self })
    }

    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.cloud.account)
    }

    /// What a stream delivers through is there from the start.
    pub async fn surround(&self, _function: Value) -> Result<()> {
        Ok(())
    }

    /// Deploys a resource, after the checks that the provider makes.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> AwsResult<Record> {
        let deployed = self.stack().deploy(token, name, inputs).await;
        deployed.map_err(aws_error)
    }

    /// Changes some inputs of a resource.
    pub async fn update(&self, record: &Record, changes: Value) -> AwsResult<Record> {
        let mut inputs = Value::Object(record.resource.inputs.clone());
        for (name, value) in changes.as_object().into_iter().flatten() {
            inputs[name] = value.clone();
        }
        let changed = self.stack().change(record.clone(), inputs).await;
        changed.map_err(aws_error)
    }

    pub async fn delete(&self, record: &Record) -> AwsResult<()> {
        self.stack().undeploy(record).await.map_err(aws_error)
    }

    /// A role that a service may take on.
    pub async fn role(&self, name: &str, service: &str) -> Result<Record> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
            }],
        });
        let inputs = json!({ "name": name, "assumeRolePolicy": trust.to_string() });
        Ok(self.deploy(ROLE, name, inputs).await?)
    }

    /// One request of Firehose's protocol.
    pub async fn firehose(&self, action: &str, body: &[u8]) -> AwsResult<Bytes> {
        let firehose = &self.cloud.service.0;
        let answer = firehose.call(&Caller::Account, "us-east-1", action, body);
        answer.await
    }

    /// The keys of objects under a prefix, in their order.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let objects = self.bucket.objects();
        let keys = objects.keys().filter(|key| key.starts_with(prefix));
        Ok(keys.cloned().collect())
    }

    /// The bytes of an object.
    pub async fn object(&self, key: &str) -> Result<Bytes> {
        let object = self.bucket.objects().get(key).cloned();
        object.with_context(|| format!("no object {key}"))
    }

    fn stack(&self) -> Stack {
        self.cloud.stack().named("dev")
    }
}

impl Deref for World {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.cloud
    }
}

struct Running(Arc<Firehose>);

#[async_trait]
impl Service for Running {
    type Neighbours = Arc<Bucket>;
    type Body = Full<Bytes>;

    async fn open(given: Given, bucket: Arc<Bucket>) -> Result<Self> {
        let ports = Ports {
            functions: Arc::new(Function),
            objects: bucket,
            logs: Arc::new(Silence),
        };
        let folder = given.home.join("firehose");
        let (context, iam) = (&given.context, &given.iam);
        let firehose = Firehose::new(&folder, MAX_JOURNAL_BYTES, context, iam, ports);
        Ok(Self(Arc::new(firehose)))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        protocol::answer(match protocol::read(request).await {
            Ok(asked) => {
                let (region, action) = (&asked.region, &asked.action);
                let answer = self.0.call(&Caller::Account, region, action, &asked.body);
                answer.await
            }
            Err(error) => Err(error),
        })
    }
}

/// A bucket that takes what anybody gives it.
#[derive(Default)]
pub struct Bucket(Mutex<BTreeMap<String, Bytes>>);

impl Bucket {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put(
        &self,
        _caller: &Caller,
        _bucket: &str,
        key: &str,
        body: Bytes,
        _headers: ObjectHeaders,
    ) -> AwsResult<()> {
        self.objects().insert(key.to_owned(), body);
        Ok(())
    }
}

/// A function that judges each record by what its data starts with; everything else comes back
/// in upper case. The app's tests have it as a real one: `local/lambda/testing/function.rs`.
struct Function;

#[async_trait]
impl Invoker for Function {
    async fn invoke(&self, _: &Caller, _: &str, payload: Bytes) -> AwsResult<Invocation> {
        let batch: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let records = batch["records"].as_array().into_iter().flatten();
        let answers: Vec<Value> = records.flat_map(answers).collect();
        Ok(Invocation {
            payload: json!({ "records": answers }).to_string().into(),
            failed: false,
        })
    }
}

fn answers(record: &Value) -> Vec<Value> {
    let id = &record["recordId"];
    let data = STANDARD.decode(record["data"].as_str().unwrap_or_default());
    let text = String::from_utf8(data.unwrap_or_default()).unwrap_or_default();
    let data = STANDARD.encode(text.to_uppercase());
    let ok = json!({ "recordId": id, "result": "Ok", "data": data });
    match text.split(' ').next().unwrap_or_default() {
        "drop" => vec![json!({ "recordId": id, "result": "Dropped" })],
        "fail" => vec![json!({ "recordId": id, "result": "ProcessingFailed" })],
        "forget" => vec![],
        "twice" => vec![ok.clone(), ok],
        _ => vec![ok],
    }
}

/// A log that nobody reads.
struct Silence;

impl LogSink for Silence {
    fn write(&self, _: &Caller, _: &str, _: &str, _: &str, _: &[String]) -> AwsResult<()> {
        Ok(())
    }
}
