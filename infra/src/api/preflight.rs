//! OPTIONS /clicks: what a browser asks before it sends a PUT to another origin.

use std::collections::HashMap;

use aws::apigateway::{integration, method as api_method};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::Output;

use super::method::Method;
use super::{Api, answers};

impl Api<'_> {
    pub fn options(&self, resource: &Output<String>) -> Method<'_> {
        let method = api_method::create_with_options(
            &self.parts,
            "mysfits-api-options",
            api_method::MethodArgs::builder()
                .rest_api(self.id.clone())
                .resource_id(resource.clone())
                .http_method("OPTIONS")
                .authorization("NONE")
                .build_struct(),
            self.options.clone(),
        );
        let templates = HashMap::from([(
            "application/json".to_owned(),
            answers::MOCK_TEMPLATE.to_owned(),
        )]);
        let integration = integration::create_with_options(
            &self.parts,
            "mysfits-api-options",
            integration::IntegrationArgs::builder()
                .rest_api(self.id.clone())
                .resource_id(resource.clone())
                .http_method(method.http_method.clone())
                .type_("MOCK")
                .passthrough_behavior("NEVER")
                .request_templates(templates)
                .build_struct(),
            self.options.clone(),
        );
        Method::new(
            self,
            "options",
            resource,
            method.http_method,
            integration.http_method,
        )
    }
}
