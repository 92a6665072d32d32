//! How ranges are spelled: operators, bounds, separators, hyphens.
//!
//! Source: Masterminds/semver v3.5.0, `constraints.go` (the regular expressions).

/// What a term asks of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// A term by its spelling.
pub(super) struct Spelled<'t> {
    /// The operator as it was written.
    pub(super) sign: &'t str,
    pub(super) operator: Operator,
    /// All of the bound.
    pub(super) bound: &'t str,
    /// Its numbers and wildcards, as far as they are there.
    pub(super) segments: [Option<&'t str>; 3],
    /// Its pre-release, or nothing.
    pub(super) pre: &'t str,
}

/// All spellings of the operators, longer ones before those that they begin with.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

/// Blanks of the grammar; no others count.
fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}'])
}

/// The terms of an alternative, separated by blanks or commas; `None` if it does not follow the grammar.
pub(super) fn split_terms(text: &str) -> Option<Vec<Spelled<'_>>> {
    let mut terms = Vec::new();
    let mut rest = skip_blanks(text);
    loop {
        let (sign, operator) = *OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        let bound = skip_blanks(rest.strip_prefix(sign)?);
        let (segments, pre, after) = split_bound(bound)?;
        let spelled = bound.get(..bound.len() - after.len())?;
        terms.push(Spelled { sign, operator, bound: spelled, segments, pre });
        let next = skip_blanks(after);
        if next.is_empty() {
            return Some(terms);
        }
        rest = match next.strip_prefix(',') {
            Some(behind) => skip_blanks(behind),
            None if next.len() < after.len() => next,
            None => return None,
        };
    }
}

/// Segments, pre-release and rest of a text that begins with a bound.
type Bound<'t> = ([Option<&'t str>; 3], &'t str, &'t str);

fn split_bound(text: &str) -> Option<Bound<'_>> {
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut segments = [None; 3];
    for (index, segment) in segments.iter_mut().enumerate() {
        let begin = if index == 0 { Some(rest) } else { rest.strip_prefix('.') };
        match begin.map(|begin| take_while(begin, is_segment_byte)) {
            Some((taken, after)) if !taken.is_empty() => (*segment, rest) = (Some(taken), after),
            _ if index == 0 => return None,
            _ => break,
        }
    }
    let (pre, rest) = identifiers(rest, '-');
    let (_, rest) = identifiers(rest, '+');
    Some((segments, pre, rest))
}

/// The bar is one of them by an oversight of the library; what has one is never a number.
fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn take_while(text: &str, fits: impl Fn(u8) -> bool) -> (&str, &str) {
    let length = text.bytes().take_while(|byte| fits(*byte)).count();
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// Dot-separated identifiers behind `sign`, as many as follow the grammar, and the rest.
fn identifiers(text: &str, sign: char) -> (&str, &str) {
    let Some(after) = text.strip_prefix(sign) else { return ("", text) };
    let (mut taken, mut rest) = (0, after);
    loop {
        let (part, behind) = take_while(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if part.is_empty() {
            break;
        }
        taken = after.len() - behind.len();
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None => break,
        }
    }
    if taken == 0 { ("", text) } else { after.split_at_checked(taken).unwrap_or(("", text)) }
}

/// Writes every `A - B` as `>= A, <= B `, before anything else is looked at.
///
/// Like the library, this replaces the first occurrence of the matched text, wherever it stands.
pub(super) fn rewrite_hyphens(text: &str) -> String {
    let mut rewritten = text.to_owned();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((matched, low, high)) = hyphen_range(rest) {
            rewritten = rewritten.replacen(matched, &format!(">= {low}, <= {high} "), 1);
            rest = rest.get(matched.len()..).unwrap_or_default();
        } else {
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
        }
    }
    rewritten
}

/// The range with a hyphen that `text` begins with: all of it, its lower and its upper bound.
fn hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let (low, rest) = bound_text(skip_blanks(text))?;
    let hyphen = skip_blanks(rest);
    let high = hyphen.strip_prefix('-')?;
    let begin = skip_blanks(high);
    if hyphen.len() == rest.len() || begin.len() == high.len() {
        return None;
    }
    let (high, rest) = bound_text(begin)?;
    let matched = text.get(..text.len() - skip_blanks(rest).len())?;
    Some((matched, low, high))
}

fn bound_text(text: &str) -> Option<(&str, &str)> {
    let (_, _, rest) = split_bound(text)?;
    text.split_at_checked(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_are_rewritten_before_anything_else() {
        for (text, rewritten) in [
            ("2 - 3", ">= 2, <= 3 "),
            ("2 - 3, 2 - 3", ">= 2, <= 3 ,>= 2, <= 3 "),
            ("2 - 3 4.0.0 - 5.1", ">= 2, <= 3 >= 4.0.0, <= 5.1 "),
            ("1.0.0 - 2.0.0 <=2.0.0", ">= 1.0.0, <= 2.0.0 <=2.0.0"),
            ("1.1-3", "1.1-3"),
        ] {
            assert_eq!(rewrite_hyphens(text), rewritten);
        }
    }
}
