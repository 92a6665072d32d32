//! The pass over all tags of a repository.
//!
//! Tags are visited in ascending order, against the order in which Flux visits them: of tags with the same extracted
//! value Flux keeps the last it meets, so the first that is met here is the one, and nothing has to be taken back. Values
//! are ranges of the packed tags, so that a tag costs no allocation.

use super::classify::{Candidate, Candidates};
use super::filter::Value;
use super::{Counts, Evaluation, Evaluator, PolicyError, PolicyErrorKind, TagState};
use crate::domain::reference::is_valid_tag;
use crate::domain::tags::TagList;

impl Evaluator {
    /// Judges `tags`, which are as the registry listed them.
    pub fn evaluate(&self, tags: &TagList) -> Evaluation {
        let mut states = vec![TagState::Filter; tags.len()];
        let mut invalid = Vec::new();
        let candidates = self.candidates(tags, &mut states, &mut invalid);
        let has_tags = states.iter().any(|state| *state != TagState::Exclude);
        let error = self.error_before_choice(has_tags, candidates.list.is_empty());
        let outcome = match &self.rule {
            Ok(rule) => {
                candidates.classify(rule, self.filter.as_ref().is_ok_and(Option::is_some), &mut states)
            }
            Err(_) => candidates.refuse(&mut states),
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
        if let Err(error) = &self.exclusions {
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
        let Ok(exclusions) = &self.exclusions else {
            states.fill(TagState::Exclude);
            return Candidates::new(tags, false);
        };
        let filter = self.filter.as_ref().map(Option::as_ref);
        let extracts = matches!(filter, Ok(Some(filter)) if filter.extracts());
        let mut found = Candidates::new(tags, extracts);
        let mut slots = filter.ok().flatten().map(|filter| filter.pattern.slots());
        let indices = 0..u32::try_from(tags.len()).unwrap_or(u32::MAX);
        for (index, tag) in indices.zip(tags.iter()).rev() {
            if exclusions.iter().any(|rule| rule.pattern.is_match(tag)) {
                states[index as usize] = TagState::Exclude;
                continue;
            }
            if !is_valid_tag(tag) {
                invalid.push(index);
            }
            match (filter, &mut slots) {
                (Ok(Some(filter)), Some(slots)) => {
                    let start = found.composed.len();
                    let value = filter.value(tag, slots, &mut found.composed);
                    if let Some(value) = value {
                        found.add(index, start, &value);
                    }
                }
                (Ok(_), _) => found.add(index, 0, &Value::Span(0..tag.len())),
                (Err(_), _) => {}
            }
        }
        found
    }
}

impl Candidates<'_> {
    /// Adds the tag at `index`; a composed value begins at `start`.
    fn add(&mut self, index: u32, start: usize, value: &Value) {
        let span = match value {
            Value::Span(span) => span.clone(),
            Value::Composed => {
                self.are_composed = true;
                start..self.composed.len()
            }
        };
        // A text of more than 4 GiB is no value that could be compared to any purpose.
        let end = u32::try_from(span.end).unwrap_or(u32::MAX);
        self.list.push(Candidate { index, start: u32::try_from(span.start).unwrap_or(end), end });
    }
}
