//! `aws:apigateway/restApi:RestApi`

use super::part::Part;
use crate::ApiGateway;
use crate::declarations::Api;
use crate::definition::RestApi as Inputs;
use crate::problem::Problems;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::identity::{PARTITION, arn};
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType, Scope};
use serde_json::json;
use std::sync::Arc;
use time::format_description::well_known::Rfc3339;

/// The length of an API's id, and of its root resource's.
const ID_LENGTH: usize = 10;

/// A REST API.
pub(super) struct RestApi;

#[async_trait]
impl ResourceType for RestApi {
    type Inputs = Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/restApi:RestApi";
    const HOLDS: &'static [&'static str] = &[
        super::deployment::Deployment::TOKEN,
        super::integration::Integration::TOKEN,
        super::integration::IntegrationResponse::TOKEN,
        super::method::Method::TOKEN,
        super::method::MethodResponse::TOKEN,
        super::model::Model::TOKEN,
        super::model::RequestValidator::TOKEN,
        super::resource::Resource::TOKEN,
        super::response::Response::TOKEN,
        super::stage::MethodSettings::TOKEN,
        super::stage::Stage::TOKEN,
    ];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: 1024,
    });

    fn validate(&self, inputs: &Inputs) -> Vec<Refusal> {
        let mut problems = Problems::default();
        let given = |value: &Option<String>| value.as_ref().is_some_and(|text| !text.is_empty());
        let types = inputs.binary_media_types.as_ref();
        problems.unsupported(
            types.is_some_and(|types| !types.is_empty()),
            "binaryMediaTypes",
            "binary payloads",
        );
        problems.unsupported(
            given(&inputs.body),
            "body",
            "the import of an OpenAPI document",
        );
        problems.unsupported(
            !inputs.parameters.is_empty(),
            "parameters",
            "the import of an OpenAPI document",
        );
        problems.unsupported(given(&inputs.policy), "policy", "resource policies of APIs");
        problems.unsupported(
            inputs.disable_execute_api_endpoint == Some(true),
            "disableExecuteApiEndpoint",
            "custom domain names, which alone would be left",
        );
        problems.unsupported(
            inputs
                .api_key_source
                .as_deref()
                .is_some_and(|source| source != "HEADER"),
            "apiKeySource",
            "API keys from authorizers",
        );
        problems.unsupported(
            inputs
                .minimum_compression_size
                .as_deref()
                .is_some_and(|size| !size.is_empty() && size != "-1"),
            "minimumCompressionSize",
            "the compression of answers",
        );
        if let Some(endpoint) = &inputs.endpoint_configuration {
            match endpoint.types.as_str() {
                "EDGE" | "REGIONAL" => {}
                "PRIVATE" => problems.unsupported(
                    true,
                    "endpointConfiguration.types",
                    "PRIVATE endpoints; there are EDGE and REGIONAL",
                ),
                other => problems.add(
                    "endpointConfiguration.types",
                    format!("{other} is none of EDGE, REGIONAL and PRIVATE"),
                ),
            }
            let endpoints = endpoint.vpc_endpoint_ids.as_ref();
            problems.unsupported(
                endpoints.is_some_and(|ids| !ids.is_empty()),
                "endpointConfiguration.vpcEndpointIds",
                "VPC endpoints",
            );
        }
        super::refusals(problems.none(()))
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        _inputs: &Inputs,
    ) -> AwsResult<Deployed> {
        let id = new.suffix(ID_LENGTH);
        let root = New {
            urn: format!("{}/", new.urn),
            ..new.clone()
        };
        let outputs = json!({
            "apiKeySource": "HEADER",
            "arn": format!("arn:{PARTITION}:apigateway:{}::/restapis/{id}", new.region),
            "createdDate": apigateway.context.clock.now().format(&Rfc3339).unwrap_or_default(),
            "executionArn": arn("execute-api", &new.region, &id),
            "rootResourceId": root.suffix(ID_LENGTH),
        });
        Ok(Deployed::new(id, outputs))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|declared| {
            match declared.apis.get_mut(&resource.id) {
                Some(api) => api.inputs = inputs,
                None => {
                    let api = Api::new(&resource.region, resource.output("rootResourceId"), inputs);
                    declared.apis.insert(resource.id.clone(), api);
                }
            }
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
        Ok(known.filter(|known| apigateway.has(&known.id, |_| true)))
    }

    /// With all that belongs to it, as on AWS.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        apigateway.change(|declared| {
            declared.apis.remove(&resource.id);
            Ok(())
        })?;
        super::deployment::forget_captured(apigateway, &resource.id).await
    }
}
