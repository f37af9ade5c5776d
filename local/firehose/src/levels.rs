//! How full a stream's buffers are, and how much time is left: for the person who watches.

use super::buffer::{Hints, Level};
use super::settings::StreamSettings;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a stream's task last said of its buffers.
#[derive(Debug, Default)]
pub(crate) struct Levels(Mutex<Now>);

/// Buffers at one moment: the number of records in each, and its level.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Now {
    /// Towards the processor.
    pub waiting: (usize, Level),
    /// How many batches are with the processor.
    pub transforming: usize,
    /// Towards S3.
    pub delivered: (usize, Level),
    /// Towards S3, of failed records.
    pub failed: (usize, Level),
    /// How many objects are being stored.
    pub storing: usize,
}

impl Levels {
    pub(crate) fn set(&self, now: Now) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// As JSON: sizes in bytes, durations in milliseconds. `left` is null while a buffer is
    /// empty, and 0 while something holds back what is due.
    pub(crate) fn describe(&self, settings: &StreamSettings, at: Instant) -> Value {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let towards_s3 = settings.destination.buffering;
        let buffer = |(records, level): (usize, Level), hints: Hints| {
            let due = level.due_at(hints);
            json!({
                "records": records,
                "bytes": level.bytes(),
                "size": hints.size,
                "interval": millis(hints.interval),
                "left": due.map(|due| millis(due.saturating_duration_since(at))),
            })
        };
        let transform = settings.destination.transform.as_ref();
        json!({
            "processor": transform.map(|_| buffer(now.waiting, settings.processing_hints())),
            "underWay": now.transforming,
            "delivered": buffer(now.delivered, towards_s3),
            "failed": buffer(now.failed, towards_s3),
            "storing": now.storing,
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
