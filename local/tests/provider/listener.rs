//! The engine's own service, as far as a provider speaks to it: it is told what to show.

use crate::support::Engine;
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::engine_server::{Engine as Service, EngineServer};
use std::sync::{Arc, Mutex, PoisonError};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Hears what providers tell.
pub struct Listener {
    address: String,
    told: Arc<Mutex<Vec<String>>>,
}

struct Ears(Arc<Mutex<Vec<String>>>);

impl Listener {
    pub async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let told = Arc::new(Mutex::default());
        let service = EngineServer::new(Ears(Arc::clone(&told)));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Ok(Self { address, told })
    }

    /// Tells a provider where the engine listens, as the engine does when it attaches to it.
    pub async fn attach(&self, engine: &mut Engine) -> Result<()> {
        let address = self.address.clone();
        engine.client.attach(rpc::PluginAttach { address }).await?;
        Ok(())
    }

    /// What was told, with its severity.
    pub fn told(&self) -> Vec<String> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[tonic::async_trait]
impl Service for Ears {
    async fn log(&self, request: Request<rpc::LogRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(format!("{:?} {}", request.severity(), request.message));
        Ok(Response::new(()))
    }

    async fn get_root_resource(
        &self,
        _: Request<rpc::GetRootResourceRequest>,
    ) -> Result<Response<rpc::GetRootResourceResponse>, Status> {
        Err(Status::unimplemented("a provider does not ask this"))
    }

    async fn set_root_resource(
        &self,
        _: Request<rpc::SetRootResourceRequest>,
    ) -> Result<Response<rpc::SetRootResourceResponse>, Status> {
        Err(Status::unimplemented("a provider does not say this"))
    }

    async fn start_debugging(
        &self,
        _: Request<rpc::StartDebuggingRequest>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("a provider does not ask this"))
    }

    async fn require_pulumi_version(
        &self,
        _: Request<rpc::RequirePulumiVersionRequest>,
    ) -> Result<Response<rpc::RequirePulumiVersionResponse>, Status> {
        Err(Status::unimplemented("a provider does not ask this"))
    }
}
