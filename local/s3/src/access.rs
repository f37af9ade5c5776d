//! Who may use a bucket: its policy, the callers' policies, and public access blocked.

use super::buckets::{BucketSettings, BucketState};
use super::errors::access_denied;
use crate::S3;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCOUNT_ID, bucket_arn};
use cloud_iam::document::{Document, Effect, PolicyKind, Principal, Set, Statement};
use cloud_iam::pattern::arn_like;
use cloud_iam::{Call, Caller, Iam};

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
const MAX_POLICY: usize = 20 * 1024;

/// Keys with which a statement for everyone is limited to some, and so not public:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>.
const LIMITING_KEYS: &[&str] = &[
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:SourceAccount",
    "aws:SourceArn",
];

/// Actions on objects, and on buckets, as far as this S3 asks for them:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>.
const OBJECT_ACTIONS: &[&str] = &[
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
];
const BUCKET_ACTIONS: &[&str] = &[
    "s3:DeleteBucket",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
];

impl S3 {
    /// Decides a call on a bucket, or on the object `key` in it.
    pub fn authorize(
        &self,
        caller: &Caller,
        bucket: &BucketState,
        action: &str,
        key: Option<&str>,
        context: &[(&str, &str)],
    ) -> AwsResult<()> {
        let resource = resource(bucket, key);
        if self.is_restricted(caller, bucket) {
            return Err(access_denied());
        }
        let call = Call {
            caller,
            action,
            resource: &resource,
            context,
            resource_policy: None,
        };
        self.iam.decide(&call, bucket.policy.as_ref())
    }

    /// Attaches a policy to a bucket, or removes it, where S3 would.
    pub async fn set_policy(&self, bucket: &str, policy: Option<String>) -> AwsResult<()> {
        let state = self.buckets.get(bucket)?.state();
        if let Some(text) = &policy {
            check_policy(&self.iam, &state.settings, text)?;
        }
        let set = |settings: &mut BucketSettings| settings.policy = policy;
        self.buckets.change(bucket, set).await
    }

    /// Whether the caller would be allowed. It has not asked.
    pub fn may(
        &self,
        caller: &Caller,
        bucket: &BucketState,
        action: &str,
        context: &[(&str, &str)],
    ) -> bool {
        let call = Call {
            caller,
            action,
            resource: &resource(bucket, None),
            context,
            resource_policy: None,
        };
        !self.is_restricted(caller, bucket) && self.iam.would_allow(&call, bucket.policy.as_ref())
    }

    /// Whether the bucket is closed to a caller without credentials, whatever its policy says.
    fn is_restricted(&self, caller: &Caller, bucket: &BucketState) -> bool {
        *caller == Caller::Anonymous
            && bucket
                .settings
                .public_access_block
                .is_some_and(|block| block.restrict_public_buckets)
            && bucket.policy.as_ref().is_some_and(is_public)
    }
}

/// The ARN of a bucket, or of the object `key` in it.
fn resource(bucket: &BucketState, key: Option<&str>) -> String {
    let bucket = bucket_arn(&bucket.settings.name);
    match key {
        Some(key) => format!("{bucket}/{key}"),
        None => bucket,
    }
}

/// What a bucket's policy may have, beyond what any policy may have.
fn check_policy(iam: &Iam, settings: &BucketSettings, text: &str) -> AwsResult<()> {
    let malformed = |reason| AwsError::new(400, "MalformedPolicy", reason);
    if text.len() > MAX_POLICY {
        return Err(AwsError::new(
            400,
            "PolicyTooLarge",
            format!("the policy has more than {MAX_POLICY} bytes"),
        ));
    }
    let policy = Document::parse(text, PolicyKind::Resource).map_err(malformed)?;
    let own = bucket_arn(&settings.name);
    for statement in &policy.statements {
        for resource in statement.resources.iter().flat_map(|set| set.patterns()) {
            let bucket = resource.split('/').next().unwrap_or(resource);
            if !arn_like(bucket, &own) {
                return Err(malformed("Policy has invalid resource".to_owned()));
            }
        }
        for action in statement.actions.patterns() {
            if action != "*" && !action.to_ascii_lowercase().starts_with("s3:") {
                return Err(malformed("Policy has invalid action".to_owned()));
            }
        }
        if !actions_apply(statement) {
            let reason = "Action does not apply to any resource(s) in statement";
            return Err(malformed(reason.to_owned()));
        }
    }
    if let Some(arn) = iam.missing_principal(&policy) {
        let reason = format!("Invalid principal in policy: \"AWS\":\"{arn}\"");
        return Err(malformed(reason));
    }
    let blocked = settings
        .public_access_block
        .is_some_and(|block| block.block_public_policy);
    if blocked && is_public(&policy) {
        return Err(AwsError::new(
            403,
            "AccessDenied",
            format!(
                "User: arn:aws:iam::{ACCOUNT_ID}:root is not authorized to perform: \
                 s3:PutBucketPolicy on resource: \"{own}\" because public policies are blocked \
                 by the BlockPublicPolicy block public access setting."
            ),
        ));
    }
    Ok(())
}

/// Whether each action that is named in full can be done to one of the resources; seen in
/// <https://github.com/aws-amplify/docs/issues/7799>.
fn actions_apply(statement: &Statement) -> bool {
    let Some(Set::Of(resources)) = &statement.resources else {
        return true;
    };
    // A wildcard may match the slash and what comes after it.
    let may_be_object = |resource: &String| resource.contains(['/', '*']);
    let may_be_bucket = |resource: &String| !resource.contains('/');
    statement.actions.patterns().iter().all(|action| {
        let is_in = |actions: &[&str]| actions.iter().any(|one| one.eq_ignore_ascii_case(action));
        (!is_in(OBJECT_ACTIONS) || resources.iter().any(may_be_object))
            && (!is_in(BUCKET_ACTIONS) || resources.iter().any(may_be_bucket))
    })
}

/// Whether a bucket policy gives something to anybody.
pub(crate) fn is_public(policy: &Document) -> bool {
    policy.statements.iter().any(|statement| {
        statement.effect == Effect::Allow && is_for_everyone(statement) && !is_limited(statement)
    })
}

fn is_for_everyone(statement: &Statement) -> bool {
    statement
        .principals
        .iter()
        .flatten()
        .any(|principal| *principal == Principal::Everyone)
}

fn is_limited(statement: &Statement) -> bool {
    statement
        .conditions
        .iter()
        .any(|condition| LIMITING_KEYS.contains(&condition.key()) && condition.is_fixed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_must_fit_their_resources() -> Result<(), String> {
        for (action, resource, expected) in [
            ("s3:GetObject", "arn:aws:s3:::b/*", true),
            ("s3:GetObject", "arn:aws:s3:::b", false),
            ("s3:getobject", "arn:aws:s3:::b", false),
            ("s3:GetObject", "arn:aws:s3:::b*", true),
            ("s3:ListBucket", "arn:aws:s3:::b", true),
            ("s3:ListBucket", "arn:aws:s3:::b/*", false),
            ("s3:*", "arn:aws:s3:::b", true),
            ("s3:Get*", "arn:aws:s3:::b", true),
        ] {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"{resource}"}}}}"#
            );
            let policy = Document::parse(&text, PolicyKind::Resource)?;
            assert_eq!(
                actions_apply(&policy.statements[0]),
                expected,
                "{action} {resource}"
            );
        }
        Ok(())
    }

    /// The page's own examples among them.
    #[test]
    fn a_policy_is_public_as_documented() -> Result<(), String> {
        for (statement, expected) in [
            (r#""Effect":"Allow","Principal":"*""#, true),
            (r#""Effect":"Allow","Principal":{"AWS":"*"}"#, true),
            (r#""Effect":"Deny","Principal":"*""#, false),
            (
                r#""Effect":"Allow","Principal":{"AWS":"000000000000"}"#,
                false,
            ),
            (
                r#""Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"}"#,
                false,
            ),
            (
                r#""Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceAccount":"1"}}"#,
                false,
            ),
            (
                r#""Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:SourceAccount":"*"}}"#,
                true,
            ),
            (
                r#""Effect":"Allow","Principal":"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"1"}}"#,
                true,
            ),
            (
                r#""Effect":"Allow","Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#,
                true,
            ),
        ] {
            let text = format!(
                r#"{{"Statement":{{{statement},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}}}"#
            );
            let policy = Document::parse(&text, PolicyKind::Resource)?;
            assert_eq!(is_public(&policy), expected, "{statement}");
        }
        Ok(())
    }
}
