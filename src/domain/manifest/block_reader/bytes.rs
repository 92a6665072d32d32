//! Searches in short stretches of bytes, eight at a time: lines are too short for the start of a vectorised search to pay.

/// How many blanks `line` begins with.
#[inline]
pub(super) fn blanks(line: &[u8]) -> usize {
    first(line, |eight| eight ^ all(b' '), |byte| byte != b' ').unwrap_or(line.len())
}

/// The place of the first line feed.
#[inline]
pub(super) fn line_feed(text: &[u8]) -> Option<usize> {
    /// From here on the line is long.
    const LONG: usize = 64;
    let near = text.get(..LONG).unwrap_or(text);
    let place = first(near, |eight| zeros(eight ^ all(b'\n')), |byte| byte == b'\n');
    place.or_else(|| Some(near.len() + memchr::memchr(b'\n', text.get(near.len()..)?)?))
}

/// How many bytes come before the first colon, hash sign, tab or line feed.
#[inline]
pub(super) fn unremarkable(text: &[u8]) -> usize {
    let marks = |eight| {
        let (colons, hashes) = (zeros(eight ^ all(b':')), zeros(eight ^ all(b'#')));
        colons | hashes | zeros(eight ^ all(b'\t')) | zeros(eight ^ all(b'\n'))
    };
    first(text, marks, |byte| matches!(byte, b':' | b'#' | b'\t' | b'\n')).unwrap_or(text.len())
}

/// How many bytes come before the first `quote`, backslash or line feed.
#[inline]
pub(super) fn unquoted(text: &[u8], quote: u8) -> usize {
    let marks = |eight| zeros(eight ^ all(quote)) | zeros(eight ^ all(b'\\')) | zeros(eight ^ all(b'\n'));
    first(text, marks, |byte| byte == quote || matches!(byte, b'\\' | b'\n')).unwrap_or(text.len())
}

/// The place of the first byte for which `is_hit`; of eight bytes, `hits` has its lowest bit in the first such one.
#[inline]
fn first(bytes: &[u8], hits: impl Fn(u64) -> u64, is_hit: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = bytes;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let found = hits(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    Some(bytes.len() - rest.len() + rest.iter().position(|byte| is_hit(*byte))?)
}

/// Eight times the same byte.
#[inline]
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of the first zero byte, counted from the lowest, and perhaps of some behind it.
#[inline]
const fn zeros(eight: u64) -> u64 {
    eight.wrapping_sub(all(1)) & !eight & all(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_finds_what_a_look_at_each_byte_finds(text in "[ \\t\n:#a\u{e9}]{0,90}", blank in 0_usize..40) {
            let text = format!("{}{text}", " ".repeat(blank));
            let bytes = text.as_bytes();
            let place = |is_hit: fn(u8) -> bool| bytes.iter().position(|byte| is_hit(*byte));
            prop_assert_eq!(blanks(bytes), place(|byte| byte != b' ').unwrap_or(bytes.len()));
            prop_assert_eq!(line_feed(bytes), place(|byte| byte == b'\n'));
            prop_assert_eq!(unremarkable(bytes), place(|byte| b":#\t\n".contains(&byte)).unwrap_or(bytes.len()));
            prop_assert_eq!(unquoted(bytes, b'a'), place(|byte| b"a\\\n".contains(&byte)).unwrap_or(bytes.len()));
        }
    }
}
