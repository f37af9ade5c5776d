//! A running delivery stream: takes records into its journal, from where its task delivers them.

use super::backlog::{Backlog, Tally, cost};
use super::levels::Levels;
use super::neighbours::Neighbours;
use super::settings::StreamSettings;
use super::task::StreamTask;
use super::worker::{Pauses, Worker};
use anyhow::Result;
use cloud_core::troubles::Troubles;
use cloud_journal::{Journal, NewRecord};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the journal gets on disk before a stream asks its callers to wait. Up to twice what
/// waits in it, and it holds all of that when a part of it cannot be read.
pub const MAX_JOURNAL_BYTES: u64 = 1024 * 1024 * 1024;

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
        let worker = Worker {
            journal: Arc::clone(&journal),
            neighbours,
            stopping: stopping.clone(),
            pauses,
            troubles: troubles.clone(),
            source: source.clone(),
        };
        let mut task = StreamTask::new(
            declared,
            worker,
            Arc::clone(&backlog),
            Arc::clone(&tally),
            Arc::clone(&levels),
            discarded.clone(),
        );
        // The first message is what an earlier run of the cloud left behind.
        let left_over = accepted.try_recv().unwrap_or_default();
        backlog.add(
            left_over
                .iter()
                .map(|entry| cost(entry.length as usize))
                .sum(),
        );
        task.accept(left_over);
        tasks.spawn(task.run(accepted));
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

#[cfg(test)]
mod tests;
