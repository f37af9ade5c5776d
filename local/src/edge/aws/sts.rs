//! STS, in AWS's query protocol: who am I?

use crate::error::{AwsError, AwsResult};
use crate::identity::ACCOUNT_ID;
use crate::services::iam::Caller;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// One call: the form gives the action, the answer is XML.
pub fn call(caller: &Caller, form: &[u8], request_id: &str) -> AwsResult<String> {
    let form = String::from_utf8_lossy(form);
    let action = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="))
        .unwrap_or_default();
    if action != "GetCallerIdentity" {
        return Err(AwsError::new(
            400,
            "InvalidAction",
            format!("The embedded cloud has no action {action}; of STS it knows GetCallerIdentity"),
        ));
    }
    if *caller != Caller::Account {
        return Err(AwsError::new(403, "AccessDenied", "Access Denied"));
    }
    // The account's root user has the account's id:
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    Ok(format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT_ID}:root</Arn><UserId>{ACCOUNT_ID}</UserId>\
         <Account>{ACCOUNT_ID}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    ))
}

/// An error as the query protocol has it.
pub fn error(error: &AwsError, request_id: &str) -> String {
    let fault = match error.is_server_fault() {
        true => "Receiver",
        false => "Sender",
    };
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
