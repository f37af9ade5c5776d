//! Objects, as a person reads them who may do everything.

use anyhow::Result;
use bytes::Bytes;
use cloud_iam::Caller;
use cloud_s3::S3;
use cloud_s3::conditions::ReadConditions;
use cloud_s3::reading::Wanted;

/// The bytes of an object.
pub async fn read(s3: &S3, bucket: &str, key: &str) -> Result<Bytes> {
    let bucket = s3.buckets.get(bucket)?.state();
    let conditions = ReadConditions::default();
    let wanted = Wanted::whole(&Caller::Account, key, &conditions);
    let (_, data) = s3
        .fetch(&bucket, &wanted)
        .await
        .map_err(cloud_core::error::AwsError::from)?;
    Ok(data.whole().await?)
}
