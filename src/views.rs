//! What is drawn: the state of the program as cells of a terminal.
//!
//! A view is a function of what it shows. It takes the part of the state that it needs, changes nothing, makes only the
//! rows that are in sight, and has an answer for nothing yet, nothing found, failed and too little room. Where things
//! lie is [`crate::app::layout`]'s decision; what may be pressed comes from [`crate::app::action`]. Text reaches the
//! screen as [`crate::text::Shown`] only (see `widgets`).

mod automations;
mod bars;
mod chrome;
mod cluster;
mod dialog;
mod diff;
mod edit;
mod errors;
mod facts;
mod find;
mod help;
mod log;
mod message;
mod palette;
mod plain;
mod plan;
mod playground;
mod policies;
mod push;
mod repositories;
mod small;
mod start;
mod tags;
mod updates;
mod widgets;
mod words;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::app::layout::{Area, Front, Layout, Size, Tier};
use crate::app::list::{Filter, List};
use crate::app::pointer::Spot;
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::{Focus, View};
use crate::theme::Role;
pub use plain::{Text, TextLine, text};
pub use widgets::canvas::Look;
use widgets::canvas::{Canvas, to_cells};
use widgets::columns::Column;
use widgets::frame;
use widgets::line::Line;
use widgets::table::{Row, Table, Widths};

/// Where the terminal's cursor belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The cell: in the focused field, else on the focused row, which magnifiers and readers follow.
    pub place: Position,
    /// Whether it is seen: it is in a text that is typed; a row is marked as it is.
    pub shown: bool,
}

/// What a frame has beside its cells.
#[derive(Debug, Default)]
pub struct Frame {
    /// Where the cursor belongs.
    pub cursor: Option<Cursor>,
    /// What a click means where; a later entry lies above an earlier one.
    pub spots: Vec<(Rect, Spot)>,
    /// The line that the preview begins with, where one is drawn: never so far down that its pane is not full.
    pub scrolled: Option<usize>,
}

impl Frame {
    /// What a click on a cell means.
    pub fn spot(&self, x: u16, y: u16) -> Option<Spot> {
        let at = Position::new(x, y);
        self.spots.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, spot)| *spot)
    }

    /// The pane under a cell.
    pub fn pane(&self, x: u16, y: u16) -> Option<Spot> {
        let at = Position::new(x, y);
        let panes = self.spots.iter().rev().filter(|(_, spot)| matches!(spot, Spot::Pane(_)));
        panes.into_iter().find(|(area, _)| area.contains(at)).map(|(_, spot)| *spot)
    }
}

/// Draws everything into an empty buffer of the size that the state knows; returns where the cursor belongs.
pub fn draw(buffer: &mut Buffer, state: &State, look: Look<'_>) -> Option<Cursor> {
    frame(buffer, state, look).cursor
}

/// As [`draw`]; returns also what can be clicked.
pub fn frame(buffer: &mut Buffer, state: &State, look: Look<'_>) -> Frame {
    let canvas = Canvas::new(buffer, look);
    let mut canvas = if state.profile.is_low() { canvas.without_row() } else { canvas };
    screen(&mut canvas, state);
    let cursor = canvas.cursor().map(|place| Cursor { place, shown: canvas.is_in_text() });
    Frame { cursor, scrolled: canvas.scrolled(), spots: canvas.spots() }
}

/// Rows of a text for the pager at most.
const LONGEST: u16 = 2_000;
/// Columns of the lines of files in it.
const WIDEST: u16 = 400;

/// The text of the view in front, and of its preview where it has one, as long as it is: what a terminal of so many rows
/// would show between title and status line, without colours, line by line.
pub fn whole(state: &State, look: Look<'_>) -> String {
    let view_in_front = state.view_below_help();
    // Lines of files are not cut where the terminal ends: a pager folds them.
    let is_code = view_in_front == View::Diff;
    let has_code = is_code || view_in_front == View::Updates;
    let width = if has_code { state.size.width.max(WIDEST) } else { state.size.width };
    let size = Size { width, height: LONGEST };
    let (over, zoomed, share, single) = (true, false, 0, false);
    let front = Front { size, view: view_in_front, focus: Focus::Other, over, zoomed, share, single };
    let mut layout = Layout::of(front);
    // S7 has the name of the file above its diff.
    let head = u16::from(is_code);
    let body = Area { x: 0, y: 1 + head, width: size.width, height: LONGEST - 4 };
    if layout.preview.is_some() {
        let nothing = Area { y: 1, height: 0, ..body };
        // What stands at the right end of it is to be seen at that of the terminal.
        let header = Area { height: head, width: state.size.width, ..nothing };
        // No wall has to part it from a list.
        let tier = if is_code { Tier::T1 } else { Tier::T3 };
        layout = Layout { tier, preview: Some(body), list: nothing, header, ..layout };
        (layout.overlay, layout.sides) = (false, None);
    }
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: size.width, height: LONGEST });
    view(&mut Canvas::new(&mut buffer, look), state, &layout);
    let width = usize::from(size.width.max(1));
    let text: Vec<String> = buffer.content.chunks(width).skip(1).map(text_of_row).collect();
    let end = text.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    text.into_iter().take(end).map(|line| line + "\n").collect()
}

fn text_of_row(row: &[Cell]) -> String {
    let (mut text, mut x) = (String::new(), 0);
    while let Some(cell) = row.get(x) {
        text.push_str(cell.symbol());
        // Behind a wide character there is a cell that is not its own.
        x += cell.symbol().width().max(1);
    }
    // A rule is as long as its pane is wide, which is not the pager's.
    text.trim_end().trim_end_matches(['─', '═']).trim_end().to_owned()
}

fn screen(canvas: &mut Canvas<'_>, state: &State) {
    let layout = state.layout();
    if layout.tier == Tier::T0 {
        small::draw(canvas, state.size);
        return;
    }
    bars::top(canvas, state, &layout);
    view(canvas, state, &layout);
    bars::bottom(canvas, state, &layout);
    if state.overlay.is_some() || state.help.is_some() {
        canvas.cover_spots();
    }
    dialog::draw(canvas, state, &layout);
}

fn view(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    match state.view() {
        View::Updates => updates::draw(canvas, state, layout),
        View::Repositories => repositories::draw(canvas, state, layout),
        View::Tags => tags::draw(canvas, state, layout),
        View::Policies => policies::draw(canvas, state, layout),
        View::Playground => playground::draw(canvas, state, layout),
        View::Automations => automations::draw(canvas, state, layout),
        View::Plan => plan::draw(canvas, state, layout),
        View::Diff => diff::draw(canvas, state, layout),
        View::Message => message::draw(canvas, state, layout),
        View::Push => push::draw(canvas, state, layout),
        View::Log => log::draw(canvas, state, layout),
        View::Errors => errors::draw(canvas, state, layout),
        View::Help => help::draw(canvas, state, layout),
        View::Start => start::draw(canvas, state, layout),
    }
}

/// The rectangle of an area of the layout.
fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}

/// The list pane with the column heads above it.
fn table_area(layout: &Layout) -> Rect {
    let list = rect(layout.list);
    // Beside a preview the last column keeps a blank between itself and the wall.
    let gap = u16::from(layout.tier >= Tier::T3 && layout.preview.is_some());
    Rect {
        y: list.y.saturating_sub(1),
        height: list.height + 1,
        width: list.width.saturating_sub(gap),
        ..list
    }
}

/// The columns of a list.
#[derive(Debug, Clone, Copy)]
struct Heads<'a> {
    columns: &'a [Column],
    /// The column of each order, and whether the greatest comes first there.
    sorted: &'a [(&'a str, bool)],
    /// Whether they are as wide as their rows need.
    measured: bool,
}

impl<'a> Heads<'a> {
    fn of(columns: &'a [Column], sorted: &'a [(&'a str, bool)]) -> Self {
        Self { columns, sorted, measured: true }
    }
}

/// Draws a list's pane; rows are made by `row` for those near what is in sight.
fn list<'r, K: Ord + Clone>(
    canvas: &mut Canvas<'_>,
    state: &State,
    layout: &Layout,
    list: &List<K>,
    heads: Heads<'_>,
    mut row: impl FnMut(&K) -> Row<'r>,
) {
    let window = list.window(layout.rows());
    if !layout.overlay {
        canvas.spot(table_area(layout), Spot::Pane(Focus::List));
    }
    let widths = match (heads.measured, state.preview.wide) {
        (_, Some(skipped)) => Widths::Wide(skipped),
        (false, None) => Widths::Fixed,
        (true, None) => Widths::Measured,
    };
    // The order that a view begins with is said where it is the news that come first.
    let is_said = list.sort > 0 || list.reverse || heads.sorted.first().is_some_and(|(_, newest)| *newest);
    let sorted = heads.sorted.get(list.sort).filter(|_| is_said);
    let sorted = sorted.map(|(title, descends)| (*title, *descends != list.reverse));
    // The mark has a cell of its own.
    let columns: Vec<Column> = heads
        .columns
        .iter()
        .map(|column| match sorted {
            Some((title, _)) if title == column.title => column.at_least(to_cells(title.chars().count() + 1)),
            _ => *column,
        })
        .collect();
    let table = Table {
        columns: &columns,
        sorted,
        rows: list.len(),
        top: window.start,
        cursor: list.cursor(),
        orders: heads.sorted,
        is_list: true,
        range: list.range().map(|range| (range.start, range.end)),
        focused: state.overlay.is_none(),
        widths,
    };
    table.draw(canvas, table_area(layout), |index| match list.rows().get(index) {
        Some(key) => row(key),
        None => Row::Line(Line::default()),
    });
}

/// Draws the preview pane: its rule with `title`, then `lines` from where it is scrolled to, then `foot` in its last
/// row.
fn preview(
    canvas: &mut Canvas<'_>,
    state: &State,
    layout: &Layout,
    title: &Line,
    lines: impl Iterator<Item = Line>,
    foot: &Line,
) {
    let Some(area) = layout.preview.map(rect) else { return };
    let area = if layout.overlay { over(canvas, layout, area) } else { area };
    let area = beside(canvas, layout, area);
    canvas.spot(area, Spot::Pane(Focus::Other));
    if layout.sides.is_some() {
        canvas.line(area.x + 1, area.y, area.width, title);
    } else {
        frame::rule(canvas, area, title, layout.overlay);
    }
    let body =
        Rect { y: area.y + 1, height: area.height.saturating_sub(1 + u16::from(!foot.is_empty())), ..area };
    let room = usize::from(body.height);
    let (shown, from) = in_sight(lines, state.preview.scroll, room);
    canvas.scroll_to(from);
    let used = frame::lines(canvas, body, &shown);
    if !foot.is_empty() {
        canvas.line(body.x, body.y + used, body.width, foot);
    }
}

/// Those of `lines` that a pane of `room` rows shows, and which is the first: `scroll`, but never one below which the pane would
/// not be full. Where there are more, a line at the edge says so.
fn in_sight(lines: impl Iterator<Item = Line>, scroll: usize, room: usize) -> (Vec<Line>, usize) {
    let mut shown: Vec<Line> = lines.take(scroll + room + 1).collect();
    let from = scroll.min(shown.len().saturating_sub(room));
    shown.drain(..from);
    let is_more = shown.len() > room;
    shown.truncate(room);
    if let Some(last) = shown.last_mut().filter(|_| is_more) {
        *last = Line::default().dim("  … more below; J scrolls");
    }
    if let Some(first) = shown.first_mut().filter(|_| from > 0) {
        let above = words::count(from + 1, "line");
        *first = Line::default().dim(format!("  … {above} above; K scrolls"));
    }
    (shown, from)
}

/// The columns of a preview's lines.
fn preview_width(layout: &Layout) -> u16 {
    layout.preview.map(rect).map_or(0, |area| area.width.saturating_sub(u16::from(is_beside(layout, area))))
}

/// Whether the preview stands beside its list, with a wall between them.
fn is_beside(layout: &Layout, area: Rect) -> bool {
    layout.tier >= Tier::T3 && area.x > 0
}

/// The room of a preview that lies over its list, the list's heads included.
fn over(canvas: &mut Canvas<'_>, layout: &Layout, area: Rect) -> Rect {
    let heads = rect(layout.header);
    let area = Rect { y: heads.y, height: heads.height + area.height, ..area };
    canvas.clear(area);
    area
}

/// The room of a preview; where it stands beside its list there is a wall between them.
fn beside(canvas: &mut Canvas<'_>, layout: &Layout, area: Rect) -> Rect {
    if !is_beside(layout, area) {
        return area;
    }
    frame::wall(canvas, area.x, area);
    frame::inset(area, 1)
}

/// A page in the place of a list that has no rows: a headline, then lines.
fn page(canvas: &mut Canvas<'_>, layout: &Layout, headline: &str, lines: &[Line]) {
    let area = rect(layout.header);
    let body = Rect {
        height: area.height + layout.list.height + layout.preview.map_or(0, |area| area.height),
        ..area
    };
    canvas.clear(Rect { height: body.height.min(rect(layout.status).y.saturating_sub(body.y)), ..body });
    let area = frame::inset(Rect { y: body.y + 2, height: body.height.saturating_sub(2), ..body }, 2);
    canvas.text(area.x, area.y, area.width, headline, Role::Select);
    let below = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    frame::lines(canvas, below, lines);
}

/// Says what hides all rows of a view's list; returns whether anything does.
fn nothing_matches(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, view: View) -> bool {
    let (_, total) = rows::counts(state, view);
    let filter = rows::filter(state, view).filter(|filter| !filter.is_empty());
    let line = match (filter, rows::scope(state, view)) {
        (None, None) => return false,
        (None, Some(_)) if total == 0 => return false,
        (Some(filter), _) => Line::plain(format!("{} hidden by the filter ", words::count(total, "row")))
            .and(filter.typed())
            .and(".")
            .dim("   Esc clears it"),
        (None, Some(namespace)) => {
            Line::plain(format!("{} in other namespaces than ", words::count(total, "row")))
                .and(namespace)
                .and(".")
                .dim("   :ns all shows them")
        }
    };
    let no_field = rows::filter(state, view).and_then(Filter::unknown_field).map(|name| {
        let says = format!("There is no field {name}: there are ns, state, step and kind.");
        Line::of(Role::StateWarn, says)
    });
    let lines: Vec<Line> = [line].into_iter().chain(no_field).collect();
    page(canvas, layout, "Nothing matches.", &lines);
    true
}
