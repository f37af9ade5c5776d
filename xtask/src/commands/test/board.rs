//! What runs now, and what each stage took.

use crate::progress::{self, Step};
use anyhow::Result;
use door::elapsed::elapsed;
use std::fmt;
use std::future::Future;
use std::ops::AddAssign;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many checks and tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: usize,
    pub failed: usize,
}

impl Count {
    pub const PASSED: Self = Self {
        passed: 1,
        failed: 0,
    };
    pub const FAILED: Self = Self {
        passed: 0,
        failed: 1,
    };
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Shared by all that runs side by side.
pub struct Board {
    started: Instant,
    step: Step,
    running: Mutex<Vec<String>>,
    /// In the order in which they ended.
    stages: Mutex<Vec<Ended>>,
}

struct Ended {
    name: &'static str,
    took: Duration,
    count: Count,
}

impl Board {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            step: progress::step("testing"),
            running: Mutex::default(),
            stages: Mutex::default(),
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.step.say(line);
    }

    /// Shows `name` among what runs, while something runs.
    pub async fn showing<T>(&self, name: &str, work: impl Future<Output = T>) -> T {
        lock(&self.running).push(name.to_owned());
        self.refresh();
        let result = work.await;
        let mut running = lock(&self.running);
        if let Some(index) = running.iter().position(|other| other == name) {
            running.remove(index);
        }
        drop(running);
        self.refresh();
        result
    }

    fn refresh(&self) {
        self.step.at(&lock(&self.running).join(", "));
    }

    /// A stage of its own in the table.
    pub async fn stage(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<Count>>,
    ) -> Result<Count> {
        let with = async { Ok(((), work.await?)) };
        Ok(self.stage_with(name, with).await?.1)
    }

    /// The same, for a stage that has more to give than a count.
    pub async fn stage_with<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<(T, Count)>>,
    ) -> Result<(T, Count)> {
        let started = Instant::now();
        let (value, count) = self.showing(name, work).await?;
        let took = started.elapsed();
        self.say(&format!("{name}: {}, {count}", elapsed(took)));
        lock(&self.stages).push(Ended { name, took, count });
        Ok((value, count))
    }

    /// The table of all stages; those that ran side by side took less together.
    pub fn print(self) {
        self.step.clear();
        println!(
            "\n{:<22} {:>13} {:>7} {:>7}",
            "stage", "took", "passed", "failed"
        );
        for Ended { name, took, count } in lock(&self.stages).iter() {
            println!(
                "{name:<22} {:>13} {:>7} {:>7}",
                elapsed(*took),
                count.passed,
                count.failed
            );
        }
        println!("{:<22} {:>13}", "all", elapsed(self.started.elapsed()));
    }
}

/// Nothing else is done under these locks, so that what they hold is whole in any case.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
