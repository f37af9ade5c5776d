//! `aws:apigateway/resource:Resource`

use super::check_region;
use crate::ApiGateway;
use crate::definition::{Node, Resource as Inputs};
use crate::state::State;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{
    Deployed, ImportId, New, Properties, Resource as Record, ResourceType, Scope,
};
use serde_json::json;
use std::sync::Arc;

/// A part of an API's paths.
pub(super) struct Resource;

#[async_trait]
impl ResourceType for Resource {
    type Inputs = Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/resource:Resource";
    const REPLACES_ON: &'static [&'static str] = &["restApi"];
    const HOLDS: &'static [&'static str] = &[
        Self::TOKEN,
        super::method::Method::TOKEN,
        super::method::MethodResponse::TOKEN,
        super::integration::Integration::TOKEN,
        super::integration::IntegrationResponse::TOKEN,
    ];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", ImportId::OWN_ID],
        separator: "/",
    });
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["path"];

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &Inputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        let path = apigateway.look(|state| {
            state.api(&inputs.rest_api)?.check_resource(None, inputs)?;
            path(state, inputs)
        })?;
        Ok(Deployed::new(new.suffix(6), json!({ "path": path })))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Record<Inputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            let resources = &mut state.api_mut(&inputs.rest_api)?.definition.resources;
            let node: &mut Node = resources.entry(resource.id.clone()).or_default();
            node.parent = Some(inputs.parent_id.clone());
            node.path_part.clone_from(&inputs.path_part);
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Record<Inputs>,
        inputs: &Inputs,
    ) -> AwsResult<Properties> {
        let path = apigateway.look(|state| {
            let api = state.api(&inputs.rest_api)?;
            api.check_resource(Some(&old.id), inputs)?;
            path(state, inputs)
        })?;
        let mut outputs = old.outputs.clone();
        outputs.insert("path".to_owned(), path.into());
        Ok(outputs)
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Record<Inputs>>,
    ) -> AwsResult<Option<Record<Inputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                api.definition.resources.contains_key(&known.id)
            })
        }))
    }

    /// With all resources and methods below it, as on AWS.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Record<Inputs>,
    ) -> AwsResult<()> {
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&resource.inputs.rest_api) {
                api.definition.remove_resource(&resource.id);
            }
            Ok(())
        })
    }
}

/// The whole path that a resource has or will have.
fn path(state: &State, inputs: &Inputs) -> AwsResult<String> {
    let definition = &state.api(&inputs.rest_api)?.definition;
    let parent = definition.path(&inputs.parent_id).unwrap_or_default();
    Ok(format!(
        "{}/{}",
        parent.trim_end_matches('/'),
        inputs.path_part
    ))
}
