//! What a plan stands on: the marked files of one commit, and what each policy selects.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::Arc;

use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize};

use super::stale::{Stale, apply_sites};
use super::{Base, PushTarget, SigningKey, Warning};
use crate::domain::age::Clocks;
use crate::domain::edit::{Check, ObjectEdit};
use crate::domain::manifest::{self, Manifest, MarkedScalar, Replaced, Rewritten, Stray, YamlError};
use crate::domain::marker::parse_setter;
use crate::domain::object::{ObjectId, Person};
use crate::domain::parallel::on_all_cores;
use crate::domain::policy::Evaluator;
use crate::domain::proposal::{MarkerPart, Proposal, Reference, Site, UpdateState};
use crate::domain::reference::parse_reference;
use crate::problem::Problem;

/// A file with markers. Its JSON is what a content says of itself, whatever its path, and is kept in a cache: whoever changes what
/// is read, or how it is written there, raises the version of `store::markers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedFile {
    /// From the repository's root.
    #[serde(skip)]
    pub path: String,
    /// Its content; empty where that can be read again: the markers of a large repository are few beside what stands around
    /// them. [`Ground::texts`] has those of the files that are to change.
    #[serde(skip)]
    pub text: Arc<str>,
    /// What tells its content from another, as [`fingerprint`] has it.
    pub fingerprint: u64,
    /// Its marked scalars, by position.
    pub sites: Vec<MarkedScalar>,
    /// Its markers, and what means to be one, that govern nothing.
    #[serde(skip)]
    pub strays: Vec<Stray>,
}

/// A file before and after. Of the text after only what is new is kept: a plan may change thousands of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// The content the group starts from.
    pub before: Arc<str>,
    /// What stands in the place of which bytes of `before`, in its order.
    changes: Vec<(Range<usize>, Box<str>)>,
}

impl FileEdit {
    /// `before`, and what became of it.
    pub(super) fn new(before: Arc<str>, after: &Rewritten) -> Self {
        let new = |place: &Replaced| after.text.get(place.new.clone()).unwrap_or_default();
        let changes = after.places.iter().map(|place| (place.old.clone(), new(place).into()));
        let changes = changes.filter(|(old, new): &(Range<usize>, Box<str>)| {
            before.get(old.clone()).is_none_or(|old| *old != **new)
        });
        let changes = changes.collect();
        Self { before, changes }
    }

    /// This edit with those of objects beside it, each of which is held to its own field.
    ///
    /// # Errors
    /// The lines of one are not there, or more would change than is meant.
    pub(super) fn with(mut self, path: &str, edits: &[&ObjectEdit], check: Check) -> Result<Self, Stale> {
        for edit in edits {
            let moved = || Stale::EditMoved { path: path.to_owned(), line: edit.line, what: edit.words() };
            let place = edit.place(&self.before).ok_or_else(moved)?;
            let alone = edit.applied(&self.before).ok_or_else(moved)?;
            let has_marker = [&edit.old, &edit.new].iter().any(|text| manifest::has_token(text.as_bytes()));
            if has_marker || !check(&self.before, &alone, edit) {
                let reason = format!("line {}: more would change than {}", edit.line, edit.words());
                return Err(Stale::Unsafe { path: path.to_owned(), reason });
            }
            self.changes.push((place, edit.new.as_str().into()));
        }
        self.changes.sort_by_key(|(place, _)| (place.start, place.end));
        let is_apart = |pair: &[(Range<usize>, Box<str>)]| match pair {
            [(one, _), (next, _)] => one.end <= next.start && one != next,
            _ => true,
        };
        if !self.changes.windows(2).all(is_apart) {
            let reason = "two changes are about the same lines".to_owned();
            return Err(Stale::Unsafe { path: path.to_owned(), reason });
        }
        Ok(self)
    }

    /// A file in which nothing changes.
    pub(super) fn none(before: Arc<str>) -> Self {
        Self { before, changes: Vec::new() }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The content it leaves.
    pub fn after(&self) -> String {
        let mut text = String::with_capacity(self.before.len() + 32 * self.changes.len());
        let mut copied = 0;
        for (old, new) in &self.changes {
            text.push_str(self.before.get(copied..old.start).unwrap_or_default());
            text.push_str(new);
            copied = old.end;
        }
        text.push_str(self.before.get(copied..).unwrap_or_default());
        text
    }
}

/// A file with the marker token that is not valid to Flux; nothing in it can be written.
#[derive(Debug, Clone)]
pub struct ProblemFile {
    /// From the repository's root.
    pub path: String,
    /// What is wrong and where.
    pub error: YamlError,
}

impl MarkedFile {
    /// Finds the marked scalars of a file.
    ///
    /// # Errors
    /// Where and why the text is not valid to Flux.
    pub fn read(path: impl Into<String>, text: impl Into<Arc<str>>) -> Result<Self, YamlError> {
        let text = text.into();
        let (sites, strays) = Manifest::parse(&text)?.into_markers();
        let fingerprint = fingerprint(&text);
        Ok(Self { path: path.into(), text, fingerprint, sites, strays })
    }
}

/// What tells a content from another, as far as nothing but a warning depends on it.
pub fn fingerprint(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}

/// Who makes the commits that an automation is the author of, and what is added to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committing {
    /// The operator; `None`: the author, too.
    pub committer: Option<Person>,
    /// How the key is called that signs; `None`: nobody signs.
    pub signer: Option<String>,
    /// The automation's own key, where it can be read and commits are to be signed.
    pub key: Option<SigningKey>,
    /// The trailers of the message.
    pub trailers: Vec<String>,
}

/// What one automation stands on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The automation.
    pub automation: ObjectId,
    /// The policies it may use: of its namespace, chosen by its selector.
    pub policies: Vec<ObjectId>,
    /// `update.path`, from the repository's root, without `./`; empty for the root.
    pub path: String,
    /// The remote's address without credentials; `None` without Git.
    pub remote: Option<String>,
    /// The commit that was read; `None` without Git.
    pub base: Option<Base>,
    /// Where its commits go; `None` without Git.
    pub push: Option<PushTarget>,
    /// Who its commits are by.
    pub author: Person,
    /// Who makes them, and who signs.
    pub committing: Committing,
    /// Its message template.
    pub template: String,
    /// The template's values.
    pub template_values: Option<BTreeMap<String, String>>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// The marked files below its path, in the order Flux walks them.
    pub files: Arc<Vec<MarkedFile>>,
    /// The files that cannot be written.
    pub problem_files: Vec<ProblemFile>,
    /// Files of the same commit that were read because they are to change, with markers or without, by path.
    pub texts: BTreeMap<String, Arc<str>>,
}

impl Ground {
    /// The text of a file in which something may change.
    pub fn text(&self, path: &str) -> Option<&Arc<str>> {
        let read = || self.files.iter().find(|file| file.path == path).and_then(|file| self.text_of(file));
        self.texts.get(path).or_else(read)
    }

    /// The text of a marked file, if it is at hand.
    pub fn text_of<'a>(&'a self, file: &'a MarkedFile) -> Option<&'a Arc<str>> {
        let own = Some(&file.text).filter(|text| !text.is_empty());
        own.or_else(|| self.texts.get(&file.path))
    }

    /// The marked files with a site of `updates` that is due, whose texts are not at hand.
    pub fn unread<'a>(&'a self, updates: &'a [Proposal], is_due: impl Fn(&Site) -> bool) -> Vec<&'a str> {
        let own = updates.iter().filter(|update| update.automation == self.automation);
        let sites = own.flat_map(|update| &update.sites).filter(|site| is_due(site));
        let due: BTreeSet<&str> = sites.map(|site| site.file.as_str()).collect();
        let is_unread = |file: &&MarkedFile| due.contains(file.path.as_str()) && self.text_of(file).is_none();
        self.files.iter().filter(is_unread).map(|file| file.path.as_str()).collect()
    }

    /// The texts of those of `paths` that are not at hand; none without a reader.
    pub(super) fn read<'a>(
        &self,
        paths: impl Iterator<Item = &'a str>,
        reader: Option<Reader<'_>>,
    ) -> Result<HashMap<String, Arc<str>>, Problem> {
        let Some(reader) = reader else { return Ok(HashMap::new()) };
        let unread: Vec<&str> = paths.filter(|path| !self.texts.contains_key(*path)).collect();
        Ok(reader(self, &unread)?.into_iter().collect())
    }

    /// The name and commit of what a commit would be built on now.
    pub fn stands_on(&self) -> Option<(&str, &str)> {
        super::stands_on(self.base.as_ref(), self.push.as_ref())
    }
}

/// What a policy selects, or why it selects nothing.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The repository's `spec.image`.
    pub image: String,
    /// The reference, or the problem that blocks every site of the policy.
    pub outcome: Result<Reference, Problem>,
    /// Why this tag, in words.
    pub why: String,
    /// When the tag was first seen by us.
    pub clocks: Clocks,
    /// Whether Flux might have selected another tag as well.
    pub tie: bool,
    /// The policy, for comparing old with new.
    pub evaluator: Arc<Evaluator>,
}

/// Reads texts that a ground has not at hand, by path; what is not there is left out. Whoever gives one keeps few of them: those of
/// all files that change may be too many.
pub type Reader<'a> = &'a (dyn Fn(&Ground, &[&str]) -> Result<Vec<(String, Arc<str>)>, Problem> + Sync);

/// Files whose texts are in memory at once, where they are read as they are needed.
pub(super) const FILES_AT_ONCE: usize = 256;

/// A file in which every proposed site of one automation can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePreview {
    /// The automation.
    pub automation: ObjectId,
    /// From the repository's root.
    pub path: String,
    /// As it is.
    pub before: Arc<str>,
}

/// What a person reviews: proposals with their decisions, and the files they stand in.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// What the proposals stand on.
    pub grounds: Arc<Vec<Ground>>,
    /// By policy, then automation.
    pub proposals: Vec<Proposal>,
    /// The files that would change, by automation and path.
    pub files: Vec<FilePreview>,
    /// Files that cannot be edited safely: path and reason.
    pub problem_files: Vec<(String, String)>,
}

impl Review {
    /// Tries every writable site of `proposals` on the files of `grounds`.
    ///
    /// A file that cannot be edited safely blocks its sites and is listed in [`Self::problem_files`].
    pub fn new(grounds: Arc<Vec<Ground>>, proposals: Vec<Proposal>) -> Self {
        Self::tried(grounds, proposals, None).0
    }

    /// As [`Self::new`], with texts that are read as they are needed and not kept: [`Self::files`] stays empty. Returns, too, what
    /// kept files from being read; their sites are blocked.
    pub fn reading(
        grounds: Arc<Vec<Ground>>,
        proposals: Vec<Proposal>,
        reader: Reader<'_>,
    ) -> (Self, Vec<Problem>) {
        Self::tried(grounds, proposals, Some(reader))
    }

    fn tried(
        grounds: Arc<Vec<Ground>>,
        proposals: Vec<Proposal>,
        reader: Option<Reader<'_>>,
    ) -> (Self, Vec<Problem>) {
        let (mut review, mut unread) = (Self { proposals, ..Self::default() }, Vec::new());
        for ground in grounds.iter() {
            let unreadable = ground.problem_files.iter();
            review.problem_files.extend(unreadable.map(|file| (file.path.clone(), file.error.to_string())));
            let (files, failed) = try_files(ground, (&review.proposals, reader), &mut unread);
            review.files.extend(files);
            for (path, stale) in failed {
                let problem = Problem::from(stale);
                block(&mut review.proposals, &ground.automation, &path, &problem);
                review.problem_files.push((path, problem.message));
            }
        }
        (Self { grounds, ..review }, unread)
    }
}

/// The files of a ground in which every site that may be written can be, if texts are kept, and those in which not.
fn try_files(
    ground: &Ground,
    (proposals, reader): (&[Proposal], Option<Reader<'_>>),
    unread: &mut Vec<Problem>,
) -> (Vec<FilePreview>, Vec<(String, Stale)>) {
    let (mut files, mut failed) = (Vec::new(), Vec::new());
    let sites = writable_sites(proposals, &ground.automation);
    let due = ground.files.iter().filter_map(|file| Some((file, sites.get(file.path.as_str())?)));
    for due in due.collect::<Vec<_>>().chunks(FILES_AT_ONCE) {
        let paths = due.iter().filter(|(file, _)| ground.text_of(file).is_none());
        let read = ground.read(paths.map(|(file, _)| file.path.as_str()), reader);
        let read = read.unwrap_or_else(|problem| {
            unread.push(problem);
            HashMap::new()
        });
        let attempt = |(file, sites): &(&MarkedFile, &Vec<&Site>)| {
            let text = ground.text_of(file).or_else(|| read.get(&file.path));
            let text = text.ok_or_else(|| Stale::FileChanged { path: file.path.clone() })?;
            apply_sites(&file.path, Arc::clone(text), Some(&file.sites), sites).map(drop)?;
            Ok(Arc::clone(text))
        };
        for ((file, _), tried) in due.iter().zip(on_all_cores(due, attempt)) {
            let path = file.path.clone();
            match tried {
                Ok(_) if reader.is_some() => {}
                Ok(before) => {
                    files.push(FilePreview { automation: ground.automation.clone(), path, before });
                }
                Err(stale) => failed.push((path, stale)),
            }
        }
    }
    (files, failed)
}

/// What may be written for an automation, by file.
fn writable_sites<'a>(proposals: &'a [Proposal], automation: &ObjectId) -> HashMap<&'a str, Vec<&'a Site>> {
    let own = proposals.iter().filter(|proposal| proposal.automation == *automation);
    let mut sites: HashMap<&str, Vec<&Site>> = HashMap::new();
    for site in own.flat_map(|proposal| &proposal.sites).filter(|site| site.blocked.is_none()) {
        sites.entry(&site.file).or_default().push(site);
    }
    sites
}

fn block(proposals: &mut [Proposal], automation: &ObjectId, path: &str, problem: &Problem) {
    for proposal in proposals.iter_mut().filter(|proposal| proposal.automation == *automation) {
        let problem = Problem { subject: proposal.policy.to_string(), ..problem.clone() };
        for site in proposal.sites.iter_mut().filter(|site| site.file == path) {
            site.blocked.get_or_insert_with(|| problem.clone());
        }
        if proposal.sites.iter().all(|site| site.blocked.is_some()) {
            proposal.state = UpdateState::Blocked;
            proposal.blocked.get_or_insert_with(|| problem.clone());
        }
    }
}

/// The distinct tags that the marked scalars of a policy hold, in order of appearance.
pub fn tags_in_files<'a>(grounds: impl IntoIterator<Item = &'a Ground>, policy: &ObjectId) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for scalar in grounds.into_iter().flat_map(|ground| &*ground.files).flat_map(|file| &file.sites) {
        let tag = match parse_setter(&scalar.setter) {
            Ok((id, MarkerPart::Tag)) if id == *policy => Some(scalar.value.clone()),
            Ok((id, MarkerPart::Whole)) if id == *policy => {
                parse_reference(&scalar.value).ok().and_then(|reference| reference.tag)
            }
            _ => None,
        };
        found.extend(tag.filter(|tag| !found.contains(tag)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_kept_as_what_is_new_and_gives_the_whole_text() {
        let text: Arc<str> =
            "a: app:1 # {\"$imagepolicy\": \"x:y\"}\nb: 1.0 # {\"$imagepolicy\": \"x:z:tag\"}\n".into();
        let manifest = Manifest::parse(&text).unwrap();
        let scalars: Vec<_> = manifest.scalars().collect();
        let edit = |values: [&str; 2]| {
            let edits: Vec<_> = scalars.iter().copied().zip(values).collect();
            FileEdit::new(Arc::clone(&text), &manifest.rewrite(&edits).unwrap())
        };
        let written =
            "a: app:22 # {\"$imagepolicy\": \"x:y\"}\nb: \"2.0\" # {\"$imagepolicy\": \"x:z:tag\"}\n";
        assert_eq!(edit(["app:22", "2.0"]).after(), written);
        assert!(!edit(["app:22", "1.0"]).is_empty());
        let same = FileEdit::new(Arc::clone(&text), &manifest.rewrite(&[(scalars[0], "app:1")]).unwrap());
        assert!(same.is_empty() && same.after() == *text);
    }
}
