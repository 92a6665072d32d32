//! Rows that only moved: a list that was scrolled is moved by the terminal itself.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use ratatui::buffer::{Buffer, Cell};

use super::grid::{self, is_erased};

/// Fewer rows than this are redrawn: the sequence that moves them costs as much.
const FEWEST: usize = 3;
/// Rows that may differ between two that moved: the cursor's row and the one that it left.
const GAP: u16 = 2;
/// Rows at the edge where new ones come in that may move along although they are drawn anew: the row that the cursor
/// left loses its background, and what lies behind that stays.
const EDGE: u16 = 1;

/// Rows of the whole width that move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    /// The first row of the region.
    pub(super) top: u16,
    /// The row below its last.
    pub(super) bottom: u16,
    /// How many rows up; down, if negative.
    pub(super) by: i32,
}

/// What a terminal shows once rows have moved, without anything being copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'b> {
    buffer: &'b Buffer,
    shift: Option<Shift>,
    /// A row without anything.
    blank: &'b [Cell],
}

impl<'b> Shown<'b> {
    /// What it shows now; `blank` is a blank row of its width.
    pub(super) fn now(buffer: &'b Buffer, blank: &'b [Cell]) -> Self {
        Self { buffer, shift: None, blank }
    }

    /// What it shows after `shift`.
    pub(super) fn after(self, shift: Shift) -> Self {
        Self { shift: Some(shift), ..self }
    }

    /// The cells of row `y`.
    pub(super) fn row(self, y: u16) -> &'b [Cell] {
        let Some(Shift { top, bottom, by }) =
            self.shift.filter(|shift| (shift.top..shift.bottom).contains(&y))
        else {
            return grid::row(self.buffer, y);
        };
        let from = i32::from(y) + by;
        let inside = (i32::from(top)..i32::from(bottom)).contains(&from);
        match u16::try_from(from) {
            Ok(from) if inside => grid::row(self.buffer, from),
            _ => self.blank,
        }
    }

    /// How many bytes it takes at least to make `wanted` of it: what is no blank has to be written.
    pub(super) fn least(self, wanted: &Buffer) -> usize {
        let written = |y| {
            let cells = self.row(y).iter().zip(grid::row(wanted, y));
            cells.filter(|(old, new)| new.symbol() != " " && old != new).count()
        };
        (0..wanted.area.height).map(written).sum()
    }
}

/// Regions that may be cheaper to move than to draw; none where nothing moved.
pub(super) fn candidates(shown: &Buffer, wanted: &Buffer) -> Vec<Shift> {
    let changed: Vec<u16> =
        (0..wanted.area.height).filter(|y| grid::row(shown, *y) != grid::row(wanted, *y)).collect();
    let (Some(first), Some(last)) = (changed.first(), changed.last()) else { return Vec::new() };
    let Some((by, rows)) = moved(shown, wanted, &changed) else { return Vec::new() };
    let (Some(top), Some(bottom)) = (rows.first(), rows.last().map(|y| y + 1)) else { return Vec::new() };
    let room = |edge: u16| {
        let top =
            if by < 0 { top.checked_add_signed(i16::try_from(by).ok()?)?.checked_sub(edge)? } else { *top };
        let bottom = if by > 0 { bottom.checked_add_signed(i16::try_from(by).ok()?)? + edge } else { bottom };
        (top >= *first && bottom <= last + 1).then_some(Shift { top, bottom, by })
    };
    (0..=EDGE).filter_map(room).collect()
}

/// How far most of the changed rows moved (up, if positive), and where those lie now that did so together.
fn moved(shown: &Buffer, wanted: &Buffer, changed: &[u16]) -> Option<(i32, Vec<u16>)> {
    let was = places(shown, changed);
    let mut moves: BTreeMap<i32, Vec<u16>> = BTreeMap::new();
    for y in changed {
        let cells = grid::row(wanted, *y);
        let Some(Some(from)) = was.get(&key(cells)) else { continue };
        if grid::row(shown, *from) == cells {
            moves.entry(i32::from(*from) - i32::from(*y)).or_default().push(*y);
        }
    }
    let blocks = moves.into_iter().map(|(by, rows)| (by, longest(&rows)));
    blocks.max_by_key(|(_, rows)| rows.len()).filter(|(_, rows)| rows.len() >= FEWEST)
}

/// Where each row is; `None` for one that is there twice. Blank rows are left out.
fn places(shown: &Buffer, changed: &[u16]) -> HashMap<u64, Option<u16>, FixedState> {
    let mut places = HashMap::with_hasher(FixedState::default());
    for y in changed {
        let cells = grid::row(shown, *y);
        if !cells.iter().all(is_erased) {
            let place = places.entry(key(cells)).or_insert(Some(*y));
            *place = place.filter(|known| known == y);
        }
    }
    places
}

/// The same for rows of the same text, and hardly ever for others.
fn key(cells: &[Cell]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    for cell in cells {
        hasher.write(cell.symbol().as_bytes());
    }
    hasher.finish()
}

/// The most rows that lie together.
fn longest(rows: &[u16]) -> Vec<u16> {
    let blocks = rows.chunk_by(|above, below| below - above <= GAP + 1);
    blocks.max_by_key(|block| block.len()).unwrap_or_default().to_vec()
}
