//! A log stream as a file: a line of JSON that names it, then one an event.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The longest event (CloudWatch Logs quotas: 1 MB); what is longer is cut.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// File names are at most 255 bytes on the usual file systems.
const MAX_FILE_NAME: usize = 180;

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
}

#[derive(Serialize, Deserialize)]
struct Header {
    stream: String,
    created: i64,
}

/// A log stream's file.
#[derive(Debug)]
pub struct StoredStream {
    name: String,
    created: i64,
    path: PathBuf,
    /// Open while it is written to.
    file: Option<File>,
}

impl StoredStream {
    /// Creates a stream's file in its group's folder.
    pub fn create(folder: &Path, name: &str, created: i64) -> Result<Self> {
        let path = folder.join(format!("{}.jsonl", file_name(name)));
        let header = Header {
            stream: name.into(),
            created,
        };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        std::fs::write(&path, line)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self {
            name: name.into(),
            created,
            path,
            file: None,
        })
    }

    /// The stream in a file; none when the file is not one.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let mut first = String::new();
        BufReader::new(File::open(path)?).read_line(&mut first)?;
        Ok(serde_json::from_str(&first)
            .ok()
            .map(|header: Header| Self {
                name: header.stream,
                created: header.created,
                path: path.to_owned(),
                file: None,
            }))
    }

    /// The stream's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it was created, in milliseconds since the Unix epoch.
    pub fn created(&self) -> i64 {
        self.created
    }

    /// Whether its file is held open.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Lets go of its file.
    pub fn close(&mut self) {
        self.file = None;
    }

    /// Appends events: when they happened, and what they say.
    pub fn append<'a>(
        &mut self,
        now: i64,
        events: impl IntoIterator<Item = (i64, &'a str)>,
    ) -> Result<()> {
        let mut lines = Vec::new();
        for (timestamp, message) in events {
            let message = cut(message).to_owned();
            let event = Event {
                timestamp,
                ingested: now,
                message,
            };
            serde_json::to_writer(&mut lines, &event)?;
            lines.push(b'\n');
        }
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(open_for_append(&self.path)?),
        };
        file.write_all(&lines)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// All events, in the order of their times.
    pub fn events(&self) -> Result<Vec<Event>> {
        let file = File::open(&self.path)
            .with_context(|| format!("{} cannot be read", self.path.display()))?;
        let mut events = Vec::new();
        for line in BufReader::new(file).split(b'\n').skip(1) {
            // The last line may be cut off by a crash.
            if let Ok(event) = serde_json::from_slice::<Event>(&line?) {
                events.push(event);
            }
        }
        events.sort_by_key(|event| event.timestamp);
        Ok(events)
    }

    /// How many bytes it takes on disk.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Deletes the file.
    pub fn delete(self) -> Result<()> {
        std::fs::remove_file(&self.path)
            .with_context(|| format!("{} cannot be deleted", self.path.display()))
    }
}

/// Opens a file behind its last whole line.
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
/// code; a long one is cut and made unique again.
pub fn file_name(name: &str) -> String {
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
        for byte in digest.iter().take(16) {
            let _ = write!(escaped, "{byte:02x}");
        }
    }
    escaped
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
        let mut stream = StoredStream::create(folder.path(), name, 5)?;
        stream.append(10, [(10, "first"), (11, "second\nline \u{1F600}")])?;
        let path = stream.path.clone();
        let mut file = File::options().append(true).open(&path)?;
        file.write_all(br#"{"t":12,"i":1"#)?;

        let mut stream = StoredStream::open(&path)?.context("it is a stream")?;
        assert_eq!((stream.name(), stream.created()), (name, 5));
        stream.append(20, [(20, "third")])?;
        assert_eq!(
            messages(&stream)?,
            ["first", "second\nline \u{1F600}", "third"]
        );
        Ok(())
    }

    #[test]
    fn file_names_are_harmless_and_differ_when_names_do() {
        assert_eq!(file_name("a-b_c/[1]."), "a-b_c%2f%5b1%5d%2e");
        assert_eq!(file_name(".."), "%2e%2e");
        let long = "/".repeat(512);
        assert!(file_name(&long).len() < 255);
        assert_ne!(file_name(&long), file_name(&long[1..]));
    }
}
