//! The commands on objects. `create`: objects from flags, written where they belong, and what they lead to; the others below.
//!
//! Flags, checks and progress lines are flux's. What acts on a cluster is in `remote`; the rest is about files.

mod change;
mod choose;
mod export;
mod flags;
pub(super) mod reconcile;
mod remote;
mod result;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::choose::{ActsOn, acts_on};
use self::export::Export;
use self::result::{Lines, ObjectResult};
use super::session::{Progress, Session};
use super::{Answer, Streams};
use crate::cli::objects::{CreateArgs, CreateImage, CreateWhat};
use crate::config::{Refresh, Settings};
use crate::domain::inventory::Inventory;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::template;
use crate::engine::{Engine, Note, World, status};
use crate::problem::{Code, Problem};
use crate::source::create::{Made, NewObject};
use crate::source::objects::{self, Action};
use crate::source::owner::Owner;
use crate::source::{export as yaml, files};
use crate::store::Dirs;

pub(super) use change::{delete, resume, suspend};
pub(super) use export::export;
pub(super) use reconcile::reconcile;

/// Runs `create`.
///
/// # Errors
/// What flux refuses, a mode that allows no writing, a file that cannot be written, and what a cluster refuses.
pub(super) fn create(
    args: &CreateArgs,
    settings: &Settings,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let (common, object) = flags::object(args, settings)?;
    let remark = template_remark(args, &object.id)?.or_else(|| flags::remark(args));
    if common.export {
        return Ok(Answer::new(Export { made: object.made, object: object.id.clone(), yaml: object.yaml() })
            .with_problems(remark.into_iter().collect()));
    }
    if settings.mode == Mode::ReadOnly {
        return Err(super::read_only(settings, "create"));
    }
    if let ActsOn::Cluster(remote) = acts_on(settings, common.path.is_some())? {
        let keys = flags::Keys::of(args, &object);
        let created = remote::create(settings, &remote, (object, &keys), streams)?;
        let problems = remark.into_iter().chain(created.problems.clone()).collect();
        return Ok(created.with_problems(problems));
    }
    let mut lines = Lines::new(streams, settings);
    lines.line('✚', &format!("generating {}", object.made.in_words()));
    lines.line('►', &format!("applying {}", object.made.in_words()));
    let written = write(&object, common.path.as_deref(), settings)?;
    if written.action != Action::Unchanged {
        lines.line('►', &format!("wrote {}", written.shown));
    }
    lines.line('✔', &format!("{} {}", object.made.in_words(), written.action.word()));
    let keys = flags::Keys::of(args, &object);
    lines.keys(&keys, false);
    if written.action != Action::Unchanged {
        let detail = format!("{} {} in {}", object.made, written.action.word(), written.shown);
        Engine::open(settings.clone())?.note(&[Note::ok("object", object.id.to_string(), detail)]);
    }
    let mut answer = ObjectResult {
        made: object.made,
        action: Some(written.action.word()),
        object: object.id.clone(),
        file: Some(written.shown),
        dry_run: false,
        message: None,
        lines: Vec::new(),
    };
    let followed = follow(&object, &written.file, settings, &mut lines)?;
    answer.message = followed.message.or_else(|| keys.message(false));
    let mut problems: Vec<Problem> = remark.into_iter().chain(written.warnings).collect();
    problems.extend(followed.problems);
    Ok(Answer::new(answer).with_problems(problems).with_exit(followed.exit))
}

/// What controllers will say of the commit template of a new automation that uses a field they have no more.
///
/// # Errors
/// [`Code::TemplateFailed`] if it does not parse: no commit could be made with it.
fn template_remark(args: &CreateArgs, id: &ObjectId) -> Result<Option<Problem>, Problem> {
    let CreateWhat::Image { kind: CreateImage::Update(args) } = &args.what else { return Ok(None) };
    let refusal = args.commit_template.as_deref().and_then(|text| template::refused(text, id));
    match refusal.map(|refusal| refusal.problem("--commit-template")) {
        Some(problem) if problem.code == Code::TemplateFailed => Err(problem),
        remark => Ok(remark),
    }
}

/// What creating an object led to.
#[derive(Default)]
struct Followed {
    message: Option<String>,
    problems: Vec<Problem>,
    exit: u8,
}

/// A new repository is scanned, a new policy evaluated. What fails then is said, and the object stays.
fn follow(
    object: &NewObject,
    file: &Path,
    settings: &Settings,
    lines: &mut Lines<'_, '_>,
) -> Result<Followed, Problem> {
    let answer = match object.made {
        Made::Flux(Kind::ImageRepository) if settings.refresh != Refresh::Never => {
            lines.line('◎', "waiting for ImageRepository reconciliation");
            scanned(&beside(object, file, settings)?, object)
        }
        Made::Flux(Kind::ImagePolicy) => {
            lines.line('◎', "waiting for ImagePolicy reconciliation");
            evaluated(&beside(object, file, settings)?, object)?
        }
        _ => return Ok(Followed::default()),
    };
    match answer {
        Ok(message) => {
            lines.line('✔', &format!("{} reconciliation completed", object.made));
            lines.line('✔', &message);
            Ok(Followed { message: Some(message), ..Followed::default() })
        }
        Err(problem) => {
            let exit = problem.exit();
            Ok(Followed { message: Some(problem.message.clone()), problems: vec![problem], exit })
        }
    }
}

/// The new object among those of the files source, and of its own folder if that lies elsewhere. It is what was written,
/// whatever else may have its name.
fn beside(object: &NewObject, file: &Path, settings: &Settings) -> Result<Session, Problem> {
    let folder = file.parent().unwrap_or(file);
    let near = files::parse(&files::read_work_tree(folder)?.files, &settings.default_namespace).inventory;
    let mut session = Session::open(settings).or_else(|_| {
        let files = Some(folder.to_string_lossy().into_owned());
        Session::open(&Settings { files, ..settings.clone() })
    })?;
    let own = files::SourceFile {
        path: file.display().to_string(),
        bytes: yaml::document(&object.yaml()).into_bytes(),
    };
    let own = files::parse(&[own], &settings.default_namespace).inventory;
    let mut inventory = (*session.world.inventory).clone();
    for (id, repository) in near.repositories {
        inventory.repositories.entry(id).or_insert(repository);
    }
    for kind in [Kind::ImageRepository, Kind::ImagePolicy] {
        inventory.ambiguous.remove(&(kind, object.id.clone()));
    }
    inventory.repositories.extend(own.repositories);
    inventory.policies = own.policies;
    // Nothing else was asked for.
    let read: Option<ObjectId> = inventory.policies.values().next().map(|policy| policy.repository.clone());
    inventory.repositories.retain(|id, _| *id == object.id || Some(id) == read.as_ref());
    let world = World { inventory: Arc::new(inventory), ..(*session.world).clone() };
    session.world = Arc::new(world);
    Ok(session)
}

/// What the controller would say of the new object, or what went wrong.
type Outcome = Result<String, Problem>;

fn lost(object: &NewObject) -> Problem {
    Problem::new(Code::Internal, object.id.to_string(), "what was written cannot be read again")
}

fn scanned(session: &Session, object: &NewObject) -> Outcome {
    let repository = session.world.inventory.repositories.get(&object.id).ok_or_else(|| lost(object))?;
    let progress = Progress::new(session.engine.settings());
    let began = crate::engine::now();
    let scanned =
        session.run(session.engine.scan(&session.world, &object.id, began, |at| progress.scan(&at)));
    drop(progress);
    let kept = session.engine.kept(repository, &scanned?.tags);
    let (said, _) = status::of_repository(repository, Some(&kept), None);
    match kept {
        Ok(_) => Ok(said.message),
        Err(_) => Err(Problem::new(Code::PolicyInvalid, object.id.to_string(), said.message)),
    }
}

fn evaluated(session: &Session, object: &NewObject) -> Result<Outcome, Problem> {
    let inventory = &session.world.inventory;
    let policy = inventory.policies.get(&object.id).ok_or_else(|| lost(object))?;
    let judged = session.judge()?;
    let selected = judged.selections.get(&object.id).ok_or_else(|| lost(object))?;
    let said = status::of_policy(inventory, policy, Some(selected));
    Ok(match &selected.selection.outcome {
        Ok(_) => selected.undigested.clone().map_or(Ok(said.message), Err),
        Err(problem) => Err(judged.scan_problems.get(&policy.repository).unwrap_or(problem).clone()),
    })
}

fn current_folder() -> Result<PathBuf, Problem> {
    std::env::current_dir()
        .map_err(|error| Problem::new(Code::Storage, ".", "cannot be found out").caused_by(&error))
}

/// The folder of the files source.
fn root_of(settings: &Settings) -> Result<PathBuf, Problem> {
    Ok(current_folder()?.join(crate::engine::folder_of(settings.files.as_deref().unwrap_or("."))?))
}

/// The names of a kind, those included that several places describe differently.
fn known(inventory: &Inventory, kind: Kind) -> Vec<&ObjectId> {
    let described: Vec<&ObjectId> = match kind {
        Kind::ImageRepository => inventory.repositories.keys().collect(),
        Kind::ImagePolicy => inventory.policies.keys().collect(),
        Kind::ImageUpdateAutomation => inventory.automations.keys().collect(),
        Kind::GitRepository => inventory.git_repositories.keys().collect(),
    };
    let mut all: Vec<&ObjectId> = described.into_iter().chain(inventory.ambiguous_of(kind)).collect();
    all.sort();
    all
}

/// Where an object was written.
struct Written {
    action: Action,
    /// The file.
    file: PathBuf,
    /// The same, from the files source if it lies in it.
    shown: String,
    warnings: Vec<Problem>,
}

fn write(object: &NewObject, path: Option<&Path>, settings: &Settings) -> Result<Written, Problem> {
    let Some(path) = path else {
        if object.made == Made::Secret {
            return write_secret(object);
        }
        return write_at(object, None, settings);
    };
    let mut written = write_at(object, Some(path), settings)?;
    if object.made == Made::Secret {
        let text = "holds a secret in plain text; do not commit it";
        written.warnings.push(Problem::new(Code::Skipped, &written.shown, text));
        if objects::is_open_to_others(&written.file) {
            let warning = Problem::new(Code::Skipped, &written.shown, "others can read the secret in it");
            written.warnings.push(warning.hint(format!("chmod 600 {}", written.file.display())));
        }
    }
    Ok(written)
}

fn write_secret(object: &NewObject) -> Result<Written, Problem> {
    let state = Dirs::from_environment(|name| std::env::var_os(name)).state;
    let state = state.ok_or_else(|| {
        Problem::new(Code::Storage, "create secret", "there is no state folder to keep secrets in")
            .hint("Set HOME or XDG_STATE_HOME, or give --path.")
    })?;
    let (file, action) = objects::write_secret(object, &state.join("secrets"), false)?;
    Ok(Written { action, shown: file.display().to_string(), file, warnings: Vec::new() })
}

fn write_at(object: &NewObject, path: Option<&Path>, settings: &Settings) -> Result<Written, Problem> {
    let (current, root) = (current_folder()?, root_of(settings)?);
    let inventory = match path {
        Some(_) => Inventory::default(),
        None => files::parse(&files::read_work_tree(&root)?.files, &settings.default_namespace).inventory,
    };
    let target = objects::target(object, path, &root, &current, &inventory);
    let owner = Owner::of(&target);
    let action = objects::write(object, &target, false)?;
    let shown = target.strip_prefix(objects::clean(&root)).unwrap_or(&target).display().to_string();
    let lost = owner.and_then(|owner| owner.lost(&target, &shown));
    Ok(Written { action, file: target, shown, warnings: lost.into_iter().collect() })
}
