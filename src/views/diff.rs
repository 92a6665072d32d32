//! S7: what exactly would change, and a box for every update, file and site.

mod hunks;
mod tree;

use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::frame;
use super::widgets::glyphs;
use super::widgets::line::Line;
use super::{rect, words};
use crate::app::layout::{Layout, Sides, Tier};
use crate::app::review::UpdateId;
use crate::app::rows;
use crate::app::state::{Node, State};
use crate::app::view::Focus;
use crate::domain::proposal::{Proposal, is_linked};
use crate::theme::Role;

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(node) = state.preview.row(&state.diff.tree) else { return empty(canvas, state, layout) };
    let Some(update) = state.review.get(node.update()) else { return };
    if layout.tier >= Tier::T2 {
        heads(canvas, state, layout, rows::file_of(state, node).unwrap_or_default());
    } else {
        narrow_head(canvas, state, layout, update, node);
    }
    if layout.list.height > 0 {
        tree::draw(canvas, state, layout);
    }
    if let Some(area) = layout.preview.map(rect) {
        pane(canvas, state, layout, area, update, node);
    }
}

/// The summary line, and the line that titles both panes.
fn heads(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, file: &str) {
    let area = rect(layout.header);
    let tally = state.review.tally();
    let sites = tally.sites;
    let left = Line::plain(format!(
        "{} · {} · {} · ",
        words::count(tally.pending, "update"),
        words::count(tally.files, "file"),
        words::count(sites, "site")
    ));
    let left =
        left.with(Role::DiffAdd, format!("+{sites}")).and(" ").with(Role::DiffDel, format!("-{sites}"));
    canvas.line(area.x + 1, area.y, area.width, &left);
    canvas.line_right(area.x, area.y, area.width, &approved(tally.approved_sites, sites));
    let row = Rect { y: area.y + 1, height: 1, ..area };
    let tree = Rect { width: layout.list.width, ..row };
    let pane = Rect { x: row.x + tree.width + 1, width: row.width.saturating_sub(tree.width + 1), ..row };
    let is_tree = state.diff.focus == Focus::List;
    frame::rule(canvas, tree, &focus_title("files", is_tree), is_tree);
    canvas.text(tree.right(), row.y, 1, "┬", Role::Border);
    frame::rule(canvas, pane, &focus_title(file, !is_tree), !is_tree);
}

/// A pane's title; the pane with the keys has a bold one.
fn focus_title(text: &str, focused: bool) -> Line {
    if focused { frame::title(text) } else { Line::plain(text) }
}

/// `[x] approved 3 of 5 sites`.
fn approved(approved: usize, sites: usize) -> Line {
    let (role, mark) = match approved {
        0 => (Role::Text, "[ ]"),
        _ if approved == sites => (Role::DecApproved, "[x]"),
        _ => (Role::DecPartial, "[~]"),
    };
    Line::of(role, mark).and(format!(" approved {approved} of {}", words::count(sites, "site")))
}

/// `apps/podinfo/deploy.yaml   file 1 of 3                          [x] site 1 of 5`.
fn narrow_head(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, update: &Proposal, node: &Node) {
    let file = rows::file_of(state, node).unwrap_or_default();
    let area = rect(layout.header);
    let files = hunks::files(update);
    let at = files.iter().position(|path| *path == file).unwrap_or(0) + 1;
    let left = frame::title(file).and("   ").dim(format!("file {at} of {}", files.len()));
    let used = canvas.line(area.x + 1, area.y, area.width.saturating_sub(2), &left);
    let (role, mark) = words::decision_box(state.review.decision(&rows::target(node)));
    let (what, linked) = match node {
        Node::Site(_, index) => hunks::called(update, &linked_to(update, *index)),
        Node::Edit(_, index) => (format!("edit {} of {}", index + 1, update.edits.len()), String::new()),
        Node::File(..) | Node::Update(_) => (words::count(update.sites.len(), "site"), String::new()),
    };
    let short = Line::of(role, mark).and(" ").and(what);
    let room = usize::from(area.width.saturating_sub(used + 4));
    let texts = [short.clone().and(linked), short];
    if let Some(right) = texts.into_iter().find(|text| text.width() < room) {
        canvas.line_right(area.x, area.y, area.width.saturating_sub(1), &right);
    }
}

/// The places of the sites that are decided with the one at `index`, itself among them.
fn linked_to(update: &Proposal, index: usize) -> Vec<usize> {
    let Some(chosen) = update.sites.get(index) else { return Vec::new() };
    let sites = update.sites.iter().enumerate();
    sites.filter(|(_, site)| is_linked(chosen, site)).map(|(place, _)| place).collect()
}

/// The diff pane: the update's files from the one under the cursor on.
fn pane(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, area: Rect, update: &Proposal, node: &Node) {
    let area = if layout.tier >= Tier::T2 {
        frame::wall(canvas, area.x, area);
        frame::inset(area, 1)
    } else {
        area
    };
    let view = hunks::View {
        state,
        update,
        node,
        width: area.width,
        side_by_side: state.diff.side_by_side.unwrap_or(state.size.width >= 140),
        titled: layout.tier <= Tier::T1,
    };
    let lines: Vec<Line> =
        hunks::lines(&view).skip(state.diff.scroll).take(usize::from(area.height)).collect();
    if lines.is_empty() {
        canvas.text(area.x + 1, area.y, area.width, "the end", Role::TextDim);
    }
    frame::lines(canvas, area, &lines);
    if layout.list.height == 0 {
        canvas.put_cursor(area.x, area.y);
    }
}

/// All hunks of an update under the names of their files, for other panes.
pub(super) fn hunks_of(
    state: &State,
    update: &Proposal,
    node: &Node,
    (width, side_by_side): (u16, bool),
) -> Vec<Line> {
    hunks::whole(&hunks::View { state, update, node, width, side_by_side, titled: true })
}

/// The sites of the update under S1's cursor, and their diff with old and new beside each other. Each wall ends with what it
/// parts: glyphs are three bytes each, and most of a tall screen is blank.
pub(super) fn beside_list(canvas: &mut Canvas<'_>, state: &State, sides: Sides, update: &Proposal) {
    let (tree, diff) = (frame::inset(rect(sides.sites), 1), frame::inset(rect(sides.diff), 1));
    canvas.line(tree.x + 1, tree.y, tree.width, &Line::default().dim("sites"));
    let rows = tree::draw_branch(canvas, state, below_title(tree), update) + 1;
    let lines = if update.blocked.is_some() { Vec::new() } else { hunks_beside(state, update, diff) };
    let used = frame::lines(canvas, diff, &lines).max(rows);
    let listed = to_cells(state.updates.len()).max(rows);
    for (wall, end) in [(rect(sides.sites), listed), (rect(sides.diff), used)] {
        frame::wall(canvas, wall.x, Rect { height: end.min(wall.height), ..wall });
    }
}

/// The lines of the diff that have room in `area`; the first is the name of the first file.
fn hunks_beside(state: &State, update: &Proposal, area: Rect) -> Vec<Line> {
    let node = Node::Update(UpdateId::of(update));
    let side_by_side = state.diff.side_by_side.unwrap_or(true);
    let lines = hunks_of(state, update, &node, (area.width, side_by_side));
    let name = hunks::files(update).first().map(|file| Line::plain(" ").and(*file));
    // A blank and the rule with the name come first, which the title stands for.
    name.into_iter().chain(lines.into_iter().skip(2)).take(usize::from(area.height)).collect()
}

fn below_title(area: Rect) -> Rect {
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

fn empty(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let is_compared = !state.is_comparing();
    let headline =
        if is_compared { "Nothing to change." } else { "Comparing marked files with the newest tags …" };
    let lines = [Line::plain("Every site already holds its policy's latest tag.")];
    super::page(canvas, layout, headline, if is_compared { &lines } else { &[] });
}

/// What is approved, and the commit that was read.
pub(super) fn summary(state: &State, is_narrow: bool) -> Line {
    let tally = state.review.tally();
    let files = words::count(tally.files, "file");
    if is_narrow {
        let sites = words::count(tally.sites, "site");
        return Line::plain(format!("approved {} of {sites} · {files}", tally.approved_sites));
    }
    let Some(node) = state.preview.row(&state.diff.tree) else { return Line::default() };
    let Some(base) = state.review.ground(&node.update().automation).and_then(|ground| ground.base.as_ref())
    else {
        return Line::default();
    };
    let at = Line::default()
        .dim("base ")
        .and(words::branch(&base.reference))
        .and("@")
        .and(words::short(&base.commit));
    let edits = state.review.get(node.update()).map_or(0, |update| update.edits.len());
    match edits {
        0 => at.dim(" · only marked scalars change"),
        edits => at.dim(format!(" · marked scalars change, and {}", words::count(edits, "object"))),
    }
}

/// The fold mark of a level of the tree.
fn fold_mark(is_folded: bool) -> &'static str {
    if is_folded { glyphs::FOLDED } else { glyphs::OPEN }
}
