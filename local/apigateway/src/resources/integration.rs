//! `aws:apigateway/integration:Integration` and
//! `aws:apigateway/integrationResponse:IntegrationResponse`

use super::{check_http_method, check_region, refusals};
use crate::ApiGateway;
use crate::definition::{
    Integration as IntegrationInputs, IntegrationNode, IntegrationResponse as ResponseInputs,
};
use crate::rules::{conflict, not_found};
use crate::steps::integration::Integration as Call;
use crate::steps::integration_request::IntegrationRequest;
use crate::steps::integration_response::IntegrationResponse as Answer;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{
    Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde_json::json;
use std::sync::Arc;

/// What a method's requests are sent to.
pub(super) struct Integration {
    /// The actions of Firehose that there are.
    pub actions: &'static [&'static str],
}

#[async_trait]
impl ResourceType for Integration {
    type Inputs = IntegrationInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/integration:Integration";
    const REPLACES_ON: &'static [&'static str] = &[
        "credentials",
        "httpMethod",
        "integrationHttpMethod",
        "passthroughBehavior",
        "resourceId",
        "restApi",
        "type",
    ];
    /// PutIntegration.
    const OVERWRITES: bool = true;
    const HOLDS: &'static [&'static str] = &[IntegrationResponse::TOKEN];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "resourceId", "httpMethod"],
        separator: "/",
    });
    /// It is replaced for properties that are not in its id.
    const DELETE_BEFORE_REPLACE: bool = true;

    fn validate(&self, inputs: &IntegrationInputs) -> Vec<Refusal> {
        let mut found = refusals(Call::compile(inputs, self.actions));
        found.extend(refusals(IntegrationRequest::compile(inputs)));
        found.extend(check_http_method(&inputs.http_method));
        found
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &IntegrationInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        apigateway.look(|state| state.api(&inputs.rest_api)?.check_integration(inputs))?;
        let id = format!(
            "agi-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method
        );
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<IntegrationInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            let method = api.method_mut(&inputs.resource_id, &inputs.http_method)?;
            let node: &mut IntegrationNode = method.integration.get_or_insert_default();
            node.request = inputs;
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<IntegrationInputs>,
        inputs: &IntegrationInputs,
    ) -> AwsResult<Properties> {
        apigateway.look(|state| state.api(&inputs.rest_api)?.check_integration(inputs))?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<IntegrationInputs>>,
    ) -> AwsResult<Option<Resource<IntegrationInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                let method = api
                    .definition
                    .method(&inputs.resource_id, &inputs.http_method);
                method.is_some_and(|method| method.integration.is_some())
            })
        }))
    }

    /// With its responses, as on AWS.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<IntegrationInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            let api = state.apis.get_mut(&inputs.rest_api);
            let method = api.and_then(|api| {
                api.definition
                    .method_mut(&inputs.resource_id, &inputs.http_method)
            });
            if let Some(method) = method {
                method.integration = None;
            }
            Ok(())
        })
    }
}

/// What becomes of an integration's answer.
pub(super) struct IntegrationResponse;

#[async_trait]
impl ResourceType for IntegrationResponse {
    type Inputs = ResponseInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/integrationResponse:IntegrationResponse";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    /// PutIntegrationResponse.
    const OVERWRITES: bool = true;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "resourceId", "httpMethod", "statusCode"],
        separator: "/",
    });

    fn validate(&self, inputs: &ResponseInputs) -> Vec<Refusal> {
        let mut found = refusals(Answer::compile(inputs));
        found.extend(check_http_method(&inputs.http_method));
        found
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &ResponseInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        apigateway.look(|state| {
            let api = state.api(&inputs.rest_api)?;
            api.check_integration_response(inputs)
        })?;
        let id = format!(
            "agir-{}-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method, inputs.status_code
        );
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ResponseInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            let method = api.method_mut(&inputs.resource_id, &inputs.http_method)?;
            let Some(integration) = &mut method.integration else {
                return Err(not_found("No integration defined for method"));
            };
            integration
                .responses
                .insert(inputs.status_code.clone(), inputs);
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<ResponseInputs>,
        inputs: &ResponseInputs,
    ) -> AwsResult<Properties> {
        if old.inputs.status_code != inputs.status_code {
            return Err(conflict(
                "the aws provider would leave the response of the old status code in place beside \
                 the new one: give the response with another statusCode another name",
            ));
        }
        apigateway.look(|state| {
            let api = state.api(&inputs.rest_api)?;
            api.check_integration_response(inputs)
        })?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<ResponseInputs>>,
    ) -> AwsResult<Option<Resource<ResponseInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                let method = api
                    .definition
                    .method(&inputs.resource_id, &inputs.http_method);
                let integration = method.and_then(|method| method.integration.as_ref());
                integration.is_some_and(|integration| {
                    integration.responses.contains_key(&inputs.status_code)
                })
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ResponseInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            let api = state.apis.get_mut(&inputs.rest_api);
            let method = api.and_then(|api| {
                api.definition
                    .method_mut(&inputs.resource_id, &inputs.http_method)
            });
            if let Some(integration) = method.and_then(|method| method.integration.as_mut()) {
                integration.responses.remove(&inputs.status_code);
            }
            Ok(())
        })
    }
}
