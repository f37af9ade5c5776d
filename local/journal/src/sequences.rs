//! A set of sequence numbers, kept as ranges: what was accepted together is mostly delivered
//! together.

/// A set of sequence numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequences {
    /// First and last number of each range: ascending, not touching.
    ranges: Vec<(u64, u64)>,
}

impl Sequences {
    /// The ranges, both ends inclusive, ascending.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Whether no number is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `sequence` is in the set.
    pub fn contains(&self, sequence: u64) -> bool {
        let index = self.ranges.partition_point(|(_, last)| *last < sequence);
        self.ranges
            .get(index)
            .is_some_and(|(first, _)| *first <= sequence)
    }

    /// Adds one number.
    pub fn insert(&mut self, sequence: u64) {
        self.insert_range(sequence, sequence);
    }

    /// Adds all numbers from `first` to `last`.
    pub(crate) fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        // The ranges that overlap the new one, or touch it, become one with it.
        let start = self
            .ranges
            .partition_point(|range| range.1.saturating_add(1) < first);
        let end = self
            .ranges
            .partition_point(|range| range.0 <= last.saturating_add(1));
        let merged = self.ranges[start..end]
            .iter()
            .fold((first, last), |merged, range| {
                (merged.0.min(range.0), merged.1.max(range.1))
            });
        self.ranges.splice(start..end, [merged]);
    }

    /// Adds all numbers of another set.
    pub fn extend(&mut self, other: &Self) {
        for (first, last) in &other.ranges {
            self.insert_range(*first, *last);
        }
    }
}

impl FromIterator<u64> for Sequences {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut sequences = Self::default();
        for number in numbers {
            sequences.insert(number);
        }
        sequences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_a_set_would_hold(ranges in prop::collection::vec((0u64..60, 0u64..8), 0..30)) {
            let mut sequences = Sequences::default();
            let mut expected = BTreeSet::new();
            for (first, length) in ranges {
                sequences.insert_range(first, first + length);
                expected.extend(first..=first + length);
            }
            for number in 0..70 {
                prop_assert_eq!(sequences.contains(number), expected.contains(&number));
            }
            for pair in sequences.ranges().windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0, "ranges touch: {:?}", pair);
            }
        }
    }
}
