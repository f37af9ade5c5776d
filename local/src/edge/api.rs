//! Deployed REST APIs, under `/API-ID/STAGE/`.

use crate::current::Current;
use anyhow::Result;
use bytes::{Bytes, BytesMut};
use cloud_apigateway::{MAX_PAYLOAD, Payload};
use cloud_core::listener;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body is read, used or not.
const MAX_READ: usize = 4 * MAX_PAYLOAD;

/// Who calls: the listener is on loopback.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Answers requests until `shutdown`, then finishes those that are under way.
pub(crate) async fn serve(
    socket: TcpListener,
    current: Arc<Current>,
    shutdown: CancellationToken,
) -> Result<()> {
    listener::serve(socket, shutdown, move |request: Request<Incoming>| {
        let current = Arc::clone(&current);
        async move { answer(&current, request).await.map(Full::new) }
    })
    .await
}

async fn answer(current: &Current, request: Request<Incoming>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let payload = match tokio::time::timeout(BODY_TIMEOUT, read(body)).await {
        Ok(Ok(payload)) => payload,
        Ok(Err(_)) => return closing(StatusCode::BAD_REQUEST),
        Err(_) => return closing(StatusCode::REQUEST_TIMEOUT),
    };
    let whole = matches!(payload, Payload::Whole(_));
    let request = Request::from_parts(parts, payload);
    // After the body, which may take its time.
    let cloud = current.get().await;
    let mut response = cloud.apigateway.handle(PEER, request).await;
    if !whole {
        // What is left of the body would have to be read before the next request.
        close(&mut response);
    }
    response
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

fn close(response: &mut Response<Bytes>) {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
}
