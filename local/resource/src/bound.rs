//! A resource type together with its service, over JSON: typed inputs are made of properties, and
//! properties of typed inputs.

use crate::import_id::ImportId;
use crate::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// [`ResourceType`] over JSON.
#[async_trait]
pub trait AnyResourceType: Send + Sync + 'static {
    fn token(&self) -> &'static str;
    fn replaces_on(&self) -> &'static [&'static str];
    fn auto_name(&self) -> Option<AutoName>;
    fn lower_case_name(&self) -> bool;
    fn delete_before_replace(&self) -> bool;
    fn declared_only(&self) -> bool;
    fn changes_on_update(&self) -> &'static [&'static str];
    fn overwrites(&self) -> bool;
    fn holds(&self) -> &'static [&'static str];
    fn import_id(&self) -> Option<ImportId>;
    fn validate(&self, inputs: &Properties) -> Vec<Refusal>;
    async fn create(&self, new: &New, inputs: &Properties) -> AwsResult<Deployed>;
    fn announce(&self, record: &Resource<Properties>);
    async fn activate(&self, resource: &Resource<Properties>) -> AwsResult<()>;
    async fn update(
        &self,
        old: &Resource<Properties>,
        inputs: &Properties,
    ) -> AwsResult<Properties>;
    async fn read(
        &self,
        scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<Properties>>,
    ) -> AwsResult<Option<Resource<Properties>>>;
    async fn import(&self, scope: &Scope<'_>, id: &str) -> AwsResult<Option<Resource<Properties>>>;
    async fn delete(&self, resource: &Resource<Properties>) -> AwsResult<()>;
}

/// A resource type together with its service.
struct Bound<T: ResourceType> {
    of: T,
    service: Arc<T::Service>,
}

/// A resource type as the package has it: resources of it are run by this service.
pub fn bind<T: ResourceType>(of: T, service: &Arc<T::Service>) -> Box<dyn AnyResourceType> {
    Box::new(Bound {
        of,
        service: Arc::clone(service),
    })
}

#[async_trait]
impl<T: ResourceType> AnyResourceType for Bound<T> {
    fn token(&self) -> &'static str {
        T::TOKEN
    }

    fn replaces_on(&self) -> &'static [&'static str] {
        T::REPLACES_ON
    }

    fn auto_name(&self) -> Option<AutoName> {
        T::AUTO_NAME
    }

    fn lower_case_name(&self) -> bool {
        T::LOWER_CASE_NAME
    }

    fn delete_before_replace(&self) -> bool {
        T::DELETE_BEFORE_REPLACE
    }

    fn declared_only(&self) -> bool {
        T::DECLARED_ONLY
    }

    fn changes_on_update(&self) -> &'static [&'static str] {
        T::CHANGES_ON_UPDATE
    }

    fn overwrites(&self) -> bool {
        T::OVERWRITES
    }

    fn holds(&self) -> &'static [&'static str] {
        T::HOLDS
    }

    fn import_id(&self) -> Option<ImportId> {
        T::IMPORT_ID
    }

    fn validate(&self, inputs: &Properties) -> Vec<Refusal> {
        match typed::<T>(inputs) {
            Ok(inputs) => self.of.validate(&inputs),
            Err(error) => vec![Refusal::new("", error.message)],
        }
    }

    async fn create(&self, new: &New, inputs: &Properties) -> AwsResult<Deployed> {
        self.of
            .create(&self.service, new, &typed::<T>(inputs)?)
            .await
    }

    fn announce(&self, record: &Resource<Properties>) {
        self.of.announce(&self.service, record);
    }

    async fn activate(&self, resource: &Resource<Properties>) -> AwsResult<()> {
        self.of
            .activate(&self.service, &typed_resource::<T>(resource)?)
            .await
    }

    async fn update(
        &self,
        old: &Resource<Properties>,
        inputs: &Properties,
    ) -> AwsResult<Properties> {
        let old = typed_resource::<T>(old)?;
        self.of
            .update(&self.service, &old, &typed::<T>(inputs)?)
            .await
    }

    async fn read(
        &self,
        scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<Properties>>,
    ) -> AwsResult<Option<Resource<Properties>>> {
        let typed_known = known.as_ref().map(typed_resource::<T>).transpose()?;
        // What the type makes of the known inputs, to tell below what it found different.
        let recorded = typed_known
            .as_ref()
            .map(|known| properties(&known.inputs))
            .transpose()?;
        let Some(found) = self.of.read(&self.service, scope, id, typed_known).await? else {
            return Ok(None);
        };
        let found_inputs = properties(&found.inputs)?;
        let inputs = match (known, recorded) {
            (Some(known), Some(recorded)) => reconcile(known.inputs, &recorded, &found_inputs),
            _ => found_inputs,
        };
        Ok(Some(with_inputs(found, inputs)))
    }

    async fn import(&self, scope: &Scope<'_>, id: &str) -> AwsResult<Option<Resource<Properties>>> {
        let Some(found) = self.of.import(&self.service, scope, id).await? else {
            return Ok(None);
        };
        let inputs = properties(&found.inputs)?;
        Ok(Some(with_inputs(found, inputs)))
    }

    async fn delete(&self, resource: &Resource<Properties>) -> AwsResult<()> {
        self.of
            .delete(&self.service, &typed_resource::<T>(resource)?)
            .await
    }
}

fn with_inputs<I>(resource: Resource<I>, inputs: Properties) -> Resource<Properties> {
    Resource {
        urn: resource.urn,
        stack: resource.stack,
        region: resource.region,
        id: resource.id,
        inputs,
        outputs: resource.outputs,
    }
}

/// The known inputs, with those values replaced that were found to be different. Unchanged inputs
/// stay exactly as the program wrote them: with fields that the type does not know, and without
/// defaults that the type fills in.
fn reconcile(mut known: Properties, recorded: &Properties, found: &Properties) -> Properties {
    for name in recorded.keys().chain(found.keys()) {
        match (recorded.get(name), found.get(name)) {
            (recorded, found) if recorded == found => {}
            (_, Some(found)) => {
                known.insert(name.clone(), found.clone());
            }
            (_, None) => {
                known.remove(name);
            }
        }
    }
    known
}

/// Typed inputs as properties, without what is null.
fn properties(inputs: &impl Serialize) -> AwsResult<Properties> {
    match serde_json::to_value(inputs).map_err(AwsError::internal)? {
        Value::Object(properties) => Ok(without_nulls(properties)),
        _ => Ok(Map::new()),
    }
}

fn without_nulls(properties: Properties) -> Properties {
    properties
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match value {
                Value::Object(inner) => Value::Object(without_nulls(inner)),
                Value::Array(items) => items
                    .into_iter()
                    .map(|item| match item {
                        Value::Object(inner) => Value::Object(without_nulls(inner)),
                        other => other,
                    })
                    .collect(),
                other => other,
            };
            (name, value)
        })
        .collect()
}

/// Inputs as the type has them, without the provider's own notes (names with two underscores) and
/// without the region, which all types get as [`New::region`] and [`Resource::region`].
fn typed<T: ResourceType>(inputs: &Properties) -> AwsResult<T::Inputs> {
    let inputs = inputs
        .iter()
        .filter(|(name, _)| !name.starts_with("__") && *name != "region")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    serde_json::from_value(Value::Object(inputs)).map_err(|error| {
        AwsError::new(
            400,
            "ValidationException",
            format!("the inputs of a {} are malformed: {error}", T::TOKEN),
        )
    })
}

fn typed_resource<T: ResourceType>(
    resource: &Resource<Properties>,
) -> AwsResult<Resource<T::Inputs>> {
    Ok(Resource {
        urn: resource.urn.clone(),
        stack: resource.stack.clone(),
        region: resource.region.clone(),
        id: resource.id.clone(),
        inputs: typed::<T>(&resource.inputs)?,
        outputs: resource.outputs.clone(),
    })
}
