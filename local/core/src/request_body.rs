//! Bodies of requests: read whole within a limit, or streamed, and never waited for without end.

use crate::error::{AwsError, AwsResult};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may leave a body unfinished without sending any of it.
const IDLE: Duration = Duration::from_secs(20);

/// A body that fails when nothing of it arrives for too long.
pub struct TimedBody<B> {
    inner: B,
    broken: Broken,
    patience: Duration,
    idle: Pin<Box<Sleep>>,
    waiting: bool,
}

/// Tells the one who has handed a body on that it broke off, and how.
#[derive(Clone, Default)]
pub struct Broken(Arc<OnceLock<ErrorKind>>);

impl Broken {
    /// How it broke off: `TimedOut` when nothing arrived for too long. Nothing when it did not.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.0.get().copied()
    }
}

impl<B> TimedBody<B> {
    /// A body that may leave off for 20 seconds, and not for longer.
    pub fn new(inner: B) -> Self {
        Self::patient(inner, IDLE)
    }

    fn patient(inner: B, patience: Duration) -> Self {
        Self {
            inner,
            broken: Broken::default(),
            patience,
            idle: Box::pin(sleep(patience)),
            waiting: false,
        }
    }

    /// Tells how it broke off, once it has.
    pub fn broken(&self) -> Broken {
        self.broken.clone()
    }

    fn fail(&self, error: Error) -> Error {
        self.broken.0.get_or_init(|| error.kind());
        error
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            this.waiting = false;
            let frame = frame.map(|frame| frame.map_err(|error| this.fail(Error::other(error))));
            return Poll::Ready(frame);
        }
        if !this.waiting {
            this.waiting = true;
            this.idle.as_mut().reset(Instant::now() + this.patience);
        }
        match this.idle.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(this.fail(Error::new(
                ErrorKind::TimedOut,
                "RequestTimeout: nothing arrived for too long",
            ))))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a whole body of at most `limit` bytes; `too_large` is what a larger one gets.
pub async fn read_whole(
    body: Incoming,
    limit: usize,
    too_large: impl FnOnce() -> AwsError,
) -> AwsResult<Bytes> {
    let mut body = TimedBody::new(body);
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    // Most bodies arrive in one piece, which need not be copied.
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a request's body broke off");
            AwsError::new(
                408,
                "RequestTimeout",
                "The request's body did not arrive in full",
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size += data.len();
        if size > limit {
            return Err(too_large());
        }
        pieces.push(data);
    }
    Ok(match pieces.len() {
        0 => Bytes::new(),
        1 => pieces.swap_remove(0),
        _ => pieces.concat().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use http_body_util::StreamBody;

    #[tokio::test]
    async fn a_body_that_stays_away_fails() {
        let start = stream::iter([Ok::<_, Error>(Frame::data(Bytes::from_static(b"a")))]);
        let body = StreamBody::new(futures::StreamExt::chain(start, stream::pending()));
        let mut body = TimedBody::patient(Box::pin(body), Duration::ZERO);
        assert!(matches!(body.frame().await, Some(Ok(_))));
        let error = body.frame().await.and_then(Result::err);
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::TimedOut));
    }
}
