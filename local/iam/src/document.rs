//! Policy documents, parsed strictly: what the evaluator cannot decide is refused here, when
//! the resource is created, and never ignored later.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use super::condition::Condition;
use super::json::{Elements, OneOrMany, Scalar};
use super::pattern::is_arn;
use serde::Deserialize;
use serde_json::Value;

/// What a policy is attached to, which decides what it must and must not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// A role's permissions.
    Identity,
    /// A resource's own policy, such as a bucket's or a function's.
    Resource,
    /// Who may assume a role.
    Trust,
}

/// A policy that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub effect: Effect,
    /// Absent in the permissions of a role, whose principal is the role.
    pub principals: Option<Vec<Principal>>,
    pub actions: Set,
    /// Absent in a trust policy, whose resource is the role.
    pub resources: Option<Set>,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Effect {
    Allow,
    Deny,
}

/// Patterns, or everything but what matches one of them (`NotAction`, `NotResource`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    Of(Vec<String>),
    AllBut(Vec<String>),
}

/// Who a statement is about:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `*`: all, the anonymous too.
    Everyone,
    /// An account, by its id or its `root` ARN.
    Account(String),
    /// A role, a role's session or a user, by its ARN.
    Arn(String),
    /// A service, such as `firehose.amazonaws.com`.
    Service(String),
    /// A provider of identities from elsewhere, by its ARN. Nobody comes from one here.
    Federated(String),
}

/// The `Version` in which `${…}` is a variable; in the older one it is plain text.
const VERSION_WITH_VARIABLES: &str = "2012-10-17";
const VERSION_WITHOUT_VARIABLES: &str = "2008-10-17";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawDocument {
    version: Option<String>,
    id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    sid: Option<String>,
    effect: Effect,
    principal: Option<Value>,
    not_principal: Option<Value>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<Elements<Elements<OneOrMany<Scalar>>>>,
}

impl Document {
    /// Parses a policy that is attached to `kind`; fails with what is wrong with it.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, String> {
        let raw: RawDocument = serde_json::from_str(text)
            .map_err(|error| format!("the policy is malformed: {error}"))?;
        let variables = match raw.version.as_deref() {
            None | Some(VERSION_WITHOUT_VARIABLES) => false,
            Some(VERSION_WITH_VARIABLES) => true,
            Some(other) => {
                return Err(format!(
                    "the policy's Version {other:?} is neither {VERSION_WITH_VARIABLES:?} nor \
                     {VERSION_WITHOUT_VARIABLES:?}"
                ));
            }
        };
        if kind == PolicyKind::Identity && raw.id.is_some() {
            return Err("a role's policy must not have an Id".into());
        }
        let mut statements = Vec::new();
        let mut sids = Vec::new();
        for (index, statement) in raw.statement.0.into_iter().enumerate() {
            let name = match &statement.sid {
                Some(sid) => format!("statement {sid:?}"),
                None => format!("statement {}", index + 1),
            };
            if let Some(sid) = statement.sid.clone() {
                if sids.contains(&sid) {
                    return Err(format!("the Sid {sid:?} is used twice"));
                }
                sids.push(sid);
            }
            statements.push(
                statement
                    .check(kind, variables)
                    .map_err(|reason| format!("{name}: {reason}"))?,
            );
        }
        if statements.is_empty() {
            return Err("the policy has no statement".into());
        }
        Ok(Self { statements })
    }
}

impl RawStatement {
    fn check(self, kind: PolicyKind, variables: bool) -> Result<Statement, String> {
        // Sids of IAM's own policies are plain; other services allow more.
        if kind != PolicyKind::Resource
            && let Some(sid) = &self.sid
            && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err("a Sid consists of letters A-Z, a-z and digits".into());
        }
        let conditions = conditions(self.condition)?;
        if variables {
            let texts = [&self.resource, &self.not_resource];
            let resources = texts.into_iter().flatten().flat_map(|texts| &texts.0);
            let values = conditions.iter().flat_map(|(_, _, values)| values);
            if let Some(text) = resources.chain(values).find(|text| text.contains("${")) {
                return Err(format!(
                    "{text:?} has a policy variable, which the embedded cloud does not evaluate"
                ));
            }
        }
        Ok(Statement {
            effect: self.effect,
            principals: principals(kind, self.principal, self.not_principal)?,
            actions: actions(kind, self.action, self.not_action)?,
            resources: resources(kind, self.resource, self.not_resource)?,
            conditions: conditions
                .into_iter()
                .map(|(operator, key, values)| Condition::new(&operator, &key, values))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn principals(
    kind: PolicyKind,
    principal: Option<Value>,
    not_principal: Option<Value>,
) -> Result<Option<Vec<Principal>>, String> {
    if kind == PolicyKind::Identity {
        return match principal.or(not_principal) {
            Some(_) => Err("a role's policy must not have a Principal".into()),
            None => Ok(None),
        };
    }
    if not_principal.is_some() {
        return Err(
            "the embedded cloud does not evaluate NotPrincipal, whose effect AWS leaves open; \
             use Principal \"*\" with the condition ArnNotEquals on aws:PrincipalArn"
                .into(),
        );
    }
    let by_type = match principal {
        None => return Err("it needs a Principal".into()),
        Some(Value::String(all)) if all == "*" => return Ok(Some(vec![Principal::Everyone])),
        Some(Value::Object(by_type)) if !by_type.is_empty() => by_type,
        Some(other) => return Err(format!("the Principal {other} is neither \"*\" nor a map")),
    };
    let mut principals = Vec::new();
    for (name, ids) in by_type {
        let ids: OneOrMany<String> = serde_json::from_value(ids)
            .map_err(|error| format!("the Principal {name} is malformed: {error}"))?;
        for id in ids.0 {
            principals.push(principal_of(&name, &id)?);
        }
    }
    Ok(Some(principals))
}

fn principal_of(name: &str, id: &str) -> Result<Principal, String> {
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    match name {
        "AWS" if id == "*" => Ok(Principal::Everyone),
        "AWS" if is_account(id) => Ok(Principal::Account(id.to_owned())),
        "AWS" if is_arn(id) && !id.contains(['*', '?']) => {
            let mut parts = id.splitn(6, ':').skip(2);
            let (service, region) = (parts.next(), parts.next());
            match (service, region, parts.next(), parts.next()) {
                (Some("iam"), Some(""), Some(account), Some("root")) if is_account(account) => {
                    Ok(Principal::Account(account.to_owned()))
                }
                (Some("iam" | "sts"), Some(""), Some(account), Some(resource))
                    if is_account(account) && resource.contains('/') =>
                {
                    Ok(Principal::Arn(id.to_owned()))
                }
                _ => Err(format!("Invalid principal in policy: \"AWS\":{id:?}")),
            }
        }
        "Service" if id.contains('.') && !id.contains(['*', '?', '/', ':']) => {
            Ok(Principal::Service(id.to_owned()))
        }
        "Federated" if is_arn(id) && id.contains("-provider/") && !id.contains(['*', '?']) => {
            Ok(Principal::Federated(id.to_owned()))
        }
        "AWS" | "Service" | "Federated" => {
            Err(format!("Invalid principal in policy: {name:?}:{id:?}"))
        }
        _ => Err(format!(
            "the embedded cloud knows principals of the types AWS, Federated and Service, not {name}"
        )),
    }
}

fn actions(
    kind: PolicyKind,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
) -> Result<Set, String> {
    let actions = set("Action", action, not_action)?.ok_or("it needs an Action")?;
    for action in actions.patterns() {
        if action == "*" {
            continue;
        }
        match action.split_once(':') {
            Some((service, name))
                if !service.is_empty()
                    && !name.is_empty()
                    && service
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"*?".contains(&b)) => {}
            _ => {
                return Err(format!(
                    "the Action {action:?} is not of the form service:Name"
                ));
            }
        }
        if kind == PolicyKind::Trust && !action.to_ascii_lowercase().starts_with("sts:") {
            return Err(format!(
                "AssumeRole policy may only specify STS AssumeRole actions, not {action:?}"
            ));
        }
    }
    Ok(actions)
}

fn resources(
    kind: PolicyKind,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
) -> Result<Option<Set>, String> {
    let resources = set("Resource", resource, not_resource)?;
    if kind == PolicyKind::Trust {
        return match resources {
            Some(_) => Err("a trust policy must not have a Resource".into()),
            None => Ok(None),
        };
    }
    let resources = resources.ok_or("it needs a Resource")?;
    match resources
        .patterns()
        .iter()
        .find(|text| *text != "*" && !is_arn(text))
    {
        Some(text) => Err(format!("Resource {text} must be in ARN format or \"*\".")),
        None => Ok(Some(resources)),
    }
}

fn set(
    name: &str,
    of: Option<OneOrMany<String>>,
    all_but: Option<OneOrMany<String>>,
) -> Result<Option<Set>, String> {
    let set = match (of, all_but) {
        (None, None) => return Ok(None),
        (Some(of), None) => Set::Of(of.0),
        (None, Some(all_but)) => Set::AllBut(all_but.0),
        (Some(_), Some(_)) => return Err(format!("it has both {name} and Not{name}")),
    };
    if set.patterns().is_empty() {
        return Err(format!("its {name} is empty"));
    }
    Ok(Some(set))
}

type RawCondition = (String, String, Vec<String>);

fn conditions(
    raw: Option<Elements<Elements<OneOrMany<Scalar>>>>,
) -> Result<Vec<RawCondition>, String> {
    let mut conditions = Vec::new();
    for (operator, keys) in raw.map(|raw| raw.0).unwrap_or_default() {
        for (key, values) in keys.0 {
            let values = values.0.into_iter().map(|value| value.0).collect();
            conditions.push((operator.clone(), key, values));
        }
    }
    Ok(conditions)
}

impl Set {
    /// The patterns, whichever way they count.
    pub fn patterns(&self) -> &[String] {
        match self {
            Self::Of(patterns) | Self::AllBut(patterns) => patterns,
        }
    }

    /// Whether the set has what `matches` says of its patterns.
    pub fn contains(&self, matches: impl Fn(&str) -> bool) -> bool {
        let any = self.patterns().iter().any(|pattern| matches(pattern));
        any == matches!(self, Self::Of(_))
    }
}

#[cfg(test)]
mod tests;
