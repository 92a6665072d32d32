//! The mode, the theme, the profile and the mouse.

use std::time::Duration;

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::profile::Profile;
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
        Action::ProfileNormal => set_profile(state, Profile::Normal),
        Action::ProfileLow => set_profile(state, Profile::LowBandwidth),
        Action::Mouse => {
            state.mouse = !state.mouse;
            let says = if state.mouse {
                "the mouse is taken: clicks and the wheel; the terminal selects text while Shift is held"
            } else {
                "the mouse is the terminal's; mouse = false in config.toml keeps that"
            };
            state.tell(Level::Info, says);
            vec![]
        }
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
    let (subject, detail) = ("mode".to_owned(), mode.badge().to_owned());
    vec![Effect::Audit { kind: "decide", subject, detail, plan: None }]
}

/// Changes how much is sent to the terminal.
fn set_profile(state: &mut State, profile: Profile) -> Vec<Effect> {
    state.profile = profile;
    state.preview = state.preview.anew();
    let word = profile.word();
    state.tell(Level::Info, format!("profile {word}; profile = \"{word}\" in config.toml keeps it"));
    vec![]
}

/// A terminal that answers as late as this is at the other end of a bad line.
const SLOW: Duration = Duration::from_millis(250);

/// Says that there is a profile for bad lines, where the terminal took so long to answer.
pub(super) fn offer_low_bandwidth(state: &mut State, round_trip: Duration) {
    if round_trip > SLOW && !state.profile.is_low() {
        let text =
            format!("this line takes {} ms: :profile low-bandwidth sends less", round_trip.as_millis());
        state.tell(Level::Warning, text);
    }
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
