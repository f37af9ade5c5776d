//! Writes that become durable together.

use super::{full_key, is_counter};

/// Writes that become durable together, or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// By full key; absent values are deletions.
    pub(super) writes: Vec<(String, Option<Vec<u8>>)>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a record.
    pub fn put(mut self, table: &str, key: &str, value: Vec<u8>) -> Self {
        self.writes.push((full_key(table, key), Some(value)));
        self
    }

    /// Removes a record; one that is not there is no error.
    pub fn delete(mut self, table: &str, key: &str) -> Self {
        self.writes.push((full_key(table, key), None));
        self
    }

    /// These writes, and then those of another batch.
    pub fn and(mut self, other: Self) -> Self {
        self.writes.extend(other.writes);
        self
    }

    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Whether it is about counters alone.
    pub(super) fn is_counting(&self) -> bool {
        self.writes.iter().all(|(key, _)| is_counter(key))
    }
}
