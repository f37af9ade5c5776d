//! How long a client may take. Each listener is given the one setting, and who is slower than it
//! allows is cut off, so that a client that sends a byte now and then holds nothing forever.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take, for each thing that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To send the whole head of a request, and between two requests of a connection.
    pub head: Duration,
    /// To send a body, and between two pieces of one.
    pub body: Duration,
    /// What a body gets more for each of its bytes that arrives. So a long one may take long, when
    /// it keeps coming.
    pub per_byte: Duration,
    /// Between two pieces of an answer that it takes.
    pub answer: Duration,
}

impl Default for Patience {
    /// For bodies what Apache has, 20 seconds and then one for each 500 bytes
    /// (<https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html>). Longer for answers: who reads
    /// one may look at it in a pager or a debugger.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(20),
            per_byte: Duration::from_millis(2),
            answer: Duration::from_secs(300),
        }
    }
}

impl Patience {
    /// How long the next piece of a body may take, when so many bytes have arrived and were waited
    /// for for so long.
    pub(crate) fn for_piece(&self, received: u64, waited: Duration) -> Duration {
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let allowed = self
            .body
            .saturating_add(self.per_byte.saturating_mul(received));
        allowed.saturating_sub(waited).min(self.body)
    }
}

/// A connection that fails when its client begins nothing, or takes nothing of an answer, for too
/// long. It looks at bytes alone; what a protocol makes of them has limits of its own.
pub struct PatientStream<S> {
    stream: S,
    patience: Patience,
    /// Until the first byte has arrived.
    beginning: Option<Pin<Box<Sleep>>>,
    /// While a write waits.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> PatientStream<S> {
    /// A connection that was just accepted.
    pub fn new(stream: S, patience: Patience) -> Self {
        Self {
            stream,
            patience,
            beginning: Some(Box::pin(sleep(patience.head))),
            writing: None,
        }
    }

    /// The outcome of a write, or a failure when it has waited for too long.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.writing = None;
            return outcome;
        }
        let longest = self.patience.answer;
        let timer = self.writing.get_or_insert_with(|| Box::pin(sleep(longest)));
        timer.as_mut().poll(context).map(|()| Err(too_slow()))
    }
}

fn too_slow() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "the client is too slow")
}

impl<S: AsyncRead + Unpin> AsyncRead for PatientStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_ready() {
            this.beginning = None;
        } else if let Some(timer) = &mut this.beginning
            && timer.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(too_slow()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PatientStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, data);
        this.written(context, outcome)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.written(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.written(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, data);
        this.written(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_take_long_when_it_keeps_coming() {
        let patience = Patience::default();
        let seconds = Duration::from_secs;
        for (received, waited, allowed) in [
            (0, 0, 20),
            (0, 19, 1),
            (0, 20, 0),
            (500, 20, 1),
            (5_000, 20, 10),
            (1_000_000, 20, 20),
            (1_000_000, 2_019, 1),
            (1_000_000, 2_021, 0),
            (u64::MAX, 100_000, 20),
        ] {
            let actual = patience.for_piece(received, seconds(waited));
            assert_eq!(actual, seconds(allowed), "{received} {waited}");
        }
    }
}
