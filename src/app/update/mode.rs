//! The mode and the theme.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::{Level, Menu, MenuEntry, MenuKind, Overlay, State};
use crate::domain::mode::Mode;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Theme => {
            open_themes(state);
            vec![]
        }
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

/// Opens the menu of themes on the one in force; the screen shows each as the cursor comes to it.
fn open_themes(state: &mut State) {
    let entry = |name: &String| MenuEntry { label: name.clone(), value: String::new() };
    let entries: Vec<MenuEntry> = state.themes.iter().map(entry).collect();
    let (cursor, kind) = (state.theme, MenuKind::Theme);
    state.overlay =
        (!entries.is_empty()).then_some(Overlay::Menu(Menu { title: "theme", entries, cursor, kind }));
}

/// Draws with the theme at `index` from now on.
pub(super) fn theme(state: &mut State, index: usize) {
    let Some(name) = state.themes.get(index).cloned() else { return };
    state.theme = index;
    state.tell(Level::Info, format!("theme {name}; theme = \"{name}\" in config.toml keeps it"));
}
