//! `aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy`.

use super::policy_id;
use super::shared::SharedType;
use crate::headers::{Added, HeadersPolicy};
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{New, Refusal};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyReferrerPolicy.html>
const REFERRER_POLICIES: &[&str] = &[
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

/// What is added to and removed from the headers of answers.
pub(crate) struct ResponseHeadersPolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HeadersPolicyInputs {
    name: String,
    comment: Option<String>,
    custom_headers_config: Option<CustomHeaders>,
    remove_headers_config: Option<RemovedHeaders>,
    security_headers_config: Option<SecurityHeaders>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomHeaders {
    items: Option<Vec<CustomHeader>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomHeader {
    header: String,
    value: String,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovedHeaders {
    items: Option<Vec<RemovedHeader>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovedHeader {
    header: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SecurityHeaders {
    content_security_policy: Option<ContentSecurityPolicy>,
    content_type_options: Option<ContentTypeOptions>,
    frame_options: Option<FrameOptions>,
    referrer_policy: Option<ReferrerPolicy>,
    strict_transport_security: Option<StrictTransportSecurity>,
    xss_protection: Option<XssProtection>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ContentSecurityPolicy {
    content_security_policy: String,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentTypeOptions {
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FrameOptions {
    frame_option: FrameOption,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum FrameOption {
    Deny,
    SameOrigin,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReferrerPolicy {
    referrer_policy: String,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StrictTransportSecurity {
    access_control_max_age_sec: u32,
    include_subdomains: Option<bool>,
    preload: Option<bool>,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct XssProtection {
    protection: bool,
    mode_block: Option<bool>,
    report_uri: Option<String>,
    #[serde(rename = "override")]
    overrides: bool,
}

impl HeadersPolicyInputs {
    /// The policy that they make, or what is wrong with them.
    fn policy(&self) -> Result<HeadersPolicy, Refusal> {
        let mut policy = HeadersPolicy::default();
        let removed = self.remove_headers_config.as_ref();
        for item in removed
            .iter()
            .flat_map(|config| config.items.iter().flatten())
        {
            let name = HeaderName::try_from(&item.header).map_err(|_| {
                let reason = format!("{:?} is no name of a header", item.header);
                Refusal::new("removeHeadersConfig", reason)
            })?;
            policy.removed.push(name);
        }
        let custom = self.custom_headers_config.as_ref();
        for item in custom
            .iter()
            .flat_map(|config| config.items.iter().flatten())
        {
            let added = added(&item.header, &item.value, item.overrides);
            let added = added.map_err(|reason| Refusal::new("customHeadersConfig", reason))?;
            policy.added.push(added);
        }
        if let Some(security) = &self.security_headers_config {
            for (name, value, overrides) in security.headers() {
                let added = added(name, &value, overrides);
                let added =
                    added.map_err(|reason| Refusal::new("securityHeadersConfig", reason))?;
                policy.added.push(added);
            }
        }
        Ok(policy)
    }
}

fn added(name: &str, value: &str, overrides: bool) -> Result<Added, String> {
    Ok(Added {
        name: HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header"))?,
        value: HeaderValue::from_str(value)
            .map_err(|_| format!("{value:?} cannot be the value of {name}"))?,
        overrides,
    })
}

impl SecurityHeaders {
    /// Names, values, and whether they override:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html#understanding-response-headers-policies-security>.
    fn headers(&self) -> Vec<(&'static str, String, bool)> {
        let mut headers = Vec::new();
        if let Some(policy) = &self.content_security_policy {
            let value = policy.content_security_policy.clone();
            headers.push(("content-security-policy", value, policy.overrides));
        }
        if let Some(options) = &self.content_type_options {
            let value = "nosniff".to_owned();
            headers.push(("x-content-type-options", value, options.overrides));
        }
        if let Some(options) = &self.frame_options {
            let value = match options.frame_option {
                FrameOption::Deny => "DENY",
                FrameOption::SameOrigin => "SAMEORIGIN",
            };
            headers.push(("x-frame-options", value.to_owned(), options.overrides));
        }
        if let Some(policy) = &self.referrer_policy {
            let value = policy.referrer_policy.clone();
            headers.push(("referrer-policy", value, policy.overrides));
        }
        if let Some(security) = &self.strict_transport_security {
            let mut value = format!("max-age={}", security.access_control_max_age_sec);
            if security.include_subdomains == Some(true) {
                value.push_str("; includeSubDomains");
            }
            if security.preload == Some(true) {
                value.push_str("; preload");
            }
            headers.push(("strict-transport-security", value, security.overrides));
        }
        if let Some(xss) = &self.xss_protection {
            let mut value = if xss.protection { "1" } else { "0" }.to_owned();
            if xss.mode_block == Some(true) {
                value.push_str("; mode=block");
            }
            if let Some(uri) = &xss.report_uri {
                value.push_str("; report=");
                value.push_str(uri);
            }
            headers.push(("x-xss-protection", value, xss.overrides));
        }
        headers
    }

    fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Some(policy) = &self.referrer_policy
            && !REFERRER_POLICIES.contains(&policy.referrer_policy.as_str())
        {
            refusals.push(Refusal::new(
                "securityHeadersConfig.referrerPolicy.referrerPolicy",
                format!(
                    "{:?} is none of {}",
                    policy.referrer_policy,
                    REFERRER_POLICIES.join(", ")
                ),
            ));
        }
        if let Some(xss) = &self.xss_protection
            && (xss.mode_block.is_some() && xss.report_uri.is_some()
                || !xss.protection && xss.mode_block == Some(true))
        {
            refusals.push(Refusal::new(
                "securityHeadersConfig.xssProtection",
                "modeBlock goes with protection, and not with reportUri",
            ));
        }
        refusals
    }
}

impl SharedType for ResponseHeadersPolicy {
    type Inputs = HeadersPolicyInputs;
    type Live = HeadersPolicy;

    const TOKEN: &'static str = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy";
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html>
    const MAX_NAME: usize = 128;
    const ARN: &'static str = "response-headers-policy";

    fn validate(&self, inputs: &HeadersPolicyInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(inputs.policy().err());
        let security = inputs.security_headers_config.as_ref();
        refusals.extend(security.map(SecurityHeaders::refusals).unwrap_or_default());
        refusals
    }

    fn name(inputs: &HeadersPolicyInputs) -> &str {
        &inputs.name
    }

    fn id(new: &New) -> String {
        policy_id(new)
    }

    fn live(&self, inputs: &HeadersPolicyInputs) -> AwsResult<HeadersPolicy> {
        let policy = inputs.policy();
        policy.map_err(|refusal| AwsError::new(400, "InvalidArgument", refusal.reason))
    }
}
