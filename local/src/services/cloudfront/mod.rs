//! CloudFront: distributions in front of private buckets.

/// The distributions of the account.
#[derive(Debug, Default)]
pub struct CloudFront {}
