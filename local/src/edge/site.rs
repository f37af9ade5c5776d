//! Distributions: one listener each, which answers 404 while no distribution has its port.

use crate::cloud::Cloud;
use crate::current::Current;
use anyhow::Result;
use bytes::Bytes;
use cloud_cloudfront::answer::Viewer;
use cloud_core::body::Data;
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::RequestBody;
use http::{Request, Response, StatusCode};
use s3s::dto::StreamingBlob;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Answers requests until `shutdown`, then finishes those that are under way.
pub(crate) async fn serve(
    socket: TcpListener,
    current: Arc<Current>,
    patience: Patience,
    shutdown: CancellationToken,
) -> Result<()> {
    let port = socket.local_addr()?.port();
    listener::serve(socket, patience, shutdown, move |request| {
        let current = Arc::clone(&current);
        async move { answer(&*current.get().await, port, request).await }
    })
    .await
}

async fn answer(cloud: &Cloud, port: u16, request: Request<RequestBody>) -> Response<s3s::Body> {
    let Some(distribution) = cloud.cloudfront.at(port) else {
        let none = Bytes::from_static(b"No distribution is deployed at this port.\n");
        let mut answer = Response::new(s3s::Body::from(none));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return answer;
    };
    let viewer = Viewer {
        method: request.method(),
        version: request.version(),
        path: request.uri().path(),
        headers: request.headers(),
    };
    let answer = cloud.cloudfront.answer(&distribution, viewer).await;
    answer.map(|data| match data {
        Data::Whole(bytes) => s3s::Body::from(bytes),
        Data::Stream(stream) => s3s::Body::from(StreamingBlob::wrap(stream)),
    })
}
