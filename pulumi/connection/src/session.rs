//! What one run of a program shares: the outputs it registers, its failures, and its end.
//!
//! There is one per process, because Gestalt builds the connector by itself and its methods have
//! no way to say that something failed: a failed registration never resolves, and the session
//! tells a supervisor (`pulumi_program::run`) once all that can still go on has gone on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use pulumi_gestalt_model::PulumiValue;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::resource_monitor_client::ResourceMonitorClient;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tonic::Code;
use tonic::transport::Channel;

use crate::report::{self, Severity};

/// The process ends with this code when its errors have been shown: the language host then adds
/// nothing.
pub const FAILED_AND_REPORTED: u8 = 32;

static SESSION: LazyLock<Session> = LazyLock::new(|| Session {
    in_flight: watch::Sender::new(0),
    supervisor: OnceLock::new(),
    engine: OnceLock::new(),
    has_told_error: AtomicBool::new(false),
    outputs: Mutex::default(),
});

pub struct Session {
    in_flight: watch::Sender<usize>,
    supervisor: OnceLock<Box<dyn Fn() + Send + Sync>>,
    engine: OnceLock<Connection>,
    has_told_error: AtomicBool,
    outputs: Mutex<Outputs>,
}

struct Connection {
    runtime: Handle,
    monitor: ResourceMonitorClient<Channel>,
    engine: EngineClient<Channel>,
}

/// What the program says to its user.
pub struct Message {
    pub severity: Severity,
    pub text: String,
    /// The resource that it is about.
    pub urn: Option<String>,
}

/// What is registered when everything else is under way.
#[derive(Default)]
pub(crate) struct Outputs {
    pub stack: Vec<Output>,
    pub components: Vec<Component>,
    pub messages: Vec<BoxFuture<'static, Option<Message>>>,
}

pub(crate) type Output = (String, BoxFuture<'static, PulumiValue>);

pub(crate) struct Component {
    pub urn: BoxFuture<'static, Option<String>>,
    pub outputs: Vec<Output>,
}

/// A component whose outputs are being collected.
#[derive(Debug, Clone, Copy)]
pub struct ComponentHandle(usize);

impl Session {
    /// The one of this process.
    pub fn get() -> &'static Self {
        &SESSION
    }

    /// Says whom to tell that the program cannot go on. Without a supervisor the process ends.
    pub fn supervise(&self, settled: impl Fn() + Send + Sync + 'static) {
        // The first one stays: a process runs one program.
        let _ = self.supervisor.set(Box::new(settled));
    }

    /// An output of the stack; it is awaited together with all others.
    pub fn export(&self, name: String, value: impl Future<Output = PulumiValue> + Send + 'static) {
        self.outputs(|outputs| outputs.stack.push((name, value.boxed())));
    }

    /// A component, whose registration is complete when its outputs are registered.
    pub fn component(
        &self,
        urn: impl Future<Output = Option<String>> + Send + 'static,
    ) -> ComponentHandle {
        self.outputs(|outputs| {
            outputs.components.push(Component {
                urn: urn.boxed(),
                outputs: Vec::new(),
            });
            ComponentHandle(outputs.components.len() - 1)
        })
    }

    /// An output of a component.
    pub fn component_output(
        &self,
        component: ComponentHandle,
        name: String,
        value: impl Future<Output = PulumiValue> + Send + 'static,
    ) {
        self.outputs(|outputs| {
            if let Some(component) = outputs.components.get_mut(component.0) {
                component.outputs.push((name, value.boxed()));
            }
        });
    }

    /// Says something to the user, at once. Blocks; to be called outside of any runtime.
    pub fn say(&'static self, message: &Message) {
        if let Some(connection) = self.engine.get() {
            connection.runtime.block_on(self.tell(message));
        }
    }

    /// Says something to the user as soon as it is there, if it ever is.
    pub fn say_later(&self, message: impl Future<Output = Option<Message>> + Send + 'static) {
        self.outputs(|outputs| outputs.messages.push(message.boxed()));
    }

    /// Whether the program has said that something is wrong.
    pub fn has_told_error(&self) -> bool {
        self.has_told_error.load(Ordering::Relaxed)
    }

    /// Tells the engine that nothing more will be registered, and waits until it is done.
    /// Blocks; to be called once, outside of any runtime, while the program's context lives.
    pub fn shut_down(&self) -> anyhow::Result<()> {
        let Some(connection) = self.engine.get() else {
            return Ok(());
        };
        let mut monitor = connection.monitor.clone();
        match connection
            .runtime
            .block_on(monitor.signal_and_wait_for_shutdown(()))
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
            Err(status) => Err(anyhow::anyhow!(
                "the engine did not take the end of the program: {}",
                status.message()
            )),
        }
    }

    pub(crate) fn connected(
        &self,
        monitor: ResourceMonitorClient<Channel>,
        engine: EngineClient<Channel>,
    ) {
        let _ = self.engine.set(Connection {
            runtime: Handle::current(),
            monitor,
            engine,
        });
    }

    pub(crate) async fn tell(&'static self, message: &Message) {
        let Some(connection) = self.engine.get() else {
            return;
        };
        let Message {
            severity,
            text,
            urn,
        } = message;
        if *severity == Severity::Error {
            self.has_told_error.store(true, Ordering::Relaxed);
        }
        let _in_flight = self.in_flight();
        let mut engine = connection.engine.clone();
        report::tell(&mut engine, *severity, text, urn.clone()).await;
    }

    /// Says an error to the user, for a value that nothing can be made of. The rest of the program
    /// goes on and fails at its end; this never resolves, so that nothing hangs on it.
    pub async fn fail<T>(&'static self, text: String, urn: Option<String>) -> T {
        let message = Message {
            severity: Severity::Error,
            text,
            urn,
        };
        self.tell(&message).await;
        self.settle().await
    }

    pub(crate) fn take_outputs(&self) -> Outputs {
        self.outputs(std::mem::take)
    }

    /// Counts a request until the guard is dropped.
    pub(crate) fn in_flight(&'static self) -> InFlight {
        self.in_flight.send_modify(|count| *count += 1);
        InFlight(self)
    }

    /// For a request that failed, after it was reported: lets the rest of the program go on, tells
    /// the supervisor when nothing can any more, and never resolves.
    pub(crate) async fn settle<T>(&self) -> T {
        let mut in_flight = self.in_flight.subscribe();
        loop {
            // The sender lives as long as the process.
            let _ = in_flight.wait_for(|count| *count == 0).await;
            // Whatever the last answer woke stands before this in the queue, and has its turn.
            tokio::task::yield_now().await;
            if *in_flight.borrow() == 0 {
                break;
            }
        }
        match self.supervisor.get() {
            Some(settled) => settled(),
            None => std::process::exit(FAILED_AND_REPORTED.into()),
        }
        std::future::pending().await
    }

    fn outputs<T>(&self, change: impl FnOnce(&mut Outputs) -> T) -> T {
        change(&mut self.outputs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) struct InFlight(&'static Session);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|count| *count -= 1);
    }
}
