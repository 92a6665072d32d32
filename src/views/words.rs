//! Words and marks that several screens share: boxes of decisions, times and ages, counts, short ids.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned};

use super::widgets::line::Line;
use crate::app::state::State;
use crate::domain::age;
use crate::domain::lint::BrokenChain;
use crate::domain::proposal::{Decision, Proposal, Step, UpdateState};
use crate::problem::Problem;
use crate::text::Shown;
use crate::theme::Role;

/// The box of an update: `[x] approved  [-] skipped  [ ] undecided  [~] partly  [H] held  [!] blocked`.
pub(super) fn update_box(update: &Proposal) -> (Role, &'static str) {
    match update.state {
        UpdateState::Held => (Role::DecHeld, "[H]"),
        UpdateState::Blocked => (Role::DecBlocked, "[!]"),
        UpdateState::Pending => decision_box(update.overall()),
    }
}

/// The box of a decision.
pub(super) fn decision_box(decision: Decision) -> (Role, &'static str) {
    match decision {
        Decision::Undecided => (Role::Text, "[ ]"),
        Decision::Approved => (Role::DecApproved, "[x]"),
        Decision::Skipped => (Role::DecSkipped, "[-]"),
        Decision::Partial => (Role::DecPartial, "[~]"),
    }
}

/// The word of STEP; what goes back or changes the name says so loudly.
pub(super) fn step(update: &Proposal) -> (Role, &'static str) {
    let major = Step::Major.word();
    match update.step_word() {
        "" => (Role::TextDim, "-"),
        word if [Step::NAME, Step::DOWN, major].contains(&word) => (Role::StateWarn, word),
        word => (Role::Text, word),
    }
}

/// `  LABEL      VALUE`: a line of a preview.
pub(super) fn fact(label: &str, value: Line) -> Line {
    Line::of(Role::TextDim, format!("  {label:<10} ")).append(value)
}

/// Facts that share a row as far as it is wide enough, each of the `others` behind a gap; what has no room there begins a
/// row of its own.
pub(super) fn facts(
    (label, value): (&str, Line),
    others: impl IntoIterator<Item = (&'static str, &'static str, Line)>,
    width: u16,
) -> Vec<Line> {
    let mut lines = vec![fact(label, value)];
    for (gap, label, value) in others {
        let beside = lines.last().cloned().unwrap_or_default();
        let beside = beside.dim(format!("{gap}{label} ")).append(value.clone());
        if beside.width() < usize::from(width) {
            lines.pop();
            lines.push(beside);
        } else {
            lines.push(fact(label, value));
        }
    }
    lines
}

/// `  LABEL      TEXT`, the text wrapped beside its label.
pub(super) fn paragraph(label: &str, role: Role, text: &str, width: u16) -> Vec<Line> {
    let indent = 13;
    let wrapped = Shown::new(text).wrap(usize::from(width).saturating_sub(indent + 1));
    let first = format!("  {label:<11}");
    let starts = std::iter::once(first).chain(std::iter::repeat(" ".repeat(indent)));
    starts.zip(wrapped).map(|(start, text)| Line::of(Role::TextDim, start).with(role, text)).collect()
}

/// What happened, why, and what to do next, as lines of a preview.
pub(super) fn problem(problem: &Problem, width: u16) -> Vec<Line> {
    let mut lines = paragraph("what", Role::StateError, &problem.message, width);
    for cause in &problem.causes {
        lines.extend(paragraph("why", Role::Text, cause, width));
    }
    if let Some(hint) = &problem.hint {
        lines.extend(paragraph("next", Role::Text, hint, width));
    }
    lines
}

/// The first link of a policy's chain that does not hold, and what to do, as lines of a preview.
pub(super) fn chain(chain: &BrokenChain, width: u16) -> Vec<Line> {
    let text = format!("{}: {}", chain.link.word(), chain.message);
    let mut lines = paragraph("broken", Role::StateWarn, &text, width);
    if let Some(fix) = &chain.fix {
        lines.extend(paragraph("next", Role::Text, fix, width));
    }
    lines
}

pub(super) use crate::text::count;

/// The first seven digits of a commit.
pub(super) fn short(commit: &str) -> Shown {
    Shown::new(commit.get(..7).unwrap_or(commit))
}

/// `main` of `refs/heads/main`.
pub(super) fn branch(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").unwrap_or(reference)
}

/// How long ago, in one unit: `now`, `14m`, `2h`, `3d`.
pub(super) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.as_second() - then.as_second()).max(0);
    match seconds {
        ..60 => "now".to_owned(),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long an update that is too young still waits, and why; `None` if it waits for anything else, or not at all.
pub(super) fn left(update: &Proposal, now: Timestamp) -> Option<String> {
    let hold = update.hold.as_ref().filter(|_| age::is_young(update))?;
    let left = age::span(hold.until.as_second() - now.as_second());
    Some(format!("{left} more: {}", hold.reason))
}

/// Until when or how long an update is held, by whom and why.
pub(super) fn held(update: &Proposal, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let hold = update.hold.as_ref()?;
    let until = || format!("to {} by {}: {}", when(now, hold.until, zone), hold.by, hold.reason);
    Some(left(update, now).unwrap_or_else(until))
}

/// `14:02:09`.
pub(super) fn clock_seconds(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// When something was, as short as it can be said: `14:02` today, `yesterday`, `11-18`, `2025-11-18`.
pub(super) fn when(now: Timestamp, time: Timestamp, zone: &TimeZone) -> String {
    let (now, time) = (now.to_zoned(zone.clone()), time.to_zoned(zone.clone()));
    match days_between(&time, &now) {
        0 => time.strftime("%H:%M").to_string(),
        1 => "yesterday".to_owned(),
        _ if time.year() == now.year() => time.strftime("%m-%d").to_string(),
        _ => time.strftime("%Y-%m-%d").to_string(),
    }
}

/// The same with the time of day behind any other day: `13:40`, `yesterday 13:40`, `11-18 13:40`.
pub(super) fn moment(now: Timestamp, time: Timestamp, zone: &TimeZone) -> String {
    let (day, clock) = (when(now, time, zone), time.to_zoned(zone.clone()).strftime("%H:%M").to_string());
    if day == clock { clock } else { format!("{day} {clock}") }
}

fn days_between(then: &Zoned, now: &Zoned) -> i32 {
    then.date().until((Unit::Day, now.date())).map_or(0, |span| span.get_days())
}

/// The spinner in its phase, one cell: in the colour of text, so that a turn costs that cell and no colour. On a bad line it
/// stands still.
pub(super) fn spinner(state: &State) -> &'static str {
    if state.plain || state.profile.is_low() { "-" } else { ["/", "-", "\\", "|"][state.spinner() % 4] }
}

/// `0.4 s`, `61 s`.
pub(super) fn seconds(took: std::time::Duration) -> String {
    if took.as_secs() >= 60 {
        format!("{} s", took.as_secs())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// `4 sites`, and where objects are edited too ` · 1 edit`.
pub(super) fn sites_and_edits(sites: usize, edits: usize) -> String {
    let sites = count(sites, "site");
    if edits == 0 { sites } else { format!("{sites} · {}", count(edits, "edit")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_as_short_as_they_can_be_said() {
        let now = at("2026-11-22T14:06:00Z");
        let when = |text| when(now, at(text), &TimeZone::UTC);
        assert_eq!(when("2026-11-22T14:02:59Z"), "14:02");
        assert_eq!(when("2026-11-21T23:59:00Z"), "yesterday");
        assert_eq!(when("2026-11-18T10:00:00Z"), "11-18");
        assert_eq!(when("2025-11-18T10:00:00Z"), "2025-11-18");
    }

    #[test]
    fn ages_have_one_unit() {
        let now = at("2026-11-22T14:06:00Z");
        for (then, said) in [
            ("2026-11-22T14:05:30Z", "now"),
            ("2026-11-22T13:52:00Z", "14m"),
            ("2026-11-22T12:02:00Z", "2h"),
            ("2026-11-13T12:02:00Z", "9d"),
            ("2026-12-13T12:02:00Z", "now"),
        ] {
            assert_eq!(age(now, at(then)), said);
        }
    }
}
