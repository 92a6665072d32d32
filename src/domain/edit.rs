//! Edits of objects: what a plan may change in a file beside marked scalars, because a person asked for it.
//!
//! An edit is a run of whole lines and what comes in its place, so what a plan shows is what it does. It is bound to one
//! field of one object: [`Check`] compares what the file says before and after, and whatever else would change refuses it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::object::{Kind, ObjectId};

/// A field that an edit may change. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EditField {
    /// Whether an automation is suspended.
    #[serde(rename = "ImageUpdateAutomation.spec.suspend")]
    Suspend,
    /// The tags of a repository that no policy sees.
    #[serde(rename = "ImageRepository.spec.exclusionList")]
    Exclusions,
    /// The range of versions that a policy selects from.
    #[serde(rename = "ImagePolicy.spec.policy.semver.range")]
    Range,
}

impl EditField {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Suspend, Self::Exclusions, Self::Range];

    /// The kind of the object that has it.
    pub fn kind(self) -> Kind {
        match self {
            Self::Suspend => Kind::ImageUpdateAutomation,
            Self::Exclusions => Kind::ImageRepository,
            Self::Range => Kind::ImagePolicy,
        }
    }

    /// The keys that lead to it from the object.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Suspend => &["spec", "suspend"],
            Self::Exclusions => &["spec", "exclusionList"],
            Self::Range => &["spec", "policy", "semver", "range"],
        }
    }
}

/// Lines of a file in the place of others, which change one field of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectEdit {
    /// What changes.
    pub field: EditField,
    /// Of which object.
    pub object: ObjectId,
    /// The file, from the repository's root.
    pub file: String,
    /// The first of the lines that go, or the line before which new ones come; from 1.
    pub line: usize,
    /// The lines that go, each with its end; empty where lines are only added.
    pub old: String,
    /// The lines that come.
    pub new: String,
}

/// Whether a file's second text says what its first one says, but for the field that an edit is about.
pub type Check = fn(&str, &str, &ObjectEdit) -> bool;

/// So many lines around the old place an edit is looked for in a file that has changed.
const REACH: usize = 2_000;

impl ObjectEdit {
    /// The edit that makes `after` of `before`: the one run of lines in which they differ; `None` if they are the same.
    pub fn between(
        (field, object): (EditField, &ObjectId),
        file: &str,
        before: &str,
        after: &str,
    ) -> Option<Self> {
        let (old, new): (Vec<&str>, Vec<&str>) =
            (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
        let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let most = old.len().min(new.len()) - same;
        let behind = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
        let run = |lines: &[&str]| lines.get(same..lines.len() - behind).map(<[&str]>::concat);
        let (old, new) = (run(&old)?, run(&new)?);
        let (object, file) = (object.clone(), file.to_owned());
        (old != new).then_some(Self { field, object, file, line: same + 1, old, new })
    }

    /// The edit that takes this one back, where it was made and nothing moved.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { old: self.new.clone(), new: self.old.clone(), ..self.clone() }
    }

    /// The bytes of `text` that go; `None` if the lines do not stand there.
    pub fn place(&self, text: &str) -> Option<Range<usize>> {
        let lines = text.split_inclusive('\n').map(str::len);
        self.place_at(text, lines.take(self.line.checked_sub(1)?).sum())
    }

    fn place_at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let is_whole = self.old.is_empty() || self.old.ends_with('\n');
        let rest = text.get(start..)?.strip_prefix(self.old.as_str())?;
        (is_whole || rest.is_empty()).then_some(start..start + self.old.len())
    }

    /// The text with the edit made; `None` where its lines do not stand.
    pub fn applied(&self, text: &str) -> Option<String> {
        let place = self.place(text)?;
        Some([text.get(..place.start)?, &self.new, text.get(place.end..)?].concat())
    }

    /// The edit where it stands in `text` now: at its line, else at the nearest at which it changes what it is to change.
    pub fn stand(&self, text: &str, check: Check) -> Option<Self> {
        let here = |line: usize| {
            let moved = Self { line, ..self.clone() };
            let after = moved.applied(text)?;
            check(text, &after, self).then_some(moved)
        };
        let last = text.split_inclusive('\n').count() + 1;
        let nearest = (1..=REACH).flat_map(|away| [self.line.checked_sub(away), Some(self.line + away)]);
        let lines = std::iter::once(Some(self.line)).chain(nearest).flatten();
        lines.filter(|line| (1..=last).contains(line)).find_map(here)
    }

    /// What it is about, and what comes: `ImageUpdateAutomation shop/apps: suspend: true`.
    pub fn words(&self) -> String {
        let trimmed = |text: &str| {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let what =
            if self.new.is_empty() { format!("without {}", trimmed(&self.old)) } else { trimmed(&self.new) };
        format!("{} {}: {what}", self.field.kind(), self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(before: &str, after: &str) -> ObjectEdit {
        let of = (EditField::Suspend, &ObjectId::new("shop", "apps"));
        ObjectEdit::between(of, "auto.yaml", before, after).unwrap()
    }

    /// Stands in for what reads objects: the line must come below `spec:`.
    fn below_spec(_before: &str, after: &str, _edit: &ObjectEdit) -> bool {
        after.contains("spec:\n  suspend: true\n")
    }

    const BEFORE: &str = "kind: x\nspec:\n  interval: 1m\n";

    #[test]
    fn whole_lines_come_and_go_and_nothing_else() {
        let after = "kind: x\nspec:\n  suspend: true\n  interval: 1m\n";
        let added = edit(BEFORE, after);
        assert_eq!((added.line, added.old.as_str(), added.new.as_str()), (3, "", "  suspend: true\n"));
        assert_eq!(added.applied(BEFORE).as_deref(), Some(after));
        assert_eq!(added.reversed().applied(after).as_deref(), Some(BEFORE), "to the byte");
        assert_eq!(added.words(), "ImageUpdateAutomation shop/apps: suspend: true");
        assert_eq!(added.reversed().words(), "ImageUpdateAutomation shop/apps: without suspend: true");
        let replaced = edit("a: 1\nb: 2\nc: 3", "a: 1\nb: 2\nc: 4");
        assert_eq!((replaced.line, replaced.old.as_str(), replaced.new.as_str()), (3, "c: 3", "c: 4"));
        assert_eq!(replaced.applied("a: 1\nb: 2\nc: 33"), None, "no part of a line");
        assert_eq!(replaced.applied("x\na: 1\nb: 2\nc: 3"), None, "at its line alone");
        let of = (EditField::Suspend, &ObjectId::new("shop", "apps"));
        assert_eq!(ObjectEdit::between(of, "auto.yaml", BEFORE, BEFORE), None);
    }

    #[test]
    fn lines_that_moved_are_found_where_they_do_the_same() {
        let added = edit(BEFORE, "kind: x\nspec:\n  suspend: true\n  interval: 1m\n");
        let moved = format!("# new\n# lines\n{BEFORE}");
        assert_eq!(added.stand(&moved, below_spec).map(|edit| edit.line), Some(5));
        assert_eq!(added.stand(BEFORE, below_spec), Some(added.clone()));
        assert_eq!(added.stand("kind: y\n", below_spec), None);
        assert_eq!(added.reversed().stand(BEFORE, |_, _, _| true), None, "the lines are not there");
    }
}
