//! IAM: policies of their own, to be attached. Declared only: nothing here attaches
//! one, so that it allows nobody anything.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_iam::document::Kind;
use cloud_iam::{check_name, check_policy};
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MAX_NAME: usize = 128;
const MAX_DOCUMENT: usize = 6_144;
const MAX_DESCRIPTION: usize = 1_000;
const MAX_PATH: usize = 512;

/// `aws:iam/policy:Policy`.
pub(crate) struct Policy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PolicyInputs {
    name: String,
    name_prefix: Option<String>,
    path: Option<String>,
    description: Option<String>,
    policy: String,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for Policy {
    type Inputs = PolicyInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:iam/policy:Policy";
    const REPLACES_ON: &'static [&'static str] = &["name", "namePrefix", "path", "description"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &PolicyInputs) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = check_name(&inputs.name, MAX_NAME).into_iter().collect();
        refusals.extend(check_policy(
            "policy",
            &inputs.policy,
            Kind::Identity,
            MAX_DOCUMENT,
        ));
        let description = inputs.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_DESCRIPTION {
            let reason = format!("must have at most {MAX_DESCRIPTION} characters");
            refusals.push(Refusal::new("description", reason));
        }
        let path = inputs.path.as_deref().unwrap_or("/");
        if !path.starts_with('/') || !path.ends_with('/') || path.len() > MAX_PATH {
            let reason = format!("{path:?} must begin and end with /, in {MAX_PATH} characters");
            refusals.push(Refusal::new("path", reason));
        }
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        _new: &New,
        inputs: &PolicyInputs,
    ) -> AwsResult<Deployed> {
        let path = inputs.path.as_deref().unwrap_or("/");
        let arn = arn("iam", "", &format!("policy{path}{}", inputs.name));
        let taken = deployments.find(Self::TOKEN, &arn, None).is_some();
        if taken {
            // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
            return Err(AwsError::new(
                409,
                "EntityAlreadyExists",
                format!(
                    "A policy called {} already exists. Duplicate names are not allowed.",
                    inputs.name
                ),
            ));
        }
        Ok(Deployed::new(
            &arn,
            json!({ "arn": arn, "attachmentCount": 0 }),
        ))
    }

    async fn activate(
        &self,
        _deployments: &Arc<Deployments>,
        _resource: &Resource<PolicyInputs>,
    ) -> AwsResult<()> {
        Ok(())
    }

    async fn delete(
        &self,
        _deployments: &Arc<Deployments>,
        _resource: &Resource<PolicyInputs>,
    ) -> AwsResult<()> {
        Ok(())
    }
}
