//! CloudFront: distributions, and the policies that they refer to.

mod distribution;
mod policies;
mod response_headers;

pub use distribution::Distribution;
pub use policies::{CachePolicy, OriginAccessControl};
pub use response_headers::ResponseHeadersPolicy;

use crate::provider::resource::{New, Refusal};

/// An id as CloudFront gives them: `E` and thirteen capitals and digits.
fn entity_id(new: &New) -> String {
    format!("E{}", new.suffix(13).to_uppercase())
}

/// A policy's id, in the form of a UUID.
fn policy_id(new: &New) -> String {
    let hex: String = new
        .suffix(32)
        .bytes()
        .map(|byte| char::from(b"0123456789abcdef"[usize::from(byte % 16)]))
        .collect();
    let (parts, [a, b, c, d, e]) = (&hex, [0..8, 8..12, 12..16, 16..20, 20..32]);
    format!(
        "{}-{}-{}-{}-{}",
        &parts[a], &parts[b], &parts[c], &parts[d], &parts[e]
    )
}

fn one_of(property: &str, value: &str, allowed: &[&str]) -> Option<Refusal> {
    (!allowed.contains(&value)).then(|| {
        Refusal::new(
            property,
            format!("{value:?} is none of {}", allowed.join(", ")),
        )
    })
}
