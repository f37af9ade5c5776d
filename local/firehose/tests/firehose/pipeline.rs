//! A pipeline for tests: a bucket, a function, and a stream between them in a role. The app's tests
//! have it too, with a real bucket and function.

use crate::support::{ROLE, ROLE_POLICY, STREAM, World};
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_resource::deployments::Record;
use serde_json::{Value, json};

pub const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

/// What the delivery role is allowed, by what it is for.
pub fn statement(of: &str) -> Value {
    let (action, resource) = match of {
        "store" => ("s3:PutObject", "arn:aws:s3:::clicks/*".to_owned()),
        "store-delivered" => ("s3:PutObject", "arn:aws:s3:::clicks/firehose/*".to_owned()),
        "process" => ("lambda:InvokeFunction", format!("{FUNCTION_ARN}:$LATEST")),
        _ => (
            "logs:PutLogEvents",
            "arn:aws:logs:us-east-1:000000000000:log-group:errors:log-stream:errors".to_owned(),
        ),
    };
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

/// A bucket, a function, a role and a stream that passes everything on at once.
pub struct Pipeline {
    pub world: World,
    pub stream: Record,
    #[allow(dead_code, reason = "the app's tests alone change it")]
    pub policy: Record,
}

impl Pipeline {
    pub async fn start() -> Result<Self> {
        Self::start_with(json!({}), json!({})).await
    }

    /// With changes to the function and to the stream's destination.
    pub async fn start_with(function: Value, destination: Value) -> Result<Self> {
        Self::deploy(World::start().await?, function, destination).await
    }

    /// The same, in a cloud that runs already.
    pub async fn deploy(world: World, function: Value, destination: Value) -> Result<Self> {
        world.surround(function).await?;
        let (role, policy) = delivery_role(&world).await?;
        let mut configuration = configuration(role.resource.output("arn"));
        for (name, value) in destination.as_object().into_iter().flatten() {
            configuration[name] = value.clone();
        }
        let stream = json!({
            "name": "s",
            "destination": "extended_s3",
            "extendedS3Configuration": configuration,
        });
        let stream = world.deploy(STREAM, "s", stream).await?;
        Ok(Self {
            world,
            stream,
            policy,
        })
    }

    /// Stops the cloud and starts it again.
    pub async fn restart(self) -> Result<Self> {
        let world = self.world.restart().await?;
        Ok(Self { world, ..self })
    }

    /// One request of Firehose's protocol.
    pub async fn call(&self, action: &str, input: Value) -> Result<Value> {
        let body = input.to_string();
        let answer = self.world.firehose(action, body.as_bytes()).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    pub async fn put(&self, data: &[&str]) -> Result<()> {
        let records: Vec<_> = data
            .iter()
            .map(|data| json!({ "Data": STANDARD.encode(data) }))
            .collect();
        let input = json!({ "DeliveryStreamName": "s", "Records": records });
        let answer = self.call("PutRecordBatch", input).await?;
        ensure!(answer["FailedPutCount"] == 0, "{answer}");
        Ok(())
    }

    /// Waits for objects under a prefix, this many: their contents, in the order of their keys.
    pub async fn objects(&self, prefix: &str, count: usize) -> Result<Vec<String>> {
        loop {
            let keys = self.keys(prefix).await?;
            if keys.len() < count {
                tokio::task::yield_now().await;
                continue;
            }
            let mut contents = Vec::new();
            for key in keys {
                let object = self.world.object(&key).await?;
                contents.push(String::from_utf8(object.to_vec())?);
            }
            return Ok(contents);
        }
    }

    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.world.keys(prefix).await
    }
}

pub async fn delivery_role(world: &World) -> Result<(Record, Record)> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "firehose.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": "000000000000" } },
        }],
    });
    let role = json!({ "name": "delivery", "assumeRolePolicy": trust.to_string() });
    let role = world.deploy(ROLE, "delivery", role).await?;
    let statements = ["store", "process", "log"].map(statement);
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let policy = json!({ "name": "delivery", "role": "delivery", "policy": policy.to_string() });
    let policy = world.deploy(ROLE_POLICY, "delivery", policy).await?;
    Ok((role, policy))
}

pub fn configuration(role: &str) -> Value {
    json!({
        "bucketArn": "arn:aws:s3:::clicks",
        "roleArn": role,
        "prefix": "firehose/",
        "errorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "bufferingSize": 1,
        "bufferingInterval": 0,
        "cloudwatchLoggingOptions": {
            "enabled": true,
            "logGroupName": "errors",
            "logStreamName": "errors",
        },
        "processingConfiguration": {
            "enabled": true,
            "processors": [{
                "type": "Lambda",
                "parameters": [
                    parameter("LambdaArn", &format!("{FUNCTION_ARN}:$LATEST")),
                    parameter("NumberOfRetries", "0"),
                    parameter("BufferSizeInMBs", "0.5"),
                    parameter("BufferIntervalInSeconds", "0"),
                ],
            }],
        },
    })
}

pub fn parameter(name: &str, value: &str) -> Value {
    json!({ "parameterName": name, "parameterValue": value })
}
