//! AWS's own protocols, for every service of the account.

use super::{health, http};
use crate::cloud::Cloud;
use ::http::{Request, Response, StatusCode};
use anyhow::Result;
use bytes::Bytes;
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
    http::serve(listener, shutdown, move |request: Request<Incoming>| {
        let health = health::answer(&request, &cloud.config);
        async move {
            health.unwrap_or_else(|| {
                let mut response = Response::new(Full::<Bytes>::default());
                *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
                response
            })
        }
    })
    .await
}
