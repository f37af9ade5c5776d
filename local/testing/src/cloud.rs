//! A cloud of one service: what it keeps is in a folder of its own, and it listens on a port
//! that was free.

use crate::client::Client;
use crate::stack::Stack;
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::clock::Clock;
use cloud_core::context::Context;
use cloud_core::events::Events;
use cloud_core::folder;
use cloud_core::listener;
use cloud_core::patience::Patience;
use cloud_core::request_body::RequestBody;
use cloud_core::store::Store;
use cloud_core::troubles::Troubles;
use cloud_iam::Iam;
use cloud_resource::account::Account;
use cloud_resource::deployments::{Deployments, Record};
use cloud_resource::package::ProviderPackage;
use cloud_resource::resource::AnyResourceType;
use http::{Request, Response};
use hyper::body::Body;
use serde_json::Value;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long what was stopped may take to let go of its folder. Nothing waits for it as a rule:
/// without a limit a test would hang and not fail.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service, as its own tests start it.
#[async_trait]
pub trait Service: Sized + Send + Sync + 'static {
    /// Stand-ins for the services that it calls, the same after a restart.
    type Neighbours: Clone + Send + Sync + 'static;

    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static;

    /// The time of day; the machine's unless the test has one of its own.
    fn clock(_neighbours: &Self::Neighbours) -> Clock {
        Clock::System
    }

    /// Opens it, as the app does.
    async fn open(given: Given, neighbours: Self::Neighbours) -> Result<Self>;

    /// What can be deployed of it.
    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>>;

    /// Answers a request.
    async fn answer(&self, request: Request<RequestBody>) -> Response<Self::Body>;

    /// Ends what is left of it when its background tasks have ended.
    fn stop(&self) {}
}

/// What a service is opened with.
pub struct Given {
    /// The data folder.
    pub home: PathBuf,
    pub context: Context,
    pub iam: Arc<Iam>,
    pub deployments: Arc<Deployments>,
    /// Where its answers will come from, on 127.0.0.1.
    pub port: u16,
}

/// A service that runs, and a client of it. Dropping it ends its tasks without waiting for them.
pub struct Cloud<S: Service> {
    pub service: Arc<S>,
    pub account: Arc<Account>,
    pub iam: Arc<Iam>,
    /// The data folder.
    pub folder: TempDir,
    neighbours: S::Neighbours,
    client: Client,
    listener: JoinHandle<Result<()>>,
    listening: DropGuard,
    running: DropGuard,
}

impl<S: Service> Cloud<S> {
    /// Starts with an empty folder.
    pub async fn start(neighbours: S::Neighbours) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, neighbours).await
    }

    /// Starts with what is in a folder.
    pub async fn start_in(folder: TempDir, neighbours: S::Neighbours) -> Result<Self> {
        let home = folder.path().to_owned();
        let stopping = CancellationToken::new();
        let troubles = Troubles::open(&home);
        let store = Store::open(&home.join(folder::STORE), &troubles).await?;
        let events = Arc::new(Events::default());
        let clock = S::clock(&neighbours);
        let context = Context::new(clock, store, troubles, events, stopping.clone());
        let iam = Iam::new(Arc::clone(&context.events), context.clock.clone());
        let iam = Arc::new(iam);
        let deployments = Arc::new(Deployments::open(context.store.clone()).await?);
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = socket.local_addr()?.port();

        let given = Given {
            home,
            context: context.clone(),
            iam: Arc::clone(&iam),
            deployments: Arc::clone(&deployments),
            port,
        };
        let service = Arc::new(S::open(given, neighbours.clone()).await?);
        let types = iam.resource_types().into_iter();
        let types = types.chain(service.resource_types()).collect();
        let account = Arc::new(Account {
            context,
            package: ProviderPackage::aws(types)?,
            deployments,
        });
        account.deployments.activate_all(&account.package).await;

        let shutdown = CancellationToken::new();
        let answering = Arc::clone(&service);
        let patience = Patience::default();
        let serve = listener::serve(socket, patience, shutdown.clone(), move |request| {
            let service = Arc::clone(&answering);
            async move { service.answer(request).await }
        });
        Ok(Self {
            service,
            account,
            iam,
            folder,
            neighbours,
            client: Client::new(port),
            listener: tokio::spawn(serve),
            listening: shutdown.drop_guard(),
            running: stopping.drop_guard(),
        })
    }

    /// Stops, with everything in memory lost: the same data folder in a new process, as it were.
    pub async fn restart(self) -> Result<Self> {
        let neighbours = self.neighbours.clone();
        Self::start_in(self.stop().await?, neighbours).await
    }

    /// Stops as the app does: background tasks and requests finish what they hold.
    pub async fn stop(self) -> Result<TempDir> {
        let Self {
            service,
            account,
            iam,
            folder,
            client,
            listener,
            listening,
            running,
            ..
        } = self;
        drop(running);
        account.context.tasks.close();
        account.context.tasks.wait().await;
        service.stop();
        drop(listening);
        listener.await??;
        let context = account.context.downgrade();
        drop((service, account, iam, client));
        // A task that was dropped lets go of it a little later.
        let released = async {
            while context.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        let released = tokio::time::timeout(PATIENCE, released).await;
        released.context("something still has the cloud that was stopped")?;
        Ok(folder)
    }

    /// Where resources are deployed if nothing else is said.
    pub fn stack(&self) -> Stack {
        Stack::new(Arc::clone(&self.account))
    }

    /// [`Stack::deploy`]
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> Result<Record> {
        self.stack().deploy(token, name, inputs).await
    }

    /// [`Stack::change`]
    pub async fn change(&self, record: Record, inputs: Value) -> Result<Record> {
        self.stack().change(record, inputs).await
    }

    /// [`Stack::refresh`]
    pub async fn refresh(&self, record: &Record) -> Result<Option<(Value, Value)>> {
        self.stack().refresh(record).await
    }

    /// [`Stack::undeploy`]
    pub async fn undeploy(&self, record: &Record) -> Result<()> {
        self.stack().undeploy(record).await
    }
}

impl<S: Service> Deref for Cloud<S> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
