//! What is remembered from one invocation to the next: a map whose entries expire, and which
//! never grows beyond its capacity. Time is a parameter.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// All entries live equally long, so the oldest is always the next to go.
#[derive(Debug)]
pub struct Cache<K, V> {
    ttl: Duration,
    capacity: usize,
    entries: HashMap<K, (V, Instant)>,
    /// Keys with the time at which they expire, oldest first. A key that was inserted again is in
    /// here more than once; the time in its entry is the valid one.
    ends: VecDeque<(K, Instant)>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    pub fn new(ttl: Duration, capacity: usize) -> Self {
        Self {
            ttl,
            capacity,
            entries: HashMap::new(),
            ends: VecDeque::new(),
        }
    }

    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        let (value, end) = self.entries.get(key)?;
        (now < *end).then(|| value.clone())
    }

    pub fn insert(&mut self, key: K, value: V, now: Instant) {
        // A time beyond what an Instant can say is as good as none.
        let Some(end) = now.checked_add(self.ttl).filter(|end| *end > now) else {
            return;
        };
        while let Some(&(oldest, its_end)) = self.ends.front() {
            if now < its_end && self.ends.len() < self.capacity {
                break;
            }
            self.ends.pop_front();
            if self
                .entries
                .get(&oldest)
                .is_some_and(|(_, end)| *end == its_end)
            {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(key, (value, end));
        self.ends.push_back((key, end));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_entry_lives_for_its_time() {
        let start = Instant::now();
        let mut cache = Cache::new(10 * SECOND, 8);
        cache.insert("a", 1, start);
        assert_eq!(cache.get(&"a", start), Some(1));
        assert_eq!(cache.get(&"a", start + 9 * SECOND), Some(1));
        assert_eq!(cache.get(&"a", start + 10 * SECOND), None);
        assert_eq!(cache.get(&"b", start), None);
    }

    #[test]
    fn an_entry_inserted_again_lives_again() {
        let start = Instant::now();
        let mut cache = Cache::new(10 * SECOND, 8);
        cache.insert("a", 1, start);
        cache.insert("a", 2, start + 9 * SECOND);
        cache.insert("b", 3, start + 11 * SECOND);
        assert_eq!(cache.get(&"a", start + 12 * SECOND), Some(2));
    }

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let start = Instant::now();
        let mut cache = Cache::new(10 * SECOND, 2);
        for (age, key) in ["a", "b", "c"].into_iter().enumerate() {
            cache.insert(key, age, start + SECOND * age as u32);
        }
        let now = start + 3 * SECOND;
        let kept = ["a", "b", "c"].map(|key| cache.get(&key, now));
        assert_eq!(kept, [None, Some(1), Some(2)]);
    }

    #[test]
    fn without_a_time_to_live_nothing_is_kept() {
        let now = Instant::now();
        for ttl in [Duration::ZERO, Duration::MAX] {
            let mut cache = Cache::new(ttl, 8);
            cache.insert("a", 1, now);
            assert_eq!(cache.get(&"a", now), None);
        }
    }

    proptest! {
        /// Whatever is inserted when: what is found is the last value, in its time, and no
        /// more is held than the capacity.
        #[test]
        fn it_is_a_map_that_forgets(inserts in prop::collection::vec((0u8..6, 0u64..4), 0..60)) {
            let mut now = Instant::now();
            let mut cache = Cache::new(5 * SECOND, 4);
            let mut last = HashMap::new();
            for (value, (key, later)) in inserts.into_iter().enumerate() {
                now += Duration::from_secs(later);
                cache.insert(key, value, now);
                last.insert(key, (value, now));
                prop_assert_eq!(cache.get(&key, now), Some(value));
                prop_assert!(cache.entries.len() <= 4 && cache.ends.len() <= 4);
                for (key, (value, at)) in &last {
                    if let Some(found) = cache.get(key, now) {
                        prop_assert_eq!(found, *value);
                        prop_assert!(now < *at + 5 * SECOND);
                    }
                }
            }
        }
    }
}
