//! What the engine answers becomes rows, errors and the next questions.

use super::*;

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
    assert_eq!(reach(&super::super::compare::propose(&mut state, false, Newer::None)), Some(Reach::Kept));
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
fn a_key_that_is_about_no_row_leaves_the_cursor_on_the_first_one() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 10);
    propose(&mut state, vec![update_named("web 1.0 -> 1.1")]);
    press(&mut state, &["3", "1"]);
    tick(&mut state, 1_000);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.current().unwrap().policy.name, "api");
    press(&mut state, &["space"]);
    tick(&mut state, 2_000);
    let names = ["aaa 1.0 -> 1.1", "api 1.0 -> 1.1", "web 1.0 -> 1.1"];
    propose(&mut state, names.map(update_named).to_vec());
    assert_eq!(state.updates.current().unwrap().policy.name, "api", "it was decided about");
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
    update(&mut state, Msg::ScanFailed { job, repository: ids[0].clone(), problem: problem.clone() });
    assert_eq!(state.scans.get(&ids[0]).and_then(|scan| scan.error.clone()), Some(problem));
    assert_eq!(state.errors.len(), 1);
    assert_eq!(state.scan_totals().failed, 1);
    assert!(state.scans.get(&ids[0]).is_some_and(|scan| scan.due.is_some()), "it is tried again by itself");
}

#[test]
fn a_registry_that_asks_for_a_pause_is_asked_again_when_it_is_over_and_the_row_says_when() {
    let mut state = State::default();
    ready(&mut state);
    let fresh = ObjectId::new("shop", "fresh");
    for (round, seconds) in [900, 600].into_iter().enumerate() {
        let job = state.scans.get(&fresh).and_then(|scan| scan.running).unwrap().job;
        let problem = Problem {
            retry_after: std::num::NonZeroU32::new(seconds),
            ..Problem::new(Code::RateLimited, "shop/fresh", "429").hint(format!("Wait {seconds} s."))
        };
        update(&mut state, Msg::ScanFailed { job, repository: fresh.clone(), problem });
        let scan = state.scans.get(&fresh).unwrap();
        let seconds = u64::from(seconds);
        let at = state.now + Duration::from_secs(seconds);
        assert_eq!((scan.retry, scan.due), (Some(at), Some(state.at.plus(seconds * 1000))));
        let [entry] = state.errors.entries() else { panic!("{:?}", state.errors) };
        assert_eq!(entry.count, round + 1, "what is left to wait makes no other problem of it");
        let before = state.at.plus(seconds * 1000 - 1);
        tick(&mut state, before.0);
        assert!(state.scans.get(&fresh).unwrap().running.is_none());
        tick(&mut state, before.0 + 1);
        assert!(state.scans.get(&fresh).unwrap().running.is_some(), "by itself");
    }
}

#[test]
fn too_many_requests_says_when_it_is_tried_again_though_the_registry_did_not() {
    let mut state = State::default();
    ready(&mut state);
    let fresh = ObjectId::new("shop", "fresh");
    let job = state.scans.get(&fresh).and_then(|scan| scan.running).unwrap().job;
    let problem = Problem::new(Code::RateLimited, "shop/fresh", "429");
    update(&mut state, Msg::ScanFailed { job, repository: fresh.clone(), problem });
    let retry = state.scans.get(&fresh).and_then(|scan| scan.retry);
    assert_eq!(retry, Some(state.now + Duration::from_mins(1)), "after the interval");
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
fn a_tag_that_was_moved_is_said_and_asked_about_anew() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let web = ObjectId::new("shop", "web");
    let said = |state: &State| state.status.as_ref().map(|status| status.text.clone());
    let moved = |repository: &ObjectId, moved: &[&str]| Msg::TagsMoved {
        repository: repository.clone(),
        moved: moved.iter().map(|tag| (*tag).to_owned()).collect(),
        all: ["1.0", "1.1"].map(str::to_owned).to_vec(),
    };
    update(&mut state, moved(&web, &["1.0"]));
    assert!(state.facts.is_moved(&web, "1.0") && state.facts.is_moved(&web, "1.1"));
    assert_eq!(said(&state).as_deref(), Some("shop/web: 1.0 was moved to another digest"));
    update(&mut state, moved(&web, &["1.0", "1.1"]));
    assert_eq!(said(&state).as_deref(), Some("shop/web: 2 tags were moved to other digests"));
    let gone = ObjectId::new("shop", "gone");
    assert_eq!(update(&mut state, moved(&gone, &["1.0"])), []);
    assert!(!state.facts.is_moved(&gone, "1.0"));
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
        failed: BTreeMap::from([(web.clone(), Problem::new(Code::Unreachable, "shop/web", "gone"))]),
        drafts: vec![],
        live: None,
        without_cluster: false,
    };
    let effects = update(&mut state, Msg::Loaded(*job, Ok(Box::new(loaded))));
    let scanned = effects.iter().find_map(|effect| match effect {
        Effect::Scan(_, repositories) => Some(repositories.clone()),
        _ => None,
    });
    assert_eq!(scanned, Some(vec![ObjectId::new("shop", "late"), web.clone()]), "it is of another image");
    assert!(state.scans.get(&fresh).is_none() && !state.verdicts.contains_key(&web));
    let failed = |id: &ObjectId| state.scans.get(id).is_some_and(|scan| scan.error.is_some());
    assert!(failed(&web) && !failed(&ObjectId::new("shop", "late")), "an earlier run's scan had failed");
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
    assert!(update(&mut state, Msg::PushesSettled(settled.clone())).is_empty(), "the engine wrote it down");
    assert_eq!(state.status.as_ref().map(|status| status.text.clone()), Some(settled[0].to_string()));
    assert!(state.errors.entries().is_empty());
    tick(&mut state, 3_600_000);
    state.tell(Level::Info, "3 new tags");
    assert_eq!(state.status.as_ref().map(|status| status.level), Some(Level::News), "nobody was there yet");
    update(&mut state, Msg::Key(Key::char('j')));
    assert_eq!(state.status, None);
    let settled = vec![cut_off(Fate::NotLanded("declined".into()))];
    update(&mut state, Msg::PushesSettled(settled.clone()));
    let [entry] = state.errors.entries() else { panic!("{:?}", state.errors) };
    assert_eq!(entry.problem, Problem::from(&settled[0]));
    let pending = vec![cut_off(Fate::Pending("main is still at 4c1f0e2".into()))];
    for _look in 0..2 {
        assert!(update(&mut state, Msg::PushesSettled(pending.clone())).is_empty(), "it has not ended");
        assert_eq!(state.errors.entries().len(), 2, "it is told once");
    }
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
        fix: Some(Fix::Comment("{\"$imagepolicy\": \"a:b\"}".to_owned())),
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
fn images_without_a_marker_are_looked_for_once_for_each_commit_and_told_below_what_is_wrong() {
    let mut state = review_of(&[]);
    let web = ObjectId::new("shop", "web");
    let looks = |state: &mut State, commit: &str| {
        let (reference, commit) = ("refs/heads/main".to_owned(), commit.to_owned());
        let base = Base { reference, commit, fetched: world::epoch(), stale: false };
        let grounds = vec![Ground { base: Some(base), policies: vec![web.clone()], ..world::ground() }];
        let job = JobId(700);
        state.jobs.propose = Some(job);
        let proposed = Proposed { grounds: Arc::new(grounds), ..Proposed::default() };
        let effects = update(state, Msg::Proposed(job, Ok(proposed)));
        effects.into_iter().find_map(|effect| match effect {
            Effect::LookThrough(job) => Some(job),
            _ => None,
        })
    };
    let first = looks(&mut state, "a").expect("a commit that nobody has looked through");
    assert_eq!(looks(&mut state, "a"), None, "it was asked for");
    let second = looks(&mut state, "b").expect("another commit");

    let found = |policies: &[&ObjectId]| {
        let images = policies.iter().map(|policy| Unmarked {
            file: "a.yaml".to_owned(),
            line: 3,
            image: "o/web:1".to_owned(),
            fix: "Put it there.".to_owned(),
            policies: vec![(*policy).clone()],
        });
        let unmarked = BTreeMap::from([(ObjectId::new("shop", "apps"), images.collect())]);
        Box::new(LookedThrough { unmarked, ..LookedThrough::default() })
    };
    update(&mut state, Msg::LookedThrough(first, found(&[&web])));
    assert!(
        state.unmarked.found.is_empty() && state.errors.is_empty(),
        "that answer is of files that were before"
    );
    update(&mut state, Msg::LookedThrough(second, found(&[&web])));
    let problem = Problem::new(Code::Unreachable, "registry", "connection refused");
    update(&mut state, Msg::Warned(problem));
    let said: Vec<_> = state.errors.entries().iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(said, ["supercargo", "shop/apps unmarked images"]);
    assert_eq!((state.errors.problems(), state.errors.notes()), (1, 1), "nothing is wrong with them");
    update(&mut state, Msg::LookedThrough(second, found(&[&ObjectId::new("other", "web")])));
    assert_eq!(state.errors.notes(), 0, "the automation has no policy for it");
    let mut around = found(&[]);
    let file = BadFile {
        file: "old/b.yaml".into(),
        line: 2,
        column: 1,
        message: "did not find expected key".into(),
        fix: MEND_FILE.into(),
    };
    around.survey.files = vec![file];
    let image = Unmarked {
        file: "old/a.yaml".into(),
        line: 1,
        image: "o/web:1".into(),
        fix: "Put it there.".into(),
        policies: vec![web.clone()],
    };
    around.elsewhere = BTreeMap::from([(Some("https://git.example.com/fleet".to_owned()), vec![image])]);
    update(&mut state, Msg::LookedThrough(second, around));
    let said: Vec<_> = state.errors.entries().iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(said, ["old/b.yaml:2 file", "supercargo", "https://git.example.com/fleet unmarked images"]);
    update(&mut state, Msg::LookedThrough(second, found(&[])));
    assert_eq!(state.errors.entries().len(), 1, "mended, and marked");
    state.compared = Compared::Partly;
    state.scans.entry(&web).running =
        Some(Running { job: JobId(701), since: state.at, seen: 0, expected: None, digests: Reach::Recent });
    assert_eq!(looks(&mut state, "c"), None, "a start is not slowed down");
}

#[test]
fn rows_are_rebuilt_once_for_all_scans_that_end_within_a_moment() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 5_000);
    press(&mut state, &["2"]);
    state.repositories.sort = 4;
    rows::refresh(&mut state);
    let first = |state: &State| state.repositories.rows()[0].name.clone();
    let before = first(&state);
    let last = state.repositories.rows().last().unwrap().clone();
    press(&mut state, &["R"]);
    tick(&mut state, 9_000);
    let running = state.scans.get(&last).and_then(|scan| scan.running).unwrap();
    let problem = Problem::new(Code::Unreachable, last.to_string(), "connection refused");
    update(&mut state, Msg::ScanFailed { job: running.job, repository: last.clone(), problem });
    assert_eq!(first(&state), before, "not for each of them");
    assert_eq!(state.wake_at(), Moment(9_050), "the row does not wait for anything else to happen");
    tick(&mut state, 9_050);
    assert_eq!(first(&state), last.name, "what failed comes first");
}

#[test]
fn a_file_that_cannot_be_read_is_told_once_however_many_automations_find_it() {
    let mut state = review_of(&[]);
    let compare = |state: &mut State, problem_files: Vec<ProblemFile>| {
        let job = JobId(7);
        state.jobs.propose = Some(job);
        let ground = Ground { problem_files, ..world::ground() };
        let grounds = Arc::new(vec![ground.clone(), ground]);
        update(state, Msg::Proposed(job, Ok(Proposed { grounds, ..Proposed::default() })));
    };
    let error = YamlError { line: 4, column: 1, message: "did not find expected key".to_owned() };
    compare(&mut state, vec![ProblemFile { path: "apps/a.yaml".to_owned(), error }]);
    let [entry] = state.errors.entries() else { panic!("{:?}", state.errors) };
    assert_eq!(entry.what, "apps/a.yaml:4 file");
    assert!(entry.problem.hint.is_some());
    compare(&mut state, Vec::new());
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
