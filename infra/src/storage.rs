//! The bucket that the clicks end up in.

use aws::s3::{bucket_lifecycle_configuration as lifecycle, bucket_versioning};
use aws::types::s3::{
    BucketLifecycleConfigurationRule,
    BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    BucketLifecycleConfigurationRuleExpiration, BucketLifecycleConfigurationRuleFilter,
    BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    BucketVersioningVersioningConfiguration,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output};

use crate::bucket::{BucketSettings, PrivateBucket};
use crate::config::Storage;
use crate::scope::Scope;

/// Days that an overwritten or deleted object can still be brought back.
const OLD_VERSIONS_DAYS: i32 = 30;
/// Days after which an upload that was never finished is given up.
const UNFINISHED_UPLOADS_DAYS: i32 = 7;

/// The clicks bucket: versioned, with lifecycles.
pub fn clicks_bucket(scope: &Scope<'_>) -> PrivateBucket {
    let storage = scope.component("Storage", "storage");
    let config = &scope.config.storage;
    let settings = BucketSettings {
        bucket: config.bucket_name.as_deref(),
        protect: config.protect,
    };
    let bucket = PrivateBucket::new(scope, &storage, "mysfits-clicks", &settings);
    bucket.policy(scope, &storage, Output::new(Vec::new()));

    let options = Options::new().parent(&storage);
    let versioning = bucket_versioning::create_with_options(
        scope.program,
        "mysfits-clicks-versioning",
        bucket_versioning::BucketVersioningArgs::builder()
            .bucket(bucket.name.clone())
            .versioning_configuration(
                BucketVersioningVersioningConfiguration::builder()
                    .status("Enabled")
                    .build_struct(),
            )
            .build_struct(),
        options.clone(),
    );
    lifecycle::create_with_options(
        scope.program,
        "mysfits-clicks-lifecycle",
        lifecycle::BucketLifecycleConfigurationArgs::builder()
            // By way of the versioning: a rule for old versions needs it.
            .bucket(versioning.bucket)
            .rules(lifecycle_rules(config))
            .build_struct(),
        options,
    );
    storage.output("bucket", &bucket.name);
    bucket
}

fn lifecycle_rules(config: &Storage) -> Vec<BucketLifecycleConfigurationRule> {
    let mut rules = vec![
        BucketLifecycleConfigurationRule::builder()
            .id("leftovers")
            .status("Enabled")
            .filter(everything())
            .noncurrent_version_expiration(
                BucketLifecycleConfigurationRuleNoncurrentVersionExpiration::builder()
                    .noncurrent_days(OLD_VERSIONS_DAYS)
                    .build_struct(),
            )
            .abort_incomplete_multipart_upload(
                BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload::builder()
                    .days_after_initiation(UNFINISHED_UPLOADS_DAYS)
                    .build_struct(),
            )
            .build_struct(),
    ];
    rules.extend(config.clicks_retention.map(|days| {
        BucketLifecycleConfigurationRule::builder()
            .id("clicks")
            .status("Enabled")
            .filter(everything())
            .expiration(
                BucketLifecycleConfigurationRuleExpiration::builder()
                    .days(days.cast_signed())
                    .build_struct(),
            )
            .build_struct()
    }));
    rules
}

fn everything() -> BucketLifecycleConfigurationRuleFilter {
    BucketLifecycleConfigurationRuleFilter::builder()
        .prefix("")
        .build_struct()
}
