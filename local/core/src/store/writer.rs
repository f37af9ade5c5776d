//! The thread that writes.
//!
//! A write waits for the commit that is under way, then goes out with all others that waited.
//! Those whose commit has ended write again a moment later, one of them before the others: a commit
//! for that one alone would keep all others waiting. So a commit waits a moment for as many writes
//! as the one before had.

use super::{Batch, DatabaseFile, SOURCE};
use crate::troubles::reason;
use anyhow::{Context, Result, anyhow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many waiting batches one commit takes at most; bounds the memory of a commit.
const MAX_GROUP: usize = 1024;

/// How long a commit waits for more writes, at most: about as long as one more commit would take
/// them. A writer that is alone never waits.
const GATHERING: Duration = Duration::from_millis(1);

/// The way to the thread that writes; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Write>);

struct Write {
    batch: Batch,
    done: oneshot::Sender<Result<(), String>>,
}

impl Writer {
    pub(super) fn spawn(file: &Arc<DatabaseFile>) -> Result<Self> {
        let (writer, writes) = mpsc::channel();
        let file = Arc::downgrade(file);
        let work = move || run(&file, &writes);
        std::thread::Builder::new()
            .name("store".into())
            .spawn(work)?;
        Ok(Self(writer))
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<()> {
        let (done, finished) = oneshot::channel();
        self.0
            .send(Write { batch, done })
            .map_err(|_| anyhow!("the store is closed"))?;
        finished
            .await
            .context("the store was closed during a write")?
            .map_err(anyhow::Error::msg)
    }
}

fn run(file: &Weak<DatabaseFile>, writes: &mpsc::Receiver<Write>) {
    let mut shared_by = 1;
    while let Ok(first) = writes.recv() {
        let group = gather(first, writes, shared_by);
        shared_by = group.len();
        let batches: Vec<_> = group.iter().map(|write| &write.batch).collect();
        let result = match file.upgrade() {
            Some(file) if file.closed.load(Ordering::SeqCst) => {
                Err("the cloud was reset meanwhile".to_owned())
            }
            Some(file) => write_group(&file, &batches),
            None => Err("the store is closed".to_owned()),
        };
        for write in group {
            // A writer that stopped waiting does not need the answer.
            let _ = write.done.send(result.clone());
        }
    }
}

/// What goes into one commit: all that waits, and what comes in the next moment until there is as
/// much as last time.
fn gather(first: Write, writes: &mpsc::Receiver<Write>, expected: usize) -> Vec<Write> {
    let until = Instant::now() + GATHERING;
    let mut group = vec![first];
    while group.len() < MAX_GROUP {
        let left = until.saturating_duration_since(Instant::now());
        let next = match group.len() < expected {
            true => writes.recv_timeout(left).ok(),
            false => writes.try_recv().ok(),
        };
        match next {
            Some(write) => group.push(write),
            None => break,
        }
    }
    group
}

/// Writes one group. A write that fails or panics does not end the thread.
fn write_group(file: &DatabaseFile, batches: &[&Batch]) -> Result<(), String> {
    let written = catch_unwind(AssertUnwindSafe(|| file.write(batches)));
    let written = written.unwrap_or_else(|panic| {
        file.close();
        file.troubles.panicked(SOURCE, &*panic);
        Err(anyhow!("the writer failed: {}", reason(&*panic)))
    });
    match written {
        Ok(()) => {
            file.troubles.ended(SOURCE);
            Ok(())
        }
        Err(error) => {
            let error = format!("the store cannot be written: {error:#}");
            file.troubles.began(SOURCE, &error);
            Err(error)
        }
    }
}
