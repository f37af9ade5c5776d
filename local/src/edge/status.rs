//! What is deployed, and how it is doing: for people, at AWS's port.

use crate::cloud::Cloud;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Full;

/// No bucket can have this name: an underscore is not allowed in one.
const PATH: &str = "/_mysfits/resources";

/// The answer to a request for the list of resources; nothing for any other request.
pub(crate) fn answer<B>(request: &Request<B>, cloud: &Cloud) -> Option<Response<Full<Bytes>>> {
    if request.uri().path() != PATH || request.method() != Method::GET {
        return None;
    }
    let resources = cloud.account.deployments.statuses(&cloud.account.package);
    let body = serde_json::json!({ "resources": resources }).to_string();
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Some(response)
}
