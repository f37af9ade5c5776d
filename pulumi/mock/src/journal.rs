//! What has happened so far in one run, for those who wait for something to happen.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pulumi_gestalt_proto::pulumi::pulumirpc::Callback;
use tokio::sync::watch;
use tonic::Status;

use crate::resource::{Answered, name_of};
use crate::run::{Event, Run, Severity};

pub(crate) struct Journal {
    entries: Mutex<Entries>,
    changes: watch::Sender<()>,
}

#[derive(Default)]
pub(crate) struct Entries {
    /// The record, as far as it goes.
    pub run: Run,
    /// The URNs of what is registered.
    pub known: BTreeSet<String>,
    /// The URNs of what was answered.
    pub answered: Answered,
    /// The hooks of the program, by name.
    pub hooks: BTreeMap<String, Callback>,
    /// Why the engine takes no more requests.
    pub ending: Option<Ending>,
    /// What the test itself did wrong, while it was asked.
    pub panic: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Failed,
    EngineLost,
    Interrupted,
}

impl Journal {
    pub fn new() -> Self {
        Self {
            entries: Mutex::default(),
            changes: watch::Sender::new(()),
        }
    }

    pub fn read(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let result = change(&mut self.read());
        self.changes.send_replace(());
        result
    }

    /// Asks the test for something. When that panics, the program is refused its request, and the
    /// run fails with what the panic said.
    pub fn ask<T>(&self, about: &str, question: impl FnOnce() -> T) -> Result<T, Status> {
        catch_unwind(AssertUnwindSafe(question)).map_err(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            let message = format!("the test's answer for {about} panicked: {reason}");
            self.write(|entries| _ = entries.panic.get_or_insert_with(|| message.clone()));
            Status::unknown(message)
        })
    }

    /// Waits until something is so.
    pub async fn until<T>(&self, so: impl Fn(&Entries) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(value) = so(&self.read()) {
                return value;
            }
            // The sender lives as long as the journal.
            let _ = changes.changed().await;
        }
    }
}

impl Entries {
    pub fn was_asked(&self, name: &str) -> bool {
        self.has(|event| matches!(event, Event::Asked(urn) if name_of(urn) == name))
    }

    pub fn was_answered(&self, name: &str) -> bool {
        self.has(|event| matches!(event, Event::Answered(urn) if name_of(urn) == name))
    }

    pub fn has_error(&self) -> bool {
        let mut logs = self.run.logs.iter();
        logs.any(|log| log.severity == Severity::Error)
    }

    fn has(&self, so: impl Fn(&Event) -> bool) -> bool {
        self.run.events.iter().any(so)
    }
}
