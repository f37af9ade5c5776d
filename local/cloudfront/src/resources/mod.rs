//! CloudFront: distributions, and the access controls and policies that they name.

mod access_control;
mod cache_policy;
mod distribution;
mod headers_policy;
mod shared;

pub(crate) use access_control::OriginAccessControl;
pub(crate) use cache_policy::CachePolicy;
pub(crate) use distribution::Distribution;
pub(crate) use headers_policy::ResponseHeadersPolicy;
pub(crate) use shared::OfDistributions;

use cloud_core::error::AwsError;
use cloud_resource::resource::New;
use sha2::{Digest, Sha256};

/// The id of a distribution or an origin access control.
fn short_id(new: &New) -> String {
    format!("E{}", new.suffix(13).to_uppercase())
}

/// The id of a policy, of the form of a UUID.
fn policy_id(new: &New) -> String {
    let digest = Sha256::digest(new.suffix(32));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// What the embedded cloud's CloudFront does not do.
fn not_done(what: &str) -> AwsError {
    AwsError::new(
        400,
        "NotImplemented",
        format!("the embedded cloud's CloudFront has no {what}"),
    )
}
