//! The engine's resource monitor, as far as a program uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_server::EngineServer;
use pulumi_gestalt_proto::pulumi::pulumirpc::resource_monitor_server::{
    ResourceMonitor, ResourceMonitorServer,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::server::{Router, TcpIncoming};
use tonic::{Request, Response, Status, async_trait};

use crate::hooks;
use crate::journal::{Ending, Journal};
use crate::resource::{Answer, Invoke, Outcome, Resource, registration_of};
use crate::run::{Event, Log, Severity};
use crate::value;

const STACK_TYPE: &str = "pulumi:pulumi:Stack";
/// What the end of a server takes at most.
const LONGEST_END: Duration = Duration::from_secs(5);
/// What a shuffled answer takes at most.
const LONGEST_SHUFFLE: u64 = 20;

type Answering = dyn Fn(&Resource) -> Answer + Send + Sync;
type Function = dyn Fn(&Invoke) -> Result<Value, String> + Send + Sync;

/// What a test says about the engine.
pub(crate) struct Script {
    pub project: String,
    pub stack: String,
    pub preview: bool,
    pub answer: Box<Answering>,
    pub functions: BTreeMap<String, Box<Function>>,
    pub shuffle: Option<u64>,
    /// Features that the engine does not know.
    pub without: BTreeSet<String>,
    pub version: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            project: String::new(),
            stack: String::new(),
            preview: false,
            answer: Box::new(|_| Answer::new()),
            functions: BTreeMap::new(),
            shuffle: None,
            without: BTreeSet::new(),
            version: None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct MockEngine {
    pub script: Arc<Script>,
    pub journal: Arc<Journal>,
}

/// The two services, on free ports, as long as this lives.
pub(crate) struct Servers {
    // In the order in which they end: a program that loses the monitor finds no engine.
    engine: Server,
    monitor: Server,
}

struct Server {
    address: String,
    runtime: Option<Runtime>,
}

impl Servers {
    pub fn start(script: Arc<Script>, journal: Arc<Journal>) -> Result<Self> {
        let mock = MockEngine { script, journal };
        let monitor =
            ResourceMonitorServer::new(mock.clone()).max_decoding_message_size(usize::MAX);
        Ok(Self {
            engine: Server::start(|server| server.add_service(EngineServer::new(mock)))?,
            monitor: Server::start(|server| server.add_service(monitor))?,
        })
    }

    /// As a program finds them in its environment.
    pub fn addresses(&self) -> [(&'static str, &str); 2] {
        [
            ("PULUMI_ENGINE", &self.engine.address),
            ("PULUMI_MONITOR", &self.monitor.address),
        ]
    }
}

impl Server {
    fn start(with_service: impl FnOnce(&mut tonic::transport::Server) -> Router) -> Result<Self> {
        let runtime = Runtime::new()?;
        let router = with_service(&mut tonic::transport::Server::builder());
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        runtime.spawn(
            router.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))),
        );
        Ok(Self {
            address,
            runtime: Some(runtime),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A runtime of its own is the only way to cut off what is under way; and it may not end
        // inside of another one.
        if let Some(runtime) = self.runtime.take() {
            let end = std::thread::spawn(move || runtime.shutdown_timeout(LONGEST_END));
            drop(end.join());
        }
    }
}

impl MockEngine {
    async fn register(
        &self,
        request: pulumirpc::RegisterResourceRequest,
        read: Option<String>,
    ) -> Result<pulumirpc::RegisterResourceResponse, Status> {
        self.check_open().await?;
        if request.r#type == STACK_TYPE {
            return Ok(self.register_stack(request));
        }
        let resource = self.ask(request, read)?;
        let about = format!("{} [{}]", resource.name, resource.r#type);
        let answer = || (self.script.answer)(&resource);
        let mut answer = self.journal.ask(&about, answer)?;
        if let Some(seed) = self.script.shuffle {
            answer.delay += shuffled(seed, &resource.urn);
        }
        if !self.script.preview {
            hooks::call(&self.journal, &resource, |hooks| &hooks.before_create).await?;
        }
        tokio::select! {
            () = self.wait(&answer) => {}
            () = self.journal.until(|entries| entries.ending.map(drop)) => {}
        }
        self.check_open().await?;
        let response = self.reply(&resource, answer).await?;
        if !self.script.preview {
            let called = hooks::call(&self.journal, &resource, |hooks| &hooks.after_create);
            // After the fact, an error is a warning.
            if let Err(status) = called.await {
                self.show(Severity::Warning, status.message(), &resource);
            }
        }
        Ok(response)
    }

    fn register_stack(
        &self,
        request: pulumirpc::RegisterResourceRequest,
    ) -> pulumirpc::RegisterResourceResponse {
        let Script { project, stack, .. } = &*self.script;
        let urn = format!(
            "urn:pulumi:{stack}::{project}::{STACK_TYPE}::{}",
            request.name
        );
        self.journal.write(|entries| {
            entries.known.insert(urn.clone());
            entries.run.stack_urn.clone_from(&urn);
        });
        pulumirpc::RegisterResourceResponse {
            urn,
            ..pulumirpc::RegisterResourceResponse::default()
        }
    }

    /// Takes a registration into the record, if the engine would.
    fn ask(
        &self,
        request: pulumirpc::RegisterResourceRequest,
        read: Option<String>,
    ) -> Result<Resource, Status> {
        self.journal.write(|entries| {
            let known = &entries.known;
            for urn in request.dependencies.iter().chain([&request.parent]) {
                if !known.contains(urn.as_str()) {
                    return Err(Status::invalid_argument(format!(
                        "{} refers to {urn:?}, which is not registered",
                        request.name
                    )));
                }
            }
            let urn = child_of(&request.parent, &request.r#type, &request.name);
            if known.contains(urn.as_str()) {
                return Err(Status::already_exists(format!(
                    "duplicate resource URN '{urn}'; try giving it a unique name"
                )));
            }
            let resource = Resource::new(request, read, urn.clone(), entries.answered.clone());
            entries.known.insert(urn.clone());
            entries.run.events.push(Event::Asked(urn));
            entries.run.resources.push(resource.clone());
            Ok(resource)
        })
    }

    async fn wait(&self, answer: &Answer) {
        for name in &answer.after_request_of {
            self.journal
                .until(|entries| entries.was_asked(name).then_some(()))
                .await;
        }
        for name in &answer.after_answer_to {
            self.journal
                .until(|entries| entries.was_answered(name).then_some(()))
                .await;
        }
        if answer.after_error {
            self.journal
                .until(|entries| entries.has_error().then_some(()))
                .await;
        }
        tokio::time::sleep(answer.delay).await;
    }

    async fn reply(
        &self,
        resource: &Resource,
        answer: Answer,
    ) -> Result<pulumirpc::RegisterResourceResponse, Status> {
        match answer.outcome {
            Outcome::Created => Ok(self.created(resource, answer)),
            Outcome::Refused(message) => Err(Status::unknown(message)),
            Outcome::Failed(message) => {
                self.show(Severity::Error, &message, resource);
                self.end(Ending::Failed);
                self.check_open().await?;
                Err(Status::internal("the engine goes on"))
            }
            Outcome::FailedAlone(message) => {
                self.show(Severity::Error, &message, resource);
                Ok(pulumirpc::RegisterResourceResponse {
                    urn: resource.urn.clone(),
                    result: pulumirpc::Result::Fail.into(),
                    ..pulumirpc::RegisterResourceResponse::default()
                })
            }
            Outcome::EngineLost => {
                self.end(Ending::EngineLost);
                std::future::pending().await
            }
            Outcome::Interrupted => {
                self.end(Ending::Interrupted);
                std::future::pending().await
            }
        }
    }

    fn created(&self, resource: &Resource, answer: Answer) -> pulumirpc::RegisterResourceResponse {
        let mut outputs = resource.inputs.as_object().cloned().unwrap_or_default();
        let is_unknown = match &resource.read {
            Some(id) => id == value::UNKNOWN,
            None => self.script.preview,
        };
        let unknown = |value| match is_unknown {
            true => value::unknown(),
            false => value,
        };
        let answered = answer.outputs.into_iter();
        outputs.extend(answered.map(|(name, value)| (name, unknown(value))));
        let id = match answer.id {
            _ if is_unknown || answer.left_out || !resource.custom => String::new(),
            Some(id) => id,
            None => format!("{}-id", resource.name),
        };
        self.journal.write(|entries| {
            entries.answered.add(resource.urn.clone());
            let event = Event::Answered(resource.urn.clone());
            entries.run.events.push(event);
        });
        pulumirpc::RegisterResourceResponse {
            urn: resource.urn.clone(),
            id,
            object: resource.custom.then(|| value::to_struct(&outputs)),
            ..pulumirpc::RegisterResourceResponse::default()
        }
    }

    fn show(&self, severity: Severity, message: &str, resource: &Resource) {
        self.journal.write(|entries| {
            entries.run.logs.push(Log {
                severity,
                message: message.to_owned(),
                urn: Some(resource.urn.clone()),
            });
        });
    }

    fn end(&self, ending: Ending) {
        self.journal
            .write(|entries| _ = entries.ending.get_or_insert(ending));
    }

    /// After an error the engine cuts off what is under way, and takes nothing more.
    async fn check_open(&self) -> Result<(), Status> {
        let ending = self.journal.read().ending;
        match ending {
            None => Ok(()),
            Some(Ending::Failed) => Err(Status::unavailable("resource monitor shut down")),
            // An engine that is gone never answers.
            Some(Ending::EngineLost | Ending::Interrupted) => std::future::pending().await,
        }
    }
}

fn said(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn child_of(parent: &str, r#type: &str, name: &str) -> String {
    let mut parts = parent.splitn(4, "::");
    let mut part = || parts.next().unwrap_or_default();
    let (stack, project, parent_type) = (part(), part(), part());
    match parent_type {
        STACK_TYPE => format!("{stack}::{project}::{}::{name}", r#type),
        parent_type => format!("{stack}::{project}::{parent_type}${}::{name}", r#type),
    }
}

fn shuffled(seed: u64, urn: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    (seed, urn).hash(&mut hasher);
    Duration::from_millis(hasher.finish() % LONGEST_SHUFFLE)
}

#[async_trait]
impl ResourceMonitor for MockEngine {
    async fn supports_feature(
        &self,
        request: Request<pulumirpc::SupportsFeatureRequest>,
    ) -> Result<Response<pulumirpc::SupportsFeatureResponse>, Status> {
        Ok(Response::new(pulumirpc::SupportsFeatureResponse {
            has_support: !self.script.without.contains(&request.into_inner().id),
        }))
    }

    async fn invoke(
        &self,
        request: Request<pulumirpc::ResourceInvokeRequest>,
    ) -> Result<Response<pulumirpc::InvokeResponse>, Status> {
        self.check_open().await?;
        let request = request.into_inner();
        let invoke = Invoke {
            token: request.tok,
            arguments: value::from_struct(request.args.unwrap_or_default()),
            version: request.version,
            provider: said(request.provider),
            plugin_download_url: said(request.plugin_download_url),
        };
        let token = invoke.token.clone();
        self.journal
            .write(|entries| entries.run.invokes.push(invoke.clone()));
        let function = self.script.functions.get(&token).ok_or_else(|| {
            Status::unknown(format!("the test gives no result of the function {token}"))
        })?;
        let result = self.journal.ask(&token, || function(&invoke))?;
        let result = result.map_err(Status::unknown)?;
        let object = result.as_object().ok_or_else(|| {
            Status::unknown(format!("the test's result of {token} is not an object"))
        })?;
        Ok(Response::new(pulumirpc::InvokeResponse {
            r#return: Some(value::to_struct(object)),
            failures: Vec::new(),
        }))
    }

    async fn register_resource(
        &self,
        request: Request<pulumirpc::RegisterResourceRequest>,
    ) -> Result<Response<pulumirpc::RegisterResourceResponse>, Status> {
        let request = request.into_inner();
        self.register(request, None).await.map(Response::new)
    }

    async fn register_resource_outputs(
        &self,
        request: Request<pulumirpc::RegisterResourceOutputsRequest>,
    ) -> Result<Response<()>, Status> {
        self.check_open().await?;
        let request = request.into_inner();
        let outputs = value::from_struct(request.outputs.unwrap_or_default());
        self.journal.write(|entries| {
            let run = &mut entries.run;
            if request.urn == run.stack_urn {
                run.outputs = Some(outputs);
            } else {
                run.component_outputs.insert(request.urn, outputs);
            }
        });
        Ok(Response::new(()))
    }

    async fn signal_and_wait_for_shutdown(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.check_open().await?;
        self.journal
            .write(|entries| entries.run.signalled_end = true);
        Ok(Response::new(()))
    }

    async fn call(
        &self,
        _: Request<pulumirpc::ResourceCallRequest>,
    ) -> Result<Response<pulumirpc::CallResponse>, Status> {
        Err(Status::unimplemented("the mock calls no methods"))
    }

    async fn read_resource(
        &self,
        request: Request<pulumirpc::ReadResourceRequest>,
    ) -> Result<Response<pulumirpc::ReadResourceResponse>, Status> {
        let request = request.into_inner();
        let id = request.id.clone();
        let response = self.register(registration_of(request), Some(id)).await?;
        Ok(Response::new(pulumirpc::ReadResourceResponse {
            urn: response.urn,
            properties: response.object,
        }))
    }

    async fn register_stack_transform(
        &self,
        _: Request<pulumirpc::Callback>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("the mock has no transforms"))
    }

    async fn register_stack_invoke_transform(
        &self,
        _: Request<pulumirpc::Callback>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("the mock has no transforms"))
    }

    async fn register_resource_hook(
        &self,
        request: Request<pulumirpc::RegisterResourceHookRequest>,
    ) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        if let Some(callback) = request.callback {
            self.journal
                .write(|entries| entries.hooks.insert(request.name, callback));
        }
        Ok(Response::new(()))
    }

    async fn register_error_hook(
        &self,
        _: Request<pulumirpc::RegisterErrorHookRequest>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("the mock has no hooks for errors"))
    }

    async fn register_package(
        &self,
        request: Request<pulumirpc::RegisterPackageRequest>,
    ) -> Result<Response<pulumirpc::RegisterPackageResponse>, Status> {
        let count = self.journal.write(|entries| {
            entries.run.packages.push(request.into_inner());
            entries.run.packages.len()
        });
        Ok(Response::new(pulumirpc::RegisterPackageResponse {
            r#ref: format!("package-{}", count - 1),
        }))
    }
}
