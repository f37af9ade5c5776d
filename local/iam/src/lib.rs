//! IAM: who may do what.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`document`], [`condition`], [`pattern`] | policies as they are written |
//! | [`evaluate`] | the decision, pure |
//! | `managed` | policies that are attached to roles |
//! | `refusal` | what is said of a call that is not allowed |
//! | `resources` | its resource types |
//! | here | the account's roles, and decisions about real calls |

#![warn(unreachable_pub)]

pub mod condition;
pub mod document;
pub mod evaluate;
mod json;
mod managed;
pub mod pattern;
mod refusal;
mod resources;

pub use resources::{check_name, check_policy};

use cloud_core::clock::Clock;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::events::Events;
use cloud_core::identity::{ACCOUNT_ID, arn_name};
use cloud_resource::resource::{AnyResourceType, bind};
use document::{Document, PolicyKind, Principal};
use evaluate::{Actor, Decision, Policies, Request, decide, decide_trust};
use refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

/// Who calls a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The account itself: the person at the terminal, with the dummy keys.
    Account,
    /// A service that acts with a role it has assumed.
    Role(Session),
    /// A service that acts as itself, such as CloudFront reading an origin.
    Service(ServicePrincipal),
    /// Nobody in particular: a request without credentials.
    Anonymous,
}

/// A role that a service has assumed; only [`Iam::assume_role`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role's ARN.
    pub role_arn: String,
    /// The session's own ARN, which error messages name.
    arn: String,
}

/// A service principal, with the source keys that it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// Such as `cloudfront.amazonaws.com`.
    pub service: String,
    /// `aws:SourceArn`, where the service sends it.
    pub source_arn: Option<String>,
    /// `aws:SourceAccount`, where the service sends it.
    pub source_account: Option<String>,
}

/// One call to be decided.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub caller: &'a Caller,
    /// Such as `s3:PutObject`.
    pub action: &'a str,
    /// The ARN that is acted upon.
    pub resource: &'a str,
    /// Condition keys that the calling service sends, beyond those that follow from `caller`.
    pub context: &'a [(&'a str, &'a str)],
    /// The policy document (JSON) attached to the resource, where its type has one.
    pub resource_policy: Option<&'a str>,
}

/// The roles and policies of the account.
#[derive(Debug, Default)]
pub struct Iam {
    roles: RwLock<HashMap<String, Role>>,
    managed: managed::Policies,
    /// The ARNs of providers of identities from elsewhere.
    identity_providers: RwLock<BTreeSet<String>>,
    events: Arc<Events>,
    clock: Clock,
}

/// A role that is deployed, under its ARN.
#[derive(Debug)]
struct Role {
    name: String,
    trust: Document,
    policies: BTreeMap<String, Document>,
    /// The ARNs of managed policies.
    attached: BTreeSet<String>,
}

impl Iam {
    /// Nobody may do anything yet. What is refused is told to `events`.
    pub fn new(events: Arc<Events>, clock: Clock) -> Self {
        Self {
            roles: RwLock::default(),
            managed: managed::Policies::default(),
            identity_providers: RwLock::default(),
            events,
            clock,
        }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![
            bind(resources::Role, self),
            bind(resources::RolePolicy, self),
            bind(resources::Policy, self),
            bind(resources::RolePolicyAttachment, self),
            bind(resources::OpenIdConnectProvider, self),
        ]
    }

    /// Lets `service` act with the role, when the role's trust policy says so. `context` holds
    /// the condition keys that the service sends, such as `sts:ExternalId`.
    pub fn assume_role(
        &self,
        role_arn: &str,
        service: &str,
        context: &[(&str, &str)],
    ) -> AwsResult<Session> {
        const ACTION: &str = "sts:AssumeRole";
        let request = Request {
            actor: Actor::Service(service),
            action: ACTION,
            resource: role_arn,
            keys: context,
        };
        let roles = self.read();
        let decision = match roles.get(role_arn) {
            Some(role) => decide_trust(&request, &role.trust),
            None => Decision::NotAllowed,
        };
        drop(roles);
        if decision == Decision::Allowed {
            let session = service.split('.').next().unwrap_or(service);
            return Ok(Session {
                role_arn: role_arn.to_owned(),
                arn: format!(
                    "arn:aws:sts::{ACCOUNT_ID}:assumed-role/{}/{session}",
                    arn_name(role_arn)
                ),
            });
        }
        let refusal = Refusal::of_trust(&request, decision);
        self.events.push(refusal.event());
        Err(refusal.error())
    }

    /// Decides a call: `AccessDenied` (403) with the reason when it is not allowed.
    pub fn authorize(&self, call: &Call<'_>) -> AwsResult<()> {
        let policy = call
            .resource_policy
            .map(|text| Document::parse(text, PolicyKind::Resource))
            .transpose()
            .map_err(AwsError::internal)?;
        self.decide(call, policy.as_ref())
    }

    /// [`Self::authorize`] with the resource's policy parsed before; `call.resource_policy` is
    /// not looked at.
    pub fn decide(&self, call: &Call<'_>, resource_policy: Option<&Document>) -> AwsResult<()> {
        self.judge(call, resource_policy).map_err(|refusal| {
            self.events.push(refusal.event());
            refusal.error()
        })
    }

    /// Whether a call would be allowed that nobody has made.
    pub fn would_allow(&self, call: &Call<'_>, resource_policy: Option<&Document>) -> bool {
        self.judge(call, resource_policy).is_ok()
    }

    fn judge(
        &self,
        call: &Call<'_>,
        resource_policy: Option<&Document>,
    ) -> Result<(), Box<Refusal>> {
        let mut keys = call.context.to_vec();
        let roles = self.read();
        let managed = self.managed.read();
        let mut identity = Vec::new();
        let actor = match call.caller {
            Caller::Account => Actor::Account,
            Caller::Anonymous => Actor::Anonymous,
            Caller::Role(session) => {
                if let Some(role) = roles.get(&session.role_arn) {
                    identity.extend(role.policies.values());
                    let attached = role.attached.iter();
                    identity.extend(attached.filter_map(|arn| managed.get(arn)));
                }
                Actor::Session {
                    role_arn: &session.role_arn,
                    session_arn: &session.arn,
                }
            }
            Caller::Service(principal) => {
                keys.extend(
                    principal
                        .source_arn
                        .as_deref()
                        .map(|arn| ("aws:SourceArn", arn)),
                );
                keys.extend(
                    principal
                        .source_account
                        .as_deref()
                        .map(|account| ("aws:SourceAccount", account)),
                );
                Actor::Service(&principal.service)
            }
        };
        let request = Request {
            actor,
            action: call.action,
            resource: call.resource,
            keys: &keys,
        };
        let policies = Policies {
            identity: &identity,
            resource: resource_policy,
        };
        match decide(&request, &policies) {
            Decision::Allowed => Ok(()),
            decision => Err(Box::new(Refusal::new(&request, decision))),
        }
    }

    /// Whether a role of this ARN is deployed.
    pub(crate) fn has_role(&self, arn: &str) -> bool {
        self.read().contains_key(arn)
    }

    /// The ARN of the role of this name; names differ in more than letter case
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>).
    pub fn role_arn(&self, name: &str) -> Option<String> {
        self.read()
            .iter()
            .find(|(_, role)| role.name.eq_ignore_ascii_case(name))
            .map(|(arn, _)| arn.clone())
    }

    /// A role of this account that the policy names as a principal and that is not deployed.
    /// AWS refuses such a policy: it stores a role's unique id in place of its ARN.
    pub fn missing_principal(&self, policy: &Document) -> Option<String> {
        let ours = format!("arn:aws:iam::{ACCOUNT_ID}:role/");
        let roles = self.read();
        let principals = policy
            .statements
            .iter()
            .flat_map(|s| s.principals.iter().flatten());
        principals
            .filter_map(|principal| match principal {
                Principal::Arn(arn) => Some(arn),
                _ => None,
            })
            .find(|arn| arn.starts_with(&ours) && !roles.contains_key(*arn))
            .cloned()
    }

    /// Deploys a role, or changes the trust policy of one that is; its policies stay.
    pub fn put_role(&self, arn: &str, trust: Document) {
        let mut roles = self.write();
        match roles.get_mut(arn) {
            Some(role) => role.trust = trust,
            None => {
                roles.insert(
                    arn.to_owned(),
                    Role {
                        name: arn_name(arn).to_owned(),
                        trust,
                        policies: BTreeMap::new(),
                        attached: BTreeSet::new(),
                    },
                );
            }
        }
    }

    /// Removes a role and all that depends on it.
    pub(crate) fn remove_role(&self, arn: &str) {
        self.write().remove(arn);
    }

    /// The names of a role's inline policies.
    pub(crate) fn role_policies(&self, arn: &str) -> Vec<String> {
        self.read()
            .get(arn)
            .map(|role| role.policies.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Embeds a policy in the role of this name, in place of one of the same name.
    pub fn put_role_policy(&self, role: &str, policy: &str, document: Document) -> AwsResult<()> {
        let arn = self.role_arn(role).ok_or_else(|| no_such_role(role))?;
        if let Some(role) = self.write().get_mut(&arn) {
            role.policies.insert(policy.to_owned(), document);
        }
        Ok(())
    }

    /// Removes a policy from the role of this name; one that is not there is no error.
    pub(crate) fn remove_role_policy(&self, role: &str, policy: &str) {
        if let Some(arn) = self.role_arn(role)
            && let Some(role) = self.write().get_mut(&arn)
        {
            role.policies.remove(policy);
        }
    }

    /// Whether a provider of identities of this ARN is deployed.
    pub(crate) fn has_identity_provider(&self, arn: &str) -> bool {
        let providers = self.identity_providers.read();
        providers
            .unwrap_or_else(PoisonError::into_inner)
            .contains(arn)
    }

    pub(crate) fn put_identity_provider(&self, arn: &str) {
        let providers = self.identity_providers.write();
        providers
            .unwrap_or_else(PoisonError::into_inner)
            .insert(arn.to_owned());
    }

    pub(crate) fn remove_identity_provider(&self, arn: &str) {
        let providers = self.identity_providers.write();
        providers
            .unwrap_or_else(PoisonError::into_inner)
            .remove(arn);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Role>> {
        self.roles.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Role>> {
        self.roles.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What IAM answers when a role is named that does not exist.
pub(crate) fn no_such_role(name: &str) -> AwsError {
    AwsError::new(
        404,
        "NoSuchEntity",
        format!("The role with name {name} cannot be found."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::000000000000:role/service/delivery";
    const OBJECT: &str = "arn:aws:s3:::clicks/o";

    fn iam(policy: Option<&str>) -> Result<Iam, String> {
        let iam = Iam::default();
        let trust = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":"firehose.amazonaws.com"}}}"#;
        iam.put_role(ROLE, Document::parse(trust, PolicyKind::Trust)?);
        if let Some(policy) = policy {
            iam.put_role_policy(
                "delivery",
                "p",
                Document::parse(policy, PolicyKind::Identity)?,
            )
            .map_err(|error| error.to_string())?;
        }
        Ok(iam)
    }

    fn message(iam: &Iam, caller: &Caller, resource_policy: Option<&str>) -> String {
        let call = Call {
            caller,
            action: "s3:PutObject",
            resource: OBJECT,
            context: &[],
            resource_policy,
        };
        match iam.authorize(&call) {
            Ok(()) => String::from("allowed"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn refusals_name_caller_action_resource_and_reason() -> Result<(), String> {
        let user = "User: arn:aws:sts::000000000000:assumed-role/delivery/firehose is not \
                    authorized to perform: s3:PutObject on resource: arn:aws:s3:::clicks/o";
        let none = iam(None)?;
        let session = none
            .assume_role(ROLE, "firehose.amazonaws.com", &[])
            .map_err(|error| error.to_string())?;
        let caller = Caller::Role(session);
        assert_eq!(
            message(&none, &caller, None),
            format!("{user} because no identity-based policy allows the s3:PutObject action")
        );
        let deny = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        assert_eq!(
            message(&iam(Some(deny))?, &caller, None),
            format!("{user} with an explicit deny in an identity-based policy")
        );
        let deny = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;
        assert_eq!(
            message(&none, &caller, Some(deny)),
            format!("{user} with an explicit deny in a resource-based policy")
        );
        assert_eq!(message(&none, &Caller::Anonymous, None), "Access Denied");
        Ok(())
    }

    #[test]
    fn a_policy_counts_from_when_it_is_there_until_it_is_gone() -> Result<(), String> {
        let allow = r#"{"Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::clicks/*"}}"#;
        let iam = iam(Some(allow))?;
        let caller = Caller::Role(
            iam.assume_role(ROLE, "firehose.amazonaws.com", &[])
                .map_err(|error| error.to_string())?,
        );
        assert_eq!(message(&iam, &caller, None), "allowed");
        iam.remove_role_policy("delivery", "p");
        assert_ne!(message(&iam, &caller, None), "allowed");
        Ok(())
    }

    #[test]
    fn a_role_that_is_not_there_or_trusts_another_is_not_assumed() -> Result<(), String> {
        let iam = iam(None)?;
        for (role, service) in [
            (ROLE, "lambda.amazonaws.com"),
            (
                "arn:aws:iam::000000000000:role/other",
                "firehose.amazonaws.com",
            ),
        ] {
            let refused = iam.assume_role(role, service, &[]);
            let message = refused.err().map(|error| error.message).unwrap_or_default();
            assert_eq!(
                message,
                format!(
                    "User: {service} is not authorized to perform: sts:AssumeRole on resource: \
                     {role} because no role trust policy allows the sts:AssumeRole action"
                )
            );
        }
        Ok(())
    }
}
