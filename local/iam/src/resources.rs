//! IAM: roles and their inline policies. The modules below have managed policies and their
//! attachments.

mod federation;
mod managed_policy;
mod policy_attachment;

pub(crate) use federation::OpenIdConnectProvider;
pub(crate) use managed_policy::Policy;
pub(crate) use policy_attachment::RolePolicyAttachment;

use crate::Iam;
use crate::document::{Document, PolicyKind};
use crate::no_such_role;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use time::format_description::well_known::Rfc3339;

// Limits: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MAX_ROLE_NAME: usize = 64;
const MAX_POLICY_NAME: usize = 128;
const MAX_TRUST_POLICY: usize = 2_048;
const MAX_ROLE_POLICY: usize = 10_240;
const MAX_PATH: usize = 512;

/// Seconds that a role's session may last:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
const SESSION_DURATIONS: std::ops::RangeInclusive<u32> = 3_600..=43_200;

/// `aws:iam/role:Role`.
pub(crate) struct Role;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RoleInputs {
    name: String,
    name_prefix: Option<String>,
    assume_role_policy: String,
    path: Option<String>,
    description: Option<String>,
    max_session_duration: Option<u32>,
    force_detach_policies: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
}

impl RoleInputs {
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    fn trust(&self) -> AwsResult<Document> {
        Document::parse(&self.assume_role_policy, PolicyKind::Trust).map_err(malformed)
    }
}

#[async_trait]
impl ResourceType for Role {
    type Inputs = RoleInputs;
    type Service = Iam;

    const TOKEN: &'static str = "aws:iam/role:Role";
    const REPLACES_ON: &'static [&'static str] = &["name", "namePrefix", "path"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_ROLE_NAME,
    });
    const HOLDS: &'static [&'static str] = &[RolePolicy::TOKEN, RolePolicyAttachment::TOKEN];

    fn validate(&self, inputs: &RoleInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(check_name(&inputs.name, MAX_ROLE_NAME));
        refusals.extend(check_policy(
            "assumeRolePolicy",
            &inputs.assume_role_policy,
            PolicyKind::Trust,
            MAX_TRUST_POLICY,
        ));
        let path = inputs.path();
        if path.len() > MAX_PATH
            || !path.starts_with('/')
            || !path.ends_with('/')
            || !path.bytes().all(|byte| byte.is_ascii_graphic())
        {
            refusals.push(Refusal::new(
                "path",
                format!(
                    "{path:?} must begin and end with / and have at most {MAX_PATH} characters"
                ),
            ));
        }
        if let Some(seconds) = inputs.max_session_duration
            && !SESSION_DURATIONS.contains(&seconds)
        {
            refusals.push(Refusal::new(
                "maxSessionDuration",
                format!("{seconds} is not within 3600 to 43200 seconds"),
            ));
        }
        refusals
    }

    async fn create(&self, iam: &Arc<Iam>, new: &New, inputs: &RoleInputs) -> AwsResult<Deployed> {
        if iam.role_arn(&inputs.name).is_some() {
            return Err(AwsError::new(
                409,
                "EntityAlreadyExists",
                format!("Role with name {} already exists.", inputs.name),
            ));
        }
        check_principals(iam, &inputs.trust()?)?;
        let created = iam
            .clock
            .now()
            .replace_nanosecond(0)
            .unwrap_or(iam.clock.now());
        Ok(Deployed::new(
            inputs.name.clone(),
            json!({
                "arn": arn("iam", "", &format!("role{}{}", inputs.path(), inputs.name)),
                "createDate": created.format(&Rfc3339).map_err(AwsError::internal)?,
                "uniqueId": format!("AROA{}", new.suffix(17).to_uppercase()),
                "name": inputs.name,
                "path": inputs.path(),
            }),
        ))
    }

    async fn activate(&self, iam: &Arc<Iam>, resource: &Resource<RoleInputs>) -> AwsResult<()> {
        iam.put_role(resource.output("arn"), resource.inputs.trust()?);
        Ok(())
    }

    async fn update(
        &self,
        iam: &Arc<Iam>,
        old: &Resource<RoleInputs>,
        inputs: &RoleInputs,
    ) -> AwsResult<Properties> {
        check_principals(iam, &inputs.trust()?)?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        iam: &Arc<Iam>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<RoleInputs>>,
    ) -> AwsResult<Option<Resource<RoleInputs>>> {
        Ok(known.filter(|role| iam.has_role(role.output("arn"))))
    }

    async fn delete(&self, iam: &Arc<Iam>, resource: &Resource<RoleInputs>) -> AwsResult<()> {
        let arn = resource.output("arn");
        let force = resource.inputs.force_detach_policies == Some(true);
        let embedded = !iam.role_policies(arn).is_empty();
        if !force && (embedded || iam.has_attached(arn)) {
            // https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
            return Err(AwsError::new(
                409,
                "DeleteConflict",
                "Cannot delete entity, must delete policies first.",
            ));
        }
        iam.remove_role(arn);
        Ok(())
    }
}

/// `aws:iam/rolePolicy:RolePolicy`.
pub(crate) struct RolePolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RolePolicyInputs {
    name: String,
    name_prefix: Option<String>,
    role: String,
    policy: String,
}

#[async_trait]
impl ResourceType for RolePolicy {
    type Inputs = RolePolicyInputs;
    type Service = Iam;

    const TOKEN: &'static str = "aws:iam/rolePolicy:RolePolicy";
    const REPLACES_ON: &'static [&'static str] = &["name", "namePrefix", "role"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_POLICY_NAME,
    });
    /// PutRolePolicy.
    const OVERWRITES: bool = true;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["role", "name"],
        separator: ":",
    });

    fn validate(&self, inputs: &RolePolicyInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(check_name(&inputs.name, MAX_POLICY_NAME));
        refusals.extend(check_policy(
            "policy",
            &inputs.policy,
            PolicyKind::Identity,
            MAX_ROLE_POLICY,
        ));
        refusals
    }

    async fn create(
        &self,
        iam: &Arc<Iam>,
        _new: &New,
        inputs: &RolePolicyInputs,
    ) -> AwsResult<Deployed> {
        if iam.role_arn(&inputs.role).is_none() {
            return Err(no_such_role(&inputs.role));
        }
        Ok(Deployed::new(
            format!("{}:{}", inputs.role, inputs.name),
            json!({ "name": inputs.name }),
        ))
    }

    async fn activate(
        &self,
        iam: &Arc<Iam>,
        resource: &Resource<RolePolicyInputs>,
    ) -> AwsResult<()> {
        let RolePolicyInputs {
            name, role, policy, ..
        } = &resource.inputs;
        let document = Document::parse(policy, PolicyKind::Identity).map_err(malformed)?;
        iam.put_role_policy(role, name, document)
    }

    async fn read(
        &self,
        iam: &Arc<Iam>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<RolePolicyInputs>>,
    ) -> AwsResult<Option<Resource<RolePolicyInputs>>> {
        Ok(known.filter(|policy| {
            let arn = iam.role_arn(&policy.inputs.role).unwrap_or_default();
            iam.role_policies(&arn).contains(&policy.inputs.name)
        }))
    }

    async fn delete(&self, iam: &Arc<Iam>, resource: &Resource<RolePolicyInputs>) -> AwsResult<()> {
        iam.remove_role_policy(&resource.inputs.role, &resource.inputs.name);
        Ok(())
    }
}

pub fn check_name(name: &str, max: usize) -> Option<Refusal> {
    let fits = (1..=max).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    (!fits).then(|| {
        Refusal::new(
            "name",
            format!("{name:?} must have 1 to {max} characters out of A-Z, a-z, 0-9 and _+=,.@-"),
        )
    })
}

pub fn check_policy(property: &str, text: &str, kind: PolicyKind, max: usize) -> Option<Refusal> {
    // White space does not count.
    let size = text.chars().filter(|c| !c.is_whitespace()).count();
    if size > max {
        return Some(Refusal::new(
            property,
            format!("the policy has {size} characters, of which AWS allows {max}"),
        ));
    }
    let reason = Document::parse(text, kind).err()?;
    Some(Refusal::new(property, reason))
}

fn check_principals(iam: &Iam, policy: &Document) -> AwsResult<()> {
    match iam.missing_principal(policy) {
        Some(arn) => Err(malformed(format!(
            "Invalid principal in policy: \"AWS\":\"{arn}\""
        ))),
        None => Ok(()),
    }
}

fn malformed(reason: String) -> AwsError {
    AwsError::new(400, "MalformedPolicyDocument", reason)
}
