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
    let mut json = String::from("[");
    for (index, tag) in tags.into_iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_go_json(&mut json, tag);
    }
    json.push(']');
    adler32(json.as_bytes()).to_string()
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

/// The checksum of RFC 1950, section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // 5552 is the longest run after which neither sum can have overflowed.
    for run in bytes.chunks(5552) {
        for byte in run {
            low += u32::from(*byte);
            high += low;
        }
        low %= 65_521;
        high %= 65_521;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_revision_is_the_checksum_of_what_a_json_writer_makes(tags in prop::collection::vec("[a-z0-9._-]{0,12}", 0..20)) {
            let json = serde_json::to_string(&tags).unwrap();
            let expected = adler32(json.as_bytes()).to_string();
            prop_assert_eq!(revision(tags.iter().map(String::as_str)), expected);
        }

        #[test]
        fn no_text_upsets_it(text in any::<String>()) {
            prop_assert!(revision([text.as_str()]).parse::<u32>().is_ok());
        }
    }
}
