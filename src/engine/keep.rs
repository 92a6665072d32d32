//! Going back to an older tag: its digest, and the means in the files that keep a policy there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reflect::ImagePlace;
use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::branch::Onto;
use crate::domain::edit::EditField;
use crate::domain::keep::{Means, Offer, PlacedEdit, RollBack, narrowed, newer, pattern};
use crate::domain::object::{
    DigestPolicy, ImagePolicy, ImageRepository, ImageUpdateAutomation, ObjectId, PolicyChoice, SemverChoice,
};
use crate::domain::plan::Ground;
use crate::domain::policy::Evaluator;
use crate::domain::proposal::{Proposal, Reference, Site};
use crate::domain::tags::TagList;
use crate::git::BareCache;
use crate::problem::{Code, Problem};
use crate::registry::Resolved;
use crate::source::edit::{self, FieldChange};
use crate::source::files::{self, SourceFile};

/// The objects of one commit, and the files they stand in.
pub(super) struct Tree {
    /// The remote's address without credentials.
    pub(super) remote: String,
    /// The files that may hold objects.
    pub(super) files: Vec<SourceFile>,
}

impl Engine {
    /// What it takes to bring `policy` back to `tag` and to keep it there. The registry is asked for the digest, if the policy
    /// reflects any, and the remotes for the files of the policy's automations.
    ///
    /// # Errors
    /// There is no such policy, its repository is not known, or the registry could not tell the digest.
    pub async fn roll_back(
        &self,
        world: &Arc<World>,
        (id, tag): (&ObjectId, &str),
        refresh: Refresh,
    ) -> Result<RollBack, Problem> {
        let unknown = |what| Problem::new(Code::NotFound, id.to_string(), format!("there is no such {what}"));
        let policy = world.inventory.policies.get(id).ok_or_else(|| unknown("policy"))?.clone();
        let repository = world.inventory.repositories.get(&policy.repository);
        let repository = repository.ok_or_else(|| unknown("repository of tags"))?.clone();
        let digest = self.digest_of(world, (&policy, &repository), tag, refresh).await?;
        let reference = Reference { image: repository.image.clone(), tag: tag.to_owned(), digest };
        let (engine, world, tag) = (self.clone(), Arc::clone(world), tag.to_owned());
        let offers = blocking(move || engine.offers(&world, (&policy, &repository), &tag, refresh)).await?;
        Ok(RollBack { reference, offers })
    }

    async fn digest_of(
        &self,
        world: &World,
        (policy, repository): (&ImagePolicy, &ImageRepository),
        tag: &str,
        refresh: Refresh,
    ) -> Result<Option<String>, Problem> {
        if policy.digest_policy == DigestPolicy::Never {
            return Ok(None);
        }
        let subject = || format!("{}:{tag}", repository.image);
        if refresh == Refresh::Never {
            let known = self.known_images(world, &policy.repository).tags.remove(tag);
            let unknown = || {
                Problem::new(
                    Code::NotFound,
                    subject(),
                    "its digest is not known, and --refresh never forbids to ask",
                )
            };
            return known.map(|known| Some(known.digest)).ok_or_else(unknown);
        }
        let place = ImagePlace::of(self, world, &repository.image, Some(repository))?;
        let digest = self.registry.digest(&place.request(), tag).await;
        let digest = digest.map_err(|error| error.problem(subject()))?;
        let told = Resolved { digest: digest.clone(), pushed: None };
        self.observe(place.name.canonical(), vec![(tag.to_owned(), told)]).await?;
        Ok(Some(digest))
    }

    fn offers(
        &self,
        world: &World,
        (policy, repository): (&ImagePolicy, &ImageRepository),
        tag: &str,
        refresh: Refresh,
    ) -> Result<Vec<Offer>, Problem> {
        let inventory = &world.inventory;
        let id = &policy.meta.id;
        let uses = |automation: &&ImageUpdateAutomation| {
            inventory.policies_of(automation).is_ok_and(|all| all.iter().any(|one| one.meta.id == *id))
        };
        let own = world.automations.iter().filter(uses);
        let (grounds, _) = self.grounds_of(world, own, (refresh, &Onto::Push));
        let trees = self.trees(world, &grounds)?;
        let tags = self.cached_of(repository).map(|(_, scan)| scan.tags).unwrap_or_default();
        let find = |id: &ObjectId, change: &FieldChange| self.find(&trees, id, change);
        let suspend = grounds.iter().map(|ground| find(&ground.automation, &FieldChange::Suspend));
        let exclude = excluded(policy, repository, &tags, tag);
        let exclude = exclude.and_then(|patterns| find(&repository.meta.id, &FieldChange::Exclude(patterns)));
        let others: Vec<String> = inventory
            .policies_on(&repository.meta.id)
            .filter(|other| other.meta.id != *id)
            .map(|other| other.meta.id.to_string())
            .collect();
        let is_shared = (!others.is_empty()).then(|| format!("also for {}", others.join(", ")));
        let narrow = range_of(policy, repository, &tags, tag);
        let narrow = narrow.and_then(|range| find(id, &FieldChange::Range(range)));
        Ok(vec![
            offer(Means::Suspend, suspend.collect::<Result<Vec<_>, _>>().map(|all| all.concat()), None),
            offer(Means::Exclude, exclude, is_shared),
            offer(Means::Narrow, narrow, None),
        ])
    }

    /// The Flux objects of the commits that `grounds` stand on: of each remote those of its last ground.
    pub(super) fn trees(&self, world: &World, grounds: &[Ground]) -> Result<Vec<Tree>, Problem> {
        let mut commits: BTreeMap<&str, (&Ground, &str)> = BTreeMap::new();
        for ground in grounds {
            if let (Some(remote), Some((_, commit))) = (&ground.remote, ground.stands_on()) {
                commits.insert(remote, (ground, commit));
            }
        }
        let read = |(remote, (ground, commit)): (&str, (&Ground, &str))| {
            let cache = self.cache_of(world, ground)?;
            let read = cache.read_tree(commit, files::is_candidate, files::is_relevant);
            let read = read.map_err(Problem::from)?.into_iter();
            let files = read.map(|file| SourceFile { path: file.path, bytes: file.bytes }).collect();
            Ok(Tree { remote: remote.to_owned(), files })
        };
        commits.into_iter().map(read).collect()
    }

    /// The edit of an object, in whichever files it stands; none where it says so already.
    fn find(&self, trees: &[Tree], id: &ObjectId, change: &FieldChange) -> Result<Vec<PlacedEdit>, String> {
        let kind = change.field().kind();
        for Tree { remote, files } in trees {
            let places = edit::places(files, &self.settings.default_namespace, kind).remove(id);
            let place = match places.as_deref() {
                None | Some([]) => continue,
                Some([place]) => place,
                Some(_) => return Err(format!("{kind} {id} stands in several places of {remote}")),
            };
            let file = files.iter().find(|file| file.path == place.file);
            let text = file.and_then(|file| std::str::from_utf8(&file.bytes).ok()).unwrap_or_default();
            let edit = edit::change(text, place, id, change);
            let edit = edit.map_err(|error| format!("{}:{}: {error}", place.file, place.line))?;
            return Ok(edit.into_iter().map(|edit| (remote.clone(), edit)).collect());
        }
        Err(format!("{kind} {id} stands in no file of the automation's repository"))
    }

    /// The cache of the remote that a ground is of.
    pub(super) fn cache_of(&self, world: &World, ground: &Ground) -> Result<BareCache, Problem> {
        let gone = || Problem::new(Code::NotFound, ground.automation.to_string(), "it has no Git remote");
        let known = world.automations.iter().find(|known| known.meta.id == ground.automation);
        let place = self.settle(world, known.ok_or_else(gone)?)?.ok_or_else(gone)?;
        BareCache::open(&self.git_root, &place.url).map_err(Problem::from)
    }

    /// Reads the files in which `updates` edit objects into the grounds they are for. What is not there is left out.
    pub(super) fn read_objects(
        &self,
        world: &World,
        grounds: &mut [Ground],
        updates: &[Proposal],
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ground in grounds {
            let own = updates.iter().filter(|update| update.automation == ground.automation);
            let mut paths: Vec<&str> =
                own.flat_map(|update| &update.edits).map(|edit| edit.file.as_str()).collect();
            paths.retain(|path| ground.text(path).is_none());
            paths.sort_unstable();
            paths.dedup();
            problems.extend(self.read_more(world, ground, &paths).err());
        }
        problems
    }

    /// Reads further files of the commit that a ground stands on.
    pub(super) fn read_more(
        &self,
        world: &World,
        ground: &mut Ground,
        paths: &[&str],
    ) -> Result<(), Problem> {
        let texts = self.texts(world, ground, paths)?;
        ground.texts.extend(texts);
        Ok(())
    }

    /// The texts of files of the commit that a ground stands on, by path; what is not there is left out.
    pub(super) fn texts(
        &self,
        world: &World,
        ground: &Ground,
        paths: &[&str],
    ) -> Result<Vec<(String, Arc<str>)>, Problem> {
        let Some((_, commit)) = ground.stands_on().filter(|_| !paths.is_empty()) else {
            return Ok(Vec::new());
        };
        self.marked.texts(&self.cache_of(world, ground)?, commit, paths).map_err(Problem::from)
    }

    /// Reads the texts of the marked files in which a site of `updates` is due into the grounds they are for.
    pub(super) fn read_due(
        &self,
        world: &World,
        grounds: &mut [Ground],
        (updates, is_due): (&[Proposal], impl Fn(&Site) -> bool),
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ground in grounds {
            let unread: Vec<String> =
                ground.unread(updates, &is_due).into_iter().map(str::to_owned).collect();
            let unread: Vec<&str> = unread.iter().map(String::as_str).collect();
            problems.extend(self.read_more(world, ground, &unread).err());
        }
        problems
    }
}

/// A means; one that changes nothing is none.
fn offer(means: Means, edits: Result<Vec<PlacedEdit>, String>, note: Option<String>) -> Offer {
    let idle = || match means {
        Means::Suspend => "it is suspended already",
        Means::Hold | Means::Exclude | Means::Narrow => "the files say so already",
    };
    let edits = edits.and_then(|edits| if edits.is_empty() { Err(idle().to_owned()) } else { Ok(edits) });
    Offer { means, edits, note }
}

/// The patterns that exclude what a policy would select before `back`.
fn excluded(
    policy: &ImagePolicy,
    repository: &ImageRepository,
    tags: &TagList,
    back: &str,
) -> Result<Vec<String>, String> {
    let evaluator = Evaluator::new(&policy.choice, policy.filter.as_ref(), &repository.exclusions());
    let patterns: Vec<String> = newer(&evaluator, tags, back)?.iter().map(|tag| pattern(tag)).collect();
    if patterns.is_empty() { Err(format!("the policy selects {back} already")) } else { Ok(patterns) }
}

/// The range of a policy that ends with `back`.
fn range_of(
    policy: &ImagePolicy,
    repository: &ImageRepository,
    tags: &TagList,
    back: &str,
) -> Result<String, String> {
    let Some(semver) = &policy.choice.semver else {
        return Err(format!("{} has no range of versions", EditField::Range.kind()));
    };
    let range = narrowed(&semver.range, back);
    let choice =
        PolicyChoice { semver: Some(SemverChoice { range: range.clone() }), ..PolicyChoice::default() };
    let evaluator = Evaluator::new(&choice, policy.filter.as_ref(), &repository.exclusions());
    let selected = evaluator.evaluate(tags).latest.and_then(|index| tags.get(index));
    match selected {
        Some(tag) if tag == back => Ok(range),
        Some(tag) => Err(format!("with {range:?} it would select {tag}")),
        None => Err(format!("with {range:?} it would select nothing")),
    }
}
