//! The footer: which keys it names, and how.

use super::{ACTIONS, Action, EffectClass, Row, refusal};
use crate::app::keymap::Hint;
use crate::app::rows;
use crate::app::state::{Overlay, State};
use crate::app::view::{Context, View};
use crate::domain::mode::Mode;

/// The footer of the focused context: enabled entries by rank, as many as fit beside the help entry at the right.
pub fn hints(state: &State, width: u16) -> Vec<Hint> {
    let context = state.context();
    let mut rows: Vec<&Row> = ACTIONS
        .iter()
        .filter(|row| row.scope.contains(context) && !label(state, row).is_empty())
        .filter(|row| row.action != Action::Help && refusal(state, row).is_none())
        .filter(|row| row.action != Action::Back || leads_back(state, context))
        .collect();
    rows.sort_by_key(|row| row.rank);
    let views = views(state, context);
    let kept = views.as_ref().map_or(0, Hint::width);
    let mut left = usize::from(width).saturating_sub(9 + kept);
    let mut hints = Vec::new();
    for row in rows {
        let Some(key) = row.keys_in(&state.bindings).first().copied() else { continue };
        let hint = Hint { key: key.to_string(), label: label(state, row) };
        if hint.width() > left {
            break;
        }
        left -= hint.width();
        hints.push(hint);
    }
    hints.extend(views.filter(|_| kept + 9 <= usize::from(width)));
    hints
}

/// `1-6 views`, in a view that one of these keys leads to, where no line of tabs names them; `None` where the keys do not follow
/// each other.
fn views(state: &State, context: Context) -> Option<Hint> {
    let Context::View(
        View::Updates | View::Repositories | View::Policies | View::Automations | View::Plan | View::Log,
    ) = context
    else {
        return None;
    };
    if state.layout_below_help().tabs.is_some() || state.crumbs().len() > 1 {
        return None;
    }
    let ids = ["updates", "repositories", "policies", "automations", "plan", "log"];
    let keys: Option<Vec<String>> = ids
        .iter()
        .map(|id| super::keys_of(state, &format!("view.{id}")).first().map(ToString::to_string))
        .collect();
    let keys = keys?;
    let follow = |(key, at): (&String, usize)| key.strip_suffix(&at.to_string()).map(str::to_owned);
    let before: Option<Vec<String>> = keys.iter().zip(1..).map(follow).collect();
    let is_row = before?.windows(2).all(|pair| pair.first() == pair.last());
    is_row.then(|| Hint { key: format!("{}-{}", keys[0], keys[5]), label: "views" })
}

/// Whether Esc does anything: closes what lies over the view, ends a range, clears a filter, leaves the view.
fn leads_back(state: &State, context: Context) -> bool {
    let Context::View(view) = context else { return true };
    if view == View::Help {
        return true;
    }
    let has_filter = rows::filter(state, view).is_some_and(|filter| !filter.typed().is_empty());
    state.crumbs().len() > 1 || has_filter || rows::ranged(state).is_some()
}

/// The footer as it is shown: while the cursor moves, that of the row which it left.
pub fn footer(state: &State) -> Vec<Hint> {
    state.preview.hints().map_or_else(|| hints(state, state.size.width), <[Hint]>::to_vec)
}

/// What the footer calls a row: as the dialog does, where a push would only be simulated.
///
/// `i` hides a preview that is there already.
fn label(state: &State, row: &Row) -> &'static str {
    if let Some((yes, no)) = state.overlay.as_ref().and_then(Overlay::answers) {
        match row.action {
            Action::Yes => return yes,
            Action::No => return no,
            _ => {}
        }
    }
    match (row.action, row.effect, state.mode) {
        (Action::Yes | Action::Accept, EffectClass::Remote, Mode::ReadOnly | Mode::DryRun) => "simulate",
        (Action::Accept, ..) if matches!(&state.overlay, Some(Overlay::Hold(it)) if it.is_rollback()) => {
            "go back"
        }
        (Action::Push, ..) if state.is_pushing() => "progress",
        (Action::Push, ..) if state.shows_push() => "result",
        // Enter shows the same, and says so.
        (Action::Why, ..) if matches!(state.view_below_help(), View::Log | View::Errors) => "",
        (Action::Why, ..) if state.shows_preview() => "hide",
        (Action::MatchingOnly, ..) if state.size.width >= 100 => "matching only",
        (Action::Hold, ..) if rows::is_held(state) => "let go",
        (Action::Open, ..) if rows::opens_tags(state) => "tags",
        (Action::Tags, ..) if rows::opens_tags(state) => "",
        (Action::NextFile, ..) if state.view_below_help() == View::Diff => "next file",
        // Enter does the same there, and says so.
        (Action::Tags, ..) if state.view_below_help() != View::Updates => "",
        _ => row.label,
    }
}

/// What a row does, in a sentence: the table's own, but where the state decides which part of it is true.
pub fn doc(state: &State, row: &Row) -> &'static str {
    let is_diff = state.view_below_help() == View::Diff;
    match row.action {
        Action::Push if state.is_pushing() => "Show the push that is under way",
        Action::Push if state.shows_push() => "Show what the last push did; nothing is approved for another",
        Action::PreviousFile if is_diff => "The previous file",
        Action::PreviousFile => "The previous policy of these tags",
        Action::NextFile if is_diff => "The next file",
        Action::NextFile => "The next policy of these tags",
        Action::Why if state.context_below_help() == Context::Overlay => "Close the details",
        _ => row.doc,
    }
}

/// The help entry that stands at the right end of the footer, where there is one: `?`, or `F1` in text inputs.
pub fn help_hint(state: &State) -> Option<Hint> {
    let context = state.context();
    let row = ACTIONS.iter().find(|row| row.action == Action::Help && row.scope.contains(context))?;
    Some(Hint { key: row.keys_in(&state.bindings).first()?.to_string(), label: "help" })
}
