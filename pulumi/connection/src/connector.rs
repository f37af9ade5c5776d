//! Gestalt's requests, as calls to the resource monitor.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures::future::{join, join_all, join3};
use pulumi_gestalt_domain::ResourceFields;
use pulumi_gestalt_domain::connector::{
    PulumiConnector, RegisterOutputsRequest, RegisterResourceRequest, RegisterResourceResult,
    ResourceInvokeRequest, ResourceInvokeResult,
};
use pulumi_gestalt_model::{PulumiValue, PulumiValueContent};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::engine_client::EngineClient;
use pulumi_gestalt_proto::pulumi::pulumirpc::register_resource_request::PropertyDependencies;
use pulumi_gestalt_proto::pulumi::pulumirpc::resource_monitor_client::ResourceMonitorClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::options::{self, ResourceOptions};
use crate::report;
use crate::session::{Output, Session};
use crate::{urn, wire};

/// What the engine's own clients accept: an asset's text travels inside a message.
const LARGEST_MESSAGE: usize = 400 * 1024 * 1024;

const STACK_TYPE: &str = "pulumi:pulumi:Stack";
const PROVIDER_TYPES: &str = "pulumi:providers:";

/// The connection of one program to the engine that started it.
pub struct RealPulumiConnector {
    monitor: ResourceMonitorClient<Channel>,
    engine: EngineClient<Channel>,
    session: &'static Session,
    /// The engine is shutting down, and that has been dealt with.
    ending: AtomicBool,
    stack: String,
    in_preview: bool,
    /// The URNs of resources that are not there yet, and will not be in this run.
    left_out: Mutex<HashSet<String>>,
}

/// Why a request has no answer.
enum Failure {
    /// The engine has shown it: a provider's error, an input that it refused.
    Reported,
    /// The engine takes no more requests, after an error that it has shown, or it is gone.
    Ending,
    /// Nobody has shown it yet.
    Refused {
        message: String,
        urn: Option<String>,
    },
}

impl RealPulumiConnector {
    /// Connects and registers the stack, `PROJECT-STACK`, that is everything's ancestor.
    ///
    /// Gestalt unwraps this: when the engine refuses the stack, it never resolves, and the
    /// supervisor is told.
    pub async fn new(
        monitor: String,
        engine: String,
        project: String,
        stack: String,
        in_preview: bool,
    ) -> Result<Self> {
        let monitor = ResourceMonitorClient::new(report::endpoint(&monitor)?.connect_lazy())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let session = Session::get();
        let engine = EngineClient::new(report::endpoint(&engine)?.connect_lazy());
        session.connected(monitor.clone(), engine.clone());
        let mut connector = Self {
            monitor,
            engine,
            session,
            ending: AtomicBool::new(false),
            stack: String::new(),
            in_preview,
            left_out: Mutex::default(),
        };
        let request = pulumirpc::RegisterResourceRequest {
            r#type: STACK_TYPE.to_owned(),
            name: format!("{project}-{stack}"),
            object: Some(prost_types::Struct::default()),
            ..basics()
        };
        match connector.send(request).await {
            Ok(response) => connector.stack = response.urn,
            Err(failure) => connector.fail(failure).await,
        }
        Ok(connector)
    }

    async fn register(
        &self,
        request: RegisterResourceRequest,
    ) -> Result<RegisterResourceResult, Failure> {
        let RegisterResourceRequest {
            name,
            r#type,
            object,
            version,
            provider,
        } = request;
        let mut options = ResourceOptions::decode(provider).map_err(|error| Failure::Refused {
            message: format!("{name} [{}] was not registered: {error:#}", r#type),
            urn: None,
        })?;
        let object = if r#type.starts_with(PROVIDER_TYPES) {
            wire::provider_inputs(object)
        } else {
            object
        };
        let inputs = wire::encode_inputs(object).map_err(|inexact| Failure::Refused {
            message: format!(
                "{name} [{}] was not registered: its input {inexact}",
                r#type
            ),
            urn: None,
        })?;
        let component = options.component;
        let mut dependencies = inputs.all_dependencies;
        dependencies.extend(std::mem::take(&mut options.depends_on));

        let mut request = pulumirpc::RegisterResourceRequest {
            r#type,
            name,
            version,
            parent: options.parent.take().unwrap_or_else(|| self.stack.clone()),
            object: Some(inputs.object),
            dependencies: dependencies.into_iter().collect(),
            property_dependencies: property_dependencies(inputs.dependencies),
            ..basics()
        };
        let existing = options.existing.take();
        let reader = options.reader(&request.r#type);
        options.apply(&mut request);
        // What exists is known, in a preview too.
        let is_in_preview = self.in_preview && existing.is_none();
        let response = match existing {
            Some(id) => {
                request.provider = reader.unwrap_or_default();
                self.read(id, request).await?
            }
            None => self.send(request).await?,
        };

        // What `--target` and `destroy --run-program` leave out is answered without an id: its
        // outputs are as unknown as in a preview.
        let left_out = response.id.is_empty() && !component;
        if left_out {
            self.left_out().insert(response.urn.clone());
        }
        let itself = HashSet::from([response.urn.clone()]);
        let mut fields = wire::decode_fields(response.object.unwrap_or_default(), &itself);
        for (name, dependencies) in response.property_dependencies {
            if let Some(value) = fields.get_mut(&name.into()) {
                value.dependencies.extend(dependencies.urns);
            }
        }
        let known = |text: String| PulumiValue {
            content: if text.is_empty() {
                PulumiValueContent::Nothing
            } else {
                PulumiValueContent::String(text)
            },
            secret: false,
            dependencies: itself.clone(),
        };
        Ok(RegisterResourceResult {
            urn: known(response.urn),
            id: known(response.id),
            fields: ResourceFields {
                object: fields,
                is_in_preview: (is_in_preview && !component) || left_out,
            },
        })
    }

    async fn send(
        &self,
        request: pulumirpc::RegisterResourceRequest,
    ) -> Result<pulumirpc::RegisterResourceResponse, Failure> {
        let subject = format!("{} [{}]", request.name, request.r#type);
        let urn = urn::child(&request.parent, &request.r#type, &request.name);
        let answer = {
            let _in_flight = self.session.in_flight();
            self.monitor.clone().register_resource(request).await
        };
        let response = answer
            .map_err(|status| Failure::new(&status, urn, &format!("{subject} was not registered")))?
            .into_inner();
        match response.result() {
            pulumirpc::Result::Success => Ok(response),
            pulumirpc::Result::Fail | pulumirpc::Result::Skip => Err(Failure::Reported),
        }
    }

    /// Reads an existing resource.
    async fn read(
        &self,
        id: String,
        request: pulumirpc::RegisterResourceRequest,
    ) -> Result<pulumirpc::RegisterResourceResponse, Failure> {
        let subject = format!("{} [{}]", request.name, request.r#type);
        let urn = urn::child(&request.parent, &request.r#type, &request.name);
        let is_known = id != wire::UNKNOWN;
        let request = pulumirpc::ReadResourceRequest {
            id: id.clone(),
            r#type: request.r#type,
            name: request.name,
            parent: request.parent,
            properties: request.object,
            dependencies: request.dependencies,
            provider: request.provider,
            version: request.version,
            accept_secrets: request.accept_secrets,
            additional_secret_outputs: request.additional_secret_outputs,
            ..pulumirpc::ReadResourceRequest::default()
        };
        let answer = {
            let _in_flight = self.session.in_flight();
            self.monitor.clone().read_resource(request).await
        };
        let response = answer
            .map_err(|status| Failure::new(&status, urn, &format!("{subject} was not read")))?
            .into_inner();
        Ok(pulumirpc::RegisterResourceResponse {
            urn: response.urn,
            id: if is_known { id } else { String::new() },
            object: response.properties,
            ..pulumirpc::RegisterResourceResponse::default()
        })
    }

    async fn call(&self, request: ResourceInvokeRequest) -> Result<ResourceInvokeResult, Failure> {
        let ResourceInvokeRequest {
            mut object,
            version,
            token,
        } = request;
        let (options, mut awaited) = match object.remove(&options::ARGUMENT.into()) {
            Some(PulumiValue {
                content: PulumiValueContent::String(text),
                dependencies,
                ..
            }) => (ResourceOptions::decode(Some(text)), dependencies),
            _ => (Ok(ResourceOptions::default()), HashSet::new()),
        };
        let options = options.map_err(|error| Failure::Refused {
            message: format!("{token} was not called: {error:#}"),
            urn: None,
        })?;
        let unknown = || ResourceInvokeResult {
            fields: ResourceFields {
                object: HashMap::new(),
                is_in_preview: true,
            },
        };
        let arguments = wire::encode_arguments(object).map_err(|inexact| Failure::Refused {
            message: format!("{token} was not called: its argument {inexact}"),
            urn: None,
        })?;
        let Some(arguments) = arguments else {
            return Ok(unknown());
        };
        // A function asks about what is there: also about what its arguments come from.
        awaited.extend(arguments.dependencies.iter().cloned());
        if !self.left_out().is_disjoint(&awaited) {
            return Ok(unknown());
        }
        let request = pulumirpc::ResourceInvokeRequest {
            tok: token.clone(),
            args: Some(arguments.object),
            provider: options.reader(&token).unwrap_or_default(),
            version: options.version.unwrap_or(version),
            ..pulumirpc::ResourceInvokeRequest::default()
        };
        let answer = {
            let _in_flight = self.session.in_flight();
            self.monitor.clone().invoke(request).await
        };
        let response = answer
            .map_err(|status| Failure::new(&status, None, &format!("{token} gave no answer")))?
            .into_inner();
        if !response.failures.is_empty() {
            let reasons: Vec<_> = response
                .failures
                .iter()
                .map(|failure| match failure.property.as_str() {
                    "" => failure.reason.clone(),
                    property => format!("{property}: {}", failure.reason),
                })
                .collect();
            return Err(Failure::Refused {
                message: format!("{token} refuses its arguments: {}", reasons.join("; ")),
                urn: None,
            });
        }
        let object = response.r#return.unwrap_or_default();
        // A provider whose own configuration is still unknown answers nothing.
        if self.in_preview && object.fields.is_empty() {
            return Ok(unknown());
        }
        let mut object = wire::decode_fields(object, &arguments.dependencies);
        if arguments.secret {
            object.values_mut().for_each(|value| value.secret = true);
        }
        Ok(ResourceInvokeResult {
            fields: ResourceFields {
                object,
                is_in_preview: false,
            },
        })
    }

    fn left_out(&self) -> MutexGuard<'_, HashSet<String>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_outputs(
        &self,
        urn: String,
        outputs: impl IntoIterator<Item = (String, PulumiValue)>,
    ) -> Result<(), Failure> {
        let outputs = wire::encode_outputs(outputs).map_err(|inexact| Failure::Refused {
            message: format!("the outputs were not registered: {inexact}"),
            urn: Some(urn.clone()),
        })?;
        let request = pulumirpc::RegisterResourceOutputsRequest {
            urn: urn.clone(),
            outputs: Some(outputs),
        };
        let _in_flight = self.session.in_flight();
        self.monitor
            .clone()
            .register_resource_outputs(request)
            .await
            .map_err(|status| {
                Failure::new(&status, Some(urn), "its outputs were not registered")
            })?;
        Ok(())
    }

    /// Reports what is not reported yet, and never resolves.
    async fn fail<T>(&self, failure: Failure) -> T {
        let mut engine = self.engine.clone();
        // Another failure must not end the program while this one is being told.
        let telling = self.session.in_flight();
        match failure {
            Failure::Reported => {}
            Failure::Ending => {
                let first = !self.ending.swap(true, Ordering::Relaxed);
                if first && !report::answers(&mut engine).await {
                    eprintln!(
                        "error: lost the Pulumi engine; what it had created by then is in the \
                         stack's state: run `pulumi up` again"
                    );
                }
            }
            Failure::Refused { message, urn } => {
                report::tell(&mut engine, report::Severity::Error, &message, urn).await;
            }
        }
        drop(telling);
        self.session.settle().await
    }
}

#[async_trait]
impl PulumiConnector for RealPulumiConnector {
    async fn register_resource(&self, request: RegisterResourceRequest) -> RegisterResourceResult {
        match self.register(request).await {
            Ok(result) => result,
            Err(failure) => self.fail(failure).await,
        }
    }

    async fn resource_invoke(&self, request: ResourceInvokeRequest) -> ResourceInvokeResult {
        match self.call(request).await {
            Ok(result) => result,
            Err(failure) => self.fail(failure).await,
        }
    }

    /// Gestalt asks for the stack's outputs; the components' go with them.
    async fn register_outputs(&self, request: RegisterOutputsRequest) {
        let outputs = self.session.take_outputs();
        let stack = async {
            let mut values = resolve(outputs.stack).await;
            values.extend(
                request
                    .outputs
                    .into_iter()
                    .map(|(name, value)| (name.get_inner(), value)),
            );
            if let Err(failure) = self.send_outputs(self.stack.clone(), values).await {
                self.fail(failure).await
            }
        };
        let components = outputs.components.into_iter().map(|component| async {
            let (urn, values) = join(component.urn, resolve(component.outputs)).await;
            if let Some(urn) = urn
                && let Err(failure) = self.send_outputs(urn, values).await
            {
                self.fail(failure).await
            }
        });
        let messages = outputs.messages.into_iter().map(|message| async {
            if let Some(message) = message.await {
                self.session.tell(&message).await;
            }
        });
        join3(stack, join_all(components), join_all(messages)).await;
    }

    async fn require_pulumi_version(&self, version_range: &str) -> Result<()> {
        let request = pulumirpc::RequirePulumiVersionRequest {
            pulumi_version_range: version_range.to_owned(),
        };
        self.engine
            .clone()
            .require_pulumi_version(request)
            .await
            .map(drop)
            .map_err(|status| anyhow::anyhow!("{}", status.message()))
            .context("this version of Pulumi will not do")
    }
}

impl Failure {
    fn new(status: &Status, urn: Option<String>, what: &str) -> Self {
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

async fn resolve(outputs: Vec<Output>) -> Vec<(String, PulumiValue)> {
    join_all(
        outputs
            .into_iter()
            .map(|(name, value)| async { (name, value.await) }),
    )
    .await
}

/// What this client understands, in every request.
fn basics() -> pulumirpc::RegisterResourceRequest {
    pulumirpc::RegisterResourceRequest {
        accept_secrets: true,
        supports_partial_values: true,
        supports_result_reporting: true,
        ..pulumirpc::RegisterResourceRequest::default()
    }
}

fn property_dependencies(
    dependencies: impl IntoIterator<Item = (String, BTreeSet<String>)>,
) -> HashMap<String, PropertyDependencies> {
    dependencies
        .into_iter()
        .map(|(name, urns)| {
            let urns = urns.into_iter().collect();
            (name, PropertyDependencies { urns })
        })
        .collect()
}
