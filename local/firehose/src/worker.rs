//! The two things a delivery stream does with a batch: have it transformed, have it stored.
//!
//! Both repeat what fails, and both give up when the stream stops: the records are still in the
//! journal then.

use super::delivery::{Batch, Object, ObjectKind};
use super::failed::{self, Attempts};
use super::neighbours::Neighbours;
use super::settings::{StreamSettings, Transform};
use super::transform::{self, Failure, Outcome};
use anyhow::{Context, Result};
use bytes::Bytes;
use cloud_core::events::{Event, excerpt, first_lines};
use cloud_core::identity::arn_name;
use cloud_core::troubles::Troubles;
use cloud_journal::{Entry, Journal, Sequences};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the stream waits before it repeats what failed. AWS names no numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    /// Before an invocation is repeated.
    pub invocation: Duration,
    /// Before storing is repeated; doubled each time, up to the longest.
    pub store: Duration,
    pub longest_store: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            invocation: Duration::from_secs(1),
            store: Duration::from_secs(1),
            longest_store: Duration::from_secs(60),
        }
    }
}

/// What the work on a batch needs.
#[derive(Clone)]
pub(crate) struct Worker {
    pub journal: Arc<Journal>,
    pub neighbours: Arc<dyn Neighbours>,
    pub stopping: CancellationToken,
    pub pauses: Pauses,
    pub troubles: Troubles,
    /// What the stream is called where troubles are named.
    pub source: String,
}

/// What remains to be done with a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Store(ObjectKind, Bytes),
    /// It was dropped, and the journal knows.
    Nothing,
}

/// A batch that came back from the processor.
pub(crate) struct Transformed {
    pub entries: Vec<Entry>,
    /// One for each entry; none at all when the batch stays in the journal until the next start.
    pub settled: Option<Vec<Settled>>,
}

impl Worker {
    /// Has the processor transform the records, or passes them on when there is none.
    pub(crate) async fn transform(
        self,
        settings: Arc<StreamSettings>,
        entries: Vec<Entry>,
    ) -> Transformed {
        let work = || self.try_transform(&settings, &entries);
        match self.surely(work).await {
            Some(transformed) => transformed,
            None => Transformed {
                entries,
                settled: None,
            },
        }
    }

    async fn try_transform(&self, settings: &StreamSettings, entries: &[Entry]) -> Transformed {
        let (entries, data) = self.read(entries).await;
        let settled = match &settings.destination.transform {
            // All that was to be read is damaged.
            Some(_) if entries.is_empty() => Some(Vec::new()),
            Some(transform) => self.process(settings, transform, &entries, &data).await,
            None => Some(
                data.into_iter()
                    .map(|data| Settled::Store(ObjectKind::Delivered, data))
                    .collect(),
            ),
        };
        Transformed { entries, settled }
    }

    /// Repeats work that panics, until it ends in another way or the stream stops.
    async fn surely<T, F>(&self, mut work: impl FnMut() -> F) -> Option<T>
    where
        F: Future<Output = T>,
    {
        loop {
            match AssertUnwindSafe(work()).catch_unwind().await {
                Ok(done) => return Some(done),
                Err(panic) => self.troubles.panicked(&self.source, &*panic),
            }
            self.pause(self.pauses.store).await?;
        }
    }

    /// Reads the data of records. What cannot be read is left out, and stays in the journal: the
    /// next start keeps it aside.
    async fn read(&self, entries: &[Entry]) -> (Vec<Entry>, Vec<Bytes>) {
        let journal = Arc::clone(&self.journal);
        let wanted = entries.to_vec();
        let read = tokio::task::spawn_blocking(move || journal.read(&wanted)).await;
        let mut data = match read {
            Ok(data) => data.into_iter(),
            Err(error) => {
                self.unread(entries.len(), &error);
                Vec::new().into_iter()
            }
        };
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            match data.next() {
                Some(Ok(data)) => found.push((*entry, data)),
                Some(Err(error)) => self.unread(1, &format!("{error:#}")),
                None => break,
            }
        }
        found.into_iter().unzip()
    }

    fn unread(&self, records: usize, error: &dyn std::fmt::Display) {
        let what = format!(
            "{records} records of the journal cannot be read, and stay in it until the cloud is \
             started again: {error}"
        );
        tracing::error!("{}: {what}", self.source);
        self.troubles.began(&self.source, what);
    }

    async fn process(
        &self,
        settings: &StreamSettings,
        transform: &Transform,
        entries: &[Entry],
        data: &[Bytes],
    ) -> Option<Vec<Settled>> {
        let mut attempt = 0;
        let outcomes = loop {
            attempt += 1;
            let event = transform::event(&settings.arn, &settings.region, entries, data);
            let started = Instant::now();
            let reply = self.invoke(settings, transform, event).await;
            let report = Report {
                settings,
                transform,
                records: entries.len(),
                attempt,
                duration: started.elapsed(),
            };
            match reply {
                Ok(reply) => {
                    let outcomes = transform::outcomes(entries, &reply);
                    self.neighbours.happened(report.of_outcomes(&outcomes));
                    break outcomes;
                }
                Err(failure) => {
                    self.neighbours.happened(report.of_failure(&failure));
                    self.neighbours.log(settings, &failure).await;
                    if attempt > transform.retries {
                        break vec![Outcome::Failed(failure); entries.len()];
                    }
                }
            }
            self.pause(self.pauses.invocation).await?;
        };
        let attempts = Attempts {
            made: attempt,
            ended: unix_millis(self.neighbours.now()),
            function_arn: &transform.function_arn,
        };
        let mut dropped = Sequences::default();
        let settled = entries
            .iter()
            .zip(data)
            .zip(outcomes)
            .map(|((entry, data), outcome)| match outcome {
                Outcome::Ok(data) => Settled::Store(ObjectKind::Delivered, data),
                Outcome::Dropped => {
                    dropped.insert(entry.sequence);
                    Settled::Nothing
                }
                Outcome::Failed(failure) => {
                    self.neighbours.happened(Event::Failed {
                        stream: settings.name.clone(),
                        code: failure.code.to_string(),
                        message: failure.message.to_string(),
                        attempts: attempt,
                        arrived: entry.arrival,
                        data: excerpt(data),
                    });
                    let line = failed::line(entry, data, &failure, attempts);
                    Settled::Store(ObjectKind::Failed, line.into())
                }
            })
            .collect();
        self.delivered(dropped).await;
        Some(settled)
    }

    async fn invoke(
        &self,
        settings: &StreamSettings,
        transform: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure> {
        let invocation = self.neighbours.invoke(settings, transform, event);
        tokio::time::timeout(transform::MAX_INVOCATION, invocation)
            .await
            .unwrap_or(Err(Failure::TIMED_OUT))
    }

    /// Stores a batch, however long it takes. False when it stays in the journal until the next
    /// start.
    pub(crate) async fn store(self, settings: Arc<StreamSettings>, batch: Batch) -> bool {
        let work = || self.try_store(&settings, batch.clone());
        self.surely(work).await.unwrap_or(false)
    }

    async fn try_store(&self, settings: &Arc<StreamSettings>, batch: Batch) -> bool {
        let sequences = batch.sequences.clone();
        let (lines, more) = first_lines(batch.lines());
        let (failed, records) = (batch.kind == ObjectKind::Failed, batch.accepted.1);
        let object = loop {
            match self.seal(settings, batch.clone()).await {
                Ok(object) => break object,
                Err(error) => {
                    let what = format!("a batch cannot be made an object: {error:#}");
                    tracing::error!("{}: {what}", self.source);
                    self.troubles.began(&self.source, what);
                }
            }
            if self.pause(self.pauses.longest_store).await.is_none() {
                return false;
            }
        };
        let mut pause = self.pauses.store;
        while let Err(failure) = self.neighbours.store(settings, &object).await {
            self.neighbours.log(settings, &failure).await;
            if self.pause(pause).await.is_none() {
                return false;
            }
            pause = (pause * 2).min(self.pauses.longest_store);
        }
        self.delivered(sequences).await;
        self.neighbours.happened(Event::Object {
            stream: settings.name.clone(),
            bucket: arn_name(&settings.destination.bucket_arn).to_owned(),
            bytes: object.body.len(),
            key: object.key,
            records,
            failed,
            lines,
            more,
        });
        true
    }

    async fn seal(&self, settings: &Arc<StreamSettings>, batch: Batch) -> Result<Object> {
        let settings = Arc::clone(settings);
        let now = self.neighbours.now();
        tokio::task::spawn_blocking(move || batch.into_object(&settings, now))
            .await
            .context("the task failed")?
    }

    /// Tells the journal. When the disk refuses that, the journal writes it down later.
    async fn delivered(&self, sequences: Sequences) {
        if let Err(error) = self.journal.delivered(sequences).await {
            tracing::warn!("a delivery is not written down yet: {error:#}");
        }
    }

    /// Waits, unless the stream stops meanwhile.
    pub(crate) async fn pause(&self, duration: Duration) -> Option<()> {
        tokio::select! {
            () = self.stopping.cancelled() => None,
            () = tokio::time::sleep(duration) => Some(()),
        }
    }
}

/// The event about a batch that was with the processor.
struct Report<'a> {
    settings: &'a StreamSettings,
    transform: &'a Transform,
    records: usize,
    attempt: u32,
    duration: Duration,
}

impl Report<'_> {
    fn of_outcomes(self, outcomes: &[Outcome]) -> Event {
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|one| is(one)).count();
        self.event(
            count(|one| matches!(one, Outcome::Ok(_))),
            count(|one| matches!(one, Outcome::Dropped)),
            count(|one| matches!(one, Outcome::Failed(_))),
            None,
        )
    }

    fn of_failure(self, failure: &Failure) -> Event {
        let error = format!("{}: {}", failure.code, failure.message);
        self.event(0, 0, 0, Some(error))
    }

    fn event(self, ok: usize, dropped: usize, failed: usize, error: Option<String>) -> Event {
        Event::Batch {
            stream: self.settings.name.clone(),
            function: self.transform.function_arn.clone(),
            records: self.records,
            attempt: self.attempt,
            duration: u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            ok,
            dropped,
            failed,
            error,
        }
    }
}

fn unix_millis(time: time::OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
