//! Whether a cloud is there, which, and how it is doing: for the program that starts and stops it.

use crate::cloud::Cloud;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use std::sync::atomic::Ordering;
use time::format_description::well_known::Rfc3339;

/// No bucket can have this name: an underscore is not allowed in one.
const PATH: &str = "/_mysfits/health";

/// How functions are kept apart: by `namespaces`, or by `copies`, with the reason.
fn functions(cloud: &Cloud) -> serde_json::Value {
    let isolation = cloud.lambda.isolation();
    let mut functions = serde_json::json!({ "isolation": isolation.name() });
    if let Some(reason) = isolation.reason() {
        functions["reason"] = reason.into();
    }
    functions
}

/// The answer to a request for the cloud's health; nothing for any other request.
pub(crate) fn answer<B>(request: &Request<B>, cloud: &Cloud) -> Option<Response<Full<Bytes>>> {
    if request.uri().path() != PATH || request.method() != Method::GET {
        return None;
    }
    let (problems, damaged) = (cloud.problems(), cloud.context.troubles.damaged());
    let health = serde_json::json!({
        "status": if problems.is_empty() && damaged.is_empty() { "ok" } else { "impaired" },
        "pid": std::process::id(),
        "home": cloud.config.home,
        "started": cloud.started.format(&Rfc3339).ok(),
        "streams": cloud.firehose.tallies(),
        "functions": functions(cloud),
        "problems": problems,
        "damaged": damaged,
        "checked": cloud.checked.load(Ordering::Relaxed),
    });
    let mut response = Response::new(Full::from(health.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    Some(response)
}
