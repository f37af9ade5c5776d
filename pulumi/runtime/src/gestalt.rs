//! The API that `pulumi_gestalt_rust` itself calls, so that a program that uses that crate alone
//! reaches the engine in the same way. `pulumi_program` does not use it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
pub use pulumi_gestalt_model::{PulumiValue, PulumiValueContent};
use pulumi_gestalt_model::{ResolvedOutput, ToPulumiValue as _};
use pulumi_gestalt_proto::pulumi::pulumirpc;

use crate::answer::Answered;
use crate::engine::{Address, Engine, Failure};
use crate::invocation::Invocation;
use crate::registration::{Registration, resolve};

pub type Output = pulumi_gestalt_model::Output<PulumiValue>;

/// How long nothing may be under way before a program that has failed is at its end.
const PAUSE: Duration = Duration::from_millis(100);

/// The name of an input or an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldName(String);

impl From<String> for FieldName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

#[derive(Debug)]
pub struct RegisterResourceRequest {
    pub r#type: String,
    pub name: String,
    pub inputs: HashMap<FieldName, Output>,
    pub version: String,
    pub provider: Option<Output>,
}

#[derive(Debug)]
pub struct InvokeResourceRequest {
    pub token: String,
    pub inputs: HashMap<FieldName, Output>,
    pub version: String,
}

#[derive(Debug)]
pub enum ConfigValue {
    PlainText(String),
    Secret(Output),
}

/// A program of Gestalt's own.
#[derive(Debug)]
pub struct Context {
    engine: Engine,
    project: String,
    stack: String,
    organization: String,
    root_directory: String,
    config: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
}

impl Context {
    /// From what Pulumi sets in the environment. It has no way to return an error: a program that
    /// was not started by Pulumi, or whose engine is gone, ends here with one line.
    pub async fn new() -> Self {
        match Self::connect().await {
            Ok(context) => context,
            Err(error) => {
                eprintln!("error: {error:#}");
                std::process::exit(1);
            }
        }
    }

    async fn connect() -> Result<Self> {
        let json = |name| std::env::var(name).unwrap_or_else(|_| String::new());
        let address = Address {
            monitor: variable("PULUMI_MONITOR")?,
            engine: variable("PULUMI_ENGINE")?,
            project: variable("PULUMI_PROJECT")?,
            stack: variable("PULUMI_STACK")?,
            in_preview: json("PULUMI_DRY_RUN") == "true",
        };
        let engine = Engine::connect(&address).await?;
        // Gestalt's `add_export` waits for its value while the program is being described.
        engine.begin();
        tokio::spawn(end_when_failed(engine.clone()));
        Ok(Self {
            engine,
            project: address.project,
            stack: address.stack,
            organization: variable("PULUMI_ORGANIZATION")?,
            root_directory: variable("PULUMI_ROOT_DIRECTORY")?,
            config: serde_json::from_str(&json("PULUMI_CONFIG")).unwrap_or_default(),
            secrets: serde_json::from_str(&json("PULUMI_CONFIG_SECRET_KEYS")).unwrap_or_default(),
        })
    }

    pub async fn add_output(&self, name: FieldName, output: Output) {
        let value = async move { output.to_pulumi_value().await };
        self.engine.export(name.0, value);
    }

    pub async fn register_resource(
        &self,
        request: RegisterResourceRequest,
    ) -> RegisterResourceOutput {
        let RegisterResourceRequest {
            r#type,
            name,
            inputs,
            version,
            provider,
        } = request;
        RegisterResourceOutput(self.engine.register(r#type, name, async move {
            let provider = match provider {
                Some(provider) => known_text(provider.to_pulumi_value().await)?,
                None => String::new(),
            };
            Ok(Registration {
                inputs: resolve(named(inputs)).await?,
                request: pulumirpc::RegisterResourceRequest {
                    custom: true,
                    version,
                    provider,
                    ..pulumirpc::RegisterResourceRequest::default()
                },
                ..Registration::default()
            })
        }))
    }

    pub async fn invoke_resource(&self, request: InvokeResourceRequest) -> RegisterResourceOutput {
        let InvokeResourceRequest {
            token,
            inputs,
            version,
        } = request;
        RegisterResourceOutput(self.engine.invoke(token, async move {
            Ok(Invocation {
                arguments: resolve(named(inputs)).await?,
                request: pulumirpc::ResourceInvokeRequest {
                    version,
                    ..pulumirpc::ResourceInvokeRequest::default()
                },
                ..Invocation::default()
            })
        }))
    }

    pub fn create_output_from_future(
        &self,
        value: impl Future<Output = PulumiValue> + Send + 'static,
    ) -> Output {
        Output::from_resolved_future(value.map(PulumiValue::into_resolved))
    }

    pub async fn get_config_value(&self, name: Option<&str>, key: &str) -> Option<ConfigValue> {
        let key = format!("{}:{key}", name.unwrap_or(&self.project));
        let text = self.config.get(&key)?.clone();
        Some(match self.secrets.contains(&key) {
            true => {
                ConfigValue::Secret(Output::new_secret(PulumiValueContent::String(text).into()))
            }
            false => ConfigValue::PlainText(text),
        })
    }

    /// Registers everything. What failed has been told: the program ends here then, for its caller
    /// has no way to know.
    pub async fn finish(&self) {
        match self.engine.finish().await {
            Ok(true) => {}
            Ok(false) => std::process::exit(pulumi_protocol::FAILED_AND_REPORTED.into()),
            Err(error) => {
                eprintln!("error: {error:#}");
                std::process::exit(1);
            }
        }
    }

    pub fn get_organization(&self) -> &str {
        &self.organization
    }

    pub fn get_project(&self) -> &str {
        &self.project
    }

    pub fn get_stack(&self) -> &str {
        &self.stack
    }

    pub fn get_root_directory(&self) -> &str {
        &self.root_directory
    }

    pub async fn require_pulumi_version(&self, range: &str) -> Result<()> {
        self.engine.require_version(range).await
    }
}

/// A resource or a function, of which the outputs are taken.
#[derive(Debug)]
pub struct RegisterResourceOutput(Answered);

impl RegisterResourceOutput {
    pub async fn get_field(&self, name: FieldName) -> Output {
        let answered = self.0.clone();
        Output::from_resolved_future(
            async move { unless_failed(answered.await.field(&name.0)).await },
        )
    }

    pub async fn get_urn(&self) -> Output {
        let answered = self.0.clone();
        Output::from_resolved_future(async move {
            unless_failed(answered.await.urn().into_value()).await
        })
    }

    pub async fn get_id(&self) -> Output {
        let answered = self.0.clone();
        Output::from_resolved_future(async move {
            unless_failed(answered.await.id().into_value()).await
        })
    }

    pub async fn get_provider_id(&self) -> Output {
        let answered = self.0.clone();
        Output::from_resolved_future(async move {
            unless_failed(answered.await.provider_reference().into_value()).await
        })
    }
}

/// Gestalt drops the dependencies of an unknown value, and with them the note that it failed. A
/// task that waits for it would wait forever; [`end_when_failed`] ends the program.
async fn unless_failed(resolved: ResolvedOutput<PulumiValue>) -> ResolvedOutput<PulumiValue> {
    match resolved.has_failed() {
        true => std::future::pending().await,
        false => resolved,
    }
}

/// Ends the program once something has failed, and nothing else is under way any more.
async fn end_when_failed(engine: Engine) {
    let mut idle = false;
    loop {
        tokio::time::sleep(PAUSE).await;
        let was_idle = std::mem::replace(&mut idle, engine.is_idle());
        if engine.has_failed() && was_idle && idle {
            std::process::exit(pulumi_protocol::FAILED_AND_REPORTED.into());
        }
    }
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| {
        format!("{name} is not set: Pulumi sets it, so start the program with `pulumi up -s STACK`")
    })
}

fn named(inputs: HashMap<FieldName, Output>) -> Vec<(String, Output)> {
    inputs
        .into_iter()
        .map(|(name, value)| (name.0, value))
        .collect()
}

fn known_text(value: PulumiValue) -> Result<String, Failure> {
    if value.has_failed() {
        return Err(Failure::Told);
    }
    match value.content {
        PulumiValueContent::String(text) => Ok(text),
        _ => Err(Failure::refused("its provider is not known".to_owned())),
    }
}
