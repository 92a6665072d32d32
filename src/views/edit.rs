//! A line with marked scalars, before and after: the diff of a site, made from what the edit knows and not by
//! comparing texts, so that its word marks are exact.

use std::ops::Range;

use super::widgets::line::Line;
use crate::domain::edit::ObjectEdit;
use crate::domain::proposal::Site;
use crate::text::Shown;
use crate::theme::Role;

/// A line before and after the edit of the sites in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// The line as it is.
    pub(super) before: String,
    /// The line as it would be.
    pub(super) after: String,
    /// The bytes of `before` that go.
    pub(super) removed: Vec<Range<usize>>,
    /// The bytes of `after` that come.
    pub(super) added: Vec<Range<usize>>,
}

impl Edit {
    /// The edit of one site in a file that reads `text`; `None` if its value does not stand in one line there.
    pub(super) fn of(text: &str, site: &Site) -> Option<Self> {
        Self::of_line(text.lines().nth(site.line.checked_sub(1)?)?, &[site])
    }

    /// The edit of `sites`, which all stand in `line` and are ordered by column.
    pub(super) fn of_line(line: &str, sites: &[&Site]) -> Option<Self> {
        let mut edit =
            Self { before: line.to_owned(), after: String::new(), removed: Vec::new(), added: Vec::new() };
        let mut from = 0;
        for site in sites {
            let start = site.column.checked_sub(1)?.max(from);
            let at = start + line.get(start..)?.find(&site.old)?;
            edit.after.push_str(line.get(from..at)?);
            let (removed, added) = differing(&site.old, &site.new);
            let base = edit.after.len();
            edit.removed.push(at + removed.start..at + removed.end);
            edit.added.push(base + added.start..base + added.end);
            edit.after.push_str(&site.new);
            from = at + site.old.len();
        }
        edit.after.push_str(line.get(from..)?);
        Some(edit)
    }

    /// `-` and the line as it is.
    pub(super) fn old_line(&self) -> Line {
        words(Line::of(Role::DiffDel, "-"), &self.before, &self.removed, Role::DiffDel, Role::DiffDelWord)
    }

    /// `+` and the line as it would be.
    pub(super) fn new_line(&self) -> Line {
        words(Line::of(Role::DiffAdd, "+"), &self.after, &self.added, Role::DiffAdd, Role::DiffAddWord)
    }
}

/// `clusters/apps.yaml:14  ImageUpdateAutomation shop/apps spec.suspend`, and the lines of the edit of an object.
pub(super) fn object_lines(edit: &ObjectEdit, width: usize) -> Vec<Line> {
    let field = edit.field.path().join(".");
    let place = Shown::from(format!("{}:{}", edit.file, edit.line)).keep_tail(width / 2);
    let head = Line::of(Role::Select, place).dim(format!("  {} {} {field}", edit.field.kind(), edit.object));
    let signed = |text: &str, sign: &'static str, role: Role| {
        let line = |line: &str| Line::of(role, sign).with(role, Shown::new(line)).cut_end(width);
        text.lines().map(line).collect::<Vec<_>>()
    };
    let mut lines = vec![head.cut_end(width)];
    if let (Some(before), Some(after)) = (only_line(&edit.old), only_line(&edit.new)) {
        let (removed, added) = differing(before, after);
        let (before, after) = (before.to_owned(), after.to_owned());
        let one = Edit { before, after, removed: vec![removed], added: vec![added] };
        let (old, new) = in_sight(&one, width);
        lines.extend([old.cut_end(width), new.cut_end(width)]);
        return lines;
    }
    lines.extend(signed(&edit.old, "-", Role::DiffDel));
    lines.extend(signed(&edit.new, "+", Role::DiffAdd));
    lines
}

/// The line of a text that has one and no more.
fn only_line(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    lines.next().filter(|_| lines.next().is_none())
}

/// The old and the new line in `room` cells. Where what changes would lie behind the edge, what is left of it goes, but
/// for the key, which stays below and above the lines around it.
pub(super) fn in_sight(edit: &Edit, room: usize) -> (Line, Line) {
    let (old, new) = (edit.old_line(), edit.new_line());
    let column = |text: &str, at: usize| 1 + text.get(..at).map_or(0, |text| Shown::new(text).width());
    let starts = [(&edit.before, edit.removed.first()), (&edit.after, edit.added.first())];
    let ends = [(&edit.before, edit.removed.last()), (&edit.after, edit.added.last())];
    let start = starts.into_iter().filter_map(|(text, word)| Some(column(text, word?.start))).min();
    let end = ends.into_iter().filter_map(|(text, word)| Some(column(text, word?.end))).max();
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(0));
    // Of a long change, such as a digest, the start tells enough.
    let end = end.min(start + 24);
    // One cell for the ellipsis at the end; one, and a little of what stands before, at the start.
    let skip = (end + 1).saturating_sub(room).min(start.saturating_sub(6));
    if skip == 0 || old.width().max(new.width()) <= room {
        return (old, new);
    }
    let key = 1 + key_width(&edit.before);
    // The sign alone, if the key leaves no room for what changes and a little before it.
    let kept = if skip + key + 8 <= start { key } else { 1 };
    let skip = skip.max(from_a_part(edit, kept + 1 + skip, start).saturating_sub(kept + 1));
    let shift = |line: &Line, role: Role| {
        line.window(0, kept).with(role, "…").append(line.window(kept + 1 + skip, line.width()))
    };
    (shift(&old, Role::DiffDel), shift(&new, Role::DiffAdd))
}

/// The column of the first part of a path between column `from` and the `end`, where what changes begins; else `from`.
fn from_a_part(edit: &Edit, from: usize, end: usize) -> usize {
    let columns = edit.before.match_indices('/').filter_map(|(at, _)| edit.before.get(..at));
    let mut columns = columns.map(|before| 1 + Shown::new(before).width());
    columns.find(|column| (from..end).contains(column)).unwrap_or(from)
}

/// The cells of a line's indent, dashes and first key.
fn key_width(line: &str) -> usize {
    let value = line.find(": ").map_or(0, |at| at + 2);
    Shown::new(line.get(..value).unwrap_or_default()).width()
}

/// `line` with `text` behind it, the byte ranges `words` of it in `word_role`.
fn words(line: Line, text: &str, words: &[Range<usize>], role: Role, word_role: Role) -> Line {
    let (mut line, mut from) = (line, 0);
    for word in words {
        let part = |range: Range<usize>| Shown::new(text.get(range).unwrap_or_default());
        line = line.with(role, part(from..word.start)).with(word_role, part(word.start..word.end));
        from = word.end;
    }
    line.with(role, text.get(from..).unwrap_or_default())
}

/// What differs between two values, common start and end trimmed by whole components: `6.5.4` and `6.6.1` differ in
/// `5.4` and `6.1`.
fn differing(old: &str, new: &str) -> (Range<usize>, Range<usize>) {
    let common = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let start = after_separator(old, common);
    let longest = (old.len() - start).min(new.len() - start);
    let common = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count().min(longest);
    let kept = old.len() - at_separator(old, old.len() - common);
    (start..old.len() - kept, start..new.len() - kept)
}

/// The end of the last separator before byte `at`.
fn after_separator(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().rposition(|byte| is_separator(*byte)).map_or(0, |place| place + 1)
}

/// The first separator at or behind byte `at`.
fn at_separator(text: &str, at: usize) -> usize {
    let behind = text.as_bytes().get(at..).unwrap_or_default();
    behind.iter().position(|byte| is_separator(*byte)).map_or(text.len(), |place| at + place)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_' | b'+' | b'/' | b':' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::proposal::{Decision, ObjectIdentity};

    fn site(column: usize, old: &str, new: &str) -> Site {
        Site {
            file: "a.yaml".to_owned(),
            line: 2,
            column,
            setter: "ns:p".to_owned(),
            field: ".image".to_owned(),
            object: ObjectIdentity::default(),
            old: old.to_owned(),
            new: new.to_owned(),
            decision: Decision::Undecided,
            blocked: None,
        }
    }

    #[test]
    fn whole_components_are_marked() {
        let marks = |old: &'static str, new: &'static str| {
            let (a, b) = differing(old, new);
            (old.get(a).unwrap(), new.get(b).unwrap())
        };
        assert_eq!(marks("6.5.4", "6.6.1"), ("5.4", "6.1"));
        assert_eq!(marks("app:6.5.4", "app:6.6.4"), ("5", "6"));
        assert_eq!(marks("app:1.10", "app:1.1"), ("10", "1"));
        assert_eq!(marks("main-4f-17", "main-9b-17"), ("4f", "9b"));
        assert_eq!(marks("a", "b"), ("a", "b"));
        assert_eq!(marks("1.1", "1.1.1"), ("1", "1.1"));
        assert_eq!(marks("版1", "版2"), ("版1", "版2"));
    }

    #[test]
    fn the_line_of_a_site_is_edited_where_the_value_stands() {
        let text = "kind: x\nimage: \"app:6.5.4\" # app:6.5.4\n";
        let edit = Edit::of(text, &site(8, "app:6.5.4", "app:6.6.1")).unwrap();
        assert_eq!(edit.after, "image: \"app:6.6.1\" # app:6.5.4");
        assert_eq!(edit.after.get(edit.added[0].clone()).unwrap(), "6.1");
        assert_eq!(edit.before.get(edit.removed[0].clone()).unwrap(), "5.4");
        assert_eq!(Edit::of(text, &site(8, "nginx", "x")), None);
    }

    #[test]
    fn what_changes_is_in_sight_however_long_the_line_is() {
        let line = format!("image: registry.example.com/{}/app:6.5.4 # marker", "x".repeat(60));
        let site = site(8, "app:6.5.4", "app:6.6.1");
        let edit = Edit::of_line(&line, &[&site]).unwrap();
        let text = |line: &Line| line.runs().iter().map(|(text, _)| text.to_string()).collect::<String>();
        let (old, new) = in_sight(&edit, 30);
        assert!(text(&old).starts_with("-image: …/app:6.5.4 #"), "the key and whole parts: {}", text(&old));
        assert!(text(&new).starts_with("+image: …/app:6.6.1 #"), "{}", text(&new));
        let narrow = in_sight(&edit, 14).1;
        assert!(text(&narrow.cut_end(14)).starts_with("+…"), "but not for what changes: {}", text(&narrow));
        assert!(text(&narrow.cut_end(14)).contains("6.1"), "{}", text(&narrow));
        assert_eq!(in_sight(&edit, 200), (edit.old_line(), edit.new_line()));
        // A change that is wider than the room begins in sight.
        assert!(text(&in_sight(&edit, 8).0).contains("5.4"));
    }

    #[test]
    fn two_sites_in_one_line_are_both_edited() {
        let line = "{name: app, tag: 1.0, digest: d1}";
        let (tag, digest) = (site(18, "1.0", "1.10"), site(31, "d1", "d22"));
        let edit = Edit::of_line(line, &[&tag, &digest]).unwrap();
        assert_eq!(edit.after, "{name: app, tag: 1.10, digest: d22}");
        assert_eq!(
            edit.added.iter().map(|word| edit.after.get(word.clone()).unwrap()).collect::<Vec<_>>(),
            ["10", "d22"]
        );
    }
}
