//! A configuration file for the dashboard, which is not stopped by a value that cannot be read: its default is in force.

use std::ops::Range;

use toml::de::DeTable;

use super::file::values;
use crate::problem::Problem;

/// What must not be lost without a word that stops: a pin of the system's file.
const KEPT: &str = "locked";

/// The text without the values that cannot be read, each of them a warning; every other byte stays in its line and column. What
/// is no TOML stays as it is.
pub(super) fn readable(name: &str, text: String, warnings: &mut Vec<Problem>) -> String {
    let mut text = text;
    while let Err(misread) = values(name, &text, &mut Vec::new()) {
        let culprit = misread.at.and_then(|byte| culprit(&text, byte));
        let Some(without) = culprit.and_then(|range| blanked(&text, range)) else { return text };
        warnings.push(misread.problem.hint("The default is in force until that is mended."));
        text = without;
    }
    text
}

/// From the beginning of its line to the end of its value: the key whose value the byte stands in.
fn culprit(text: &str, byte: usize) -> Option<Range<usize>> {
    let parsed = DeTable::parse(text).ok()?;
    let value = value_at(parsed.get_ref(), byte)?;
    let line = text.get(..value.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let is_pin = text.get(line..value.start)?.trim_start().starts_with(KEPT);
    (!is_pin).then_some(line..value.end)
}

/// The value, no table of its own lines, that the byte stands in.
fn value_at(table: &DeTable<'_>, byte: usize) -> Option<Range<usize>> {
    table.values().find_map(|value| {
        // Of a table with lines of its own only the heading is its value; one in braces is left out whole.
        let whole = Some(value.span()).filter(|span| span.contains(&byte));
        whole.or_else(|| value.get_ref().as_table().and_then(|inner| value_at(inner, byte)))
    })
}

/// The text with blanks there, if it can still be read as TOML, and is another.
fn blanked(text: &str, range: Range<usize>) -> Option<String> {
    let gone = text.get(range.clone())?;
    let blank: String =
        gone.chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }).collect();
    let mut without = text.to_owned();
    without.replace_range(range, &blank);
    (without != text && DeTable::parse(&without).is_ok()).then_some(without)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::{File, parse_file};

    fn read(text: &str) -> (File, Vec<String>) {
        let mut warnings = Vec::new();
        let text = readable("c.toml", text.to_owned(), &mut warnings);
        (
            parse_file("c.toml", &text, &mut warnings).unwrap(),
            warnings.into_iter().map(|problem| problem.subject).collect(),
        )
    }

    #[test]
    fn a_value_of_a_wrong_type_is_a_warning_at_its_place_and_the_rest_counts() {
        let text = "ascii = 3\ntheme = \"mono\"\nprotected_branches = [\n  \"main\",\n  7,\n]\n\
            [commit]\nauthor = 1 # mine\nsign = \"never\"\n[hold]\ndays = 0\n[contexts.prod]\nmode = 5\n\
            [keys]\npush.open = [6]\n\"list.sort\" = 3\npreset = 7\n\"decide.skip\" = \"g\"\n";
        let (file, mut places) = read(text);
        places.sort();
        assert_eq!(
            places,
            [
                "c.toml:11:8",
                "c.toml:13:8",
                "c.toml:15:14",
                "c.toml:16:15",
                "c.toml:17:10",
                "c.toml:1:9",
                "c.toml:5:3",
                "c.toml:8:10",
            ]
        );
        assert_eq!((file.keys.preset, file.keys.lines.len()), (None, 1));
        assert_eq!((file.ascii, file.theme.as_deref()), (None, Some("mono")));
        assert_eq!((file.commit.author, file.commit.sign), (None, Some(false)));
        assert!(file.contexts["prod"].mode.is_none() && file.hold.days.is_none());
    }

    #[test]
    fn what_cannot_be_left_out_stops() {
        for text in
            ["ascii = \n", "locked = \"mode\"\n", "commit = { author = 1, sign = \"never\" }\nmode = 7\n"]
        {
            let mut warnings = Vec::new();
            let readable = readable("c.toml", text.to_owned(), &mut warnings);
            let stops = parse_file("c.toml", &readable, &mut Vec::new()).is_err();
            assert_eq!(stops, !text.contains("commit"), "{text}: {warnings:?}");
        }
    }
}
