//! S7: the tree of updates, files and sites, and how the diff beside it is shown.

use std::collections::BTreeSet;

use crate::app::list::List;
use crate::app::review::UpdateId;
use crate::app::view::Focus;

/// A row of S7's tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// An update.
    Update(UpdateId),
    /// A file of an update.
    File(UpdateId, String),
    /// A site, by its index in the update's sites.
    Site(UpdateId, usize),
    /// An edit of an object, by its index in the update's edits.
    Edit(UpdateId, usize),
}

impl Node {
    /// The update it belongs to.
    pub fn update(&self) -> &UpdateId {
        match self {
            Self::Update(id) | Self::File(id, _) | Self::Site(id, _) | Self::Edit(id, _) => id,
        }
    }
}

/// S7: the diff.
#[derive(Debug, Clone)]
pub struct Diff {
    /// The tree: updates, files, sites.
    pub tree: List<Node>,
    /// Updates and files whose children are hidden.
    pub folded: BTreeSet<Node>,
    /// Which pane has the keys; on one-pane terminals, which is shown.
    pub focus: Focus,
    /// Lines around a change, 0 to 25.
    pub context: usize,
    /// Whether old and new stand beside each other; `None`: where the terminal is wide enough.
    pub side_by_side: Option<bool>,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Lines that the diff is scrolled below the current site.
    pub scroll: usize,
}

impl Default for Diff {
    fn default() -> Self {
        Self {
            tree: List::default(),
            folded: BTreeSet::new(),
            focus: Focus::List,
            context: 3,
            side_by_side: None,
            wrap: false,
            scroll: 0,
        }
    }
}
