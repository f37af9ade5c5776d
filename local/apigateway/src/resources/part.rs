//! Parts of a REST API: methods, models, stages and so on. Their types differ in what they declare
//! and in what AWS refuses. The life of a resource is the same for all of them, and is here.

use crate::ApiGateway;
use crate::declarations::{Api, Declarations};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// A type whose resources are parts of a REST API. Its constants mean what those of the same name
/// mean in [`ResourceType`].
pub(super) trait Part: Send + Sync + 'static {
    type Inputs: Clone + Serialize + DeserializeOwned + Send + Sync;

    const TOKEN: &'static str;
    const REPLACES_ON: &'static [&'static str];
    const AUTO_NAME: Option<AutoName> = None;
    const DELETE_BEFORE_REPLACE: bool = false;
    const CHANGES_ON_UPDATE: &'static [&'static str] = &[];
    const OVERWRITES: bool = false;
    const HOLDS: &'static [&'static str] = &[];
    /// What `pulumi import` takes: these properties with slashes between them.
    const IMPORT_ID: &'static [&'static str];

    /// The id of the API.
    fn api(inputs: &Self::Inputs) -> &str;

    /// Refuses inputs that AWS would refuse by themselves.
    fn validate(&self, _inputs: &Self::Inputs) -> Vec<Refusal> {
        Vec::new()
    }

    /// The error when there is no such API.
    fn unknown_api(error: AwsError) -> AwsError {
        error
    }

    /// Refuses what AWS would refuse in the API as it is: a part that is to be created, or
    /// changed when there is an old one.
    fn check(
        &self,
        _declared: &Declarations,
        _api: &Api,
        _old: Option<&Resource<Self::Inputs>>,
        _inputs: &Self::Inputs,
    ) -> AwsResult<()> {
        Ok(())
    }

    /// The physical id, in the form of the aws provider.
    fn id(&self, new: &New, inputs: &Self::Inputs) -> String;

    /// The computed properties.
    fn outputs(&self, _gateway: &ApiGateway, _api: &Api, _inputs: &Self::Inputs) -> Properties {
        Properties::new()
    }

    /// Puts it into its API, in place of an earlier version of itself.
    fn put(&self, api: &mut Api, id: &str, inputs: Self::Inputs) -> AwsResult<()>;

    /// Whether it is in its API.
    fn is_in(&self, api: &Api, id: &str, inputs: &Self::Inputs) -> bool;

    /// Takes it out of its API, with all that goes with it on AWS.
    fn remove(&self, api: &mut Api, id: &str, inputs: &Self::Inputs) -> AwsResult<()>;
}

/// A [`Part`] as a resource type.
pub(super) struct OfApi<P>(pub P);

#[async_trait]
impl<P: Part> ResourceType for OfApi<P> {
    type Inputs = P::Inputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = P::TOKEN;
    const REPLACES_ON: &'static [&'static str] = P::REPLACES_ON;
    const AUTO_NAME: Option<AutoName> = P::AUTO_NAME;
    const DELETE_BEFORE_REPLACE: bool = P::DELETE_BEFORE_REPLACE;
    const CHANGES_ON_UPDATE: &'static [&'static str] = P::CHANGES_ON_UPDATE;
    const OVERWRITES: bool = P::OVERWRITES;
    const HOLDS: &'static [&'static str] = P::HOLDS;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: P::IMPORT_ID,
        separator: "/",
    });

    fn validate(&self, inputs: &P::Inputs) -> Vec<Refusal> {
        self.0.validate(inputs)
    }

    async fn create(
        &self,
        gateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &P::Inputs,
    ) -> AwsResult<Deployed> {
        gateway.look(|declared| {
            let api = declared.api_in(P::api(inputs), &new.region);
            let api = api.map_err(P::unknown_api)?;
            self.0.check(declared, api, None, inputs)?;
            Ok(Deployed {
                id: self.0.id(new, inputs),
                outputs: self.0.outputs(gateway, api, inputs),
            })
        })
    }

    async fn activate(
        &self,
        gateway: &Arc<ApiGateway>,
        resource: &Resource<P::Inputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        gateway.change(|declared| {
            let api = declared.api_mut(P::api(&inputs))?;
            self.0.put(api, &resource.id, inputs)
        })
    }

    async fn update(
        &self,
        gateway: &Arc<ApiGateway>,
        old: &Resource<P::Inputs>,
        inputs: &P::Inputs,
    ) -> AwsResult<Properties> {
        let mut computed = gateway.look(|declared| {
            let api = declared.api(P::api(inputs))?;
            self.0.check(declared, api, Some(old), inputs)?;
            Ok(self.0.outputs(gateway, api, inputs))
        })?;
        computed.retain(|name, _| P::CHANGES_ON_UPDATE.contains(&name.as_str()));
        let mut outputs = old.outputs.clone();
        outputs.extend(computed);
        Ok(outputs)
    }

    async fn read(
        &self,
        gateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<P::Inputs>>,
    ) -> AwsResult<Option<Resource<P::Inputs>>> {
        Ok(known.filter(|known| {
            gateway.has(P::api(&known.inputs), |api| {
                self.0.is_in(api, &known.id, &known.inputs)
            })
        }))
    }

    async fn delete(
        &self,
        gateway: &Arc<ApiGateway>,
        resource: &Resource<P::Inputs>,
    ) -> AwsResult<()> {
        gateway.change(|declared| {
            match declared.apis.get_mut(P::api(&resource.inputs)) {
                Some(api) => self.0.remove(api, &resource.id, &resource.inputs),
                // It is gone together with its API.
                None => Ok(()),
            }
        })
    }
}
