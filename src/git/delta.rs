//! What makes one object of another, as packs have it: stretches of the old one, and what is new.
//!
//! A push of ours changes a few lines of files that the remote has, so lines are what is looked for: each file is read once.
//!
//! Source: git's `Documentation/gitformat-pack`, "Deltified representation".

use std::collections::HashMap;
use std::ops::Range;

/// A copy takes up to eight bytes; a shorter line is no shorter that way.
const WORTH_A_COPY: usize = 8;
/// The most that one instruction copies, and that one inserts.
const MOST_COPIED: usize = 0xff_ffff;
const MOST_INSERTED: usize = 0x7f;

/// The instructions that make `new` of `old`.
pub(super) fn between(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut delta = Delta::default();
    put_size(&mut delta.bytes, old.len());
    put_size(&mut delta.bytes, new.len());
    let mut places: HashMap<&[u8], usize, foldhash::fast::RandomState> = HashMap::default();
    let mut at = 0;
    for line in lines(old) {
        places.entry(line).or_insert(at);
        at += line.len();
    }
    // Where the next line is looked for first: behind what was copied, or behind what was replaced.
    let mut next = 0;
    for line in lines(new) {
        let rest = old.get(next..).unwrap_or_default();
        let known = || places.get(line).copied().filter(|_| line.len() >= WORTH_A_COPY);
        let found = if rest.starts_with(line) { Some(next) } else { known() };
        if let Some(at) = found {
            next = at + line.len();
            delta.copy(at..next);
        } else {
            delta.insert(line);
            next += lines(rest).next().map_or(0, <[u8]>::len);
        }
    }
    delta.finish()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

#[derive(Default)]
struct Delta {
    bytes: Vec<u8>,
    /// What is to be copied, and then what is to be inserted; not written yet.
    copied: Range<usize>,
    inserted: Vec<u8>,
}

impl Delta {
    fn copy(&mut self, stretch: Range<usize>) {
        if self.inserted.is_empty() && self.copied.end == stretch.start {
            self.copied.end = stretch.end;
            return;
        }
        self.flush();
        self.copied = stretch;
    }

    fn insert(&mut self, line: &[u8]) {
        self.inserted.extend_from_slice(line);
    }

    fn flush(&mut self) {
        while !self.copied.is_empty() {
            let end = self.copied.end.min(self.copied.start + MOST_COPIED);
            self.put_copy(self.copied.start, end - self.copied.start);
            self.copied.start = end;
        }
        for piece in self.inserted.chunks(MOST_INSERTED) {
            self.bytes.extend(u8::try_from(piece.len()));
            self.bytes.extend_from_slice(piece);
        }
        self.inserted.clear();
    }

    /// A byte whose bits say which bytes of offset and length follow: those that are not zero.
    fn put_copy(&mut self, offset: usize, length: usize) {
        let head = self.bytes.len();
        self.bytes.push(0x80);
        let offset = (offset as u64).to_le_bytes().into_iter().take(4);
        let length = (length as u64).to_le_bytes().into_iter().take(3);
        for (bit, byte) in offset.chain(length).enumerate().filter(|(_, byte)| *byte != 0) {
            self.bytes.push(byte);
            if let Some(head) = self.bytes.get_mut(head) {
                *head |= 1 << bit;
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.flush();
        self.bytes
    }
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit.
pub(super) fn put_size(bytes: &mut Vec<u8>, mut size: usize) {
    loop {
        let [low, ..] = size.to_le_bytes();
        size >>= 7;
        if size == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sizes at the beginning of a delta, and the rest.
    fn size(delta: &[u8]) -> (usize, &[u8]) {
        let length = delta.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let (size, rest) = delta.split_at(length);
        (size.iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f)), rest)
    }

    /// What git makes of a delta.
    fn applied(old: &[u8], delta: &[u8]) -> Vec<u8> {
        let (before, rest) = size(delta);
        let (after, mut rest) = size(rest);
        let mut new = Vec::new();
        while let [head, more @ ..] = rest {
            assert_ne!(*head, 0, "it is reserved");
            rest = more;
            if *head < 0x80 {
                let (inserted, more) = rest.split_at(usize::from(*head));
                new.extend_from_slice(inserted);
                rest = more;
                continue;
            }
            let mut numbers = [0; 7];
            for (bit, number) in numbers.iter_mut().enumerate().filter(|(bit, _)| head >> bit & 1 == 1) {
                *number = usize::from(rest[0]) << (8 * (bit % 4));
                rest = &rest[1..];
            }
            let (offset, length) = (numbers[..4].iter().sum(), numbers[4..].iter().sum::<usize>());
            new.extend_from_slice(&old[offset..][..length]);
        }
        assert_eq!((before, after), (old.len(), new.len()));
        new
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just("image: registry.example.com/web:1.0.0\n".to_owned()),
            Just("---\n".to_owned()),
            Just("kind: Deployment\n".to_owned()),
            "[a-d\n]{0,160}",
        ];
        prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn the_delta_makes_the_new_object_of_the_old_one(old in text(), new in text()) {
            prop_assert_eq!(applied(&old, &between(&old, &new)), new);
        }

        #[test]
        fn bytes_that_are_no_text_are_as_good(old: Vec<u8>, new: Vec<u8>) {
            prop_assert_eq!(applied(&old, &between(&old, &new)), new);
        }
    }

    #[test]
    fn a_changed_line_costs_itself_and_two_copies() {
        let old = "a: 1\nb: 2\n".repeat(2_000).into_bytes();
        let mut new = old.clone();
        new[10_003] = b'7';
        assert!(between(&old, &new).len() < 32);
        assert_eq!(applied(&old, &between(&old, &new)), new);
    }

    #[test]
    fn what_is_longer_than_one_copy_takes_several() {
        let old = vec![b'x'; MOST_COPIED + 5];
        let delta = between(&old, &old);
        assert!(delta.len() < 32, "{}", delta.len());
        assert_eq!(applied(&old, &delta), old);
    }
}
