//! Distributions.

use super::{entity_id, one_of};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::identity::arn;
use crate::provider::resource::{Deployed, New, Properties, Refusal, Resource, ResourceType};
use crate::services::cloudfront::{self, Behaviour, ErrorResponse, Origin, bucket_of};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sets of methods that a behaviour may allow:
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html>.
const METHODS: [&[&str]; 3] = [
    &["GET", "HEAD"],
    &["GET", "HEAD", "OPTIONS"],
    &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
];

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>
const HTTP_VERSIONS: [&str; 4] = ["http1.1", "http2", "http2and3", "http3"];
const PRICE_CLASSES: [&str; 4] = ["PriceClass_100", "PriceClass_200", "PriceClass_All", "None"];

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DefaultCacheBehavior.html>
const VIEWER_POLICIES: [&str; 3] = ["allow-all", "https-only", "redirect-to-https"];

/// The errors of an origin that may have a page:
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CustomErrorResponse.html>.
const ERRORS: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/// `aws:cloudfront/distribution:Distribution`.
pub struct Distribution;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DistributionInputs {
    aliases: Option<Vec<String>>,
    comment: Option<String>,
    custom_error_responses: Option<Vec<CustomErrorResponse>>,
    default_cache_behavior: CacheBehavior,
    default_root_object: Option<String>,
    enabled: bool,
    http_version: Option<String>,
    is_ipv6_enabled: Option<bool>,
    logging_config: Option<Value>,
    ordered_cache_behaviors: Option<Vec<CacheBehavior>>,
    origins: Vec<OriginInputs>,
    price_class: Option<String>,
    restrictions: Restrictions,
    retain_on_delete: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
    viewer_certificate: ViewerCertificate,
    wait_for_deployment: Option<bool>,
    web_acl_id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CustomErrorResponse {
    error_code: u16,
    response_code: Option<u16>,
    response_page_path: Option<String>,
    error_caching_min_ttl: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CacheBehavior {
    path_pattern: Option<String>,
    allowed_methods: Vec<String>,
    cached_methods: Vec<String>,
    cache_policy_id: Option<String>,
    origin_request_policy_id: Option<String>,
    response_headers_policy_id: Option<String>,
    target_origin_id: String,
    viewer_protocol_policy: String,
    compress: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OriginInputs {
    origin_id: String,
    domain_name: String,
    origin_access_control_id: Option<String>,
    origin_path: Option<String>,
    connection_attempts: Option<u32>,
    connection_timeout: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Restrictions {
    geo_restriction: GeoRestriction,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GeoRestriction {
    restriction_type: String,
    locations: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ViewerCertificate {
    acm_certificate_arn: Option<String>,
    cloudfront_default_certificate: Option<bool>,
    iam_certificate_id: Option<String>,
    minimum_protocol_version: Option<String>,
    ssl_support_method: Option<String>,
}

impl DistributionInputs {
    /// The ordered behaviours, then the default one, each with the property that it stands in.
    fn behaviours(&self) -> impl Iterator<Item = (String, &CacheBehavior)> {
        let ordered = self.ordered_cache_behaviors.iter().flatten().enumerate();
        ordered
            .map(|(index, behaviour)| (format!("orderedCacheBehaviors[{index}]"), behaviour))
            .chain([(
                "defaultCacheBehavior".to_owned(),
                &self.default_cache_behavior,
            )])
    }

    /// Refuses references to what is not deployed, as CreateDistribution does:
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistribution.html>.
    fn check_references(&self, cloud: &Cloud) -> AwsResult<()> {
        let missing = |code: &'static str, what: &str, id: &str| {
            AwsError::new(404, code, format!("the {what} {id} does not exist"))
        };
        for origin in &self.origins {
            if let Some(id) = filled(origin.origin_access_control_id.as_ref())
                && cloud.cloudfront.access_control(id).is_none()
            {
                return Err(missing(
                    "NoSuchOriginAccessControl",
                    "origin access control",
                    id,
                ));
            }
        }
        for (_, behaviour) in self.behaviours() {
            let target = &behaviour.target_origin_id;
            if !self
                .origins
                .iter()
                .any(|origin| origin.origin_id == *target)
            {
                return Err(missing("NoSuchOrigin", "origin", target));
            }
            if let Some(id) = filled(behaviour.cache_policy_id.as_ref())
                && !cloud.cloudfront.has_cache_policy(id)
            {
                return Err(missing("NoSuchCachePolicy", "cache policy", id));
            }
            if let Some(id) = filled(behaviour.response_headers_policy_id.as_ref())
                && cloud.cloudfront.response_headers(id).is_none()
            {
                let what = "response headers policy";
                return Err(missing("NoSuchResponseHeadersPolicy", what, id));
            }
        }
        Ok(())
    }

    fn distribution(&self, arn: &str) -> cloudfront::Distribution {
        let origins = self.origins.iter().map(|origin| {
            let served = Origin {
                bucket: bucket_of(&origin.domain_name)
                    .unwrap_or_default()
                    .to_owned(),
                path: origin.origin_path.clone().unwrap_or_default(),
                access_control: filled(origin.origin_access_control_id.as_ref()).cloned(),
            };
            (origin.origin_id.clone(), served)
        });
        let behaviours = self.behaviours().map(|(_, behaviour)| Behaviour {
            path_pattern: behaviour
                .path_pattern
                .clone()
                .unwrap_or_else(|| "*".to_owned()),
            allowed_methods: behaviour.allowed_methods.clone(),
            origin_id: behaviour.target_origin_id.clone(),
            cache_policy: behaviour.cache_policy_id.clone(),
            response_headers_policy: behaviour.response_headers_policy_id.clone(),
        });
        let errors = self
            .custom_error_responses
            .iter()
            .flatten()
            .filter_map(|error| {
                let page = error.response_page_path.clone()?;
                let status = error.response_code.unwrap_or(error.error_code);
                Some((error.error_code, ErrorResponse { page, status }))
            });
        cloudfront::Distribution {
            arn: arn.to_owned(),
            default_root_object: self.default_root_object.clone(),
            origins: origins.collect(),
            behaviours: behaviours.collect(),
            error_responses: errors.collect(),
        }
    }
}

#[async_trait]
impl ResourceType for Distribution {
    type Inputs = DistributionInputs;

    const TOKEN: &'static str = "aws:cloudfront/distribution:Distribution";

    fn validate(&self, inputs: &Self::Inputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut not_here = |property: &str, declared: bool, what: &str| {
            if declared {
                refusals.push(Refusal::new(property, format!("the embedded cloud {what}")));
            }
        };
        not_here(
            "enabled",
            !inputs.enabled,
            "serves every distribution: it must be true",
        );
        not_here(
            "loggingConfig",
            inputs.logging_config.is_some(),
            "writes no standard logs (legacy)",
        );
        let acl = filled(inputs.web_acl_id.as_ref()).is_some();
        not_here("webAclId", acl, "has no web ACLs");
        let geography = &inputs.restrictions.geo_restriction.restriction_type;
        let anywhere = geography == "none";
        let property = "restrictions.geoRestriction.restrictionType";
        not_here(
            property,
            !anywhere,
            "cannot tell where a viewer is: it must be \"none\"",
        );
        for (index, origin) in inputs.origins.iter().enumerate() {
            let property = format!("origins[{index}].domainName");
            let custom = bucket_of(&origin.domain_name).is_none();
            not_here(
                &property,
                custom,
                "has buckets as origins: it must be BUCKET.s3.REGION.amazonaws.com",
            );
        }
        for (property, behaviour) in inputs.behaviours() {
            let property = format!("{property}.originRequestPolicyId");
            let policy = filled(behaviour.origin_request_policy_id.as_ref()).is_some();
            not_here(&property, policy, "has no origin request policies");
        }
        for (property, behaviour) in inputs.behaviours() {
            refusals.extend(check_behaviour(&property, behaviour));
        }
        for (property, value, allowed) in [
            ("httpVersion", &inputs.http_version, &HTTP_VERSIONS),
            ("priceClass", &inputs.price_class, &PRICE_CLASSES),
        ] {
            refusals.extend(
                value
                    .as_deref()
                    .and_then(|value| one_of(property, value, allowed)),
            );
        }
        for (index, error) in inputs.custom_error_responses.iter().flatten().enumerate() {
            let property = format!("customErrorResponses[{index}]");
            if !ERRORS.contains(&error.error_code) {
                let reason = format!("{} is none of {ERRORS:?}", error.error_code);
                refusals.push(Refusal::new(format!("{property}.errorCode"), reason));
            }
            if error.response_code.is_some() != error.response_page_path.is_some() {
                let reason = "responseCode and responsePagePath go together";
                refusals.push(Refusal::new(property, reason));
            }
        }
        let certificate = &inputs.viewer_certificate;
        let own =
            certificate.acm_certificate_arn.is_some() || certificate.iam_certificate_id.is_some();
        if inputs
            .aliases
            .as_ref()
            .is_some_and(|aliases| !aliases.is_empty())
            && !own
        {
            let reason = "a certificate of one's own is needed for these names: give viewerCertificate.acmCertificateArn";
            refusals.push(Refusal::new("aliases", reason));
        }
        refusals
    }

    async fn create(
        &self,
        cloud: &Arc<Cloud>,
        new: &New,
        inputs: &Self::Inputs,
    ) -> AwsResult<Deployed> {
        inputs.check_references(cloud)?;
        let id = entity_id(new);
        let ports = &cloud.config.endpoints.sites;
        let port = cloud.cloudfront.reserve_port(&id, ports)?;
        Ok(Deployed::new(
            id.clone(),
            json!({
                "arn": arn("cloudfront", "", &format!("distribution/{id}")),
                "domainName": format!("127.0.0.1:{port}"),
            }),
        ))
    }

    async fn activate(
        &self,
        cloud: &Arc<Cloud>,
        resource: &Resource<Self::Inputs>,
    ) -> AwsResult<()> {
        let domain = resource.output("domainName");
        let port = domain.rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| AwsError::internal(format!("{domain:?} has no port")))?;
        let distribution = resource.inputs.distribution(resource.output("arn"));
        cloud
            .cloudfront
            .put_distribution(&resource.id, port, distribution);
        Ok(())
    }

    async fn update(
        &self,
        cloud: &Arc<Cloud>,
        old: &Resource<Self::Inputs>,
        inputs: &Self::Inputs,
    ) -> AwsResult<Properties> {
        inputs.check_references(cloud)?;
        Ok(old.outputs.clone())
    }

    async fn delete(&self, cloud: &Arc<Cloud>, resource: &Resource<Self::Inputs>) -> AwsResult<()> {
        cloud.cloudfront.remove_distribution(&resource.id);
        Ok(())
    }
}

fn check_behaviour(property: &str, behaviour: &CacheBehavior) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut methods: Vec<&str> = behaviour
        .allowed_methods
        .iter()
        .map(String::as_str)
        .collect();
    methods.sort_unstable();
    if !METHODS.contains(&methods.as_slice()) {
        let reason = format!("{methods:?} is none of the sets {METHODS:?}");
        refusals.push(Refusal::new(format!("{property}.allowedMethods"), reason));
    }
    let policy = format!("{property}.viewerProtocolPolicy");
    refusals.extend(one_of(
        &policy,
        &behaviour.viewer_protocol_policy,
        &VIEWER_POLICIES,
    ));
    if filled(behaviour.cache_policy_id.as_ref()).is_none() {
        let reason = "the embedded cloud takes behaviors with a cache policy alone";
        refusals.push(Refusal::new(format!("{property}.cachePolicyId"), reason));
    }
    refusals
}

/// AWS and the provider take an empty text for one that is not there.
fn filled(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}
