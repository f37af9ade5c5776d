//! What can be declared of a REST API, as the aws package's inputs say it, and the tree that the
//! declarations form until a deployment captures it.

use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;

/// A map of strings, such as templates by content type.
pub(crate) use cloud_template::Strings;

/// Which parameters there are, and whether each is required.
pub(crate) type Flags = BTreeMap<String, bool>;

/// Declares a struct of inputs. Its properties are in camelCase on the wire. Unknown ones are
/// refused, and absent ones are not written.
macro_rules! inputs {
    ($(#[$attribute:meta])* $name:ident {
        $(required { $($(#[$mark:meta])* $required:ident: $required_type:ty,)* })?
        $(optional { $($optional:ident: $optional_type:ty,)* })?
        $(maps { $($map:ident: $map_type:ty,)* })?
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(crate) struct $name {
            $($($(#[$mark])* pub $required: $required_type,)*)?
            $($(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*)?
            $($(
                #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
                pub $map: $map_type,
            )*)?
        }
    };
}

inputs! {
    /// `aws:apigateway/restApi:RestApi`
    RestApi {
        optional {
            api_key_source: String,
            binary_media_types: Vec<String>,
            body: String,
            description: String,
            disable_execute_api_endpoint: bool,
            endpoint_access_mode: String,
            endpoint_configuration: EndpointConfiguration,
            fail_on_warnings: bool,
            minimum_compression_size: String,
            name: String,
            policy: String,
            put_rest_api_mode: String,
            security_policy: String,
        }
        maps { parameters: Strings, tags: Strings, }
    }
}

inputs! {
    /// Where an API can be reached from.
    EndpointConfiguration {
        required { types: String, }
        optional { ip_address_type: String, vpc_endpoint_ids: Vec<String>, }
    }
}

inputs! {
    /// `aws:apigateway/resource:Resource`
    Resource {
        required { parent_id: String, path_part: String, rest_api: String, }
    }
}

inputs! {
    /// `aws:apigateway/model:Model`
    Model {
        required { content_type: String, rest_api: String, }
        optional { description: String, name: String, schema: String, }
    }
}

inputs! {
    /// `aws:apigateway/requestValidator:RequestValidator`
    RequestValidator {
        required { rest_api: String, }
        optional {
            name: String,
            validate_request_body: bool,
            validate_request_parameters: bool,
        }
    }
}

inputs! {
    /// `aws:apigateway/method:Method`
    Method {
        required {
            authorization: String,
            http_method: String,
            resource_id: String,
            rest_api: String,
        }
        optional {
            api_key_required: bool,
            authorization_scopes: Vec<String>,
            authorizer_id: String,
            operation_name: String,
            request_validator_id: String,
        }
        maps { request_models: Strings, request_parameters: Flags, }
    }
}

inputs! {
    /// `aws:apigateway/methodResponse:MethodResponse`
    MethodResponse {
        required {
            http_method: String,
            resource_id: String,
            rest_api: String,
            status_code: String,
        }
        maps { response_models: Strings, response_parameters: Flags, }
    }
}

inputs! {
    /// `aws:apigateway/integration:Integration`
    Integration {
        required {
            http_method: String,
            resource_id: String,
            rest_api: String,
            #[serde(rename = "type")]
            kind: String,
        }
        optional {
            cache_key_parameters: Vec<String>,
            cache_namespace: String,
            connection_id: String,
            connection_type: String,
            content_handling: String,
            credentials: String,
            integration_http_method: String,
            integration_target: String,
            passthrough_behavior: String,
            response_transfer_mode: String,
            timeout_milliseconds: Number,
            tls_config: TlsConfig,
            uri: String,
        }
        maps { request_parameters: Strings, request_templates: Strings, }
    }
}

inputs! {
    /// How far to trust a certificate of an HTTP integration.
    TlsConfig {
        optional { insecure_skip_verification: bool, }
    }
}

inputs! {
    /// `aws:apigateway/integrationResponse:IntegrationResponse`
    IntegrationResponse {
        required {
            http_method: String,
            resource_id: String,
            rest_api: String,
            status_code: String,
        }
        optional { content_handling: String, selection_pattern: String, }
        maps { response_parameters: Strings, response_templates: Strings, }
    }
}

inputs! {
    /// `aws:apigateway/deployment:Deployment`
    Deployment {
        required { rest_api: String, }
        optional { description: String, }
        maps { triggers: Strings, variables: Strings, }
    }
}

inputs! {
    /// `aws:apigateway/stage:Stage`
    Stage {
        required { deployment: String, rest_api: String, stage_name: String, }
        optional {
            access_log_settings: AccessLogSettings,
            cache_cluster_enabled: bool,
            cache_cluster_size: String,
            canary_settings: serde_json::Value,
            client_certificate_id: String,
            description: String,
            documentation_version: String,
            xray_tracing_enabled: bool,
        }
        maps { tags: Strings, variables: Strings, }
    }
}

inputs! {
    /// Where and how a stage logs its requests.
    AccessLogSettings {
        required { destination_arn: String, format: String, }
    }
}

inputs! {
    /// `aws:apigateway/methodSettings:MethodSettings`
    MethodSettings {
        required { method_path: String, rest_api: String, settings: Settings, stage_name: String, }
    }
}

inputs! {
    /// What a stage's methods, or one of them, are set to.
    Settings {
        optional {
            cache_data_encrypted: bool,
            cache_ttl_in_seconds: Number,
            caching_enabled: bool,
            data_trace_enabled: bool,
            logging_level: String,
            metrics_enabled: bool,
            require_authorization_for_cache_control: bool,
            throttling_burst_limit: Number,
            throttling_rate_limit: Number,
            unauthorized_cache_control_header_strategy: String,
        }
    }
}

inputs! {
    /// `aws:apigateway/response:Response`
    Response {
        required { response_type: String, rest_api_id: String, }
        optional { status_code: String, }
        maps { response_parameters: Strings, response_templates: Strings, }
    }
}

inputs! {
    /// `aws:apigateway/account:Account`
    Account {
        optional { cloudwatch_role_arn: String, }
    }
}

/// A REST API as it is declared: what the next deployment will capture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// By id, the root among them.
    pub resources: BTreeMap<String, Node>,
    /// By name.
    pub models: BTreeMap<String, Model>,
    /// By id.
    pub validators: BTreeMap<String, RequestValidator>,
    /// By response type.
    pub responses: BTreeMap<String, Response>,
}

/// A resource with its methods.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Absent at the root.
    pub parent: Option<String>,
    /// Empty at the root.
    pub path_part: String,
    /// By HTTP method, `ANY` among them.
    pub methods: BTreeMap<String, MethodNode>,
}

/// A method with its responses and its integration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MethodNode {
    pub request: Method,
    /// By status code.
    pub responses: BTreeMap<String, MethodResponse>,
    pub integration: Option<IntegrationNode>,
}

/// An integration with its responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IntegrationNode {
    pub request: Integration,
    /// By status code of the method response they lead to.
    pub responses: BTreeMap<String, IntegrationResponse>,
}

impl Definition {
    /// An API with nothing but its root resource.
    pub(crate) fn new(root: &str) -> Self {
        let mut definition = Self::default();
        definition
            .resources
            .insert(root.to_owned(), Node::default());
        definition
    }

    /// The whole path of a resource, `/` for the root. None for an unknown resource.
    pub(crate) fn path(&self, resource: &str) -> Option<String> {
        let mut parts = Vec::new();
        let mut id = resource;
        // A tree has fewer levels than nodes. A cycle would have no end.
        for _ in 0..=self.resources.len() {
            let node = self.resources.get(id)?;
            let Some(parent) = &node.parent else {
                parts.reverse();
                return Some(format!("/{}", parts.join("/")));
            };
            parts.push(node.path_part.as_str());
            id = parent;
        }
        None
    }

    /// Removes a resource, with everything below it.
    pub(crate) fn remove_resource(&mut self, resource: &str) {
        self.resources.remove(resource);
        let children: Vec<String> = self.children(resource).map(|(id, _)| id.clone()).collect();
        for child in children {
            self.remove_resource(&child);
        }
    }

    /// The resources directly below one.
    pub(crate) fn children<'a>(
        &'a self,
        resource: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Node)> {
        self.resources
            .iter()
            .filter(move |(_, node)| node.parent.as_deref() == Some(resource))
    }

    /// Every method, with its resource's id.
    pub(crate) fn methods(&self) -> impl Iterator<Item = (&str, &MethodNode)> {
        self.resources.iter().flat_map(|(id, node)| {
            node.methods
                .values()
                .map(move |method| (id.as_str(), method))
        })
    }

    pub(crate) fn method(&self, resource: &str, http_method: &str) -> Option<&MethodNode> {
        self.resources.get(resource)?.methods.get(http_method)
    }

    pub(crate) fn method_mut(
        &mut self,
        resource: &str,
        http_method: &str,
    ) -> Option<&mut MethodNode> {
        self.resources
            .get_mut(resource)?
            .methods
            .get_mut(http_method)
    }
}
