//! `aws:apigateway/model:Model` and `aws:apigateway/requestValidator:RequestValidator`

use super::part::Part;
use crate::declarations::{Api, Declarations};
use crate::definition::{Model as ModelInputs, RequestValidator as ValidatorInputs};
use crate::rules::bad_request;
use crate::steps::validate;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{AutoName, ImportId, New, Refusal, Resource};

/// The schema of a payload.
pub(super) struct Model;

impl Part for Model {
    type Inputs = ModelInputs;

    const TOKEN: &'static str = "aws:apigateway/model:Model";
    const REPLACES_ON: &'static [&'static str] = &["contentType", "name", "restApi"];
    const IMPORT_ID: &'static [&'static str] = &["restApi", "name"];
    /// A replacement may well have its predecessor's name.
    const DELETE_BEFORE_REPLACE: bool = true;

    fn api(inputs: &ModelInputs) -> &str {
        &inputs.rest_api
    }

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

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        old: Option<&Resource<ModelInputs>>,
        inputs: &ModelInputs,
    ) -> AwsResult<()> {
        match old {
            None => api.check_model(name(inputs), inputs),
            Some(_) => validate::schema(inputs).map(drop).map_err(bad_request),
        }
    }

    fn id(&self, new: &New, _inputs: &ModelInputs) -> String {
        new.suffix(6)
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: ModelInputs) -> AwsResult<()> {
        let models = &mut api.definition.models;
        models.insert(name(&inputs).to_owned(), inputs);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &ModelInputs) -> bool {
        api.definition.models.contains_key(name(inputs))
    }

    fn remove(&self, api: &mut Api, _id: &str, inputs: &ModelInputs) -> AwsResult<()> {
        api.check_model_unused(name(inputs))?;
        api.definition.models.remove(name(inputs));
        Ok(())
    }
}

fn name(inputs: &ModelInputs) -> &str {
    inputs.name.as_deref().unwrap_or_default()
}

/// What of requests is validated.
pub(super) struct RequestValidator;

impl Part for RequestValidator {
    type Inputs = ValidatorInputs;

    const TOKEN: &'static str = "aws:apigateway/requestValidator:RequestValidator";
    const REPLACES_ON: &'static [&'static str] = &["restApi"];
    const IMPORT_ID: &'static [&'static str] = &["restApi", ImportId::OWN_ID];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: 255,
    });

    fn api(inputs: &ValidatorInputs) -> &str {
        &inputs.rest_api
    }

    fn unknown_api(_error: AwsError) -> AwsError {
        bad_request("Invalid REST API identifier specified")
    }

    fn id(&self, new: &New, _inputs: &ValidatorInputs) -> String {
        new.suffix(6)
    }

    fn put(&self, api: &mut Api, id: &str, inputs: ValidatorInputs) -> AwsResult<()> {
        api.definition.validators.insert(id.to_owned(), inputs);
        Ok(())
    }

    fn is_in(&self, api: &Api, id: &str, _inputs: &ValidatorInputs) -> bool {
        api.definition.validators.contains_key(id)
    }

    fn remove(&self, api: &mut Api, id: &str, _inputs: &ValidatorInputs) -> AwsResult<()> {
        api.definition.validators.remove(id);
        Ok(())
    }
}
