//! Characters as Go's `unicode` sees them: general categories, and case mappings of one character to one.
//!
//! Rust's mappings may be longer (`ß` to `SS`) and its `is_uppercase` wider (`Ⅷ`).

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::policy::goregex::KNOWN;

/// A general category, or several that begin alike.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain::template) enum Category {
    Upper,
    Lower,
    Title,
    Letter,
    Number,
    Punctuation,
    /// A decimal digit.
    Digit,
}

const PATTERNS: [&str; 7] = [r"\p{Lu}", r"\p{Ll}", r"\p{Lt}", r"\p{L}", r"\p{N}", r"\p{P}", r"\p{Nd}"];

/// Each but for characters that Go's tables do not have yet.
static CATEGORIES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = PATTERNS.iter().map(|pattern| format!("^[{pattern}&&{KNOWN}]$"));
    patterns.filter_map(|pattern| Regex::new(&pattern).ok()).collect()
});

static ALL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{KNOWN}$")).ok());

/// Whether Go's tables have `c`.
fn is_known(c: char) -> bool {
    c.is_ascii() || ALL.as_ref().is_some_and(|all| all.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Whether `c` is of that category.
pub(in crate::domain::template) fn is(c: char, category: Category) -> bool {
    let pattern = CATEGORIES.get(category as usize);
    pattern.is_some_and(|pattern| pattern.is_match(c.encode_utf8(&mut [0; 4])))
}

/// `unicode.ToUpper`.
pub(super) fn upper(c: char) -> char {
    let shifted = match u32::from(c) {
        code @ (0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7) => code + 8,
        code @ (0x1fb3 | 0x1fc3 | 0x1ff3) => code + 9,
        _ => return only(c.to_uppercase(), c),
    };
    char::from_u32(shifted).unwrap_or(c)
}

/// `unicode.ToLower`.
pub(super) fn lower(c: char) -> char {
    if c == 'İ' { 'i' } else { only(c.to_lowercase(), c) }
}

/// `unicode.ToTitle`.
pub(super) fn title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10ff}' => c,
        _ => upper(c),
    }
}

/// What the mapping has if that is one character and both are known to Go, else `c` itself.
fn only(mut mapped: impl Iterator<Item = char>, c: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if one == c || is_known(one) && is_known(c) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_becomes_one_letter() {
        assert_eq!(['a', 'ß', 'ᾳ', 'ᾀ', 'ŉ', 'ǆ'].map(upper), ['A', 'ß', 'ᾼ', 'ᾈ', 'ŉ', 'Ǆ']);
        assert_eq!(['A', 'İ', 'Σ', 'ẞ'].map(lower), ['a', 'i', 'σ', 'ß']);
        assert_eq!(['ǆ', 'a', 'ა'].map(title), ['ǅ', 'A', 'ა']);
        // Letters that Unicode got after Go's tables were made.
        assert_eq!(['\u{1c89}', 'ƛ'].map(upper).map(lower), ['\u{1c89}', 'ƛ']);
        assert!(!is('\u{1c89}', Category::Letter));
        assert!(is('É', Category::Upper) && !is('Ⅷ', Category::Upper) && is('Ⅷ', Category::Number));
    }
}
