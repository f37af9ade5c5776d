//! A private bucket: encrypted, owned by this account alone, closed to the public, TLS only.

use aws::s3::{
    bucket, bucket_ownership_controls, bucket_policy, bucket_public_access_block,
    bucket_server_side_encryption_configuration as encryption,
};
use aws::types::s3::{
    BucketOwnershipControlsRule, BucketServerSideEncryptionConfigurationRule,
    BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefault,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, Urn, all};
use serde_json::Value;

use crate::policy;
use crate::scope::Scope;

/// Inputs of a bucket that other resources declare. When a stack was refreshed, versions of the
/// provider wrote the settings of those resources into the bucket's own inputs, and the next update
/// then removed them from the bucket: <https://github.com/pulumi/pulumi-aws/issues/6244>.
const OWNED_BY_OTHERS: [&str; 6] = [
    "acl",
    "grants",
    "lifecycleRules",
    "policy",
    "serverSideEncryptionConfiguration",
    "versioning",
];

pub struct PrivateBucket {
    pub name: Output<String>,
    pub arn: Output<String>,
    pub regional_domain_name: Output<String>,
    /// What an object may rely on: the bucket is closed, of one owner, and encrypted.
    settings: [Urn; 3],
    logical_name: &'static str,
}

/// What one bucket has and another has not.
#[derive(Default)]
pub struct BucketSettings<'a> {
    /// The physical name; otherwise one is made up.
    pub bucket: Option<&'a str>,
    /// Whether its deletion is refused.
    pub protect: bool,
}

impl PrivateBucket {
    /// The bucket, to which a [`policy`](Self::policy) still belongs.
    pub fn new(
        scope: &Scope<'_>,
        parent: &Component,
        name: &'static str,
        settings: &BucketSettings<'_>,
    ) -> Self {
        let program = scope.program;
        let options = Options::new().parent(parent);
        let bucket = bucket::create_with_options(
            program,
            name,
            bucket::BucketArgs::builder()
                .bucket(settings.bucket.map(str::to_owned))
                .force_destroy(scope.config.storage.force_destroy)
                .build_struct(),
            options
                .clone()
                .protect(settings.protect)
                .ignore_changes(&OWNED_BY_OTHERS),
        );
        let access = bucket_public_access_block::create_with_options(
            program,
            &format!("{name}-access"),
            bucket_public_access_block::BucketPublicAccessBlockArgs::builder()
                .bucket(bucket.bucket.clone())
                .block_public_acls(true)
                .block_public_policy(true)
                .ignore_public_acls(true)
                .restrict_public_buckets(true)
                .build_struct(),
            options.clone(),
        );
        let ownership = bucket_ownership_controls::create_with_options(
            program,
            &format!("{name}-ownership"),
            bucket_ownership_controls::BucketOwnershipControlsArgs::builder()
                .bucket(bucket.bucket.clone())
                .rule(
                    BucketOwnershipControlsRule::builder()
                        .object_ownership("BucketOwnerEnforced")
                        .build_struct(),
                )
                .build_struct(),
            options.clone(),
        );
        let encryption = encryption::create_with_options(
            program,
            &format!("{name}-encryption"),
            encryption::BucketServerSideEncryptionConfigurationArgs::builder()
                .bucket(bucket.bucket.clone())
                .rules([encrypted()])
                .build_struct(),
            options,
        );
        Self {
            name: bucket.bucket,
            arn: bucket.arn,
            regional_domain_name: bucket.bucket_regional_domain_name,
            settings: [access.urn, ownership.urn, encryption.urn],
            logical_name: name,
        }
    }

    /// The options of an object in it.
    pub fn object(&self, parent: &Component) -> Options {
        let [access, ownership, encryption] = &self.settings;
        Options::new()
            .parent(parent)
            .depends_on(&[access, ownership, encryption])
    }

    /// The bucket's policy: TLS only, and what `statements` add.
    pub fn policy(&self, scope: &Scope<'_>, parent: &Component, statements: Output<Vec<Value>>) {
        let document = all((&self.arn, &statements)).map(|(arn, more)| {
            let mut statements = vec![policy::tls_only(&arn)];
            statements.extend(more);
            policy::document(&statements)
        });
        bucket_policy::create_with_options(
            scope.program,
            &format!("{}-policy", self.logical_name),
            bucket_policy::BucketPolicyArgs::builder()
                .bucket(self.name.clone())
                .policy(document)
                .build_struct(),
            Options::new().parent(parent),
        );
    }
}

/// Encrypts with S3's own keys, which cost nothing and need no policy, and blocks keys that the
/// client brings (SSE-C), as S3 does for new buckets since April 2026:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-s3-c-encryption-setting-faq.html>.
fn encrypted() -> BucketServerSideEncryptionConfigurationRule {
    let by_default =
        BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefault::builder()
            .sse_algorithm("AES256")
            .build_struct();
    BucketServerSideEncryptionConfigurationRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .blocked_encryption_types(vec!["SSE-C".to_owned()])
        .bucket_key_enabled(false)
        .build_struct()
}
