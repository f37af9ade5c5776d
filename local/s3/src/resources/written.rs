//! What a read of a bucket has written into the bucket's inputs, though resources of their own had
//! set it.
//!
//! Versions of the aws provider did so at a refresh. The next update then found these inputs in the
//! state and not in the program, and took the settings away from the bucket:
//! <https://github.com/pulumi/pulumi-aws/issues/6244>. A fault asks for it
//! (docs/compatibility/operator.md); without it a read writes none of them.

use crate::buckets::BucketSettings;
use crate::lifecycle::{Rule, Status};
use crate::versioning::Versioning;
use serde_json::{Map, Value, json};

/// The deprecated inputs of a bucket that other resources own, as the aws package has them
/// (`aws:s3/bucket:Bucket`: `lifecycleRules`, `serverSideEncryptionConfiguration`, `versioning`).
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub lifecycle_rules: Option<Value>,
    pub server_side_encryption_configuration: Option<Value>,
    pub versioning: Option<Value>,
}

impl Written {
    /// What is in force, as inputs of the bucket.
    pub(super) fn of(settings: &BucketSettings) -> Self {
        let rules: Vec<Value> = settings.lifecycle.iter().map(rule).collect();
        let enabled = settings.versioning == Versioning::Enabled;
        Self {
            lifecycle_rules: (!rules.is_empty()).then_some(Value::Array(rules)),
            server_side_encryption_configuration: Some(json!({ "rule": {
                "applyServerSideEncryptionByDefault": { "sseAlgorithm": "AES256" },
                "bucketKeyEnabled": settings.bucket_key_enabled,
            } })),
            versioning: enabled.then(|| json!({ "enabled": true, "mfaDelete": false })),
        }
    }

    /// Takes from a bucket what was an input before and is none now.
    pub(super) fn take_away(&self, now: &Self, settings: &mut BucketSettings) {
        let gone = |before: &Option<Value>, now: &Option<Value>| before.is_some() && now.is_none();
        if gone(&self.lifecycle_rules, &now.lifecycle_rules) {
            settings.lifecycle.clear();
        }
        if gone(
            &self.server_side_encryption_configuration,
            &now.server_side_encryption_configuration,
        ) {
            settings.bucket_key_enabled = false;
        }
        if gone(&self.versioning, &now.versioning) {
            settings.versioning = Versioning::Suspended;
        }
    }
}

fn rule(rule: &Rule) -> Value {
    let mut inputs = Map::new();
    let mut set = |name: &str, value: Value| inputs.insert(name.to_owned(), value);
    set("id", json!(rule.id));
    set("enabled", json!(rule.status == Status::Enabled));
    let filter = rule.filter.as_ref();
    let prefix = rule.prefix.as_ref();
    if let Some(prefix) = prefix.or(filter.and_then(|filter| filter.prefix.as_ref())) {
        set("prefix", json!(prefix));
    }
    if let Some(expiration) = &rule.expiration {
        set("expiration", json!(expiration));
    }
    if let Some(expiration) = &rule.noncurrent_version_expiration {
        let days = expiration.noncurrent_days;
        set("noncurrentVersionExpiration", json!({ "days": days }));
    }
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    if let Some(days) = abort.and_then(|abort| abort.days_after_initiation) {
        set("abortIncompleteMultipartUploadDays", json!(days));
    }
    Value::Object(inputs)
}
