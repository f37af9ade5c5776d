//! The console: a page that shows what happens in the cloud, and can disturb it.
//!
//! Its files are part of the program. The page may load nothing but these files, and talk to
//! nothing but this cloud: objects in buckets are of the same origin, and must never run in it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::Full;

/// Where the page is. Its files are below.
pub(crate) const PAGE: &str = "/_mysfits/console";

/// Path below [`PAGE`], media type, text.
const FILES: [(&str, &str, &str); 6] = [
    (
        "",
        "text/html; charset=utf-8",
        include_str!("../../console/index.html"),
    ),
    (
        "/console.css",
        "text/css; charset=utf-8",
        include_str!("../../console/console.css"),
    ),
    (
        "/console.js",
        "text/javascript; charset=utf-8",
        include_str!("../../console/console.js"),
    ),
    (
        "/rows.js",
        "text/javascript; charset=utf-8",
        include_str!("../../console/rows.js"),
    ),
    (
        "/switches.js",
        "text/javascript; charset=utf-8",
        include_str!("../../console/switches.js"),
    ),
    (
        "/icon.svg",
        "image/svg+xml",
        include_str!("../../console/icon.svg"),
    ),
];

/// Answers a request for one of the files; nothing for any other request. `port` is the one
/// that it came in at.
pub(crate) fn answer<B>(request: &Request<B>, port: u16) -> Option<Response<Full<Bytes>>> {
    let path = request.uri().path().strip_prefix(PAGE)?;
    let path = if path == "/" { "" } else { path };
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let (_, kind, text) = FILES.iter().find(|(name, ..)| is_read && *name == path)?;
    let mut response = Response::new(Full::from(*text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // The next answer may come from a newer version of this program.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(policy) = HeaderValue::from_str(&policy(port)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

/// `'self'` would admit objects in buckets, which are of the same origin.
fn policy(port: u16) -> String {
    let below = |path: &str| format!("http://127.0.0.1:{port}{path} http://localhost:{port}{path}");
    let (files, requests) = (below("/_mysfits/console/"), below("/_mysfits/"));
    format!(
        "default-src 'none'; script-src {files}; style-src {files}; img-src {files}; \
         connect-src {requests}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// Whether a page of this origin is the console's: the cloud's own, at the port of AWS's
/// protocols.
pub(crate) fn is_own_origin(origin: &HeaderValue, port: u16) -> bool {
    ["127.0.0.1", "localhost"]
        .iter()
        .any(|host| origin.as_bytes() == format!("http://{host}:{port}").as_bytes())
}
