//! What is said of a call that is not allowed: to its caller as AWS does, and to the person who
//! watches with the statement that would allow it.

use super::evaluate::{Actor, Decision, Request, Side};
use cloud_core::error::AwsError;
use cloud_core::events::Event;
use cloud_core::identity::{ACCOUNT_ID, arn_name};
use serde_json::{Value, json};

/// A call that was not allowed, and why.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// None for a caller without credentials.
    caller: Option<String>,
    action: String,
    resource: String,
    reason: String,
    /// The policy that lacks the statement, or has the one that denies.
    policy: String,
    statement: Option<Value>,
}

impl Refusal {
    /// Of a call to a resource; the decision is not [`Decision::Allowed`].
    pub(crate) fn new(request: &Request<'_>, decision: Decision) -> Self {
        let side = match (decision, request.actor) {
            (Decision::Denied(side), _) => side,
            (_, Actor::Session { .. }) => Side::Identity,
            _ => Side::Resource,
        };
        let (name, policy) = match (side, request.actor) {
            (Side::Identity, Actor::Session { role_arn, .. }) => {
                let role = arn_name(role_arn);
                ("identity", format!("a policy of the role {role}"))
            }
            (Side::Identity, _) => ("identity", String::from("a policy of the caller")),
            (Side::Resource, _) => ("resource", String::from("the policy of the resource")),
        };
        let (action, resource) = (request.action, request.resource);
        let mut statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        match (side, request.actor) {
            (Side::Resource, Actor::Service(service)) => {
                statement["Principal"] = json!({ "Service": service });
                for (key, value) in request.keys {
                    if key.starts_with("aws:Source") {
                        statement["Condition"]["StringEquals"][key] = json!(value);
                    }
                }
            }
            (Side::Resource, _) => statement["Principal"] = json!("*"),
            (Side::Identity, _) => {}
        }
        let denied = decision != Decision::NotAllowed;
        Self {
            caller: caller(request.actor),
            action: action.to_owned(),
            resource: resource.to_owned(),
            reason: match denied {
                true => format!(
                    "with an explicit deny in {} {name}-based policy",
                    article(name)
                ),
                false => format!("because no {name}-based policy allows the {action} action"),
            },
            policy,
            statement: (!denied).then_some(statement),
        }
    }

    /// Of a service that wants to act with a role; the decision is not [`Decision::Allowed`].
    pub(crate) fn of_trust(request: &Request<'_>, decision: Decision) -> Self {
        let service = match request.actor {
            Actor::Service(service) => service,
            _ => "",
        };
        let denied = decision != Decision::NotAllowed;
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": request.action,
        });
        for (key, value) in request.keys {
            statement["Condition"]["StringEquals"][key] = json!(value);
        }
        Self {
            caller: caller(request.actor),
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            reason: match denied {
                true => "with an explicit deny in the role trust policy",
                false => "because no role trust policy allows the sts:AssumeRole action",
            }
            .to_owned(),
            policy: format!(
                "the trust policy of the role {}",
                arn_name(request.resource)
            ),
            statement: (!denied).then_some(statement),
        }
    }

    /// Worded as
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html> shows.
    pub(crate) fn error(&self) -> AwsError {
        let message = match &self.caller {
            None => String::from("Access Denied"),
            Some(caller) => format!(
                "User: {caller} is not authorized to perform: {} on resource: {} {}",
                self.action, self.resource, self.reason
            ),
        };
        AwsError::new(403, "AccessDenied", message)
    }

    /// For the person who watches.
    pub(crate) fn event(&self) -> Event {
        Event::Refusal {
            caller: self.caller.clone().unwrap_or_else(|| "anonymous".into()),
            action: self.action.to_owned(),
            resource: self.resource.to_owned(),
            reason: self.reason.clone(),
            policy: self.policy.clone(),
            statement: self.statement.clone(),
        }
    }
}

fn caller(actor: Actor<'_>) -> Option<String> {
    match actor {
        Actor::Anonymous => None,
        Actor::Account => Some(format!("arn:aws:iam::{ACCOUNT_ID}:root")),
        Actor::Session { session_arn, .. } => Some(session_arn.to_owned()),
        Actor::Service(service) => Some(service.to_owned()),
    }
}

fn article(name: &str) -> &'static str {
    if name == "identity" { "an" } else { "a" }
}
