//! Objects deleted, one by one or many at once.

use super::convert::{caller, check_owner};
use super::refused::Outcome;
use super::request::Settled;
use crate::S3;
use crate::buckets::BucketState;
use crate::conditions::{Tag as Expected, WriteConditions};
use crate::errors::not_implemented;
use cloud_core::error::AwsResult;
use cloud_iam::Caller;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MAX_DELETIONS: usize = 1_000;

pub(super) async fn delete(
    s3: &S3,
    req: S3Request<DeleteObjectInput>,
) -> Outcome<S3Response<DeleteObjectOutput>> {
    let caller = caller(&req);
    let conditions = Settled::conditions(&req).deletion();
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(not_implemented("deletion by time or size").into());
    }
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let version = input.version_id.as_deref();
    authorize_deletion(s3, &caller, &state, &input.key, version)?;
    let deletion = s3.delete(&bucket, &input.key, version, &conditions).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: deletion.delete_marker.then_some(true),
        version_id: deletion.version_id,
        ..DeleteObjectOutput::default()
    }))
}

pub(super) async fn delete_many(
    s3: &S3,
    req: S3Request<DeleteObjectsInput>,
) -> Outcome<S3Response<DeleteObjectsOutput>> {
    let caller = caller(&req);
    let input = req.input;
    check_owner(input.expected_bucket_owner.as_deref())?;
    let count = input.delete.objects.len();
    if !(1..=MAX_DELETIONS).contains(&count) {
        return Err(S3ErrorCode::MalformedXML.into());
    }
    let objects = &input.delete.objects;
    if objects
        .iter()
        .any(|object| object.last_modified_time.is_some() || object.size.is_some())
    {
        return Err(not_implemented("deletion by time or size").into());
    }
    let bucket = s3.buckets.get(&input.bucket)?;
    let state = bucket.state();
    let deletions = input.delete.objects.into_iter().map(|object| async {
        let version = object.version_id.as_deref();
        let conditions = WriteConditions {
            if_match: object.e_tag.as_ref().map(expected),
            if_none_match: None,
        };
        let deletion = match authorize_deletion(s3, &caller, &state, &object.key, version) {
            Ok(()) => {
                let key = &object.key;
                s3.delete(&bucket, key, version, &conditions).await
            }
            Err(error) => Err(error),
        };
        (object, deletion)
    });
    // Together, so that they share the store's commits.
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for (object, deletion) in futures::future::join_all(deletions).await {
        match deletion {
            Ok(deletion) => deleted.push(DeletedObject {
                delete_marker: deletion.delete_marker.then_some(true),
                delete_marker_version_id: deletion.version_id.filter(|_| deletion.delete_marker),
                key: Some(object.key),
                version_id: object.version_id,
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code.to_string()),
                key: Some(object.key),
                message: Some(error.message),
                version_id: object.version_id,
            }),
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

/// A weak tag is no object's.
fn expected(tag: &ETag) -> Expected {
    match tag {
        ETag::Strong(tag) => Expected::of(tag),
        ETag::Weak(tag) => Expected::Is(format!("W/{tag:?}")),
    }
}

fn authorize_deletion(
    s3: &S3,
    caller: &Caller,
    bucket: &BucketState,
    key: &str,
    version_id: Option<&str>,
) -> AwsResult<()> {
    match version_id {
        Some(id) => {
            let context = [("s3:VersionId", id)];
            s3.authorize(
                caller,
                bucket,
                "s3:DeleteObjectVersion",
                Some(key),
                &context,
            )
        }
        None => s3.authorize(caller, bucket, "s3:DeleteObject", Some(key), &[]),
    }
}
