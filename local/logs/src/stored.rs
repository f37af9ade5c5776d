//! A log stream as a file: a line of JSON that names it, then one an event.

use anyhow::{Context, Result, ensure};
use cloud_core::percent;
use cloud_core::troubles::Troubles;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest event (CloudWatch Logs quotas: 1 MB); what is longer is cut.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// File names are at most 255 bytes on the usual file systems.
const MAX_FILE_NAME: usize = 180;

/// What every line of an event begins with.
const EVENT: &[u8] = br#"{"t":"#;

/// A log event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, in milliseconds since the Unix epoch.
    #[serde(rename = "t")]
    pub timestamp: i64,
    /// When it was written.
    #[serde(rename = "i")]
    pub ingested: i64,
    #[serde(rename = "m")]
    pub message: String,
    /// The CRC-32 of all that; absent in what older versions wrote.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    stream: String,
    created: i64,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<u32>,
}

impl Event {
    fn new(timestamp: i64, ingested: i64, message: &str) -> Self {
        let mut event = Self {
            timestamp,
            ingested,
            message: message.to_owned(),
            checksum: None,
        };
        event.checksum = Some(event.sum());
        event
    }

    fn sum(&self) -> u32 {
        checksum(&[self.timestamp, self.ingested], &self.message)
    }

    fn is_intact(&self) -> bool {
        self.checksum.is_none_or(|checksum| checksum == self.sum())
    }
}

impl Header {
    fn new(stream: &str, created: i64) -> Self {
        Self {
            stream: stream.to_owned(),
            created,
            checksum: Some(checksum(&[created], stream)),
        }
    }

    fn is_intact(&self) -> bool {
        let sum = checksum(&[self.created], &self.stream);
        self.checksum.is_none_or(|checksum| checksum == sum)
    }
}

fn checksum(numbers: &[i64], text: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(text.as_bytes());
    hasher.finalize()
}

/// A log stream's file.
#[derive(Debug)]
pub(crate) struct StoredStream {
    name: String,
    created: i64,
    path: PathBuf,
    /// Open while it is written to, and locked for each append, so that the lines of two writers do
    /// not mix. Readers open the file for themselves, and never wait for this lock.
    file: Mutex<Option<File>>,
    is_open: AtomicBool,
    /// Whether it is deleted, or about to be.
    ended: AtomicBool,
}

/// What a file holds.
#[derive(Debug, Default)]
struct Content {
    events: Vec<Event>,
    /// Bytes that are no events, and where they are.
    damaged: Vec<(u64, Vec<u8>)>,
}

impl StoredStream {
    fn new(name: &str, created: i64, path: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            created,
            path,
            file: Mutex::default(),
            is_open: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Creates a stream's file in its group's folder.
    pub(crate) fn create(folder: &Path, name: &str, created: i64) -> Result<Self> {
        let path = folder.join(format!("{}.jsonl", file_name(name)));
        let mut line = serde_json::to_vec(&Header::new(name, created))?;
        line.push(b'\n');
        std::fs::write(&path, line)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self::new(name, created, path))
    }

    /// The stream in a file; none when the file is not one. One whose first line is damaged has
    /// the name that its file has.
    pub(crate) fn open(path: &Path, troubles: &Troubles) -> Result<Option<Self>> {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.filter(|_| path.extension().is_some_and(|end| end == "jsonl")) else {
            return Ok(None);
        };
        let mut first = Vec::new();
        BufReader::new(File::open(path)?).read_until(b'\n', &mut first)?;
        let mut headers = serde_json::Deserializer::from_slice(&first).into_iter::<Header>();
        let header = headers.next().and_then(Result::ok);
        let intact =
            header.filter(|header| header.is_intact() && file_name(&header.stream) == stem);
        if let Some(header) = intact {
            return Ok(Some(Self::new(
                &header.stream,
                header.created,
                path.to_owned(),
            )));
        }
        let what = "the first line of a log stream is damaged; its name is that of the file, and \
                    its events are there";
        troubles.keep_bytes(path, 0, &first, what);
        let mut stream = Self::new(&name_of_file(stem), 0, path.to_owned());
        stream.created = stream.events()?.first().map_or(0, |event| event.ingested);
        Ok(Some(stream))
    }

    /// The stream's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// When it was created, in milliseconds since the Unix epoch.
    pub(crate) fn created(&self) -> i64 {
        self.created
    }

    /// Whether its file is held open.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Lets go of its file.
    pub(crate) fn close(&self) {
        *self.file() = None;
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// Appends events: when they happened, and what they say. All or, on an error, none.
    pub(crate) fn append<'a>(
        &self,
        now: i64,
        events: impl IntoIterator<Item = (i64, &'a str)>,
    ) -> Result<()> {
        let mut lines = Vec::new();
        for (timestamp, message) in events {
            serde_json::to_writer(&mut lines, &Event::new(timestamp, now, cut(message)))?;
            lines.push(b'\n');
        }
        let mut slot = self.file();
        // Seen with the file locked, in which `end` sets it.
        ensure!(!self.ended.load(Ordering::Relaxed), "the stream is gone");
        let file = match &mut *slot {
            Some(file) => file,
            file => file.insert(open_for_append(&self.path)?),
        };
        self.is_open.store(true, Ordering::Relaxed);
        let before = file.metadata()?.len();
        // Not synced: lines survive the process, not a loss of power. A sync for each line would
        // slow every function down.
        let written = file.write_all(&lines);
        if written.is_err() {
            // What was written of it is no line.
            let _ = file.set_len(before);
        }
        written.with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// All events, in the order of their times.
    pub(crate) fn events(&self) -> Result<Vec<Event>> {
        let mut events = self.content()?.events;
        events.sort_by_key(|event| event.timestamp);
        Ok(events)
    }

    /// Names what is damaged in the file.
    pub(crate) fn check(&self, troubles: &Troubles) {
        match self.content() {
            Ok(content) => {
                for (at, bytes) in content.damaged {
                    let what = "a line of a log is damaged, and not shown";
                    troubles.keep_bytes(&self.path, at, &bytes, what);
                }
            }
            // It was deleted meanwhile.
            Err(_) if !self.path.exists() => {}
            Err(error) => troubles.name_only(&self.path, &format!("it cannot be read: {error:#}")),
        }
    }

    fn content(&self) -> Result<Content> {
        let file = File::open(&self.path)
            .with_context(|| format!("{} cannot be read", self.path.display()))?;
        // What is appended from now on is for the next reader.
        let length = file.metadata()?.len();
        let mut lines = BufReader::new(file.take(length));
        let mut content = Content::default();
        let mut at = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(content);
            }
            let is_last = line.last() != Some(&b'\n');
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match at {
                0 => content.read_first(text),
                at => content.read(text, at, is_last),
            }
            at += read as u64;
        }
    }

    /// How many bytes it takes on disk.
    pub(crate) fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Deletes the file.
    pub(crate) fn delete(&self) -> Result<()> {
        self.end();
        std::fs::remove_file(&self.path)
            .with_context(|| format!("{} cannot be deleted", self.path.display()))
    }

    /// From now on nothing is written: what would be acknowledged would be nowhere.
    pub(crate) fn end(&self) {
        let mut file = self.file();
        self.ended.store(true, Ordering::Relaxed);
        *file = None;
    }

    fn file(&self) -> MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// The first line has no event, unless its end is damaged.
    fn read_first(&mut self, line: &[u8]) {
        if let Some(at) = next_event(line, 0) {
            self.read(&line[at..], at as u64, false);
        }
    }

    /// Reads a line of one event, or of several when the end of one is damaged.
    fn read(&mut self, line: &[u8], at: u64, may_be_torn: bool) {
        let mut from = 0;
        while from < line.len() {
            let mut events = serde_json::Deserializer::from_slice(&line[from..]).into_iter();
            if let Some(Ok(event)) = events.next()
                && Event::is_intact(&event)
            {
                from += events.byte_offset();
                self.events.push(event);
                continue;
            }
            let next = next_event(line, from + 1).unwrap_or(line.len());
            // A crash leaves a last line that is not whole.
            if !(may_be_torn && next == line.len()) {
                self.damaged
                    .push((at + from as u64, line[from..next].to_vec()));
            }
            from = next;
        }
    }
}

fn next_event(line: &[u8], from: usize) -> Option<usize> {
    let mut places = line.get(from..)?.windows(EVENT.len());
    places.position(|place| place == EVENT).map(|at| from + at)
}

/// Opens a file at the end of its last whole line.
fn open_for_append(path: &Path) -> Result<File> {
    let mut file = File::options()
        .read(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_EVENT_BYTES)]
}

/// A name as a file name: letters, digits, `-` and `_` stay, everything else is `%` and its
/// code; a long one is cut and made unique again. The digits of codes are small letters in every
/// data folder that there is, so it is not what addresses have.
pub(crate) fn file_name(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        // Writing to a string does not fail.
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                write!(escaped, "{}", char::from(byte))
            }
            _ => write!(escaped, "%{byte:02x}"),
        };
    }
    if escaped.len() > MAX_FILE_NAME {
        let digest = Sha256::digest(name);
        escaped.truncate(MAX_FILE_NAME);
        escaped.push('~');
        escaped.push_str(&hex::encode(&digest[..16]));
    }
    escaped
}

/// The name that [`file_name`] was made of; a cut one stays as it is.
fn name_of_file(stem: &str) -> String {
    let name = percent::decode_bytes(stem).into_owned();
    String::from_utf8(name).unwrap_or_else(|_| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(stream: &StoredStream) -> Result<Vec<String>> {
        Ok(stream
            .events()?
            .into_iter()
            .map(|event| event.message)
            .collect())
    }

    #[test]
    fn a_stream_is_there_again_after_reopening_with_a_torn_line_left_out() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let name = "2026/01/02/[$LATEST]abc";
        let troubles = Troubles::open(folder.path());
        let stream = StoredStream::create(folder.path(), name, 5)?;
        stream.append(10, [(10, "first"), (11, "second\nline \u{1F600}")])?;
        let path = stream.path.clone();
        let mut file = File::options().append(true).open(&path)?;
        file.write_all(br#"{"t":12,"i":1"#)?;

        let stream = StoredStream::open(&path, &troubles)?.context("it is a stream")?;
        assert_eq!((stream.name(), stream.created()), (name, 5));
        stream.append(20, [(20, "third")])?;
        assert_eq!(
            messages(&stream)?,
            ["first", "second\nline \u{1F600}", "third"]
        );
        Ok(())
    }

    #[test]
    fn a_damaged_byte_costs_one_line_at_most_and_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let name = "2026/[$LATEST]abc";
        let stream = StoredStream::create(folder.path(), name, 5)?;
        let all = ["first", "second", "third {\"t\":1}"];
        stream.append(10, all.map(|message| (10, message)))?;
        let whole = std::fs::read(&stream.path)?;
        for at in 0..whole.len() {
            for turned in [0x01, 0x2a, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= turned;
                std::fs::write(&stream.path, &bytes)?;
                let home = tempfile::tempdir()?;
                let troubles = Troubles::open(home.path());
                let opened = StoredStream::open(&stream.path, &troubles)?.context("a stream")?;
                assert_eq!(opened.name(), name, "byte {at}");
                opened.check(&troubles);
                let shown = messages(&opened)?;
                assert!(
                    shown.iter().all(|one| all.contains(&one.as_str())),
                    "{shown:?}"
                );
                assert!(shown.len() >= 2, "byte {at}: {shown:?}");
                // Of the last line's end nobody can tell whether it was written.
                let named = !troubles.damaged().is_empty();
                assert!(
                    named || shown.len() == 3,
                    "byte {at} by {turned}: {shown:?}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn file_names_are_harmless_and_differ_when_names_do() {
        assert_eq!(file_name("a-b_c/[1]."), "a-b_c%2f%5b1%5d%2e");
        assert_eq!(name_of_file("a-b_c%2f%5b1%5d%2e"), "a-b_c/[1].");
        assert_eq!(file_name(".."), "%2e%2e");
        let long = "/".repeat(512);
        assert!(file_name(&long).len() < 255);
        assert_ne!(file_name(&long), file_name(&long[1..]));
    }
}
