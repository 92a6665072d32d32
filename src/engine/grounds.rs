//! What each automation stands on: its remote, the commit to read, and the marked files of that commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::freeze::FREEZE;
use crate::domain::inventory::{self, Checkout, Targets, is_below};
use crate::domain::manifest;
use crate::domain::object::{GitRef, GitRepository, ImageUpdateAutomation, Kind, ObjectId, Person};
use crate::domain::plan::{Base, Ground, MarkedFile, ProblemFile, PushTarget, Warning};
use crate::domain::refspec::Refspec;
use crate::domain::setrun::{self, RunError};
use crate::git::{self, BareCache, Distance, Refs, Remote};
use crate::problem::{Code, Problem};
use crate::text::count;

/// A remote older than this is fetched again.
const FRESH: Duration = Duration::from_mins(1);

/// Where one automation reads and writes, with the remote's address settled.
pub(super) struct Place<'a> {
    pub(super) automation: &'a ImageUpdateAutomation,
    pub(super) repository: Option<&'a GitRepository>,
    pub(super) targets: Targets,
    /// The address to speak to, credentials and all.
    pub(super) url: String,
    pub(super) warnings: Vec<Warning>,
}

/// What a remote has, as far as it is known.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) refs: Refs,
    pub(super) fetched: Timestamp,
    pub(super) stale: bool,
}

impl Engine {
    /// Reads the marked files of every automation, fetching what is older than `refresh` allows.
    ///
    /// Returns the grounds in the order of the automations, and a problem for each automation that has none.
    ///
    /// # Errors
    /// A credential from the command line that would go to several hosts.
    pub async fn grounds(
        &self,
        world: &Arc<World>,
        refresh: Refresh,
    ) -> Result<(Vec<Ground>, Vec<Problem>), Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            if refresh != Refresh::Never {
                engine.one_git_host(engine.addresses(&world))?;
            }
            Ok(engine.grounds_now(&world, refresh, None))
        })
        .await
    }

    /// The address of each automation's remote, as far as there is one.
    pub(super) fn addresses(&self, world: &World) -> impl Iterator<Item = String> {
        let places = world.automations.iter().filter_map(|automation| self.settle(world, automation).ok());
        places.flatten().map(|place| place.url)
    }

    /// As [`Self::grounds`]; everything goes to `branch` if one is given.
    pub(super) fn grounds_now(
        &self,
        world: &World,
        refresh: Refresh,
        branch: Option<&str>,
    ) -> (Vec<Ground>, Vec<Problem>) {
        self.grounds_of(world, world.automations.iter(), (refresh, branch))
    }

    /// As [`Self::grounds_now`], of some of the automations; no remote of another one is asked.
    pub(super) fn grounds_of<'a>(
        &self,
        world: &World,
        automations: impl Iterator<Item = &'a ImageUpdateAutomation>,
        (refresh, branch): (Refresh, Option<&str>),
    ) -> (Vec<Ground>, Vec<Problem>) {
        let (mut grounds, mut problems) = (Vec::new(), Vec::new());
        let mut known = BTreeMap::new();
        for automation in automations {
            match self.ground(world, automation, (refresh, branch), &mut known, &mut problems) {
                Ok(ground) => grounds.push(ground),
                Err(problem) => problems.push(Problem { subject: automation.meta.id.to_string(), ..problem }),
            }
        }
        self.warn_of_pushers(world, &mut grounds);
        (grounds, problems)
    }

    fn ground(
        &self,
        world: &World,
        automation: &ImageUpdateAutomation,
        (refresh, branch): (Refresh, Option<&str>),
        known: &mut BTreeMap<String, Known>,
        problems: &mut Vec<Problem>,
    ) -> Result<Ground, Problem> {
        let Some(mut place) = self.settle(world, automation)? else {
            return ground_without_git(world, automation);
        };
        let elsewhere = branch.filter(|branch| *branch != place.targets.push_branch);
        if let Some(branch) = elsewhere {
            place.targets.switching = true;
            branch.clone_into(&mut place.targets.push_branch);
        }
        let remote = self.remote_of(world, &place, problems)?;
        let cache = BareCache::open(&self.git_root, &place.url).map_err(Problem::from)?;
        let at = self.know(&cache, &remote, &place, refresh, known, problems)?;
        let base = resolve(&remote, &at, &place.targets)?;
        let tip = at.refs.branch(&place.targets.push_branch).map(str::to_owned);
        let read = if place.targets.switching {
            tip.clone().unwrap_or_else(|| base.commit.clone())
        } else {
            base.commit.clone()
        };
        let path = scanned_path(&cache, &read, &automation.update_path)?;
        let (files, problem_files) = marked_files(&cache, &read, &path)?;
        let apart = match &tip {
            Some(tip) if place.targets.switching => self.distance(&cache, &remote, (tip, &base), refresh),
            _ => Distance { behind: Some(0), ahead: None },
        };
        let behind = apart.behind;
        let mut ground = described(world, automation, path)?;
        ground.remote = Some(remote.shown());
        let mut push = push_target(&place, tip, behind);
        // What the automation pushes beside its own branch is not meant for another.
        push.refspec.take_if(|_| elsewhere.is_some());
        ground.push = Some(push);
        ground.warnings = std::mem::take(&mut place.warnings);
        ground.warnings.extend(target_warnings(automation, &place.targets, behind));
        ground.warnings.extend(foreign_commits(&ground.author, &place.targets.push_branch, apart.ahead));
        let refspec = ground.push.as_ref().and_then(|push| push.refspec.as_deref());
        ground.warnings.extend(refspec.and_then(refspec_warning));
        ground.warnings.extend(secret_warnings(world, &place));
        ground.warnings.extend(self.unsigned(world, automation));
        ground.warnings.extend(self.frozen().map(|frozen| Warning::new(FREEZE, frozen.to_string())));
        // Only a checkout of the same repository has anything to say about it.
        let checkout = world.checkout.as_ref().filter(|checkout| checkout.remote_like(&place.url).is_some());
        ground
            .warnings
            .extend(checkout.and_then(|checkout| super::work_tree::differs(&checkout.root, &files)));
        ground.base = Some(base);
        ground.files = files;
        ground.problem_files = problem_files;
        Ok(ground)
    }

    /// Settles the repository of an automation: its address and its branches. `None`: there is no Git at all.
    ///
    /// # Errors
    /// The automation cannot run as it is written, or its repository is nowhere to be found.
    pub(super) fn settle<'a>(
        &self,
        world: &'a World,
        automation: &'a ImageUpdateAutomation,
    ) -> Result<Option<Place<'a>>, Problem> {
        let subject = automation.meta.id.to_string();
        if let Some(problem) = world.inventory.ambiguity(Kind::GitRepository, &automation.source) {
            return Err(problem);
        }
        let repository = world.inventory.git_repositories.get(&automation.source);
        let reference = repository.and_then(|repository| repository.reference.as_ref());
        let targets = inventory::targets(automation, reference).map_err(|error| error.problem(&subject))?;
        let Some((url, warnings)) = self.url_of(world, automation, repository)? else { return Ok(None) };
        Ok(Some(Place { automation, repository, targets, url, warnings }))
    }

    /// Flags, configuration, the checkout's remote that is the same repository, then the object's own address.
    fn url_of(
        &self,
        world: &World,
        automation: &ImageUpdateAutomation,
        repository: Option<&GitRepository>,
    ) -> Result<Option<(String, Vec<Warning>)>, Problem> {
        let name = automation.source.to_string();
        let given =
            self.settings.git_urls.iter().find(|(for_name, _)| for_name.is_empty() || *for_name == name);
        if let Some((_, url)) = given {
            return Ok(Some((world.git_config.instead_of(url), self.not_flux(url))));
        }
        if let Some(repository) = repository {
            // The checkout's own addresses have been through `insteadOf` already.
            let rewritten = world.git_config.instead_of(&repository.url);
            let same = world.checkout.as_ref().and_then(|checkout| {
                checkout.remote_like(&repository.url).or_else(|| checkout.remote_like(&rewritten))
            });
            let url = same.map_or(rewritten.as_str(), |(_, url)| url).to_owned();
            return Ok(Some((url, self.not_flux(&repository.url))));
        }
        let assumed = |url: &str| {
            let text =
                format!("GitRepository {name} is nowhere to be found; {} is assumed", git::redact(url));
            (url.to_owned(), vec![Warning::new("assumed_remote", text)])
        };
        if let Some(url) = &world.source_url {
            return Ok(Some(assumed(url)));
        }
        let Some(checkout) = &world.checkout else { return Ok(None) };
        match checkout.default_remote() {
            Some((_, url)) if inventory::is_implied(automation) => {
                Ok(Some((url.to_owned(), self.not_flux(url))))
            }
            Some((_, url)) => Ok(Some(assumed(url))),
            None if inventory::is_implied(automation) => Ok(None),
            None => Err(Problem::new(
                Code::GitNotFound,
                automation.meta.id.to_string(),
                format!("referenced git repository does not exist: {name}"),
            )
            .hint(format!("Say where it is: --git-url {name}=URL"))),
        }
    }

    /// An address that Flux's own schema refuses, unless it is the demo's.
    fn not_flux(&self, url: &str) -> Vec<Warning> {
        let is_flux = ["http://", "https://", "ssh://"].iter().any(|scheme| url.starts_with(scheme));
        if is_flux || self.settings.practice {
            return Vec::new();
        }
        vec![Warning::new(
            "not_flux_url",
            format!("{} works here, but Flux takes http, https and ssh addresses only", git::redact(url)),
        )]
    }

    /// What the remote has: asked, or remembered if that is recent enough or the remote does not answer. What is
    /// remembered of a remote that did not answer the last time is stale, whoever asks next.
    fn know(
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

    pub(super) fn remote_of(
        &self,
        world: &World,
        place: &Place<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Remote, Problem> {
        let secrets = Self::git_secrets(world, place.repository, &place.url, problems);
        let mut remote = self.remote(&place.url, &secrets, &world.git_config, problems)?;
        if let Some(repository) = place.repository
            && let Some(proxy) = Self::git_proxy(world, repository, problems)?
        {
            remote.proxy = Some(proxy);
        }
        Ok(remote)
    }
}

/// What is known without looking at any file.
fn described(world: &World, automation: &ImageUpdateAutomation, path: String) -> Result<Ground, Problem> {
    let policies = world
        .inventory
        .policies_of(automation)
        .map_err(|error| Problem::new(Code::Config, automation.meta.id.to_string(), error.to_string()))?;
    let policies = policies.iter().map(|policy| &policy.meta.id);
    let git = automation.git.clone().unwrap_or_default();
    let author = if git.author == Person::default() { super::land::operator(world) } else { git.author };
    Ok(Ground {
        automation: automation.meta.id.clone(),
        policies: policies.chain(world.inventory.blocked_policies_of(automation)).cloned().collect(),
        path,
        remote: None,
        base: None,
        push: None,
        author,
        template: git.message_template,
        template_values: git.message_values,
        warnings: Vec::new(),
        files: Vec::new(),
        problem_files: Vec::new(),
    })
}

/// A folder without Git: its files as they lie there. It can be planned and written as a patch, not pushed.
fn ground_without_git(world: &World, automation: &ImageUpdateAutomation) -> Result<Ground, Problem> {
    let root = world.root.clone().unwrap_or_default();
    let path = setrun::resolve(&automation.update_path, |path| super::walk::entry(&root, path))
        .map_err(|error| not_scanned(&error))?;
    let mut ground = described(world, automation, path.clone())?;
    for (file, bytes) in super::walk::marked_files(&root)? {
        if is_below(&file, &path) {
            keep(file, bytes, &mut ground.files, &mut ground.problem_files);
        }
    }
    Ok(ground)
}

/// Where `update_path` leads to in the files of a commit.
fn scanned_path(cache: &BareCache, commit: &str, update_path: &str) -> Result<String, Problem> {
    let found = cache.look(commit, |entry| setrun::resolve(update_path, entry)).map_err(Problem::from)?;
    found.map_err(|error| not_scanned(&error))
}

/// The problem of an automation whose path leads nowhere; the caller says which automation.
fn not_scanned(error: &RunError) -> Problem {
    Problem::new(Code::NotFound, "", format!("failed to apply policies: {error}"))
}

/// Fetches what an automation reads, and its push branch.
impl Engine {
    /// Fetches what an automation stands on.
    pub(super) fn fetch_place(
        &self,
        cache: &BareCache,
        remote: &Remote,
        place: &Place<'_>,
    ) -> Result<Known, Problem> {
        let fetched = self.fetch(cache, remote, |refs| wants(refs, &place.targets)).map_err(Problem::from)?;
        Ok(Known { refs: fetched.refs, fetched: super::now(), stale: false })
    }
}

pub(super) fn never_fetched(remote: &Remote) -> Problem {
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
    let choice = crate::domain::object::PolicyChoice {
        semver: Some(crate::domain::object::SemverChoice { range: range.to_owned() }),
        ..Default::default()
    };
    let tags = tags.iter().copied().collect();
    let evaluation = crate::domain::policy::Evaluator::new(&choice, None, &[]).evaluate(&tags);
    tags.get(evaluation.latest?).map(str::to_owned)
}

fn resolve(remote: &Remote, at: &Known, targets: &Targets) -> Result<Base, Problem> {
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

fn push_target(place: &Place<'_>, tip: Option<String>, behind: Option<usize>) -> PushTarget {
    let git = place.automation.git.clone().unwrap_or_default();
    PushTarget {
        branch: place.targets.push_branch.clone(),
        commit: tip,
        behind,
        refspec: git.push_refspec,
        options: git.push_options,
        elsewhere: false,
    }
}

fn target_warnings(
    automation: &ImageUpdateAutomation,
    targets: &Targets,
    behind: Option<usize>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let branch = &targets.push_branch;
    if !automation.suspend && !inventory::is_implied(automation) {
        let overwrites =
            if targets.switching { format!(" and may overwrite {branch}") } else { String::new() };
        let text = format!(
            "automation {} is not suspended: a controller that runs it commits the same updates{overwrites}",
            automation.meta.id
        );
        warnings.push(Warning::new("automation_active", text));
    }
    if let Some(behind) = behind.filter(|behind| *behind > 0) {
        warnings.push(Warning::new(
            "push_branch_behind",
            format!("{branch} lacks {} of the branch it was made from", count(behind, "commit")),
        ));
    }
    warnings
}

/// How many commits of others are named.
const NAMED: usize = 5;

/// The commits on a push branch that are not by the automation's author: they are built upon, and kept.
fn foreign_commits(author: &Person, branch: &str, ahead: Option<Vec<(Person, String)>>) -> Option<Warning> {
    let mut foreign = ahead?;
    foreign.retain(|(by, _)| by.email != author.email);
    let named: Vec<String> =
        foreign.iter().take(NAMED).map(|(by, subject)| format!("{} ({})", subject, by.name)).collect();
    let more =
        if foreign.len() > NAMED { format!(" and {} more", foreign.len() - NAMED) } else { String::new() };
    let text = format!(
        "{branch} has {} by others, which are kept: {}{more}",
        count(foreign.len(), "commit"),
        named.join(", ")
    );
    (!foreign.is_empty()).then(|| Warning::new("foreign_commits", text))
}

/// What is not done as a refspec has it.
fn refspec_warning(text: &str) -> Option<Warning> {
    match Refspec::parse(text) {
        Ok(spec) if spec.forces => Some(Warning::new(
            "refspec",
            format!("{} is pushed without the force that {text:?} asks for", spec.to),
        )),
        Ok(_) => None,
        Err(defect) => Some(Warning::new("refspec", format!("{defect}; it is not pushed"))),
    }
}

/// What keeps the repository's own secret from being used.
fn secret_warnings(world: &World, place: &Place<'_>) -> Option<Warning> {
    let repository = place.repository?;
    let secret = ObjectId::new(&repository.meta.id.namespace, repository.secret_ref.as_ref()?);
    let error = world.secret(&secret).err()?;
    Some(Warning::new(error.code(), error.to_string()))
}

fn marked_files(
    cache: &BareCache,
    commit: &str,
    path: &str,
) -> Result<(Vec<MarkedFile>, Vec<ProblemFile>), Problem> {
    let read = cache
        .read_tree(
            commit,
            |file| is_below(file, path) && manifest::is_yaml_name(file),
            manifest::means_markers,
        )
        .map_err(Problem::from)?;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for file in read {
        keep(file.path, file.bytes, &mut files, &mut problems);
    }
    files.sort_by(|a: &MarkedFile, b| setrun::walk_order(&a.path, &b.path));
    Ok((files, problems))
}

/// Takes in a file with markers. One without the token is none of Flux's; of it only what was meant as a marker is kept.
fn keep(path: String, bytes: Vec<u8>, files: &mut Vec<MarkedFile>, problems: &mut Vec<ProblemFile>) {
    let has_token = manifest::has_token(&bytes);
    let read = match String::from_utf8(bytes) {
        Ok(text) => MarkedFile::read(path.clone(), text),
        Err(_) => Err(manifest::YamlError { line: 1, column: 1, message: "not UTF-8".to_owned() }),
    };
    match read {
        Ok(file) if has_token => files.push(file),
        Ok(file) => files.push(MarkedFile { sites: Vec::new(), ..file }),
        Err(error) if has_token => problems.push(ProblemFile { path, error }),
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_automation_that_is_not_suspended_is_told_of() {
        let mut automation = inventory::implied_automation("apps", "main");
        let targets = Targets {
            checkout: Checkout::Branch("main".to_owned()),
            push_branch: "main".to_owned(),
            switching: false,
        };
        assert_eq!(target_warnings(&automation, &targets, None), [], "nobody runs what is made up");
        automation.meta.id.name = "all".to_owned();
        automation.meta.origin.source = "files";
        let text = "automation apps/all is not suspended: a controller that runs it commits the same updates";
        assert_eq!(target_warnings(&automation, &targets, None), [Warning::new("automation_active", text)]);
        let switching = Targets { switching: true, push_branch: "updates".to_owned(), ..targets.clone() };
        let text = format!("{text} and may overwrite updates");
        assert_eq!(target_warnings(&automation, &switching, None), [Warning::new("automation_active", text)]);
        automation.suspend = true;
        assert_eq!(target_warnings(&automation, &targets, None), []);
    }
}
