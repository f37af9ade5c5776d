//! Bodies of requests: the one place that reads them, within a limit and a time. It says what was
//! wrong with one; each protocol has its own words for that.

use crate::patience::Patience;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How much of a body is read and thrown away when it is larger than allowed, as a multiple of the
/// limit: a client that is cut off while it sends may never see why.
const READ_ON: u64 = 4;

/// Why there is no whole body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It has more bytes than may be.
    TooLarge,
    /// It came too slowly, or not at all.
    TooSlow,
    /// The connection ended before it, or it is no body of HTTP.
    BrokenOff,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body came too slowly",
            Self::BrokenOff => "the body broke off",
        })
    }
}

impl Error for BodyError {}

/// What has become of a body, for who has handed it on.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<OnceLock<BodyError>>);

impl Fate {
    /// Why it was not read to its end, if that is so.
    pub fn failure(&self) -> Option<BodyError> {
        self.0.get().copied()
    }
}

/// The body of a request as it arrives. It fails when it comes too slowly.
pub struct RequestBody<B = Incoming> {
    inner: B,
    patience: Patience,
    fate: Fate,
    received: u64,
    /// How long all of its pieces were waited for.
    waited: Duration,
    /// Since when the next piece is waited for, and until when. The time that its reader takes
    /// between two pieces is not the client's.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> RequestBody<B> {
    pub fn new(inner: B, patience: Patience) -> Self {
        Self {
            inner,
            patience,
            fate: Fate::default(),
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// Tells what becomes of it.
    pub fn fate(&self) -> Fate {
        self.fate.clone()
    }

    fn fail(&self, error: BodyError) -> BodyError {
        *self.fate.0.get_or_init(|| error)
    }
}

impl<B> RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: fmt::Display,
{
    /// All of it, when that is at most `limit` bytes.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes, BodyError> {
        let limit = limit as u64;
        let (bytes, length) = self.read(limit, limit.saturating_mul(READ_ON)).await?;
        match length > limit {
            true => Err(self.fail(BodyError::TooLarge)),
            false => Ok(bytes),
        }
    }

    /// Its first `limit` bytes and its length, for a client that does not listen before it has sent
    /// all.
    pub async fn beginning(mut self, limit: usize) -> Result<(Bytes, u64), BodyError> {
        self.read(limit as u64, u64::MAX).await
    }

    /// Reads up to `most` bytes, and keeps the first `limit`. Gives the length too, as far as it
    /// was read.
    async fn read(&mut self, limit: u64, most: u64) -> Result<(Bytes, u64), BodyError> {
        let said = self.size_hint().lower();
        if said > most {
            return Ok((Bytes::new(), said));
        }
        // Most bodies arrive in one piece, which need not be copied.
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while let Some(frame) = self.frame().await {
            let Ok(mut data) = frame?.into_data() else {
                continue;
            };
            let left = usize::try_from(limit.saturating_sub(length)).unwrap_or(usize::MAX);
            length += data.len() as u64;
            data.truncate(left);
            if !data.is_empty() {
                pieces.push(data);
            }
            if length > most {
                break;
            }
        }
        let bytes = match pieces.len() {
            0 => Bytes::new(),
            1 => pieces.swap_remove(0),
            _ => pieces.concat().into(),
        };
        Ok((bytes, length))
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: fmt::Display,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
            let (received, waited) = (this.received, this.waited);
            let (_, timer) = this.waiting.get_or_insert_with(|| {
                let longest = this.patience.for_piece(received, waited);
                (Instant::now(), Box::pin(sleep(longest)))
            });
            ready!(timer.as_mut().poll(context));
            tracing::debug!(received, "a request's body came too slowly");
            return Poll::Ready(Some(Err(this.fail(BodyError::TooSlow))));
        };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += since.elapsed();
        }
        Poll::Ready(match frame {
            None => None,
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.received += length as u64;
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a request's body broke off");
                Some(Err(this.fail(BodyError::BrokenOff)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;
    use futures::{StreamExt, stream};
    use http_body_util::StreamBody;
    use std::convert::Infallible;

    /// A body of `count` pieces of `size` bytes, all of which are there; then it ends, or never
    /// does. Who reads it does not wait at all.
    fn body(
        count: usize,
        size: usize,
        ends: bool,
    ) -> RequestBody<impl Body<Data = Bytes, Error = Infallible> + Unpin> {
        let piece = move |_| Ok(Frame::data(Bytes::from(vec![b'a'; size])));
        let pieces = stream::iter((0..count).map(piece));
        let rest = stream::iter((!ends).then_some(())).then(|()| std::future::pending());
        let patience = Patience {
            body: Duration::ZERO,
            ..Patience::default()
        };
        let body = StreamBody::new(Box::pin(pieces.chain(rest)));
        RequestBody::new(body, patience)
    }

    #[tokio::test]
    async fn a_body_that_stays_away_fails() {
        let body = body(2, 1, false);
        let fate = body.fate();
        assert_eq!(body.whole(10).await, Err(BodyError::TooSlow));
        assert_eq!(fate.failure(), Some(BodyError::TooSlow));
    }

    #[tokio::test]
    async fn a_large_body_is_refused_after_some_of_it() {
        for (count, limit, seen) in [
            (10, 10, Ok(10)),
            (11, 10, Err(BodyError::TooLarge)),
            (0, 0, Ok(0)),
        ] {
            let read = body(count, 1, true).whole(limit).await;
            assert_eq!(read.map(|bytes| bytes.len()), seen);
        }
        // It would never end.
        let endless = body(41, 1, false).whole(10).await;
        assert_eq!(endless, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn the_beginning_is_cut_off_at_the_limit() -> Result<()> {
        let (bytes, length) = body(4, 3, true).beginning(7).await?;
        assert_eq!((bytes.len(), length), (7, 12));
        Ok(())
    }
}
