//! The thread that writes a journal: one group of waiting commands after the other.

use super::segment::{self, MAGIC};
use super::{Entry, Files, NewRecord, Places, Sequences, read_data, recover};
use anyhow::{Context, Result};
use cloud_core::troubles::Troubles;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, mpsc};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// A segment that is longer is not continued: the next group starts a new one.
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// A journal that is longer, and of which less than half waits to be delivered, is made shorter.
const LONG: u64 = 4 * SEGMENT_BYTES;

/// A group takes no further command when it holds this much; bounds the memory of a write.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

pub(crate) type Done = oneshot::Sender<Result<(), String>>;

/// What the writer is asked to do.
pub(crate) enum Command {
    Append {
        records: Vec<NewRecord>,
        done: Done,
    },
    Delivered {
        sequences: Sequences,
        done: Done,
    },
    /// What is not delivered, and the next record's number.
    Pending {
        done: oneshot::Sender<Result<(Vec<Entry>, u64), String>>,
    },
    Discard {
        done: Done,
    },
}

/// What the writer does to the disk; tests put one in its place that fails.
pub(crate) trait Disk: Send {
    /// Creates an empty file, and makes its name durable: without that a synced record could be
    /// lost with the name of its file.
    fn create(&self, path: &Path) -> io::Result<File>;
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
}

/// The disk as it is.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    }

    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The writer's state.
pub(crate) struct Writer {
    /// What it is called where troubles are named.
    pub source: String,
    pub troubles: Troubles,
    /// How many bytes all segments have.
    pub bytes: Arc<AtomicU64>,
    pub folder: PathBuf,
    pub disk: Box<dyn Disk>,
    pub files: Files,
    /// How many records of each segment are not delivered.
    pub segments: BTreeMap<u64, u64>,
    /// Those records, by their numbers, and how many bytes of the segments they are.
    pub open: BTreeMap<u64, Entry>,
    pub open_bytes: u64,
    /// A segment that stays where it is: something in it cannot be read.
    pub immovable: Option<u64>,
    /// The segment that is written to, and where its intact part ends.
    pub active: Option<(u64, u64)>,
    /// The next record's number.
    pub next: u64,
    /// Delivered records of which the disk does not know yet.
    pub unwritten: Sequences,
    pub accepted: UnboundedSender<Vec<Entry>>,
}

/// Commands that are written together.
#[derive(Default)]
struct Group {
    records: Vec<NewRecord>,
    bytes: usize,
    appended: Vec<Done>,
    delivered: Vec<Done>,
    discarded: Option<Done>,
}

impl Writer {
    /// Writes until every handle is gone, or the journal is discarded. A write that fails does not end
    /// it.
    pub(crate) fn run(mut self, commands: &mpsc::Receiver<Command>) {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.write_all(commands))) {
                Ok(()) => return,
                Err(panic) => {
                    // Callers that waited for the write get an error. As after a failed sync, it is
                    // unknown which part of it is on disk.
                    self.troubles.panicked(&self.source, &*panic);
                    self.active = None;
                }
            }
        }
    }

    fn write_all(&mut self, commands: &mpsc::Receiver<Command>) {
        while let Ok(first) = commands.recv() {
            let mut group = Group::default();
            self.take(&mut group, first);
            while group.bytes < GROUP_BYTES && group.discarded.is_none() {
                let Ok(command) = commands.try_recv() else {
                    break;
                };
                self.take(&mut group, command);
            }
            if let Some(done) = group.discarded.take() {
                answer([done], &self.discard());
                return;
            }
            let result = self.write(&group.records);
            answer(group.appended, &result);
            answer(group.delivered, &result);
            self.make_shorter();
        }
    }

    fn take(&mut self, group: &mut Group, command: Command) {
        match command {
            Command::Append { mut records, done } => {
                group.bytes += records
                    .iter()
                    .map(|record| record.data.len())
                    .sum::<usize>();
                group.records.append(&mut records);
                group.appended.push(done);
            }
            Command::Delivered { sequences, done } => {
                self.unwritten.extend(&sequences);
                self.count_delivered(&sequences);
                group.delivered.push(done);
            }
            Command::Pending { done } => {
                let _ = done.send(self.pending().map_err(|error| format!("{error:#}")));
            }
            Command::Discard { done } => group.discarded = Some(done),
        }
    }

    fn pending(&self) -> Result<(Vec<Entry>, u64)> {
        let mut pending = recover(&self.folder, &self.troubles)?.pending;
        pending.retain(|entry| !self.unwritten.contains(entry.sequence));
        Ok((pending, self.next))
    }

    /// Writes records, and all deliveries that the disk does not know of, as one.
    fn write(&mut self, records: &[NewRecord]) -> Result<(), String> {
        let result = self.try_write(records).map_err(|error| {
            let error = format!(
                "the journal {} cannot be written: {error:#}",
                self.folder.display()
            );
            tracing::error!("{error}");
            self.troubles.began(&self.source, &error);
            error
        });
        if result.is_ok() {
            self.troubles.ended(&self.source);
        }
        // Even on a full disk: what is delivered makes room.
        self.remove_delivered_segments();
        result
    }

    fn try_write(&mut self, records: &[NewRecord]) -> Result<()> {
        let (first, end) = self.segment()?;
        let mut bytes = beginning(end);
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            let sequence = self.next;
            self.next += 1;
            let start = segment::encode_record(&mut bytes, sequence, record.arrival, &record.data);
            entries.push(Entry {
                sequence,
                arrival: record.arrival,
                length: u32::try_from(record.data.len()).context("the record is too long")?,
                segment: first,
                offset: end + start as u64,
            });
        }
        self.write_frames(first, end, bytes)?;
        *self.segments.entry(first).or_default() += entries.len() as u64;
        for entry in &entries {
            self.open_bytes += entry.frame_bytes();
            self.open.insert(entry.sequence, *entry);
        }
        if !entries.is_empty() {
            // The receiver is the stream itself; when it has ended, a restart finds the records.
            let _ = self.accepted.send(entries);
        }
        Ok(())
    }

    /// Writes frames, and all deliveries that the disk does not know of, to the end of a segment.
    fn write_frames(&mut self, first: u64, end: u64, mut bytes: Vec<u8>) -> Result<()> {
        segment::encode_delivered(&mut bytes, &self.unwritten);
        let file = self.file(first)?;
        if let Err(error) = self.disk.write_all_at(&file, &bytes, end) {
            // What was written of it must not be taken for records after a restart. When even
            // cutting it off fails, the segment is left as it is: its tail is not intact.
            if file.set_len(end).is_err() {
                self.active = None;
            }
            return Err(error.into());
        }
        if let Err(error) = self.disk.sync(&file) {
            // Nobody knows what is on disk now, and a second sync that succeeds would not say.
            self.active = None;
            return Err(error.into());
        }
        self.active = Some((first, end + bytes.len() as u64));
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.unwritten = Sequences::default();
        Ok(())
    }

    /// Copies the undelivered records of the oldest segment to the end of the journal, when the
    /// journal is long and less than half of it is undelivered, so that the copies are smaller than
    /// the space they free. One segment at a time, because others wait to write.
    fn make_shorter(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let Some((&oldest, _)) = self.segments.first_key_value() else {
            return;
        };
        let is_active = self.active.is_some_and(|(active, _)| active == oldest);
        if bytes <= LONG || 2 * self.open_bytes > bytes || is_active {
            return;
        }
        if self.immovable == Some(oldest) {
            return;
        }
        match self.move_open(oldest) {
            Ok(()) => self.remove_delivered_segments(),
            Err(error) => {
                let folder = self.folder.display();
                tracing::warn!("the journal {folder} stays long: {error:#}");
            }
        }
    }

    fn move_open(&mut self, oldest: u64) -> Result<()> {
        let next = self.segments.range(oldest + 1..).next();
        let next = next.map_or(u64::MAX, |(next, _)| *next);
        let older = self.open.range(..next).map(|(_, entry)| *entry);
        let entries: Vec<Entry> = older.filter(|entry| entry.segment == oldest).collect();
        let from = self.file(oldest)?;
        let read = |entry: &Entry| read_data(&from, entry, entry.offset);
        let data = entries.iter().map(read).collect::<Result<Vec<_>>>();
        if data.is_err() {
            self.immovable = Some(oldest);
        }
        let (first, end) = self.segment()?;
        let mut bytes = beginning(end);
        let mut moved = Vec::with_capacity(entries.len());
        for (entry, data) in entries.into_iter().zip(data?) {
            let start = segment::encode_record(&mut bytes, entry.sequence, entry.arrival, &data);
            moved.push(Entry {
                segment: first,
                offset: end + start as u64,
                ..entry
            });
        }
        // The copies are synced before anything points to them, and only then may the old segment
        // go. After a crash in between both are there, and each record counts once.
        self.write_frames(first, end, bytes)?;
        *self.segments.entry(first).or_default() += moved.len() as u64;
        self.segments.insert(oldest, 0);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in moved {
            let place = (entry.segment, entry.offset);
            files.moved.insert(entry.sequence, place);
            self.open.insert(entry.sequence, entry);
        }
        Ok(())
    }

    /// The segment to write to, and where.
    fn segment(&mut self) -> Result<(u64, u64)> {
        if let Some((first, end)) = self.active
            && end < SEGMENT_BYTES
        {
            return Ok((first, end));
        }
        // An abandoned segment may hold numbers of a failed group: they are not used again.
        let first = self.next.max(
            self.segments
                .last_key_value()
                .map_or(0, |(last, _)| last + 1),
        );
        self.next = first;
        let path = segment::path(&self.folder, first);
        let file = self
            .disk
            .create(&path)
            .with_context(|| format!("{} cannot be created", path.display()))?;
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .segments
            .insert(first, Arc::new(file));
        self.segments.insert(first, 0);
        self.active = Some((first, 0));
        Ok((first, 0))
    }

    fn file(&self, first: u64) -> Result<Arc<File>> {
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .segments
            .get(&first)
            .cloned()
            .with_context(|| format!("segment {first} is gone"))
    }

    fn count_delivered(&mut self, sequences: &Sequences) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for &(first, last) in sequences.ranges() {
            while let Some((&sequence, entry)) = self.open.range(first..=last).next() {
                self.open_bytes -= entry.frame_bytes();
                if let Some(open) = self.segments.get_mut(&entry.segment) {
                    *open = open.saturating_sub(1);
                }
                files.moved.remove(&sequence);
                self.open.remove(&sequence);
            }
        }
    }

    /// Removes segments from the oldest on, up to the first that still has something to
    /// deliver: the deliveries noted in a segment are of records in it and in those before it.
    fn remove_delivered_segments(&mut self) {
        while let Some((&first, &open)) = self.segments.first_key_value() {
            if open > 0 || self.active.is_some_and(|(active, _)| active == first) {
                break;
            }
            // The folder is not synced: a segment that comes back after a loss of power costs a
            // second delivery of its records at most.
            let path = segment::path(&self.folder, first);
            let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                // Somebody else has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a delivered segment stays");
                    break;
                }
            }
            // What was written in part and not cut off was never counted.
            let left = |bytes: u64| Some(bytes.saturating_sub(length));
            let _ = (self.bytes).fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
            self.segments.remove(&first);
            self.files
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .segments
                .remove(&first);
        }
    }

    fn discard(&self) -> Result<(), String> {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = Places::default();
        std::fs::remove_dir_all(&self.folder).map_err(|error| {
            format!(
                "the journal {} cannot be deleted: {error}",
                self.folder.display()
            )
        })
    }
}

/// What is written first at this place of a segment.
fn beginning(end: u64) -> Vec<u8> {
    match end {
        0 => MAGIC.to_vec(),
        _ => Vec::new(),
    }
}

fn answer(waiting: impl IntoIterator<Item = Done>, result: &Result<(), String>) {
    for done in waiting {
        // A caller that stopped waiting does not need the answer.
        let _ = done.send(result.clone());
    }
}
