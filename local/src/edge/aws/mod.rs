//! AWS's own protocols, for every service of the account: one listener, told apart by what
//! each protocol alone has.
//!
//! | what a request has | who gets it |
//! | --- | --- |
//! | a path under `/_mysfits/` | the cloud itself |
//! | `X-Amz-Target` | the service it names, in AWS's JSON protocol |
//! | a path under `/2015-03-31/functions`, or a signature for `lambda` | Lambda |
//! | a path under `/2020-05-31/distribution`, or a signature for `cloudfront` | CloudFront |
//! | a path under `/v1/repos/` | git, for a repository of CodeCommit's |
//! | a form with an `Action`, at `/` | STS |
//! | anything else | S3, unless it is signed for another service |
//!
//! Requests to other services are refused in the form of their service: `absent`.

mod absent;
mod form;
mod repositories;
mod signature;
mod sts;

use super::operator;
use crate::current::Current;
use absent::{Absent, json_form};
use anyhow::Result;
use bytes::Bytes;
use cloud_cloudfront::wire::NAMESPACE as CLOUDFRONT_NAMESPACE;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::{BodyError, RequestBody};
use cloud_iam::Caller;
use cloud_s3::wire::Endpoint;
use form::{Form, answer, empty};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The limit of the body of a JSON request, and of one to an unknown service. Firehose takes 500
/// records of together 4 MiB before base64
/// (<https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>). With their
/// JSON they are well below this.
const MAX_JSON_BODY: usize = 8 * 1024 * 1024;

/// The limit of a synchronous invocation, 6 MB:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAX_LAMBDA_BODY: usize = 6 * 1024 * 1024;

/// Where all of Lambda's functions are.
const LAMBDA_PATH: &str = "/2015-03-31/functions";

/// Where all of CloudFront's distributions are.
const CLOUDFRONT_PATH: &str = "/2020-05-31/distribution";

/// The limit of an invalidation: 3,000 paths fit.
const MAX_CLOUDFRONT_BODY: usize = 4 * 1024 * 1024;

/// The limit of a form. STS takes a few short parameters; for other services only the action is read.
const MAX_FORM_BODY: usize = 1024 * 1024;

/// An object that a browser shows as a page gets an origin of its own: the console is at this
/// port too, and its origin may empty the cloud.
const SANDBOX: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

type Answer = Response<s3s::Body>;

/// Answers requests until `shutdown`, then finishes those that are under way.
pub(crate) async fn serve(
    socket: TcpListener,
    current: Arc<Current>,
    patience: Patience,
    shutdown: CancellationToken,
) -> Result<()> {
    let edge = Arc::new(Edge {
        s3: Endpoint::new(Arc::<Current>::clone(&current)),
        current,
    });
    listener::serve(socket, patience, shutdown, move |request| {
        let edge = Arc::clone(&edge);
        async move { edge.answer(request).await }
    })
    .await
}

/// A request, read whole, and what its signature says.
struct Authentic {
    caller: Caller,
    region: String,
    body: Bytes,
}

struct Edge {
    current: Arc<Current>,
    s3: Endpoint,
}

impl Edge {
    async fn answer(&self, request: Request<RequestBody>) -> Answer {
        if request.uri().path().starts_with(operator::PREFIX) {
            let answer = operator::answer(request, &self.current).await;
            return answer.map(s3s::Body::http_body);
        }
        let is_page = is_for_a_page(request.headers());
        let id = uuid::Uuid::new_v4().to_string();
        // A panic must fail this request alone.
        let answer = AssertUnwindSafe(self.dispatch(request, &id)).catch_unwind();
        let answer = answer.await;
        let mut answer = answer.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR));
        if let Ok(id) = HeaderValue::from_str(&id) {
            let headers = answer.headers_mut();
            headers.insert("x-amz-request-id", id.clone());
            headers.insert("x-amzn-requestid", id);
        }
        if is_page {
            let sandbox = HeaderValue::from_static(SANDBOX);
            answer
                .headers_mut()
                .append(header::CONTENT_SECURITY_POLICY, sandbox);
        }
        answer
    }

    async fn dispatch(&self, request: Request<RequestBody>, id: &str) -> Answer {
        let (parts, body) = request.into_parts();
        if parts.uri.path().starts_with(repositories::PATH) {
            let cloud = self.current.get().await;
            return repositories::answer(&cloud, &parts, body).await;
        }
        let scope = signature::claimed_scope(&parts);
        let service = scope.as_ref().map_or("", |scope| scope.service.as_str());
        let path = parts.uri.path();
        let is_form = has_type(&parts, "application/x-www-form-urlencoded");
        let (form, answer) = if let Some(target) = header_of(&parts, "x-amz-target") {
            let form = json_form(&parts);
            (form, self.json(&parts, body, service, target).await)
        } else if let Some(absent) = Absent::cbor(&parts, service) {
            (
                absent.form.clone(),
                self.absent(&parts, body, &absent).await,
            )
        } else if service == "lambda" || path.starts_with(LAMBDA_PATH) {
            (Form::RestJson, self.lambda(&parts, body).await)
        } else if service == "cloudfront" || path.starts_with(CLOUDFRONT_PATH) {
            let namespace = CLOUDFRONT_NAMESPACE;
            let form = Form::RestXml { namespace };
            (form, self.cloudfront(&parts, body).await)
        } else if is_form && parts.method == Method::POST && path == "/" {
            self.query(&parts, body, service, id).await
        } else if let Some(absent) = Absent::rest(&parts, service) {
            (
                absent.form.clone(),
                self.absent(&parts, body, &absent).await,
            )
        } else if !["", "s3"].contains(&service) {
            // S3 was seen to say this to a signature for another service.
            let message = format!(
                "The authorization header is malformed; incorrect service \"{service}\". This \
                 endpoint belongs to \"s3\"."
            );
            let error = AwsError::new(400, "AuthorizationHeaderMalformed", message);
            (Form::S3, Err(error))
        } else {
            return self.s3.answer(Request::from_parts(parts, body)).await;
        };
        answer.unwrap_or_else(|error| form.error(error, id))
    }

    /// AWS's JSON protocol: `X-Amz-Target: SERVICE_VERSION.ACTION`.
    async fn json(
        &self,
        parts: &Parts,
        body: RequestBody,
        signed_for: &str,
        target: &str,
    ) -> AwsResult<Answer> {
        let (service, action) = match target.split_once('.') {
            Some(("Firehose_20150804", action)) => ("firehose", action),
            Some(("Logs_20140328", action)) => ("logs", action),
            Some(("TrentService", action)) => ("kms", action),
            Some(("CodeCommit_20150413", action)) => ("codecommit", action),
            _ => {
                let absent = Absent::json(parts, signed_for, target);
                return self.absent(parts, body, &absent).await;
            }
        };
        if parts.method != Method::POST {
            return Err(absent::unknown_operation(service, action));
        }
        let Authentic {
            caller,
            region,
            body,
        } = self
            .signed(parts, body, MAX_JSON_BODY, Some(service))
            .await?;
        let cloud = self.current.get().await;
        let answered = match service {
            "firehose" => cloud.firehose.call(&caller, &region, action, &body).await?,
            "codecommit" => {
                let codecommit = &cloud.codecommit;
                codecommit.call(&caller, &region, action, &body).await?
            }
            "logs" => cloud.logs.request(&caller, &region, action, body).await?,
            _ => cloud.kms.call(&caller, &region, action, &body)?,
        };
        Ok(answer(StatusCode::OK, form::JSON_1_1, answered))
    }

    /// Lambda's REST protocol.
    async fn lambda(&self, parts: &Parts, body: RequestBody) -> AwsResult<Answer> {
        let Authentic {
            caller,
            region,
            body,
        } = self
            .signed(parts, body, MAX_LAMBDA_BODY, Some("lambda"))
            .await?;
        let cloud = self.current.get().await;
        let lambda = cloud.lambda.http(
            &caller,
            &region,
            &parts.method,
            &parts.uri,
            &parts.headers,
            body,
        );
        Ok(lambda.await?.map(s3s::Body::from))
    }

    /// CloudFront's REST protocol.
    async fn cloudfront(&self, parts: &Parts, body: RequestBody) -> AwsResult<Answer> {
        let limit = MAX_CLOUDFRONT_BODY;
        let signed = self.signed(parts, body, limit, Some("cloudfront")).await?;
        let cloud = self.current.get().await;
        let answered =
            cloud
                .cloudfront
                .http(&signed.caller, &parts.method, &parts.uri, &signed.body);
        match answered {
            Some(answered) => Ok(answered?.map(s3s::Body::from)),
            None => {
                let operation = format!("{} {}", parts.method, parts.uri.path());
                Err(absent::unknown_operation("cloudfront", &operation))
            }
        }
    }

    /// AWS's query protocol: an action and its parameters as a form. Gives the form that an
    /// error has, too.
    async fn query(
        &self,
        parts: &Parts,
        body: RequestBody,
        signed_for: &str,
        id: &str,
    ) -> (Form, AwsResult<Answer>) {
        let of_sts = Absent::query("sts", "").form;
        let body = match read(body, MAX_FORM_BODY).await {
            Ok(body) => body,
            Err(error) => return (of_sts, Err(error)),
        };
        let sts = sts::is_meant(&body) || ["", "sts"].contains(&signed_for);
        if !sts {
            let absent = Absent::query(signed_for, &sts::action(&body));
            let authentic = authenticate(parts, &body, None).await;
            return (
                absent.form.clone(),
                authentic.and_then(|_| Err(absent.error())),
            );
        }
        let authentic = authenticate(parts, &body, Some("sts")).await;
        let answer = authentic
            .and_then(|_| sts::call(&Caller::Account, &body, id))
            .map(|xml| answer(StatusCode::OK, "text/xml", xml));
        (of_sts, answer)
    }

    /// Refuses a request to an unknown service, once its signature is verified.
    async fn absent(&self, parts: &Parts, body: RequestBody, absent: &Absent) -> AwsResult<Answer> {
        let body = read(body, MAX_JSON_BODY).await?;
        authenticate(parts, &body, None).await?;
        Err(absent.error())
    }

    /// A request whose signature is right and is for `service`.
    async fn signed(
        &self,
        parts: &Parts,
        body: RequestBody,
        limit: usize,
        service: Option<&str>,
    ) -> AwsResult<Authentic> {
        let body = read(body, limit).await?;
        let region = authenticate(parts, &body, service).await?;
        Ok(Authentic {
            caller: Caller::Account,
            region,
            body,
        })
    }
}

async fn read(body: RequestBody, limit: usize) -> AwsResult<Bytes> {
    body.whole(limit).await.map_err(|error| match error {
        BodyError::TooLarge => AwsError::new(
            413,
            "RequestEntityTooLargeException",
            format!("Request must be smaller than {limit} bytes"),
        ),
        BodyError::TooSlow | BodyError::BrokenOff => AwsError::new(
            408,
            "RequestTimeout",
            "The request's body did not arrive in full",
        ),
    })
}

/// The region that a request is signed for, when the signature is right.
async fn authenticate(parts: &Parts, body: &Bytes, service: Option<&str>) -> AwsResult<String> {
    let payload = signature::payload(parts, body).await?;
    // The client has the machine's clock, even when the cloud has another.
    let now = OffsetDateTime::now_utc();
    Ok(signature::verify(parts, &payload, service, now)?.region)
}

fn header_of<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// Whether the body is of this media type; its case does not count.
fn has_type(parts: &Parts, kind: &str) -> bool {
    let given = header_of(parts, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default();
    given.trim().eq_ignore_ascii_case(kind)
}

/// Whether a browser will show the answer as a page, or run it apart from one. No other client
/// sends the header (<https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Dest>).
fn is_for_a_page(headers: &HeaderMap) -> bool {
    let destination = headers.get("sec-fetch-dest");
    let destination = destination.and_then(|value| value.to_str().ok());
    destination.is_some_and(|destination| {
        !["audio", "empty", "font", "image", "style", "track", "video"].contains(&destination)
    })
}
