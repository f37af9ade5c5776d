//! A synchronous invocation: who may, in which environment, and what comes of it.

use crate::environment::{Finished, NewEnvironment, Request};
use crate::function::{Function, Throttled};
use crate::output::Sink;
use crate::reference::Reference;
use crate::settings::FunctionSettings;
use crate::{FAULTS, Lambda};
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::events::{Event, excerpt};
use cloud_core::identity::DEFAULT_REGION;
use cloud_iam::{Call, Caller};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use uuid::Uuid;

/// The largest payload of a synchronous invocation (gettingstarted-limits: 6 MB).
const MAX_REQUEST_BYTES: usize = 6 * 1024 * 1024;

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
    pub(crate) async fn invoke_in(
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
                    None => {
                        lambda
                            .new_environment(slot.settings())
                            .invoke(request)
                            .await
                    }
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
    pub(crate) fn invocable(
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

    /// Assumes the execution role, with which a new environment begins (developer guide, "Defining
    /// Lambda function permissions with an execution role": Lambda assumes it when the function is
    /// invoked). The guide names no error of `Invoke` for a role that cannot be assumed; the code
    /// here is the one of other refusals, the text that of `CreateFunction`.
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

    fn new_environment(self: &Arc<Self>, settings: Arc<FunctionSettings>) -> NewEnvironment {
        let log_stream = NewEnvironment::log_stream(&settings, self.context.clock.now());
        NewEnvironment {
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
