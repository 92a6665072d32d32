//! S1: every policy whose selected tag differs from a marked site.

mod sites;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row, change, change_width};
pub(super) use sites::{object_of, site_of};
use sites::{place, site_lines};

use super::{Heads, bars, cluster, diff, policies, tags, words};
use crate::app::action::key_of;
use crate::app::layout::{Layout, Tier};
use crate::app::review::UpdateId;
use crate::app::state::{Node, State};
use crate::app::view::View;
use crate::app::world::Phase;
use crate::domain::age;
use crate::domain::freeze::FREEZE;
use crate::domain::object::Kind;
use crate::domain::proposal::{NewReference, Proposal, Step, UpdateState};
use crate::text::Shown;
use crate::theme::Role;

/// The columns, in the order of the frame.
const COLUMNS: [Column; 8] = [
    Column::fixed("DEC", 3),
    Column::fixed("POLICY", 19).flex(12, 28).cut(Cut::Start),
    Column::fixed("CURRENT → NEW", 38).flex(20, 49).first().over(4),
    Column::fixed("STEP", 5).flex(5, 6).drop(6).over(5),
    Column::fixed("SITE", 4).right().drop(5),
    Column::fixed("PUSHED BY", 9).flex(9, 20).cut(Cut::Start).drop(4),
    Column::fixed("AGE", 4).right().drop(3),
    Column::fixed("IMAGE", 24).flex(16, 40).cut(Cut::Start).drop(2),
];

/// The same once it is known what runs in the cluster beside them.
const COLUMNS_BESIDE: [Column; 9] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    COLUMNS[5],
    COLUMNS[6],
    COLUMNS[7],
    Column::fixed("RUNNING", 12).flex(7, 24).cut(Cut::Middle).drop(1),
];

/// The columns of the orders that [`crate::app::rows::sorts`] names, and whether the greatest comes first.
const SORTED: [(&str, bool); 4] = [("AGE", true), ("POLICY", false), ("STEP", true), ("PUSHED BY", false)];

/// The row of one update.
pub(super) fn row<'a>(update: &'a Proposal, newer: Option<&'a String>, facts: &Facts<'_>) -> Row<'a> {
    let (box_role, mark) = words::update_box(update);
    let (step_role, step) = words::step(update);
    let (note, has_newer) = (note(update, newer, facts), newer.is_some());
    let arrow = facts.arrow;
    let cells = vec![
        Cell::of(box_role, mark),
        Cell::plain(update.policy.to_string()),
        Cell::fitted(change_width(&current(update), arrow, &new(update)) + note.width(), move |max| {
            current_to_new(update, arrow, (&note, has_newer), max)
        }),
        Cell::of(step_role, step),
        Cell::plain(format!("{}/{}", update.sites.len(), update.files())),
        Cell::plain(&update.automation.name),
        Cell::of(Role::TextDim, age(update, facts)),
        Cell::of(Role::TextDim, &update.image),
    ];
    let running = facts
        .state
        .around
        .running
        .is_some()
        .then(|| Cell::of(Role::TextDim, cluster::running(facts.state, update)));
    Row::Cells(cells.into_iter().chain(running).collect())
}

/// What rows need beside their updates.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    /// What time it is.
    pub(super) now: Timestamp,
    /// Where.
    pub(super) zone: &'a TimeZone,
    /// The arrow of this terminal.
    pub(super) arrow: &'static str,
    /// Everything, to find the tag that makes a policy fail.
    pub(super) state: &'a State,
}

fn age(update: &Proposal, facts: &Facts<'_>) -> String {
    match (update.state, update.first_seen) {
        (UpdateState::Blocked, _) | (_, None) => "-".to_owned(),
        (_, Some(seen)) => words::age(facts.now, seen),
    }
}

pub(super) fn current(update: &Proposal) -> Shown {
    Shown::join(&update.current, ", ")
}

pub(super) fn new(update: &Proposal) -> Shown {
    match &update.new {
        None => Shown::new("?"),
        // The tag alone would read as if nothing changed.
        Some(NewReference { tag, digest: Some(digest) }) if update.step == Some(Step::Digest) => {
            Shown::new(&format!("{tag}@{}", digest.get(..19).unwrap_or(digest)))
        }
        Some(new) => Shown::new(&new.tag),
    }
}

/// The change and its note; that there is a newer tag is said however little room there is.
fn current_to_new(update: &Proposal, arrow: &str, (note, has_newer): (&Note, bool), max: usize) -> Line {
    const NEWER: &str = "  +newer";
    let full = |max| change(&current(update), arrow, &new(update), max);
    let change = full(max);
    if has_newer && max.saturating_sub(change.width()) < NEWER.len() + 4 {
        return full(max.saturating_sub(NEWER.len())).with(Role::StateInfo, NEWER);
    }
    let room = max.saturating_sub(change.width() + 2);
    if room < 4 || note.text.is_empty() { change } else { change.and("  ").append(note.cut(room)) }
}

/// What stands behind a change, in one role, and what of it is said only where it has room.
struct Note {
    role: Role,
    text: Shown,
    aside: Shown,
}

impl Note {
    /// What stands from `aside` on is said only where it has room.
    fn new(role: Role, text: &str, aside: &str) -> Self {
        let (text, aside) = text.find(aside).map_or((text, ""), |at| text.split_at(at));
        Self { role, text: Shown::new(text), aside: Shown::new(aside) }
    }

    /// The cells that it takes behind a change without what is said aside.
    fn width(&self) -> usize {
        if self.text.is_empty() { 0 } else { 2 + self.text.width() }
    }

    /// As much as `room` cells hold.
    fn cut(&self, room: usize) -> Line {
        let whole = self.text.clone().and(self.aside.clone());
        Line::of(self.role, if whole.width() <= room { whole } else { self.text.cut_end(room) })
    }
}

/// What stands behind the change: why it waits, why it cannot be made, what came since.
fn note(update: &Proposal, newer: Option<&String>, facts: &Facts<'_>) -> Note {
    if let Some(left) = words::left(update, facts.now) {
        return Note::new(Role::DecHeld, &format!("held {left}"), ": ");
    }
    if let Some(hold) = &update.hold {
        let until = words::when(facts.now, hold.until, facts.zone);
        let text = format!("held to {until} ({}: {})", hold.by, hold.reason);
        return Note::new(Role::DecHeld, &text, " (");
    }
    if let Some(problem) = &update.blocked {
        let short = policies::failure(facts.state, &update.policy).map(|failure| failure.short);
        return Note::new(Role::StateError, &short.unwrap_or_else(|| cause_first(&problem.message)), " (");
    }
    if facts.state.review.touched.contains(&UpdateId::of(update)) {
        return Note::new(Role::StateWarn, "changed upstream", " (");
    }
    Note::new(Role::StateInfo, &newer.map_or_else(String::new, |tag| format!("{tag} available")), " (")
}

/// `404 Not Found (GET https://…)` of `GET https://…: 404 Not Found`: a row seldom has room for both.
fn cause_first(message: &str) -> String {
    let is_request = |text: &str| text.split_once(' ').is_some_and(|(_, url)| url.contains("://"));
    match message.split_once(": ") {
        Some((request, cause)) if is_request(request) => format!("{cause} ({request})"),
        _ => message.to_owned(),
    }
}

/// The title of the preview: policy, image, rule, step; as many of them as have room in `width` cells.
pub(super) fn title(update: &Proposal, rule: &str, width: u16) -> Line {
    let (step_role, step) = words::step(update);
    let parts = [Line::plain(&update.image), Line::plain(rule), Line::of(step_role, step)];
    frame::title_with(frame::title(update.policy.to_string()), parts, width)
}

/// The lines of the preview: each site with its line before and after, then why.
pub(super) fn preview<'a>(
    update: &'a Proposal,
    text_of: impl Fn(&str) -> Option<&'a str> + 'a,
    width: u16,
    facts: Facts<'a>,
) -> impl Iterator<Item = Line> + 'a {
    let place = update.sites.iter().map(|site| place(site).width()).max().unwrap_or(0);
    let sites = update.sites.iter().flat_map(move |site| {
        // What blocks the whole update is said once, above.
        let own = site.blocked.as_ref().filter(|problem| Some(*problem) != update.blocked.as_ref());
        site_lines(site, own, (place, width), text_of(&site.file))
    });
    reason(update, width, facts).into_iter().chain(sites)
}

/// The preview where it has the height of the screen: why, step by step, then the hunks as S7 shows them.
fn tall_preview(state: &State, update: &Proposal, width: u16, facts: Facts<'_>) -> Vec<Line> {
    let mut lines = steps(state, update, width, facts);
    if update.blocked.is_none() {
        let node = Node::Update(UpdateId::of(update));
        lines.extend(diff::hunks_of(state, update, &node, (width, false)));
    }
    lines
}

/// Why, step by step.
fn steps(state: &State, update: &Proposal, width: u16, facts: Facts<'_>) -> Vec<Line> {
    let mut lines = reason(update, width, facts);
    let verdict = state.verdicts.get(&update.policy);
    let chosen = verdict.and_then(|verdict| Some((verdict, verdict.evaluation.latest?)));
    if let (Some((verdict, latest)), Some(new)) = (chosen, &update.new)
        && verdict.tags.get(latest) == Some(&*new.tag)
    {
        lines.push(why(update));
        lines.extend(tags::steps(verdict, latest, words::held(update, facts.now, facts.zone), width));
    }
    lines
}

/// Why this tag, or why none: above the sites, where it is seen however many there are.
fn reason(update: &Proposal, width: u16, facts: Facts<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(tag) = facts.state.review.newer.get(&UpdateId::of(update)) {
        let text = format!("{tag} is available; r takes it in the place of what was approved");
        lines.extend(words::paragraph("newer", Role::StateInfo, &text, width));
    }
    if facts.state.review.touched.contains(&UpdateId::of(update)) {
        let text = "the file changed upstream after this was approved: decide on it again";
        lines.extend(words::paragraph("changed", Role::StateWarn, text, width));
    }
    if let Some(problem) = &update.blocked {
        let wrong = (&update.policy, problem);
        lines.extend(policies::whats_wrong(facts.state, wrong, "update.playground", width));
    }
    if let Some(held) = words::held(update, facts.now, facts.zone) {
        lines.extend(words::paragraph("held", Role::DecHeld, &held, width));
    }
    if age::is_young(update) {
        lines.extend(words::paragraph("clocks", Role::Text, &update.clocks.text(facts.now), width));
    }
    lines.extend(cluster::update(facts.state, update, width));
    lines.extend(compare(update, facts.state, width));
    lines
}

/// The link to what changed, where both images say what they were built from.
fn compare(update: &Proposal, state: &State, width: u16) -> Vec<Line> {
    let policy = state.inventory.policies.get(&update.policy);
    let (Some(policy), Some(new)) = (policy, &update.new) else { return Vec::new() };
    let current = update.current.first().map(String::as_str);
    super::facts::compare(state, &policy.repository, (current, &new.tag), width)
}

/// `  why 6.6.1: greatest of 41 candidates in 6.x`, for the last row of the preview.
pub(super) fn why(update: &Proposal) -> Line {
    match &update.new {
        Some(new) if !update.why.is_empty() => {
            Line::plain("  ").dim("why ").and(&new.tag).dim(": ").and(&update.why)
        }
        _ => Line::default(),
    }
}

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.updates.is_empty() {
        return empty(canvas, state, layout);
    }
    let facts = Facts { now: state.now, zone: &state.zone, arrow: canvas.arrow(), state };
    let columns: &[Column] = if state.around.running.is_some() { &COLUMNS_BESIDE } else { &COLUMNS };
    super::list(canvas, state, layout, &state.updates, Heads::of(columns, &SORTED), |id| {
        match state.review.get(id) {
            Some(update) => row(update, state.review.newer.get(id), &facts),
            None => Row::Line(Line::default()),
        }
    });
    still_scanning(canvas, state, layout);
    let Some(update) = state.preview.row(&state.updates).and_then(|id| state.review.get(id)) else { return };
    let width = super::preview_width(layout);
    let title = title(update, &rule(state, update), width);
    if let Some(sides) = layout.sides {
        let lines = steps(state, update, width, facts);
        super::preview(canvas, state, layout, &title, lines.into_iter(), &Line::default());
        return diff::beside_list(canvas, state, sides, update);
    }
    if layout.tier >= Tier::T3 {
        let lines = tall_preview(state, update, width, facts);
        return super::preview(canvas, state, layout, &title, lines.into_iter(), &Line::default());
    }
    let lines = preview(update, |path| text_of(state, update, path), width, facts);
    super::preview(canvas, state, layout, &title, lines, &why(update));
}

/// The text of a marked file before any edit.
fn text_of<'a>(state: &'a State, update: &Proposal, path: &str) -> Option<&'a str> {
    state.review.preview(&update.automation, path).map(|file| &*file.before)
}

/// `semver 6.x`.
fn rule(state: &State, update: &Proposal) -> String {
    let policy = state.inventory.policies.get(&update.policy);
    policy
        .and_then(|policy| policy.choice.kind_and_rule())
        .map_or_else(String::new, |(kind, rule)| format!("{kind} {rule}"))
}

/// One dim row below the last: what is still to come.
fn still_scanning(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let totals = state.scan_totals();
    let row = layout.list.y + to_cells(state.updates.len());
    if totals.running == 0 || row >= layout.list.y + layout.list.height {
        return;
    }
    let share = bars::percent(&totals).map_or_else(String::new, |percent| {
        format!(" ({percent} of {})", words::count(totals.expected, "tag"))
    });
    let running = words::count(totals.running, "repository");
    let text = format!("… {running} still scanning{share}; rows appear as they finish");
    canvas.text(layout.list.x + 3, row, layout.list.width.saturating_sub(3), text, Role::TextDim);
}

/// The answer to "nothing yet", "nothing found" and "nothing matches".
fn empty(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if super::nothing_matches(canvas, state, layout, View::Updates) {
        return;
    }
    let kinds = [Kind::ImagePolicy, Kind::ImageRepository, Kind::ImageUpdateAutomation];
    if matches!(state.phase, Phase::Failed(_)) && cluster::unread_page(canvas, state, layout, &kinds) {
        return;
    }
    let has_nothing = matches!(state.phase, Phase::Ready) && state.inventory.has_no_policy();
    if state.is_comparing() && !has_nothing {
        let reading = match state.phase {
            Phase::Loading => "Reading the objects …",
            Phase::Ready | Phase::Nothing(_) | Phase::Failed(_) => {
                "Comparing marked files with the newest tags …"
            }
        };
        return super::page(canvas, layout, reading, &[Line::default().dim("Rows appear as scans finish.")]);
    }
    if super::cluster::unread_page(canvas, state, layout, &kinds) {
        return;
    }
    let unread = unread(state);
    if unread > 0 {
        let what = format!("{} could not be read, so nobody knows.", words::count(unread, "automation"));
        let ways = Line::of(Role::KeyHint, key_of(state, "view.errors"))
            .and("  says why   ")
            .with(Role::KeyHint, key_of(state, "scan.all"))
            .and("  tries again");
        return super::page(canvas, layout, "No update is known.", &[Line::of(Role::StateError, what), ways]);
    }
    let ambiguous = state.inventory.ambiguous.len();
    if ambiguous > 0 {
        let what = format!(
            "{} described by places that differ, so nobody knows.",
            words::count(ambiguous, "object")
        );
        let way = Line::of(Role::KeyHint, key_of(state, "view.errors")).and("  names them");
        return super::page(canvas, layout, "No update is known.", &[Line::of(Role::StateError, what), way]);
    }
    let policies = words::count(state.inventory.policies.len(), "policy");
    let sites: usize =
        state.review.grounds.iter().flat_map(|ground| &*ground.files).map(|file| file.sites.len()).sum();
    let when =
        state.scan_totals().newest.map(|time| format!(" at {}", words::when(state.now, time, &state.zone)));
    let checked =
        format!("{policies} checked against {}{}.", words::count(sites, "site"), when.unwrap_or_default());
    let ways = [("3", "policies"), ("i", "why"), ("R", "rescan all"), ("4", "automations")];
    let ways = ways.iter().fold(Line::default().dim("Not expecting that?"), |line, (key, what)| {
        line.and("   ").with(Role::KeyHint, *key).and("  ").and(*what)
    });
    let failed = state.scan_totals().failed;
    let holds = match (sites, failed) {
        (0, _) => {
            Line::of(Role::StateWarn, "No marked line names a policy; supercargo lint says what is missing.")
        }
        (_, 0) => Line::plain("Every site already holds its policy's latest tag."),
        (_, failed) => {
            let what = words::count(failed, "repository");
            let text = format!("{what} could not be scanned: there may be newer tags. ! says why.");
            Line::of(Role::StateWarn, text)
        }
    };
    super::page(canvas, layout, "No pending updates.", &[Line::plain(checked), holds, Line::default(), ways]);
}

/// How many automations have files that could not be read; without any, the implied one counts.
fn unread(state: &State) -> usize {
    let all = if state.inventory.has_no_policy() { 0 } else { state.inventory.automations.len().max(1) };
    all.saturating_sub(state.review.grounds.len())
}

/// The status line: how many stand where, and the commit that was compared.
pub(super) fn summary(state: &State, is_narrow: bool) -> (Line, Line) {
    let totals = state.scan_totals();
    if totals.running > 0 {
        return (scanning(state, totals.running, totals.total), Line::default());
    }
    let tally = state.review.tally();
    let frozen = frozen(state);
    let left = if is_narrow && frozen.is_some() {
        format!("approved {} of {}", tally.approved, tally.pending)
    } else if tally.pending == 0 {
        format!("0 pending · {} held · {} blocked", tally.held, tally.blocked)
    } else {
        let skipped = if is_narrow { String::new() } else { format!(" · skipped {}", tally.skipped) };
        let (approved, pending) = (tally.approved, tally.pending);
        format!("approved {approved} of {pending}{skipped} · held {} · blocked {}", tally.held, tally.blocked)
    };
    let left = frozen.unwrap_or_default().and(left);
    (left, base(state, is_narrow))
}

/// `pushes are frozen until Mon 2026-11-30 08:00 · `, while they are.
fn frozen(state: &State) -> Option<Line> {
    let mut warnings = state.review.grounds.iter().flat_map(|ground| &ground.warnings);
    let freeze = warnings.find(|warning| warning.code == FREEZE)?;
    let until = freeze.message.split(" (").next().unwrap_or_default();
    Some(Line::of(Role::StateWarn, until).and(" · "))
}

/// `/ scanning 5 of 12 · 41 s · Ctrl-c stops the scan and keeps what is known`.
fn scanning(state: &State, running: usize, total: usize) -> Line {
    let since = state.scans.iter().filter_map(|(_, scan)| scan.running).map(|running| running.since).min();
    let seconds = since.map_or(0, |since| state.at.since(since) / 1000);
    let elapsed = if seconds >= 2 { format!(" · {seconds} s") } else { String::new() };
    Line::plain(words::spinner(state))
        .and(format!(" scanning {running} of {total}{elapsed}"))
        .dim(" · Ctrl-c stops the scan and keeps what is known")
}

/// `base main@4c1f0e2, fetched 14:01`, of the update under the cursor.
fn base(state: &State, is_narrow: bool) -> Line {
    let automation = state.preview.row(&state.updates).map(|id| &id.automation);
    let ground = automation.and_then(|automation| state.review.ground(automation));
    let Some((ground, base)) = ground.and_then(|ground| Some((ground, ground.base.as_ref()?))) else {
        return Line::default();
    };
    let (name, commit) = ground.stands_on().unwrap_or((&base.reference, &base.commit));
    let time = words::when(state.now, base.fetched, &state.zone);
    let fetched = if is_narrow { "" } else { "fetched " };
    let line = Line::default().dim("base ").and(words::branch(name)).and("@").and(words::short(commit));
    let role = if base.stale { Role::StateStale } else { Role::TextDim };
    line.with(role, format!(", {fetched}{time}{}", if base.stale { " stale" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::cause_first;

    #[test]
    fn what_an_answer_says_stands_before_the_address_that_was_asked() {
        let message = "GET https://registry.example.com/v2/shop/web/tags/list?n=1000: 404 Not Found";
        let first = "404 Not Found (GET https://registry.example.com/v2/shop/web/tags/list?n=1000)";
        assert_eq!(cause_first(message), first);
        for other in ["policy fails: not a number: \"12a\"", "no tag fits"] {
            assert_eq!(cause_first(other), other);
        }
    }
}
