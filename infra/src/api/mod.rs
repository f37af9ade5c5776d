//! The API that takes clicks: PUT /clicks, straight into the delivery stream.

mod answers;
mod cors;
mod method;
mod preflight;
mod put;
mod snapshot;
mod stage;

use std::collections::HashMap;

use aws::apigateway::{resource, response, rest_api};
use aws::types::apigateway::RestApiEndpointConfiguration;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, all};
use serde_json::json;

use crate::delivery::Delivery;
use crate::scope::Scope;
use cors::Cors;
use snapshot::Snapshot;

pub struct ClicksApi {
    /// The URL that takes PUT.
    pub endpoint: Output<String>,
    pub name: Output<String>,
    pub stage: Output<String>,
    /// The URN of what makes the API live as it is declared.
    pub live: Output<String>,
}

impl ClicksApi {
    /// `site`: the origin of the site, whose pages send clicks.
    pub fn new(scope: &Scope<'_>, delivery: &Delivery, site: &Output<String>) -> Self {
        let component = scope.component("ClicksApi", "api");
        let api = Api::new(scope, &component);
        let mut snapshot = Snapshot::default();
        let more_origins = scope.config.api.allowed_origins.clone();
        let cors = site.map(move |site| Cors::new(site, &more_origins));

        let clicks = api.resource(&mut snapshot);
        let put = api.put(&mut snapshot, &clicks.id, delivery, &component);
        for answer in answers::of_clicks() {
            put.answer(&mut snapshot, answer, &cors);
        }
        let options = api.options(&mut snapshot, &clicks.id);
        options.answer(&mut snapshot, answers::of_preflight(), &cors);
        for kind in ["DEFAULT_4XX", "DEFAULT_5XX"] {
            api.gateway_response(&mut snapshot, kind, &cors);
        }

        let stage = stage::deploy(&api, &component, snapshot);
        let endpoint =
            all((&stage.invoke_url, &clicks.path)).map(|(url, path)| format!("{url}{path}"));
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
        let api = rest_api::create_with_options(
            scope.program,
            "mysfits-api",
            rest_api::RestApiArgs::builder()
                .name(name(scope.program.stack()))
                .description("Takes the clicks on profiles of Mythical Mysfits")
                .endpoint_configuration(
                    RestApiEndpointConfiguration::builder()
                        .types("REGIONAL")
                        .build_struct(),
                )
                .tags(scope.tags())
                .build_struct(),
            options.clone(),
        );
        Self {
            scope,
            options,
            id: api.id,
            name: api.name,
            root: api.root_resource_id,
        }
    }

    fn resource(&self, snapshot: &mut Snapshot) -> Path {
        let resource = resource::create_with_options(
            self.scope.program,
            "mysfits-api-clicks",
            resource::ResourceArgs::builder()
                .rest_api(self.id.clone())
                .parent_id(self.root.clone())
                .path_part("clicks")
                .build_struct(),
            self.options.clone(),
        );
        snapshot.add(&resource.urn, &resource.id);
        Path {
            id: resource.id,
            path: resource.path,
        }
    }

    /// What the gateway itself answers when it refuses a request; without these headers a page
    /// could not even see the status.
    fn gateway_response(&self, snapshot: &mut Snapshot, kind: &str, cors: &Output<Cors>) {
        let headers = cors.map(|cors| cors.of_gateway());
        let templates = HashMap::from([(
            "application/json".to_owned(),
            answers::GATEWAY_TEMPLATE.to_owned(),
        )]);
        let response = response::create_with_options(
            self.scope.program,
            &format!("mysfits-api-{}", kind.to_lowercase().replace('_', "-")),
            response::ResponseArgs::builder()
                .rest_api_id(self.id.clone())
                .response_type(kind)
                .response_parameters(headers.clone())
                .response_templates(templates.clone())
                .build_struct(),
            self.options.clone(),
        );
        let captured = headers.map(move |headers| json!([headers, templates]));
        snapshot.add(&response.urn, &captured);
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
