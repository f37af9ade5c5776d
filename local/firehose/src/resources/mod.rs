//! Firehose: `aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream`.

mod destination;

use crate::Firehose;
use crate::{DESTINATION_ID, StreamSettings};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCOUNT_ID, arn};
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use destination::ExtendedS3;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest name (API reference, `CreateDeliveryStream`).
const MAX_NAME: usize = 64;

/// `aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream`.
pub(crate) struct FirehoseDeliveryStream;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StreamInputs {
    name: String,
    destination: String,
    extended_s3_configuration: Option<ExtendedS3>,
    server_side_encryption: Option<Encryption>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Encryption {
    enabled: Option<bool>,
    key_type: Option<String>,
    key_arn: Option<String>,
}

impl StreamInputs {
    fn arn(&self, region: &str) -> String {
        arn("firehose", region, &format!("deliverystream/{}", self.name))
    }

    fn settings(&self, region: &str, version: u64, created: i64) -> AwsResult<StreamSettings> {
        let destination = self
            .extended_s3_configuration
            .as_ref()
            .ok_or_else(|| invalid("extendedS3Configuration must be given"))?
            .parse()
            .map_err(|refusals| {
                let reasons: Vec<_> = refusals
                    .into_iter()
                    .map(|refusal| format!("{}: {}", refusal.property, refusal.reason))
                    .collect();
                invalid(&reasons.join("; "))
            })?;
        Ok(StreamSettings {
            name: self.name.clone(),
            arn: self.arn(region),
            region: region.to_owned(),
            version,
            created,
            destination,
        })
    }

    /// Firehose tries the roles that it is given.
    fn check_roles(&self, firehose: &Firehose, settings: &StreamSettings) -> AwsResult<()> {
        let destination = &settings.destination;
        let processor = destination.transform.as_ref();
        let roles = [
            Some(&destination.role_arn),
            processor.and_then(|processor| processor.role_arn.as_ref()),
        ];
        for role in roles.into_iter().flatten() {
            let external_id = [("sts:ExternalId", ACCOUNT_ID)];
            firehose
                .iam
                .assume_role(role, "firehose.amazonaws.com", &external_id)
                .map_err(|reason| {
                    tracing::info!(stream = self.name, %reason, "a role cannot be assumed");
                    invalid(&format!(
                        "Firehose is unable to assume role {role}. Please check the role provided."
                    ))
                })?;
        }
        Ok(())
    }
}

#[async_trait]
impl ResourceType for FirehoseDeliveryStream {
    type Inputs = StreamInputs;
    type Service = Firehose;

    const TOKEN: &'static str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";
    const REPLACES_ON: &'static [&'static str] = &["name", "destination"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["versionId"];

    fn validate(&self, inputs: &StreamInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let name_fits = (1..=MAX_NAME).contains(&inputs.name.len())
            && inputs
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if !name_fits {
            refusals.push(Refusal::new(
                "name",
                format!(
                    "must have 1 to {MAX_NAME} characters out of a-z, A-Z, 0-9, '_', '.' and '-'"
                ),
            ));
        }
        if inputs.destination != "extended_s3" {
            refusals.push(Refusal::new(
                "destination",
                format!(
                    "the embedded cloud delivers to extended_s3 only, not to {}",
                    inputs.destination
                ),
            ));
        }
        match &inputs.extended_s3_configuration {
            None => refusals.push(Refusal::new(
                "extendedS3Configuration",
                "must be given with the destination extended_s3",
            )),
            Some(configuration) => refusals.extend(configuration.parse().err().unwrap_or_default()),
        }
        if let Some(encryption) = &inputs.server_side_encryption
            && encryption.enabled == Some(true)
            && (encryption.key_arn.is_some()
                || encryption
                    .key_type
                    .as_deref()
                    .is_some_and(|kind| kind != "AWS_OWNED_CMK"))
        {
            refusals.push(Refusal::new(
                "serverSideEncryption.keyType",
                "the embedded cloud encrypts nothing with KMS: AWS_OWNED_CMK is the one it takes",
            ));
        }
        refusals
    }

    async fn create(
        &self,
        firehose: &Arc<Firehose>,
        new: &New,
        inputs: &StreamInputs,
    ) -> AwsResult<Deployed> {
        let created = firehose.context.clock.unix_millis();
        let settings = inputs.settings(&new.region, 1, created)?;
        if firehose.settings(&settings.arn).is_some() {
            return Err(AwsError::new(
                400,
                "ResourceInUseException",
                format!(
                    "Firehose {} under accountId {ACCOUNT_ID} already exists",
                    inputs.name
                ),
            ));
        }
        inputs.check_roles(firehose, &settings)?;
        Ok(Deployed::new(
            settings.arn.clone(),
            json!({
                "arn": settings.arn,
                "name": inputs.name,
                "destinationId": DESTINATION_ID,
                "versionId": settings.version.to_string(),
                "createTimestamp": created,
            }),
        ))
    }

    async fn activate(
        &self,
        firehose: &Arc<Firehose>,
        resource: &Resource<StreamInputs>,
    ) -> AwsResult<()> {
        let created = resource
            .outputs
            .get("createTimestamp")
            .and_then(Value::as_i64);
        let settings = resource.inputs.settings(
            &resource.region,
            version(resource),
            created.unwrap_or_default(),
        )?;
        firehose.deploy(settings)
    }

    async fn update(
        &self,
        firehose: &Arc<Firehose>,
        old: &Resource<StreamInputs>,
        inputs: &StreamInputs,
    ) -> AwsResult<Properties> {
        let version = version(old);
        let before = old.inputs.settings(&old.region, version, 0)?;
        let after = inputs.settings(&old.region, version, 0)?;
        inputs.check_roles(firehose, &after)?;
        let mut outputs = old.outputs.clone();
        // Tags are no part of the destination.
        if before != after {
            outputs.insert("versionId".into(), (version + 1).to_string().into());
        }
        Ok(outputs)
    }

    async fn read(
        &self,
        firehose: &Arc<Firehose>,
        _scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<StreamInputs>>,
    ) -> AwsResult<Option<Resource<StreamInputs>>> {
        let mut known = known.filter(|_| firehose.settings(id).is_some());
        if let Some(stream) = &mut known
            && let Some(configuration) = &mut stream.inputs.extended_s3_configuration
        {
            configuration.forget_defaults();
        }
        Ok(known)
    }

    async fn delete(
        &self,
        firehose: &Arc<Firehose>,
        resource: &Resource<StreamInputs>,
    ) -> AwsResult<()> {
        firehose.remove(&resource.id).await
    }
}

fn version(resource: &Resource<StreamInputs>) -> u64 {
    resource.output("versionId").parse().unwrap_or(1)
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidArgumentException", message)
}
