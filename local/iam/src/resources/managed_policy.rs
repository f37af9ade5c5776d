//! IAM: managed policies. One applies to the roles that it is attached to.

use super::{check_name, check_policy, malformed};
use crate::Iam;
use crate::document::{Document, PolicyKind};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
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
    type Service = Iam;

    const TOKEN: &'static str = "aws:iam/policy:Policy";
    const REPLACES_ON: &'static [&'static str] = &["name", "namePrefix", "path", "description"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });

    fn validate(&self, inputs: &PolicyInputs) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = check_name(&inputs.name, MAX_NAME).into_iter().collect();
        refusals.extend(check_policy(
            "policy",
            &inputs.policy,
            PolicyKind::Identity,
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
        iam: &Arc<Iam>,
        _new: &New,
        inputs: &PolicyInputs,
    ) -> AwsResult<Deployed> {
        let path = inputs.path.as_deref().unwrap_or("/");
        let arn = arn("iam", "", &format!("policy{path}{}", inputs.name));
        if iam.managed_policy(&arn).is_some() {
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

    async fn activate(&self, iam: &Arc<Iam>, resource: &Resource<PolicyInputs>) -> AwsResult<()> {
        let document =
            Document::parse(&resource.inputs.policy, PolicyKind::Identity).map_err(malformed)?;
        iam.put_managed_policy(&resource.id, document);
        Ok(())
    }

    async fn delete(&self, iam: &Arc<Iam>, resource: &Resource<PolicyInputs>) -> AwsResult<()> {
        // https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
        if iam.is_attached(&resource.id) {
            return Err(AwsError::new(
                409,
                "DeleteConflict",
                "Cannot delete a policy attached to entities.",
            ));
        }
        iam.remove_managed_policy(&resource.id);
        Ok(())
    }
}
