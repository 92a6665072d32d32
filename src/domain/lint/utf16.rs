//! Files in UTF-16, as some editors save them: Flux looks for the bytes of a marker, and there are none.

use std::borrow::Cow;

use crate::domain::manifest::YamlError;

/// The bytes as UTF-8, owned where a byte order mark says that they are UTF-16. What is none of that becomes U+FFFD.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        // The mark of UTF-32.
        [0xff, 0xfe, 0, 0, ..] => Cow::Borrowed(bytes),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(read(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(read(rest, u16::from_be_bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

fn read(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let (pairs, _odd) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units).into_bytes()
}

/// What is wrong with such a file.
pub(super) fn error() -> YamlError {
    let message = "the file is in UTF-16, and only UTF-8 is read: save it as that".to_owned();
    YamlError { line: 1, column: 1, message }
}
