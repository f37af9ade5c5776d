//! Policies compared statement by statement: who gains or loses which action on what, under which
//! condition.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::Finding;
use crate::preview::{Op, Preview, Step};
use crate::value;

/// The types that carry policies: the property, and how its statements are to be read.
const CARRIERS: [(&str, &str, Reading); 12] = [
    ("aws:iam/role:Role", "assumeRolePolicy", Reading::Trust),
    (
        "aws:iam/rolePolicy:RolePolicy",
        "policy",
        Reading::Identity("role"),
    ),
    (
        "aws:iam/userPolicy:UserPolicy",
        "policy",
        Reading::Identity("user"),
    ),
    (
        "aws:iam/groupPolicy:GroupPolicy",
        "policy",
        Reading::Identity("group"),
    ),
    ("aws:iam/policy:Policy", "policy", Reading::Managed),
    (
        "aws:s3/bucketPolicy:BucketPolicy",
        "policy",
        Reading::Resource,
    ),
    (
        "aws:sns/topicPolicy:TopicPolicy",
        "policy",
        Reading::Resource,
    ),
    ("aws:sns/topic:Topic", "policy", Reading::Resource),
    (
        "aws:sqs/queuePolicy:QueuePolicy",
        "policy",
        Reading::Resource,
    ),
    ("aws:kms/key:Key", "policy", Reading::Resource),
    (
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        "policyDocument",
        Reading::Resource,
    ),
    (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "policyArn",
        Reading::Attached,
    ),
];

/// A statement of a function's policy, as a resource of its own.
const PERMISSION: &str = "aws:lambda/permission:Permission";

#[derive(Clone, Copy)]
enum Reading {
    /// Who may assume the role.
    Trust,
    /// What a role, user or group may do, which the property names.
    Identity(&'static str),
    /// What every role with the policy may do.
    Managed,
    /// Who may do something with the resource.
    Resource,
    /// The policy of another is given to a role.
    Attached,
}

/// One action of one statement on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    allows: bool,
    who: String,
    action: String,
    resource: String,
    /// Empty where there is none.
    condition: String,
}

pub fn of(preview: &Preview) -> Vec<Finding> {
    preview.changed().flat_map(of_step).collect()
}

/// Whether a property is a policy, or a part of one.
pub fn tells(kind: &str, path: &str) -> bool {
    let top = path.split(['.', '[']).next().unwrap_or_default();
    CARRIERS
        .iter()
        .any(|(carrier, property, _)| *carrier == kind && *property == top)
        || (kind == "aws:iam/role:Role" && top == "managedPolicyArns")
        || kind == PERMISSION
}

fn of_step(step: &Step) -> Vec<Finding> {
    if step.kind == PERMISSION {
        return compared(
            step,
            Reading::Resource,
            &permission(step, false),
            &permission(step, true),
        );
    }
    let mut findings = Vec::new();
    for (kind, property, reading) in CARRIERS {
        if kind == step.kind {
            let (old, new) = (step.old_input(property), step.new_input(property));
            findings.extend(compared(step, reading, old, new));
        }
    }
    if step.kind == "aws:iam/role:Role" {
        let (old, new) = (
            step.old_input("managedPolicyArns"),
            step.new_input("managedPolicyArns"),
        );
        findings.extend(attached(&subject(step), &texts(old), &texts(new)));
    }
    findings
}

fn compared(step: &Step, reading: Reading, old: &Value, new: &Value) -> Vec<Finding> {
    let on = subject(step);
    // A resource that is replaced has the same policy as before, on the new resource.
    if old == new && step.op != Op::Delete {
        return Vec::new();
    }
    if let Reading::Attached = reading {
        let role = value::show(step.current("role"));
        return attached(&format!("role {role}"), &texts(old), &texts(new));
    }
    if let Some(unknown) = new.as_str().filter(|_| value::is_unknown(new)) {
        // Parts of it may be known; as a whole it is not JSON then.
        let whole = serde_json::from_str::<Value>(unknown).is_err();
        if whole {
            let what = match old.is_null() {
                true => "what it allows",
                false => "what it allows after this change",
            };
            return vec![Finding::new(
                on,
                format!("{what} is known after the deployment alone"),
            )];
        }
    }
    let (old, new) = (grants(old, step, reading), grants(new, step, reading));
    match (old, new) {
        (Ok(old), Ok(new)) => differences(&on, &old, &new),
        (_, Err(reason)) | (Err(reason), _) => {
            vec![Finding::new(
                on,
                format!("the policy changes, and cannot be read: {reason}"),
            )]
        }
    }
}

/// The resource that has the policy, as a person would call it.
fn subject(step: &Step) -> String {
    step.label()
}

/// A permission of Lambda is a statement in the function's policy.
fn permission(step: &Step, new: bool) -> Value {
    let state = match new {
        true if step.op == Op::Delete => None,
        true => step.new.as_ref(),
        false => step.old.as_ref(),
    };
    let Some(inputs) = state.map(|state| &state.inputs) else {
        return Value::Null;
    };
    let mut conditions = Map::new();
    for (property, operator, key) in [
        ("sourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("sourceArn", "ArnLike", "AWS:SourceArn"),
        ("principalOrgId", "StringEquals", "aws:PrincipalOrgID"),
        (
            "functionUrlAuthType",
            "StringEquals",
            "lambda:FunctionUrlAuthType",
        ),
    ] {
        if !inputs[property].is_null() {
            conditions.insert(operator.to_owned() + " " + key, inputs[property].clone());
        }
    }
    json!({ "Statement": [{
        "Effect": "Allow",
        "Principal": inputs["principal"],
        "Action": inputs["action"],
        "Resource": format!("function {}", value::show(&inputs["function"])),
        "Condition": conditions,
    }] })
}

/// Every grant of a document.
fn grants(policy: &Value, step: &Step, reading: Reading) -> Result<BTreeSet<Grant>, String> {
    let document = match policy {
        Value::Null => return Ok(BTreeSet::new()),
        Value::String(text) => serde_json::from_str(text).map_err(|error| error.to_string())?,
        other => other.clone(),
    };
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let mut grants = BTreeSet::new();
    for statement in &statements {
        for who in principals(statement, step, reading) {
            for action in listed(statement, "Action", "NotAction") {
                for resource in resources(statement, step, reading) {
                    grants.insert(Grant {
                        allows: statement["Effect"] != "Deny",
                        who: who.clone(),
                        action: action.clone(),
                        resource,
                        condition: condition(&statement["Condition"]),
                    });
                }
            }
        }
    }
    Ok(grants)
}

fn principals(statement: &Value, step: &Step, reading: Reading) -> Vec<String> {
    match reading {
        Reading::Identity(property) => vec![format!("{property} {}", bare(step.current(property)))],
        Reading::Managed => vec!["everybody with the policy".to_owned()],
        _ => {
            let (excepted, principal) = match &statement["NotPrincipal"] {
                Value::Null => ("", &statement["Principal"]),
                not => ("everybody but ", not),
            };
            let named = match principal {
                Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
                other => texts(other),
            };
            let name = |one: &String| match one.as_str() {
                "*" => "anybody".to_owned(),
                other => format!("{excepted}{other}"),
            };
            named.iter().map(name).collect()
        }
    }
}

fn resources(statement: &Value, step: &Step, reading: Reading) -> Vec<String> {
    match reading {
        Reading::Trust => vec![format!("role {}", step.name())],
        _ => listed(statement, "Resource", "NotResource"),
    }
}

/// What a statement lists, or all but what it excepts.
fn listed(statement: &Value, name: &str, except: &str) -> Vec<String> {
    match &statement[except] {
        Value::Null => texts(&statement[name]),
        excepted => vec![format!("all but {}", texts(excepted).join(", "))],
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(bare).collect(),
        one => vec![bare(one)],
    }
}

/// A text without its quotes, and in words where it is unknown.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) if !value::is_unknown(value) => text.clone(),
        other => value::show(other).trim_matches('"').to_owned(),
    }
}

/// A condition in one line, the same however it is ordered.
fn condition(condition: &Value) -> String {
    let Some(operators) = condition.as_object() else {
        return String::new();
    };
    let mut tests = Vec::new();
    for (operator, keys) in operators {
        match keys.as_object() {
            Some(keys) => {
                for (key, values) in keys {
                    let mut values = texts(values);
                    values.sort();
                    tests.push(format!("{operator} {key} {}", values.join(" or ")));
                }
            }
            None => tests.push(format!("{operator} {}", texts(keys).join(" or "))),
        }
    }
    tests.sort();
    tests.join(" and ")
}

fn differences(on: &str, old: &BTreeSet<Grant>, new: &BTreeSet<Grant>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (verb, grants) in [
        (
            "may now",
            new.difference(old).filter(|one| one.allows).collect(),
        ),
        (
            "is no longer refused",
            old.difference(new).filter(|one| !one.allows).collect(),
        ),
        (
            "may no longer",
            old.difference(new).filter(|one| one.allows).collect(),
        ),
        (
            "is now refused",
            new.difference(old)
                .filter(|one| !one.allows)
                .collect::<Vec<_>>(),
        ),
    ] {
        findings.extend(
            grouped(&grants)
                .into_iter()
                .map(|(who, actions, resources, when)| {
                    let when = match when.as_str() {
                        "" => String::new(),
                        when => format!(", if {when}"),
                    };
                    Finding::new(on, format!("{who} {verb} {actions} on {resources}{when}"))
                }),
        );
    }
    findings
}

/// Grants that differ in one thing alone, together: actions on the same resource, then resources
/// with the same actions.
fn grouped(grants: &[&Grant]) -> Vec<(String, String, String, String)> {
    let mut by_resource: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for grant in grants {
        let key = (&grant.who, &grant.condition, &grant.resource);
        by_resource.entry(key).or_default().insert(&grant.action);
    }
    let mut by_actions: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for ((who, condition, resource), actions) in by_resource {
        by_actions
            .entry((who, condition, actions))
            .or_default()
            .push(resource);
    }
    let groups = by_actions
        .into_iter()
        .map(|((who, condition, actions), resources)| {
            let actions: Vec<&str> = actions.into_iter().collect();
            (
                who.clone(),
                actions.join(", "),
                resources.join(", "),
                condition.clone(),
            )
        });
    groups.collect()
}

fn attached(on: &str, old: &[String], new: &[String]) -> Vec<Finding> {
    let only = |these: &[String], those: &[String], verb: &str| -> Vec<Finding> {
        let these = these.iter().filter(|one| !those.contains(one));
        these
            .map(|arn| Finding::new(on, format!("{verb} the policy {arn}")))
            .collect()
    };
    let mut findings = only(new, old, "gets");
    findings.extend(only(old, new, "loses"));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::ResourceState;

    fn step(kind: &str, old: Value, new: Value) -> Step {
        let state = |inputs| {
            Some(ResourceState {
                inputs,
                ..ResourceState::default()
            })
        };
        Step {
            op: Op::Update,
            urn: format!("urn:pulumi:dev::mysfits::{kind}::p"),
            kind: kind.to_owned(),
            old: state(old),
            new: state(new),
            replaced_for: Vec::new(),
        }
    }

    fn said(kind: &str, old: &[Value], new: &[Value]) -> Vec<String> {
        let inputs = |statements: &[Value]| {
            let document = json!({ "Version": "2012-10-17", "Statement": statements });
            json!({ "role": "r", "policy": document.to_string() })
        };
        let findings = of_step(&step(kind, inputs(old), inputs(new)));
        findings.into_iter().map(|finding| finding.says).collect()
    }

    const OF_ROLE: &str = "aws:iam/rolePolicy:RolePolicy";
    const OF_BUCKET: &str = "aws:s3/bucketPolicy:BucketPolicy";

    #[test]
    fn the_order_and_the_form_of_statements_do_not_matter() {
        let one = json!({ "Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["b", "a"] });
        let two =
            json!({ "Sid": "B", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a" });
        let three = json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "b" });
        assert_eq!(said(OF_ROLE, &[one], &[three, two]), [] as [&str; 0]);
    }

    #[test]
    fn actions_and_resources_are_told_together() {
        let allow = |actions: &[&str], on: &[&str]| json!({ "Effect": "Allow", "Action": actions, "Resource": on });
        assert_eq!(
            said(
                OF_ROLE,
                &[allow(&["s3:GetObject"], &["a"])],
                &[allow(&["s3:PutObject", "s3:DeleteObject"], &["a", "b"])]
            ),
            [
                "role r may now s3:DeleteObject, s3:PutObject on a, b",
                "role r may no longer s3:GetObject on a"
            ]
        );
    }

    #[test]
    fn a_changed_condition_is_a_loss_and_a_gain() {
        let when = |tls: &str| {
            json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "a",
                    "Condition": { "Bool": { "aws:SecureTransport": tls } } })
        };
        assert_eq!(
            said(OF_BUCKET, &[when("false")], &[when("true")]),
            [
                "anybody is no longer refused s3:* on a, if Bool aws:SecureTransport false",
                "anybody is now refused s3:* on a, if Bool aws:SecureTransport true"
            ]
        );
    }

    #[test]
    fn exceptions_are_said_as_such() {
        let statement = json!({ "Effect": "Allow", "NotPrincipal": { "AWS": "arn:x" }, "NotAction": ["iam:*"], "NotResource": "b" });
        assert_eq!(
            said(OF_BUCKET, &[], &[statement]),
            ["everybody but arn:x may now all but iam:* on all but b"]
        );
    }
}
