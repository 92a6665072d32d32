//! Cutting a text to a width in cells, so that what matters of it stays.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Shown;

/// What stands where something was left out; one cell.
const ELLIPSIS: &str = "…";

impl Shown {
    /// The text, its end left out if it is wider than `max` cells: `rate-limited,…`.
    #[must_use]
    pub fn cut_end(&self, max: usize) -> Self {
        if self.width() <= max {
            return self.clone();
        }
        self.around(max.saturating_sub(1), 0, max)
    }

    /// The text, its middle left out if it is wider than `max` cells: `main-9b1…805600`. For tags and digests, which
    /// tell themselves apart at both ends.
    #[must_use]
    pub fn cut_middle(&self, max: usize) -> Self {
        if self.width() <= max {
            return self.clone();
        }
        let tail = max * 3 / 7;
        self.around(max.saturating_sub(1 + tail), tail, max)
    }

    /// The text, its start left out if it is wider than `max` cells: `…/checkout-api`.
    #[must_use]
    pub fn cut_start(&self, max: usize) -> Self {
        if self.width() <= max {
            return self.clone();
        }
        self.around(0, max.saturating_sub(1), max)
    }

    /// A path whose folders tell more than the name of its file, cut to `max` cells: the end of the name's stem goes before anything
    /// of the folders, `apps/shop/kus….yaml`, then their start, `…shop/kus….yaml`.
    #[must_use]
    pub fn keep_folders(&self, max: usize) -> Self {
        const NAME: usize = 9;
        let Some(at) = self.text.rfind('/').map(|at| at + 1).filter(|_| self.width() > max) else {
            return self.cut_middle(max);
        };
        let (folders, name) = self.text.split_at(at);
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let ending = if ending.is_empty() { Self::default() } else { Self::new(&format!(".{ending}")) };
        let folders = Self::new(folders);
        let most = max.saturating_sub(folders.width()).max(NAME.min(max));
        let name = Self::new(stem).cut_end(most.saturating_sub(ending.width())).and(ending);
        folders.cut_start(max.saturating_sub(name.width())).and(name)
    }

    /// The text cut so that the path behind its host stays whole, if that leaves anything of the host:
    /// `registry.exam…/shop/checkout-api`; else from a part of the path on, if that is most of what has room:
    /// `…/checkout-api`; else as [`Self::cut_start`]. For names of images, and paths.
    #[must_use]
    pub fn keep_tail(&self, max: usize) -> Self {
        let width = self.width();
        if width <= max {
            return self.clone();
        }
        let scheme = self.text.find("://").map_or(0, |at| at + 3);
        let end = self.text.get(scheme..).and_then(|rest| rest.find('/')).map(|at| scheme + at);
        let host = end.and_then(|at| self.text.get(..at)).map_or(0, UnicodeWidthStr::width);
        let tail = width - host;
        // A host of fewer than three letters tells nobody anything.
        if host > 0 && tail + 4 <= max {
            return self.around(max - 1 - tail, tail, max);
        }
        let parts = self.text.match_indices('/').filter_map(|(at, _)| self.text.get(at..));
        let part = parts.map(UnicodeWidthStr::width).find(|part| *part < max);
        match part.filter(|part| *part > max / 2) {
            Some(part) => self.around(0, part, part + 1),
            None => self.cut_start(max),
        }
    }

    /// The cells from column `from`, at most `width` of them; for scrolling sideways. A wide character that lies half
    /// outside is left out.
    #[must_use]
    pub fn window(&self, from: usize, width: usize) -> Self {
        let (mut at, mut start, mut end) = (0, None, 0);
        for (offset, grapheme) in self.text.grapheme_indices(true) {
            let next = at + grapheme.width();
            if at >= from && next <= from + width {
                start.get_or_insert(offset);
                end = offset + grapheme.len();
            }
            at = next;
        }
        self.bytes(start.unwrap_or(0), end)
    }

    /// The bytes `range` of [`Self::as_str`] with what is hostile in them; empty if they are no characters.
    #[must_use]
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        self.bytes(range.start, range.end)
    }

    /// The byte range `from..to` of the text with its marks; empty if it is none.
    pub(super) fn bytes(&self, from: usize, to: usize) -> Self {
        let Some(text) = self.text.get(from..to) else {
            return Self::default();
        };
        let marks =
            self.marks.iter().map(|&(start, end)| (start.clamp(from, to) - from, end.clamp(from, to) - from));
        Self { text: text.to_owned(), marks: marks.filter(|(start, end)| start < end).collect() }
    }

    /// `head` cells of the start, an ellipsis, `tail` cells of the end; nothing at all if `max` is 0.
    fn around(&self, head: usize, tail: usize, max: usize) -> Self {
        if max == 0 {
            return Self::default();
        }
        let width = self.width();
        let mut cut = self.window(0, head);
        cut.append(&Self { text: ELLIPSIS.to_owned(), marks: Vec::new() });
        cut.append(&self.window(width.saturating_sub(tail), tail));
        cut
    }

    /// The text broken into lines of at most `width` cells, at blanks where there are any.
    pub fn wrap(&self, width: usize) -> Vec<Self> {
        let width = width.max(1);
        let (mut lines, mut start, mut blank, mut used) = (Vec::new(), 0, None, 0);
        for (offset, grapheme) in self.text.grapheme_indices(true) {
            if grapheme == " " && offset > start {
                blank = Some((offset, offset + 1));
            }
            used += grapheme.width();
            if used > width {
                let (end, next) = blank.take().unwrap_or((offset, offset));
                lines.push(self.bytes(start, end));
                start = next;
                used = self.bytes(start, offset + grapheme.len()).width();
            }
        }
        if start < self.text.len() || lines.is_empty() {
            lines.push(self.bytes(start.min(self.text.len()), self.text.len()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(how: fn(&Shown, usize) -> Shown, raw: &str, max: usize) -> String {
        how(&Shown::new(raw), max).as_str().to_owned()
    }

    #[test]
    fn each_kind_of_text_keeps_what_tells_it_apart() {
        assert_eq!(cut(Shown::cut_middle, "main-4f2a91c-1763769600", 14), "main-4f…769600");
        assert_eq!(cut(Shown::cut_middle, "main-9b1d3e7-1763805600", 15), "main-9b1…805600");
        assert_eq!(cut(Shown::keep_folders, "apps/shop/kustomization.yaml", 21), "apps/shop/kusto….yaml");
        let long = "apps/payments/production/kustomization.yaml";
        assert_eq!(cut(Shown::keep_folders, long, 24), "…ts/production/kus….yaml");
        assert_eq!(cut(Shown::keep_folders, "kustomization.yaml", 12), "kustom….yaml");
        assert_eq!(cut(Shown::cut_end, "rate-limited, retry at 14:10", 14), "rate-limited,…");
        assert_eq!(
            cut(Shown::keep_tail, "registry.example.com/shop/checkout-api", 32),
            "registry.exam…/shop/checkout-api"
        );
        assert_eq!(cut(Shown::keep_tail, "ghcr.io/acme/a-very-long-name", 12), "…y-long-name");
        let remote = "https://git.example.com/ops/fleet.git";
        assert_eq!(cut(Shown::keep_tail, remote, 30), "https://git.exa…/ops/fleet.git");
        assert_eq!(cut(Shown::keep_tail, "apps/checkout/deploy.yaml", 24), "…/checkout/deploy.yaml");
        assert_eq!(cut(Shown::keep_tail, "apps/a-long-name.yaml", 8), "…me.yaml", "what tells it apart");
        assert_eq!(cut(Shown::cut_start, "apps/podinfo/hr.yaml", 8), "…hr.yaml");
    }

    #[test]
    fn marks_move_with_the_text_that_is_left() {
        let shown = Shown::new("abc\x1bdef").cut_end(5);
        assert_eq!(shown.as_str(), "abc^…");
        assert!(shown.is_hostile());
        assert!(!Shown::new("abc\x1b").cut_end(3).is_hostile());
    }

    #[test]
    fn a_wide_character_is_never_halved() {
        assert_eq!(cut(Shown::cut_end, "版本版本", 4), "版…");
        assert_eq!(Shown::new("a版b").window(2, 2).as_str(), "b");
    }

    #[test]
    fn lines_break_at_blanks_and_else_anywhere() {
        let lines: Vec<String> =
            Shown::new("one two three").wrap(7).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["one two", "three"]);
        let lines: Vec<String> = Shown::new("abcdefgh i").wrap(3).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["abc", "def", "gh", "i"]);
        assert_eq!(Shown::new("").wrap(3).len(), 1);
    }

    proptest! {
        #[test]
        fn no_cut_is_wider_than_asked(raw in ".{0,40}", max in 0_usize..30) {
            let shown = Shown::new(&raw);
            for cut in [Shown::cut_end, Shown::cut_middle, Shown::cut_start, Shown::keep_tail] {
                prop_assert!(cut(&shown, max).width() <= max);
            }
            prop_assert!(shown.window(3, max).width() <= max);
        }

        #[test]
        fn wrapped_lines_fit_and_lose_only_blanks(raw in "[a-z 版]{0,40}", width in 2_usize..12) {
            let lines = Shown::new(&raw).wrap(width);
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let kept: String = lines.iter().map(|line| line.as_str().replace(' ', "")).collect();
            prop_assert_eq!(kept, raw.replace(' ', ""));
        }
    }
}
