//! `bootstrap`: a repository set up for image updates. Everything is looked at first and shown; then, with WRITE and a yes, the
//! repository is made where it is missing, its key is added, and what it lacks is pushed as one commit.

mod cluster;
mod key;
mod place;
mod result;

use std::path::Path;

use tokio_util::sync::CancellationToken;

use self::cluster::Lack;
use self::key::Key;
use self::place::{At, Place};
use self::result::BootstrapResult;
use super::session::Session;
use super::{Answer, Streams, push};
use crate::cli::{BootstrapArgs, BootstrapAt, BootstrapCommon, Format};
use crate::config::{Settings, SourceChoice};
use crate::domain::bootstrap::{Install, Layout};
use crate::domain::branch::Guarded;
use crate::domain::mode::Mode;
use crate::domain::object::{ObjectId, Person};
use crate::engine::bootstrap::{Fits, Made, Making, Wanted, image_files, in_nothing};
use crate::problem::{Code, Problem};
use crate::source::sync::{self, SyncManifest};
use crate::text::count;

/// What is asked for.
struct Job<'a> {
    settings: &'a Settings,
    session: Session,
    common: &'a BootstrapCommon,
    at: At<'a>,
    dry_run: bool,
}

/// What was found, and so what there is to do.
struct Found {
    place: Place,
    /// Whether the repository is still to be made, or just was.
    is_new: bool,
    sync: SyncManifest,
    layout: Layout,
    key: Option<Key>,
    context: Option<String>,
    lacks: Vec<Lack>,
    /// Why it is not known whether it lacks more.
    unknown: Vec<String>,
    problems: Vec<Problem>,
}

/// `bootstrap`.
pub(super) fn bootstrap(
    settings: &Settings,
    args: &BootstrapArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let dry_run = match settings.mode {
        Mode::ReadOnly => return Err(super::read_only(settings, "bootstrap")),
        Mode::DryRun => true,
        Mode::Write => false,
    };
    super::asks(settings, "bootstrap")?;
    let common = match &args.at {
        BootstrapAt::GitHub(args) | BootstrapAt::GitLab(args) | BootstrapAt::Gitea(args) => &args.common,
        BootstrapAt::Git(args) => &args.common,
    };
    // Objects of a cluster have no files to be pushed; the cluster is asked for what it lacks alone.
    let mut own = settings.clone();
    own.source = SourceChoice::Files;
    let host = place::host(&args.at, &mut own)?;
    let session = Session::open_or_empty(&own)?;
    let at = place::at(&session, &args.at, host)?;
    let job = Job { settings, session, common, at, dry_run };
    let found = job.look()?;
    job.refuse_others(&found.layout)?;
    job.show(&found, streams);
    job.agree(&found, streams)?;
    job.carry_out(found, streams)
}

impl Job<'_> {
    /// The name of the objects that follow the repository: the namespace's, as flux has it.
    fn id(&self) -> ObjectId {
        let namespace = &self.settings.default_namespace;
        ObjectId::new(namespace, namespace)
    }

    fn secret(&self) -> ObjectId {
        let namespace = &self.settings.default_namespace;
        ObjectId::new(namespace, self.common.secret_name.as_deref().unwrap_or(namespace))
    }

    fn install(&self) -> Install {
        let mut flags = self.common.install.flags();
        // Flux knows these three; ours is `warn` unless somebody says otherwise.
        if let level @ ("debug" | "info" | "error") = self.settings.log_level.as_str() {
            flags.push(format!("--log-level={level}"));
        }
        Install {
            namespace: self.settings.default_namespace.clone(),
            components_extra: self.common.components_extra.clone(),
            flags,
        }
    }

    /// Looks at everything, and changes nothing.
    fn look(&self) -> Result<Found, Problem> {
        let place = self.at.place(&self.session)?;
        let sync = SyncManifest {
            id: self.id(),
            url: place.sync.clone(),
            branch: self.common.branch.clone(),
            path: self.common.path.clone(),
            interval: self.common.interval,
            secret: self.secret().name,
        };
        let wanted = self.wanted(&sync)?;
        let branch = &self.common.branch;
        let layout = match &place.push {
            Some(address) => {
                let session = &self.session;
                session.run(session.engine.layout(&session.world, (address, branch), wanted))?
            }
            None => in_nothing(place.sync.clone(), branch, wanted),
        };
        let key = self.key(&place)?;
        let mut problems = self.session.problems();
        let mut unread = Vec::new();
        let (context, lacks) = self.lacks(&sync, key.as_ref(), &mut unread)?;
        let unknown = unread.iter().map(|problem| problem.message.clone()).collect();
        problems.extend(unread);
        let is_new = place.push.is_none();
        Ok(Found { place, is_new, sync, layout, key, context, lacks, unknown, problems })
    }

    /// Every file that the repository shall hold.
    fn wanted(&self, sync: &SyncManifest) -> Result<Vec<Wanted>, Problem> {
        let path = &self.common.path;
        let folder =
            if path.is_empty() { sync.id.namespace.clone() } else { format!("{path}/{}", sync.id.namespace) };
        let mut wanted = vec![
            Wanted {
                path: format!("{folder}/{}", sync::MANIFEST),
                text: sync.text()?,
                fits: Fits::Follows(sync.clone()),
            },
            Wanted {
                path: format!("{folder}/{}", sync::KUSTOMIZATION),
                text: sync::kustomization(),
                fits: Fits::NamesManifest,
            },
        ];
        let inventory = &self.session.world.inventory;
        if self.settings.source != SourceChoice::Cluster && !inventory.is_empty() {
            let root = crate::engine::folder_of(self.settings.files.as_deref().unwrap_or("."))?;
            wanted.extend(image_files(inventory, Path::new(&root), path)?);
        }
        Ok(wanted)
    }

    /// What is somebody's stays, unless it is to be replaced; what names the controllers' own files always does.
    fn refuse_others(&self, layout: &Layout) -> Result<(), Problem> {
        let mut others = layout.others();
        if self.common.overwrite {
            others.retain(|path| path.ends_with(&format!("/{}", sync::KUSTOMIZATION)));
        }
        let Some(first) = others.first() else { return Ok(()) };
        let message =
            format!("{} there says something else: {}", count(others.len(), "file"), others.join(", "));
        let hint = if self.common.overwrite {
            format!("Add `- {}` to the resources of {first}.", sync::MANIFEST)
        } else {
            "Compare them; --overwrite replaces them, or choose another --path.".to_owned()
        };
        Err(Problem::new(Code::MergeConflict, &layout.remote, message).hint(hint))
    }

    /// The plan for people: what is made, and the change of the files.
    fn show(&self, found: &Found, streams: &mut Streams<'_>) {
        if self.settings.quiet || self.settings.output == Format::Json {
            return;
        }
        let intentions = self.intentions(found).into_iter();
        let mut lines: Vec<String> = intentions.map(|line| format!("► {line}")).collect();
        lines.extend(found.layout.patch().lines().map(str::to_owned));
        for line in lines {
            // Progress is worth nothing if it cannot be written.
            let _ = writeln!(streams.err, "{}", super::table::clean(&line));
        }
    }

    /// What there is to do, a line for each; empty: nothing.
    fn intentions(&self, found: &Found) -> Vec<String> {
        let layout = &found.layout;
        let mut lines = Vec::new();
        if let (None, At::Forge { at, args, .. }) = (&found.place.push, &self.at) {
            let how = if args.private { "private" } else { "public" };
            lines.push(format!("make the {how} repository {}", at.words()));
        }
        if let Some(key) = found.key.as_ref().filter(|key| !key.is_there) {
            lines.push(format!("add the deploy key {}", key.title()));
        }
        let changes = layout.changes().count();
        if changes > 0 || layout.tip.is_none() {
            let from = match (&layout.tip, &layout.from) {
                (Some(_), _) => String::new(),
                (None, Some(from)) => format!(", a new branch from {from}"),
                (None, None) => ", a new branch of an empty repository".to_owned(),
            };
            lines.push(format!(
                "push {} to {} of {}{from}",
                count(changes, "file"),
                layout.branch,
                layout.remote
            ));
        }
        lines
    }

    /// A yes, and the name of the branch if it is protected.
    fn agree(&self, found: &Found, streams: &mut Streams<'_>) -> Result<(), Problem> {
        let intentions = self.intentions(found);
        if self.dry_run || intentions.is_empty() {
            return Ok(());
        }
        let branch = &found.layout.branch;
        let is_pushed = !found.layout.is_there();
        let guard = self.session.engine.guard(&self.session.world, branch).filter(|_| is_pushed);
        let protected: Vec<Guarded> =
            guard.into_iter().map(|why| Guarded { branch: branch.clone(), why }).collect();
        let branches = (protected.as_slice(), std::slice::from_ref(branch));
        push::confirm(self.settings, branches, &intentions.join("; "), false, streams)
    }

    /// Does what there is to do, and tells of it.
    fn carry_out(&self, mut found: Found, streams: &mut Streams<'_>) -> Result<Answer, Problem> {
        let has_work = !self.intentions(&found).is_empty();
        let address = self.prepare_remote(&mut found)?;
        let made = match address.filter(|_| !found.layout.is_there()) {
            Some(address) => Some(self.push(&address, &found)?),
            None => None,
        };
        self.say(&found, made.as_ref(), has_work, streams);
        let result = BootstrapResult::new(self.dry_run, &found, made, self.install().command());
        Ok(Answer::new(result).with_problems(found.problems))
    }

    /// Makes repository and key where they are missing; the address to push to, unless there is none in a dry run.
    fn prepare_remote(&self, found: &mut Found) -> Result<Option<String>, Problem> {
        if self.dry_run || matches!(self.at, At::Url(_)) {
            return Ok(found.place.push.clone());
        }
        if found.place.push.is_none() {
            let made = self.at.create(&self.session, &self.common.branch)?;
            found.sync.url.clone_from(&made.sync);
            found.layout = self.look_at_new(&made, &found.sync)?;
            found.is_new = true;
            found.place = made;
        }
        if let Some(key) = found.key.as_ref().filter(|key| !key.is_there) {
            self.add_key(key, &found.place.sync)?;
        }
        Ok(found.place.push.clone())
    }

    /// What a repository that was just made holds: nothing, as a person was shown.
    fn look_at_new(&self, place: &Place, sync: &SyncManifest) -> Result<Layout, Problem> {
        let (session, wanted) = (&self.session, self.wanted(sync)?);
        let address = place.push.as_deref().unwrap_or(&place.sync);
        let layout =
            session.run(session.engine.layout(&session.world, (address, &self.common.branch), wanted))?;
        if layout.base.is_some() {
            let message = "somebody made the repository meanwhile, and it is not empty";
            return Err(Problem::new(Code::StalePlan, &layout.remote, message).hint("Look at it again."));
        }
        Ok(layout)
    }

    fn push(&self, address: &str, found: &Found) -> Result<Made, Problem> {
        let author = self.common.author_name.clone().zip(self.common.author_email.clone());
        let cancel = CancellationToken::new();
        let making = Making {
            author: author.map(|(name, email)| Person { name, email }),
            message: found.layout.message(self.common.commit_message_appendix.as_deref()),
            dry_run: self.dry_run,
            cancel: cancel.clone(),
        };
        let session = &self.session;
        let place = (address, &found.layout);
        let pushing =
            session.engine.establish(&session.world, place, making, push::progress(self.settings.quiet));
        let made = session.run_stoppable(&cancel, pushing).map_err(|problem| session.explain(problem));
        session.engine.pushes_seen();
        made
    }

    /// What became of it, on standard error.
    fn say(&self, found: &Found, made: Option<&Made>, has_work: bool, streams: &mut Streams<'_>) {
        if self.settings.quiet {
            return;
        }
        let branch = &found.layout.branch;
        let commit = made.map(|made| crate::engine::short(&made.commit)).unwrap_or_default();
        let line = match (made, self.dry_run) {
            (Some(_), false) => format!("✔ pushed {commit} to {branch}"),
            (Some(_), true) => format!("✔ would push {commit} to {branch} (dry run)"),
            (None, true) if has_work => "✔ would do that (dry run)".to_owned(),
            (None, false) if has_work => "✔ done".to_owned(),
            (None, _) => format!("✔ nothing to do: {branch} has it all already"),
        };
        // As above.
        let _ = writeln!(streams.err, "{}", super::table::clean(&line));
    }
}
