//! The mode and the theme.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::{Level, Overlay, State};
use crate::domain::mode::Mode;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Theme => theme(state, state.theme + 1),
        Action::ModeReadOnly => set(state, Mode::ReadOnly),
        Action::ModeDryRun => set(state, Mode::DryRun),
        Action::ModeWrite if state.mode != Mode::Write => {
            state.overlay = Some(Overlay::Mode);
            vec![]
        }
        _ => vec![],
    }
}

/// Changes the mode and says so.
pub(super) fn set(state: &mut State, mode: Mode) -> Vec<Effect> {
    state.mode = mode;
    let says = match mode {
        Mode::ReadOnly => "READ-ONLY: nothing is changed anywhere",
        Mode::DryRun => "DRY-RUN: decisions are kept, pushes are simulated",
        Mode::Write => "WRITE: p pushes, after a confirmation",
    };
    state.tell(Level::Info, says);
    vec![Effect::Audit { kind: "decide", subject: "mode".to_owned(), detail: mode.badge().to_owned() }]
}

/// Draws with the theme at `index`, counted around.
pub(super) fn theme(state: &mut State, index: usize) -> Vec<Effect> {
    let Some(index) = index.checked_rem(state.themes.len()) else { return vec![] };
    state.theme = index;
    let Some(name) = state.themes.get(index).cloned() else { return vec![] };
    state.tell(Level::Info, format!("theme {name}"));
    vec![Effect::Theme(name)]
}
