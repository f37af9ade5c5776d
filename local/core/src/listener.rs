//! What all HTTP listeners have in common: connections, how they end, and who may call.

use crate::patience::{Patience, PatientStream};
use crate::request_body::RequestBody;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to leave a listener alone that could not accept, for want of file descriptors say.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers HTTP/1.1 requests with `handler` until `shutdown`, then finishes those under way. A
/// client that is slower than `patience` allows is cut off.
///
/// A request whose Host header names another machine is refused: a web page may point its own
/// domain at 127.0.0.1, and would otherwise have the same origin as this cloud.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    patience: Patience,
    shutdown: CancellationToken,
    handler: H,
) -> Result<()>
where
    H: Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small answers go out at once; a socket that refuses the option still works.
                let _ = stream.set_nodelay(true);
                let (shutdown, handler) = (shutdown.clone(), handler.clone());
                connections.spawn(connection(stream, patience, shutdown, handler));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn connection<S, H, F, B>(
    stream: S,
    patience: Patience,
    shutdown: CancellationToken,
    handler: H,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let is_ours = names_this_machine(request.uri(), request.headers());
        let request = request.map(|body| RequestBody::new(body, patience));
        let fate = request.body().fate();
        let answer = is_ours.then(|| handler(request));
        async move {
            let Some(answer) = answer else {
                return Ok::<_, Infallible>(foreign_host().map(Either::Right));
            };
            let mut answer = answer.await;
            if fate.failure().is_some() {
                // What is left of the body would have to be read before the next request.
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(answer.map(Either::Left))
        }
    });
    let stream = PatientStream::new(stream, patience);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn foreign_host() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(
        "This cloud answers to 127.0.0.1 and localhost only.\n",
    ));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Whether a request is addressed to this machine: 127.0.0.1, localhost, a name under
/// localhost (a bucket's, say), or no name at all.
pub(crate) fn names_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let authority = match headers.get(header::HOST).map(|host| host.to_str()) {
        Some(Ok(host)) => host,
        Some(Err(_)) => return false,
        None => uri.authority().map_or("", |authority| authority.as_str()),
    };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    matches!(host.as_str(), "" | "127.0.0.1" | "::1" | "localhost") || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A client that reads only the beginning of an answer is disconnected.
    #[tokio::test]
    async fn an_answer_is_not_held_forever() -> Result<()> {
        const LENGTH: usize = 1_000_000;
        let patience = Patience {
            answer: Duration::ZERO,
            ..Patience::default()
        };
        let (mut client, server) = tokio::io::duplex(1_000);
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        let handler = |_| async { Response::new(Full::from(vec![b'x'; LENGTH])) };
        connection(server, patience, CancellationToken::new(), handler).await;
        let mut taken = Vec::new();
        client.read_to_end(&mut taken).await?;
        assert!(taken.starts_with(b"HTTP/1.1 200 OK"));
        assert!(taken.len() < LENGTH);
        Ok(())
    }

    #[test]
    fn only_names_of_this_machine_are_answered() -> Result<()> {
        for (host, answered) in [
            ("127.0.0.1:20001", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("clicks.localhost:20001", true),
            ("[::1]:20001", true),
            ("example.com", false),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com:20001", false),
            ("notlocalhost", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse()?);
            assert_eq!(
                names_this_machine(&Uri::from_static("/"), &headers),
                answered,
                "{host}"
            );
        }
        Ok(())
    }
}
