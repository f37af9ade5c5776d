//! A function's log: what its process writes, and Lambda's own lines, in their order.

use super::report;
use super::settings::{Level, LogFormat};
use rustix::io::Errno;
use serde_json::{Map, Value};
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// A line is cut at this length (CloudWatch Logs quotas: an event is at most 1 MB).
const MAX_LINE: usize = 1024 * 1024;

/// How many buffers are read before what is in them is written: a process that never stops
/// writing must not fill the memory.
const READS_AT_ONCE: usize = 64;

/// How much of the log an invocation gives back on request (API reference, `Invoke`: "the last
/// 4 KB of the execution log").
const TAIL_BYTES: usize = 4 * 1024;

/// Where the lines go.
pub(crate) type Sink = Arc<dyn Fn(&[String]) + Send + Sync>;

/// The writing end of a log; it is written to its end when this is dropped.
#[derive(Debug)]
pub(crate) struct Output {
    commands: UnboundedSender<Command>,
    /// The last lines. The task that reads the pipe writes them; the end of an invocation reads
    /// them.
    tail: Arc<Mutex<Vec<u8>>>,
}

enum Command {
    /// A line of Lambda's own, after everything that the process has written so far.
    Line(String),
    /// Everything so far has to be in the log.
    Flush(oneshot::Sender<()>),
}

impl Output {
    /// A log that has no process yet.
    pub(crate) fn new(format: LogFormat, sink: Sink) -> (Self, Feed) {
        let (commands, received) = unbounded_channel();
        let tail = Arc::default();
        let feed = Feed {
            commands: received,
            format,
            sink,
            tail: Arc::clone(&tail),
        };
        (Self { commands, tail }, feed)
    }

    /// Adds lines of Lambda's own.
    pub(crate) fn own(&self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            // The feed ends only with this end.
            let _ = self.commands.send(Command::Line(line));
        }
    }

    /// Waits until everything so far is in the log.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.commands.send(Command::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }

    /// The last of what was logged since this was called before.
    pub(crate) fn take_tail(&self) -> Vec<u8> {
        std::mem::take(&mut *self.tail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The reading end: a task of its own.
pub(crate) struct Feed {
    commands: UnboundedReceiver<Command>,
    format: LogFormat,
    sink: Sink,
    tail: Arc<Mutex<Vec<u8>>>,
}

impl Feed {
    /// Moves lines from the pipe to the log until the writing end is dropped.
    pub(crate) async fn run(mut self, pipe: PipeReader) {
        let pipe = match pipe::Receiver::from_owned_fd(OwnedFd::from(pipe)) {
            Ok(pipe) => pipe,
            Err(error) => {
                tracing::error!(%error, "a function's output cannot be read");
                return;
            }
        };
        let mut open = true;
        let mut lines = Lines::default();
        loop {
            let mut flushed = None;
            tokio::select! {
                readable = pipe.readable(), if open => {
                    open = readable.is_ok() && read(&mut lines, |buffer| pipe.try_read(buffer));
                }
                command = self.commands.recv() => {
                    // What the process wrote before is in the pipe, noticed or not.
                    open = open && read(&mut lines, |buffer| {
                        rustix::io::read(&pipe, buffer).map_err(would_block)
                    });
                    match command {
                        Some(Command::Line(line)) => lines.finish(Some(line)),
                        Some(Command::Flush(done)) => {
                            lines.finish(None);
                            flushed = Some(done);
                        }
                        None => {
                            lines.finish(None);
                            self.write(&mut lines);
                            return;
                        }
                    }
                }
            }
            self.write(&mut lines);
            if let Some(done) = flushed {
                // A caller that stopped waiting does not need to know.
                let _ = done.send(());
            }
        }
    }

    fn write(&self, lines: &mut Lines) {
        let wanted: Vec<_> = lines
            .whole
            .drain(..)
            .filter_map(|(line, own)| match own {
                true => Some(line),
                false => of_the_function(self.format, line),
            })
            .collect();
        if wanted.is_empty() {
            return;
        }
        {
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            for line in &wanted {
                tail.extend_from_slice(line.as_bytes());
                tail.push(b'\n');
            }
            let excess = tail.len().saturating_sub(TAIL_BYTES);
            tail.drain(..excess);
        }
        (self.sink)(&wanted);
    }
}

/// A line of the function's own as it goes to the log; none when it is more detailed than the
/// log.
///
/// In a structured log a line that is a JSON object without a valid level counts as INFO, and
/// one without a valid RFC 3339 timestamp too, whatever its level is: it is given the level and
/// the time (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
/// A line that is no object counts as INFO and stays as it is: what a function of this runtime
/// prints in another form is not made JSON
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>).
fn of_the_function(format: LogFormat, line: String) -> Option<String> {
    let LogFormat::Json { application, .. } = format else {
        return Some(line);
    };
    let Ok(mut event) = serde_json::from_str::<Map<String, Value>>(&line) else {
        return (Level::Info >= application).then_some(line);
    };
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let level = text("level").and_then(Level::parse);
    let has_time = text("timestamp").is_some_and(|time| {
        OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).is_ok()
    });
    let seen = level.filter(|_| has_time).unwrap_or(Level::Info);
    if seen < application {
        return None;
    }
    if level.is_some() && has_time {
        return Some(line);
    }
    event.insert("level".to_owned(), Level::Info.name().into());
    if !has_time {
        event.insert("timestamp".to_owned(), report::now().into());
    }
    Some(Value::Object(event).to_string())
}

/// Reads until there is nothing more for now, or enough. False at the end of the pipe.
fn read(lines: &mut Lines, mut next: impl FnMut(&mut [u8]) -> io::Result<usize>) -> bool {
    let mut buffer = [0; 16 * 1024];
    for _ in 0..READS_AT_ONCE {
        match next(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => lines.add(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::warn!(%error, "a function's output cannot be read");
                return false;
            }
        }
    }
    true
}

fn would_block(error: Errno) -> io::Error {
    io::Error::from_raw_os_error(error.raw_os_error())
}

/// Bytes become lines.
#[derive(Default)]
struct Lines {
    /// Each with whether it is Lambda's own.
    whole: Vec<(String, bool)>,
    rest: Vec<u8>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= MAX_LINE {
                self.end_line();
            }
        }
    }

    /// Ends the line that is under way, if there is one, and adds one of Lambda's own.
    fn finish(&mut self, own: Option<String>) {
        self.end_line();
        self.whole.extend(own.map(|line| (line, true)));
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.rest);
        let line = line.trim_end_matches(['\n', '\r']);
        // CloudWatch Logs takes no empty events.
        if !line.is_empty() {
            self.whole.push((line.to_owned(), false));
        }
        self.rest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    type Written = Arc<Mutex<Vec<String>>>;

    fn log(format: LogFormat) -> (Output, Feed, Written) {
        let written = Written::default();
        let sink = Arc::clone(&written);
        let (output, feed) = Output::new(
            format,
            Arc::new(move |lines| {
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(lines);
            }),
        );
        (output, feed, written)
    }

    fn taken(written: &Written) -> Vec<String> {
        std::mem::take(&mut written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[tokio::test]
    async fn what_a_process_wrote_is_before_the_line_that_follows() -> anyhow::Result<()> {
        let (output, feed, written) = log(LogFormat::Text);
        let (reader, mut writer) = io::pipe()?;
        tokio::spawn(feed.run(reader));
        for round in 0..100 {
            output.own([format!("START {round}")]);
            output.flush().await;
            writer.write_all(b"one\r\ntwo\n\nno newline")?;
            output.own([format!("END {round}")]);
            output.flush().await;
            assert_eq!(
                taken(&written),
                [
                    &format!("START {round}"),
                    "one",
                    "two",
                    "no newline",
                    &format!("END {round}")
                ]
            );
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_log_may_be_quieter_than_its_function() -> anyhow::Result<()> {
        let (output, feed, written) = log(LogFormat::Json {
            application: Level::Info,
            system: Level::Info,
        });
        let (reader, mut writer) = io::pipe()?;
        tokio::spawn(feed.run(reader));
        let line = |level| format!(r#"{{"level":"{level}","timestamp":"2026-01-02T03:04:05Z"}}"#);
        writeln!(writer, "{}\n{}\nplain", line("debug"), line("WARN"))?;
        output.flush().await;
        assert_eq!(taken(&written), [line("WARN"), "plain".to_owned()]);
        Ok(())
    }

    #[tokio::test]
    async fn the_tail_is_the_last_four_kilobytes() -> anyhow::Result<()> {
        let (output, feed, _) = log(LogFormat::Text);
        let (reader, mut writer) = io::pipe()?;
        tokio::spawn(feed.run(reader));
        for number in 0..1000 {
            writeln!(writer, "line {number}")?;
        }
        output.flush().await;
        let tail = output.take_tail();
        assert_eq!(tail.len(), TAIL_BYTES);
        assert!(tail.ends_with(b"line 998\nline 999\n"));
        assert!(output.take_tail().is_empty());
        Ok(())
    }
}
