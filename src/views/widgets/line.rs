//! A line of text in several roles.

use crate::text::Shown;
use crate::theme::Role;

/// Runs of safe text, each with its role, one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    runs: Vec<(Shown, Role)>,
}

impl Line {
    /// A line with `text` in `role`.
    pub(crate) fn of(role: Role, text: impl Into<Shown>) -> Self {
        Self::default().with(role, text)
    }

    /// A line of ordinary text.
    pub(crate) fn plain(text: impl Into<Shown>) -> Self {
        Self::of(Role::Text, text)
    }

    /// The same line with `text` in `role` behind it.
    #[must_use]
    pub(crate) fn with(mut self, role: Role, text: impl Into<Shown>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.runs.push((text, role));
        }
        self
    }

    /// The same line with ordinary text behind it.
    #[must_use]
    pub(crate) fn and(self, text: impl Into<Shown>) -> Self {
        self.with(Role::Text, text)
    }

    /// The same line with dim text behind it.
    #[must_use]
    pub(crate) fn dim(self, text: impl Into<Shown>) -> Self {
        self.with(Role::TextDim, text)
    }

    /// The same line with `other` behind it.
    #[must_use]
    pub(crate) fn append(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self
    }

    /// The runs in order.
    pub(crate) fn runs(&self) -> &[(Shown, Role)] {
        &self.runs
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The width in cells.
    pub(crate) fn width(&self) -> usize {
        self.runs.iter().map(|(text, _)| text.width()).sum()
    }

    /// The line, its end left out if it is wider than `max` cells.
    #[must_use]
    pub(crate) fn cut_end(&self, max: usize) -> Self {
        if self.width() <= max || max == 0 {
            return if max == 0 { Self::default() } else { self.clone() };
        }
        let cut = self.window(0, max - 1);
        let role = cut.runs.last().map_or(Role::Text, |(_, role)| *role);
        cut.with(role, "…")
    }

    /// The line in pieces of at most `width` cells, broken at blanks where there are any.
    pub(crate) fn wrap(&self, width: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self.clone()];
        }
        let text: String = self.runs.iter().map(|(text, _)| text.as_str()).collect();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for piece in Shown::from(text.clone()).wrap(width) {
            pieces.push(self.window(from, piece.width()));
            from += piece.width();
            // The blank at which it was broken is on neither row.
            let is_blank = self.window(from, 1).runs.iter().any(|(text, _)| text.as_str() == " ");
            from += usize::from(is_blank);
        }
        pieces
    }

    /// The cells from column `from`, at most `width` of them.
    #[must_use]
    pub(crate) fn window(&self, from: usize, width: usize) -> Self {
        let (mut window, mut at) = (Self::default(), 0);
        for (text, role) in &self.runs {
            let cells = text.width();
            let start = from.saturating_sub(at);
            let end = (from + width).saturating_sub(at).min(cells);
            if start < end {
                window = window.with(*role, text.window(start, end - start));
            }
            at += cells;
        }
        window
    }
}

impl From<Shown> for Line {
    fn from(text: Shown) -> Self {
        Self::plain(text)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line) -> String {
        line.runs().iter().map(|(text, _)| text.as_str()).collect()
    }

    #[test]
    fn a_line_is_cut_across_its_runs() {
        let line = Line::plain("abc").with(Role::StateOk, "def").dim("ghi");
        assert_eq!(text(&line.cut_end(5)), "abcd…");
        assert_eq!(line.cut_end(5).runs()[2], (Shown::new("…"), Role::StateOk));
        assert_eq!(text(&line.cut_end(9)), "abcdefghi");
        assert_eq!(text(&line.window(2, 5)), "cdefg");
        assert_eq!(line.cut_end(0), Line::default());
    }

    #[test]
    fn a_line_is_wrapped_at_blanks_and_keeps_its_roles() {
        let line = Line::plain("ab cd ").with(Role::StateOk, "efg").dim("hi");
        let wrapped = line.wrap(6);
        assert_eq!(wrapped.iter().map(text).collect::<Vec<_>>(), ["ab cd", "efghi"]);
        assert_eq!(wrapped[1].runs()[0], (Shown::new("efg"), Role::StateOk));
        assert_eq!(line.wrap(11).iter().map(text).collect::<Vec<_>>(), ["ab cd efghi"]);
        assert_eq!(line.wrap(4).iter().map(text).collect::<Vec<_>>(), ["ab", "cd", "efgh", "i"]);
    }
}
