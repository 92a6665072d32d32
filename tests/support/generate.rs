//! Requests of `eval batch` made up at random: much of it well formed, much of it nearly, some of it hostile.
//!
//! A seed makes the same requests everywhere. Each operation has a file of its own with a function `request`.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod policy;
pub mod printf;
pub mod reference;
pub mod regex;
pub mod semver;
pub mod set;
pub mod template;

/// A generator of pseudo-random numbers (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of the words of `text`, which blanks separate.
    pub fn word(&mut self, text: &'static str) -> &'static str {
        let words: Vec<&str> = text.split_whitespace().collect();
        self.pick(&words)
    }

    pub fn character(&mut self, of: &str) -> char {
        of.chars().nth(self.below(of.chars().count())).unwrap_or_default()
    }

    /// Up to `most` characters of `of`.
    pub fn text(&mut self, of: &str, most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.character(of)).collect()
    }

    /// `least` to `most` things.
    pub fn several<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..least + self.below(most - least + 1)).map(|_| make(self)).collect()
    }

    /// `text` with one character lost, doubled, swapped or replaced by one of `of`.
    pub fn mutated(&mut self, text: &str, of: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let at = self.below(characters.len() + 1);
        match self.below(5) {
            0 if at < characters.len() => drop(characters.remove(at)),
            1 if at < characters.len() => characters.insert(at, characters[at]),
            2 if at + 1 < characters.len() => characters.swap(at, at + 1),
            3 if at < characters.len() => characters[at] = self.character(of),
            _ => characters.insert(at, self.character(of)),
        }
        characters.into_iter().collect()
    }
}

/// What reads like something else, has another length in another case, or cannot be printed.
pub const STRANGE: &str = "éßſKİıǅΣς\u{a0}\u{ad}\u{200b}\u{2028}\u{feff}\u{fffd}\u{0}\u{7}\u{b}\u{1b}\u{7f}\u{85}٣Ⅷ中\u{1d7d8}😀\u{10ffff}\u{d7ff}\u{e000}\u{897}\u{2ebf0}\u{1c89}";
