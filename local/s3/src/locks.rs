//! One writer at a time for each object.

use std::hash::{BuildHasher, RandomState};
use tokio::sync::{Mutex, MutexGuard};

/// More than there are clients: two objects that share a lock wait for one another.
const STRIPES: usize = 1024;

pub(crate) struct Locks {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Waits for all other holders of the same names.
    pub(crate) async fn lock(&self, space: &str, name: &str) -> MutexGuard<'_, ()> {
        let hash = usize::try_from(self.hasher.hash_one((space, name)) % (STRIPES as u64));
        self.stripes[hash.unwrap_or(0)].lock().await
    }
}
