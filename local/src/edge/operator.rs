//! What an operator asks of the cloud itself, at AWS's port under `/_mysfits/`: no bucket can
//! have that name. Nothing here is signed, so a web page must not be able to do it either.

use super::{console, health, leftovers, status, watch};
use crate::cloud::Cloud;
use crate::current::Current;
use bytes::Bytes;
use cloud_core::events::Event;
use cloud_core::faults::Fault;
use cloud_core::request_body::{BodyError, RequestBody};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;

/// What all of its paths start with.
pub(crate) const PREFIX: &str = "/_mysfits/";

const FAULTS: &str = "/_mysfits/faults";
/// One service's.
const FAULTS_OF: &str = "/_mysfits/faults/";
const RESET: &str = "/_mysfits/reset";

/// The deployment packages of functions, by their SHA-256. Lambda's GetFunction answers with such an
/// address. As with AWS's, a client needs nothing but the address.
const PACKAGES: &str = "/_mysfits/packages/";

/// Of the description of a fault, in bytes.
const MAX_BODY: usize = 64 * 1024;

type Answer = Response<Full<Bytes>>;

/// The answer to a request under [`PREFIX`].
pub(crate) async fn answer(request: Request<RequestBody>, current: &Arc<Current>) -> Answer {
    let port = current.now().config.endpoints.aws;
    // Browsers send this header with each request of a page that changes something. People and
    // programs do not send it. The console's own page may change things.
    let foreign = |origin| !console::is_own_origin(origin, port);
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    if request.method() != Method::GET && origins.any(foreign) {
        return refusal(StatusCode::FORBIDDEN, "Pages may not ask for this");
    }
    if let Some(answer) = console::answer(&request, port) {
        return answer;
    }
    if let Some(answer) = watch::events(&request, current).await {
        return answer;
    }
    if (request.method(), request.uri().path()) == (&Method::POST, RESET) {
        return reset(current).await;
    }
    let cloud = &current.get().await;
    if let Some(answer) = leftovers::answer(&request, cloud).await {
        return answer;
    }
    if let Some(answer) = health::answer(&request, cloud) {
        return answer;
    }
    if let Some(answer) = status::answer(&request, cloud) {
        return answer;
    }
    if let Some(answer) = watch::state(&request, cloud) {
        return answer;
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, path) if path.starts_with(PACKAGES) => package(cloud, path).await,
        (&Method::GET, FAULTS) => faults(cloud),
        (&Method::PUT, FAULTS) => match fault(request, cloud).await {
            Ok(fault) => {
                tracing::info!(?fault, "a fault is switched on");
                let event = Event::Fault {
                    fault: fault.clone(),
                };
                cloud.context.faults.set(fault);
                cloud.context.events.push(event);
                faults(cloud)
            }
            Err(refusal) => refusal,
        },
        (&Method::DELETE, FAULTS) => {
            cloud.context.faults.clear();
            cloud
                .context
                .events
                .push(Event::FaultsOff { service: None });
            faults(cloud)
        }
        (&Method::DELETE, path) if path.starts_with(FAULTS_OF) => {
            let name = path.strip_prefix(FAULTS_OF).unwrap_or_default();
            let services = cloud.context.faults.services();
            if !services.iter().any(|service| service.name == name) {
                let message = format!("{name} is no service that can be disturbed");
                return refusal(StatusCode::NOT_FOUND, &message);
            }
            cloud.context.faults.clear_of(name);
            cloud.context.events.push(Event::FaultsOff {
                service: Some(name.to_owned()),
            });
            faults(cloud)
        }
        (method, path) => refusal(
            StatusCode::NOT_FOUND,
            &format!(
                "There is no {method} {path}; there are GET {console}, GET /_mysfits/health, GET \
                 /_mysfits/resources, GET /_mysfits/state, GET /_mysfits/events, GET \
                 {PACKAGES}SHA256.zip, DELETE /_mysfits/leftovers/STACK, GET, PUT and DELETE \
                 {FAULTS}, DELETE {FAULTS_OF}SERVICE, and POST {RESET}",
                console = console::PAGE,
            ),
        ),
    }
}

async fn package(cloud: &Cloud, path: &str) -> Answer {
    let name = path.strip_prefix(PACKAGES);
    let digest = name.and_then(|name| name.strip_suffix(".zip"));
    let file = match digest {
        Some(digest) => cloud.lambda.package(digest).await,
        None => None,
    };
    let Some(file) = file else {
        return refusal(StatusCode::NOT_FOUND, "No function has this package");
    };
    match tokio::fs::read(&file).await {
        Ok(bytes) => {
            let mut answer = Response::new(Full::from(bytes));
            let kind = HeaderValue::from_static("application/zip");
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            answer
        }
        Err(error) => {
            tracing::error!(file = %file.display(), %error, "a package cannot be read");
            let message = "The package cannot be read: see the cloud's log";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

async fn reset(current: &Arc<Current>) -> Answer {
    let current = Arc::clone(current);
    // A task of its own, so that it is finished when the client hangs up.
    let reset = tokio::spawn(async move { current.reset().await });
    match reset.await.map_err(anyhow::Error::from).flatten() {
        Ok(()) => {
            tracing::info!("the cloud was reset");
            answer_of(StatusCode::OK, &json!({ "status": "empty" }))
        }
        Err(error) => {
            tracing::error!("the cloud cannot be reset: {error:#}");
            let message = format!("The cloud cannot be reset: {error:#}");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, &message)
        }
    }
}

fn faults(cloud: &Cloud) -> Answer {
    answer_of(
        StatusCode::OK,
        &json!({ "faults": cloud.context.faults.all() }),
    )
}

/// The fault that a request describes.
async fn fault(request: Request<RequestBody>, cloud: &Cloud) -> Result<Fault, Answer> {
    let body = request.into_body().whole(MAX_BODY).await;
    let body = body.map_err(|error| match error {
        BodyError::TooLarge => refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("A fault is described in at most {MAX_BODY} bytes"),
        ),
        BodyError::TooSlow | BodyError::BrokenOff => refusal(
            StatusCode::REQUEST_TIMEOUT,
            "The request's body did not arrive in full",
        ),
    })?;
    let invalid = |reason: &dyn std::fmt::Display| {
        let message = format!("This is no fault: {reason}");
        refusal(StatusCode::BAD_REQUEST, &message)
    };
    let fault: Fault = serde_json::from_slice(&body).map_err(|error| invalid(&error))?;
    match cloud.context.faults.problem(&fault) {
        Some(problem) => Err(invalid(&problem)),
        None => Ok(fault),
    }
}

/// A refusal with its reason.
pub(crate) fn refusal(status: StatusCode, message: &str) -> Answer {
    answer_of(status, &json!({ "message": message }))
}

/// An answer in JSON. A browser does not let a page of another origin read it.
pub(crate) fn answer_of(status: StatusCode, body: &Value) -> Answer {
    let mut response = Response::new(Full::from(format!("{body}\n")));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
