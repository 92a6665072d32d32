//! The part of `:rollback` that says how the older tag is kept, with the very lines that this changes in the files.

use crate::app::state::HoldDialog;
use crate::domain::keep::{Means, RollBack};
use crate::text::Shown;
use crate::theme::Role;
use crate::views::edit::object_lines;
use crate::views::widgets::line::Line;

/// So many lines of a means are shown; the plan and S7 show all of them.
const MOST: usize = 4;

/// Adds the means and what the chosen one changes to the dialog's lines.
pub(super) fn lines(lines: &mut Vec<Line>, dialog: &HoldDialog, width: usize) {
    let known = dialog.keep.known(dialog.text(HoldDialog::BACK));
    for means in Means::ALL {
        lines.push(row(dialog, means, known.as_ref().ok().copied()).cut_end(width));
    }
    lines.push(Line::default());
    let chosen = dialog.keep.means;
    let edits = known.as_ref().ok().and_then(|found| found.edits(chosen).ok()).unwrap_or_default();
    let shown: Vec<Line> = edits.iter().flat_map(|(_, edit)| object_lines(edit, width)).collect();
    let more = shown.len().saturating_sub(MOST);
    lines.extend(shown.into_iter().take(MOST));
    if more > 0 {
        lines.push(Line::default().dim(format!("… {more} more in the plan")));
    }
    if let Err(why) = &known
        && (chosen != Means::Hold || dialog.keep.answer.is_some())
    {
        lines.push(Line::default().dim(Shown::new(why).cut_end(width)));
    }
    if chosen != Means::Hold {
        let role = if chosen == Means::Exclude { Role::StateWarn } else { Role::TextDim };
        let wrapped = Shown::new(chosen.next_tag()).wrap(width);
        lines.extend(wrapped.into_iter().map(|text| Line::of(role, text)));
    }
    if chosen == Means::Hold && dialog.is_active {
        let text = "! The automation is active and would write the newer tag again.";
        lines.push(Line::of(Role::StateWarn, text));
    }
    if lines.last().is_some_and(|last| last.width() > 0) {
        lines.push(Line::default());
    }
}

/// `Keep by (•) and suspend the automation`, and what else it has an effect on, or why it is of no use.
fn row(dialog: &HoldDialog, means: Means, found: Option<&RollBack>) -> Line {
    let label = if means == Means::Hold { "Keep by " } else { "        " };
    let is_chosen = dialog.keep.means == means;
    let mark = if is_chosen { "(x) " } else { "( ) " };
    let refusal = found.and_then(|found| found.edits(means).err());
    let role = match (is_chosen, refusal) {
        (_, Some(_)) => Role::TextDim,
        (true, None) => Role::Select,
        (false, None) => Role::Text,
    };
    let line = Line::of(Role::TextDim, label).with(role, mark).with(role, means.says());
    let note = found.and_then(|found| found.offers.iter().find(|offer| offer.means == means)?.note.as_ref());
    match (refusal, note) {
        (Some(why), _) => line.dim(": ").dim(Shown::new(why)),
        (None, Some(note)) => line.dim(": ").dim(Shown::new(note)),
        (None, None) => line,
    }
}
