//! The task that owns a stream's buffers, and brings records from the journal to the bucket.
//!
//! It sends batches to the processor, up to five at a time, gathers what comes back, and stores one
//! object of each kind after the other. A record leaves the journal when an object that holds it is
//! stored, or when the processor dropped it.

use super::backlog::{Backlog, RECORD_COST, Tally, cost};
use super::buffer::{Hints, Level};
use super::delivery::{Gathering, ObjectKind};
use super::levels::{Levels, Now};
use super::settings::StreamSettings;
use super::transform;
use super::worker::{Settled, Transformed, Worker};
use anyhow::Result;
use cloud_journal::Entry;
use futures::FutureExt;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a stop waits for the buffers to be delivered; the rest stays in the journal. A
/// little less than the cloud itself waits for its tasks.
const FLUSH_GRACE: Duration = Duration::from_secs(8);

/// The buffer towards S3 for one kind of objects.
#[derive(Default)]
struct ObjectBuffer {
    gathering: Gathering,
    /// At most one: the next object waits until this one is stored.
    storing: JoinSet<Option<Stored>>,
}

/// An object that was stored.
struct Stored {
    kind: ObjectKind,
    /// The data of its records as they were accepted, in bytes, and their number.
    accepted: (usize, usize),
}

/// The task that owns the buffers.
pub(crate) struct StreamTask {
    declared: watch::Receiver<Arc<StreamSettings>>,
    worker: Worker,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    levels: Arc<Levels>,
    discarded: CancellationToken,
    /// The buffer towards the processor.
    waiting: VecDeque<Entry>,
    level: Level,
    transforming: JoinSet<Transformed>,
    delivered: ObjectBuffer,
    failed: ObjectBuffer,
    /// Set when the stream is stopping: the buffers are sent on at once.
    flush_until: Option<Instant>,
}

impl StreamTask {
    /// A task with empty buffers.
    pub(crate) fn new(
        declared: watch::Receiver<Arc<StreamSettings>>,
        worker: Worker,
        backlog: Arc<Backlog>,
        tally: Arc<Tally>,
        levels: Arc<Levels>,
        discarded: CancellationToken,
    ) -> Self {
        Self {
            declared,
            worker,
            backlog,
            tally,
            levels,
            discarded,
            waiting: VecDeque::new(),
            level: Level::default(),
            transforming: JoinSet::new(),
            delivered: ObjectBuffer::default(),
            failed: ObjectBuffer::default(),
            flush_until: None,
        }
    }

    /// Works until the stream stops. When the work itself panics it is named, and begins again
    /// with what the journal says.
    pub(crate) async fn run(mut self, mut accepted: UnboundedReceiver<Vec<Entry>>) {
        while let Err(panic) = AssertUnwindSafe(self.work(&mut accepted))
            .catch_unwind()
            .await
        {
            let worker = self.worker.clone();
            worker.troubles.panicked(&worker.source, &*panic);
            loop {
                if self.discarded.is_cancelled()
                    || worker.pause(worker.pauses.store).await.is_none()
                {
                    return;
                }
                match self.begin_again(&mut accepted).await {
                    Ok(()) => break,
                    Err(error) => tracing::error!("{}: {error:#}", worker.source),
                }
            }
        }
    }

    async fn begin_again(&mut self, accepted: &mut UnboundedReceiver<Vec<Entry>>) -> Result<()> {
        let (mut pending, next) = self.worker.journal.pending().await?;
        // What was accepted before is among them.
        while let Ok(entries) = accepted.try_recv() {
            pending.extend(entries.into_iter().filter(|entry| entry.sequence >= next));
        }
        self.transforming = JoinSet::new();
        (self.delivered, self.failed) = (ObjectBuffer::default(), ObjectBuffer::default());
        self.level = Level::default();
        self.waiting.clear();
        let costs = pending.iter().map(|entry| cost(entry.length as usize));
        self.backlog.set(costs.sum());
        self.tally.waiting.store(0, Ordering::Relaxed);
        self.accept(pending);
        Ok(())
    }

    async fn work(&mut self, accepted: &mut UnboundedReceiver<Vec<Entry>>) {
        let discarded = self.discarded.clone();
        let stopping = self.worker.stopping.clone();
        loop {
            while let Ok(entries) = accepted.try_recv() {
                self.accept(entries);
            }
            self.send_on();
            self.levels.set(self.now());
            if self.flush_until.is_some() && self.is_idle() {
                return;
            }
            let due = self.due_at();
            tokio::select! {
                biased;
                () = discarded.cancelled() => return,
                () = stopping.cancelled(), if self.flush_until.is_none() => {
                    self.flush_until = Some(Instant::now() + FLUSH_GRACE);
                }
                Some(transformed) = self.transforming.join_next() => self.gather(transformed),
                Some(stored) = self.delivered.storing.join_next() => self.release(stored),
                Some(stored) = self.failed.storing.join_next() => self.release(stored),
                Some(entries) = accepted.recv() => self.accept(entries),
                Ok(()) = self.declared.changed() => {}
                () = sleep_until(due) => {
                    if self.flush_until.is_some_and(|until| until <= Instant::now()) {
                        return;
                    }
                }
            }
        }
    }

    /// What the person who watches is shown.
    fn now(&self) -> Now {
        Now {
            waiting: (self.waiting.len(), self.level),
            transforming: self.transforming.len(),
            delivered: self.delivered.gathering.now(),
            failed: self.failed.gathering.now(),
            storing: self.delivered.storing.len() + self.failed.storing.len(),
        }
    }

    /// Takes accepted records into the buffer towards the processor.
    pub(crate) fn accept(&mut self, entries: Vec<Entry>) {
        let now = Instant::now();
        for entry in &entries {
            self.level.add(entry.length as usize, now);
        }
        self.tally.accept(entries.len());
        self.waiting.extend(entries);
    }

    /// Starts everything that is due.
    fn send_on(&mut self) {
        let settings = Arc::clone(&self.declared.borrow_and_update());
        let flush = self.flush_until.is_some();
        let towards_s3 = settings.destination.buffering;
        let now = Instant::now();
        while !self.waiting.is_empty()
            && self.may_transform(towards_s3)
            && (flush || self.level.is_due(settings.processing_hints(), now))
        {
            let batch = self.seal(settings.processing_hints().size);
            let worker = self.worker.clone();
            self.transforming
                .spawn(worker.transform(Arc::clone(&settings), batch));
        }
        for (buffer, kind) in [
            (&mut self.delivered, ObjectKind::Delivered),
            (&mut self.failed, ObjectKind::Failed),
        ] {
            // A flush waits for what the processor still has: one object rather than two.
            let flush = flush && self.waiting.is_empty() && self.transforming.is_empty();
            let gathering = &mut buffer.gathering;
            if buffer.storing.is_empty()
                && !gathering.is_empty()
                && (flush || gathering.level.is_due(towards_s3, now))
            {
                let batch = gathering.seal(kind);
                let accepted = batch.accepted;
                let worker = self.worker.clone();
                let settings = Arc::clone(&settings);
                buffer.storing.spawn(async move {
                    let stored = worker.store(settings, batch).await;
                    stored.then_some(Stored { kind, accepted })
                });
            }
        }
    }

    /// The processor gets more as long as it does not have its fill, and S3 keeps up.
    fn may_transform(&self, towards_s3: Hints) -> bool {
        self.transforming.len() < transform::MAX_OUTSTANDING
            && !self.delivered.gathering.level.is_full(towards_s3)
            && !self.failed.gathering.level.is_full(towards_s3)
    }

    /// As many waiting records as fit the size and an event; at least one.
    fn seal(&mut self, size: usize) -> Vec<Entry> {
        let (mut bytes, mut event) = (0, 0);
        let mut count = 0;
        for entry in &self.waiting {
            let length = entry.length as usize;
            event += transform::event_bytes(length);
            if count > 0 && (bytes + length > size || event > transform::event_capacity()) {
                break;
            }
            bytes += length;
            count += 1;
        }
        let batch = self.waiting.drain(..count).collect();
        self.level
            .remove(bytes, !self.waiting.is_empty(), Instant::now());
        batch
    }

    fn gather(&mut self, transformed: Result<Transformed, JoinError>) {
        let Ok(transformed) = transformed.inspect_err(ended_early) else {
            return;
        };
        let Some(settled) = transformed.settled else {
            return;
        };
        let now = Instant::now();
        for (entry, settled) in transformed.entries.iter().zip(settled) {
            match settled {
                Settled::Store(ObjectKind::Delivered, data) => {
                    self.delivered.gathering.add(entry, &data, now);
                }
                Settled::Store(ObjectKind::Failed, line) => {
                    self.failed.gathering.add(entry, &line, now)
                }
                Settled::Nothing => {
                    self.backlog.remove(cost(entry.length as usize));
                    self.tally.settle(&self.tally.dropped, 1);
                }
            }
        }
    }

    fn release(&self, stored: Result<Option<Stored>, JoinError>) {
        let Ok(Some(Stored { kind, accepted })) = stored.inspect_err(ended_early) else {
            return;
        };
        let (bytes, records) = accepted;
        self.backlog.remove(bytes + records * RECORD_COST);
        let settled = match kind {
            ObjectKind::Delivered => &self.tally.delivered,
            ObjectKind::Failed => &self.tally.failed,
        };
        self.tally.settle(settled, records);
    }

    fn is_idle(&self) -> bool {
        let rests =
            |buffer: &ObjectBuffer| buffer.gathering.is_empty() && buffer.storing.is_empty();
        self.waiting.is_empty()
            && self.transforming.is_empty()
            && rests(&self.delivered)
            && rests(&self.failed)
    }

    /// When the next buffer is due that nothing holds back.
    fn due_at(&self) -> Option<Instant> {
        let settings = self.declared.borrow();
        let towards_s3 = settings.destination.buffering;
        let mut due = vec![self.flush_until];
        if self.may_transform(towards_s3) {
            due.push(self.level.due_at(settings.processing_hints()));
        }
        for buffer in [&self.delivered, &self.failed] {
            if buffer.storing.is_empty() {
                due.push(buffer.gathering.level.due_at(towards_s3));
            }
        }
        due.into_iter().flatten().min()
    }
}

/// A task that ended early cannot say what happened to its records, but they are still in the
/// journal.
fn ended_early(error: &JoinError) {
    tracing::error!(%error, "the work on a batch ended early; the next start repeats it");
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
