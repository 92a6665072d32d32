//! Texts quoted as Go quotes them.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::goregex::KNOWN;

/// What Go prints as it is: letters, marks, numbers, punctuation, symbols.
static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"^[[\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}}]&&{KNOWN}]$")).ok());

/// `text` in double quotes, as Go's `%q` has it.
///
/// Source: golang/go, `src/strconv/quote.go`.
pub(in crate::domain) fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        let plain = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            other => {
                push_quoted(&mut quoted, other);
                continue;
            }
        };
        quoted.push_str(plain);
    }
    quoted.push('"');
    quoted
}

/// Writing to a string cannot fail, so the results of `write!` are dropped.
fn push_quoted(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let is_printable = |text: &str| PRINTABLE.as_ref().is_some_and(|regex| regex.is_match(text));
    if matches!(code, 0x20..=0x7e) || (code > 0x7f && is_printable(character.encode_utf8(&mut [0; 4]))) {
        quoted.push(character);
        return;
    }
    let _ = match code {
        0..=0x7f => write!(quoted, "\\x{code:02x}"),
        0x80..=0xffff => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, quoted) in [
            ("a\"b\\", r#""a\"b\\""#),
            ("\t\n\u{b}\u{1b}\u{7f}", r#""\t\n\v\x1b\x7f""#),
            ("\u{a0}é€\u{200b}", r#""\u00a0é€\u200b""#),
            ("\u{10ffff}", r#""\U0010ffff""#),
        ] {
            assert_eq!(go_quote(text), quoted);
        }
    }
}
