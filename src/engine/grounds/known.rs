//! What a remote has, asked or remembered, and the commit that a checkout means there.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::super::{Engine, now};
use super::place::Place;
use crate::config::Refresh;
use crate::domain::inventory::{Checkout, Targets};
use crate::domain::object::{GitRef, PolicyChoice, SemverChoice};
use crate::domain::plan::Base;
use crate::domain::policy::Evaluator;
use crate::git::{BareCache, Refs, Remote};
use crate::problem::{Code, Problem};

/// A remote older than this is fetched again.
const FRESH: Duration = Duration::from_mins(1);

/// What a remote has, as far as it is known.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) refs: Refs,
    pub(super) fetched: Timestamp,
    pub(super) stale: bool,
}

impl Engine {
    /// What the remote has: asked, or remembered if that is recent enough or the remote does not answer. What is
    /// remembered of a remote that did not answer the last time is stale, whoever asks next.
    pub(super) fn know(
        &self,
        cache: &BareCache,
        remote: &Remote,
        place: &Place<'_>,
        refresh: Refresh,
        known: &mut BTreeMap<String, Known>,
        problems: &mut Vec<Problem>,
    ) -> Result<Known, Problem> {
        if let Some(at) = known.get(&place.url)
            && holds(cache, &at.refs, place)
        {
            return Ok(at.clone());
        }
        let last = cache.last().map(|(refs, time)| remembered(refs, time));
        let unreached = self.unreached.why(&place.url, last.as_ref().map(|last| last.fetched));
        let last = last.map(|last| Known { stale: unreached.is_some(), ..last });
        let is_fresh = last.as_ref().is_some_and(|last| age(last.fetched) < FRESH);
        let at = match (refresh, last) {
            (Refresh::Never, Some(last)) => last,
            (Refresh::Never, None) => return Err(unreached.unwrap_or_else(|| never_fetched(remote))),
            (Refresh::Auto, Some(last)) if is_fresh && holds(cache, &last.refs, place) => last,
            (_, last) => match self.unreached.note(&place.url, self.fetch_place(cache, remote, place)) {
                Ok(at) => at,
                Err(problem) => {
                    let Some(last) = last.filter(|last| holds(cache, &last.refs, place)) else {
                        return Err(problem);
                    };
                    problems.push(problem);
                    Known { stale: true, ..last }
                }
            },
        };
        known.insert(place.url.clone(), at.clone());
        Ok(at)
    }

    /// Fetches what an automation stands on.
    fn fetch_place(&self, cache: &BareCache, remote: &Remote, place: &Place<'_>) -> Result<Known, Problem> {
        let fetched = self.fetch(cache, remote, |refs| wants(refs, &place.targets)).map_err(Problem::from)?;
        Ok(Known { refs: fetched.refs, fetched: now(), stale: false })
    }
}

pub(in super::super) fn never_fetched(remote: &Remote) -> Problem {
    Problem::new(Code::GitNotFound, remote.shown(), "was never fetched, and --refresh never forbids it")
        .hint("Leave --refresh never out once.")
}

fn remembered(refs: Refs, time: SystemTime) -> Known {
    let fetched = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    Known { refs, fetched: Timestamp::from_second(fetched.as_second()).unwrap_or(fetched), stale: false }
}

fn age(time: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(time)).unwrap_or_default()
}

fn holds(cache: &BareCache, refs: &Refs, place: &Place<'_>) -> bool {
    wants(refs, &place.targets).iter().all(|want| refs.commit(want).is_none_or(|commit| cache.has(commit)))
}

/// The names to fetch: what is checked out, and the push branch.
fn wants(refs: &Refs, targets: &Targets) -> Vec<String> {
    let checkout = match &targets.checkout {
        Checkout::Branch(branch) => format!("refs/heads/{branch}"),
        Checkout::Name(name) => name.trim_end_matches("^{}").to_owned(),
        Checkout::Tag(tag) => format!("refs/tags/{tag}"),
        Checkout::Commit(commit) => commit.clone(),
        Checkout::Semver(range) => match newest(range, &refs.tags().collect::<Vec<_>>()) {
            Some(tag) => format!("refs/tags/{tag}"),
            None => String::new(),
        },
    };
    let push = format!("refs/heads/{}", targets.push_branch);
    if push == checkout { vec![checkout] } else { vec![checkout, push] }
}

/// The greatest tag within a range.
fn newest(range: &str, tags: &[&str]) -> Option<String> {
    let choice =
        PolicyChoice { semver: Some(SemverChoice { range: range.to_owned() }), ..Default::default() };
    let tags = tags.iter().copied().collect();
    let evaluation = Evaluator::new(&choice, None, &[]).evaluate(&tags);
    tags.get(evaluation.latest?).map(str::to_owned)
}

pub(super) fn resolve(remote: &Remote, at: &Known, targets: &Targets) -> Result<Base, Problem> {
    let reference = match &targets.checkout {
        Checkout::Branch(name) => GitRef { branch: Some(name.clone()), ..GitRef::default() },
        Checkout::Tag(name) => GitRef { tag: Some(name.clone()), ..GitRef::default() },
        Checkout::Semver(range) => GitRef { semver: Some(range.clone()), ..GitRef::default() },
        Checkout::Name(name) => GitRef { name: Some(name.clone()), ..GitRef::default() },
        Checkout::Commit(commit) => GitRef { commit: Some(commit.clone()), ..GitRef::default() },
    };
    let found = at.refs.resolve(&remote.shown(), &reference, newest).map_err(Problem::from)?;
    Ok(Base {
        reference: found.name.unwrap_or_else(|| found.commit.clone()),
        commit: found.commit,
        fetched: at.fetched,
        stale: at.stale,
    })
}
