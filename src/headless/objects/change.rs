//! `delete`, `suspend`, `resume`. On files: the document taken out, or `spec.suspend` set, and no other byte changed.

use std::path::{Path, PathBuf};

use super::super::push::{Question, ask};
use super::super::{Answer, Streams};
use super::choose::{ActsOn, acts_on, chosen, nothing};
use super::remote;
use super::result::{Lines, ObjectResult, answer};
use crate::cli::{Chosen, DeleteArgs, ObjectArgs, ResumeArgs};
use crate::config::Settings;
use crate::domain::inventory::Inventory;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::human;
use crate::engine::{Engine, Note};
use crate::problem::{Code, Problem};
use crate::source::create::Made;
use crate::source::edit::{self, Place};
use crate::source::files::{self, SourceFile};
use crate::source::objects;

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Delete,
    Suspend,
    Resume,
}

impl Change {
    /// The command.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        }
    }

    /// What is said before.
    pub(super) fn under_way(self) -> &'static str {
        match self {
            Self::Delete => "deleting",
            Self::Suspend => "suspending",
            Self::Resume => "resuming",
        }
    }

    /// What is said afterwards, and in the JSON.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Delete => "deleted",
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
        }
    }
}

/// `delete image …`.
///
/// # Errors
/// As [`change`]; and where nobody has agreed.
pub(in super::super) fn delete(
    settings: &Settings,
    args: &DeleteArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    change(settings, Change::Delete, args.what.parts(), args.silent, streams)
}

/// `suspend image …`.
///
/// # Errors
/// As [`change`].
pub(in super::super) fn suspend(
    settings: &Settings,
    args: &ObjectArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    change(settings, Change::Suspend, args.what.parts(), false, streams)
}

/// `resume image …`; with `--wait` as `reconcile` afterwards.
///
/// # Errors
/// As [`change`].
pub(in super::super) fn resume(
    settings: &Settings,
    args: &ResumeArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let resumed = change(settings, Change::Resume, args.what.parts(), args.wait, streams)?;
    if args.wait && resumed.exit == 0 && matches!(acts_on(settings, false)?, ActsOn::Files) {
        return super::reconcile::reconcile_now(settings, args.what.parts(), "resumed", streams);
    }
    Ok(resumed)
}

/// The objects of a files source, and its files as they are now.
struct Files {
    root: PathBuf,
    sources: Vec<SourceFile>,
    inventory: Inventory,
    problems: Vec<Problem>,
}

impl Files {
    fn read(settings: &Settings) -> Result<Self, Problem> {
        let root = super::root_of(settings)?;
        let tree = files::read_work_tree(&root)?;
        let inventory = files::parse(&tree.files, &settings.default_namespace).inventory;
        let problems = tree.problems.into_iter().chain(inventory.problems.iter().cloned()).collect();
        Ok(Self { root, sources: tree.files, inventory, problems })
    }

    /// The one place of each object.
    ///
    /// # Errors
    /// Several places describe it: which of them is meant nobody can tell, even if they say the same.
    fn places(&self, settings: &Settings, kind: Kind, ids: &[ObjectId]) -> Result<Vec<Place>, Problem> {
        let mut all = edit::places(&self.sources, &settings.default_namespace, kind);
        let place = |id: &ObjectId| {
            let mut places = all.remove(id).unwrap_or_default();
            if places.len() > 1 {
                // A link into the tree is no second place.
                places.retain(|place| !self.root.join(&place.file).is_symlink());
            }
            match places.len() {
                1 => places.pop().ok_or_else(|| lost(id)),
                0 => Err(lost(id)),
                _ => Err(self.inventory.ambiguity(kind, id).unwrap_or_else(|| twice(kind, id, &places))),
            }
        };
        ids.iter().map(place).collect()
    }
}

fn lost(id: &ObjectId) -> Problem {
    Problem::new(Code::Internal, id.to_string(), "what was read cannot be found again")
}

fn twice(kind: Kind, id: &ObjectId, places: &[Place]) -> Problem {
    let listed: Vec<String> = places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect();
    let message = format!("several places describe {kind} {id}: {}", listed.join(", "));
    Problem::new(Code::Ambiguous, id.to_string(), message)
        .hint("Give the folder of the one that is meant with -C.")
}

/// Does it to each of the objects; `flag` is `--silent` of `delete` and `--wait` of `resume`.
///
/// # Errors
/// A mode that allows no writing, a cluster that would be meant, a name that no object has, an object in several places, no
/// agreement; what goes wrong with one of several objects is in the answer.
fn change(
    settings: &Settings,
    change: Change,
    (kind, which): (Kind, &Chosen),
    flag: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    if settings.mode == Mode::ReadOnly {
        return Err(super::super::read_only(settings, change.command()));
    }
    if let ActsOn::Cluster(remote) = acts_on(settings, false)? {
        return remote::change(settings, &remote, change, (kind, which), flag, streams);
    }
    let mut source = Files::read(settings)?;
    let ids = chosen(settings, kind, which, &super::known(&source.inventory, kind))?;
    if ids.is_empty() {
        return Ok(answer(Vec::new(), true)
            .with_problems(source.problems)
            .with_note(nothing(settings, kind)));
    }
    let places = source.places(settings, kind, &ids)?;
    if change == Change::Delete && !flag && !settings.yes {
        agree(kind, &ids, streams)?;
    }
    let engine = Engine::open(settings.clone())?;
    let mut lines = Lines::new(streams, settings);
    let (mut results, mut failed, mut problems) =
        (Vec::new(), Vec::new(), std::mem::take(&mut source.problems));
    for (id, place) in ids.iter().zip(&places) {
        lines.line(
            '►',
            &format!("{} {} {} in {} namespace", change.under_way(), human(kind), id.name, id.namespace),
        );
        let done = source.apply(settings, change, kind, (id, place));
        match done {
            Ok((action, warning)) => {
                lines.line('✔', &format!("{} {}", human(kind), change.done()));
                let detail = format!("{kind} {} in {}", change.done(), place.file);
                if action == change.done() {
                    engine.note(&[Note::ok("object", id.to_string(), detail)]);
                }
                problems.extend(warning);
                results.push(ObjectResult {
                    made: Made::Flux(kind),
                    action,
                    object: id.clone(),
                    file: Some(place.file.clone()),
                    dry_run: false,
                    message: None,
                    lines: Vec::new(),
                });
            }
            Err(problem) => failed.push(problem),
        }
    }
    problems.extend(failed.iter().cloned());
    let is_list = which.all || ids.len() > 1;
    Ok(answer(results, is_list).with_problems(problems).with_parts(ids.len(), &failed))
}

impl Files {
    /// Changes one object; what became of it, and what else there is to do.
    fn apply(
        &mut self,
        settings: &Settings,
        change: Change,
        kind: Kind,
        (id, place): (&ObjectId, &Place),
    ) -> Result<(&'static str, Option<Problem>), Problem> {
        // Another object of the same file may have been changed before.
        let place = edit::place_now(&self.sources, &settings.default_namespace, (kind, id), place)
            .ok_or_else(|| lost(id))?;
        let file = self.root.join(&place.file);
        let text = objects::text(&file)?;
        let refused = |error: edit::EditError| {
            let problem = Problem::new(Code::Usage, id.to_string(), error.to_string());
            problem.hint(format!("Edit {}, line {}, by hand.", place.file, place.line))
        };
        let (new, warning) = match change {
            Change::Delete => {
                if let Some(new) = edit::remove(&text, &place).map_err(refused)? {
                    (new, None)
                } else {
                    objects::remove_file(&file)?;
                    (String::new(), still_listed(&self.root, &place.file))
                }
            }
            Change::Suspend | Change::Resume => {
                let is_suspended = change == Change::Suspend;
                let Some(new) = edit::suspend(&text, &place, is_suspended).map_err(refused)? else {
                    return Ok(("unchanged", None));
                };
                (new, None)
            }
        };
        if !new.is_empty() {
            objects::rewrite(&file, &new)?;
        }
        for known in self.sources.iter_mut().filter(|known| known.path == place.file) {
            known.bytes = new.clone().into_bytes();
        }
        Ok((change.done(), warning))
    }
}

/// That the kustomization of its folder still lists a file that is gone.
fn still_listed(root: &Path, file: &str) -> Option<Problem> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let listing =
        ["kustomization.yaml", "kustomization.yml", "Kustomization"].into_iter().find(|listing| {
            let text = std::fs::read_to_string(root.join(folder).join(listing)).unwrap_or_default();
            edit::lists_resource(&text, name)
        })?;
    let listing = if folder.is_empty() { listing.to_owned() } else { format!("{folder}/{listing}") };
    let message = format!("still lists {name}, in which nothing was left, and which is removed");
    Some(Problem::new(Code::Skipped, listing, message).hint("Take it out of its resources."))
}

/// flux's question.
fn agree(kind: Kind, ids: &[ObjectId], streams: &mut Streams<'_>) -> Result<(), Problem> {
    let which = match ids {
        [_] => format!("this {}", human(kind)),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            format!("these {} {} objects: {}", several.len(), human(kind), names.join(", "))
        }
    };
    let question = Question {
        subject: "delete",
        text: &format!("Are you sure you want to delete {which}"),
        missing: "a deletion has to be confirmed",
        hint: "Add --silent or --yes.",
        refused: "aborting",
    };
    ask(&question, true, streams)
}
