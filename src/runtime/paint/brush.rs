//! Writes runs of cells, and knows what that does to the terminal's pen and cursor.

use ratatui::buffer::{Buffer, Cell};

use super::grid;
use super::pen::{Pen, number};
use super::runs::{Ink, Run};
use super::scroll::Shift;

/// A column and a row.
pub(super) type Place = (u16, u16);

/// More lines than this are not gone down one by one.
const STEPS: u16 = 4;

/// Where bytes are collected.
#[derive(Debug, Clone)]
pub(super) struct Brush {
    /// The bytes.
    pub(super) out: String,
    /// How many runs and scrolls they are.
    pub(super) strokes: usize,
    pen: Pen,
    /// Where the terminal's cursor is, if that is known.
    at: Option<Place>,
}

/// A way along a row to a column.
#[derive(Debug, Clone, Copy)]
enum Along {
    /// It is there.
    Stay,
    /// By writing what is there anyway.
    Text,
    Forward,
    /// One column at a time.
    Back,
    /// Several at once.
    Left,
    Column,
}

/// A way to a place.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// To the first column if so, down by so many rows, then along from this column.
    Near { returns: bool, down: u16, from: u16, along: Along },
    /// Straight.
    Absolute,
}

impl Brush {
    /// A brush for a terminal whose pen is as it was at the start and whose cursor is anywhere.
    pub(super) fn new() -> Self {
        Self { out: String::new(), strokes: 0, pen: Pen::PLAIN, at: None }
    }

    /// The same brush with nothing written yet.
    pub(super) fn fresh(&self) -> Self {
        Self { out: String::new(), strokes: 0, ..*self }
    }

    /// The bytes that `runs` would take.
    pub(super) fn cost<'r>(&self, runs: impl IntoIterator<Item = &'r Run>, wanted: &Buffer) -> usize {
        let mut trial = self.fresh();
        trial.draw(runs, wanted);
        trial.out.len()
    }

    /// Draws runs of the cells of `wanted`.
    pub(super) fn draw<'r>(&mut self, runs: impl IntoIterator<Item = &'r Run>, wanted: &Buffer) {
        for run in runs {
            self.run(run, wanted);
            self.strokes += 1;
        }
    }

    fn run(&mut self, run: &Run, wanted: &Buffer) {
        let start = (run.from, run.y);
        match run.ink {
            Ink::Text(pen) => {
                let cells = run.cells(wanted);
                let pen = if cells.iter().all(|cell| self.pen.draws(cell)) { self.pen } else { pen };
                // What lies on the way may be written with either pen.
                let (now, then) = (self.way(self.pen, start, wanted).0, self.way(pen, start, wanted).0);
                if then < now {
                    self.pick(pen);
                }
                self.go(start, wanted);
                self.pick(pen);
                self.out.extend(cells.iter().map(Cell::symbol));
                // In the last column terminals differ about where the cursor is now.
                self.at = (run.end < wanted.area.width).then_some((run.end, run.y));
            }
            Ink::Blank => {
                self.pick_blank();
                self.go(start, wanted);
                self.control(run.end - run.from, 'X');
            }
            Ink::Rest => {
                self.pick_blank();
                self.go(start, wanted);
                self.out.push_str("\x1b[K");
            }
        }
    }

    /// Moves the rows of a region. The region is that of this sequence alone; blank rows come in.
    pub(super) fn scroll(&mut self, shift: Shift) {
        self.pick_blank();
        let count = u16::try_from(shift.by.unsigned_abs()).unwrap_or(u16::MAX);
        self.controls(shift.top + 1, shift.bottom, 'r');
        self.control(shift.top + 1, 'H');
        // Lines are deleted and inserted, which the console of Linux can do too; SU and SD it does not know.
        self.counted(count, if shift.by > 0 { 'M' } else { 'L' });
        self.out.push_str("\x1b[r");
        self.at = None;
        self.strokes += 1;
    }

    /// Changes the pen.
    fn pick(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.out);
        self.pen = pen;
    }

    /// A sequence with a number.
    fn control(&mut self, count: u16, end: char) {
        self.out.push_str("\x1b[");
        number(count, &mut self.out);
        self.out.push(end);
    }

    /// A sequence with a number that is 1 if it is left out.
    fn counted(&mut self, count: u16, end: char) {
        if count == 1 {
            self.out.push_str("\x1b[");
            self.out.push(end);
        } else {
            self.control(count, end);
        }
    }

    /// A sequence with two numbers.
    fn controls(&mut self, first: u16, second: u16, end: char) {
        self.out.push_str("\x1b[");
        number(first, &mut self.out);
        self.out.push(';');
        number(second, &mut self.out);
        self.out.push(end);
    }

    /// Takes a pen that erases to the terminal's own blanks.
    fn pick_blank(&mut self) {
        if !self.pen.is_blank() {
            self.pick(Pen::PLAIN);
        }
    }

    /// Moves the cursor, in as few bytes as it takes.
    pub(super) fn go(&mut self, to: Place, wanted: &Buffer) {
        let (x, y) = to;
        match self.way(self.pen, to, wanted).1 {
            Way::Near { returns, down, from, along } => {
                if returns {
                    self.out.push('\r');
                }
                self.out.extend(std::iter::repeat_n('\n', usize::from(down)));
                self.along(along, from, to, wanted);
            }
            Way::Absolute => match to {
                (0, 0) => self.out.push_str("\x1b[H"),
                (0, _) => self.control(y + 1, 'H'),
                _ => self.controls(y + 1, x + 1, 'H'),
            },
        }
        self.at = Some(to);
    }

    fn along(&mut self, along: Along, from: u16, (x, y): Place, wanted: &Buffer) {
        match along {
            Along::Stay => {}
            Along::Text => self.out.extend(between(wanted, y, from, x).iter().map(Cell::symbol)),
            Along::Forward => self.counted(x - from, 'C'),
            Along::Back => self.out.extend(std::iter::repeat_n('\x08', usize::from(from - x))),
            Along::Left => self.control(from - x, 'D'),
            Along::Column => self.control(x + 1, 'G'),
        }
    }

    /// The cheapest way to a place for a brush with this pen, and its bytes.
    fn way(&self, pen: Pen, to: Place, wanted: &Buffer) -> (usize, Way) {
        let (x, y) = to;
        let absolute = match to {
            (0, 0) => 3,
            (0, _) => 3 + digits(y + 1),
            _ => 4 + digits(y + 1) + digits(x + 1),
        };
        let mut best = (absolute, Way::Absolute);
        let Some((column, row)) = self.at else { return best };
        let Some(down) = y.checked_sub(row).filter(|down| *down <= STEPS) else { return best };
        for (returns, from) in [(false, column), (true, 0)] {
            let (bytes, along) = along(pen, from, to, wanted);
            let bytes = bytes + usize::from(down) + usize::from(returns);
            if bytes < best.0 {
                best = (bytes, Way::Near { returns, down, from, along });
            }
        }
        best
    }
}

/// The cheapest way along row `y` from one column to another, and its bytes.
fn along(pen: Pen, from: u16, (x, y): Place, wanted: &Buffer) -> (usize, Along) {
    let column = (3 + digits(x + 1), Along::Column);
    let other = match x.checked_sub(from) {
        Some(0) => return (0, Along::Stay),
        Some(1) => (3, Along::Forward),
        Some(distance) => (3 + digits(distance), Along::Forward),
        None if from - x <= 3 => (usize::from(from - x), Along::Back),
        None => (3 + digits(from - x), Along::Left),
    };
    let best = if other.0 <= column.0 { other } else { column };
    // No text is cheaper than a jump but a short one; and from inside a wide character there is none to write.
    let text = Some(between(wanted, y, from, x))
        .filter(|cells| cells.len() <= best.0 && cells.first().is_some_and(|cell| !cell.symbol().is_empty()));
    match text.filter(|cells| cells.iter().all(|cell| pen.draws(cell))) {
        Some(cells) => {
            let bytes = cells.iter().map(|cell| cell.symbol().len()).sum();
            if bytes <= best.0 { (bytes, Along::Text) } else { best }
        }
        None => best,
    }
}

fn between(wanted: &Buffer, y: u16, from: u16, to: u16) -> &[Cell] {
    grid::row(wanted, y).get(usize::from(from)..usize::from(to)).unwrap_or_default()
}

fn digits(number: u16) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
