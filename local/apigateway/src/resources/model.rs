//! `aws:apigateway/model:Model` and `aws:apigateway/requestValidator:RequestValidator`

use super::check_region;
use crate::ApiGateway;
use crate::definition::{Model as ModelInputs, RequestValidator as ValidatorInputs};
use crate::rules::bad_request;
use crate::steps::validate;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde_json::json;
use std::sync::Arc;

/// The schema of a payload.
pub(super) struct Model;

#[async_trait]
impl ResourceType for Model {
    type Inputs = ModelInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/model:Model";
    const REPLACES_ON: &'static [&'static str] = &["contentType", "name", "restApi"];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "name"],
        separator: "/",
    });
    /// A replacement may well have its predecessor's name.
    const DELETE_BEFORE_REPLACE: bool = true;

    fn validate(&self, inputs: &ModelInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if inputs.name.is_none() {
            // The aws provider's automatic names have a dash, which no model's name may have.
            refusals.push(Refusal::new("name", "a model needs a name here"));
        }
        if let Err(reason) = validate::schema(inputs) {
            refusals.push(Refusal::new("schema", reason));
        }
        refusals
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &ModelInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        let name = inputs.name.as_deref().unwrap_or_default();
        apigateway.look(|state| state.api(&inputs.rest_api)?.check_model(name, inputs))?;
        Ok(Deployed::new(new.suffix(6), json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ModelInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        let name = inputs.name.clone().unwrap_or_default();
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            api.definition.models.insert(name, inputs);
            Ok(())
        })
    }

    async fn update(
        &self,
        _apigateway: &Arc<ApiGateway>,
        old: &Resource<ModelInputs>,
        inputs: &ModelInputs,
    ) -> AwsResult<Properties> {
        validate::schema(inputs).map_err(bad_request)?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<ModelInputs>>,
    ) -> AwsResult<Option<Resource<ModelInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            let name = inputs.name.as_deref().unwrap_or_default();
            apigateway.has(&inputs.rest_api, |api| {
                api.definition.models.contains_key(name)
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ModelInputs>,
    ) -> AwsResult<()> {
        let name = resource.inputs.name.as_deref().unwrap_or_default();
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&resource.inputs.rest_api) {
                api.check_model_unused(name)?;
                api.definition.models.remove(name);
            }
            Ok(())
        })
    }
}

/// What of requests is validated.
pub(super) struct RequestValidator;

#[async_trait]
impl ResourceType for RequestValidator {
    type Inputs = ValidatorInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/requestValidator:RequestValidator";
    const REPLACES_ON: &'static [&'static str] = &["restApi"];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", ImportId::OWN_ID],
        separator: "/",
    });
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: 255,
    });

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &ValidatorInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)
            .map_err(|_| bad_request("Invalid REST API identifier specified"))?;
        Ok(Deployed::new(new.suffix(6), json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ValidatorInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            api.definition
                .validators
                .insert(resource.id.clone(), inputs);
            Ok(())
        })
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<ValidatorInputs>>,
    ) -> AwsResult<Option<Resource<ValidatorInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                api.definition.validators.contains_key(&known.id)
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<ValidatorInputs>,
    ) -> AwsResult<()> {
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&resource.inputs.rest_api) {
                api.definition.validators.remove(&resource.id);
            }
            Ok(())
        })
    }
}
