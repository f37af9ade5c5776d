//! Response headers policies.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html>

use super::{one_of, policy_id};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::provider::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType};
use crate::services::cloudfront::{HeaderRule, ResponseHeaders};
use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html>
const MAX_POLICY_NAME: usize = 128;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyReferrerPolicy.html>
const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

/// `aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy`.
pub struct ResponseHeadersPolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ResponseHeadersPolicyInputs {
    name: String,
    comment: Option<String>,
    cors_config: Option<Value>,
    custom_headers_config: Option<Items<CustomHeader>>,
    remove_headers_config: Option<Items<RemovedHeader>>,
    security_headers_config: Option<SecurityHeaders>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Items<T> {
    items: Option<Vec<T>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomHeader {
    header: String,
    value: String,
    r#override: bool,
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
    r#override: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentTypeOptions {
    r#override: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FrameOptions {
    frame_option: String,
    r#override: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReferrerPolicy {
    referrer_policy: String,
    r#override: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StrictTransportSecurity {
    access_control_max_age_sec: u64,
    include_subdomains: Option<bool>,
    preload: Option<bool>,
    r#override: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct XssProtection {
    protection: bool,
    mode_block: Option<bool>,
    report_uri: Option<String>,
    r#override: bool,
}

impl ResponseHeadersPolicyInputs {
    fn headers(&self) -> AwsResult<ResponseHeaders> {
        let mut added = Vec::new();
        if let Some(security) = &self.security_headers_config {
            for (name, value, replaces) in security.rules() {
                added.push(rule(name, &value, replaces)?);
            }
        }
        for custom in items(self.custom_headers_config.as_ref()) {
            added.push(rule(&custom.header, &custom.value, custom.r#override)?);
        }
        let removed = items(self.remove_headers_config.as_ref())
            .map(|removed| header_name(&removed.header))
            .collect::<AwsResult<_>>()?;
        Ok(ResponseHeaders { removed, added })
    }
}

impl SecurityHeaders {
    /// Name, value, and whether it takes the place of the origin's.
    fn rules(&self) -> Vec<(&'static str, String, bool)> {
        let mut rules = Vec::new();
        if let Some(policy) = &self.content_security_policy {
            let value = policy.content_security_policy.clone();
            rules.push(("content-security-policy", value, policy.r#override));
        }
        if let Some(options) = &self.content_type_options {
            rules.push((
                "x-content-type-options",
                "nosniff".to_owned(),
                options.r#override,
            ));
        }
        if let Some(options) = &self.frame_options {
            rules.push((
                "x-frame-options",
                options.frame_option.clone(),
                options.r#override,
            ));
        }
        if let Some(policy) = &self.referrer_policy {
            rules.push((
                "referrer-policy",
                policy.referrer_policy.clone(),
                policy.r#override,
            ));
        }
        if let Some(transport) = &self.strict_transport_security {
            let mut value = format!("max-age={}", transport.access_control_max_age_sec);
            if transport.include_subdomains == Some(true) {
                value += "; includeSubDomains";
            }
            if transport.preload == Some(true) {
                value += "; preload";
            }
            rules.push(("strict-transport-security", value, transport.r#override));
        }
        if let Some(xss) = &self.xss_protection {
            let value = match (xss.protection, xss.mode_block, &xss.report_uri) {
                (false, ..) => "0".to_owned(),
                (true, Some(true), _) => "1; mode=block".to_owned(),
                (true, _, Some(uri)) => format!("1; report={uri}"),
                (true, ..) => "1".to_owned(),
            };
            rules.push(("x-xss-protection", value, xss.r#override));
        }
        rules
    }
}

#[async_trait]
impl ResourceType for ResponseHeadersPolicy {
    type Inputs = ResponseHeadersPolicyInputs;

    const TOKEN: &'static str = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy";
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_POLICY_NAME,
    });

    fn validate(&self, inputs: &Self::Inputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if inputs.cors_config.is_some() {
            refusals.push(Refusal::new(
                "corsConfig",
                "the embedded cloud does not answer for other origins: leave it out",
            ));
        }
        if let Err(error) = inputs.headers() {
            refusals.push(Refusal::new("", error.message));
        }
        let security = inputs.security_headers_config.as_ref();
        if let Some(options) = security.and_then(|security| security.frame_options.as_ref()) {
            let allowed = ["DENY", "SAMEORIGIN"];
            let property = "securityHeadersConfig.frameOptions.frameOption";
            refusals.extend(one_of(property, &options.frame_option, &allowed));
        }
        if let Some(policy) = security.and_then(|security| security.referrer_policy.as_ref()) {
            let property = "securityHeadersConfig.referrerPolicy.referrerPolicy";
            refusals.extend(one_of(
                property,
                &policy.referrer_policy,
                &REFERRER_POLICIES,
            ));
        }
        refusals
    }

    async fn create(&self, _: &Arc<Cloud>, new: &New, _: &Self::Inputs) -> AwsResult<Deployed> {
        Ok(Deployed::new(policy_id(new), json!({})))
    }

    async fn activate(
        &self,
        cloud: &Arc<Cloud>,
        resource: &Resource<Self::Inputs>,
    ) -> AwsResult<()> {
        let headers = resource.inputs.headers()?;
        cloud.cloudfront.put_response_headers(&resource.id, headers);
        Ok(())
    }

    async fn delete(&self, cloud: &Arc<Cloud>, resource: &Resource<Self::Inputs>) -> AwsResult<()> {
        cloud.cloudfront.remove_response_headers(&resource.id)
    }
}

fn items<T>(items: Option<&Items<T>>) -> impl Iterator<Item = &T> {
    items
        .into_iter()
        .flat_map(|items| items.items.iter().flatten())
}

fn rule(name: &str, value: &str, replaces: bool) -> AwsResult<HeaderRule> {
    let invalid = |_| {
        let message = format!("the value of header {name} has characters that no header may have");
        AwsError::new(400, "InvalidArgument", message)
    };
    Ok(HeaderRule {
        name: header_name(name)?,
        value: HeaderValue::from_str(value).map_err(invalid)?,
        replaces,
    })
}

fn header_name(name: &str) -> AwsResult<HeaderName> {
    name.parse().map_err(|_| {
        AwsError::new(
            400,
            "InvalidArgument",
            format!("{name:?} is no name of a header"),
        )
    })
}
