//! The shape of a block scalar (`|`, `>`), and how a one-line text is put in.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Where YAML 1.1 ends a line.
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Where the parts of a block scalar stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// `|`, `>`, with its indicators.
    pub(super) header: Range<usize>,
    /// The end of the header's line, before its line end.
    pub(super) line_end: usize,
    /// The end of the last line of content, before its line end; `line_end` if there is none.
    pub(super) end: usize,
    /// Columns of blanks before the content.
    pub(super) indent: usize,
}

/// The shape of the block scalar whose header begins at `start`.
///
/// `indent` and `end` are those of its content, as a reader found them; where there is no content, it gets at least the
/// indentation `least`, unless the header says another.
pub(super) fn shape(
    text: &str,
    start: usize,
    indent: usize,
    end: Option<usize>,
    least: usize,
) -> Option<Shape> {
    let behind = text.get(start + 1..)?;
    let indicators = behind.len()
        - behind.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']).len();
    let header = start..start + 1 + indicators;
    let line_end = header.end + text.get(header.end..)?.find(LINE_BREAKS).unwrap_or(text.len() - header.end);
    let is_said = text.get(header.clone())?.contains(|c: char| c.is_ascii_digit());
    let indent = if end.is_some() || is_said { indent } else { indent.max(least) };
    Some(Shape { header, line_end, end: end.unwrap_or(line_end), indent })
}

impl Shape {
    /// The source of the same scalar holding `value`, a text without line breaks; chomping becomes `-`.
    pub(super) fn source(&self, text: &str, value: &str) -> Option<String> {
        let header: String =
            text.get(self.header.clone())?.chars().filter(|c| !matches!(c, '+' | '-')).collect();
        let rest = text.get(self.header.end..self.line_end)?;
        if value.is_empty() {
            return Some(format!("{header}-{rest}"));
        }
        let behind = text.get(self.line_end..).unwrap_or_default();
        let line_break = match behind.chars().next() {
            Some('\r') if behind.starts_with("\r\n") => "\r\n",
            Some(first) => behind.get(..first.len_utf8())?,
            None => "\n",
        };
        // A width in a format ends at 65,535, and nothing ends the indentation of a file.
        Some(format!("{header}-{rest}{line_break}{}{value}", " ".repeat(self.indent)))
    }

    pub(super) fn shift(&mut self, base: usize) {
        self.header = base + self.header.start..base + self.header.end;
        self.line_end += base;
        self.end += base;
    }
}
