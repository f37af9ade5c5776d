//! A program's output, passed on as it comes.
//!
//! The engine waits for the end of its host's output. A program that wrote there itself would hold
//! an update up: for as long as a process lives that the program started, and forever when its host
//! is killed, because then each waits for the other.

use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// Everything that a program has written can be read when it ends. Silence of this length after
/// that means that another process has its output open.
const SILENCE: Duration = Duration::from_millis(100);

/// What a pipe holds. <https://man7.org/linux/man-pages/man7/pipe.7.html>
const PIPE: usize = 64 * 1024;

/// The output of a running program, on its way to that of this process.
pub struct Output {
    ended: CancellationToken,
    streams: [JoinHandle<()>; 2],
}

impl Output {
    /// Of a child whose output is piped.
    pub fn of(child: &mut Child) -> Self {
        let ended = CancellationToken::new();
        let stdout = pass_on(child.stdout.take(), std::io::stdout, ended.clone());
        let stderr = pass_on(child.stderr.take(), std::io::stderr, ended.clone());
        Self {
            ended,
            streams: [tokio::spawn(stdout), tokio::spawn(stderr)],
        }
    }

    /// To be called when the program has ended: passes the rest on.
    pub async fn end(self) {
        self.ended.cancel();
        for stream in self.streams {
            // A stream that cannot be passed on has nobody who would read it.
            stream.await.ok();
        }
    }
}

async fn pass_on<W: Write + 'static>(
    from: Option<impl AsyncRead + Unpin>,
    to: fn() -> W,
    ended: CancellationToken,
) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 16 * 1024];
    let mut rest = PIPE;
    loop {
        let length = tokio::select! {
            biased;
            () = ended.cancelled() => {
                let most = rest.min(buffer.len());
                let read = tokio::time::timeout(SILENCE, from.read(&mut buffer[..most])).await;
                let length = read.unwrap_or(Ok(0)).unwrap_or(0);
                rest -= length;
                length
            }
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if length == 0 {
            return;
        }
        let chunk = buffer[..length].to_vec();
        let write = move || to().write_all(&chunk).and_then(|()| to().flush());
        if !matches!(spawn_blocking(write).await, Ok(Ok(()))) {
            return;
        }
    }
}
