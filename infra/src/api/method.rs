//! The answers of a method.

use std::collections::HashMap;

use aws::apigateway::{integration_response, method_response};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::Output;

use super::Api;
use super::answers::Answer;
use super::cors::{Cors, Headers};

/// A method that has its integration.
pub struct Method<'a> {
    api: &'a Api<'a>,
    name: &'static str,
    resource: Output<String>,
    /// The verb as the method knows it, and as its integration does: what takes it comes after
    /// the one or the other.
    of_method: Output<String>,
    of_integration: Output<String>,
}

impl<'a> Method<'a> {
    pub fn new(
        api: &'a Api<'a>,
        name: &'static str,
        resource: &Output<String>,
        of_method: Output<String>,
        of_integration: Output<String>,
    ) -> Self {
        Self {
            api,
            name,
            resource: resource.clone(),
            of_method,
            of_integration,
        }
    }

    /// Adds an answer. Its headers are declared in the method response, without which API Gateway
    /// refuses them in the integration response.
    pub fn answer(&self, answer: Answer, cors: &Output<Cors>) {
        let parts = &self.api.parts;
        let name = format!("mysfits-api-{}-{}", self.name, answer.status);

        let declared = cors.map(move |cors| declared(&headers(&answer, &cors)));
        let response = method_response::create_with_options(
            parts,
            &name,
            method_response::MethodResponseArgs::builder()
                .rest_api(self.api.id.clone())
                .resource_id(self.resource.clone())
                .http_method(self.of_method.clone())
                .status_code(answer.status)
                .response_parameters(declared)
                .build_struct(),
            self.api.options.clone(),
        );

        let parameters = cors.map(move |cors| parameters(&headers(&answer, &cors)));
        let templates = cors.map(move |cors| {
            let template = format!("{}{}", cors.script(), answer.body);
            HashMap::from([("application/json".to_owned(), template)])
        });
        integration_response::create_with_options(
            parts,
            &name,
            integration_response::IntegrationResponseArgs::builder()
                .rest_api(self.api.id.clone())
                .resource_id(self.resource.clone())
                .http_method(self.of_integration.clone())
                .status_code(response.status_code)
                .selection_pattern(answer.selection_pattern.map(str::to_owned))
                .response_parameters(parameters)
                .response_templates(templates)
                .build_struct(),
            self.api.options.clone(),
        );
    }
}

fn headers(answer: &Answer, cors: &Cors) -> Headers {
    let own = answer.headers.iter();
    let own = own.map(|(name, value)| (*name, (*value).to_owned()));
    cors.headers().into_iter().chain(own).collect()
}

fn declared(headers: &Headers) -> HashMap<String, bool> {
    let names = headers.iter().map(|(name, _)| parameter(name));
    names.map(|name| (name, true)).collect()
}

fn parameters(headers: &Headers) -> HashMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (parameter(name), format!("'{value}'")))
        .collect()
}

fn parameter(header: &str) -> String {
    format!("method.response.header.{header}")
}
