//! What is around a delivery stream: a real bucket, function and log.

use crate::objects;
use crate::pipeline::{Pipeline, statement};
use crate::support::{BUCKET, LOG_GROUP, REGION, World};
use anyhow::Result;
use bytes::Bytes;
use cloud_core::error::AwsResult;
use cloud_iam::Caller;
use cloud_s3::listing::{Of, Query};
use serde_json::{Value, json};

impl World {
    /// Deploys the bucket, the function and the error log of a pipeline.
    pub async fn surround(&self, function: Value) -> Result<()> {
        self.deploy(BUCKET, "clicks", json!({ "bucket": "clicks" }))
            .await?;
        self.deploy(LOG_GROUP, "errors", json!({ "name": "errors" }))
            .await?;
        let errors = json!({ "logGroupName": "errors", "logStreamName": "errors" });
        self.logs_call("CreateLogStream", errors)?;
        self.function("f", function).await?;
        Ok(())
    }

    /// One request of Firehose's protocol.
    pub async fn firehose(&self, action: &str, body: &[u8]) -> AwsResult<Bytes> {
        let cloud = self.cloud();
        let answer = cloud.firehose.call(&Caller::Account, REGION, action, body);
        answer.await
    }

    /// The keys of objects under a prefix, in their order.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let query = Query {
            prefix: prefix.into(),
            limit: 1000,
            ..Query::default()
        };
        let cloud = self.cloud();
        let page = cloud.s3.list("clicks", Of::Objects, &query).await?;
        Ok(page.entries.into_iter().map(|entry| entry.key).collect())
    }

    /// The bytes of an object.
    pub async fn object(&self, key: &str) -> Result<Bytes> {
        objects::read(&self.cloud().s3, "clicks", key).await
    }
}

impl Pipeline {
    /// Waits until the error log has a line of this code.
    pub async fn logged(&self, code: &str) -> Result<Value> {
        loop {
            for line in self.world.log("errors")? {
                let line: Value = serde_json::from_str(&line)?;
                if line["errorCode"] == code {
                    return Ok(line);
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Leaves the role with these statements.
    pub async fn allow(&mut self, statements: &[&str]) -> Result<()> {
        let statements: Vec<_> = statements.iter().map(|one| statement(one)).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        let changes = json!({ "policy": policy.to_string() });
        self.policy = self.world.update(&self.policy, changes).await?;
        Ok(())
    }
}
