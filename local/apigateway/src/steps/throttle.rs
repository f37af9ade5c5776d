//! Throttling: token buckets for the account, and for each method that settings limit.

use super::gateway_response::{Refused, ResponseType};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many requests a second, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limit {
    pub rate: f64,
    pub burst: f64,
}

impl Limit {
    /// What AWS allows an account in a region unless more was asked for.
    pub(crate) const ACCOUNT: Self = Self {
        rate: 10_000.0,
        burst: 5_000.0,
    };
}

/// A token bucket, as the time at which it will be full again: one atomic number, no lock.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    limit: Limit,
    origin: Instant,
    /// How long a token takes to come back, in nanoseconds.
    interval: u64,
    /// How far ahead of now the bucket may be empty, in nanoseconds; nothing when it holds no
    /// token at all.
    tolerance: Option<u64>,
    /// When the bucket is full again, in nanoseconds since the origin.
    full_at: AtomicU64,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn new(limit: Limit) -> Self {
        const SECOND: f64 = 1e9;
        // Casts of floats saturate, which is right for absurd limits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let (interval, tolerance) = {
            let interval = SECOND / limit.rate;
            let tolerance = (limit.burst >= 1.0 && limit.rate > 0.0)
                .then_some(((limit.burst - 1.0) * interval) as u64);
            (interval as u64, tolerance)
        };
        Self {
            limit,
            origin: Instant::now(),
            interval,
            tolerance,
            full_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.take_at(self.origin.elapsed())
    }

    /// Takes a token at a time since the bucket was made.
    fn take_at(&self, now: Duration) -> bool {
        let Some(tolerance) = self.tolerance else {
            return false;
        };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                let from = full_at.max(now);
                (from - now <= tolerance).then(|| from.saturating_add(self.interval))
            })
            .is_ok()
    }
}

/// Lets a request through, or answers 429. A request that is over its method's limit does not count
/// for the account.
pub(crate) fn admit(method: Option<&TokenBucket>, account: &TokenBucket) -> Result<(), Refused> {
    if method.is_none_or(|bucket| bucket.take()) && account.take() {
        return Ok(());
    }
    Err(Refused::new(ResponseType::Throttled, "Too Many Requests"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &TokenBucket, at: Duration, requests: usize) -> usize {
        (0..requests).filter(|_| bucket.take_at(at)).count()
    }

    /// AWS's own examples of the account's limits ("Throttle requests").
    #[test]
    fn a_burst_empties_the_bucket_and_the_rate_fills_it() {
        let bucket = TokenBucket::new(Limit::ACCOUNT);
        assert_eq!(taken(&bucket, Duration::ZERO, 10_000), 5_000);
        assert_eq!(taken(&bucket, Duration::from_millis(100), 5_000), 1_000);
        assert_eq!(taken(&bucket, Duration::from_secs(60), 10_000), 5_000);
    }

    #[test]
    fn an_even_stream_at_the_rate_goes_through() {
        let bucket = TokenBucket::new(Limit {
            rate: 10.0,
            burst: 1.0,
        });
        for tenth in 0..50 {
            let at = Duration::from_millis(100 * tenth);
            assert!(bucket.take_at(at));
            assert!(!bucket.take_at(at));
        }
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_through() {
        for (rate, burst) in [(0.0, 100.0), (100.0, 0.0), (0.0, 0.0)] {
            let bucket = TokenBucket::new(Limit { rate, burst });
            assert_eq!(taken(&bucket, Duration::from_secs(100), 10), 0);
        }
    }
}
