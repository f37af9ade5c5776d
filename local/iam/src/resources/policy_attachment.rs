//! IAM: managed policies that are attached to roles.

use crate::Iam;
use crate::no_such_role;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{Deployed, ImportId, New, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// `aws:iam/rolePolicyAttachment:RolePolicyAttachment`.
pub(crate) struct RolePolicyAttachment;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RolePolicyAttachmentInputs {
    policy_arn: String,
    role: String,
}

#[async_trait]
impl ResourceType for RolePolicyAttachment {
    type Inputs = RolePolicyAttachmentInputs;
    type Service = Iam;

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
        iam: &Arc<Iam>,
        _new: &New,
        inputs: &RolePolicyAttachmentInputs,
    ) -> AwsResult<Deployed> {
        let RolePolicyAttachmentInputs { policy_arn, role } = inputs;
        if iam.role_arn(role).is_none() {
            return Err(no_such_role(role));
        }
        if iam.managed_policy(policy_arn).is_none() {
            return Err(no_such_policy(policy_arn));
        }
        Ok(Deployed::new(format!("{role}/{policy_arn}"), json!({})))
    }

    async fn activate(
        &self,
        iam: &Arc<Iam>,
        attachment: &Resource<RolePolicyAttachmentInputs>,
    ) -> AwsResult<()> {
        let RolePolicyAttachmentInputs { policy_arn, role } = &attachment.inputs;
        iam.attach(role, policy_arn)
    }

    async fn delete(
        &self,
        iam: &Arc<Iam>,
        attachment: &Resource<RolePolicyAttachmentInputs>,
    ) -> AwsResult<()> {
        let RolePolicyAttachmentInputs { policy_arn, role } = &attachment.inputs;
        iam.detach(role, policy_arn);
        Ok(())
    }
}

/// What AttachRolePolicy answers when a policy is named that does not exist.
fn no_such_policy(policy_arn: &str) -> AwsError {
    AwsError::new(
        404,
        "NoSuchEntity",
        format!(
            "Policy {policy_arn} does not exist or is not attachable: the embedded cloud has the \
             policies that are deployed on it, and none of AWS's own"
        ),
    )
}
