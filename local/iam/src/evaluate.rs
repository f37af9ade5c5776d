//! The decision: pure, over parsed policies and one request.
//!
//! Order and rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>.
//! An explicit deny in any policy wins. Then, within one account, an allow in either the
//! caller's policies or the resource's is enough, and a trust policy must allow by itself.

use super::document::{Document, Effect, Principal, Statement};
use super::pattern::{arn_like, like_ignoring_case};
use cloud_core::identity::ACCOUNT_ID;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The account itself.
    Account,
    /// A session of a role.
    Session {
        role_arn: &'a str,
        session_arn: &'a str,
    },
    /// A service as itself.
    Service(&'a str),
    Anonymous,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub actor: Actor<'a>,
    pub action: &'a str,
    pub resource: &'a str,
    /// Condition keys beyond those that follow from the actor.
    pub keys: &'a [(&'a str, &'a str)],
}

/// The policies that apply.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Those of the caller's role.
    pub identity: &'a [&'a Document],
    /// That of the resource.
    pub resource: Option<&'a Document>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// A statement denies it; the kind of policy it is in.
    Denied(Side),
    /// No statement allows it.
    NotAllowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Identity,
    Resource,
}

/// Decides a call to a resource.
pub fn decide(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    let in_identity = |effect| {
        policies
            .identity
            .iter()
            .flat_map(|document| &document.statements)
            .any(|statement| statement.effect == effect && request.is_covered_by(statement))
    };
    if in_identity(Effect::Deny) {
        return Decision::Denied(Side::Identity);
    }
    if request.is_in(policies.resource, Effect::Deny) {
        return Decision::Denied(Side::Resource);
    }
    // The account's root user has full access where nothing denies it.
    if request.actor == Actor::Account
        || in_identity(Effect::Allow)
        || request.is_in(policies.resource, Effect::Allow)
    {
        Decision::Allowed
    } else {
        Decision::NotAllowed
    }
}

/// Decides whether the actor may assume the role that has this trust policy.
pub(crate) fn decide_trust(request: &Request<'_>, trust: &Document) -> Decision {
    if request.is_in(Some(trust), Effect::Deny) {
        Decision::Denied(Side::Resource)
    } else if request.is_in(Some(trust), Effect::Allow) {
        Decision::Allowed
    } else {
        Decision::NotAllowed
    }
}

impl Request<'_> {
    fn is_in(&self, policy: Option<&Document>, effect: Effect) -> bool {
        policy.is_some_and(|policy| {
            policy.statements.iter().any(|statement| {
                statement.effect == effect
                    && self.is_by(statement.principals.as_deref().unwrap_or_default(), effect)
                    && self.is_covered_by(statement)
            })
        })
    }

    fn is_by(&self, principals: &[Principal], effect: Effect) -> bool {
        principals
            .iter()
            .any(|principal| match (principal, self.actor) {
                (Principal::Everyone, _) => true,
                (Principal::Account(id), Actor::Account) => id == ACCOUNT_ID,
                // An allow for the account lets the account decide: its roles still need an allow
                // of their own. A deny for the account is one for all in it.
                (Principal::Account(id), Actor::Session { .. }) => {
                    id == ACCOUNT_ID && effect == Effect::Deny
                }
                (
                    Principal::Arn(arn),
                    Actor::Session {
                        role_arn,
                        session_arn,
                    },
                ) => arn == role_arn || arn == session_arn,
                (Principal::Service(name), Actor::Service(service)) => name == service,
                _ => false,
            })
    }

    fn is_covered_by(&self, statement: &Statement) -> bool {
        statement
            .actions
            .contains(|pattern| like_ignoring_case(pattern, self.action))
            && statement.resources.as_ref().is_none_or(|resources| {
                resources.contains(|pattern| arn_like(pattern, self.resource))
            })
            && statement
                .conditions
                .iter()
                .all(|condition| condition.holds(|key| self.value_of(key)))
    }

    /// The value of a condition key, by the availability that
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    /// gives for it.
    fn value_of(&self, key: &str) -> Option<String> {
        if let Some((_, value)) = self
            .keys
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
        {
            return Some((*value).to_owned());
        }
        let value = match (key, self.actor) {
            // What listens on loopback alone cannot be overheard.
            ("aws:SecureTransport", _) => "true",
            ("aws:ResourceAccount", _) => ACCOUNT_ID,
            ("aws:PrincipalAccount", Actor::Account | Actor::Session { .. }) => ACCOUNT_ID,
            ("aws:PrincipalArn", Actor::Session { role_arn, .. }) => role_arn,
            ("aws:PrincipalArn", Actor::Account) => {
                return Some(format!("arn:aws:iam::{ACCOUNT_ID}:root"));
            }
            ("aws:PrincipalIsAWSService", Actor::Service(_)) => "true",
            ("aws:PrincipalIsAWSService", Actor::Account | Actor::Session { .. }) => "false",
            ("aws:PrincipalServiceName", Actor::Service(service)) => service,
            _ => return None,
        };
        Some(value.to_owned())
    }
}

#[cfg(test)]
mod tests;
