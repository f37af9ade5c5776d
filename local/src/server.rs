//! A whole embedded cloud, from its ports to its data folder: started, and stopped in order.

use crate::cloud::{Cloud, CloudConfig, Endpoints};
use crate::current::Current;
use crate::edge;
use anyhow::{Context, Result};
use cloud_core::clock::Clock;
use cloud_core::folder::{DataFolder, write_whole};
use cloud_core::patience::Patience;
use cloud_core::troubles::reason;
use cloud_firehose::MAX_JOURNAL_BYTES;
use cloud_resource::account::Accounts;
use cloud_resource::package::ProviderPackage;
use futures::FutureExt;
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How many ports a cloud takes, from its first one on: the provider, AWS's protocols, the
/// deployed APIs, and distributions.
pub const PORTS: u16 = 16;

/// How long a stopping cloud waits for its background tasks (a flush to S3, say), and then again for
/// its last connections. Work that takes longer is on disk, and goes on at the next start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a stopped cloud waits until the tasks that it has cancelled are dropped.
const RELEASE: Duration = Duration::from_secs(1);

/// What a cloud is started with.
#[derive(Clone)]
pub struct ServerConfig {
    /// The data folder.
    pub home: PathBuf,
    /// Where to listen.
    pub ports: Ports,
    /// The time of day.
    pub clock: Clock,
    /// The program that enters namespaces for a function: `mysfits-local`. Without it functions
    /// are kept apart by copies.
    pub launcher: Option<PathBuf>,
    /// What may be deployed; the aws package unless a test has one of its own.
    pub package: Option<ProviderPackage>,
    /// How many bytes each delivery stream's journal may take on disk.
    pub max_journal_bytes: u64,
    /// How long the clients of its listeners may take.
    pub patience: Patience,
}

/// Where a cloud listens; always on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// A block of [`PORTS`] from this one on.
    From(u16),
    /// Whatever the system has free; for tests.
    Any,
}

/// A running cloud. Dropping it stops its tasks without waiting for them.
pub struct Server {
    current: Arc<Current>,
    endpoints: Endpoints,
    home: PathBuf,
    /// Cancelled when it stops, and with it its cloud.
    stopping: CancellationToken,
    /// Listeners of the protocols that background tasks may still need while they finish.
    inner_edges: CancellationToken,
    listeners: TaskTracker,
    _stop_on_drop: [DropGuard; 2],
    _folder: DataFolder,
}

impl ServerConfig {
    /// A cloud of the given data folder, at any free ports, with the machine's clock.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            ports: Ports::Any,
            clock: Clock::System,
            launcher: None,
            package: None,
            max_journal_bytes: MAX_JOURNAL_BYTES,
            patience: Patience::default(),
        }
    }
}

impl Server {
    /// Takes the data folder and all ports, makes live what is deployed, and listens.
    pub async fn start(config: ServerConfig) -> Result<Self> {
        let ServerConfig {
            home,
            ports,
            clock,
            launcher,
            package,
            max_journal_bytes,
            patience,
        } = config;
        let folder = DataFolder::open(&home)?;
        let listeners = Listeners::bind(ports)?;
        let endpoints = listeners.endpoints()?;
        let config = CloudConfig {
            home: folder.path().to_owned(),
            endpoints: endpoints.clone(),
            launcher,
            max_journal_bytes,
        };
        let stopping = CancellationToken::new();
        let current = Current::open(config, clock, package, stopping.clone()).await?;

        let inner_edges = CancellationToken::new();
        let server = Self {
            _stop_on_drop: [
                stopping.clone().drop_guard(),
                inner_edges.clone().drop_guard(),
            ],
            current: Arc::new(current),
            endpoints,
            home: folder.path().to_owned(),
            stopping,
            inner_edges,
            listeners: TaskTracker::new(),
            _folder: folder,
        };
        server.listen(listeners, patience)?;
        server.write_endpoints()?;
        Ok(server)
    }

    /// The ports it listens on.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The cloud itself, as it is now: a reset puts another in its place.
    pub fn cloud(&self) -> Arc<Cloud> {
        self.current.now()
    }

    /// Waits until something in the cloud asks it to stop, such as a listener that failed.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Stops in order. First no new work comes from outside, and requests and background tasks
    /// finish; AWS's protocols and the sites are still there for them. Then those stop too. On return
    /// the data folder is free.
    pub async fn stop(self) {
        self.stopping.cancel();
        within(PATIENCE, "a reset", self.current.settled()).await;
        let cloud = self.current.now();
        cloud.context.tasks.close();
        within(PATIENCE, "background tasks", cloud.context.tasks.wait()).await;
        // Nothing is left that would invoke one.
        cloud.lambda.stop();
        self.inner_edges.cancel();
        self.listeners.close();
        within(PATIENCE, "open connections", self.listeners.wait()).await;

        // A cancelled task releases the cloud when it is dropped, which the runtime may do a little
        // later.
        let released = cloud.context.downgrade();
        drop((cloud, self.current));
        let released = async {
            while released.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        within(RELEASE, "the last of its tasks", released).await;
    }

    fn listen(&self, listeners: Listeners, patience: Patience) -> Result<()> {
        let current = || Arc::clone(&self.current);
        let outer = || self.stopping.clone();
        let inner = || self.inner_edges.clone();

        let provider = asynchronous(listeners.provider)?;
        self.spawn(
            "provider",
            cloud_resource::serve(provider, self.accounts(), patience, outer()),
        );
        let api = asynchronous(listeners.api)?;
        self.spawn("API", edge::api::serve(api, current(), patience, outer()));
        let aws = asynchronous(listeners.aws)?;
        self.spawn("AWS", edge::aws::serve(aws, current(), patience, inner()));
        for site in listeners.sites {
            let site = asynchronous(site)?;
            self.spawn(
                "site",
                edge::site::serve(site, current(), patience, inner()),
            );
        }
        Ok(())
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::<Current>::clone(&self.current)
    }

    /// Writes the ports down, for people and for programs that let the system choose them.
    fn write_endpoints(&self) -> Result<()> {
        let path = self.home.join("endpoints.json");
        write_whole(&path, &serde_json::to_vec_pretty(self.endpoints())?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Runs a listener. A cloud that has lost one is of no use, and stops.
    fn spawn(&self, name: &'static str, serve: impl Future<Output = Result<()>> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.listeners.spawn(async move {
            match AssertUnwindSafe(serve).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => tracing::error!("the {name} listener failed: {error:#}"),
                Err(panic) => {
                    tracing::error!("the {name} listener panicked: {}", reason(&*panic));
                }
            }
            stopping.cancel();
        });
    }
}

async fn within(patience: Duration, what: &str, done: impl Future<Output = ()>) {
    if tokio::time::timeout(patience, done).await.is_err() {
        tracing::warn!("stopping without waiting any longer for {what}");
    }
}

/// The ports of a cloud, taken before anything else happens.
struct Listeners {
    provider: TcpListener,
    aws: TcpListener,
    api: TcpListener,
    sites: Vec<TcpListener>,
}

impl Listeners {
    fn bind(ports: Ports) -> Result<Self> {
        let first = match ports {
            Ports::From(first) => Some(first),
            Ports::Any => None,
        };
        let needed = |offset: u16| {
            let port = match first {
                Some(first) => first.checked_add(offset).with_context(|| {
                    format!("a block of {PORTS} ports from {first} on goes beyond 65535")
                })?,
                None => 0,
            };
            bind(port).with_context(|| {
                format!(
                    "port {port} of 127.0.0.1 cannot be taken: stop what uses it, or set \
                     MYSFITS_PORT (--port) to the first of {PORTS} free ports"
                )
            })
        };
        let mut listeners = Self {
            provider: needed(0)?,
            aws: needed(1)?,
            api: needed(2)?,
            sites: Vec::new(),
        };
        for offset in 3..PORTS {
            // A cloud works with fewer sites. A distribution that gets no port is refused when it is
            // created.
            match needed(offset) {
                Ok(site) => listeners.sites.push(site),
                Err(error) => tracing::warn!("{error:#}"),
            }
        }
        Ok(listeners)
    }

    fn endpoints(&self) -> Result<Endpoints> {
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Endpoints {
            provider: port(&self.provider)?,
            aws: port(&self.aws)?,
            api: port(&self.api)?,
            sites: self.sites.iter().map(port).collect::<Result<_, _>>()?,
        })
    }
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn asynchronous(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    Ok(tokio::net::TcpListener::from_std(listener)?)
}
