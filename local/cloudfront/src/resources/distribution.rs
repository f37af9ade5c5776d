//! `aws:cloudfront/distribution:Distribution`.

mod checks;

use super::{not_done, short_id};
use crate::CloudFront;
use crate::distribution::{
    Behavior as LiveBehavior, Distribution as LiveDistribution, ErrorPage, Origin as LiveOrigin,
    Scheme,
};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{Deployed, New, Properties, Refusal, Resource, ResourceType, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The zone of all distributions:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>.
const HOSTED_ZONE_ID: &str = "Z2FDTNDATAQYW2";

/// What the default certificate has, whatever is asked for.
const DEFAULT_CERTIFICATE_MINIMUM: &str = "TLSv1";

/// A distribution.
pub(crate) struct Distribution;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DistributionInputs {
    enabled: bool,
    origins: Vec<Origin>,
    default_cache_behavior: Behavior,
    ordered_cache_behaviors: Option<Vec<Behavior>>,
    custom_error_responses: Option<Vec<ErrorResponse>>,
    default_root_object: Option<String>,
    restrictions: Restrictions,
    viewer_certificate: Certificate,
    aliases: Option<Vec<String>>,
    comment: Option<String>,
    http_version: Option<String>,
    is_ipv6_enabled: Option<bool>,
    logging_config: Option<serde_json::Value>,
    price_class: Option<String>,
    retain_on_delete: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
    wait_for_deployment: Option<bool>,
    web_acl_id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Origin {
    origin_id: String,
    domain_name: String,
    origin_access_control_id: Option<String>,
    origin_path: Option<String>,
    connection_attempts: Option<u32>,
    connection_timeout: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Behavior {
    /// Which requests it is for; the default one has none.
    path_pattern: Option<String>,
    target_origin_id: String,
    viewer_protocol_policy: ViewerProtocolPolicy,
    allowed_methods: Vec<String>,
    cached_methods: Vec<String>,
    cache_policy_id: Option<String>,
    origin_request_policy_id: Option<String>,
    response_headers_policy_id: Option<String>,
    compress: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ViewerProtocolPolicy {
    AllowAll,
    HttpsOnly,
    RedirectToHttps,
}

impl ViewerProtocolPolicy {
    fn scheme(self) -> Scheme {
        match self {
            Self::AllowAll => Scheme::Http,
            Self::HttpsOnly | Self::RedirectToHttps => Scheme::Https,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ErrorResponse {
    error_code: u16,
    response_code: Option<u16>,
    response_page_path: Option<String>,
    error_caching_min_ttl: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Restrictions {
    geo_restriction: GeoRestriction,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GeoRestriction {
    restriction_type: RestrictionType,
    locations: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RestrictionType {
    None,
    Whitelist,
    Blacklist,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Certificate {
    cloudfront_default_certificate: Option<bool>,
    acm_certificate_arn: Option<String>,
    iam_certificate_id: Option<String>,
    minimum_protocol_version: Option<String>,
    ssl_support_method: Option<String>,
}

impl DistributionInputs {
    fn behaviors(&self) -> impl Iterator<Item = (String, &Behavior)> {
        let ordered = self.ordered_cache_behaviors.iter().flatten().enumerate();
        let ordered = ordered.map(|(index, one)| (format!("orderedCacheBehaviors[{index}]"), one));
        let default = (
            "defaultCacheBehavior".to_owned(),
            &self.default_cache_behavior,
        );
        ordered.chain([default])
    }

    fn live(&self, id: &str, arn: &str) -> AwsResult<LiveDistribution> {
        let mut origins = BTreeMap::new();
        for origin in &self.origins {
            let path = origin.origin_path.as_deref().unwrap_or_default();
            let live = LiveOrigin {
                bucket: bucket_of(&origin.domain_name)?,
                path: path.trim_matches('/').to_owned(),
                access_control_id: filled(&origin.origin_access_control_id).map(str::to_owned),
            };
            origins.insert(origin.origin_id.clone(), live);
        }
        let ordered = self.ordered_cache_behaviors.iter().flatten();
        let ordered =
            ordered.map(|one| Ok((one.path_pattern.clone().unwrap_or_default(), one.live()?)));
        let pages = self.custom_error_responses.iter().flatten();
        let pages = pages.filter_map(|response| {
            let page = ErrorPage {
                path: response.response_page_path.clone()?,
                status: response.response_code?,
            };
            Some((response.error_code, page))
        });
        Ok(LiveDistribution {
            id: id.to_owned(),
            arn: arn.to_owned(),
            enabled: self.enabled,
            default_root_object: self
                .default_root_object
                .clone()
                .filter(|object| !object.is_empty()),
            origins,
            ordered_behaviors: ordered.collect::<AwsResult<_>>()?,
            default_behavior: self.default_cache_behavior.live()?,
            error_pages: pages.collect(),
        })
    }
}

/// The three sets of methods that a behavior can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Methods {
    Read,
    ReadAndOptions,
    All,
}

impl Behavior {
    fn methods(&self) -> AwsResult<Methods> {
        let mut methods: Vec<&str> = self.allowed_methods.iter().map(String::as_str).collect();
        methods.sort_unstable();
        match methods.as_slice() {
            ["GET", "HEAD"] => Ok(Methods::Read),
            ["GET", "HEAD", "OPTIONS"] => Ok(Methods::ReadAndOptions),
            ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] => Ok(Methods::All),
            _ => Err(AwsError::new(
                400,
                "InvalidArgument",
                "allowedMethods must be GET and HEAD; these and OPTIONS; or all seven",
            )),
        }
    }

    fn live(&self) -> AwsResult<LiveBehavior> {
        Ok(LiveBehavior {
            origin_id: self.target_origin_id.clone(),
            scheme: self.viewer_protocol_policy.scheme(),
            allows_options: self.methods()? == Methods::ReadAndOptions,
            cache_policy_id: self.cache_policy_id.clone().unwrap_or_default(),
            compresses: self.compress == Some(true),
            headers_policy_id: filled(&self.response_headers_policy_id).map(str::to_owned),
        })
    }
}

#[async_trait]
impl ResourceType for Distribution {
    type Inputs = DistributionInputs;
    type Service = CloudFront;

    const TOKEN: &'static str = "aws:cloudfront/distribution:Distribution";

    fn validate(&self, inputs: &DistributionInputs) -> Vec<Refusal> {
        checks::refusals(inputs)
    }

    async fn create(
        &self,
        cloudfront: &Arc<CloudFront>,
        new: &New,
        inputs: &DistributionInputs,
    ) -> AwsResult<Deployed> {
        inputs.check(cloudfront)?;
        let id = short_id(new);
        let port = cloudfront.take_port(&id, None)?;
        let outputs = json!({
            "arn": arn("cloudfront", "", &format!("distribution/{id}")),
            "domainName": domain_name(port),
            "hostedZoneId": HOSTED_ZONE_ID,
            "status": "Deployed",
        });
        Ok(Deployed::new(id, outputs))
    }

    async fn activate(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<DistributionInputs>,
    ) -> AwsResult<()> {
        let before = resource.output("domainName").rsplit(':').next();
        let before = before.and_then(|port| port.parse().ok());
        let port = cloudfront.take_port(&resource.id, before)?;
        if before != Some(port) {
            tracing::warn!(
                distribution = resource.id,
                port,
                "a distribution moved to another port: refresh the stack"
            );
        }
        let live = resource.inputs.live(&resource.id, resource.output("arn"))?;
        cloudfront.deploy(live);
        Ok(())
    }

    async fn update(
        &self,
        cloudfront: &Arc<CloudFront>,
        old: &Resource<DistributionInputs>,
        inputs: &DistributionInputs,
    ) -> AwsResult<Properties> {
        inputs.check(cloudfront)?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        cloudfront: &Arc<CloudFront>,
        _scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<DistributionInputs>>,
    ) -> AwsResult<Option<Resource<DistributionInputs>>> {
        let Some(mut known) = known.filter(|_| cloudfront.has(id)) else {
            return Ok(None);
        };
        if let Some(port) = cloudfront.port_of(id) {
            let domain_name = domain_name(port).into();
            known.outputs.insert("domainName".to_owned(), domain_name);
        }
        let certificate = &mut known.inputs.viewer_certificate;
        if certificate.cloudfront_default_certificate == Some(true)
            && certificate.minimum_protocol_version.is_some()
        {
            certificate.minimum_protocol_version = Some(DEFAULT_CERTIFICATE_MINIMUM.to_owned());
        }
        Ok(Some(known))
    }

    async fn delete(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<DistributionInputs>,
    ) -> AwsResult<()> {
        cloudfront.remove(&resource.id);
        Ok(())
    }
}

/// The real provider takes an empty text for one that is not there.
fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn domain_name(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The bucket in an origin's domain name: `BUCKET.s3.REGION.amazonaws.com`, or without region.
fn bucket_of(domain_name: &str) -> AwsResult<String> {
    let bucket = domain_name
        .strip_suffix(".amazonaws.com")
        .and_then(|name| name.rsplit_once(".s3"))
        .filter(|(_, region)| {
            region.is_empty() || region.strip_prefix('.').is_some_and(|r| !r.contains('.'))
        })
        .map(|(bucket, _)| bucket.to_owned());
    bucket.ok_or_else(|| {
        not_done(&format!(
            "origins other than S3 buckets (BUCKET.s3.REGION.amazonaws.com), such as {domain_name}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_bucket() -> AwsResult<()> {
        for name in ["site.s3.us-east-1.amazonaws.com", "site.s3.amazonaws.com"] {
            assert_eq!(bucket_of(name)?, "site");
        }
        assert_eq!(
            bucket_of("my.dotted.s3.eu-west-1.amazonaws.com")?,
            "my.dotted"
        );
        for name in [
            "example.com",
            "site.s3-website-us-east-1.amazonaws.com",
            "id.execute-api.us-east-1.amazonaws.com",
            "site.s3.us-east-1.example.com",
        ] {
            assert!(bucket_of(name).is_err(), "{name}");
        }
        Ok(())
    }
}
