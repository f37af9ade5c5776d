//! What the engine calls in the program: a server on loopback, started when the first callback is
//! given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prost::Message;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::callbacks_server::{
    Callbacks as Service, CallbacksServer,
};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::engine::lock;

type Callback = Arc<dyn Fn(Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, Status>> + Send + Sync>;

/// The callbacks of one program, by their tokens.
#[derive(Clone)]
pub struct Callbacks {
    address: String,
    table: Arc<Mutex<HashMap<String, Callback>>>,
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Callbacks")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Callbacks {
    pub(crate) async fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("nothing can listen on 127.0.0.1 for the engine's calls")?;
        let callbacks = Self {
            address: listener.local_addr()?.to_string(),
            table: Arc::default(),
        };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(CallbacksServer::new(callbacks.clone()))
                .serve_with_incoming(incoming),
        );
        Ok(callbacks)
    }

    /// Gives the engine a way to call `function`.
    pub fn add<Asked, Answered, F>(
        &self,
        function: impl Fn(Asked) -> F + Send + Sync + 'static,
    ) -> pulumirpc::Callback
    where
        Asked: Message + Default,
        Answered: Message,
        F: Future<Output = Answered> + Send + 'static,
    {
        let callback: Callback =
            Arc::new(
                move |request: Vec<u8>| match Asked::decode(request.as_slice()) {
                    Ok(asked) => {
                        let answer = function(asked);
                        async move { Ok(answer.await.encode_to_vec()) }.boxed()
                    }
                    Err(error) => {
                        let status = Status::invalid_argument(error.to_string());
                        std::future::ready(Err(status)).boxed()
                    }
                },
            );
        let mut table = lock(&self.table);
        let token = format!("callback-{}", table.len());
        table.insert(token.clone(), callback);
        pulumirpc::Callback {
            target: self.address.clone(),
            token,
        }
    }
}

#[tonic::async_trait]
impl Service for Callbacks {
    async fn invoke(
        &self,
        request: Request<pulumirpc::CallbackInvokeRequest>,
    ) -> Result<Response<pulumirpc::CallbackInvokeResponse>, Status> {
        let request = request.into_inner();
        let callback = lock(&self.table).get(&request.token).cloned();
        let callback = callback.ok_or_else(|| {
            Status::not_found(format!("this program has no callback {}", request.token))
        })?;
        Ok(Response::new(pulumirpc::CallbackInvokeResponse {
            response: callback(request.request).await?,
        }))
    }
}
