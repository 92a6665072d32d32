//! Whether a plan still fits: the approved sites and edits put into the files they were read from.

use std::collections::HashMap;
use std::sync::Arc;

use super::ground::FileEdit;
use super::{Group, PlannedFile, sha256_hex};
use crate::domain::edit::{Check, ObjectEdit};
use crate::domain::manifest::{self, Manifest, MarkedScalar, RewriteError};
use crate::domain::proposal::{Proposal, Site};
use crate::problem::{Code, Problem};

/// Why a plan does not fit what it is to be put into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// Somebody changed the plan's content by hand.
    #[error("the plan was edited by hand: its id does not fit its content")]
    Edited,
    /// A branch is elsewhere now.
    #[error("{branch} moved from {planned} to {found}")]
    Moved {
        /// The branch.
        branch: String,
        /// The commit of the plan, `nothing` if the branch did not exist.
        planned: String,
        /// The commit on the remote.
        found: String,
    },
    /// A file is not what it was.
    #[error("{path} is not the file the plan was made from")]
    FileChanged {
        /// The file.
        path: String,
    },
    /// A site is not where it was, or holds another value.
    #[error("{path}:{line}: {setter} no longer stands there with the value {old:?}")]
    SiteChanged {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The marker.
        setter: String,
        /// The value of the plan.
        old: String,
    },
    /// Lines that an edit of an object replaces, or is put before, are not where they were.
    #[error("{path}:{line}: what becomes {what} no longer stands there")]
    EditMoved {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The edit, in words.
        what: String,
    },
    /// The registry lacks what is to be written.
    #[error("the registry has no {image} any more")]
    Gone {
        /// `NAME:TAG` or `NAME@DIGEST`.
        image: String,
    },
    /// The tag stands for another image now, and the policy follows it.
    #[error("{image} has the digest {found} now and not {planned}")]
    Repointed {
        /// `NAME:TAG`.
        image: String,
        /// The digest of the plan.
        planned: String,
        /// The digest on the registry.
        found: String,
    },
    /// The file cannot be edited without changing more than is meant.
    #[error("{path} cannot be edited safely: {reason}")]
    Unsafe {
        /// The file.
        path: String,
        /// What the rewriter says.
        reason: String,
    },
}

impl From<Stale> for Problem {
    fn from(stale: Stale) -> Self {
        if matches!(stale, Stale::Unsafe { .. }) {
            return Self::new(Code::YamlInvalid, "plan", stale.to_string()).hint(MEND_VALUE);
        }
        let code = if matches!(stale, Stale::Moved { .. }) { Code::BranchMoved } else { Code::StalePlan };
        Self::new(code, "plan", stale.to_string()).hint("Make the plan again: supercargo plan … -o json")
    }
}

/// What to do about a file whose marked value cannot be replaced without changing more.
pub const MEND_VALUE: &str =
    "Put the marked value there in quotes, on the line of its key, or change it by hand.";

/// What is said of a site that no longer stands where it was decided on.
pub fn changed_upstream(file: &str, line: usize) -> String {
    format!("{file}:{line} changed upstream")
}

/// The same of a site that does not stand so on `branch`, which is another than the one on which it was decided.
pub fn not_as_decided(file: &str, line: usize, branch: Option<&str>) -> String {
    match branch {
        Some(branch) => format!("{file}:{line} is otherwise on {branch}"),
        None => changed_upstream(file, line),
    }
}

/// What is approved of a group, by the file it stands in.
#[derive(Debug)]
pub struct Approved<'a>(HashMap<&'a str, Changes<'a>>);

/// What is approved in one file.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    sites: Vec<&'a Site>,
    edits: Vec<&'a ObjectEdit>,
}

impl<'a> Changes<'a> {
    /// All that is approved of `updates`, by file.
    pub(super) fn of(updates: &'a [Proposal]) -> HashMap<&'a str, Self> {
        let mut all: HashMap<&str, Self> = HashMap::new();
        for site in updates.iter().flat_map(Proposal::approved) {
            all.entry(&site.file).or_default().sites.push(site);
        }
        for edit in updates.iter().flat_map(Proposal::approved_edits) {
            all.entry(&edit.file).or_default().edits.push(edit);
        }
        all
    }

    /// Whether there is more than sites.
    pub(super) fn has_edits(&self) -> bool {
        !self.edits.is_empty()
    }

    /// Makes the changes in `text`; `known` are its marked scalars, if the caller has them.
    pub(super) fn apply(
        &self,
        path: &str,
        text: Arc<str>,
        known: Option<&[MarkedScalar]>,
        check: Check,
    ) -> Result<FileEdit, Stale> {
        if self.edits.is_empty() {
            return apply_sites(path, text, known, &self.sites);
        }
        let sites = if self.sites.is_empty() {
            FileEdit::none(text)
        } else {
            apply_sites(path, text, known, &self.sites)?
        };
        sites.with(path, &self.edits, check)
    }

    /// `text` with the edits made and no site.
    pub(super) fn edited(&self, path: &str, text: &Arc<str>, check: Check) -> Arc<str> {
        if self.edits.is_empty() {
            return Arc::clone(text);
        }
        let edited = FileEdit::none(Arc::clone(text)).with(path, &self.edits, check);
        edited.map_or_else(|_| Arc::clone(text), |edited| edited.after().into())
    }
}

impl Group {
    /// What is approved, for [`Approved::edit`].
    pub fn approved(&self) -> Approved<'_> {
        Approved(Changes::of(&self.updates))
    }
}

impl Approved<'_> {
    /// Makes the new file out of the old one, whose content on the plan's base, after the groups before it, is `before`.
    ///
    /// # Errors
    /// The file, or the first site or edit in it, is not as planned; an edit would change more than its field, by `check`.
    pub fn edit(&self, file: &PlannedFile, before: Option<String>, check: Check) -> Result<FileEdit, Stale> {
        let changed = || Stale::FileChanged { path: file.path.clone() };
        let before = before.ok_or_else(changed)?;
        if sha256_hex(before.as_bytes()) != file.sha256_before {
            return Err(changed());
        }
        let none = Changes::default();
        let approved = self.0.get(file.path.as_str()).unwrap_or(&none);
        let edit = approved.apply(&file.path, before.into(), None, check)?;
        if sha256_hex(edit.after().as_bytes()) != file.sha256_after {
            return Err(Stale::Edited);
        }
        Ok(edit)
    }
}

/// Puts the new values of `sites` into `text`; a site that holds its new value already is passed over.
///
/// `known` are the marked scalars of exactly this text, if the caller has them.
pub(super) fn apply_sites(
    path: &str,
    text: Arc<str>,
    known: Option<&[MarkedScalar]>,
    sites: &[&Site],
) -> Result<FileEdit, Stale> {
    let refuse = |reason: String| Stale::Unsafe { path: path.to_owned(), reason };
    let found;
    let scalars = if let Some(known) = known {
        known
    } else {
        found = manifest::find(&text).map_err(|error| refuse(error.to_string()))?;
        &found
    };
    let mut edits = Vec::with_capacity(sites.len());
    for site in sites {
        let scalar = scalars.iter().find(|scalar| {
            scalar.line == site.line && scalar.column == site.column && scalar.setter == site.setter
        });
        match scalar {
            Some(scalar) if scalar.value == site.old => edits.push((scalar, site.new.as_str())),
            Some(scalar) if scalar.value == site.new => {}
            _ => {
                return Err(Stale::SiteChanged {
                    path: path.to_owned(),
                    line: site.line,
                    setter: site.setter.clone(),
                    old: site.old.clone(),
                });
            }
        }
    }
    let rewritten = Manifest::parse(&text).map_err(RewriteError::Before);
    let rewritten = rewritten.and_then(|manifest| manifest.rewrite(&edits));
    let rewritten = rewritten.map_err(|error| refuse(error.to_string()))?;
    Ok(FileEdit::new(text, &rewritten))
}
