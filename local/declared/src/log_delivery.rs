//! CloudWatch Logs' delivery of other services' logs: from a source to a destination. Declared
//! only: the embedded cloud's CloudFront writes no access log.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: CloudWatch Logs' service model, as in botocore.
const MAX_NAME: usize = 60;
const FORMATS: [&str; 5] = ["json", "parquet", "plain", "raw", "w3c"];

/// Logs of a distribution are delivered from this region alone:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html>.
const CLOUDFRONT_REGION: &str = "us-east-1";

const NAMED: AutoName = AutoName {
    property: "name",
    max_length: MAX_NAME,
};

/// `aws:cloudwatch/logDeliverySource:LogDeliverySource`.
pub(crate) struct LogDeliverySource;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogDeliverySourceInputs {
    name: String,
    log_type: String,
    resource_arn: String,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for LogDeliverySource {
    type Inputs = LogDeliverySourceInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:cloudwatch/logDeliverySource:LogDeliverySource";
    const REPLACES_ON: &'static [&'static str] = &["logType", "name", "resourceArn"];
    const AUTO_NAME: Option<AutoName> = Some(NAMED);
    const DECLARED_ONLY: bool = true;
    /// PutDeliverySource.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &LogDeliverySourceInputs) -> Vec<Refusal> {
        let mut refusals = Vec::from_iter(check_name(&inputs.name));
        if service(&inputs.resource_arn) != "cloudfront" || inputs.log_type != "ACCESS_LOGS" {
            refusals.push(Refusal::new(
                "resourceArn",
                "of sources, the embedded cloud knows the ACCESS_LOGS of a distribution alone",
            ));
        }
        refusals
    }

    async fn create(
        &self,
        _deployments: &Arc<Deployments>,
        new: &New,
        inputs: &LogDeliverySourceInputs,
    ) -> AwsResult<Deployed> {
        if new.region != CLOUDFRONT_REGION {
            return Err(AwsError::new(
                400,
                "ValidationException",
                format!("logs of a distribution are delivered from {CLOUDFRONT_REGION} alone"),
            ));
        }
        let name = &inputs.name;
        let arn = arn("logs", &new.region, &format!("delivery-source:{name}"));
        Ok(Deployed::new(
            name,
            json!({ "arn": arn, "service": "cloudfront" }),
        ))
    }
}

/// `aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination`.
pub(crate) struct LogDeliveryDestination;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogDeliveryDestinationInputs {
    name: String,
    output_format: Option<String>,
    delivery_destination_configuration: DestinationConfiguration,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DestinationConfiguration {
    destination_resource_arn: String,
}

#[async_trait]
impl ResourceType for LogDeliveryDestination {
    type Inputs = LogDeliveryDestinationInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination";
    const REPLACES_ON: &'static [&'static str] = &["name", "outputFormat"];
    const AUTO_NAME: Option<AutoName> = Some(NAMED);
    const DECLARED_ONLY: bool = true;
    /// PutDeliveryDestination.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &LogDeliveryDestinationInputs) -> Vec<Refusal> {
        let mut refusals = Vec::from_iter(check_name(&inputs.name));
        let format = inputs.output_format.as_deref().unwrap_or("json");
        if !FORMATS.contains(&format) {
            let reason = format!("{format:?} is none of {}", FORMATS.join(", "));
            refusals.push(Refusal::new("outputFormat", reason));
        }
        let target = &inputs
            .delivery_destination_configuration
            .destination_resource_arn;
        if !matches!(service(target), "firehose" | "logs" | "s3") {
            refusals.push(Refusal::new(
                "deliveryDestinationConfiguration.destinationResourceArn",
                "must be the ARN of a log group, a bucket or a delivery stream",
            ));
        }
        refusals
    }

    async fn create(
        &self,
        _deployments: &Arc<Deployments>,
        new: &New,
        inputs: &LogDeliveryDestinationInputs,
    ) -> AwsResult<Deployed> {
        let name = &inputs.name;
        let arn = arn("logs", &new.region, &format!("delivery-destination:{name}"));
        Ok(Deployed::new(name, json!({ "arn": arn })))
    }
}

/// `aws:cloudwatch/logDelivery:LogDelivery`.
pub(crate) struct LogDelivery;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogDeliveryInputs {
    delivery_source_name: String,
    delivery_destination_arn: String,
    record_fields: Option<Vec<String>>,
    field_delimiter: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for LogDelivery {
    type Inputs = LogDeliveryInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:cloudwatch/logDelivery:LogDelivery";
    const REPLACES_ON: &'static [&'static str] = &["deliveryDestinationArn", "deliverySourceName"];
    const DECLARED_ONLY: bool = true;

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &LogDeliveryInputs,
    ) -> AwsResult<Deployed> {
        let source = &inputs.delivery_source_name;
        let sources = LogDeliverySource::TOKEN;
        let known = deployments.find(sources, source, Some(&new.region));
        if known.is_none() {
            return Err(AwsError::new(
                400,
                "ResourceNotFoundException",
                format!("Delivery source {source} does not exist."),
            ));
        }
        let id = new.suffix(16);
        let arn = arn("logs", &new.region, &format!("delivery:{id}"));
        Ok(Deployed::new(id, json!({ "arn": arn })))
    }
}

fn check_name(name: &str) -> Option<Refusal> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed);
    let reason = || format!("{name:?} must be 1 to {MAX_NAME} letters, digits, - and _");
    (!fits).then(|| Refusal::new("name", reason()))
}

fn service(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}
