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
    text.chars().for_each(|character| push_escaped(&mut quoted, character, '"'));
    quoted.push('"');
    quoted
}

/// One character as it stands between two of `mark`.
pub(in crate::domain) fn escape(character: char, mark: char) -> String {
    let mut escaped = String::new();
    push_escaped(&mut escaped, character, mark);
    escaped
}

/// What was quoted, as `%+q` has it: each character beyond ASCII escaped.
pub(in crate::domain) fn in_ascii(quoted: &str) -> String {
    let mut escaped = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        let code = u32::from(character);
        let _ = match code {
            0..0x80 => escaped.write_char(character),
            0x80..0x1_0000 => write!(escaped, "\\u{code:04x}"),
            _ => write!(escaped, "\\U{code:08x}"),
        };
    }
    escaped
}

/// Whether Go prints the character as it is.
pub(in crate::domain) fn is_print(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    PRINTABLE.as_ref().is_some_and(|regex| regex.is_match(character.encode_utf8(&mut [0; 4])))
}

fn push_escaped(quoted: &mut String, character: char, mark: char) {
    let named = match character {
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{b}' => 'v',
        '\\' => '\\',
        other if other == mark => mark,
        other => return push_unnamed(quoted, other),
    };
    quoted.extend(['\\', named]);
}

/// Writing to a string cannot fail, so the results of `write!` are dropped.
fn push_unnamed(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let _ = match code {
        _ if is_print(character) => quoted.write_char(character),
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
