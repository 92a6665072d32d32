//! What stands between two nodes: comments, indentation, dashes, keys.

use super::{Emitter, Gap, Kind};
use crate::domain::manifest::reformat::comments;

impl Emitter<'_> {
    /// Whole lines between two nodes, the next at `column`, if there is one.
    pub(super) fn lines(&mut self, lines: &str, column: Option<usize>) {
        if !lines.contains('#') {
            return;
        }
        let place = comments::Place {
            column,
            above: std::mem::take(&mut self.above),
            open: self.levels.iter().map(|level| level.indent).collect(),
            entries: self.levels.last().map_or(self.root_entries, |level| level.entries),
            ends_empty: self.empty_entry > 0 && self.empty_entry == self.root_entries,
            is_start: self.out.is_empty(),
        };
        match comments::written(lines, &place) {
            Some(written) => self.out.push_str(&written),
            None => self.doubt(lines),
        }
    }

    /// Begins the line of an entry at `indent`, with what stands before it in the source.
    fn begin(&mut self, gap: Gap<'_>, indent: usize) {
        if !self.out.is_empty() {
            self.tail(gap.tail);
            self.out.push('\n');
        }
        self.lines(gap.lines, Some(indent));
        self.above.clear();
        if let Some(level) = self.levels.last_mut() {
            level.entries += 1;
        }
        self.root_entries += usize::from(self.levels.len() == 1);
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Whether the next node is a key of a block mapping.
    pub(super) fn is_at_key(&self) -> bool {
        self.flow.is_empty()
            && self.levels.last().is_some_and(|level| level.at_key && level.kind == Kind::Mapping)
    }

    /// What stands before a node that begins at `start` in the source, up to the node's own text.
    pub(super) fn lead(&mut self, start: usize) {
        if self.flow.is_empty() { self.block_lead(start) } else { self.flow_lead(start) }
    }

    fn block_lead(&mut self, start: usize) {
        let source = self.text.get(self.at..start).unwrap_or_default();
        let gap = Gap::new(source);
        self.at = self.at.max(start);
        let Some(level) = self.levels.last_mut() else { return };
        let (indent, inline) = (level.indent, std::mem::take(&mut level.inline));
        match (level.kind, level.at_key) {
            (Kind::Mapping, true) => {
                level.at_key = false;
                let gap = self.ahead.take().unwrap_or(gap);
                if inline {
                    level.entries += 1;
                    return;
                }
                self.begin(gap, indent);
                // Properties of a key are rare; an explicit key loses its sign.
                self.sure &= gap.last.trim_matches([' ', '?']).is_empty();
            }
            (Kind::Mapping, false) => {
                level.at_key = true;
                self.value_lead(gap);
            }
            (Kind::Sequence, _) => {
                let before = self.ahead.take();
                self.item_lead(source, before, indent, inline);
            }
        }
    }

    /// What follows a key on its line.
    fn value_lead(&mut self, gap: Gap<'_>) {
        let Some(words) = gap.tail.trim_start().strip_prefix(':') else {
            // An explicit key, and its value on a line of its own.
            self.sure &= !gap.lines.contains('#') && !gap.tail.contains('#');
            self.out.push(':');
            return self.after_indicator(gap.last.trim_start_matches([' ', ':']), "");
        };
        self.out.push(':');
        if gap.lines.contains('#') || words.contains('#') {
            return self.doubt(words);
        }
        self.after_indicator(words, gap.last);
    }

    /// Anchor and tag behind `:` or `-`, with one blank before each.
    pub(super) fn after_indicator(&mut self, words: &str, more: &str) {
        let mut words: Vec<&str> = words.split_whitespace().chain(more.split_whitespace()).collect();
        // The emitter writes the anchor first.
        words.sort_by_key(|word| !word.starts_with('&'));
        for word in words {
            self.sure &=
                word.starts_with('&') || word == "!!str" || (word.len() > 1 && !word.starts_with("!<"));
            self.out.push(' ');
            self.out.push_str(word);
        }
    }

    fn item_lead(&mut self, source: &str, before: Option<Gap<'_>>, indent: usize, inline: bool) {
        let dash_line = if let Some(before) = before {
            if inline {
                self.levels.last_mut().into_iter().for_each(|level| level.entries += 1);
            } else {
                self.begin(before, indent);
            }
            Gap::new(source)
        } else {
            let (above, dash_line) = split_at_dash(source);
            self.begin(Gap::new(above), indent);
            Gap::new(dash_line)
        };
        self.out.push('-');
        let behind = dash_line.tail.trim_start().trim_start_matches('-');
        if dash_line.tail.contains('#') || dash_line.lines.contains('#') {
            self.lost = true;
        } else {
            self.after_indicator(behind, dash_line.last);
        }
    }

    fn flow_lead(&mut self, start: usize) {
        let gap = self.text.get(self.at..start).unwrap_or_default();
        self.at = self.at.max(start);
        self.sure &= !gap.contains('#');
        let Some(flow) = self.flow.last_mut() else { return };
        let is_value = flow.kind == Kind::Mapping && flow.nodes % 2 == 1;
        let is_first = flow.nodes == 0;
        flow.nodes += 1;
        if is_value {
            self.out.push(':');
        } else if !is_first {
            self.out.push(',');
        }
        let words: Vec<&str> = gap
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '{' | '[' | '?'))
            .filter(|word| !word.is_empty())
            .collect();
        self.sure &= words.is_empty() && !gap.contains('?');
        if !is_first || is_value {
            self.out.push(' ');
        }
        for word in words {
            self.out.push_str(word);
            self.out.push(' ');
        }
    }
}

/// The source before an item of a list, cut before the line of its dash.
pub(super) fn split_at_dash(source: &str) -> (&str, &str) {
    let mut place = 0;
    for line in source.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if place > 0 && line.get(blanks..).is_some_and(|words| words.starts_with('-')) {
            return (
                source.get(..place).unwrap_or_default(),
                source.get(place + blanks..).unwrap_or_default(),
            );
        }
        place += line.len();
    }
    (source, "")
}
