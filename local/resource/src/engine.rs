//! Messages to the user, which the engine shows beside the answer to a call.

use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::{LogRequest, LogSeverity};
use std::time::Duration;
use tonic::transport::Endpoint;

/// How long the engine may take to show a line. It listens on this machine; an operation does
/// not wait longer for a line that is not needed for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows a warning beside the resource `urn`. `engine` is the `HOST:PORT` that the engine gave;
/// without one, or when it does not answer, the warning is in the cloud's log alone.
pub(crate) async fn warn(engine: Option<String>, urn: &str, message: String) {
    tracing::warn!(urn, "{message}");
    let Some(address) = engine else {
        return;
    };
    let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) else {
        return;
    };
    let request = LogRequest {
        severity: LogSeverity::Warning.into(),
        message,
        urn: urn.to_owned(),
        ..LogRequest::default()
    };
    let told = async {
        let mut client = EngineClient::new(endpoint.connect_lazy());
        client.log(request).await
    };
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::info!(%error, "the engine did not take a warning"),
        Err(_) => tracing::info!("the engine did not take a warning in time"),
    }
}
