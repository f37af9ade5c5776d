//! The engine's log: what a user reads under Diagnostics, and the status beside the stack.

use anyhow::{Context, Result};
use pulumi_gestalt_proto::pulumi::pulumirpc::{
    LogRequest, LogSeverity, engine_client::EngineClient,
};
use pulumi_package::cargo::Event;
use std::io::Write;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tonic::transport::{Channel, Endpoint};

/// A connection to the engine that started this host.
#[derive(Debug, Clone)]
pub struct Engine {
    client: EngineClient<Channel>,
}

impl Engine {
    pub fn at(address: &str) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .with_context(|| format!("`{address}` is not the address of an engine"))?;
        Ok(Self {
            client: EngineClient::new(endpoint.connect_lazy()),
        })
    }

    pub async fn error(&self, message: String) -> Result<()> {
        self.log(LogSeverity::Error, message, false).await
    }

    /// An engine that does not take a warning is no reason to fail.
    pub async fn warning(&self, message: &str) {
        let message = message.to_owned();
        self.log(LogSeverity::Warning, message, false).await.ok();
    }

    /// A status is a courtesy: an engine that does not take it is no reason to fail.
    pub async fn status(&self, message: String) {
        self.log(LogSeverity::Info, message, true).await.ok();
    }

    async fn log(&self, severity: LogSeverity, message: String, ephemeral: bool) -> Result<()> {
        let request = LogRequest {
            severity: severity.into(),
            message,
            ephemeral,
            ..LogRequest::default()
        };
        self.client.clone().log(request).await?;
        Ok(())
    }

    /// Shows the events of builds until all their senders are gone, and then takes the last
    /// status away.
    pub async fn show(&self, mut events: UnboundedReceiver<Event>) {
        let mut shown = false;
        while let Some(event) = events.recv().await {
            match event {
                Event::Status(status) => {
                    self.status(status).await;
                    shown = true;
                }
                Event::Message(message) => {
                    let logged = self.log(LogSeverity::Info, message.clone(), false).await;
                    if logged.is_err() {
                        writeln!(std::io::stderr(), "{}", message.trim_end()).ok();
                    }
                }
            }
        }
        if shown {
            self.status(String::new()).await;
        }
    }
}

/// A channel for [`Engine::show`].
pub fn events() -> (UnboundedSender<Event>, UnboundedReceiver<Event>) {
    unbounded_channel()
}
