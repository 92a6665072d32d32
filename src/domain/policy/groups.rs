//! Finds, among many values, those that are equal; without a copy of any.

use std::hash::{BuildHasher, Hash, RandomState};

/// A place of the table that nothing is in.
const FREE: u32 = u32::MAX;

/// A hash table of numbers that stand for values which the caller knows.
///
/// Its hashes are seeded at random, so that no registry can make up tags that all fall into the same place.
#[derive(Debug)]
pub(super) struct Groups {
    seed: RandomState,
    /// The upper half of a value's hash, and its number.
    places: Vec<(u32, u32)>,
}

impl Groups {
    /// A table for at most `values` different values.
    pub(super) fn new(values: usize) -> Self {
        let size = (values.saturating_mul(2)).next_power_of_two().max(16);
        Self { seed: RandomState::new(), places: vec![(0, FREE); size] }
    }

    /// Looks for a value equal to `value`, by its hash and then by `same`; puts `number` in its place, and returns the
    /// number that was there.
    pub(super) fn replace(
        &mut self,
        value: impl Hash,
        number: u32,
        same: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let hash = self.seed.hash_one(value);
        let (upper, lower) = ((hash >> 32) as u32, (hash & 0xffff_ffff) as u32);
        let mut at = lower as usize;
        // There is always a free place, as the table is never more than half full.
        loop {
            at &= self.places.len() - 1;
            let place = self.places.get_mut(at)?;
            match *place {
                (_, FREE) => {
                    *place = (upper, number);
                    return None;
                }
                (own, other) if own == upper && same(other) => {
                    *place = (upper, number);
                    return Some(other);
                }
                _ => at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_of_equals_is_kept(values in proptest::collection::vec(0_u8..20, 0..100)) {
            let mut groups = Groups::new(values.len());
            for (number, value) in values.iter().enumerate() {
                let same = |other: u32| values[other as usize] == *value;
                let previous = values[..number].iter().rposition(|other| other == value);
                let found = groups.replace(value, u32::try_from(number).unwrap(), same);
                prop_assert_eq!(found.map(|found| found as usize), previous);
            }
        }
    }
}
