//! S3's own protocol, through the s3s crate: what a client sends becomes a call of the service,
//! decided by IAM, and its result what the client gets.
//!
//! The trait's own defaults answer all other operations with NotImplemented.

mod buckets;
mod checks;
mod convert;
mod deletes;
mod endpoint;
mod lifecycle;
mod lists;
mod reads;
mod refused;
mod request;
mod settings;
mod tags;
mod uploads;
mod writes;

pub use endpoint::{Endpoint, refusal};

use crate::errors::invalid_request;
use crate::{FAULTS, S3};
use async_trait::async_trait;
use cloud_core::context::{finish, reset_meanwhile};
use cloud_core::error::AwsResult;
use cloud_core::identity::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use refused::Refused;
use request::Settled;
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::*;
use s3s::host::{S3Host, VirtualHost};
use s3s::{S3 as Protocols, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;

/// Where the S3 is that answers at the moment: a reset puts another in its place.
#[async_trait]
pub trait Current: Send + Sync + 'static {
    /// The S3 for a request that comes in now; in the middle of a reset it waits for the end.
    async fn now(&self) -> Arc<S3>;
}

struct Protocol {
    current: Arc<dyn Current>,
}

/// The one pair of keys; a signature is verified with its secret half.
struct Keys;

#[async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY_ID {
            return Ok(SecretKey::from(SECRET_ACCESS_KEY));
        }
        Err(S3Error::with_message(
            S3ErrorCode::InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records.",
        ))
    }
}

/// `BUCKET.localhost` and `BUCKET.s3.localhost` name a bucket; everything else is path-style.
struct Localhost;

impl S3Host for Localhost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let bucket = name
            .strip_suffix(".localhost")
            .map(|name| name.strip_suffix(".s3").unwrap_or(name))
            .filter(|name| *name != "s3");
        let virtual_host = VirtualHost::new("localhost");
        Ok(match bucket {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The operations, each a function of its own, and their names.
macro_rules! operations {
    ($($name:ident: $input:ident -> $output:ident = $function:path;)*) => {
        /// What of the protocol is built.
        pub const OPERATIONS: &[&str] = &[$(operation(stringify!($input))),*];

        #[async_trait]
        impl Protocols for Protocol {
            $(
                async fn $name(&self, mut req: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    Settled::restore(&mut req);
                    let s3 = self.current.now().await;
                    let context = s3.context.clone();
                    let name = operation(stringify!($input));
                    let work = async move {
                        let work = async {
                            s3.context.faults.strike(&FAULTS, name).await?;
                            check_digest(name, &req)?;
                            $function(&s3, req).await
                        };
                        tokio::select! {
                            // After a reset there is nothing that must agree with the disk.
                            biased;
                            () = s3.context.abandoned.cancelled() => Err(reset_meanwhile().into()),
                            done = work => done,
                        }
                    };
                    let done = match is_read(name) {
                        true => work.await,
                        // What the store has taken must be what memory and the disk say.
                        false => finish(&context.tasks, work).await,
                    };
                    done.map_err(|refused: Refused| refused.into())
                }
            )*
        }
    };
}

/// The operations whose body must come with a digest, as their pages in the API reference say
/// and as seen: <https://github.com/versity/versitygw/issues/1040>, .../1521 and
/// <https://github.com/aws/aws-cli/issues/229>. Of others S3 compares one that is sent, though
/// SDKs always send one: <https://github.com/versity/versitygw/issues/1662>.
const DIGEST_NEEDED: &[&str] = &[
    "DeleteObjects",
    "PutBucketLifecycleConfiguration",
    "PutBucketTagging",
];

fn check_digest<T>(operation: &str, request: &S3Request<T>) -> AwsResult<()> {
    if !DIGEST_NEEDED.contains(&operation) || Settled::has_digest(request) {
        return Ok(());
    }
    Err(invalid_request(
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    ))
}

/// Whether an operation changes nothing: then it may end with the client that waits for it.
fn is_read(operation: &str) -> bool {
    let reads = ["Get", "Head", "List"];
    reads.iter().any(|read| operation.starts_with(read))
}

/// The operation of an input.
const fn operation(input: &str) -> &str {
    input.split_at(input.len() - "Input".len()).0
}

operations! {
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = uploads::abort;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = uploads::complete;
    copy_object: CopyObjectInput -> CopyObjectOutput = writes::copy;
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets::create;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = uploads::create;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets::delete;
    delete_bucket_lifecycle: DeleteBucketLifecycleInput -> DeleteBucketLifecycleOutput = lifecycle::delete;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput = settings::delete_ownership;
    delete_bucket_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput = settings::delete_policy;
    delete_bucket_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput = settings::delete_tags;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = deletes::delete;
    delete_object_tagging: DeleteObjectTaggingInput -> DeleteObjectTaggingOutput = tags::delete;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = deletes::delete_many;
    delete_public_access_block: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput = settings::delete_public_access_block;
    get_bucket_acl: GetBucketAclInput -> GetBucketAclOutput = settings::get_acl;
    get_bucket_encryption: GetBucketEncryptionInput -> GetBucketEncryptionOutput = settings::get_encryption;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets::location;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput = settings::get_ownership;
    get_bucket_policy: GetBucketPolicyInput -> GetBucketPolicyOutput = settings::get_policy;
    get_bucket_policy_status: GetBucketPolicyStatusInput -> GetBucketPolicyStatusOutput = settings::get_policy_status;
    get_bucket_tagging: GetBucketTaggingInput -> GetBucketTaggingOutput = settings::get_tags;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput = settings::get_versioning;
    get_object: GetObjectInput -> GetObjectOutput = reads::get;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput = tags::get;
    get_public_access_block: GetPublicAccessBlockInput -> GetPublicAccessBlockOutput = settings::get_public_access_block;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets::head;
    head_object: HeadObjectInput -> HeadObjectOutput = reads::head;
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets::list;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = uploads::list;
    list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput = lists::versions;
    list_objects: ListObjectsInput -> ListObjectsOutput = lists::objects;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = lists::objects_v2;
    list_parts: ListPartsInput -> ListPartsOutput = uploads::parts;
    put_bucket_encryption: PutBucketEncryptionInput -> PutBucketEncryptionOutput = settings::put_encryption;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput = settings::put_ownership;
    put_bucket_policy: PutBucketPolicyInput -> PutBucketPolicyOutput = settings::put_policy;
    put_bucket_tagging: PutBucketTaggingInput -> PutBucketTaggingOutput = settings::put_tags;
    put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput = settings::put_versioning;
    put_object: PutObjectInput -> PutObjectOutput = writes::put;
    put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput = tags::put;
    put_public_access_block: PutPublicAccessBlockInput -> PutPublicAccessBlockOutput = settings::put_public_access_block;
    upload_part: UploadPartInput -> UploadPartOutput = uploads::part;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput = uploads::part_copy;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_under_localhost_is_a_bucket() -> S3Result<()> {
        for (host, bucket) in [
            ("clicks.localhost:20001", Some("clicks")),
            ("clicks.s3.localhost", Some("clicks")),
            ("my.dotted.bucket.localhost:1", Some("my.dotted.bucket")),
            ("localhost:20001", None),
            ("s3.localhost:20001", None),
        ] {
            assert_eq!(
                Localhost.parse_host_header(host)?.bucket(),
                bucket,
                "{host}"
            );
        }
        Ok(())
    }
}
