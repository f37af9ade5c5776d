//! `aws:apigateway/deployment:Deployment`

use super::refused;
use crate::ApiGateway;
use crate::definition::{Definition, Deployment as Inputs};
use crate::program::Program;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::Batch;
use cloud_resource::resource::{Deployed, ImportId, New, Refusal, Resource, ResourceType, Scope};
use serde_json::json;
use std::sync::Arc;
use time::format_description::well_known::Rfc3339;

/// The table of what deployments have captured. That is what runs, even when other things are
/// declared later.
const CAPTURED: &str = "apigateway.deployments";

/// An API as it was at one time.
pub(super) struct Deployment;

#[async_trait]
impl ResourceType for Deployment {
    type Inputs = Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/deployment:Deployment";
    const REPLACES_ON: &'static [&'static str] = &["restApi", "triggers", "variables"];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", ImportId::OWN_ID],
        separator: "/",
    });

    fn validate(&self, inputs: &Inputs) -> Vec<Refusal> {
        if inputs.variables.is_empty() {
            return Vec::new();
        }
        // AWS gives them to the stage that CreateDeployment names. The aws provider names none.
        let reason = "the embedded cloud does not support variables of a deployment: give them to \
                      the stage";
        vec![Refusal::new("variables", reason)]
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &Inputs,
    ) -> AwsResult<Deployed> {
        let definition = apigateway.look(|declared| {
            let api = declared.api_in(&inputs.rest_api, &new.region)?;
            api.check_deployable()?;
            Ok(api.definition.clone())
        })?;
        let id = new.suffix(6);
        let actions = apigateway.actions.names();
        Program::compile(&id, &definition, actions).map_err(|problems| refused(&problems))?;

        let captured = serde_json::to_vec(&definition).map_err(AwsError::internal)?;
        let batch = Batch::new().put(CAPTURED, &key(&inputs.rest_api, &id), captured);
        commit(apigateway, batch).await?;
        let created = apigateway
            .context
            .clock
            .now()
            .format(&Rfc3339)
            .unwrap_or_default();
        Ok(Deployed::new(id, json!({ "createdDate": created })))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let api = &resource.inputs.rest_api;
        let known = apigateway
            .look(|declared| Ok(declared.api(api)?.deployments.contains_key(&resource.id)))?;
        if known {
            return Ok(());
        }
        let captured = apigateway
            .context
            .store
            .get(CAPTURED, &key(api, &resource.id))
            .await;
        let captured = captured.map_err(AwsError::internal)?.ok_or_else(|| {
            AwsError::internal(format!("what deployment {} captured is gone", resource.id))
        })?;
        let definition: Definition =
            serde_json::from_slice(&captured).map_err(AwsError::internal)?;
        let program = Program::compile(&resource.id, &definition, apigateway.actions.names());
        let program = Arc::new(program.map_err(|problems| refused(&problems))?);
        apigateway.change(|declared| {
            let deployments = &mut declared.api_mut(api)?.deployments;
            deployments.insert(resource.id.clone(), program);
            Ok(())
        })
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<Inputs>>,
    ) -> AwsResult<Option<Resource<Inputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                api.deployments.contains_key(&known.id)
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<Inputs>,
    ) -> AwsResult<()> {
        let api = &resource.inputs.rest_api;
        apigateway.change(|declared| {
            if let Some(api) = declared.apis.get_mut(api) {
                api.check_deployment_unused(&resource.id)?;
                api.deployments.remove(&resource.id);
            }
            Ok(())
        })?;
        commit(
            apigateway,
            Batch::new().delete(CAPTURED, &key(api, &resource.id)),
        )
        .await
    }
}

fn key(api: &str, deployment: &str) -> String {
    format!("{api}/{deployment}")
}

/// Forgets what all deployments of an API have captured.
pub(super) async fn forget_captured(apigateway: &Arc<ApiGateway>, api: &str) -> AwsResult<()> {
    let prefix = key(api, "");
    let captured = apigateway.context.store.scan(CAPTURED, &prefix).await;
    let captured = captured.map_err(AwsError::internal)?;
    let batch = captured
        .iter()
        .fold(Batch::new(), |batch, (key, _)| batch.delete(CAPTURED, key));
    commit(apigateway, batch).await
}

async fn commit(apigateway: &Arc<ApiGateway>, batch: Batch) -> AwsResult<()> {
    let committed = apigateway.context.store.commit(batch).await;
    committed.map_err(|error| AwsError::internal(format!("{error:#}")))
}
