//! Finds, among many values, those that are equal; without a copy of any, and at little cost where there are none.
//!
//! Two steps: [`Twins`] remembers hashes and tells which values may have an equal, mostly none; [`Groups`] then compares
//! those. Hashes are seeded at random, so that no registry can make up tags that all have the same.

use std::hash::{BuildHasher, RandomState};

/// A hash function, another one in each process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed(u64, u64);

impl Seed {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self(random.hash_one(0_u8), random.hash_one(1_u8) | 1)
    }

    /// The hash of a number.
    pub(super) fn number(self, value: u64) -> u64 {
        fold(value ^ self.0, self.1)
    }

    /// The hash of several numbers and a text.
    pub(super) fn mixed<const N: usize>(self, numbers: [u64; N], text: &str) -> u64 {
        let hash = numbers.into_iter().fold(self.0, |hash, number| fold(hash ^ number, self.1));
        if text.is_empty() { hash } else { fold(hash ^ self.text(text), self.1) }
    }

    /// The hash of a text.
    pub(super) fn text(self, text: &str) -> u64 {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        let hash = words.iter().fold(self.0, |hash, word| fold(hash ^ u64::from_le_bytes(*word), self.1));
        let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
        // The length tells trailing zeros apart.
        fold(hash ^ last, self.1 ^ text.len() as u64)
    }
}

/// Multiplies to 128 bits and folds them into 64.
fn fold(left: u64, right: u64) -> u64 {
    let upper = (u128::from(left) * u128::from(right)) >> 64;
    left.wrapping_mul(right) ^ upper as u64
}

/// A set of bits.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    /// Puts a bit in and says whether it was there.
    fn insert(&mut self, bit: u32) -> bool {
        let Some(word) = self.0.get_mut(bit as usize / 64) else { return true };
        let mask = 1 << (bit % 64);
        let had = *word & mask != 0;
        *word |= mask;
        had
    }

    fn has(&self, bit: u32) -> bool {
        self.0.get(bit as usize / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }
}

/// Positions whose values may be equal to others.
#[derive(Debug)]
pub(super) struct Twins {
    /// For each position the bit that stands for its hash, or [`NOT_NOTED`].
    noted: Vec<u32>,
    seen: Bits,
    repeated: Vec<u32>,
    mask: u32,
}

/// No bit: of what was passed over nothing is noted.
const NOT_NOTED: u32 = u32::MAX;

impl Twins {
    /// For at most `values` values.
    pub(super) fn new(values: usize) -> Self {
        // Sixteen bits a value: about one in thirty shares its bit with a stranger, and the set fits a cache.
        let bits = values.saturating_mul(16).next_power_of_two().clamp(1 << 10, 1 << 27);
        let mask = u32::try_from(bits - 1).unwrap_or(u32::MAX);
        Self { noted: Vec::with_capacity(values), seen: Bits(vec![0; bits / 64]), repeated: Vec::new(), mask }
    }

    /// Takes note of the value at `position`, which is greater than any before.
    pub(super) fn note(&mut self, position: u32, hash: u64) {
        let bit = (hash >> 32) as u32 & self.mask;
        self.noted.resize(position as usize, NOT_NOTED);
        self.noted.push(bit);
        if self.seen.insert(bit) {
            self.repeated.push(bit);
        }
    }

    /// The positions whose values may be equal to that of another, in the order in which they came.
    pub(super) fn suspects(mut self) -> Vec<u32> {
        if self.repeated.is_empty() {
            return Vec::new();
        }
        self.seen.0.fill(0);
        for bit in &self.repeated {
            self.seen.insert(*bit);
        }
        (0..).zip(&self.noted).filter(|(_, bit)| self.seen.has(**bit)).map(|(position, _)| position).collect()
    }
}

/// A place of the table that nothing is in.
const FREE: u32 = u32::MAX;

/// A hash table of positions that stand for values which the caller knows.
#[derive(Debug)]
pub(super) struct Groups {
    /// The upper half of a value's hash, and its position.
    places: Vec<(u32, u32)>,
}

impl Groups {
    /// A table for at most `values` different values.
    pub(super) fn new(values: usize) -> Self {
        let size = (values.saturating_mul(2)).next_power_of_two().max(16);
        Self { places: vec![(0, FREE); size] }
    }

    /// The place of a value with `hash` that `same` recognises by its position: what is there, or what is now put there.
    ///
    /// Returns the position of an earlier equal, if any; `replace` says whether the new one takes its place.
    pub(super) fn find(
        &mut self,
        hash: u64,
        position: u32,
        replace: bool,
        same: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let (upper, lower) = ((hash >> 32) as u32, (hash & 0xffff_ffff) as u32);
        let mut at = lower as usize;
        // There is always a free place, as the table is never more than half full.
        loop {
            at &= self.places.len() - 1;
            let place = self.places.get_mut(at)?;
            match *place {
                (_, FREE) => {
                    *place = (upper, position);
                    return None;
                }
                (own, other) if own == upper && same(other) => {
                    if replace {
                        *place = (upper, position);
                    }
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

    #[test]
    fn what_was_passed_over_is_no_suspect() {
        let seed = Seed::new();
        let mut twins = Twins::new(9);
        for (position, value) in [(1, 7), (4, 8), (8, 7)] {
            twins.note(position, seed.number(value));
        }
        let suspects = twins.suspects();
        assert!(suspects.starts_with(&[1]) && suspects.ends_with(&[8]), "{suspects:?}");
        assert!(suspects.iter().all(|position| [1, 4, 8].contains(position)), "{suspects:?}");
    }

    proptest! {
        #[test]
        fn equals_are_suspects_and_are_found(values in proptest::collection::vec(0_u64..60, 0..100), replace in any::<bool>()) {
            let seed = Seed::new();
            let mut twins = Twins::new(values.len());
            for (position, value) in (0..).zip(&values) {
                twins.note(position, seed.number(*value));
            }
            let suspects = twins.suspects();
            for (position, value) in (0..).zip(&values) {
                let is_repeated = values.iter().filter(|other| *other == value).count() > 1;
                prop_assert!(!is_repeated || suspects.contains(&position));
            }
            let mut groups = Groups::new(suspects.len());
            for position in suspects {
                let value = values[position as usize];
                let earlier = &values[..position as usize];
                let expected = if replace {
                    earlier.iter().rposition(|other| *other == value)
                } else {
                    earlier.iter().position(|other| *other == value)
                };
                let same = |other: u32| values[other as usize] == value;
                let found = groups.find(seed.number(value), position, replace, same);
                prop_assert_eq!(found.map(|found| found as usize), expected);
            }
        }

        #[test]
        fn hashes_tell_texts_apart(left in "[ab\0]{0,20}", right in "[ab\0]{0,20}") {
            let seed = Seed::new();
            prop_assert_eq!(left == right, seed.text(&left) == seed.text(&right));
        }
    }
}
