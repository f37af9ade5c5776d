//! `aws:s3/bucket:Bucket`.

use super::object::BucketObjectv2;
use super::written::Written;
use super::{
    BucketLifecycleConfiguration, BucketOwnershipControls, BucketPolicy, BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration, BucketVersioning, state, unless_gone,
};
use crate::S3;
use crate::buckets::BucketSettings;
use crate::errors;
use crate::names::{BUCKET_NAME_LENGTHS, check_bucket};
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::faults::{Disturbable, FaultKind};
use cloud_core::identity::bucket_arn;
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bucket.
pub(crate) struct Bucket;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BucketInputs {
    bucket: String,
    bucket_prefix: Option<String>,
    force_destroy: Option<bool>,
    object_lock_enabled: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
    // Those of `Written`. Serde cannot flatten a struct and refuse unknown fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_rules: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_encryption_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    versioning: Option<Value>,
}

impl BucketInputs {
    fn written(&self) -> Written {
        Written {
            lifecycle_rules: self.lifecycle_rules.clone(),
            server_side_encryption_configuration: self.server_side_encryption_configuration.clone(),
            versioning: self.versioning.clone(),
        }
    }

    fn write(&mut self, written: Written) {
        self.lifecycle_rules = written.lifecycle_rules;
        self.server_side_encryption_configuration = written.server_side_encryption_configuration;
        self.versioning = written.versioning;
    }
}

#[async_trait]
impl ResourceType for Bucket {
    type Inputs = BucketInputs;
    type Service = S3;

    const TOKEN: &'static str = "aws:s3/bucket:Bucket";
    const REPLACES_ON: &'static [&'static str] =
        &["bucket", "bucketPrefix", "objectLockEnabled", "region"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "bucket",
        max_length: *BUCKET_NAME_LENGTHS.end(),
    });
    const LOWER_CASE_NAME: bool = true;
    const HOLDS: &'static [&'static str] = &[
        BucketObjectv2::TOKEN,
        <BucketLifecycleConfiguration as ResourceType>::TOKEN,
        <BucketOwnershipControls as ResourceType>::TOKEN,
        <BucketPolicy as ResourceType>::TOKEN,
        <BucketPublicAccessBlock as ResourceType>::TOKEN,
        <BucketServerSideEncryptionConfiguration as ResourceType>::TOKEN,
        <BucketVersioning as ResourceType>::TOKEN,
    ];

    fn validate(&self, inputs: &BucketInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Err(reason) = check_bucket(&inputs.bucket) {
            refusals.push(Refusal::new("bucket", reason));
        }
        if inputs.object_lock_enabled == Some(true) {
            refusals.push(Refusal::new(
                "objectLockEnabled",
                "the embedded cloud's S3 has no object lock",
            ));
        }
        refusals
    }

    async fn create(&self, s3: &Arc<S3>, new: &New, inputs: &BucketInputs) -> AwsResult<Deployed> {
        let name = &inputs.bucket;
        let region = &new.region;
        // A bucket is the same one when its creation is repeated after a crash, not when its
        // successor wants its name.
        let declared_as = format!("{}\0{}", new.urn, new.generation);
        let now = s3.context.clock.unix_millis();
        let mut settings = BucketSettings::new(name, region, now, Some(&declared_as));
        settings.tags = inputs.tags.clone().unwrap_or_default();
        s3.buckets.create(settings).await?;
        Ok(deployed(name, region))
    }

    async fn activate(&self, _s3: &Arc<S3>, _resource: &Resource<BucketInputs>) -> AwsResult<()> {
        Ok(())
    }

    async fn update(
        &self,
        s3: &Arc<S3>,
        old: &Resource<BucketInputs>,
        inputs: &BucketInputs,
    ) -> AwsResult<Properties> {
        let tags = inputs.tags.clone().unwrap_or_default();
        let set = |settings: &mut BucketSettings| {
            settings.tags = tags;
            old.inputs.written().take_away(&inputs.written(), settings);
        };
        s3.buckets.change(&inputs.bucket, set).await?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        s3: &Arc<S3>,
        _scope: &Scope<'_>,
        id: &str,
        known: Option<Resource<BucketInputs>>,
    ) -> AwsResult<Option<Resource<BucketInputs>>> {
        let (Some(state), Some(mut known)) = (state(s3, id), known) else {
            return Ok(None);
        };
        let tags = &state.settings.tags;
        if known.inputs.tags.clone().unwrap_or_default() != *tags {
            known.inputs.tags = Some(tags.clone());
        }
        known.inputs.write(match is_written_to(s3).await? {
            true => Written::of(&state.settings),
            false => Written::default(),
        });
        Ok(Some(known))
    }

    async fn import(
        &self,
        s3: &Arc<S3>,
        _scope: &Scope<'_>,
        id: &str,
    ) -> AwsResult<Option<Resource<BucketInputs>>> {
        let Some(state) = state(s3, id) else {
            return Ok(None);
        };
        let settings = &state.settings;
        let inputs = BucketInputs {
            bucket: settings.name.clone(),
            bucket_prefix: None,
            force_destroy: None,
            object_lock_enabled: None,
            tags: (!settings.tags.is_empty()).then(|| settings.tags.clone()),
            lifecycle_rules: None,
            server_side_encryption_configuration: None,
            versioning: None,
        };
        let deployed = deployed(&settings.name, &settings.region);
        Ok(Some(Resource::undeclared(
            &settings.region,
            deployed,
            inputs,
        )))
    }

    async fn delete(&self, s3: &Arc<S3>, resource: &Resource<BucketInputs>) -> AwsResult<()> {
        let name = &resource.inputs.bucket;
        if resource.inputs.force_destroy == Some(true) {
            unless_gone(s3, name, s3.empty(name).await)?;
        }
        unless_gone(s3, name, s3.buckets.delete(name).await)
    }
}

fn deployed(name: &str, region: &str) -> Deployed {
    Deployed::new(
        name,
        json!({
            "arn": bucket_arn(name),
            "bucketDomainName": format!("{name}.s3.amazonaws.com"),
            "bucketRegion": region,
            "bucketRegionalDomainName": regional_domain_name(name, region),
            "region": region,
        }),
    )
}

/// The name by which a distribution knows the bucket as its origin:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>.
pub(super) fn regional_domain_name(bucket: &str, region: &str) -> String {
    format!("{bucket}.s3.{region}.amazonaws.com")
}

/// Does to a read what is asked for. Says whether it is to write into the bucket what resources of
/// their own have set.
async fn is_written_to(s3: &S3) -> AwsResult<bool> {
    let faults = &s3.context.faults;
    let done = faults.strike_as(&FAULTS, READ_BUCKET).await?;
    Ok(done == Some(FaultKind::Settings))
}

const READ_BUCKET: &str = "ReadBucket";

/// What can be disturbed of the aws provider, which reads a bucket from S3.
pub(crate) static FAULTS: Disturbable = Disturbable {
    name: "provider",
    operations: &[READ_BUCKET],
    throttled: errors::slow_down,
    failed: errors::internal_error,
    has_settings: true,
};
