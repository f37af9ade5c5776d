//! The thread that looks things up.
//!
//! It takes all that waits at once, with one snapshot: while it is at work, nobody who looks
//! something up has to wake a thread, which costs more than most looks.

use super::{DatabaseFile, Snapshot};
use crate::troubles::reason;
use anyhow::{Context, Result, anyhow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak, mpsc};
use tokio::sync::oneshot;

/// The way to the thread that looks things up; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Reader(mpsc::Sender<Look>);

/// Looks something up.
type Look = Box<dyn FnOnce(&Snapshot) -> Answer + Send>;

/// Passes on what was found.
type Answer = Box<dyn FnOnce() + Send>;

impl Reader {
    pub(super) fn spawn(file: &Arc<DatabaseFile>) -> Result<Self> {
        let (reader, looks) = mpsc::channel();
        let file = Arc::downgrade(file);
        std::thread::Builder::new()
            .name("store-reader".into())
            .spawn(move || run(&file, &looks))?;
        Ok(Self(reader))
    }

    pub(super) async fn look_up<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<T> {
        let (done, finished) = oneshot::channel();
        let look = move |records: &Snapshot| -> Answer {
            let read = catch_unwind(AssertUnwindSafe(|| read(records)));
            let read = read.map_err(|panic| reason(&*panic).to_owned());
            // A reader that stopped waiting does not need the answer.
            Box::new(move || drop(done.send(read)))
        };
        self.0
            .send(Box::new(look))
            .map_err(|_| anyhow!("the store is closed"))?;
        finished
            .await
            .context("the database cannot be read")?
            .map_err(|reason| anyhow!("the database failed: {reason}"))
    }
}

fn run(file: &Weak<DatabaseFile>, looks: &mpsc::Receiver<Look>) {
    while let Ok(first) = looks.recv() {
        // The snapshot comes after all that is looked up in it: each finds what was committed
        // before it was asked for.
        let waiting: Vec<Look> = std::iter::once(first).chain(looks.try_iter()).collect();
        match file.upgrade().map(|file| look_up(&file, waiting)) {
            // After the file is let go of: a reader that has its answer may be the last one, and
            // open the file again.
            Some(Ok(answers)) => answers.into_iter().for_each(|answer| answer()),
            Some(Err(error)) => tracing::error!("the store cannot be read: {error:#}"),
            None => {}
        }
    }
}

fn look_up(file: &DatabaseFile, waiting: Vec<Look>) -> Result<Vec<Answer>> {
    file.with(|database| {
        let records = Snapshot::of(database)?;
        Ok(waiting.into_iter().map(|look| look(&records)).collect())
    })
}
