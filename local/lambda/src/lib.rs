//! Lambda: functions, their execution environments, and the Runtime API they are driven by.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `wire` | `Invoke` and its neighbours, as AWS's clients call them |
//! | `resources` | its resource types |
//! | [`ports`] | what it needs of other services |
//! | `settings`, `variables` | what a function was declared to be |
//! | `code`, `intact` | deployment packages: checked, kept, unpacked |
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
mod isolation;
pub mod launcher;
mod output;
pub mod ports;
mod process;
mod report;
mod resources;
mod runtime_api;
mod settings;
mod variables;
mod wire;

pub use code::{Code, Package};
pub use isolation::Isolation;

use anyhow::Result;
use bytes::Bytes;
use cloud_core::context::{Context, blocking};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::events::{Event, excerpt};
use cloud_core::faults::Disturbable;
use cloud_core::identity::{DEFAULT_REGION, arn};
use cloud_iam::{Call, Caller, Iam};
use cloud_resource::resource::{AnyResourceType, bind};
use code::CodeStore;
use environment::{Finished, Request, Seed};
use function::{Function, Throttled};
use output::Sink;
use ports::LogSink;
use process::Folders;
use serde_json::{Value, json};
use settings::{Details, FunctionSettings, LATEST};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The largest payload of a synchronous invocation (gettingstarted-limits: 6 MB).
pub(crate) const MAX_REQUEST_BYTES: usize = 6 * 1024 * 1024;

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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By ARN.
    functions: BTreeMap<String, Arc<Function>>,
    /// The statements of resource policies, by function and statement id.
    policies: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The answer to a synchronous invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function answered, or the error object.
    pub payload: Bytes,
    /// `Unhandled` when the function failed, timed out or crashed; the header
    /// `X-Amz-Function-Error`.
    pub function_error: Option<String>,
    /// The last lines of the log of this invocation.
    pub log_tail: Bytes,
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
    async fn store_code(self: &Arc<Self>, path: PathBuf) -> AwsResult<Package> {
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A function as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    region: Option<String>,
    name: String,
    qualifier: Option<String>,
}

impl Reference {
    /// Parses `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN (API reference,
    /// `Invoke`).
    fn parse(text: &str) -> Self {
        let parts: Vec<_> = text.split(':').collect();
        let (region, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, _account, "function", rest @ ..] => {
                (Some((*region).to_owned()), rest)
            }
            [_account, "function", rest @ ..] => (None, rest),
            rest => (None, rest),
        };
        Self {
            region,
            name: rest.first().copied().unwrap_or_default().to_owned(),
            qualifier: rest.get(1).map(|&qualifier| qualifier.to_owned()),
        }
    }

    /// The ARN that IAM decides about and that the function sees: with a version when the
    /// caller gave one.
    fn arn(&self, settings: &FunctionSettings) -> String {
        match &self.qualifier {
            None => settings.arn.clone(),
            Some(qualifier) => format!("{}:{qualifier}", settings.arn),
        }
    }
}

impl Lambda {
    /// Invokes a function and waits for its answer (`RequestResponse`). A name without a region
    /// is one of the default region's.
    pub async fn invoke(
        self: &Arc<Self>,
        caller: &Caller,
        function: &str,
        payload: Bytes,
    ) -> AwsResult<Invocation> {
        let region = Reference::parse(function).region;
        let region = region.as_deref().unwrap_or(DEFAULT_REGION);
        self.invoke_in(caller, region, function, payload).await
    }

    /// Invokes a function of this region.
    async fn invoke_in(
        self: &Arc<Self>,
        caller: &Caller,
        region: &str,
        function: &str,
        payload: Bytes,
    ) -> AwsResult<Invocation> {
        self.context.faults.strike(&FAULTS, "Invoke").await?;
        let (function, arn) = self.invocable(caller, region, function)?;
        if payload.len() > MAX_REQUEST_BYTES {
            return Err(AwsError::new(
                413,
                "RequestTooLargeException",
                format!(
                    "Request must be smaller than {MAX_REQUEST_BYTES} bytes for the \
                     InvokeFunction operation"
                ),
            ));
        }
        let slot = function.enter().map_err(|Throttled { reserved }| {
            AwsError::new(
                429,
                "TooManyRequestsException",
                match reserved {
                    true => "Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)",
                    false => "Rate Exceeded. (ConcurrentInvocationLimitExceeded)",
                },
            )
        })?;
        let name = function.settings().name.clone();
        let bytes = payload.len();
        let request = Request {
            id: Uuid::new_v4().to_string(),
            function_arn: arn,
            payload,
        };
        let lambda = Arc::clone(self);
        let idle = slot.idle();
        let (cold, started) = (idle.is_none(), Instant::now());
        if cold {
            self.assume_execution_role(&slot.settings().role_arn)?;
        }
        // A task of its own: an invocation goes on when its caller hangs up.
        let finished = self.context.tasks.spawn(async move {
            let invocation = async {
                match idle {
                    Some(environment) => environment.invoke(request).await,
                    None => lambda.seed(slot.settings()).invoke(request).await,
                }
            };
            let Finished {
                answer,
                log_tail,
                environment,
            } = lambda
                .context
                .abandoned
                .run_until_cancelled(invocation)
                .await?;
            slot.leave(environment);
            Some((answer, log_tail))
        });
        let (answer, log_tail) = finished
            .await
            .map_err(AwsError::internal)?
            .ok_or_else(|| AwsError::internal("the cloud was reset"))?;
        let (payload, function_error) = match answer {
            Ok(payload) => (payload, None),
            Err(failure) => (failure.payload, Some("Unhandled".to_owned())),
        };
        self.context.events.push(Event::Invocation {
            function: name,
            bytes,
            duration: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            cold,
            error: function_error.as_ref().map(|_| excerpt(&payload)),
        });
        Ok(Invocation {
            payload,
            function_error,
            log_tail: log_tail.into(),
        })
    }

    /// The function that the caller means and may invoke, and the ARN it is invoked under.
    fn invocable(
        &self,
        caller: &Caller,
        region: &str,
        reference: &str,
    ) -> AwsResult<(Arc<Function>, String)> {
        let (function, reference) = self.find(region, reference)?;
        let settings = function.settings();
        let arn = reference.arn(&settings);
        self.iam.authorize(&Call {
            caller,
            action: "lambda:InvokeFunction",
            resource: &arn,
            context: &[],
            resource_policy: self.policy(&settings.arn).as_deref(),
        })?;
        Ok((function, arn))
    }

    /// What a new environment begins with (developer guide, "Defining Lambda function
    /// permissions with an execution role": Lambda assumes it when the function is invoked).
    /// The guide names no error of `Invoke` for a role that cannot be assumed; the code here is
    /// the one of other refusals, the text that of `CreateFunction`.
    fn assume_execution_role(&self, role_arn: &str) -> AwsResult<()> {
        let assumed = self.iam.assume_role(role_arn, "lambda.amazonaws.com", &[]);
        assumed.map(drop).map_err(|error| {
            tracing::warn!(role_arn, %error, "a function cannot start");
            AwsError::new(
                403,
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
            )
        })
    }

    fn seed(self: &Arc<Self>, settings: Arc<FunctionSettings>) -> Seed {
        let log_stream = Seed::log_stream(&settings, self.context.clock.now());
        Seed {
            sink: self.log_sink(&settings, &log_stream),
            folders: self.folders.clone(),
            isolation: Arc::clone(&self.isolation),
            code: Arc::clone(&self.code),
            settings,
            log_stream,
        }
    }

    /// Where an environment's lines go: to its stream, when the function's role may write it.
    fn log_sink(self: &Arc<Self>, settings: &FunctionSettings, stream: &str) -> Sink {
        let (iam, logs) = (Arc::clone(&self.iam), Arc::clone(&self.logs));
        let name = settings.name.clone();
        let role_arn = settings.role_arn.clone();
        let region = settings.region.clone();
        let group = settings.logging.group.clone();
        let stream = stream.to_owned();
        let refused = AtomicBool::new(false);
        Arc::new(move |lines| {
            let written = iam
                .assume_role(&role_arn, "lambda.amazonaws.com", &[])
                .and_then(|session| {
                    let caller = Caller::Role(session);
                    logs.write(&caller, &region, &group, &stream, lines)
                });
            // Once is enough to be noticed: it is the same for every line.
            if let Err(error) = written
                && !refused.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(function = name, %error, "log lines are dropped");
            }
        })
    }
}
