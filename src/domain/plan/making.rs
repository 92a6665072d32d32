//! One commit of a plan in the making: what becomes of its files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::build::{BuildOptions, message, update_warnings};
use super::ground::{FILES_AT_ONCE, FileEdit, Ground, MarkedFile, Reader, Selection};
use super::stale::{Changes, Stale};
use super::{Group, PlannedFile, sha256_hex};
use crate::domain::manifest::{self, Manifest};
use crate::domain::marker::parse_setter;
use crate::domain::object::ObjectId;
use crate::domain::parallel::on_all_cores;
use crate::domain::proposal::Proposal;
use crate::problem::Problem;

/// Remote, branch and path.
type Place = (String, String, String);

/// Files as the commits before leave them; of those alone that several commits edit.
#[derive(Debug, Default)]
pub(super) struct Edited {
    files: BTreeMap<Place, FileEdit>,
    shared: HashSet<Place>,
}

impl Edited {
    /// Nothing is edited yet.
    pub(super) fn of(commits: &[(&Ground, Vec<Proposal>)]) -> Self {
        let (mut once, mut shared) = (HashSet::new(), HashSet::new());
        // One commit alone shares nothing.
        for (ground, updates) in commits.iter().filter(|_| commits.len() > 1) {
            for path in Changes::of(updates).into_keys() {
                let place = Self::place(ground, path);
                if !once.insert(place.clone()) {
                    shared.insert(place);
                }
            }
        }
        Self { files: BTreeMap::new(), shared }
    }

    fn place(ground: &Ground, path: &str) -> Place {
        let branch = ground.push.as_ref().map(|push| push.branch.clone());
        (ground.remote.clone().unwrap_or_default(), branch.unwrap_or_default(), path.to_owned())
    }

    /// What the commits before made of a file.
    fn before(&self, ground: &Ground, path: &str) -> Option<&FileEdit> {
        if self.files.is_empty() { None } else { self.files.get(&Self::place(ground, path)) }
    }

    /// Notes what one more commit makes of a file.
    fn note(&mut self, ground: &Ground, path: &str, edit: &FileEdit) {
        if !self.shared.is_empty() {
            let place = Self::place(ground, path);
            if self.shared.contains(&place) {
                self.files.insert(place, edit.clone());
            }
        }
    }
}

/// One commit in the making.
pub(super) struct Making<'a> {
    pub(super) ground: &'a Ground,
    pub(super) selections: &'a BTreeMap<ObjectId, Selection>,
    pub(super) options: &'a BuildOptions<'a>,
    pub(super) reader: Option<Reader<'a>>,
}

/// What becomes of the files of one commit.
#[derive(Default)]
pub(super) struct Files {
    planned: Vec<PlannedFile>,
    /// By path; none where texts are not kept.
    pub(super) contents: BTreeMap<String, FileEdit>,
    /// Bytes that change outside markers.
    pub(super) outside: u64,
}

/// One file of a commit.
struct Made {
    edit: FileEdit,
    planned: PlannedFile,
    outside: u64,
}

impl Making<'_> {
    pub(super) fn build(
        &self,
        updates: Vec<Proposal>,
        edited: &mut Edited,
    ) -> Result<(Group, Files), Problem> {
        let Self { ground, options, .. } = *self;
        let mut files = self.files(&updates, edited)?;
        let (message, message_edited, mut warnings) = message(ground, &updates, self.selections, options)?;
        warnings.splice(0..0, ground.warnings.iter().cloned());
        warnings.extend(update_warnings(&updates));
        let group = Group {
            automation: ground.automation.clone(),
            remote: ground.remote.clone(),
            base: ground.base.clone(),
            push: ground.push.clone(),
            author: options.author.as_ref().unwrap_or(&ground.author).written(),
            signing_key: ground.committing.key.clone(),
            message,
            message_edited,
            warnings,
            files: std::mem::take(&mut files.planned),
            updates,
        };
        Ok((group, files))
    }

    /// Edits every file with an approved site or edit.
    fn files(&self, updates: &[Proposal], edited: &mut Edited) -> Result<Files, Problem> {
        let ground = self.ground;
        let marked: HashMap<&str, _> = ground.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let in_scope: HashSet<&ObjectId> = ground.policies.iter().collect();
        let mut changes: Vec<_> = Changes::of(updates).into_iter().collect();
        changes.sort_by_key(|(path, _)| *path);
        let mut files = Files::default();
        for changes in changes.chunks(FILES_AT_ONCE) {
            let is_unread = |path: &&str| marked.get(path).is_some_and(|file| ground.text_of(file).is_none());
            let paths = changes.iter().map(|(path, _)| *path).filter(is_unread);
            let read = ground.read(paths, self.reader)?;
            let work = |(path, changes): &(&str, Changes<'_>)| {
                let file = marked.get(path).copied();
                self.file((path, file, changes), &read, (&in_scope, edited))
            };
            let made = on_all_cores(changes, work);
            for ((path, _), made) in changes.iter().zip(made) {
                let Some(Made { edit, planned, outside }) = made.transpose()? else { continue };
                edited.note(ground, path, &edit);
                files.planned.push(planned);
                files.outside += outside;
                if self.reader.is_none() {
                    files.contents.insert((*path).to_owned(), edit);
                }
            }
        }
        Ok(files)
    }

    /// Edits one file; `None`: it stays as it is.
    fn file(
        &self,
        (path, file, changes): (&str, Option<&MarkedFile>, &Changes<'_>),
        read: &HashMap<String, Arc<str>>,
        (in_scope, edited): (&HashSet<&ObjectId>, &Edited),
    ) -> Option<Result<Made, Problem>> {
        let known = file.and_then(|file| self.ground.text_of(file));
        let Some(text) = known.or_else(|| self.ground.texts.get(path)).or_else(|| read.get(path)) else {
            let is_meant = changes.has_edits() || file.is_some();
            return is_meant.then(|| Err(Stale::FileChanged { path: path.to_owned() }.into()));
        };
        let before = match edited.before(self.ground, path) {
            Some(edit) => edit.after().into(),
            None => Arc::clone(text),
        };
        let known = file.filter(|_| before == *text).map(|file| file.sites.as_slice());
        match changes.apply(path, before, known, self.options.check) {
            Ok(edit) if edit.is_empty() => None,
            Ok(edit) => Some(Ok(self.made((path, changes), edit, in_scope))),
            Err(stale) => Some(Err(stale.into())),
        }
    }

    /// What is to be said of an edited file.
    fn made(
        &self,
        (path, changes): (&str, &Changes<'_>),
        edit: FileEdit,
        in_scope: &HashSet<&ObjectId>,
    ) -> Made {
        let (before, after) = (&edit.before, edit.after());
        // What a person asked for beside the sites is not to be found among the bytes that changed besides.
        let edited = changes.edited(path, before, self.options.check);
        let read = Manifest::parse(&edited).ok().zip(Manifest::parse(&after).ok());
        let reformats = |(old, new): &(_, _)| controller_reformats(in_scope, (old, new), self.selections);
        let planned = PlannedFile {
            path: path.to_owned(),
            sha256_before: sha256_hex(before.as_bytes()),
            sha256_after: sha256_hex(after.as_bytes()),
            controller_reformats: read.as_ref().and_then(reformats),
        };
        let outside = read.as_ref().map_or(after.len() as u64, |(old, new)| bytes_outside_markers(old, new));
        Made { edit, planned, outside }
    }
}

/// Whether Flux would change other bytes of the file than differ between these two contents.
fn controller_reformats(
    in_scope: &HashSet<&ObjectId>,
    (before, after): (&Manifest<'_>, &Manifest<'_>),
    selections: &BTreeMap<ObjectId, Selection>,
) -> Option<bool> {
    let is_setter = |setter: &str| {
        let Ok((policy, _)) = parse_setter(setter) else { return false };
        let selection = selections.get(&policy).filter(|_| in_scope.contains(&policy));
        selection.is_some_and(|selection| selection.outcome.is_ok())
    };
    manifest::reformats(before, after, &is_setter)
}

/// How many bytes differ between two contents once every marked scalar is cut out of both.
///
/// Counted anew from the two texts, so that it is a check on the rewriter and not its own word.
fn bytes_outside_markers(before: &Manifest<'_>, after: &Manifest<'_>) -> u64 {
    let (before, after) = (without_markers(before), without_markers(after));
    let common = before.iter().zip(&after).filter(|(a, b)| a == b).count();
    (before.len().max(after.len()) - common) as u64
}

fn without_markers(manifest: &Manifest<'_>) -> Vec<u8> {
    let text = manifest.text().as_bytes();
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    for site in manifest.scalars() {
        kept.extend_from_slice(text.get(at..site.span.start).unwrap_or_default());
        at = site.span.end.max(at);
    }
    kept.extend_from_slice(text.get(at..).unwrap_or_default());
    kept
}
