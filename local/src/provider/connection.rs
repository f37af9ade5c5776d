//! Connections from the engine, each with the configuration it was given.
//!
//! The engine opens a connection for each configured provider of a stack, and a request does
//! not say which of them it is for: the connection does. Two stacks, or two providers of one
//! stack, can so be at work at the same time, in different regions.

use super::settings::Settings;
use crate::edge::http::ACCEPT_PAUSE;
use futures::Stream;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::server::Connected;

/// A connection, as the gRPC server reads and writes it.
pub struct Connection {
    stream: TcpStream,
    configured: Configured,
}

/// The configuration of a connection, once there is one. Every request carries it.
#[derive(Debug, Clone, Default)]
pub struct Configured(Arc<RwLock<Option<Arc<Settings>>>>);

impl Configured {
    /// What this connection was configured with.
    pub fn get(&self) -> Option<Arc<Settings>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Configures it.
    pub fn set(&self, settings: Arc<Settings>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(settings);
    }
}

impl Connection {
    /// A connection that nobody has configured yet.
    pub fn new(stream: TcpStream) -> Self {
        // Small messages go out at once; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            configured: Configured::default(),
        }
    }
}

/// The connections that a listener accepts, for ever.
pub fn accepted(listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
    futures::stream::unfold(listener, |listener| async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((Ok(Connection::new(stream)), listener)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

impl Connected for Connection {
    type ConnectInfo = Configured;

    fn connect_info(&self) -> Configured {
        self.configured.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
