//! How Flux writes the values at markers, and whether that is how we wrote them.

use crate::domain::manifest::{MarkedScalar, Style, plain};

/// Whether Flux writes another source for `new`, which was `old` in `text`, than the one that stands there.
pub(super) fn rewritten(text: &str, old: &MarkedScalar, new: &MarkedScalar) -> Option<bool> {
    let is_changed = old.value != new.value;
    match (&old.style, &new.style) {
        // Where a type that was told goes is followed up only if the text stays plain.
        _ if is_changed && has_tag(text, old).is_some_and(|tag| tag != "!!str" || old.style != new.style) => {
            None
        }
        (Style::Plain, Style::Plain) if has_tag(text, old).is_some() => Some(false),
        (Style::Plain, Style::Plain) if is_changed => keeps_type(&old.value),
        // Flux quotes what an old reader takes for something else, also where nothing changes.
        (Style::Plain, Style::Plain) => quotes(&new.value),
        (Style::Plain, Style::Double) => match (keeps_type(&old.value)?, quotes(&new.value)) {
            (false, _) if new.value.is_empty() || is_date(&new.value) => Some(false),
            _ if is_date(&old.value) && is_date(&new.value) => Some(true),
            (true, Some(true)) => Some(is_null(&old.value)),
            (true, _) => None,
            (false, quotes) => quotes.map(|quotes| !quotes),
        },
        (Style::Block(_), _) => quotes(&new.value).map(|quotes| quotes || new.value.is_empty()),
        _ => Some(false),
    }
}

/// Whether a plain scalar with this text has a type for Flux's reader that stays with it, and is written, when it gets
/// another text. The words of YAML 1.1 for booleans are strings to that reader.
fn keeps_type(text: &str) -> Option<bool> {
    const STRINGS: &[&str] = &["y", "n", "yes", "no", "on", "off"];
    if !plain::needs_quotes(text) || STRINGS.contains(&text.to_ascii_lowercase().as_str()) {
        return Some(false);
    }
    let is_typed = is_null(text) || is_date(text) || quotes(text) == Some(true);
    is_typed.then_some(true)
}

/// The tag before a scalar.
fn has_tag<'a>(text: &'a str, scalar: &MarkedScalar) -> Option<&'a str> {
    let before = text.get(..scalar.span.start).unwrap_or_default();
    let words = before.rsplit([' ', '\n']).filter(|word| !word.is_empty());
    words.take_while(|word| word.starts_with(['&', '!'])).find(|word| word.starts_with('!'))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// `2024-01-31`: plain to the old reader, and quoted by the emitter where a string stood.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Whether Flux puts double quotes around a plain scalar with this text: if YAML 1.1 takes it for no string.
fn quotes(text: &str) -> Option<bool> {
    const WORDS: &[&str] = &["y", "Y", "n", "N", "~"];
    const CASED: &[&str] = &["yes", "no", "on", "off", "true", "false", "null"];
    if !plain::needs_quotes(text) {
        return Some(false);
    }
    let titled = |word: &&str| {
        let mut title = (*word).to_owned();
        title.get_mut(..1).map(str::make_ascii_uppercase);
        *word == text || title == text || word.to_ascii_uppercase() == text
    };
    if WORDS.contains(&text) || CASED.iter().any(titled) || is_simple_number(text) {
        return Some(true);
    }
    // Other texts are too rare to be followed through two parsers.
    None
}

/// A number that both readers take for one: decimal with point and small exponent, or with a base; single underscores
/// between digits.
fn is_simple_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |part: &str, base: u32| {
        (1..16).contains(&part.len())
            && part.split('_').all(|group| !group.is_empty() && group.chars().all(|c| c.is_digit(base)))
    };
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    if let Some((rest, base)) = based.iter().find_map(|(sign, base)| Some((body.strip_prefix(sign)?, *base)))
    {
        return digits(rest, base);
    }
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    exponent.len() < 3 && [whole, fraction, exponent].into_iter().all(|part| digits(part, 10))
}
