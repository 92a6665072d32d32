//! The table of actions, walked.

use std::collections::BTreeSet;

use super::*;
use crate::app::keymap::Hint;
use crate::app::keymap::KeyCode;
use crate::app::layout::Size;
use crate::app::view::{Context, View};

#[test]
fn every_context_has_a_bit_of_its_own() {
    let bits = Context::all().map(Context::bit).fold(0u32, |seen, bit| {
        assert_eq!((bit.count_ones(), seen & bit), (1, 0));
        seen | bit
    });
    assert_eq!(bits.count_ones() as usize, View::ALL.len() + Context::OVER.len());
}

#[test]
fn every_key_of_the_table_is_spelt_rightly() {
    for row in ACTIONS {
        assert_eq!(row.keys().count(), row.keys.len(), "{}", row.id);
    }
}

#[test]
fn ids_are_unique_and_labels_are_short() {
    let ids: BTreeSet<&str> = ACTIONS.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), ACTIONS.len());
    for row in ACTIONS {
        assert!(row.label.chars().count() <= 10, "{}", row.id);
        assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{}", row.id);
    }
}

#[test]
fn no_key_means_two_things_in_one_context() {
    for context in Context::all() {
        let mut seen = BTreeSet::new();
        for row in ACTIONS.iter().filter(|row| row.scope.contains(context)) {
            for key in row.keys() {
                assert!(seen.insert(key), "{key} means two things in {context:?}: {}", row.id);
            }
        }
    }
}

#[test]
fn every_context_reaches_help_and_a_way_out() {
    for context in Context::all() {
        let rows: Vec<&Row> = ACTIONS.iter().filter(|row| row.scope.contains(context)).collect();
        let has =
            |wanted: &[Action]| rows.iter().any(|row| wanted.contains(&row.action) && !row.keys.is_empty());
        assert!(
            has(&[Action::Help]) || matches!(context, Context::View(View::Help) | Context::TooSmall),
            "{context:?} has no help"
        );
        assert!(has(&[Action::Back, Action::No, Action::Leave, Action::Quit]), "{context:?} has no way out");
        assert!(has(&[Action::Cancel]), "{context:?} cannot be left by Ctrl-c");
    }
}

/// Most of these letters end the sequences of arrow and function keys, and `P` is a slip away from `p`.
#[test]
fn letters_that_are_unbound_on_purpose_are_unbound() {
    for row in ACTIONS {
        for key in row.keys() {
            let unbound = matches!(key.code, KeyCode::Char('A'..='F' | 'P' | 'Q' | 'S')) && !key.ctrl;
            assert!(!unbound, "{} is bound to {key}", row.id);
        }
    }
}

#[test]
fn what_types_text_is_no_action_in_an_input() {
    for context in Context::all().filter(|context| context.is_input()) {
        for row in ACTIONS.iter().filter(|row| row.scope.contains(context)) {
            assert!(row.keys().all(|key| key.typed().is_none()), "{} in {context:?}", row.id);
        }
    }
}

#[test]
fn only_what_is_marked_remote_leads_to_a_push() {
    for row in ACTIONS {
        let leads = matches!(row.action, Action::Push | Action::Merge)
            || ["dialog.push", "dialog.merge", "branch.accept"].contains(&row.id);
        assert_eq!(leads, row.effect == EffectClass::Remote, "{}", row.id);
    }
}

#[test]
fn read_only_refuses_everything_that_changes_something() {
    let state = State { mode: Mode::ReadOnly, ..State::default() };
    for row in ACTIONS.iter().filter(|row| row.effect > EffectClass::Read) {
        let Some(Refusal::Mode(said)) = refusal(&state, row) else { panic!("{} is let through", row.id) };
        assert!(!said.contains(":  is"), "{}: {said}", row.id);
    }
    assert!(hints(&state, 200).iter().all(|hint| hint.label != "push" && hint.label != "approve"));
}

#[test]
fn the_footer_fits_its_width_and_says_only_what_works() {
    let state = State::default();
    for width in [10, 60, 80, 100, 200] {
        let hints = hints(&state, width);
        let used: usize = hints.iter().map(Hint::width).sum();
        assert!(used <= usize::from(width), "{width}");
        assert!(hints.iter().all(|hint| hint.label != "push"), "nothing is approved yet");
    }
    assert_eq!(help_hint(&state).map(|hint| hint.key).as_deref(), Some("?"));
}

#[test]
fn where_no_tabs_are_the_footer_names_the_keys_of_the_views() {
    let at = |width: u16, height: u16| State { size: Size { width, height }, ..State::default() };
    let last =
        |state: &State| hints(state, state.size.width).last().map(|hint| (hint.key.clone(), hint.label));
    let views = Some(("1-6".to_owned(), "views"));
    assert_eq!(last(&at(80, 24)), views);
    assert_eq!(last(&at(60, 16)), views);
    assert_ne!(last(&at(100, 30)), views, "the tabs do");
    let mut state = at(80, 24);
    state.show(View::Tags);
    assert_ne!(last(&state), views, "Esc leads back from there");
    let mut state = at(80, 24);
    let unbound = Line { id: "view.plan".to_owned(), at: String::new(), asked: Asked::Unbound };
    state.bindings = bind(Preset::Vim, &[unbound]).0;
    assert_ne!(last(&state), views, "what is no row of keys is not called one");
}

#[test]
fn the_readme_table_has_a_line_for_every_action() {
    assert_eq!(readme_table().lines().count(), ACTIONS.len() + 2);
}
