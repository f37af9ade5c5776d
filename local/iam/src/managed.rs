//! Managed policies: each can be attached to any number of roles.

use crate::document::Document;
use crate::{Iam, no_such_role};
use cloud_core::error::AwsResult;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The documents of managed policies, under their ARNs.
#[derive(Debug, Default)]
pub(crate) struct Policies(RwLock<HashMap<String, Document>>);

impl Policies {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Document>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Document>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iam {
    /// Deploys a managed policy, or changes what it says for all that it is attached to.
    pub(crate) fn put_managed_policy(&self, arn: &str, document: Document) {
        self.managed.write().insert(arn.to_owned(), document);
    }

    /// What the managed policy of this ARN says, if there is one.
    pub(crate) fn managed_policy(&self, arn: &str) -> Option<Document> {
        self.managed.read().get(arn).cloned()
    }

    pub(crate) fn remove_managed_policy(&self, arn: &str) {
        self.managed.write().remove(arn);
    }

    /// Whether any role has the policy.
    pub(crate) fn is_attached(&self, arn: &str) -> bool {
        self.read().values().any(|role| role.attached.contains(arn))
    }

    /// Whether the role of this ARN has a managed policy.
    pub(crate) fn has_attached(&self, role_arn: &str) -> bool {
        self.read()
            .get(role_arn)
            .is_some_and(|role| !role.attached.is_empty())
    }

    /// Gives a managed policy to the role of this name.
    pub(crate) fn attach(&self, role: &str, policy_arn: &str) -> AwsResult<()> {
        let arn = self.role_arn(role).ok_or_else(|| no_such_role(role))?;
        if let Some(role) = self.write().get_mut(&arn) {
            role.attached.insert(policy_arn.to_owned());
        }
        Ok(())
    }

    /// Takes it away; one that the role does not have is no error.
    pub(crate) fn detach(&self, role: &str, policy_arn: &str) {
        if let Some(arn) = self.role_arn(role)
            && let Some(role) = self.write().get_mut(&arn)
        {
            role.attached.remove(policy_arn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::PolicyKind;
    use crate::{Call, Caller};

    #[test]
    fn an_attached_policy_counts_until_it_is_detached() -> Result<(), String> {
        let role = "arn:aws:iam::000000000000:role/delivery";
        let policy = "arn:aws:iam::000000000000:policy/writer";
        let iam = Iam::default();
        let trust = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":"firehose.amazonaws.com"}}}"#;
        iam.put_role(role, Document::parse(trust, PolicyKind::Trust)?);
        let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#;
        iam.put_managed_policy(policy, Document::parse(allow, PolicyKind::Identity)?);
        let session = iam.assume_role(role, "firehose.amazonaws.com", &[]);
        let caller = Caller::Role(session.map_err(|error| error.message)?);
        let may = || {
            let call = Call {
                caller: &caller,
                action: "s3:PutObject",
                resource: "arn:aws:s3:::clicks/o",
                context: &[],
                resource_policy: None,
            };
            iam.authorize(&call).is_ok()
        };
        assert!(!may());
        iam.attach("delivery", policy)
            .map_err(|error| error.message)?;
        assert!(may() && iam.is_attached(policy));
        iam.detach("delivery", policy);
        assert!(!may() && !iam.is_attached(policy));
        Ok(())
    }
}
