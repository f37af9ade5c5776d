//! `aws:apigateway/response:Response`

use super::part::Part;
use super::refusals;
use crate::declarations::Api;
use crate::definition::Response as Inputs;
use crate::steps::gateway_response::GatewayResponse;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{New, Refusal};

/// What the gateway answers by itself.
pub(super) struct Response;

impl Part for Response {
    type Inputs = Inputs;

    const TOKEN: &'static str = "aws:apigateway/response:Response";
    const REPLACES_ON: &'static [&'static str] = &["responseType", "restApiId"];
    /// PutGatewayResponse.
    const OVERWRITES: bool = true;
    const IMPORT_ID: &'static [&'static str] = &["restApiId", "responseType"];

    fn api(inputs: &Inputs) -> &str {
        &inputs.rest_api_id
    }

    fn validate(&self, inputs: &Inputs) -> Vec<Refusal> {
        refusals(GatewayResponse::compile(inputs))
    }

    fn id(&self, _new: &New, inputs: &Inputs) -> String {
        format!("aggr-{}-{}", inputs.rest_api_id, inputs.response_type)
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: Inputs) -> AwsResult<()> {
        let responses = &mut api.definition.responses;
        responses.insert(inputs.response_type.clone(), inputs);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &Inputs) -> bool {
        api.definition.responses.contains_key(&inputs.response_type)
    }

    fn remove(&self, api: &mut Api, _id: &str, inputs: &Inputs) -> AwsResult<()> {
        api.definition.responses.remove(&inputs.response_type);
        Ok(())
    }
}
