//! The form of a checksummed file: what it is, in which version, since when, a SHA-256, and packed lists of texts.
//!
//! ```text
//! 8 bytes   kind, and its version in the last byte: SCTAGS\0\1
//! 8 bytes   seconds since 1970, little-endian
//! 32 bytes  SHA-256 of all other bytes
//! the rest  one zstd frame of lists; a list is: count, lengths (32 bit, little-endian), then the texts
//! ```

use std::io;

use sha2::{Digest, Sha256};

use crate::domain::tags::TagList;

/// Quick to write; the lists shrink to a third or less.
const LEVEL: i32 = 1;
const HEAD: usize = 16;
const BODY: usize = HEAD + 32;

/// What is packed in one file at most, in bytes: ten million tags. A file that says it holds more is damaged.
const LARGEST: usize = 256 << 20;

/// A kind of file: seven bytes of name, and the newest version that we read and the one that we write.
pub(super) type Kind = [u8; 8];

/// A file's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) version: u8,
    pub(super) seconds: i64,
    pub(super) payload: Vec<u8>,
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
pub(super) fn seal(kind: Kind, seconds: i64, payload: &[u8]) -> io::Result<Vec<u8>> {
    if payload.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let body = zstd::bulk::compress(payload, LEVEL)?;
    let mut file = Vec::with_capacity(BODY + body.len());
    file.extend_from_slice(&kind);
    file.extend_from_slice(&seconds.to_le_bytes());
    let sum = checksum(&file, &body);
    file.extend_from_slice(&sum);
    file.extend_from_slice(&body);
    Ok(file)
}

/// Unpacks a file of this kind, of its version or an older one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn open(kind: Kind, file: &[u8]) -> Result<Sealed, Unreadable> {
    let (head, rest) = file.split_at_checked(HEAD).ok_or(Unreadable::Damaged)?;
    let ([name @ .., newest], [its @ .., version]) = (&kind, first_eight(head));
    if *name != its {
        return Err(Unreadable::Damaged);
    }
    // The sum of a version to come may lie elsewhere, so this comes first.
    if !(1..=*newest).contains(&version) {
        return Err(Unreadable::Foreign(version));
    }
    let content = unpack(head, rest).ok_or(Unreadable::Damaged)?;
    Ok(Sealed { version, ..content })
}

fn unpack(head: &[u8], rest: &[u8]) -> Option<Sealed> {
    let (sum, body) = rest.split_at_checked(BODY - HEAD)?;
    if checksum(head, body) != sum {
        return None;
    }
    let seconds = i64::from_le_bytes(head.get(8..)?.try_into().ok()?);
    // Nothing is set aside for what the frame says: a page is only used once bytes come that fill it.
    let length = zstd::zstd_safe::get_frame_content_size(body).ok().flatten()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= LARGEST)?;
    Some(Sealed { version: 0, seconds, payload: zstd::bulk::decompress(body, length).ok()? })
}

fn checksum(head: &[u8], body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update(body);
    hash.finalize().into()
}

fn first_eight(head: &[u8]) -> Kind {
    head.first_chunk().copied().unwrap_or_default()
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

    #[test]
    fn a_file_with_any_changed_byte_is_refused() {
        let mut payload = Vec::new();
        put(&mut payload, ["a", "bc"].into_iter());
        let file = seal(KIND, 7, &payload).unwrap();
        assert_eq!(open(KIND, &file), Ok(Sealed { version: 2, seconds: 7, payload }));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            // The version is the one byte whose change may be no damage.
            let expected = if at == 7 { Unreadable::Foreign(3) } else { Unreadable::Damaged };
            assert_eq!(open(KIND, &damaged), Err(expected), "byte {at}");
        }
        for length in 0..file.len() {
            assert_eq!(open(KIND, &file[..length]), Err(Unreadable::Damaged), "{length} bytes");
        }
        assert_eq!(open(*b"SCOTHER\x02", &file), Err(Unreadable::Damaged));
    }

    #[test]
    fn older_versions_are_read_and_newer_ones_are_not() {
        let file =
            |version: u8| seal([b"SCTEST\0".as_slice(), &[version]].concat().try_into().unwrap(), 7, b"x");
        let read = |version| open(KIND, &file(version).unwrap()).map(|sealed| sealed.version);
        assert_eq!([read(0), read(1), read(2)], [Err(Unreadable::Foreign(0)), Ok(1), Ok(2)]);
        assert_eq!(read(3), Err(Unreadable::Foreign(3)));
    }

    /// A file whose checksum is right, whatever its body is.
    fn forged(body: &[u8]) -> Vec<u8> {
        let head = [KIND.as_slice(), &7_i64.to_le_bytes()].concat();
        let sum = checksum(&head, body);
        [head.as_slice(), &sum, body].concat()
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
