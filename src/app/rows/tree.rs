//! S7's rows, and what each of them is about.

use std::collections::{BTreeMap, BTreeSet};

use super::in_order;
use crate::app::review::{Target, UpdateId};
use crate::app::state::{Node, State};
use crate::app::view::View;
use crate::domain::proposal::{Proposal, UpdateState};

/// S7's rows: updates that can be made, in the order that S1 had when the view was opened and later ones behind, their files, their
/// sites, as far as they are unfolded.
pub fn tree(state: &mut State) {
    let mut updates = in_order(state);
    updates.retain(|update| update.state == UpdateState::Pending);
    if state.crumbs().contains(&View::Diff) {
        // A scan moves nothing away from who reads.
        let known = places(state.diff.tree.rows());
        updates.sort_by_key(|update| known.get(&UpdateId::of(update)).copied().unwrap_or(usize::MAX));
    }
    let folded = &state.diff.folded;
    let rows = updates.into_iter().flat_map(|update| branch(update, folded)).collect();
    state.diff.tree.set_rows(rows);
}

/// Where each update has its row.
fn places(rows: &[Node]) -> BTreeMap<UpdateId, usize> {
    let is_update = |(_, node): &(usize, &Node)| matches!(node, Node::Update(_));
    rows.iter().enumerate().filter(is_update).map(|(place, node)| (node.update().clone(), place)).collect()
}

/// One update, its files, their sites, and its edits of objects, as far as they are unfolded.
pub fn branch(update: &Proposal, folded: &BTreeSet<Node>) -> Vec<Node> {
    let id = UpdateId::of(update);
    let mut rows = vec![Node::Update(id.clone())];
    if rows.iter().any(|node| folded.contains(node)) {
        return rows;
    }
    let mut last = "";
    for (index, site) in update.sites.iter().enumerate() {
        if site.file != last {
            rows.push(Node::File(id.clone(), site.file.clone()));
            last = &site.file;
        }
        if !folded.contains(&Node::File(id.clone(), site.file.clone())) {
            rows.push(Node::Site(id.clone(), index));
        }
    }
    rows.extend((0..update.edits.len()).map(|index| Node::Edit(id.clone(), index)));
    rows
}

/// What a decision on a row of S7's tree is about.
pub fn target(node: &Node) -> Target {
    match node {
        // An edit goes with its update.
        Node::Update(id) | Node::Edit(id, _) => Target::update(id.clone()),
        Node::File(id, file) => Target { update: id.clone(), file: Some(file.clone()), site: None },
        Node::Site(id, site) => Target { update: id.clone(), file: None, site: Some(*site) },
    }
}

/// The file that a row of S7's tree is about: its own, or the update's first.
pub fn file_of<'a>(state: &'a State, node: &'a Node) -> Option<&'a str> {
    match node {
        Node::File(_, file) => Some(file),
        Node::Site(id, site) => Some(&state.review.get(id)?.sites.get(*site)?.file),
        Node::Edit(id, edit) => Some(&state.review.get(id)?.edits.get(*edit)?.file),
        Node::Update(id) => {
            let update = state.review.get(id)?;
            let first = update.sites.first().map(|site| &site.file);
            first.or_else(|| update.edits.first().map(|edit| &edit.file)).map(String::as_str)
        }
    }
}
