//! Functions that break and shorten texts by bytes, encode them in Base32, and sum them up with SHA-1.
//!
//! Source: Masterminds/goutils v1.1.1, wordutils.go, stringutils.go; golang/go:src/encoding/base32; FIPS 180-4.

use super::super::format::MAX_TEXT;
use super::Param::{Int, Text};
use super::text::{answer, bytes_of, hex, utf8};
use super::{Function, int, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("wrap", &[Int, Text], |v| answer(wrapped(text(v, 1), int(v, 0), "\n", false))),
    Function::fixed("wrapWith", &[Int, Text, Text], |v| {
        let end = if text(v, 1).is_empty() { "\n" } else { text(v, 1) };
        answer(wrapped(text(v, 2), int(v, 0), end, true))
    }),
    Function::fixed("abbrev", &[Int, Text], |v| answer(abbreviated(text(v, 1), 0, int(v, 0)))),
    Function::fixed("abbrevboth", &[Int, Int, Text], |v| {
        answer(abbreviated(text(v, 2), int(v, 0), int(v, 1)))
    }),
    Function::fixed("b32enc", &[Text], |v| answer(base32(text(v, 0).as_bytes()))),
    Function::fixed("b32dec", &[Text], |v| match from_base32(text(v, 0)) {
        Ok(bytes) => answer(utf8(&bytes)),
        Err(at) => answer(format!("illegal base32 data at input byte {at}")),
    }),
    Function::fixed("sha1sum", &[Text], |v| answer(hex(&sha1(text(v, 0).as_bytes())))),
];

/// The text in lines of at most `length` bytes, broken at blanks; longer words are broken too if `words` says so.
fn wrapped(text: &str, length: i64, end: &str, words: bool) -> String {
    let length = usize::try_from(length).unwrap_or(0).max(1);
    let bytes = text.as_bytes();
    let blank =
        |from: usize| bytes.get(from..).and_then(|rest| memchr::memchr(b' ', rest)).map(|at| from + at);
    let (mut out, mut at) = (String::new(), 0);
    while bytes.len() - at > length && out.len() <= MAX_TEXT {
        let line = bytes.get(at..=at + length).unwrap_or_default();
        let (stop, next) = match memchr::memrchr(b' ', line) {
            Some(0) => {
                at += 1;
                continue;
            }
            Some(last) if line.first() != Some(&b' ') => (at + last, at + last + 1),
            Some(_) => {
                at += 1;
                continue;
            }
            None if words => (at + length, at + length),
            None => match blank(at + length) {
                Some(stop) => (stop, stop + 1),
                None => (bytes.len(), bytes.len()),
            },
        };
        out.push_str(&bytes_of(text, at, stop));
        if stop < bytes.len() {
            out.push_str(end);
        }
        at = next;
    }
    out.push_str(&bytes_of(text, at, bytes.len()));
    out
}

/// `AbbreviateFull`: at most `width` bytes, dots for what is left out before `offset` and at the end.
fn abbreviated(text: &str, offset: i64, width: i64) -> String {
    let Some(width) = usize::try_from(width).ok().filter(|width| *width >= 4 && (offset <= 0 || *width >= 7))
    else {
        return text.to_owned();
    };
    let length = text.len();
    if length <= width {
        return text.to_owned();
    }
    let offset = usize::try_from(offset).unwrap_or(0).min(length).min(length + 3 - width);
    if offset <= 4 {
        return format!("{}...", bytes_of(text, 0, width - 3));
    }
    if width < 7 {
        return String::new();
    }
    if offset + width - 3 >= length {
        return format!("...{}", bytes_of(text, length + 3 - width, length));
    }
    format!("...{}...", bytes_of(text, offset, offset + width - 6))
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let bits =
            group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
        for place in 0..8_usize {
            let digit = (bits >> (35 - 5 * place) & 31) as usize;
            let used = place * 5 < group.len() * 8;
            out.push(if used { ALPHABET.get(digit).map_or('=', |letter| char::from(*letter)) } else { '=' });
        }
    }
    out
}

/// The bytes, or the position of what is wrong, line ends not counted.
fn from_base32(text: &str) -> Result<Vec<u8>, usize> {
    let text: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let (mut bits, mut letters) = (0_u64, 0);
        while letters < 8 {
            let Some(&byte) = text.get(at) else { return Err(at - letters) };
            at += 1;
            if byte == b'=' && letters >= 2 && text.len() - at < 8 {
                padded(&text, at, letters)?;
                out.extend(take(bits << (5 * (8 - letters)), letters));
                return Ok(out);
            }
            let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(at - 1)?;
            bits = bits << 5 | digit as u64;
            letters += 1;
        }
        out.extend(take(bits, 8));
    }
    Ok(out)
}

/// Whether padding, whose first sign stands before `at`, is what has to follow so many letters.
fn padded(text: &[u8], at: usize, letters: usize) -> Result<(), usize> {
    if text.len() - at + letters < 7 {
        return Err(text.len());
    }
    for more in 0..7 - letters {
        if text.get(at + more) != Some(&b'=') {
            return Err(at + more - 1);
        }
    }
    if matches!(letters, 1 | 3 | 6) { Err(at - 1) } else { Ok(()) }
}

/// The bytes that so many letters carry.
fn take(bits: u64, letters: usize) -> impl Iterator<Item = u8> {
    let count = letters * 5 / 8;
    bits.to_be_bytes().into_iter().skip(3).take(count)
}

fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    // The length fills the last eight bytes of a block.
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.as_chunks::<64>().0 {
        mix(&mut state, block);
    }
    let mut sum = [0; 20];
    for (bytes, word) in sum.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    sum
}

fn mix(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words: Vec<u32> =
        block.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect();
    for at in 16..80 {
        let back = |steps: usize| words.get(at - steps).copied().unwrap_or(0);
        words.push((back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1));
    }
    // The standard calls them a to e.
    let mut turned = *state;
    for (round, word) in words.into_iter().enumerate() {
        let [first, x, y, z, last] = turned;
        let (mixed, constant) = match round / 20 {
            0 => (x & y | !x & z, 0x5a82_7999),
            1 => (x ^ y ^ z, 0x6ed9_eba1),
            2 => (x & y | x & z | y & z, 0x8f1b_bcdc),
            _ => (x ^ y ^ z, 0xca62_c1d6_u32),
        };
        let added = mixed.wrapping_add(last).wrapping_add(constant).wrapping_add(word);
        turned = [first.rotate_left(5).wrapping_add(added), first, x.rotate_left(30), y, z];
    }
    for (own, new) in state.iter_mut().zip(turned) {
        *own = own.wrapping_add(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(&sha1(&[b'a'; 119])), "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
    }

    #[test]
    fn base_32_comes_back() {
        for length in 0..20 {
            let bytes: Vec<u8> = (200..200 + length).collect();
            assert_eq!(from_base32(&base32(&bytes)).unwrap(), bytes);
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI======");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrapped("one two  three four", 7, "\n", false), "one two\nthree\nfour");
        assert_eq!(wrapped("abcdefgh ij", 3, "|", true), "abc|def|gh|ij");
        assert_eq!(wrapped("abcdefgh ij", 3, "\n", false), "abcdefgh\nij");
        assert_eq!(abbreviated("1234 5678 9123", 5, 10), "...5678...");
        assert_eq!(abbreviated("1234 5678 9123", 0, 10), "1234 56...");
    }
}
