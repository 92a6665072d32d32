//! Where Flux cuts a file into documents, before any YAML parser sees it.
//!
//! Flux cuts at each line that starts with `---` (the first line excepted) and reads the first YAML document of each
//! piece. So a file that one reader would call valid can be a problem file for Flux, and what follows a `...` line is
//! not looked at. We cut in the same places; that also lets an edited file be checked piece by piece.
//!
//! Source: `kubernetes-sigs/kustomize:kyaml/kio/byteio_reader.go`, `splitDocuments`.

use std::ops::Range;

use memchr::memmem;

use super::YamlError;

/// The byte ranges of the pieces, in order; at least one.
///
/// # Errors
/// A separator line with anything but a comment behind its `---`.
pub(super) fn split(text: &str) -> Result<Vec<Range<usize>>, YamlError> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    // A separator takes the line end before it and its own, so of two in a row the second is content. Flux gives the
    // former back to what stands before it.
    while let Some(at) = memmem::find(bytes.get(from..).unwrap_or_default(), b"\n---").map(|at| from + at) {
        let rest = bytes.get(at + 4..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', rest) else { break };
        let behind = text.get(at + 4..at + 4 + length).unwrap_or_default().trim();
        if !behind.is_empty() && !behind.starts_with('#') {
            let message = format!("invalid document separator: ---{behind}");
            return Err(YamlError { line: line_of(text, at + 1), column: 1, message });
        }
        parts.push(start..at + 1);
        start = at + 4 + length + 1;
        from = start;
    }
    parts.push(start..bytes.len());
    Ok(parts)
}

/// The line, from 1, on which the byte at `offset` stands.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', text.as_bytes().get(..offset).unwrap_or_default()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        split(text).unwrap().into_iter().map(|part| text.get(part).unwrap()).collect()
    }

    #[test]
    fn every_line_that_starts_with_three_dashes_separates_but_the_first_and_an_unfinished_last() {
        assert_eq!(pieces("a"), ["a"]);
        assert_eq!(pieces("---\na\n---\nb\n"), ["---\na\n", "b\n"]);
        assert_eq!(pieces("a\n---"), ["a\n---"]);
        assert_eq!(pieces("a\n--- # x\n---\nb"), ["a\n", "---\nb"]);
        assert_eq!(pieces("a\r\n---\r\nb"), ["a\r\n", "b"]);
        assert!(split("a\n----\nb").is_err());
    }
}
