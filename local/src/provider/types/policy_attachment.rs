//! IAM: managed policies that are attached to roles.

use super::managed_policy::Policy;
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::provider::resource::{Deployed, ImportId, New, Resource, ResourceType};
use crate::services::iam::document::{Document, Kind};
use crate::services::iam::no_such_role;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// `aws:iam/rolePolicyAttachment:RolePolicyAttachment`.
pub struct RolePolicyAttachment;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RolePolicyAttachmentInputs {
    policy_arn: String,
    role: String,
}

#[async_trait]
impl ResourceType for RolePolicyAttachment {
    type Inputs = RolePolicyAttachmentInputs;

    const TOKEN: &'static str = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    const REPLACES_ON: &'static [&'static str] = &["policyArn", "role"];
    /// AttachRolePolicy says nothing of one that is attached already.
    const OVERWRITES: bool = true;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["role", "policyArn"],
        separator: "/",
    });

    async fn create(
        &self,
        cloud: &Arc<Cloud>,
        _new: &New,
        inputs: &RolePolicyAttachmentInputs,
    ) -> AwsResult<Deployed> {
        let RolePolicyAttachmentInputs { policy_arn, role } = inputs;
        if cloud.iam.role_arn(role).is_none() {
            return Err(no_such_role(role));
        }
        policy(cloud, policy_arn)?;
        Ok(Deployed::new(format!("{role}/{policy_arn}"), json!({})))
    }

    async fn activate(
        &self,
        cloud: &Arc<Cloud>,
        attachment: &Resource<RolePolicyAttachmentInputs>,
    ) -> AwsResult<()> {
        let RolePolicyAttachmentInputs { policy_arn, role } = &attachment.inputs;
        cloud
            .iam
            .put_managed_policy(policy_arn, policy(cloud, policy_arn)?);
        cloud.iam.attach(role, policy_arn)
    }

    async fn delete(
        &self,
        cloud: &Arc<Cloud>,
        attachment: &Resource<RolePolicyAttachmentInputs>,
    ) -> AwsResult<()> {
        let RolePolicyAttachmentInputs { policy_arn, role } = &attachment.inputs;
        cloud.iam.detach(role, policy_arn);
        Ok(())
    }
}

/// The document of a policy of this account.
fn policy(cloud: &Cloud, policy_arn: &str) -> AwsResult<Document> {
    let Some(record) = cloud.deployments.find(Policy::TOKEN, policy_arn, None) else {
        return Err(AwsError::new(
            404,
            "NoSuchEntity",
            format!(
                "Policy {policy_arn} does not exist or is not attachable: the embedded cloud has \
                     the policies that are deployed on it, and none of AWS's own"
            ),
        ));
    };
    let text = record.resource.inputs.get("policy").and_then(Value::as_str);
    Document::parse(text.unwrap_or_default(), Kind::Identity)
        .map_err(|reason| AwsError::new(400, "MalformedPolicyDocument", reason))
}
