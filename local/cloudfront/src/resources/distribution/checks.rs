//! What is refused of a distribution's declaration.

use super::super::not_done;
use super::{
    Behavior, DistributionInputs, ErrorResponse, Methods, RestrictionType, bucket_of, filled,
};
use crate::CloudFront;
use crate::headers::HeadersPolicy;
use crate::shared::AccessControl;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::Refusal;
use std::collections::HashSet;

/// The errors that can have a page, and what such a page can be sent with:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html>.
const ERROR_CODES: &[u16] = &[400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/// Values of properties that make no difference here:
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>.
const HTTP_VERSIONS: &[&str] = &["http1.1", "http2", "http2and3", "http3"];
const PRICE_CLASSES: &[&str] = &["PriceClass_All", "PriceClass_200", "PriceClass_100", "None"];

/// What AWS would refuse without looking around.
pub(super) fn refusals(inputs: &DistributionInputs) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let origins: HashSet<&String> = inputs.origins.iter().map(|one| &one.origin_id).collect();
    if inputs.origins.is_empty() || origins.len() != inputs.origins.len() {
        let reason = "there must be at least one origin, each with an originId of its own";
        refusals.push(Refusal::new("origins", reason));
    }
    for (path, behavior) in inputs.behaviors() {
        refusals.extend(behavior.refusals(&path, &origins));
        let is_default = path == "defaultCacheBehavior";
        if behavior.path_pattern.is_none() != is_default {
            let reason = "all behaviors but the default one have a path pattern";
            refusals.push(Refusal::new(format!("{path}.pathPattern"), reason));
        }
    }
    let responses = inputs.custom_error_responses.iter().flatten();
    for (index, response) in responses.enumerate() {
        refusals.extend(response.refusals(&format!("customErrorResponses[{index}]")));
    }
    if let Some(root) = &inputs.default_root_object
        && root.starts_with('/')
    {
        let reason = format!("{root:?} must not begin with /");
        refusals.push(Refusal::new("defaultRootObject", reason));
    }
    for (name, value, values) in [
        ("httpVersion", &inputs.http_version, HTTP_VERSIONS),
        ("priceClass", &inputs.price_class, PRICE_CLASSES),
    ] {
        if let Some(value) = value
            && !values.contains(&value.as_str())
        {
            let reason = format!("{value:?} is none of {}", values.join(", "));
            refusals.push(Refusal::new(name, reason));
        }
    }
    let has_aliases = inputs.aliases.as_ref().is_some_and(|all| !all.is_empty());
    if has_aliases && inputs.viewer_certificate.cloudfront_default_certificate == Some(true) {
        let reason = "names of one's own need a certificate of one's own";
        refusals.push(Refusal::new("aliases", reason));
    }
    refusals
}

impl DistributionInputs {
    /// Refuses what this cloud's CloudFront does not do, and what is not there.
    pub(super) fn check(&self, cloudfront: &CloudFront) -> AwsResult<()> {
        if self.logging_config.is_some() {
            return Err(not_done("legacy access logs (loggingConfig)"));
        }
        if filled(&self.web_acl_id).is_some() {
            return Err(not_done("web ACL"));
        }
        if self.restrictions.geo_restriction.restriction_type != RestrictionType::None {
            return Err(not_done("restrictions by country"));
        }
        let certificate = &self.viewer_certificate;
        if certificate.acm_certificate_arn.is_some() || certificate.iam_certificate_id.is_some() {
            return Err(not_done("certificates of one's own"));
        }
        for origin in &self.origins {
            bucket_of(&origin.domain_name)?;
            if let Some(id) = filled(&origin.origin_access_control_id)
                && cloudfront.shared::<AccessControl>(id).is_none()
            {
                return Err(AwsError::new(
                    400,
                    "InvalidOriginAccessControl",
                    format!("the origin access control {id} does not exist"),
                ));
            }
        }
        for (_, behavior) in self.behaviors() {
            if behavior.methods()? == Methods::All {
                return Err(not_done("methods that change an origin"));
            }
            if filled(&behavior.origin_request_policy_id).is_some() {
                return Err(not_done("origin request policies"));
            }
            if let Some(id) = filled(&behavior.cache_policy_id)
                && !cloudfront.has_cache_policy(id)
            {
                let message = format!("the cache policy {id} does not exist, or is not known here");
                return Err(AwsError::new(404, "NoSuchCachePolicy", message));
            }
            if let Some(id) = filled(&behavior.response_headers_policy_id)
                && cloudfront.shared::<HeadersPolicy>(id).is_none()
            {
                let message = format!(
                    "the response headers policy {id} does not exist, or is not known here"
                );
                return Err(AwsError::new(404, "NoSuchResponseHeadersPolicy", message));
            }
        }
        Ok(())
    }
}

impl Behavior {
    fn refusals(&self, path: &str, origins: &HashSet<&String>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Err(error) = self.methods() {
            refusals.push(Refusal::new(
                format!("{path}.allowedMethods"),
                error.message,
            ));
        }
        let mut cached: Vec<&str> = self.cached_methods.iter().map(String::as_str).collect();
        cached.sort_unstable();
        if !matches!(
            cached.as_slice(),
            ["GET", "HEAD"] | ["GET", "HEAD", "OPTIONS"]
        ) {
            refusals.push(Refusal::new(
                format!("{path}.cachedMethods"),
                "they must be GET and HEAD, or these and OPTIONS",
            ));
        }
        if !origins.contains(&self.target_origin_id) {
            refusals.push(Refusal::new(
                format!("{path}.targetOriginId"),
                format!("there is no origin {:?}", self.target_origin_id),
            ));
        }
        if filled(&self.cache_policy_id).is_none() {
            refusals.push(Refusal::new(
                format!("{path}.cachePolicyId"),
                "a behavior needs a cache policy",
            ));
        }
        refusals
    }
}

impl ErrorResponse {
    fn refusals(&self, path: &str) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let is_status = |code: u16| code == 200 || ERROR_CODES.contains(&code);
        if !ERROR_CODES.contains(&self.error_code) {
            refusals.push(Refusal::new(
                format!("{path}.errorCode"),
                format!("{} is none of {ERROR_CODES:?}", self.error_code),
            ));
        }
        if self.response_code.is_some_and(|code| !is_status(code)) {
            refusals.push(Refusal::new(
                format!("{path}.responseCode"),
                format!("it is neither 200 nor one of {ERROR_CODES:?}"),
            ));
        }
        if self.response_code.is_some() != self.response_page_path.is_some() {
            refusals.push(Refusal::new(
                format!("{path}.responsePagePath"),
                "responsePagePath and responseCode go together",
            ));
        }
        if let Some(page) = &self.response_page_path
            && !page.starts_with('/')
        {
            refusals.push(Refusal::new(
                format!("{path}.responsePagePath"),
                format!("{page:?} must begin with /"),
            ));
        }
        refusals
    }
}
