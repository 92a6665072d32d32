//! What has to be drawn, as runs of cells, and in which order that is cheapest.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};

use super::brush::Brush;
use super::grid::{self, is_erased};
use super::pen::Pen;
use super::scroll::Shown;

/// Blanks that are cheaper erased (`CSI n X`) than written, where nothing follows them.
const LAST_BLANKS: u16 = 6;
/// The same where something follows, for which the cursor has to move.
const BLANKS: u16 = 11;
/// Changed cells in a row from which on it is looked whether it had better be erased first.
const MANY: usize = 8;

/// How a run is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Written with this pen.
    Text(Pen),
    /// Erased.
    Blank,
    /// Erased up to the end of the row.
    Rest,
}

/// Cells of one row that are drawn at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Their row.
    pub(super) y: u16,
    /// The first column.
    pub(super) from: u16,
    /// The column behind the last.
    pub(super) end: u16,
    /// How.
    pub(super) ink: Ink,
}

impl Run {
    /// Its cells.
    pub(super) fn cells<'b>(&self, buffer: &'b Buffer) -> &'b [Cell] {
        grid::row(buffer, self.y).get(usize::from(self.from)..usize::from(self.end)).unwrap_or_default()
    }
}

/// What makes `wanted` of `shown`, in reading order.
pub(super) fn between(shown: Shown<'_>, wanted: &Buffer) -> Vec<Run> {
    (0..wanted.area.height).flat_map(|y| row(y, shown, wanted)).collect()
}

/// The runs of one row: on top of what is there, or after erasing it, whichever is cheaper.
fn row(y: u16, shown: Shown<'_>, wanted: &Buffer) -> Vec<Run> {
    let (old, new) = (shown.row(y), grid::row(wanted, y));
    if old == new {
        return Vec::new();
    }
    let changed: Vec<bool> = old.iter().zip(new).map(|(old, new)| old != new).collect();
    let is_changed = |x: usize| changed.get(x).copied().unwrap_or_default();
    let over = over(y, new, is_changed);
    let count = changed.iter().filter(|changed| **changed).count();
    let Some(first) = changed.iter().position(|changed| *changed).filter(|_| count >= MANY) else {
        return over;
    };
    let mut anew = vec![Run { y, from: column(first), end: column(new.len()), ink: Ink::Rest }];
    let is_due = |x: usize| x >= first && new.get(x).is_some_and(|cell| !is_erased(cell));
    anew.extend(texts(y, new, 0..new.len(), is_due));
    let brush = Brush::new();
    if brush.cost(&anew, wanted) < brush.cost(&over, wanted) { anew } else { over }
}

/// The runs of a row on top of what is there; if it ends in blanks, these are erased.
fn over(y: u16, new: &[Cell], is_changed: impl Fn(usize) -> bool) -> Vec<Run> {
    let text_end = new.iter().rposition(|cell| !is_erased(cell)).map_or(0, |x| x + 1);
    let tail: Vec<usize> = (text_end..new.len()).filter(|x| is_changed(*x)).collect();
    // Erasing takes a sequence of three bytes.
    let erased = tail.first().copied().filter(|_| tail.len() > 3);
    let end = erased.unwrap_or(new.len());
    let mut runs = texts(y, new, 0..end, is_changed);
    runs.extend(erased.map(|x| Run { y, from: column(x), end: column(new.len()), ink: Ink::Rest }));
    runs
}

/// The runs of the cells in `range` that are due.
fn texts(y: u16, cells: &[Cell], range: Range<usize>, is_due: impl Fn(usize) -> bool) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut x = range.start;
    while x < range.end {
        if !is_due(x) {
            x += 1;
            continue;
        }
        let from = x;
        let mut pen = None;
        while let Some(cell) = cells.get(x).filter(|_| x < range.end && is_due(x)) {
            let wanted = pen.unwrap_or(Pen::of(cell));
            let fits = match pen {
                // Blanks before a text are drawn with its pen, if that draws blanks.
                None => is_erased(cell) || x == from || wanted.is_blank(),
                Some(pen) => Pen::draws(pen, cell),
            };
            if !fits {
                break;
            }
            if !is_erased(cell) {
                pen = Some(wanted);
            }
            x += 1;
        }
        let run = Run { y, from: column(from), end: column(x), ink: Ink::Text(pen.unwrap_or(Pen::PLAIN)) };
        let is_followed = x < range.end && is_due(x);
        split_blanks(run, cells, is_followed, &mut runs);
    }
    runs
}

/// Takes the long blanks out of a run; they are erased.
fn split_blanks(run: Run, cells: &[Cell], is_followed: bool, runs: &mut Vec<Run>) {
    let mut from = run.from;
    let mut x = run.from;
    while x < run.end {
        let blanks = (x..run.end).take_while(|x| cells.get(usize::from(*x)).is_some_and(is_erased)).count();
        let end = x + column(blanks);
        let least = if end == run.end && !is_followed { LAST_BLANKS } else { BLANKS };
        if end - x >= least {
            if from < x {
                runs.push(Run { from, end: x, ..run });
            }
            runs.push(Run { from: x, end, ink: Ink::Blank, ..run });
            from = end;
        }
        x = end.max(x + 1);
    }
    if from < run.end {
        runs.push(Run { from, ..run });
    }
}

fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

/// The order in which `runs`, given in reading order, are cheapest to draw for `brush`: pens that are dear to change to
/// draw all that is theirs at once, after the rest.
///
/// What is erased keeps its place before what is drawn behind it in the same row.
pub(super) fn ordered(runs: &[Run], brush: &Brush, wanted: &Buffer) -> Vec<Run> {
    let mut pens: Vec<Pen> = Vec::new();
    for run in runs {
        if let Ink::Text(pen) = run.ink
            && !pens.contains(&pen)
        {
            pens.push(pen);
        }
    }
    let mut late: Vec<Pen> = Vec::new();
    let mut best = brush.cost(runs, wanted);
    for pen in pens {
        late.push(pen);
        let cost = brush.cost(deferring(runs, &late), wanted);
        if cost < best {
            best = cost;
        } else {
            late.pop();
        }
    }
    let flat: Vec<Run> = deferring(runs, &late).copied().collect();
    let upright = walls_last(&flat);
    if brush.cost(&upright, wanted) < best { upright } else { flat }
}

/// Fewer cells than this below each other are no wall.
const WALL: usize = 4;

/// The runs in their order, but single cells that stand below each other, as those of walls do, after all others and
/// column by column: one row down and one column back are two bytes.
fn walls_last(runs: &[Run]) -> Vec<Run> {
    let mut columns: BTreeMap<u16, Vec<Run>> = BTreeMap::new();
    for run in runs.iter().filter(|run| is_single(run)) {
        columns.entry(run.from).or_default().push(*run);
    }
    columns.retain(|_, cells| cells.len() >= WALL);
    let is_of_wall = |run: &&Run| is_single(run) && columns.contains_key(&run.from);
    let mut ordered: Vec<Run> = runs.iter().filter(|run| !is_of_wall(run)).copied().collect();
    for cells in columns.values_mut() {
        cells.sort_by_key(|run| run.y);
        ordered.append(cells);
    }
    ordered
}

fn is_single(run: &Run) -> bool {
    run.end == run.from + 1 && matches!(run.ink, Ink::Text(_))
}

/// The runs in reading order, but those of the pens in `late` after all others, pen by pen.
fn deferring<'r>(runs: &'r [Run], late: &'r [Pen]) -> impl Iterator<Item = &'r Run> {
    let is_of = |run: &Run, pen: &Pen| run.ink == Ink::Text(*pen);
    let now = runs.iter().filter(move |run| !late.iter().any(|pen| is_of(run, pen)));
    now.chain(late.iter().flat_map(move |pen| runs.iter().filter(move |run| is_of(run, pen))))
}
