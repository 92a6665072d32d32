//! The order in which tags are shown: the selected one, the other candidates from best to worst, then the rest.

use std::cmp::Ordering;

use super::numeric::parse_float;
use super::version::Version;
use super::{Evaluation, Evaluator, Rule, TagState};
use crate::domain::tags::TagList;

impl Evaluator {
    /// All indices of `tags` in the order in which they are shown.
    ///
    /// Tags that collide stand right behind the one they collide with; what is no candidate comes last, in descending
    /// byte order.
    pub fn order(&self, tags: &TagList, evaluation: &Evaluation) -> Vec<u32> {
        let ranks = |state: TagState| matches!(state, TagState::Latest | TagState::Match | TagState::Collide);
        let mut values = self.values();
        let values: Vec<Option<String>> = (tags.iter().zip(&evaluation.states))
            .map(|(tag, state)| if ranks(*state) { values(tag) } else { None })
            .collect();
        let value = |index: &u32| values.get(*index as usize).and_then(Option::as_deref).unwrap_or_default();
        let all = (0_u32..).take(tags.len());
        let mut rest = Vec::with_capacity(tags.len());
        match &self.rule {
            Ok(Rule::Semver { range, .. }) => {
                let version = |index: &u32| Version::from_tag(value(index)).filter(|own| range.check(own));
                let best = split(all, version, &mut rest);
                arrange(evaluation, best, |left, right| right.precedence(left), rest)
            }
            Ok(Rule::Numerical(direction)) => {
                let best = split(all, |index| parse_float(value(index)), &mut rest);
                // A number that is none is neither better nor worse than another; it is shown last.
                let compare = |left: &f64, right: &f64| match left.partial_cmp(right) {
                    Some(ordering) => direction.apply(ordering).reverse(),
                    None => left.is_nan().cmp(&right.is_nan()),
                };
                arrange(evaluation, best, compare, rest)
            }
            Ok(Rule::Alphabetical(direction)) => {
                let text = |index: &u32| values.get(*index as usize).and_then(Option::as_deref);
                let best = split(all, text, &mut rest);
                arrange(evaluation, best, |left, right| direction.apply(left.cmp(right)).reverse(), rest)
            }
            Err(_) => all.collect(),
        }
    }
}

/// Takes apart the indices that can be ranked, with what they are ranked by, and all others.
fn split<T>(
    indices: impl Iterator<Item = u32>,
    rank: impl Fn(&u32) -> Option<T>,
    rest: &mut Vec<u32>,
) -> Vec<(u32, T)> {
    let mut ranked = Vec::new();
    for index in indices {
        match rank(&index) {
            Some(value) => ranked.push((index, value)),
            None => rest.push(index),
        }
    }
    ranked
}

/// The selected tag, the ranked ones in order, the rest.
fn arrange<T>(
    evaluation: &Evaluation,
    mut ranked: Vec<(u32, T)>,
    compare: impl Fn(&T, &T) -> Ordering,
    rest: Vec<u32>,
) -> Vec<u32> {
    let state = |index: u32| evaluation.states.get(index as usize).copied();
    let behind =
        |index: u32| (state(index) != Some(TagState::Latest), state(index) == Some(TagState::Collide));
    // The selected tag leads even a number that is none.
    let leads = |index: u32| state(index) == Some(TagState::Latest);
    ranked.sort_by(|(left, left_rank), (right, right_rank)| {
        leads(*right)
            .cmp(&leads(*left))
            .then_with(|| compare(left_rank, right_rank))
            .then_with(|| behind(*left).cmp(&behind(*right)))
            .then_with(|| left.cmp(right))
    });
    ranked.into_iter().map(|(index, _)| index).chain(rest).collect()
}
