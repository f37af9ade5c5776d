//! Signatures of requests to services other than S3: version 4, in the Authorization header.
//!
//! How they are made:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use bytes::Bytes;
use cloud_core::context::in_proportion;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use cloud_core::percent;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";

/// In the place of the body's digest when the signature does not cover the body.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// How far a request's time may be from the cloud's; for S3, the s3s crate has a limit of its
/// own.
const MAX_SKEW: Duration = Duration::minutes(5);

/// What a signature says of its request: its credential scope, without the date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub region: String,
    /// As the service signs, such as `firehose`.
    pub service: String,
}

/// The scope that a request claims, in its Authorization header or in its query, without any check.
/// None when it has no signature of version 4.
pub(super) fn claimed_scope(parts: &Parts) -> Option<Scope> {
    let header = parts.headers.get("authorization");
    let credential = match header.and_then(|header| header.to_str().ok()) {
        Some(header) => {
            let fields = header.strip_prefix(ALGORITHM)?.split(',');
            let mut values = fields.filter_map(|field| field.trim().strip_prefix("Credential="));
            values.next()?.to_owned()
        }
        None => {
            let pairs = parts.uri.query()?.split('&');
            let mut values = pairs.filter_map(|pair| pair.strip_prefix("X-Amz-Credential="));
            percent::decode(values.next()?)
        }
    };
    match credential.split('/').collect::<Vec<_>>().as_slice() {
        [.., _, region, service, TERMINATOR] => Some(Scope {
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        }),
        _ => None,
    }
}

/// What a signature has of the body: its SHA-256 in hexadecimal digits, unless the client left it
/// out.
pub(super) async fn payload(parts: &Parts, body: &Bytes) -> AwsResult<String> {
    let given = parts.headers.get("x-amz-content-sha256");
    if given.is_some_and(|given| given == UNSIGNED) {
        return Ok(UNSIGNED.to_owned());
    }
    let body = body.clone();
    in_proportion(body.len(), move || Ok(hex::encode(Sha256::digest(&body)))).await
}

/// Verifies that the request is signed with the account's keys, for `service` when one is given.
pub(super) fn verify(
    parts: &Parts,
    payload: &str,
    service: Option<&str>,
    now: OffsetDateTime,
) -> AwsResult<Scope> {
    let header = |name: &str| {
        let value = parts.headers.get(name)?;
        value.to_str().ok()
    };
    let authorization = header("authorization").ok_or_else(|| {
        AwsError::new(
            403,
            "MissingAuthenticationTokenException",
            "Request is missing Authentication Token",
        )
    })?;
    let authorization = Authorization::parse(authorization)?;
    if authorization.access_key != ACCESS_KEY_ID {
        return Err(AwsError::new(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    let date = header("x-amz-date").ok_or_else(|| {
        incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    })?;
    check_time(date, authorization.date, now)?;

    let canonical = canonical_request(parts, &authorization.signed_headers, payload)?;
    check_signed_headers(parts, &authorization.signed_headers)?;
    if let Some(service) = service
        && service != authorization.service
    {
        // The text is the one of the IAM User Guide's signature-v4-troubleshooting; the code is
        // what a service with the JSON protocol was seen to give it (aws-sdk-ruby issue 431).
        let message = format!("Credential should be scoped to correct service: '{service}'. ");
        return Err(invalid_signature(message));
    }
    let scope = format!(
        "{}/{}/{}/{TERMINATOR}",
        authorization.date, authorization.region, authorization.service
    );
    let to_sign = format!(
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in [
        authorization.date,
        authorization.region,
        authorization.service,
        TERMINATOR,
    ] {
        key = hmac(&key, part)?;
    }
    if hex::encode(hmac(&key, &to_sign)?) != authorization.signature {
        return Err(invalid_signature(
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method. Consult the service \
             documentation for details.",
        ));
    }
    Ok(Scope {
        region: authorization.region.to_owned(),
        service: authorization.service.to_owned(),
    })
}

struct Authorization<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> AwsResult<Self> {
        let malformed =
            || incomplete("Authorization header is not of the form of signature version 4.");
        let fields = header.strip_prefix(ALGORITHM).ok_or_else(|| {
            incomplete("Unsupported AWS 'algorithm' in the Authorization header.")
        })?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => return Err(malformed()),
            }
        }
        let credential: Vec<&str> = credential.ok_or_else(malformed)?.split('/').collect();
        let &[access_key, date, region, service, TERMINATOR] = credential.as_slice() else {
            return Err(malformed());
        };
        Ok(Self {
            access_key,
            date,
            region,
            service,
            signed_headers: signed_headers.ok_or_else(malformed)?.split(';').collect(),
            signature: signature.ok_or_else(malformed)?,
        })
    }
}

fn check_time(date: &str, scope_date: &str, now: OffsetDateTime) -> AwsResult<()> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = PrimitiveDateTime::parse(date, &format)
        .map_err(|_| incomplete("Date must be in ISO-8601 'basic format'."))?
        .assume_utc();
    if !date.starts_with(scope_date) {
        return Err(incomplete(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
        ));
    }
    if (now - time).abs() > MAX_SKEW {
        return Err(invalid_signature(format!(
            "Signature expired: {date} is more than 5 minutes from now"
        )));
    }
    Ok(())
}

/// Refuses a request with a header that has to be signed and is not: Host, and all that begin
/// with `x-amz-` (the page in the module's first lines, under canonical headers: "the `host`
/// header", and "any `x-amz-*` headers in the request"). The text is what AWS was seen to answer
/// for Host (NetSPI/AWSSigner issue 3).
fn check_signed_headers(parts: &Parts, signed: &[&str]) -> AwsResult<()> {
    let is_signed = |name: &str| signed.iter().any(|one| one.eq_ignore_ascii_case(name));
    let names = parts.headers.keys().map(http::HeaderName::as_str);
    let unsigned = ["host"]
        .into_iter()
        .chain(names.filter(|name| name.starts_with("x-amz-")))
        .find(|name| !is_signed(name));
    match unsigned {
        None => Ok(()),
        Some(name) => Err(invalid_signature(format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        ))),
    }
}

fn canonical_request(parts: &Parts, signed: &[&str], payload: &str) -> AwsResult<String> {
    let mut headers = String::new();
    for name in signed {
        let values: Vec<_> = parts.headers.get_all(*name).iter().collect();
        if values.is_empty() {
            return Err(incomplete("A signed header is missing from the request."));
        }
        headers.push_str(name);
        headers.push(':');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                headers.push(',');
            }
            let text = String::from_utf8_lossy(value.as_bytes());
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            headers.push_str(&words.join(" "));
        }
        headers.push('\n');
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        parts.method,
        canonical_path(parts.uri.path()),
        canonical_query(parts.uri.query().unwrap_or_default()),
        signed.join(";"),
    ))
}

/// The path for the signature: without dot segments and double slashes, and encoded once more.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut canonical: String = segments
        .iter()
        .map(|segment| format!("/{}", percent::encode(segment.as_bytes())))
        .collect();
    if canonical.is_empty() || path.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let recoded = |text: &str| percent::encode(&percent::decode_bytes(text));
            (recoded(name), recoded(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn hmac(key: &[u8], message: &str) -> AwsResult<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(AwsError::internal)?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn invalid_signature(message: impl Into<String>) -> AwsError {
    AwsError::new(403, "InvalidSignatureException", message)
}

fn incomplete(message: &str) -> AwsError {
    AwsError::new(403, "IncompleteSignatureException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00:00 UTC);

    fn request(signature: &str, date: &str) -> Result<Parts, http::Error> {
        let credential = format!("test/{}/us-east-1/firehose/aws4_request", &date[..8]);
        let request = http::Request::post("/a%20b//./c?x=2&x=1&y")
            .header("host", "127.0.0.1:4566")
            .header("x-amz-date", date)
            .header("x-amz-target", "Firehose_20150804.PutRecord")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={credential}, \
                     SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}"
                ),
            )
            .body(())?;
        Ok(request.into_parts().0)
    }

    fn code(result: AwsResult<Scope>) -> String {
        result.map_or_else(|error| error.code.into_owned(), |_| "verified".to_owned())
    }

    /// The signature was made with botocore 1.43's SigV4Auth.
    const SIGNATURE: &str = "32aee036ddbf2b003f53a9387ae5aaabc1fbb1706da400ba85af753f4b3ddab5";

    fn digest(body: &str) -> String {
        hex::encode(Sha256::digest(body))
    }

    #[test]
    fn a_signature_made_by_botocore_is_verified() -> Result<(), http::Error> {
        let good = request(SIGNATURE, "20261123T120000Z")?;
        assert_eq!(code(verify(&good, &digest("{}"), None, NOW)), "verified");
        assert_eq!(
            code(verify(&good, &digest("{ }"), None, NOW)),
            "InvalidSignatureException"
        );
        let late = NOW + Duration::minutes(6);
        assert_eq!(
            code(verify(&good, &digest("{}"), None, late)),
            "InvalidSignatureException"
        );
        Ok(())
    }

    #[test]
    fn what_is_not_signed_properly_is_refused() -> Result<(), http::Error> {
        let good = request(SIGNATURE, "20261123T120000Z")?;
        for (authorization, expected) in [
            (None, "MissingAuthenticationTokenException"),
            (Some("Basic dGVzdDp0ZXN0"), "IncompleteSignatureException"),
            (
                Some("AWS4-HMAC-SHA256 Credential=test"),
                "IncompleteSignatureException",
            ),
            (
                Some("AWS4-HMAC-SHA256 nonsense"),
                "IncompleteSignatureException",
            ),
            (
                Some(
                    "AWS4-HMAC-SHA256 Credential=other/20261123/us-east-1/firehose/aws4_request, \
                     SignedHeaders=host, Signature=0",
                ),
                "UnrecognizedClientException",
            ),
            (
                Some(
                    "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/firehose/aws4_request, \
                     SignedHeaders=host;absent, Signature=0",
                ),
                "IncompleteSignatureException",
            ),
        ] {
            let mut parts = good.clone();
            parts.headers.remove("authorization");
            if let Some(text) = authorization {
                parts.headers.insert("authorization", text.parse()?);
            }
            assert_eq!(
                code(verify(&parts, &digest("{}"), None, NOW)),
                expected,
                "{authorization:?}"
            );
        }
        Ok(())
    }
}
