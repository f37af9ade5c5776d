//! Deployed REST APIs, under `/API-ID/STAGE/`.

use crate::current::Current;
use anyhow::Result;
use bytes::Bytes;
use cloud_apigateway::{MAX_PAYLOAD, Payload};
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::{BodyError, RequestBody};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Who calls: the listener is on loopback.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Answers requests until `shutdown`, then finishes those that are under way.
pub(crate) async fn serve(
    socket: TcpListener,
    current: Arc<Current>,
    patience: Patience,
    shutdown: CancellationToken,
) -> Result<()> {
    listener::serve(socket, patience, shutdown, move |request| {
        let current = Arc::clone(&current);
        async move { answer(&current, request).await.map(Full::new) }
    })
    .await
}

async fn answer(current: &Current, request: Request<RequestBody>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let payload = match body.whole(MAX_PAYLOAD).await {
        Ok(body) => Payload::Whole(body),
        Err(BodyError::TooLarge) => Payload::TooLarge,
        Err(BodyError::TooSlow) => return empty(StatusCode::REQUEST_TIMEOUT),
        Err(BodyError::BrokenOff) => return empty(StatusCode::BAD_REQUEST),
    };
    // After the body, which may take its time.
    let cloud = current.get().await;
    let request = Request::from_parts(parts, payload);
    cloud.apigateway.handle(PEER, request).await
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
