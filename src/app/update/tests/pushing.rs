//! What cannot be pushed is refused with its reason, and what is being pushed is not changed.

use super::golden::{landed, plan_of, prepare};
use super::world::{press, propose, review_of, tick};
use super::*;
use crate::app::input::Message;
use crate::app::message::Prepared;
use crate::app::state::{Editing, NextStep, PushRun, State};
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::plan::{Base, Plan};
use crate::domain::proposal::{Proposal, UpdateState};

fn says(state: &State) -> &str {
    state.status.as_ref().map_or("", |status| status.text.as_str())
}

/// A state with one approved update, and what `p` asks for.
fn asked() -> (State, Vec<Effect>) {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    (state, effects)
}

/// Answers `p` with the plan as `change` leaves it.
fn answer(
    state: &mut State,
    effects: &[Effect],
    moved: &[&str],
    change: impl FnOnce(&mut Plan),
) -> Vec<Effect> {
    let (job, mut plan) = plan_of(effects);
    change(&mut plan);
    let moved = moved.iter().map(|text| (*text).to_owned()).collect();
    update(state, Msg::Prepared(job, Ok(Box::new(Prepared { plan, protected: vec![], moved }))))
}

#[test]
fn a_commit_without_a_message_is_refused_at_p() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    press(&mut state, &["space", "c", "ctrl-e", "ctrl-u", "esc"]);
    let effects = press(&mut state, &["p"]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })), "{effects:?}");
    assert!(state.overlay.is_none());
    assert!(says(&state).contains("a commit needs a message"), "{}", says(&state));
}

/// The updates as they are compared once the policy of the first is suspended.
fn suspended(state: &State) -> Vec<Proposal> {
    let mut updates = state.review.updates().to_vec();
    let why = Problem::new(Code::PolicyFailed, "shop/web", "the policy is suspended");
    updates[0].decide(Decision::Undecided);
    (updates[0].state, updates[0].blocked) = (UpdateState::Blocked, Some(why));
    updates
}

#[test]
fn keys_meant_for_a_question_that_went_by_itself_do_nothing_below() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &["main"]);
    press(&mut state, &["y", "m"]);
    assert!(matches!(state.overlay, Some(Overlay::Branch(_))));
    let updates = suspended(&state);
    propose(&mut state, updates);
    assert!(state.overlay.is_none());
    press(&mut state, &["a"]);
    let shown = state.at;
    update(&mut state, Msg::Drawn(shown));
    tick(&mut state, shown.0 + 299);
    press(&mut state, &["a"]);
    assert_eq!(state.review.approved().count(), 0, "nobody has seen yet that the question is gone");
    tick(&mut state, shown.0 + 300);
    press(&mut state, &["a"]);
    assert_eq!(state.review.approved().count(), 1);
}

#[test]
fn a_plan_that_is_being_prepared_goes_too_when_what_it_brings_is_approved_no_more() {
    let (mut state, effects) = asked();
    let (job, plan) = plan_of(&effects);
    let updates = suspended(&state);
    let done = propose(&mut state, updates);
    assert!(done.contains(&Effect::StopWork(job)), "{done:?}");
    let prepared = Prepared { plan, protected: vec![], moved: vec![] };
    update(&mut state, Msg::Prepared(job, Ok(Box::new(prepared))));
    assert!(state.overlay.is_none(), "its answer comes too late");
}

#[test]
fn frozen_rows_keep_no_plan_from_being_taken_back() {
    // While it is asked.
    let (mut state, effects) = asked();
    state.freeze(true);
    prepare(&mut state, &effects, &[]);
    let updates = suspended(&state);
    propose(&mut state, updates);
    assert!(state.overlay.is_none() && state.held_back.is_none());
    // Before it is asked.
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    press(&mut state, &["space", "f"]);
    let updates = suspended(&state);
    propose(&mut state, updates);
    assert!(state.held_back.is_some());
    let effects = press(&mut state, &["p"]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })), "{effects:?}");
    assert!(state.overlay.is_none() && state.review.approved().next().is_none());
}

#[test]
fn the_question_about_a_plan_goes_when_what_it_brings_is_approved_no_more() {
    for is_gone in [false, true] {
        let (mut state, effects) = asked();
        prepare(&mut state, &effects, &[]);
        assert!(matches!(state.overlay, Some(Overlay::Push(_))));
        let mut updates = suspended(&state);
        updates.retain(|_| !is_gone);
        propose(&mut state, updates);
        assert!(state.overlay.is_none(), "gone: {is_gone}");
        assert!(says(&state).contains("nothing was pushed"), "{}", says(&state));
    }
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    let updates = state.review.updates().to_vec();
    propose(&mut state, updates);
    assert!(matches!(state.overlay, Some(Overlay::Push(_))), "the same is still asked about");
}

#[test]
fn a_plan_without_commits_is_a_sentence_and_no_question() {
    let (mut state, effects) = asked();
    answer(&mut state, &effects, &[], |plan| {
        plan.groups.clear();
        plan.problems.push(Problem::new(Code::TemplateFailed, "shop/apps", "nil pointer evaluating .Foo"));
    });
    assert!(state.overlay.is_none());
    assert!(says(&state).contains("nil pointer evaluating .Foo"), "{}", says(&state));
    assert_eq!(state.errors.len(), 1);
}

#[test]
fn sites_that_changed_upstream_are_told_and_compared_anew() {
    let (mut state, effects) = asked();
    let moved = "apps/web.yaml:12 changed upstream; shop:web is undecided again";
    let effects = answer(&mut state, &effects, &[moved], |plan| plan.groups.clear());
    assert!(state.overlay.is_none());
    assert_eq!(says(&state), moved);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })), "{effects:?}");
}

#[test]
fn where_another_branch_has_other_lines_the_key_that_chooses_one_is_named() {
    let (mut state, effects) = asked();
    state.destination.onto = crate::domain::branch::Onto::Named("old".to_owned());
    answer(&mut state, &effects, &["apps/web.yaml:12 changed upstream"], |plan| plan.groups.clear());
    let says = says(&state);
    assert!(says.ends_with("not as reviewed on that branch: nothing is pushed; b chooses another"), "{says}");
}

#[test]
fn what_was_approved_and_has_no_message_is_in_the_way_of_the_push() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["a", "p"]);
    answer(&mut state, &effects, &[], |plan| {
        plan.groups[0].automation = ObjectId::new("shop", "other");
        let failed = "failed to run template from spec";
        plan.problems.push(Problem::new(Code::TemplateFailed, "shop/apps", failed));
    });
    let shown = state.at;
    update(&mut state, Msg::Drawn(shown));
    tick(&mut state, shown.0 + 300);
    assert_eq!(press(&mut state, &["y"]), []);
    let says = says(&state);
    assert!(
        says.starts_with("shop/apps: failed to run template from spec; 1 approved update of it"),
        "{says}"
    );
}

#[test]
fn what_changed_upstream_is_undecided_marked_and_in_the_way_of_the_push_until_somebody_looked() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["a", "p"]);
    let moved = "apps/web.yaml:12 changed upstream; shop:web is undecided again";
    let effects = answer(&mut state, &effects, &[moved], |plan| {
        plan.groups[0].updates.retain(|update| update.policy.name == "api");
    });
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })), "{effects:?}");
    let shown = state.at;
    update(&mut state, Msg::Drawn(shown));
    tick(&mut state, shown.0 + 300);
    assert_eq!(press(&mut state, &["y"]), []);
    assert!(says(&state).contains("changed upstream is undecided"), "{}", says(&state));
    // The rows follow: the other one is still approved, and can be pushed.
    super::world::answer_proposal(
        &mut state,
        vec![update_named("api 1.0 -> 1.1"), update_named("web 1.0.5 -> 1.1")],
    );
    press(&mut state, &["n"]);
    let approved: Vec<&str> = state.review.approved().map(|update| update.policy.name.as_str()).collect();
    assert_eq!(approved, ["api"]);
    assert_eq!(state.review.touched.len(), 1);
    let effects = press(&mut state, &["p"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    assert!(matches!(effects.last(), Some(Effect::Push { .. })), "{effects:?}");
}

#[test]
fn a_plan_that_stands_on_another_commit_than_was_reviewed_says_so() {
    let base = |commit: &str| {
        let (reference, commit) = ("refs/heads/main".to_owned(), commit.repeat(40));
        Base { reference, commit, fetched: epoch(), stale: false }
    };
    let (mut state, effects) = asked();
    let mut grounds = (*state.review.grounds).clone();
    grounds[0].base = Some(base("4"));
    state.review.grounds = Arc::new(grounds);
    answer(&mut state, &effects, &[], |plan| plan.groups[0].base = Some(base("7")));
    let Some(Overlay::Push(dialog)) = &state.overlay else { panic!("{:?}", state.overlay) };
    let moved = &dialog.prepared.as_ref().unwrap().moved;
    assert_eq!(moved, &["main moved 4444444 → 7777777, plan re-based, diff unchanged"]);
    assert_eq!(says(&state), moved[0]);
    assert_eq!(state.review.approved().count(), 1, "decisions are kept");
}

#[test]
fn what_was_not_reached_is_not_pushed() {
    for stale in [false, true] {
        let (mut state, effects) = asked();
        let (reference, commit) = ("refs/heads/main".to_owned(), "4c1f0e2".to_owned());
        let base = Base { reference, commit, fetched: epoch(), stale };
        answer(&mut state, &effects, &[], |plan| plan.groups[0].base = Some(base));
        let shown = state.at;
        update(&mut state, Msg::Drawn(shown));
        tick(&mut state, shown.0 + 300);
        let effects = press(&mut state, &["y"]);
        let pushes = effects.iter().any(|effect| matches!(effect, Effect::Push { .. }));
        assert_eq!(pushes, !stale, "{effects:?}");
        assert_eq!(says(&state).contains("was not reached"), stale, "{}", says(&state));
    }
}

#[test]
fn without_a_remote_p_says_so() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let mut ground = state.review.grounds[0].clone();
    ground.remote = None;
    state.review.grounds = Arc::new(vec![ground]);
    let effects = press(&mut state, &["space", "p"]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })), "{effects:?}");
    assert!(says(&state).contains("no Git remote"), "{}", says(&state));
}

#[test]
fn a_template_that_fails_makes_no_edit() {
    let mut editing = Editing {
        automation: ObjectId::new("shop", "apps"),
        message: Message::default(),
        rendered: None,
        notes: vec![],
        replaces: false,
    };
    assert!(!editing.is_edited());
    editing.message.insert("mine");
    assert!(editing.is_edited());
}

#[test]
fn the_dialog_of_a_plan_that_can_be_pushed_stays() {
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    assert!(matches!(state.overlay, Some(Overlay::Push(_))));
}

/// A push of `web` under way, beside an update that is not in it.
fn pushing() -> (State, crate::app::effect::JobId) {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["j", "space", "p"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    let Some(Effect::Push { job, .. }) = effects.last() else { panic!("no push: {effects:?}") };
    (state, *job)
}

#[test]
fn what_is_written_down_of_a_push_that_begins_names_its_plan() {
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    let [Effect::Audit { kind: "push", plan, .. }, Effect::Push { .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(plan.as_deref(), Some("7f3c9a01b2c4"));
}

#[test]
fn what_is_being_pushed_cannot_be_changed() {
    let (mut state, job) = pushing();
    press(&mut state, &["1"]);
    for key in ["space", "s", "x", "u"] {
        assert_eq!(press(&mut state, &[key]), [], "{key}");
        assert!(says(&state).contains("under way"), "{key}: {}", says(&state));
    }
    press(&mut state, &["G", "v", "g", "s"]);
    let decisions: Vec<Decision> = state.review.updates().iter().map(Proposal::overall).collect();
    assert_eq!(decisions, [Decision::Skipped, Decision::Approved], "the other one can");
    update(&mut state, Msg::Pushed(job, Ok(vec![])));
    press(&mut state, &["j", "space"]);
    assert_eq!(state.review.tally().approved, 0, "afterwards all can");
}

/// Its commits are on their way.
fn sends(state: &mut State, job: JobId) {
    let begun = LandingStep::begun("git push");
    update(state, Msg::Pushing(job, begun.clone()));
    update(state, Msg::Pushing(job, LandingStep { sends: true, ..begun }));
}

#[test]
fn a_push_that_was_not_sent_yet_is_stopped_after_a_question() {
    for key in ["q", "esc", "ctrl-c"] {
        let (mut state, job) = pushing();
        update(&mut state, Msg::Pushing(job, LandingStep::begun("git fetch")));
        assert_eq!(press(&mut state, &[key]), []);
        assert!(matches!(state.overlay, Some(Overlay::Pushing { stops: true })), "{key}");
        assert_eq!(press(&mut state, &["n", key, "y"]), [Effect::StopWork(job)], "{key}");
        let stopped =
            Problem::new(Code::ConfirmationMissing, "shop/apps", "stopped before anything was sent");
        let result = Landed { error: Some(stopped), pushed: false, ..landed() };
        update(&mut state, Msg::Pushed(job, Ok(vec![result])));
        assert!(state.push.as_ref().is_some_and(PushRun::is_stopped));
        assert!(state.errors.is_empty(), "what was asked for is no problem");
        assert_eq!(state.review.tally().approved, 1, "the decision is kept");
    }
}

#[test]
fn a_push_that_is_being_sent_runs_to_its_end() {
    let (mut state, job) = pushing();
    press(&mut state, &["q"]);
    sends(&mut state, job);
    // The question was asked before: the answer is passed on, and the shell finds that it is too late.
    assert_eq!(press(&mut state, &["y"]), [Effect::StopWork(job)]);
    update(&mut state, Msg::Pushed(job, Ok(vec![landed()])));
    assert!(state.push.as_ref().is_some_and(|push| !push.is_stopped()));
    let (mut state, job) = pushing();
    sends(&mut state, job);
    press(&mut state, &["ctrl-c"]);
    assert!(matches!(state.overlay, Some(Overlay::Pushing { stops: false })));
}

#[test]
fn leaving_a_push_under_way_asks_and_p_comes_back_to_it() {
    for key in ["q", "esc"] {
        let (mut state, job) = pushing();
        sends(&mut state, job);
        assert_eq!(press(&mut state, &[key]), []);
        assert!(matches!(state.overlay, Some(Overlay::Pushing { stops: false })), "{key}");
        press(&mut state, &["n"]);
        assert_eq!(state.view(), View::Push, "waiting is the default");
        press(&mut state, &[key, "y"]);
        assert_eq!(state.view(), View::Updates);
        assert_eq!(press(&mut state, &["p"]), []);
        assert_eq!(state.view(), View::Push);
        press(&mut state, &[key]);
        update(&mut state, Msg::Pushed(job, Ok(vec![])));
        assert!(state.overlay.is_none(), "there is nothing to wait for any more");
    }
}

#[test]
fn the_dialog_scrolls_and_keeps_its_question() {
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    press(&mut state, &["k", "j", "j", "k"]);
    let Some(Overlay::Push(dialog)) = &state.overlay else { panic!("no dialog") };
    assert_eq!(dialog.top, 1);
}

#[test]
fn each_commit_of_a_push_can_be_copied_and_has_its_subject() {
    let (mut state, job) = pushing();
    assert_eq!(state.push.as_ref().unwrap().subjects[0].1, "Update images");
    let second = Landed { commit: Some("b7f2712".to_owned()), ..landed() };
    update(&mut state, Msg::Pushed(job, Ok(vec![landed(), second])));
    let next = state.push.as_ref().unwrap().next.rows();
    let copies = ["8d2e91b", "b7f2712"].map(|commit| NextStep::CopyCommit(commit.to_owned()));
    assert_eq!(next[..2], copies);
}

#[test]
fn a_request_is_opened_only_where_it_was_wished_for() {
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    press(&mut state, &["esc", ":"]);
    for key in ["r", "e", "q", "u", "e", "s", "t"] {
        press(&mut state, &[key]);
    }
    press(&mut state, &["enter"]);
    assert!(says(&state).contains("request is opened"), "{}", says(&state));
    let effects = press(&mut state, &["p"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    assert!(matches!(effects.last(), Some(Effect::Push { requests: true, .. })), "{effects:?}");
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    assert!(matches!(effects.last(), Some(Effect::Push { requests: false, .. })), "{effects:?}");
}

#[test]
fn a_request_that_failed_hides_no_push_and_is_tried_again_after_a_question() {
    let (mut state, job) = pushing();
    let problem = Problem::new(Code::ForgeDenied, "shop/apps", "the pull request was not opened: 401");
    update(&mut state, Msg::Pushed(job, Ok(vec![Landed { error: Some(problem), ..landed() }])));
    assert!(
        state.review.updates().iter().all(|update| update.decision == Decision::Undecided),
        "it did land"
    );
    let next = state.push.as_ref().unwrap().next.rows();
    assert!(next.contains(&NextStep::RequestAgain) && !next.contains(&NextStep::Again), "{next:?}");
    let down = next.iter().position(|step| *step == NextStep::RequestAgain).unwrap();
    press(&mut state, &vec!["j"; down]);
    let effects = press(&mut state, &["enter"]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Push { .. })), "Enter pushes nothing");
    let Some(Overlay::Push(dialog)) = &state.overlay else { panic!("no question") };
    assert!(dialog.prepared.is_some());
}

#[test]
fn a_remote_that_moves_before_the_push_is_said_and_the_question_comes_again() {
    let (mut state, job) = pushing();
    let moved = "main moved from 4c1f0e2 to 77ab013: nothing was pushed";
    let failed = |code| {
        let error = Some(Problem::new(code, "shop/apps", "main moved from 4c1f0e2 to 77ab013"));
        Landed { error, pushed: false, verified: false, ..landed() }
    };
    let effects = update(&mut state, Msg::Pushed(job, Ok(vec![failed(Code::BranchMoved)])));
    assert_eq!(state.review.approved().count(), 1, "decisions are kept");
    answer(&mut state, &effects, &[], |_| {});
    let Some(Overlay::Push(dialog)) = &state.overlay else { panic!("no question: {effects:?}") };
    assert_eq!(dialog.prepared.as_ref().unwrap().moved, [moved]);
    assert_eq!(dialog.touched, None);
    assert!(says(&state).contains("main moved from 4c1f0e2 to 77ab013"), "{}", says(&state));
    // Something else is no reason to ask again unasked, and who is elsewhere by then is not disturbed.
    let others = [Code::GitRejected, Code::GitContested, Code::StalePlan].map(|code| (code, None));
    for (code, view) in others.into_iter().chain([(Code::GitRace, Some("4"))]) {
        let (mut state, job) = pushing();
        press(&mut state, view.as_slice());
        let effects = update(&mut state, Msg::Pushed(job, Ok(vec![failed(code)])));
        let asks = effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. }));
        assert!(!asks && state.overlay.is_none(), "{code:?}: {effects:?}");
    }
}

#[test]
fn what_the_chosen_branch_has_already_is_one_sentence_that_names_its_open_request() {
    let (mut state, job) = pushing();
    let request = crate::domain::request::Request::open(Some(418), "https://git.example.com/pulls/418");
    update(&mut state, Msg::Pushed(job, Ok(vec![Landed { request: Some(request), ..landed() }])));
    state.destination.onto = crate::domain::branch::Onto::Named("image-updates".to_owned());
    press(&mut state, &["1", "g"]);
    let effects = press(&mut state, &["a", "p"]);
    answer(&mut state, &effects, &[], |plan| {
        plan.groups.clear();
        let message = "image-updates has 2 updates already: shop/api 1.1, shop/web 1.1";
        plan.problems.push(Problem::new(Code::Skipped, "image-updates", message));
    });
    let said = "image-updates has 2 updates already: shop/api 1.1, shop/web 1.1, request #418 is open";
    assert_eq!((says(&state), state.errors.len()), (said, 1));
}

#[test]
fn the_link_of_a_request_can_be_copied_first() {
    let (mut state, job) = pushing();
    let request =
        crate::domain::request::Request::open(Some(418), "https://git.example.com/ops/fleet/pulls/418");
    update(&mut state, Msg::Pushed(job, Ok(vec![Landed { request: Some(request), ..landed() }])));
    let effects = press(&mut state, &["enter"]);
    assert_eq!(effects, [Effect::Copy("https://git.example.com/ops/fleet/pulls/418".to_owned())]);
}

#[test]
fn an_automation_whose_template_fails_on_what_is_pending_is_said_to_fail() {
    let standing = |template: &str| {
        let mut state = review_of(&["web 1.0 -> 1.1"]);
        let mut ground = state.review.grounds[0].clone();
        template.clone_into(&mut ground.template);
        state.review.grounds = Arc::new(vec![ground]);
        super::super::message::mark_failing(&mut state.review);
        let standing = state.review.survey.automations.into_values().next();
        standing.map(|standing| (standing.word, standing.message.unwrap_or_default()))
    };
    assert_eq!(standing("{{ range .Changed.Changes }}{{ .NewValue }}{{ end }}"), None);
    let (word, message) = standing("{{ .Foo.Bar }}").unwrap();
    assert_eq!(word, "fails");
    assert!(message.contains("Foo"), "{message}");
}

#[test]
fn a_push_that_was_refused_for_want_of_a_forge_offers_to_go_without_a_request_or_elsewhere() {
    let (mut state, job) = pushing();
    state.requests = true;
    let problem = Problem::new(Code::Config, "https://git.example.com/fleet", "nobody knows a forge there");
    update(&mut state, Msg::Pushed(job, Err(problem)));
    let next = state.push.as_ref().unwrap().next.rows().to_vec();
    assert!(next.contains(&NextStep::Target) && next.contains(&NextStep::Again), "{next:?}");
    let down = next.iter().position(|step| *step == NextStep::WithoutRequest).unwrap();
    press(&mut state, &["g"]);
    press(&mut state, &vec!["j"; down]);
    let effects = press(&mut state, &["enter"]);
    assert!(matches!(effects.as_slice(), [Effect::Prepare { .. }]) && !state.requests, "{effects:?}");
}

#[test]
fn what_the_editor_leaves_is_the_message_and_is_kept() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space", "c"]);
    let effects = press(&mut state, &["ctrl-e"]);
    assert_eq!(effects, [Effect::Write("Update images\n".to_owned())]);
    let text = "Written\u{1b}[31m elsewhere\n\nBody\r\n\n".to_owned();
    let effects = update(&mut state, Msg::MessageWritten(Ok(text)));
    let kept = "Written[31m elsewhere\n\nBody\n".to_owned();
    assert_eq!(state.editing.as_ref().map(|editing| editing.message.text()), Some(kept.clone()));
    assert!(
        matches!(effects.as_slice(), [Effect::SaveDraft(_, Some(draft))] if *draft == kept),
        "{effects:?}"
    );
    update(&mut state, Msg::MessageWritten(Err("vi failed".to_owned())));
    assert_eq!(state.editing.as_ref().map(|editing| editing.message.text()), Some(kept));
}

#[test]
fn enter_in_the_help_over_a_question_answers_nothing() {
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    let mut row = 0;
    while state.context() == Context::ConfirmPush {
        press(&mut state, &["?"]);
        if row >= help::rows(&state).len() {
            break;
        }
        (0..row).for_each(|_| drop(press(&mut state, &["down"])));
        let effects = press(&mut state, &["enter"]);
        assert!(
            !effects.iter().any(|effect| matches!(effect, Effect::Push { .. })),
            "row {row}: {effects:?}"
        );
        row += 1;
    }
    assert!(row > 0);
    let (mut state, effects) = asked();
    prepare(&mut state, &effects, &[]);
    press(&mut state, &["?", "enter"]);
    assert!(says(&state).contains("Enter answers no question"), "{}", says(&state));
}

#[test]
fn what_is_compared_anew_can_still_be_taken_back_where_its_sites_are_the_same() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["space", "j", "space"]);
    super::world::propose(
        &mut state,
        vec![update_named("api 1.0 -> 1.2"), update_named("db 1 -> 2"), update_named("web 1.0 -> 1.1")],
    );
    press(&mut state, &["2", "u"]);
    let decision = |state: &State, name: &str| {
        let of = |update: &&Proposal| update.policy.name == name;
        state.review.updates().iter().find(of).map(Proposal::overall)
    };
    assert_eq!(decision(&state, "web"), Some(Decision::Undecided), "from any view");
    assert_eq!(decision(&state, "db"), Some(Decision::Undecided));
    press(&mut state, &["U"]);
    assert_eq!(decision(&state, "web"), Some(Decision::Approved));
}
