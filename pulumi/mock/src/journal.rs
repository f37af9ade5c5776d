//! What has happened so far in one run, for whoever waits for something to happen.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::resource::name_of;
use crate::run::{Event, Run, Severity};

pub(crate) struct Journal {
    entries: Mutex<Entries>,
    changes: watch::Sender<()>,
}

#[derive(Default)]
pub(crate) struct Entries {
    /// The record, as far as it goes.
    pub run: Run,
    /// Why the engine takes no more requests.
    pub ending: Option<Ending>,
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
    pub fn answered(&self) -> BTreeSet<String> {
        self.run
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Answered(urn) => Some(urn.clone()),
                Event::Asked(_) => None,
            })
            .collect()
    }

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
