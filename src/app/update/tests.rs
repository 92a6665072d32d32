//! Messages in; state and effects out.

mod golden;
mod pushing;
mod random;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::app::effect::{JobId, Reach};
use crate::app::layout::Size;
use crate::app::list::Filter;
use crate::app::message::{Loaded, Proposed};
use crate::app::moment::Moment;
use crate::app::rows;
use crate::app::state::{Node, Overlay};
use crate::app::view::{Context, Focus, View};
use crate::app::world::{Glanced, Phase, Sightings, Told};
use crate::domain::age::{self, Clocks};
use crate::domain::inventory::{Inventory, Object};
use crate::domain::landing::{CutOff, Fate};
use crate::domain::lint::{LintedMarker, Survey, Verdict};
use crate::domain::mode::Mode;
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::proposal::{Decision, UpdateState};
use crate::problem::{Code, Problem};
use world::{
    Seen, answer_proposal, epoch, policy, press, propose, ready, repository, review_of, scans_over, tick,
    update_named, verdict_asking,
};

#[test]
fn the_start_asks_for_the_objects_and_nothing_else() {
    let mut state = State::default();
    let effects = start(&mut state);
    assert!(matches!(effects.as_slice(), [Effect::Load(_)]));
    assert_eq!(state.phase, Phase::Loading);
}

#[test]
fn loaded_objects_are_scanned_at_once_and_cached_ones_when_they_are_due() {
    let mut state = State::default();
    let effects = ready(&mut state);
    let scans: Vec<&Effect> = effects.iter().filter(|effect| matches!(effect, Effect::Scan(..))).collect();
    assert_eq!(scans.len(), 1);
    let Effect::Scan(_, repositories) = scans[0] else { panic!("no scan") };
    assert_eq!(repositories, &[ObjectId::new("shop", "fresh")], "the other was scanned a moment ago");
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Evaluate { policies, .. } if policies.len() == 1))
    );
    let effects = tick(&mut state, 61_000);
    assert!(
        effects.iter().any(
            |effect| matches!(effect, Effect::Scan(_, due) if due.contains(&ObjectId::new("shop", "web")))
        ),
        "after its interval the other is due too: {effects:?}"
    );
}

#[test]
fn what_was_kept_is_shown_first_and_the_remotes_are_asked_then() {
    let mut state = State::default();
    ready(&mut state);
    let reach = |effects: &[Effect]| match effects {
        [Effect::Propose { reach, .. }] => Some(*reach),
        _ => None,
    };
    assert_eq!(reach(&super::scans::propose(&mut state, false, false)), Some(Reach::Kept));
    let answer = |state: &mut State, kept| {
        let job = state.jobs.propose.unwrap();
        let updates = vec![update_named("web 1.0 -> 1.1")];
        update(state, Msg::Proposed(job, Ok(Proposed { updates, kept, ..Proposed::default() })))
    };
    let effects = answer(&mut state, true);
    assert_eq!(state.updates.len(), 1);
    assert_eq!(reach(&effects), Some(Reach::Recent));
    assert_eq!(answer(&mut state, false), []);
}

#[test]
fn while_the_first_list_comes_the_cursor_waits_on_its_first_row() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 10);
    propose(&mut state, vec![update_named("web 1.0 -> 1.1")]);
    let both = || vec![update_named("api 1.0 -> 1.1"), update_named("web 1.0 -> 1.1")];
    propose(&mut state, both());
    assert_eq!(state.updates.current().unwrap().policy.name, "api", "no row was chosen by anybody");
    press(&mut state, &["j"]);
    tick(&mut state, 1_000);
    let mut three = both();
    three.insert(0, update_named("abc 1.0 -> 1.1"));
    propose(&mut state, three);
    assert_eq!(state.updates.current().unwrap().policy.name, "web", "a key has chosen it");
}

#[test]
fn when_the_first_list_is_whole_the_cursor_belongs_to_its_object() {
    let mut state = State::default();
    ready(&mut state);
    scans_over(&mut state);
    propose(&mut state, vec![update_named("web 1.0 -> 1.1")]);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.current().unwrap().policy.name, "web");
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let old = crate::app::effect::JobId(999);
    update(&mut state, Msg::Proposed(old, Ok(Proposed::default())));
    assert_eq!(state.updates.len(), 1);
    update(&mut state, Msg::Prepared(old, Err(Problem::new(Code::Timeout, "x", "too slow"))));
    assert!(state.errors.is_empty());
}

#[test]
fn a_failed_scan_is_a_row_that_says_so_and_not_the_end() {
    let mut state = State::default();
    let effects = ready(&mut state);
    let Some(Effect::Scan(job, ids)) = effects.into_iter().find(|effect| matches!(effect, Effect::Scan(..)))
    else {
        panic!("no scan")
    };
    let problem = Problem::new(Code::RegistryUnauthorized, "shop/fresh", "401");
    update(
        &mut state,
        Msg::ScanFailed { job, repository: ids[0].clone(), problem: problem.clone(), retry: None },
    );
    assert_eq!(state.scans.get(&ids[0]).and_then(|scan| scan.error.clone()), Some(problem));
    assert_eq!(state.errors.len(), 1);
    assert_eq!(state.scan_totals().failed, 1);
    assert!(state.scans.get(&ids[0]).is_some_and(|scan| scan.due.is_some()), "it is tried again by itself");
}

#[test]
fn what_was_too_young_is_compared_anew_when_it_is_old_enough_and_once() {
    let mut state = review_of(&[]);
    let mut young = update_named("web 1.0 -> 1.1");
    young.clocks.first_seen = Some(epoch());
    age::hold_young(std::slice::from_mut(&mut young), "1m".parse().unwrap(), epoch());
    propose(&mut state, vec![young.clone()]);
    assert!(state.wake_at() <= Moment(60_000));
    let asks = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Propose { .. }));
    assert!(!asks(&tick(&mut state, 59_999)));
    assert!(asks(&tick(&mut state, 60_000)));
    answer_proposal(&mut state, vec![young]);
    assert!(!asks(&tick(&mut state, 60_001)), "an answer that holds it still asks for nothing");
}

/// An update that has to wait for another minute.
fn young() -> crate::domain::proposal::Proposal {
    let mut young = update_named("web 1.0 -> 1.1");
    young.clocks.first_seen = Some(epoch());
    age::hold_young(std::slice::from_mut(&mut young), "2m".parse().unwrap(), epoch());
    assert!(age::is_young(&young));
    young
}

#[test]
fn what_is_too_young_is_approved_by_the_second_key_after_the_reason_was_shown() {
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), young()]);
    press(&mut state, &["a"]);
    assert_eq!(state.review.approved().count(), 1, "all does not mean what has to wait");
    press(&mut state, &["G", "space"]);
    let said = state.status.clone().unwrap().text;
    assert!(said.contains("has to wait 2 min more") && said.ends_with("Space again approves it"), "{said}");
    assert_eq!(state.review.approved().count(), 1);
    press(&mut state, &["s", "x"]);
    assert_eq!(state.review.tally().held, 1, "nothing else can be done about it");
    let effects = press(&mut state, &["space"]);
    let audit = effects.iter().find_map(|effect| match effect {
        Effect::Audit { detail, .. } => Some(detail.as_str()),
        _ => None,
    });
    assert_eq!(audit, Some("approved although too young (1 site)"));
    let planned = |state: &State| {
        let updates = state.review.for_plan();
        let web = updates.into_iter().find(|update| update.policy.name == "web").unwrap();
        (web.state, web.approved().count())
    };
    assert_eq!(state.review.approved().count(), 2);
    assert_eq!(planned(&state), (UpdateState::Held, 1), "the plan says that it was held and approved");
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), young()]);
    assert_eq!(state.review.approved().count(), 2, "what is compared anew keeps it");
    press(&mut state, &["G", "space"]);
    assert_eq!((state.review.approved().count(), state.review.tally().held), (1, 1), "taken back, it waits");
    let mut decided = young();
    decided.sites[0].decision = Decision::Approved;
    propose(&mut state, vec![decided]);
    assert_eq!(
        planned(&state),
        (UpdateState::Held, 0),
        "what was decided before it had to wait lands nowhere"
    );
}

/// The tags that are asked about, and whether that supersedes another question.
fn asked_about(effects: &[Effect]) -> Option<(Vec<String>, bool)> {
    let stops = effects.iter().any(|effect| matches!(effect, Effect::StopWork(_)));
    effects.iter().find_map(|effect| match effect {
        Effect::Describe { tags, .. } => Some((tags.clone(), stops)),
        _ => None,
    })
}

#[test]
fn what_stands_behind_a_tag_is_asked_when_the_cursor_rests_on_it_and_the_newest_question_wins() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let both = vec!["1.1".to_owned(), "1.0".to_owned()];
    assert_eq!(asked_about(&tick(&mut state, 3_000)), Some((both.clone(), false)), "of the update in S1");
    assert_eq!(asked_about(&tick(&mut state, 3_100)), None, "that is being asked");
    press(&mut state, &["t"]);
    assert_eq!(asked_about(&tick(&mut state, 3_200)), None, "the first row is the same tag");
    press(&mut state, &["j"]);
    assert_eq!(asked_about(&tick(&mut state, 3_210)), None, "the cursor may go on");
    assert!(state.wake_at() <= Moment(3_290));
    assert_eq!(asked_about(&tick(&mut state, 3_290)), Some((vec!["1.0".to_owned()], true)));

    let late = |tag: &str| Told {
        tag: tag.to_owned(),
        described: Ok(None),
        clocks: Clocks::default(),
        moved: vec![tag.to_owned()],
    };
    let web = ObjectId::new("shop", "web");
    update(&mut state, Msg::Described(JobId(1), web.clone(), Box::new(late("1.1"))));
    assert!(state.facts.get(&web, "1.1").is_none(), "nobody asks for that any more");
    let job = JobId(state.jobs.number().0 - 1);
    update(&mut state, Msg::Described(job, web.clone(), Box::new(late("1.0"))));
    assert!(state.facts.get(&web, "1.0").is_some() && state.facts.is_moved(&web, "1.0"));
    assert!(state.wake_at() > Moment(3_300), "nothing is left to ask");
    assert_eq!(asked_about(&tick(&mut state, 62_000)), None);
    assert_eq!(asked_about(&tick(&mut state, 64_000)), Some((vec!["1.0".to_owned()], false)), "a minute on");
}

#[test]
fn objects_that_changed_in_the_files_come_change_and_go() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let (web, fresh) = (ObjectId::new("shop", "web"), ObjectId::new("shop", "fresh"));
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(None, None))));
    answer_proposal(&mut state, vec![update_named("web 1.0 -> 1.1")]);
    let looks = |effects: &[Effect]| effects.contains(&Effect::LookAtSource);
    assert!(!looks(&tick(&mut state, 3_000)), "they were read a moment ago");
    assert!(looks(&tick(&mut state, 63_000)) && !looks(&tick(&mut state, 64_000)), "once a minute");
    let effects = update(&mut state, Msg::SourceChanged);
    let [Effect::Load(job)] = effects.as_slice() else { panic!("no load: {effects:?}") };
    let mut inventory = Inventory::default();
    let moved = ImageRepository { image: "registry.example.com/shop/other".into(), ..repository("web") };
    inventory.add(Object::Repository(moved));
    inventory.add(Object::Policy(policy("web")));
    inventory.add(Object::Repository(repository("late")));
    let loaded = Loaded {
        source: "files:.".to_owned(),
        inventory: Arc::new(inventory),
        problems: vec![],
        cached: BTreeMap::new(),
        drafts: vec![],
    };
    let effects = update(&mut state, Msg::Loaded(*job, Ok(Box::new(loaded))));
    let scanned = effects.iter().find_map(|effect| match effect {
        Effect::Scan(_, repositories) => Some(repositories.clone()),
        _ => None,
    });
    assert_eq!(scanned, Some(vec![ObjectId::new("shop", "late"), web.clone()]), "it is of another image");
    assert!(state.scans.get(&fresh).is_none() && !state.verdicts.contains_key(&web));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })), "{effects:?}");
    let said = state.status.as_ref().map(|status| status.text.as_str());
    assert_eq!(said, Some("the files were read again: 1 object more, 2 gone"));
}

/// The tags whose rows are to be filled, and whether that supersedes another question.
fn glanced_at(effects: &[Effect]) -> Option<(Vec<String>, bool)> {
    let stops = effects.iter().any(|effect| matches!(effect, Effect::StopWork(_)));
    effects.iter().find_map(|effect| match effect {
        Effect::Glance { tags, .. } => Some((tags.clone(), stops)),
        _ => None,
    })
}

#[test]
fn rows_of_tags_are_filled_from_what_is_in_sight_where_they_have_the_room() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let web = ObjectId::new("shop", "web");
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(None, None))));
    press(&mut state, &["t"]);
    let effects = tick(&mut state, 3_000);
    assert_eq!(glanced_at(&effects), None, "at 100x30 there is no column for it");
    let Some(Effect::FirstSeen { job, tags, .. }) =
        effects.iter().find(|effect| matches!(effect, Effect::FirstSeen { .. }))
    else {
        panic!("when the tags were first seen is not asked: {effects:?}")
    };
    let sightings = Sightings::of(Arc::clone(tags), |tag| (tag == "1.0").then(epoch));
    let moved = vec!["1.0".to_owned()];
    let seen = |job| Msg::FirstSeen {
        job,
        repository: web.clone(),
        sightings: Box::new(sightings.clone()),
        moved: moved.clone(),
    };
    update(&mut state, seen(JobId(999)));
    assert!(state.tags.sightings.is_none(), "nobody asked that");
    update(&mut state, seen(*job));
    assert!(state.facts.is_moved(&web, "1.0"));
    press(&mut state, &["o", "down", "down", "down", "enter"]);
    assert_eq!(state.tags.list.current().and_then(|row| state.tags.tags.get(*row as usize)), Some("1.1"));
    assert_eq!(state.tags.list.cursor(), 1, "by first sighting, the newest first");
    update(&mut state, Msg::Resized(Size { width: 160, height: 45 }));
    let both = vec!["1.0".to_owned(), "1.1".to_owned()];
    let effects = tick(&mut state, 4_000);
    assert_eq!(glanced_at(&effects), Some((both.clone(), false)));
    assert_eq!(glanced_at(&tick(&mut state, 4_100)), None, "that is being asked");
    let job = effects.iter().find_map(|effect| match effect {
        Effect::Glance { job, .. } => Some(*job),
        _ => None,
    });
    let job = job.unwrap();
    let settled = |tag: &String| Glanced { tag: tag.clone(), glimpse: None, is_settled: true };
    update(&mut state, Msg::Glanced(job, both.iter().map(settled).collect()));
    assert_eq!(glanced_at(&tick(&mut state, 300_000)), None, "it was told");
    assert_eq!(glanced_at(&tick(&mut state, 700_000)), Some((both, false)), "ten minutes on");
}

#[test]
fn a_push_that_nobody_saw_the_end_of_is_told_at_the_start() {
    let mut state = State::default();
    ready(&mut state);
    let cut_off = |fate| CutOff {
        remote: "https://git.example.com/fleet".into(),
        branch: "main".into(),
        commit: "8d2e91b".into(),
        time: jiff::Timestamp::UNIX_EPOCH,
        fate,
    };
    let settled = vec![cut_off(Fate::Landed)];
    let effects = update(&mut state, Msg::PushesSettled(settled.clone()));
    assert_eq!(state.status.as_ref().map(|status| status.text.clone()), Some(settled[0].to_string()));
    assert!(state.errors.entries().is_empty());
    assert!(matches!(effects.as_slice(), [Effect::Audit { kind: "push", .. }]));
    let settled = vec![cut_off(Fate::NotLanded("declined".into()))];
    update(&mut state, Msg::PushesSettled(settled.clone()));
    let [entry] = state.errors.entries() else { panic!("{:?}", state.errors) };
    assert_eq!(entry.problem, Problem::from(&settled[0]));
}

#[test]
fn a_digest_is_asked_for_again_when_its_time_has_come_and_once() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 1_000);
    let web = ObjectId::new("shop", "web");
    let again = state.now + jiff::SignedDuration::from_secs(5);
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(Some(again), None))));
    assert!(state.wake_at() <= Moment(6_000));
    let asks = |effects: &[Effect]| {
        effects.contains(&Effect::Evaluate { policies: vec![web.clone()], digests: Reach::Recent })
    };
    assert!(!asks(&tick(&mut state, 5_999)));
    assert!(asks(&tick(&mut state, 6_000)));
    assert!(!asks(&tick(&mut state, 6_500)), "the question is under way");
    let problem = Problem::new(Code::RateLimited, "shop/web", "failed fetching digest of web:1.1: 429");
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(None, Some(problem)))));
    assert_eq!(
        crate::app::rows::policy_word(&state, &web),
        "fails",
        "what it had before is kept, and it is said"
    );
    let said =
        |state: &State| state.status.as_ref().is_some_and(|status| status.text.contains("fetching digest"));
    assert!(said(&state));
}

#[test]
fn who_asks_for_a_scan_wants_digests_from_the_registry_too() {
    let mut state = State::default();
    ready(&mut state);
    let web = ObjectId::new("shop", "web");
    // A scan that began by itself is the person's too, from the key on.
    let effects = press(&mut state, &["R", "R"]);
    let scan = effects.iter().find_map(|effect| match effect {
        Effect::Scan(job, of) if of.contains(&web) => Some(*job),
        _ => None,
    });
    let found = state.scans.get(&web).and_then(|scan| scan.found.clone()).unwrap();
    let effects = update(&mut state, Msg::TagsListed(scan.unwrap(), web.clone(), found.clone()));
    assert_eq!(effects, [Effect::Evaluate { policies: vec![web], digests: Reach::Remote }]);
    let fresh = ObjectId::new("shop", "fresh");
    let running = state.scans.get(&fresh).and_then(|scan| scan.running).unwrap();
    let effects = update(&mut state, Msg::TagsListed(running.job, fresh.clone(), found));
    assert_eq!(effects, [Effect::Evaluate { policies: vec![fresh], digests: Reach::Remote }]);
}

#[test]
fn what_is_wrong_with_markers_is_kept_until_it_no_longer_is() {
    let marker = LintedMarker {
        file: "a.yaml".into(),
        line: 3,
        column: 5,
        text: "{'$imagepolicy': 'a:b'}".into(),
        setter: "a:b".into(),
        verdict: Verdict::NotAMarker,
        current: None,
        wanted: None,
        message: "the quotes are single ones".into(),
        fix: Some("{\"$imagepolicy\": \"a:b\"}".into()),
    };
    let survey = Survey { markers: vec![marker], ..Survey::default() };
    let mut state = review_of(&[]);
    let compare = |state: &mut State, survey: &Survey| {
        let job = crate::app::effect::JobId(7);
        state.jobs.propose = Some(job);
        update(state, Msg::Proposed(job, Ok(Proposed { survey: survey.clone(), ..Proposed::default() })));
    };
    compare(&mut state, &survey);
    compare(&mut state, &survey);
    let [entry] = state.errors.entries() else { panic!("{:?}", state.errors) };
    assert_eq!(
        (entry.what.as_str(), entry.count),
        ("a.yaml:3 marker", 1),
        "and not once for each comparison"
    );
    assert_eq!(entry.problem.hint.as_deref(), Some("Write `# {\"$imagepolicy\": \"a:b\"}`."));
    compare(&mut state, &Survey::default());
    assert!(state.errors.is_empty(), "mended");
}

#[test]
fn a_remote_that_did_not_answer_is_named_and_goes_off_the_list_when_it_does() {
    let mut state = review_of(&[]);
    let apps = ObjectId::new("flux-system", "apps");
    let mut compare = |problems: Vec<Problem>| {
        let job = crate::app::effect::JobId(7);
        state.jobs.propose = Some(job);
        update(&mut state, Msg::Proposed(job, Ok(Proposed { problems, ..Proposed::default() })));
        state.errors.of_checkout(&apps).map(|problem| problem.code)
    };
    let down = Problem::new(Code::Unreachable, apps.to_string(), "connection refused");
    assert_eq!(compare(vec![down]), Some(Code::Unreachable));
    assert_eq!(compare(vec![]), None);
    assert!(state.errors.is_empty(), "it answers");
}

#[test]
fn the_cursor_stays_on_its_update_when_another_appears_above_it() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let before = state.updates.current().cloned();
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.current().cloned(), before);
    assert_eq!(state.updates.cursor(), 1);
}

#[test]
fn rows_do_not_move_within_400_ms_after_a_key() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    tick(&mut state, 10_000);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1, "the new row waits");
    assert!(state.wake_at() <= Moment(10_400));
    tick(&mut state, 10_400);
    assert_eq!(state.updates.len(), 2);
}

#[test]
fn the_first_key_holds_the_rows_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    (state.at, state.last_key) = (Moment(0), None);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1, "the new row waits");
    tick(&mut state, 400);
    assert_eq!(state.updates.len(), 2);
}

#[test]
fn rows_that_are_due_wait_for_a_key_that_came_meanwhile() {
    let mut state = review_of(&["api 1.0 -> 2.0", "web 1.0 -> 1.1"]);
    tick(&mut state, 10_000);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0")]);
    tick(&mut state, 10_300);
    press(&mut state, &["k"]);
    tick(&mut state, 10_400);
    assert_eq!(state.updates.len(), 2, "another key was pressed");
    press(&mut state, &["j"]);
    // Space was pressed on `web`, which is still there: it must not approve what would come in its place.
    update(&mut state, Msg::KeysCame(Moment(10_800)));
    tick(&mut state, 10_800);
    press(&mut state, &["space"]);
    assert_eq!(state.updates.current().unwrap().policy.name, "web");
    assert_eq!(state.review.tally().approved, 0);
    tick(&mut state, 11_200);
    assert_eq!(state.updates.len(), 1);
}

#[test]
fn tags_stand_still_after_a_key_as_well() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 10_000);
    let web = ObjectId::new("shop", "web");
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(None, None))));
    super::tags::open(&mut state, web.clone(), Some(web.clone()));
    let first = state.tags.verdict.clone().unwrap();
    press(&mut state, &["j"]);
    update(&mut state, Msg::Evaluated(web, Arc::new(verdict_asking(None, None))));
    assert!(
        Arc::ptr_eq(state.tags.verdict.as_ref().unwrap(), &first),
        "rows and what they say stay together"
    );
    tick(&mut state, 10_400);
    assert!(!Arc::ptr_eq(state.tags.verdict.as_ref().unwrap(), &first));
}

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
fn the_preview_waits_until_a_held_key_is_let_go() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2", "d 1 -> 2"]);
    let shown = |state: &State| state.preview.row(&state.updates).unwrap().policy.name.clone();
    tick(&mut state, 10_000);
    press(&mut state, &["J"]);
    for (at, key) in [(10_000, "j"), (10_033, "j"), (10_066, "k"), (10_099, "j")] {
        tick(&mut state, at);
        press(&mut state, &[key]);
        assert_eq!((shown(&state).as_str(), state.preview.scroll), ("a", 1), "at {at}");
    }
    assert_eq!(state.updates.current().unwrap().policy.name, "c");
    assert_eq!(state.wake_at(), Moment(10_179));
    tick(&mut state, 10_178);
    assert_eq!(shown(&state), "a");
    tick(&mut state, 10_179);
    assert_eq!((shown(&state).as_str(), state.preview.scroll), ("c", 0));
    assert!(state.wake_at() > Moment(10_400), "and nothing is left to do");
}

#[test]
fn any_other_key_brings_the_preview_to_the_cursor() {
    for key in ["space", "J", "/", "?", "2", "o"] {
        let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
        press(&mut state, &["j", key]);
        assert_eq!(state.preview.row(&state.updates).unwrap().policy.name, "b", "after {key}");
    }
}

#[test]
fn the_diff_beside_the_tree_follows_it_like_any_preview() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
    press(&mut state, &["enter", "J", "j"]);
    let shown = |state: &State| state.preview.row(&state.diff.tree).cloned();
    assert!(matches!(shown(&state), Some(Node::Update(_))));
    assert_eq!(state.diff.scroll, 1);
    tick(&mut state, 2_080);
    assert!(matches!(shown(&state), Some(Node::File(..))));
    assert_eq!(state.diff.scroll, 0);
    press(&mut state, &["tab", "J", "j"]);
    assert!(matches!(shown(&state), Some(Node::Site(..))), "with the keys in the diff, that is what moves");
    assert_eq!(state.diff.scroll, 0);
}

#[test]
fn a_pane_without_preview_wakes_nobody_unless_the_footer_changes() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"]);
    let mut blocked = update_named("c 1 -> 2");
    blocked.state = crate::domain::proposal::UpdateState::Blocked;
    propose(&mut state, vec![update_named("a 1 -> 2"), update_named("b 1 -> 2"), blocked]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    press(&mut state, &["j"]);
    assert_eq!(state.preview.follows(), None);
    let first = |state: &State| action::footer(state).first().map(|hint| hint.label);
    press(&mut state, &["j"]);
    assert_eq!((first(&state), state.preview.follows().is_some()), (Some("approve"), true));
    let until = state.preview.follows().unwrap();
    tick(&mut state, until.0);
    assert_eq!((first(&state), state.preview.follows()), (Some("diff"), None));
}

#[test]
fn frozen_rows_stay_until_they_are_let_go() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["f"]);
    tick(&mut state, 10_000);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.2")]);
    let new = |state: &State| state.review.updates().last().unwrap().new.clone().unwrap().tag;
    assert_eq!(new(&state), "1.1", "nor does what they say");
    press(&mut state, &["f"]);
    tick(&mut state, 11_000);
    assert_eq!((state.updates.len(), new(&state)), (2, "1.2".to_owned()));
}

#[test]
fn approving_asks_for_nothing_but_to_keep_the_decision() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 1);
    assert!(effects.iter().all(|effect| matches!(effect, Effect::SaveDecisions(_) | Effect::Audit { .. })));
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 0, "Space takes it back");
}

#[test]
fn what_goes_back_is_approved_by_the_second_key_only_and_never_by_all() {
    let mut down = update_named("web 2.0 -> 1.1");
    down.downgrade = true;
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), down]);
    press(&mut state, &["a"]);
    assert_eq!(state.review.tally().approved, 1);
    press(&mut state, &["G", "space"]);
    assert_eq!(state.review.tally().approved, 1);
    assert!(state.status.as_ref().is_some_and(|status| status.text.contains("goes back")));
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 2);
}

#[test]
fn undo_and_redo_walk_decisions() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["a", "s"]);
    assert_eq!(state.review.tally().skipped, 1);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 2);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 0);
    press(&mut state, &["U", "U"]);
    assert_eq!((state.review.tally().approved, state.review.tally().skipped), (1, 1));
}

#[test]
fn a_range_is_decided_at_once() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"]);
    press(&mut state, &["v", "j", "space"]);
    assert_eq!(state.review.tally().approved, 2);
    assert_eq!(state.updates.range(), None);
}

#[test]
fn a_range_that_begins_at_a_row_without_a_choice_still_decides_the_others() {
    let mut blocked = update_named("a 1 -> 2");
    blocked.state = UpdateState::Blocked;
    let mut state = review_of(&[]);
    propose(&mut state, vec![update_named("b 1 -> 2"), blocked]);
    press(&mut state, &["g", "v", "G", "s"]);
    assert_eq!(state.updates.current().unwrap().policy.name, "a");
    assert_eq!(state.review.tally().skipped, 1);
}

#[test]
fn decisions_of_an_earlier_run_are_asked_for_once_and_no_first_key_takes_them_back() {
    let start = || {
        let mut decided = update_named("web 1.0 -> 1.1");
        decided.sites[0].decision = Decision::Approved;
        decided.decision = Decision::Approved;
        let mut state = review_of(&[]);
        propose(&mut state, vec![decided]);
        assert_eq!(state.context(), Context::ConfirmResume);
        state
    };
    for keep in ["y", "esc", "q"] {
        let mut state = start();
        assert_eq!(press(&mut state, &["space", "enter", keep]), []);
        assert_eq!((state.context(), state.review.tally().approved), (Context::View(View::Updates), 1));
        let again = state.review.updates().to_vec();
        propose(&mut state, again);
        assert!(state.overlay.is_none(), "once");
    }
    let mut state = start();
    let effects = press(&mut state, &["n"]);
    assert!(matches!(effects.as_slice(), [Effect::SaveDecisions(_), Effect::Audit { .. }]), "{effects:?}");
    assert_eq!(state.review.tally().approved, 0);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 1);
}

#[test]
fn a_name_that_no_action_has_is_answered_with_the_one_that_was_meant() {
    let mut state = review_of(&[]);
    press(&mut state, &[":", "p", "u", "h", "s", "enter"]);
    let says = state.status.as_ref().unwrap().text.clone();
    assert!(says.contains("did you mean push?"), "{says}");
}

#[test]
fn linked_sites_are_decided_together() {
    let mut linked = update_named("web 1.0 -> 1.1");
    let mut digest = linked.sites[0].clone();
    linked.sites[0].setter = "shop:web:tag".to_owned();
    linked.sites[0].field = ".spec.values.image.tag".to_owned();
    digest.setter = "shop:web:digest".to_owned();
    digest.field = ".spec.values.image.digest".to_owned();
    digest.line += 1;
    let mut alone = digest.clone();
    alone.setter = "shop:web".to_owned();
    alone.line += 1;
    linked.sites.extend([digest, alone]);
    let mut state = review_of(&[]);
    propose(&mut state, vec![linked]);
    press(&mut state, &["enter", "j", "j", "space"]);
    assert!(matches!(state.diff.tree.current(), Some(Node::Site(_, 0))));
    let decisions: Vec<Decision> = state.review.updates()[0].sites.iter().map(|site| site.decision).collect();
    assert_eq!(decisions, [Decision::Approved, Decision::Approved, Decision::Undecided]);
    assert_eq!(state.review.updates()[0].decision, Decision::Partial);
}

#[test]
fn a_newer_tag_does_not_change_what_was_approved() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    tick(&mut state, 5_000);
    propose(&mut state, vec![update_named("web 1.0 -> 1.2")]);
    let update = &state.review.updates()[0];
    assert_eq!(update.new.as_ref().map(|new| new.tag.as_str()), Some("1.1"));
    assert_eq!(state.review.newer.values().collect::<Vec<_>>(), ["1.2"]);
    let effects = press(&mut state, &["r"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { reach: Reach::Remote, .. })));
    tick(&mut state, 6_000);
    world::answer_proposal(&mut state, vec![update_named("web 1.0 -> 1.2")]);
    let update = &state.review.updates()[0];
    assert_eq!(update.new.as_ref().map(|new| new.tag.as_str()), Some("1.2"));
    assert_eq!(update.decision, Decision::Undecided, "nobody approved that tag");
}

#[test]
fn a_decision_of_this_run_wins_over_one_of_an_earlier_run() {
    let mut state = review_of(&[]);
    let mut remembered = update_named("web 1.0 -> 1.1");
    remembered.decide(Decision::Approved);
    propose(&mut state, vec![remembered.clone()]);
    assert_eq!(state.review.tally().approved, 1, "what the journal says counts at first");
    press(&mut state, &["y", "space"]);
    tick(&mut state, 5_000);
    propose(&mut state, vec![remembered]);
    assert_eq!(state.review.tally().approved, 0);
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
    assert!(crate::app::palette::help_rows(&state).iter().any(|row| row.row.id == "decide.approve"));
    press(&mut state, &["d", "e", "c", "i", "d", "e", ".", "a", "p", "p", "enter"]);
    assert_eq!(state.review.tally().approved, 1);
    assert_eq!(state.view(), View::Updates);
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
