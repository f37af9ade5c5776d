//! Between a request's signature and its operation.
//!
//! The s3s crate does both in one go. It runs twice here: the first time it verifies the
//! signature and unpacks the body, the second time, without authentication, it reads what the
//! operation needs. In between, the modules here settle what else S3 asks of a request, and what
//! the crate reads in another way than S3:
//!
//! | module | what it settles |
//! | --- | --- |
//! | [`signing`] | headers that no signature covers; parameters of a presigned URL that are headers |
//! | [`digests`] | checksums and `Content-MD5` |
//! | [`xml`] | CDATA and character references in a request, control characters in an answer |
//! | [`overrides`] | the headers of an answer that its request chooses |
//! | here | conditions, ranges, `aws-chunked`, and the whole |

mod digests;
mod overrides;
mod refusal;
mod signing;
mod xml;

use super::{Keys, Localhost, Protocol};
use crate::bodies::broken_body;
use crate::conditions::{self, Conditions};
use crate::errors::{invalid_argument, not_implemented};
use crate::paths;
use async_trait::async_trait;
use cloud_core::context::in_proportion;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::percent;
use digests::Digest;
pub(super) use digests::missing_trailer;
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use overrides::Overrides;
use refusal::Refusal;
use s3s::auth::Credentials;
use s3s::host::S3Host;
use s3s::region::Region;
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpRequest, S3, S3Request, S3Response, S3Result, TrailingHeaders};
use std::net::{IpAddr, SocketAddr};

/// Of a body that is XML or JSON: as much as the s3s crate takes.
const MAX_DOCUMENT: usize = 20 * 1024 * 1024;

/// What a PUT to an object can be about instead of the object; the body is XML then:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>.
const OBJECT_SETTINGS: &[&str] = &["acl", "encryption", "legal-hold", "retention", "tagging"];

/// The conditions, which the operation has from [`Conditions`].
const CONDITIONS: &[&str] = &[
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
];

/// The service whose operations are `protocol`'s.
pub(super) fn service(protocol: Protocol) -> S3Service {
    let mut operations = S3ServiceBuilder::new(protocol);
    operations.set_host(Localhost);
    let mut signatures = S3ServiceBuilder::new(Nothing);
    signatures.set_auth(Keys);
    signatures.set_host(Localhost);
    signatures.set_route(Wire {
        operations: operations.build(),
    });
    signatures.build()
}

/// Makes the head of a request what the s3s crate can verify the signature of.
///
/// # Errors
/// For what cannot be S3's: a broken path, an upload by HTML form.
pub(super) fn admit(head: &mut Parts) -> AwsResult<()> {
    paths::check(head.uri.path())?;
    if !signing::is_version_2(head) {
        // As S3 reads it, in the signature too.
        head.uri = spaced(&head.uri)?;
    }
    if head.method == Method::POST && is_form(&head.headers) {
        // Such an upload has no parameters in its URL; any other request says by this type only
        // what kind of object it begins.
        if head.uri.query().is_none_or(str::is_empty) {
            return Err(not_implemented("uploads by HTML form"));
        }
        hide_form(&mut head.headers);
    }
    Ok(())
}

/// What an operation learns of its request in addition to its input.
#[derive(Clone)]
pub(super) struct Settled {
    pub conditions: Conditions,
    /// Whether the request's body came with a digest, which was right.
    pub has_digest: bool,
    credentials: Option<Credentials>,
    region: Option<Region>,
    service: Option<String>,
    trailing_headers: Option<TrailingHeaders>,
}

impl Settled {
    /// Gives the request back what the first run of the s3s crate found out.
    pub(super) fn restore<T>(request: &mut S3Request<T>) {
        let Some(settled) = request.extensions.get::<Self>().cloned() else {
            return;
        };
        request.credentials = settled.credentials;
        request.region = settled.region;
        request.service = settled.service;
        request.trailing_headers = settled.trailing_headers;
    }

    /// The conditions of a request.
    pub(super) fn conditions<T>(request: &S3Request<T>) -> Conditions {
        let settled = request.extensions.get::<Self>();
        settled
            .map(|settled| settled.conditions.clone())
            .unwrap_or_default()
    }

    /// Whether the body of a request came with a digest.
    pub(super) fn has_digest<T>(request: &S3Request<T>) -> bool {
        let settled = request.extensions.get::<Self>();
        settled.is_some_and(|settled| settled.has_digest)
    }
}

/// An S3 without operations: all requests take the route.
struct Nothing;

impl S3 for Nothing {}

struct Wire {
    operations: S3Service,
}

#[async_trait]
impl S3Route for Wire {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    async fn check_access(&self, _request: &mut S3Request<Body>) -> S3Result<()> {
        // The operation asks IAM once it knows what it is about.
        Ok(())
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        self.pass(request).await.or_else(Refusal::answer)
    }
}

impl Wire {
    async fn pass(&self, mut request: S3Request<Body>) -> Result<S3Response<Body>, Refusal> {
        let is_signed = request.credentials.is_some();
        if is_signed {
            signing::check_headers(&request.uri, &request.headers)?;
        }
        let mut headers = std::mem::take(&mut request.headers);
        let uri = signing::without_signature(&request.uri, &mut headers)?;
        let uri = spaced(&uri)?;
        let target = Target::of(&uri, &headers);
        check_chunks(&headers, is_signed)?;
        let digest = Digest::of(&headers)?;
        let overrides = match target.is_object && target.settings.is_none() {
            true => Overrides::of(&request.method, &uri, is_signed)?,
            false => Overrides::default(),
        };
        let depends_on = Conditions::of(&headers);
        for name in CONDITIONS {
            headers.remove(*name);
        }
        if conditions::range(&headers).is_none() {
            headers.remove(header::RANGE);
        }

        unpack_coding(&mut headers);

        let mut body = std::mem::take(&mut request.input);
        if target.takes_document(&request.method) {
            let bytes = body.store_all_limited(MAX_DOCUMENT).await;
            let bytes = bytes.map_err(document_error)?;
            if target.is_object && request.method == Method::POST {
                // The checksum is that of the object, not of the document.
                digest.check_stored()?;
            } else {
                digest.check_announced(&headers)?;
                let (digest, document) = (digest.clone(), bytes.clone());
                let trailers = request.trailing_headers.clone();
                let verified = in_proportion(bytes.len(), move || {
                    digest.verify(&document, trailers.as_ref())
                });
                verified.await?;
            }
            let bytes = match target.settings.as_deref() {
                // A policy is JSON.
                Some("policy") => bytes,
                _ => in_proportion(bytes.len(), move || xml::normalise(bytes)).await?,
            };
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            body = Body::from(bytes);
        } else if request.method == Method::PUT {
            if !headers.contains_key("x-amz-copy-source") {
                digest.check_announced(&headers)?;
            }
            digest.check_object()?;
        }

        let mut inner = HttpRequest::new(body);
        *inner.method_mut() = request.method;
        *inner.uri_mut() = uri;
        *inner.headers_mut() = headers;
        *inner.extensions_mut() = std::mem::take(&mut request.extensions);
        inner.extensions_mut().insert(Settled {
            conditions: depends_on,
            has_digest: digest.is_given(),
            credentials: request.credentials.take(),
            region: request.region.take(),
            service: request.service.take(),
            trailing_headers: request.trailing_headers.take(),
        });
        let answer = self.operations.call(inner).await;
        let answer = answer.map_err(|error| AwsError::internal(format!("{error:?}")))?;
        let (mut head, mut body) = answer.into_parts();
        if matches!(head.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            overrides.apply(&mut head.headers);
        }
        // The body of an object goes out as it is.
        if head.extensions.get::<ObjectBody>().is_none()
            && header_text(&head.headers, &header::CONTENT_TYPE) == Some("application/xml")
            && let Some(escaped) = body.bytes().and_then(|bytes| xml::escape_controls(&bytes))
        {
            head.headers.remove(header::CONTENT_LENGTH);
            body = Body::from(escaped);
        }
        Ok(S3Response {
            output: body,
            status: Some(head.status),
            headers: head.headers,
            extensions: head.extensions,
        })
    }
}

/// Marks the answer whose body is an object's.
#[derive(Clone, Copy)]
pub(super) struct ObjectBody;

/// What a request is about.
struct Target {
    is_object: bool,
    /// The setting of the bucket or object, such as `policy`, instead of itself.
    settings: Option<String>,
}

impl Target {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let key = match names_bucket(headers) {
            true => path,
            false => path.split_once('/').map_or("", |(_, key)| key),
        };
        let query = uri.query().unwrap_or_default().split('&');
        let mut names = query.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
        let is_object = !key.is_empty();
        let setting = match is_object {
            true => names.find(|name| OBJECT_SETTINGS.contains(name)),
            false => names.find(|name| !name.is_empty() && *name != "x-id"),
        };
        Self {
            is_object,
            settings: setting.map(str::to_owned),
        }
    }

    /// Whether the body is a document, to be read whole, and not an object.
    fn takes_document(&self, method: &Method) -> bool {
        match *method {
            Method::POST => true,
            Method::PUT => !self.is_object || self.settings.is_some(),
            _ => false,
        }
    }
}

/// Whether the host's name has the bucket, as the s3s crate reads it.
fn names_bucket(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = host else { return false };
    if host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return false;
    }
    Localhost
        .parse_host_header(host)
        .is_ok_and(|host| host.bucket().is_some())
}

/// A body in chunks of AWS's own is unpacked with the signature. What only claims to be one was
/// seen on AWS: <https://github.com/versity/versitygw/pull/2400>.
fn check_chunks(headers: &HeaderMap, is_signed: bool) -> AwsResult<()> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let payload = text("x-amz-content-sha256");
    if payload.starts_with("STREAMING-") && !is_signed {
        return Err(not_implemented("aws-chunked bodies without a signature"));
    }
    let mut codings = text("content-encoding").split(',').map(str::trim);
    if payload == "UNSIGNED-PAYLOAD" && codings.any(|coding| coding == "aws-chunked") {
        return Err(invalid_argument(
            "aws-chunked encoding is not supported when x-amz-content-sha256 UNSIGNED-PAYLOAD is \
             supplied.",
        ));
    }
    Ok(())
}

/// How the body came is not how it is stored:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
fn unpack_coding(headers: &mut HeaderMap) {
    let payload = header_text(headers, &HeaderName::from_static("x-amz-content-sha256"));
    if !payload.is_some_and(|payload| payload.starts_with("STREAMING-")) {
        return;
    }
    let Some(codings) = header_text(headers, &header::CONTENT_ENCODING) else {
        return;
    };
    let codings = codings
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"));
    let codings = codings.collect::<Vec<&str>>().join(",");
    headers.remove(header::CONTENT_ENCODING);
    if let Ok(codings) = HeaderValue::from_str(&codings)
        && !codings.is_empty()
    {
        headers.insert(header::CONTENT_ENCODING, codings);
    }
}

/// What kept a document from being read whole.
fn document_error(error: Box<dyn std::error::Error + Send + Sync>) -> AwsError {
    if error.is::<http_body_util::LengthLimitError>() {
        return AwsError::new(
            400,
            "MaxMessageLengthExceeded",
            format!("Your request was too big: a document has at most {MAX_DOCUMENT} bytes."),
        );
    }
    broken_body(&error)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("multipart/form-data")
}

/// The s3s crate takes every POST of this type for an upload by form. A space in front hides the
/// type from the crate. It does not change the signature, which leaves out spaces around a value.
/// The operation that reads the type takes the space away.
fn hide_form(headers: &mut HeaderMap) {
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        let hidden = [b" ", kind.as_bytes()].concat();
        if let Ok(hidden) = HeaderValue::from_bytes(&hidden) {
            headers.insert(header::CONTENT_TYPE, hidden);
        }
    }
}

/// The address without a `+` in its path.
fn spaced(uri: &Uri) -> AwsResult<Uri> {
    match uri.path().contains('+') {
        true => {
            let path = uri.path().replace('+', "%20");
            rebuilt(uri, &path, uri.query().unwrap_or_default())
        }
        false => Ok(uri.clone()),
    }
}

/// The address with another path and query.
fn rebuilt(uri: &Uri, path: &str, query: &str) -> AwsResult<Uri> {
    let text = match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{query}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(text.parse().map_err(AwsError::internal)?);
    Uri::from_parts(parts).map_err(AwsError::internal)
}

/// The parameters of a query, by name and value, as they are written.
fn raw_pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A name or value of a query, decoded.
fn decoded(text: &str) -> String {
    percent::decode_form(text)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
