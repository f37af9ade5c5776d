//! A bucket as the origin of a distribution: a request that another service passes on, answered as
//! S3 answers it.

use crate::conditions::{self, ReadConditions};
use crate::errors::{access_denied, invalid_uri, not_implemented};
use crate::reading::{Found, Unreadable, Wanted};
use crate::{FAULTS, S3};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::body::Data;
use cloud_core::error::AwsError;
use cloud_iam::Caller;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use s3s::dto::{Timestamp, TimestampFormat};

/// What is asked of a bucket.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub caller: &'a Caller,
    pub bucket: &'a str,
    /// Absent when the path of the request cannot be decoded.
    pub key: Option<&'a str>,
    pub method: &'a Method,
    /// The conditions and the range among them count.
    pub headers: &'a HeaderMap,
    /// Condition keys of the request.
    pub context: &'a [(&'a str, &'a str)],
}

impl S3 {
    /// Answers a request. A refusal is an answer too.
    pub async fn answer(&self, request: Request<'_>) -> Response<Data> {
        let read = self.read_for(request).await;
        read.unwrap_or_else(|unreadable| match unreadable {
            Unreadable::Unchanged(found) => unchanged(&found),
            other => refusal(&AwsError::from(other)),
        })
    }

    async fn read_for(&self, request: Request<'_>) -> Result<Response<Data>, Unreadable> {
        let Request {
            caller, context, ..
        } = request;
        self.context.faults.strike(&FAULTS, "GetObject").await?;
        let key = request.key.ok_or_else(invalid_uri)?;
        let bucket = self.buckets.get(request.bucket)?.state();
        if request.method == Method::OPTIONS {
            // No bucket here has rules for requests across origins:
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors-troubleshooting.html
            let message = "CORSResponse: CORS is not enabled for this bucket.";
            return Err(AwsError::new(403, "AccessForbidden", message).into());
        }
        if key.is_empty() {
            return Err(match self.may(caller, &bucket, "s3:ListBucket", context) {
                true => not_implemented("lists through a distribution").into(),
                false => access_denied().into(),
            });
        }
        let conditions = ReadConditions::of(request.headers);
        let range = conditions::range(request.headers);
        let wanted = Wanted {
            range,
            context,
            ..Wanted::whole(caller, key, &conditions)
        };
        let (found, data) = match *request.method {
            Method::HEAD => {
                let found = self.look(&bucket, &wanted).await?;
                (found, Data::Whole(Bytes::new()))
            }
            _ => self.fetch(&bucket, &wanted).await?,
        };
        let mut answer = Response::new(data);
        if !found.section.is_whole {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        describe(answer.headers_mut(), &found, bucket.shows_versions());
        Ok(answer)
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
    insert(answer, "accept-ranges", "bytes");
    insert(answer, "content-length", &section.length().to_string());
    insert(answer, "content-type", headers.content_type());
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

/// An error, as S3 answers it.
pub fn refusal(error: &AwsError) -> Response<Data> {
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

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
