//! S11: what went wrong, why, what to do, what still works.

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row};
use super::{Heads, words};
use crate::app::layout::Layout;
use crate::app::state::{ErrorEntry, State};
use crate::problem::Code;
use crate::theme::Role;

const COLUMNS: [Column; 3] = [
    Column::fixed("TIME", 8),
    Column::fixed("WHAT", 34).flex(16, 60).cut(Cut::Start).first(),
    // What happened has the room first: a long name beside it is whole only where both are.
    Column::fixed("PROBLEM", 60).flex(20, 200),
];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.errors.is_empty() {
        let lines = [Line::plain("Whatever fails is kept here until it works again, or until you clear it.")];
        return super::page(canvas, layout, "No problems.", &lines);
    }
    super::list(canvas, state, layout, &state.errors.list, Heads::of(&COLUMNS, &[]), |id| {
        match state.errors.get(*id) {
            Some(entry) => row(state, entry),
            None => Row::Line(Line::default()),
        }
    });
    let Some(entry) = state.preview.row(&state.errors.list).and_then(|id| state.errors.get(*id)) else {
        return;
    };
    let width = super::preview_width(layout);
    let lines = preview(state, entry, width).into_iter();
    super::preview(canvas, state, layout, &frame::title(&entry.what), lines, &Line::default());
}

fn row<'a>(state: &State, entry: &'a ErrorEntry) -> Row<'a> {
    let times = if entry.count > 1 { format!("  ({} times)", entry.count) } else { String::new() };
    let role = if entry.is_note() { Role::Text } else { Role::StateError };
    Row::Cells(vec![
        Cell::of(Role::TextDim, words::clock_seconds(entry.time, &state.zone)),
        Cell::plain(&entry.what),
        Cell::Line(Line::of(role, &entry.problem.message).dim(times)),
    ])
}

fn preview(state: &State, entry: &ErrorEntry, width: u16) -> Vec<Line> {
    let mut lines = words::problem(&entry.problem, width);
    if let Some(repository) = &entry.retry {
        lines.push(words::fact("else", other_scans(state, repository)));
    } else if let Some(rest) = still_works(entry) {
        lines.extend(words::paragraph("else", Role::Text, rest, width));
    }
    lines
}

/// What goes on beside something else than a scan; `None` where nothing can be said of all that has this code.
fn still_works(entry: &ErrorEntry) -> Option<&'static str> {
    const OTHERS: [(Code, &str); 12] = [
        (Code::YamlInvalid, "all other files are read and written"),
        (Code::PolicyInvalid, OTHER_POLICIES),
        (Code::PolicyFailed, OTHER_POLICIES),
        (Code::TemplateFailed, "a message can be written by hand in its place"),
        (Code::StalePlan, KEPT),
        (Code::BranchMoved, KEPT),
        (Code::GitRace, KEPT),
        (Code::GitContested, KEPT),
        (Code::GitRejected, KEPT),
        (Code::MergeConflict, KEPT),
        (Code::UnknownKey, "all other settings are in force"),
        (Code::SecretNotFound, "what needs no such login is not affected"),
    ];
    if entry.what.ends_with(ErrorEntry::CHECKOUT) {
        return Some("verdicts and scans go on, and so do automations of other repositories");
    }
    if entry.what == ErrorEntry::LOAD {
        return Some("files, registries and Git need no cluster: --source files leaves it out");
    }
    OTHERS.iter().find(|(code, _)| *code == entry.problem.code).map(|(_, says)| *says)
}

const OTHER_POLICIES: &str = "other policies and their sites are not affected";
const KEPT: &str = "what was approved is kept, and nothing that was there is overwritten";

/// What a failed scan leaves alone.
fn other_scans(state: &State, repository: &crate::domain::object::ObjectId) -> Line {
    let totals = state.scan_totals();
    let said = match totals.total.saturating_sub(totals.failed) {
        0 if totals.total == 1 => "it is the only repository".to_owned(),
        0 => format!("the scans of all {} repositories failed", totals.total),
        1 => "1 other repository is not affected".to_owned(),
        others => format!("{others} other repositories are not affected"),
    };
    let line = Line::plain(said);
    match state.scans.get(repository).and_then(|scan| scan.found.as_ref()) {
        Some(found) => {
            let time = words::when(state.now, found.scanned, &state.zone);
            line.and(format!("; {repository} keeps its {time} tags ")).with(Role::StateStale, "(stale)")
        }
        None => line,
    }
}

/// How many there are, and how many are tried again without a key.
pub(super) fn summary(state: &State) -> Line {
    let by_itself = state.scans.iter().filter(|(_, scan)| scan.retry.is_some()).count();
    let notes = match state.errors.notes() {
        0 => String::new(),
        notes => format!(", {}", words::count(notes, "note")),
    };
    let problems = words::count(state.errors.problems(), "problem") + &notes;
    if by_itself == 0 {
        return Line::plain(problems);
    }
    Line::plain(format!(
        "{problems}, {by_itself} {} by itself",
        if by_itself == 1 { "retries" } else { "retry" }
    ))
}
