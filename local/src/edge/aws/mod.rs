//! AWS's own protocols, for every service of the account: one listener, told apart by what
//! each protocol alone has.
//!
//! | what a request has | who gets it |
//! | --- | --- |
//! | a path under `/_mysfits/` | the cloud itself |
//! | `X-Amz-Target` | the service it names, in AWS's JSON protocol |
//! | a path under `/2015-03-31/functions` | Lambda |
//! | a form with an `Action`, at `/` | STS |
//! | anything else | S3 |

mod signature;
mod sts;

use super::body::{TimedBody, read_whole};
use super::{http, operator};
use crate::current::Current;
use crate::error::{AwsError, AwsResult};
use crate::services::iam::Caller;
use crate::services::s3::errors::not_implemented;
use crate::services::s3::protocol;
use ::http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use anyhow::Result;
use bytes::Bytes;
use futures::FutureExt;
use hyper::body::Incoming;
use s3s::S3Error;
use s3s::service::S3Service;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Of a JSON request: Firehose takes 500 records of together 4 MiB before base64
/// (<https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>), which
/// with their JSON stay well below this.
const MAX_JSON_BODY: usize = 8 * 1024 * 1024;

/// Of a synchronous invocation, 6 MB:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAX_LAMBDA_BODY: usize = 6 * 1024 * 1024;

/// Where all of Lambda's functions are.
const LAMBDA_PATH: &str = "/2015-03-31/functions";

/// Of a form: STS takes a few short parameters.
const MAX_FORM_BODY: usize = 64 * 1024;

type Answer = Response<s3s::Body>;

/// Answers requests until `shutdown`, then finishes those that are under way.
pub async fn serve(
    listener: TcpListener,
    current: Arc<Current>,
    shutdown: CancellationToken,
) -> Result<()> {
    let edge = Arc::new(Edge {
        s3: protocol::service(Arc::clone(&current)),
        current,
    });
    http::serve(listener, shutdown, move |request| {
        let edge = Arc::clone(&edge);
        async move { edge.answer(request).await }
    })
    .await
}

/// A request, read whole, and what its signature says.
struct Authentic {
    caller: Caller,
    region: String,
    parts: Parts,
    body: Bytes,
}

struct Edge {
    current: Arc<Current>,
    s3: S3Service,
}

impl Edge {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if request.uri().path().starts_with(operator::PREFIX) {
            let answer = operator::answer(request, &self.current).await;
            return answer.map(s3s::Body::http_body);
        }
        let id = uuid::Uuid::new_v4().to_string();
        // Whatever goes wrong in here is one request's failure.
        let answer = AssertUnwindSafe(self.dispatch(request, &id)).catch_unwind();
        let mut answer = answer.await.unwrap_or_else(|_| {
            let mut answer = Response::new(s3s::Body::empty());
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        });
        if let Ok(id) = HeaderValue::from_str(&id) {
            let headers = answer.headers_mut();
            headers.insert("x-amz-request-id", id.clone());
            headers.insert("x-amzn-requestid", id);
        }
        answer
    }

    async fn dispatch(&self, request: Request<Incoming>, id: &str) -> Answer {
        let target = header_of(&request, "x-amz-target").map(str::to_owned);
        if let Some(target) = target {
            return self.json(request, &target).await.unwrap_or_else(json_error);
        }
        if request.uri().path().starts_with(LAMBDA_PATH) {
            return self.lambda(request).await.unwrap_or_else(json_error);
        }
        let is_form = has_type(&request, "application/x-www-form-urlencoded");
        if is_form && request.method() == Method::POST && request.uri().path() == "/" {
            return self.query(request, id).await;
        }
        self.s3(request).await
    }

    /// AWS's JSON protocol: `X-Amz-Target: SERVICE_VERSION.ACTION`.
    async fn json(&self, request: Request<Incoming>, target: &str) -> AwsResult<Answer> {
        if request.method() != Method::POST {
            return Err(unknown_operation(target));
        }
        let Authentic {
            caller,
            region,
            body,
            ..
        } = self.signed(request, MAX_JSON_BODY).await?;
        let cloud = self.current.get().await;
        let answer = match target.split_once('.') {
            Some(("Firehose_20150804", action)) => {
                cloud.firehose_call(&caller, action, &body).await?
            }
            Some(("Logs_20140328", action)) => cloud.logs_request(&caller, action, body).await?,
            Some(("TrentService", action)) => cloud.kms_call(&caller, &region, action, &body)?,
            _ => return Err(unknown_operation(target)),
        };
        let mut answer = Response::new(s3s::Body::from(answer));
        let kind = HeaderValue::from_static("application/x-amz-json-1.1");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(answer)
    }

    /// Lambda's REST protocol.
    async fn lambda(&self, request: Request<Incoming>) -> AwsResult<Answer> {
        let Authentic {
            caller,
            parts,
            body,
            ..
        } = self.signed(request, MAX_LAMBDA_BODY).await?;
        let Parts {
            method,
            uri,
            headers,
            ..
        } = &parts;
        let cloud = self.current.get().await;
        let lambda = cloud.lambda_http(&caller, method, uri, headers, body);
        Ok(lambda.await?.map(s3s::Body::from))
    }

    /// AWS's query protocol: an action and its parameters as a form.
    async fn query(&self, request: Request<Incoming>, id: &str) -> Answer {
        let answer = match self.signed(request, MAX_FORM_BODY).await {
            Ok(request) => sts::call(&request.caller, &request.body, id),
            Err(error) => Err(error),
        };
        let (status, xml) = match answer {
            Ok(xml) => (StatusCode::OK, xml),
            Err(error) => (status_of(&error), sts::error(&error, id)),
        };
        let mut answer = Response::new(s3s::Body::from(xml));
        *answer.status_mut() = status;
        let kind = HeaderValue::from_static("text/xml");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }

    async fn s3(&self, request: Request<Incoming>) -> Answer {
        if has_type(&request, "multipart/form-data") {
            return s3_error(not_implemented("uploads by HTML form"));
        }
        let (parts, body) = request.into_parts();
        let body = TimedBody::new(body);
        let broken = body.broken();
        let request = Request::from_parts(parts, s3s::Body::http_body(body));
        match self.s3.call(request).await {
            // The s3s crate takes a body that it cannot read to its end for a failure of its own.
            Ok(answer) if answer.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                broken.s3_error().map_or(answer, s3_error)
            }
            Ok(mut answer) => {
                // The s3s crate says 200 to a HEAD request for a range.
                if answer.headers().contains_key(header::CONTENT_RANGE) {
                    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
                }
                answer
            }
            Err(error) => {
                tracing::error!(?error, "S3's protocol failed");
                let mut answer = Response::new(s3s::Body::empty());
                *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                answer
            }
        }
    }

    /// A request whose signature is right.
    async fn signed(&self, request: Request<Incoming>, limit: usize) -> AwsResult<Authentic> {
        let (parts, body) = request.into_parts();
        let body = read_whole(body, limit, || {
            AwsError::new(
                413,
                "RequestEntityTooLargeException",
                format!("Request must be smaller than {limit} bytes"),
            )
        })
        .await?;
        // The client's clock is the machine's, whatever the cloud takes for the time.
        let signed = signature::verify(&parts, &body, OffsetDateTime::now_utc())?;
        Ok(Authentic {
            caller: Caller::Account,
            region: signed.region,
            parts,
            body,
        })
    }
}

fn header_of<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Whether the body is of this media type; its case does not count.
fn has_type<B>(request: &Request<B>, kind: &str) -> bool {
    let given = header_of(request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default();
    given.trim().eq_ignore_ascii_case(kind)
}

fn unknown_operation(target: &str) -> AwsError {
    AwsError::new(
        400,
        "UnknownOperationException",
        format!("The embedded cloud has no operation {target}"),
    )
}

/// An error as S3 has it.
fn s3_error(error: AwsError) -> Answer {
    let status = status_of(&error);
    let answer = S3Error::from(error).to_http_response();
    answer.unwrap_or_else(|_| {
        let mut answer = Response::new(s3s::Body::empty());
        *answer.status_mut() = status;
        answer
    })
}

/// An error as AWS's JSON protocol has it.
fn json_error(error: AwsError) -> Answer {
    let body = serde_json::json!({ "__type": error.code, "message": error.message });
    let mut answer = Response::new(s3s::Body::from(body.to_string()));
    *answer.status_mut() = status_of(&error);
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        headers.insert("x-amzn-errortype", code);
    }
    answer
}

fn status_of(error: &AwsError) -> StatusCode {
    StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
