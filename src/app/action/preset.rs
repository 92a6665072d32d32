//! Key maps to begin with: what differs from the table of actions, which is the one for hands that know vim.

use super::by_id;
use crate::app::keymap::{Bindings, Key};

/// A key map to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// The table of actions as it is: letters move, and arrows too.
    #[default]
    Vim,
    /// Arrows move, letters do not.
    Arrows,
    /// Moving about as in Emacs and readline; arrows too.
    Emacs,
}

/// An action's id, and its keys instead of the table's.
type Change = (&'static str, &'static [&'static str]);

const ARROWS: &[Change] = &[
    ("move.down", &["down"]),
    ("move.up", &["up"]),
    ("move.left", &["left"]),
    ("move.right", &["right"]),
    ("list.left", &["left"]),
    ("list.right", &["right"]),
    ("move.first", &["home"]),
    ("move.last", &["end"]),
    ("move.half-down", &["ctrl-down"]),
    ("move.half-up", &["ctrl-up"]),
    ("move.page-down", &["pgdn"]),
    ("move.page-up", &["pgup"]),
    ("pane.down", &["alt-down"]),
    ("pane.up", &["alt-up"]),
];

const EMACS: &[Change] = &[
    ("move.down", &["ctrl-n", "down"]),
    ("move.up", &["ctrl-p", "up"]),
    ("move.left", &["ctrl-b", "left"]),
    ("move.right", &["ctrl-f", "right"]),
    ("list.left", &["ctrl-b", "left"]),
    ("list.right", &["ctrl-f", "right"]),
    ("move.first", &["alt-<", "home"]),
    ("move.last", &["alt->", "end"]),
    ("move.half-down", &["alt-down"]),
    ("move.half-up", &["alt-up"]),
    ("move.page-down", &["ctrl-v", "pgdn"]),
    ("move.page-up", &["alt-v", "pgup"]),
    ("pane.down", &["alt-n"]),
    ("pane.up", &["alt-p"]),
    ("field.down", &["ctrl-n", "down"]),
    ("field.up", &["ctrl-p", "up"]),
    ("select.range", &["ctrl-space", "v"]),
    ("filter.open", &["ctrl-s", "/"]),
    ("palette.open", &["alt-x", ":"]),
    ("find.open", &["alt-g"]),
    ("view.back", &["esc", "ctrl-g"]),
    ("field.back", &["esc", "ctrl-g"]),
    ("dialog.no", &["n", "esc", "q", "ctrl-g"]),
];

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vim, Self::Arrows, Self::Emacs];

    /// Its name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vim => "vim",
            Self::Arrows => "arrows",
            Self::Emacs => "emacs",
        }
    }

    /// The one of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.word() == word)
    }

    fn changes(self) -> &'static [Change] {
        match self {
            Self::Vim => &[],
            Self::Arrows => ARROWS,
            Self::Emacs => EMACS,
        }
    }

    /// Its keys, where they are not those of the table.
    pub fn bindings(self) -> Bindings {
        let mut bindings = Bindings::default();
        for (id, keys) in self.changes() {
            let keys: Vec<Key> = keys.iter().filter_map(|key| key.parse().ok()).collect();
            if let Some(row) = by_id(id) {
                bindings.set(row.id, keys, format!("preset {}", self.word()));
            }
        }
        bindings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::app::action::ACTIONS;
    use crate::app::view::Context;

    #[test]
    fn every_change_is_of_an_action_and_spelt_rightly() {
        for preset in Preset::ALL {
            assert_eq!(Preset::named(preset.word()), Some(preset));
            for (id, keys) in preset.changes() {
                let bindings = preset.bindings();
                assert_eq!(bindings.of(id).map(<[Key]>::len), Some(keys.len()), "{preset:?} {id}");
            }
        }
        assert_eq!(Preset::named("emcas"), None);
    }

    #[test]
    fn in_no_preset_a_key_means_two_things_in_one_context_or_types_text() {
        for (preset, context) in
            Preset::ALL.into_iter().flat_map(|preset| Context::all().map(move |one| (preset, one)))
        {
            let bindings = preset.bindings();
            let mut seen = BTreeSet::new();
            for row in ACTIONS.iter().filter(|row| row.scope.contains(context)) {
                for key in row.keys_in(&bindings) {
                    assert!(
                        seen.insert(key),
                        "{preset:?}: {key} means two things in {context:?}: {}",
                        row.id
                    );
                    assert!(
                        !context.is_input() || key.typed().is_none(),
                        "{preset:?}: {} in {context:?}",
                        row.id
                    );
                }
            }
        }
    }

    #[test]
    fn in_the_arrows_preset_no_letter_moves_the_cursor() {
        let bindings = Preset::Arrows.bindings();
        for row in ACTIONS.iter().filter(|row| row.id.starts_with("move.") && row.action.moves()) {
            assert!(row.keys_in(&bindings).iter().all(|key| key.typed().is_none()), "{}", row.id);
        }
    }
}
