//! The two things a delivery stream does with a batch: have it transformed, have it stored.
//!
//! Both repeat what fails, and both give up when the stream stops: the records are still in the
//! journal then.

use super::delivery::{Batch, Kind};
use super::failed::{self, Attempts};
use super::journal::{Entry, Journal, Sequences};
use super::neighbours::Neighbours;
use super::settings::{Settings, Transform};
use super::transform::{self, Failure, Outcome};
use crate::events::{Event, excerpt, first_lines};
use crate::identity::arn_name;
use anyhow::{Context, Result};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the stream waits before it repeats what failed. AWS names no numbers.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
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
pub struct Worker {
    pub journal: Arc<Journal>,
    pub neighbours: Arc<dyn Neighbours>,
    pub stopping: CancellationToken,
    pub pauses: Pauses,
}

/// What remains to be done with a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled {
    Store(Kind, Bytes),
    /// It was dropped, and the journal knows.
    Nothing,
}

/// A batch that came back from the processor.
pub struct Transformed {
    pub entries: Vec<Entry>,
    /// One for each entry; none at all when the batch stays in the journal until the next start.
    pub settled: Option<Vec<Settled>>,
}

impl Worker {
    /// Has the processor transform the records, or passes them on when there is none.
    pub async fn transform(self, settings: Arc<Settings>, entries: Vec<Entry>) -> Transformed {
        let settled = match self.read(&entries).await {
            Ok(data) => match &settings.destination.transform {
                Some(transform) => self.process(&settings, transform, &entries, &data).await,
                None => Some(
                    data.into_iter()
                        .map(|data| Settled::Store(Kind::Delivered, data))
                        .collect(),
                ),
            },
            Err(error) => {
                tracing::error!(
                    stream = settings.name,
                    records = entries.len(),
                    "records cannot be read and stay in the journal until the next start: \
                     {error:#}"
                );
                None
            }
        };
        Transformed { entries, settled }
    }

    async fn read(&self, entries: &[Entry]) -> Result<Vec<Bytes>> {
        let journal = Arc::clone(&self.journal);
        let entries = entries.to_vec();
        tokio::task::spawn_blocking(move || journal.read(&entries))
            .await
            .context("the reader failed")?
    }

    async fn process(
        &self,
        settings: &Settings,
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
                Outcome::Ok(data) => Settled::Store(Kind::Delivered, data),
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
                    Settled::Store(Kind::Failed, line.into())
                }
            })
            .collect();
        self.delivered(dropped).await;
        Some(settled)
    }

    async fn invoke(
        &self,
        settings: &Settings,
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
    pub async fn store(self, settings: Arc<Settings>, batch: Batch) -> bool {
        let sequences = batch.sequences.clone();
        let now = self.neighbours.now();
        let (lines, more) = first_lines(batch.lines());
        let (failed, records) = (batch.kind == Kind::Failed, batch.accepted.1);
        let sealed = {
            let settings = Arc::clone(&settings);
            tokio::task::spawn_blocking(move || batch.into_object(&settings, now)).await
        };
        let object = match sealed
            .map_err(anyhow::Error::from)
            .and_then(|object| object)
        {
            Ok(object) => object,
            Err(error) => {
                tracing::error!(
                    stream = settings.name,
                    "a batch cannot be made an object and stays in the journal until the next \
                     start: {error:#}"
                );
                return false;
            }
        };
        let mut pause = self.pauses.store;
        while let Err(failure) = self.neighbours.store(&settings, &object).await {
            self.neighbours.log(&settings, &failure).await;
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

    /// Tells the journal. When the disk refuses that, the journal writes it down later.
    async fn delivered(&self, sequences: Sequences) {
        if let Err(error) = self.journal.delivered(sequences).await {
            tracing::warn!("a delivery is not written down yet: {error:#}");
        }
    }

    /// Waits, unless the stream stops meanwhile.
    async fn pause(&self, duration: Duration) -> Option<()> {
        tokio::select! {
            () = self.stopping.cancelled() => None,
            () = tokio::time::sleep(duration) => Some(()),
        }
    }
}

/// What is told of a batch that was with the processor.
struct Report<'a> {
    settings: &'a Settings,
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
