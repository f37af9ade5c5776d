//! `aws:apigateway/resource:Resource`

use super::part::Part;
use crate::ApiGateway;
use crate::declarations::{Api, Declarations};
use crate::definition::{Node, Resource as Inputs};
use cloud_core::error::AwsResult;
use cloud_resource::resource::{ImportId, New, Properties, Resource as Record};

/// A part of an API's paths.
pub(super) struct Resource;

impl Part for Resource {
    type Inputs = Inputs;

    const TOKEN: &'static str = "aws:apigateway/resource:Resource";
    const REPLACES_ON: &'static [&'static str] = &["restApi"];
    const HOLDS: &'static [&'static str] = &[
        Self::TOKEN,
        super::method::Method::TOKEN,
        super::method::MethodResponse::TOKEN,
        super::integration::Integration::TOKEN,
        super::integration::IntegrationResponse::TOKEN,
    ];
    const IMPORT_ID: &'static [&'static str] = &["restApi", ImportId::OWN_ID];
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["path"];

    fn api(inputs: &Inputs) -> &str {
        &inputs.rest_api
    }

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        old: Option<&Record<Inputs>>,
        inputs: &Inputs,
    ) -> AwsResult<()> {
        api.check_resource(old.map(|old| old.id.as_str()), inputs)
    }

    fn id(&self, new: &New, _inputs: &Inputs) -> String {
        new.suffix(6)
    }

    /// The whole path that it has or will have.
    fn outputs(&self, _gateway: &ApiGateway, api: &Api, inputs: &Inputs) -> Properties {
        let parent = api.definition.path(&inputs.parent_id).unwrap_or_default();
        let path = format!("{}/{}", parent.trim_end_matches('/'), inputs.path_part);
        Properties::from_iter([("path".to_owned(), path.into())])
    }

    fn put(&self, api: &mut Api, id: &str, inputs: Inputs) -> AwsResult<()> {
        let resources = &mut api.definition.resources;
        let node: &mut Node = resources.entry(id.to_owned()).or_default();
        node.parent = Some(inputs.parent_id);
        node.path_part = inputs.path_part;
        Ok(())
    }

    fn is_in(&self, api: &Api, id: &str, _inputs: &Inputs) -> bool {
        api.definition.resources.contains_key(id)
    }

    /// With all resources and methods below it, as on AWS.
    fn remove(&self, api: &mut Api, id: &str, _inputs: &Inputs) -> AwsResult<()> {
        api.definition.remove_resource(id);
        Ok(())
    }
}
