//! `bootstrap`: what a branch shall hold beside what it holds, and the one commit that adds it. Repositories at forges are in
//! [`at_forge`].

pub(crate) mod at_forge;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::identity::nobody;
use super::land::{Steps, short, timed};
use super::pushes::Sending;
use super::{Engine, Note, World, blocking, lock};
use crate::domain::bootstrap::{FileChange, Layout};
use crate::domain::commit::{CommitSpec, Content, with_trailers};
use crate::domain::inventory::Inventory;
use crate::domain::landing::LandingStep;
use crate::domain::object::{Meta, Person};
use crate::git::{BareCache, GitError, PushReport, RefUpdate, Refs, Remote, is_same_repository};
use crate::problem::{Code, Problem};
use crate::source::sync::{self, SyncManifest};
use crate::text::ExposeSecret;

/// A file that a repository shall hold, and when one that is there will do.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// From the repository's root.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// What else will do.
    pub(crate) fits: Fits,
}

/// What a file that is there may say instead.
#[derive(Debug, Clone)]
pub(crate) enum Fits {
    /// Nothing else.
    Same,
    /// Whatever follows the same.
    Follows(SyncManifest),
    /// Whatever names the manifest.
    NamesManifest,
}

impl Wanted {
    /// What happens to it where the file says `before`.
    fn over(self, before: Option<String>) -> FileChange {
        let fits = before.as_deref().is_some_and(|text| match &self.fits {
            Fits::Same => false,
            Fits::Follows(sync) => sync.is_in(text),
            Fits::NamesManifest => sync::names_manifest(text),
        });
        FileChange::new(self.path, before, self.text, fits)
    }
}

/// How the commit is made, and how far to go.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    /// Who it is by, if somebody says so; else the operator.
    pub(crate) author: Option<Person>,
    /// The message.
    pub(crate) message: String,
    /// Whether to send nothing.
    pub(crate) dry_run: bool,
    /// Stops it, until something is sent.
    pub(crate) cancel: CancellationToken,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// Where the branch is to be.
    pub(crate) commit: String,
    /// Whether the remote was asked afterwards and has it.
    pub(crate) verified: bool,
    /// The credential that served.
    pub(crate) credential: String,
}

/// What a branch that does not exist yet shall hold, in a repository that does not exist either.
pub(crate) fn in_nothing(remote: String, branch: &str, wanted: Vec<Wanted>) -> Layout {
    let files = wanted.into_iter().map(|file| file.over(None)).collect();
    Layout { remote, branch: branch.to_owned(), tip: None, base: None, from: None, files }
}

impl Engine {
    /// Fetches and compares.
    ///
    /// # Errors
    /// Whatever keeps the remote from answering.
    pub(crate) async fn layout(
        &self,
        world: &Arc<World>,
        (remote, branch): (&str, &str),
        wanted: Vec<Wanted>,
    ) -> Result<Layout, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        let (address, branch) = (remote.to_owned(), branch.to_owned());
        blocking(move || {
            let (remote, cache) = engine.remote_and_cache(&world, &address)?;
            let fetched = engine.fetch(&cache, &remote, |refs| Vec::from_iter(start_of(refs, &branch)));
            let refs = fetched.map_err(Problem::from)?.refs;
            let start = start_of(&refs, &branch);
            let base = start.as_deref().and_then(|name| refs.commit(name)).map(str::to_owned);
            let tip = refs.branch(&branch).map(str::to_owned);
            let from = start.filter(|_| tip.is_none());
            let from = from.map(|name| name.trim_start_matches("refs/heads/").to_owned());
            let mut there = read(&cache, base.as_deref(), &wanted).map_err(Problem::from)?;
            let files = wanted.into_iter().map(|file| {
                let before = there.remove(&file.path);
                file.over(before)
            });
            Ok(Layout { remote: remote.shown(), branch, tip, base, from, files: files.collect() })
        })
        .await
    }

    /// Commits what the branch lacks, pushes, and asks the remote afterwards.
    ///
    /// # Errors
    /// Nobody says who the commit is by; the branch moved meanwhile ([`Code::GitRace`]); whatever keeps the remote from taking it.
    pub(crate) async fn establish(
        &self,
        world: &Arc<World>,
        (address, layout): (&str, &Layout),
        making: Making,
        step: impl Fn(LandingStep) + Send + Sync + 'static,
    ) -> Result<Made, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        let (address, layout) = (address.to_owned(), layout.clone());
        blocking(move || {
            let step: Arc<dyn Fn(LandingStep) + Send + Sync> = Arc::new(step);
            let made = engine.establish_now(&world, (&address, &layout), &making, &step);
            engine.note_made(&layout, &making, &made);
            made
        })
        .await
    }

    fn establish_now(
        &self,
        world: &World,
        (address, layout): (&str, &Layout),
        making: &Making,
        step: Steps<'_>,
    ) -> Result<Made, Problem> {
        let (remote, cache) = self.remote_and_cache(world, address)?;
        let remote = Remote { cancel: making.cancel.clone(), ..remote };
        let alone = || lock::alone(&self.store, &remote, step);
        let _alone = (!making.dry_run).then(alone).transpose()?;
        let commit = self.first_or_next(world, &cache, layout, making, step)?;
        let branch = &layout.branch;
        let update = RefUpdate::of_branch(branch, layout.tip.clone(), commit.clone());
        let text = format!("git push {} {}:refs/heads/{branch}", remote.shown(), short(&commit));
        let pushed = if making.dry_run {
            let text = format!("{text} (dry run)");
            timed(step, &text, || cache.push_dry_run(&remote, &[update])).map_err(Problem::from)
        } else {
            let (cache, remote) = (&cache, &remote);
            self.push_branch(&Sending { cache, remote, plan: "", update, options: &[], step, text: &text })
        };
        let PushReport { branches, credential, .. } = pushed?;
        let verified = branches.first().is_some_and(|branch| branch.verified);
        Ok(Made { commit, verified, credential })
    }

    /// The commit that the branch is to be at: one with what is missing; the base itself where nothing is.
    fn first_or_next(
        &self,
        world: &World,
        cache: &BareCache,
        layout: &Layout,
        making: &Making,
        step: Steps<'_>,
    ) -> Result<String, Problem> {
        let files: Vec<(String, Content)> = layout
            .changes()
            .map(|file| (file.path.clone(), file.after.clone().into_bytes().into()))
            .collect();
        if let (true, Some(base)) = (files.is_empty(), &layout.base) {
            return Ok(base.clone());
        }
        let operator = world.git_config.operator();
        let author = making.author.clone().or_else(|| world.git_config.author());
        let author = author.filter(|author| *author != Person::default());
        let author = author.ok_or_else(|| nobody("bootstrap"))?;
        let committer = operator.unwrap_or_else(|| author.clone());
        let signer = self.signer(world, None, &committer)?;
        let text = format!("commit tree of {}", crate::text::count(files.len(), "file"));
        let spec = CommitSpec {
            parent: layout.base.clone(),
            author,
            time: (super::now().as_second(), 0),
            message: with_trailers(&making.message, &self.settings.trailers, &committer),
            committer,
            files,
        };
        timed(step, &text, || cache.commit_signed(&spec, signer.as_ref())).map_err(Problem::from)
    }

    fn remote_and_cache(&self, world: &World, address: &str) -> Result<(Remote, BareCache), Problem> {
        self.one_git_host(std::iter::once(address.to_owned()))?;
        let remote = self.remote_at(world, world.automations.iter(), address)?;
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        Ok((remote, cache))
    }

    fn note_made(&self, layout: &Layout, making: &Making, made: &Result<Made, Problem>) {
        if making.dry_run {
            return;
        }
        let Layout { remote, branch, .. } = layout;
        let (detail, result) = match made {
            Ok(made) => (format!("bootstrap: {} to {branch}", short(&made.commit)), "ok"),
            Err(problem) => (format!("bootstrap: {}", problem.message), "error"),
        };
        self.note(&[Note { result, ..Note::ok("push", remote.clone(), detail) }]);
    }

    /// The key of a secret of ours: the address it was made for, and the public key.
    pub(crate) fn kept_key(world: &World, id: &crate::domain::object::ObjectId) -> Option<KeptKey> {
        let own = world.own_secrets.iter().find(|own| own.secret.id == *id)?;
        let public = own.secret.data.get("identity.pub").map(|key| key.expose_secret().trim().to_owned());
        Some(KeptKey { url: own.url.clone(), public })
    }
}

/// What is kept under the name of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptKey {
    url: Option<String>,
    /// The public key, if it is one for ssh.
    pub(crate) public: Option<String>,
}

impl KeptKey {
    /// Whether it was made for the repository at `url`.
    pub(crate) fn is_for(&self, url: &str) -> bool {
        self.url.as_deref().is_some_and(|known| is_same_repository(known, url))
    }

    /// The address it was made for.
    pub(crate) fn made_for(&self) -> &str {
        self.url.as_deref().unwrap_or("nobody knows what")
    }
}

/// The full name of the branch, else of the one that the remote shows first; `None` in an empty repository.
fn start_of(refs: &Refs, branch: &str) -> Option<String> {
    let own = format!("refs/heads/{branch}");
    let first = || refs.head.clone().filter(|head| refs.all.contains_key(head));
    if refs.all.contains_key(&own) { Some(own) } else { first() }
}

/// The files as they are in a commit, by path; what is no text is shown as well as it can be, and is not what is wanted.
fn read(
    cache: &BareCache,
    base: Option<&str>,
    wanted: &[Wanted],
) -> Result<BTreeMap<String, String>, GitError> {
    let Some(base) = base else { return Ok(BTreeMap::new()) };
    let paths: Vec<&str> = wanted.iter().map(|file| file.path.as_str()).collect();
    let files = cache.read_files(base, &paths)?;
    Ok(files.into_iter().map(|file| (file.path, String::from_utf8_lossy(&file.bytes).into_owned())).collect())
}

/// The files below `root` that hold Flux's objects, each where it shall be below `path` of the repository: a `root` that has this
/// path itself is the repository, and only what lies there is taken.
///
/// # Errors
/// A file that cannot be read, is no text, or would publish a secret.
pub(crate) fn image_files(inventory: &Inventory, root: &Path, path: &str) -> Result<Vec<Wanted>, Problem> {
    let is_repository = path.is_empty() || root.join(path).is_dir();
    let below = format!("{path}/");
    let mut wanted = Vec::new();
    for file in object_files(inventory) {
        let place = match is_repository {
            true if path.is_empty() || file.starts_with(&below) => file.to_owned(),
            true => continue,
            false => format!("{below}{file}"),
        };
        if place.rsplit('/').next().is_some_and(|name| name.starts_with("gotk-")) {
            continue;
        }
        let bytes = std::fs::read(root.join(file))
            .map_err(|error| Problem::new(Code::Usage, file, "cannot be read").caused_by(&error))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| Problem::new(Code::YamlInvalid, file, "is no UTF-8").caused_by(&error))?;
        if sync::holds_plain_secret(&text) {
            return Err(Problem::new(
                Code::Config,
                file,
                "holds a Secret in plain text; it is not published",
            )
            .hint("Take it out of the file, or encrypt it."));
        }
        wanted.push(Wanted { path: place, text, fits: Fits::Same });
    }
    Ok(wanted)
}

/// The files that define image objects and their sources, by name.
fn object_files(inventory: &Inventory) -> BTreeSet<&str> {
    let Inventory { repositories, policies, automations, git_repositories, .. } = inventory;
    let metas = repositories.values().map(|object| &object.meta);
    let metas = metas.chain(policies.values().map(|object| &object.meta));
    let metas = metas.chain(automations.values().map(|object| &object.meta));
    let metas = metas.chain(git_repositories.values().map(|object| &object.meta));
    metas.filter_map(|meta: &Meta| meta.origin.file.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::files::{parse, read_work_tree};

    const POLICY: &str = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: web, namespace: a}\n\
                          spec: {imageRepositoryRef: {name: web}, policy: {alphabetical: {}}}\n";

    fn files(files: &[(&str, &str)], path: &str) -> Result<Vec<String>, Problem> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let inventory = parse(&read_work_tree(folder.path()).unwrap().files, "flux-system").inventory;
        Ok(image_files(&inventory, folder.path(), path)?.into_iter().map(|file| file.path).collect())
    }

    #[test]
    fn objects_of_a_loose_folder_go_below_the_path() {
        let all = [("web.yaml", POLICY), ("x/deployment.yaml", "kind: Deployment\n")];
        assert_eq!(files(&all, "clusters/a").unwrap(), ["clusters/a/web.yaml"]);
    }

    #[test]
    fn of_a_checkout_only_what_lies_at_the_path_is_taken_and_stays_where_it_is() {
        let other = POLICY.replace("web", "api");
        let all = [("clusters/a/web.yaml", POLICY), ("clusters/b/api.yaml", &*other)];
        assert_eq!(files(&all, "clusters/a").unwrap(), ["clusters/a/web.yaml"]);
        assert_eq!(files(&all, "").unwrap(), ["clusters/a/web.yaml", "clusters/b/api.yaml"]);
    }

    #[test]
    fn a_secret_beside_an_object_is_not_published() {
        let both = format!(
            "{POLICY}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData: {{a: b}}\n"
        );
        let problem = files(&[("web.yaml", &both)], "c").unwrap_err();
        assert_eq!((problem.code, problem.subject.as_str()), (Code::Config, "web.yaml"));
    }

    #[test]
    fn a_new_branch_begins_where_the_remote_shows_its_first() {
        let refs = |head: Option<&str>, all: &[&str]| Refs {
            head: head.map(str::to_owned),
            all: all.iter().map(|name| ((*name).to_owned(), "aa".to_owned())).collect(),
        };
        let (main, x) = ("refs/heads/main", "refs/heads/x");
        assert_eq!(start_of(&refs(Some(main), &[main, x]), "x").as_deref(), Some(x));
        assert_eq!(start_of(&refs(Some(main), &[main]), "x").as_deref(), Some(main));
        assert_eq!(start_of(&refs(Some(main), &[]), "x"), None, "an empty repository names a branch to come");
    }
}
