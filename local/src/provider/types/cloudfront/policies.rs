//! Origin access controls and cache policies.

use super::{entity_id, one_of, policy_id};
use crate::cloud::Cloud;
use crate::error::AwsResult;
use crate::provider::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType};
use crate::services::cloudfront::Signing;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html>
const MAX_ACCESS_CONTROL_NAME: usize = 64;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html>
const MAX_POLICY_NAME: usize = 128;

/// Seconds that an object stays in a cache, and what AWS takes for a value that is not given:
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html>.
const DEFAULT_TTL: i64 = 86_400;
const DEFAULT_MAX_TTL: i64 = 31_536_000;

/// `aws:cloudfront/originAccessControl:OriginAccessControl`.
pub struct OriginAccessControl;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OriginAccessControlInputs {
    name: String,
    description: Option<String>,
    origin_access_control_origin_type: String,
    signing_behavior: String,
    signing_protocol: String,
}

#[async_trait]
impl ResourceType for OriginAccessControl {
    type Inputs = OriginAccessControlInputs;

    const TOKEN: &'static str = "aws:cloudfront/originAccessControl:OriginAccessControl";
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_ACCESS_CONTROL_NAME,
    });

    fn validate(&self, inputs: &Self::Inputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let origin_type = inputs.origin_access_control_origin_type.as_str();
        if origin_type != "s3" {
            refusals.push(Refusal::new(
                "originAccessControlOriginType",
                format!("{origin_type:?}: the embedded cloud has distributions for s3 alone"),
            ));
        }
        let behaviors = ["always", "never", "no-override"];
        refusals.extend(one_of(
            "signingBehavior",
            &inputs.signing_behavior,
            &behaviors,
        ));
        refusals.extend(one_of(
            "signingProtocol",
            &inputs.signing_protocol,
            &["sigv4"],
        ));
        refusals
    }

    async fn create(&self, _: &Arc<Cloud>, new: &New, _: &Self::Inputs) -> AwsResult<Deployed> {
        Ok(Deployed::new(entity_id(new), json!({})))
    }

    async fn activate(
        &self,
        cloud: &Arc<Cloud>,
        resource: &Resource<Self::Inputs>,
    ) -> AwsResult<()> {
        let signing = match resource.inputs.signing_behavior.as_str() {
            "never" => Signing::Unsigned,
            _ => Signing::Signed,
        };
        cloud.cloudfront.put_access_control(&resource.id, signing);
        Ok(())
    }

    async fn delete(&self, cloud: &Arc<Cloud>, resource: &Resource<Self::Inputs>) -> AwsResult<()> {
        cloud.cloudfront.remove_access_control(&resource.id)
    }
}

/// `aws:cloudfront/cachePolicy:CachePolicy`. It is checked and referred to; nothing is cached.
pub struct CachePolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CachePolicyInputs {
    name: String,
    comment: Option<String>,
    default_ttl: Option<i64>,
    max_ttl: Option<i64>,
    min_ttl: Option<i64>,
    parameters_in_cache_key_and_forwarded_to_origin: Value,
}

#[async_trait]
impl ResourceType for CachePolicy {
    type Inputs = CachePolicyInputs;

    const TOKEN: &'static str = "aws:cloudfront/cachePolicy:CachePolicy";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_POLICY_NAME,
    });

    fn validate(&self, inputs: &Self::Inputs) -> Vec<Refusal> {
        let minimum = inputs.min_ttl.unwrap_or_default();
        let default = inputs.default_ttl.unwrap_or(DEFAULT_TTL.max(minimum));
        let maximum = inputs.max_ttl.unwrap_or(DEFAULT_MAX_TTL.max(default));
        let mut refusals = Vec::new();
        if !(0 <= minimum && minimum <= default && default <= maximum) {
            refusals.push(Refusal::new(
                "defaultTtl",
                format!("0 <= minTtl ({minimum}) <= defaultTtl ({default}) <= maxTtl ({maximum}) must hold"),
            ));
        }
        // An origin sees the viewer's headers, cookies and query strings only as far as these
        // say; a bucket is told none of them here.
        let key = &inputs.parameters_in_cache_key_and_forwarded_to_origin;
        for (part, behavior) in [
            ("cookiesConfig", "cookieBehavior"),
            ("headersConfig", "headerBehavior"),
            ("queryStringsConfig", "queryStringBehavior"),
        ] {
            let value = key[part][behavior].as_str().unwrap_or("none");
            if value != "none" {
                refusals.push(Refusal::new(
                    format!("parametersInCacheKeyAndForwardedToOrigin.{part}.{behavior}"),
                    format!("{value:?}: the embedded cloud forwards none of them to a bucket"),
                ));
            }
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
        cloud.cloudfront.put_cache_policy(&resource.id);
        Ok(())
    }

    async fn delete(&self, cloud: &Arc<Cloud>, resource: &Resource<Self::Inputs>) -> AwsResult<()> {
        cloud.cloudfront.remove_cache_policy(&resource.id)
    }
}
