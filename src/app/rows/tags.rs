//! S3's rows.

use std::cmp::Reverse;
use std::sync::Arc;

use super::turn;
use crate::app::list::Searchable;
use crate::app::state::State;
use crate::domain::object::ObjectId;
use crate::domain::policy::TagState;
use crate::domain::tags::TagList;

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
            let seen = |row: &u32| sightings.and_then(|seen| seen.of_row(&tags, *row as usize));
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
fn place_tags(state: &mut State, rows: Vec<u32>, tags: Arc<TagList>) {
    state.settle_preview();
    let old = &state.tags.tags;
    let current = state.tags.list.current().and_then(|row| old.get(*row as usize));
    let key = current.and_then(|tag| tags.position(tag)).and_then(|index| u32::try_from(index).ok());
    state.tags.list.set_rows_on(rows, key.as_ref());
    state.tags.tags = tags;
}
