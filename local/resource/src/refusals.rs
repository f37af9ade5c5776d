//! What the engine is told when an operation is refused.

use crate::deployments::Deployments;
use crate::package::Declared;
use crate::resource::Properties;
use crate::urn::Urn;
use cloud_core::error::{AwsError, Meaning};
use tonic::Status;

/// A refusal for the engine. What AWS refuses leaves the resource as it was, and so does a
/// failure of the embedded cloud: none of these codes tells the engine that the resource's state
/// is in doubt.
pub(crate) fn status(error: AwsError) -> Status {
    let message = match error.is_server_fault() {
        true => format!("{error} The log of the embedded cloud has the cause"),
        false => error.to_string(),
    };
    match error.meaning() {
        Meaning::Denied => Status::permission_denied(message),
        Meaning::Missing => Status::not_found(message),
        Meaning::Exists => Status::already_exists(message),
        Meaning::Throttled | Meaning::Invalid => Status::failed_precondition(message),
        Meaning::Failed => Status::aborted(message),
    }
}

/// There is no resource to change.
pub(crate) fn not_deployed(urn: &Urn, id: &str) -> Status {
    Status::not_found(format!(
        "the embedded cloud has no {} {id}: run pulumi refresh to take it out of the stack",
        urn.token
    ))
}

/// The refusal of a creation. When AWS refuses because the resource exists already, the message
/// says how the stack can take it over.
pub(crate) fn of_creation(
    mut error: AwsError,
    deployments: &Deployments,
    declared: Declared<'_>,
    urn: &Urn,
    inputs: &Properties,
) -> AwsError {
    let exists = error.meaning() == Meaning::Exists;
    let by_name = || {
        let property = declared.of.auto_name()?.property;
        let name = inputs.get(property)?;
        let mut records = deployments.all().into_iter();
        let of_name = records.find(|record| {
            record.token == declared.of.token()
                && record.resource.inputs.get(property) == Some(name)
        });
        let id = of_name.map(|record| record.resource.id);
        id.or_else(|| name.as_str().map(str::to_owned))
    };
    let form = declared.of.import_id();
    let id = form.map_or_else(by_name, |form| form.of(inputs, None));
    if let (true, Some(id)) = (exists, id) {
        let parent = match urn.has_parent {
            true => " --parent NAME=URN of its component",
            false => "",
        };
        error.message.push_str(&format!(
            " (It is there though this stack does not know it. To take it over: pulumi import {} \
             {} '{id}'{parent})",
            urn.token, urn.name
        ));
    }
    error
}
