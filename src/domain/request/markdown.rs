//! Strangers' texts in Markdown: a tag, a branch or a message is shown as it is and means nothing there.

use crate::text::Shown;

/// The text as code in a sentence or in a cell of a table: no mention, no link, no column, no line of its own.
///
/// Control characters and the like are shown by signs.
pub(super) fn code(text: &str) -> String {
    let shown = Shown::new(text);
    let shown = shown.as_str();
    if shown.is_empty() {
        return String::new();
    }
    if !shown.contains(['`', '|', '\\']) {
        return format!("`{shown}`");
    }
    // What begins a cell, ends the code or takes away the next character's meaning, has no safe spelling between
    // backticks: inside a table a `|` ends the cell even there.
    let spelled = |c: char| {
        if c.is_ascii_punctuation() { format!("&#{};", u32::from(c)) } else { c.to_string() }
    };
    format!("<code>{}</code>", shown.chars().map(spelled).collect::<String>())
}

/// The text as a block of code, line by line; nothing in it is a mention or a command to the forge.
pub(super) fn block(text: &str) -> String {
    let lines: Vec<String> =
        Shown::lines(&text.replace('\t', "    ")).iter().map(|line| line.as_str().to_owned()).collect();
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_texts_stay_readable() {
        assert_eq!(code("6.6.1"), "`6.6.1`");
        assert_eq!(code("@rita"), "`@rita`");
        assert_eq!(code(""), "");
        assert_eq!(block("one\n\ttwo"), "```text\none\n    two\n```\n");
    }

    #[test]
    fn what_would_break_a_table_or_the_code_is_spelled_out() {
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("a`@x`<b>"), "<code>a&#96;&#64;x&#96;&#60;b&#62;</code>");
        assert_eq!(code("a\\|b"), "<code>a&#92;&#124;b</code>");
        assert!(block("```\n/merge\n````").starts_with("`````text\n"));
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_cell(text in any::<String>()) {
            let cell = code(&text);
            prop_assert!(!cell.contains(['\n', '\r', '|']));
            prop_assert!(!cell.chars().any(char::is_control));
            let inside = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
            prop_assert!(inside.is_none_or(|inside| !inside.contains('`')));
            let html = cell.strip_prefix("<code>").and_then(|rest| rest.strip_suffix("</code>"));
            prop_assert!(html.is_none_or(|html| !html.contains(['<', '>', '`', '@', '\\'])));
        }

        #[test]
        fn nothing_ends_the_block_early(text in any::<String>()) {
            let block = block(&text);
            let fence: String = block.chars().take_while(|c| *c == '`').collect();
            prop_assert_eq!(block.matches(&fence).count(), 2);
        }
    }
}
