//! The form of a checksummed file: what it is, since when, a SHA-256, and packed lists of texts.
//!
//! ```text
//! 8 bytes   kind and version        SCTAGS\0\1
//! 8 bytes   seconds since 1970, little-endian
//! 32 bytes  SHA-256 of all other bytes
//! the rest  one zstd frame of lists; a list is: count, lengths (32 bit, little-endian), then the texts
//! ```

use sha2::{Digest, Sha256};

/// Quick to write; the lists shrink to a third or less.
const LEVEL: i32 = 1;
const HEAD: usize = 16;
const BODY: usize = HEAD + 32;

/// A file's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) seconds: i64,
    pub(super) payload: Vec<u8>,
}

/// Packs a file.
///
/// # Errors
/// What the compressor says, which is out of memory.
pub(super) fn seal(kind: [u8; 8], seconds: i64, payload: &[u8]) -> std::io::Result<Vec<u8>> {
    let body = zstd::bulk::compress(payload, LEVEL)?;
    let mut file = Vec::with_capacity(BODY + body.len());
    file.extend_from_slice(&kind);
    file.extend_from_slice(&seconds.to_le_bytes());
    let mut hash = Sha256::new();
    hash.update(&file);
    hash.update(&body);
    file.extend_from_slice(&hash.finalize());
    file.extend_from_slice(&body);
    Ok(file)
}

/// Unpacks a file; `None` if it is of another kind or damaged.
pub(super) fn open(kind: [u8; 8], file: &[u8]) -> Option<Sealed> {
    let (head, rest) = file.split_at_checked(HEAD)?;
    let (sum, body) = rest.split_at_checked(BODY - HEAD)?;
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update(body);
    if !head.starts_with(&kind) || hash.finalize().as_slice() != sum {
        return None;
    }
    let seconds = i64::from_le_bytes(head.get(8..)?.try_into().ok()?);
    Some(Sealed { seconds, payload: zstd::stream::decode_all(body).ok()? })
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

fn take_size(bytes: &mut &[u8]) -> Option<usize> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*size)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: [u8; 8] = *b"SCTEST\0\x01";

    #[test]
    fn a_file_with_any_changed_byte_is_refused() {
        let mut payload = Vec::new();
        put(&mut payload, ["a", "bc"].into_iter());
        let file = seal(KIND, 7, &payload).unwrap();
        assert_eq!(open(KIND, &file), Some(Sealed { seconds: 7, payload }));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(open(KIND, &damaged), None, "byte {at}");
        }
        assert_eq!(open(KIND, &file[..file.len() - 1]), None);
        assert_eq!(open(*b"SCOTHER\x01", &file), None);
    }

    proptest::proptest! {
        #[test]
        fn lists_come_back_as_they_went(one: Vec<String>, two: Vec<String>) {
            let mut payload = Vec::new();
            put(&mut payload, one.iter().map(String::as_str));
            put(&mut payload, two.iter().map(String::as_str));
            let mut rest = payload.as_slice();
            proptest::prop_assert_eq!(take(&mut rest).unwrap(), one);
            proptest::prop_assert_eq!(take(&mut rest).unwrap(), two);
            proptest::prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_payload_is_a_panic(bytes: Vec<u8>) {
            let _ = take(&mut bytes.as_slice());
        }
    }
}
