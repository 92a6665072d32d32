//! A small world for the tests, and hands to press its keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::{start, update};
use crate::app::effect::Effect;
use crate::app::message::{Loaded, Msg, Proposed};
use crate::app::moment::Moment;
use crate::app::review::Newer;
use crate::app::state::State;
use crate::app::view::{Context, View};
use crate::app::world::Verdict;
use crate::domain::age::Clocks;
use crate::domain::inventory::{Inventory, Object};
use crate::domain::object::{ImagePolicy, ImageRepository, Meta, ObjectId, Origin, PolicyChoice};
use crate::domain::plan::Ground;
use crate::domain::policy::Evaluator;
use crate::domain::proposal::{
    Decision, NewReference, ObjectIdentity, Proposal, Reference, Site, Step, UpdateState,
};
use crate::domain::scan::Scan;
use crate::domain::tags::TagList;
use crate::problem::Problem;

/// The beginning of the tests' time.
pub(super) fn epoch() -> Timestamp {
    Timestamp::from_second(1_795_000_020).unwrap()
}

fn meta(name: &str) -> Meta {
    Meta {
        id: ObjectId::new("shop", name),
        version: "v1".to_owned(),
        labels: BTreeMap::new(),
        origin: Origin { source: "files", file: None, line: None },
    }
}

pub(super) fn repository(name: &str) -> ImageRepository {
    ImageRepository {
        meta: meta(name),
        image: format!("registry.example.com/shop/{name}"),
        ..ImageRepository::of_image("")
    }
}

pub(super) fn policy(name: &str) -> ImagePolicy {
    ImagePolicy {
        meta: meta(name),
        repository: ObjectId::new("shop", name),
        choice: PolicyChoice::default(),
        filter: None,
        digest_policy: crate::domain::object::DigestPolicy::Never,
        interval: None,
        suspend: false,
    }
}

/// Loads two repositories, `web` with cached tags of this moment and `fresh` without.
pub(super) fn ready(state: &mut State) -> Vec<Effect> {
    update(state, Msg::Now(Moment(0), epoch()));
    let effects = start(state);
    let [Effect::Load(job)] = effects.as_slice() else { panic!("no load: {effects:?}") };
    let mut inventory = Inventory::default();
    for name in ["web", "fresh"] {
        inventory.add(Object::Repository(repository(name)));
        inventory.add(Object::Policy(policy(name)));
    }
    let tags = Arc::new(["1.0", "1.1"].into_iter().collect());
    let cached = Scan { tags, scanned: epoch(), new: Arc::default(), transfer: None };
    let loaded = Loaded {
        source: "files:.".to_owned(),
        inventory: Arc::new(inventory),
        problems: Vec::new(),
        cached: BTreeMap::from([(ObjectId::new("shop", "web"), cached)]),
        failed: BTreeMap::new(),
        drafts: Vec::new(),
        live: None,
        without_cluster: false,
    };
    update(state, Msg::Loaded(*job, Ok(Box::new(loaded))))
}

/// An update written as `NAME OLD -> NEW`, with one site.
pub(super) fn update_named(text: &str) -> Proposal {
    let [name, old, _, new] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not an update: {text}")
    };
    let image = format!("registry.example.com/shop/{name}");
    let site = Site {
        file: format!("apps/{name}.yaml"),
        line: 12,
        column: 16,
        setter: format!("shop:{name}"),
        field: ".spec.template.spec.containers[0].image".to_owned(),
        object: ObjectIdentity::default(),
        old: format!("{image}:{old}"),
        new: format!("{image}:{new}"),
        decision: Decision::Undecided,
        blocked: None,
    };
    Proposal {
        policy: ObjectId::new("shop", name),
        automation: ObjectId::new("shop", "apps"),
        image,
        current: vec![old.to_owned()],
        new: Some(NewReference { tag: new.to_owned(), digest: None }),
        step: Some(Step::Minor),
        downgrade: false,
        name_changed: false,
        state: UpdateState::Pending,
        decision: Decision::Undecided,
        hold: None,
        blocked: None,
        why: "greatest of 2 candidates".to_owned(),
        first_seen: None,
        clocks: Clocks::default(),
        sites: vec![site],
        edits: Vec::new(),
    }
}

/// What the automation of the updates stands on.
pub(super) fn ground() -> Ground {
    Ground {
        automation: ObjectId::new("shop", "apps"),
        policies: Vec::new(),
        path: String::new(),
        remote: Some("file:///srv/fleet.git".to_owned()),
        base: None,
        push: None,
        author: crate::domain::object::Person::default(),
        committing: crate::domain::plan::Committing::default(),
        template: "Update images".to_owned(),
        template_values: None,
        warnings: Vec::new(),
        files: Arc::default(),
        problem_files: Vec::new(),
        texts: BTreeMap::new(),
    }
}

/// A loaded state on which these updates are pending, two seconds after the start.
pub(super) fn review_of(updates: &[&str]) -> State {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 2_000);
    scans_over(&mut state);
    propose(&mut state, updates.iter().map(|text| update_named(text)).collect());
    state.status = None;
    state
}

/// The first scans are over, and so is what they set off.
pub(super) fn scans_over(state: &mut State) {
    for (_, scan) in state.scans.iter_mut() {
        scan.running = None;
    }
    state.evaluating.clear();
}

/// Has updates compared and answers with these.
pub(super) fn propose(state: &mut State, updates: Vec<Proposal>) -> Vec<Effect> {
    super::super::compare::propose(state, false, Newer::None);
    answer_proposal(state, updates)
}

/// Answers the comparison under way.
pub(super) fn answer_proposal(state: &mut State, updates: Vec<Proposal>) -> Vec<Effect> {
    let job = state.jobs.propose.expect("a comparison is under way");
    let proposed = Proposed { updates, grounds: Arc::new(vec![ground()]), ..Proposed::default() };
    update(state, Msg::Proposed(job, Ok(proposed)))
}

/// Presses keys, one after another; returns all effects but that what the palette ran is kept.
pub(super) fn press(state: &mut State, keys: &[&str]) -> Vec<Effect> {
    let effects = keys.iter().flat_map(|key| update(state, Msg::Key(key.parse().unwrap())));
    effects.filter(|effect| !matches!(effect, Effect::SaveCommands(_))).collect()
}

/// Lets the clock show so many milliseconds since the start.
pub(super) fn tick(state: &mut State, at: u64) -> Vec<Effect> {
    let now = epoch() + jiff::SignedDuration::from_millis(i64::try_from(at).unwrap());
    update(state, Msg::Now(Moment(at), now))
}

/// What a person sees and would miss.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    view: View,
    context: Context,
    cursor: usize,
    window: std::ops::Range<usize>,
    typed: Option<String>,
}

impl Seen {
    pub(super) fn of(state: &State) -> Self {
        Self {
            view: state.view(),
            context: state.context(),
            cursor: state.updates.cursor(),
            window: state.updates.window(state.layout().rows()),
            typed: state.filter.as_ref().map(|field| field.text().to_owned()),
        }
    }
}

/// A verdict that selects `1.1`, asks for its digest again at this time, and could not read it for that reason.
pub(super) fn verdict_asking(ask_again: Option<Timestamp>, problem: Option<Problem>) -> Verdict {
    let tags: Arc<TagList> = Arc::new(["1.0", "1.1"].into_iter().collect());
    let evaluator = Arc::new(Evaluator::new(&PolicyChoice::default(), None, &[]));
    let evaluation = Arc::new(evaluator.evaluate(&tags));
    let order = evaluator.order(&tags, &evaluation);
    let reference =
        Reference { image: "registry.example.com/shop/web".into(), tag: "1.1".into(), digest: None };
    let (reference, took) = (Some(reference), std::time::Duration::ZERO);
    Verdict { tags, evaluator, evaluation, order, reference, problem, took, ask_again }
}
