//! How a text is written as a YAML scalar, so that every reader takes it for that string.

/// Whether some YAML reader, 1.1 or 1.2, takes the plain scalar `text` for anything but that string: a number, a boolean,
/// a null, a date, or no scalar at all.
pub(super) fn needs_quotes(text: &str) -> bool {
    is_special_word(text) || is_number(text) || is_date(text) || !is_plain(text)
}

/// The single-quoted form; `text` has no line break.
pub(super) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The double-quoted form; `text` has no control character.
pub(super) fn double_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a scalar can be written on one line without escapes.
pub(super) fn is_writable(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
    })
}

/// The words for null, the booleans of YAML 1.1, merge and default keys.
fn is_special_word(text: &str) -> bool {
    const LOWER: [&str; 9] = ["null", "y", "yes", "n", "no", "true", "false", "on", "off"];
    if matches!(text, "" | "~" | "<<" | "=") {
        return true;
    }
    // Some readers take `yEs` too; a tag with such a name is no loss to quote.
    text.len() <= 5 && LOWER.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    is_based(body) || is_decimal(body) || is_sexagesimal(body) || is_infinite(body)
}

/// `0b1`, `0o17`, `0xff`, with underscores.
fn is_based(body: &str) -> bool {
    let Some((base, digits)) = body.strip_prefix('0').and_then(|rest| rest.split_at_checked(1)) else {
        return false;
    };
    let is_digit: fn(u8) -> bool = match base {
        "b" | "B" => |byte| matches!(byte, b'0' | b'1' | b'_'),
        "o" | "O" => |byte| matches!(byte, b'0'..=b'7' | b'_'),
        "x" | "X" => |byte| byte.is_ascii_hexdigit() || byte == b'_',
        _ => return false,
    };
    !digits.is_empty() && digits.bytes().all(is_digit)
}

/// Digits with at most one point and an exponent; underscores anywhere but first.
fn is_decimal(body: &str) -> bool {
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let has_digit = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    let signless = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    has_digit
        && !whole.starts_with('_')
        && digits(whole)
        && digits(fraction)
        && signless.is_none_or(|text| !text.is_empty() && digits(text))
}

/// YAML 1.1's base sixty: `190:20:30`, `190:20:30.15`.
fn is_sexagesimal(body: &str) -> bool {
    let mut groups = body.split(':');
    let digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let first = groups.next().is_some_and(digits);
    let mut rest = groups.peekable();
    first
        && rest.peek().is_some()
        && rest.all(|group| digits(group.split_once('.').map_or(group, |(whole, _)| whole)))
}

fn is_infinite(body: &str) -> bool {
    [".inf", ".nan"].iter().any(|word| body.eq_ignore_ascii_case(word))
}

/// `2024-01-31`, alone or with a time behind it.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize, most: usize| {
        bytes.iter().skip(from).take(most).take_while(|byte| byte.is_ascii_digit()).count()
    };
    if digits(0, 4) != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let month = digits(5, 2);
    if month == 0 || bytes.get(5 + month) != Some(&b'-') {
        return false;
    }
    let day = digits(6 + month, 2);
    let end = 6 + month + day;
    day > 0 && matches!(bytes.get(end), None | Some(b'T' | b't' | b' ' | b'\t'))
}

/// Whether `text` can stand unquoted in a block and in a flow collection.
fn is_plain(text: &str) -> bool {
    const INDICATORS: &[char] = &[
        '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', ' ',
        '\t', '.',
    ];
    !text.starts_with(INDICATORS)
        && !text.ends_with([' ', '\t', ':'])
        && !text.contains([',', '[', ']', '{', '}'])
        && !text.contains(": ")
        && !text.contains(":\t")
        && !text.contains(" #")
        && !text.contains("\t#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_yaml_1_1_reader_takes_for_no_string_is_quoted() {
        for text in [
            "1.0",
            "1.25",
            "20240131",
            "007",
            "0755",
            "0x1f",
            "1_000",
            "1234e5",
            "on",
            "off",
            "yes",
            "no",
            "y",
            "n",
            "true",
            "null",
            "~",
            "",
            "2024-01-31",
            "2024-1-3T01:02:03Z",
            "10:30",
            "190:20:30.15",
            "12e4567",
            ".5",
            "1.",
            "+1",
            "-1",
            ".inf",
            ".NaN",
            "0b11",
            "0o17",
            "<<",
            "=",
            "On",
        ] {
            assert!(needs_quotes(text), "{text}");
        }
    }

    #[test]
    fn versions_names_and_references_stay_plain() {
        for text in [
            "1.2.3",
            "v1",
            "1.0.0_build.5",
            "_1",
            "nan",
            "ghcr.io/o/web:1.2",
            "localhost:5000/web",
            "main-9b1d3e7-1763805600",
            "web:1@sha256:0123",
            "1e3abc",
            "0xfg",
            "2024-01-31-rc1",
            "e5",
            "sha256:00",
            "1.2.3-4",
        ] {
            assert!(!needs_quotes(text), "{text}");
        }
    }

    #[test]
    fn what_would_end_or_change_a_plain_scalar_is_quoted() {
        for text in [
            "a: b", "a #b", "a:", "[a", "a,b", "- a", "'a", "\"a", "*a", "&a", "!a", "%a", "@a", " a", "a ",
            "---",
        ] {
            assert!(needs_quotes(text), "{text}");
        }
    }
}
