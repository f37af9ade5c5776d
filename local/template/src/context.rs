//! `$context`: what templates, gateway responses and access logs may say of a request.
//!
//! The names are those of AWS's "Variables for data transformations" and "Variables for access
//! logging"; another name is refused where it is declared. A variable that has no value here
//! (nobody signs in, there is no web ACL) is empty in a template and `-` in a log.

use base64::{Engine, engine::general_purpose::STANDARD};
use cloud_core::identity::ACCOUNT_ID;
use std::borrow::Cow;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// A variable below `$context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    AccountId,
    ApiId,
    DeploymentId,
    DomainName,
    DomainPrefix,
    ErrorMessage,
    ErrorMessageString,
    ErrorResponseType,
    ErrorValidationString,
    ExtendedRequestId,
    HttpMethod,
    IntegrationLatency,
    IntegrationRequestId,
    IntegrationStatus,
    Path,
    Protocol,
    RequestId,
    RequestTime,
    RequestTimeEpoch,
    ResourceId,
    ResourcePath,
    ResponseLatency,
    ResponseLength,
    SourceIp,
    Stage,
    Status,
    UserAgent,
    XrayTraceId,
    /// One that is documented and never has a value in the embedded cloud.
    Unset,
}

/// Where a variable is used: some exist in one place alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A mapping template or a parameter mapping.
    Template,
    /// A gateway response's template or header.
    GatewayResponse,
    /// An access log's format.
    AccessLog,
}

const EVERYWHERE: &[(&str, Variable)] = &[
    ("accountId", Variable::AccountId),
    ("apiId", Variable::ApiId),
    ("awsEndpointRequestId", Variable::IntegrationRequestId),
    ("deploymentId", Variable::DeploymentId),
    ("domainName", Variable::DomainName),
    ("domainPrefix", Variable::DomainPrefix),
    ("extendedRequestId", Variable::ExtendedRequestId),
    ("httpMethod", Variable::HttpMethod),
    ("identity.sourceIp", Variable::SourceIp),
    ("identity.userAgent", Variable::UserAgent),
    ("path", Variable::Path),
    ("protocol", Variable::Protocol),
    ("requestId", Variable::RequestId),
    ("requestTime", Variable::RequestTime),
    ("requestTimeEpoch", Variable::RequestTimeEpoch),
    ("resourceId", Variable::ResourceId),
    ("resourcePath", Variable::ResourcePath),
    ("stage", Variable::Stage),
    ("xrayTraceId", Variable::XrayTraceId),
];

const ERRORS: &[(&str, Variable)] = &[
    ("error.message", Variable::ErrorMessage),
    ("error.messageString", Variable::ErrorMessageString),
    ("error.responseType", Variable::ErrorResponseType),
    (
        "error.validationErrorString",
        Variable::ErrorValidationString,
    ),
];

const ACCESS_LOG: &[(&str, Variable)] = &[
    ("integration.integrationStatus", Variable::IntegrationStatus),
    ("integration.latency", Variable::IntegrationLatency),
    ("integration.requestId", Variable::IntegrationRequestId),
    ("integration.status", Variable::IntegrationStatus),
    ("integrationLatency", Variable::IntegrationLatency),
    ("integrationStatus", Variable::IntegrationStatus),
    ("responseLatency", Variable::ResponseLatency),
    ("responseLength", Variable::ResponseLength),
    ("status", Variable::Status),
];

const UNSET: &[&str] = &[
    "identity.accessKey",
    "identity.accountId",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.caller",
    "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType",
    "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId",
    "identity.principalOrgId",
    "identity.user",
    "identity.userArn",
    "wafResponseCode",
    "webaclArn",
];

const UNSET_IN_ACCESS_LOG: &[&str] = &[
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "authorizer.error",
    "authorizer.integrationLatency",
    "authorizer.integrationStatus",
    "authorizer.latency",
    "authorizer.principalId",
    "authorizer.requestId",
    "authorizer.status",
    "customDomain.basePathMatched",
    "integration.error",
    "integrationErrorMessage",
    "waf.error",
    "waf.latency",
    "waf.status",
];

impl Variable {
    /// The variable of a name without `$context.`, where it may be used.
    pub fn named(name: &str, place: Place) -> Option<Self> {
        let tables: &[&[(&str, Self)]] = match place {
            Place::Template => &[EVERYWHERE],
            Place::GatewayResponse => &[EVERYWHERE, ERRORS],
            Place::AccessLog => &[EVERYWHERE, ERRORS, ACCESS_LOG],
        };
        let found = tables
            .iter()
            .flat_map(|table| table.iter())
            .find(|(known, _)| *known == name);
        if let Some((_, variable)) = found {
            return Some(*variable);
        }
        let unset = UNSET.contains(&name)
            || (place == Place::AccessLog && UNSET_IN_ACCESS_LOG.contains(&name));
        unset.then_some(Self::Unset)
    }
}

/// What is known of a request while it is answered.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub request_id: String,
    pub extended_request_id: String,
    pub time: OffsetDateTime,
    pub api_id: String,
    pub stage: String,
    pub deployment_id: String,
    pub http_method: String,
    pub path: String,
    pub protocol: &'static str,
    pub domain_name: String,
    pub source_ip: String,
    pub user_agent: Option<String>,
    /// Id and path of the resource, once it is found.
    pub resource: Option<(Arc<str>, Arc<str>)>,
    pub integration: Option<IntegrationContext>,
    pub error: Option<ErrorContext>,
    pub outcome: Option<Outcome>,
}

/// How the integration went.
#[derive(Debug, Clone)]
pub struct IntegrationContext {
    pub status: u16,
    pub latency_ms: u128,
    pub request_id: Option<String>,
}

/// Why the gateway itself answers.
#[derive(Debug, Clone)]
pub struct ErrorContext {
    pub message: String,
    pub response_type: &'static str,
    pub validation: Option<String>,
}

/// What the caller got.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    pub status: u16,
    pub length: usize,
    pub latency_ms: u128,
}

impl RequestContext {
    /// The value of a variable, if it has one.
    pub fn value(&self, variable: Variable) -> Option<Cow<'_, str>> {
        let number = |number: String| Some(Cow::Owned(number));
        match variable {
            Variable::AccountId => Some(ACCOUNT_ID.into()),
            Variable::ApiId => Some(self.api_id.as_str().into()),
            Variable::DeploymentId => Some(self.deployment_id.as_str().into()),
            Variable::DomainName => Some(self.domain_name.as_str().into()),
            Variable::DomainPrefix => self.domain_name.split('.').next().map(Cow::from),
            Variable::ErrorMessage => Some(self.error.as_ref()?.message.as_str().into()),
            Variable::ErrorMessageString => {
                Some(crate::json::quoted(&self.error.as_ref()?.message).into())
            }
            Variable::ErrorResponseType => Some(self.error.as_ref()?.response_type.into()),
            Variable::ErrorValidationString => {
                Some(self.error.as_ref()?.validation.as_deref()?.into())
            }
            Variable::ExtendedRequestId => Some(self.extended_request_id.as_str().into()),
            Variable::HttpMethod => Some(self.http_method.as_str().into()),
            Variable::IntegrationLatency => {
                number(self.integration.as_ref()?.latency_ms.to_string())
            }
            Variable::IntegrationRequestId => {
                Some(self.integration.as_ref()?.request_id.as_deref()?.into())
            }
            Variable::IntegrationStatus => number(self.integration.as_ref()?.status.to_string()),
            Variable::Path => Some(self.path.as_str().into()),
            Variable::Protocol => Some(self.protocol.into()),
            Variable::RequestId => Some(self.request_id.as_str().into()),
            Variable::RequestTime => Some(common_log_time(self.time).into()),
            Variable::RequestTimeEpoch => {
                number((self.time.unix_timestamp_nanos() / 1_000_000).to_string())
            }
            Variable::ResourceId => Some((*self.resource.as_ref()?.0).into()),
            Variable::ResourcePath => Some((*self.resource.as_ref()?.1).into()),
            Variable::ResponseLatency => number(self.outcome?.latency_ms.to_string()),
            Variable::ResponseLength => number(self.outcome?.length.to_string()),
            Variable::SourceIp => Some(self.source_ip.as_str().into()),
            Variable::Stage => Some(self.stage.as_str().into()),
            Variable::Status => number(self.outcome?.status.to_string()),
            Variable::UserAgent => self.user_agent.as_deref().map(Cow::from),
            Variable::XrayTraceId | Variable::Unset => None,
        }
    }
}

/// An id in the form of `$context.extendedRequestId` and the header `x-amz-apigw-id`: 15
/// characters of base64 and `=`.
pub fn extended_request_id() -> String {
    STANDARD.encode(&Uuid::new_v4().as_bytes()[..11])
}

/// `dd/MMM/yyyy:HH:mm:ss +0000`, the common log format's.
fn common_log_time(time: OffsetDateTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    format!(
        "{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000",
        time.day(),
        MONTHS[usize::from(u8::from(time.month())) - 1],
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
