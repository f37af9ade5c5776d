//! The tags of objects.

use super::convert::{caller, check_owner, object_tags, tag_set, version_id};
use super::refused::Outcome;
use crate::S3;
use crate::buckets::{Bucket, BucketState};
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use s3s::dto::*;
use s3s::{S3Request, S3Response};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) async fn get(
    s3: &S3,
    req: S3Request<GetObjectTaggingInput>,
) -> Outcome<S3Response<GetObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:GetObjectVersionTagging",
        None => "s3:GetObjectTagging",
    };
    let (_, state) = allowed(s3, &caller, action, &input.bucket, &input.key)?;
    let found = s3.find(&input.bucket, &input.key, version).await;
    let (version, content) = found.map_err(AwsError::from)?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tag_set(&content.tags),
        version_id: version_id(&version, state.shows_versions()),
    }))
}

pub(super) async fn put(
    s3: &S3,
    req: S3Request<PutObjectTaggingInput>,
) -> Outcome<S3Response<PutObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:PutObjectVersionTagging",
        None => "s3:PutObjectTagging",
    };
    let (bucket, state) = allowed(s3, &caller, action, &input.bucket, &input.key)?;
    let tags = object_tags(input.tagging.tag_set)?;
    let version = s3.set_tags(&bucket, &input.key, version, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput {
        version_id: version_id(&version, state.shows_versions()),
    }))
}

pub(super) async fn delete(
    s3: &S3,
    req: S3Request<DeleteObjectTaggingInput>,
) -> Outcome<S3Response<DeleteObjectTaggingOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let version = input.version_id.as_deref();
    let action = match version {
        Some(_) => "s3:DeleteObjectVersionTagging",
        None => "s3:DeleteObjectTagging",
    };
    let (bucket, state) = allowed(s3, &caller, action, &input.bucket, &input.key)?;
    let none = BTreeMap::new();
    let version = s3.set_tags(&bucket, &input.key, version, none).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput {
        version_id: version_id(&version, state.shows_versions()),
    }))
}

/// The bucket of an object whose tags the caller may read or change.
fn allowed(
    s3: &S3,
    caller: &Caller,
    action: &str,
    bucket: &str,
    key: &str,
) -> AwsResult<(Arc<Bucket>, Arc<BucketState>)> {
    let bucket = s3.buckets.get(bucket)?;
    let state = bucket.state();
    s3.authorize(caller, &state, action, Some(key), &[])?;
    Ok((bucket, state))
}
