//! Messages in; state and effects out.

mod answers;
mod cluster;
mod deciding;
mod finding;
mod golden;
mod holding;
mod landed;
mod lists;
mod ordering;
mod playground;
mod pointing;
mod pushing;
mod random;
mod targets;
mod themes;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::app::effect::{JobId, Reach};
use crate::app::help::{self, Entry, Pages};
use crate::app::keymap::Key;
use crate::app::layout::Size;
use crate::app::list::Filter;
use crate::app::message::{Loaded, LookedThrough, Proposed};
use crate::app::moment::Moment;
use crate::app::rows;
use crate::app::state::{Node, Overlay};
use crate::app::view::{Context, Focus, View};
use crate::app::world::{Compared, Glanced, Phase, Running, Sightings, Told};
use crate::domain::age::{self, Clocks};
use crate::domain::inventory::{Inventory, Object};
use crate::domain::landing::{CutOff, Fate};
use crate::domain::lint::{BadFile, Fix, LintedMarker, MEND_FILE, Survey, Unmarked, Verdict};
use crate::domain::manifest::YamlError;
use crate::domain::mode::Mode;
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::plan::{Base, Ground, ProblemFile};
use crate::domain::proposal::{Decision, UpdateState};
use crate::problem::{Code, Problem};
use world::{
    Seen, answer_proposal, epoch, policy, press, propose, ready, repository, review_of, scans_over, tick,
    update_named, verdict_asking,
};

#[test]
fn escape_and_the_key_after_it_are_two_keys_though_they_come_at_once() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["?", "alt-2"]);
    assert_eq!(state.view(), View::Repositories);
    press(&mut state, &["/", "w", "e", "alt-b", "x"]);
    assert_eq!(
        state.filter.as_ref().map(crate::app::input::Field::text),
        Some("xwe"),
        "Alt-b is a key of fields"
    );
    press(&mut state, &["alt-1"]);
    assert_eq!((state.view(), state.filter.is_some()), (View::Updates, false));
}

#[test]
fn a_name_that_no_action_has_is_answered_with_the_one_that_was_meant() {
    let mut state = review_of(&[]);
    press(&mut state, &[":", "p", "u", "h", "s", "enter"]);
    let says = state.status.as_ref().unwrap().text.clone();
    assert!(says.contains("did you mean push?"), "{says}");
}

#[test]
fn esc_goes_back_one_level_at_a_time() {
    let mut state = review_of(&["web 1.0 -> 1.1", "api 1.0 -> 1.1"]);
    press(&mut state, &["/", "w", "e", "b", "enter"]);
    assert_eq!(state.updates.len(), 1);
    press(&mut state, &["enter"]);
    assert_eq!(state.view(), View::Diff);
    press(&mut state, &["esc"]);
    assert_eq!((state.view(), state.updates.len()), (View::Updates, 1));
    press(&mut state, &["esc"]);
    assert_eq!(state.updates.len(), 2, "Esc clears the filter");
    assert_eq!(press(&mut state, &["esc"]), [], "and does not leave the program");
}

#[test]
fn leaving_with_approvals_asks_and_says_that_they_are_kept() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    assert_eq!(press(&mut state, &["q"]), [Effect::Quit]);
    press(&mut state, &["space"]);
    assert_eq!(press(&mut state, &["q"]), []);
    assert_eq!(state.context(), Context::ConfirmQuit);
    assert_eq!(press(&mut state, &["enter"]), [], "Enter does nothing in a dialog");
    assert_eq!(press(&mut state, &["y"]), [Effect::Quit]);
}

#[test]
fn ctrl_c_stops_scans_first_and_leaves_at_the_second() {
    let mut state = State::default();
    ready(&mut state);
    let effects = press(&mut state, &["ctrl-c"]);
    assert!(matches!(effects.as_slice(), [Effect::StopWork(_)]), "{effects:?}");
    assert!(state.phase == Phase::Ready, "what is known is kept");
    assert_eq!(press(&mut state, &["ctrl-c"]), [Effect::Quit]);
}

#[test]
fn read_only_refuses_decisions_and_says_how_to_change_that() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.mode = Mode::ReadOnly;
    assert_eq!(press(&mut state, &["space"]), []);
    assert_eq!(state.review.tally().approved, 0);
    assert!(state.status.as_ref().is_some_and(|status| status.text.starts_with("READ-ONLY")));
}

#[test]
fn a_refusal_does_not_stand_under_what_the_next_key_opens() {
    for key in ["o", ":", "?", "2"] {
        let mut state = review_of(&["web 1.0 -> 1.1"]);
        press(&mut state, &["p"]);
        assert!(state.status.is_some(), "nothing is approved");
        press(&mut state, &["j"]);
        assert!(state.status.is_some(), "moving is no answer to it");
        press(&mut state, &[key]);
        assert_eq!(state.status, None, "after {key}");
    }
}

#[test]
fn news_does_not_replace_a_refusal_and_under_a_field_only_a_key_does() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let said = |state: &State| state.status.as_ref().map(|status| status.text.clone()).unwrap_or_default();
    press(&mut state, &[":", "z", "q", "x", "enter"]);
    state.tell(Level::Info, "shop/web: 1 new tag");
    assert!(said(&state).starts_with("no action is called zqx"), "{}", said(&state));
    tick(&mut state, 60_000);
    assert!(!said(&state).starts_with("no action"), "in a view it is gone after a while: {}", said(&state));
    press(&mut state, &["space", "c", "x", "ctrl-r"]);
    assert!(said(&state).contains("would be replaced"), "{}", said(&state));
    tick(&mut state, 120_000);
    state.tell(Level::Info, "shop/web: 1 new tag");
    assert!(said(&state).contains("would be replaced"), "{}", said(&state));
    press(&mut state, &["ctrl-r"]);
    assert_eq!(said(&state), "", "the second key does it");
    assert_eq!(
        state.editing.as_ref().map(|editing| editing.message.text()).as_deref(),
        Some("Update images\n")
    );
    press(&mut state, &["x", "ctrl-r", "y", "ctrl-r"]);
    assert!(said(&state).contains("would be replaced"), "what was typed since is asked about anew");
}

#[test]
fn to_write_is_asked_once_and_refused_where_the_mode_is_locked() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &[":", "m", "o", "d", "e", "space", "w", "enter"]);
    assert!(matches!(state.overlay, Some(Overlay::Mode)));
    assert_eq!(state.mode, Mode::DryRun);
    press(&mut state, &["y"]);
    assert_eq!(state.mode, Mode::Write);
    let mut locked = State { mode_locked: true, ..State::default() };
    press(&mut locked, &[":", "m", "o", "d", "e", "space", "w", "enter"]);
    assert!(locked.overlay.is_none());
}

#[test]
fn a_small_terminal_takes_no_key_but_the_way_out_and_forgets_nothing() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
    press(&mut state, &["j", "/", "b"]);
    let seen = Seen::of(&state);
    update(&mut state, Msg::Resized(Size { width: 20, height: 5 }));
    assert_eq!(state.context(), Context::TooSmall);
    press(&mut state, &["x", "space", "down"]);
    update(&mut state, Msg::Resized(Size { width: 100, height: 30 }));
    assert_eq!(Seen::of(&state), seen);
}

#[test]
fn a_filter_is_live_and_kept_for_each_view() {
    let mut state = review_of(&["web 1.0 -> 1.1", "api 1.0 -> 1.1"]);
    press(&mut state, &["/", "a", "p", "i"]);
    assert_eq!((state.updates.len(), state.context()), (1, Context::Filter));
    press(&mut state, &["enter", "2", "1"]);
    assert_eq!(state.updates.len(), 1);
    assert_eq!(rows::filter(&state, View::Updates).map(Filter::typed), Some("api"));
}

#[test]
fn help_lists_the_keys_of_the_place_it_was_opened_in_and_runs_them() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["?"]);
    assert_eq!(state.view(), View::Help);
    assert!(help::rows(&state).iter().any(|row| row.row.id == "decide.approve"));
    press(&mut state, &["d", "e", "c", "i", "d", "e", ".", "a", "p", "p", "enter"]);
    assert_eq!(state.review.tally().approved, 1);
    assert_eq!(state.view(), View::Updates);
}

#[test]
fn the_pages_of_help_are_turned_to_the_meaning_of_the_marks_and_back() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["?"]);
    let cursor = |state: &State| state.help.as_ref().map(|help| help.cursor).unwrap_or_default();
    let area = state.layout().list;
    let pages = Pages::of(&state, help::body(area.width, area.height));
    let mut turn = |key: &str| {
        press(&mut state, &[key]);
        pages.page_of(cursor(&state))
    };
    let last = pages.len() - 1;
    assert!(last > 0, "{pages:?}");
    assert_eq!(
        (0..=last).map(|_| turn("pgdn")).collect::<Vec<_>>(),
        (1..=last).chain([last]).collect::<Vec<_>>()
    );
    assert!(pages.lines(last).iter().any(|line| matches!(line, Entry::Mark(..))), "{pages:?}");
    assert_eq!((0..=last).map(|_| turn("pgup")).last(), Some(0));
    // By rows as well: the marks follow the last key.
    for _ in 0..pages.places() {
        turn("down");
    }
    assert_eq!(turn("down"), last);
}

#[test]
fn nothing_found_offers_the_demo() {
    let mut state = State::default();
    let effects = start(&mut state);
    let [Effect::Load(job)] = effects.as_slice() else { panic!("no load") };
    update(&mut state, Msg::NothingFound(*job, vec!["looked at /tmp".to_owned()]));
    assert_eq!(state.view(), View::Start);
    assert_eq!(press(&mut state, &["enter"]), [Effect::Demo]);
}

#[test]
fn in_one_pane_the_diff_has_the_room_and_tab_shows_the_tree() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    press(&mut state, &["enter"]);
    assert_eq!(state.diff.focus, Focus::Other);
    assert_eq!(state.layout().list.height, 0);
    press(&mut state, &["tab"]);
    assert!(state.layout().list.height > 10);
}

#[test]
fn remotes_are_asked_again_once_ssh_was_answered() {
    let mut state = State::default();
    ready(&mut state);
    assert_eq!(super::perform(&mut state, Action::OpenWay), [Effect::OpenWay]);
    let effects = update(&mut state, Msg::WayOpened(Ok(1)));
    let asks = |effect: &Effect| matches!(effect, Effect::Propose { reach: Reach::Remote, .. });
    assert!(effects.iter().any(asks), "{effects:?}");
    assert_eq!(update(&mut state, Msg::WayOpened(Err("ssh did not get in to h".to_owned()))), []);
    assert_eq!(update(&mut state, Msg::WayOpened(Ok(0))), []);
}

#[test]
fn what_no_key_does_is_looked_for_by_its_name() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["?", "x", "y", "z", "z", "y", "enter"]);
    let typed = match &state.overlay {
        Some(Overlay::Palette(open)) => open.field.text(),
        _ => "",
    };
    assert_eq!((typed, state.view()), ("xyzzy", View::Updates));
}

#[test]
fn a_name_that_means_an_object_never_stops_the_program_where_there_is_none() {
    let said = |state: &State| state.status.as_ref().map(|status| status.text.clone()).unwrap_or_default();
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    assert_eq!(press(&mut state, &[":", "s", "u", "s", "p", "e", "n", "d", "enter"]), []);
    assert!(said(&state).starts_with("nothing to suspend here; in Repositories"), "{}", said(&state));
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &[":", "s", "h", "e", "l", "l", "enter"]);
    assert!(effects.contains(&Effect::Suspend), "{effects:?}");
}

#[test]
fn a_saved_plan_takes_the_place_of_what_is_under_review() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    let ask =
        |state: &mut State| press(state, &[":", "r", "e", "v", "i", "e", "w", " ", "P", ".", "j", "enter"]);
    press(&mut state, &["space"]);
    assert_eq!(ask(&mut state).last(), None, "what is approved is not dropped");
    press(&mut state, &["space", ":", "r", "e", "v", "i", "e", "w", "enter"]);
    assert!(matches!(&state.overlay, Some(Overlay::Palette(open)) if open.field.text() == "review "));
    let effects = press(&mut state, &["P", ".", "j", "enter"]);
    let Some(Effect::ReadPlan { job, path }) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(path, "P.j", "a name of a file is no word of ours");
    assert_eq!(state.commands.first().map(String::as_str), Some("review P.j"));
    let problem = Problem::new(Code::Usage, "P.j", "this is no plan");
    update(&mut state, Msg::PlanRead(*job, Err(problem)));
    assert_eq!((state.review.updates().len(), state.errors.entries().len()), (2, 1));
    let saved = || {
        let mut other = review_of(&["web 1.0 -> 1.1"]);
        let (_, plan) = golden::plan_of(&press(&mut other, &["space", "p"]));
        Box::new(plan)
    };
    let read = |state: &mut State| {
        let Some(Effect::ReadPlan { job, .. }) = ask(state).pop() else { panic!("it is not read") };
        job
    };
    // A message that was begun, another branch and frozen rows are of what was there before.
    let automation = state.review.updates()[0].automation.clone();
    state.review.messages.insert(automation, crate::app::input::Message::approved("begun\n"));
    state.destination.onto = crate::domain::branch::Onto::Named("elsewhere".to_owned());
    state.frozen = true;
    let job = read(&mut state);
    let effects = update(&mut state, Msg::PlanRead(job, Ok(saved())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })), "{effects:?}");
    let approved: Vec<_> = state.review.approved().map(|update| update.policy.name.clone()).collect();
    assert_eq!((approved, state.view()), (vec!["web".to_owned()], View::Plan));
    assert!(state.review.messages.is_empty() && !state.frozen);
    assert_eq!(state.destination, crate::domain::branch::Destination::default());
    assert_eq!(update(&mut state, Msg::PlanRead(job, Ok(saved()))), [], "it is answered once");
    // Something was approved while it was read.
    press(&mut state, &["1", "space"]);
    let job = read(&mut state);
    press(&mut state, &["1", "space"]);
    update(&mut state, Msg::PlanRead(job, Ok(saved())));
    assert_eq!(state.view(), View::Updates);
}
