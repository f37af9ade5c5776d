//! The front door of a service that speaks AWS's JSON protocol. Who asks is always the account:
//! signatures are verified by the app, for all services alike.

use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::request_body::RequestBody;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;

/// What a request asks for.
pub struct Asked {
    /// The one that the request is signed for; empty when it is not signed.
    pub region: String,
    /// The part of `X-Amz-Target` after the service and its version.
    pub action: String,
    /// The input, in JSON.
    pub body: Bytes,
}

/// Reads a request whole.
///
/// # Errors
/// When its body does not arrive.
pub async fn read(request: Request<RequestBody>) -> AwsResult<Asked> {
    let (head, body) = request.into_parts();
    let text = |name: &str| text(&head.headers, name).to_owned();
    let target = text("x-amz-target");
    let scope = text("authorization");
    let broken = |error| AwsError::new(408, "RequestTimeout", format!("{error}"));
    Ok(Asked {
        // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
        region: scope.split('/').nth(2).unwrap_or_default().to_owned(),
        action: target.rsplit('.').next().unwrap_or_default().to_owned(),
        body: body.whole(usize::MAX).await.map_err(broken)?,
    })
}

/// The answer on the wire.
pub fn answer(answered: AwsResult<Bytes>) -> Response<Full<Bytes>> {
    let (status, body) = match answered {
        Ok(body) => (200, body),
        Err(AwsError {
            status,
            code,
            message,
        }) => {
            let body = serde_json::json!({ "__type": code, "message": message });
            (status, body.to_string().into())
        }
    };
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let kind = HeaderValue::from_static("application/x-amz-json-1.1");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
