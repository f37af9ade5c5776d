//! A request, from the viewer to the origin and back.

use super::compression;
use super::distribution::{Distribution, Origin, Scheme};
use cloud_core::error::AwsError;
use cloud_core::faults::Service;
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::{Caller, ServicePrincipal};
use cloud_s3::conditions::{self, ReadConditions};
use cloud_s3::errors::{access_denied, not_implemented};
use cloud_s3::objects::Data;
use cloud_s3::paths;
use cloud_s3::reading::{Found, Unreadable, Wanted};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use s3s::dto::{Timestamp, TimestampFormat};

/// What CloudFront calls itself where a policy names who may read a bucket.
const PRINCIPAL: &str = "cloudfront.amazonaws.com";

/// The type of an object whose uploader named none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// What a viewer sends, as far as it counts.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    pub method: &'a Method,
    pub version: Version,
    /// Percent-encoded, without the query.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
}

impl Cloud {
    /// What a distribution answers.
    pub async fn cloudfront_answer(
        &self,
        distribution: &Distribution,
        viewer: Viewer<'_>,
    ) -> Response<Data> {
        let behavior = distribution.behavior(viewer.path);
        let mut answer = if !distribution.enabled {
            unsatisfied("The distribution is disabled.")
        } else if !behavior.allows(viewer.method) {
            // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-403-permission-denied.html
            unsatisfied(
                "This distribution is not configured to allow the HTTP request method that was \
                 used for this request.",
            )
        } else {
            self.ask_origin(distribution, behavior.scheme, &viewer)
                .await
        };
        let is_error = answer.status().is_client_error() || answer.status().is_server_error();
        if let Some(instead_of) = distribution.error_pages.get(&answer.status().as_u16()) {
            let unconditional = HeaderMap::new();
            let instead = Viewer {
                method: &Method::GET,
                version: viewer.version,
                path: &instead_of.path,
                headers: &unconditional,
            };
            let page = self.ask_origin(distribution, behavior.scheme, &instead);
            answer = page.await;
            // Where the page is missing, the viewer gets what the page's origin says.
            if answer.status() == StatusCode::OK {
                let status = StatusCode::from_u16(instead_of.status);
                *answer.status_mut() = status.unwrap_or(StatusCode::NOT_FOUND);
            }
        }
        if behavior.compresses
            && self.cloudfront.compresses(&behavior.cache_policy_id)
            && compression::is_wanted(viewer.method, viewer.version, viewer.headers)
        {
            answer = match compression::compress(answer).await {
                Ok(answer) => answer,
                Err(failure) => error(&failure),
            };
        }
        let policy = behavior.headers_policy_id.as_deref();
        if let Some(policy) = policy.and_then(|id| self.cloudfront.headers_policy(id)) {
            policy.apply(answer.headers_mut());
        }
        mark(answer.headers_mut(), is_error);
        answer
    }

    async fn ask_origin(
        &self,
        distribution: &Distribution,
        scheme: Scheme,
        viewer: &Viewer<'_>,
    ) -> Response<Data> {
        let behavior = distribution.behavior(viewer.path);
        let Some(origin) = distribution.origins.get(&behavior.origin_id) else {
            return error(&AwsError::internal("a behavior has no origin"));
        };
        let read = self.read_origin(distribution, scheme, origin, viewer).await;
        read.unwrap_or_else(|unreadable| match unreadable {
            Unreadable::Unchanged(found) => unchanged(&found),
            other => error(&AwsError::from(other)),
        })
    }

    async fn read_origin(
        &self,
        distribution: &Distribution,
        scheme: Scheme,
        origin: &Origin,
        viewer: &Viewer<'_>,
    ) -> Result<Response<Data>, Unreadable> {
        self.faults.strike(Service::S3, "GetObject").await?;
        let caller = self.origin_caller(distribution, origin);
        let context = [("aws:SecureTransport", scheme.is_secure())];
        let key = distribution.key(origin, &paths::decode(viewer.path)?);
        let bucket = self.s3.buckets.get(&origin.bucket)?.state();
        if viewer.method == Method::OPTIONS {
            // No bucket here has rules for requests across origins:
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors-troubleshooting.html
            let message = "CORSResponse: CORS is not enabled for this bucket.";
            return Err(AwsError::new(403, "AccessForbidden", message).into());
        }
        if key.is_empty() {
            return Err(
                match self.s3_may(&caller, &bucket, "s3:ListBucket", &context) {
                    true => not_implemented("lists through a distribution").into(),
                    false => access_denied().into(),
                },
            );
        }
        let conditions = ReadConditions::of(viewer.headers);
        let range = conditions::range(viewer.headers);
        let wanted = Wanted {
            range,
            context: &context,
            ..Wanted::whole(&caller, &key, &conditions)
        };
        let (found, data) = match *viewer.method {
            Method::HEAD => {
                let found = self.s3_look(&bucket, &wanted)?;
                (found, Data::Whole(Bytes::new()))
            }
            _ => self.s3_read(&bucket, &wanted).await?,
        };
        let mut answer = Response::new(data);
        if !found.section.is_whole {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        describe(answer.headers_mut(), &found, bucket.shows_versions());
        Ok(answer)
    }

    /// As whom a distribution reads its origin:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>.
    fn origin_caller(&self, distribution: &Distribution, origin: &Origin) -> Caller {
        let access = origin.access_control_id.as_deref();
        let access = access.and_then(|id| self.cloudfront.access_control(id));
        if !access.is_some_and(|access| access.signs) {
            return Caller::Anonymous;
        }
        Caller::Service(ServicePrincipal {
            service: PRINCIPAL.to_owned(),
            source_arn: Some(distribution.arn.clone()),
            // It comes with the ARN, which has it:
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceaccount
            source_account: Some(ACCOUNT_ID.to_owned()),
        })
    }
}

/// The headers that an object goes out with.
fn describe(answer: &mut HeaderMap, found: &Found, shows_versions: bool) {
    let Found {
        version,
        content,
        section,
    } = found;
    let headers = &content.headers;
    let kind = headers
        .content_type
        .as_deref()
        .unwrap_or(DEFAULT_CONTENT_TYPE);
    insert(answer, "accept-ranges", "bytes");
    insert(answer, "content-length", &section.length().to_string());
    insert(answer, "content-type", kind);
    insert(answer, "x-amz-server-side-encryption", "AES256");
    validators(answer, found);
    for (name, value) in [
        ("cache-control", &headers.cache_control),
        ("content-disposition", &headers.content_disposition),
        ("content-encoding", &headers.content_encoding),
        ("content-language", &headers.content_language),
        ("expires", &headers.expires),
        ("content-range", &section.content_range(content.size)),
    ] {
        if let Some(value) = value {
            insert(answer, name, value);
        }
    }
    for (name, value) in &headers.metadata {
        let name = HeaderName::try_from(format!("x-amz-meta-{name}"));
        // As S3 writes what is not ASCII:
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
        let value = match value.is_ascii() {
            true => value.clone(),
            false => format!("=?UTF-8?B?{}?=", STANDARD.encode(value)),
        };
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            answer.insert(name, value);
        }
    }
    if shows_versions {
        insert(answer, "x-amz-version-id", &version.id);
    }
}

fn validators(answer: &mut HeaderMap, found: &Found) {
    insert(answer, "etag", &format!("\"{}\"", found.content.etag));
    let mut date = Vec::new();
    let modified = Timestamp::from(found.version.last_modified());
    if modified
        .format(TimestampFormat::HttpDate, &mut date)
        .is_ok()
    {
        insert(answer, "last-modified", &String::from_utf8_lossy(&date));
    }
}

fn unchanged(found: &Found) -> Response<Data> {
    let mut answer = Response::new(Data::Whole(Bytes::new()));
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    validators(answer.headers_mut(), found);
    if let Some(cache_control) = &found.content.headers.cache_control {
        insert(answer.headers_mut(), "cache-control", cache_control);
    }
    answer
}

/// What S3 says, passed on.
fn error(error: &AwsError) -> Response<Data> {
    let escape = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;")
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
        escape(&error.code),
        escape(&error.message)
    );
    let mut answer = Response::new(Data::Whole(body.into()));
    let status = StatusCode::from_u16(error.status);
    *answer.status_mut() = status.unwrap_or(StatusCode::BAD_GATEWAY);
    insert(answer.headers_mut(), "content-type", "application/xml");
    answer
}

/// CloudFront's own refusal.
fn unsatisfied(reason: &str) -> Response<Data> {
    let body = format!(
        "<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n\
         <h1>403 ERROR</h1>\n<p>The request could not be satisfied. {reason}</p>\n"
    );
    let mut answer = Response::new(Data::Whole(body.into()));
    *answer.status_mut() = StatusCode::FORBIDDEN;
    insert(answer.headers_mut(), "content-type", "text/html");
    answer
}

/// What tells a viewer that CloudFront was in between.
fn mark(headers: &mut HeaderMap, is_error: bool) {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let result = match is_error {
        true => "Error from cloudfront",
        false => "Miss from cloudfront",
    };
    insert(headers, "x-cache", result);
    insert(headers, "via", "1.1 127.0.0.1 (CloudFront)");
    insert(headers, "x-amz-cf-id", &id);
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
