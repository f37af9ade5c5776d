//! What AWS refuses in the present state of an account, in AWS's words.
//!
//! | rule | source |
//! | --- | --- |
//! | unknown API, resource, method, validator, model; siblings, greedy parents and cycles; parameter names; models in use; stages in use | captured, localstack's validated API tests |
//! | an API without methods, a method without an integration | AWS, CloudFormation's page on deployments; provider issues |
//! | a mapping to or from what is not declared | AWS, "Parameter mapping"; provider issues |
//! | an integration response needs its integration and method response | AWS, PutIntegrationResponse |
//! | logs need the account's role | AWS, "Set up CloudWatch logging"; provider issues |
//! | characters of names | AWS's own messages, in provider issues |

use super::declarations::{Api, Declarations};
use super::definition::{
    Integration, IntegrationResponse, Method, MethodNode, MethodResponse, Model, Resource,
};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_template::mapping::Source;

/// The methods that exist.
pub(crate) const METHODS: [&str; 8] = [
    "GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY",
];

/// For a stage that asks for logs in an account without a role to write them.
const NO_LOG_ROLE: &str =
    "CloudWatch Logs role ARN must be set in account settings to enable logging";

pub(crate) fn bad_request(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "BadRequestException", message)
}

pub(crate) fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NotFoundException", message)
}

pub(crate) fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "ConflictException", message)
}

impl Declarations {
    pub(crate) fn api(&self, id: &str) -> AwsResult<&Api> {
        self.apis.get(id).ok_or_else(|| unknown_api(id))
    }

    pub(crate) fn api_mut(&mut self, id: &str) -> AwsResult<&mut Api> {
        self.apis.get_mut(id).ok_or_else(|| unknown_api(id))
    }

    /// An API of this region, for a new part of it.
    pub(crate) fn api_in(&self, id: &str, region: &str) -> AwsResult<&Api> {
        let api = self.api(id)?;
        match api.region == region {
            true => Ok(api),
            false => Err(unknown_api(id)),
        }
    }

    /// Refuses logs in a region where the account has no role to write them.
    pub(crate) fn check_logging(&self, region: &str) -> AwsResult<()> {
        match self.accounts.get(region) {
            Some(Some(_)) => Ok(()),
            _ => Err(bad_request(NO_LOG_ROLE)),
        }
    }
}

fn unknown_api(id: &str) -> AwsError {
    not_found(format!(
        "Invalid API identifier specified {ACCOUNT_ID}:{id}"
    ))
}

fn unknown_resource() -> AwsError {
    not_found("Invalid Resource identifier specified")
}

impl Api {
    /// A resource that is to be created, or changed when it has an id.
    pub(crate) fn check_resource(&self, id: Option<&str>, inputs: &Resource) -> AwsResult<()> {
        let part = inputs.path_part.as_str();
        if !valid_path_part(part) {
            return Err(bad_request(
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable \
                 and curly braces at the beginning and the end and an optional plus sign before \
                 the closing brace.",
            ));
        }
        let resources = &self.definition.resources;
        let parent = resources
            .get(&inputs.parent_id)
            .ok_or_else(unknown_resource)?;
        if parent.path_part.ends_with("+}") {
            return Err(bad_request(format!(
                "Cannot create a child of a resource with a greedy path variable: {}",
                parent.path_part
            )));
        }
        let mut above = Some(&inputs.parent_id);
        while let (Some(id), Some(ancestor)) = (id, above) {
            if id == ancestor {
                return Err(bad_request("Resources cannot be cyclical."));
            }
            above = resources
                .get(ancestor)
                .and_then(|node| node.parent.as_ref());
        }
        for (sibling_id, sibling) in self.definition.children(&inputs.parent_id) {
            if Some(sibling_id.as_str()) == id {
                continue;
            }
            if sibling.path_part == part {
                return Err(conflict(format!(
                    "Another resource with the same parent already has this name: {part}"
                )));
            }
            if sibling.path_part.starts_with('{') && part.starts_with('{') {
                return Err(bad_request(format!(
                    "A sibling ({}) of this resource already has a variable path part -- only \
                     one is allowed",
                    sibling.path_part
                )));
            }
        }
        Ok(())
    }

    /// A model that is to be created.
    pub(crate) fn check_model(&self, name: &str, inputs: &Model) -> AwsResult<()> {
        if name.is_empty() {
            return Err(bad_request("Model name must be non-empty"));
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(bad_request(format!(
                "Model name must be alphanumeric: {name}"
            )));
        }
        if self.has_model(name) {
            return Err(conflict("Model name already exists for this REST API"));
        }
        super::steps::validate::schema(inputs).map_err(bad_request)?;
        Ok(())
    }

    /// Whether a model may be deleted: no method may refer to it.
    pub(crate) fn check_model_unused(&self, name: &str) -> AwsResult<()> {
        let uses = |method: &&MethodNode| {
            let models = &method.request.request_models;
            models.values().any(|model| model == name)
        };
        match self.definition.methods().find(|(_, method)| uses(method)) {
            Some((resource, method)) => {
                let path = self.definition.path(resource).unwrap_or_default();
                Err(conflict(format!(
                    "Cannot delete model '{name}', is referenced in method request: {path}/{}",
                    method.request.http_method
                )))
            }
            None => Ok(()),
        }
    }

    fn has_model(&self, name: &str) -> bool {
        matches!(name, "Empty" | "Error") || self.definition.models.contains_key(name)
    }

    /// A method that is to be created or changed.
    pub(crate) fn check_method(&self, inputs: &Method) -> AwsResult<()> {
        if !self.definition.resources.contains_key(&inputs.resource_id) {
            return Err(unknown_resource());
        }
        if let Some(id) = &inputs.request_validator_id
            && !self.definition.validators.contains_key(id)
        {
            return Err(bad_request(
                "Invalid Request Validator identifier specified",
            ));
        }
        self.check_models(inputs.request_models.values())
    }

    fn check_models<'a>(&self, mut names: impl Iterator<Item = &'a String>) -> AwsResult<()> {
        match names.find(|name| !self.has_model(name)) {
            Some(name) => Err(bad_request(format!(
                "Invalid model identifier specified: {name}"
            ))),
            None => Ok(()),
        }
    }

    /// The method of a resource.
    pub(crate) fn method(&self, resource: &str, http_method: &str) -> AwsResult<&MethodNode> {
        if !self.definition.resources.contains_key(resource) {
            return Err(unknown_resource());
        }
        self.definition
            .method(resource, http_method)
            .ok_or_else(|| not_found("Invalid Method identifier specified"))
    }

    /// The method of a resource, to change it.
    pub(crate) fn method_mut(
        &mut self,
        resource: &str,
        http_method: &str,
    ) -> AwsResult<&mut MethodNode> {
        self.method(resource, http_method)?;
        self.definition
            .method_mut(resource, http_method)
            .ok_or_else(|| not_found("Invalid Method identifier specified"))
    }

    /// A method response that is to be created or changed.
    pub(crate) fn check_method_response(&self, inputs: &MethodResponse) -> AwsResult<()> {
        self.method(&inputs.resource_id, &inputs.http_method)?;
        self.check_models(inputs.response_models.values())
    }

    /// An integration that is to be created or changed: it may map what its method declares.
    pub(crate) fn check_integration(&self, inputs: &Integration) -> AwsResult<()> {
        let method = self.method(&inputs.resource_id, &inputs.http_method)?;
        for expression in inputs.request_parameters.values() {
            let parameter = matches!(
                Source::of_request(expression),
                Ok(Source::RequestHeader(_) | Source::RequestQuery(_) | Source::RequestPath(_))
            );
            if parameter && !method.request.request_parameters.contains_key(expression) {
                return Err(undeclared(expression));
            }
        }
        Ok(())
    }

    /// An integration response that is to be created or changed: it may set what its method
    /// response declares.
    pub(crate) fn check_integration_response(&self, inputs: &IntegrationResponse) -> AwsResult<()> {
        let method = self.method(&inputs.resource_id, &inputs.http_method)?;
        if method.integration.is_none() {
            return Err(not_found("No integration defined for method"));
        }
        let Some(response) = method.responses.get(&inputs.status_code) else {
            return Err(not_found("Invalid Response status code specified"));
        };
        let mut targets = inputs.response_parameters.keys();
        match targets.find(|target| !response.response_parameters.contains_key(*target)) {
            Some(target) => Err(undeclared(target)),
            None => Ok(()),
        }
    }

    /// Whether the API can be deployed as it is.
    pub(crate) fn check_deployable(&self) -> AwsResult<()> {
        let mut methods = self.definition.methods().peekable();
        if methods.peek().is_none() {
            return Err(bad_request("The REST API doesn't contain any methods"));
        }
        match methods.find(|(_, method)| method.integration.is_none()) {
            Some((resource, method)) => Err(bad_request(format!(
                "No integration defined for method ({} {})",
                method.request.http_method,
                self.definition.path(resource).unwrap_or_default()
            ))),
            None => Ok(()),
        }
    }

    pub(crate) fn check_deployment(&self, deployment: &str) -> AwsResult<()> {
        if self.deployments.contains_key(deployment) {
            Ok(())
        } else {
            Err(not_found("Invalid Deployment identifier specified"))
        }
    }

    /// Whether a deployment may be deleted: no stage may point to it.
    pub(crate) fn check_deployment_unused(&self, deployment: &str) -> AwsResult<()> {
        let mut stages = self.stages.values();
        if stages.any(|stage| stage.inputs.deployment == deployment) {
            return Err(bad_request(
                "Active stages pointing to this deployment must be moved or deleted",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_stage(&self, stage: &str) -> AwsResult<()> {
        if self.stages.contains_key(stage) {
            Ok(())
        } else {
            Err(not_found("Invalid stage identifier specified"))
        }
    }
}

fn undeclared(parameter: &str) -> AwsError {
    bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : \
         [Invalid mapping expression parameter specified: {parameter}]"
    ))
}

/// `part`, `{name}` or `{name+}`.
fn valid_path_part(part: &str) -> bool {
    let name = match part.strip_prefix('{') {
        Some(rest) => match rest.strip_suffix('}') {
            Some(name) => name.strip_suffix('+').unwrap_or(name),
            None => return false,
        },
        None => part,
    };
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c))
}
