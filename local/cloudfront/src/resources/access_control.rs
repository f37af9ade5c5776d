//! `aws:cloudfront/originAccessControl:OriginAccessControl`.

use super::shared::SharedType;
use super::{not_done, short_id};
use crate::shared::AccessControl;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{New, Refusal};
use serde::{Deserialize, Serialize};

/// As whom a distribution asks its origin.
pub(crate) struct OriginAccessControl;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OriginAccessControlInputs {
    name: String,
    description: Option<String>,
    origin_access_control_origin_type: OriginType,
    signing_behavior: SigningBehavior,
    signing_protocol: SigningProtocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OriginType {
    S3,
    Lambda,
    Mediastore,
    Mediapackagev2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SigningBehavior {
    Always,
    Never,
    NoOverride,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SigningProtocol {
    Sigv4,
}

impl SharedType for OriginAccessControl {
    type Inputs = OriginAccessControlInputs;
    type Live = AccessControl;

    const TOKEN: &'static str = "aws:cloudfront/originAccessControl:OriginAccessControl";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html>
    const MAX_NAME: usize = 64;
    const ARN: &'static str = "origin-access-control";

    fn validate(&self, inputs: &OriginAccessControlInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if !(1..=Self::MAX_NAME).contains(&inputs.name.chars().count()) {
            refusals.push(Refusal::new("name", "a name has 1 to 64 characters"));
        }
        refusals
    }

    fn name(inputs: &OriginAccessControlInputs) -> &str {
        &inputs.name
    }

    fn id(new: &New) -> String {
        short_id(new)
    }

    fn live(&self, inputs: &OriginAccessControlInputs) -> AwsResult<AccessControl> {
        if inputs.origin_access_control_origin_type != OriginType::S3 {
            return Err(not_done("origins other than S3"));
        }
        if inputs.signing_behavior == SigningBehavior::NoOverride {
            return Err(not_done("signing behavior no-override"));
        }
        Ok(AccessControl {
            signs: inputs.signing_behavior == SigningBehavior::Always,
        })
    }
}
