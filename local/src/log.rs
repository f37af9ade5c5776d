//! The cloud's own log, on standard error: a line that cannot be written is lost, and nothing else.
//!
//! Standard error is usually a file beside the data, so it fails when the disk is full, which is just
//! when something has to be said. Lost lines are counted. The count is at `/_mysfits/health`, and in
//! the log as soon as it can be written again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tracing_subscriber::{EnvFilter, fmt};

/// The s3s crate logs every refusal of a request as an error of its own.
const USUAL: &str = "info,s3s=off";

static LOST: AtomicU64 = AtomicU64::new(0);
static FAILING: AtomicBool = AtomicBool::new(false);

/// How many lines were lost, and whether the last one was.
pub fn lost() -> (u64, bool) {
    (
        LOST.load(Ordering::Relaxed),
        FAILING.load(Ordering::Relaxed),
    )
}

/// Sends the log to standard error, as `MYSFITS_LOG` filters it.
pub fn init() {
    let filter = EnvFilter::try_from_env("MYSFITS_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    fmt()
        .with_writer(|| Lossy(io::stderr()))
        .with_ansi(false)
        .with_env_filter(filter)
        // It would report a failed write on standard error too, by a macro that panics then.
        .log_internal_errors(false)
        .init();
}

/// A writer that never fails.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = match FAILING.load(Ordering::Relaxed) {
            // The last line may have been written in part.
            true => {
                let lost = LOST.load(Ordering::Relaxed);
                let note = format!("\n{lost} lines of this log could not be written\n");
                self.0.write_all(note.as_bytes())
            }
            false => Ok(()),
        };
        let written = written.and_then(|()| self.0.write_all(line));
        if written.is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        FAILING.store(written.is_err(), Ordering::Relaxed);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
