//! `cargo xtask replay`: failed records, sent through their stream once more.
//!
//! A record that is known to be taken is never sent again, and one that is not known to be taken
//! is never forgotten: the objects with the failed records stay, and a journal beside each says
//! which of its lines were taken. Firehose has no way to send a record twice and have it once. So
//! for the time from a request to the journal's next writing, at most one batch of each of the
//! objects in work is *in doubt* when the replay is killed or the answer is lost: it is not sent
//! again until `--in-doubt` says so.

pub mod failed;
mod journal;
mod sender;
#[cfg(test)]
mod tests;

use crate::aws::Aws;
use crate::aws::s3::{Listed, Objects};
use crate::progress;
use crate::session::LOCAL;
use crate::since::Since;
use crate::stack::Stack;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use failed::{Place, Record};
use futures::StreamExt;
use journal::{Journal, LeftToAnother};
use sender::Sender;
use std::collections::{BTreeMap, HashSet};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many objects are in work at once.
const AT_ONCE: usize = 8;

#[derive(Args)]
pub struct Replay {
    /// The stack whose records failed
    #[arg(short, long, default_value = LOCAL)]
    stack: String,
    #[command(flatten)]
    selection: Selection,
    /// Counts by reason what would be sent, and sends nothing
    #[arg(long)]
    dry_run: bool,
}

/// Which failed records.
#[derive(Args, Debug, Clone, Copy, Default)]
struct Selection {
    /// Only what failed since then: 2026-01-31T12:00:00Z, or 90s, 15m, 2h, 7d, 1w ago
    #[arg(long)]
    since: Option<Since>,
    /// Also what a replay that was cut short may have sent: some of it may come twice
    #[arg(long)]
    in_doubt: bool,
}

/// A stream, and where its failed records are.
struct Source<'a> {
    aws: &'a Aws,
    stream: &'a str,
    objects: Objects,
    place: Place,
}

/// What was found, and what became of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    /// Records to send, by the reason of their failure.
    to_send: BTreeMap<String, usize>,
    /// How many objects have some.
    objects: usize,
    taken: usize,
    /// Taken by earlier replays.
    before: usize,
    in_doubt: usize,
    /// What is worth a line of its own.
    notes: Vec<String>,
}

impl Replay {
    pub async fn run(self) -> Result<()> {
        let stack = Stack::open(&self.stack).await?;
        let stream = stack.output("deliveryStream")?;
        let resource = stack.find(STREAM, "name", stream)?;
        let source = Source {
            aws: &stack.aws,
            stream,
            objects: Objects::new(&stack.aws, stack.output("clicksBucket")?)?,
            place: Place::of(&resource.outputs["extendedS3Configuration"]),
        };
        let stop = CancellationToken::new();
        let mut interrupts =
            signal(SignalKind::interrupt()).context("signals cannot be received")?;
        tokio::spawn({
            let stop = stop.clone();
            async move {
                // What is under way is finished and written down.
                interrupts.recv().await;
                eprintln!("stopping");
                stop.cancel();
            }
        });
        let (report, result) = source.replay(self.selection, self.dry_run, stop).await?;
        print!("{}", report.to_text(&self, stream));
        result
    }
}

const STREAM: &str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

impl Source<'_> {
    /// Sends what is selected, or only counts it. What was found and done is known also when
    /// something went wrong.
    async fn replay(
        &self,
        selection: Selection,
        dry_run: bool,
        stop: CancellationToken,
    ) -> Result<(Report, Result<()>)> {
        let step = progress::step("looking for failed records");
        let (failed, journals) = self.list(selection).await?;
        step.done();

        let step = progress::step(match dry_run {
            true => "counting failed records",
            false => "sending failed records",
        });
        let run = Run {
            source: self,
            selection,
            sender: (!dry_run).then(|| Sender {
                aws: self.aws,
                stream: self.stream,
                stop: stop.clone(),
            }),
            id: Uuid::new_v4().to_string(),
        };
        let mut report = Report::default();
        let mut result = Ok(());
        let mut works = futures::stream::iter(&failed)
            .map(|object| run.object(object, journals.contains(&journal::key_of(&object.key))))
            .buffer_unordered(AT_ONCE);
        while let Some((found, done)) = works.next().await {
            report.add(found);
            step.at(&format!("{} sent", report.taken));
            if let Err(error) = done
                && result.is_ok()
            {
                // What fails for one fails for the others; what is under way is finished.
                stop.cancel();
                result = Err(error);
            }
        }
        if result.is_ok() && stop.is_cancelled() {
            result = Err(anyhow!(
                "stopped before the end: replay once more for the rest"
            ));
        }
        drop(works);
        step.done();
        Ok((report, result))
    }

    /// The objects with failed records, and the keys of the journals that there are.
    async fn list(&self, selection: Selection) -> Result<(Vec<Listed>, HashSet<String>)> {
        let prefix = self.place.prefix();
        let mut failed = self.objects.list(prefix).await?;
        failed.retain(|object| {
            // An object is written after its records have failed.
            let late = match (selection.since, object.modified) {
                (Some(since), Some(modified)) => modified >= since.0,
                _ => true,
            };
            late && !journal::is_journal(&object.key) && self.place.holds(&object.key)
        });
        let journals = self.objects.list(&journal::key_of(prefix)).await?;
        Ok((
            failed,
            journals.into_iter().map(|journal| journal.key).collect(),
        ))
    }
}

/// A replay under way.
struct Run<'a> {
    source: &'a Source<'a>,
    selection: Selection,
    /// None only counts.
    sender: Option<Sender<'a>>,
    /// What tells it from any other.
    id: String,
}

impl Run<'_> {
    /// One object with failed records.
    async fn object(&self, object: &Listed, has_journal: bool) -> (Report, Result<()>) {
        let mut report = Report::default();
        let result = self.read_and_send(object, has_journal, &mut report).await;
        let result = match result {
            Err(error) if error.is::<LeftToAnother>() => {
                report.notes.push(format!("{}: {error}", object.key));
                Ok(())
            }
            result => result.with_context(|| object.key.clone()),
        };
        (report, result)
    }

    async fn read_and_send(
        &self,
        listed: &Listed,
        has_journal: bool,
        report: &mut Report,
    ) -> Result<()> {
        if self
            .sender
            .as_ref()
            .is_some_and(|sender| sender.stop.is_cancelled())
        {
            return Ok(());
        }
        let objects = &self.source.objects;
        let mut journal = Journal::new(objects, &listed.key, &listed.etag, &self.id);
        if has_journal {
            journal.read().await?;
        }
        if let Some(records) = journal.complete() {
            report.before += records;
            return Ok(());
        }
        // It may have expired since it was listed.
        let Some(object) = objects.get(&listed.key).await? else {
            return Ok(());
        };
        let (records, unreadable) = match failed::read(&object.bytes) {
            Ok(read) => read,
            Err(error) => {
                report.notes.push(format!("{}: {error:#}", listed.key));
                return Ok(());
            }
        };
        if unreadable > 0 {
            let note = format!("{}: {unreadable} lines are no failed records", listed.key);
            report.notes.push(note);
        }
        journal.count(records.len());
        let records = self.select(records, &journal, report);
        if records.is_empty() {
            return Ok(());
        }
        report.objects += 1;
        for record in &records {
            *report.to_send.entry(record.reason.clone()).or_default() += 1;
        }
        let Some(sender) = &self.sender else {
            return Ok(());
        };
        let (taken, result) = sender.send(&records, &mut journal).await;
        report.taken += taken;
        result
    }

    fn select(
        &self,
        mut records: Vec<Record>,
        journal: &Journal<'_>,
        report: &mut Report,
    ) -> Vec<Record> {
        if let Some(since) = self.selection.since {
            records.retain(|record| record.failed_at >= since.unix_millis());
        }
        records.retain(|record| {
            if journal.is_sent(record.line) {
                report.before += 1;
                return false;
            }
            let in_doubt = journal.is_in_doubt(record.line);
            report.in_doubt += usize::from(in_doubt);
            !in_doubt || self.selection.in_doubt
        });
        records
    }
}

impl Report {
    fn add(&mut self, other: Self) {
        for (reason, count) in other.to_send {
            *self.to_send.entry(reason).or_default() += count;
        }
        self.objects += other.objects;
        self.taken += other.taken;
        self.before += other.before;
        self.in_doubt += other.in_doubt;
        self.notes.extend(other.notes);
    }

    fn to_text(&self, command: &Replay, stream: &str) -> String {
        let mut text = String::new();
        let total: usize = self.to_send.values().sum();
        if command.dry_run {
            for (reason, count) in &self.to_send {
                text += &format!("{count:8}  {reason}\n");
            }
            text += &format!(
                "{total:8}  in {} objects would be sent to {stream}\n",
                self.objects
            );
        } else {
            text += &format!("{:8}  of {total} sent to {stream}\n", self.taken);
        }
        if self.before > 0 {
            text += &format!("{:8}  were sent by earlier replays\n", self.before);
        }
        if self.in_doubt > 0 && !command.selection.in_doubt {
            text += &format!(
                "{:8}  in doubt: a replay was cut short while it sent them. See whether they \
                 arrived; --in-doubt sends them again\n",
                self.in_doubt
            );
        }
        for note in &self.notes {
            text += &format!("{note}\n");
        }
        text
    }
}
