//! The resource types of API Gateway's REST APIs. Their ids are the aws provider's.

mod account;
mod deployment;
mod integration;
mod method;
mod model;
mod part;
mod resource;
mod response;
mod rest_api;
mod stage;

use crate::ApiGateway;
use crate::problem::Problem;
use crate::rules::{METHODS, bad_request};
use cloud_core::error::AwsError;
use cloud_resource::resource::{AnyResourceType, Refusal, bind};
use part::OfApi;
use std::sync::Arc;

/// All types.
pub(crate) fn all(gateway: &Arc<ApiGateway>) -> Vec<Box<dyn AnyResourceType>> {
    let actions = gateway.actions.names();
    vec![
        bind(account::Account, gateway),
        bind(deployment::Deployment, gateway),
        bind(OfApi(integration::Integration { actions }), gateway),
        bind(OfApi(integration::IntegrationResponse), gateway),
        bind(OfApi(method::Method), gateway),
        bind(OfApi(method::MethodResponse), gateway),
        bind(OfApi(model::Model), gateway),
        bind(OfApi(model::RequestValidator), gateway),
        bind(OfApi(resource::Resource), gateway),
        bind(OfApi(response::Response), gateway),
        bind(rest_api::RestApi, gateway),
        bind(OfApi(stage::MethodSettings), gateway),
        bind(OfApi(stage::Stage), gateway),
    ]
}

/// What is wrong with inputs, from what was found when they were compiled.
fn refusals<T>(compiled: Result<T, Vec<Problem>>) -> Vec<Refusal> {
    let problems = compiled.err().unwrap_or_default();
    problems
        .into_iter()
        .map(|problem| Refusal::new(problem.property, problem.reason))
        .collect()
}

/// The same, as the refusal of an operation.
fn refused(problems: &[Problem]) -> AwsError {
    let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
    bad_request(problems.join("; "))
}

fn check_http_method(http_method: &str) -> Option<Refusal> {
    let known = METHODS.contains(&http_method);
    (!known).then(|| {
        Refusal::new(
            "httpMethod",
            format!(
                "Invalid HttpMethod specified. Valid options are {}",
                METHODS.join(",")
            ),
        )
    })
}
