//! The store's second copy: a log of all that was written, from which the database can be built
//! again when a byte of it is damaged.
//!
//! A frame is [`MAGIC`], the length of its payload, the number of the commit it belongs to, and
//! the CRC-32 of both number and payload; all numbers are little-endian. The payload is a batch:
//! for each record the lengths of key and value, then both; a length of [`DELETED`] is a deletion.
//!
//! The log is written before the database commits, but only the database is synced, so that a
//! commit waits for the disk once. A killed process leaves a log that has all commits: what was
//! written is the kernel's. After a loss of power the log may lack the last commits, and is then
//! written again from the database.

use super::Batch;
use anyhow::{Context, Result};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 4] = *b"MSLG";
const HEADER: usize = 4 + 4 + 8 + 4;
const DELETED: u32 = u32::MAX;

/// No frame is longer: a batch holds a body of 64 KiB, or the names of a thousand objects.
const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// How much of a file is searched at a time for the next frame.
const SEARCH: usize = 1024 * 1024;

/// A log that is longer than twice what it was when it was written from the database, and by
/// more than this, is written from the database again.
const SLACK: u64 = 32 * 1024 * 1024;

/// A log that is open for writing.
pub(super) struct Mirror {
    path: PathBuf,
    /// Absent as long as there is nothing worth a second copy.
    file: Option<File>,
    /// Where its confirmed part ends.
    end: u64,
    /// The number of the last confirmed commit.
    last: u64,
    /// How long it was when it was last written from the database.
    compact: u64,
}

/// What a log holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the frames are that are intact, and the commit of each.
    pub frames: Vec<Place>,
    /// Bytes between them that are no frames: where they begin, and how many there are.
    pub damaged: Vec<(u64, u64)>,
    /// Where the last intact frame ends.
    pub end: u64,
    /// The commit of a frame after that which was not written to its end, or says so.
    pub torn: Option<u64>,
}

/// An intact frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub commit: u64,
    payload: u64,
    length: u64,
}

impl Scan {
    /// The number of the last commit.
    pub(super) fn last(&self) -> u64 {
        let commits = self.frames.iter().map(|frame| frame.commit);
        commits.max().unwrap_or(0)
    }
}

impl Mirror {
    /// No log yet: the database holds nothing but counters.
    pub(super) fn absent(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            end: 0,
            last: 0,
            compact: 0,
        }
    }

    /// Whether there is none yet.
    pub(super) fn is_absent(&self) -> bool {
        self.file.is_none()
    }

    /// Goes on after what a scan of the log found.
    pub(super) fn resume(path: &Path, scan: &Scan) -> Result<Self> {
        let file = open(path)?;
        file.set_len(scan.end)
            .with_context(|| format!("{} cannot be cut", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            end: scan.end,
            last: scan.last(),
            compact: scan.end,
        })
    }

    /// Writes the log from all records of the database as of `commit`.
    pub(super) fn rewrite(
        path: &Path,
        commit: u64,
        records: impl IntoIterator<Item = Result<(String, Vec<u8>)>>,
    ) -> Result<Self> {
        /// A frame ends after so many bytes, and the next one begins.
        const ENOUGH: usize = 256 * 1024;
        let draft = path.with_extension("log.new");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&draft)
            .with_context(|| format!("{} cannot be written", draft.display()))?;
        let mut end = 0;
        let mut batch = Batch::new();
        let mut bytes = 0;
        let flush = |batch: &Batch, end: &mut u64| -> io::Result<()> {
            let mut frame = Vec::new();
            encode(&mut frame, batch, commit);
            file.write_all_at(&frame, *end)?;
            *end += frame.len() as u64;
            Ok(())
        };
        for record in records {
            let (key, value) = record?;
            bytes += key.len() + value.len();
            batch.writes.push((key, Some(value)));
            if bytes > ENOUGH {
                flush(&batch, &mut end)?;
                (batch, bytes) = (Batch::new(), 0);
            }
        }
        flush(&batch, &mut end)?;
        // The draft, then its name, then the folder: whatever a loss of power leaves, the log
        // under its name is a whole one.
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        crate::folder::sync_parent(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            end,
            last: commit,
            compact: end,
        })
    }

    /// The number of the last confirmed commit.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Where the log is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it holds much that is not in the database any more.
    pub(super) fn is_long(&self) -> bool {
        self.end > 2 * self.compact + SLACK
    }

    /// Writes batches after the confirmed part. They count when they are confirmed; until then
    /// the next write takes their place.
    pub(super) fn append<'a>(
        &self,
        commit: u64,
        batches: impl Iterator<Item = &'a Batch>,
    ) -> io::Result<u64> {
        let Some(file) = &self.file else {
            return Ok(self.end);
        };
        let mut frames = Vec::new();
        for batch in batches {
            encode(&mut frames, batch, commit);
        }
        let written = file.write_all_at(&frames, self.end);
        if written.is_err() {
            self.take_back();
        }
        written.map(|()| self.end + frames.len() as u64)
    }

    /// The database has the commit whose frames end at `end`.
    pub(super) fn confirm(&mut self, commit: u64, end: u64) {
        self.last = commit;
        self.end = end;
    }

    /// The database has not taken what was appended.
    pub(super) fn take_back(&self) {
        // What cannot be cut off is written over by the next commit.
        if let Some(file) = &self.file {
            let _ = file.set_len(self.end);
        }
    }
}

/// Reads a whole log; one that is not there is empty.
pub(super) fn scan(path: &Path) -> Result<Scan> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Scan::default()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let length = file.metadata()?.len();
    let mut scan = Scan::default();
    let mut at = 0;
    while at < length {
        if let Some(frame) = frame_at(&file, at, length)? {
            at = frame.payload + frame.length;
            scan.end = at;
            scan.frames.push(frame);
            continue;
        }
        match next_frame(&file, at + 1, length)? {
            Some(next) => {
                scan.damaged.push((at, next - at));
                at = next;
            }
            None if is_torn(&file, at, length)? => {
                scan.torn = header_at(&file, at, length)?.map(|(commit, ..)| commit);
                break;
            }
            None => {
                scan.damaged.push((at, length - at));
                break;
            }
        }
    }
    Ok(scan)
}

/// Gives the batches of intact frames, in their order.
pub(super) fn batches<'a>(
    path: &Path,
    frames: impl IntoIterator<Item = &'a Place>,
) -> Result<impl Iterator<Item = Result<Batch>>> {
    let file = File::open(path)?;
    Ok(frames.into_iter().map(move |frame| {
        let mut payload = vec![0; usize::try_from(frame.length)?];
        file.read_exact_at(&mut payload, frame.payload)?;
        decode(&payload).context("a frame of the store's log is no batch")
    }))
}

/// The bytes at a place of a log.
pub(super) fn bytes_at(path: &Path, at: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    File::open(path)?.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn open(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))
}

/// Appends the frame of a batch.
fn encode(frames: &mut Vec<u8>, batch: &Batch, commit: u64) {
    let start = frames.len();
    let bytes = |(key, value): &(String, Option<Vec<u8>>)| {
        8 + key.len() + value.as_ref().map_or(0, Vec::len)
    };
    frames.reserve(HEADER + batch.writes.iter().map(bytes).sum::<usize>());
    frames.extend_from_slice(&MAGIC);
    frames.extend_from_slice(&[0; 4]);
    frames.extend_from_slice(&commit.to_le_bytes());
    frames.extend_from_slice(&[0; 4]);
    let size = |length: usize| u32::try_from(length).unwrap_or(DELETED - 1).to_le_bytes();
    for (key, value) in &batch.writes {
        let deleted = DELETED.to_le_bytes();
        frames.extend_from_slice(&size(key.len()));
        frames.extend_from_slice(&value.as_ref().map_or(deleted, |value| size(value.len())));
        frames.extend_from_slice(key.as_bytes());
        frames.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    let (header, payload) = frames[start..].split_at_mut(HEADER);
    header[4..8].copy_from_slice(&size(payload.len()));
    header[16..20].copy_from_slice(&checksum(commit, payload).to_le_bytes());
}

fn decode(mut payload: &[u8]) -> Option<Batch> {
    let mut batch = Batch::new();
    while !payload.is_empty() {
        let (key_length, rest) = payload.split_first_chunk::<4>()?;
        let (value_length, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        let key = String::from_utf8(key.to_vec()).ok()?;
        let (value, rest) = match u32::from_le_bytes(*value_length) {
            DELETED => (None, rest),
            length => {
                let (value, rest) = rest.split_at_checked(length as usize)?;
                (Some(value.to_vec()), rest)
            }
        };
        batch.writes.push((key, value));
        payload = rest;
    }
    Some(batch)
}

fn checksum(commit: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&commit.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn frame_at(file: &File, at: u64, length: u64) -> io::Result<Option<Place>> {
    let Some((commit, claimed, expected)) = header_at(file, at, length)? else {
        return Ok(None);
    };
    let payload = at + HEADER as u64;
    if claimed > MAX_PAYLOAD || payload + claimed > length {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(claimed).unwrap_or_default()];
    file.read_exact_at(&mut bytes, payload)?;
    Ok((checksum(commit, &bytes) == expected).then_some(Place {
        commit,
        payload,
        length: claimed,
    }))
}

/// Commit, length and checksum that a header claims.
fn header_at(file: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64, u32)>> {
    if at + HEADER as u64 > length {
        return Ok(None);
    }
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, at)?;
    let number = |from: usize| {
        let bytes = [
            header[from],
            header[from + 1],
            header[from + 2],
            header[from + 3],
        ];
        u32::from_le_bytes(bytes)
    };
    if header[..4] != MAGIC {
        return Ok(None);
    }
    let commit = u64::from(number(8)) | u64::from(number(12)) << 32;
    Ok(Some((commit, u64::from(number(4)), number(16))))
}

fn next_frame(file: &File, from: u64, length: u64) -> io::Result<Option<u64>> {
    let mut at = from;
    while at + HEADER as u64 <= length {
        let most = usize::try_from(length - at).unwrap_or(usize::MAX);
        let mut bytes = vec![0; most.min(SEARCH)];
        file.read_exact_at(&mut bytes, at)?;
        for (index, window) in bytes.windows(MAGIC.len()).enumerate() {
            let place = at + index as u64;
            if window == MAGIC && frame_at(file, place, length)?.is_some() {
                return Ok(Some(place));
            }
        }
        // A magic may lie across the border.
        at += (bytes.len() - (MAGIC.len() - 1)).max(1) as u64;
    }
    Ok(None)
}

/// Whether what comes after the last intact frame is one that was not written to its end.
fn is_torn(file: &File, at: u64, length: u64) -> io::Result<bool> {
    match header_at(file, at, length)? {
        Some((_, claimed, _)) => Ok(at + HEADER as u64 + claimed > length),
        None => {
            let rest = usize::try_from((length - at).min(HEADER as u64)).unwrap_or(HEADER);
            let mut bytes = vec![0; rest];
            file.read_exact_at(&mut bytes, at)?;
            let is_zero = bytes.iter().all(|byte| *byte == 0);
            let is_part = length - at < HEADER as u64 && bytes.starts_with(&MAGIC);
            Ok(is_zero || is_part || MAGIC.starts_with(&bytes))
        }
    }
}
