//! Whether a cloud is there, and which: for whoever starts and stops it.

use crate::cloud::CloudConfig;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;

/// No bucket can have this name: an underscore is not allowed in one.
const PATH: &str = "/_mysfits/health";

/// The answer to a request for the cloud's health; nothing for any other request.
pub fn answer<B>(request: &Request<B>, config: &CloudConfig) -> Option<Response<Full<Bytes>>> {
    if request.uri().path() != PATH || request.method() != Method::GET {
        return None;
    }
    let health = serde_json::json!({
        "status": "ok",
        "pid": std::process::id(),
        "home": config.home,
    });
    let mut response = Response::new(Full::from(health.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    Some(response)
}
