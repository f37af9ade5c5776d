//! `aws:apigateway/integration:Integration` and
//! `aws:apigateway/integrationResponse:IntegrationResponse`

use super::part::Part;
use super::{check_http_method, refusals};
use crate::declarations::{Api, Declarations};
use crate::definition::{
    Integration as IntegrationInputs, IntegrationNode, IntegrationResponse as ResponseInputs,
};
use crate::rules::{conflict, not_found};
use crate::steps::integration::Integration as Call;
use crate::steps::integration_request::IntegrationRequest;
use crate::steps::integration_response::IntegrationResponse as Answer;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{New, Refusal, Resource};

/// What a method's requests are sent to.
pub(super) struct Integration {
    /// The actions of Firehose that exist.
    pub actions: &'static [&'static str],
}

impl Part for Integration {
    type Inputs = IntegrationInputs;

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
    const IMPORT_ID: &'static [&'static str] = &["restApi", "resourceId", "httpMethod"];
    /// It is replaced for properties that are not in its id.
    const DELETE_BEFORE_REPLACE: bool = true;

    fn api(inputs: &IntegrationInputs) -> &str {
        &inputs.rest_api
    }

    fn validate(&self, inputs: &IntegrationInputs) -> Vec<Refusal> {
        let mut found = refusals(Call::compile(inputs, self.actions));
        found.extend(refusals(IntegrationRequest::compile(inputs)));
        found.extend(check_http_method(&inputs.http_method));
        found
    }

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        _old: Option<&Resource<IntegrationInputs>>,
        inputs: &IntegrationInputs,
    ) -> AwsResult<()> {
        api.check_integration(inputs)
    }

    fn id(&self, _new: &New, inputs: &IntegrationInputs) -> String {
        format!(
            "agi-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method
        )
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: IntegrationInputs) -> AwsResult<()> {
        let method = api.method_mut(&inputs.resource_id, &inputs.http_method)?;
        let node: &mut IntegrationNode = method.integration.get_or_insert_default();
        node.request = inputs;
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &IntegrationInputs) -> bool {
        let definition = &api.definition;
        let method = definition.method(&inputs.resource_id, &inputs.http_method);
        method.is_some_and(|method| method.integration.is_some())
    }

    /// With its responses, as on AWS.
    fn remove(&self, api: &mut Api, _id: &str, inputs: &IntegrationInputs) -> AwsResult<()> {
        let definition = &mut api.definition;
        if let Some(method) = definition.method_mut(&inputs.resource_id, &inputs.http_method) {
            method.integration = None;
        }
        Ok(())
    }
}

/// How an integration's answer becomes the method's.
pub(super) struct IntegrationResponse;

impl Part for IntegrationResponse {
    type Inputs = ResponseInputs;

    const TOKEN: &'static str = "aws:apigateway/integrationResponse:IntegrationResponse";
    const REPLACES_ON: &'static [&'static str] = &["httpMethod", "resourceId", "restApi"];
    /// PutIntegrationResponse.
    const OVERWRITES: bool = true;
    const IMPORT_ID: &'static [&'static str] =
        &["restApi", "resourceId", "httpMethod", "statusCode"];

    fn api(inputs: &ResponseInputs) -> &str {
        &inputs.rest_api
    }

    fn validate(&self, inputs: &ResponseInputs) -> Vec<Refusal> {
        let mut found = refusals(Answer::compile(inputs));
        found.extend(check_http_method(&inputs.http_method));
        found
    }

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        old: Option<&Resource<ResponseInputs>>,
        inputs: &ResponseInputs,
    ) -> AwsResult<()> {
        if old.is_some_and(|old| old.inputs.status_code != inputs.status_code) {
            return Err(conflict(
                "the aws provider would leave the response of the old status code in place beside \
                 the new one: give the response with another statusCode another name",
            ));
        }
        api.check_integration_response(inputs)
    }

    fn id(&self, _new: &New, inputs: &ResponseInputs) -> String {
        format!(
            "agir-{}-{}-{}-{}",
            inputs.rest_api, inputs.resource_id, inputs.http_method, inputs.status_code
        )
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: ResponseInputs) -> AwsResult<()> {
        let method = api.method_mut(&inputs.resource_id, &inputs.http_method)?;
        let Some(integration) = &mut method.integration else {
            return Err(not_found("No integration defined for method"));
        };
        let responses = &mut integration.responses;
        responses.insert(inputs.status_code.clone(), inputs);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &ResponseInputs) -> bool {
        let definition = &api.definition;
        let method = definition.method(&inputs.resource_id, &inputs.http_method);
        let integration = method.and_then(|method| method.integration.as_ref());
        integration
            .is_some_and(|integration| integration.responses.contains_key(&inputs.status_code))
    }

    fn remove(&self, api: &mut Api, _id: &str, inputs: &ResponseInputs) -> AwsResult<()> {
        let definition = &mut api.definition;
        let method = definition.method_mut(&inputs.resource_id, &inputs.http_method);
        if let Some(integration) = method.and_then(|method| method.integration.as_mut()) {
            integration.responses.remove(&inputs.status_code);
        }
        Ok(())
    }
}
