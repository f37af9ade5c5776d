//! A function's environments: which are free, and how many there may be.

use super::environment::Environment;
use super::settings::{ACCOUNT_CONCURRENCY, Details, FunctionSettings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A live function.
#[derive(Debug)]
pub(crate) struct Function {
    /// Held for a moment at the begin and at the end of an invocation. Environments are dropped
    /// after it is released, because that ends their processes.
    state: Mutex<FunctionState>,
}

#[derive(Debug)]
struct FunctionState {
    settings: Arc<FunctionSettings>,
    details: Arc<Details>,
    /// Environments that wait for an invocation; the one that was busy last is last.
    idle: Vec<Environment>,
    busy: usize,
    stopped: bool,
}

/// There are as many invocations as there may be.
#[derive(Debug)]
pub(crate) struct Throttled {
    /// Whether the function's own reservation is the limit.
    pub reserved: bool,
}

/// The right to run one invocation; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    function: Arc<Function>,
}

impl Function {
    /// A function without environments.
    pub(crate) fn new(settings: Arc<FunctionSettings>, details: Arc<Details>) -> Self {
        Self {
            state: Mutex::new(FunctionState {
                settings,
                details,
                idle: Vec::new(),
                busy: 0,
                stopped: false,
            }),
        }
    }

    /// What it is at the moment.
    pub(crate) fn settings(&self) -> Arc<FunctionSettings> {
        Arc::clone(&self.state().settings)
    }

    /// What it is at the moment, with what is shown of it.
    pub(crate) fn described(&self) -> (Arc<FunctionSettings>, Arc<Details>) {
        let state = self.state();
        (Arc::clone(&state.settings), Arc::clone(&state.details))
    }

    /// From now on environments are of this kind; the old ones finish what they do.
    pub(crate) fn update(&self, settings: Arc<FunctionSettings>, details: Arc<Details>) {
        let old = {
            let mut state = self.state();
            state.details = details;
            if *state.settings == *settings {
                return;
            }
            state.settings = settings;
            std::mem::take(&mut state.idle)
        };
        // Dropping them ends their processes.
        drop(old);
    }

    /// Ends the environments that are idle, and the others when they have finished.
    pub(crate) fn stop(&self) {
        let old = {
            let mut state = self.state();
            state.stopped = true;
            std::mem::take(&mut state.idle)
        };
        drop(old);
    }

    /// Takes the right to run an invocation.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Slot, Throttled> {
        let mut state = self.state();
        let reserved = state.settings.reserved_concurrency;
        if state.busy >= reserved.unwrap_or(ACCOUNT_CONCURRENCY) {
            return Err(Throttled {
                reserved: reserved.is_some(),
            });
        }
        state.busy += 1;
        Ok(Slot {
            function: Arc::clone(self),
        })
    }

    fn state(&self) -> MutexGuard<'_, FunctionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// An environment that is free.
    pub(crate) fn idle(&self) -> Option<Environment> {
        self.function.state().idle.pop()
    }

    /// What a new environment has to be.
    pub(crate) fn settings(&self) -> Arc<FunctionSettings> {
        self.function.settings()
    }

    /// Gives the right back, and the environment for the next one when it can go on.
    pub(crate) fn leave(self, environment: Option<Environment>) {
        let mut state = self.function.state();
        let outdated = match environment {
            Some(environment)
                if !state.stopped && Arc::ptr_eq(&environment.settings, &state.settings) =>
            {
                state.idle.push(environment);
                None
            }
            other => other,
        };
        drop(state);
        drop(outdated);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.function.state().busy -= 1;
    }
}
