//! S3: buckets, a resource for each of their settings, and objects. The service keeps its own
//! records, so that what clients change is seen too: a resource writes into them when it is
//! created or updated, and there is nothing to make live again.

mod bucket;
mod object;
mod setting;
mod settings;
mod written;

pub(crate) use bucket::{Bucket, FAULTS};
pub(crate) use object::BucketObjectv2;
pub(crate) use settings::{
    BucketLifecycleConfiguration, BucketOwnershipControls, BucketPolicy, BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration, BucketVersioning,
};

use crate::S3;
use crate::buckets::BucketState;
use cloud_core::error::AwsResult;
use std::sync::Arc;

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
