//! A request as it arrives: its body, within limits of size and time.

use crate::{MAX_PAYLOAD, Payload};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body is read, used or not.
const MAX_READ: usize = 4 * MAX_PAYLOAD;

/// Reads the body of a request, for [`crate::ApiGateway::handle`].
///
/// # Errors
/// The answer to a request whose body does not arrive, after which the connection ends.
pub async fn receive(request: Request<Incoming>) -> Result<Request<Payload>, Response<Bytes>> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIMEOUT, read(body)).await {
        Ok(Ok(payload)) => Ok(Request::from_parts(parts, payload)),
        Ok(Err(_)) => Err(closing(StatusCode::BAD_REQUEST)),
        Err(_) => Err(closing(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// A body. Of one that is too large, more is read than can be used: a client that is cut off
/// while it sends may never see the answer.
async fn read(mut body: Incoming) -> Result<Payload, hyper::Error> {
    let mut whole = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= MAX_PAYLOAD {
            whole.extend_from_slice(&data);
        } else if length > MAX_READ {
            break;
        }
    }
    Ok(if length > MAX_PAYLOAD {
        Payload::TooLarge
    } else {
        Payload::Whole(whole.freeze())
    })
}

fn closing(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    close(&mut response);
    response
}

/// Has the connection end after an answer.
pub(crate) fn close(response: &mut Response<Bytes>) {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
}
