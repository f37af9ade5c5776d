//! The decision: pure, over parsed policies and one request.
//!
//! Order and rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>.
//! An explicit deny in any policy wins. Then, within one account, an allow in either the
//! caller's policies or the resource's is enough, and a trust policy must allow by itself.

use super::document::{Document, Effect, Principal, Statement};
use super::pattern::{arn_like, like_ignoring_case};
use crate::identity::ACCOUNT_ID;

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
    /// A statement denies it; the kind of policy it stands in.
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
pub fn decide_trust(request: &Request<'_>, trust: &Document) -> Decision {
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
mod tests {
    use super::super::document::Kind;
    use super::*;

    const EVALUATION: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html";
    const PRINCIPAL: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html";
    const ACTION: &str =
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html";
    const NOT_ACTION: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html";
    const NOT_RESOURCE: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html";
    const KEYS: &str =
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html";
    const OAC: &str = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html";
    const ACCOUNT_PRINCIPAL: &str = "seen: https://zenn.dev/dannykitadani/articles/a03a4864f88ac4";

    const ROLE: Actor<'static> = Actor::Session {
        role_arn: "arn:aws:iam::000000000000:role/carlos",
        session_arn: "arn:aws:sts::000000000000:assumed-role/carlos/s",
    };
    const CLOUDFRONT: Actor<'static> = Actor::Service("cloudfront.amazonaws.com");

    const LOGS_DENIED: &str = r#"
        {"Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::*"},
        {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::carlos/*","arn:aws:s3:::carlos"]},
        {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*log*"}"#;
    const CARLOS_ALLOWED: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/carlos"},
        "Action":"s3:*","Resource":["arn:aws:s3:::carlos/*","arn:aws:s3:::carlos"]}"#;
    const TLS_ONLY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*",
        "Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    const ORIGIN_ACCESS: &str = r#"{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::carlos/*",
        "Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::000000000000:distribution/E1"}}}"#;
    const ROLE_DENIED: &str = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*",
        "Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/other"}}}"#;

    /// A case: what it shows, the caller, its role's statements, the resource's statements, the
    /// action, the resource, the keys that are sent, the decision, and its source.
    struct Case {
        name: &'static str,
        actor: Actor<'static>,
        identity: &'static str,
        resource_policy: &'static str,
        action: &'static str,
        resource: &'static str,
        keys: &'static [(&'static str, &'static str)],
        expected: Decision,
        source: &'static str,
    }

    const BASE: Case = Case {
        name: "nothing allows",
        actor: ROLE,
        identity: "",
        resource_policy: "",
        action: "s3:PutObject",
        resource: "arn:aws:s3:::carlos/o",
        keys: &[],
        expected: Decision::NotAllowed,
        source: EVALUATION,
    };

    const CASES: &[Case] = &[
        BASE,
        Case {
            name: "the role's policy allows",
            identity: LOGS_DENIED,
            expected: Decision::Allowed,
            ..BASE
        },
        Case {
            name: "the bucket's policy allows",
            resource_policy: CARLOS_ALLOWED,
            expected: Decision::Allowed,
            ..BASE
        },
        Case {
            name: "an explicit deny beats both",
            identity: LOGS_DENIED,
            resource_policy: CARLOS_ALLOWED,
            resource: "arn:aws:s3:::carlos-logs/o",
            expected: Decision::Denied(Side::Identity),
            ..BASE
        },
        Case {
            name: "an explicit deny of the bucket beats the role's allow",
            identity: LOGS_DENIED,
            resource_policy: ROLE_DENIED,
            expected: Decision::Denied(Side::Resource),
            source: PRINCIPAL,
            ..BASE
        },
        Case {
            name: "one allow is enough among several statements",
            identity: LOGS_DENIED,
            action: "s3:GetBucketLocation",
            resource: "arn:aws:s3:::any",
            expected: Decision::Allowed,
            ..BASE
        },
        Case {
            name: "actions are case-insensitive",
            identity: r#"{"Effect":"Allow","Action":"S3:putobject","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: ACTION,
            ..BASE
        },
        Case {
            name: "actions have wildcards",
            identity: r#"{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: ACTION,
            ..BASE
        },
        Case {
            name: "another action is not allowed",
            identity: r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#,
            source: ACTION,
            ..BASE
        },
        Case {
            name: "NotAction allows all others",
            identity: r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: NOT_ACTION,
            ..BASE
        },
        Case {
            name: "NotAction leaves out what it names",
            identity: r#"{"Effect":"Allow","NotAction":"s3:Put*","Resource":"*"}"#,
            source: NOT_ACTION,
            ..BASE
        },
        Case {
            name: "NotResource denies all others",
            identity: r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},
                {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::carlos/*"}"#,
            resource: "arn:aws:s3:::other/o",
            expected: Decision::Denied(Side::Identity),
            source: NOT_RESOURCE,
            ..BASE
        },
        Case {
            name: "NotResource spares what it names",
            identity: r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},
                {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::carlos/*"}"#,
            expected: Decision::Allowed,
            source: NOT_RESOURCE,
            ..BASE
        },
        Case {
            name: "the account needs no allow",
            actor: Actor::Account,
            expected: Decision::Allowed,
            ..BASE
        },
        Case {
            name: "the account is bound by a deny",
            actor: Actor::Account,
            resource_policy: ROLE_DENIED,
            expected: Decision::Denied(Side::Resource),
            ..BASE
        },
        Case {
            name: "an allow for the account is none for its roles",
            resource_policy: r#"{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"*"}"#,
            source: ACCOUNT_PRINCIPAL,
            ..BASE
        },
        Case {
            name: "a deny for the account is one for its roles",
            identity: LOGS_DENIED,
            resource_policy: r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"s3:*","Resource":"*"}"#,
            expected: Decision::Denied(Side::Resource),
            source: ACCOUNT_PRINCIPAL,
            ..BASE
        },
        Case {
            name: "another account is not this one",
            actor: Actor::Anonymous,
            resource_policy: r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            source: PRINCIPAL,
            ..BASE
        },
        Case {
            name: "a session may be named itself",
            resource_policy: r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/carlos/s"},
                "Action":"s3:*","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: PRINCIPAL,
            ..BASE
        },
        Case {
            name: "the anonymous are nobody without a policy",
            actor: Actor::Anonymous,
            ..BASE
        },
        Case {
            name: "everyone includes the anonymous",
            actor: Actor::Anonymous,
            resource_policy: r#"{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: PRINCIPAL,
            ..BASE
        },
        Case {
            name: "AWS * is everyone too",
            actor: Actor::Anonymous,
            resource_policy: r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:PutObject","Resource":"*"}"#,
            expected: Decision::Allowed,
            source: PRINCIPAL,
            ..BASE
        },
        Case {
            name: "loopback is secure transport",
            identity: LOGS_DENIED,
            resource_policy: TLS_ONLY,
            expected: Decision::Allowed,
            source: KEYS,
            ..BASE
        },
        Case {
            name: "a service reads with the source it names",
            actor: CLOUDFRONT,
            resource_policy: ORIGIN_ACCESS,
            action: "s3:GetObject",
            keys: &[(
                "aws:SourceArn",
                "arn:aws:cloudfront::000000000000:distribution/E1",
            )],
            expected: Decision::Allowed,
            source: OAC,
            ..BASE
        },
        Case {
            name: "another distribution does not",
            actor: CLOUDFRONT,
            resource_policy: ORIGIN_ACCESS,
            action: "s3:GetObject",
            keys: &[(
                "aws:SourceArn",
                "arn:aws:cloudfront::000000000000:distribution/E2",
            )],
            source: OAC,
            ..BASE
        },
        Case {
            name: "a service that names no source does not",
            actor: CLOUDFRONT,
            resource_policy: ORIGIN_ACCESS,
            action: "s3:GetObject",
            source: KEYS,
            ..BASE
        },
        Case {
            name: "another service does not",
            actor: Actor::Service("firehose.amazonaws.com"),
            resource_policy: ORIGIN_ACCESS,
            action: "s3:GetObject",
            keys: &[(
                "aws:SourceArn",
                "arn:aws:cloudfront::000000000000:distribution/E1",
            )],
            source: OAC,
            ..BASE
        },
        Case {
            name: "services can be told from principals",
            actor: CLOUDFRONT,
            resource_policy: r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"},
                {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*",
                 "Condition":{"Bool":{"aws:PrincipalIsAWSService":"false"}}}"#,
            expected: Decision::Allowed,
            source: KEYS,
            ..BASE
        },
        Case {
            name: "all conditions must hold",
            resource_policy: r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*",
                "Condition":{"Bool":{"aws:SecureTransport":"true"},
                             "StringEquals":{"aws:PrincipalAccount":"111122223333"}}}"#,
            source: EVALUATION,
            ..BASE
        },
    ];

    fn parse(statements: &str, kind: Kind) -> Result<Option<Document>, String> {
        if statements.is_empty() {
            return Ok(None);
        }
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        Document::parse(&text, kind).map(Some)
    }

    #[test]
    fn calls_are_decided_as_documented() -> Result<(), String> {
        for case in CASES {
            let identity = parse(case.identity, Kind::Identity)?;
            let resource = parse(case.resource_policy, Kind::Resource)?;
            let request = Request {
                actor: case.actor,
                action: case.action,
                resource: case.resource,
                keys: case.keys,
            };
            let policies = Policies {
                identity: &identity.iter().collect::<Vec<_>>(),
                resource: resource.as_ref(),
            };
            assert_eq!(
                decide(&request, &policies),
                case.expected,
                "{}, see {}",
                case.name,
                case.source
            );
        }
        Ok(())
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html>
    #[test]
    fn a_role_is_assumed_by_whom_it_trusts() -> Result<(), String> {
        let trust = Document::parse(
            r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"firehose.amazonaws.com"},
                "Action":"sts:AssumeRole",
                "Condition":{"StringEquals":{"sts:ExternalId":"000000000000"}}}}"#,
            Kind::Trust,
        )?;
        for (actor, external_id, expected) in [
            (
                Actor::Service("firehose.amazonaws.com"),
                "000000000000",
                Decision::Allowed,
            ),
            (
                Actor::Service("firehose.amazonaws.com"),
                "111122223333",
                Decision::NotAllowed,
            ),
            (
                Actor::Service("lambda.amazonaws.com"),
                "000000000000",
                Decision::NotAllowed,
            ),
            // Even the account's own root user is not let in by anything but the trust policy.
            (Actor::Account, "000000000000", Decision::NotAllowed),
        ] {
            let request = Request {
                actor,
                action: "sts:AssumeRole",
                resource: "arn:aws:iam::000000000000:role/r",
                keys: &[("sts:ExternalId", external_id)],
            };
            assert_eq!(
                decide_trust(&request, &trust),
                expected,
                "{actor:?} {external_id}"
            );
        }
        Ok(())
    }
}
