//! A request as it arrives.

use crate::{MAX_PAYLOAD, Payload};
use bytes::Bytes;
use cloud_core::request_body::{BodyError, RequestBody};
use http::{Request, Response, StatusCode};

/// Reads the body of a request, for [`crate::ApiGateway::handle`].
///
/// # Errors
/// The answer to a request whose body does not arrive.
pub async fn receive(request: Request<RequestBody>) -> Result<Request<Payload>, Response<Bytes>> {
    let (parts, body) = request.into_parts();
    let payload = match body.whole(MAX_PAYLOAD).await {
        Ok(body) => Payload::Whole(body),
        Err(BodyError::TooLarge) => Payload::TooLarge,
        Err(BodyError::TooSlow) => return Err(empty(StatusCode::REQUEST_TIMEOUT)),
        Err(BodyError::BrokenOff) => return Err(empty(StatusCode::BAD_REQUEST)),
    };
    Ok(Request::from_parts(parts, payload))
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
