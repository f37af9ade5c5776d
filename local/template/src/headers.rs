//! Headers of answers: which can be declared, and which values they can have.

use http::{HeaderMap, HeaderName, HeaderValue};

/// What API Gateway sets itself, drops, or gives under another name such as
/// `x-amzn-Remapped-Connection` (AWS, "Important notes for REST APIs").
const RESERVED: [&str; 19] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-connection",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "www-authenticate",
];

/// The name of a header that an answer can be declared to have.
pub fn settable(name: &str) -> Result<HeaderName, String> {
    let header = name
        .parse::<HeaderName>()
        .map_err(|_| format!("{name:?} is no name of a header"))?;
    if RESERVED.contains(&header.as_str()) || header.as_str().starts_with("x-amzn-") {
        return Err(format!(
            "the embedded cloud does not support setting {name}, which API Gateway sets, drops or \
             renames"
        ));
    }
    Ok(header)
}

/// Sets a header. A text that no header can have is left out: it may come from a request, and
/// must not become a header of its own.
pub fn set(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
