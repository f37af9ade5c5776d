//! Faults on request: a service that is slow, throttles or fails, for tests and demonstrations.
//!
//! What a caller sees is what it would see on AWS: each service's own error, of its own status.
//! Faults are kept in memory; a new start has none.

use crate::error::{AwsError, AwsResult};
use crate::services::{firehose, s3};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest that a call can be held up: as long as a function may run.
const MAX_DELAY_MS: u64 = 15 * 60 * 1000;

/// The operations of Lambda that can be disturbed.
const LAMBDA_OPERATIONS: &[&str] = &["Invoke"];

/// The operations of the aws provider that can be disturbed.
const PROVIDER_OPERATIONS: &[&str] = &[READ_BUCKET];
const READ_BUCKET: &str = "ReadBucket";

/// The faults that are switched on.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

/// One fault: what happens to the next calls of an operation, or of all a service has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    pub service: Service,
    /// All of the service's operations when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How many more calls it takes; all when there is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    pub fault: Kind,
    /// How long a slow call is held up before it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

/// The services that can be disturbed, from outside and by one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Firehose,
    Lambda,
    /// The aws provider, which the engine asks for what a stack has.
    Provider,
    S3,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Slow,
    Throttle,
    Fail,
    /// The provider's read of a bucket writes into the bucket what resources of their own have set.
    Settings,
}

impl Fault {
    /// Why there can be no such fault.
    pub fn problem(&self) -> Option<String> {
        let operations = self.service.operations();
        if let Some(operation) = &self.operation
            && !operations.contains(&operation.as_str())
        {
            return Some(format!(
                "operation: {operation} is none of {}",
                operations.join(", ")
            ));
        }
        if self.calls == Some(0) {
            return Some("calls: must be 1 or more; leave it out for all calls".into());
        }
        if self.fault == Kind::Settings && self.service != Service::Provider {
            return Some("fault: settings is for the service provider alone".into());
        }
        match (self.fault, self.delay_ms) {
            (Kind::Slow, Some(1..=MAX_DELAY_MS)) => None,
            (Kind::Slow, _) => Some(format!(
                "delayMs: must be given with the fault slow, as 1 to {MAX_DELAY_MS}"
            )),
            (_, Some(_)) => Some("delayMs: is for the fault slow alone".into()),
            (_, None) => None,
        }
    }

    async fn happen(&self) -> AwsResult<()> {
        match self.fault {
            Kind::Slow => {
                let delay = Duration::from_millis(self.delay_ms.unwrap_or_default());
                tokio::time::sleep(delay).await;
                Ok(())
            }
            Kind::Throttle => Err(self.service.throttled()),
            Kind::Fail => Err(self.service.failed()),
            Kind::Settings => Ok(()),
        }
    }
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Firehose, Self::Lambda, Self::Provider, Self::S3];

    /// As it is on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Firehose => "firehose",
            Self::Lambda => "lambda",
            Self::Provider => "provider",
            Self::S3 => "s3",
        }
    }

    /// Its operations that can be disturbed.
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Firehose => firehose::OPERATIONS,
            Self::Lambda => LAMBDA_OPERATIONS,
            Self::Provider => PROVIDER_OPERATIONS,
            Self::S3 => s3::protocol::OPERATIONS,
        }
    }

    /// The service's error for too many requests. Firehose and Lambda: API reference, `PutRecord`
    /// and `Invoke`; S3: its page ErrorResponses. The provider reads a bucket from S3.
    fn throttled(self) -> AwsError {
        match self {
            Self::Firehose => firehose::slow_down(),
            Self::Lambda => AwsError::new(429, "TooManyRequestsException", "Rate Exceeded."),
            Self::Provider | Self::S3 => {
                AwsError::new(503, "SlowDown", "Please reduce your request rate.")
            }
        }
    }

    /// The service's error for a failure of its own. Firehose: API reference, Common Errors;
    /// Lambda: `Invoke`; S3: ErrorResponses.
    fn failed(self) -> AwsError {
        match self {
            Self::Firehose => AwsError::new(
                500,
                "InternalFailure",
                "The request processing has failed because of an unknown error, exception or \
                 failure.",
            ),
            Self::Lambda => AwsError::new(
                500,
                "ServiceException",
                "The AWS Lambda service encountered an internal error.",
            ),
            Self::Provider | Self::S3 => AwsError::new(
                500,
                "InternalError",
                "We encountered an internal error. Please try again.",
            ),
        }
    }
}

impl Faults {
    /// Switches a fault on, in place of one that the same operation has.
    pub fn set(&self, fault: Fault) {
        let mut faults = self.lock();
        faults
            .retain(|other| (other.service, &other.operation) != (fault.service, &fault.operation));
        faults.push(fault);
    }

    /// Those that are on, with the calls that they still take.
    pub fn all(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Switches those of a service off.
    pub fn clear_of(&self, service: Service) {
        self.lock().retain(|fault| fault.service != service);
    }

    /// Switches all off.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Does to a call what is asked for, if anything is. A fault of the operation comes before
    /// one of the whole service.
    pub async fn strike(&self, service: Service, operation: &str) -> AwsResult<()> {
        match self.take(service, operation) {
            Some(fault) => fault.happen().await,
            None => Ok(()),
        }
    }

    /// Does to the provider's read of a bucket what is asked for. Says whether the read is to write
    /// into the bucket what resources of their own have set.
    pub async fn strike_bucket_read(&self) -> AwsResult<bool> {
        let Some(fault) = self.take(Service::Provider, READ_BUCKET) else {
            return Ok(false);
        };
        fault.happen().await?;
        Ok(fault.fault == Kind::Settings)
    }

    fn take(&self, service: Service, operation: &str) -> Option<Fault> {
        let mut faults = self.lock();
        let position = |of: Option<&str>| {
            faults
                .iter()
                .position(|fault| fault.service == service && fault.operation.as_deref() == of)
        };
        let index = position(Some(operation)).or_else(|| position(None))?;
        let fault = &mut faults[index];
        let taken = fault.clone();
        if let Some(calls) = &mut fault.calls {
            *calls -= 1;
            if *calls == 0 {
                faults.remove(index);
            }
        }
        Some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
