//! S3: buckets, a resource for each of their settings, and objects. The service keeps its own
//! records, so that what clients change is seen too: a resource writes into them when it is
//! created or updated, and there is nothing to make live again.

mod bucket;
mod object;
mod setting;
mod settings;
mod written;

pub(crate) use bucket::FAULTS;

use crate::S3;
use crate::buckets::BucketState;
use cloud_core::error::AwsResult;
use cloud_resource::resource::{AnyResourceType, bind};
use settings::{
    BucketLifecycleConfiguration, BucketOwnershipControls, BucketPolicy, BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration, BucketVersioning,
};
use std::sync::Arc;

/// All of them.
pub(crate) fn all(s3: &Arc<S3>) -> Vec<Box<dyn AnyResourceType>> {
    vec![
        bind(bucket::Bucket, s3),
        bind(BucketLifecycleConfiguration, s3),
        bind(object::BucketObjectv2, s3),
        bind(BucketOwnershipControls, s3),
        bind(BucketPolicy, s3),
        bind(BucketPublicAccessBlock, s3),
        bind(BucketServerSideEncryptionConfiguration, s3),
        bind(BucketVersioning, s3),
    ]
}

/// The settings of a bucket, unless there is no such bucket.
fn state(s3: &S3, bucket: &str) -> Option<Arc<BucketState>> {
    let bucket = s3.buckets.get(bucket).ok()?;
    Some(bucket.state())
}

/// What a deletion came to, when it does not matter that the bucket is gone.
fn unless_gone(s3: &S3, bucket: &str, result: AwsResult<()>) -> AwsResult<()> {
    match result {
        Err(_) if s3.buckets.get(bucket).is_err() => Ok(()),
        result => result,
    }
}
