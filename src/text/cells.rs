//! Characters as a terminal shows them, with the cells they take.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The characters of `text`, which has no control characters in it, and how many cells each takes.
///
/// A frame has thousands, nearly all of them letters between letters, where no table has to be asked: nothing but a
/// carriage return joins an ASCII character to the next one.
///
/// Source: Unicode Standard Annex 29, rules GB3 to GB13.
pub(crate) fn cells(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let next = match rest.as_bytes() {
            [first] if first.is_ascii() => (rest, 1),
            [first, second, ..] if first.is_ascii() && second.is_ascii() => (rest.get(..1)?, 1),
            _ => {
                let grapheme = rest.graphemes(true).next()?;
                (grapheme, grapheme.width())
            }
        };
        rest = rest.get(next.0.len()..)?;
        Some(next)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_tables_say_the_same(text in "([ -~]|[ -~äé世界→…]|\u{301}|\u{200d}|\u{1f1e6}|\u{1f469}|\u{fe0f}|\u{600}){0,40}") {
            let expected: Vec<_> = text.graphemes(true).map(|grapheme| (grapheme, grapheme.width())).collect();
            prop_assert_eq!(cells(&text).collect::<Vec<_>>(), expected);
        }
    }
}
