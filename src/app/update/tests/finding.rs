//! S14: what is found while letters are typed, and where Enter goes.

use super::*;
use crate::app::find::{Hits, Place};
use crate::app::state::Find;

fn opened(names: &[&str]) -> State {
    let mut state = review_of(names);
    press(&mut state, &["ctrl-p"]);
    state
}

fn find(state: &State) -> &Find {
    let Some(Overlay::Find(find)) = &state.overlay else { panic!("it is closed") };
    find
}

/// What the search under way finds, in one answer.
fn answer(state: &mut State) -> Vec<Effect> {
    let (job, haystack) = (find(state).job.unwrap(), Arc::clone(&find(state).haystack));
    let mut all = Hits::default();
    haystack.search(find(state).field.text(), |hits| {
        all = hits;
        true
    });
    update(state, Msg::Found(job, all))
}

#[test]
fn everything_is_found_by_a_few_letters_and_gone_to() {
    for (typed, kind, view) in [
        (["w", "e", "b"], "update", View::Updates),
        (["a", "p", "y"], "file", View::Diff),
        (["1", ".", "0"], "tag", View::Tags),
    ] {
        let mut state = opened(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
        press(&mut state, &typed);
        answer(&mut state);
        assert_eq!(
            find(&state).hits.entries.first().map(|entry| entry.place.word()),
            Some(kind),
            "{typed:?}"
        );
        press(&mut state, &["enter"]);
        assert_eq!((state.view(), state.overlay.is_none()), (view, true), "{typed:?}");
    }
}

#[test]
fn the_cursor_stands_on_what_was_gone_to_though_a_filter_hid_it() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["/", "a", "p", "i", "enter", "ctrl-p", "w", "e", "b"]);
    answer(&mut state);
    press(&mut state, &["enter"]);
    assert_eq!(state.updates.current().map(|id| id.policy.name.as_str()), Some("web"));
    assert_eq!(state.updates.len(), 2, "the filter that hid it is gone");

    press(&mut state, &["ctrl-p", "1", ".", "0"]);
    answer(&mut state);
    press(&mut state, &["enter"]);
    let tag = state.tags.list.current().and_then(|at| state.tags.tags.get(*at as usize));
    assert_eq!((state.view(), tag), (View::Tags, Some("1.0")));
}

#[test]
fn enter_before_the_answer_goes_to_what_was_typed_and_not_to_what_was_found_before() {
    let mut state = opened(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["a", "p", "i"]);
    answer(&mut state);
    press(&mut state, &["backspace", "backspace", "backspace", "w", "e", "b", "enter"]);
    assert!(state.overlay.is_some(), "it waits for the answer");
    answer(&mut state);
    assert_eq!(state.updates.current().map(|id| id.policy.name.as_str()), Some("web"));
    assert!(state.overlay.is_none());
}

#[test]
fn a_letter_stops_the_search_before_it_whose_answer_changes_nothing() {
    let mut state = opened(&["web 1.0 -> 1.1"]);
    let before = find(&state).job.unwrap();
    let effects = press(&mut state, &["w"]);
    let [Effect::StopWork(stopped), Effect::Find { job, typed, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*stopped, typed.as_str()), (before, "w"));
    assert_ne!(*job, before);
    update(&mut state, Msg::Found(before, Hits { matches: 7, done: true, ..Hits::default() }));
    assert_eq!((find(&state).hits.matches, find(&state).job.is_some()), (0, true));
    assert_eq!(press(&mut state, &["left"]), [], "the caret alone asks for nothing");
}

#[test]
fn what_nothing_is_called_is_said_and_the_field_stays() {
    let mut state = opened(&["web 1.0 -> 1.1"]);
    press(&mut state, &["z", "q", "x", "enter"]);
    answer(&mut state);
    let says = state.status.as_ref().unwrap().text.clone();
    assert!(says.contains("nothing here is called zqx"), "{says}");
    assert_eq!(state.context(), Context::Find);
    press(&mut state, &["esc"]);
    assert!(state.overlay.is_none());
}

#[test]
fn of_a_tag_the_whole_reference_is_copied() {
    let mut state = opened(&["web 1.0 -> 1.1"]);
    press(&mut state, &["1", ".", "0"]);
    answer(&mut state);
    let at =
        find(&state).hits.entries.iter().position(|entry| matches!(entry.place, Place::Tag(..))).unwrap();
    for _ in 0..at {
        press(&mut state, &["down"]);
    }
    let copied = press(&mut state, &["ctrl-y"]);
    assert_eq!(copied, [Effect::Copy("registry.example.com/shop/web:1.0".to_owned())]);
}

#[test]
fn only_the_namespace_that_is_listed_is_searched() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.scope = Some("elsewhere".to_owned());
    rows::refresh(&mut state);
    press(&mut state, &["ctrl-p"]);
    assert!(find(&state).haystack.is_empty());
}
