//! What a deployment has captured, ready to run: everything is read, compiled and checked when
//! the deployment is created.

use super::definition::{Definition, MethodNode};
use super::problem::{Problem, Problems};
use super::steps::gateway_response::GatewayResponses;
use super::steps::integration::Integration;
use super::steps::integration_request::IntegrationRequest;
use super::steps::integration_response::IntegrationResponses;
use super::steps::route::Routes;
use super::steps::validate::Validation;
use std::sync::Arc;

/// A captured API.
#[derive(Debug)]
pub(crate) struct Program {
    /// The deployment's id.
    pub deployment: String,
    pub routes: Routes,
    pub responses: GatewayResponses,
}

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub resource_id: Arc<str>,
    pub resource_path: Arc<str>,
    /// Its path in the form of method settings, such as `clicks/PUT`.
    pub settings_path: String,
    pub validation: Validation,
    pub request: IntegrationRequest,
    pub integration: Integration,
    pub responses: IntegrationResponses,
}

impl Program {
    /// Compiles an API as it is now. It finds every problem, not only the first. `actions` are the
    /// actions of Firehose that exist.
    pub(crate) fn compile(
        deployment: &str,
        definition: &Definition,
        actions: &[&str],
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut routes = Routes::new(definition);
        for (resource, method) in definition.methods() {
            let path = definition.path(resource).unwrap_or_default();
            let name = format!("{} {path}", method.request.http_method);
            match endpoint(definition, resource, &path, method, actions) {
                Ok(endpoint) => routes.add(resource, &method.request.http_method, endpoint),
                Err(found) => {
                    for problem in found {
                        problems.add(format!("{name}, {}", problem.property), problem.reason);
                    }
                }
            }
        }
        let responses = GatewayResponses::compile(&definition.responses);
        let responses = match responses {
            Ok(responses) => responses,
            Err(found) => {
                for problem in found {
                    problems.add(problem.property, problem.reason);
                }
                GatewayResponses::default()
            }
        };
        problems.none(Self {
            deployment: deployment.to_owned(),
            routes,
            responses,
        })
    }
}

fn endpoint(
    definition: &Definition,
    resource: &str,
    path: &str,
    method: &MethodNode,
    actions: &[&str],
) -> Result<Endpoint, Vec<Problem>> {
    let Some(node) = &method.integration else {
        // In AWS's words. It was checked before, but a method may have lost its integration since.
        return Err(vec![Problem::new(
            "integration",
            "No integration defined for method",
        )]);
    };
    Ok(Endpoint {
        resource_id: resource.into(),
        resource_path: path.into(),
        settings_path: settings_path(&format!("{path}/{}", method.request.http_method)),
        validation: Validation::compile(definition, &method.request)?,
        request: IntegrationRequest::compile(&node.request)?,
        integration: Integration::compile(&node.request, actions)?,
        responses: IntegrationResponses::compile(&node.responses)?,
    })
}

/// A method's path as settings name it: without the slash at its start, and with the slashes
/// that AWS writes as `~1`.
pub(crate) fn settings_path(path: &str) -> String {
    path.replace("~1", "/").trim_start_matches('/').to_owned()
}
