//! Telling the user, through the engine: it shows a message once, where it belongs.

use std::time::Duration;

use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::{GetRootResourceRequest, LogRequest};
use tonic::transport::{Channel, Endpoint};

pub use pulumi_gestalt_proto::pulumi::pulumirpc::LogSeverity as Severity;

/// An engine that does not answer within this time is taken for gone.
const PATIENCE: Duration = Duration::from_secs(5);

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
                tell(&mut client, Severity::Error, message, None).await;
                Ok(())
            })
        });
    if reached.is_err() {
        eprintln!("error: {message}");
    }
}

/// Shows a message of any severity likewise; what is for debugging alone has no place but the
/// engine's.
pub(crate) async fn tell(
    engine: &mut EngineClient<Channel>,
    severity: Severity,
    message: &str,
    urn: Option<String>,
) {
    let request = LogRequest {
        severity: severity.into(),
        message: message.to_owned(),
        urn: urn.unwrap_or_default(),
        ..LogRequest::default()
    };
    let told = tokio::time::timeout(PATIENCE, engine.log(request)).await;
    if !matches!(told, Ok(Ok(_))) && severity != Severity::Debug {
        eprintln!("{}: {message}", severity.as_str_name().to_lowercase());
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
