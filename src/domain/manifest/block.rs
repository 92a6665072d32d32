//! The shape of a block scalar (`|`, `>`) whose header line carries a marker, and how a one-line text is put in.

use std::ops::Range;

/// Where the parts of a block scalar stand.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Finds the shape of a block scalar from its header's comment and the span that the parser gives for its content.
/// `indent` is the parser's, and `fallback` serves where there is no content.
pub(super) fn shape(
    text: &str,
    comment: &Range<usize>,
    content: &Range<usize>,
    indent: usize,
    fallback: usize,
) -> Option<Shape> {
    let before = text.get(..comment.start)?.trim_end_matches([' ', '\t']);
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let header = start.strip_suffix(['|', '>'])?.len()..before.len();
    let line_end = comment.end;
    let mut end = line_end;
    let mut place = content.start;
    for line in text.get(content.clone())?.split_inclusive(['\n', '\r']) {
        let words = line.trim_end_matches(['\n', '\r']);
        // The parser's span runs on to the next token; a line of more blanks than the indent is content still.
        let is_first = place == content.start;
        let blanks = if is_first { words.len() + indent } else { words.len() };
        let is_content = !words.trim_matches(' ').is_empty() || (blanks > indent && line.len() > words.len());
        if is_content {
            end = place + words.len();
        }
        place += line.len();
    }
    let indent = if end == line_end { fallback } else { indent };
    Some(Shape { header, line_end, end, indent })
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
        let line_break = ["\r\n", "\n", "\r"].into_iter().find(|end| behind.starts_with(end)).unwrap_or("\n");
        Some(format!("{header}-{rest}{line_break}{:indent$}{value}", "", indent = self.indent))
    }

    pub(super) fn shift(&mut self, base: usize) {
        self.header = base + self.header.start..base + self.header.end;
        self.line_end += base;
        self.end += base;
    }
}
