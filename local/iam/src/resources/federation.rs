//! IAM: OIDC identity providers. Declared only: nobody signs in here with a web identity.

use crate::Iam;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{Deployed, New, Refusal, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
const MAX_CLIENT_IDS: usize = 100;
const MAX_CLIENT_ID: usize = 255;
const MAX_URL: usize = 255;
const MAX_THUMBPRINTS: usize = 5;
const THUMBPRINT: usize = 40;

/// `aws:iam/openIdConnectProvider:OpenIdConnectProvider`.
pub(crate) struct OpenIdConnectProvider;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OpenIdConnectProviderInputs {
    url: String,
    client_id_lists: Vec<String>,
    thumbprint_lists: Option<Vec<String>>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for OpenIdConnectProvider {
    type Inputs = OpenIdConnectProviderInputs;
    type Service = Iam;

    const TOKEN: &'static str = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";
    const REPLACES_ON: &'static [&'static str] = &["url"];
    const DELETE_BEFORE_REPLACE: bool = true;
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &OpenIdConnectProviderInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let path = inputs.url.strip_prefix("https://").unwrap_or_default();
        if path.is_empty() || inputs.url.len() > MAX_URL || path.contains([':', '?', '#']) {
            let reason = "must begin with https://, without a port and without query parameters";
            refusals.push(Refusal::new("url", reason));
        }
        let ids = &inputs.client_id_lists;
        let fits = |id: &String| (1..=MAX_CLIENT_ID).contains(&id.len());
        if ids.len() > MAX_CLIENT_IDS || !ids.iter().all(fits) {
            let reason =
                format!("must be at most {MAX_CLIENT_IDS}, of 1 to {MAX_CLIENT_ID} characters");
            refusals.push(Refusal::new("clientIdLists", reason));
        }
        let prints = inputs.thumbprint_lists.as_deref().unwrap_or_default();
        let is_print = |print: &String| {
            print.len() == THUMBPRINT && print.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if prints.len() > MAX_THUMBPRINTS || !prints.iter().all(is_print) {
            let reason =
                format!("must be at most {MAX_THUMBPRINTS}, of {THUMBPRINT} hexadecimal digits");
            refusals.push(Refusal::new("thumbprintLists", reason));
        }
        refusals
    }

    async fn create(
        &self,
        iam: &Arc<Iam>,
        _new: &New,
        inputs: &OpenIdConnectProviderInputs,
    ) -> AwsResult<Deployed> {
        let host = inputs
            .url
            .trim_start_matches("https://")
            .trim_end_matches('/');
        let arn = arn("iam", "", &format!("oidc-provider/{host}"));
        if iam.has_identity_provider(&arn) {
            return Err(AwsError::new(
                409,
                "EntityAlreadyExists",
                format!("Provider with url {} already exists.", inputs.url),
            ));
        }
        Ok(Deployed::new(&arn, json!({ "arn": arn })))
    }

    async fn activate(
        &self,
        iam: &Arc<Iam>,
        provider: &Resource<OpenIdConnectProviderInputs>,
    ) -> AwsResult<()> {
        iam.put_identity_provider(&provider.id);
        Ok(())
    }

    async fn delete(
        &self,
        iam: &Arc<Iam>,
        provider: &Resource<OpenIdConnectProviderInputs>,
    ) -> AwsResult<()> {
        iam.remove_identity_provider(&provider.id);
        Ok(())
    }
}
