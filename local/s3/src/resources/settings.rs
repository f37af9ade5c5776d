//! The settings of a bucket that are resources of their own, each under the bucket's name.

use super::setting::{Setting, setting};
use super::{state, unless_gone};
use crate::S3;
use crate::buckets::BucketSettings;
use crate::buckets::{BUCKET_OWNER_ENFORCED, PublicAccessBlock};
use crate::lifecycle::{Rule, check};
use crate::versioning::Versioning;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_iam::document::{Document, PolicyKind};
use cloud_resource::resource::{Deployed, New, Properties, Refusal, Resource, ResourceType, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// `aws:s3/bucketVersioning:BucketVersioning`.
pub(crate) struct BucketVersioning;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BucketVersioningInputs {
    bucket: String,
    versioning_configuration: VersioningConfiguration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VersioningConfiguration {
    status: VersioningStatus,
    mfa_delete: Option<MfaDelete>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum VersioningStatus {
    Enabled,
    Suspended,
    /// Never versioned: what a bucket is from the start, and cannot become again.
    Disabled,
}

impl From<Versioning> for VersioningStatus {
    fn from(versioning: Versioning) -> Self {
        match versioning {
            Versioning::Never => Self::Disabled,
            Versioning::Enabled => Self::Enabled,
            Versioning::Suspended => Self::Suspended,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MfaDelete {
    Enabled,
    Disabled,
}

setting!(BucketVersioning, BucketVersioningInputs);

#[async_trait]
impl Setting for BucketVersioning {
    type Inputs = BucketVersioningInputs;
    const TOKEN: &'static str = "aws:s3/bucketVersioning:BucketVersioning";

    fn bucket(inputs: &BucketVersioningInputs) -> &str {
        &inputs.bucket
    }

    fn validate(inputs: &BucketVersioningInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if inputs.versioning_configuration.mfa_delete == Some(MfaDelete::Enabled) {
            refusals.push(Refusal::new(
                "versioningConfiguration.mfaDelete",
                "the embedded cloud's S3 has no MFA delete",
            ));
        }
        refusals
    }

    async fn apply(s3: &S3, inputs: &BucketVersioningInputs) -> AwsResult<()> {
        let wanted = inputs.versioning_configuration.status;
        let set = |settings: &mut BucketSettings| match wanted {
            VersioningStatus::Enabled => settings.versioning = Versioning::Enabled,
            VersioningStatus::Suspended => settings.versioning = Versioning::Suspended,
            VersioningStatus::Disabled => {}
        };
        s3.buckets.change(&inputs.bucket, set).await
    }

    fn import(settings: &BucketSettings) -> Option<BucketVersioningInputs> {
        Some(BucketVersioningInputs {
            bucket: settings.name.clone(),
            versioning_configuration: VersioningConfiguration {
                status: settings.versioning.into(),
                mfa_delete: None,
            },
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut BucketVersioningInputs) -> bool {
        inputs.versioning_configuration.status = settings.versioning.into();
        true
    }

    async fn reset(s3: &S3, inputs: &BucketVersioningInputs) -> AwsResult<()> {
        let suspend = |settings: &mut BucketSettings| {
            if settings.versioning == Versioning::Enabled {
                settings.versioning = Versioning::Suspended;
            }
        };
        s3.buckets.change(&inputs.bucket, suspend).await
    }
}

/// `aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration`.
pub(crate) struct BucketServerSideEncryptionConfiguration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EncryptionInputs {
    bucket: String,
    rules: Vec<EncryptionRule>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EncryptionRule {
    apply_server_side_encryption_by_default: Option<EncryptionByDefault>,
    /// `SSE-C` or `NONE`. Objects under a key of their owner's are refused here in any case.
    blocked_encryption_types: Option<Vec<String>>,
    bucket_key_enabled: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EncryptionByDefault {
    sse_algorithm: String,
}

setting!(BucketServerSideEncryptionConfiguration, EncryptionInputs);

#[async_trait]
impl Setting for BucketServerSideEncryptionConfiguration {
    type Inputs = EncryptionInputs;
    const TOKEN: &'static str =
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";

    fn bucket(inputs: &EncryptionInputs) -> &str {
        &inputs.bucket
    }

    fn validate(inputs: &EncryptionInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if inputs.rules.len() != 1 {
            refusals.push(Refusal::new("rules", "there must be exactly one rule"));
        }
        for rule in &inputs.rules {
            let mut blocked = rule.blocked_encryption_types.iter().flatten();
            if let Some(other) = blocked.find(|kind| !["NONE", "SSE-C"].contains(&kind.as_str())) {
                refusals.push(Refusal::new(
                    "rules[0].blockedEncryptionTypes",
                    format!("{other:?} is neither SSE-C nor NONE"),
                ));
            }
            if let Some(by_default) = &rule.apply_server_side_encryption_by_default
                && by_default.sse_algorithm != "AES256"
            {
                refusals.push(Refusal::new(
                    "rules[0].applyServerSideEncryptionByDefault.sseAlgorithm",
                    format!(
                        "the embedded cloud's S3 has no encryption by {}, only AES256",
                        by_default.sse_algorithm
                    ),
                ));
            }
        }
        refusals
    }

    async fn apply(s3: &S3, inputs: &EncryptionInputs) -> AwsResult<()> {
        let key = inputs
            .rules
            .iter()
            .any(|rule| rule.bucket_key_enabled == Some(true));
        let set = |settings: &mut BucketSettings| settings.bucket_key_enabled = key;
        s3.buckets.change(&inputs.bucket, set).await
    }

    /// Every bucket is encrypted, with S3's own keys if nothing else is said:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html>.
    fn import(settings: &BucketSettings) -> Option<EncryptionInputs> {
        let by_default = EncryptionByDefault {
            sse_algorithm: "AES256".to_owned(),
        };
        Some(EncryptionInputs {
            bucket: settings.name.clone(),
            rules: vec![EncryptionRule {
                apply_server_side_encryption_by_default: Some(by_default),
                blocked_encryption_types: None,
                bucket_key_enabled: Some(settings.bucket_key_enabled),
            }],
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut EncryptionInputs) -> bool {
        for rule in &mut inputs.rules {
            if rule.bucket_key_enabled.unwrap_or(false) != settings.bucket_key_enabled {
                rule.bucket_key_enabled = Some(settings.bucket_key_enabled);
            }
        }
        true
    }

    async fn reset(s3: &S3, inputs: &EncryptionInputs) -> AwsResult<()> {
        let unset = |settings: &mut BucketSettings| settings.bucket_key_enabled = false;
        s3.buckets.change(&inputs.bucket, unset).await
    }
}

/// `aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock`.
pub(crate) struct BucketPublicAccessBlock;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PublicAccessBlockInputs {
    bucket: String,
    block_public_acls: Option<bool>,
    block_public_policy: Option<bool>,
    ignore_public_acls: Option<bool>,
    restrict_public_buckets: Option<bool>,
    skip_destroy: Option<bool>,
}

setting!(BucketPublicAccessBlock, PublicAccessBlockInputs);

#[async_trait]
impl Setting for BucketPublicAccessBlock {
    type Inputs = PublicAccessBlockInputs;
    const TOKEN: &'static str = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";

    fn bucket(inputs: &PublicAccessBlockInputs) -> &str {
        &inputs.bucket
    }

    async fn apply(s3: &S3, inputs: &PublicAccessBlockInputs) -> AwsResult<()> {
        let block = PublicAccessBlock {
            block_public_acls: inputs.block_public_acls.unwrap_or_default(),
            block_public_policy: inputs.block_public_policy.unwrap_or_default(),
            ignore_public_acls: inputs.ignore_public_acls.unwrap_or_default(),
            restrict_public_buckets: inputs.restrict_public_buckets.unwrap_or_default(),
        };
        let set = |settings: &mut BucketSettings| settings.public_access_block = Some(block);
        s3.buckets.change(&inputs.bucket, set).await
    }

    fn import(settings: &BucketSettings) -> Option<PublicAccessBlockInputs> {
        let block = settings.public_access_block?;
        Some(PublicAccessBlockInputs {
            bucket: settings.name.clone(),
            block_public_acls: Some(block.block_public_acls),
            block_public_policy: Some(block.block_public_policy),
            ignore_public_acls: Some(block.ignore_public_acls),
            restrict_public_buckets: Some(block.restrict_public_buckets),
            skip_destroy: None,
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut PublicAccessBlockInputs) -> bool {
        let Some(block) = settings.public_access_block else {
            return false;
        };
        for (input, actual) in [
            (&mut inputs.block_public_acls, block.block_public_acls),
            (&mut inputs.block_public_policy, block.block_public_policy),
            (&mut inputs.ignore_public_acls, block.ignore_public_acls),
            (
                &mut inputs.restrict_public_buckets,
                block.restrict_public_buckets,
            ),
        ] {
            if input.unwrap_or_default() != actual {
                *input = Some(actual);
            }
        }
        true
    }

    async fn reset(s3: &S3, inputs: &PublicAccessBlockInputs) -> AwsResult<()> {
        if inputs.skip_destroy == Some(true) {
            return Ok(());
        }
        let unset = |settings: &mut BucketSettings| settings.public_access_block = None;
        s3.buckets.change(&inputs.bucket, unset).await
    }
}

/// `aws:s3/bucketOwnershipControls:BucketOwnershipControls`.
pub(crate) struct BucketOwnershipControls;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OwnershipControlsInputs {
    bucket: String,
    rule: OwnershipRule,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct OwnershipRule {
    object_ownership: String,
}

setting!(BucketOwnershipControls, OwnershipControlsInputs);

#[async_trait]
impl Setting for BucketOwnershipControls {
    type Inputs = OwnershipControlsInputs;
    const TOKEN: &'static str = "aws:s3/bucketOwnershipControls:BucketOwnershipControls";

    fn bucket(inputs: &OwnershipControlsInputs) -> &str {
        &inputs.bucket
    }

    fn validate(inputs: &OwnershipControlsInputs) -> Vec<Refusal> {
        let ownership = &inputs.rule.object_ownership;
        let mut refusals = Vec::new();
        if ownership != BUCKET_OWNER_ENFORCED {
            refusals.push(Refusal::new(
                "rule.objectOwnership",
                format!(
                    "the embedded cloud's S3 has no access control lists, so that ownership is \
                     {BUCKET_OWNER_ENFORCED} and not {ownership}"
                ),
            ));
        }
        refusals
    }

    async fn apply(s3: &S3, inputs: &OwnershipControlsInputs) -> AwsResult<()> {
        let ownership = inputs.rule.object_ownership.clone();
        let set = |settings: &mut BucketSettings| settings.ownership = Some(ownership);
        s3.buckets.change(&inputs.bucket, set).await
    }

    fn import(settings: &BucketSettings) -> Option<OwnershipControlsInputs> {
        Some(OwnershipControlsInputs {
            bucket: settings.name.clone(),
            rule: OwnershipRule {
                object_ownership: settings.ownership.clone()?,
            },
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut OwnershipControlsInputs) -> bool {
        let Some(ownership) = &settings.ownership else {
            return false;
        };
        inputs.rule.object_ownership.clone_from(ownership);
        true
    }

    async fn reset(s3: &S3, inputs: &OwnershipControlsInputs) -> AwsResult<()> {
        let unset = |settings: &mut BucketSettings| settings.ownership = None;
        s3.buckets.change(&inputs.bucket, unset).await
    }
}

/// `aws:s3/bucketPolicy:BucketPolicy`.
pub(crate) struct BucketPolicy;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BucketPolicyInputs {
    bucket: String,
    policy: String,
}

setting!(BucketPolicy, BucketPolicyInputs);

#[async_trait]
impl Setting for BucketPolicy {
    type Inputs = BucketPolicyInputs;
    const TOKEN: &'static str = "aws:s3/bucketPolicy:BucketPolicy";

    fn bucket(inputs: &BucketPolicyInputs) -> &str {
        &inputs.bucket
    }

    fn validate(inputs: &BucketPolicyInputs) -> Vec<Refusal> {
        match Document::parse(&inputs.policy, PolicyKind::Resource) {
            Ok(_) => Vec::new(),
            Err(reason) => vec![Refusal::new("policy", reason)],
        }
    }

    async fn apply(s3: &S3, inputs: &BucketPolicyInputs) -> AwsResult<()> {
        let policy = Some(inputs.policy.clone());
        s3.set_policy(&inputs.bucket, policy).await
    }

    fn import(settings: &BucketSettings) -> Option<BucketPolicyInputs> {
        Some(BucketPolicyInputs {
            bucket: settings.name.clone(),
            policy: settings.policy.clone()?,
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut BucketPolicyInputs) -> bool {
        let Some(policy) = &settings.policy else {
            return false;
        };
        inputs.policy.clone_from(policy);
        true
    }

    async fn reset(s3: &S3, inputs: &BucketPolicyInputs) -> AwsResult<()> {
        s3.set_policy(&inputs.bucket, None).await
    }
}

/// `aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration`.
pub(crate) struct BucketLifecycleConfiguration;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LifecycleInputs {
    bucket: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

setting!(BucketLifecycleConfiguration, LifecycleInputs);

#[async_trait]
impl Setting for BucketLifecycleConfiguration {
    type Inputs = LifecycleInputs;
    const TOKEN: &'static str = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";

    fn bucket(inputs: &LifecycleInputs) -> &str {
        &inputs.bucket
    }

    fn validate(inputs: &LifecycleInputs) -> Vec<Refusal> {
        match check(&inputs.rules) {
            Ok(()) => Vec::new(),
            Err(reason) => vec![Refusal::new("rules", reason)],
        }
    }

    async fn apply(s3: &S3, inputs: &LifecycleInputs) -> AwsResult<()> {
        let rules = inputs.rules.clone();
        let set = |settings: &mut BucketSettings| settings.lifecycle = rules;
        s3.buckets.change(&inputs.bucket, set).await
    }

    fn import(settings: &BucketSettings) -> Option<LifecycleInputs> {
        let rules = settings.lifecycle.clone();
        (!rules.is_empty()).then(|| LifecycleInputs {
            bucket: settings.name.clone(),
            rules,
        })
    }

    fn refresh(settings: &BucketSettings, inputs: &mut LifecycleInputs) -> bool {
        inputs.rules.clone_from(&settings.lifecycle);
        !inputs.rules.is_empty()
    }

    async fn reset(s3: &S3, inputs: &LifecycleInputs) -> AwsResult<()> {
        let unset = |settings: &mut BucketSettings| settings.lifecycle.clear();
        s3.buckets.change(&inputs.bucket, unset).await
    }
}
