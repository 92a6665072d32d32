//! `b`: where the commits go, from a view and from the question whether to push.

use super::golden::{plan_of, prepare};
use super::world::{press, review_of};
use super::*;
use crate::app::state::State;
use crate::domain::branch::{Destination, Onto};
use crate::domain::plan::{Base, PushTarget};

fn push_to(branch: &str) -> PushTarget {
    PushTarget {
        branch: branch.to_owned(),
        commit: None,
        behind: None,
        refspec: None,
        options: BTreeMap::new(),
        elsewhere: false,
    }
}

/// Two updates, an automation that reads `main` and pushes to `image-updates`, in WRITE.
fn ready_to_push() -> State {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    state.protected_branches = vec!["release/*".to_owned()];
    let mut ground = state.review.grounds[0].clone();
    let (reference, commit) = ("refs/heads/main".to_owned(), "4".repeat(40));
    ground.base = Some(Base { reference, commit, fetched: epoch(), stale: false });
    ground.push = Some(push_to("image-updates"));
    state.review.grounds = Arc::new(vec![ground]);
    state
}

fn destination(effects: &[Effect]) -> &Destination {
    match effects.last() {
        Some(Effect::Prepare { wish, .. }) => &wish.destination,
        other => panic!("{other:?}"),
    }
}

fn review() -> Onto {
    Onto::Named(Onto::REVIEW.to_owned())
}

#[test]
fn g2_all_but_one_go_to_a_review_branch_with_a_request_in_seven_keys() {
    let mut state = ready_to_push();
    let effects = press(&mut state, &["a", "j", "s", "b", "2", "p"]);
    assert_eq!(destination(&effects), &Destination { onto: review(), split: false });
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    let Some(Effect::Push { plan, dry_run: false, requests: true, .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    assert_eq!(plan.approved_counts().updates, 1);
}

#[test]
fn from_the_question_another_branch_is_chosen_and_the_plan_is_made_again_for_it() {
    let mut state = ready_to_push();
    let effects = press(&mut state, &["space", "p"]);
    assert_eq!(destination(&effects), &Destination::default());
    prepare(&mut state, &effects, &[]);
    press(&mut state, &["b", "3"]);
    assert_eq!(state.context(), Context::TypeTarget);
    press(&mut state, &["a", ".", "."]);
    assert_eq!(press(&mut state, &["enter"]), [], "Git takes no such branch");
    press(&mut state, &["backspace", "backspace"]);
    let effects = press(&mut state, &["/", "x", "enter"]);
    assert_eq!(destination(&effects).onto, Onto::Named("a/x".to_owned()));
    assert_eq!(state.context(), Context::ConfirmPush);
    let (job, plan) = plan_of(&effects);
    let prepared = crate::app::message::Prepared { plan, protected: vec![], moved: vec![] };
    update(&mut state, Msg::Prepared(job, Ok(Box::new(prepared))));
    let Some(Overlay::Push(dialog)) = &state.overlay else { panic!("{:?}", state.overlay) };
    assert!(dialog.prepared.as_ref().unwrap().moved.is_empty(), "another branch is no branch that moved");
}

#[test]
fn escape_leads_from_the_name_over_the_menu_back_to_the_question() {
    let mut state = ready_to_push();
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &[]);
    press(&mut state, &["b", "3", "esc"]);
    assert_eq!(state.context(), Context::Target);
    assert_eq!(press(&mut state, &["esc"]), [], "nothing changed: the plan is the same");
    assert_eq!(state.context(), Context::ConfirmPush);
    assert_eq!(press(&mut state, &["y"]), [], "it has to be seen again first");
    let shown = state.at;
    update(&mut state, Msg::Drawn(shown));
    tick(&mut state, shown.0 + 300);
    let effects = press(&mut state, &["b", "s", "esc"]);
    assert!(destination(&effects).split, "with other commits it is another plan");
}

#[test]
fn a_plan_that_is_being_made_is_not_waited_for() {
    let mut state = ready_to_push();
    press(&mut state, &["space", "p"]);
    let effects = press(&mut state, &["b"]);
    assert!(matches!(effects.as_slice(), [Effect::StopWork(_), Effect::FindForges(_)]), "{effects:?}");
    let effects = press(&mut state, &["esc"]);
    assert_eq!(destination(&effects), &Destination::default(), "the question comes back, asked anew");
}

#[test]
fn what_is_read_takes_commits_and_no_request() {
    let mut state = ready_to_push();
    press(&mut state, &["b", "2", "b", "5"]);
    assert_eq!((&state.destination.onto, state.requests), (&Onto::Checkout, false));
    press(&mut state, &["b", "r"]);
    assert!(!state.requests, "a request needs two branches");
    press(&mut state, &["1", "b", "r"]);
    assert!(state.requests);
}

#[test]
fn the_menu_says_which_branches_are_protected() {
    let mut state = ready_to_push();
    let means = |state: &State| {
        let rows = state.target_rows().into_iter();
        rows.map(|row| row.means.starts_with("protected")).collect::<Vec<bool>>()
    };
    assert_eq!(means(&state), [false, false, false, false, true], "main is what is read");
    state.destination.onto = Onto::Named("release/1.2".to_owned());
    assert_eq!(means(&state), [false, false, true, false, true]);
    let mut ground = state.review.grounds[0].clone();
    let frozen = crate::domain::plan::Warning::new(crate::domain::freeze::FREEZE, "until Monday");
    ground.warnings.push(frozen);
    state.review.grounds = Arc::new(vec![ground]);
    assert_eq!(means(&state), [true, false, true, false, true]);
    assert!(state.target_rows()[1].means.ends_with("its name is typed"));
}

#[test]
fn a_plan_that_was_made_for_another_branch_still_goes_there() {
    let mut state = ready_to_push();
    let effects = press(&mut state, &["space", "p"]);
    let (_, mut plan) = plan_of(&effects);
    plan.groups[0].push = Some(push_to("release-7"));
    super::super::target::adopt(&mut state, &plan);
    assert_eq!(state.destination.onto, Onto::Named("release-7".to_owned()));
    state.destination = Destination::default();
    plan.groups[0].push = Some(push_to("image-updates"));
    plan.groups.push(plan.groups[0].clone());
    super::super::target::adopt(&mut state, &plan);
    assert_eq!(
        state.destination,
        Destination { onto: Onto::Push, split: true },
        "two commits on its own branch"
    );
}

#[test]
fn what_is_approved_is_written_as_a_patch_under_a_name_and_nothing_is_sent() {
    let mut state = ready_to_push();
    press(&mut state, &["b"]);
    assert_eq!(press(&mut state, &["4"]), [], "nothing is approved");
    assert_eq!(state.context(), Context::Target);
    press(&mut state, &["esc", "space", "b", "2"]);
    press(&mut state, &["b", "4"]);
    assert_eq!(state.context(), Context::TypeTarget);
    let effects = press(&mut state, &["backspace", "backspace", "enter"]);
    let [Effect::WritePatch { path, wish, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((path.as_str(), &wish.destination), ("supercargo.pat", &Destination::default()));
    assert_eq!(wish.updates.iter().filter(|update| update.approved().next().is_some()).count(), 1);
    assert_eq!(state.destination.onto, review(), "where commits go is as it was");
    let problem = Problem::new(Code::Usage, "supercargo.pat", "the patch cannot be written");
    update(&mut state, Msg::PatchWritten("supercargo.pat".to_owned(), Err(problem)));
    assert_eq!(state.errors.len(), 1);
    press(&mut state, &["j"]);
    update(&mut state, Msg::PatchWritten("supercargo.pat".to_owned(), Ok(2)));
    let says = state.status.as_ref().map(|status| status.text.as_str()).unwrap_or_default();
    assert!(says.contains("2 files: git apply supercargo.pat"), "{says}");
    state.mode = Mode::ReadOnly;
    press(&mut state, &["b", "4", "enter"]);
    assert_ne!(state.context(), Context::TypeTarget, "READ-ONLY writes no file");
}

/// The same, of a remote at which nobody knows a forge; asked by the menu.
fn without_forge() -> State {
    let mut state = ready_to_push();
    let mut ground = state.review.grounds[0].clone();
    ground.remote = Some("https://git.example.com/fleet".to_owned());
    state.review.grounds = Arc::new(vec![ground]);
    let effects = press(&mut state, &["space", "b"]);
    let Some(Effect::FindForges(remotes)) = effects.last() else { panic!("{effects:?}") };
    let found = remotes.iter().map(|remote| (remote.clone(), false)).collect();
    update(&mut state, Msg::ForgesFound(found));
    state
}

#[test]
fn where_nobody_knows_a_forge_a_review_branch_is_pushed_without_a_request_and_that_is_said() {
    let mut state = without_forge();
    assert!(state.target_rows()[1].means.contains("no forge is known"), "{:?}", state.target_rows());
    press(&mut state, &["2"]);
    assert_eq!((&state.destination.onto, state.requests), (&review(), false));
    let says = state.status.as_ref().map(|status| status.text.as_str()).unwrap_or_default();
    assert!(says.contains("nobody knows a forge at https://git.example.com/fleet"), "{says}");
    assert_eq!(press(&mut state, &["b"]), [], "it is asked once");
    press(&mut state, &["r"]);
    assert!(!state.requests);
}

#[test]
fn a_request_that_was_wished_for_before_the_forge_is_known_is_dropped_when_there_is_none() {
    let mut state = ready_to_push();
    press(&mut state, &["space", "b", "2"]);
    assert!(state.requests);
    let remotes: Vec<String> = state.target_remotes().into_iter().cloned().collect();
    update(&mut state, Msg::ForgesFound(remotes.into_iter().map(|remote| (remote, false)).collect()));
    assert!(!state.requests);
}
