//! Where the clicks are, and the records that failed.

use crate::aws::Aws;
use crate::aws::s3::Objects;
use crate::commands::replay::failed::Place;
use crate::stack::Stack;
use analytics::store::RecordKind;
use anyhow::Result;

const STREAM: &str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

/// A bucket, and what keys in it begin with.
pub struct Source {
    pub bucket: String,
    pub objects: Objects,
    clicks: String,
    failed: Place,
}

impl Source {
    /// That of a stack's stream.
    pub fn of_stack(stack: &Stack) -> Result<Self> {
        let bucket = stack.output("clicksBucket")?;
        let stream = stack.find(STREAM, "name", stack.output("deliveryStream")?)?;
        let destination = &stream.outputs["extendedS3Configuration"];
        let prefix = destination["prefix"].as_str().unwrap_or_default();
        Ok(Self {
            bucket: bucket.to_owned(),
            objects: Objects::new(&stack.aws, bucket)?,
            clicks: literal(prefix).to_owned(),
            failed: Place::of(destination),
        })
    }

    /// A bucket of the environment's account.
    pub fn of_bucket(bucket: &str, prefix: &str) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let aws = Aws::of_environment(region.as_deref().unwrap_or(crate::variables::REGION))?;
        Self::of(bucket, &aws, prefix)
    }

    /// A bucket of an account, with the project's own error prefix.
    pub fn of(bucket: &str, aws: &Aws, prefix: &str) -> Result<Self> {
        let error_prefix = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/";
        Ok(Self {
            bucket: bucket.to_owned(),
            objects: Objects::new(aws, bucket)?,
            clicks: prefix.to_owned(),
            failed: Place::of(&serde_json::json!({ "errorOutputPrefix": error_prefix })),
        })
    }

    /// What the keys of a table begin with.
    pub fn prefix(&self, kind: RecordKind) -> &str {
        match kind {
            RecordKind::Clicks => &self.clicks,
            RecordKind::Failed => self.failed.prefix(),
        }
    }

    /// Whether a key under the prefix belongs to the table.
    pub fn holds(&self, kind: RecordKind, key: &str) -> bool {
        match kind {
            RecordKind::Clicks => !self.is_of_failed(key),
            RecordKind::Failed => self.failed.holds(key),
        }
    }

    /// Failed records may lie below the clicks' own prefix.
    fn is_of_failed(&self, key: &str) -> bool {
        let prefix = self.failed.prefix();
        prefix.len() > self.clicks.len() && key.starts_with(prefix)
    }
}

/// What comes before the first of Firehose's expressions.
fn literal(prefix: &str) -> &str {
    prefix.split("!{").next().unwrap_or_default()
}
