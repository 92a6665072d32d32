//! The tree of updates, files and sites, each with a box of three states.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::fold_mark;
use crate::app::layout::Layout;
use crate::app::pointer::Spot;
use crate::app::review::{Target, UpdateId};
use crate::app::rows;
use crate::app::state::{Node, State};
use crate::app::view::Focus;
use crate::domain::edit::ObjectEdit;
use crate::domain::proposal::{Proposal, Site, is_linked};
use crate::text::Shown;
use crate::theme::Role;
use crate::views::widgets::canvas::{Canvas, to_cells};
use crate::views::widgets::line::Line;
use crate::views::{rect, words};

/// Draws the rows that are in sight.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let area = rect(layout.list);
    for (row, (index, node, is_cursor)) in (area.y..area.bottom()).zip(state.diff.tree.visible(layout.rows()))
    {
        let here = Rect { y: row, height: 1, ..area };
        spots(canvas, here, index, node);
        draw_row(canvas, state, here, node);
        if is_cursor {
            cursor(canvas, state, here, node);
        }
    }
}

/// Draws one update with all its files and sites, without a cursor; tells how many rows there are.
pub(super) fn draw_branch(canvas: &mut Canvas<'_>, state: &State, area: Rect, update: &Proposal) -> u16 {
    let nodes = rows::branch(update, &BTreeSet::new());
    for (y, node) in (area.y..area.bottom()).zip(&nodes) {
        draw_row(canvas, state, Rect { y, height: 1, ..area }, node);
    }
    to_cells(nodes.len())
}

/// What clicks on a row mean: its box, and the rest of it.
fn spots(canvas: &mut Canvas<'_>, row: Rect, index: usize, node: &Node) {
    canvas.spot(row, Spot::Row(index));
    let mark = Rect { x: row.x + to_cells(indent(node)) + 1, width: 3, ..row };
    canvas.spot(mark.intersection(row), Spot::Box(index));
}

/// The blanks before a node's mark.
fn indent(node: &Node) -> usize {
    match node {
        Node::Update(_) => 0,
        Node::File(..) | Node::Edit(..) => 2,
        Node::Site(..) => 4,
    }
}

/// The cursor. Where the pane has the keys, the row's background shows it, and the mark that an update is folded stays in sight.
fn cursor(canvas: &mut Canvas<'_>, state: &State, row: Rect, node: &Node) {
    let has_keys = state.diff.focus == Focus::List && state.overlay.is_none();
    if has_keys {
        canvas.highlight_words(Rect { width: row.width.min(56), ..row });
        canvas.put_cursor(row.x, row.y);
    }
    canvas.mark(row.x, row.y);
    if has_keys && canvas.has_rows() && matches!(node, Node::Update(_)) {
        let mark = fold_mark(state.diff.folded.contains(node));
        canvas.repeat(row.x, row.y, 1, mark, Role::BorderFocus);
    }
}

fn draw_row(canvas: &mut Canvas<'_>, state: &State, row: Rect, node: &Node) {
    let (role, mark) = words::decision_box(state.review.decision(&rows::target(node)));
    let Some(update) = state.review.get(node.update()) else { return };
    let (fold, text, right) = match node {
        Node::Update(id) => (Some(node), Shown::from(id.policy.to_string()), tally(state, id, update)),
        Node::File(_, file) => (Some(node), Shown::from(file), in_file(update, file).to_string()),
        Node::Site(_, index) => (None, site_text(update, *index, canvas.is_read()), String::new()),
        Node::Edit(_, index) => (None, edit_text(update, *index), String::new()),
    };
    let indent = indent(node);
    let fold = fold.map_or(" ", |node| fold_mark(state.diff.folded.contains(node)));
    let right = Line::default().dim(right);
    let room = usize::from(row.width).saturating_sub(indent + 5 + right.width() + 2);
    let text = if matches!(node, Node::File(..)) { text.keep_folders(room) } else { text.cut_end(room) };
    let text_role = if matches!(node, Node::Update(_)) { Role::Select } else { Role::Text };
    let line = Line::plain(" ".repeat(indent)).dim(fold).with(role, mark).and(" ").with(text_role, text);
    canvas.line(row.x, row.y, row.width, &line);
    canvas.line_right(row.x, row.y, row.width.saturating_sub(1), &right);
}

/// `3/3`: approved sites of all that can be written.
fn tally(state: &State, id: &UpdateId, update: &Proposal) -> String {
    let sites = state.review.sites_of(&Target::update(id.clone())).len();
    format!("{}/{sites}", update.approved().count())
}

fn in_file(update: &Proposal, file: &str) -> usize {
    update.sites.iter().filter(|site| site.file == file).count()
}

/// `apps:14 spec.suspend`: the object's name, the line, and the field.
fn edit_text(update: &Proposal, index: usize) -> Shown {
    let text =
        |edit: &ObjectEdit| format!("{}:{} {}", edit.object.name, edit.line, edit.field.path().join("."));
    update.edits.get(index).map_or_else(Shown::default, |edit| Shown::from(text(edit)))
}

/// `:18 tag   ┐ linked`; sites that are decided together have a bracket, or for somebody who reads them the word.
fn site_text(update: &Proposal, index: usize, is_read: bool) -> Shown {
    let Some(site) = update.sites.get(index) else { return Shown::default() };
    let near = |other: Option<&Site>| other.is_some_and(|other| is_linked(site, other));
    let above = near(index.checked_sub(1).and_then(|above| update.sites.get(above)));
    let below = near(update.sites.get(index + 1));
    let bracket = match (above, below) {
        (false, false) => return Shown::from(short(site)),
        _ if is_read => "linked",
        (false, true) => "┐ linked",
        (true, true) => "│",
        (true, false) => "┘",
    };
    let linked = update.sites.iter().filter(|other| is_linked(site, other));
    let width = linked.map(|site| short(site).len()).max().unwrap_or(0);
    Shown::from(format!("{:<width$} {bracket}", short(site)))
}

/// `:31 image`: the line, and the last word of the field.
fn short(site: &Site) -> String {
    let name = site.field.rsplit('.').next().unwrap_or(&site.field);
    format!(":{} {name}", site.line)
}
