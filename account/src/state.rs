//! Where states are kept, and the key of their secrets. Both are protected, because their content
//! cannot be restored.

use aws::kms::{alias, key};
use aws::s3::{
    bucket, bucket_ownership_controls, bucket_policy, bucket_public_access_block, bucket_versioning,
};
use aws::types::s3::{BucketOwnershipControlsRule, BucketVersioningVersioningConfiguration};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output, Program, all};

use crate::{Place, names, policies};

/// Days in which the deletion of the key can be taken back: the longest time that there is.
pub const WAITING_DAYS: i32 = 30;

pub struct StateStorage {
    pub bucket: Output<String>,
    pub bucket_arn: Output<String>,
    pub key_arn: Output<String>,
}

impl StateStorage {
    pub fn new(program: &Program, place: &Place, options: &Options) -> Self {
        let name = all((&place.account, &place.region))
            .map(|(account, region)| names::state_bucket(&account, &region));
        let bucket = bucket::create_with_options(
            program,
            "state",
            bucket::BucketArgs::builder().bucket(name).build_struct(),
            options.clone().protect(true),
        );
        let versioning = BucketVersioningVersioningConfiguration::builder()
            .status("Enabled")
            .build_struct();
        bucket_versioning::create(
            program,
            "state",
            bucket_versioning::BucketVersioningArgs::builder()
                .bucket(bucket.bucket.clone())
                .versioning_configuration(versioning)
                .build_struct(),
        );
        bucket_public_access_block::create(
            program,
            "state",
            bucket_public_access_block::BucketPublicAccessBlockArgs::builder()
                .bucket(bucket.bucket.clone())
                .block_public_acls(true)
                .block_public_policy(true)
                .ignore_public_acls(true)
                .restrict_public_buckets(true)
                .build_struct(),
        );
        let rule = BucketOwnershipControlsRule::builder()
            .object_ownership("BucketOwnerEnforced")
            .build_struct();
        bucket_ownership_controls::create(
            program,
            "state",
            bucket_ownership_controls::BucketOwnershipControlsArgs::builder()
                .bucket(bucket.bucket.clone())
                .rule(rule)
                .build_struct(),
        );
        bucket_policy::create(
            program,
            "state",
            bucket_policy::BucketPolicyArgs::builder()
                .bucket(bucket.bucket.clone())
                .policy(bucket.arn.map(|arn| policies::tls_only(&arn).to_string()))
                .build_struct(),
        );
        let key = key::create_with_options(
            program,
            "secrets",
            key::KeyArgs::builder()
                .description("The secrets in the states of mysfits")
                .enable_key_rotation(true)
                .deletion_window_in_days(WAITING_DAYS)
                .build_struct(),
            options.clone().protect(true),
        );
        alias::create(
            program,
            "secrets",
            alias::AliasArgs::builder()
                .name(names::ALIAS)
                .target_key_id(key.key_id)
                .build_struct(),
        );
        Self {
            bucket: bucket.bucket,
            bucket_arn: bucket.arn,
            key_arn: key.arn,
        }
    }
}
