//! A verdict for every marker: whether the value behind it is what its policy wants, and if that cannot be said, why.
//!
//! Flux passes over a marker that means nothing without a word; here each one gets an answer. Which policies there are
//! and what they selected is given; nothing is scanned or evaluated here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::manifest::{self, Manifest, MarkedScalar, Stray, StrayReason};
use super::marker::{self, NameError};
use super::object::ObjectId;
use super::proposal::{MarkerPart, Reference};
use super::setrun::in_parallel;
use super::setter;
use crate::text::nearest;

/// What is said of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The value is what the policy wants.
    Ok,
    /// The policy wants another value.
    Outdated,
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
}

impl Verdict {
    /// The word of the table and the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Outdated => "outdated",
            Self::NoScalar => "no-scalar",
            Self::UnknownPolicy => "unknown-policy",
            Self::OtherNamespace => "other-namespace",
            Self::BadSuffix => "bad-suffix",
            Self::NoLatest => "no-latest",
            Self::PolicyFailed => "policy-failed",
        }
    }

    /// Whether somebody has to do something about it. An outdated value is what updates are for.
    pub fn is_problem(self) -> bool {
        !matches!(self, Self::Ok | Self::Outdated)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What is known of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// What it selects.
    Latest(Reference),
    /// Its repository has not been scanned yet.
    NotScanned,
    /// Why its evaluation ends in an error.
    Failed(String),
}

/// What an automation writes: files below a path, by policies of its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The namespace of the automation, hence of its policies.
    pub namespace: String,
    /// `update.path`, from the root that the files' names count from; empty for all.
    pub path: String,
}

impl Scope {
    /// Whether `file` lies in the path, or is it.
    fn covers(&self, file: &str) -> bool {
        let parts = |path: &str| -> Vec<String> {
            path.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
        };
        parts(file).starts_with(&parts(&self.path))
    }
}

/// What lint knows of the objects.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Every policy.
    pub policies: BTreeMap<ObjectId, PolicyState>,
    /// Every automation; none: one is implied that writes everywhere with all policies.
    pub scopes: Vec<Scope>,
}

/// A marker and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintedMarker {
    /// The file.
    pub file: String,
    /// The line of the value, or of the comment if there is no value; from 1.
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
    /// The comment as it might be meant.
    pub fix: Option<String>,
}

/// A container's image without a marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmarked {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The image.
    pub image: String,
}

/// A file that has markers and is not valid for Flux.
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
    /// Files that cannot be used.
    pub files: Vec<BadFile>,
}

impl Report {
    /// How many problems there are; with `strict`, images without marker and policies without use count too.
    pub fn problems(&self, strict: bool) -> usize {
        let markers = self.markers.iter().filter(|marker| marker.verdict.is_problem()).count();
        let more = if strict { self.unmarked.len() + self.unused_policies.len() } else { 0 };
        markers + self.files.len() + more
    }
}

/// Says of every marker in `files` (path and bytes) what `world` makes of it, on up to `threads` threads. Files come out
/// in the order in which they are given.
pub fn lint(files: &[(&str, &[u8])], world: &World, threads: usize) -> Report {
    let mut report = Report::default();
    for found in in_parallel(files, threads, |(file, bytes)| lint_file(file, bytes, world)) {
        report.markers.extend(found.markers);
        report.unmarked.extend(found.unmarked);
        report.files.extend(found.files);
    }
    let used: BTreeSet<ObjectId> = report
        .markers
        .iter()
        .filter_map(|marker| Some(marker::parse_setter(&marker.setter).ok()?.0))
        .collect();
    report.unused_policies = world.policies.keys().filter(|id| !used.contains(id)).cloned().collect();
    report
}

fn lint_file(file: &str, bytes: &[u8], world: &World) -> Report {
    let mut report = Report::default();
    let has_token = manifest::has_token(bytes);
    if !manifest::is_yaml_name(file) || !(has_token || memchr::memmem::find(bytes, b"image").is_some()) {
        return report;
    }
    let bad = |line, column, message: String| BadFile { file: file.to_owned(), line, column, message };
    let parsed = match std::str::from_utf8(bytes) {
        Ok(text) => Manifest::parse(text).map_err(|error| bad(error.line, error.column, error.message)),
        Err(_) => Err(bad(1, 1, "the file is not UTF-8".to_owned())),
    };
    match parsed {
        Ok(manifest) => {
            let unmarked = |image: &manifest::Image| Unmarked {
                file: file.to_owned(),
                line: image.line,
                image: image.image.clone(),
            };
            report.unmarked = manifest.images().map(unmarked).collect();
            // Without the token Flux does not look at the file, whatever else it holds.
            if has_token {
                report.markers = markers(file, &manifest, world);
            }
        }
        // A file without markers may be a template, or anything; it is no concern of ours.
        Err(error) if has_token => report.files.push(error),
        Err(_) => {}
    }
    report
}

fn markers(file: &str, manifest: &Manifest<'_>, world: &World) -> Vec<LintedMarker> {
    let comment = |range: &std::ops::Range<usize>| {
        manifest.text().get(range.clone()).unwrap_or_default().trim_start_matches('#').trim().to_owned()
    };
    let scalars = manifest.scalars().map(|scalar| of_scalar(file, scalar, comment(&scalar.comment), world));
    let strays = manifest.strays().map(|stray| of_stray(file, stray, comment(&stray.comment)));
    let mut markers: Vec<_> = scalars.chain(strays).collect();
    markers.sort_by_key(|marker| (marker.line, marker.column));
    markers
}

fn of_stray(file: &str, stray: &Stray, text: String) -> LintedMarker {
    let message = match stray.reason {
        StrayReason::NoScalar => "the comment belongs to no value; put it behind one, on the same line",
        StrayReason::RepeatedKey => "the key stands in this mapping before, and only its first value counts",
    };
    LintedMarker {
        file: file.to_owned(),
        line: stray.line,
        column: stray.column,
        text,
        setter: stray.setter.clone(),
        verdict: Verdict::NoScalar,
        current: None,
        wanted: None,
        message: message.to_owned(),
        fix: None,
    }
}

fn of_scalar(file: &str, scalar: &MarkedScalar, text: String, world: &World) -> LintedMarker {
    let finding = world.judge(file, &scalar.setter, &scalar.value);
    LintedMarker {
        file: file.to_owned(),
        line: scalar.line,
        column: scalar.column,
        text,
        setter: scalar.setter.clone(),
        verdict: finding.verdict,
        current: Some(scalar.value.clone()),
        wanted: finding.wanted,
        message: finding.message,
        fix: finding.fix,
    }
}

/// What is said of a marker that governs a value.
struct Finding {
    verdict: Verdict,
    wanted: Option<String>,
    message: String,
    fix: Option<String>,
}

impl Finding {
    fn of(verdict: Verdict, message: impl Into<String>) -> Self {
        Self { verdict, wanted: None, message: message.into(), fix: None }
    }
}

impl World {
    fn judge(&self, file: &str, name: &str, current: &str) -> Finding {
        let (id, part) = match marker::parse_setter(name) {
            Ok(parsed) => parsed,
            Err(error @ NameError::BadSuffix(_)) => {
                return Finding::of(Verdict::BadSuffix, error.to_string());
            }
            Err(error @ NameError::NoNamespace) => return self.unknown(name, error.to_string()),
        };
        let Some(state) = self.policies.get(&id) else {
            return self.unknown(name, format!("there is no policy {id}"));
        };
        let writers: Vec<&str> = self
            .scopes
            .iter()
            .filter(|scope| scope.covers(file))
            .map(|scope| scope.namespace.as_str())
            .collect();
        if !writers.is_empty() && !writers.contains(&id.namespace.as_str()) {
            let message = format!(
                "the automation of this file is in namespace {}; it does not see policies of {}",
                writers.join(", "),
                id.namespace
            );
            return Finding::of(Verdict::OtherNamespace, message);
        }
        match state {
            PolicyState::NotScanned => {
                Finding::of(Verdict::NoLatest, "the repository has not been scanned yet")
            }
            PolicyState::Failed(error) => Finding::of(Verdict::PolicyFailed, error.clone()),
            PolicyState::Latest(latest) => compare(latest, part, current),
        }
    }

    /// No such policy; perhaps one with nearly that name was meant.
    fn unknown(&self, name: &str, message: String) -> Finding {
        let names: Vec<String> =
            self.policies.keys().map(|id| format!("{}:{}", id.namespace, id.name)).collect();
        let words: Vec<&str> = name.splitn(3, ':').collect();
        let wanted = words.get(..2).unwrap_or(&words).join(":");
        let near = nearest(&wanted, names.iter().map(String::as_str));
        let suffix = words.get(2).map_or(String::new(), |suffix| format!(":{suffix}"));
        let fix = near.map(|near| format!("{{\"$imagepolicy\": \"{near}{suffix}\"}}"));
        Finding { fix, ..Finding::of(Verdict::UnknownPolicy, message) }
    }
}

fn compare(latest: &Reference, part: MarkerPart, current: &str) -> Finding {
    let wanted = setter::text(latest, part);
    if wanted.is_empty() {
        return Finding::of(
            Verdict::NoLatest,
            "the policy reflects no digest (digestReflectionPolicy: Never)",
        );
    }
    let (verdict, message) = if wanted == current {
        (Verdict::Ok, "the policy's latest")
    } else {
        (Verdict::Outdated, "the policy selects another value")
    };
    Finding { wanted: Some(wanted), ..Finding::of(verdict, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let latest = Reference { image: "o/web".into(), tag: "2".into(), digest: None };
        let policies = [
            (ObjectId::new("apps", "web"), PolicyState::Latest(latest)),
            (ObjectId::new("apps", "new"), PolicyState::NotScanned),
            (ObjectId::new("apps", "bad"), PolicyState::Failed("no tags in database".into())),
            (ObjectId::new("shop", "api"), PolicyState::NotScanned),
        ];
        let scopes = vec![Scope { namespace: "apps".into(), path: "./clusters/prod".into() }];
        World { policies: policies.into_iter().collect(), scopes }
    }

    fn verdicts(text: &str) -> Vec<(&'static str, Option<String>)> {
        let report = lint(&[("clusters/prod/a.yaml", text.as_bytes())], &world(), 1);
        assert_eq!(report.files, []);
        report.markers.into_iter().map(|marker| (marker.verdict.word(), marker.wanted)).collect()
    }

    fn one(line: &str, setter: &str) -> &'static str {
        let found = verdicts(&format!("{line} # {{\"$imagepolicy\": \"{setter}\"}}\n"));
        assert_eq!(found.len(), 1, "{line}");
        found[0].0
    }

    #[test]
    fn every_marker_has_its_verdict() {
        assert_eq!(one("a: o/web:2", "apps:web"), "ok");
        assert_eq!(one("a: o/web:1", "apps:web"), "outdated");
        assert_eq!(one("a: 1", "apps:web:digest"), "no-latest");
        assert_eq!(one("a: 1", "apps:web:TAG"), "bad-suffix");
        assert_eq!(one("a: 1", "apps:we"), "unknown-policy");
        assert_eq!(one("a: 1", "web"), "unknown-policy");
        assert_eq!(one("a: 1", "apps:new:tag"), "no-latest");
        assert_eq!(one("a: 1", "apps:bad:tag"), "policy-failed");
        assert_eq!(one("a: 1", "shop:api"), "other-namespace");
        assert_eq!(one("a:", "apps:web"), "no-scalar");
        assert_eq!(one("a: 1\na: 2", "apps:web"), "no-scalar");
    }

    #[test]
    fn the_namespace_counts_only_where_an_automation_writes() {
        let text = "a: 1 # {\"$imagepolicy\": \"shop:api\"}\n";
        for path in ["clusters/production/a.yaml", "a.yaml"] {
            let report = lint(&[(path, text.as_bytes())], &world(), 1);
            assert_eq!(report.markers[0].verdict, Verdict::NoLatest, "{path}");
        }
    }

    #[test]
    fn a_policy_of_nearly_that_name_is_offered() {
        let text = "a: 1 # {\"$imagepolicy\": \"apps:wbe:tag\"}\n";
        let report = lint(&[("clusters/prod/a.yaml", text.as_bytes())], &world(), 1);
        assert_eq!(report.markers[0].fix.as_deref(), Some("{\"$imagepolicy\": \"apps:web:tag\"}"));
        assert_eq!(report.markers[0].text, "{\"$imagepolicy\": \"apps:wbe:tag\"}");
    }

    #[test]
    fn a_broken_file_is_a_problem_only_if_it_has_markers() {
        let files: [(&str, &[u8]); 3] = [
            ("a.yaml", b"a: [ # {\"$imagepolicy\": \"apps:web\"}\n"),
            ("b.yaml", b"image: {{ }}\n- b\n"),
            ("c.yaml", b"spec: {containers: [{image: 'postgres:16'}]}\n"),
        ];
        let report = lint(&files, &world(), 1);
        assert_eq!(report.files.len(), 1);
        assert_eq!(report.unmarked[0].image, "postgres:16");
        assert_eq!((report.problems(false), report.problems(true)), (1, 6));
    }
}
