//! A CloudWatch Logs of its own for each test.

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::clock::Clock;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::request_body::RequestBody;
use cloud_iam::Caller;
use cloud_logs::Logs;
use cloud_resource::deployments::Record;
use cloud_resource::resource::AnyResourceType;
use cloud_testing::stack::aws_error;
use cloud_testing::{Cloud, Given, Service, json as protocol};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;

pub const LOG_GROUP: &str = "aws:cloudwatch/logGroup:LogGroup";

/// A running CloudWatch Logs.
pub struct World(Cloud<Running>);

impl World {
    pub async fn start() -> Result<Self> {
        Ok(Self(Cloud::start(()).await?))
    }

    pub fn clock(&self) -> &Clock {
        &self.0.account.context.clock
    }

    /// Deploys a resource, after the checks that the provider makes.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> AwsResult<Record> {
        self.0.deploy(token, name, inputs).await.map_err(aws_error)
    }

    pub async fn delete(&self, record: &Record) -> AwsResult<()> {
        self.0.undeploy(record).await.map_err(aws_error)
    }

    /// All messages of a log group, in their order.
    pub fn log(&self, group: &str) -> Result<Vec<String>> {
        let answer = self.logs_call("FilterLogEvents", json!({ "logGroupName": group }))?;
        let events = answer["events"].as_array().context("events")?;
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        Ok(messages.map(str::to_owned).collect())
    }

    /// One request of the protocol.
    pub fn logs_call(&self, action: &str, input: Value) -> AwsResult<Value> {
        let (logs, body) = (&self.0.service.0, input.to_string());
        let answer = logs.call(&Caller::Account, "us-east-1", action, body.as_bytes())?;
        serde_json::from_slice(&answer).map_err(AwsError::internal)
    }
}

struct Running(Arc<Logs>);

#[async_trait]
impl Service for Running {
    type Neighbours = ();
    type Body = Full<Bytes>;

    async fn open(given: Given, (): ()) -> Result<Self> {
        let logs = Logs::open(&given.home.join("logs"), &given.context, given.iam)?;
        Ok(Self(Arc::new(logs)))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        protocol::answer(match protocol::read(request).await {
            Ok(asked) => {
                let (region, action) = (&asked.region, &asked.action);
                let answer = self.0.request(&Caller::Account, region, action, asked.body);
                answer.await
            }
            Err(error) => Err(error),
        })
    }
}
