//! PUT /clicks: clicks go to Firehose, everything else is refused.

use std::collections::HashMap;

use aws::apigateway::{integration, method as api_method, model, request_validator};
use aws::iam::{role, role_policy};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output};
use serde_json::{Value, json};

use super::method::Method;
use super::{Api, answers};
use crate::delivery::Delivery;
use crate::policy;

impl Api<'_> {
    pub fn put(
        &self,
        resource: &Output<String>,
        delivery: &Delivery,
        component: &Component,
    ) -> Method<'_> {
        let click = model::create_with_options(
            &self.parts,
            "mysfits-api-click",
            model::ModelArgs::builder()
                .rest_api(self.id.clone())
                .name("Click")
                .description("A click on the profile of a mysfit")
                .content_type("application/json")
                .schema(click_schema().to_string())
                .build_struct(),
            self.options.clone(),
        );
        let validator = request_validator::create_with_options(
            &self.parts,
            "mysfits-api-body",
            request_validator::RequestValidatorArgs::builder()
                .rest_api(self.id.clone())
                .name("body")
                .validate_request_body(true)
                .validate_request_parameters(false)
                .build_struct(),
            self.options.clone(),
        );

        let models = click
            .name
            .map(|name| HashMap::from([("application/json".to_owned(), name)]));
        let method = api_method::create_with_options(
            &self.parts,
            "mysfits-api-put",
            api_method::MethodArgs::builder()
                .rest_api(self.id.clone())
                .resource_id(resource.clone())
                .http_method("PUT")
                .authorization("NONE")
                .request_models(models)
                .request_validator_id(validator.id)
                .build_struct(),
            self.options.clone(),
        );

        let role = self.role(component, delivery);
        let uri = delivery.stream_arn.map(|arn| put_record_uri(&arn));
        let templates = delivery.stream_name.map(|name| {
            let template = answers::put_record_template(&name);
            HashMap::from([("application/json".to_owned(), template)])
        });
        let headers = HashMap::from([(
            "integration.request.header.Content-Type".to_owned(),
            "'application/x-amz-json-1.1'".to_owned(),
        )]);
        let integration = integration::create_with_options(
            &self.parts,
            "mysfits-api-put",
            integration::IntegrationArgs::builder()
                .rest_api(self.id.clone())
                .resource_id(resource.clone())
                .http_method(method.http_method.clone())
                .type_("AWS")
                .integration_http_method("POST")
                .uri(uri)
                .credentials(role)
                .passthrough_behavior("NEVER")
                .request_parameters(headers)
                .request_templates(templates)
                .build_struct(),
            self.options.clone(),
        );
        Method::new(
            self,
            "put",
            resource,
            method.http_method,
            integration.http_method,
        )
    }

    /// The role with which API Gateway calls Firehose. Its trust has no condition: API Gateway
    /// names neither account nor API when it assumes a role.
    fn role(&self, component: &Component, delivery: &Delivery) -> Output<String> {
        let options = Options::new().parent(component);
        let role = role::create_with_options(
            self.scope.program,
            "mysfits-api",
            role::RoleArgs::builder()
                .description("What the clicks API may do: put records into the delivery stream")
                .assume_role_policy(policy::trust("apigateway.amazonaws.com"))
                .build_struct(),
            options.clone(),
        );
        let permissions = delivery.stream_arn.map(|stream| {
            policy::document(&[policy::allow("Put", &["firehose:PutRecord"], &[stream])])
        });
        role_policy::create_with_options(
            self.scope.program,
            "mysfits-api",
            role_policy::RolePolicyArgs::builder()
                .role(role.name)
                .policy(permissions)
                .build_struct(),
            options,
        );
        role.arn
    }
}

/// What a click is, and nothing else is: a name of 1 to 128 characters, the id of a mysfit, and
/// perhaps what tells the click from every other when it is delivered twice.
fn click_schema() -> Value {
    let uuid = json!({
        "type": "string",
        "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    });
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "Click",
        "type": "object",
        "properties": {
            "userId": { "type": "string", "minLength": 1, "maxLength": 128 },
            "mysfitId": uuid,
            "clickId": uuid,
        },
        "required": ["userId", "mysfitId"],
        "additionalProperties": false,
    })
}

/// The address of Firehose's action for an integration, in the partition and region of `stream`.
fn put_record_uri(stream: &str) -> String {
    let mut parts = stream.split(':');
    let partition = parts.nth(1).unwrap_or("aws");
    let region = parts.nth(1).unwrap_or_default();
    format!("arn:{partition}:apigateway:{region}:firehose:action/PutRecord")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_is_in_the_stream_s_partition_and_region() {
        let stream = "arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/clicks";
        assert_eq!(
            put_record_uri(stream),
            "arn:aws-cn:apigateway:cn-north-1:firehose:action/PutRecord"
        );
    }
}
