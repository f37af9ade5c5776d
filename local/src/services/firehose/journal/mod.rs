//! A stream's journal: accepted records, on disk before they are acknowledged, until they are
//! delivered.
//!
//! Appends that arrive together share one write and one `fdatasync`. What was delivered is
//! written down in the same way, so that a restart delivers the rest and nothing twice. A
//! segment goes when all records in it, and in those before it, are delivered.

mod segment;
mod sequences;
mod writer;

pub use sequences::Sequences;

use anyhow::{Context, Result};
use bytes::Bytes;
use segment::{Frame, scan};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use writer::{Command, Disk, RealDisk, Writer};

/// A record to be accepted.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// When it arrived, in milliseconds since the Unix epoch.
    pub arrival: i64,
    pub data: Bytes,
}

/// An accepted record: where its data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the stream, counted from 1.
    pub sequence: u64,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub arrival: i64,
    /// How many bytes of data it has.
    pub length: u32,
    segment: u64,
    offset: u64,
}

#[cfg(test)]
impl Entry {
    /// An entry that stands in no journal.
    pub fn for_test(sequence: u64, arrival: i64, length: u32) -> Self {
        Self {
            sequence,
            arrival,
            length,
            segment: 0,
            offset: 0,
        }
    }
}

/// The files of all segments, under the number of their first record.
type Files = Arc<Mutex<BTreeMap<u64, Arc<File>>>>;

/// A handle to a journal; its writer is a thread that ends when the handle is dropped.
pub struct Journal {
    commands: mpsc::Sender<Command>,
    files: Files,
}

impl Journal {
    /// Opens or creates the journal in `folder`. Every record that was accepted and not yet
    /// delivered goes to `accepted`, and from then on every newly accepted one.
    pub fn open(folder: &Path, accepted: UnboundedSender<Vec<Entry>>) -> Result<Self> {
        Self::open_on(folder, accepted, Box::new(RealDisk))
    }

    fn open_on(
        folder: &Path,
        accepted: UnboundedSender<Vec<Entry>>,
        disk: Box<dyn Disk>,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
        let recovered = recover(folder)
            .with_context(|| format!("the journal {} cannot be read", folder.display()))?;
        // The receiver is the stream itself; when it is gone nobody wants the records.
        let _ = accepted.send(recovered.pending);

        let files: Files = Arc::new(Mutex::new(recovered.files));
        let (commands, received) = mpsc::channel();
        let writer = Writer {
            folder: folder.to_owned(),
            disk,
            files: Arc::clone(&files),
            segments: recovered.segments,
            active: recovered.active,
            next: recovered.next,
            unwritten: Sequences::default(),
            accepted,
        };
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(&received))?;
        Ok(Self { commands, files })
    }

    /// Makes records durable, all of them or, on an error, none.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        self.command(|done| Command::Append { records, done }).await
    }

    /// Makes it durable that records need no delivery any more.
    pub async fn delivered(&self, sequences: Sequences) -> Result<()> {
        if sequences.is_empty() {
            return Ok(());
        }
        self.command(|done| Command::Delivered { sequences, done })
            .await
    }

    /// Deletes the journal with all that is in it; later appends fail.
    pub async fn discard(&self) -> Result<()> {
        self.command(|done| Command::Discard { done }).await
    }

    async fn command(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Command,
    ) -> Result<()> {
        let (done, finished) = oneshot::channel();
        self.commands
            .send(command(done))
            .map_err(|_| anyhow::anyhow!("the journal is closed"))?;
        finished
            .await
            .context("the journal was closed during a write")?
            .map_err(anyhow::Error::msg)
    }

    /// Reads the data of records, in their order. Blocks for as long as the disk takes.
    pub fn read(&self, entries: &[Entry]) -> Result<Vec<Bytes>> {
        entries
            .iter()
            .map(|entry| {
                let file = self
                    .files
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(&entry.segment)
                    .cloned()
                    .with_context(|| format!("segment {} is gone", entry.segment))?;
                let mut data = vec![0; entry.length as usize];
                file.read_exact_at(&mut data, entry.offset)
                    .with_context(|| format!("record {} cannot be read", entry.sequence))?;
                Ok(Bytes::from(data))
            })
            .collect()
    }
}

/// What the files on disk say.
struct Recovered {
    pending: Vec<Entry>,
    /// How many records of each segment are not delivered.
    segments: BTreeMap<u64, u64>,
    files: BTreeMap<u64, Arc<File>>,
    /// The last segment, to be continued, and where its intact part ends.
    active: Option<(u64, u64)>,
    next: u64,
}

fn recover(folder: &Path) -> Result<Recovered> {
    let mut entries = Vec::new();
    let mut delivered = Sequences::default();
    let mut recovered = Recovered {
        pending: Vec::new(),
        segments: BTreeMap::new(),
        files: BTreeMap::new(),
        active: None,
        next: 1,
    };
    for (first, path) in segments_in(folder)? {
        let file = File::options().read(true).write(true).open(&path)?;
        let bytes = std::fs::read(&path)?;
        let scan = scan(&bytes).with_context(|| {
            format!(
                "{} is not a journal of this version; move the folder away to start anew",
                path.display()
            )
        })?;
        if scan.broken > 0 {
            tracing::warn!(
                file = %path.display(), bytes = scan.broken,
                "the end of a journal is not intact, as after a crash in a write; it is cut off"
            );
            file.set_len(scan.intact)?;
        }
        recovered.next = recovered.next.max(first);
        for frame in scan.frames {
            match frame {
                Frame::Record {
                    sequence,
                    arrival,
                    offset,
                    length,
                } => {
                    entries.push(Entry {
                        sequence,
                        arrival,
                        length,
                        segment: first,
                        offset,
                    });
                    recovered.next = recovered.next.max(sequence + 1);
                }
                Frame::Delivered(sequences) => delivered.extend(&sequences),
            }
        }
        recovered.segments.insert(first, 0);
        recovered.files.insert(first, Arc::new(file));
        // A file that was cut down to less than its first bytes cannot be continued.
        recovered.active = (scan.intact > 0).then_some((first, scan.intact));
    }
    recovered.pending = entries
        .into_iter()
        .filter(|entry| !delivered.contains(entry.sequence))
        .collect();
    for entry in &recovered.pending {
        *recovered.segments.entry(entry.segment).or_default() += 1;
    }
    Ok(recovered)
}

fn segments_in(folder: &Path) -> Result<BTreeMap<u64, PathBuf>> {
    let mut segments = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(first) = segment::first_sequence(&path) {
            segments.insert(first, path);
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests;
