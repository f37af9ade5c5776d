//! `aws:apigateway/response:Response`

use super::{check_region, refusals};
use crate::ApiGateway;
use crate::definition::Response as Inputs;
use crate::steps::gateway_response::GatewayResponse;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{Deployed, ImportId, New, Refusal, Resource, ResourceType, Scope};
use serde_json::json;
use std::sync::Arc;

/// What the gateway answers by itself.
pub(super) struct Response;

#[async_trait]
impl ResourceType for Response {
    type Inputs = Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/response:Response";
    const REPLACES_ON: &'static [&'static str] = &["responseType", "restApiId"];
    /// PutGatewayResponse.
    const OVERWRITES: bool = true;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApiId", "responseType"],
        separator: "/",
    });

    fn validate(&self, inputs: &Inputs) -> Vec<Refusal> {
        refusals(GatewayResponse::compile(inputs))
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &Inputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api_id, new)?;
        let id = format!("aggr-{}-{}", inputs.rest_api_id, inputs.response_type);
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|state| {
            let responses = &mut state.api_mut(&inputs.rest_api_id)?.definition.responses;
            responses.insert(inputs.response_type.clone(), inputs);
            Ok(())
        })
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<Inputs>>,
    ) -> AwsResult<Option<Resource<Inputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api_id, |api| {
                api.definition.responses.contains_key(&inputs.response_type)
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&inputs.rest_api_id) {
                api.definition.responses.remove(&inputs.response_type);
            }
            Ok(())
        })
    }
}
