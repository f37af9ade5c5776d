//! The gRPC service that Pulumi's engine attaches to: each call is read whole, and answered by the
//! cloud that there is at the moment.

use crate::account::Accounts;
use crate::connection::accepted;
use crate::provider::{Provider, Stacks};
use anyhow::Result;
use cloud_core::patience::Patience;
use cloud_core::request_body::RequestBody;
use futures::future::BoxFuture;
use http_body_util::Full;
use pulumi_gestalt_proto::pulumi::pulumirpc::resource_provider_server::ResourceProviderServer;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service as _;

/// The engine's own limit of a message, 400 MiB: an asset given as text travels in one.
const MAX_MESSAGE: usize = 400 << 20;

/// The most that is read of a call: a message with gRPC's five bytes before it. gRPC itself refuses
/// a longer message, by the length in those bytes.
const MAX_CALL: usize = MAX_MESSAGE + 5;

/// The header of an answer that is an error; of a success it comes after the body.
const GRPC_STATUS: &str = "grpc-status";

/// Serves the provider protocol until `shutdown`, then finishes the calls under way. A client that
/// is slower than `patience` allows is cut off.
pub async fn serve(
    listener: TcpListener,
    accounts: Arc<dyn Accounts>,
    patience: Patience,
    shutdown: CancellationToken,
) -> Result<()> {
    let service = Service {
        accounts,
        stacks: Stacks::default(),
        patience,
    };
    tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(accepted(listener, patience), shutdown.cancelled_owned())
        .await?;
    Ok(())
}

/// The service: for each call a [`Provider`] of the cloud that there is.
#[derive(Clone)]
struct Service {
    accounts: Arc<dyn Accounts>,
    stacks: Stacks,
    patience: Patience,
}

impl tower::Service<http::Request<Body>> for Service {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = RequestBody::new(body, service.patience);
            let body = match body.whole(MAX_CALL).await {
                Ok(body) => body,
                Err(error) => {
                    let refused = format!("the request cannot be read: {error}");
                    return Ok(Status::invalid_argument(refused).into_http());
                }
            };
            let again = || {
                let body = Body::new(Full::new(body.clone()));
                http::Request::from_parts(parts.clone(), body)
            };
            let (answer, was_reset) = service.answer(again()).await?;
            // A call that fails because the cloud was reset meanwhile is put to the new cloud, so
            // that the engine sees it answered before the reset or after it, never in between.
            if was_reset
                && answer
                    .headers()
                    .get(GRPC_STATUS)
                    .is_some_and(|it| it != "0")
            {
                return Ok(service.answer(again()).await?.0);
            }
            Ok(answer)
        })
    }
}

impl Service {
    /// The answer of the cloud that there is, and whether that was reset meanwhile.
    async fn answer(
        &self,
        request: http::Request<Body>,
    ) -> Result<(http::Response<Body>, bool), Infallible> {
        let account = self.accounts.now().await;
        let abandoned = account.context.abandoned.clone();
        let stacks = Arc::clone(&self.stacks);
        let answer = ResourceProviderServer::new(Provider { account, stacks })
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE)
            .call(request)
            .await?;
        Ok((answer, abandoned.is_cancelled()))
    }
}

impl NamedService for Service {
    const NAME: &'static str = <ResourceProviderServer<Provider> as NamedService>::NAME;
}
