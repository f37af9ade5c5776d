//! A bucket's lifecycle rules, in S3's shapes.

use super::convert::caller;
use super::refused::Outcome;
use super::settings::{authorized, bucket_of, change};
use crate::S3;
use crate::errors::{invalid_argument, malformed_xml, not_implemented};
use crate::lifecycle::{
    AbortIncompleteMultipartUpload as Abort, Expiration, Filter, FilterAnd, FilterTag,
    NoncurrentVersionExpiration as Noncurrent, Rule, Status, check,
};
use cloud_core::error::{AwsError, AwsResult};
use s3s::dto::*;
use s3s::{S3Request, S3Response};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(super) async fn get(
    s3: &S3,
    req: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Outcome<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let state = bucket_of!(s3, req, "s3:GetLifecycleConfiguration");
    if state.settings.lifecycle.is_empty() {
        return Err(AwsError::new(
            404,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        )
        .into());
    }
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(state.settings.lifecycle.iter().map(shown_rule).collect()),
        ..GetBucketLifecycleConfigurationOutput::default()
    }))
}

pub(super) async fn put(
    s3: &S3,
    req: S3Request<PutBucketLifecycleConfigurationInput>,
) -> Outcome<S3Response<PutBucketLifecycleConfigurationOutput>> {
    bucket_of!(s3, req, "s3:PutLifecycleConfiguration");
    let rules = req
        .input
        .lifecycle_configuration
        .map(|configuration| configuration.rules);
    let rules = rules.unwrap_or_default();
    let rules = rules
        .into_iter()
        .map(asked_rule)
        .collect::<AwsResult<Vec<_>>>()?;
    check(&rules).map_err(invalid_argument)?;
    change(s3, &req.input.bucket, |settings| {
        settings.lifecycle = rules;
    })
    .await
}

pub(super) async fn delete(
    s3: &S3,
    req: S3Request<DeleteBucketLifecycleInput>,
) -> Outcome<S3Response<DeleteBucketLifecycleOutput>> {
    bucket_of!(s3, req, "s3:PutLifecycleConfiguration");
    change(s3, &req.input.bucket, |settings| {
        settings.lifecycle.clear();
    })
    .await
}

fn asked_rule(rule: LifecycleRule) -> AwsResult<Rule> {
    if rule.transitions.is_some_and(|list| !list.is_empty())
        || rule
            .noncurrent_version_transitions
            .is_some_and(|list| !list.is_empty())
    {
        return Err(not_implemented("transitions between storage classes"));
    }
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
    if rule.filter.is_none() && rule.prefix.is_none() {
        return Err(malformed_xml());
    }
    Ok(Rule {
        // S3 makes an id for a rule without one.
        id: rule.id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        status: match rule.status.as_str() {
            ExpirationStatus::ENABLED => Status::Enabled,
            ExpirationStatus::DISABLED => Status::Disabled,
            _ => return Err(malformed_xml()),
        },
        filter: rule.filter.map(asked_filter).transpose()?,
        prefix: rule.prefix,
        expiration: rule.expiration.map(asked_expiration).transpose()?,
        noncurrent_version_expiration: rule
            .noncurrent_version_expiration
            .map(|noncurrent| {
                Ok::<_, AwsError>(Noncurrent {
                    noncurrent_days: count(noncurrent.noncurrent_days)?.unwrap_or(0),
                    newer_noncurrent_versions: count(noncurrent.newer_noncurrent_versions)?,
                })
            })
            .transpose()?,
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload
            .map(|abort| {
                Ok::<_, AwsError>(Abort {
                    days_after_initiation: count(abort.days_after_initiation)?,
                })
            })
            .transpose()?,
    })
}

fn asked_expiration(expiration: LifecycleExpiration) -> AwsResult<Expiration> {
    let date = expiration.date.map(|date| {
        let date: OffsetDateTime = date.into();
        date.format(&Rfc3339).map_err(AwsError::internal)
    });
    Ok(Expiration {
        days: count(expiration.days)?,
        date: date.transpose()?,
        expired_object_delete_marker: expiration.expired_object_delete_marker,
    })
}

fn asked_filter(filter: LifecycleRuleFilter) -> AwsResult<Filter> {
    let and = filter.and.map(|and| {
        Ok::<_, AwsError>(FilterAnd {
            prefix: and.prefix,
            object_size_greater_than: size(and.object_size_greater_than)?,
            object_size_less_than: size(and.object_size_less_than)?,
            tags: and.tags.map(|tags| {
                tags.into_iter()
                    .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
                    .collect()
            }),
        })
    });
    Ok(Filter {
        prefix: filter.prefix,
        object_size_greater_than: size(filter.object_size_greater_than)?,
        object_size_less_than: size(filter.object_size_less_than)?,
        tag: filter.tag.map(|tag| FilterTag {
            key: tag.key.unwrap_or_default(),
            value: tag.value.unwrap_or_default(),
        }),
        and: and.transpose()?,
    })
}

fn count(number: Option<i32>) -> AwsResult<Option<u32>> {
    let number = number.map(u32::try_from).transpose();
    number.map_err(|_| invalid_argument("A number of days or versions must be positive"))
}

fn size(bytes: Option<i64>) -> AwsResult<Option<u64>> {
    let bytes = bytes.map(u64::try_from).transpose();
    bytes.map_err(|_| invalid_argument("A size must be positive"))
}

fn shown_rule(rule: &Rule) -> LifecycleRule {
    LifecycleRule {
        abort_incomplete_multipart_upload: rule.abort_incomplete_multipart_upload.as_ref().map(
            |abort| AbortIncompleteMultipartUpload {
                days_after_initiation: shown_count(abort.days_after_initiation),
            },
        ),
        expiration: rule
            .expiration
            .as_ref()
            .map(|expiration| LifecycleExpiration {
                date: expiration.date.as_deref().and_then(|date| {
                    let date = OffsetDateTime::parse(date, &Rfc3339).ok();
                    date.map(Timestamp::from)
                }),
                days: shown_count(expiration.days),
                expired_object_delete_marker: expiration.expired_object_delete_marker,
            }),
        filter: rule.filter.as_ref().map(shown_filter),
        id: Some(rule.id.clone()),
        noncurrent_version_expiration: rule.noncurrent_version_expiration.as_ref().map(
            |noncurrent| NoncurrentVersionExpiration {
                newer_noncurrent_versions: shown_count(noncurrent.newer_noncurrent_versions),
                noncurrent_days: shown_count(Some(noncurrent.noncurrent_days)),
            },
        ),
        noncurrent_version_transitions: None,
        prefix: rule.prefix.clone(),
        status: ExpirationStatus::from_static(match rule.status {
            Status::Enabled => ExpirationStatus::ENABLED,
            Status::Disabled => ExpirationStatus::DISABLED,
        }),
        transitions: None,
    }
}

fn shown_filter(filter: &Filter) -> LifecycleRuleFilter {
    LifecycleRuleFilter {
        and: filter.and.as_ref().map(|and| LifecycleRuleAndOperator {
            object_size_greater_than: shown_size(and.object_size_greater_than),
            object_size_less_than: shown_size(and.object_size_less_than),
            prefix: and.prefix.clone(),
            tags: and.tags.as_ref().map(super::convert::tag_set),
        }),
        object_size_greater_than: shown_size(filter.object_size_greater_than),
        object_size_less_than: shown_size(filter.object_size_less_than),
        prefix: filter.prefix.clone(),
        tag: filter.tag.as_ref().map(|tag| Tag {
            key: Some(tag.key.clone()),
            value: Some(tag.value.clone()),
        }),
    }
}

fn shown_count(number: Option<u32>) -> Option<i32> {
    number.and_then(|number| i32::try_from(number).ok())
}

fn shown_size(bytes: Option<u64>) -> Option<i64> {
    bytes.and_then(|bytes| i64::try_from(bytes).ok())
}
