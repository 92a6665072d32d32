//! S10: who did what, the newest first; what was written down of the entry under the cursor below it.

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row};
use super::{Heads, words};
use crate::app::layout::Layout;
use crate::app::state::State;
use crate::app::view::View;
use crate::domain::event::Event;
use crate::theme::Role;

const COLUMNS: [Column; 5] = [
    Column::fixed("TIME", 8).flex(5, 10),
    Column::fixed("KIND", 7).flex(7, 12).snug().drop(2),
    Column::fixed("SUBJECT", 28).flex(16, 60).cut(Cut::Start),
    // What happened has the room first: a long address beside it is whole only where both are.
    Column::fixed("DETAIL", 26).flex(20, 200).first(),
    Column::fixed("RESULT", 6).drop(1),
];

/// Which column each order goes by, and whether the greatest comes first there.
const SORTED: [(&str, bool); 3] = [("TIME", true), ("KIND", false), ("SUBJECT", false)];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let log = &state.log;
    if log.is_empty() {
        let lines =
            [Line::plain("Decisions, holds, scans, fetches, pushes and objects are written down here.")];
        return super::page(canvas, layout, "Nothing done yet.", &lines);
    }
    if log.list.is_empty() && super::nothing_matches(canvas, state, layout, View::Log) {
        return;
    }
    super::list(canvas, state, layout, &log.list, Heads::of(&COLUMNS, &SORTED), |id| match log.get(*id) {
        Some(event) => row(state, event),
        None => Row::Line(Line::default()),
    });
    let Some(event) = state.preview.row(&log.list).and_then(|id| log.get(*id)) else { return };
    let width = super::preview_width(layout);
    let lines = details(state, event, width).into_iter();
    super::preview(canvas, state, layout, &frame::title(&event.subject), lines, &Line::default());
}

fn row<'a>(state: &State, event: &'a Event) -> Row<'a> {
    Row::Cells(vec![
        Cell::of(Role::TextDim, time(state, event)),
        Cell::plain(&event.event),
        Cell::plain(&event.subject),
        Cell::plain(&event.detail),
        Cell::of(role(&event.result), event.result.as_str()),
    ])
}

/// `14:06:11` today, and the day of what was before.
fn time(state: &State, event: &Event) -> String {
    let day = |time: jiff::Timestamp| time.to_zoned(state.zone.clone()).date();
    if day(event.time) == day(state.now) {
        words::clock_seconds(event.time, &state.zone)
    } else {
        words::when(state.now, event.time, &state.zone)
    }
}

fn role(result: &str) -> Role {
    match result {
        "ok" => Role::StateOk,
        "warn" => Role::StateWarn,
        _ => Role::StateError,
    }
}

/// All that is known of an entry.
fn details(state: &State, event: &Event, width: u16) -> Vec<Line> {
    let mut lines = words::paragraph("detail", Role::Text, &event.detail, width);
    let time = event.time.to_zoned(state.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    lines.push(words::fact("time", Line::plain(time)));
    lines.push(words::fact("result", Line::of(role(&event.result), event.result.as_str())));
    lines.push(words::fact("by", Line::plain(format!("{} on {}", event.user, event.host))));
    lines.push(words::fact("mode", Line::plain(event.mode.as_str())));
    lines.extend(event.plan.iter().map(|plan| words::fact("plan", Line::plain(plan.as_str()))));
    lines
}

/// How much there is, and where.
pub(super) fn summary(state: &State) -> Line {
    let entries = match state.log.len() {
        1 => "1 entry".to_owned(),
        several => format!("{several} entries"),
    };
    let how = if state.frozen { "frozen" } else { "following" };
    let place = state.log.folder.as_ref().map_or_else(|| "in memory".to_owned(), |path| format!("in {path}"));
    Line::plain(format!("{how} · {entries} · {place}"))
}
