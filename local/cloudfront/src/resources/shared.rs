//! The resource types of what distributions refer to. They differ in their inputs and in what those
//! come to; the life of a resource is the same for all of them, and is here.

use crate::CloudFront;
use crate::shared::Shared;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::identity::arn;
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::sync::Arc;

/// A type of what distributions refer to. Its constants mean what those of the same name mean in
/// [`ResourceType`].
pub(crate) trait SharedType: Send + Sync + 'static {
    type Inputs: Serialize + DeserializeOwned + Send + Sync;
    /// What a resource is while it is live.
    type Live: Shared;

    const TOKEN: &'static str;
    const REPLACES_ON: &'static [&'static str] = &[];
    /// AWS's limit of a name, in characters.
    const MAX_NAME: usize;
    /// What comes before the id in the ARN.
    const ARN: &'static str;

    /// Refuses inputs that AWS would refuse by themselves.
    fn validate(&self, _inputs: &Self::Inputs) -> Vec<Refusal> {
        Vec::new()
    }

    fn name(inputs: &Self::Inputs) -> &str;

    fn id(new: &New) -> String;

    /// What the inputs come to; refuses what the embedded cloud does not do.
    fn live(&self, inputs: &Self::Inputs) -> AwsResult<Self::Live>;
}

/// A [`SharedType`] as a resource type.
pub(crate) struct OfDistributions<T>(pub T);

#[async_trait]
impl<T: SharedType> ResourceType for OfDistributions<T> {
    type Inputs = T::Inputs;
    type Service = CloudFront;

    const TOKEN: &'static str = T::TOKEN;
    const REPLACES_ON: &'static [&'static str] = T::REPLACES_ON;
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: T::MAX_NAME,
    });

    fn validate(&self, inputs: &T::Inputs) -> Vec<Refusal> {
        self.0.validate(inputs)
    }

    async fn create(
        &self,
        cloudfront: &Arc<CloudFront>,
        new: &New,
        inputs: &T::Inputs,
    ) -> AwsResult<Deployed> {
        self.0.live(inputs)?;
        cloudfront.check_name::<T::Live>(None, T::name(inputs))?;
        let id = T::id(new);
        let arn = arn("cloudfront", "", &format!("{}/{id}", T::ARN));
        Ok(Deployed::new(id, json!({ "arn": arn })))
    }

    async fn activate(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<T::Inputs>,
    ) -> AwsResult<()> {
        let live = self.0.live(&resource.inputs)?;
        cloudfront.put_shared(&resource.id, T::name(&resource.inputs), live);
        Ok(())
    }

    async fn update(
        &self,
        cloudfront: &Arc<CloudFront>,
        old: &Resource<T::Inputs>,
        inputs: &T::Inputs,
    ) -> AwsResult<Properties> {
        self.0.live(inputs)?;
        cloudfront.check_name::<T::Live>(Some(&old.id), T::name(inputs))?;
        let mut outputs = old.outputs.clone();
        // An earlier version of this program kept a name there, which would hide a new one.
        outputs.remove("name");
        Ok(outputs)
    }

    async fn delete(
        &self,
        cloudfront: &Arc<CloudFront>,
        resource: &Resource<T::Inputs>,
    ) -> AwsResult<()> {
        cloudfront.remove_shared::<T::Live>(&resource.id)
    }
}
