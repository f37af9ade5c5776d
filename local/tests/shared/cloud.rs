//! A whole cloud for each test, and a client of AWS's protocols in it.

use anyhow::Result;
use cloud_core::patience::Patience;
use cloud_resource::deployments::Record;
use cloud_testing::client::Client;
use cloud_testing::stack::Stack;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::Value;
use std::ops::Deref;
use std::sync::Arc;
use tempfile::TempDir;

/// A running cloud, and who is calling.
pub struct Cloud {
    pub server: Server,
    pub folder: TempDir,
    client: Client,
}

impl Cloud {
    pub async fn start() -> Result<Self> {
        Self::with_patience(Patience::default()).await
    }

    /// A cloud whose listeners wait no longer than this.
    pub async fn with_patience(patience: Patience) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, patience).await
    }

    /// A cloud with an empty bucket named `bucket`.
    pub async fn with_bucket() -> Result<Self> {
        let cloud = Self::start().await?;
        cloud.put("/bucket").send().await?.expect(200)?;
        Ok(cloud)
    }

    /// The same data folder in a new process, as it were.
    pub async fn restart(self) -> Result<Self> {
        self.server.stop().await;
        Self::start_in(self.folder, Patience::default()).await
    }

    async fn start_in(folder: TempDir, patience: Patience) -> Result<Self> {
        let config = ServerConfig {
            patience,
            ..ServerConfig::new(folder.path())
        };
        let server = Server::start(config).await?;
        let client = Client::new(server.endpoints().aws);
        Ok(Self {
            server,
            folder,
            client,
        })
    }

    /// Deploys a resource of the aws package.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> Result<Record> {
        self.stack().deploy(token, name, inputs).await
    }

    /// Deploys it in this region.
    pub async fn deploy_in(
        &self,
        region: &str,
        token: &str,
        name: &str,
        inputs: Value,
    ) -> Result<Record> {
        let stack = self.stack().region(region);
        stack.deploy(token, name, inputs).await
    }

    /// Changes its inputs.
    pub async fn change(&self, record: Record, inputs: Value) -> Result<Record> {
        self.stack().change(record, inputs).await
    }

    /// The inputs and outputs that a refresh finds; nothing when the resource is gone.
    pub async fn refresh(&self, record: &Record) -> Result<Option<(Value, Value)>> {
        self.stack().refresh(record).await
    }

    /// Deletes it.
    pub async fn undeploy(&self, record: &Record) -> Result<()> {
        self.stack().undeploy(record).await
    }

    fn stack(&self) -> Stack {
        Stack::new(Arc::clone(&self.server.cloud().account))
    }
}

impl Deref for Cloud {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
