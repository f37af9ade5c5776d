//! Operations on buckets themselves.

use super::checks::check_acl;
use super::convert::{caller, check_owner, millis, owner};
use super::refused::Outcome;
use crate::S3;
use crate::buckets::{BUCKET_OWNER_ENFORCED, BucketSettings, NotCreated};
use crate::errors::{access_denied, invalid_argument, not_implemented, unknown_token};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::DEFAULT_REGION;
use cloud_core::tokens;
use cloud_iam::Caller;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
const MAX_BUCKETS: i32 = 10_000;

/// What the list of buckets is to its tokens.
const BUCKETS: &str = "buckets";

pub(super) async fn create(
    s3: &S3,
    req: S3Request<CreateBucketInput>,
) -> Outcome<S3Response<CreateBucketOutput>> {
    only_the_account(&caller(&req))?;
    let region = req.region.as_ref().map(|region| region.as_str().to_owned());
    let input = req.input;
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ];
    let acl = input.acl.as_ref().map(BucketCannedACL::as_str);
    // A new bucket is private anyhow.
    let acl = acl.filter(|acl| *acl != BucketCannedACL::PRIVATE);
    check_acl(acl, grants.into_iter().any(Option::is_some))?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(not_implemented("object lock").into());
    }
    if let Some(ownership) = &input.object_ownership
        && ownership.as_str() != BUCKET_OWNER_ENFORCED
    {
        return Err(not_implemented(&format!("object ownership {}", ownership.as_str())).into());
    }
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    if configuration.bucket.is_some() || configuration.location.is_some() {
        return Err(not_implemented("directory buckets").into());
    }
    let region = region.unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let constraint = configuration.location_constraint;
    let region = place(&region, constraint.as_ref().map(|place| place.as_str()))?;
    let now = s3.context.clock.unix_millis();
    let settings = BucketSettings::new(&input.bucket, &region, now, None);
    match s3.buckets.create(settings).await {
        Ok(()) => {}
        // Only in the default region a second request of the owner is answered like the first:
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        Err(NotCreated::Exists(existing))
            if region == DEFAULT_REGION && existing.state().settings.region == region => {}
        Err(not_created) => return Err(AwsError::from(not_created).into()),
    }
    Ok(S3Response::new(CreateBucketOutput {
        location: Some(format!("/{}", input.bucket)),
    }))
}

pub(super) async fn delete(
    s3: &S3,
    req: S3Request<DeleteBucketInput>,
) -> Outcome<S3Response<DeleteBucketOutput>> {
    let caller = caller(&req);
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&req.input.bucket)?;
    s3.authorize(&caller, &bucket.state(), "s3:DeleteBucket", None, &[])?;
    s3.buckets.delete(&req.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

pub(super) async fn head(
    s3: &S3,
    req: S3Request<HeadBucketInput>,
) -> Outcome<S3Response<HeadBucketOutput>> {
    let caller = caller(&req);
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&req.input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:ListBucket", None, &[])?;
    Ok(S3Response::new(HeadBucketOutput {
        access_point_alias: Some(false),
        bucket_region: Some(state.settings.region.clone()),
        ..HeadBucketOutput::default()
    }))
}

pub(super) async fn list(
    s3: &S3,
    req: S3Request<ListBucketsInput>,
) -> Outcome<S3Response<ListBucketsOutput>> {
    only_the_account(&caller(&req))?;
    let input = req.input;
    let max = input.max_buckets.unwrap_or(MAX_BUCKETS);
    let limit = usize::try_from(max)
        .ok()
        .filter(|_| (1..=MAX_BUCKETS).contains(&max))
        .ok_or_else(|| invalid_argument("Argument max-buckets must be within 1 and 10000"))?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let token = input.continuation_token.as_deref();
    let after = token.map(|token| tokens::place(BUCKETS, token).ok_or_else(unknown_token));
    let after = after.transpose()?.unwrap_or_default();
    let region = input.bucket_region;
    let matching = s3.buckets.list().into_iter().map(|bucket| bucket.state());
    let mut matching = matching.filter(|bucket| {
        let settings = &bucket.settings;
        settings.name.starts_with(&prefix)
            && settings.name > after
            && region
                .as_ref()
                .is_none_or(|region| settings.region == *region)
    });
    let buckets: Vec<Bucket> = matching
        .by_ref()
        .take(limit)
        .map(|bucket| Bucket {
            bucket_region: Some(bucket.settings.region.clone()),
            creation_date: Some(millis(bucket.settings.created)),
            name: Some(bucket.settings.name.clone()),
        })
        .collect();
    let last = buckets.last().and_then(|bucket| bucket.name.clone());
    Ok(S3Response::new(ListBucketsOutput {
        continuation_token: matching
            .next()
            .and(last)
            .map(|last| tokens::token(BUCKETS, &last)),
        buckets: Some(buckets),
        owner: Some(owner()),
        prefix: input.prefix,
    }))
}

pub(super) async fn location(
    s3: &S3,
    req: S3Request<GetBucketLocationInput>,
) -> Outcome<S3Response<GetBucketLocationOutput>> {
    let caller = caller(&req);
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    let bucket = s3.buckets.get(&req.input.bucket)?;
    let state = bucket.state();
    s3.authorize(&caller, &state, "s3:GetBucketLocation", None, &[])?;
    let region = &state.settings.region;
    Ok(S3Response::new(GetBucketLocationOutput {
        // Null for the default region, says AWS.
        location_constraint: (region != DEFAULT_REGION)
            .then(|| BucketLocationConstraint::from(region.clone())),
    }))
}

/// The region of a new bucket, by the region of the signature and the location constraint.
///
/// Elsewhere than in the default region both must be the same, and the constraint must be
/// given (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>; the words:
/// <https://github.com/aws/aws-cli/issues/3567>). The default region is that of the global
/// endpoint, which makes buckets anywhere
/// (<https://github.com/aws/aws-sdk-php/issues/2696>), and has no constraint of its own.
fn place(region: &str, constraint: Option<&str>) -> AwsResult<String> {
    let illegal = |constraint: &str| {
        AwsError::new(
            400,
            "IllegalLocationConstraintException",
            format!(
                "The {constraint} location constraint is incompatible for the region specific \
                 endpoint this request was sent to."
            ),
        )
    };
    // The old name of a region.
    let located = constraint.map(|constraint| match constraint {
        "EU" => "eu-west-1",
        constraint => constraint,
    });
    match located {
        None if region == DEFAULT_REGION => Ok(region.to_owned()),
        None => Err(illegal("unspecified")),
        Some(located) if region != DEFAULT_REGION && located != region => Err(illegal(located)),
        Some(located) if located != DEFAULT_REGION && is_region(located) => Ok(located.to_owned()),
        Some(_) => Err(AwsError::new(
            400,
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        )),
    }
}

/// Whether it has the form of a region's name, such as `eu-west-1` and `us-gov-east-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    (2..=3).contains(&words.len())
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// What concerns no bucket's policy.
fn only_the_account(caller: &Caller) -> Outcome<()> {
    match caller {
        Caller::Account => Ok(()),
        _ => Err(access_denied().into()),
    }
}
