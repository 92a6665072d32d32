//! S5.

use super::world::{press, ready, tick};
use super::*;
use crate::app::state::Part;
use crate::app::view::View;
use crate::domain::object::ObjectId;
use crate::domain::trial::{RuleKind, Trial, TrialEdit, Tried};

/// The trial that effects ask for, and its number.
fn asked(effects: &[Effect]) -> Option<(JobId, Trial)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Try { job, trial, .. } => Some((*job, trial.clone())),
        _ => None,
    })
}

/// Answers a trial, on the tags of `web`.
fn answer(state: &mut State, (job, trial): (JobId, Trial)) -> Vec<Effect> {
    let tags = Arc::new(["1.0", "1.1"].into_iter().collect());
    update(state, Msg::Tried(job, Some(Arc::new(trial.run(&[], &tags, None)))))
}

/// S5, opened for the policy `web` from S4, its first trial under way.
fn opened() -> (State, (JobId, Trial)) {
    let mut state = State::default();
    ready(&mut state);
    press(&mut state, &["3"]);
    state.policies.go_to(&ObjectId::new("shop", "web"));
    let effects = press(&mut state, &["e"]);
    assert_eq!(state.view(), View::Playground);
    let first = asked(&effects).unwrap();
    assert_eq!(state.playground.as_ref().unwrap().part, Part::Rule, "of versions the range is what is tried");
    press(&mut state, &["tab"]);
    (state, first)
}

#[test]
fn what_is_typed_is_tried_once_the_keys_pause() {
    let (mut state, first) = opened();
    answer(&mut state, first);
    let effects = press(&mut state, &["^", "1"]);
    assert_eq!(asked(&effects), None, "not at every key");
    assert!(!state.playground.as_ref().unwrap().is_fresh(), "what is shown is of before");
    let effects = tick(&mut state, 30);
    let (job, trial) = asked(&effects).unwrap();
    assert_eq!(trial.pattern, "^1");
    answer(&mut state, (job, trial));
    assert!(state.playground.as_ref().unwrap().is_fresh());
}

#[test]
fn one_trial_runs_at_a_time_and_the_last_word_is_tried() {
    let (mut state, first) = opened();
    press(&mut state, &["a", "b"]);
    assert_eq!(asked(&tick(&mut state, 500)), None, "the first is still under way");
    let next = asked(&answer(&mut state, first.clone())).unwrap();
    assert_eq!(next.1.pattern, "ab");
    assert_eq!(asked(&answer(&mut state, first)), None, "an answer that comes twice is none");
    assert_eq!(asked(&answer(&mut state, next)), None);
}

#[test]
fn arrows_choose_where_there_is_a_choice_and_reset_takes_it_all_back() {
    let (mut state, first) = opened();
    answer(&mut state, first);
    let before = state.playground.as_ref().unwrap().trial();
    press(&mut state, &["tab", "tab", "right", "tab", "right"]);
    let chosen = state.playground.as_ref().unwrap();
    assert_eq!((chosen.kind, chosen.descending), (RuleKind::Numerical, true));
    let (_, trial) = asked(&tick(&mut state, 30)).unwrap();
    assert_eq!(trial.yaml(), "  policy:\n    numerical:\n      order: desc\n");
    press(&mut state, &["ctrl-r"]);
    assert_eq!(state.playground.as_ref().unwrap().trial(), before);
    press(&mut state, &["esc"]);
    assert_eq!(state.view(), View::Policies);
}

#[test]
fn the_yaml_goes_to_the_terminal_and_a_policy_without_tags_is_tried_too() {
    let (mut state, _) = opened();
    let effects = press(&mut state, &["v", "ctrl-y"]);
    let yaml = "  filterTags:\n    pattern: 'v'\n  policy:\n    semver:\n      range: ''\n";
    assert_eq!(effects, [Effect::Copy(yaml.to_owned())]);
    press(&mut state, &["esc"]);
    state.policies.go_to(&ObjectId::new("shop", "fresh"));
    let effects = press(&mut state, &["e"]);
    assert_eq!(state.view(), View::Playground);
    assert!(asked(&effects).is_some(), "its rule can be checked");
}

#[test]
fn a_policy_is_tried_from_its_update_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["e"]);
    assert_eq!(state.view(), View::Playground);
    assert!(asked(&effects).is_some());
    assert_eq!(state.playground.as_ref().unwrap().policy, ObjectId::new("shop", "web"));
}

#[test]
fn what_lies_over_a_narrow_list_of_tags_leads_there_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    press(&mut state, &["t", "enter"]);
    assert_eq!(state.context(), Context::Overlay);
    let effects = press(&mut state, &["e"]);
    assert_eq!(state.context(), Context::View(View::Playground));
    assert!(asked(&effects).is_some());
    press(&mut state, &["esc"]);
    assert_eq!(state.context(), Context::View(View::Tags));
    press(&mut state, &["2", "i", "e"]);
    assert_eq!(state.context(), Context::Overlay, "details of a repository are of no policy");
    assert!(state.status.as_ref().unwrap().text.contains("no policy"), "{:?}", state.status);
}

#[test]
fn a_range_that_is_none_leaves_the_last_result_and_is_said_under_its_field() {
    let (mut state, first) = opened();
    answer(&mut state, first);
    press(&mut state, &["tab", "tab", "tab", "1"]);
    let next = asked(&tick(&mut state, 100)).unwrap();
    answer(&mut state, next);
    press(&mut state, &["ctrl-u", ">", ">", "x"]);
    let refused = asked(&tick(&mut state, 500)).unwrap();
    answer(&mut state, refused);
    let playground = state.playground.as_ref().unwrap();
    let kept = playground.tried.as_ref().unwrap();
    assert_eq!(kept.trial.range, "1");
    assert!(!playground.is_fresh(), "what is shown is of before");
    let refusal = playground.refused().and_then(Tried::refusal).unwrap();
    assert!(refusal.text.contains("improper constraint"), "{refusal}");
    press(&mut state, &["backspace"]);
    assert!(state.playground.as_ref().unwrap().refused().is_none(), "another text was not refused yet");
}

#[test]
fn what_is_tried_is_shown_as_an_edit_of_its_file_copied_and_written() {
    let (mut state, _) = opened();
    let ask = |state: &mut State| match press(state, &["ctrl-d"]).pop() {
        Some(Effect::EditPolicy { job, policy, trial }) => (job, policy, trial),
        other => panic!("{other:?}"),
    };
    press(&mut state, &["v"]);
    let (job, policy, trial) = ask(&mut state);
    assert_eq!((policy, trial.pattern.as_str()), (ObjectId::new("shop", "web"), "v"));
    let (remote, file) = ("file:///srv/fleet.git".to_owned(), "web.yaml".to_owned());
    let edit = TrialEdit { remote, file, patch: "--- a/web.yaml\n+++ b/web.yaml\n".to_owned() };
    update(&mut state, Msg::PolicyEdited(job, Ok(edit.clone())));
    assert_eq!(state.context(), Context::Edit);
    assert_eq!(press(&mut state, &["enter"]), []);
    assert_eq!(state.context(), Context::Edit, "Enter is no choice where none is offered");
    assert_eq!(press(&mut state, &["y"]), [Effect::Copy(edit.patch.clone())]);
    press(&mut state, &["j", "G"]);
    assert!(matches!(&state.overlay, Some(Overlay::Edit(dialog)) if dialog.scroll == 1));
    let written = press(&mut state, &["w"]);
    assert_eq!(written, [Effect::WriteEdit { path: "shop-web.patch".to_owned(), patch: edit.patch.clone() }]);
    let (job, ..) = ask(&mut state);
    press(&mut state, &["esc"]);
    update(&mut state, Msg::PolicyEdited(job, Ok(edit)));
    assert_eq!(state.context(), Context::View(View::Policies), "who has gone on is left alone");
}
