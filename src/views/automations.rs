//! S6: automations: which files of which repository, to which branch, and whether the controller does the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row, change};
use super::{Heads, cluster, updates, words};
use crate::app::layout::{Layout, Tier};
use crate::app::state::State;
use crate::app::view::View;
use crate::app::world::Phase;
use crate::domain::inventory;
use crate::domain::lint::Unmarked;
use crate::domain::object::{ImageUpdateAutomation, Kind, ObjectId};
use crate::domain::plan::Ground;
use crate::domain::proposal::{Proposal, UpdateState};
use crate::theme::Role;

/// The columns.
const COLUMNS: [Column; 7] = [
    Column::fixed("SEL", 3),
    Column::fixed("AUTOMATION", 21).flex(12, 40).cut(Cut::Start).first(),
    Column::fixed("REPO", 24).flex(16, 60).drop(3).first(),
    Column::fixed("BRANCH", 20).flex(14, 40).first(),
    Column::fixed("PATH", 10).flex(8, 24).cut(Cut::Start).drop(2),
    Column::fixed("STATE", 11).flex(11, 22).over(3),
    Column::fixed("PENDING", 7).right().drop(1),
];

/// The columns of the orders that [`crate::app::rows::sorts`] names.
const SORTED: [(&str, bool); 2] = [("STATE", false), ("AUTOMATION", false)];

/// The columns where a cluster has a say.
const COLUMNS_BESIDE: [Column; 8] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    Column::fixed("RUN", 9).right().drop(4),
    COLUMNS[5],
    COLUMNS[6],
];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.automations.is_empty() {
        return empty(canvas, state, layout);
    }
    let arrow = canvas.arrow();
    let columns: &[Column] = if state.live.is_some() { &COLUMNS_BESIDE } else { &COLUMNS };
    super::list(canvas, state, layout, &state.automations, Heads::of(columns, &SORTED), |id| {
        row(state, id, arrow)
    });
    let Some(automation) =
        state.preview.row(&state.automations).and_then(|id| state.inventory.automations.get(id))
    else {
        return;
    };
    let width = super::preview_width(layout);
    let title = frame::title(automation.meta.id.to_string());
    super::preview(
        canvas,
        state,
        layout,
        &title,
        preview(state, automation, width)
            .into_iter()
            .chain(updates_below(state, layout, automation, arrow, width)),
        &Line::default(),
    );
}

fn row<'a>(state: &'a State, id: &ObjectId, arrow: &str) -> Row<'a> {
    let Some(automation) = state.inventory.automations.get(id) else { return Row::Line(Line::default()) };
    let mark = if state.automations.selected.contains(id) {
        (Role::DecApproved, "[x]")
    } else {
        (Role::Text, "[ ]")
    };
    let (role, word) = standing(state, automation);
    let mut cells = vec![
        Cell::of(mark.0, mark.1),
        Cell::plain(id.to_string()),
        Cell::plain(repository(state, automation)),
        Cell::Line(branches(state, automation, arrow)),
        Cell::of(Role::TextDim, path(automation)),
        Cell::of(role, word.as_ref()),
        Cell::plain(pending(state, id).to_string()),
    ];
    if state.live.is_some() {
        cells.insert(5, Cell::of(cluster::as_known(state, Role::TextDim), cluster::last_run(state, id)));
    }
    Row::Cells(cells)
}

/// Whether it can run, and whether the controller runs it: `active`, `active, stuck`, `fails`, `fails, suspended`; `-` while nobody knows.
fn standing(state: &State, automation: &ImageUpdateAutomation) -> (Role, Cow<'static, str>) {
    if inventory::is_implied(automation) {
        return (Role::TextDim, "implied".into());
    }
    let broken = |word: &'static str| {
        let word = if automation.suspend { format!("{word}, suspended").into() } else { word.into() };
        (Role::StateError, word)
    };
    if state.errors.of_checkout(&automation.meta.id).is_some() {
        return broken("not read");
    }
    match state.review.survey.automations.get(&automation.meta.id) {
        Some(standing) if standing.is_broken => broken(standing.word),
        Some(standing) if standing.word == ACTIVE => {
            match state.lag(Kind::ImageUpdateAutomation, &automation.meta.id) {
                Some(lag) => (Role::StateWarn, format!("{ACTIVE}, {}", lag.word()).into()),
                None => (Role::StateWarn, ACTIVE.into()),
            }
        }
        Some(standing) => (Role::TextDim, standing.word.into()),
        None => (Role::TextDim, UNKNOWN.into()),
    }
}

/// What the controller runs.
const ACTIVE: &str = "active";
/// What nobody has looked at yet.
const UNKNOWN: &str = "-";

fn repository(state: &State, automation: &ImageUpdateAutomation) -> String {
    let remote = state.review.ground(&automation.meta.id).and_then(|ground| ground.remote.clone());
    let url = || state.inventory.git_repositories.get(&automation.source).map(|git| git.url.clone());
    remote.or_else(url).unwrap_or_else(|| automation.source.to_string())
}

/// `main → image-updates`.
fn branches(state: &State, automation: &ImageUpdateAutomation, arrow: &str) -> Line {
    let Some(ground) = state.review.ground(&automation.meta.id) else { return Line::of(Role::TextDim, "-") };
    let from = ground.base.as_ref().map_or("-", |base| words::branch(&base.reference));
    let to = ground.push.as_ref().map_or("-", |push| push.branch.as_str());
    Line::plain(from).dim(format!(" {arrow} ")).and(to)
}

fn path(automation: &ImageUpdateAutomation) -> &str {
    if automation.update_path.is_empty() { "." } else { &automation.update_path }
}

fn pending(state: &State, id: &ObjectId) -> usize {
    let updates = state.review.updates().iter();
    updates.filter(|update| update.automation == *id && update.state == UpdateState::Pending).count()
}

fn preview(state: &State, automation: &ImageUpdateAutomation, width: u16) -> Vec<Line> {
    let id = &automation.meta.id;
    let waiting = Line::plain(pending(state, id).to_string());
    let waiting = [("          ", "pending here", waiting)];
    let mut lines = words::facts(("policies", policies(state, automation)), waiting, width);
    if let Some(ground) = state.review.ground(id) {
        let signing = automation.git.as_ref().and_then(|git| git.signing_key.as_ref());
        let signing =
            signing.map_or_else(|| "none".to_owned(), |(secret, kind)| format!("{kind} key of {secret}"));
        let author = Line::plain(ground.author.to_string());
        lines.extend(words::facts(("author", author), [("   ", "signing", Line::plain(signing))], width));
        lines.push(words::fact("template", template(&ground.template)));
        if let Some(base) = &ground.base {
            let at = format!("{}@", words::branch(&base.reference));
            let time = words::when(state.now, base.fetched, &state.zone);
            let base = Line::plain(at).and(words::short(&base.commit)).dim(format!(", fetched {time}"));
            lines.push(words::fact("base", base));
        }
        for file in &ground.problem_files {
            let text = format!("{}:{}: {}", file.path, file.error.line, file.error.message);
            lines.extend(words::paragraph("file", Role::StateError, &text, width));
        }
        for warning in &ground.warnings {
            lines.extend(words::paragraph("WARNING", Role::StateWarn, &warning.message, width));
        }
        let unmarked = state.unmarked.found.get(id).and_then(|images| unmarked(ground, images));
        lines.extend(
            unmarked.into_iter().flat_map(|text| words::paragraph("unmarked", Role::TextDim, &text, width)),
        );
    } else if let Some(problem) = state.errors.of_checkout(id) {
        lines.extend(words::problem(problem, width));
    } else {
        lines.push(words::fact("source", Line::of(Role::TextDim, "not fetched yet")));
    }
    lines.extend(cluster::automation(state, automation, width));
    if let Some(standing) = state.review.survey.automations.get(id) {
        let message = standing.message.iter();
        lines.extend(message.flat_map(|text| words::paragraph("broken", Role::StateError, text, width)));
        let fix = standing.fix.iter();
        lines.extend(fix.flat_map(|text| words::paragraph("next", Role::Text, text, width)));
    }
    lines
}

/// `3 images have no marker, 1 of them although a policy is for it: o/web:1 (apps/c.yaml:4), postgres:16.4 (…), …`; those that
/// a policy is for come first.
fn unmarked(ground: &Ground, images: &[Unmarked]) -> Option<String> {
    let is_forgotten = |image: &&Unmarked| image.wants_marker_of(&ground.policies);
    let (count, verb) = match images.len() {
        0 => return None,
        1 => ("1 image".to_owned(), "has"),
        count => (words::count(count, "image"), "have"),
    };
    let although = match images.iter().filter(is_forgotten).count() {
        0 => String::new(),
        forgotten => format!(", {forgotten} of them although a policy is for it (! shows more)"),
    };
    let others = images.iter().filter(|image| !is_forgotten(image));
    let named = images.iter().filter(is_forgotten).chain(others).take(NAMED);
    let named = named.map(|image| format!("{} ({}:{})", image.image, image.file, image.line));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = if images.len() > NAMED { ", …" } else { "" };
    Some(format!("{count} {verb} no marker{although}: {named}{more}"))
}

/// How many of the images without a marker are named.
const NAMED: usize = 3;

/// The updates that wait for it in `width` columns, for a preview that has the height of the screen.
fn updates_below(
    state: &State,
    layout: &Layout,
    automation: &ImageUpdateAutomation,
    arrow: &'static str,
    width: u16,
) -> Vec<Line> {
    let of_it = state.review.updates().iter().filter(|update| update.automation == automation.meta.id);
    let rows: Vec<Line> = of_it.map(|update| update_line(update, arrow, width)).collect();
    if rows.is_empty() || layout.tier < Tier::T3 {
        return Vec::new();
    }
    [Line::default(), Line::plain("  ").dim("its updates")].into_iter().chain(rows).collect()
}

/// `  [ ] data/redis   7.2.5 → 7.4.1`.
fn update_line(update: &Proposal, arrow: &'static str, width: u16) -> Line {
    let (role, mark) = words::update_box(update);
    let policy = update.policy.to_string();
    let pad = " ".repeat(24_usize.saturating_sub(policy.len()) + 2);
    let head = Line::plain("  ").with(role, mark).and(" ").and(policy).and(pad);
    let room = usize::from(width).saturating_sub(head.width());
    head.append(change(&updates::current(update), arrow, &updates::new(update), room))
}

/// `9 (namespace flux-system, no selector)`.
fn policies(state: &State, automation: &ImageUpdateAutomation) -> Line {
    let selector = if automation.policy_selector.is_some() { "with a selector" } else { "no selector" };
    let count = match state.inventory.policies_of(automation) {
        Ok(policies) => Line::plain(policies.len().to_string()),
        Err(error) => return Line::of(Role::StateError, error.to_string()),
    };
    let namespace = format!(" (namespace {}, {selector})", automation.meta.id.namespace);
    count.dim(namespace)
}

fn template(template: &str) -> Line {
    if template.is_empty() {
        return Line::plain("Flux's default message");
    }
    Line::plain(format!("Go template, {}", words::count(template.lines().count(), "line")))
}

fn empty(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if super::nothing_matches(canvas, state, layout, View::Automations) {
        return;
    }
    if state.phase == Phase::Loading {
        return super::page(canvas, layout, "Reading the objects …", &[]);
    }
    if cluster::unread_page(canvas, state, layout, &[Kind::ImageUpdateAutomation]) {
        return;
    }
    let line = Line::plain("Pushes will use the work tree's `origin` and your git identity.");
    super::page(canvas, layout, "No ImageUpdateAutomation.", &[line]);
}

/// How many there are, and how many stand how, in the words of the rows: those that the controller runs come first.
pub(super) fn summary(state: &State) -> Line {
    let automations = &state.inventory.automations;
    let mut counts = BTreeMap::<Cow<'_, str>, usize>::new();
    for automation in automations.values() {
        *counts.entry(standing(state, automation).1).or_default() += 1;
    }
    counts.remove(UNKNOWN);
    let line = Line::plain(words::count(automations.len(), "automation"));
    if counts.is_empty() {
        return line;
    }
    let active = counts.remove(ACTIVE).unwrap_or_default();
    let line = line.and(format!(" · {active} {ACTIVE}"));
    counts.into_iter().fold(line, |line, (word, count)| line.and(format!(" · {count} {word}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::widgets::columns::{Need, place_for};

    #[test]
    fn the_state_is_whole_before_there_is_a_column_that_goes_earlier() {
        let needs = [3, 21, 30, 22, 12, 16, 7].map(|cells| Need { whole: cells, full: cells });
        let placed = place_for(&COLUMNS, &needs, 100, false);
        let of = |title: &str| placed.iter().find(|placed| COLUMNS[placed.index].title == title);
        assert_eq!(of("STATE").map(|state| state.width), Some(16), "{placed:?}");
        assert!(of("PENDING").is_none() && of("BRANCH").is_some(), "{placed:?}");
    }
}
