use super::*;
use crate::app::world::{Compared, Live};
use crate::domain::controller::{Beside, Cause, LastScan, Reported, Reports};
use crate::domain::object::Kind;
use crate::domain::proposal::Reference;

fn unreachable() -> Problem {
    Problem::new(Code::Unreachable, "away", "list API groups: the API server was not reached")
}

/// The number of the load that these effects ask for.
fn load_of(effects: &[Effect]) -> JobId {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Load(job) | Effect::UseContext(job, _) => Some(*job),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_source_that_was_not_reached_is_asked_again_after_five_seconds_and_by_itself() {
    let mut state = State::default();
    let job = load_of(&start(&mut state));
    update(&mut state, Msg::Now(Moment(1_000), epoch()));
    update(&mut state, Msg::Loaded(job, Err(unreachable())));
    assert!(matches!(state.phase, Phase::Failed(_)));
    assert!(state.wake_at() <= Moment(2_000), "the seconds are counted");
    let effects = update(&mut state, Msg::Now(Moment(5_900), epoch()));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Load(_))), "{effects:?}");
    let again = load_of(&update(&mut state, Msg::Now(Moment(6_000), epoch())));
    update(&mut state, Msg::Loaded(again, Err(unreachable())));
    assert_eq!(state.retry, Some(Moment(11_000)));
    let denied = Problem::new(Code::ClusterForbidden, "away", "not allowed to list imagepolicies");
    let last = load_of(&update(&mut state, Msg::Now(Moment(11_000), epoch())));
    update(&mut state, Msg::Loaded(last, Err(denied)));
    assert_eq!(state.retry, None, "asking again would not help");
}

#[test]
fn a_lost_cluster_is_said_once_and_what_was_read_stays() {
    let mut state = State::default();
    ready(&mut state);
    let lost = || Msg::ClusterLost(Some((epoch(), unreachable())));
    update(&mut state, lost());
    update(&mut state, lost());
    assert_eq!((state.lost, state.errors.len()), (Some(epoch()), 1));
    assert_eq!(state.errors.entries()[0].count, 1);
    assert!(!state.inventory.policies.is_empty());
    let expired = Problem::new(Code::ClusterUnauthorized, "prod", "the API server does not accept the login");
    update(&mut state, Msg::ClusterLost(Some((epoch(), expired.clone()))));
    assert_eq!(state.errors.len(), 1, "the newest reason takes the place of the one before");
    assert_eq!(state.errors.entries()[0].problem, expired);
    update(&mut state, Msg::ClusterLost(None));
    assert_eq!((state.lost, state.errors.len()), (None, 0));
}

#[test]
fn files_that_go_on_without_the_cluster_say_so_until_it_answers() {
    let mut state = State::default();
    ready(&mut state);
    let mut load = |without_cluster: bool| {
        let effects = update(&mut state, Msg::SourceChanged);
        let loaded = Loaded {
            source: "files:.".to_owned(),
            inventory: Arc::clone(&state.inventory),
            problems: Vec::new(),
            cached: BTreeMap::new(),
            failed: BTreeMap::new(),
            drafts: Vec::new(),
            live: None,
            without_cluster,
        };
        update(&mut state, Msg::Loaded(load_of(&effects), Ok(Box::new(loaded))));
        state.lost
    };
    let since = load(true);
    assert!(since.is_some());
    assert_eq!((load(true), load(false)), (since, None));
}

#[test]
fn another_context_is_read_at_once_unless_something_is_approved() {
    let mut state = State::default();
    ready(&mut state);
    state.contexts = vec!["staging".to_owned(), "prod-eu".to_owned()];
    (state.jobs.fetch_again, state.jobs.take_newer) = (true, crate::app::review::Newer::All);
    let effects = change_context(&mut state);
    assert_eq!(state.jobs.take_newer, crate::app::review::Newer::None, "that was asked of the other one");
    assert!(!state.jobs.fetch_again);
    let [Effect::UseContext(job, context)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((context.as_str(), state.source.as_str()), ("prod-eu", "prod-eu"));
    assert!(state.inventory.is_empty(), "what is shown is never another context's");
    assert_eq!(state.compared, Compared::Never, "that nothing is pending is not claimed before it is known");
    assert!(state.review.grounds.is_empty() && state.jobs.propose.is_none());
    update(&mut state, Msg::Loaded(*job, Err(unreachable())));
    assert!(matches!(state.phase, Phase::Failed(_)));
    let back = change_context(&mut state);
    assert!(
        matches!(back.as_slice(), [Effect::UseContext(..)]),
        "also from one that is not reached: {back:?}"
    );

    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.contexts = vec!["prod-eu".to_owned()];
    press(&mut state, &["space"]);
    assert_eq!(change_context(&mut state), vec![]);
    assert!(state.status.unwrap().text.starts_with("updates are approved"));
}

fn change_context(state: &mut State) -> Vec<Effect> {
    change_to(state, "ctx prod-eu")
}

fn change_to(state: &mut State, command: &str) -> Vec<Effect> {
    press(state, &[":"]);
    update(state, Msg::Paste(command.to_owned()));
    press(state, &["enter"])
}

#[test]
fn a_context_that_is_not_there_is_named_with_those_that_are() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    assert_eq!(change_to(&mut state, "ctx nope"), vec![]);
    assert_eq!(
        state.status.as_ref().unwrap().text,
        "no kube context is called nope: the kubeconfig has none"
    );
    state.contexts = vec!["staging".to_owned(), "prod-eu".to_owned()];
    change_to(&mut state, "ctx nope");
    assert_eq!(state.status.unwrap().text, "no kube context is called nope; there are: staging, prod-eu");
}

/// How the policy `shop/web` stands when its controller selects this tag.
fn beside(state: &mut State, tag: &str) -> (Beside, &'static str) {
    let id = ObjectId::new("shop", "web");
    let image = "registry.example.com/shop/web".to_owned();
    let policy = Reported {
        generation: 1,
        observed_generation: Some(1),
        latest: Some(Reference { image, tag: tag.to_owned(), digest: None }),
        ..Reported::default()
    };
    let scan = LastScan { time: epoch(), tags: 2, revision: None };
    let repository = Reported { last_scan: Some(scan), ..Reported::default() };
    let reports = Reports::from([
        ((Kind::ImagePolicy, id.clone()), policy),
        ((Kind::ImageRepository, id.clone()), repository),
    ]);
    state.live = Some(Live { reports: Arc::new(reports), ..Live::default() });
    (state.beside(&id), rows::policy_word(state, &id))
}

#[test]
fn a_policy_of_which_the_controller_selects_another_tag_differs() {
    let mut state = State::default();
    ready(&mut state);
    assert_eq!(beside(&mut state, "1.0").0, Beside::Unknown, "nothing is selected here yet");
    state.verdicts.insert(ObjectId::new("shop", "web"), Arc::new(verdict_asking(None, None)));
    // Both scanned at the same moment, so that tells no cause.
    assert_eq!(beside(&mut state, "1.0"), (Beside::Differs(Cause::Unclear), "differs"));
    assert_eq!(beside(&mut state, "1.1").0, Beside::Agrees);
    state.live = None;
    assert_eq!(state.beside(&ObjectId::new("shop", "web")), Beside::Unknown);
}
