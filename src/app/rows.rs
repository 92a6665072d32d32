//! Which rows each list shows, in which order.
//!
//! Rows are rebuilt from what is known whenever that changes; [`super::list::List`] keeps the cursor on its object.

mod back;
mod haystack;
mod meant;
mod order;
mod standing;
mod tags;
mod tree;

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

pub use back::{back_to, may_go_back, rollback, wants_digest};
pub use haystack::haystack;
pub use meant::{decided, ranged, reviewed, to_tag};
pub use order::{STANDING_COLUMNS, columns, orders, set_orders, sorts};
pub use standing::{latest, policy_word, sites_and_files, sites_of, tags_in_files};
pub use tags::{policies_of_tags, sightings_changed, tags, tags_are_old};
pub use tree::{branch, file_of, target, tree};

use super::list::{Filter, Searchable};
use super::review::{UpdateId, step_order};
use super::state::State;
use super::view::View;
use crate::domain::event::Event;
use crate::domain::hold;
use crate::domain::object::{ImagePolicy, Kind, ObjectId};
use crate::domain::proposal::{Proposal, UpdateState};
use standing::policy_rank;

/// The filter of a view's list.
pub fn filter(state: &State, view: View) -> Option<&Filter> {
    match view {
        View::Updates => Some(&state.updates.filter),
        View::Repositories => Some(&state.repositories.filter),
        View::Tags => Some(&state.tags.list.filter),
        View::Policies => Some(&state.policies.filter),
        View::Automations => Some(&state.automations.filter),
        View::Log => Some(&state.log.list.filter),
        View::Playground
        | View::Plan
        | View::Diff
        | View::Message
        | View::Push
        | View::Errors
        | View::Help
        | View::Start => None,
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
        View::Log => Some(&mut state.log.list.filter),
        View::Playground
        | View::Plan
        | View::Diff
        | View::Message
        | View::Push
        | View::Errors
        | View::Help
        | View::Start => None,
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
        View::Log => (state.log.list.len(), state.log.len()),
        View::Errors => (state.errors.len(), state.errors.len()),
        View::Playground | View::Diff | View::Message | View::Push | View::Help | View::Start => (0, 0),
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

    fn words(&self) -> [&str; 2] {
        [&self.state, &self.kind]
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
}

/// The first lists are whole: what is under the cursor of each is an object that somebody may be reading.
pub fn land(state: &mut State) {
    for list in [&mut state.repositories, &mut state.policies, &mut state.automations] {
        list.land();
    }
    state.updates.land();
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
        View::Log => log(state),
        View::Playground | View::Message | View::Push | View::Errors | View::Help | View::Start => {}
    }
}

/// Keeps only rows of the namespace that is looked at, and of those what the view's filter admits.
fn admitted<K>(state: &State, view: View, rows: Vec<K>, look: impl Fn(&K) -> Row) -> Vec<K> {
    let filter = filter(state, view).filter(|filter| !filter.is_empty());
    let scope = scope(state, view);
    if filter.is_none() && scope.is_none() {
        return rows;
    }
    let mut matcher = filter.map(Filter::matcher);
    let admits = |row: &K| {
        let row = look(row);
        scope.is_none_or(|namespace| *namespace == row.namespace)
            && matcher.as_mut().is_none_or(|matcher| matcher.admits(&row))
    };
    rows.into_iter().filter(admits).collect()
}

/// The namespace whose objects a view's list shows alone. What is about to be committed is always shown whole.
pub fn scope(state: &State, view: View) -> Option<&String> {
    let is_narrowed =
        matches!(view, View::Updates | View::Repositories | View::Policies | View::Automations | View::Log);
    state.scope.as_ref().filter(|_| is_narrowed)
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
            kind: update.map_or("", Proposal::step_word).to_owned(),
        }
    };
    let rows = admitted(state, View::Updates, found.into_iter().map(UpdateId::of).collect(), look);
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
                let lags = |id| state.lag(Kind::ImageRepository, id).is_some();
                let fails = |id| Reverse(scan(id).is_some_and(|scan| scan.error.is_some()) || lags(id));
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
    let rows = admitted(state, View::Repositories, rows, look);
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
    let rows = admitted(state, View::Policies, rows, look);
    state.policies.set_rows(rows);
}

/// S6's rows.
pub fn automations(state: &mut State) {
    let inventory = &state.inventory;
    let mut rows: Vec<ObjectId> = inventory.automations.keys().cloned().collect();
    let sort = state.automations.sort;
    let standings = &state.review.survey.automations;
    let health = |id: &ObjectId| match standings.get(id) {
        Some(standing) if standing.is_broken => 0,
        _ if state.lag(Kind::ImageUpdateAutomation, id).is_some() => 1,
        _ => 2,
    };
    rows.sort_by(|a, b| {
        let by = if sort == 0 { health(a).cmp(&health(b)) } else { Ordering::Equal };
        by.then_with(|| a.cmp(b))
    });
    turn(&mut rows, state.automations.reverse);
    let look = |id: &ObjectId| Row {
        text: id.to_string(),
        namespace: id.namespace.clone(),
        state: standings.get(id).map_or("", |standing| standing.word).to_owned(),
        kind: String::new(),
    };
    let rows = admitted(state, View::Automations, rows, look);
    state.automations.set_rows(rows);
}

/// S10's rows: the newest first.
pub fn log(state: &mut State) {
    state.settle_preview();
    let log = &state.log;
    let mut found: Vec<(u64, &Event)> = log.entries().rev().collect();
    match log.list.sort {
        1 => found.sort_by(|(_, a), (_, b)| a.event.cmp(&b.event)),
        2 => found.sort_by(|(_, a), (_, b)| a.subject.cmp(&b.subject)),
        _ => {}
    }
    let mut rows: Vec<u64> = found.into_iter().map(|(id, _)| id).collect();
    turn(&mut rows, log.list.reverse);
    let look = |id: &u64| {
        let event = log.get(*id);
        let of = |text: fn(&Event) -> &String| event.map(text).cloned().unwrap_or_default();
        Row {
            text: event.map_or_else(String::new, |event| {
                format!("{} {} {} {}", event.event, event.subject, event.detail, event.user)
            }),
            namespace: event.and_then(|event| event.subject.split('/').next()).unwrap_or_default().to_owned(),
            state: of(|event| &event.result),
            kind: of(|event| &event.event),
        }
    };
    let rows = admitted(state, View::Log, rows, look);
    state.log.list.set_rows(rows);
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

/// The policy that the list in front is about: that of the row under the cursor, or the one that tags are shown against.
pub fn policy_in_front(state: &State) -> Option<&ImagePolicy> {
    let id = match state.view_below_help() {
        View::Tags => state.tags.policy.as_ref(),
        View::Updates => state.updates.current().map(|id| &id.policy),
        View::Policies => state.policies.current(),
        _ => None,
    };
    state.inventory.policies.get(id?)
}

/// The policy and the tag that `H` is about: those of the row under the cursor.
pub fn held_by_h(state: &State) -> Option<(ObjectId, String)> {
    match state.view_below_help() {
        View::Updates => {
            let update = state.review.get(state.updates.current()?)?;
            Some((update.policy.clone(), update.new.as_ref()?.tag.clone()))
        }
        View::Tags => {
            let row = *state.tags.list.current()?;
            let tag = state.tags.tags.get(row as usize)?;
            let is_tag = crate::domain::reference::is_valid_tag(tag);
            is_tag.then_some((state.tags.policy.clone()?, tag.to_owned()))
        }
        _ => None,
    }
}

/// Whether something holds what `H` is about, so that the key lets go of it.
pub fn is_held(state: &State) -> bool {
    held_by_h(state)
        .is_some_and(|(policy, tag)| hold::of(&state.review.holds, &policy, &tag, state.now).is_some())
}

/// Whether Enter opens the tags of the update under the cursor: one that is blocked has no diff.
pub fn opens_tags(state: &State) -> bool {
    let id = match state.view_below_help() {
        View::Updates => state.updates.current(),
        _ => None,
    };
    let update = id.and_then(|id| state.review.get(id)).filter(|update| update.state == UpdateState::Blocked);
    update.is_some_and(|update| state.inventory.policies.contains_key(&update.policy))
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
