//! Whether a plan still fits: the approved sites put into the files they were read from.

use std::collections::HashMap;
use std::sync::Arc;

use super::ground::FileEdit;
use super::{Group, PlannedFile, sha256_hex};
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
        let code = if matches!(stale, Stale::Unsafe { .. }) { Code::YamlInvalid } else { Code::StalePlan };
        Self::new(code, "plan", stale.to_string()).hint("Make the plan again: supercargo plan … -o json")
    }
}

/// What is said of a site that no longer stands where it was decided on.
pub fn changed_upstream(file: &str, line: usize) -> String {
    format!("{file}:{line} changed upstream")
}

/// The approved sites of a group, by the file they stand in.
#[derive(Debug)]
pub struct Approved<'a>(HashMap<&'a str, Vec<&'a Site>>);

impl Group {
    /// What is approved, for [`Approved::edit`].
    pub fn approved(&self) -> Approved<'_> {
        let mut sites: HashMap<&str, Vec<&Site>> = HashMap::new();
        for site in self.updates.iter().flat_map(Proposal::approved) {
            sites.entry(&site.file).or_default().push(site);
        }
        Approved(sites)
    }
}

impl Approved<'_> {
    /// Makes the new file out of the old one, whose content on the plan's base, after the groups before it, is `before`.
    ///
    /// # Errors
    /// The file, or the first site in it, is not as planned.
    pub fn edit(&self, file: &PlannedFile, before: Option<String>) -> Result<FileEdit, Stale> {
        let changed = || Stale::FileChanged { path: file.path.clone() };
        let before = before.ok_or_else(changed)?;
        if sha256_hex(before.as_bytes()) != file.sha256_before {
            return Err(changed());
        }
        let sites = self.0.get(file.path.as_str()).map_or(&[][..], Vec::as_slice);
        let edit = apply_sites(&file.path, before.into(), None, sites)?;
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
