//! Which rows each list shows, in which order.
//!
//! Rows are rebuilt from what is known whenever that changes; [`super::list::List`] keeps the cursor on its object.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::list::{Filter, Searchable};
use super::review::{Target, UpdateId, step_order};
use super::state::{Node, State};
use super::view::View;
use crate::domain::lint::{self, BrokenChain, Link};
use crate::domain::object::ObjectId;
use crate::domain::policy::TagState;
use crate::domain::proposal::{Proposal, UpdateState};

/// The orders that a view offers; the first is the default.
pub fn sorts(view: View) -> &'static [&'static str] {
    match view {
        View::Updates => &["age", "policy", "step", "automation"],
        View::Repositories => &["name", "new", "tags", "last scan", "problems first"],
        View::Tags => &["policy order", "tag", "state", "seen"],
        View::Policies => &["problems first", "name", "kind"],
        View::Automations => &["problems first", "name"],
        View::Plan | View::Diff | View::Message | View::Push | View::Errors | View::Help | View::Start => &[],
    }
}

/// The filter of a view's list.
pub fn filter(state: &State, view: View) -> Option<&Filter> {
    match view {
        View::Updates => Some(&state.updates.filter),
        View::Repositories => Some(&state.repositories.filter),
        View::Tags => Some(&state.tags.list.filter),
        View::Policies => Some(&state.policies.filter),
        View::Automations => Some(&state.automations.filter),
        View::Plan | View::Diff | View::Message | View::Push | View::Errors | View::Help | View::Start => {
            None
        }
    }
}

/// The same, to change it.
pub fn filter_mut(state: &mut State, view: View) -> Option<&mut Filter> {
    match view {
        View::Updates => Some(&mut state.updates.filter),
        View::Repositories => Some(&mut state.repositories.filter),
        View::Tags => Some(&mut state.tags.list.filter),
        View::Policies => Some(&mut state.policies.filter),
        View::Automations => Some(&mut state.automations.filter),
        View::Plan | View::Diff | View::Message | View::Push | View::Errors | View::Help | View::Start => {
            None
        }
    }
}

/// How many rows a view's list shows, and how many it would show without its filter.
pub fn counts(state: &State, view: View) -> (usize, usize) {
    match view {
        View::Updates => (state.updates.len(), state.review.updates().len()),
        View::Repositories => (state.repositories.len(), state.inventory.repositories.len()),
        View::Tags => (state.tags.list.len(), state.tags.tags.len()),
        View::Policies => (state.policies.len(), state.inventory.policies.len()),
        View::Automations => (state.automations.len(), state.inventory.automations.len()),
        View::Plan => (state.plan.len(), state.plan.len()),
        View::Errors => (state.errors.len(), state.errors.len()),
        View::Diff | View::Message | View::Push | View::Help | View::Start => (0, 0),
    }
}

/// What a filter looks at in a row that is neither a tag nor huge in number.
struct Row {
    text: String,
    namespace: String,
    state: String,
    kind: String,
}

impl Searchable for Row {
    fn text(&self) -> &str {
        &self.text
    }

    fn field(&self, name: &str) -> Option<&str> {
        match name {
            "ns" => Some(&self.namespace),
            "state" => Some(&self.state),
            "step" | "kind" => Some(&self.kind),
            _ => None,
        }
    }
}

/// Rebuilds the rows of every list but S3's, which only its own tags and policy change.
pub fn refresh(state: &mut State) {
    state.settle_preview();
    updates(state);
    repositories(state);
    policies(state);
    automations(state);
    plan(state);
    tree(state);
    // An object that came early is not one that somebody chose: until then the cursor is on the first row.
    if state.is_filling() {
        for list in [&mut state.repositories, &mut state.policies, &mut state.automations] {
            list.go_to_index(0);
        }
        state.updates.go_to_index(0);
    }
}

/// Rebuilds the rows of one view's list.
pub fn refresh_view(state: &mut State, view: View) {
    match view {
        View::Updates => updates(state),
        View::Repositories => repositories(state),
        View::Tags => tags(state),
        View::Policies => policies(state),
        View::Automations => automations(state),
        View::Plan => plan(state),
        View::Diff => tree(state),
        View::Message | View::Push | View::Errors | View::Help | View::Start => {}
    }
}

/// Keeps only rows that the filter admits.
fn admitted<K>(filter: &Filter, rows: Vec<K>, look: impl Fn(&K) -> Row) -> Vec<K> {
    if filter.is_empty() {
        return rows;
    }
    let mut matcher = filter.matcher();
    rows.into_iter().filter(|row| matcher.admits(&look(row))).collect()
}

/// S1's rows: pending ones in the chosen order, then held, then blocked.
pub fn updates(state: &mut State) {
    let review = &state.review;
    let found = in_order(state);
    let look = |id: &UpdateId| {
        let update = review.get(id);
        let new = update.and_then(|update| update.new.as_ref()).map_or("", |new| &new.tag);
        Row {
            text: format!(
                "{} {} {} {new}",
                id.policy,
                id.automation,
                update.map_or("", |update| &update.image)
            ),
            namespace: id.policy.namespace.clone(),
            state: update.map_or("", |update| state_word(update)).to_owned(),
            kind: update
                .and_then(|update| update.step)
                .map_or("", crate::domain::proposal::Step::word)
                .to_owned(),
        }
    };
    let rows = admitted(&state.updates.filter, found.into_iter().map(UpdateId::of).collect(), look);
    state.updates.set_rows(rows);
}

/// All updates in the order of S1.
fn in_order(state: &State) -> Vec<&Proposal> {
    let sort = state.updates.sort;
    let mut found: Vec<&Proposal> = state.review.updates().iter().collect();
    found.sort_by(|a, b| {
        let order = match sort {
            1 => Ordering::Equal,
            2 => step_order(a.step).cmp(&step_order(b.step)),
            3 => a.automation.cmp(&b.automation),
            // The newest first; those that were never seen to appear are the oldest.
            _ => b.first_seen.cmp(&a.first_seen),
        };
        let order = order.then_with(|| UpdateId::of(a).cmp(&UpdateId::of(b)));
        let order = if state.updates.reverse { order.reverse() } else { order };
        standing(a).cmp(&standing(b)).then(order)
    });
    found
}

fn standing(update: &Proposal) -> u8 {
    match update.state {
        UpdateState::Pending => 0,
        UpdateState::Held => 1,
        UpdateState::Blocked => 2,
    }
}

/// The word that `state:` finds an update by.
fn state_word(update: &Proposal) -> &'static str {
    use crate::domain::proposal::Decision;
    match (update.state, update.overall()) {
        (UpdateState::Held, _) => "held",
        (UpdateState::Blocked, _) => "blocked",
        (UpdateState::Pending, Decision::Approved) => "approved",
        (UpdateState::Pending, Decision::Skipped) => "skipped",
        (UpdateState::Pending, Decision::Partial) => "partial",
        (UpdateState::Pending, Decision::Undecided) => "undecided",
    }
}

/// S2's rows.
pub fn repositories(state: &mut State) {
    let scans = &state.scans;
    let scan = |id: &ObjectId| scans.get(id);
    let found = |id: &ObjectId| scan(id).and_then(|scan| scan.found.as_ref());
    let mut rows: Vec<ObjectId> = state.inventory.repositories.keys().cloned().collect();
    let sort = state.repositories.sort;
    rows.sort_by(|a, b| {
        let by = match sort {
            1 => found(b).map(|found| found.new.len()).cmp(&found(a).map(|found| found.new.len())),
            2 => found(b).map(|found| found.tags.len()).cmp(&found(a).map(|found| found.tags.len())),
            3 => found(b).map(|found| found.scanned).cmp(&found(a).map(|found| found.scanned)),
            4 => {
                let fails = |id| Reverse(scan(id).is_some_and(|scan| scan.error.is_some()));
                fails(a).cmp(&fails(b))
            }
            _ => Ordering::Equal,
        };
        by.then_with(|| a.cmp(b))
    });
    turn(&mut rows, state.repositories.reverse);
    let look = |id: &ObjectId| {
        let image = state.inventory.repositories.get(id).map_or("", |repository| &repository.image);
        let word = match scan(id) {
            Some(scan) if scan.running.is_some() => "scanning",
            Some(scan) if scan.error.is_some() => "failed",
            Some(_) => "ok",
            None => "unscanned",
        };
        Row {
            text: format!("{id} {image}"),
            namespace: id.namespace.clone(),
            state: word.to_owned(),
            kind: String::new(),
        }
    };
    let rows = admitted(&state.repositories.filter, rows, look);
    state.repositories.set_rows(rows);
}

/// S4's rows.
pub fn policies(state: &mut State) {
    let mut rows: Vec<ObjectId> = state.inventory.policies.keys().cloned().collect();
    let kind = |id: &ObjectId| {
        let policy = state.inventory.policies.get(id);
        policy.and_then(|policy| policy.choice.kind_and_rule()).map_or("", |(kind, _)| kind)
    };
    let sort = state.policies.sort;
    // Finding out how a policy stands takes a look at every marker; once a policy is enough.
    let ranks: BTreeMap<ObjectId, u8> = match sort {
        0 => rows.iter().map(|id| (id.clone(), policy_rank(state, id))).collect(),
        _ => BTreeMap::new(),
    };
    rows.sort_by(|a, b| {
        let by = match sort {
            0 => ranks.get(a).cmp(&ranks.get(b)),
            2 => kind(a).cmp(kind(b)),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.cmp(b))
    });
    turn(&mut rows, state.policies.reverse);
    let look = |id: &ObjectId| Row {
        text: format!("{id} {}", latest(state, id).unwrap_or_default()),
        namespace: id.namespace.clone(),
        state: policy_word(state, id).to_owned(),
        kind: kind(id).to_owned(),
    };
    let rows = admitted(&state.policies.filter, rows, look);
    state.policies.set_rows(rows);
}

/// The tag that a policy selects here.
pub fn latest<'a>(state: &'a State, policy: &ObjectId) -> Option<&'a str> {
    state.verdicts.get(policy)?.reference.as_ref().map(|reference| reference.tag.as_str())
}

/// The tags that the marked files hold for `policy`; of updates that wait, and what the others were brought to.
pub fn tags_in_files<'a>(state: &'a State, policy: &ObjectId) -> Vec<&'a str> {
    let waiting = state.review.updates().iter().filter(|update| update.policy == *policy);
    let mut tags: Vec<&str> = waiting.flat_map(|update| update.current.iter().map(String::as_str)).collect();
    if tags.is_empty() && sites_of(state, policy) > 0 {
        tags.extend(latest(state, policy));
    }
    tags
}

/// What S4 says of a policy: `ok`, `fails`, `selects nothing`, `unused`, `no automation`, `no source`, `suspended`,
/// `no access`, `access unknown`, or `waiting`.
pub fn policy_word(state: &State, id: &ObjectId) -> &'static str {
    let Some(policy) = state.inventory.policies.get(id) else { return "gone" };
    let chain = state.review.survey.chains.get(id);
    // An automation that does not run keeps the controller from writing, not us.
    let is_reached = |chain: &&BrokenChain| chain.link == Link::Automation && sites_of(state, id) > 0;
    if let Some(chain) = chain.filter(|chain| !is_reached(chain)) {
        return chain.status;
    }
    match state.verdicts.get(id).map(|verdict| &verdict.problem) {
        Some(Some(problem)) => lint::status_of(&state.inventory, policy, problem),
        Some(None) => "ok",
        None if policy.suspend => "suspended",
        None => "waiting",
    }
}

/// How many marked scalars name the policy, in files of automations that may use it; one that several automations
/// reach is one.
pub fn sites_of(state: &State, policy: &ObjectId) -> usize {
    named_by(state, policy).collect::<BTreeSet<_>>().len()
}

/// Remote, file and first byte of each marked scalar that names the policy.
fn named_by<'a>(
    state: &'a State,
    policy: &'a ObjectId,
) -> impl Iterator<Item = (Option<&'a str>, &'a str, usize)> {
    let names = move |setter: &str| {
        let mut parts = setter.split(':');
        parts.next() == Some(&policy.namespace) && parts.next() == Some(&policy.name)
    };
    let grounds = state.review.grounds.iter().filter(move |ground| ground.policies.contains(policy));
    let files = grounds.flat_map(|ground| ground.files.iter().map(move |file| (ground, file)));
    let sites = files.flat_map(|(ground, file)| file.sites.iter().map(move |site| (ground, file, site)));
    sites
        .filter(move |(_, _, site)| names(&site.setter))
        .map(|(ground, file, site)| (ground.remote.as_deref(), file.path.as_str(), site.span.start))
}

fn policy_rank(state: &State, id: &ObjectId) -> u8 {
    match policy_word(state, id) {
        "fails" => 0,
        "no access" | "access unknown" => 1,
        "selects nothing" => 2,
        "waiting" => 3,
        "no automation" | "no source" | "unused" => 4,
        "suspended" => 6,
        _ => 5,
    }
}

/// S6's rows.
pub fn automations(state: &mut State) {
    let inventory = &state.inventory;
    let mut rows: Vec<ObjectId> = inventory.automations.keys().cloned().collect();
    let sort = state.automations.sort;
    let standings = &state.review.survey.automations;
    let healthy = |id: &ObjectId| standings.get(id).is_none_or(|standing| !standing.is_broken);
    rows.sort_by(|a, b| {
        let by = if sort == 0 { healthy(a).cmp(&healthy(b)) } else { Ordering::Equal };
        by.then_with(|| a.cmp(b))
    });
    turn(&mut rows, state.automations.reverse);
    let look = |id: &ObjectId| Row {
        text: id.to_string(),
        namespace: id.namespace.clone(),
        state: standings.get(id).map_or("", |standing| standing.word).to_owned(),
        kind: String::new(),
    };
    let rows = admitted(&state.automations.filter, rows, look);
    state.automations.set_rows(rows);
}

fn turn<K>(rows: &mut [K], reverse: bool) {
    if reverse {
        rows.reverse();
    }
}

/// The plan's rows: approved updates by automation, then policy.
pub fn plan(state: &mut State) {
    let mut rows: Vec<UpdateId> = state.review.approved().map(UpdateId::of).collect();
    rows.sort_by(|a, b| (&a.automation, &a.policy).cmp(&(&b.automation, &b.policy)));
    state.plan.set_rows(rows);
}

/// S7's rows: updates that can be made, in the order of S1, their files, their sites, as far as they are unfolded.
pub fn tree(state: &mut State) {
    let mut rows = Vec::new();
    let folded = &state.diff.folded;
    for update in in_order(state).into_iter().filter(|update| update.state == UpdateState::Pending) {
        let id = UpdateId::of(update);
        let node = Node::Update(id.clone());
        let is_folded = folded.contains(&node);
        rows.push(node);
        if is_folded {
            continue;
        }
        let mut last = "";
        for (index, site) in update.sites.iter().enumerate() {
            if site.file != last {
                rows.push(Node::File(id.clone(), site.file.clone()));
                last = &site.file;
            }
            if !folded.contains(&Node::File(id.clone(), site.file.clone())) {
                rows.push(Node::Site(id.clone(), index));
            }
        }
    }
    state.diff.tree.set_rows(rows);
}

/// What a decision on a row of S7's tree is about.
pub fn target(node: &Node) -> Target {
    match node {
        Node::Update(id) => Target::update(id.clone()),
        Node::File(id, file) => Target { update: id.clone(), file: Some(file.clone()), site: None },
        Node::Site(id, site) => Target { update: id.clone(), file: None, site: Some(*site) },
    }
}

/// The file that a row of S7's tree is about: its own, or the update's first.
pub fn file_of<'a>(state: &'a State, node: &'a Node) -> Option<&'a str> {
    match node {
        Node::File(_, file) => Some(file),
        Node::Site(id, site) => Some(&state.review.get(id)?.sites.get(*site)?.file),
        Node::Update(id) => Some(&state.review.get(id)?.sites.first()?.file),
    }
}

/// The policies that read the repository of S3, by name.
pub fn policies_of_tags(state: &State) -> Vec<&ObjectId> {
    let Some(repository) = &state.tags.repository else { return Vec::new() };
    let policies = state.inventory.policies.values();
    policies.filter(|policy| policy.repository == *repository).map(|policy| &policy.meta.id).collect()
}

/// A tag and its state, as S3's filter sees them.
struct TagLook<'a> {
    tag: &'a str,
    state: &'a str,
}

impl Searchable for TagLook<'_> {
    fn text(&self) -> &str {
        self.tag
    }

    fn field(&self, name: &str) -> Option<&str> {
        (name == "state").then_some(self.state)
    }
}

/// S3's rows: the tags in the policy's order, or as listed without a policy.
///
/// 100,000 tags pass here at every key of the filter, so nothing is copied but row numbers.
pub fn tags(state: &mut State) {
    let Some(repository) = &state.tags.repository else { return };
    let verdict = state.tags.policy.as_ref().and_then(|policy| state.verdicts.get(policy)).cloned();
    let scanned =
        state.scans.get(repository).and_then(|scan| scan.found.as_ref()).map(|found| found.tags.clone());
    let tags = verdict.as_ref().map(|verdict| verdict.tags.clone()).or(scanned).unwrap_or_default();
    let mut rows: Vec<u32> = match &verdict {
        Some(verdict) => verdict.order.clone(),
        None => (0..u32::try_from(tags.len()).unwrap_or(u32::MAX)).collect(),
    };
    let tag_state =
        |row: u32| verdict.as_ref().and_then(|verdict| verdict.evaluation.states.get(row as usize)).copied();
    if state.tags.matching_only {
        rows.retain(|row| matches!(tag_state(*row), None | Some(TagState::Latest | TagState::Match)));
    }
    match state.tags.list.sort {
        1 => rows.sort_unstable(),
        2 => rows.sort_by_key(|row| tag_state(*row).map(|state| state as u8)),
        BY_SIGHTING => {
            let sightings = state.tags.sightings.as_ref();
            let seen = |row: &u32| sightings.and_then(|seen| seen.get(tags.get(*row as usize)?));
            // The newest first; those that nobody noted are the oldest.
            rows.sort_by_cached_key(|row| Reverse(seen(row)));
        }
        _ => {}
    }
    turn(&mut rows, state.tags.list.reverse);
    let filter = &state.tags.list.filter;
    if !filter.is_empty() {
        let mut matcher = filter.matcher();
        rows.retain(|row| {
            let tag = tags.get(*row as usize).unwrap_or_default();
            matcher.admits(&TagLook { tag, state: tag_state(*row).map_or("", TagState::word) })
        });
    }
    // What is on top before the first verdict is there by its name alone; then it is the best.
    let is_on_top = state.tags.verdict.is_none() && state.tags.list.cursor() == 0;
    place_tags(state, rows, tags);
    if is_on_top && verdict.is_some() {
        state.tags.list.go_to_index(0);
    }
    state.tags.verdict = verdict;
}

/// S3's order by first sighting, among its [`sorts`].
const BY_SIGHTING: usize = 3;

/// It is known anew when the tags were first seen: rows that are in that order are put into it.
pub fn sightings_changed(state: &mut State) {
    if state.tags.list.sort == BY_SIGHTING {
        tags(state);
    }
}

/// Whether S3's rows are of an older verdict, or of an older tag list, than is known.
pub fn tags_are_old(state: &State) -> bool {
    let Some(repository) = &state.tags.repository else { return false };
    let newest = state.tags.policy.as_ref().and_then(|policy| state.verdicts.get(policy));
    let found = state.scans.get(repository).and_then(|scan| scan.found.as_ref());
    match (&state.tags.verdict, newest) {
        (Some(shown), Some(newest)) => !Arc::ptr_eq(shown, newest),
        (None, None) => found.is_some_and(|found| !Arc::ptr_eq(&found.tags, &state.tags.tags)),
        _ => true,
    }
}

/// Shows `rows` of `tags` and keeps the cursor on the tag with the same text.
fn place_tags(state: &mut State, rows: Vec<u32>, tags: Arc<crate::domain::tags::TagList>) {
    state.settle_preview();
    let old = &state.tags.tags;
    let current = state.tags.list.current().and_then(|row| old.get(*row as usize));
    let key = current.and_then(|tag| tags.position(tag)).and_then(|index| u32::try_from(index).ok());
    state.tags.list.set_rows_on(rows, key.as_ref());
    state.tags.tags = tags;
}

/// What the start page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartChoice {
    /// Practice data.
    Demo,
    /// Look again.
    Retry,
    /// Leave.
    Quit,
}

/// The rows of the start page.
pub fn start_choices(state: &State) -> &'static [StartChoice] {
    if state.demo {
        &[StartChoice::Retry, StartChoice::Quit]
    } else {
        &[StartChoice::Demo, StartChoice::Retry, StartChoice::Quit]
    }
}
