//! The glyphs of the screens, and what stands for them where a terminal has only ASCII.

/// The mark of the row under the cursor.
pub(crate) const CURSOR: &str = "▌";
/// The mark of the place where typed text goes.
pub(crate) const CARET: &str = "▁";
/// A level of a tree that is open.
pub(crate) const OPEN: &str = "▾";
/// A level of a tree that is folded.
pub(crate) const FOLDED: &str = "▸";
/// A rule.
pub(crate) const RULE: &str = "─";
/// The rule of the pane that has the keys, so that it is seen without colours.
pub(crate) const RULE_FOCUS: &str = "═";
/// A wall.
pub(crate) const WALL: &str = "│";

/// What stands for `grapheme` in ASCII: always one cell; `?` for what has no likeness.
pub(crate) fn ascii(grapheme: &str) -> &str {
    if grapheme.is_ascii() {
        return grapheme;
    }
    match grapheme {
        "─" | "—" | "–" => "-",
        "│" | "┃" => "|",
        "┌" | "┐" | "└" | "┘" | "┬" | "┴" | "├" | "┤" | "┼" | "✓" | "±" => "+",
        "→" | "▸" | "›" | "▌" | "⇥" => ">",
        "↑" => "^",
        "↓" | "▾" => "v",
        "…" | "↕" => "~",
        "▁" => "_",
        "★" | "•" => "*",
        "·" => ".",
        "⊘" | "×" => "x",
        "✗" => "!",
        "≠" => "#",
        "‖" | "≡" | "═" => "=",
        "⏎" => "$",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stand_in_is_one_ascii_cell() {
        for glyph in
            [CURSOR, CARET, OPEN, FOLDED, RULE, RULE_FOCUS, WALL, "★", "✓", "·", "⊘", "✗", "≠", "↕", "版"]
        {
            assert!(ascii(glyph).is_ascii() && ascii(glyph).len() == 1, "{glyph}");
        }
    }
}
