//! S9a: what would be pushed where. `y` is the only key that pushes.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::{enter_does_nothing, keys, keys_within, message_box};
use crate::app::action;
use crate::app::message::Prepared;
use crate::app::state::{PushDialog, State};
use crate::domain::branch::Guarded;
use crate::domain::freeze::FREEZE;
use crate::domain::mode::Mode;
use crate::domain::plan::{Group, Warning, current_approved};
use crate::domain::proposal::Proposal;
use crate::text::Shown;
use crate::theme::Role;
use crate::views::edit::object_lines;
use crate::views::updates;
use crate::views::widgets::canvas::Canvas;
use crate::views::widgets::line::Line;
use crate::views::widgets::table::change;
use crate::views::words;

/// The columns of the inside of the box, where the terminal has them.
const WIDTH: u16 = 72;

/// Draws the dialog over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, dialog: &PushDialog) {
    let Some(prepared) = &dialog.prepared else { return asking(canvas, area, state, dialog) };
    let width = WIDTH.min(area.width.saturating_sub(8).max(40)).min(area.width.saturating_sub(4));
    let room = usize::from(area.height.saturating_sub(2));
    let lines = lines(canvas, state, dialog, prepared, (width, room));
    let commits = words::count(prepared.plan.groups.len(), "commit");
    let title = match state.mode {
        Mode::Write => format!("Push {commits}?"),
        Mode::DryRun | Mode::ReadOnly => format!("Push {commits}? DRY RUN: nothing will be sent"),
    };
    message_box(canvas, area, &title, width, &lines);
}

fn asking(canvas: &mut Canvas<'_>, area: Rect, state: &State, dialog: &PushDialog) {
    let seconds = state.at.since(dialog.since) / 1000;
    let elapsed = if seconds >= 2 { format!("   {seconds} s") } else { String::new() };
    let spinner = Line::plain(words::spinner(state));
    let lines = [
        spinner.and(" asking the remote and building the plan").dim(elapsed),
        Line::default(),
        keys(&[("Esc", "cancel")]),
    ];
    message_box(canvas, area, "Push", 48, &lines);
}

/// The dialog's lines, at most `room`. Where the commits and their updates have more than is left beside the keys, they
/// scroll: every change can be seen here.
fn lines(
    canvas: &Canvas<'_>,
    state: &State,
    dialog: &PushDialog,
    prepared: &Prepared,
    (width, room): (u16, usize),
) -> Vec<Line> {
    let groups = &prepared.plan.groups;
    let columns = usize::from(width);
    let mut tail = tail(state, prepared, width);
    let mut body = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        body.extend(head(state, dialog, groups, at, usize::from(width)));
        body.extend(update_lines(group, canvas.arrow(), usize::from(width)));
        body.extend(edit_lines(group, usize::from(width)));
        let is_last = groups.iter().skip(at + 1).all(|other| !other.same_target(group));
        body.extend(after(group, canvas.arrow()).filter(|_| state.requests && is_last));
    }
    let mut body: Vec<Line> = body.iter().flat_map(|line| line.wrap(columns)).collect();
    // However much there is to warn of, the commits and the keys are seen: then the warnings scroll with the commits.
    if tail.len() + LEAST > room {
        let keys = tail.split_off(tail.len().saturating_sub(KEYS));
        body.extend(std::mem::replace(&mut tail, keys));
    }
    let room = room.saturating_sub(tail.len()).max(LEAST);
    let mut lines = if body.len() <= room { body } else { scrolled(&body, dialog.top, room) };
    lines.extend(tail);
    lines
}

/// As many rows the commits get.
const LEAST: usize = 6;

/// The rows of the keys at the end.
const KEYS: usize = 2;

/// The part of `body` from line `top` in `room` rows, the last of which says what is out of sight.
fn scrolled(body: &[Line], top: usize, room: usize) -> Vec<Line> {
    let height = room.saturating_sub(1);
    let top = top.min(body.len() - height);
    let below = body.len() - top - height;
    let mut lines: Vec<Line> = body.iter().skip(top).take(height).cloned().collect();
    let more = match below {
        0 => Line::default().dim(format!("           … {} above; ", words::count(top, "line"))),
        _ => Line::default().dim(format!("           … {} below; ", words::count(below, "line"))),
    };
    lines.push(more.with(Role::KeyHint, if below == 0 { "k" } else { "j" }).dim(" scrolls"));
    lines
}

/// The most cells of a subject: two rows of the box.
const SUBJECT: usize = 120;

/// Where one commit goes, what it is built on, what it says and who it is by; what is the same as of the commit before
/// is not said again.
fn head(state: &State, dialog: &PushDialog, groups: &[Group], at: usize, width: usize) -> Vec<Line> {
    let Some(group) = groups.get(at) else { return Vec::new() };
    let before = at.checked_sub(1).and_then(|before| groups.get(before));
    let mut facts =
        vec![("Remote", Line::plain(group.remote.as_deref().unwrap_or("none"))), ("Branch", branch(group))];
    facts.extend(from(state, dialog, group).map(|from| ("From", from)));
    // A subject that is a list does not push out what is pushed; the message itself is a key away.
    let subject = Shown::new(group.message.lines().next().unwrap_or_default());
    facts.push(("Commit", Line::plain(subject.cut_end(SUBJECT))));
    facts.extend(who(state, group, width));
    let known = before.map_or_else(Vec::new, |before| {
        let from = from(state, dialog, before).unwrap_or_default();
        let remote = Line::plain(before.remote.as_deref().unwrap_or("none"));
        let who = who(state, before, width).into_iter().map(|(_, line)| line);
        [remote, branch(before), from].into_iter().chain(who).collect()
    });
    let mut lines = Vec::new();
    if groups.len() > 1 {
        lines.push(Line::of(Role::Select, group.automation.to_string()));
    }
    lines.extend(
        facts
            .into_iter()
            .filter(|(_, line)| !known.contains(line))
            .flat_map(|(label, line)| rows_of(label, &line, width)),
    );
    lines.extend(rows_of("Changes", &changes(group), width));
    lines
}

/// Who a commit is by, and who signs it; on one row if that has room for both.
fn who(state: &State, group: &Group, width: usize) -> Vec<(&'static str, Line)> {
    let author = Line::plain(group.author.to_string());
    let Some(ground) = state.review.ground(&group.automation) else { return vec![("Author", author)] };
    let Some(signer) = &ground.committing.signer else {
        return vec![("Author", author.dim("    not signed"))];
    };
    let both = author.clone().dim("    signed: ").and(signer);
    if fact("Author", both.clone()).width() <= width {
        return vec![("Author", both)];
    }
    vec![("Author", author), ("Signed", Line::plain("with ").and(signer))]
}

/// `main@4c1f0e2    checked against the remote 2 s ago`.
fn from(state: &State, dialog: &PushDialog, group: &Group) -> Option<Line> {
    let base = group.base.as_ref()?;
    let (name, commit) = group.stands_on()?;
    let from = Line::plain(words::branch(name)).and("@").and(words::short(commit)).and("    ");
    let fetched = words::when(state.now, base.fetched, &state.zone);
    if base.stale {
        return Some(from.with(Role::StateWarn, format!("not reached; last fetched {fetched}")));
    }
    if !base.is_asked(dialog.asked) {
        return Some(from.dim(format!("fetched {fetched}, not asked since")));
    }
    let ago = match dialog.shown.map_or(0, |shown| state.at.since(shown) / 1000) {
        0 => "just now".to_owned(),
        seconds => format!("{seconds} s ago"),
    };
    Some(from.dim(format!("checked against the remote {ago}")))
}

/// `2 updates · 3 files · 4 sites`.
fn changes(group: &Group) -> Line {
    let sites: usize = group.updates.iter().map(|update| update.approved().count()).sum();
    let edits: usize = group.updates.iter().map(|update| update.approved_edits().len()).sum();
    Line::plain(format!(
        "{} · {} · {}",
        words::count(approved(group).count(), "update"),
        words::count(group.files.len(), "file"),
        words::sites_and_edits(sites, edits)
    ))
}

fn fact(label: &str, value: Line) -> Line {
    Line::of(Role::TextDim, format!("{label:<9}")).append(value)
}

/// A fact whose further rows stand below its value and not below its label.
fn rows_of(label: &str, value: &Line, width: usize) -> Vec<Line> {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let rows = value.wrap(width.saturating_sub(fact("", Line::default()).width()));
    labels.zip(rows).map(|(label, row)| fact(label, row)).collect()
}

/// `After    open a request image-updates → main`.
fn after(group: &Group, arrow: &str) -> Option<Line> {
    let (base, push) = (group.base.as_ref()?, group.push.as_ref()?);
    let base = words::branch(&base.reference);
    let line = Line::plain("open a request ").and(&push.branch).and(format!(" {arrow} ")).and(base);
    Some(fact("After", line))
}

/// `image-updates   (exists, 0 behind, fast-forward only)`.
fn branch(group: &Group) -> Line {
    let Some(push) = &group.push else { return Line::of(Role::StateError, "none") };
    let note = match &push.commit {
        Some(_) => match push.behind {
            Some(behind) => format!("   (exists, {behind} behind, fast-forward only)"),
            None => "   (exists, fast-forward only)".to_owned(),
        },
        None => "   (new)".to_owned(),
    };
    Line::of(Role::Select, &push.branch).dim(note)
}

fn approved(group: &Group) -> impl Iterator<Item = &Proposal> {
    group.updates.iter().filter(|update| update.is_approved())
}

/// `  flux-system/podinfo   6.5.4 → 6.6.1   minor   3 sites`. Tags that have no room there get a row of their own: what
/// is pushed is told to the letter.
fn update_lines(group: &Group, arrow: &str, width: usize) -> Vec<Line> {
    let all: Vec<&Proposal> = approved(group).collect();
    let names = all.iter().map(|update| name(update).width()).max().unwrap_or(0);
    // Indent, gaps, step and sites.
    let most = width.saturating_sub(names + 11 + 3 + 3 + 5 + 3 + 8);
    let changes = all.iter().map(|update| full(update, arrow).width()).max().unwrap_or(0);
    let rows = if changes > most { 2 } else { 1 };
    let line = |update: &&Proposal| {
        let name = name(update);
        let head = Line::plain(" ".repeat(11)).and(&name).and(" ".repeat(names - name.width() + 3));
        let change = full(update, arrow);
        if rows == 2 {
            let own_row = Line::plain(" ".repeat(13)).append(cut(update, arrow, width.saturating_sub(13)));
            return vec![head.append(step_and_sites(update)), own_row];
        }
        let gap = " ".repeat(changes - change.width() + 3);
        vec![head.append(change).and(gap).append(step_and_sites(update))]
    };
    all.iter().flat_map(line).collect()
}

/// What else changes, to the line.
fn edit_lines(group: &Group, width: usize) -> Vec<Line> {
    let indent = " ".repeat(11);
    let edits = group.updates.iter().flat_map(Proposal::approved_edits);
    let lines = edits.flat_map(|edit| object_lines(edit, width.saturating_sub(indent.len())));
    lines.map(|line| Line::plain(indent.clone()).append(line)).collect()
}

fn name(update: &Proposal) -> Shown {
    Shown::from(update.policy.to_string()).cut_end(32)
}

fn full(update: &Proposal, arrow: &str) -> Line {
    cut(update, arrow, usize::MAX)
}

fn cut(update: &Proposal, arrow: &str, most: usize) -> Line {
    change(&Shown::join(current_approved(update), ", "), arrow, &updates::new(update), most)
}

fn step_and_sites(update: &Proposal) -> Line {
    let (role, step) = words::step(update);
    Line::of(role, format!("{step:<5}"))
        .and(format!("   {}", words::count(update.approved().count(), "site")))
}

/// Where all of it goes, which stays in sight however much is said of each commit; one commit says it itself.
fn in_all(groups: &[Group], width: usize) -> Vec<Line> {
    if groups.len() < 2 {
        return Vec::new();
    }
    let mut branches: Vec<(&str, usize)> = Vec::new();
    for group in groups {
        let name = group.push.as_ref().map_or("no branch", |push| push.branch.as_str());
        match branches.iter_mut().find(|(known, _)| *known == name) {
            Some((_, commits)) => *commits += 1,
            None => branches.push((name, 1)),
        }
    }
    let to = |(name, commits): &(&str, usize)| format!("{} to {name}", words::count(*commits, "commit"));
    let updates = words::count(groups.iter().flat_map(approved).count(), "update");
    let to: Vec<String> = branches.iter().map(to).collect();
    rows_of("In all", &Line::plain(format!("{updates}: {}", to.join(", "))), width)
}

/// What to know before, and the keys.
fn tail(state: &State, prepared: &Prepared, width: u16) -> Vec<Line> {
    let mut lines = in_all(&prepared.plan.groups, usize::from(width));
    lines.push(Line::default());
    let warnings = prepared.plan.groups.iter().flat_map(|group| &group.warnings);
    let mut texts: Vec<&str> = warnings.map(|Warning { message, .. }| without_link(message)).collect();
    texts.extend(prepared.moved.iter().map(String::as_str));
    let protected = protected(prepared);
    texts.extend(protected.as_deref());
    let undecided = undecided(state);
    texts.extend(undecided.as_deref());
    let refusal = action::push_refusal(state);
    texts.extend(refusal.as_deref());
    let mut said = BTreeSet::new();
    texts.retain(|text| said.insert(*text));
    for text in &texts {
        lines.extend(warning(text, width));
    }
    if !texts.is_empty() {
        lines.push(Line::default());
    }
    if refusal.is_some() {
        lines.push(keys_within(&[("n", "cancel"), ("d", "view diff"), ("b", "change target")], width));
        return lines;
    }
    let push = if state.mode == Mode::Write { "push" } else { "simulate" };
    let pairs = [("y", push), ("n", "cancel"), ("d", "view diff"), ("b", "change target")];
    lines.push(keys_within(&pairs, width));
    lines.push(enter_does_nothing());
    lines
}

/// What stays as it is.
fn undecided(state: &State) -> Option<String> {
    match state.review.tally().undecided {
        0 => None,
        1 => Some("1 undecided update is not included.".to_owned()),
        several => Some(format!("{several} undecided updates are not included.")),
    }
}

/// What `y` asks for before anything is sent.
fn protected(prepared: &Prepared) -> Option<String> {
    let branches: Vec<&str> = prepared.protected.iter().map(|guarded| guarded.branch.as_str()).collect();
    let branches = branches.join(", ");
    let mut warnings = prepared.plan.groups.iter().flat_map(|group| &group.warnings);
    // Then names are typed of branches that nobody protects.
    if warnings.any(|warning| warning.code == FREEZE) && !branches.is_empty() {
        return Some(format!("Because of the freeze the name of each branch has to be typed: {branches}."));
    }
    let reasons = prepared.protected.iter().map(|Guarded { branch, why }| format!("{branch}: {why}"));
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    match prepared.protected.len() {
        0 => None,
        1 => Some(format!("{reasons}. Its name has to be typed.")),
        _ => Some(format!("{reasons}. Each name has to be typed.")),
    }
}

/// A warning as far as where to read on: the dialog has no room for addresses, and what is pushed comes first.
fn without_link(message: &str) -> &str {
    message.split_once(" See: http").map_or(message, |(said, _)| said)
}

/// `! ` and a warning, wrapped behind its mark.
fn warning(text: &str, width: u16) -> Vec<Line> {
    let wrapped = Shown::new(text).wrap(usize::from(width).saturating_sub(2));
    let starts = std::iter::once("! ").chain(std::iter::repeat("  "));
    starts
        .zip(wrapped)
        .map(|(start, text)| Line::of(Role::StateWarn, start).with(Role::StateWarn, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_rows_of_a_fact_stand_below_its_value() {
        let value = Line::plain("Update shop:1.0 to shop:1.1");
        let rows = rows_of("Commit", &value, 24);
        let starts: Vec<Line> = rows.iter().map(|row| row.window(0, 9)).collect();
        assert_eq!(starts, ["Commit   ", "         "].map(|start| Line::of(Role::TextDim, start)));
        assert_eq!(rows[0].window(9, 15), Line::plain("Update shop:1.0"));
        assert_eq!(rows[1].window(9, 15), Line::plain("to shop:1.1"));
    }
}
