//! The Runtime API, version 2018-06-01: what a `bootstrap` fetches its invocations from.
//!
//! Every execution environment has a server of its own. The server turns requests into events;
//! the driver of the environment says what they mean.

use crate::settings::TIMEOUT_SECONDS;
use anyhow::Result;
use bytes::Bytes;
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::RequestBody;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The largest answer that a function may give (the service's own error message names it:
/// "maximum allowed payload size (6291556 bytes)").
pub(crate) const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// An error object is cut off at this size. AWS names none.
const MAX_ERROR_BYTES: usize = 256 * 1024;

/// An invocation, on its way to the function.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub request_id: String,
    /// When its time is over, in milliseconds since the Unix epoch.
    pub deadline_ms: u128,
    pub function_arn: String,
    pub trace_id: String,
    pub payload: Bytes,
}

/// What a runtime did.
#[derive(Debug)]
pub(crate) enum Event {
    /// It waits for the next invocation.
    Next(oneshot::Sender<Delivery>),
    /// It answered an invocation, or tried to with too much.
    Response {
        request_id: String,
        body: Result<Bytes, TooLarge>,
        verdict: oneshot::Sender<Verdict>,
    },
    /// It says that an invocation failed.
    Error {
        request_id: String,
        kind: Option<String>,
        body: Bytes,
        verdict: oneshot::Sender<Verdict>,
    },
    /// It says that it cannot start.
    InitError {
        kind: Option<String>,
        body: Bytes,
        verdict: oneshot::Sender<Verdict>,
    },
}

/// An answer of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge(pub u64);

/// The answer to the runtime about what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// The invocation is not the one that is under way.
    UnknownInvocation,
    /// It is not the time for it.
    WrongState,
    TooLarge,
}

/// A running Runtime API; dropping it closes it.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    pub address: SocketAddr,
    pub events: mpsc::Receiver<Event>,
    _closing: DropGuard,
}

impl RuntimeApi {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // One event at a time: a runtime waits for the answer to it.
        let (sender, events) = mpsc::channel(1);
        let closing = CancellationToken::new();
        let patience = Patience {
            // A function may send its answer piece by piece. Its own time-out ends that.
            body: Duration::from_secs(*TIMEOUT_SECONDS.end()),
            ..Patience::default()
        };
        let server = listener::serve(listener, patience, closing.clone(), move |request| {
            let events = sender.clone();
            async move { answer(request, &events).await }
        });
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!("a Runtime API ended: {error:#}");
            }
        });
        Ok(Self {
            address,
            events,
            _closing: closing.drop_guard(),
        })
    }
}

async fn answer(
    request: Request<RequestBody>,
    events: &mpsc::Sender<Event>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let route = path.strip_prefix("/2018-06-01/runtime/");
    let segments: Vec<_> = route.unwrap_or_default().split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(events).await,
        (&Method::POST, ["invocation", request_id, "response"]) => {
            let request_id = (*request_id).to_owned();
            let body = match read(request, MAX_RESPONSE_BYTES).await {
                Ok((bytes, length)) if bytes.len() as u64 == length => Ok(bytes),
                Ok((_, length)) => Err(TooLarge(length)),
                Err(response) => return response,
            };
            report(events, |verdict| Event::Response {
                request_id,
                body,
                verdict,
            })
            .await
        }
        (&Method::POST, ["invocation", request_id, "error"]) => {
            let request_id = (*request_id).to_owned();
            let kind = error_kind(&request);
            match read(request, MAX_ERROR_BYTES).await {
                Ok((body, _)) => {
                    report(events, |verdict| Event::Error {
                        request_id,
                        kind,
                        body,
                        verdict,
                    })
                    .await
                }
                Err(response) => response,
            }
        }
        (&Method::POST, ["init", "error"]) => {
            let kind = error_kind(&request);
            match read(request, MAX_ERROR_BYTES).await {
                Ok((body, _)) => {
                    report(events, |verdict| Event::InitError {
                        kind,
                        body,
                        verdict,
                    })
                    .await
                }
                Err(response) => response,
            }
        }
        _ => absent(request.method(), &path),
    }
}

/// Refuses what is not the Runtime API. Extensions, their logs and telemetry have APIs of their
/// own at the same address (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>).
fn absent(method: &Method, path: &str) -> Response<Full<Bytes>> {
    let version = path.split('/').nth(1).unwrap_or_default();
    let api = match version {
        "2020-01-01" => "Extensions",
        "2020-08-15" => "Logs",
        "2022-07-01" => "Telemetry",
        _ => "Runtime",
    };
    let message = format!(
        "The embedded cloud has no operation {method} {path} of Lambda's {api} API: \
         docs/compatibility/lambda.md says what there is"
    );
    error(StatusCode::NOT_FOUND, "ResourceNotFound", &message)
}

async fn next(events: &mpsc::Sender<Event>) -> Response<Full<Bytes>> {
    let (sender, delivery) = oneshot::channel();
    // When nobody drives the environment any more it is about to end.
    let _ = events.send(Event::Next(sender)).await;
    let Ok(delivery) = delivery.await else {
        return verdict(Verdict::WrongState);
    };
    let mut response = Response::new(Full::new(delivery.payload));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", delivery.request_id),
        (
            "lambda-runtime-deadline-ms",
            delivery.deadline_ms.to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", delivery.function_arn),
        ("lambda-runtime-trace-id", delivery.trace_id),
    ] {
        // Ids, numbers and ARNs are all visible characters.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

async fn report(
    events: &mpsc::Sender<Event>,
    event: impl FnOnce(oneshot::Sender<Verdict>) -> Event,
) -> Response<Full<Bytes>> {
    let (sender, given) = oneshot::channel();
    let _ = events.send(event(sender)).await;
    verdict(given.await.unwrap_or(Verdict::WrongState))
}

fn verdict(verdict: Verdict) -> Response<Full<Bytes>> {
    match verdict {
        Verdict::Accepted => {
            let mut response = Response::new(Full::from(r#"{"status":"OK"}"#));
            *response.status_mut() = StatusCode::ACCEPTED;
            response
        }
        Verdict::UnknownInvocation => error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        ),
        Verdict::WrongState => error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "State transition is not allowed",
        ),
        Verdict::TooLarge => error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &format!("Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."),
        ),
    }
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "errorMessage": message, "errorType": kind }).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn error_kind(request: &Request<RequestBody>) -> Option<String> {
    request
        .headers()
        .get("lambda-runtime-function-error-type")?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// The first bytes of a body and its length. It is read to its end, since the runtime does not
/// listen before.
async fn read(
    request: Request<RequestBody>,
    most: usize,
) -> Result<(Bytes, u64), Response<Full<Bytes>>> {
    let read = request.into_body().beginning(most).await;
    read.map_err(|_| {
        error(
            StatusCode::BAD_REQUEST,
            "Truncated",
            "The request ended early",
        )
    })
}
