//! `delete`, `suspend`, `resume`. On files: the document taken out, or `spec.suspend` set, and no other byte changed.

use std::path::{Path, PathBuf};

use super::super::push::{Question, ask};
use super::super::{Answer, Streams, where_writable};
use super::choose::{ActsOn, acts_on, beside, chosen, nothing};
use super::remote;
use super::result::{Lines, ObjectResult, answer};
use crate::cli::{Chosen, DeleteArgs, ObjectArgs, ResumeArgs};
use crate::config::Settings;
use crate::domain::inventory::Inventory;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::human;
use crate::engine::{Engine, Note};
use crate::problem::{Code, Problem};
use crate::source::create::Made;
use crate::source::edit::{self, Place};
use crate::source::files::{self, SourceFile};
use crate::source::objects;
use crate::source::owner::Owner;

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
    match acts_on(settings, false)? {
        ActsOn::Cluster(remote) => {
            remote::change(settings, &remote, Change::Resume, args.what.parts(), args.wait, streams)
        }
        ActsOn::Files => {
            let resumed = change_files(settings, Change::Resume, args.what.parts(), false, streams)?;
            if args.wait && resumed.exit == 0 {
                return super::reconcile::reconcile_now(settings, args.what.parts(), "resumed", streams);
            }
            Ok(resumed)
        }
    }
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
                let is_link = |place: &Place| self.root.join(&place.file).is_symlink();
                if !places.iter().all(is_link) {
                    places.retain(|place| !is_link(place));
                }
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

/// What another took out of its file after it was chosen.
fn gone(id: &ObjectId, file: &str) -> Problem {
    let message = format!(
        "{file} has changed meanwhile and does not describe it once any more; nothing was done to it"
    );
    Problem::new(Code::StalePlan, id.to_string(), message)
        .hint("Look at what it says now, and run the command again.")
}

fn twice(kind: Kind, id: &ObjectId, places: &[Place]) -> Problem {
    let listed: Vec<String> = places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect();
    let message = format!("several places describe {kind} {id}: {}", listed.join(", "));
    Problem::new(Code::Ambiguous, id.to_string(), message)
        .hint("Give the folder of the one that is meant with -C.")
}

/// Does it to each of the objects; `flag` is `--silent` of `delete`.
///
/// # Errors
/// A mode that allows no writing, a name that no object has, an object in several places, no agreement; what goes wrong with
/// one of several objects is in the answer.
fn change(
    settings: &Settings,
    change: Change,
    (kind, which): (Kind, &Chosen),
    flag: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    match acts_on(settings, false)? {
        ActsOn::Cluster(remote) => remote::change(settings, &remote, change, (kind, which), flag, streams),
        ActsOn::Files => change_files(settings, change, (kind, which), flag, streams),
    }
}

/// [`change`] where it is about files; `is_agreed`: nobody has to be asked about a deletion.
fn change_files(
    settings: &Settings,
    change: Change,
    (kind, which): (Kind, &Chosen),
    is_agreed: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let mut source = Files::read(settings)?;
    // Also those that are not as they should be: they are what somebody wants to be rid of.
    let all = edit::places(&source.sources, &settings.default_namespace, kind);
    let ids = chosen(settings, kind, which, &all.keys().collect::<Vec<_>>());
    let ids = ids.map_err(|problem| beside(problem, &source.problems));
    let ids = where_writable(settings, change.command(), ids)?;
    if ids.is_empty() {
        return Ok(answer(Vec::new(), true)
            .with_problems(source.problems)
            .with_note(nothing(settings, kind)));
    }
    let places = source.places(settings, kind, &ids)?;
    if change == Change::Delete && !is_agreed && !settings.yes {
        agree(kind, &ids, streams)?;
    }
    let engine = Engine::open(settings.clone())?;
    let mut lines = Lines::new(streams, settings);
    let is_list = which.all || ids.len() > 1;
    let (mut results, mut failed, mut problems) =
        (Vec::new(), Vec::new(), std::mem::take(&mut source.problems));
    for (id, place) in ids.iter().zip(&places) {
        lines.line(
            '►',
            &format!("{} {} {} in {} namespace", change.under_way(), human(kind), id.name, id.namespace),
        );
        match source.apply(settings, change, kind, (id, place)) {
            Ok(done) => {
                lines.line('►', &done.place(&place.file));
                lines.line('✔', &format!("{} {}", human(kind), change.done()));
                let detail = format!("{kind} {} in {}", change.done(), place.file);
                if done.action == change.done() {
                    engine.note(&[Note::ok("object", id.to_string(), detail)]);
                }
                problems.extend(done.warning);
                results.push(ObjectResult {
                    made: Made::Flux(kind),
                    action: Some(done.action),
                    object: id.clone(),
                    file: Some(place.file.clone()),
                    dry_run: false,
                    message: None,
                    lines: Vec::new(),
                });
            }
            Err(problem) => {
                if !is_list {
                    let file = Some(place.file.clone());
                    results.push(ObjectResult::failed(Made::Flux(kind), id, file, &problem));
                }
                failed.push(problem);
            }
        }
    }
    // What was wrong with an object may have gone with the change, or with the object.
    let now = files::parse(&source.sources, &settings.default_namespace).inventory.problems;
    problems.retain(|problem| now.contains(problem) || !source.inventory.problems.contains(problem));
    problems.extend(failed.iter().cloned());
    Ok(answer(results, is_list).with_problems(problems).with_parts(ids.len(), &failed))
}

/// What became of an object.
struct Done {
    action: &'static str,
    is_file_gone: bool,
    /// The line of the file that says so, or where it was taken out.
    line: usize,
    /// What else there is to do.
    warning: Option<Problem>,
}

impl Done {
    /// Where it was done.
    fn place(&self, file: &str) -> String {
        match self {
            Self { is_file_gone: true, .. } => format!("removed {file}"),
            Self { action: "unchanged", line, .. } => format!("{file}:{line} says so already"),
            Self { action: "deleted", line, .. } => format!("took it out of {file}:{line}"),
            Self { line, .. } => format!("wrote {file}:{line}"),
        }
    }
}

impl Files {
    /// Changes one object where it stands now: others may have written to its file since it was chosen, we may have.
    fn apply(
        &mut self,
        settings: &Settings,
        change: Change,
        kind: Kind,
        (id, place): (&ObjectId, &Place),
    ) -> Result<Done, Problem> {
        let file = self.root.join(&place.file);
        let text = objects::text(&file)?;
        self.keep(&place.file, &text);
        let place = edit::place_now(&self.sources, &settings.default_namespace, (kind, id), &place.file)
            .ok_or_else(|| gone(id, &place.file))?;
        let refused = |error: edit::EditError| {
            let problem = Problem::new(Code::Usage, id.to_string(), error.to_string());
            problem.hint(format!("Edit {}, line {}, by hand.", place.file, place.line))
        };
        let new = if change == Change::Delete {
            edit::remove(&text, &place).map_err(refused)?
        } else {
            match edit::suspend(&text, &place, change == Change::Suspend).map_err(refused)? {
                None => {
                    let line = place.line;
                    return Ok(Done { action: "unchanged", is_file_gone: false, line, warning: None });
                }
                new => new,
            }
        };
        let owner = Owner::of(&file);
        match &new {
            Some(new) => objects::rewrite(&file, &text, new)?,
            None => objects::remove_file(&file, &text)?,
        }
        self.keep(&place.file, new.as_deref().unwrap_or_default());
        let warning = match &new {
            None => still_listed(&self.root, &place.file),
            Some(_) => owner.and_then(|owner| owner.lost(&file, &place.file)),
        };
        let line = match change {
            Change::Delete => place.line,
            _ => first_difference(&text, new.as_deref().unwrap_or_default()),
        };
        Ok(Done { action: change.done(), is_file_gone: new.is_none(), line, warning })
    }

    /// Takes over what a file says now.
    fn keep(&mut self, file: &str, text: &str) {
        for known in self.sources.iter_mut().filter(|known| known.path == file) {
            known.bytes = text.as_bytes().to_vec();
        }
    }
}

/// The first line, from 1, that two texts do not share.
fn first_difference(old: &str, new: &str) -> usize {
    let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new);
    1 + same.filter(|(byte, _)| *byte == b'\n').count()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> String {
        format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}}}\nspec: {{image: r/{name}, \
             interval: 1m}}\n"
        )
    }

    /// Chooses `a` in a file of `before`, has somebody write `meanwhile` and changes it then; the file's text afterwards.
    fn changed(
        change: Change,
        before: &str,
        meanwhile: &str,
    ) -> (Result<&'static str, Code>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.yaml");
        std::fs::write(&file, before).unwrap();
        let settings = crate::engine::tests::settings();
        let tree = files::read_work_tree(folder.path()).unwrap();
        let inventory = files::parse(&tree.files, &settings.default_namespace).inventory;
        let mut source =
            Files { root: folder.path().to_owned(), sources: tree.files, inventory, problems: Vec::new() };
        let (kind, id) = (Kind::ImageRepository, ObjectId::new(&settings.default_namespace, "a"));
        let place = source.places(&settings, kind, std::slice::from_ref(&id)).unwrap().remove(0);
        std::fs::write(&file, meanwhile).unwrap();
        let done = source.apply(&settings, change, kind, (&id, &place));
        (done.map(|done| done.action).map_err(|problem| problem.code), std::fs::read_to_string(&file).ok())
    }

    #[test]
    fn an_object_is_changed_where_it_stands_now_and_no_other_in_its_place() {
        let (a, b, c) = (object("a"), object("b"), object("c"));
        let before = format!("{a}{b}");
        let pulled = format!("{b}{c}");
        for change in [Change::Delete, Change::Suspend, Change::Resume] {
            assert_eq!(
                changed(change, &before, &pulled),
                (Err(Code::StalePlan), Some(pulled.clone())),
                "{change:?}"
            );
            assert_eq!(changed(change, &a, &b), (Err(Code::StalePlan), Some(b.clone())), "{change:?}");
        }
        assert_eq!(changed(Change::Delete, &before, &format!("{c}{a}")), (Ok("deleted"), Some(c.clone())));
        let twice = format!("{a}{a}");
        assert_eq!(changed(Change::Delete, &a, &twice), (Err(Code::StalePlan), Some(twice.clone())));
        assert_eq!(changed(Change::Delete, &before, &a), (Ok("deleted"), None));
    }
}
