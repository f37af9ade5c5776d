//! The connection of one program to the engine that started it: its tasks, its failures, its end.

use std::collections::{BTreeMap, HashSet};
use std::error::Error as _;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::FutureExt as _;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::resource_monitor_client::ResourceMonitorClient;
use pulumi_protocol::STACK_TYPE;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, watch};
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::callbacks::Callbacks;
use crate::outputs::Outputs;
use crate::report::{self, Message, Severity};
use crate::waits::Waits;

/// What the engine's own clients accept: an asset's text travels inside a message.
const LARGEST_MESSAGE: usize = 400 * 1024 * 1024;

/// The first engine that can be asked for its version. All that is sent without a question is known
/// to it.
const OLDEST_ENGINE: &str = "3.217.0";

/// How often a program in which nothing moves is asked whether it waits for itself.
const STALLED: Duration = Duration::from_millis(500);

/// Where the engine is, and what it says about the run.
#[derive(Debug, Clone)]
pub struct Address {
    /// `HOST:PORT` of the resource monitor.
    pub monitor: String,
    /// `HOST:PORT` of the engine's other service.
    pub engine: String,
    pub project: String,
    pub stack: String,
    pub in_preview: bool,
}

/// The connection of one program; all clones are the same.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub monitor: ResourceMonitorClient<Channel>,
    /// That of the monitor.
    pub channel: Channel,
    engine: EngineClient<Channel>,
    runtime: Handle,
    /// The stack's URN.
    pub stack: String,
    pub in_preview: bool,
    /// Tasks wait for it: a program that fails while it describes has touched nothing.
    started: watch::Sender<bool>,
    tasks: TaskTracker,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn std::any::Any + Send>>>,
    panicked: tokio::sync::Notify,
    in_flight: AtomicUsize,
    failed: AtomicBool,
    /// The program itself has said that something is wrong.
    complained: AtomicBool,
    /// The engine is shutting down, and that has been dealt with.
    ending: AtomicBool,
    /// The URNs of resources that are not there yet, and will not be in this run.
    left_out: Mutex<HashSet<String>>,
    features: tokio::sync::Mutex<BTreeMap<&'static str, bool>>,
    packages: tokio::sync::Mutex<BTreeMap<String, String>>,
    pub outputs: Mutex<Outputs>,
    pub waits: Waits,
    callbacks: OnceCell<Callbacks>,
}

/// Why something has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The user knows: the engine has shown it, or it depends on what failed before.
    Told,
    /// The engine takes no more requests, after an error that it has shown, or it is gone.
    Ending,
    /// Nobody has shown it yet.
    Refused {
        message: String,
        urn: Option<String>,
    },
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Connects, and registers the stack, `PROJECT-STACK`. To be called inside of the runtime that
    /// the program's tasks will run on.
    ///
    /// # Errors
    /// When the engine is too old, or refuses the stack.
    pub async fn connect(address: &Address) -> Result<Self> {
        let channel = report::endpoint(&address.monitor)?.connect_lazy();
        let mut monitor = ResourceMonitorClient::new(channel.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let engine = EngineClient::new(report::endpoint(&address.engine)?.connect_lazy());
        require_version(engine.clone(), &format!(">={OLDEST_ENGINE}")).await?;
        let request = pulumirpc::RegisterResourceRequest {
            r#type: STACK_TYPE.to_owned(),
            name: format!("{}-{}", address.project, address.stack),
            object: Some(prost_types::Struct::default()),
            ..crate::registration::basics()
        };
        let stack = monitor
            .register_resource(request)
            .await
            .map_err(|status| anyhow::anyhow!("{}", status.message()))
            .context("the stack was not registered")?
            .into_inner()
            .urn;
        Ok(Self(Arc::new(Inner {
            monitor,
            channel,
            engine,
            runtime: Handle::current(),
            stack,
            in_preview: address.in_preview,
            started: watch::Sender::new(false),
            tasks: TaskTracker::new(),
            panic: Mutex::default(),
            panicked: tokio::sync::Notify::new(),
            in_flight: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            complained: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            left_out: Mutex::default(),
            features: tokio::sync::Mutex::default(),
            packages: tokio::sync::Mutex::default(),
            outputs: Mutex::default(),
            waits: Waits::default(),
            callbacks: OnceCell::new(),
        })))
    }

    /// Has the program do this, beside everything else that it does, once it is described.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let engine = self.clone();
        let task = async move {
            // The sender lives as long as the engine.
            let _ = engine
                .0
                .started
                .subscribe()
                .wait_for(|started| *started)
                .await;
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                lock(&engine.0.panic).get_or_insert(panic);
                engine.0.panicked.notify_one();
            }
        };
        self.0.tasks.spawn_on(task, &self.0.runtime);
    }

    /// Lets tasks begin, for a program that does not wait until it is described.
    pub fn begin(&self) {
        self.0.started.send_replace(true);
    }

    /// Does everything that the program has described, and tells the engine that nothing more
    /// comes. Gives whether all of it succeeded; failures have been shown.
    ///
    /// # Errors
    /// When the engine does not take the end of the program.
    pub async fn finish(&self) -> Result<bool> {
        self.begin();
        self.0.tasks.close();
        loop {
            self.register_outputs();
            tokio::select! {
                () = self.0.tasks.wait() => {}
                () = self.0.panicked.notified() => {}
                () = self.untangle() => {}
            }
            if let Some(panic) = lock(&self.0.panic).take() {
                std::panic::resume_unwind(panic);
            }
            // What a closure has registered may give outputs of its own.
            if lock(&self.0.outputs).is_empty() {
                break;
            }
        }
        if self.has_failed() {
            return Ok(false);
        }
        self.shut_down().await?;
        Ok(!self.0.complained.load(Ordering::Relaxed))
    }

    /// Whether something was not registered, and the user knows.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Says something to the user. After an error the program goes on, and fails at its end.
    pub async fn tell(&self, message: Message) {
        if message.severity == Severity::Error {
            self.0.complained.store(true, Ordering::Relaxed);
        }
        report::tell(&mut self.0.engine.clone(), message).await;
    }

    /// Tells what has not been told yet.
    pub async fn fail(&self, failure: Failure) {
        self.0.failed.store(true, Ordering::Relaxed);
        match failure {
            Failure::Told => {}
            Failure::Ending => {
                let first = !self.0.ending.swap(true, Ordering::Relaxed);
                if first && !report::answers(&mut self.0.engine.clone()).await {
                    eprintln!(
                        "error: lost the Pulumi engine; what it had created by then is in the \
                         stack's state: run `pulumi up` again"
                    );
                }
            }
            Failure::Refused { message, urn } => {
                self.tell(Message {
                    severity: Severity::Error,
                    text: message,
                    urn,
                })
                .await;
            }
        }
    }

    /// # Errors
    /// When the engine is not of these versions, such as `>=3.230.0`.
    pub async fn require_version(&self, range: &str) -> Result<()> {
        require_version(self.0.engine.clone(), range).await
    }

    /// Refuses what an engine without a feature would ignore. `what` is what the program says.
    ///
    /// # Errors
    /// With the CLI that knows it.
    pub async fn require_feature(&self, feature: &'static str, what: &str) -> Result<(), Failure> {
        let mut features = self.0.features.lock().await;
        let has_support = match features.get(feature) {
            Some(has_support) => *has_support,
            None => {
                let request = pulumirpc::SupportsFeatureRequest {
                    id: feature.to_owned(),
                };
                let answer = self
                    .call(async |mut monitor| monitor.supports_feature(request).await)
                    .await
                    .map_err(|status| Failure::of(&status, None, "the engine was not asked"))?;
                features.insert(feature, answer.has_support);
                answer.has_support
            }
        };
        match has_support {
            true => Ok(()),
            false => Err(Failure::refused(format!(
                "this Pulumi CLI does not know {what}, and would ignore it: {}",
                newer()
            ))),
        }
    }

    /// The reference of a package that has parameters, by which its resources name it.
    ///
    /// # Errors
    /// When the engine does not know such packages, or not this one.
    pub async fn package(
        &self,
        request: pulumirpc::RegisterPackageRequest,
    ) -> Result<String, Failure> {
        let name = request.parameterization.as_ref();
        let name = name
            .map_or(&request.name, |parameters| &parameters.name)
            .clone();
        self.require_feature("parameterization", "packages with parameters")
            .await?;
        let mut packages = self.0.packages.lock().await;
        if let Some(reference) = packages.get(&name) {
            return Ok(reference.clone());
        }
        let what = format!("the package {name} was not registered");
        let answer = self
            .call(async |mut monitor| monitor.register_package(request).await)
            .await
            .map_err(|status| Failure::of(&status, None, &what))?;
        packages.insert(name, answer.r#ref.clone());
        Ok(answer.r#ref)
    }

    /// Gives the engine a hook of the program's.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub async fn register_hook(
        &self,
        request: pulumirpc::RegisterResourceHookRequest,
    ) -> Result<(), Failure> {
        let what = format!("the hook {} was not registered", request.name);
        self.call(async |mut monitor| monitor.register_resource_hook(request).await)
            .await
            .map_err(|status| Failure::of(&status, None, &what))
    }

    /// The URN of the stack.
    pub fn stack(&self) -> &str {
        &self.0.stack
    }

    pub fn in_preview(&self) -> bool {
        self.0.in_preview
    }

    /// What the engine can call in the program.
    ///
    /// # Errors
    /// When nothing can listen on this machine.
    pub async fn callbacks(&self) -> Result<&Callbacks> {
        self.0.callbacks.get_or_try_init(Callbacks::serve).await
    }

    /// A request to the monitor, counted for as long as it is under way.
    pub(crate) async fn call<T>(
        &self,
        request: impl AsyncFnOnce(ResourceMonitorClient<Channel>) -> Result<tonic::Response<T>, Status>,
    ) -> Result<T, Status> {
        let _in_flight = InFlight::of(&self.0.in_flight);
        Ok(request(self.0.monitor.clone()).await?.into_inner())
    }

    pub(crate) fn left_out(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.0.left_out)
    }

    /// Takes out of their circles what waits for itself; never resolves.
    async fn untangle(&self) {
        loop {
            tokio::time::sleep(STALLED).await;
            if self.is_idle()
                && let Some(message) = self.0.waits.untangle()
            {
                // In a task of its own, because the resource that was given up may end the program
                // before the message is sent.
                let engine = self.clone();
                self.spawn(async move { engine.fail(Failure::refused(message)).await });
            }
        }
    }

    /// Whether no request is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.in_flight.load(Ordering::Relaxed) == 0
    }

    async fn shut_down(&self) -> Result<()> {
        match self
            .0
            .monitor
            .clone()
            .signal_and_wait_for_shutdown(())
            .await
        {
            Ok(_) => Ok(()),
            // An engine that does not have it needs no signal, and one that is gone has reported
            // what happened.
            Err(status)
                if matches!(
                    status.code(),
                    Code::Unimplemented | Code::Unavailable | Code::Cancelled
                ) =>
            {
                Ok(())
            }
            Err(status) => bail!(
                "everything was registered, but the engine did not take the end of the program: {}",
                status.message()
            ),
        }
    }
}

impl Failure {
    /// What nobody has shown yet, of no particular resource.
    pub fn refused(message: String) -> Self {
        Self::Refused { message, urn: None }
    }

    pub(crate) fn of(status: &Status, urn: Option<String>, what: &str) -> Self {
        // Only a status that did not come from the other side has a source.
        let ending = matches!(status.code(), Code::Unavailable | Code::Cancelled);
        if ending || status.source().is_some() {
            return Self::Ending;
        }
        Self::Refused {
            message: format!("{what}: {}", status.message()),
            urn,
        }
    }
}

struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn require_version(mut engine: EngineClient<Channel>, range: &str) -> Result<()> {
    let request = pulumirpc::RequirePulumiVersionRequest {
        pulumi_version_range: range.to_owned(),
    };
    match engine.require_pulumi_version(request).await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::Unimplemented => {
            bail!(
                "this Pulumi CLI is too old for programs in Rust: {}",
                newer()
            )
        }
        Err(status) if status.source().is_some() => Err(status).context("the engine is gone"),
        Err(status) => bail!("{}; {}", status.message(), newer()),
    }
}

fn newer() -> String {
    format!(
        "install Pulumi {OLDEST_ENGINE} or newer, with `curl -fsSL https://get.pulumi.com | sh` or as \
         https://www.pulumi.com/docs/install says"
    )
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
