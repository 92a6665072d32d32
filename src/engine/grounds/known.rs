//! What a remote has, asked or remembered, and the commit that a checkout means there.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::super::{Engine, now};
use super::place::Place;
use crate::config::Refresh;
use crate::domain::inventory::{Checkout, Targets};
use crate::domain::object::GitRef;
use crate::domain::plan::Base;
use crate::domain::policy::constraint::{ConstraintError, Constraints};
use crate::domain::policy::version::Version;
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
        let was_asked = || self.unreached.answered(&place.url).is_some_and(|time| age(time) < FRESH);
        let at = match (refresh, last) {
            (Refresh::Never, Some(last)) => last,
            (Refresh::Never, None) => return Err(unreached.unwrap_or_else(|| never_fetched(remote))),
            // What is not there is asked for again, unless it was just now and by us: it may have been made since.
            (Refresh::Auto, Some(last))
                if is_fresh
                    && holds(cache, &last.refs, place)
                    && (resolve(remote, &last, &place.targets, cache).is_ok() || was_asked()) =>
            {
                last
            }
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

/// The names to fetch: what is checked out, or may be, and the push branch.
fn wants(refs: &Refs, targets: &Targets) -> Vec<String> {
    let mut wanted = match &targets.checkout {
        Checkout::Branch(branch) => vec![format!("refs/heads/{branch}")],
        Checkout::Name(name) => vec![name.trim_end_matches("^{}").to_owned()],
        Checkout::Tag(tag) => vec![tag_name(tag)],
        Checkout::Commit(commit) => vec![commit.clone()],
        Checkout::Semver(range) => {
            greatest(range, refs.tags()).unwrap_or_default().into_iter().map(tag_name).collect()
        }
    };
    let push = format!("refs/heads/{}", targets.push_branch);
    if !wanted.contains(&push) {
        wanted.push(push);
    }
    wanted
}

fn tag_name(tag: &str) -> String {
    format!("refs/tags/{tag}")
}

/// The tags within a range that no other one is greater than: several, where they differ in what plays no part in the order.
fn greatest<'t>(range: &str, tags: impl Iterator<Item = &'t str>) -> Result<Vec<&'t str>, ConstraintError> {
    let range = Constraints::parse(range)?;
    let (mut best, mut all): (Option<Version<'t>>, Vec<&'t str>) = (None, Vec::new());
    for tag in tags {
        let Some(version) = Version::from_tag(tag).filter(|version| range.check(version)) else { continue };
        match best.as_ref().map_or(Ordering::Greater, |best| version.precedence(best)) {
            Ordering::Less => continue,
            Ordering::Equal => {}
            Ordering::Greater => {
                all.clear();
                best = Some(version);
            }
        }
        all.push(tag);
    }
    Ok(all)
}

/// Of the greatest tags within a range that with the youngest commit; `time` tells when a tag's commit was made.
///
/// Source: `fluxcd/pkg:git/gogit/clone.go` (`cloneSemVer`).
fn youngest(range: &str, tags: &[&str], time: impl Fn(&str) -> Option<i64>) -> Option<String> {
    let all = greatest(range, tags.iter().copied()).ok()?;
    all.into_iter().max_by_key(|tag| (time(tag), *tag)).map(str::to_owned)
}

pub(super) fn resolve(
    remote: &Remote,
    at: &Known,
    targets: &Targets,
    cache: &BareCache,
) -> Result<Base, Problem> {
    let reference = match &targets.checkout {
        Checkout::Branch(name) => GitRef { branch: Some(name.clone()), ..GitRef::default() },
        Checkout::Tag(name) => GitRef { tag: Some(name.clone()), ..GitRef::default() },
        Checkout::Semver(range) => {
            Constraints::parse(range).map_err(|error| no_range(&error))?;
            GitRef { semver: Some(range.clone()), ..GitRef::default() }
        }
        Checkout::Name(name) => GitRef { name: Some(name.clone()), ..GitRef::default() },
        Checkout::Commit(commit) => GitRef { commit: Some(commit.clone()), ..GitRef::default() },
    };
    let time = |tag: &str| cache.commit_time(at.refs.commit(&tag_name(tag))?);
    let newest = |range: &str, tags: &[&str]| youngest(range, tags, time);
    let found = at.refs.resolve(&remote.shown(), &reference, newest).map_err(Problem::from)?;
    Ok(Base {
        reference: found.name.unwrap_or_else(|| found.commit.clone()),
        commit: found.commit,
        fetched: at.fetched,
        stale: at.stale,
    })
}

fn no_range(error: &ConstraintError) -> Problem {
    Problem::new(Code::Config, "", format!("semver parse error: {error}")).hint(
        "Correct spec.git.checkout.ref.semver of the automation, or spec.ref.semver of the GitRepository.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, SourceChoice};
    use crate::domain::branch::Onto;
    use crate::domain::object::Person;
    use crate::engine::tests::settings;
    use crate::git::init_bare;
    use crate::store::Dirs;

    #[test]
    fn of_tags_that_rank_the_same_the_youngest_commit_is_the_base() {
        let tags = ["1.1.9", "1.2.0+build.10", "1.2.0+build.9", "2.0.0", "v1.2.0", "x"];
        let made = |times: &[(&str, i64)]| {
            youngest("1.x", &tags, |tag| times.iter().find(|(name, _)| *name == tag).map(|(_, time)| *time))
        };
        let times = [("1.1.9", 9), ("1.2.0+build.10", 3), ("1.2.0+build.9", 1), ("v1.2.0", 2)];
        assert_eq!(made(&times).as_deref(), Some("1.2.0+build.10"));
        assert_eq!(made(&[]).as_deref(), Some("v1.2.0"), "one of them in any case");
        assert_eq!(youngest("3.x", &tags, |_| None), None);
        let error = no_range(&greatest("x y", tags.into_iter()).unwrap_err());
        assert_eq!(error.message, "semver parse error: improper constraint: \"x y\"");
    }

    #[tokio::test]
    async fn a_branch_that_is_missing_is_not_asked_for_at_each_look() {
        let dir = tempfile::tempdir().unwrap();
        let (fleet, files) = (dir.path().join("fleet.git"), dir.path().join("objects"));
        let author = Person { name: "ci".into(), email: "ci@example.com".into() };
        init_bare(&fleet, "main", (&author, 0), &[("a.yaml".into(), b"a: 1\n".to_vec())]).unwrap();
        std::fs::create_dir(&files).unwrap();
        let objects = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet, namespace: shop}}\n\
             spec: {{url: 'file://{}', interval: 1m, ref: {{branch: gone}}}}\n---\n\
             apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\nmetadata: {{name: apps, namespace: shop}}\n\
             spec: {{interval: 1m, sourceRef: {{kind: GitRepository, name: fleet}}, git: {{commit: {{author: {{email: a@b}}}}}}}}\n",
            fleet.display()
        );
        std::fs::write(files.join("fleet.yaml"), objects).unwrap();
        let look = async |engine: &Engine, refresh| {
            let world = engine.load().await.unwrap();
            let (grounds, problems) = engine.grounds(&world, refresh, &Onto::Push).await.unwrap();
            assert!(grounds.is_empty() && problems[0].message.contains("gone"), "{problems:?}");
            let events = engine.store().audit().since(Timestamp::UNIX_EPOCH);
            events.iter().filter(|event| event.event == "fetch").count()
        };
        let files = Some(files.to_string_lossy().into_owned());
        let settings = Settings { files, source: SourceChoice::Files, ..settings() };
        let engine = || Engine::open_in(settings.clone(), &Dirs::below(dir.path())).unwrap();
        let one = engine();
        assert_eq!(look(&one, Refresh::Auto).await, 1);
        assert_eq!(look(&one, Refresh::Auto).await, 1, "it is known");
        assert_eq!(look(&one, Refresh::Always).await, 2);
        assert_eq!(look(&engine(), Refresh::Auto).await, 3, "who starts anew may have made it");
    }
}
