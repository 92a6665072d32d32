//! The diff pane: hunks of the update's files, made from the sites themselves. Only what is in sight is made.

use std::collections::BTreeMap;

use crate::app::state::{Node, State};
use crate::domain::proposal::{Decision, Proposal, Site, is_linked};
use crate::text::Shown;
use crate::theme::Role;
use crate::views::edit::{Edit, in_sight, object_lines};
use crate::views::updates;
use crate::views::widgets::line::Line;
use crate::views::words;

/// What the pane shows.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// Everything.
    pub(super) state: &'a State,
    /// The update under the cursor.
    pub(super) update: &'a Proposal,
    /// The row of the tree under the cursor.
    pub(super) node: &'a Node,
    /// The pane's columns.
    pub(super) width: u16,
    /// Whether old and new stand beside each other.
    pub(super) side_by_side: bool,
    /// Whether the first file has no title of its own above the pane.
    pub(super) titled: bool,
}

/// The files of an update, each once, in the order of its sites.
pub(super) fn files(update: &Proposal) -> Vec<&str> {
    let mut files: Vec<&str> = update.sites.iter().map(|site| site.file.as_str()).collect();
    files.dedup();
    files
}

/// `site 2, 3 of 5`: the sites of an update at these places, and the parts of one reference that are decided together.
pub(super) fn called(update: &Proposal, places: &[usize]) -> (String, String) {
    let numbers: Vec<String> = places.iter().map(|at| (at + 1).to_string()).collect();
    let said = format!("site {} of {}", numbers.join(", "), update.sites.len());
    let sites: Vec<&Site> = places.iter().filter_map(|at| update.sites.get(*at)).collect();
    let together = |site: &&&Site| sites.iter().filter(|other| is_linked(site, other)).count() > 1;
    let name = |site: &&Site| site.field.rsplit('.').next().unwrap_or(&site.field).to_owned();
    let linked: Vec<String> = sites.iter().filter(together).map(name).collect();
    let linked =
        if linked.is_empty() { linked.concat() } else { format!(" (linked {})", linked.join(" + ")) };
    (said, linked)
}

/// The one decision about all of these, or that they are decided differently.
fn decided<'s>(sites: impl Iterator<Item = &'s Site>) -> Decision {
    let one = |a, b| if a == b { a } else { Decision::Partial };
    sites.map(|site| site.decision).reduce(one).unwrap_or_default()
}

/// The lines of the pane: from the site under the cursor to the end of the update's last file.
pub(super) fn lines<'a>(view: &View<'a>) -> impl Iterator<Item = Line> + 'a {
    let view = *view;
    let (file, from) = start(&view);
    let first_edit = if let Node::Edit(_, index) = view.node { *index } else { 0 };
    let is_before = move |path: &&str| Some(*path) != file;
    let rest = files(view.update).into_iter().skip_while(is_before).enumerate();
    rest.flat_map(move |(at, path)| {
        let from = if at == 0 { from } else { 0 };
        file_lines(&view, path, at == 0, from)
    })
    .chain(edit_lines(&view, first_edit))
}

/// The edits of objects that go with the update, from one of them on.
fn edit_lines(view: &View<'_>, from: usize) -> Vec<Line> {
    let edits = view.update.edits.iter().skip(from);
    let lines = edits.flat_map(|edit| {
        object_lines(edit, usize::from(view.width).saturating_sub(1)).into_iter().chain([Line::default()])
    });
    lines.map(|line| Line::plain(" ").append(line)).collect()
}

/// Every file of the update, each under its name.
pub(super) fn whole(view: &View<'_>) -> Vec<Line> {
    let sites = files(view.update).into_iter().flat_map(|path| file_lines(view, path, false, 0));
    sites.chain(edit_lines(view, 0)).collect()
}

/// The file and the line that the pane begins at.
fn start<'a>(view: &View<'a>) -> (Option<&'a str>, usize) {
    match view.node {
        Node::Update(_) => (view.update.sites.first().map(|site| site.file.as_str()), 0),
        Node::File(_, file) => (Some(file), 0),
        // Behind all files of sites.
        Node::Edit(..) => (None, 0),
        Node::Site(_, index) => {
            let site = view.update.sites.get(*index);
            (site.map(|site| site.file.as_str()), site.map_or(0, |site| site.line))
        }
    }
}

/// Title, hunks and badges of one file.
fn file_lines(view: &View<'_>, path: &str, is_first: bool, from: usize) -> Vec<Line> {
    let sites: Vec<&Site> = view.update.sites.iter().filter(|site| site.file == path).collect();
    let mut lines = Vec::new();
    if !is_first {
        lines.push(Line::default());
        lines.push(file_title(view, path));
    }
    let preview = view.state.review.preview(&view.update.automation, path);
    let Some(preview) = preview else {
        lines.extend(without_text(&sites, view.width));
        return lines;
    };
    let text: Vec<&str> = preview.before.lines().collect();
    let hunks = group(&sites, view.state.diff.context);
    let total = hunks.len();
    for (at, hunk) in hunks.iter().enumerate() {
        // The hunk of the site under the cursor is the first one shown.
        if hunk.last < from && at + 1 < total {
            continue;
        }
        lines.push(hunk_title(view, hunk, at, total));
        lines.extend(hunk_lines(view, hunk, &text));
        lines.push(Line::default());
    }
    lines.extend(badges(view.update, sites.len()));
    lines
}

/// `── apps/podinfo/hr.yaml   [x] site 2, 3 of 5 (linked tag + digest) ──`; beside the tree, which says all that, the name alone.
fn file_title(view: &View<'_>, path: &str) -> Line {
    let title = Line::of(Role::Border, "── ").with(Role::Select, path).with(Role::Border, " ");
    let title = if view.titled { title.append(standing(view, path)) } else { title };
    let rest = usize::from(view.width).saturating_sub(title.width());
    title.with(Role::Border, "─".repeat(rest))
}

/// `  [x] site 2, 3 of 5 (linked tag + digest) `: a file's box, and where its sites stand among those of the update.
fn standing(view: &View<'_>, path: &str) -> Line {
    let own = |(_, site): &(usize, &Site)| site.file == path;
    let (places, sites): (Vec<usize>, Vec<&Site>) = view.update.sites.iter().enumerate().filter(own).unzip();
    let (role, mark) = words::decision_box(decided(sites.into_iter()));
    let (said, linked) = called(view.update, &places);
    Line::plain("  ").with(role, mark).and(format!(" {said}{linked} "))
}

/// Sites whose changed lines lie so close that they share their context.
struct Hunk<'a> {
    first: usize,
    last: usize,
    lines: BTreeMap<usize, Vec<&'a Site>>,
    context: usize,
}

fn group<'a>(sites: &[&'a Site], context: usize) -> Vec<Hunk<'a>> {
    let mut hunks: Vec<Hunk<'a>> = Vec::new();
    for site in sites {
        match hunks.last_mut() {
            Some(hunk) if site.line <= hunk.last + 2 * context + 1 => {
                hunk.last = hunk.last.max(site.line);
                hunk.lines.entry(site.line).or_default().push(site);
            }
            _ => {
                let lines = BTreeMap::from([(site.line, vec![*site])]);
                hunks.push(Hunk { first: site.line, last: site.line, lines, context });
            }
        }
    }
    hunks
}

/// `[x] Deployment flux-system/podinfo  hunk 1 of 1`.
fn hunk_title(view: &View<'_>, hunk: &Hunk<'_>, at: usize, total: usize) -> Line {
    let sites: Vec<&Site> = hunk.lines.values().flatten().copied().collect();
    let Some(first) = sites.first() else { return Line::default() };
    let (role, mark) = words::decision_box(decided(sites.iter().copied()));
    let line = Line::plain(" ").with(role, mark).and(" ");
    let line = if first.object.kind.is_empty() {
        line.dim(&first.field)
    } else {
        line.append(updates::object_of(first))
    };
    let what = if view.titled { String::new() } else { format!("  hunk {} of {total}", at + 1) };
    line.dim(what)
}

fn hunk_lines(view: &View<'_>, hunk: &Hunk<'_>, text: &[&str]) -> Vec<Line> {
    let first = hunk.first.saturating_sub(hunk.context).max(1);
    let last = (hunk.last + hunk.context).min(text.len());
    let digits = last.to_string().len().max(2);
    let mut lines = Vec::new();
    for number in first..=last {
        let here = text.get(number - 1).copied().unwrap_or_default();
        let sites = hunk.lines.get(&number);
        let blocked = sites.and_then(|sites| sites.iter().find_map(|site| site.blocked.as_ref()));
        let edit = sites.filter(|_| blocked.is_none()).and_then(|sites| Edit::of_line(here, sites));
        lines.extend(numbered(view, digits, number, here, edit.as_ref()));
        if let Some(problem) = blocked {
            lines.push(Line::plain(" ".repeat(digits * 2 + 4)).with(Role::StateError, &problem.message));
        }
    }
    lines
}

/// One line of the file, or the two that an edit makes of it, with their numbers.
fn numbered(view: &View<'_>, digits: usize, number: usize, text: &str, edit: Option<&Edit>) -> Vec<Line> {
    let blank = " ".repeat(digits);
    let number = format!("{number:>digits$}");
    if view.side_by_side {
        return numbered_beside(view, &number, text, edit);
    }
    let head = |old: &str, new: &str| Line::default().dim(format!(" {old} {new} "));
    let made = match edit {
        Some(edit) => {
            let (old, new) = if view.state.diff.wrap {
                (edit.old_line(), edit.new_line())
            } else {
                in_sight(edit, usize::from(view.width).saturating_sub(digits * 2 + 3))
            };
            vec![head(&number, &blank).append(old), head(&blank, &number).append(new)]
        }
        None => vec![head(&number, &number).and(" ").append(context_line(text))],
    };
    if !view.state.diff.wrap {
        return made;
    }
    made.iter().flat_map(|line| wrapped(line, digits * 2 + 4, usize::from(view.width))).collect()
}

/// The same with old and new beside each other: both move alike where what changes lies behind the edge, or are broken there
/// and go on row beside row.
fn numbered_beside(view: &View<'_>, number: &str, text: &str, edit: Option<&Edit>) -> Vec<Line> {
    let room = half(view.width).saturating_sub(number.len() + 2);
    let context = || Line::plain(" ").append(context_line(text));
    let (old, new) = match edit {
        Some(edit) if view.state.diff.wrap => (edit.old_line(), edit.new_line()),
        Some(edit) => in_sight(edit, room),
        None => (context(), context()),
    };
    if !view.state.diff.wrap {
        return vec![beside(view.width, number, &old, &new)];
    }
    let (old, new) = (wrapped(&old, 1, room), wrapped(&new, 1, room));
    let (blank, none) = (" ".repeat(number.len()), Line::default());
    let rows = 0..old.len().max(new.len());
    let row = |at: usize| {
        let number = if at == 0 { number } else { &blank };
        beside(view.width, number, old.get(at).unwrap_or(&none), new.get(at).unwrap_or(&none))
    };
    rows.map(row).collect()
}

/// A line of context; what is at its end and cannot be seen is marked.
fn context_line(text: &str) -> Line {
    let bare = text.trim_end_matches(' ');
    let trailing = text.len() - bare.len();
    Line::plain(Shown::new(bare)).with(Role::TextDim, "·".repeat(trailing))
}

/// The columns of either side.
fn half(width: u16) -> usize {
    usize::from(width.saturating_sub(1) / 2)
}

/// Old and new beside each other, each with its number.
fn beside(width: u16, number: &str, old: &Line, new: &Line) -> Line {
    let half = half(width);
    let room = half.saturating_sub(number.len() + 2);
    let side = |line: &Line| Line::default().dim(format!(" {number} ")).append(line.cut_end(room));
    let left = side(old);
    let pad = half.saturating_sub(left.width());
    left.and(" ".repeat(pad)).with(Role::Border, "│").append(side(new))
}

/// A line broken at the pane's edge; what follows stands below its text.
fn wrapped(line: &Line, indent: usize, width: usize) -> Vec<Line> {
    let room = width.saturating_sub(indent).max(8);
    let mut lines = vec![line.window(0, width)];
    let mut from = width;
    while from < line.width() {
        lines.push(Line::plain(" ".repeat(indent)).append(line.window(from, room)));
        from += room;
    }
    lines
}

/// Sites of a file whose text is not at hand: what goes and what comes.
fn without_text(sites: &[&Site], width: u16) -> Vec<Line> {
    let of_site = |site: &&Site| {
        let head = Line::plain(format!(" :{} ", site.line));
        let room = usize::from(width).saturating_sub(head.width());
        let head = head.append(updates::site_of(site, room));
        match &site.blocked {
            Some(problem) => vec![head, Line::plain("   ").with(Role::StateError, &problem.message)],
            None => vec![
                head,
                Line::of(Role::DiffDel, format!("   -{}", site.old)),
                Line::of(Role::DiffAdd, format!("   +{}", site.new)),
            ],
        }
    };
    sites.iter().flat_map(of_site).collect()
}

/// What was checked about the file's new text.
fn badges(update: &Proposal, sites: usize) -> Vec<Line> {
    let changed =
        if sites == 1 { "one scalar changed".to_owned() } else { format!("{sites} scalars changed") };
    let checked = Line::default().dim(" checked: file re-parses, ");
    let checked = if update.name_changed {
        checked.with(Role::StateWarn, "image name changes")
    } else {
        checked.dim("image name unchanged")
    };
    vec![Line::default().dim(format!(" {changed}; comments, quoting and line endings kept")), checked]
}
