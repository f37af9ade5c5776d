//! A stream's journal: accepted records, on disk before they are acknowledged, until they are
//! delivered.
//!
//! Appends that arrive together share one write and one `fdatasync`. What was delivered is
//! written down in the same way, so that a restart delivers the rest and nothing twice. A
//! segment goes when all records in it, and in those before it, are delivered. Records that
//! cannot be delivered do not hold the rest: when a journal is long and little of it waits, they
//! are written once more after everything else, and the segment they were in goes.

#![warn(unreachable_pub)]

mod segment;
mod sequences;
mod writer;

pub use sequences::Sequences;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use cloud_core::folder;
use cloud_core::troubles::Troubles;
use segment::{Damaged, Frame, scan};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
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

impl Entry {
    /// What it takes in its segment.
    fn frame_bytes(&self) -> u64 {
        (segment::FRAME_HEADER + segment::RECORD_HEADER) as u64 + u64::from(self.length)
    }
}

impl Entry {
    /// An entry that is in no journal: for tests of what is done with entries.
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

/// Where records can be read; shared by the writer and those who read. The lock is held to find or
/// to note a place, never while the disk reads or writes.
type Files = Arc<Mutex<Places>>;

#[derive(Default)]
struct Places {
    /// The files of all segments, under the number of their first record.
    segments: BTreeMap<u64, Arc<File>>,
    /// Where records are now, segment and offset, that are not where they were accepted.
    moved: HashMap<u64, (u64, u64)>,
}

/// A handle to a journal; its writer is a thread that ends when the handle is dropped.
pub struct Journal {
    commands: mpsc::Sender<Command>,
    files: Files,
    bytes: Arc<AtomicU64>,
}

impl Journal {
    /// Opens or creates the journal in `folder`. Every record that was accepted and not yet
    /// delivered goes to `accepted`, and from then on every newly accepted one.
    pub fn open(
        folder: &Path,
        accepted: UnboundedSender<Vec<Entry>>,
        troubles: &Troubles,
    ) -> Result<Self> {
        Self::open_on(folder, accepted, troubles, Box::new(RealDisk))
    }

    fn open_on(
        folder: &Path,
        accepted: UnboundedSender<Vec<Entry>>,
        troubles: &Troubles,
        disk: Box<dyn Disk>,
    ) -> Result<Self> {
        folder::create(folder)
            .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
        let recovered = recover(folder, troubles)
            .with_context(|| format!("the journal {} cannot be read", folder.display()))?;
        let open = recovered.pending.iter();
        let open: BTreeMap<u64, Entry> = open.map(|entry| (entry.sequence, *entry)).collect();
        // The receiver is the stream itself; when it is gone nobody wants the records.
        let _ = accepted.send(recovered.pending);

        let files: Files = Arc::new(Mutex::new(Places {
            segments: recovered.files,
            moved: HashMap::new(),
        }));
        let bytes = Arc::new(AtomicU64::new(recovered.bytes));
        let (commands, received) = mpsc::channel();
        let name = folder.file_name().unwrap_or_default();
        let writer = Writer {
            source: format!("the journal of stream {}", name.display()),
            troubles: troubles.clone(),
            bytes: Arc::clone(&bytes),
            folder: folder.to_owned(),
            disk,
            files: Arc::clone(&files),
            segments: recovered.segments,
            open_bytes: open.values().map(Entry::frame_bytes).sum(),
            open,
            immovable: None,
            active: recovered.active,
            next: recovered.next,
            unwritten: Sequences::default(),
            accepted,
        };
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(&received))?;
        Ok(Self {
            commands,
            files,
            bytes,
        })
    }

    /// How many bytes it takes on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
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

    /// All records that are accepted and not delivered, and the number of the next one: for a
    /// stream that has lost count.
    pub async fn pending(&self) -> Result<(Vec<Entry>, u64)> {
        let (done, found) = oneshot::channel();
        self.commands
            .send(Command::Pending { done })
            .map_err(|_| anyhow::anyhow!("the journal is closed"))?;
        found
            .await
            .context("the journal was closed")?
            .map_err(anyhow::Error::msg)
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

    /// Reads the data of records, in their order, each for itself. Blocks for as long as the disk
    /// takes.
    pub fn read(&self, entries: &[Entry]) -> Vec<Result<Bytes>> {
        entries.iter().map(|entry| self.read_one(entry)).collect()
    }

    fn read_one(&self, entry: &Entry) -> Result<Bytes> {
        let (file, offset) = {
            let places = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            let accepted = (entry.segment, entry.offset);
            let place = places.moved.get(&entry.sequence).copied();
            let (segment, offset) = place.unwrap_or(accepted);
            let file = places.segments.get(&segment).cloned();
            (
                file.with_context(|| format!("segment {segment} is gone"))?,
                offset,
            )
        };
        read_data(&file, entry, offset)
    }
}

/// The data of a record, which is at this offset of the file.
fn read_data(file: &File, entry: &Entry, offset: u64) -> Result<Bytes> {
    // From the checksum on.
    const BEFORE: usize = 4 + segment::RECORD_HEADER;
    let mut frame = vec![0; BEFORE + entry.length as usize];
    file.read_exact_at(&mut frame, offset - BEFORE as u64)
        .with_context(|| format!("record {} cannot be read", entry.sequence))?;
    segment::checked_data(&frame)
        .with_context(|| format!("record {} is damaged", entry.sequence))?;
    Ok(Bytes::from(frame).slice(BEFORE..))
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
    /// How many bytes all segments have.
    bytes: u64,
}

fn recover(folder: &Path, troubles: &Troubles) -> Result<Recovered> {
    let mut broken = Vec::new();
    let (mut entries, mut moved) = (Vec::new(), BTreeMap::new());
    let mut delivered = Sequences::default();
    let mut recovered = Recovered {
        pending: Vec::new(),
        segments: BTreeMap::new(),
        files: BTreeMap::new(),
        active: None,
        next: 1,
        bytes: 0,
    };
    for (first, path) in segments_in(folder)? {
        recovered.next = recovered.next.max(first);
        let opened = File::options().read(true).write(true).open(&path);
        let (file, bytes) = match opened.and_then(|file| Ok((file, std::fs::read(&path)?))) {
            Ok(read) => read,
            Err(error) => {
                let what = format!(
                    "a part of a journal cannot be read ({error}); its records are \
                                    not delivered"
                );
                troubles.keep_file(&path, &what);
                continue;
            }
        };
        let Some(scan) = scan(&bytes, first) else {
            ensure!(
                !segment::is_of_another_version(&bytes),
                "{} is not a journal of this version; move the folder away to start with an empty \
                 one",
                path.display()
            );
            let what = "no record of this part of a journal is intact; those that were not \
                        delivered are lost";
            troubles.keep_file(&path, what);
            continue;
        };
        if scan.broken > 0 {
            tracing::warn!(
                file = %path.display(), bytes = scan.broken,
                "the last write to a journal was not finished; it is cut off"
            );
            file.set_len(scan.intact)?;
        }
        recovered.bytes += scan.intact;
        let is_damaged = !scan.damaged.is_empty();
        for damaged in scan.damaged {
            let from = usize::try_from(damaged.at)?;
            let to = usize::try_from(damaged.at + damaged.length)?;
            let bytes = bytes.get(from..to).unwrap_or_default().to_vec();
            broken.push((path.clone(), first, damaged, bytes));
        }
        for frame in scan.frames {
            match frame {
                Frame::Record {
                    sequence,
                    arrival,
                    offset,
                    length,
                } => {
                    let entry = Entry {
                        sequence,
                        arrival,
                        length,
                        segment: first,
                        offset,
                    };
                    match sequence < first {
                        true => drop(moved.insert(sequence, entry)),
                        false => entries.push(entry),
                    }
                    recovered.next = recovered.next.max(sequence + 1);
                }
                Frame::Delivered(sequences) => delivered.extend(&sequences),
            }
        }
        recovered.segments.insert(first, 0);
        recovered.files.insert(first, Arc::new(file));
        // A file that was cut down to less than its first bytes cannot be continued, and one that
        // is damaged is left as it is.
        recovered.active = (scan.intact > 0 && !is_damaged).then_some((first, scan.intact));
    }
    // A record that is damaged may have been delivered: its number is not given to another.
    let last = delivered.ranges().last().map_or(0, |(_, last)| *last);
    recovered.next = recovered.next.max(last + 1);
    for (path, first, damaged, bytes) in broken {
        let what = cost(&damaged, first, &delivered);
        troubles.keep_bytes(&path, damaged.at, &bytes, &what);
    }
    entries.retain(|entry| !delivered.contains(entry.sequence));
    moved.retain(|sequence, _| !delivered.contains(*sequence));
    if !moved.is_empty() {
        // Their first copies are there as well when a crash came before those were deleted.
        entries.retain(|entry| !moved.contains_key(&entry.sequence));
        entries.extend(moved.into_values());
        entries.sort_by_key(|entry| entry.sequence);
    }
    recovered.pending = entries;
    for entry in &recovered.pending {
        *recovered.segments.entry(entry.segment).or_default() += 1;
    }
    Ok(recovered)
}

/// What damage in a segment costs whose first record has the number `start`.
fn cost(damaged: &Damaged, start: u64, delivered: &Sequences) -> String {
    if damaged.repaired {
        return "a part of a journal is damaged; what it held is known, and nothing is lost".into();
    }
    let first = damaged.between.0.map_or(start, |before| before + 1);
    match damaged.between.1 {
        Some(after) if after <= first => {
            "a note of deliveries is damaged, and its records may be delivered twice; or it was a \
             record that could not be delivered for long, and is lost"
                .into()
        }
        Some(after) if (first..after).all(|one| delivered.contains(one)) => format!(
            "records {first} to {} of a journal are damaged; they had been delivered",
            after - 1
        ),
        Some(after) => format!(
            "records {first} to {} of a journal are damaged; what of them had not been delivered \
             is lost",
            after - 1
        ),
        None => format!(
            "what a journal held from record {first} on is damaged; records that had not been \
             delivered are lost"
        ),
    }
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
