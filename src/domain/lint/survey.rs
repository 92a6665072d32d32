//! What is to be said of the files that a plan stands on: the findings of the screen.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{BrokenChain, Link};
use super::judge::{Place, named};
use super::world::{Fault, Known, Obstacle, World, Writer};
use super::{BadFile, Fix, LintedMarker, Tree, Verdict};
use crate::domain::inventory::{Inventory, is_below};
use crate::domain::object::ObjectId;
use crate::domain::plan::{Ground, MarkedFile};

/// What is wrong with markers, policies and automations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Markers that somebody has to do something about, whatever their policies come to.
    pub markers: Vec<LintedMarker>,
    /// Files with markers that are not valid to Flux, beside those that the grounds name.
    pub files: Vec<BadFile>,
    /// Policies whose selection does not arrive.
    pub chains: BTreeMap<ObjectId, BrokenChain>,
    /// How each automation stands.
    pub automations: BTreeMap<ObjectId, Standing>,
}

/// How an automation stands, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `no source`, `fails`, `no policies`, `suspended` or `active`.
    pub word: &'static str,
    /// Whether it can do nothing as it is.
    pub is_broken: bool,
    /// What is wrong, where the word does not say it all.
    pub message: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// How each automation stands, from the objects alone.
pub fn standings(inventory: &Inventory, known: &Known<'_>) -> BTreeMap<ObjectId, Standing> {
    standing_of(&Writer::all(inventory, known))
}

fn standing_of(writers: &[Writer]) -> BTreeMap<ObjectId, Standing> {
    writers.iter().map(|writer| (writer.id.clone(), writer.standing())).collect()
}

impl Writer {
    fn standing(&self) -> Standing {
        let broken = |word, fault: &Fault| Standing {
            word,
            is_broken: true,
            message: Some(fault.message.clone()),
            fix: fault.fix.clone(),
        };
        let plain = |word| Standing { word, is_broken: false, message: None, fix: None };
        match (&self.no_source, &self.unable) {
            (Some(fault), _) => broken("no source", fault),
            (None, Some(fault)) => broken("fails", fault),
            _ if self.suspended => plain("suspended"),
            _ if self.has_no_policy() => {
                let namespace = &self.id.namespace;
                let message = format!("no ImagePolicy of namespace {namespace} is within its policySelector");
                broken("no policies", &Fault { message, fix: None })
            }
            _ => plain("active"),
        }
    }
}

/// How far the best marker of each policy gets.
#[derive(Debug, Default)]
pub(super) struct Best(BTreeMap<ObjectId, Result<(), Box<Obstacle>>>);

impl Best {
    /// Takes a marker in; `reach` is asked only if its answer can matter.
    pub(super) fn meet(&mut self, marker: &LintedMarker, reach: impl FnOnce() -> Option<Box<Obstacle>>) {
        let Some(policy) = named(marker) else { return };
        let so_far = self.0.get(&policy);
        if matches!(so_far, Some(Ok(()))) {
            return;
        }
        let found =
            if marker.verdict.is_dead() { Err(Box::new(dead(marker))) } else { reach().map_or(Ok(()), Err) };
        if so_far.is_none_or(|so_far| rank(so_far) < rank(&found)) {
            self.0.insert(policy, found);
        }
    }

    /// Whether any marker names the policy.
    pub(super) fn names(&self, policy: &ObjectId) -> bool {
        self.0.contains_key(policy)
    }

    pub(super) fn of(&self, policy: &ObjectId) -> Option<&Result<(), Box<Obstacle>>> {
        self.0.get(policy)
    }
}

/// The farther a marker gets, the greater; one that is as it should be is farther than one that is not.
fn rank(found: &Result<(), Box<Obstacle>>) -> (bool, Option<Link>, bool) {
    let obstacle = found.as_ref().err();
    let is_in_order = obstacle.is_some_and(|obstacle| obstacle.verdict.is_none());
    (found.is_ok(), obstacle.map(|obstacle| obstacle.link), is_in_order)
}

fn dead(marker: &LintedMarker) -> Obstacle {
    let message = format!("{}:{}: {}", marker.file, marker.line, marker.message);
    let fix = marker.fix.as_ref().map(Fix::sentence);
    let fault = Fault { message, fix };
    Obstacle { link: Link::Marker, status: "unused", verdict: Some(marker.verdict), fault }
}

/// What is wrong with the markers of `grounds` and of the `trees` around them, as far as those were looked through, with
/// policies and with automations.
///
/// A file that several automations read is judged once. The policies of an automation whose files could not be read are
/// not called unused.
pub fn survey(grounds: &[Ground], trees: &[Tree], world: &World) -> Survey {
    let mut survey = Survey { automations: standing_of(&world.writers), ..Survey::default() };
    let mut best = Best::default();
    let mut judged = BTreeSet::new();
    for (remote, file, peers) in files(grounds) {
        let covers = |writer: &Writer| writer.covers(&file.path) && peers.contains(&&writer.id);
        let place = Place { world, file: &file.path, text: &file.text, covers: &covers };
        let scalars = file.sites.iter().map(|scalar| place.of_scalar(scalar));
        for marker in scalars.chain(file.strays.iter().map(|stray| place.of_stray(stray))) {
            best.meet(&marker, || named(&marker).and_then(|policy| world.reach(&policy, covers).err()));
            judged.insert((remote, place_of(&marker)));
            if is_own(marker.verdict) {
                survey.markers.push(marker);
            }
        }
    }
    for around in trees.iter().map(|tree| Around { tree, peers: tree.peers(grounds) }) {
        for marker in around.markers() {
            best.meet(marker, || named(marker).and_then(|policy| world.reach(&policy, |_| false).err()));
            if is_own(marker.verdict) && judged.insert((around.tree.remote.as_deref(), place_of(marker))) {
                survey.markers.push(marker.clone());
            }
        }
        survey.files.extend(around.files().cloned());
    }
    survey.files.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    survey.files.dedup();
    survey.chains = chains(grounds, &best, world);
    survey
}

/// The policies whose selection does not arrive, by how far the best of their markers gets.
fn chains(grounds: &[Ground], best: &Best, world: &World) -> BTreeMap<ObjectId, BrokenChain> {
    let read: BTreeSet<&ObjectId> = grounds.iter().map(|ground| &ground.automation).collect();
    let unread = |writer: &Writer| !read.contains(&writer.id);
    let chain = |policy: &ObjectId| {
        let is_open = world.writers.iter().any(|writer| unread(writer) && writer.selects(policy));
        let open = (is_open && !best.names(policy)).then(|| world.reach(policy, unread));
        world.chain(policy, best.of(policy).or(open.as_ref()))
    };
    world.policies.keys().filter_map(|policy| Some((policy.clone(), chain(policy)?))).collect()
}

/// Whether a verdict is the marker's own, and not that of a policy, which is told elsewhere.
fn is_own(verdict: Verdict) -> bool {
    verdict.is_problem()
        && !matches!(verdict, Verdict::NoLatest | Verdict::PolicyFailed | Verdict::UnknownSource)
}

/// Where a marker stands.
fn place_of(marker: &LintedMarker) -> (String, usize, usize) {
    (marker.file.clone(), marker.line, marker.column)
}

/// All files of a repository, beside those that a plan stands on.
struct Around<'a> {
    tree: &'a Tree,
    peers: Vec<&'a Ground>,
}

impl<'a> Around<'a> {
    fn markers(&self) -> impl Iterator<Item = &'a LintedMarker> {
        self.tree.markers.iter().filter(|marker| self.tells(&marker.file, marker.verdict.is_dead()))
    }

    fn files(&self) -> impl Iterator<Item = &'a BadFile> {
        self.tree.files.iter().filter(|file| self.tells(&file.file, !self.is_named(&file.file)))
    }

    /// Whether what stands in `file` is told by the tree alone: it is outside of all paths, or, as `is_unread` says, in no file
    /// that a plan stands on. Files that a plan stands on may have gone on to another commit; those say it themselves.
    fn tells(&self, file: &str, is_unread: bool) -> bool {
        let commit = self.tree.commit.as_deref();
        let is_current = |ground: &&&Ground| ground.stands_on().map(|(_, commit)| commit) == commit;
        let below = || self.peers.iter().filter(|ground| is_below(file, &ground.path));
        below().next().is_none() || (is_unread && below().any(|ground| is_current(&ground)))
    }

    /// Whether the grounds say that the file is not valid.
    fn is_named(&self, file: &str) -> bool {
        self.peers.iter().any(|ground| ground.problem_files.iter().any(|problem| problem.path == file))
    }
}

/// Every marked file once, with its repository and the automations that read that.
fn files(grounds: &[Ground]) -> Vec<(Option<&str>, &MarkedFile, Vec<&ObjectId>)> {
    let mut peers: BTreeMap<Option<&str>, Vec<&ObjectId>> = BTreeMap::new();
    for ground in grounds {
        peers.entry(ground.remote.as_deref()).or_default().push(&ground.automation);
    }
    let mut seen: BTreeSet<(Option<&str>, &str)> = BTreeSet::new();
    let mut found = Vec::new();
    for ground in grounds {
        let remote = ground.remote.as_deref();
        let fresh = ground.files.iter().filter(|file| seen.insert((remote, file.path.as_str())));
        let of = peers.get(&remote).cloned().unwrap_or_default();
        found.extend(fresh.map(|file| (remote, file, of.clone())));
    }
    found
}
