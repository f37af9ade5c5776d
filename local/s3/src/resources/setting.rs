//! What the settings of a bucket have in common, as resources.

use crate::S3;
use crate::buckets::BucketSettings;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_resource::resource::Refusal;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the settings of a bucket have in common: where they are in its record.
#[async_trait]
pub(super) trait Setting: Send + Sync + 'static {
    type Inputs: Serialize + DeserializeOwned + Clone + Send + Sync;
    const TOKEN: &'static str;

    fn bucket(inputs: &Self::Inputs) -> &str;

    fn validate(_inputs: &Self::Inputs) -> Vec<Refusal> {
        Vec::new()
    }

    /// Puts the setting in force.
    async fn apply(s3: &S3, inputs: &Self::Inputs) -> AwsResult<()>;

    /// The inputs that lead to what is in force; nothing when nothing is.
    fn import(settings: &BucketSettings) -> Option<Self::Inputs>;

    /// Changes the inputs to what is in force; false when nothing is.
    fn refresh(settings: &BucketSettings, inputs: &mut Self::Inputs) -> bool;

    /// Goes back to what a bucket has without it.
    async fn reset(s3: &S3, inputs: &Self::Inputs) -> AwsResult<()>;
}

/// Makes resource types of settings.
macro_rules! setting {
    ($name:ident, $inputs:ident) => {
        #[async_trait]
        impl ResourceType for $name {
            type Inputs = $inputs;
            type Service = S3;

            const TOKEN: &'static str = <Self as Setting>::TOKEN;
            const REPLACES_ON: &'static [&'static str] = &["bucket", "region"];
            /// Each is a PUT of a subresource of the bucket.
            const OVERWRITES: bool = true;

            fn validate(&self, inputs: &$inputs) -> Vec<Refusal> {
                <Self as Setting>::validate(inputs)
            }

            async fn create(
                &self,
                s3: &Arc<S3>,
                new: &New,
                inputs: &$inputs,
            ) -> AwsResult<Deployed> {
                Self::apply(s3, inputs).await?;
                let bucket = Self::bucket(inputs);
                Ok(Deployed::new(bucket, json!({ "region": new.region })))
            }

            async fn activate(
                &self,
                _s3: &Arc<S3>,
                _resource: &Resource<$inputs>,
            ) -> AwsResult<()> {
                Ok(())
            }

            async fn update(
                &self,
                s3: &Arc<S3>,
                old: &Resource<$inputs>,
                inputs: &$inputs,
            ) -> AwsResult<Properties> {
                Self::apply(s3, inputs).await?;
                Ok(old.outputs.clone())
            }

            async fn read(
                &self,
                s3: &Arc<S3>,
                _scope: &Scope<'_>,
                id: &str,
                known: Option<Resource<$inputs>>,
            ) -> AwsResult<Option<Resource<$inputs>>> {
                let (Some(state), Some(mut known)) = (state(s3, id), known) else {
                    return Ok(None);
                };
                let is_there = Self::refresh(&state.settings, &mut known.inputs);
                Ok(is_there.then_some(known))
            }

            async fn import(
                &self,
                s3: &Arc<S3>,
                _scope: &Scope<'_>,
                id: &str,
            ) -> AwsResult<Option<Resource<$inputs>>> {
                let Some(state) = state(s3, id) else {
                    return Ok(None);
                };
                let region = &state.settings.region;
                let inputs = <Self as Setting>::import(&state.settings);
                let deployed = Deployed::new(id, json!({ "region": region }));
                Ok(inputs.map(|inputs| Resource::undeclared(region, deployed, inputs)))
            }

            async fn delete(
                &self,
                s3: &Arc<S3>,
                resource: &Resource<$inputs>,
            ) -> AwsResult<()> {
                let reset = Self::reset(s3, &resource.inputs).await;
                unless_gone(s3, Self::bucket(&resource.inputs), reset)
            }
        }
    };
}

pub(super) use setting;
