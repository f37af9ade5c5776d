//! STS, in AWS's query protocol: who am I?

use super::absent::Absent;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::Caller;

/// The namespace of its XML.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The version of its API, which no other service has.
const VERSION: &str = "2011-06-15";

/// Whether a form is for STS.
pub(super) fn is_meant(form: &[u8]) -> bool {
    field(form, "Version") == VERSION
}

/// The action that a form asks for, still percent-encoded; empty when there is none.
pub(super) fn action(form: &[u8]) -> String {
    field(form, "Action")
}

/// One call: the form gives the action, the answer is XML.
pub(super) fn call(caller: &Caller, form: &[u8], request_id: &str) -> AwsResult<String> {
    let action = action(form);
    if action != "GetCallerIdentity" {
        let refused = Absent::query("sts", &action).error();
        return Err(AwsError::new(400, "InvalidAction", refused.message));
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

fn field(form: &[u8], name: &str) -> String {
    let form = String::from_utf8_lossy(form);
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found.map_or_else(String::new, |(_, value)| value.to_owned())
}
