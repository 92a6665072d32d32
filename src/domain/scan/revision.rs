//! What the controller writes down of a scan: the first tags, and a checksum of all of them.

use std::fmt::Write as _;

use crate::domain::tags::TagList;

/// The first ten of the kept tags in descending byte order: `status.lastScanResult.latestTags`.
pub fn latest_tags(tags: &TagList) -> Vec<&str> {
    tags.iter().take(10).collect()
}

/// `status.lastScanResult.revision`: the Adler-32 checksum, in decimal, of the kept tags as compact JSON.
///
/// `tags` come in the order in which they are stored, which is descending by bytes.
///
/// Source: fluxcd/image-reflector-controller, `internal/database/badger.go`.
pub fn revision<'a>(tags: impl IntoIterator<Item = &'a str>) -> String {
    let mut sum = Adler32::default();
    sum.add(b"[");
    for (index, tag) in tags.into_iter().enumerate() {
        if index > 0 {
            sum.add(b",");
        }
        if tag.bytes().fold(true, |all, byte| all & is_plain(byte)) {
            sum.add(b"\"");
            sum.add(tag.as_bytes());
            sum.add(b"\"");
        } else {
            let mut json = String::new();
            push_go_json(&mut json, tag);
            sum.add(json.as_bytes());
        }
    }
    sum.add(b"]");
    sum.value().to_string()
}

/// Whether JSON has the byte as it is, whatever stands around it. All that a tag may consist of is plain.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// Appends `text` as a JSON string in the spelling of Go's `encoding/json`, which also escapes `<`, `>` and `&`.
fn push_go_json(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

/// The checksum of RFC 1950, section 8.2, of what comes piece by piece.
struct Adler32 {
    low: u32,
    high: u32,
    /// Bytes since both sums were last reduced.
    run: usize,
}

impl Default for Adler32 {
    fn default() -> Self {
        Self { low: 1, high: 0, run: 0 }
    }
}

impl Adler32 {
    /// The longest run after which neither sum can have overflowed.
    const LONGEST_RUN: usize = 5552;

    fn add(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(Self::LONGEST_RUN) {
            if self.run + piece.len() > Self::LONGEST_RUN {
                self.reduce();
            }
            // No byte waits for the one before: so the loop becomes vector instructions.
            let length = u32::try_from(piece.len()).unwrap_or_default();
            let (mut sum, mut weighted) = (0, 0);
            for (weight, byte) in (1..=length).rev().zip(piece) {
                sum += u32::from(*byte);
                weighted += weight * u32::from(*byte);
            }
            self.high += length * self.low + weighted;
            self.low += sum;
            self.run += piece.len();
        }
    }

    fn reduce(&mut self) {
        self.low %= 65_521;
        self.high %= 65_521;
        self.run = 0;
    }

    fn value(mut self) -> u32 {
        self.reduce();
        self.high << 16 | self.low
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn adler32(text: &str) -> u32 {
        let mut sum = Adler32::default();
        sum.add(text.as_bytes());
        sum.value()
    }

    #[test]
    fn no_sum_overflows_however_long_the_list_is() {
        // By zlib: `zlib.adler32(b"\xff" * 1_000_000)` and `zlib.adler32(b"Wikipedia")`.
        let mut sum = Adler32::default();
        [0xff_u8; 1000].chunks(7).cycle().take(143 * 1000).for_each(|piece| sum.add(piece));
        assert_eq!(sum.value(), 943_972_798);
        assert_eq!(adler32("Wikipedia"), 300_286_872);
    }

    proptest! {
        #[test]
        fn a_revision_is_the_checksum_of_what_a_json_writer_makes(tags in prop::collection::vec("[a-z0-9._-]{0,12}", 0..20)) {
            let json = serde_json::to_string(&tags).unwrap();
            let expected = adler32(&json).to_string();
            prop_assert_eq!(revision(tags.iter().map(String::as_str)), expected);
        }

        #[test]
        fn no_text_upsets_it(text in any::<String>()) {
            prop_assert!(revision([text.as_str()]).parse::<u32>().is_ok());
        }
    }
}
