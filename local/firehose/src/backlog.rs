//! What waits in a stream, and what became of what it has taken.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How much a stream takes before it asks its callers to wait. AWS's bound is a rate; this one
/// keeps a laptop's disk and memory from filling while S3 or the processor refuses.
const MAX_BACKLOG_BYTES: usize = 512 * 1024 * 1024;

/// What a record costs beside its data.
pub(crate) const RECORD_COST: usize = 128;

/// What all records that wait to be delivered cost.
#[derive(Debug, Default)]
pub(crate) struct Backlog(AtomicUsize);

impl Backlog {
    /// Counts records that cost this much, unless there are too many then.
    pub(crate) fn reserve(&self, cost: usize) -> bool {
        let fits = self.add(cost) + cost <= MAX_BACKLOG_BYTES;
        if !fits {
            self.remove(cost);
        }
        fits
    }

    pub(crate) fn add(&self, cost: usize) -> usize {
        self.0.fetch_add(cost, Ordering::Relaxed)
    }

    pub(crate) fn remove(&self, cost: usize) {
        // A stream that was started again has counted again.
        let less = |all: usize| Some(all.saturating_sub(cost));
        let _ = (self.0).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Starts to count at this.
    pub(crate) fn set(&self, cost: usize) {
        self.0.store(cost, Ordering::Relaxed);
    }
}

/// What a record costs whose data has this length, in bytes.
pub(crate) fn cost(length: usize) -> usize {
    length + RECORD_COST
}

/// What became of a stream's records since the cloud was started.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Accepted now or left over from before, and neither stored nor dropped yet.
    pub waiting: AtomicU64,
    /// Stored under the stream's prefix.
    pub delivered: AtomicU64,
    /// Stored under its error prefix.
    pub failed: AtomicU64,
    /// Dropped by the processor.
    pub dropped: AtomicU64,
}

impl Tally {
    pub(crate) fn accept(&self, records: usize) {
        self.waiting.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(crate) fn settle(&self, settled: &AtomicU64, records: usize) {
        let records = records as u64;
        settled.fetch_add(records, Ordering::Relaxed);
        let less = |all: u64| Some(all.saturating_sub(records));
        let _ = (self.waiting).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backlog_has_a_bound_that_is_exact() {
        let backlog = Backlog::default();
        assert!(backlog.reserve(MAX_BACKLOG_BYTES - 10));
        assert!(!backlog.reserve(11));
        assert!(backlog.reserve(10));
        backlog.remove(5);
        assert!(!backlog.reserve(6));
        assert!(backlog.reserve(5));
    }
}
