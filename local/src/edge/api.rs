//! Deployed REST APIs, under `/API-ID/STAGE/`.

use crate::current::Current;
use anyhow::Result;
use bytes::Bytes;
use cloud_apigateway::receive;
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::RequestBody;
use http::{Request, Response};
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
    let request = match receive(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    // After the body, which may take its time.
    let cloud = current.get().await;
    cloud.apigateway.handle(PEER, request).await
}
