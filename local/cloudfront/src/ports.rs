//! What CloudFront needs of other services.

use async_trait::async_trait;
use cloud_core::body::Data;
use cloud_core::error::AwsError;
use cloud_iam::Caller;
use http::{HeaderMap, Method, Response};

/// The buckets that distributions are in front of. What they refuse is an answer too, in the form
/// that S3 has for it.
#[async_trait]
pub trait Origins: Send + Sync + 'static {
    /// Reads an object, if the caller may.
    async fn read(&self, wanted: Wanted<'_>) -> Response<Data>;

    /// An error in the form that S3 has for it.
    fn refuse(&self, error: &AwsError) -> Response<Data>;
}

/// What is asked of an origin.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub caller: &'a Caller,
    pub bucket: &'a str,
    /// Absent when the path of the viewer's request cannot be decoded.
    pub key: Option<&'a str>,
    /// What the viewer's request says: GET, HEAD or OPTIONS, with its conditions and range.
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// Condition keys of the request.
    pub context: &'a [(&'a str, &'a str)],
}
