//! Lambda: functions, their execution environments, and the Runtime API they are driven by.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `wire` | `Invoke` and its neighbours, as AWS's clients call them |
//! | `resources` | its resource types |
//! | [`ports`] | what it needs of other services |
//! | `settings`, `variables` | what a function was declared to be |
//! | `code`, `intact` | deployment packages: checked, kept, unpacked |
//! | `reference`, `invocation` | a function as a caller names it, and what it answers |
//! | `function` | a function's environments: which are free, how many there may be |
//! | `environment`, `process`, `runtime_api` | one process, driven from outside |
//! | `isolation`, `launcher` | what that process is kept apart from, and how |
//! | `output`, `report`, `failure` | what its log says, and what its caller hears |

#![warn(unreachable_pub)]

mod code;
mod environment;
mod failure;
mod function;
mod intact;
mod invocation;
mod isolation;
pub mod launcher;
mod output;
pub mod ports;
mod process;
mod reference;
mod report;
mod resources;
mod runtime_api;
mod settings;
mod variables;
mod wire;

pub use code::{Code, StoredPackage};
pub use invocation::Invocation;
pub use isolation::Isolation;

use anyhow::Result;
use cloud_core::context::{Context, blocking};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::faults::Disturbable;
use cloud_core::identity::arn;
use cloud_iam::Iam;
use cloud_resource::resource::{AnyResourceType, bind};
use code::CodeStore;
use function::Function;
use ports::LogSink;
use process::Folders;
use reference::Reference;
use serde_json::{Value, json};
use settings::{Details, FunctionSettings, LATEST};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What can be disturbed of it.
pub static FAULTS: Disturbable = Disturbable {
    name: "lambda",
    operations: &["Invoke"],
    throttled: || AwsError::new(429, "TooManyRequestsException", "Rate Exceeded."),
    failed: || {
        AwsError::new(
            500,
            "ServiceException",
            "The AWS Lambda service encountered an internal error.",
        )
    },
    has_settings: false,
};

/// The functions of the account.
pub struct Lambda {
    context: Context,
    iam: Arc<Iam>,
    logs: Arc<dyn LogSink>,
    /// The port of AWS's protocols, where packages can be fetched.
    aws_port: u16,
    code: Arc<CodeStore>,
    /// Where environments leave what has to outlive this run of the cloud, or to be cleared up
    /// after it.
    folders: Folders,
    isolation: Arc<Isolation>,
    /// Held for look-ups and changes of the maps alone, never across an invocation, so that a slow
    /// function delays no other. The lock of a [`Function`] may be taken while this one is held, and
    /// never the other way round.
    state: Mutex<LambdaState>,
}

#[derive(Default)]
struct LambdaState {
    /// By ARN.
    functions: BTreeMap<String, Arc<Function>>,
    /// The statements of resource policies, by function and statement id.
    policies: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The ARN of a function, without version.
pub fn function_arn(region: &str, name: &str) -> String {
    arn("lambda", region, &format!("function:{name}"))
}

impl Lambda {
    /// Opens the folder that holds each function's code, and ends what an earlier run left
    /// behind.
    pub fn open(
        folder: &Path,
        isolation: Isolation,
        context: &Context,
        iam: Arc<Iam>,
        logs: Arc<dyn LogSink>,
        aws_port: u16,
    ) -> Result<Self> {
        let troubles = &context.troubles;
        context.faults.register(&FAULTS);
        let folders = Folders {
            notes: folder.join("processes"),
            copies: folder.join("environments"),
        };
        process::kill_left_over(&folders.notes, troubles)?;
        if let Err(error) = isolation::remove_left_over(&folders.copies) {
            tracing::warn!(folder = %folders.copies.display(), %error, "old copies of code stay");
        }
        Ok(Self {
            context: context.clone(),
            iam,
            logs,
            aws_port,
            code: Arc::new(CodeStore::open(&folder.join("code"), troubles)?),
            folders,
            isolation: Arc::new(isolation),
            state: Mutex::default(),
        })
    }

    /// How environments are kept apart.
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![
            bind(resources::Function, self),
            bind(resources::Permission, self),
        ]
    }

    /// Reads all packages and their unpacked code for what is damaged in them. Blocks for as long
    /// as that takes.
    pub fn check(&self, stopping: &CancellationToken) {
        self.code.check(stopping);
    }

    /// Checks and stores the deployment package at `path`.
    async fn store_code(self: &Arc<Self>, path: PathBuf) -> AwsResult<StoredPackage> {
        let lambda = Arc::clone(self);
        blocking(move || lambda.code.store(&path)).await
    }

    /// The unpacked code of a stored package.
    async fn code(self: &Arc<Self>, sha256: &str) -> AwsResult<Arc<Code>> {
        let (lambda, sha256) = (Arc::clone(self), sha256.to_owned());
        blocking(move || lambda.code.code(&sha256)).await
    }

    /// Deletes the code that nobody needs.
    async fn sweep(self: &Arc<Self>) -> AwsResult<()> {
        let lambda = Arc::clone(self);
        blocking(move || {
            lambda.code.sweep();
            Ok(())
        })
        .await
    }

    /// Makes a function live, or has the next environments of a live one be of this kind.
    async fn deploy(
        self: &Arc<Self>,
        settings: FunctionSettings,
        details: Details,
    ) -> AwsResult<()> {
        let (settings, details) = (Arc::new(settings), Arc::new(details));
        self.code.settle(&settings.arn);
        {
            let mut state = self.state();
            match state.functions.get(&settings.arn) {
                Some(function) => function.update(settings, details),
                None => {
                    let arn = settings.arn.clone();
                    let function = Function::new(settings, details);
                    state.functions.insert(arn, Arc::new(function));
                }
            }
        }
        self.sweep().await
    }

    /// Takes a function out of service, with its resource policy.
    async fn remove(self: &Arc<Self>, arn: &str) -> AwsResult<()> {
        {
            let mut state = self.state();
            state.functions.remove(arn);
            state.policies.remove(arn);
        }
        self.code.settle(arn);
        self.sweep().await
    }

    /// Ends all environments. Called when nothing invokes functions any more.
    pub fn stop(&self) {
        for function in self.state().functions.values() {
            function.stop();
        }
    }

    /// The live functions of a region.
    fn all(&self, region: &str) -> Vec<Arc<Function>> {
        let state = self.state();
        let all = state.functions.values();
        let of_region = all.filter(|one| one.settings().region == region);
        of_region.cloned().collect()
    }

    /// The package whose SHA-256 is this in hexadecimal digits.
    pub async fn package(&self, sha256: &str) -> Option<PathBuf> {
        let package = self.code.package(sha256)?;
        self.code.clone().whole(sha256).await;
        Some(package)
    }

    /// Whether a function of this ARN is live.
    pub fn has_function(&self, arn: &str) -> bool {
        self.state().functions.contains_key(arn)
    }

    /// Adds a statement to a function's resource policy.
    pub(crate) fn put_statement(&self, function_arn: &str, id: &str, statement: Value) {
        self.state()
            .policies
            .entry(function_arn.into())
            .or_default()
            .insert(id.into(), statement);
    }

    /// Whether a function's resource policy has this statement.
    pub(crate) fn has_statement(&self, function_arn: &str, id: &str) -> bool {
        self.state()
            .policies
            .get(function_arn)
            .is_some_and(|statements| statements.contains_key(id))
    }

    /// Takes a statement out of a function's resource policy.
    pub(crate) fn remove_statement(&self, function_arn: &str, id: &str) {
        if let Some(statements) = self.state().policies.get_mut(function_arn) {
            statements.remove(id);
        }
    }

    /// A function's resource policy, when it has one.
    fn policy(&self, function_arn: &str) -> Option<String> {
        let state = self.state();
        let statements = state.policies.get(function_arn)?;
        (!statements.is_empty()).then(|| {
            json!({
                "Version": "2012-10-17",
                "Id": "default",
                "Statement": statements.values().collect::<Vec<_>>(),
            })
            .to_string()
        })
    }

    /// The function that a name, or an ARN with or without version, means in a region.
    fn find(&self, region: &str, reference: &str) -> AwsResult<(Arc<Function>, Reference)> {
        let reference = Reference::parse(reference);
        if let Some(other) = reference.region.as_deref()
            && other != region
        {
            // Seen: alexcasalboni/aws-lambda-power-tuning issue 18.
            return Err(AwsError::new(
                404,
                "ResourceNotFoundException",
                format!("Functions from '{other}' are not reachable in this region ('{region}')"),
            ));
        }
        let missing = |arn: &str| {
            AwsError::new(
                404,
                "ResourceNotFoundException",
                format!("Function not found: {arn}"),
            )
        };
        let state = self.state();
        let arn = function_arn(region, &reference.name);
        let function = state.functions.get(&arn).ok_or_else(|| missing(&arn))?;
        match reference.qualifier.as_deref() {
            None | Some(LATEST) => Ok((Arc::clone(function), reference)),
            Some(version) => Err(missing(&format!("{}:{version}", function.settings().arn))),
        }
    }

    fn state(&self) -> MutexGuard<'_, LambdaState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
