//! S3: buckets, a resource for each of their settings, and objects. The service keeps its own
//! records, so that what clients change is seen too: a resource writes into them when it is
//! created or updated, and there is nothing to make live again.

mod bucket;
mod object;
mod setting;
mod settings;
mod written;

pub use bucket::Bucket;
pub use object::BucketObjectv2;
pub use settings::{
    BucketLifecycleConfiguration, BucketOwnershipControls, BucketPolicy, BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration, BucketVersioning,
};

use cloud_core::error::AwsResult;
use crate::buckets::State;
use std::sync::Arc;

/// The settings of a bucket, unless there is no such bucket.
fn state(cloud: &Cloud, bucket: &str) -> Option<Arc<State>> {
    let bucket = cloud.s3.buckets.get(bucket).ok()?;
    Some(bucket.state())
}

/// What a deletion came to, when it does not matter that the bucket is gone.
fn unless_gone(result: AwsResult<()>) -> AwsResult<()> {
    match result {
        Err(error) if error.code == "NoSuchBucket" => Ok(()),
        result => result,
    }
}
