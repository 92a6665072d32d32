//! What is said of each marker of a file.

use std::borrow::Cow;

use super::world::{PolicyState, World, Writer};
use super::{Fix, LintedMarker, Obsolete, Verdict};
use crate::domain::manifest::{Manifest, MarkedScalar, Stray, StrayReason};
use crate::domain::marker::{self, Malformed, NameError};
use crate::domain::object::ObjectId;
use crate::domain::proposal::{MarkerPart, Reference};
use crate::domain::setter;
use crate::text::nearest;

/// Where markers stand, and who judges them.
pub(super) struct Place<'a> {
    pub(super) world: &'a World,
    /// The file, from the repository's root.
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// Which automations write the file.
    pub(super) covers: &'a dyn Fn(&Writer) -> bool,
}

/// The markers of one file, by place. Without the token (`has_token`) Flux does not look at the file, whatever it holds.
pub(super) fn markers(
    (file, manifest): (&str, &Manifest<'_>),
    world: &World,
    covers: &dyn Fn(&Writer) -> bool,
    has_token: bool,
) -> Vec<LintedMarker> {
    let place = Place { world, file, text: manifest.text(), covers };
    let scalars = manifest.scalars().map(|scalar| place.of_scalar(scalar));
    let mut markers: Vec<_> = scalars.chain(manifest.strays().map(|stray| place.of_stray(stray))).collect();
    if !has_token {
        markers.iter_mut().for_each(unseen);
    }
    markers.sort_by_key(|marker| (marker.line, marker.column));
    markers
}

/// A marker whose key is spelt with escapes only, in a file that Flux passes over for that.
fn unseen(marker: &mut LintedMarker) {
    if !marker.verdict.is_dead() {
        marker.verdict = Verdict::NotAMarker;
        "the file has the key nowhere in plain text, so Flux passes it over".clone_into(&mut marker.message);
        marker.fix = Some(Fix::Comment(marker::text_of(&marker.setter)));
        marker.wanted = None;
    }
}

/// The policy that a marker names, whatever else is wrong with it.
pub(super) fn named(marker: &LintedMarker) -> Option<ObjectId> {
    let mut words = marker.setter.split(':');
    match (words.next(), words.next()) {
        (Some(namespace), Some(name)) if !namespace.is_empty() && !name.is_empty() => {
            Some(ObjectId::new(namespace, name))
        }
        _ => None,
    }
}

/// What is said of a marker that governs a value.
struct Finding {
    verdict: Verdict,
    wanted: Option<String>,
    message: String,
    fix: Option<Fix>,
}

impl Finding {
    fn of(verdict: Verdict, message: impl Into<String>, fix: Option<Fix>) -> Self {
        Self { verdict, wanted: None, message: message.into(), fix }
    }
}

impl Place<'_> {
    pub(super) fn of_scalar(&self, scalar: &MarkedScalar) -> LintedMarker {
        // Of a file in which nobody writes the text is not kept; its markers are whole.
        let whole = || format!("# {}", marker::text_of(&scalar.setter));
        let comment = self.text.get(scalar.comment.clone()).map_or_else(|| whole().into(), Cow::Borrowed);
        let comment = comment.as_ref();
        if let Some(found) = marker::malformed(comment) {
            let (line, column) = place_of(self.text, scalar.comment.start);
            return self.malformed(comment, (line, column), found);
        }
        let finding = self.judge(&scalar.setter, &scalar.value);
        LintedMarker {
            file: self.file.to_owned(),
            line: scalar.line,
            column: scalar.column,
            text: bare(comment),
            setter: scalar.setter.clone(),
            verdict: finding.verdict,
            current: Some(scalar.value.clone()),
            wanted: finding.wanted,
            message: finding.message,
            fix: finding.fix,
        }
    }

    pub(super) fn of_stray(&self, stray: &Stray) -> LintedMarker {
        let comment = self.text.get(stray.comment.clone()).unwrap_or_default();
        let (verdict, message, fix) = match stray.reason {
            StrayReason::Malformed => {
                let unclear = || Malformed { setter: String::new(), message: String::new(), fix: None };
                let found = marker::malformed(comment).unwrap_or_else(unclear);
                return self.malformed(comment, (stray.line, stray.column), found);
            }
            StrayReason::Alias => (
                Verdict::NoScalar,
                "it stands at an alias, which is set where its anchor is",
                "Put it behind the value that has the anchor, on its line, or write that value here in the place of the alias.",
            ),
            StrayReason::Collection => (
                Verdict::NoScalar,
                "it stands at a list or mapping, and only a single value can be set",
                "Put it behind the value that is meant, on its line; an entry of a list or mapping in one line needs a line \
                 of its own.",
            ),
            StrayReason::NoValue => (
                Verdict::NoScalar,
                "there is no value that could be set",
                "Write a value before it: Flux replaces one that is there and adds none.",
            ),
            StrayReason::NoScalar => (
                Verdict::NoScalar,
                "the comment belongs to no value that can be set",
                "Put it behind a single value, on its line.",
            ),
            StrayReason::RepeatedKey => (
                Verdict::NoScalar,
                "the key stands in this mapping before, and only its first value counts",
                "Take one of the two keys out.",
            ),
            StrayReason::InBlockScalar => (
                Verdict::BlockScalar,
                "it stands in the text of a block scalar, which is data to Flux; only values outside of it are set",
                "Give the value a key of its own, outside of the block scalar, and put the marker behind it.",
            ),
        };
        LintedMarker {
            setter: stray.setter.clone(),
            verdict,
            message: message.to_owned(),
            fix: Some(Fix::other(fix)),
            ..self.nothing(comment, (stray.line, stray.column))
        }
    }

    fn malformed(&self, comment: &str, place: (usize, usize), found: Malformed) -> LintedMarker {
        LintedMarker {
            setter: found.setter,
            message: found.message,
            fix: found.fix.map(Fix::Comment).or_else(|| Some(Fix::other(AS_IT_SHOULD_BE))),
            ..self.nothing(comment, place)
        }
    }

    /// What is said of a comment that governs no value.
    fn nothing(&self, comment: &str, (line, column): (usize, usize)) -> LintedMarker {
        LintedMarker {
            file: self.file.to_owned(),
            line,
            column,
            text: bare(comment),
            setter: String::new(),
            verdict: Verdict::NotAMarker,
            current: None,
            wanted: None,
            message: String::new(),
            fix: None,
        }
    }

    /// What can be told from the files alone comes first, then what became of the policy.
    fn judge(&self, name: &str, current: &str) -> Finding {
        let (id, part) = match marker::parse_setter(name) {
            Ok(parsed) => parsed,
            Err(error @ NameError::BadSuffix(_)) => {
                let fix = with_suffix(name).map(Fix::Comment).or_else(|| Some(Fix::other(SUFFIXES)));
                return Finding::of(Verdict::BadSuffix, error.to_string(), fix);
            }
            Err(error @ NameError::NoNamespace) => return self.unknown(name, error.to_string()),
        };
        let Some(state) = self.world.policies.get(&id) else {
            return self.unknown_policy(name, &id);
        };
        let obstacle = self.world.reach(&id, self.covers).err();
        if let Some(obstacle) = obstacle
            && let Some(verdict) = obstacle.verdict
        {
            // Of the chain the automation is told before its source; this verdict is about the source alone.
            let source = || self.world.missing_source(&id, self.covers);
            let fault =
                Some(verdict).filter(|verdict| *verdict == Verdict::UnknownSource).and_then(|_| source());
            let fault = fault.unwrap_or(obstacle.fault);
            return Finding::of(verdict, fault.message, fault.fix.map(Fix::Other));
        }
        // What breaks the chain before its markers is what the policy fails of, and comes with its fix.
        let fix = || self.world.broken.get(&id).and_then(|broken| broken.fix.clone()).map(Fix::Other);
        let scan = || fix().or_else(|| Some(Fix::other("Run `supercargo scan repository --all`.")));
        match state {
            PolicyState::NotScanned(None) => {
                Finding::of(Verdict::NoLatest, "the repository has not been scanned yet", scan())
            }
            PolicyState::NotScanned(Some(why)) => {
                Finding::of(Verdict::NoLatest, format!("the repository could not be scanned: {why}"), scan())
            }
            PolicyState::Failed(problem) => {
                Finding::of(Verdict::PolicyFailed, problem.message.clone(), fix())
            }
            PolicyState::Latest(latest) => compare(latest, part, current),
        }
    }

    /// No such policy, or one that Flux no longer reads.
    fn unknown_policy(&self, name: &str, id: &ObjectId) -> Finding {
        match self.world.obsolete.get(&id.name) {
            Some(obsolete) => {
                let Obsolete { file, line, message, fix, .. } = obsolete;
                let message = format!("policy {id} is in {file}:{line}, and {message}");
                let fix = Some(Fix::other(format!("Write `{}` there.", fix.trim())));
                Finding::of(Verdict::UnknownPolicy, message, fix)
            }
            None => self.unknown(name, format!("there is no policy {id}")),
        }
    }

    /// No such policy; perhaps one with nearly that name was meant.
    fn unknown(&self, name: &str, message: String) -> Finding {
        let fix = self.world.meant(name).map(|meant| Fix::Comment(marker::text_of(&meant)));
        let fix =
            fix.or_else(|| Some(Fix::other("Add an ImagePolicy of that name, or take the marker out.")));
        Finding::of(Verdict::UnknownPolicy, message, fix)
    }
}

/// What to do about a comment that means to be a marker and names nothing that could be guessed.
const AS_IT_SHOULD_BE: &str = "Write `# {\"$imagepolicy\": \"NAMESPACE:POLICY\"}`, with `:tag`, `:name` or `:digest` behind the name \
    where a part is meant.";
const SUFFIXES: &str = "Write `:tag`, `:name`, `:digest` or nothing behind the policy's name.";

/// The marker with the suffix that was meant; none at all if that cannot be guessed.
fn with_suffix(name: &str) -> Option<String> {
    let (policy, suffix) = name.match_indices(':').nth(1).and_then(|(at, _)| name.split_at_checked(at))?;
    let suffix = suffix.trim_matches(':').to_lowercase();
    match nearest(&suffix, ["tag", "name", "digest"]) {
        Some(near) => Some(marker::text_of(&format!("{policy}:{near}"))),
        None => suffix.is_empty().then(|| marker::text_of(policy)),
    }
}

fn compare(latest: &Reference, part: MarkerPart, current: &str) -> Finding {
    let wanted = setter::text(latest, part);
    if wanted.is_empty() {
        return Finding::of(
            Verdict::NoLatest,
            "the policy reflects no digest (digestReflectionPolicy: Never)",
            Some(Fix::other("Set `spec.digestReflectionPolicy: IfNotPresent` or `Always` of the policy.")),
        );
    }
    let (verdict, message) = if wanted == current {
        (Verdict::Ok, "the policy's latest")
    } else {
        (Verdict::Outdated, "the policy selects another value")
    };
    Finding { wanted: Some(wanted), ..Finding::of(verdict, message, None) }
}

fn bare(comment: &str) -> String {
    comment.trim_start_matches('#').trim().to_owned()
}

/// Line and column of the byte at `offset`, both from 1, the column in bytes.
fn place_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    (memchr::memchr_iter(b'\n', before).count() + 1, offset - start + 1)
}
