//! The resource types of API Gateway's REST APIs. Their ids are the aws provider's.

mod account;
mod deployment;
mod integration;
mod method;
mod model;
mod resource;
mod response;
mod rest_api;
mod stage;

use crate::ApiGateway;
use crate::problem::Problem;
use crate::rules::{METHODS, bad_request};
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{AnyResourceType, New, Refusal, bind};
use std::sync::Arc;

/// Every type.
pub(crate) fn all(gateway: &Arc<ApiGateway>) -> Vec<Box<dyn AnyResourceType>> {
    let actions = gateway.actions.names();
    vec![
        bind(account::Account, gateway),
        bind(deployment::Deployment, gateway),
        bind(integration::Integration { actions }, gateway),
        bind(integration::IntegrationResponse, gateway),
        bind(method::Method, gateway),
        bind(method::MethodResponse, gateway),
        bind(model::Model, gateway),
        bind(model::RequestValidator, gateway),
        bind(resource::Resource, gateway),
        bind(response::Response, gateway),
        bind(rest_api::RestApi, gateway),
        bind(stage::MethodSettings, gateway),
        bind(stage::Stage, gateway),
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

/// Refuses an API of another region than the resource that is to belong to it.
fn check_region(apigateway: &Arc<ApiGateway>, api: &str, new: &New) -> AwsResult<()> {
    apigateway.look(|state| state.check_region(api, &new.region))
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
