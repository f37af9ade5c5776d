//! Distributions: one listener each, which answers 404 while no distribution has its port.

use super::http;
use crate::cloud::Cloud;
use ::http::Request;
use anyhow::Result;
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Answers requests until `shutdown`, then finishes those that are under way.
pub async fn serve(
    listener: TcpListener,
    cloud: Arc<Cloud>,
    shutdown: CancellationToken,
) -> Result<()> {
    let port = listener.local_addr()?.port();
    http::serve(listener, shutdown, move |request: Request<Incoming>| {
        let cloud = Arc::clone(&cloud);
        async move {
            let (method, path) = (request.method(), request.uri().path());
            let answer = cloud.cloudfront_answer(port, method, path, request.headers());
            answer.await.map(Full::new)
        }
    })
    .await
}
