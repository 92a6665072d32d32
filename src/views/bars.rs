//! What the rows around a view say: the state as title, tabs, status line and hints.

use jiff::tz::TimeZone;

use super::chrome::{self, Tab, Title};
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::line::Line;
use super::{
    automations, diff, errors, help, log, message, plan, playground, policies, push, rect, repositories,
    start, tags, updates, words,
};
use crate::app::action;
use crate::app::layout::{Layout, Tier};
use crate::app::list::Filter;
use crate::app::rows;
use crate::app::state::{Level, Overlay, PushRun, State};
use crate::app::view::View;
use crate::app::world::Phase;
use crate::app::world::ScanTotals;
use crate::domain::mode::Mode;
use crate::domain::object::Kind;
use crate::text::{Shown, spaced};
use crate::theme::Role;

/// Title and tabs.
pub(super) fn top(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let mut program = Line::of(Role::KeyHint, "supercargo");
    if state.demo {
        program = program.and(" ").with(Role::StateInfo, "DEMO");
    }
    let title = Title {
        program,
        crumbs: crumbs(state),
        scan: scan(state),
        errors: state.errors.problems(),
        lost: state.lost.map(|since| lost(state, since)),
        frozen: state.frozen,
        badge: badge(state.mode),
    };
    chrome::title(canvas, rect(layout.title), &title);
    if let Some(area) = layout.tabs {
        chrome::tabs(canvas, rect(area), &tabs(state));
    }
}

/// `k8s lost 2m`.
fn lost(state: &State, since: jiff::Timestamp) -> String {
    format!("k8s lost {}", words::age(state.now, since))
}

fn badge(mode: Mode) -> (Role, &'static str) {
    match mode {
        Mode::ReadOnly => (Role::BadgeReadonly, "[READ-ONLY]"),
        Mode::DryRun => (Role::BadgeDryrun, "[DRY-RUN]"),
        Mode::Write => (Role::BadgeWrite, "[WRITE]"),
    }
}

/// The source and the views one came through; S3 and S7 stand behind the name of what they show.
fn crumbs(state: &State) -> Vec<Shown> {
    // Where nothing could be read, nothing is of the files alone.
    let source = (!matches!(state.phase, Phase::Failed(_))).then(|| Shown::new(&state.source));
    let mut crumbs: Vec<Shown> = source.into_iter().collect();
    for view in state.crumbs() {
        let name = match view {
            View::Tags => state.tags.repository.as_ref().map(ToString::to_string),
            View::Playground => state.playground.as_ref().map(|playground| playground.policy.to_string()),
            View::Diff => state.preview.row(&state.diff.tree).map(|node| node.update().policy.to_string()),
            _ => None,
        };
        crumbs.extend(name.map(Shown::from));
        crumbs.push(Shown::new(push::crumb(state, *view)));
    }
    if matches!(state.overlay, Some(Overlay::Push(_) | Overlay::Branch(_))) {
        crumbs.push(Shown::new("push"));
    }
    if matches!(state.overlay, Some(Overlay::Merge(_))) {
        crumbs.push(Shown::new("merge"));
    }
    if state.help.is_some() {
        crumbs.push(Shown::new("help"));
    }
    crumbs
}

/// How far the scan is, from the longest way to say it to the shortest.
fn scan(state: &State) -> Vec<Line> {
    if let Some(push) = state.push.as_ref().filter(|push| push.result.is_none()) {
        return pushing(state, push);
    }
    let totals = state.scan_totals();
    if totals.total == 0 {
        return Vec::new();
    }
    let done = format!("{}/{}", totals.done, totals.total);
    let texts = if totals.running > 0 {
        let percent = percent(&totals);
        let behind = percent.as_ref().map_or_else(String::new, |percent| format!(" {percent}"));
        vec![format!("{done} scanning{behind}"), format!("{done}{behind}"), percent.unwrap_or(done)]
    } else {
        let time = totals.newest.map(|time| last_scan(state, time, &state.zone)).unwrap_or_default();
        let failed = match totals.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let short = format!("{done} {time}");
        vec![format!("{done} scanned{failed} {time}"), format!("{done}{failed} {time}"), short, time]
    };
    let role = if totals.failed > 0 && totals.running == 0 { Role::StateWarn } else { Role::TextDim };
    texts.into_iter().map(|text| Line::of(role, text.trim_end())).collect()
}

/// A push under way, in every view but its own.
fn pushing(state: &State, push: &PushRun) -> Vec<Line> {
    let what = if push.dry_run { "simulating a push" } else { "pushing" };
    let short = if push.dry_run { "simulating" } else { what };
    let way = if state.view() == View::Push { "" } else { ", p shows it" };
    let spinner = words::spinner(state);
    let texts = [format!("{spinner} {what}{way}"), format!("{spinner} {short}"), short.to_owned()];
    texts.map(|text| Line::of(Role::StateWarn, text)).into()
}

fn last_scan(state: &State, time: jiff::Timestamp, zone: &TimeZone) -> String {
    words::when(state.now, time, zone)
}

/// `61 %` of the tags that the running scans will bring, where that is known.
pub(super) fn percent(totals: &ScanTotals) -> Option<String> {
    (totals.expected > 0).then(|| format!("{} %", (totals.seen * 100 / totals.expected).min(99)))
}

fn tabs(state: &State) -> [Tab; 6] {
    let tally = state.review.tally();
    let front = state.crumbs().first().copied();
    let inventory = &state.inventory;
    let (repositories, policies) = (inventory.repositories.len(), inventory.policies.len());
    [
        ("view.updates", View::Updates, Some(tally.pending)),
        ("view.repositories", View::Repositories, Some(repositories)),
        ("view.policies", View::Policies, Some(policies)),
        ("view.automations", View::Automations, Some(inventory.automations.len())),
        ("view.plan", View::Plan, Some(tally.approved)),
        ("view.log", View::Log, None),
    ]
    .map(|(id, view, count)| Tab {
        key: action::keys_of(state, id).first().map(ToString::to_string).unwrap_or_default(),
        name: view.title(),
        count: count.filter(|_| unknown(state, view).is_none()),
        active: front == Some(view),
        view,
    })
}

/// Status line and hints.
pub(super) fn bottom(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    status(canvas, state, layout);
    let hints = action::footer(state);
    let help = action::help_hint(state);
    let pairs = hints.iter().map(|hint| (hint.key.as_str(), hint.label));
    let help = help.as_ref().map(|hint| (hint.key.as_str(), hint.label));
    chrome::hints(canvas, rect(layout.hints), pairs, help);
}

fn status(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let area = rect(layout.status);
    if let Some(typed) = &state.filter {
        let (shown, total) = rows::counts(state, state.view_below_help());
        let label = Line::of(Role::KeyHint, "FILTER ");
        let used = canvas.line(area.x + 1, area.y, area.width, &label);
        let count = match rows::filter(state, state.view_below_help()).and_then(Filter::broken) {
            Some(_) => Line::of(Role::StateWarn, BROKEN),
            None => Line::default().dim(format!("({} of {})", spaced(shown), spaced(total))),
        };
        let width = area.width.saturating_sub(used + to_cells(count.width()) + 4);
        canvas.line_right(area.x, area.y, area.width.saturating_sub(1), &count);
        let field_area = ratatui::layout::Rect { x: area.x + 1 + used, width, ..area };
        field::draw(canvas, field_area, typed.text(), typed.cursor(), Role::Text);
        return;
    }
    let position = position(state, layout).map(|text| Line::default().dim(text));
    let (left, right) = match &state.status {
        // Help says what the entry under the cursor does; nothing else is of use there.
        Some(status) if state.help.is_none() => (said(status.level, &status.text), Line::default()),
        _ => summary(state, layout),
    };
    let left = if state.context().is_input() {
        Line::of(Role::KeyHint, "EDIT").and("  ").append(left)
    } else {
        left
    };
    let is_said = state.status.is_some() && state.help.is_none();
    if is_said && chrome::long_status(canvas, area, &left) {
        return;
    }
    let left =
        if state.help.is_none() { ranged(state).append(kept_filter(state)).append(left) } else { left };
    chrome::status(canvas, area, &left, &position.unwrap_or(right));
}

/// What is said of a regular expression that does not parse: it lets everything through.
const BROKEN: &str = "not a regular expression, so it hides nothing";

/// `RANGE 3 rows   `, where one was begun: of a single row nothing else tells it.
fn ranged(state: &State) -> Line {
    let rows = rows::ranged(state).map(|rows| words::count(rows, "row"));
    rows.map_or_else(Line::default, |rows| Line::of(Role::KeyHint, "RANGE ").and(rows).and("   "))
}

/// `NAMESPACE shop FILTER redis (1 of 7)   `, where a namespace was chosen or a filter kept: rows that nobody sees are told.
fn kept_filter(state: &State) -> Line {
    let view = state.view_below_help();
    let filter = rows::filter(state, view).filter(|filter| !filter.typed().is_empty());
    let narrowings = [
        ("NAMESPACE ", rows::scope(state, view).map(String::as_str)),
        ("FILTER ", filter.map(Filter::typed)),
    ];
    let mut line = Line::default();
    for (word, typed) in narrowings {
        let Some(typed) = typed else { continue };
        line = line.with(Role::KeyHint, word).and(Shown::new(typed).cut_end(32)).and(" ");
    }
    if line.is_empty() {
        return line;
    }
    if filter.is_some_and(|filter| filter.broken().is_some()) {
        return line.with(Role::StateWarn, BROKEN).and("   ");
    }
    let (shown, total) = rows::counts(state, view);
    line.dim(format!("({} of {})   ", spaced(shown), spaced(total)))
}

fn said(level: Level, text: &str) -> Line {
    let role = match level {
        Level::Info | Level::News => Role::StateInfo,
        Level::Warning | Level::Refusal => Role::StateWarn,
        Level::Error => Role::StateError,
    };
    Line::of(role, text)
}

/// Where one is in a list that is longer than its pane.
fn position(state: &State, layout: &Layout) -> Option<String> {
    let rows = layout.rows();
    match state.view() {
        View::Updates => state.updates.position(rows),
        View::Repositories => state.repositories.position(rows),
        View::Tags => state.tags.list.position(rows),
        View::Policies => state.policies.position(rows),
        View::Automations => state.automations.position(rows),
        View::Plan => state.plan.position(rows),
        View::Diff => state.diff.tree.position(rows),
        View::Log => state.log.list.position(rows),
        View::Errors => state.errors.list.position(rows),
        View::Playground => state.playground.as_ref()?.list.position(playground::rows(layout)),
        View::Message | View::Push | View::Help | View::Start => None,
    }
}

/// Why nobody knows how many rows a list has: then none are counted.
fn unknown(state: &State, view: View) -> Option<Line> {
    let inventory = &state.inventory;
    let (kind, is_empty) = match view {
        View::Repositories => (Kind::ImageRepository, inventory.repositories.is_empty()),
        View::Updates | View::Policies => (Kind::ImagePolicy, inventory.policies.is_empty()),
        View::Automations => (Kind::ImageUpdateAutomation, inventory.automations.is_empty()),
        _ => return None,
    };
    match &state.phase {
        Phase::Loading => Some(Line::plain(words::spinner(state)).and(" reading the objects")),
        Phase::Failed(_) => Some(Line::plain("the objects could not be read")),
        Phase::Ready | Phase::Nothing(_) => {
            let unread = inventory.unread.of(kind).filter(|_| is_empty)?;
            Some(Line::plain(&unread.message))
        }
    }
}

/// What the status line says when there is no message: left, and at the right end.
fn summary(state: &State, layout: &Layout) -> (Line, Line) {
    let is_narrow = layout.tier <= Tier::T1;
    if matches!(state.overlay, Some(Overlay::Push(_) | Overlay::Branch(_))) {
        return (plan::summary(state), Line::default());
    }
    if let Some(unknown) = unknown(state, state.view()) {
        return (unknown, Line::default());
    }
    let left = match state.view() {
        View::Updates => return updates::summary(state, is_narrow),
        View::Repositories => repositories::summary(state),
        View::Tags => tags::summary(state, is_narrow),
        View::Policies => policies::summary(state),
        View::Automations => automations::summary(state),
        View::Plan => plan::summary(state),
        View::Diff => diff::summary(state, is_narrow),
        View::Playground => playground::summary(state),
        View::Message => message::summary(state),
        View::Push => push::summary(state),
        View::Log => log::summary(state),
        View::Errors => errors::summary(state),
        View::Help => help::summary(state),
        View::Start => start::summary(state),
    };
    (left, Line::default())
}
