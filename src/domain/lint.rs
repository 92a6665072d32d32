//! A verdict for every marker, and for every policy the first link of its chain that does not hold.
//!
//! Flux passes over a marker that means nothing without a word, and says of a policy that nobody uses that it is ready;
//! here each gets an answer. Both front ends read it: [`lint`] judges the files of a work tree, [`survey`] those that a
//! plan stands on. Nothing is scanned or evaluated here.

mod chain;
mod judge;
mod obsolete;
mod refused;
mod survey;
mod tree;
mod unmarked;
mod unread;
mod utf16;
mod world;

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::manifest::{self, Manifest, YamlError};
use super::object::ObjectId;
use super::parallel::in_parallel;
use super::proposal::Reference;
use crate::problem::{Code, Problem};

pub use chain::{BrokenChain, Link, status_of, suspended};
pub use obsolete::Obsolete;
pub use survey::{Standing, Survey, standings, survey};
pub use tree::{Tree, look, unmarked_below, unmarked_elsewhere};
pub use unmarked::{Unmarked, forgotten, outside};
pub use unread::may_mean_markers;
use world::Writer;
pub use world::{Known, World};

/// What became of a policy: what it selects, or why nothing.
pub type Outcome = Result<Reference, Problem>;

/// What is said of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The value is what the policy wants.
    Ok,
    /// The policy wants another value.
    Outdated,
    /// It means to be a marker and is none to Flux.
    NotAMarker,
    /// It governs no value.
    NoScalar,
    /// There is no such policy.
    UnknownPolicy,
    /// The policy is not in the namespace of any automation that writes this file.
    OtherNamespace,
    /// What follows the policy's name is none of `:tag`, `:name`, `:digest`.
    BadSuffix,
    /// The policy has selected nothing that could be written here.
    NoLatest,
    /// The policy's evaluation ends in an error.
    PolicyFailed,
    /// The policy is outside of every automation's `policySelector`.
    NotSelected,
    /// The file is outside of the path of every automation that applies the policy.
    OutsidePath,
    /// It stands in the text of a block scalar, which is data.
    BlockScalar,
    /// The `GitRepository` of the automation that would write it is nowhere to be found.
    UnknownSource,
}

impl Verdict {
    /// The word of the table and the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Outdated => "outdated",
            Self::NotAMarker => "not-a-marker",
            Self::NoScalar => "no-scalar",
            Self::UnknownPolicy => "unknown-policy",
            Self::OtherNamespace => "other-namespace",
            Self::BadSuffix => "bad-suffix",
            Self::NoLatest => "no-latest",
            Self::PolicyFailed => "policy-failed",
            Self::NotSelected => "not-selected",
            Self::OutsidePath => "outside-path",
            Self::BlockScalar => "block-scalar",
            Self::UnknownSource => "unknown-source",
        }
    }

    /// Whether somebody has to do something about it. An outdated value is what updates are for.
    pub fn is_problem(self) -> bool {
        !matches!(self, Self::Ok | Self::Outdated)
    }

    /// Whether the marker does nothing whatever the objects say.
    fn is_dead(self) -> bool {
        matches!(self, Self::NotAMarker | Self::NoScalar | Self::BadSuffix | Self::BlockScalar)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A marker and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintedMarker {
    /// The file.
    pub file: String,
    /// The line of the value, or of the comment if it governs none; from 1.
    pub line: usize,
    /// The column, in bytes from 1.
    pub column: usize,
    /// The comment without its `#`.
    pub text: String,
    /// What the marker names.
    pub setter: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The value that stands there.
    pub current: Option<String>,
    /// The value that the policy wants.
    pub wanted: Option<String>,
    /// Why, in a sentence.
    pub message: String,
    /// What to do, where there is something to do.
    pub fix: Option<Fix>,
}

/// What to do about a marker; in JSON its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fix {
    /// The comment as it might be meant, without its `#`.
    Comment(String),
    /// What else to do, in a sentence.
    Other(String),
}

impl Fix {
    /// A sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Comment(comment) => format!("Write `# {comment}`."),
            Self::Other(sentence) => sentence.clone(),
        }
    }

    fn other(sentence: impl Into<String>) -> Self {
        Self::Other(sentence.into())
    }
}

impl From<&LintedMarker> for Problem {
    /// Flux passes over it, and so it is a warning.
    fn from(marker: &LintedMarker) -> Self {
        let place = format!("{}:{}", marker.file, marker.line);
        let message = format!("{}: {}", marker.verdict.word(), marker.message);
        let problem = Self::new(Code::Skipped, place, message).cause(format!("# {}", marker.text));
        match &marker.fix {
            Some(fix) => problem.hint(fix.sentence()),
            None => problem,
        }
    }
}

/// A file that has markers or objects and is not valid for Flux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadFile {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// What to do about a file without markers that is not valid and holds objects.
const MEND_OBJECTS: &str = "Correct the file there: until then none of its objects are read.";

/// What to do about a file that is not valid for Flux.
pub const MEND_FILE: &str = "Correct the file there: until then Flux writes none of its markers.";

impl From<&BadFile> for Problem {
    fn from(file: &BadFile) -> Self {
        let place = format!("{}:{}", file.file, file.line);
        Self::new(Code::YamlInvalid, place, file.message.clone()).hint(file.fix.clone())
    }
}

/// All that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every marker, by file and place.
    pub markers: Vec<LintedMarker>,
    /// Images of containers without a marker.
    pub unmarked: Vec<Unmarked>,
    /// Policies that no marker names.
    pub unused_policies: Vec<ObjectId>,
    /// Repositories that no policy reads.
    pub unused_repositories: Vec<ObjectId>,
    /// Policies whose selection does not arrive, each with the first link that does not hold.
    pub broken_chains: Vec<BrokenChain>,
    /// Objects in versions that Flux no longer serves.
    pub obsolete: Vec<Obsolete>,
    /// Files that cannot be used.
    pub files: Vec<BadFile>,
}

impl Report {
    /// How many problems there are; with `strict` everything counts but markers that are as they should be.
    pub fn problems(&self, strict: bool) -> usize {
        let markers = self.markers.iter().filter(|marker| marker.verdict.is_problem()).count();
        let more = if strict { self.only_strict().iter().map(|(found, _)| found).sum() } else { 0 };
        markers + self.files.len() + more
    }

    /// What `strict` alone counts: how many of each kind, and the word for one.
    pub fn only_strict(&self) -> [(usize, &'static str); 5] {
        [
            (self.unmarked.len(), "unmarked image"),
            (self.unused_policies.len(), "unused policy"),
            (self.unused_repositories.len(), "unused repository"),
            (self.broken_chains.len(), "broken chain"),
            (self.obsolete.len(), "obsolete object"),
        ]
    }

    /// Leaves out what is said of other files than those that are `wanted`. What is said of objects stays.
    pub fn retain_files(&mut self, wanted: impl Fn(&str) -> bool) {
        self.markers.retain(|marker| wanted(&marker.file));
        self.unmarked.retain(|image| wanted(&image.file));
        self.files.retain(|file| wanted(&file.file));
    }
}

/// Says of every marker in `files` (path and bytes) what `world` makes of it, and of every policy whether its selection
/// arrives, on up to `threads` threads. Files come out in the order in which they are given.
pub fn lint(files: &[(&str, &[u8])], world: &World, threads: usize) -> Report {
    let mut report = Report::default();
    let lint_one =
        |(file, bytes): &(&str, &[u8])| lint_file(file, bytes, world, &|writer| writer.covers(file));
    for found in in_parallel(files, threads, lint_one) {
        report.markers.extend(found.markers);
        report.unmarked.extend(found.unmarked);
        report.files.extend(found.files);
    }
    let mut best = survey::Best::default();
    for marker in &report.markers {
        best.meet(marker, || {
            judge::named(marker).and_then(|id| world.reach(&id, |by| by.covers(&marker.file)).err())
        });
    }
    report.unused_policies = world.policies.keys().filter(|id| !best.names(id)).cloned().collect();
    report.unused_repositories.clone_from(&world.unused_repositories);
    report.broken_chains = world.policies.keys().filter_map(|id| world.chain(id, best.of(id))).collect();
    report
}

/// What is said of a file that those automations write of which `covers` says so.
fn lint_file(file: &str, bytes: &[u8], world: &World, covers: &dyn Fn(&Writer) -> bool) -> Report {
    let mut report = Report::default();
    let decoded = utf16::decoded(bytes);
    let (bytes, is_utf16) = (&*decoded, matches!(decoded, Cow::Owned(_)));
    let means_markers = means_markers(bytes);
    let names_flux = memchr::memmem::find(bytes, b"toolkit.fluxcd.io").is_some();
    if !manifest::is_yaml_name(file) {
        let text = std::str::from_utf8(bytes).ok().filter(|_| means_markers);
        report.markers = text.map(|text| unread::in_other_file(file, text)).unwrap_or_default();
        return report;
    }
    if !(means_markers || names_flux || unmarked::may_have_image(bytes)) {
        return report;
    }
    let bad = |line, column, message: String| BadFile {
        file: file.to_owned(),
        line,
        column,
        message,
        fix: if means_markers { MEND_FILE } else { MEND_OBJECTS }.to_owned(),
    };
    match parsed(bytes, is_utf16).map_err(|error| bad(error.line, error.column, error.message)) {
        Ok(manifest) => {
            report.unmarked = world.unmarked(file, &manifest);
            report.markers = judge::markers((file, &manifest), world, covers, manifest::has_token(bytes));
            report.files.extend(refused::tried(file, &manifest, &mut report.markers));
            let unread = unread::behind_end(file, manifest.text(), &report.markers);
            report.markers.extend(unread);
            report.markers.sort_by_key(|marker| (marker.line, marker.column));
        }
        // A file without markers and objects may be a template, or anything; it is no concern of ours.
        Err(error) if means_markers || names_flux => report.files.push(error),
        Err(_) => {}
    }
    report
}

/// What a file holds; one that is in UTF-16 holds nothing for Flux.
fn parsed(bytes: &[u8], is_utf16: bool) -> Result<Manifest<'_>, YamlError> {
    if is_utf16 {
        return Err(utf16::error());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| YamlError::not_utf8(bytes, &error));
    text.and_then(Manifest::parse)
}

/// Whether a file has markers, or what somebody may have meant as one.
fn means_markers(bytes: &[u8]) -> bool {
    manifest::has_token(bytes) || super::marker::mentions_key(bytes)
}

#[cfg(test)]
mod tests;
