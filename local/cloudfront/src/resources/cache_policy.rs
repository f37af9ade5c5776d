//! `aws:cloudfront/cachePolicy:CachePolicy`.

use super::shared::SharedType;
use super::{not_done, policy_id};
use crate::shared::CachePolicy as LivePolicy;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{New, Refusal};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html>
const DEFAULT_TTL: u64 = 86_400;
const MAX_TTL: u64 = 31_536_000;

/// What a cache goes by. This cloud caches nothing: what counts here is compression.
pub(crate) struct CachePolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CachePolicyInputs {
    name: String,
    comment: Option<String>,
    min_ttl: Option<u64>,
    default_ttl: Option<u64>,
    max_ttl: Option<u64>,
    parameters_in_cache_key_and_forwarded_to_origin: Parameters,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parameters {
    cookies_config: Cookies,
    headers_config: Headers,
    query_strings_config: QueryStrings,
    enable_accept_encoding_brotli: Option<bool>,
    enable_accept_encoding_gzip: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Cookies {
    cookie_behavior: Forwarded,
    cookies: Option<Items>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Headers {
    header_behavior: Option<HeadersForwarded>,
    headers: Option<Items>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct QueryStrings {
    query_string_behavior: Forwarded,
    query_strings: Option<Items>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Forwarded {
    None,
    Whitelist,
    AllExcept,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum HeadersForwarded {
    None,
    Whitelist,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    items: Option<Vec<String>>,
}

impl CachePolicyInputs {
    /// A policy that lets nothing be cached lets nothing be compressed either:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>.
    fn compresses(&self) -> bool {
        let parameters = &self.parameters_in_cache_key_and_forwarded_to_origin;
        parameters.enable_accept_encoding_gzip == Some(true) && self.max_ttl != Some(0)
    }
}

impl Parameters {
    /// A bucket takes no notice of cookies and of headers that are not its own, but of queries.
    fn check(&self) -> AwsResult<()> {
        if self.query_strings_config.query_string_behavior != Forwarded::None {
            return Err(not_done("query strings that are forwarded to the origin"));
        }
        Ok(())
    }
}

impl SharedType for CachePolicy {
    type Inputs = CachePolicyInputs;
    type Live = LivePolicy;

    const TOKEN: &'static str = "aws:cloudfront/cachePolicy:CachePolicy";
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html>
    const MAX_NAME: usize = 128;
    const ARN: &'static str = "cache-policy";

    fn validate(&self, inputs: &CachePolicyInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let min = inputs.min_ttl.unwrap_or(0);
        let default = inputs.default_ttl.unwrap_or(DEFAULT_TTL);
        let max = inputs.max_ttl.unwrap_or(MAX_TTL);
        if min > default || default > max {
            refusals.push(Refusal::new(
                "defaultTtl",
                format!("{default} must be between minTtl ({min}) and maxTtl ({max})"),
            ));
        }
        refusals
    }

    fn name(inputs: &CachePolicyInputs) -> &str {
        &inputs.name
    }

    fn id(new: &New) -> String {
        policy_id(new)
    }

    fn live(&self, inputs: &CachePolicyInputs) -> AwsResult<LivePolicy> {
        let parameters = &inputs.parameters_in_cache_key_and_forwarded_to_origin;
        parameters.check()?;
        Ok(LivePolicy {
            compresses: inputs.compresses(),
        })
    }
}
