//! Decisions, case by case, each with where AWS says so.

use super::super::document::PolicyKind;
use super::*;

const EVALUATION: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html";
const PRINCIPAL: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html";
const ACTION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html";
const NOT_ACTION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html";
const NOT_RESOURCE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html";
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

fn parse(statements: &str, kind: PolicyKind) -> Result<Option<Document>, String> {
    if statements.is_empty() {
        return Ok(None);
    }
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Document::parse(&text, kind).map(Some)
}

#[test]
fn calls_are_decided_as_documented() -> Result<(), String> {
    for case in CASES {
        let identity = parse(case.identity, PolicyKind::Identity)?;
        let resource = parse(case.resource_policy, PolicyKind::Resource)?;
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
        PolicyKind::Trust,
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
