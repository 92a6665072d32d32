//! Puts the tags that passed the filter into classes, and selects one.
//!
//! Sources: fluxcd/image-reflector-controller, `internal/policy/{semver,alphabetical,numerical}.go`.

use std::cmp::Ordering;
use std::ops::Range;

use super::filter::Composed;
use super::numeric::parse_float;
use super::twins::{Groups, Seed, Twins};
use super::version::Version;
use super::{Direction, PolicyError, PolicyErrorKind, Rule, TagState};
use crate::domain::policy::constraint::Constraints;
use crate::domain::tags::TagList;

/// A tag that passed the filter: its index, and where its value is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Candidate {
    pub(super) index: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// All tags that passed the filter, in ascending order.
#[derive(Debug)]
pub(super) struct Candidates<'t> {
    tags: &'t TagList,
    pub(super) list: Vec<Candidate>,
    pub(super) values: Values,
    /// Whether different tags can have the same value.
    extracts: bool,
}

/// Values that are no part of their tags.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) composed: Composed,
    /// Whether all are in `composed`, or else in their tags.
    pub(super) are_composed: bool,
}

/// What is known after all candidates were looked at.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) latest: Result<u32, PolicyError>,
    pub(super) tie: bool,
    pub(super) random: bool,
    /// Tags that collide, ascending, each with the tag it collides with.
    pub(super) collisions: Vec<(u32, u32)>,
}

/// What is gathered on the way.
struct Tally<'s> {
    states: &'s mut [TagState],
    collisions: Vec<(u32, u32)>,
    /// The position of the best candidate so far.
    best: Option<u32>,
    /// The first candidate, in Flux's order, that makes the whole policy fail.
    bad: Option<u32>,
    has_nan: bool,
}

impl<'t> Candidates<'t> {
    pub(super) fn new(tags: &'t TagList, extracts: bool) -> Self {
        Self { tags, list: Vec::new(), values: Values::default(), extracts }
    }

    /// Moves the candidates at `places` of the list, with these values, right behind the first `before`, which are of lesser tags.
    pub(super) fn gather(&mut self, places: Range<usize>, before: usize, values: &Values) {
        let shift = match u32::try_from(self.values.composed.text.len()) {
            Ok(shift) if values.are_composed => shift,
            Ok(_) => 0,
            Err(_) => u32::MAX,
        };
        let count = places.len();
        self.list.copy_within(places, before);
        for candidate in self.list.iter_mut().skip(before).take(count).filter(|_| shift > 0) {
            candidate.start = candidate.start.saturating_add(shift);
            candidate.end = candidate.end.saturating_add(shift);
        }
        self.values.composed.append(&values.composed);
        self.values.are_composed |= values.are_composed;
    }

    /// The value at `position` of the list.
    fn value(&self, position: u32) -> &str {
        let Some(candidate) = self.list.get(position as usize) else { return "" };
        let text = if self.values.are_composed {
            &self.values.composed.text
        } else {
            self.tags.get(candidate.index as usize).unwrap_or_default()
        };
        text.get(candidate.start as usize..candidate.end as usize).unwrap_or_default()
    }

    fn index(&self, position: u32) -> u32 {
        self.list.get(position as usize).map_or(u32::MAX, |candidate| candidate.index)
    }

    fn tag(&self, position: u32) -> &str {
        self.tags.get(self.index(position) as usize).unwrap_or_default()
    }

    fn positions(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// Under a policy that cannot be applied no candidate gets any further.
    pub(super) fn refuse(&self, states: &mut [TagState]) -> Outcome {
        for candidate in &self.list {
            states[candidate.index as usize] = TagState::Range;
        }
        let error = PolicyError::new(PolicyErrorKind::Invalid, String::new());
        Outcome { latest: Err(error), tie: false, random: false, collisions: Vec::new() }
    }

    /// Gives every candidate its state and selects one; `filtered`: Flux keeps the candidates in a map.
    pub(super) fn classify(&self, rule: &Rule, filtered: bool, states: &mut [TagState]) -> Outcome {
        let mut tally = Tally { states, collisions: Vec::new(), best: None, bad: None, has_nan: false };
        match rule {
            Rule::Semver { range, .. } => self.by_version(range, &mut tally),
            Rule::Numerical(direction) => self.by_number(*direction, &mut tally),
            Rule::Alphabetical(direction) => self.by_text(*direction, &mut tally),
        }
        let Tally { mut collisions, best, bad, has_nan, .. } = tally;
        collisions.sort_unstable();
        let latest = match (bad, best) {
            (Some(bad), _) => {
                let text = format!("failed to parse invalid numeric value '{}'", self.value(bad));
                Err(PolicyError::new(PolicyErrorKind::Failed, text))
            }
            (None, Some(best)) => Ok(best),
            (None, None) => {
                let text = "unable to determine latest version from provided list";
                Err(PolicyError::new(PolicyErrorKind::Failed, text))
            }
        };
        let (tie, random) = latest.as_ref().map_or((false, false), |best| {
            let (tie, random) = self.ties(rule, *best, &collisions);
            let others = self.list.len() - collisions.len() > 1;
            (tie || (has_nan && others && filtered), filtered && (random || (has_nan && others)))
        });
        Outcome { latest: latest.map(|best| self.index(best)), tie, random, collisions }
    }

    /// Whether any other tag equals the one at `best`, and whether any such has another value.
    fn ties(&self, rule: &Rule, best: u32, collisions: &[(u32, u32)]) -> (bool, bool) {
        let index = self.index(best);
        if !collisions.iter().any(|(_, kept)| *kept == index) {
            return (false, false);
        }
        let (tag, value) = (self.tag(best), self.value(best));
        let (mut tie, mut random) = (false, false);
        for other in self.positions().filter(|other| self.tag(*other) != tag) {
            let text = self.value(other);
            let equal = text != value && are_equal(rule, text, value);
            tie |= equal || text == value;
            random |= equal;
        }
        (tie, random)
    }

    /// Marks all of `positions` but the first that have the same value: Flux keeps just one of them.
    fn mark_same_values(&self, positions: impl Iterator<Item = u32> + Clone, tally: &mut Tally<'_>) {
        if !self.extracts {
            // Values are the tags themselves, of which equal ones stand side by side.
            for position in positions {
                let previous = position.checked_sub(1);
                if let Some(previous) =
                    previous.filter(|previous| self.value(*previous) == self.value(position))
                {
                    tally.collide(self, position, previous);
                }
            }
            return;
        }
        let seed = Seed::new();
        let mut twins = Twins::new(self.list.len());
        for position in positions {
            twins.note(position, seed.text(self.value(position)));
        }
        let suspects = twins.suspects();
        let mut groups = Groups::new(suspects.len());
        for position in suspects {
            let value = self.value(position);
            let same = |other: u32| self.value(other) == value;
            if let Some(kept) = groups.find(seed.text(value), position, false, same) {
                tally.collide(self, position, kept);
            }
        }
    }

    fn by_version(&self, range: &Constraints, tally: &mut Tally<'_>) {
        if self.extracts {
            self.mark_same_values(self.positions(), tally);
        }
        let seed = Seed::new();
        let hash = |Version { parsed, .. }: &Version<'_>| {
            seed.mixed([parsed.major, parsed.minor, parsed.patch], &parsed.pre)
        };
        let mut twins = Twins::new(self.list.len());
        let mut best: Option<Version<'_>> = None;
        for position in self.positions() {
            if tally.collides(self, position) {
                continue;
            }
            let Some(version) = Version::from_tag(self.value(position)) else {
                tally.set(self, position, TagState::Unparsed);
                continue;
            };
            if !range.check(&version) {
                tally.set(self, position, TagState::Range);
                continue;
            }
            tally.set(self, position, TagState::Match);
            twins.note(position, hash(&version));
            // Flux keeps the first of equals, which is the last that is met here.
            if best.as_ref().is_none_or(|best| version.precedence(best).is_ge()) {
                (best, tally.best) = (Some(version), Some(position));
            }
        }
        let suspects = twins.suspects();
        let mut groups = Groups::new(suspects.len());
        for position in suspects {
            let Some(version) = Version::from_tag(self.value(position)) else { continue };
            let same = |other: u32| {
                Version::from_tag(self.value(other)).is_some_and(|other| other.precedence(&version).is_eq())
            };
            if let Some(other) = groups.find(hash(&version), position, true, same) {
                tally.collide(self, other, position);
            }
        }
    }

    fn by_number(&self, direction: Direction, tally: &mut Tally<'_>) {
        let seed = Seed::new();
        // Zero is zero, whatever its sign.
        let hash = |number: f64| seed.number((number + 0.0).to_bits());
        let mut twins = Twins::new(self.list.len());
        let (mut others, mut best) = (Vec::new(), f64::NAN);
        for position in self.positions() {
            let number = parse_float(self.value(position)).unwrap_or(f64::NAN);
            if number.is_nan() {
                tally.has_nan |= parse_float(self.value(position)).is_some();
                // Whatever Flux visits after a number that is none replaces it, so here it ends the search.
                tally.best = tally.best.or(Some(position).filter(|_| tally.has_nan));
                others.push(position);
                continue;
            }
            tally.set(self, position, TagState::Match);
            twins.note(position, hash(number));
            let better = number.partial_cmp(&best).is_none_or(|ordering| direction.apply(ordering).is_gt());
            if !tally.has_nan && better {
                (best, tally.best) = (number, Some(position));
            }
        }
        self.mark_no_numbers(&others, tally);
        let suspects = twins.suspects();
        let mut groups = Groups::new(suspects.len());
        for position in suspects {
            let Some(number) = parse_float(self.value(position)) else { continue };
            let same = |other: u32| parse_float(self.value(other)) == Some(number);
            // Flux keeps the last of equals, which is the first that is met here.
            if let Some(kept) = groups.find(hash(number), position, false, same) {
                tally.collide(self, position, kept);
            }
        }
    }

    /// Judges what is no number, or the number that is none; the last of the former is the first that Flux meets.
    fn mark_no_numbers(&self, positions: &[u32], tally: &mut Tally<'_>) {
        if positions.is_empty() {
            return;
        }
        self.mark_same_values(positions.iter().copied(), tally);
        for position in positions {
            if tally.collides(self, *position) {
                continue;
            }
            if parse_float(self.value(*position)).is_some() {
                tally.set(self, *position, TagState::Match);
            } else {
                tally.set(self, *position, TagState::Unparsed);
                tally.bad = Some(*position);
            }
        }
    }

    fn by_text(&self, direction: Direction, tally: &mut Tally<'_>) {
        self.mark_same_values(self.positions(), tally);
        for position in self.positions() {
            if tally.collides(self, position) {
                continue;
            }
            tally.set(self, position, TagState::Match);
            let compared = tally.best.map(|best| self.value(position).cmp(self.value(best)));
            if compared.is_none_or(|ordering| direction.apply(ordering) == Ordering::Greater) {
                tally.best = Some(position);
            }
        }
    }
}

impl Tally<'_> {
    fn set(&mut self, candidates: &Candidates<'_>, position: u32, state: TagState) {
        if let Some(slot) = self.states.get_mut(candidates.index(position) as usize) {
            *slot = state;
        }
    }

    fn collides(&self, candidates: &Candidates<'_>, position: u32) -> bool {
        self.states.get(candidates.index(position) as usize) == Some(&TagState::Collide)
    }

    fn collide(&mut self, candidates: &Candidates<'_>, position: u32, kept: u32) {
        self.set(candidates, position, TagState::Collide);
        self.collisions.push((candidates.index(position), candidates.index(kept)));
    }
}

/// Whether a policy cannot tell two different values apart.
fn are_equal(rule: &Rule, left: &str, right: &str) -> bool {
    match rule {
        Rule::Semver { .. } => match (Version::from_tag(left), Version::from_tag(right)) {
            (Some(left), Some(right)) => left.precedence(&right).is_eq(),
            _ => false,
        },
        Rule::Numerical(_) => parse_float(left).is_some_and(|left| parse_float(right) == Some(left)),
        Rule::Alphabetical(_) => false,
    }
}
