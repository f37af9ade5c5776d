//! The API that takes clicks: PUT /clicks, straight into the delivery stream.

mod account;
mod answers;
mod cors;
mod definition;
mod method;
mod preflight;
mod put;
mod stage;

use std::collections::HashMap;

use aws::apigateway::{resource, response, rest_api};
use aws::types::apigateway::RestApiEndpointConfiguration;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, Recording, Urn, format_output};

use crate::delivery::Delivery;
use crate::scope::Scope;
use cors::Cors;
pub use definition::digest;

pub struct ClicksApi {
    /// The URL that takes PUT.
    pub endpoint: Output<String>,
    pub name: Output<String>,
    pub stage: Output<String>,
    /// What makes the API live as it is declared.
    pub live: Urn,
}

impl ClicksApi {
    /// `site`: the origins of the site, whose pages send clicks.
    pub fn new(scope: &Scope<'_>, delivery: &Delivery, site: &Output<Vec<String>>) -> Self {
        let component = scope.component("ClicksApi", "api");
        let api = Api::new(scope, &component);
        let more_origins = scope.config.api.allowed_origins.clone();
        let cors = site.map(move |site| Cors::new(site, &more_origins));

        let clicks = api.resource();
        let put = api.put(&clicks.id, delivery, &component);
        for answer in answers::of_clicks() {
            put.answer(answer, &cors);
        }
        let options = api.options(&clicks.id);
        options.answer(answers::of_preflight(), &cors);
        for kind in ["DEFAULT_4XX", "DEFAULT_5XX"] {
            api.gateway_response(kind, &cors);
        }

        let stage = stage::deploy(&api, &component);
        let endpoint = format_output!("{}{}", stage.invoke_url, clicks.path);
        component.output("endpoint", &endpoint);
        Self {
            endpoint,
            name: api.name,
            stage: stage.name,
            live: stage.urn,
        }
    }
}

/// A REST API under construction.
struct Api<'a> {
    scope: &'a Scope<'a>,
    /// Where the API, and every resource of it that a deployment shows, is registered.
    parts: Recording,
    options: Options,
    id: Output<String>,
    name: Output<String>,
    root: Output<String>,
}

/// A path of the API.
struct Path {
    id: Output<String>,
    path: Output<String>,
}

impl<'a> Api<'a> {
    fn new(scope: &'a Scope<'a>, component: &Component) -> Self {
        let options = Options::new().parent(component);
        let parts = Recording::new(scope.program);
        let api = rest_api::create_with_options(
            &parts,
            "mysfits-api",
            rest_api::RestApiArgs::builder()
                .name(name(scope.program.stack()))
                .description("Takes the clicks on profiles of Mythical Mysfits")
                .endpoint_configuration(
                    RestApiEndpointConfiguration::builder()
                        .types("REGIONAL")
                        .build_struct(),
                )
                .build_struct(),
            options.clone(),
        );
        Self {
            scope,
            parts,
            options,
            id: api.id,
            name: api.name,
            root: api.root_resource_id,
        }
    }

    fn resource(&self) -> Path {
        let resource = resource::create_with_options(
            &self.parts,
            "mysfits-api-clicks",
            resource::ResourceArgs::builder()
                .rest_api(self.id.clone())
                .parent_id(self.root.clone())
                .path_part("clicks")
                .build_struct(),
            self.options.clone(),
        );
        Path {
            id: resource.id,
            path: resource.path,
        }
    }

    /// What the gateway itself answers when it refuses a request; without these headers a page
    /// could not even see the status.
    fn gateway_response(&self, kind: &str, cors: &Output<Cors>) {
        let headers = cors.map(|cors| cors.of_gateway());
        let templates = HashMap::from([(
            "application/json".to_owned(),
            answers::GATEWAY_TEMPLATE.to_owned(),
        )]);
        response::create_with_options(
            &self.parts,
            &format!("mysfits-api-{}", kind.to_lowercase().replace('_', "-")),
            response::ResponseArgs::builder()
                .rest_api_id(self.id.clone())
                .response_type(kind)
                .response_parameters(headers)
                .response_templates(templates)
                .build_struct(),
            self.options.clone(),
        );
    }
}

/// CloudWatch knows the metrics of an API by its name, so that only stack `dev` has the plain one.
fn name(stack: &str) -> String {
    let name = "ClickProcessing API Service";
    match stack {
        "dev" => name.to_owned(),
        other => format!("{name} {other}"),
    }
}
