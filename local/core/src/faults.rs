//! Faults on request: a service that is slow, throttles or fails, for tests and demonstrations.
//!
//! A service registers what can be disturbed of it, with its own errors: what a caller sees is what
//! it would see on AWS. Faults are kept in memory; a new start has none.

use crate::error::{AwsError, AwsResult};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest that a call can be held up: as long as a function may run.
const MAX_DELAY_MS: u64 = 15 * 60 * 1000;

/// What can be disturbed, and the faults that are switched on.
#[derive(Debug, Default)]
pub struct Faults {
    // The two locks are never held at the same time, and not while a call is delayed.
    /// By name.
    services: Mutex<Vec<&'static Disturbable>>,
    on: Mutex<Vec<Fault>>,
}

/// A service that can be disturbed, from outside and when another service calls it.
#[derive(Debug)]
pub struct Disturbable {
    /// As it is on the wire.
    pub name: &'static str,
    /// Its operations that can be disturbed.
    pub operations: &'static [&'static str],
    /// Its error for too many requests.
    pub throttled: fn() -> AwsError,
    /// Its error for a failure of its own.
    pub failed: fn() -> AwsError,
    /// Whether it knows the fault [`FaultKind::Settings`].
    pub has_settings: bool,
}

/// One fault: what happens to the next calls of an operation, or of all a service has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The service's name.
    pub service: String,
    /// All of the service's operations when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How many more calls it takes; all when there is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    pub fault: FaultKind,
    /// How long a slow call is held up before it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    Slow,
    Throttle,
    Fail,
    /// The provider's read of a bucket writes into the bucket what resources of their own have set.
    Settings,
}

impl Fault {
    /// Why there can be no such fault of its service.
    fn problem(&self, service: &Disturbable) -> Option<String> {
        let operations = service.operations;
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
        if self.fault == FaultKind::Settings && !service.has_settings {
            return Some("fault: settings is for the service provider alone".into());
        }
        match (self.fault, self.delay_ms) {
            (FaultKind::Slow, Some(1..=MAX_DELAY_MS)) => None,
            (FaultKind::Slow, _) => Some(format!(
                "delayMs: must be given with the fault slow, as 1 to {MAX_DELAY_MS}"
            )),
            (_, Some(_)) => Some("delayMs: is for the fault slow alone".into()),
            (_, None) => None,
        }
    }

    async fn happen(&self, service: &Disturbable) -> AwsResult<()> {
        match self.fault {
            FaultKind::Slow => {
                let delay = Duration::from_millis(self.delay_ms.unwrap_or_default());
                tokio::time::sleep(delay).await;
                Ok(())
            }
            FaultKind::Throttle => Err((service.throttled)()),
            FaultKind::Fail => Err((service.failed)()),
            FaultKind::Settings => Ok(()),
        }
    }
}

impl Faults {
    /// Makes a service one that can be disturbed. Each service does so when it is opened.
    pub fn register(&self, service: &'static Disturbable) {
        let mut services = lock(&self.services);
        services.retain(|other| other.name != service.name);
        services.push(service);
        services.sort_by_key(|service| service.name);
    }

    /// What can be disturbed, by name.
    pub fn services(&self) -> Vec<&'static Disturbable> {
        lock(&self.services).clone()
    }

    /// Why there can be no such fault.
    pub fn problem(&self, fault: &Fault) -> Option<String> {
        let services = self.services();
        match services.iter().find(|one| one.name == fault.service) {
            Some(service) => fault.problem(service),
            None => {
                let names: Vec<_> = services
                    .iter()
                    .map(|one| format!("`{}`", one.name))
                    .collect();
                Some(format!(
                    "service: unknown variant `{}`, expected one of {}",
                    fault.service,
                    names.join(", ")
                ))
            }
        }
    }

    /// Switches a fault on, in place of one that the same operation has.
    pub fn set(&self, fault: Fault) {
        let mut faults = lock(&self.on);
        faults.retain(|other| {
            (&other.service, &other.operation) != (&fault.service, &fault.operation)
        });
        faults.push(fault);
    }

    /// Those that are on, with the calls that they still take.
    pub fn all(&self) -> Vec<Fault> {
        lock(&self.on).clone()
    }

    /// Switches those of a service off.
    pub fn clear_of(&self, service: &str) {
        lock(&self.on).retain(|fault| fault.service != service);
    }

    /// Switches all off.
    pub fn clear(&self) {
        lock(&self.on).clear();
    }

    /// Does to a call what is asked for, if anything is. A fault of the operation comes before
    /// one of the whole service.
    pub async fn strike(&self, service: &Disturbable, operation: &str) -> AwsResult<()> {
        self.strike_as(service, operation).await.map(drop)
    }

    /// As [`Self::strike`]; says what was done to a call that goes on.
    pub async fn strike_as(
        &self,
        service: &Disturbable,
        operation: &str,
    ) -> AwsResult<Option<FaultKind>> {
        let Some(fault) = self.take(service.name, operation) else {
            return Ok(None);
        };
        fault.happen(service).await?;
        Ok(Some(fault.fault))
    }

    fn take(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut faults = lock(&self.on);
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
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
