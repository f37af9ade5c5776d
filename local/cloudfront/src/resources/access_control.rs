//! `aws:cloudfront/originAccessControl:OriginAccessControl`.

use super::{not_done, short_id};
use crate::CloudFront;
use crate::{AccessControl, Named};
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::identity::arn;
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html>
const MAX_NAME: usize = 64;

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

impl OriginAccessControlInputs {
    fn check(&self) -> AwsResult<()> {
        if self.origin_access_control_origin_type != OriginType::S3 {
            return Err(not_done("origins other than S3"));
        }
        if self.signing_behavior == SigningBehavior::NoOverride {
            return Err(not_done("signing behavior no-override"));
        }
        Ok(())
    }
}

#[async_trait]
impl ResourceType for OriginAccessControl {
    type Inputs = OriginAccessControlInputs;
    type Service = CloudFront;

    const TOKEN: &'static str = "aws:cloudfront/originAccessControl:OriginAccessControl";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });

    fn validate(&self, inputs: &OriginAccessControlInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if !(1..=MAX_NAME).contains(&inputs.name.chars().count()) {
            refusals.push(Refusal::new("name", "a name has 1 to 64 characters"));
        }
        refusals
    }

    async fn create(
        &self,
        cloudfront: &Arc<CloudFront>,
        new: &New,
        inputs: &OriginAccessControlInputs,
    ) -> AwsResult<Deployed> {
        inputs.check()?;
        let name = &inputs.name;
        cloudfront.check_name(Named::AccessControl, name)?;
        let id = short_id(new);
        let arn = arn("cloudfront", "", &format!("origin-access-control/{id}"));
        Ok(Deployed::new(id, json!({ "arn": arn, "name": name })))
    }

    async fn activate(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<OriginAccessControlInputs>,
    ) -> AwsResult<()> {
        let access = AccessControl {
            name: resource.inputs.name.clone(),
            signs: resource.inputs.signing_behavior == SigningBehavior::Always,
        };
        cloudfront.put_access_control(&resource.id, access);
        Ok(())
    }

    async fn update(
        &self,
        _cloudfront: &Arc<CloudFront>,
        old: &Resource<OriginAccessControlInputs>,
        inputs: &OriginAccessControlInputs,
    ) -> AwsResult<Properties> {
        inputs.check()?;
        Ok(old.outputs.clone())
    }

    async fn delete(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<OriginAccessControlInputs>,
    ) -> AwsResult<()> {
        cloudfront.remove_access_control(&resource.id)
    }
}
