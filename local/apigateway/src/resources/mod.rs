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

use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{AnyResourceType, New, Refusal};
use crate::problem::Problem;
use crate::rules::{METHODS, bad_request};
use std::sync::Arc;

/// Every type.
pub fn all() -> Vec<Box<dyn AnyResourceType>> {
    vec![
        Box::new(account::Account),
        Box::new(deployment::Deployment),
        Box::new(integration::Integration),
        Box::new(integration::IntegrationResponse),
        Box::new(method::Method),
        Box::new(method::MethodResponse),
        Box::new(model::Model),
        Box::new(model::RequestValidator),
        Box::new(resource::Resource),
        Box::new(response::Response),
        Box::new(rest_api::RestApi),
        Box::new(stage::MethodSettings),
        Box::new(stage::Stage),
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
fn check_region(cloud: &Arc<Cloud>, api: &str, new: &New) -> AwsResult<()> {
    cloud
        .apigateway
        .look(|state| state.check_region(api, &new.region))
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
