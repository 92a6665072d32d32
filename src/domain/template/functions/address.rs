//! IP addresses as Go reads them, for its words about those that are none.
//!
//! Source: golang/go:src/net/netip/netip.go, `ParseAddr`.

use super::super::format::quote;

/// The version of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// What is wrong, and the part of the text at which it is; empty if that is not told.
struct Fault<'t>(&'static str, &'t str);

/// The version of the address that `text` is, which may name a zone.
///
/// # Errors
/// Go's text about what is no address.
pub(super) fn version(text: &str) -> Result<Version, String> {
    let read = match text.find(['.', ':', '%']).and_then(|at| text.as_bytes().get(at)) {
        Some(b'.') => v4(text).map(|()| Version::V4),
        Some(b':') => v6(text).map(|()| Version::V6),
        Some(_) => Err(Fault("missing IPv6 address", "")),
        None => Err(Fault("unable to parse IP", "")),
    };
    read.map_err(|Fault(what, at)| {
        let place = if at.is_empty() { String::new() } else { format!(" (at {})", quote(at)) };
        format!("ParseAddr({}): {what}{place}", quote(text))
    })
}

fn v4(text: &str) -> Result<(), Fault<'_>> {
    let (mut value, mut digits, mut dots) = (0_u32, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'0'..=b'9' if digits == 1 && value == 0 => {
                return Err(Fault("IPv4 field has octet with leading zero", ""));
            }
            b'0'..=b'9' => {
                (value, digits) = (value * 10 + u32::from(byte - b'0'), digits + 1);
                if value > 255 {
                    return Err(Fault("IPv4 field has value >255", ""));
                }
            }
            b'.' if digits == 0 || rest.len() == 1 => {
                return Err(Fault("IPv4 field must have at least one digit", rest));
            }
            b'.' if dots == 3 => return Err(Fault("IPv4 address too long", "")),
            b'.' => (value, digits, dots) = (0, 0, dots + 1),
            _ => return Err(Fault("unexpected character", rest)),
        }
    }
    if dots < 3 { Err(Fault("IPv4 address too short", "")) } else { Ok(()) }
}

/// The bytes of an address.
const LENGTH: usize = 16;

fn v6(text: &str) -> Result<(), Fault<'_>> {
    let mut rest = match text.split_once('%') {
        Some((_, "")) => return Err(Fault("zone must be a non-empty string", "")),
        Some((address, _)) => address,
        None => text,
    };
    let mut shortened = false;
    if let Some(behind) = rest.strip_prefix("::") {
        (shortened, rest) = (true, behind);
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut length = 0;
    while length < LENGTH {
        let behind = field(rest)?;
        if behind.starts_with('.') {
            v4_at_the_end(rest, length, shortened)?;
            (length, rest) = (length + 4, "");
            break;
        }
        length += 2;
        let Some(next) = separated(behind)? else {
            rest = "";
            break;
        };
        rest = next;
        if let Some(behind) = rest.strip_prefix(':') {
            if shortened {
                return Err(Fault("multiple :: in address", rest));
            }
            (shortened, rest) = (true, behind);
            if rest.is_empty() {
                break;
            }
        }
    }
    match (rest, length < LENGTH) {
        ("", true) if !shortened => Err(Fault("address string too short", "")),
        ("", false) if shortened => Err(Fault("the :: must expand to at least one field of zeros", "")),
        ("", _) => Ok(()),
        _ => Err(Fault("trailing garbage after address", rest)),
    }
}

/// What stands behind up to four hexadecimal digits.
fn field(text: &str) -> Result<&str, Fault<'_>> {
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    match digits {
        0 => Err(Fault("each colon-separated field must have at least one digit", text)),
        1..=4 => Ok(text.get(digits..).unwrap_or_default()),
        _ => Err(Fault("each group must have 4 or less digits", text)),
    }
}

/// What stands behind the colon; `None` at the end of the text.
fn separated(text: &str) -> Result<Option<&str>, Fault<'_>> {
    match text.strip_prefix(':') {
        Some("") => Err(Fault("colon must be followed by more characters", text)),
        Some(rest) => Ok(Some(rest)),
        None if text.is_empty() => Ok(None),
        None => Err(Fault("unexpected character, want colon", text)),
    }
}

fn v4_at_the_end(text: &str, length: usize, shortened: bool) -> Result<(), Fault<'_>> {
    if !shortened && length != LENGTH - 4 {
        return Err(Fault("embedded IPv4 address must replace the final 2 fields of the address", text));
    }
    if length + 4 > LENGTH {
        return Err(Fault("too many hex fields to fit an embedded IPv4 at the end of the address", text));
    }
    v4(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused_in_go_s_words() {
        assert_eq!(version("10.0.0.1"), Ok(Version::V4));
        for text in ["::", "::1", "fe80::1%en0", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::"] {
            assert_eq!(version(text), Ok(Version::V6), "{text}");
        }
        for (text, error) in [
            ("h", "unable to parse IP"),
            ("%h", "missing IPv6 address"),
            ("::1%", "zone must be a non-empty string"),
            ("1:2", "address string too short"),
            ("12345::", "each group must have 4 or less digits (at \"12345::\")"),
            ("1::2::3", "multiple :: in address (at \":3\")"),
            ("1.2.3", "IPv4 address too short"),
            ("1..2.3", "IPv4 field must have at least one digit (at \".2.3\")"),
            ("1:g::", "each colon-separated field must have at least one digit (at \"g::\")"),
            ("::1.2.3.256", "IPv4 field has value >255"),
        ] {
            assert_eq!(version(text), Err(format!("ParseAddr({text:?}): {error}")));
        }
    }
}
