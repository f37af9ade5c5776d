//! Bodies of answers that go from one service to another.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use std::io;
use std::pin::Pin;

/// A body, or the part of it that was asked for.
pub enum Data {
    Whole(Bytes),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>),
}

impl Data {
    /// All of it.
    pub async fn whole(self) -> io::Result<Bytes> {
        let mut stream = match self {
            Self::Whole(bytes) => return Ok(bytes),
            Self::Stream(stream) => stream,
        };
        let mut whole = BytesMut::new();
        while let Some(piece) = stream.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }
}
