//! Tables as `flux get` prints them: headings in capitals, cells padded to their column, a tab after each.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::text::Shown;

/// Columns for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    headers: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Whether lines end with their last cell's text.
    ragged: bool,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(headers: impl IntoIterator<Item = &'static str>) -> Self {
        Self { headers: headers.into_iter().collect(), rows: Vec::new(), ragged: false }
    }

    /// The same, nothing behind the text of the last column: where that is a sentence, blanks up to the longest would wrap
    /// every line. Flux's own tables have them.
    #[must_use]
    pub fn ragged(self) -> Self {
        Self { ragged: true, ..self }
    }

    /// Adds a row; it has one cell for each heading.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().map(|cell| clean(&cell)).collect());
    }

    /// Leaves of the rows those that `keep` has a yes for.
    #[must_use]
    pub(super) fn only(mut self, keep: &[bool]) -> Self {
        let mut keep = keep.iter();
        self.rows.retain(|_| keep.next().copied().unwrap_or_default());
        self
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints it, with its headings if asked to.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write, header: bool) -> io::Result<()> {
        let mut widths: Vec<usize> = self.headers.iter().map(|title| title.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if let Some(last) = widths.last_mut().filter(|_| self.ragged) {
            *last = 0;
        }
        if header {
            write_row(out, &widths, self.headers.iter().copied())?;
        }
        self.rows.iter().try_for_each(|row| write_row(out, &widths, row.iter().map(String::as_str)))
    }
}

fn write_row<'a>(
    out: &mut dyn Write,
    widths: &[usize],
    cells: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    for (width, cell) in widths.iter().zip(cells) {
        let padding = width.saturating_sub(cell.width());
        // A width in a format ends at 65,535, and a cell may be a value of megabytes.
        write!(out, "{cell}{}\t", " ".repeat(padding))?;
    }
    out.write_all(b"\n")
}

/// What a terminal may be given of `text`.
pub(crate) fn clean(text: &str) -> String {
    Shown::new(text).to_string()
}

/// As [`clean`], but the line's own end and its tabs stay.
pub(crate) fn clean_line(line: &str) -> String {
    let (text, end) = match line.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (line, ""),
    };
    let parts: Vec<String> = text.split('\t').map(clean).collect();
    format!("{}{end}", parts.join("\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_may_be_longer_than_any_format_is_wide() {
        let mut table = Table::new(["A", "B"]);
        table.push(["x".repeat(100_000), String::new()]);
        table.push(["y".to_owned(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, true).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.lines().all(|line| line.len() == 100_000 + "\t \t".len()),
            "cells are as wide as the widest"
        );
    }
}
