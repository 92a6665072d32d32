//! The pass over all tags of a repository.
//!
//! Tags are visited in ascending order, against the order in which Flux visits them: of tags with the same extracted
//! value Flux keeps the last it meets, so the first that is met here is the one, and nothing has to be taken back. Values
//! are ranges of the packed tags, so that a tag costs no allocation.

use super::classify::{Candidate, Candidates, Values};
use super::filter::{Exclusion, Filter, MAX_COMPOSED, Value};
use super::{Counts, Evaluation, Evaluator, PolicyError, PolicyErrorKind, TagState};
use crate::domain::parallel::in_shares;
use crate::domain::reference::{has_shape_of_tag, is_tag_byte, is_valid_tag};
use crate::domain::tags::TagList;

/// From so many tags on an evaluation takes several threads: they save more than they cost.
pub const SHARED: usize = 16_384;
/// More threads than this have too little to do each.
const MOST_THREADS: usize = 4;

impl Evaluator {
    /// Judges `tags`, which are as the registry listed them.
    pub fn evaluate(&self, tags: &TagList) -> Evaluation {
        let mut states = vec![TagState::Filter; tags.len()];
        let mut invalid = Vec::new();
        let candidates = self.candidates(tags, &mut states, &mut invalid);
        let has_tags = states.iter().any(|state| *state != TagState::Exclude);
        let error = self
            .error_before_choice(has_tags, candidates.list.is_empty())
            .or_else(|| candidates.values.composed.is_too_long.then(too_long));
        let outcome = match &self.rule {
            Ok(rule) if !candidates.values.composed.is_too_long => {
                candidates.classify(rule, self.filter.as_ref().is_ok_and(Option::is_some), &mut states)
            }
            _ => candidates.refuse(&mut states),
        };
        // A tag that Flux would select although no registry can have it keeps its state; `latest_is_valid` tells.
        for index in &invalid {
            states[*index as usize] = TagState::Invalid;
        }
        let (latest, error) = match (error, outcome.latest) {
            (None, Ok(latest)) => (Some(latest), None),
            (Some(error), _) | (None, Err(error)) => (None, Some(error)),
        };
        let latest_is_valid = latest.is_some_and(|latest| states[latest as usize] != TagState::Invalid);
        if let Some(latest) = latest.filter(|_| latest_is_valid) {
            states[latest as usize] = TagState::Latest;
        }
        Evaluation {
            latest: latest.map(|latest| latest as usize),
            error,
            tie: latest.is_some() && outcome.tie,
            random: latest.is_some() && outcome.random,
            latest_is_valid,
            counts: Counts::of(&states),
            states,
            collisions: outcome.collisions,
        }
    }

    /// What fails before any candidate is looked at, in Flux's order.
    fn error_before_choice(&self, has_tags: bool, no_candidates: bool) -> Option<PolicyError> {
        if let Err(error) = &*self.exclusions.0 {
            return Some(error.clone());
        }
        if let Err(error) = &self.rule {
            return Some(error.clone());
        }
        if !has_tags {
            return Some(PolicyError::new(PolicyErrorKind::NoTags, "no tags in database"));
        }
        if let Err(error) = &self.filter {
            return Some(error.clone());
        }
        no_candidates
            .then(|| PolicyError::new(PolicyErrorKind::Failed, "version list argument cannot be empty"))
    }

    /// The tags that pass exclusion and filter, ascending, and which tags are none at all.
    fn candidates<'t>(
        &self,
        tags: &'t TagList,
        states: &mut [TagState],
        invalid: &mut Vec<u32>,
    ) -> Candidates<'t> {
        let Ok(exclusions) = &*self.exclusions.0 else {
            states.fill(TagState::Exclude);
            return Candidates::new(tags, false);
        };
        let sieve = Sieve {
            tags,
            exclusions,
            filter: self.filter.as_ref().map(Option::as_deref).map_err(|_said_later| ()),
            is_clean: tags.consists_of(is_tag_byte),
        };
        let mut found = Candidates::new(tags, sieve.extracts());
        // One room for all: what each thread finds is not held twice.
        found.list = vec![Candidate::default(); tags.len()];
        let size = sieve.size_of_share();
        let parts = sieve.sift_all(states, &mut found.list, size);
        let mut filled = 0;
        // What has the highest indices comes first, as candidates ascend.
        for (number, part) in parts.into_iter().enumerate().rev() {
            let start = tags.len().saturating_sub((number + 1) * size);
            found.gather(start..start + part.count, filled, &part.values);
            filled += part.count;
            invalid.extend(part.invalid);
        }
        found.list.truncate(filled);
        found
    }
}

/// What is said where `extract` makes more of the tags than anybody could compare.
fn too_long() -> PolicyError {
    let text = format!("failed to filter tags: extract makes more than {MAX_COMPOSED} bytes of them");
    PolicyError::new(PolicyErrorKind::Filter, text)
}

/// What a tag has to pass to become a candidate.
struct Sieve<'e, 't> {
    tags: &'t TagList,
    exclusions: &'e [Exclusion],
    filter: Result<Option<&'e Filter>, ()>,
    /// Whether no tag has a byte that a tag cannot have.
    is_clean: bool,
}

/// What one share of the tags gave beside its candidates.
#[derive(Default)]
struct Part {
    /// How many candidates it has.
    count: usize,
    values: Values,
    invalid: Vec<u32>,
}

impl Sieve<'_, '_> {
    /// Whether different tags can have the same value.
    fn extracts(&self) -> bool {
        matches!(self.filter, Ok(Some(filter)) if filter.extracts())
    }

    /// So many tags are one thread's.
    fn size_of_share(&self) -> usize {
        // Without a pattern there is too little to do for each tag.
        let threads = match (self.tags.len(), self.filter) {
            (SHARED.., Ok(Some(_))) => {
                std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
            }
            _ => 1,
        };
        self.tags.len().div_ceil(threads).max(1)
    }

    /// Sifts all tags, `size` on each thread; the parts are in the order of the indices, and their shares of the `room`, which has
    /// a place for each tag, in the opposite.
    fn sift_all(&self, states: &mut [TagState], room: &mut [Candidate], size: usize) -> Vec<Part> {
        let shares = states.chunks_mut(size).zip(room.rchunks_mut(size)).enumerate();
        let threads = shares.len();
        in_shares(shares, threads, |(number, (states, room))| self.sift(number * size, states, room))
    }

    /// Sifts the tags from index `base` on, one for each of `states`, into the beginning of the `room`.
    fn sift(&self, base: usize, states: &mut [TagState], room: &mut [Candidate]) -> Part {
        let mut part = Part::default();
        let mut places = room.iter_mut();
        let mut slots = self.filter.ok().flatten().map(|filter| filter.pattern.slots());
        for (place, state) in states.iter_mut().enumerate().rev() {
            let Ok(index) = u32::try_from(base + place) else { continue };
            let tag = self.tags.get(base + place).unwrap_or_default();
            if self.exclusions.iter().any(|rule| rule.pattern.is_match(tag)) {
                *state = TagState::Exclude;
                continue;
            }
            let is_valid = if self.is_clean { has_shape_of_tag(tag) } else { is_valid_tag(tag) };
            if !is_valid {
                part.invalid.push(index);
            }
            let start = part.values.composed.text.len();
            let value = match (self.filter, &mut slots) {
                (Ok(Some(filter)), Some(slots)) => filter.value(tag, slots, &mut part.values.composed),
                (Ok(_), _) => Some(Value::Span(0..tag.len())),
                (Err(()), _) => None,
            };
            let Some(value) = value else { continue };
            if let Some(place) = places.next() {
                *place = part.values.candidate(index, start, &value);
                part.count += 1;
            }
        }
        part
    }
}

impl Values {
    /// The tag at `index` as a candidate; a composed value begins at `start`.
    fn candidate(&mut self, index: u32, start: usize, value: &Value) -> Candidate {
        let span = match value {
            Value::Span(span) => span.clone(),
            Value::Composed => {
                self.are_composed = true;
                start..self.composed.text.len()
            }
        };
        // A text of more than 4 GiB is no value that could be compared to any purpose.
        let end = u32::try_from(span.end).unwrap_or(u32::MAX);
        Candidate { index, start: u32::try_from(span.start).unwrap_or(end), end }
    }
}
