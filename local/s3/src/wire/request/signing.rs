//! What a signature covers, and what a presigned URL says instead of headers.

use super::refusal::Refusal;
use super::{decoded, header_text, raw_pairs, rebuilt};
use crate::errors::invalid_argument;
use cloud_core::error::{AwsError, AwsResult};
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};

/// The parameters of a presigned URL that are the signature's own, in versions 4 and 2.
const SIGNATURE_4: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];
const SIGNATURE_2: &[&str] = &["awsaccesskeyid", "expires", "signature"];

/// Parameters that S3 does not take for headers. The checksum of a presigned URL is the one of
/// an empty body, where an SDK made it by itself; S3 was seen to ignore it:
/// <https://github.com/ministackorg/ministack/issues/1695>,
/// <https://github.com/aws/aws-sdk-go-v2/issues/2610>, and so was the mode of a read:
/// <https://github.com/boto/boto3/issues/3465>.
fn is_ignored(name: &str) -> bool {
    matches!(
        name,
        "x-amz-content-sha256"
            | "x-amz-sdk-checksum-algorithm"
            | "x-amz-trailer"
            | "x-amz-decoded-content-length"
    ) || name.strip_prefix("x-amz-checksum-").is_some_and(|rest| {
        // These two say what an upload in parts will be made of.
        rest != "algorithm" && rest != "type"
    })
}

/// Whether a request is signed in version 2, over its path as it is written.
pub(super) fn is_version_2(head: &Parts) -> bool {
    let authorization = header_text(&head.headers, &header::AUTHORIZATION);
    authorization.is_some_and(|text| text.starts_with("AWS "))
        || raw_pairs(&head.uri).any(|(name, _)| name == "Signature")
}

/// Refuses `x-amz-*` headers that no signature of version 4 covers; in version 2 all are covered.
/// S3 was seen to make one exception, whose value is in the signature anyway:
/// <https://github.com/aws/aws-sdk-js-v3/issues/3906>, <https://github.com/scality/Arsenal/pull/2590>.
/// The host must be signed:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
pub(super) fn check_headers(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(signed) = signed_headers(uri, headers) else {
        return Ok(());
    };
    let is_signed = |name: &str| signed.split(';').any(|signed| signed.trim() == name);
    let mut missing: Vec<&str> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") || *name == "host")
        .filter(|name| *name != "x-amz-content-sha256" && !is_signed(name))
        .collect();
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(());
    }
    let error = AwsError::new(
        403,
        "AccessDenied",
        "There were headers present in the request which were not signed",
    );
    let missing = missing.join(", ");
    Err(Refusal::new(error, vec![("HeadersNotSigned", missing)]))
}

/// The names of the headers that a signature of version 4 covers.
fn signed_headers(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let in_query = raw_pairs(uri)
        .find(|(name, _)| decoded(name) == "X-Amz-SignedHeaders")
        .map(|(_, value)| decoded(value));
    let in_header = || {
        let authorization = header_text(headers, &header::AUTHORIZATION)?;
        let fields = authorization.strip_prefix("AWS4-")?;
        let (_, names) = fields.split_once("SignedHeaders=")?;
        Some(names.split(',').next().unwrap_or_default().to_owned())
    };
    let names = in_query.or_else(in_header)?;
    Some(names.to_ascii_lowercase())
}

/// Takes a signature out of a request, and makes headers of the other `x-amz-*` parameters that
/// a presigned URL has, as S3 does:
/// <https://github.com/aws/aws-sdk-js-v3/tree/main/packages/s3-request-presigner> writes them so.
pub(super) fn without_signature(uri: &Uri, headers: &mut HeaderMap) -> AwsResult<Uri> {
    headers.remove(header::AUTHORIZATION);
    let is_presigned_by = |name: &str| raw_pairs(uri).any(|(other, _)| other == name);
    let is_version_4 = is_presigned_by("X-Amz-Signature");
    let is_version_2 = is_presigned_by("Signature");
    let mut kept = String::new();
    for pair in uri.query().unwrap_or_default().split('&') {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(raw_name).to_ascii_lowercase();
        let is_own = is_version_4 && SIGNATURE_4.contains(&name.as_str())
            || is_version_2 && SIGNATURE_2.contains(&name.as_str());
        if is_own {
            continue;
        }
        if is_version_4 && name.starts_with("x-amz-") {
            if !is_ignored(&name) {
                hoist(headers, &name, &decoded(raw_value))?;
            }
            continue;
        }
        if !kept.is_empty() {
            kept.push('&');
        }
        kept.push_str(pair);
    }
    rebuilt(uri, uri.path(), &kept)
}

fn hoist(headers: &mut HeaderMap, name: &str, value: &str) -> AwsResult<()> {
    let invalid = || invalid_argument(format!("The parameter {name} cannot be a header"));
    let header = HeaderName::try_from(name).map_err(|_| invalid())?;
    if !headers.contains_key(&header) {
        let value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        headers.insert(header, value);
    }
    Ok(())
}
