//! The golden paths, as keys and effects; `tests/paths.rs` walks them on a real terminal.

use super::world::{press, review_of, tick};
use super::*;
use crate::app::effect::{JobId, PlanWish, Reach};
use crate::app::message::Prepared;
use crate::domain::branch::{Guard, Guarded};
use crate::domain::landing::{Landed, LandingStep};
use crate::domain::plan::{Group, Plan};

/// The plan of everything that `effects` asks to prepare.
pub(super) fn plan_of(effects: &[Effect]) -> (JobId, Plan) {
    let Some(Effect::Prepare { job, wish: PlanWish { updates, .. } }) = effects.last() else {
        panic!("nothing to prepare: {effects:?}")
    };
    let group = Group {
        automation: updates[0].automation.clone(),
        remote: Some("file:///srv/fleet.git".to_owned()),
        base: None,
        push: None,
        author: crate::domain::object::Person::default(),
        signing_key: None,
        message: "Update images\n".to_owned(),
        message_edited: false,
        warnings: Vec::new(),
        files: Vec::new(),
        updates: updates.clone(),
    };
    let plan = Plan {
        id: "7f3c9a01b2c4".to_owned(),
        created: world::epoch(),
        created_by: "rita@bastion".to_owned(),
        version: "0".to_owned(),
        problems: Vec::new(),
        bytes_changed_outside_markers: 0,
        groups: vec![group],
    };
    (*job, plan)
}

/// Answers `p`, shows the dialog and waits out its guard time.
pub(super) fn prepare(state: &mut State, effects: &[Effect], protected: &[&str]) {
    let (job, plan) = plan_of(effects);
    let guarded = |name: &&str| Guarded { branch: (*name).to_owned(), why: Guard::Configured };
    let protected = protected.iter().map(guarded).collect();
    let prepared = Prepared { plan, protected, moved: Vec::new() };
    update(state, Msg::Prepared(job, Ok(Box::new(prepared))));
    let shown = state.at;
    update(state, Msg::Drawn(shown));
    tick(state, shown.0 + 300);
}

pub(super) fn landed() -> Landed {
    Landed {
        automation: ObjectId::new("shop", "apps"),
        remote: "file:///srv/fleet.git".to_owned(),
        branch: "image-updates".to_owned(),
        also: Vec::new(),
        missed: None,
        created: true,
        base: "4c1f0e2".to_owned(),
        commit: Some("8d2e91b".to_owned()),
        pushed: true,
        verified: true,
        already: false,
        credential: None,
        request: None,
        error: None,
    }
}

#[test]
fn g1_approves_in_the_diff_with_a_message_and_pushes_in_six_keys() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1", "db 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    press(&mut state, &["enter", "space", "c"]);
    assert_eq!(state.view(), View::Message);
    press(&mut state, &["ctrl-u"]);
    update(&mut state, Msg::Paste("Take 1.1".to_owned()));
    press(&mut state, &["esc"]);
    assert_eq!(state.view(), View::Diff);
    let effects = press(&mut state, &["p"]);
    let Some(Effect::Prepare { wish: PlanWish { messages, .. }, .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    assert_eq!(messages.values().collect::<Vec<_>>(), ["Take 1.1\n"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Push { dry_run: false, .. })),
        "{effects:?}"
    );
    assert_eq!(state.view(), View::Push);
}

#[test]
fn g1b_approves_from_the_list_and_pushes_in_three_keys() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    let Some(Effect::Push { job, .. }) = effects.last() else { panic!("{effects:?}") };
    update(&mut state, Msg::Pushing(*job, LandingStep::begun("git push")));
    update(&mut state, Msg::Pushing(*job, LandingStep::begun("git push").ended(12)));
    assert_eq!(state.push.as_ref().map(|push| push.steps.len()), Some(1), "a step that ends is no new step");
    let effects = update(&mut state, Msg::Pushed(*job, Ok(vec![landed()])));
    assert_eq!(state.review.tally().approved, 0, "what landed is no longer to be decided");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { reach: Reach::Remote, .. })));
}

#[test]
fn in_dry_run_the_same_keys_end_in_a_simulation() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &["main"]);
    let effects = press(&mut state, &["y"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Push { dry_run: true, .. })), "{effects:?}");
    let Some(Effect::Push { job, .. }) = effects.last() else { panic!("{effects:?}") };
    update(&mut state, Msg::Pushed(*job, Ok(vec![landed()])));
    assert_eq!(state.review.tally().approved, 1, "nothing was pushed, so the decision stands");
}

#[test]
fn keys_typed_before_the_dialog_was_seen_are_dropped() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    assert_eq!(press(&mut state, &["y"]), [], "the remote is still being asked");
    let (job, plan) = plan_of(&effects);
    update(&mut state, Msg::Prepared(job, Ok(Box::new(Prepared { plan, protected: vec![], moved: vec![] }))));
    assert_eq!(press(&mut state, &["y"]), [], "not drawn yet");
    let shown = state.at;
    update(&mut state, Msg::Drawn(shown));
    tick(&mut state, shown.0 + 299);
    assert_eq!(press(&mut state, &["y"]), [], "drawn a moment ago");
    tick(&mut state, shown.0 + 300);
    assert_eq!(press(&mut state, &["enter"]), [], "Enter does nothing here");
    assert!(press(&mut state, &["y"]).iter().any(|effect| matches!(effect, Effect::Push { .. })));
}

#[test]
fn a_protected_branch_is_typed_to_the_letter() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &["main"]);
    assert_eq!(press(&mut state, &["y"]), []);
    assert_eq!(state.context(), Context::TypeBranch);
    assert_eq!(press(&mut state, &["m", "a", "i", "enter"]), []);
    let effects = press(&mut state, &["n", "enter"]);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Push { dry_run: false, .. })),
        "{effects:?}"
    );
}

#[test]
fn a_refused_push_keeps_the_decisions_and_says_why() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    let effects = press(&mut state, &["space", "p"]);
    prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    let Some(Effect::Push { job, .. }) = effects.last() else { panic!("{effects:?}") };
    let problem =
        Problem::new(Code::GitAuthRequired, "shop/apps", "authentication required").hint("Add a credential.");
    update(&mut state, Msg::Pushed(*job, Err(problem)));
    assert_eq!(state.review.tally().approved, 1);
    assert_eq!(state.errors.len(), 1);
}

#[test]
fn a_login_is_offered_where_one_is_missing_and_not_where_a_certificate_is() {
    for (code, offers) in [(Code::GitAuthRequired, true), (Code::GitCertificateWanted, false)] {
        let mut state = review_of(&["web 1.0 -> 1.1"]);
        state.mode = Mode::Write;
        let effects = press(&mut state, &["space", "p"]);
        prepare(&mut state, &effects, &[]);
        let effects = press(&mut state, &["y"]);
        let Some(Effect::Push { job, .. }) = effects.last() else { panic!("{effects:?}") };
        let problem = Problem::new(code, "shop/apps", "not let in").hint("Name one.");
        update(&mut state, Msg::Pushed(*job, Err(problem)));
        let hint = state.errors.entries()[0].problem.hint.clone().unwrap();
        assert_eq!(hint.contains(":login"), offers, "{code:?}: {hint}");
    }
}

#[test]
fn esc_while_the_remote_is_asked_gives_the_question_up() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space", "p"]);
    let effects = press(&mut state, &["esc"]);
    assert!(matches!(effects.as_slice(), [Effect::StopWork(_)]), "{effects:?}");
    assert!(state.overlay.is_none());
}
