//! Connections from the engine, each with the configuration it was given.
//!
//! The engine opens a connection for each configured provider of a stack, and a request does not
//! say which of them it is for: the connection does. Two stacks, or two providers of one stack, can
//! so be at work at the same time, in different regions. A connection is also one session of the
//! engine, so that the resources of a killed engine can be told from those of a running one.

use crate::answers::Session;
use crate::settings::ProviderSettings;
use cloud_core::listener::ACCEPT_PAUSE;
use cloud_core::patience::{Patience, PatientStream};
use futures::Stream;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::server::Connected;

/// A connection, as the gRPC server reads and writes it.
pub(crate) struct Connection {
    stream: PatientStream<TcpStream>,
    configured: Configured,
}

/// What is known of a connection: its configuration and its engine, once there are any. Every
/// request carries it.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    session: Session,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    settings: Option<Arc<ProviderSettings>>,
    /// `HOST:PORT` at which the engine listens.
    engine: Option<String>,
}

impl Configured {
    fn new() -> Self {
        Self {
            session: Session::next(),
            known: Arc::default(),
        }
    }

    /// Which session of an engine this is.
    pub(crate) fn session(&self) -> Session {
        self.session
    }

    /// What this connection was configured with.
    pub(crate) fn get(&self) -> Option<Arc<ProviderSettings>> {
        self.read().settings.clone()
    }

    /// Configures it.
    pub(crate) fn set(&self, settings: Arc<ProviderSettings>) {
        self.write().settings = Some(settings);
    }

    /// Where the engine of this connection listens.
    pub(crate) fn engine(&self) -> Option<String> {
        self.read().engine.clone()
    }

    /// Remembers where the engine listens; it may say so in more than one way.
    pub(crate) fn set_engine(&self, address: &str) {
        if !address.is_empty() {
            self.write().engine = Some(address.to_owned());
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A connection that nobody has configured yet.
    pub(crate) fn new(stream: TcpStream, patience: Patience) -> Self {
        // Small messages go out at once; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        Self {
            stream: PatientStream::new(stream, patience),
            configured: Configured::new(),
        }
    }
}

/// The connections that a listener accepts, forever.
pub(crate) fn accepted(
    listener: TcpListener,
    patience: Patience,
) -> impl Stream<Item = io::Result<Connection>> {
    futures::stream::unfold(listener, move |listener| async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((Ok(Connection::new(stream, patience)), listener)),
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
