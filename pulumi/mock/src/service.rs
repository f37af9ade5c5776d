//! The engine's other service: messages, and its version.

use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_server::Engine;
use tonic::{Request, Response, Status, async_trait};

use crate::engine::MockEngine;
use crate::run::{Log, Severity};

#[async_trait]
impl Engine for MockEngine {
    async fn log(&self, request: Request<pulumirpc::LogRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let log = Log {
            severity: match request.severity() {
                pulumirpc::LogSeverity::Debug => Severity::Debug,
                pulumirpc::LogSeverity::Info => Severity::Info,
                pulumirpc::LogSeverity::Warning => Severity::Warning,
                pulumirpc::LogSeverity::Error => Severity::Error,
            },
            message: request.message,
            urn: (!request.urn.is_empty()).then_some(request.urn),
        };
        self.journal.write(|entries| entries.run.logs.push(log));
        Ok(Response::new(()))
    }

    async fn get_root_resource(
        &self,
        _: Request<pulumirpc::GetRootResourceRequest>,
    ) -> Result<Response<pulumirpc::GetRootResourceResponse>, Status> {
        let urn = self.journal.read().run.stack_urn.clone();
        Ok(Response::new(pulumirpc::GetRootResourceResponse { urn }))
    }

    async fn set_root_resource(
        &self,
        _: Request<pulumirpc::SetRootResourceRequest>,
    ) -> Result<Response<pulumirpc::SetRootResourceResponse>, Status> {
        Ok(Response::new(pulumirpc::SetRootResourceResponse {}))
    }

    async fn start_debugging(
        &self,
        _: Request<pulumirpc::StartDebuggingRequest>,
    ) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn require_pulumi_version(
        &self,
        request: Request<pulumirpc::RequirePulumiVersionRequest>,
    ) -> Result<Response<pulumirpc::RequirePulumiVersionResponse>, Status> {
        let range = request.into_inner().pulumi_version_range;
        if let Some(version) = &self.script.version {
            check_version(version, &range)?;
        }
        Ok(Response::new(pulumirpc::RequirePulumiVersionResponse {}))
    }
}

/// An engine that is older than the question does not know it.
fn check_version(version: &str, range: &str) -> Result<(), Status> {
    let parts = |version: &str| -> Vec<u64> {
        let version = version.trim_start_matches(['>', '=', ' ']).split('.');
        version.map_while(|part| part.parse().ok()).collect()
    };
    if parts(version) < vec![3, 217, 0] {
        return Err(Status::unimplemented("unknown method RequirePulumiVersion"));
    }
    if parts(version) < parts(range) {
        return Err(Status::failed_precondition(format!(
            "Pulumi CLI version {version} does not satisfy the version range {range:?}"
        )));
    }
    Ok(())
}
