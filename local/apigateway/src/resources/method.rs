//! `aws:apigateway/method:Method` and `aws:apigateway/methodResponse:MethodResponse`

use super::part::Part;
use super::{check_http_method, refusals};
use crate::declarations::{Api, Declarations};
use crate::definition::{Method as MethodInputs, MethodNode, MethodResponse as ResponseInputs};
use crate::problem::Problems;
use crate::rules::{conflict, not_found};
use crate::steps::gateway_response::status_code;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{New, Refusal, Resource};
use std::collections::BTreeSet;

/// A method of a resource.
pub(super) struct Method;

impl Part for Method {
    type Inputs = MethodInputs;

    const TOKEN: &'static str = "aws:apigateway/method:Method";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    const HOLDS: &'static [&'static str] = &[
        MethodResponse::TOKEN,
        super::integration::Integration::TOKEN,
        super::integration::IntegrationResponse::TOKEN,
    ];
    const IMPORT_ID: &'static [&'static str] = &["restApi", "resourceId", "httpMethod"];

    fn api(inputs: &MethodInputs) -> &str {
        &inputs.rest_api
    }

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

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        old: Option<&Resource<MethodInputs>>,
        inputs: &MethodInputs,
    ) -> AwsResult<()> {
        api.check_method(inputs)?;
        if old.is_none() && self.is_in(api, "", inputs) {
            return Err(conflict("Method already exists for this resource"));
        }
        Ok(())
    }

    fn id(&self, _new: &New, inputs: &MethodInputs) -> String {
        format!(
            "agm-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method
        )
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: MethodInputs) -> AwsResult<()> {
        api.check_method(&inputs)?;
        let Some(node) = api.definition.resources.get_mut(&inputs.resource_id) else {
            return Err(not_found("Invalid Resource identifier specified"));
        };
        let methods = &mut node.methods;
        let method: &mut MethodNode = methods.entry(inputs.http_method.clone()).or_default();
        method.request = inputs;
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &MethodInputs) -> bool {
        let definition = &api.definition;
        let method = definition.method(&inputs.resource_id, &inputs.http_method);
        method.is_some()
    }

    /// With its responses and its integration, as on AWS.
    fn remove(&self, api: &mut Api, _id: &str, inputs: &MethodInputs) -> AwsResult<()> {
        if let Some(node) = api.definition.resources.get_mut(&inputs.resource_id) {
            node.methods.remove(&inputs.http_method);
        }
        Ok(())
    }
}

/// The name in `method.request.PLACE.NAME`.
fn request_parameter(parameter: &str) -> Option<&str> {
    let (place, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
    (matches!(place, "path" | "querystring" | "header") && !name.is_empty()).then_some(name)
}

/// A response that a method may give.
pub(super) struct MethodResponse;

impl Part for MethodResponse {
    type Inputs = ResponseInputs;

    const TOKEN: &'static str = "aws:apigateway/methodResponse:MethodResponse";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    const IMPORT_ID: &'static [&'static str] =
        &["restApi", "resourceId", "httpMethod", "statusCode"];

    fn api(inputs: &ResponseInputs) -> &str {
        &inputs.rest_api
    }

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

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        old: Option<&Resource<ResponseInputs>>,
        inputs: &ResponseInputs,
    ) -> AwsResult<()> {
        if old.is_some_and(|old| old.inputs.status_code != inputs.status_code) {
            // The aws provider patches the response of the new status, which does not exist.
            return Err(not_found("Invalid Response status code specified"));
        }
        api.check_method_response(inputs)?;
        if old.is_none() && self.is_in(api, "", inputs) {
            return Err(conflict("Response already exists for this resource"));
        }
        Ok(())
    }

    fn id(&self, _new: &New, inputs: &ResponseInputs) -> String {
        format!(
            "agmr-{}-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method, inputs.status_code
        )
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: ResponseInputs) -> AwsResult<()> {
        let method = api.method_mut(&inputs.resource_id, &inputs.http_method)?;
        method.responses.insert(inputs.status_code.clone(), inputs);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &ResponseInputs) -> bool {
        let definition = &api.definition;
        let method = definition.method(&inputs.resource_id, &inputs.http_method);
        method.is_some_and(|method| method.responses.contains_key(&inputs.status_code))
    }

    fn remove(&self, api: &mut Api, _id: &str, inputs: &ResponseInputs) -> AwsResult<()> {
        let definition = &mut api.definition;
        if let Some(method) = definition.method_mut(&inputs.resource_id, &inputs.http_method) {
            method.responses.remove(&inputs.status_code);
        }
        Ok(())
    }
}
