//! `H`, and S10.

use super::world::{epoch, press, propose, review_of, tick, update_named};
use super::*;
use crate::app::action;
use crate::app::keymap::Bindings;
use crate::domain::event::Event;
use crate::domain::proposal::Hold;

/// The hold that effects ask to keep.
fn kept(effects: &[Effect]) -> Option<Hold> {
    effects.iter().find_map(|effect| match effect {
        Effect::Hold(hold) => Some((**hold).clone()),
        _ => None,
    })
}

/// Presses `H` and types a reason.
fn reason(state: &mut State, text: &str) {
    press(state, &["H"]);
    update(state, Msg::Paste(text.to_owned()));
}

fn states(state: &State) -> Vec<UpdateState> {
    state.review.updates().iter().map(|update| update.state).collect()
}

#[test]
fn g4_holds_a_tag_and_pushes_the_rest_in_five_keys() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    state.operator = "rita".to_owned();
    state.size = crate::app::layout::Size { width: 80, height: 24 };
    reason(&mut state, "it crashes");
    let effects = press(&mut state, &["enter"]);
    let held = kept(&effects).unwrap();
    assert_eq!(
        (held.by.as_str(), held.reason.as_str(), held.tag.as_deref()),
        ("rita", "it crashes", Some("1.1"))
    );
    assert_eq!(held.until.as_second() - held.since.as_second(), 7 * 24 * 3600);
    assert_eq!(states(&state), [UpdateState::Held, UpdateState::Pending]);
    let effects = press(&mut state, &["a", "p"]);
    let (_, plan) = golden::plan_of(&effects);
    let approved = plan.groups[0].updates.iter().filter(|update| update.is_approved());
    assert_eq!(approved.map(|update| update.policy.name.as_str()).collect::<Vec<_>>(), ["web"]);
    golden::prepare(&mut state, &effects, &[]);
    let effects = press(&mut state, &["y"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Push { dry_run: false, .. })));
}

#[test]
fn holding_takes_an_approval_back_and_undo_gives_both_back() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 1);
    reason(&mut state, "why");
    let effects = press(&mut state, &["enter"]);
    assert!(kept(&effects).is_some());
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::SaveDecisions(decided) if decided.len() == 1))
    );
    assert_eq!((states(&state), state.review.tally().approved), (vec![UpdateState::Held], 0));
    let undone = press(&mut state, &["u"]);
    let ended = |effect: &Effect| matches!(effect, Effect::Unhold { tag: Some(tag), .. } if tag == "1.1");
    assert!(undone.iter().any(ended), "{undone:?}");
    assert!(undone.iter().any(|effect| matches!(effect, Effect::SaveDecisions(_))), "{undone:?}");
    assert_eq!((states(&state), state.review.tally().approved), (vec![UpdateState::Pending], 1));
    assert!(kept(&press(&mut state, &["U"])).is_some());
    assert_eq!(states(&state), [UpdateState::Held]);
    let released = press(&mut state, &["H"]);
    assert!(released.iter().any(ended), "{released:?}");
    assert_eq!(states(&state), [UpdateState::Pending]);
    assert!(kept(&press(&mut state, &["u"])).is_some(), "letting go can be taken back, too");
}

#[test]
fn a_hold_without_a_reason_or_with_an_end_that_is_past_is_not_made_and_says_why() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["H"]);
    assert_eq!(state.context(), Context::TypeHold);
    let said = |state: &mut State| {
        assert_eq!(kept(&press(state, &["enter"])), None);
        state.status.take().map(|status| status.text).unwrap_or_default()
    };
    assert!(said(&mut state).contains("needs a reason"));
    update(&mut state, Msg::Paste("why".to_owned()));
    press(&mut state, &["tab", "ctrl-u"]);
    update(&mut state, Msg::Paste("2020-01-01".to_owned()));
    assert!(said(&mut state).contains("not in the future"));
    press(&mut state, &["ctrl-u"]);
    update(&mut state, Msg::Paste("2h".to_owned()));
    press(&mut state, &["tab", "ctrl-u"]);
    let held = kept(&press(&mut state, &["enter"])).unwrap();
    assert_eq!((held.tag, held.until), (None, epoch() + jiff::SignedDuration::from_secs(2 * 3600 + 2)));
    state.mode = Mode::ReadOnly;
    assert_eq!(press(&mut state, &["H"]), [], "READ-ONLY holds and releases nothing");
    assert!(state.overlay.is_none());
}

#[test]
fn a_hold_that_is_over_is_compared_anew_by_itself() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    reason(&mut state, "why");
    press(&mut state, &["tab", "ctrl-u"]);
    update(&mut state, Msg::Paste("1m".to_owned()));
    press(&mut state, &["enter"]);
    let asks = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Propose { .. }));
    assert!(!asks(&tick(&mut state, 61_000)));
    assert!(asks(&tick(&mut state, 62_000)));
    propose(&mut state, vec![update_named("web 1.0 -> 1.1")]);
    assert_eq!(states(&state), [UpdateState::Pending]);
}

#[test]
fn a_tag_is_held_from_the_list_of_tags() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["t", "j"]);
    reason(&mut state, "old");
    let held = kept(&press(&mut state, &["enter"])).unwrap();
    assert_eq!((held.policy.name.as_str(), held.tag.as_deref()), ("web", Some("1.0")));
    assert_eq!(states(&state), [UpdateState::Pending], "the update goes to another tag");
    let effects = press(&mut state, &["H"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Unhold { .. })), "{effects:?}");
}

fn event(kind: &str, subject: &str) -> Event {
    Event {
        time: epoch(),
        event: kind.to_owned(),
        subject: subject.to_owned(),
        detail: "done".to_owned(),
        result: "ok".to_owned(),
        mode: "write".to_owned(),
        plan: None,
        user: "rita".to_owned(),
        host: "bastion".to_owned(),
    }
}

#[test]
fn the_log_is_followed_while_it_is_in_front_and_no_longer() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["6"]);
    let [Effect::FollowLog(job)] = effects.as_slice() else { panic!("{effects:?}") };
    let written = |state: &mut State, events: Vec<Event>| {
        update(state, Msg::LogWritten { job: *job, folder: Some("/log".to_owned()), events });
    };
    written(&mut state, vec![event("scan", "shop/web"), event("decide", "shop/web")]);
    written(&mut state, vec![event("push", "shop/apps")]);
    let kinds = |state: &State| -> Vec<String> {
        let rows = state.log.list.rows().iter();
        rows.filter_map(|id| state.log.get(*id)).map(|event| event.event.clone()).collect()
    };
    assert_eq!(kinds(&state), ["push", "decide", "scan"], "the newest first");
    press(&mut state, &["/"]);
    update(&mut state, Msg::Paste("kind:decide".to_owned()));
    press(&mut state, &["enter"]);
    assert_eq!(kinds(&state), ["decide"]);
    press(&mut state, &["f", "esc"]);
    written(&mut state, vec![event("hold", "shop/web")]);
    assert!(!kinds(&state).contains(&"hold".to_owned()), "frozen");
    press(&mut state, &["f"]);
    assert_eq!(kinds(&state).first().map(String::as_str), Some("hold"));
    assert_eq!(
        tick(&mut state, 3_000).iter().filter(|effect| matches!(effect, Effect::StopWork(_))).count(),
        0
    );
    press(&mut state, &["1"]);
    assert!(tick(&mut state, 3_001).contains(&Effect::StopWork(*job)));
    assert_eq!(
        action::lookup(&Bindings::default(), Context::View(View::Updates), "6".parse().unwrap())
            .map(|row| row.id),
        Some("view.log")
    );
}

#[test]
fn what_another_instance_holds_is_undecided_before_it_is_pushed_and_what_was_approved_all_the_same_stays() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    let mut updates = state.review.updates().to_vec();
    let policy = updates[0].policy.clone();
    let until = state.now + jiff::SignedDuration::from_hours(1);
    let (reason, by) = ("triage".to_owned(), "omar".to_owned());
    let holds = [Hold { policy, tag: None, until, reason, by, since: state.now }];
    let hold = |updates: &mut Vec<_>| crate::domain::hold::apply_to_approved(updates, &holds, state.now);
    let said = hold(&mut updates);
    assert!(said.len() == 1 && said[0].ends_with(" by omar: triage"), "{said:?}");
    assert_eq!((updates[0].decision, updates[0].state), (Decision::Undecided, UpdateState::Held));
    updates[0].decide(Decision::Approved);
    assert!(hold(&mut updates).is_empty(), "who approved it knew");
}

#[test]
fn holds_that_are_kept_are_a_reason_to_find_out_anew_what_waits() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = update(&mut state, Msg::HoldsKept);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })), "{effects:?}");
}
