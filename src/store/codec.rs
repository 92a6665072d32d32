//! The form of a checksummed file: what it is, in which version, since when, a SHA-256, and packed lists of texts.
//!
//! ```text
//! 8 bytes   kind, and its version in the last byte: SCTAGS\0\2
//! 8 bytes   time: seconds since 1970 (40 bit), and the beginning of the SHA-256 of the checksum and them (24 bit)
//! 32 bytes  SHA-256 of all other bytes but the time
//! 32 bytes  print: how many tags (32 bit), and the end of the SHA-256 of name and tags
//! the rest  one zstd frame of lists; a list is: count, lengths (32 bit), then the texts
//! ```
//!
//! Numbers are little-endian. So a file whose list is the same as before is known by its beginning, and gets another time by
//! eight bytes that are overwritten at once. Kinds and versions without a print (all but those of [`PRINTED`]) have seconds of 64 bit,
//! which are part of the checksum.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use sha2::{Digest, Sha256};
use zstd::bulk::{Compressor, Decompressor};

use crate::domain::tags::TagList;

/// Quick to write; the lists shrink to a third or less.
const LEVEL: i32 = 1;

/// Where the time lies.
pub(super) const TIME: Range<usize> = 8..16;
const SUM: Range<usize> = 16..48;
const PRINT: Range<usize> = 48..80;

/// How long the beginning of a file with a print is, in bytes.
pub(super) const HEAD: usize = PRINT.end;

/// What is packed in one file at most, in bytes: ten million tags. A file that says it holds more is damaged.
const LARGEST: usize = 256 << 20;

/// A kind of file: seven bytes of name, and the newest version that we read and the one that we write.
pub(super) type Kind = [u8; 8];

/// Of each kind with a print the first version that has it.
const PRINTED: [Kind; 2] = [*b"SCTAGS\0\x02", *b"SCSEEN\0\x03"];

/// What tells whether a file holds a list without reading it.
pub(super) type Print = [u8; 32];

/// The print of a file that no list is compared with.
pub(super) const NO_PRINT: Print = [0; 32];

/// A file's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) version: u8,
    pub(super) seconds: i64,
    pub(super) payload: Vec<u8>,
}

/// What a file's beginning says. Only of the time is it proven that it is what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seconds: i64,
    pub(super) print: Print,
    sum: [u8; 32],
}

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not what was written.
    Damaged,
    /// It is of a version that we do not know.
    Foreign(u8),
}

/// Packs a file.
///
/// # Errors
/// More than a file may hold, or what the compressor says, which is out of memory.
pub(super) fn seal(kind: Kind, seconds: i64, print: &Print, payload: &[u8]) -> io::Result<Vec<u8>> {
    if payload.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let frame = pack(payload)?;
    let print = if has_print(kind) { print.as_slice() } else { &[] };
    let sum = checksum(kind, seconds, print, &frame);
    let time = if has_print(kind) { time(&sum, seconds) } else { seconds.to_le_bytes() };
    Ok([kind.as_slice(), &time, &sum, print, &frame].concat())
}

/// Unpacks a file of this kind, of its version or an older one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn open(kind: Kind, file: &[u8]) -> Result<Sealed, Unreadable> {
    let its: Kind = *file.first_chunk().ok_or(Unreadable::Damaged)?;
    let ([name @ .., newest], [same @ .., version]) = (&kind, &its);
    if name != same {
        return Err(Unreadable::Damaged);
    }
    // The sum of a version to come may lie elsewhere, so this comes first.
    if !(1..=*newest).contains(version) {
        return Err(Unreadable::Foreign(*version));
    }
    let (seconds, frame) = verified(its, file).ok_or(Unreadable::Damaged)?;
    let payload = unpack(frame).ok_or(Unreadable::Damaged)?;
    Ok(Sealed { version: *version, seconds, payload })
}

/// The time of a file and its frame, if they are what was written.
fn verified(kind: Kind, file: &[u8]) -> Option<(i64, &[u8])> {
    if !has_print(kind) {
        let seconds = i64::from_le_bytes(file.get(TIME)?.try_into().ok()?);
        let frame = file.get(SUM.end..)?;
        return (checksum(kind, seconds, &[], frame) == *file.get(SUM)?).then_some((seconds, frame));
    }
    let (head, frame) = (head(kind, file)?, file.get(HEAD..)?);
    (checksum(kind, head.seconds, &head.print, frame) == head.sum).then_some((head.seconds, frame))
}

/// What the beginning of a file of just this version says, if it has a print.
pub(super) fn head(kind: Kind, file: &[u8]) -> Option<Head> {
    let sum = file.get(SUM)?.try_into().ok()?;
    let print = file.get(PRINT)?.try_into().ok()?;
    let its = i64::from_le_bytes(file.get(TIME)?.try_into().ok()?);
    let seconds = its << CHECK >> CHECK;
    let is_whole = has_print(kind) && file.starts_with(&kind) && time(&sum, seconds) == its.to_le_bytes();
    is_whole.then_some(Head { seconds, print, sum })
}

impl Head {
    /// What to put in the place of the time for it to be `seconds`.
    pub(super) fn at(&self, seconds: i64) -> [u8; 8] {
        time(&self.sum, seconds)
    }
}

fn pack(payload: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| match packer {
        Some(packer) => packer.compress(payload),
        None => packer.insert(Compressor::new(LEVEL)?).compress(payload),
    })
}

fn unpack(frame: &[u8]) -> Option<Vec<u8>> {
    // Nothing is set aside for what the frame says: a page is only used once bytes come that fill it.
    let length = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= LARGEST)?;
    UNPACKER.with_borrow_mut(|unpacker| unpacker.decompress(frame, length)).ok()
}

thread_local! {
    /// To make one takes a fifth of the time to unpack a thousand tags.
    static UNPACKER: RefCell<Decompressor<'static>> = RefCell::default();
    /// The same holds for what packs.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn has_print(kind: Kind) -> bool {
    let [name @ .., version] = kind;
    PRINTED.iter().any(|[printed @ .., first]| *printed == name && *first <= version)
}

fn checksum(kind: Kind, seconds: i64, print: &[u8], frame: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(kind);
    if !has_print(kind) {
        hash.update(seconds.to_le_bytes());
    }
    hash.update(print);
    hash.update(frame);
    hash.finalize().into()
}

/// How many bits of the time are its own checksum.
const CHECK: u32 = 24;

/// The time of a file with a print, fit for one word: a reader sees the old one or the new one.
fn time(sum: &[u8; 32], seconds: i64) -> [u8; 8] {
    let seconds = seconds << CHECK >> CHECK;
    let mut hash = Sha256::new();
    hash.update(sum);
    hash.update(seconds.to_le_bytes());
    let [.., a, b, c] = <[u8; 32]>::from(hash.finalize());
    let check = i64::from(u32::from_le_bytes([a, b, c, 0]));
    ((seconds & ((1 << (64 - CHECK)) - 1)) | (check << (64 - CHECK))).to_le_bytes()
}

/// The print of these tags of `name`, `new` among them.
pub(super) fn print(name: &str, tags: &TagList, new: &TagList) -> Print {
    let mut hash = Sha256::new();
    let mut add = |text: &str, ends: &[u32]| {
        let ends: Vec<u8> = ends.iter().flat_map(|end| end.to_le_bytes()).collect();
        hash.update((ends.len() as u64).to_le_bytes());
        hash.update(ends);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(name, &[]);
    for list in [tags, new] {
        let (text, ends) = list.packed();
        add(text, ends);
    }
    let mut print = Print::from(hash.finalize());
    if let Some(count) = print.first_chunk_mut() {
        *count = u32::try_from(tags.len()).unwrap_or(u32::MAX).to_le_bytes();
    }
    print
}

/// How many tags a list with this print has.
pub(super) fn count(print: &Print) -> usize {
    let count = print.first_chunk().map_or(0, |count| u32::from_le_bytes(*count));
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Adds a list of tags, as [`put`] would.
pub(super) fn put_list(payload: &mut Vec<u8>, list: &TagList) {
    let (text, ends) = list.packed();
    payload.reserve(4 + ends.len() * 4 + text.len());
    payload.extend_from_slice(&u32::try_from(ends.len()).unwrap_or(u32::MAX).to_le_bytes());
    let starts = std::iter::once(&0).chain(ends);
    payload.extend(ends.iter().zip(starts).flat_map(|(end, start)| (end - start).to_le_bytes()));
    payload.extend_from_slice(text.as_bytes());
}

/// Adds a list of texts.
pub(super) fn put<'a>(payload: &mut Vec<u8>, texts: impl ExactSizeIterator<Item = &'a str> + Clone) {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    payload.extend_from_slice(&size(texts.len()));
    for text in texts.clone() {
        payload.extend_from_slice(&size(text.len()));
    }
    for text in texts {
        payload.extend_from_slice(text.as_bytes());
    }
}

/// Takes the first list of texts off `payload`; `None` if it is not as long as it says.
pub(super) fn take<'a>(payload: &mut &'a [u8]) -> Option<Vec<&'a str>> {
    let count = take_size(payload)?;
    let (lengths, mut rest) = payload.split_at_checked(count.checked_mul(4)?)?;
    let mut texts = Vec::with_capacity(count);
    for mut length in lengths.chunks_exact(4) {
        let (text, after) = rest.split_at_checked(take_size(&mut length)?)?;
        texts.push(std::str::from_utf8(text).ok()?);
        rest = after;
    }
    *payload = rest;
    Some(texts)
}

/// Takes the first list of texts off `payload`, as [`take`], packed as it lies there.
pub(super) fn take_list(payload: &mut &[u8]) -> Option<TagList> {
    let count = take_size(payload)?;
    let (lengths, rest) = payload.split_at_checked(count.checked_mul(4)?)?;
    let lengths = lengths.as_chunks::<4>().0.iter().map(|length| u32::from_le_bytes(*length));
    let whole: u64 = lengths.clone().map(u64::from).sum();
    let (text, rest) = rest.split_at_checked(usize::try_from(whole).ok()?)?;
    let list = TagList::from_packed(std::str::from_utf8(text).ok()?, lengths)?;
    *payload = rest;
    Some(list)
}

fn take_size(bytes: &mut &[u8]) -> Option<usize> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*size)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = *b"SCTEST\0\x02";
    const LISTS: Kind = *b"SCTAGS\0\x02";

    #[test]
    fn a_file_with_any_changed_byte_is_refused() {
        let mut payload = Vec::new();
        put(&mut payload, ["a", "bc"].into_iter());
        for kind in [KIND, LISTS] {
            let file = seal(kind, 7, &[9; 32], &payload).unwrap();
            assert_eq!(open(kind, &file), Ok(Sealed { version: 2, seconds: 7, payload: payload.clone() }));
            for at in 0..file.len() {
                let mut damaged = file.clone();
                damaged[at] ^= 1;
                // The version is the one byte whose change may be no damage.
                let expected = if at == 7 { Unreadable::Foreign(3) } else { Unreadable::Damaged };
                assert_eq!(open(kind, &damaged), Err(expected), "byte {at}");
            }
            for length in 0..file.len() {
                assert_eq!(open(kind, &file[..length]), Err(Unreadable::Damaged), "{length} bytes");
            }
            assert_eq!(open(*b"SCOTHER\x02", &file), Err(Unreadable::Damaged));
        }
    }

    #[test]
    fn older_versions_are_read_and_newer_ones_are_not() {
        let file = |version: u8| {
            seal([b"SCTEST\0".as_slice(), &[version]].concat().try_into().unwrap(), 7, &NO_PRINT, b"x")
        };
        let read = |version| open(KIND, &file(version).unwrap()).map(|sealed| sealed.version);
        assert_eq!([read(0), read(1), read(2)], [Err(Unreadable::Foreign(0)), Ok(1), Ok(2)]);
        assert_eq!(read(3), Err(Unreadable::Foreign(3)));
    }

    #[test]
    fn a_file_from_before_there_were_prints_is_read() {
        let old = seal(*b"SCTAGS\0\x01", 7, &[9; 32], b"x").unwrap();
        assert_eq!(open(LISTS, &old), Ok(Sealed { version: 1, seconds: 7, payload: b"x".to_vec() }));
        assert_eq!(head(LISTS, &old), None);
        assert_eq!(old[TIME], 7_i64.to_le_bytes());
    }

    #[test]
    fn lists_that_differ_in_anything_have_other_prints() {
        let list = |tags: &[&str]| tags.iter().collect::<TagList>();
        let (one, none) = (list(&["ab", "c"]), TagList::default());
        let known = print("r/a", &one, &none);
        assert_eq!((count(&known), known), (2, print("r/a", &one, &none)));
        for (name, tags, new) in [
            ("r/b", &one, &none),
            ("r/a", &list(&["abc"]), &none),
            ("r/a", &list(&["a", "bc"]), &none),
            ("r/a", &list(&["ab", "c", "c"]), &none),
            ("r/a", &one, &list(&["c"])),
            ("r/a", &none, &one),
        ] {
            assert_ne!(print(name, tags, new), known, "{tags:?} {new:?}");
        }
        assert_ne!(print("r/a", &none, &none), NO_PRINT);
    }

    /// A file whose checksum is right, whatever its body is.
    fn forged(body: &[u8]) -> Vec<u8> {
        let sum = checksum(KIND, 7, &[], body);
        [KIND.as_slice(), &7_i64.to_le_bytes(), &sum, body].concat()
    }

    #[test]
    fn a_frame_that_says_it_is_huge_is_refused_before_it_is_unpacked() {
        let mut frame = zstd::bulk::compress(&vec![0; 1 << 20], LEVEL).unwrap();
        assert!(open(KIND, &forged(&frame)).is_ok());
        // Magic, descriptor (four bytes of size, not one segment), window, the size: here 4 GiB less one.
        assert_eq!(frame[4] >> 5, 0b100, "the frame's header is of another form");
        frame[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(open(KIND, &forged(&frame)), Err(Unreadable::Damaged));
    }

    proptest::proptest! {
        #[test]
        fn lists_come_back_as_they_went(one: Vec<String>, two: Vec<String>) {
            let mut payload = Vec::new();
            put(&mut payload, one.iter().map(String::as_str));
            put(&mut payload, two.iter().map(String::as_str));
            let mut rest = payload.as_slice();
            proptest::prop_assert_eq!(take_list(&mut rest).unwrap(), one.iter().collect());
            let mut rest = payload.as_slice();
            proptest::prop_assert_eq!(take(&mut rest).unwrap(), one);
            proptest::prop_assert_eq!(take(&mut rest).unwrap(), two);
            proptest::prop_assert!(rest.is_empty());
        }

        #[test]
        fn a_list_is_packed_as_its_texts_are(texts: Vec<String>) {
            let list: TagList = texts.iter().collect();
            let (mut one, mut two) = (Vec::new(), Vec::new());
            put(&mut one, list.iter());
            put_list(&mut two, &list);
            proptest::prop_assert_eq!(one, two);
        }

        #[test]
        fn a_file_is_given_another_time(first in -(1_i64 << 39)..1 << 39, then in -(1_i64 << 39)..1 << 39) {
            let mut file = seal(LISTS, first, &[9; 32], b"x").unwrap();
            let known = head(LISTS, &file).unwrap();
            proptest::prop_assert_eq!((known.seconds, known.print), (first, [9; 32]));
            file[TIME].copy_from_slice(&known.at(then));
            proptest::prop_assert_eq!(open(LISTS, &file).unwrap().seconds, then);
        }

        #[test]
        fn no_payload_is_a_panic(bytes: Vec<u8>) {
            let texts = take(&mut bytes.as_slice()).map(TagList::from_unsorted);
            proptest::prop_assert_eq!(take_list(&mut bytes.as_slice()), texts);
        }

        #[test]
        fn no_body_with_a_right_checksum_is_a_panic(body: Vec<u8>) {
            let magic = [0x28, 0xb5, 0x2f, 0xfd];
            let _ = open(KIND, &forged(&body));
            let _ = open(KIND, &forged(&[magic.as_slice(), &body].concat()));
        }
    }
}
