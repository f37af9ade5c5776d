//! A thread of low priority that reads whole files, one after the other.

use anyhow::{Context, Result};
use cloud_core::troubles::Troubles;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

/// How much the thread steps back for others; 19 is the most.
const NICENESS: i32 = 15;

type Job = Box<dyn FnOnce() + Send>;

/// A handle to the thread, which ends with it.
pub(crate) struct Reader(mpsc::Sender<Job>);

impl Reader {
    /// Starts the thread, under this name.
    pub(crate) fn start(name: &'static str, troubles: &Troubles) -> Result<Self> {
        let (jobs, received) = mpsc::channel::<Job>();
        let troubles = troubles.clone();
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                // On Linux this is about the calling thread alone.
                if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                    tracing::warn!(%error, "the {name} does not step back for other work");
                }
                for job in received {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(job)) {
                        troubles.panicked(&format!("the {name}"), &*panic);
                    }
                }
            })
            .with_context(|| format!("the {name} cannot be started"))?;
        Ok(Self(jobs))
    }

    /// Has the thread do something, when what it was given before is done.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The thread lives as long as the handle.
        let _ = self.0.send(Box::new(job));
    }
}
