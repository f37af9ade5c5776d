//! Wall-clock time, injected so that tests decide what day it is.
//!
//! Intervals and time-outs are `tokio::time`'s, which tests pause; this clock is only for what
//! is written down: arrival times, object keys, log lines.

use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Where the time of day comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that does not move until a test moves it.
    Manual(Arc<Mutex<OffsetDateTime>>),
}

impl Clock {
    /// A clock that is at `start`.
    pub fn manual(start: OffsetDateTime) -> Self {
        Self::Manual(Arc::new(Mutex::new(start)))
    }

    /// The current time, UTC.
    pub fn now(&self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock on; the system's clock moves by itself.
    pub fn advance(&self, by: time::Duration) {
        if let Self::Manual(time) = self {
            *time.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// Milliseconds since the Unix epoch.
    pub fn unix_millis(&self) -> i64 {
        let nanos = self.now().unix_timestamp_nanos() / 1_000_000;
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}
