//! When a buffer is sent on: at a size, or when the first of it has waited for an interval.

use std::time::Duration;
use tokio::time::Instant;

/// The declared bounds of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// In bytes.
    pub size: usize,
    pub interval: Duration,
}

/// How full a buffer is, and since when it is not empty.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Level {
    bytes: usize,
    since: Option<Instant>,
}

impl Level {
    /// More has come.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes;
        self.since.get_or_insert(now);
    }

    /// This much has been sent on; what is left, if anything, starts to wait again.
    pub(crate) fn remove(&mut self, bytes: usize, left: bool, now: Instant) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.since = left.then_some(now);
    }

    /// What it holds, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it holds at least a full size.
    pub(crate) fn is_full(&self, hints: Hints) -> bool {
        self.since.is_some() && self.bytes >= hints.size
    }

    /// Whether it is to be sent on.
    pub(crate) fn is_due(&self, hints: Hints, now: Instant) -> bool {
        self.is_full(hints) || self.due_at(hints).is_some_and(|due| due <= now)
    }

    /// When the interval of what it holds is over.
    pub(crate) fn due_at(&self, hints: Hints) -> Option<Instant> {
        self.since.map(|since| since + hints.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: Hints = Hints {
        size: 100,
        interval: Duration::from_secs(60),
    };

    #[test]
    fn it_is_due_at_its_size_or_after_its_interval_whichever_is_first() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut level = Level::default();
        assert!(!level.is_due(HINTS, start));
        assert_eq!(level.due_at(HINTS), None);

        level.add(99, start);
        level.add(0, after(59));
        assert!(!level.is_due(HINTS, after(59)));
        assert!(level.is_due(HINTS, after(60)), "60 s after the first");

        level.remove(99, false, after(60));
        assert!(!level.is_due(HINTS, after(1000)));
        level.add(100, after(1000));
        assert!(level.is_due(HINTS, after(1000)), "full");
        level.remove(60, true, after(1000));
        assert!(!level.is_due(HINTS, after(1059)));
        assert!(level.is_due(HINTS, after(1060)), "the rest has waited");
    }

    #[test]
    fn an_empty_record_waits_like_any_other() {
        let start = Instant::now();
        let mut level = Level::default();
        level.add(0, start);
        assert!(level.is_due(HINTS, start + HINTS.interval));
    }
}
