//! The edits that a plan may hold beside marked scalars: made here, and held to here to change their one field.

use super::entry::{self, Insert, behind_colon, own_lines, ways};
use super::outline::{Outline, Shape};
use super::{EditError, Place, document_at, lines, meaning, member};
use crate::domain::edit::{EditField, ObjectEdit};
use crate::domain::object::{DEFAULT_EXCLUSION, Kind, ObjectId};
use crate::source::flux::kind_of;
use crate::source::yaml::{Document, documents};

/// What a field is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChange {
    /// The automation is suspended.
    Suspend,
    /// The repository excludes these patterns, too.
    Exclude(Vec<String>),
    /// The policy selects from this range.
    Range(String),
}

impl FieldChange {
    /// The field.
    pub fn field(&self) -> EditField {
        match self {
            Self::Suspend => EditField::Suspend,
            Self::Exclude(_) => EditField::Exclusions,
            Self::Range(_) => EditField::Range,
        }
    }
}

/// The edit of the object `id`, which stands at `place` in `text`; `None` if it says so already.
///
/// # Errors
/// It cannot be made without changing something else.
pub fn change(
    text: &str,
    place: &Place,
    id: &ObjectId,
    change: &FieldChange,
) -> Result<Option<ObjectEdit>, EditError> {
    let of = (change.field(), id);
    let edit = |after: &str| ObjectEdit::between(of, &place.file, text, after);
    let after = match change {
        FieldChange::Suspend => return Ok(super::suspend(text, place, true)?.as_deref().and_then(edit)),
        FieldChange::Exclude(patterns) => excluded(text, place, patterns)?,
        FieldChange::Range(range) => ranged(text, place, range)?,
    };
    let is_meant = |after: &String| edit(after).is_some_and(|edit| check(text, after, &edit));
    if after.iter().any(|after| after == text) {
        return Ok(None);
    }
    after.into_iter().find(is_meant).map(|after| edit(&after)).ok_or(EditError::Unwritable)
}

/// Whether `after` says what `before` says, but for the field of the object that `edit` is about, and another there.
///
/// The object is the only one in the file with its kind and name whose namespace is given as its own, or not given.
pub fn check(before: &str, after: &str, edit: &ObjectEdit) -> bool {
    let (old, new) = (documents(before), documents(after));
    let mut changed = old.iter().zip(&new).filter(|(old, new)| old.text != new.text);
    let (Some((one, other)), None) = (changed.next(), changed.next()) else { return false };
    let all: Vec<_> = old.iter().filter_map(|document| meaning(*document)).collect();
    let here = |said: &serde_json::Value| paths_of(said, edit);
    if old.len() != new.len() || all.iter().map(|said| here(said).len()).sum::<usize>() != 1 {
        return false;
    }
    let (Some(mut one), Some(mut other)) = (meaning(*one), meaning(*other)) else { return false };
    let Some(path) = here(&one).pop() else { return false };
    let taken = (take(&mut one, &path, edit.field), take(&mut other, &path, edit.field));
    taken.0 != taken.1 && one == other
}

/// The edits by which a file's objects came to say something else in `after`, where each is the only change of its document.
/// An object without a namespace is of the default one.
pub fn changes(file: &str, before: &str, after: &str, default_namespace: &str) -> Vec<ObjectEdit> {
    let (old, new) = (documents(before), documents(after));
    if old.len() != new.len() {
        return Vec::new();
    }
    let of_document = |(old, new): (&Document<'_>, &Document<'_>)| {
        let said = meaning(*old).filter(|_| old.text != new.text)?;
        objects(&said).into_iter().find_map(|(kind, [namespace, name], _)| {
            let field = EditField::ALL.into_iter().find(|field| field.kind() == kind)?;
            let namespace = if namespace.is_empty() { default_namespace } else { namespace };
            let edit =
                ObjectEdit::between((field, &ObjectId::new(namespace, name)), file, old.text, new.text)?;
            let edit = ObjectEdit { line: edit.line + old.line - 1, ..edit };
            let after = edit.applied(before)?;
            check(before, &after, &edit).then_some(edit)
        })
    };
    old.iter().zip(&new).filter_map(of_document).collect()
}

/// Where in what a document says the objects are that `edit` may mean.
fn paths_of(said: &serde_json::Value, edit: &ObjectEdit) -> Vec<Vec<usize>> {
    let is_it = |(kind, [namespace, name], _): &Found<'_>| {
        *kind == edit.field.kind()
            && *name == edit.object.name
            && (namespace.is_empty() || *namespace == edit.object.namespace)
    };
    objects(said).into_iter().filter(is_it).map(|(_, _, path)| path).collect()
}

/// An object of Flux: its kind, namespace and name as they are written, and which member of which list it is.
type Found<'v> = (Kind, [&'v str; 2], Vec<usize>);

/// The objects of Flux in what a document says.
fn objects(said: &serde_json::Value) -> Vec<Found<'_>> {
    let text = |path: &str| said.pointer(path).and_then(|value| value.get(0)?.as_str()).unwrap_or_default();
    let (api_version, kind) = (text("/.apiVersion"), text("/.kind"));
    if let Some(items) = said.pointer("/.items/items").and_then(serde_json::Value::as_array)
        && kind.ends_with("List")
    {
        let below = |(index, item)| {
            objects(item).into_iter().map(move |(kind, id, path)| (kind, id, [vec![index], path].concat()))
        };
        return items.iter().enumerate().flat_map(below).collect();
    }
    let id = [text("/.metadata/.namespace"), text("/.metadata/.name")];
    kind_of(api_version, kind).map(|(kind, _)| (kind, id, Vec::new())).into_iter().collect()
}

/// Takes a field out of what an object says.
fn take(said: &mut serde_json::Value, items: &[usize], field: EditField) -> Option<serde_json::Value> {
    let (last, above) = field.path().split_last()?;
    let object = member(said, items)?;
    let parent = above.iter().try_fold(object, |value, key| value.get_mut(format!(".{key}")))?;
    parent.as_object_mut()?.remove(&format!(".{last}"))
}

/// The text with the inserts made, each for itself, at the mapping that holds a field.
fn at_parent(
    text: &str,
    place: &Place,
    field: EditField,
    inserts: impl Fn(&str, &Outline) -> Vec<Insert>,
) -> Result<Vec<String>, EditError> {
    let (index, all) = document_at(text, place).ok_or(EditError::Unwritable)?;
    let document = all.get(index).ok_or(EditError::Unwritable)?;
    let own = Outline::of(document.text).ok_or(EditError::Unwritable)?;
    let object = own.member(document.text, &place.items).ok_or(EditError::Unwritable)?;
    let above = field.path().split_last().map_or(&[][..], |(_, above)| above);
    let parent = above.iter().try_fold(object, |node, key| Some(&node.get(document.text, key)?.1));
    let inserts = inserts(document.text, parent.ok_or(EditError::Unwritable)?);
    Ok(inserts.into_iter().map(|insert| insert.into_text(text, place.document.start)).collect())
}

fn ranged(text: &str, place: &Place, range: &str) -> Result<Vec<String>, EditError> {
    at_parent(text, place, EditField::Range, |text, semver| {
        let old = semver.get(text, "range").map_or("", |(_, old)| old.source(text));
        ways(text, semver, "range", &in_the_style_of(old, range))
    })
}

/// A text in the quotes of another; without quotes where it needs none.
pub(super) fn in_the_style_of(old: &str, new: &str) -> String {
    let is_plain = new.starts_with(|c: char| c.is_ascii_alphanumeric())
        && new.chars().all(|c| c.is_ascii_alphanumeric() || " .<>=~^*|-+".contains(c));
    if old.starts_with('"') {
        serde_json::Value::from(new).to_string()
    } else if is_plain && !old.starts_with('\'') {
        new.to_owned()
    } else {
        format!("'{}'", new.replace('\'', "''"))
    }
}

fn excluded(text: &str, place: &Place, patterns: &[String]) -> Result<Vec<String>, EditError> {
    at_parent(text, place, EditField::Exclusions, |text, spec| {
        // A list of its own takes the place of the default.
        let all = || std::iter::once(DEFAULT_EXCLUSION.to_owned()).chain(patterns.iter().cloned());
        let quoted = |pattern: &String| serde_json::Value::from(pattern.as_str()).to_string();
        match spec.get(text, "exclusionList") {
            None => {
                let is_json = matches!(&spec.shape, Shape::Mapping { entries, is_flow: true }
                    if entries.iter().any(|(key, _)| key.source(text).starts_with('"')));
                let all: Vec<String> =
                    all().map(|pattern| if is_json { quoted(&pattern) } else { pattern }).collect();
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                entry::added(text, spec, "exclusionList", &all)
            }
            Some((key, value)) => match &value.shape {
                Shape::Leaf if value.source(text).is_empty() => {
                    vec![behind_colon(text, key, &format!("[{}]", all().collect::<Vec<_>>().join(", ")))]
                }
                Shape::Sequence { items, .. } if items.is_empty() => {
                    let all = all().map(|pattern| quoted(&pattern)).collect::<Vec<_>>().join(", ");
                    vec![Insert { at: value.span.clone(), text: format!("[{all}]") }]
                }
                Shape::Sequence { is_flow, items } => {
                    let last = items.last().map_or("", |item| item.source(text));
                    let new = |pattern: &String| match last.chars().next() {
                        Some('"') => quoted(pattern),
                        Some('\'') => format!("'{pattern}'"),
                        _ => pattern.clone(),
                    };
                    let new: Vec<String> = patterns.iter().map(new).collect();
                    items.last().map(|last| behind(text, last, *is_flow, &new)).into_iter().collect()
                }
                _ => Vec::new(),
            },
        }
    })
}

/// Items behind the last one of a list.
fn behind(text: &str, last: &Outline, is_flow: bool, new: &[String]) -> Insert {
    if is_flow {
        return Insert::new(last.span.end, format!(", {}", new.join(", ")));
    }
    let line = lines::start(text, last.span.start);
    let dash = text.get(line..last.span.start).unwrap_or_default();
    let own: Vec<String> = new.iter().map(|pattern| format!("{dash}{pattern}")).collect();
    let at = lines::end(text, last.span.end.saturating_sub(1));
    Insert::new(at, own_lines(text, at, &own))
}

#[cfg(test)]
mod tests {
    use super::super::super::files::SourceFile;
    use super::super::places;
    use super::*;

    fn head(kind: &str) -> String {
        format!("apiVersion: image.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: a}}\n")
    }

    /// The edit of the object `apps/a` in a file with other documents around it, and what becomes of its spec.
    fn made(spec: &str, what: &FieldChange) -> Result<Option<String>, EditError> {
        let (kind, id) = (what.field().kind(), ObjectId::new("apps", "a"));
        let (before, behind) = (format!("b:   1\n---\n{}", head(&kind.to_string())), "---\n# of c\nc: 'x'\n");
        let text = format!("{before}{spec}{behind}");
        let file = SourceFile { path: "x.yaml".into(), bytes: text.as_bytes().to_vec() };
        let found = places(&[file], "apps", kind).remove(&id).unwrap_or_default();
        assert_eq!(found.len(), 1, "{text}");
        let Some(edit) = change(&text, &found[0], &id, what)? else { return Ok(None) };
        let after = edit.applied(&text).unwrap();
        assert!(check(&text, &after, &edit));
        assert_eq!(edit.reversed().applied(&after).as_deref(), Some(text.as_str()), "to the byte");
        assert!(check(&after, &text, &edit.reversed()));
        assert_eq!(changes("x.yaml", &text, &after, "apps"), std::slice::from_ref(&edit));
        Ok(Some(after.strip_prefix(&before).unwrap().strip_suffix(behind).unwrap().to_owned()))
    }

    #[test]
    fn a_range_is_narrowed_in_its_own_quotes() {
        let to = |spec: &str, range: &str| made(spec, &FieldChange::Range(range.to_owned()));
        for (old, range, new) in [
            ("1.x", "1.x <=1.4.1", "1.x <=1.4.1"),
            ("'>=1.0.0'", ">=1.0.0 <=1.4.1", "'>=1.0.0 <=1.4.1'"),
            ("\"1.x\"", "1.x <=1.4.1", "\"1.x <=1.4.1\""),
            ("1.x", "1.x, <=1.4.1", "'1.x, <=1.4.1'"),
        ] {
            let spec = |range: &str| format!("spec:\n  policy:\n    semver:\n      range: {range} # why\n");
            assert_eq!(to(&spec(old), range), Ok(Some(spec(new))));
        }
        let flow = "spec: {policy: {semver: {range: 1.x}}}\n";
        assert_eq!(to(flow, "1.x, <2"), Ok(Some(flow.replace("1.x", "'1.x, <2'"))));
        assert_eq!(to(flow, "1.x"), Ok(None));
        assert_eq!(to("spec: {policy: {alphabetical: {}}}\n", "1.x"), Err(EditError::Unwritable));
    }

    #[test]
    fn tags_are_excluded_beside_what_is_excluded_already() {
        let exclude = |spec: &str| made(spec, &FieldChange::Exclude(vec!["^1\\.2$".to_owned()]));
        for (old, new) in [
            ("spec:\n  image: x\n", "spec:\n  exclusionList:\n  - ^.*\\.sig$\n  - ^1\\.2$\n  image: x\n"),
            (
                "spec:\n  exclusionList:\n    - \"^a\" # a\n  image: x\n",
                "spec:\n  exclusionList:\n    - \"^a\" # a\n    - \"^1\\\\.2$\"\n  image: x\n",
            ),
            ("spec: {exclusionList: ['^a']}\n", "spec: {exclusionList: ['^a', '^1\\.2$']}\n"),
            ("spec: {exclusionList: []}\n", "spec: {exclusionList: [\"^.*\\\\.sig$\", \"^1\\\\.2$\"]}\n"),
            ("spec: {image: x}\n", "spec: {image: x, exclusionList: [^.*\\.sig$, ^1\\.2$]}\n"),
            ("spec:\n  exclusionList:\n", "spec:\n  exclusionList: [^.*\\.sig$, ^1\\.2$]\n"),
        ] {
            assert_eq!(exclude(old), Ok(Some(new.to_owned())));
        }
    }

    #[test]
    fn an_automation_is_suspended() {
        let new = made("spec:\n  interval: 1m\n", &FieldChange::Suspend);
        assert_eq!(new, Ok(Some("spec:\n  interval: 1m\n  suspend: true\n".to_owned())));
        assert_eq!(made("spec: {suspend: true}\n", &FieldChange::Suspend), Ok(None));
    }

    #[test]
    fn whatever_else_would_say_something_new_is_refused() {
        let before = format!("{}spec:\n  interval: 1m\n---\nc: 1\n", head("ImageUpdateAutomation"));
        let id = ObjectId::new("apps", "a");
        let says = |after: &str| {
            let edit = ObjectEdit::between((EditField::Suspend, &id), "x.yaml", &before, after).unwrap();
            check(&before, after, &edit)
        };
        assert!(says(&before.replace("  interval", "  suspend: true\n  interval")));
        for (old, new) in [
            ("interval: 1m", "interval: 2m"),
            ("  interval: 1m", "  suspend: true"),
            ("c: 1", "c: 2"),
            ("spec:", "# only words\nspec:"),
            ("name: a", "name: b"),
            ("---\nc: 1\n", ""),
        ] {
            assert!(!says(&before.replacen(old, new, 1)), "{old:?} to {new:?}");
        }
        let twice = format!("{before}---\n{before}");
        let after = twice.replacen("  interval", "  suspend: true\n  interval", 1);
        let edit = ObjectEdit::between((EditField::Suspend, &id), "x.yaml", &twice, &after).unwrap();
        assert!(!check(&twice, &after, &edit), "which of the two is meant is unclear");
        let other = ObjectEdit { object: ObjectId::new("apps", "other"), ..edit };
        assert!(!check(&before, &before.replace("  interval", "  suspend: true\n  interval"), &other));
    }
}
