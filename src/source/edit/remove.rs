//! Takes an object out of a file: its document, or its item of a list.
//!
//! With a document go its marker and the comments that stand at it. Comments that a blank line keeps apart from it stay, for
//! they may be about the file or about what follows; so do those directly above the next marker, and a licence.

use std::ops::Range;

use super::outline::{Outline, Shape};
use super::{EditError, Place, document_at, is_same, lines, meaning};
use crate::source::yaml::documents;

/// The text without the object at `place`; `None` if no document would be left. The last member of a list takes the list
/// with it.
///
/// # Errors
/// The text would say something else besides.
pub fn remove(text: &str, place: &Place) -> Result<Option<String>, EditError> {
    let (index, before) = document_at(text, place).ok_or(EditError::Unwritable)?;
    let document = before.get(index).ok_or(EditError::Unwritable)?;
    let own = Outline::of(document.text).ok_or(EditError::Unwritable)?;
    let member = shortest(&own, document.text, &place.items);
    let new = match member {
        None => without_document(text, place.document.start..place.document.start + document.text.len()),
        Some(path) => {
            let cut = item(&own, document.text, path).ok_or(EditError::Unwritable)?;
            let cut = place.document.start + cut.start..place.document.start + cut.end;
            without(text, &cut)
        }
    };
    let after = documents(&new);
    let mut kept = before.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, document)| document);
    let mut left = after.iter().enumerate().filter(|(at, _)| member.is_none() || *at != index);
    let is_rest_same = kept.all(|document| left.next().is_some_and(|(_, same)| is_same(document, same)))
        && left.next().is_none();
    let is_list_right = member.is_none_or(|path| {
        let lacks = || {
            let mut said = meaning(*document)?;
            take_out(&mut said, path)?;
            Some(said)
        };
        lacks().is_some() && after.get(index).and_then(|document| meaning(*document)) == lacks()
    });
    if !is_rest_same || !is_list_right {
        return Err(EditError::Unwritable);
    }
    Ok((!after.is_empty()).then_some(new))
}

fn without(text: &str, cut: &Range<usize>) -> String {
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    format!("{}{}", part(0..cut.start), part(cut.end..text.len()))
}

/// The part of `items` that leads to the innermost member which is not the only one of its list; `None`: the document goes.
fn shortest<'p>(own: &Outline, text: &str, items: &'p [usize]) -> Option<&'p [usize]> {
    let mut path = items;
    while let Some((_, list)) = path.split_last() {
        match own.member(text, list).and_then(|list| list.get(text, "items")).map(|(_, items)| &items.shape) {
            Some(Shape::Sequence { items, .. }) if items.len() == 1 => path = list,
            _ => return Some(path),
        }
    }
    None
}

/// Takes the member out of what a list means.
fn take_out(said: &mut serde_json::Value, path: &[usize]) -> Option<()> {
    let (at, outer) = path.split_last()?;
    let mut list = said;
    for index in outer {
        list = list.get_mut(".items")?.get_mut("items")?.get_mut(*index)?;
    }
    let items = list.get_mut(".items")?.get_mut("items")?.as_array_mut()?;
    (*at < items.len()).then(|| items.remove(*at)).map(|_| ())
}

/// The text without one of its documents.
fn without_document(text: &str, document: Range<usize>) -> String {
    let own = text.get(document.clone()).unwrap_or_default();
    let all: Vec<&str> = own.split_inclusive('\n').collect();
    let is_around = |line: &&&str| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        line.is_empty() || line.starts_with(['#', '%'])
    };
    let head = all.iter().take_while(is_around).count();
    let tail = all.iter().rev().take_while(|line| line.trim().is_empty() || line.starts_with('#')).count();
    let (head, rest) = all.split_at(head.min(all.len()));
    let tail = rest.get(rest.len().saturating_sub(tail)..).unwrap_or_default();
    let head = head.iter().skip_while(|line| line.starts_with("---")).copied();
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    let (before, behind) = (part(0..document.start), part(document.end..text.len()));
    let before = if own.starts_with("---") { without_directives(before) } else { before };
    let is_glued = behind.starts_with("---") && !tail.iter().any(|line| line.trim().is_empty());
    let below = if is_glued { tail.concat() } else { apart_below(tail) };
    format!("{before}{}{below}{behind}", apart_above(&head.collect::<Vec<_>>()))
}

/// The text without the directives at its end: they are of the document that begins there.
fn without_directives(mut text: &str) -> &str {
    while let Some(rest) = text.get(..lines::start(text, text.len().saturating_sub(1)))
        && text.get(rest.len()..).is_some_and(|line| line.starts_with('%'))
    {
        text = rest;
    }
    text
}

/// The comments before an object that a blank line keeps apart from it, that line included.
fn apart_above(lines: &[&str]) -> String {
    let is_apart = |line: &&str| line.trim().is_empty() || is_licence(line);
    let end = lines.iter().rposition(is_apart).map_or(0, |at| at + 1);
    let apart = lines.get(..end).unwrap_or_default();
    if apart.iter().any(|line| lines::is_comment(line)) { apart.concat() } else { String::new() }
}

/// Whether a comment is about the rights to the file, however near an object it stands.
fn is_licence(line: &str) -> bool {
    let line = line.to_lowercase();
    ["spdx-", "copyright", "licence", "license"].iter().any(|word| line.contains(word))
}

/// The comments behind an object that a blank line keeps apart from it.
fn apart_below(lines: &[&str]) -> String {
    let blank = lines.iter().position(|line| line.trim().is_empty());
    let apart = blank.and_then(|at| lines.get(at..)).unwrap_or_default();
    apart.iter().skip_while(|line| line.trim().is_empty()).copied().collect()
}

/// The bytes of an item of a list, within its document.
fn item(own: &Outline, text: &str, path: &[usize]) -> Option<Range<usize>> {
    let (index, list) = path.split_last()?;
    let list = &own.member(text, list)?.get(text, "items")?.1;
    let Shape::Sequence { is_flow, items } = &list.shape else { return None };
    let (one, next) = (items.get(*index)?, items.get(*index + 1));
    if *is_flow {
        return Some(match (next, index.checked_sub(1).and_then(|before| items.get(before))) {
            (Some(next), _) => one.span.start..next.span.start,
            (None, Some(before)) => before.span.end..one.span.end,
            (None, None) => one.span.clone(),
        });
    }
    let (line, depth) = dash(text, one)?;
    let start = lines::above(text, line, depth);
    let own_end = lines::block_end(text, lines::end(text, line), depth + 1).max(lines::end(text, line));
    let Some(next) = next else { return Some(start..own_end) };
    let (next, depth) = dash(text, next)?;
    let between: Vec<&str> = text.get(own_end..next)?.split_inclusive('\n').collect();
    let end = if between.iter().any(|line| line.trim().is_empty()) {
        next - apart_below(&between).len()
    } else {
        lines::above(text, next, depth)
    };
    Some(start..end.max(own_end))
}

/// Where the line of an item's dash begins, and how far that is indented.
fn dash(text: &str, item: &Outline) -> Option<(usize, usize)> {
    let before = text.get(..item.span.start)?.trim_end();
    let at = before.strip_suffix('-')?.len();
    let line = lines::start(text, at);
    text.get(line..at)?.trim().is_empty().then_some((line, at - line))
}

#[cfg(test)]
mod tests {
    use super::super::super::files::SourceFile;
    use super::super::places;
    use super::*;
    use crate::domain::object::{Kind, ObjectId};

    fn object(name: &str) -> String {
        format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: {name}\nspec:\n  image: r/{name}\n  \
             interval: 1m # {name}\n"
        )
    }

    fn removed(text: &str, name: &str) -> Result<Option<String>, EditError> {
        let file = SourceFile { path: "x.yaml".into(), bytes: text.as_bytes().to_vec() };
        let found = places(&[file], "apps", Kind::ImageRepository)
            .remove(&ObjectId::new("apps", name))
            .unwrap_or_default();
        assert_eq!(found.len(), 1, "{text}");
        remove(text, &found[0])
    }

    #[test]
    fn a_document_goes_and_every_other_byte_stays() {
        let (a, b, c) = (object("a"), object("b"), object("c"));
        let text = format!("# of the file\n\n{a}---\n{b}---\n# of c\n{c}");
        assert_eq!(removed(&text, "a"), Ok(Some(format!("# of the file\n\n---\n{b}---\n# of c\n{c}"))));
        assert_eq!(removed(&text, "b"), Ok(Some(format!("# of the file\n\n{a}---\n# of c\n{c}"))));
        assert_eq!(removed(&text, "c"), Ok(Some(format!("# of the file\n\n{a}---\n{b}"))));
        assert_eq!(
            removed(&text.replace('\n', "\r\n"), "b"),
            Ok(Some(format!("# of the file\n\n{a}---\n# of c\n{c}").replace('\n', "\r\n")))
        );
        assert_eq!(removed(&format!("---\n{a}\n---\n{b}"), "a"), Ok(Some(format!("---\n{b}"))));
        assert_eq!(removed(&format!("---\n{a}---\n{}", b.trim_end()), "b"), Ok(Some(format!("---\n{a}"))));
    }

    #[test]
    fn comments_that_stand_apart_stay_and_those_at_the_object_go() {
        let (a, b) = (object("a"), object("b"));
        let text =
            format!("{a}---\n# team x\n\n# of b\n{b}# more of b\n\n# of what follows\n---\nkind: Else\n");
        let left = format!("{a}# team x\n\n# of what follows\n---\nkind: Else\n");
        assert_eq!(removed(&text, "b"), Ok(Some(left)));
    }

    #[test]
    fn what_stands_above_the_next_marker_and_a_licence_stay() {
        let (a, b) = (object("a"), object("b"));
        let text = format!("{a}# === section b ===\n---\n{b}");
        assert_eq!(removed(&text, "a"), Ok(Some(format!("# === section b ===\n---\n{b}"))));
        let text = format!("# Copyright 2026 x\n# of a\n{a}---\n{b}");
        assert_eq!(removed(&text, "a"), Ok(Some(format!("# Copyright 2026 x\n---\n{b}"))));
    }

    #[test]
    fn directives_go_with_their_document() {
        let (a, b) = (object("a"), object("b"));
        let text = format!("{a}...\n%YAML 1.2\n---\n{b}");
        assert_eq!(removed(&text, "b"), Ok(Some(format!("{a}...\n"))));
        let text = format!("%YAML 1.2\n---\n{a}---\n{b}");
        assert_eq!(removed(&text, "a"), Ok(Some(format!("---\n{b}"))));
        assert_eq!(removed(&text, "b"), Ok(Some(format!("%YAML 1.2\n---\n{a}"))));
    }

    #[test]
    fn of_a_file_without_other_documents_nothing_is_left() {
        assert_eq!(removed(&format!("# licence\n\n---\n{}---\n", object("a")), "a"), Ok(None));
    }

    #[test]
    fn a_member_of_a_list_goes_alone_and_the_last_one_with_the_list() {
        let member = |name: &str| object(name).trim_end().replace('\n', "\n  ");
        let (a, b) = (member("a"), member("b"));
        let list = |items: &str| format!("apiVersion: v1\nkind: List\nitems:\n{items}metadata: {{}}\n");
        let text = list(&format!("# of a\n- {a}\n# of b\n- {b}\n"));
        assert_eq!(removed(&text, "a"), Ok(Some(list(&format!("# of b\n- {b}\n")))));
        assert_eq!(removed(&text, "b"), Ok(Some(list(&format!("# of a\n- {a}\n")))));
        assert_eq!(removed(&list(&format!("- {a}\n")), "a"), Ok(None));
        let apart = list(&format!("- {a}\n# more of a\n\n# section b\n\n# of b\n- {b}\n"));
        assert_eq!(removed(&apart, "a"), Ok(Some(list(&format!("# section b\n\n# of b\n- {b}\n")))));
        let indented = |text: &str| format!("  {}\n", text.trim_end().replace('\n', "\n  "));
        let wide = list(&indented(&format!("- {a}\n- {b}\n")));
        assert_eq!(removed(&wide, "b"), Ok(Some(list(&indented(&format!("- {a}\n"))))));
        let json = r#"{"kind": "List", "items": [{"apiVersion": "image.toolkit.fluxcd.io/v1", "kind": "ImageRepository", "metadata": {"name": "a"}}, {"kind": "x"}]}"#;
        assert_eq!(removed(json, "a"), Ok(Some(r#"{"kind": "List", "items": [{"kind": "x"}]}"#.to_owned())));
    }

    #[test]
    fn what_others_refer_to_is_not_taken_away() {
        let text =
            format!("kind: List\nitems:\n- &a\n  {}\n- *a\n", object("a").trim_end().replace('\n', "\n  "));
        let file = SourceFile { path: "x.yaml".into(), bytes: text.as_bytes().to_vec() };
        let found = places(&[file], "apps", Kind::ImageRepository)
            .remove(&ObjectId::new("apps", "a"))
            .unwrap_or_default();
        assert_eq!(found.len(), 2);
        assert_eq!(remove(&text, &found[0]), Err(EditError::Unwritable));
    }
}
