//! A slow provider: it passes every request on to another one, and answers a creation only after a
//! while.

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tower::ServiceExt;

const CREATE: &str = "/pulumirpc.ResourceProvider/Create";

/// The provider, as long as its runtime runs.
#[derive(Clone)]
pub struct Slow {
    behind: Channel,
    latency: Duration,
    creations: Arc<Mutex<Creations>>,
}

/// When the first creation was asked for, and the last one answered.
#[derive(Default)]
struct Creations {
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Slow {
    /// Serves in front of the provider on port `behind`; gives the port too.
    pub async fn serve(behind: u16, latency: Duration) -> Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let slow = Self {
            behind: Channel::from_shared(format!("http://127.0.0.1:{behind}"))?.connect_lazy(),
            latency,
            creations: Arc::default(),
        };
        let routes = Router::new().fallback(pass_on).with_state(slow.clone());
        tokio::spawn(
            Server::builder()
                .add_routes(Routes::from(routes))
                .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))),
        );
        Ok((slow, port))
    }

    /// The time from the first creation to the last.
    pub fn creations(&self) -> Option<Duration> {
        let Creations { first, last } = *self.lock();
        Some(last? - first?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Creations> {
        self.creations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass_on(State(slow): State<Slow>, request: Request) -> impl IntoResponse {
    let creates = request.uri().path() == CREATE;
    if creates {
        slow.lock().first.get_or_insert_with(Instant::now);
    }
    let latency = if creates {
        slow.latency
    } else {
        Duration::ZERO
    };
    let answer = slow.behind.clone().oneshot(request.map(Body::new));
    let (answer, ()) = tokio::join!(answer, tokio::time::sleep(latency));
    if creates {
        slow.lock().last = Some(Instant::now());
    }
    answer.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}
