//! Messages to the user through the engine, which shows each once, at its resource.

use std::time::Duration;

use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::{GetRootResourceRequest, LogRequest};
use tonic::transport::{Channel, Endpoint};

pub use pulumi_gestalt_proto::pulumi::pulumirpc::LogSeverity as Severity;

/// An engine that does not answer within this time is taken for gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the program says to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    pub text: String,
    /// The resource that it is about.
    pub urn: Option<String>,
}

/// Shows an error, in the engine's output where it can be reached, on standard error otherwise.
///
/// Needs no runtime and no connection of the program's: it also works after a panic.
pub fn error(engine: &str, message: &str) {
    let reached = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            runtime.block_on(async {
                let mut client = EngineClient::new(endpoint(engine)?.connect_lazy());
                let message = Message {
                    severity: Severity::Error,
                    text: message.to_owned(),
                    urn: None,
                };
                tell(&mut client, message).await;
                Ok(())
            })
        });
    if reached.is_err() {
        eprintln!("error: {message}");
    }
}

/// Shows a message of any severity in the same way; what is for debugging alone has no place but the
/// engine's.
pub(crate) async fn tell(engine: &mut EngineClient<Channel>, message: Message) {
    let Message {
        severity,
        text,
        urn,
    } = message;
    let request = LogRequest {
        severity: severity.into(),
        message: text.clone(),
        urn: urn.unwrap_or_default(),
        ..LogRequest::default()
    };
    let told = tokio::time::timeout(PATIENCE, engine.log(request)).await;
    if !matches!(told, Ok(Ok(_))) && severity != Severity::Debug {
        eprintln!("{}: {text}", severity.as_str_name().to_lowercase());
    }
}

pub(crate) async fn answers(engine: &mut EngineClient<Channel>) -> bool {
    let answer = engine.get_root_resource(GetRootResourceRequest {});
    matches!(tokio::time::timeout(PATIENCE, answer).await, Ok(Ok(_)))
}

/// `address` is `HOST:PORT`, as the engine hands it out.
pub(crate) fn endpoint(address: &str) -> Result<Endpoint> {
    Ok(Channel::from_shared(format!("http://{address}"))?)
}
