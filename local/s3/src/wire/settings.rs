//! A bucket's settings: versioning, policy, public access, ownership, encryption, tags.

use super::convert::{bucket_tags, caller, check_owner, owner, tag_set};
use super::refused::Outcome;
use crate::S3;
use crate::access::is_public;
use crate::buckets::{BUCKET_OWNER_ENFORCED, PublicAccessBlock};
use crate::buckets::{BucketSettings, BucketState};
use crate::errors::{access_denied, not_implemented};
use crate::versioning::Versioning;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use s3s::dto::*;
use s3s::{S3Request, S3Response};
use std::sync::Arc;

/// The bucket, when the caller may do this to it.
pub(super) fn authorized(
    s3: &S3,
    caller: &Caller,
    bucket: &str,
    expected_owner: Option<&str>,
    action: &str,
) -> AwsResult<Arc<BucketState>> {
    check_owner(expected_owner)?;
    let state = s3.buckets.get(bucket)?.state();
    s3.authorize(caller, &state, action, None, &[])?;
    Ok(state)
}

/// [`authorized`] for a request.
macro_rules! bucket_of {
    ($s3:expr, $req:expr, $action:literal) => {
        authorized(
            $s3,
            &caller(&$req),
            &$req.input.bucket,
            $req.input.expected_bucket_owner.as_deref(),
            $action,
        )?
    };
}
pub(super) use bucket_of;

/// Changes settings; what concerns declared resources goes the same way.
pub(super) async fn change<O: Default>(
    s3: &S3,
    bucket: &str,
    change: impl FnOnce(&mut BucketSettings) + Send,
) -> Outcome<S3Response<O>> {
    s3.buckets.change(bucket, change).await?;
    Ok(S3Response::new(O::default()))
}

pub(super) async fn get_versioning(
    s3: &S3,
    req: S3Request<GetBucketVersioningInput>,
) -> Outcome<S3Response<GetBucketVersioningOutput>> {
    let state = bucket_of!(s3, req, "s3:GetBucketVersioning");
    let status = match state.settings.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(S3Response::new(GetBucketVersioningOutput {
        mfa_delete: None,
        status: status.map(BucketVersioningStatus::from_static),
    }))
}

pub(super) async fn put_versioning(
    s3: &S3,
    req: S3Request<PutBucketVersioningInput>,
) -> Outcome<S3Response<PutBucketVersioningOutput>> {
    bucket_of!(s3, req, "s3:PutBucketVersioning");
    let configuration = &req.input.versioning_configuration;
    if configuration.mfa_delete.is_some() {
        return Err(not_implemented("MFA delete").into());
    }
    let status = configuration
        .status
        .as_ref()
        .map(BucketVersioningStatus::as_str);
    let versioning = match status {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(AwsError::new(
                400,
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            )
            .into());
        }
    };
    change(s3, &req.input.bucket, |settings| {
        settings.versioning = versioning;
    })
    .await
}

pub(super) async fn get_policy(
    s3: &S3,
    req: S3Request<GetBucketPolicyInput>,
) -> Outcome<S3Response<GetBucketPolicyOutput>> {
    always_the_account(&caller(&req))?;
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    let state = s3.buckets.get(&req.input.bucket)?.state();
    let policy = state.settings.policy.clone().ok_or_else(no_such_policy)?;
    Ok(S3Response::new(GetBucketPolicyOutput {
        policy: Some(policy),
    }))
}

pub(super) async fn get_policy_status(
    s3: &S3,
    req: S3Request<GetBucketPolicyStatusInput>,
) -> Outcome<S3Response<GetBucketPolicyStatusOutput>> {
    let state = bucket_of!(s3, req, "s3:GetBucketPolicyStatus");
    let policy = state.policy.as_ref().ok_or_else(no_such_policy)?;
    Ok(S3Response::new(GetBucketPolicyStatusOutput {
        policy_status: Some(PolicyStatus {
            is_public: Some(is_public(policy)),
        }),
    }))
}

pub(super) async fn put_policy(
    s3: &S3,
    req: S3Request<PutBucketPolicyInput>,
) -> Outcome<S3Response<PutBucketPolicyOutput>> {
    always_the_account(&caller(&req))?;
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    s3.set_policy(&req.input.bucket, Some(req.input.policy))
        .await?;
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

pub(super) async fn delete_policy(
    s3: &S3,
    req: S3Request<DeleteBucketPolicyInput>,
) -> Outcome<S3Response<DeleteBucketPolicyOutput>> {
    always_the_account(&caller(&req))?;
    check_owner(req.input.expected_bucket_owner.as_deref())?;
    s3.set_policy(&req.input.bucket, None).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

/// The account's root user may always see to a bucket's policy, even one that denies it so:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>.
fn always_the_account(caller: &Caller) -> AwsResult<()> {
    match caller {
        Caller::Account => Ok(()),
        _ => Err(access_denied()),
    }
}

fn no_such_policy() -> AwsError {
    AwsError::new(
        404,
        "NoSuchBucketPolicy",
        "The bucket policy does not exist",
    )
}

pub(super) async fn get_public_access_block(
    s3: &S3,
    req: S3Request<GetPublicAccessBlockInput>,
) -> Outcome<S3Response<GetPublicAccessBlockOutput>> {
    let state = bucket_of!(s3, req, "s3:GetBucketPublicAccessBlock");
    let block = state.settings.public_access_block.ok_or_else(|| {
        AwsError::new(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        )
    })?;
    Ok(S3Response::new(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            block_public_policy: Some(block.block_public_policy),
            ignore_public_acls: Some(block.ignore_public_acls),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }),
    }))
}

pub(super) async fn put_public_access_block(
    s3: &S3,
    req: S3Request<PutPublicAccessBlockInput>,
) -> Outcome<S3Response<PutPublicAccessBlockOutput>> {
    bucket_of!(s3, req, "s3:PutBucketPublicAccessBlock");
    let asked = req.input.public_access_block_configuration;
    let block = PublicAccessBlock {
        block_public_acls: asked.block_public_acls.unwrap_or_default(),
        block_public_policy: asked.block_public_policy.unwrap_or_default(),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or_default(),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or_default(),
    };
    change(s3, &req.input.bucket, |settings| {
        settings.public_access_block = Some(block);
    })
    .await
}

pub(super) async fn delete_public_access_block(
    s3: &S3,
    req: S3Request<DeletePublicAccessBlockInput>,
) -> Outcome<S3Response<DeletePublicAccessBlockOutput>> {
    bucket_of!(s3, req, "s3:PutBucketPublicAccessBlock");
    change(s3, &req.input.bucket, |settings| {
        settings.public_access_block = None;
    })
    .await
}

pub(super) async fn get_ownership(
    s3: &S3,
    req: S3Request<GetBucketOwnershipControlsInput>,
) -> Outcome<S3Response<GetBucketOwnershipControlsOutput>> {
    let state = bucket_of!(s3, req, "s3:GetBucketOwnershipControls");
    let ownership = state.settings.ownership.clone().ok_or_else(|| {
        AwsError::new(
            404,
            "OwnershipControlsNotFoundError",
            "The bucket ownership controls were not found",
        )
    })?;
    Ok(S3Response::new(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls {
            rules: vec![OwnershipControlsRule {
                object_ownership: ObjectOwnership::from(ownership),
            }],
        }),
    }))
}

pub(super) async fn put_ownership(
    s3: &S3,
    req: S3Request<PutBucketOwnershipControlsInput>,
) -> Outcome<S3Response<PutBucketOwnershipControlsOutput>> {
    bucket_of!(s3, req, "s3:PutBucketOwnershipControls");
    let rules = &req.input.ownership_controls.rules;
    match rules.as_slice() {
        [rule] if rule.object_ownership.as_str() == BUCKET_OWNER_ENFORCED => {}
        _ => return Err(not_implemented("object ownership but BucketOwnerEnforced").into()),
    }
    change(s3, &req.input.bucket, |settings| {
        settings.ownership = Some(BUCKET_OWNER_ENFORCED.to_owned());
    })
    .await
}

pub(super) async fn delete_ownership(
    s3: &S3,
    req: S3Request<DeleteBucketOwnershipControlsInput>,
) -> Outcome<S3Response<DeleteBucketOwnershipControlsOutput>> {
    bucket_of!(s3, req, "s3:PutBucketOwnershipControls");
    change(s3, &req.input.bucket, |settings| {
        settings.ownership = None;
    })
    .await
}

pub(super) async fn get_acl(
    s3: &S3,
    req: S3Request<GetBucketAclInput>,
) -> Outcome<S3Response<GetBucketAclOutput>> {
    bucket_of!(s3, req, "s3:GetBucketAcl");
    let owner = owner();
    Ok(S3Response::new(GetBucketAclOutput {
        grants: Some(vec![Grant {
            grantee: Some(Grantee {
                display_name: None,
                email_address: None,
                id: owner.id.clone(),
                type_: Type::from_static(Type::CANONICAL_USER),
                uri: None,
            }),
            permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
        }]),
        owner: Some(owner),
    }))
}

pub(super) async fn get_encryption(
    s3: &S3,
    req: S3Request<GetBucketEncryptionInput>,
) -> Outcome<S3Response<GetBucketEncryptionOutput>> {
    let state = bucket_of!(s3, req, "s3:GetEncryptionConfiguration");
    let by_default = ServerSideEncryptionByDefault {
        kms_master_key_id: None,
        sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
    };
    Ok(S3Response::new(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration {
            rules: vec![ServerSideEncryptionRule {
                apply_server_side_encryption_by_default: Some(by_default),
                bucket_key_enabled: Some(state.settings.bucket_key_enabled),
            }],
        }),
    }))
}

pub(super) async fn put_encryption(
    s3: &S3,
    req: S3Request<PutBucketEncryptionInput>,
) -> Outcome<S3Response<PutBucketEncryptionOutput>> {
    bucket_of!(s3, req, "s3:PutEncryptionConfiguration");
    let rules = &req.input.server_side_encryption_configuration.rules;
    let [rule] = rules.as_slice() else {
        return Err(s3s::S3ErrorCode::MalformedXML.into());
    };
    if let Some(by_default) = &rule.apply_server_side_encryption_by_default {
        super::checks::check_encryption(Some(&by_default.sse_algorithm), false)?;
    }
    let bucket_key_enabled = rule.bucket_key_enabled == Some(true);
    change(s3, &req.input.bucket, |settings| {
        settings.bucket_key_enabled = bucket_key_enabled;
    })
    .await
}

pub(super) async fn get_tags(
    s3: &S3,
    req: S3Request<GetBucketTaggingInput>,
) -> Outcome<S3Response<GetBucketTaggingOutput>> {
    let state = bucket_of!(s3, req, "s3:GetBucketTagging");
    if state.settings.tags.is_empty() {
        return Err(AwsError::new(404, "NoSuchTagSet", "The TagSet does not exist").into());
    }
    Ok(S3Response::new(GetBucketTaggingOutput {
        tag_set: tag_set(&state.settings.tags),
    }))
}

pub(super) async fn put_tags(
    s3: &S3,
    req: S3Request<PutBucketTaggingInput>,
) -> Outcome<S3Response<PutBucketTaggingOutput>> {
    bucket_of!(s3, req, "s3:PutBucketTagging");
    let tags = bucket_tags(req.input.tagging.tag_set)?;
    change(s3, &req.input.bucket, |settings| {
        settings.tags = tags;
    })
    .await
}

pub(super) async fn delete_tags(
    s3: &S3,
    req: S3Request<DeleteBucketTaggingInput>,
) -> Outcome<S3Response<DeleteBucketTaggingOutput>> {
    bucket_of!(s3, req, "s3:PutBucketTagging");
    change(s3, &req.input.bucket, |settings| {
        settings.tags.clear();
    })
    .await
}
