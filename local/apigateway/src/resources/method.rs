//! `aws:apigateway/method:Method` and `aws:apigateway/methodResponse:MethodResponse`

use super::{check_http_method, check_region, refusals};
use crate::ApiGateway;
use crate::definition::{Method as MethodInputs, MethodNode, MethodResponse as ResponseInputs};
use crate::problem::Problems;
use crate::rules::{conflict, not_found};
use crate::steps::gateway_response::status_code;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{
    Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A method of a resource.
pub(super) struct Method;

#[async_trait]
impl ResourceType for Method {
    type Inputs = MethodInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/method:Method";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    const HOLDS: &'static [&'static str] = &[
        MethodResponse::TOKEN,
        super::integration::Integration::TOKEN,
        super::integration::IntegrationResponse::TOKEN,
    ];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "resourceId", "httpMethod"],
        separator: "/",
    });

    fn validate(&self, inputs: &MethodInputs) -> Vec<Refusal> {
        let mut problems = Problems::default();
        match inputs.authorization.as_str() {
            "NONE" => {}
            other => problems.unsupported(
                true,
                "authorization",
                format!("the authorization {other}; there is NONE"),
            ),
        }
        problems.unsupported(
            inputs.api_key_required == Some(true),
            "apiKeyRequired",
            "API keys",
        );
        let authorizer = inputs.authorizer_id.as_ref();
        problems.unsupported(
            authorizer.is_some_and(|id| !id.is_empty()),
            "authorizerId",
            "authorizers",
        );
        let scopes = inputs.authorization_scopes.as_ref();
        problems.unsupported(
            scopes.is_some_and(|scopes| !scopes.is_empty()),
            "authorizationScopes",
            "authorizers",
        );
        let mut names = BTreeSet::new();
        for parameter in inputs.request_parameters.keys() {
            let property = format!("requestParameters[\"{parameter}\"]");
            match request_parameter(parameter) {
                Some(name) if !names.insert(name) => problems.add(
                    property,
                    "Parameter names must be unique across querystring, header and path",
                ),
                Some(_) => {}
                None => problems.add(
                    property,
                    format!("Invalid mapping expression specified: {parameter}"),
                ),
            }
        }
        let mut refusals = refusals(problems.none(()));
        refusals.extend(check_http_method(&inputs.http_method));
        refusals
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &MethodInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        apigateway.look(|state| {
            let api = state.api(&inputs.rest_api)?;
            api.check_method(inputs)?;
            let definition = &api.definition;
            match definition.method(&inputs.resource_id, &inputs.http_method) {
                Some(_) => Err(conflict("Method already exists for this resource")),
                None => Ok(()),
            }
        })?;
        let id = format!(
            "agm-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method
        );
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<MethodInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            api.check_method(&inputs)?;
            let Some(node) = api.definition.resources.get_mut(&inputs.resource_id) else {
                return Err(not_found("Invalid Resource identifier specified"));
            };
            let method: &mut MethodNode =
                node.methods.entry(inputs.http_method.clone()).or_default();
            method.request = inputs;
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<MethodInputs>,
        inputs: &MethodInputs,
    ) -> AwsResult<Properties> {
        apigateway.look(|state| state.api(&inputs.rest_api)?.check_method(inputs))?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<MethodInputs>>,
    ) -> AwsResult<Option<Resource<MethodInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                let method = api
                    .definition
                    .method(&inputs.resource_id, &inputs.http_method);
                method.is_some()
            })
        }))
    }

    /// With its responses and its integration, as on AWS.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<MethodInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            let api = state.apis.get_mut(&inputs.rest_api);
            let node = api.and_then(|api| api.definition.resources.get_mut(&inputs.resource_id));
            if let Some(node) = node {
                node.methods.remove(&inputs.http_method);
            }
            Ok(())
        })
    }
}

/// The name in `method.request.PLACE.NAME`.
fn request_parameter(parameter: &str) -> Option<&str> {
    let (place, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
    (matches!(place, "path" | "querystring" | "header") && !name.is_empty()).then_some(name)
}

/// A response that a method may give.
pub(super) struct MethodResponse;

#[async_trait]
impl ResourceType for MethodResponse {
    type Inputs = ResponseInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/methodResponse:MethodResponse";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "resourceId", "httpMethod", "statusCode"],
        separator: "/",
    });

    fn validate(&self, inputs: &ResponseInputs) -> Vec<Refusal> {
        let mut problems = Problems::default();
        problems.check("statusCode", status_code(&inputs.status_code));
        for parameter in inputs.response_parameters.keys() {
            if parameter
                .strip_prefix("method.response.header.")
                .is_none_or(str::is_empty)
            {
                problems.add(
                    format!("responseParameters[\"{parameter}\"]"),
                    format!("Invalid mapping expression specified: {parameter}"),
                );
            }
        }
        let mut refusals = refusals(problems.none(()));
        refusals.extend(check_http_method(&inputs.http_method));
        refusals
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
            api.check_method_response(inputs)?;
            let method = api.method(&inputs.resource_id, &inputs.http_method)?;
            if method.responses.contains_key(&inputs.status_code) {
                return Err(conflict("Response already exists for this resource"));
            }
            Ok(())
        })?;
        let id = format!(
            "agmr-{}-{}-{}-{}",
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
            method.responses.insert(inputs.status_code.clone(), inputs);
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
            // The aws provider patches the response of the new status, which does not exist.
            return Err(not_found("Invalid Response status code specified"));
        }
        apigateway.look(|state| state.api(&inputs.rest_api)?.check_method_response(inputs))?;
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
                method.is_some_and(|method| method.responses.contains_key(&inputs.status_code))
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
            if let Some(method) = method {
                method.responses.remove(&inputs.status_code);
            }
            Ok(())
        })
    }
}
