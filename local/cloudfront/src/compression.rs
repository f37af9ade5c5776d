//! Compression of answers, for viewers that take it:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>.
//!
//! Gzip alone: CloudFront prefers Brotli where a viewer takes both, which browsers say over HTTPS
//! only.

use bytes::Bytes;
use cloud_core::body::Data;
use cloud_core::error::{AwsError, AwsResult};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use std::io::Write;
use std::ops::RangeInclusive;

/// Of what is compressed, in bytes.
const SIZES: RangeInclusive<usize> = 1_000..=10_000_000;

/// The answers that are compressed.
const STATUSES: [StatusCode; 3] = [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];

/// What is compressed.
const TYPES: [&str; 45] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.ms-fontobject",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
];

/// Whether a viewer takes compressed answers.
pub(crate) fn is_wanted(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    *method == Method::GET
        && version != Version::HTTP_10
        && headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(is_gzip)
}

/// Compresses an answer, when it is one that CloudFront compresses.
pub(crate) async fn compress(answer: Response<Data>) -> AwsResult<Response<Data>> {
    if !STATUSES.contains(&answer.status()) || !is_compressible(answer.headers()) {
        return Ok(answer);
    }
    let (mut parts, data) = answer.into_parts();
    let compressed =
        gzip(&data.whole().await.map_err(AwsError::internal)?).map_err(AwsError::internal)?;
    let headers = &mut parts.headers;
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(etag) = headers.get(ETAG).and_then(|etag| etag.to_str().ok())
        && etag.starts_with('"')
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{etag}"))
    {
        headers.insert(ETAG, weak);
    }
    Ok(Response::from_parts(parts, Data::Whole(compressed)))
}

/// Whether one of the values of Accept-Encoding is gzip, and does not refuse it.
fn is_gzip(coding: &str) -> bool {
    let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
    let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
    name.trim().eq_ignore_ascii_case("gzip") && weight != Some(Ok(0.0))
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let kind = text(CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    TYPES.contains(&kind.as_str())
        && length.is_some_and(|length| SIZES.contains(&length))
        && !headers.contains_key(CONTENT_ENCODING)
}

fn gzip(body: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_says_what_it_takes() -> Result<(), http::Error> {
        for (value, wanted) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("gzip; q=0", false),
            ("br, deflate", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value)?);
            let get = is_wanted(&Method::GET, Version::HTTP_11, &headers);
            assert_eq!(get, wanted, "{value}");
            assert!(!is_wanted(&Method::HEAD, Version::HTTP_11, &headers));
            assert!(!is_wanted(&Method::GET, Version::HTTP_10, &headers));
        }
        Ok(())
    }

    /// Each row: the header, its value, and whether the answer is compressed.
    #[test]
    fn only_some_answers_are_compressed() -> Result<(), http::Error> {
        for (name, value, compressed) in [
            (CONTENT_TYPE, "text/html; charset=utf-8", true),
            (CONTENT_TYPE, "Image/SVG+xml", true),
            (CONTENT_TYPE, "image/png", false),
            (CONTENT_LENGTH, "1000", true),
            (CONTENT_LENGTH, "999", false),
            (CONTENT_LENGTH, "10000000", true),
            (CONTENT_LENGTH, "10000001", false),
            (CONTENT_LENGTH, "", false),
            (CONTENT_ENCODING, "br", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/css"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("5000"));
            headers.insert(&name, HeaderValue::from_str(value)?);
            assert_eq!(is_compressible(&headers), compressed, "{name}: {value}");
        }
        Ok(())
    }
}
