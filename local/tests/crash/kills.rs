//! Killed again and again: 50 times in every run of the tests, and 1,000 times on request with
//! `cargo test --workspace --test crash -- --ignored --nocapture`. `MYSFITS_SEED` repeats a run.

use crate::daemon::{Daemon, deploy, ensure_all_delivered};
use crate::load::{Load, usual};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use time::OffsetDateTime;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_record_is_lost_in_50_kills() -> Result<()> {
    kill_and_count(50).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: for changes of the journal"]
async fn no_acknowledged_record_is_lost_in_1000_kills() -> Result<()> {
    kill_and_count(1000).await
}

async fn kill_and_count(kills: u64) -> Result<()> {
    let (seed, mut random) = Random::seeded();
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("data");

    let mut daemon = Daemon::start(&home).await?;
    deploy(&daemon, folder.path()).await?;
    let mut acknowledged = BTreeSet::new();
    for _ in 0..kills {
        let mut load = Load::start(&daemon, usual);
        // Somewhere in the middle of the load, and of what it has set in motion.
        load.taken(1 + random.below(150)).await?;
        acknowledged.extend(load.kill(&mut daemon).await?);
        daemon = Daemon::start(&home).await?;
    }
    daemon.stop().await?;
    ensure_all_delivered(&home, &acknowledged)
        .await
        .with_context(|| format!("with seed {seed}"))
}

/// Good enough to choose moments; the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    /// With the seed of `MYSFITS_SEED`, or another one each time.
    pub fn seeded() -> (u64, Self) {
        let seed = std::env::var("MYSFITS_SEED").ok();
        let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = OffsetDateTime::now_utc().unix_timestamp_nanos();
            u64::try_from(now & 0xffff_ffff).unwrap_or(1)
        });
        eprintln!("MYSFITS_SEED={seed} repeats this run");
        (seed, Self(seed))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
