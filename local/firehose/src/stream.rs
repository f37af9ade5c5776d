//! A delivery stream at work: from the journal through both buffers to the bucket.
//!
//! One task owns the buffers. It sends batches to the processor, up to five at a time, gathers
//! what comes back, and stores one object of each kind after the other. A record leaves the
//! journal when an object that holds it is stored, or when the processor dropped it.

use super::buffer::{Hints, Level};
use super::delivery::{Gathering, ObjectKind};
use super::levels::{Levels, Now};
use super::neighbours::Neighbours;
use super::settings::StreamSettings;
use super::transform;
use super::worker::{Pauses, Settled, Transformed, Worker};
use anyhow::Result;
use cloud_core::troubles::Troubles;
use cloud_journal::{Entry, Journal, NewRecord};
use futures::FutureExt;
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How much a stream takes before it asks its callers to wait. AWS's bound is a rate; this one
/// keeps a laptop's disk and memory from filling while S3 or the processor refuses.
const MAX_BACKLOG_BYTES: usize = 512 * 1024 * 1024;

/// How long the journal gets on disk before a stream asks its callers to wait. Up to twice what
/// waits in it, and it holds all of that when a part of it cannot be read.
pub const MAX_JOURNAL_BYTES: u64 = 1024 * 1024 * 1024;

/// What a record costs beside its data.
const RECORD_COST: usize = 128;

/// How long a stop waits for the buffers to be delivered; the rest stays in the journal. A
/// little less than the cloud itself waits for its tasks.
const FLUSH_GRACE: Duration = Duration::from_secs(8);

/// A running delivery stream.
pub(crate) struct Stream {
    journal: Arc<Journal>,
    settings: watch::Sender<Arc<StreamSettings>>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    levels: Arc<Levels>,
    stopping: CancellationToken,
    discarded: CancellationToken,
    troubles: Troubles,
    /// What it is called where troubles are named.
    source: String,
    max_journal_bytes: u64,
}

/// What a stream runs with.
pub(crate) struct Surroundings {
    pub neighbours: Arc<dyn Neighbours>,
    pub stopping: CancellationToken,
    pub pauses: Pauses,
    pub troubles: Troubles,
    pub max_journal_bytes: u64,
}

/// What became of a stream's records since the cloud was started.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Accepted now or left over from before, and neither stored nor dropped yet.
    pub waiting: AtomicU64,
    /// Stored under the stream's prefix.
    pub delivered: AtomicU64,
    /// Stored under its error prefix.
    pub failed: AtomicU64,
    /// Dropped by the processor.
    pub dropped: AtomicU64,
}

/// Why records were not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Too much waits to be delivered, or the stream is stopping.
    Busy,
    /// The disk refused them.
    Disk(anyhow::Error),
}

impl Stream {
    /// Starts the stream with the journal in `folder`, as one of `tasks`. It ends when
    /// `stopping` is cancelled and it has delivered what it could.
    pub(crate) fn start(
        folder: &Path,
        settings: StreamSettings,
        surroundings: Surroundings,
        tasks: &TaskTracker,
    ) -> Result<Self> {
        let Surroundings {
            neighbours,
            stopping,
            pauses,
            troubles,
            max_journal_bytes,
        } = surroundings;
        let (sender, mut accepted) = unbounded_channel();
        let journal = Arc::new(Journal::open(folder, sender, &troubles)?);
        let source = format!("stream {}", settings.name);
        let backlog = Arc::new(Backlog::default());
        let tally = Arc::new(Tally::default());
        let levels = Arc::new(Levels::default());
        let discarded = CancellationToken::new();
        let (settings, declared) = watch::channel(Arc::new(settings));
        let mut work = Work {
            declared,
            worker: Worker {
                journal: Arc::clone(&journal),
                neighbours,
                stopping: stopping.clone(),
                pauses,
                troubles: troubles.clone(),
                source: source.clone(),
            },
            backlog: Arc::clone(&backlog),
            tally: Arc::clone(&tally),
            levels: Arc::clone(&levels),
            discarded: discarded.clone(),
            waiting: VecDeque::new(),
            level: Level::default(),
            transforming: JoinSet::new(),
            delivered: ObjectBuffer::default(),
            failed: ObjectBuffer::default(),
            flush_until: None,
        };
        // The first message is what an earlier run of the cloud left behind.
        let left_over = accepted.try_recv().unwrap_or_default();
        backlog.add(
            left_over
                .iter()
                .map(|entry| cost(entry.length as usize))
                .sum(),
        );
        work.accept(left_over);
        tasks.spawn(work.run(accepted));
        Ok(Self {
            journal,
            settings,
            backlog,
            tally,
            levels,
            stopping,
            discarded,
            troubles,
            source,
            max_journal_bytes,
        })
    }

    /// How many bytes its journal takes on disk, and how many it may take.
    pub(crate) fn journal_bytes(&self) -> (u64, u64) {
        (self.journal.bytes(), self.max_journal_bytes)
    }

    /// What the stream is declared to do now.
    pub(crate) fn settings(&self) -> Arc<StreamSettings> {
        Arc::clone(&self.settings.borrow())
    }

    /// What became of its records.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How full its buffers are at the moment.
    pub(crate) fn levels(&self) -> Value {
        self.levels.describe(&self.settings(), Instant::now())
    }

    /// From now on the stream does this instead; also with records that it already holds.
    pub(crate) fn update(&self, settings: StreamSettings) {
        self.settings.send_replace(Arc::new(settings));
    }

    /// Takes records, all or none; they are durable on return.
    pub(crate) async fn put(&self, records: Vec<NewRecord>) -> Result<(), Refused> {
        let cost = records.iter().map(|record| cost(record.data.len())).sum();
        if self.stopping.is_cancelled() {
            return Err(Refused::Busy);
        }
        let (length, longest) = self.journal_bytes();
        if length + cost as u64 > longest || !self.backlog.reserve(cost) {
            let waiting = self.tally.waiting.load(Ordering::Relaxed);
            let what = format!(
                "records are refused until some are delivered: {waiting} wait, and its journal has \
                 {length} of {longest} bytes. The stream's log says why they are not delivered"
            );
            self.troubles.set(&self.full(), what);
            return Err(Refused::Busy);
        }
        self.journal.append(records).await.map_err(|error| {
            self.backlog.remove(cost);
            Refused::Disk(error)
        })?;
        self.troubles.ended(&self.full());
        Ok(())
    }

    /// What a stream that is full is called where troubles are named.
    fn full(&self) -> String {
        format!("{}, which is full", self.source)
    }

    /// Ends the stream and deletes everything that it has not delivered.
    pub(crate) async fn discard(&self) -> Result<()> {
        self.discarded.cancel();
        self.journal.discard().await
    }
}

fn cost(length: usize) -> usize {
    length + RECORD_COST
}

/// What all records that wait to be delivered cost.
#[derive(Debug, Default)]
struct Backlog(AtomicUsize);

impl Backlog {
    fn reserve(&self, cost: usize) -> bool {
        let fits = self.add(cost) + cost <= MAX_BACKLOG_BYTES;
        if !fits {
            self.remove(cost);
        }
        fits
    }

    fn add(&self, cost: usize) -> usize {
        self.0.fetch_add(cost, Ordering::Relaxed)
    }

    fn remove(&self, cost: usize) {
        // A stream that was started again has counted again.
        let less = |all: usize| Some(all.saturating_sub(cost));
        let _ = (self.0).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

impl Tally {
    fn accept(&self, records: usize) {
        self.waiting.fetch_add(records as u64, Ordering::Relaxed);
    }

    fn settle(&self, settled: &AtomicU64, records: usize) {
        let records = records as u64;
        settled.fetch_add(records, Ordering::Relaxed);
        let less = |all: u64| Some(all.saturating_sub(records));
        let _ = (self.waiting).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

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
struct Work {
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

impl Work {
    /// Works until the stream stops. When the work itself panics it is named, and begins again
    /// with what the journal says.
    async fn run(mut self, mut accepted: UnboundedReceiver<Vec<Entry>>) {
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
        self.backlog.0.store(costs.sum(), Ordering::Relaxed);
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

    fn accept(&mut self, entries: Vec<Entry>) {
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

/// The task cannot say what became of its records; they are in the journal.
fn ended_early(error: &JoinError) {
    tracing::error!(%error, "the work on a batch ended early; the next start repeats it");
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
