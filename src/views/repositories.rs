//! S2: image repositories and how their scans went.

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row};
use super::{Heads, cluster, policies, words};
use crate::app::layout::Layout;
use crate::app::state::State;
use crate::app::view::View;
use crate::app::world::{Phase, Scan};
use crate::domain::object::{ImageRepository, Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::text::Shown;
use crate::theme::Role;

const COLUMNS: [Column; 9] = [
    Column::fixed("SEL", 3),
    Column::fixed("REPOSITORY", 23).flex(14, 40).cut(Cut::Start).first(),
    Column::fixed("IMAGE", 30).flex(18, 60).cut(Cut::Start).drop(4).first(),
    Column::fixed("TAGS", 6).right(),
    Column::fixed("NEW", 4).right().drop(3),
    Column::fixed("LAST SCAN", 9).right(),
    Column::fixed(" STATUS", 15).flex(10, 40),
    Column::fixed("INTERVAL", 8).drop(2),
    Column::fixed("PROVIDER", 8).drop(1),
];

/// The columns of the orders that [`crate::app::rows::sorts`] names, and whether the greatest comes first.
const SORTED: [(&str, bool); 5] =
    [("REPOSITORY", false), ("NEW", true), ("TAGS", true), ("LAST SCAN", true), (" STATUS", false)];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.repositories.is_empty() {
        return empty(canvas, state, layout);
    }
    super::list(canvas, state, layout, &state.repositories, Heads::of(&COLUMNS, &SORTED), |id| {
        row(state, id)
    });
    let Some(repository) =
        state.preview.row(&state.repositories).and_then(|id| state.inventory.repositories.get(id))
    else {
        return;
    };
    let width = super::preview_width(layout);
    let ascii = canvas.is_ascii();
    let first = state.inventory.policies_on(&repository.meta.id).next();
    let tags =
        first.into_iter().flat_map(move |policy| policies::tags_below(state, layout, &policy.meta.id, ascii));
    let lines = preview(state, repository, width).into_iter().chain(tags);
    let title = frame::title(repository.meta.id.to_string());
    super::preview(canvas, state, layout, &title, lines, &Line::default());
}

fn row<'a>(state: &'a State, id: &ObjectId) -> Row<'a> {
    let Some(repository) = state.inventory.repositories.get(id) else { return Row::Line(Line::default()) };
    let scan = state.scans.get(id);
    let found = state.shown_tags(id);
    let new = found.map_or(0, |found| found.new.len());
    let mark = if state.repositories.selected.contains(id) {
        (Role::DecApproved, "[x]")
    } else {
        (Role::Text, "[ ]")
    };
    let time =
        found.map_or_else(|| "-".to_owned(), |found| words::when(state.now, found.scanned, &state.zone));
    let is_stale = scan.is_some_and(|scan| scan.error.is_some());
    Row::Cells(vec![
        Cell::of(mark.0, mark.1),
        Cell::plain(id.to_string()),
        Cell::of(Role::TextDim, &repository.image),
        Cell::plain(found.map_or_else(|| "-".to_owned(), |found| found.tags.len().to_string())),
        Cell::of(if new > 0 { Role::StateInfo } else { Role::TextDim }, new.to_string()),
        Cell::of(if is_stale { Role::StateStale } else { Role::TextDim }, time),
        Cell::Line(Line::plain(" ").append(status(state, repository, scan))),
        Cell::of(Role::TextDim, repository.interval.to_string()),
        Cell::of(Role::TextDim, &repository.provider),
    ])
}

/// One word and why.
fn status(state: &State, repository: &ImageRepository, scan: Option<&Scan>) -> Line {
    if repository.suspend {
        return Line::of(Role::TextDim, "suspended");
    }
    let Some(scan) = scan else { return Line::of(Role::TextDim, "waiting") };
    if let Some(running) = scan.running {
        let share = running.percent().map_or_else(String::new, |percent| format!(" {percent} %"));
        return Line::plain(words::spinner(state)).and(format!(" scanning{share}"));
    }
    if let Some(problem) = &scan.error {
        return failure(state, problem, scan);
    }
    let Some(found) = &scan.found else { return Line::of(Role::TextDim, "waiting") };
    let line = match &found.transfer {
        // Only what takes its time is worth a number.
        Some(transfer) if transfer.wall.as_millis() >= 1000 => {
            Line::of(Role::StateOk, "ok").and("  ").dim(words::seconds(transfer.wall))
        }
        Some(_) => Line::of(Role::StateOk, "ok"),
        None => Line::of(Role::StateStale, "from cache"),
    };
    // That we have its tags says nothing of the controller.
    match state.lag(Kind::ImageRepository, &repository.meta.id) {
        Some(lag) => line.and("  ").with(Role::StateWarn, lag.word()),
        None => line,
    }
}

fn failure(state: &State, problem: &Problem, scan: &Scan) -> Line {
    let word = match problem.code {
        Code::RateLimited => "rate-limited",
        Code::RegistryUnauthorized | Code::RegistryForbidden => "denied",
        Code::Unreachable => "unreachable",
        Code::Timeout => "timed out",
        Code::RegistryNotFound => "not found",
        _ => "failed",
    };
    let line = Line::of(Role::StateError, word);
    match scan.retry {
        Some(retry) => line.and(format!(", retry at {}", words::moment(state.now, retry, &state.zone))),
        None => line.and(": ").and(&problem.message),
    }
}

fn preview(state: &State, repository: &ImageRepository, width: u16) -> Vec<Line> {
    let scan = state.scans.get(&repository.meta.id);
    let others = [
        ("      ", "provider", Line::plain(&repository.provider)),
        ("   ", "interval", Line::plain(repository.interval.to_string())),
    ];
    let mut lines = words::facts(("image", Line::plain(&repository.image)), others, width);
    let rules = Shown::join(repository.exclusions(), "   ");
    lines.push(words::fact("exclusions", Line::plain(rules).dim(excluded(state, repository))));
    lines.push(words::fact("policies", names_of_policies(state, repository)));
    if let Some(found) = state.shown_tags(&repository.meta.id) {
        let newest = found.tags.iter().filter(|tag| found.new.position(tag).is_some()).take(3);
        let newest = Shown::join(newest, "   ");
        if !newest.is_empty() {
            lines.push(words::fact("new", Line::plain(newest)));
        }
        lines.push(words::fact("scan", scanned(state, found)));
    }
    lines.extend(cluster::repository(state, repository, width));
    if let Some(problem) = scan.and_then(|scan| scan.error.as_ref()) {
        lines.push(Line::default());
        lines.extend(words::problem(problem, width));
    }
    lines
}

/// How many tags the exclusion list takes away, as far as some policy was evaluated.
fn excluded(state: &State, repository: &ImageRepository) -> String {
    let on_it = |id: &&ObjectId| {
        state.inventory.policies.get(*id).is_some_and(|policy| policy.repository == repository.meta.id)
    };
    let verdict = state.verdicts.iter().find(|(id, _)| on_it(id));
    verdict.map_or_else(String::new, |(_, verdict)| {
        format!("   ({} excluded)", words::count(verdict.evaluation.counts.exclude, "tag"))
    })
}

fn names_of_policies(state: &State, repository: &ImageRepository) -> Line {
    let policies = state.inventory.policies_on(&repository.meta.id);
    let texts: Vec<String> = policies
        .map(|policy| match policy.choice.kind_and_rule() {
            Some((kind, rule)) => format!("{} ({kind} {rule})", policy.meta.id.name),
            None => policy.meta.id.name.clone(),
        })
        .collect();
    if texts.is_empty() {
        return Line::of(Role::StateWarn, "none reads it")
            .dim("; add an ImagePolicy, or delete the repository");
    }
    Line::plain(Shown::join(texts, "  "))
}

fn scanned(state: &State, found: &crate::domain::scan::Scan) -> Line {
    let time = words::when(state.now, found.scanned, &state.zone);
    let line = Line::plain(format!("{} at {time}", words::count(found.tags.len(), "tag")));
    match &found.transfer {
        Some(transfer) => line.dim(format!(
            "   {} in {}, {}{}",
            words::count(transfer.requests, "request"),
            words::seconds(transfer.wall),
            transfer.credential,
            transfer.budget.map_or_else(String::new, |budget| format!("; {}", budget.text()))
        )),
        None => line.dim("   from cache"),
    }
}

fn empty(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if super::nothing_matches(canvas, state, layout, View::Repositories) {
        return;
    }
    if state.phase == Phase::Loading {
        return super::page(canvas, layout, "Reading the objects …", &[]);
    }
    if cluster::unread_page(canvas, state, layout, &[Kind::ImageRepository]) {
        return;
    }
    let looked = Line::plain("Looked at ").and(&state.source).and(".");
    super::page(canvas, layout, &format!("No ImageRepository found in {}.", state.source), &[looked]);
}

/// How many scans run, and how many failed.
pub(super) fn summary(state: &State) -> Line {
    let totals = state.scan_totals();
    let problems = words::count(totals.failed, "problem");
    if totals.running > 0 {
        return Line::plain(format!("scanning {} of {} · {problems}", totals.running, totals.total));
    }
    let all = state.inventory.repositories.len();
    let suspended = all - totals.total;
    let suspended = if suspended > 0 { format!(" · {suspended} suspended") } else { String::new() };
    Line::plain(format!("{}{suspended} · {problems}", words::count(all, "repository")))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_registry_that_asked_for_a_pause_has_a_row_that_says_when_it_is_asked_again() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut state = State::default();
        (state.now, state.zone) = (at("2026-11-22T23:50:00Z"), jiff::tz::TimeZone::UTC);
        let said = |code, retry: &str| {
            let scan = Scan { retry: Some(at(retry)), ..Scan::default() };
            let line = failure(&state, &Problem::new(code, "edge/legacy", "503"), &scan);
            line.runs().iter().map(|(text, _)| text.as_str()).collect::<String>()
        };
        assert_eq!(said(Code::RateLimited, "2026-11-22T23:55:00Z"), "rate-limited, retry at 23:55");
        assert_eq!(said(Code::Unreachable, "2026-11-23T00:05:00Z"), "unreachable, retry at 11-23 00:05");
    }
}
