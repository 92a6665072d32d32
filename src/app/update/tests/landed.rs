//! What is done with what was pushed: merging it, and taking it back.

use super::golden::{landed, plan_of};
use super::world::{press, review_of, update_named};
use super::*;
use crate::app::effect::PlanWish;
use crate::app::message::{MergeAhead, Prepared, Reverted};
use crate::app::review::Newer;
use crate::app::state::{NextStep, State, Task};
use crate::domain::event::{self, Event};
use crate::domain::landing::{Brought, Merged};
use crate::domain::plan::{Base, Plan, PushTarget};

fn says(state: &State) -> &str {
    state.status.as_ref().map_or("", |status| status.text.as_str())
}

fn base() -> Base {
    let (reference, commit) = ("refs/heads/main".to_owned(), "4".repeat(40));
    Base { reference, commit, fetched: epoch(), stale: false }
}

fn push_target(commit: Option<&str>) -> PushTarget {
    PushTarget {
        branch: "image-updates".to_owned(),
        commit: commit.map(str::to_owned),
        behind: None,
        refspec: None,
        options: BTreeMap::new(),
        elsewhere: false,
    }
}

fn seen(state: &mut State) {
    let shown = state.at;
    update(state, Msg::Drawn(shown));
    tick(state, shown.0 + 300);
}

/// A push of `web` to a branch of its own that has landed, and what can be done now.
fn pushed() -> State {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    let (job, mut plan) = plan_of(&effects);
    (plan.groups[0].base, plan.groups[0].push) = (Some(base()), Some(push_target(None)));
    let prepared = Prepared { plan, protected: vec![], moved: vec![] };
    update(&mut state, Msg::Prepared(job, Ok(Box::new(prepared))));
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    let Some(Effect::Push { job, .. }) = effects.last() else { panic!("{effects:?}") };
    update(&mut state, Msg::Pushed(*job, Ok(vec![landed()])));
    state
}

/// The cursor on the row of the result that `is_it`, and `Enter`.
fn choose(state: &mut State, is_it: impl Fn(&NextStep) -> bool) -> Vec<Effect> {
    let rows = state.push.as_ref().unwrap().next.rows();
    let at = rows.iter().position(is_it).unwrap_or_else(|| panic!("{rows:?}"));
    press(state, &["g"]);
    press(state, &vec!["j"; at]);
    press(state, &["enter"])
}

fn asks_to_merge(state: &mut State) -> JobId {
    let effects = choose(state, |step| matches!(step, NextStep::Merge(_)));
    let [Effect::LookAtMerge { job, merge, always_commit: false }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((merge.from.as_str(), merge.into.as_str()), ("image-updates", "main"));
    *job
}

fn ahead(fast_forward: bool, protected: bool) -> MergeAhead {
    let merged = Merged {
        automation: None,
        remote: "file:///srv/fleet.git".to_owned(),
        branch: "main".to_owned(),
        created: false,
        base: "4c1f0e2".to_owned(),
        tip: "8d2e91b".to_owned(),
        commit: Some("8d2e91b".to_owned()),
        pushed: false,
        verified: true,
        already: false,
        fast_forward,
        brings: Some(vec![Brought {
            author: crate::domain::object::Person {
                name: "Ann".to_owned(),
                email: "ann@example.com".to_owned(),
            },
            subject: "Update podinfo to 6.6.1".to_owned(),
        }]),
        credential: None,
        request: None,
        error: None,
    };
    let protected = protected.then_some(crate::domain::branch::Guard::Read);
    MergeAhead { merged, protected, frozen: None }
}

fn answer(state: &mut State, job: JobId, ahead: MergeAhead) {
    update(state, Msg::MergeAhead(job, Ok(Box::new(ahead))));
}

#[test]
fn what_was_pushed_is_merged_once_the_remote_was_asked_and_the_protected_name_typed() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    assert_eq!(press(&mut state, &["y"]), [], "nobody knows yet what it would do");
    answer(&mut state, job, ahead(true, true));
    assert_eq!(press(&mut state, &["y"]), [], "nobody can have seen it yet");
    seen(&mut state);
    assert_eq!(press(&mut state, &["enter"]), [], "Enter does nothing");
    press(&mut state, &["y"]);
    assert_eq!(state.context(), Context::TypeBranch);
    assert_eq!(press(&mut state, &["m", "a", "enter"]), [], "main has more letters");
    assert_eq!(says(&state), "type main to merge into it");
    let effects = press(&mut state, &["i", "n", "enter"]);
    let [Effect::Merge { job, seen, always_commit: false, dry_run: false, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(*seen, ("8d2e91b".to_owned(), "4c1f0e2".to_owned()));
    let merged = ahead(true, true).merged.landed(ObjectId::new("shop", "apps"));
    update(&mut state, Msg::Pushed(*job, Ok(vec![merged])));
    // The look at the remote after the push is still under way.
    assert!(state.jobs.propose_again && state.jobs.fetch_again, "the remote is asked what it has now");
}

#[test]
fn a_merge_commit_is_asked_for_where_moving_the_branch_would_do() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    answer(&mut state, job, ahead(true, false));
    seen(&mut state);
    let effects = press(&mut state, &["m"]);
    let [Effect::LookAtMerge { job, always_commit: true, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    answer(&mut state, *job, ahead(false, false));
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    assert!(matches!(effects.as_slice(), [Effect::Merge { always_commit: true, .. }]), "{effects:?}");
}

#[test]
fn several_commits_that_a_merge_moved_over_are_taken_back_together() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    let mut ahead = ahead(true, false);
    ahead.merged.brings = ahead.merged.brings.map(|brings| [brings.clone(), brings].concat());
    let mut merged = ahead.merged.clone().landed(ObjectId::new("shop", "apps"));
    merged.pushed = true;
    answer(&mut state, job, ahead);
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    let [Effect::Merge { job, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    update(&mut state, Msg::Pushed(*job, Ok(vec![merged])));
    let effects = choose(&mut state, |step| matches!(step, NextStep::Revert { .. }));
    let [.., Effect::Revert { commit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(commit, "4c1f0e2..8d2e91b");
}

#[test]
fn what_conflicts_is_said_and_is_not_merged() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    let problem = Problem::new(Code::MergeConflict, "main", "both changed apps/web.yaml");
    update(&mut state, Msg::MergeAhead(job, Err(problem)));
    seen(&mut state);
    assert_eq!(press(&mut state, &["y"]), []);
    assert!(says(&state).contains("apps/web.yaml"), "{}", says(&state));
    assert_eq!(state.errors.len(), 1);
    press(&mut state, &["n"]);
    assert!(state.overlay.is_none());
}

#[test]
fn a_merge_that_fails_can_be_asked_for_again() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    answer(&mut state, job, ahead(true, false));
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    let [Effect::Merge { job, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let moved = Problem::new(Code::StalePlan, "merge", "main moved from 4c1f0e2 to 77ab013");
    update(&mut state, Msg::Pushed(*job, Err(moved)));
    assert!(matches!(state.push.as_ref().unwrap().task, Task::Merge(_)));
    asks_to_merge(&mut state);
}

#[test]
fn a_merge_is_simulated_in_dry_run_and_not_begun_in_read_only() {
    let mut state = pushed();
    state.mode = Mode::DryRun;
    let job = asks_to_merge(&mut state);
    answer(&mut state, job, ahead(true, true));
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    assert!(matches!(effects.as_slice(), [Effect::Merge { dry_run: true, .. }]), "{effects:?}");
    let mut state = pushed();
    state.mode = Mode::ReadOnly;
    assert_eq!(choose(&mut state, |step| matches!(step, NextStep::Merge(_))), []);
    assert!(says(&state).contains("READ-ONLY") && state.overlay.is_none(), "{}", says(&state));
    state.status = None;
    assert_eq!(choose(&mut state, |step| matches!(step, NextStep::Revert { .. })), []);
    assert!(says(&state).contains("READ-ONLY"), "{}", says(&state));
}

#[test]
fn an_automation_is_merged_by_name_where_its_branch_is_on_the_remote() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let on = |state: &mut State, commit: Option<&str>| {
        let mut ground = state.review.grounds[0].clone();
        (ground.base, ground.push) = (Some(base()), Some(push_target(commit)));
        state.review.grounds = Arc::new(vec![ground]);
    };
    press(&mut state, &["space", "5"]);
    on(&mut state, None);
    assert_eq!(state.mergeable().unwrap_err(), "the remote has no branch image-updates yet");
    on(&mut state, Some("8d2e91b"));
    press(&mut state, &[":", "m", "e", "r", "g", "e"]);
    let effects = press(&mut state, &["enter"]);
    assert!(matches!(effects.as_slice(), [Effect::LookAtMerge { .. }]), "{effects:?}");
}

/// The plan that sets `web` back, made from the question in `effects`.
fn revert_plan(state: &mut State, effects: &[Effect]) -> (JobId, Plan) {
    let [.., Effect::Revert { job, .. }] = effects else { panic!("{effects:?}") };
    let job = *job;
    let mut back = update_named("web 1.1 -> 1.0");
    back.decide(Decision::Approved);
    back.downgrade = true;
    let mut other = review_of(&["web 1.0 -> 1.1"]);
    let (_, mut plan) = plan_of(&press(&mut other, &["space", "p"]));
    "Revert \"Update web\"\n".clone_into(&mut plan.groups[0].message);
    plan.groups[0].updates = vec![back];
    assert!(state.jobs.revert == Some(job));
    (job, plan)
}

/// Grounds on which `web` holds 1.1.
fn on_the_new(state: &mut State) {
    let mut ground = state.review.grounds[0].clone();
    let text = "image: registry.example.com/shop/web:1.1 # {\"$imagepolicy\": \"shop:web\"}\n";
    let mut file = crate::domain::plan::MarkedFile::read("apps/web.yaml", text.to_owned()).unwrap();
    (file.sites[0].field, file.sites[0].object) = (
        ".spec.template.spec.containers[0].image".to_owned(),
        update_named("web 1 -> 2").sites[0].object.clone(),
    );
    ground.files = Arc::new(vec![file]);
    state.review.grounds = Arc::new(vec![ground]);
}

#[test]
fn what_was_pushed_is_taken_back_by_a_plan_that_is_reviewed_like_any_other() {
    let mut state = pushed();
    let effects = choose(&mut state, |step| matches!(step, NextStep::Revert { .. }));
    let (job, plan) = revert_plan(&mut state, &effects);
    update(&mut state, Msg::Reverted(job, Ok(Box::new(Reverted { plan, left: vec![] }))));
    assert_eq!(state.view(), View::Plan);
    assert_eq!(state.plan.len(), 1);
    let effects = press(&mut state, &["p"]);
    let Some(Effect::Prepare { wish: PlanWish { updates, messages, wanted, .. }, .. }) = effects.last()
    else {
        panic!("{effects:?}")
    };
    assert_eq!(messages.values().collect::<Vec<_>>(), ["Revert \"Update web\"\n"]);
    assert_eq!(wanted.len(), 1);
    let back = updates.iter().find(|update| update.policy.name == "web").unwrap();
    assert!(back.sites[0].new.ends_with(":1.0") && back.decision == Decision::Approved);
}

#[test]
fn what_sets_back_stays_while_policies_select_something_else() {
    let mut state = pushed();
    let effects = choose(&mut state, |step| matches!(step, NextStep::Revert { .. }));
    let (job, plan) = revert_plan(&mut state, &effects);
    update(&mut state, Msg::Reverted(job, Ok(Box::new(Reverted { plan, left: vec![] }))));
    on_the_new(&mut state);
    assert_eq!(state.review.stand(), [""; 0]);
    state.review.replace(vec![update_named("web 1.1 -> 1.2")], &Newer::None);
    assert!(state.review.updates()[0].sites[0].new.ends_with(":1.0"), "it is what a person wants");
    // Undecided, and newer tags asked for: the policy has the word again.
    press(&mut state, &["1", "x"]);
    state.review.replace(vec![update_named("web 1.1 -> 1.2")], &Newer::All);
    assert!(state.review.updates()[0].sites[0].new.ends_with(":1.2"));
    assert!(state.review.wanted().is_empty());
}

#[test]
fn what_sets_back_on_one_branch_is_not_measured_by_what_stands_on_another() {
    let push = |branch: &str| Some(PushTarget { branch: branch.to_owned(), ..push_target(None) });
    let mut state = pushed();
    let effects = choose(&mut state, |step| matches!(step, NextStep::Revert { .. }));
    let (job, mut plan) = revert_plan(&mut state, &effects);
    plan.groups[0].push = push("main");
    let mut ground = state.review.grounds[0].clone();
    (ground.push, ground.files) = (push("image-updates"), Arc::default());
    state.review.grounds = Arc::new(vec![ground.clone()]);
    update(&mut state, Msg::Reverted(job, Ok(Box::new(Reverted { plan, left: vec![] }))));
    assert_eq!(state.review.stand(), [""; 0]);
    assert_eq!(state.review.approved().count(), 1, "it is what a person wants of main");
    ground.push = push("main");
    state.review.grounds = Arc::new(vec![ground]);
    assert_eq!(state.review.stand(), ["shop/web: 1 site changed upstream"]);
}

#[test]
fn what_was_approved_before_is_in_no_plan_that_sets_back() {
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    let effects = press(&mut state, &[":"]);
    assert_eq!(effects, []);
    for letter in "revert 8d2e91b".chars() {
        update(&mut state, Msg::Key(crate::app::keymap::Key::char(letter)));
    }
    let effects = press(&mut state, &["enter"]);
    let [Effect::Revert { remote: None, commit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(commit, "8d2e91b");
    let (job, plan) = revert_plan(&mut state, &effects);
    let left = vec![Problem::new(Code::Skipped, "apps/db.yaml:3", "shop:db is not set back")];
    let effects = update(&mut state, Msg::Reverted(job, Ok(Box::new(Reverted { plan, left }))));
    assert!(matches!(effects.as_slice(), [Effect::SaveDecisions(decided)] if decided.len() == 1));
    let approved: Vec<&str> = state.review.approved().map(|update| update.policy.name.as_str()).collect();
    assert_eq!(approved, ["web"]);
    assert!(says(&state).contains("shop:db is not set back"), "{}", says(&state));
    assert_eq!(state.errors.len(), 1);
}

#[test]
fn the_log_takes_back_what_it_says_was_pushed_and_nothing_else() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["6"]);
    let [Effect::FollowLog(job)] = effects.as_slice() else { panic!("{effects:?}") };
    let event = |event: &str, detail: String| Event {
        time: epoch(),
        event: event.to_owned(),
        subject: "shop/apps".to_owned(),
        detail,
        result: "ok".to_owned(),
        mode: "write".to_owned(),
        plan: None,
        user: "rita".to_owned(),
        host: "bastion".to_owned(),
    };
    let events = vec![
        event("decide", "approved".to_owned()),
        event("push", event::pushed("8d2e91b", "image-updates", "file:///srv/fleet.git")),
    ];
    update(&mut state, Msg::LogWritten { job: *job, folder: None, events });
    let revert = |state: &mut State| {
        press(state, &[":", "r", "e", "v", "e", "r", "t"]);
        press(state, &["enter"])
    };
    let effects = revert(&mut state);
    let [Effect::Revert { remote: Some(remote), commit, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((remote.as_str(), commit.as_str()), ("file:///srv/fleet.git", "8d2e91b"));
    press(&mut state, &["j"]);
    assert_eq!(revert(&mut state), []);
    assert!(says(&state).contains("no commit that was pushed"), "{}", says(&state));
}

#[test]
fn what_was_typed_before_the_log_was_read_is_done_once_it_is() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["6"]);
    let [Effect::FollowLog(job)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(press(&mut state, &["j", "v"]), [], "there are no rows yet");
    let event = |detail: String| Event {
        time: epoch(),
        event: "push".to_owned(),
        subject: "shop/apps".to_owned(),
        detail,
        result: "ok".to_owned(),
        mode: "write".to_owned(),
        plan: None,
        user: "rita".to_owned(),
        host: "bastion".to_owned(),
    };
    let remote = "file:///srv/fleet.git";
    let merged = event(event::merged("b7f2712", "image-updates", "main", remote));
    let events = vec![merged, event(event::pushed("8d2e91b", "main", remote))];
    let effects = update(&mut state, Msg::LogWritten { job: *job, folder: None, events });
    let [Effect::Revert { commit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(commit, "b7f2712", "the second row, a merge");
    press(&mut state, &["1", "6", "1"]);
    assert_eq!(state.view(), View::Updates, "a way out waits for nothing");
}

#[test]
fn over_the_list_details_take_the_palette_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    press(&mut state, &["i"]);
    assert_eq!(state.context(), Context::Overlay);
    press(&mut state, &[":"]);
    assert_eq!(state.context(), Context::Palette);
}

#[test]
fn what_was_merged_can_be_taken_back_from_its_result() {
    let mut state = pushed();
    let job = asks_to_merge(&mut state);
    answer(&mut state, job, ahead(true, false));
    seen(&mut state);
    let effects = press(&mut state, &["y"]);
    let [Effect::Merge { job, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let merged = Merged { pushed: true, ..ahead(true, false).merged };
    update(&mut state, Msg::Pushed(*job, Ok(vec![merged.landed(ObjectId::new("shop", "apps"))])));
    let effects = choose(&mut state, |step| matches!(step, NextStep::Revert { .. }));
    assert!(matches!(effects.as_slice(), [Effect::Revert { .. }]), "{effects:?}");
}

#[test]
fn with_nothing_approved_p_is_called_what_it_shows() {
    let mut state = pushed();
    press(&mut state, &["q"]);
    let called = |state: &State| {
        let hints = crate::app::action::hints(state, 200);
        hints.iter().find(|hint| hint.key == "p").map(|hint| hint.label)
    };
    assert_eq!((state.view(), called(&state)), (View::Updates, Some("result")));
    let row = crate::app::action::by_id("push.open").unwrap();
    assert!(crate::app::action::doc(&state, row).starts_with("Show what the last push did"));
    press(&mut state, &["p"]);
    assert_eq!(state.view(), View::Push);
    press(&mut state, &["q", "space"]);
    assert_eq!(called(&state), Some("push"));
    assert_eq!(crate::app::action::doc(&state, row), row.doc);
}
