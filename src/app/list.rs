//! The model of every list: which rows are shown, on which object the cursor stands, how far it is scrolled, what is
//! filtered, sorted and selected.
//!
//! The cursor belongs to an object, not to a row number: when rows come, go or move, it stays on its object. How far a
//! list is scrolled is only ever changed by moving; a pane that shrinks and grows again shows what it showed before,
//! because [`List::window`] fits the offset to the pane without storing it.

mod filter;

use std::collections::BTreeSet;
use std::ops::Range;

pub use filter::{Filter, Searchable};

use crate::text::spaced;

/// Rows of a list, by the identity `K` of their objects.
#[derive(Debug, Clone, PartialEq)]
pub struct List<K: Ord> {
    rows: Vec<K>,
    cursor: usize,
    offset: usize,
    /// What is shown of all there is.
    pub filter: Filter,
    /// Which of the view's orders is in force.
    pub sort: usize,
    /// Whether it is turned around.
    pub reverse: bool,
    /// Rows marked with Space.
    pub selected: BTreeSet<K>,
    anchor: Option<usize>,
    /// Whether the cursor stays on the first row, whichever comes to be that one: nobody has meant a row yet.
    floats: bool,
}

impl<K: Ord> Default for List<K> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            cursor: 0,
            offset: 0,
            filter: Filter::default(),
            sort: 0,
            reverse: false,
            selected: BTreeSet::new(),
            anchor: None,
            floats: false,
        }
    }
}

impl<K: Ord> List<K> {
    /// A list that fills while somebody looks at it: until a row is meant, the first one is under the cursor and in sight.
    pub fn floating() -> Self {
        Self { floats: true, ..Self::default() }
    }

    /// The row under the cursor is meant from now on, wherever it moves.
    pub fn land(&mut self) {
        self.floats = false;
    }
}

/// A way to move in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// By so many rows, down if positive.
    By(isize),
    /// By so many half panes.
    Half(isize),
    /// By so many panes.
    Page(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl<K: Ord + Clone> List<K> {
    /// All rows that are shown, in order.
    pub fn rows(&self) -> &[K] {
        &self.rows
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The index of the cursor's row; 0 in an empty list.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The object under the cursor.
    pub fn current(&self) -> Option<&K> {
        self.rows.get(self.cursor)
    }

    /// The rows that a pane of `height` rows shows; the cursor is always among them if there is any row.
    pub fn window(&self, height: usize) -> Range<usize> {
        let start = fit(self.offset, self.cursor, self.rows.len(), height);
        start..(start + height).min(self.rows.len())
    }

    /// The objects of [`Self::window`], each with its index and whether the cursor stands on it.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (usize, &K, bool)> {
        let window = self.window(height);
        let first = window.start;
        let rows = self.rows.get(window).unwrap_or_default();
        rows.iter().enumerate().map(move |(n, row)| (first + n, row, first + n == self.cursor))
    }

    /// Moves the cursor in a pane of `height` rows. Says whether anything changed.
    pub fn go(&mut self, motion: Motion, height: usize) -> bool {
        let before = (self.cursor, self.offset);
        self.land();
        self.offset = self.window(height).start;
        let last = self.rows.len().saturating_sub(1);
        let page = isize::try_from(height.max(1)).unwrap_or(isize::MAX);
        let (distance, scrolls) = match motion {
            Motion::By(rows) => (rows, false),
            Motion::Half(times) => ((page / 2).max(1) * times, true),
            Motion::Page(times) => (page * times, true),
            Motion::First => (isize::MIN, false),
            Motion::Last => (isize::MAX, false),
        };
        self.cursor = self.cursor.saturating_add_signed(distance).min(last);
        if scrolls {
            let end = self.rows.len().saturating_sub(height);
            self.offset = self.offset.saturating_add_signed(distance).min(end);
        }
        self.offset = self.window(height).start;
        before != (self.cursor, self.offset)
    }

    /// Moves the cursor to `key`, if it is shown.
    pub fn go_to(&mut self, key: &K) -> bool {
        let place = self.rows.iter().position(|row| row == key);
        if let Some(place) = place {
            self.cursor = place;
            self.land();
        }
        place.is_some()
    }

    /// Moves the cursor to the row at `index`, or to the last.
    pub fn go_to_index(&mut self, index: usize) {
        self.cursor = index.min(self.rows.len().saturating_sub(1));
        self.land();
    }

    /// Shows `rows` instead; the cursor stays on its object, or, if that is gone, in its place.
    pub fn set_rows(&mut self, rows: Vec<K>) {
        let key = self.current().cloned();
        self.set_rows_on(rows, key.as_ref());
    }

    /// Shows `rows` instead and puts the cursor on `key`, which may have got another identity since.
    pub fn set_rows_on(&mut self, rows: Vec<K>, key: Option<&K>) {
        let last = rows.len().saturating_sub(1);
        let place = key.and_then(|key| rows.iter().position(|row| row == key));
        let cursor = place.unwrap_or(self.cursor).min(last);
        // The row keeps its distance from the pane's first row, so nothing seems to jump.
        let above = self.cursor.saturating_sub(self.offset);
        self.offset = if place.is_some() { cursor.saturating_sub(above) } else { self.offset };
        self.cursor = cursor;
        if self.floats {
            (self.cursor, self.offset) = (0, 0);
        }
        if !self.selected.is_empty() {
            let known: BTreeSet<&K> = rows.iter().collect();
            self.selected.retain(|key| known.contains(key));
        }
        self.anchor = self.anchor.filter(|_| rows.len() == self.rows.len());
        self.rows = rows;
    }

    /// Begins a range at the cursor, or ends the one that was begun.
    pub fn toggle_range(&mut self) {
        self.anchor = if self.anchor.is_some() { None } else { Some(self.cursor) };
    }

    /// Begins a range at the cursor, unless one is under way.
    pub fn begin_range(&mut self) {
        self.anchor.get_or_insert(self.cursor);
    }

    /// Ends a range without doing anything. Says whether there was one.
    pub fn end_range(&mut self) -> bool {
        self.anchor.take().is_some()
    }

    /// The indices of the range under way, the cursor's row included.
    pub fn range(&self) -> Option<Range<usize>> {
        let anchor = self.anchor?.min(self.rows.len().saturating_sub(1));
        Some(anchor.min(self.cursor)..(anchor.max(self.cursor) + 1).min(self.rows.len()))
    }

    /// What a key acts on: the objects of the range, or the one under the cursor.
    pub fn targets(&self) -> Vec<K> {
        let range = self.range().unwrap_or(self.cursor..(self.cursor + 1).min(self.rows.len()));
        self.rows.get(range).unwrap_or_default().to_vec()
    }

    /// Marks the targets, or takes their marks away if all have one.
    pub fn toggle_selected(&mut self) {
        let targets = self.targets();
        let all = targets.iter().all(|key| self.selected.contains(key));
        for key in targets {
            if all {
                self.selected.remove(&key);
            } else {
                self.selected.insert(key);
            }
        }
        self.anchor = None;
    }

    /// `row 6/98 426`, if the list is longer than a pane of `height` rows.
    pub fn position(&self, height: usize) -> Option<String> {
        (self.rows.len() > height && height > 0)
            .then(|| format!("row {}/{}", spaced(self.cursor + 1), spaced(self.rows.len())))
    }
}

/// The offset nearest to `offset` at which a pane of `height` rows shows row `cursor` and is as full as it can be.
pub fn fit(offset: usize, cursor: usize, rows: usize, height: usize) -> usize {
    if height == 0 {
        return cursor;
    }
    let lowest = (cursor + 1).saturating_sub(height);
    offset.clamp(lowest, cursor.max(lowest)).min(rows.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(rows: usize) -> List<usize> {
        let mut list = List::default();
        list.set_rows((0..rows).collect());
        list
    }

    #[test]
    fn the_cursor_stays_on_its_object_when_rows_move() {
        let mut list = list(5);
        list.go(Motion::By(2), 3);
        list.set_rows(vec![4, 3, 9, 2, 1]);
        assert_eq!(list.current(), Some(&2));
        list.set_rows(vec![4, 3, 9]);
        assert_eq!(list.current(), Some(&9), "the object is gone: the cursor keeps its place");
    }

    #[test]
    fn until_a_row_is_meant_the_first_one_is_under_the_cursor() {
        let mut list = List::floating();
        list.set_rows(vec![5, 6]);
        list.set_rows(vec![1, 5, 6]);
        assert_eq!((list.current(), list.window(2).start), (Some(&1), 0));
        list.land();
        list.set_rows(vec![0, 1, 5, 6]);
        assert_eq!(list.current(), Some(&1));
    }

    #[test]
    fn a_pane_that_shrinks_and_grows_again_shows_what_it_showed() {
        let mut list = list(100);
        list.go(Motion::By(30), 20);
        list.go(Motion::By(-12), 20);
        let before = list.window(20);
        let _ = list.window(3);
        assert_eq!(list.window(20), before);
    }

    #[test]
    fn a_position_is_told_only_when_the_list_is_longer_than_the_pane() {
        let mut list = list(98_426);
        list.go(Motion::By(5), 20);
        assert_eq!(list.position(20).as_deref(), Some("row 6/98 426"));
        assert_eq!(list.position(98_426), None);
    }

    #[test]
    fn a_range_is_what_a_key_acts_on() {
        let mut list = list(10);
        list.go(Motion::By(3), 5);
        list.toggle_range();
        list.go(Motion::By(-2), 5);
        assert_eq!(list.targets(), [1, 2, 3]);
        list.toggle_selected();
        assert_eq!(list.selected.len(), 3);
        assert_eq!(list.targets(), [1]);
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_visible(
            rows in 0usize..60,
            height in 1usize..30,
            moves in prop::collection::vec((-40isize..40, 0u8..5), 0..20),
        ) {
            let mut list = list(rows);
            for (distance, kind) in moves {
                let motion = match kind {
                    0 => Motion::By(distance),
                    1 => Motion::Half(distance.signum()),
                    2 => Motion::Page(distance.signum()),
                    3 => Motion::First,
                    _ => Motion::Last,
                };
                list.go(motion, height);
                let window = list.window(height);
                prop_assert!(rows == 0 || window.contains(&list.cursor()), "{window:?} {}", list.cursor());
                prop_assert!(window.len() == height.min(rows));
            }
        }
    }
}
