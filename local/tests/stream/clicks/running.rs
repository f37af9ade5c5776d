//! A whole cloud for APIs.

use anyhow::Result;
use cloud_core::clock::Clock;
use cloud_resource::account::Account;
use mysfits_local::cloud::Cloud;
use mysfits_local::server::{Server, ServerConfig};
use std::sync::Arc;
use tempfile::TempDir;
use time::macros::datetime;

/// A running cloud in a folder of its own. Its clock does not move.
pub struct Running {
    server: Server,
    folder: TempDir,
}

impl Running {
    pub async fn start() -> Result<Self> {
        Self::start_in(tempfile::tempdir()?).await
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        let cloud = Arc::downgrade(&self.server.cloud());
        self.server.stop().await;
        while cloud.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
        Self::start_in(self.folder).await
    }

    async fn start_in(folder: TempDir) -> Result<Self> {
        let config = ServerConfig {
            clock: Clock::manual(datetime!(2026-03-04 05:06:07.089 UTC)),
            ..ServerConfig::new(folder.path())
        };
        let server = Server::start(config).await?;
        Ok(Self { server, folder })
    }

    pub fn cloud(&self) -> Arc<Cloud> {
        self.server.cloud()
    }

    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.cloud().account)
    }

    /// Where APIs are.
    pub fn port(&self) -> u16 {
        self.server.endpoints().api
    }
}
