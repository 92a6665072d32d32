//! Merge? What would go where and how, as the remote is now; and the name of a protected branch.

use ratatui::layout::Rect;

use super::{enter_does_nothing, keys, message_box, name_box};
use crate::app::action;
use crate::app::input::Field;
use crate::app::message::MergeAhead;
use crate::app::state::{MergeDialog, State};
use crate::domain::branch::Guard;
use crate::domain::landing::{Brought, Merge};
use crate::domain::mode::Mode;
use crate::text::Shown;
use crate::theme::Role;
use crate::views::widgets::canvas::Canvas;
use crate::views::widgets::line::Line;
use crate::views::words;

/// The columns of the inside of the box, where the terminal has them.
const WIDTH: u16 = 72;

/// The commits that it names.
const COMMITS: usize = 5;

/// Draws the dialog over `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, dialog: &MergeDialog) {
    if let Some(typed) = &dialog.typed {
        return type_name(canvas, area, &dialog.merge, typed);
    }
    let width = WIDTH.min(area.width.saturating_sub(4));
    let Merge { remote, from, into, .. } = &dialog.merge;
    let mut lines = vec![fact("Remote", Line::from(Shown::new(remote).cut_start(usize::from(width) - 9)))];
    match &dialog.ahead {
        None => {
            lines.push(fact("Merge", branches(dialog, None, canvas.arrow())));
            let seconds = state.at.since(dialog.since) / 1000;
            let elapsed = if seconds >= 2 { format!("   {seconds} s") } else { String::new() };
            let asking = Line::plain(words::spinner(state)).and(" asking the remote what it would do");
            lines.extend([Line::default(), asking.dim(elapsed), Line::default(), keys(&[("Esc", "cancel")])]);
        }
        Some(Err(problem)) => {
            lines.push(fact("Merge", branches(dialog, None, canvas.arrow())));
            lines.push(Line::default());
            lines.extend(words::problem(problem, width));
            lines.extend([Line::default(), keys(&[("n", "cancel")])]);
        }
        Some(Ok(ahead)) => {
            lines.push(fact("Merge", branches(dialog, Some(ahead), canvas.arrow())));
            lines.push(fact("How", how(dialog, ahead)));
            lines.extend(brings(ahead));
            lines.extend(tail(state, dialog, ahead));
        }
    }
    let title = match state.mode {
        Mode::Write => format!("Merge {from} into {into}?"),
        Mode::DryRun | Mode::ReadOnly => format!("Merge {from} into {into}? DRY RUN"),
    };
    message_box(canvas, area, &title, width, &lines);
}

fn fact(label: &str, value: Line) -> Line {
    Line::of(Role::TextDim, format!("{label:<9}")).append(value)
}

/// `image-updates@8d2e91b → main@4c1f0e2`.
fn branches(dialog: &MergeDialog, ahead: Option<&MergeAhead>, arrow: &str) -> Line {
    let at = |commit: &str| Line::default().dim("@").dim(words::short(commit));
    let Merge { from, into, .. } = &dialog.merge;
    let mut line = Line::of(Role::Select, from);
    if let Some(ahead) = ahead {
        line = line.append(at(&ahead.merged.tip));
    }
    line = line.dim(format!(" {arrow} ")).with(Role::Select, into);
    match ahead {
        Some(ahead) => line.append(at(&ahead.merged.base)),
        None => line,
    }
}

/// In a sentence, what happens to the branch.
fn how(dialog: &MergeDialog, ahead: &MergeAhead) -> Line {
    let Merge { from, into, .. } = &dialog.merge;
    if ahead.merged.already {
        return Line::of(Role::StateWarn, format!("{into} has all of {from} already"));
    }
    if ahead.merged.fast_forward {
        return Line::plain(format!("fast-forward: {into} moves to ")).and(words::short(&ahead.merged.tip));
    }
    let why = if dialog.always_commit { "as you chose" } else { "both have commits of their own" };
    Line::plain("a merge commit on top of both").dim(format!("   {why}"))
}

/// What comes along: each commit with its author, the newest first.
fn brings(ahead: &MergeAhead) -> Vec<Line> {
    let Some(commits) = &ahead.merged.brings else {
        return vec![fact("Brings", Line::of(Role::StateWarn, "more commits than are looked through"))];
    };
    let line = |brought: &Brought| {
        Line::from(Shown::new(&brought.subject)).dim("  ").dim(Shown::new(&brought.author.name))
    };
    let mut lines: Vec<Line> = commits.iter().take(COMMITS).map(line).collect();
    if commits.len() > COMMITS {
        lines.push(Line::default().dim(format!("and {} more", commits.len() - COMMITS)));
    }
    let labels = std::iter::once("Brings").chain(std::iter::repeat(""));
    labels.zip(lines).map(|(label, line)| fact(label, line)).collect()
}

fn tail(state: &State, dialog: &MergeDialog, ahead: &MergeAhead) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    if let Some(frozen) = ahead.frozen.as_ref().filter(|_| !ahead.merged.already) {
        lines.extend([Line::of(Role::StateWarn, format!("! {frozen}")), Line::default()]);
    }
    if let Some(guard) = ahead.protected.as_ref().filter(|_| !ahead.merged.already) {
        let into = &dialog.merge.into;
        let text = match guard {
            // That is said above.
            Guard::Frozen(_) => format!("! The name of {into} has to be typed."),
            why => format!("! {into}: {why}. Its name has to be typed."),
        };
        lines.extend([Line::of(Role::StateWarn, text), Line::default()]);
    }
    if action::merge_refusal(state).is_some() {
        lines.push(keys(&[("n", "cancel")]));
        return lines;
    }
    let merge = if state.mode == Mode::Write { "merge" } else { "simulate" };
    let other = if ahead.merged.fast_forward { "with a merge commit" } else { "without one if it can be" };
    lines.push(keys(&[("y", merge), ("n", "cancel"), ("m", other)]));
    lines.push(enter_does_nothing());
    lines
}

/// S9b, for a merge.
fn type_name(canvas: &mut Canvas<'_>, area: Rect, merge: &Merge, typed: &Field) {
    let changes =
        Line::plain("This changes  ").with(Role::StateWarn, Shown::new(&merge.into)).and("  directly.");
    let words = ("Merge into protected branch", "Type the branch name to merge:  ");
    name_box(canvas, area, words, &changes, typed);
}
