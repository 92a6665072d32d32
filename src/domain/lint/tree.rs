//! All files of a repository, looked through for what the files that a plan stands on do not tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::world::{World, Writer};
use super::{BadFile, LintedMarker, Report, Unmarked};
use crate::domain::inventory::is_below;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;

/// What stands in the files of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The remote's address without credentials; `None` without Git.
    pub remote: Option<String>,
    /// The commit; `None` without Git.
    pub commit: Option<String>,
    /// Markers outside of the paths of all automations of the repository, and those that do nothing wherever they stand.
    pub markers: Vec<LintedMarker>,
    /// Files with markers that are not valid to Flux.
    pub files: Vec<BadFile>,
    /// Images without a marker.
    pub unmarked: Vec<Unmarked>,
}

impl Tree {
    /// Takes in what was said of a file.
    pub fn add(&mut self, found: Report) {
        self.markers.extend(found.markers);
        self.files.extend(found.files);
        self.unmarked.extend(found.unmarked);
    }

    /// Those of `grounds` that are of this repository.
    pub(super) fn peers<'g>(&self, grounds: &'g [Ground]) -> Vec<&'g Ground> {
        grounds.iter().filter(|ground| ground.remote == self.remote).collect()
    }
}

/// What is to be said of a file of the repository of the automations `peers` beside what a plan's files tell of it; `None` if
/// there is nothing.
pub fn look(file: &str, bytes: &[u8], world: &World, peers: &[&ObjectId]) -> Option<Report> {
    let covers = |writer: &Writer| peers.contains(&&writer.id) && writer.covers(file);
    let mut report = super::lint_file(file, bytes, world, &covers);
    // Objects that cannot be read are told where they are read from.
    report.files.retain(|_| super::means_markers(&super::utf16::decoded(bytes)));
    let is_written = world.writers.iter().any(covers);
    report.markers.retain(|marker| !is_written || marker.verdict.is_dead());
    (report != Report::default()).then_some(report)
}

/// The images without a marker below the path of each of `grounds` that was looked through; automations that read the same
/// share a list.
pub fn unmarked_below(grounds: &[Ground], trees: &[Tree]) -> BTreeMap<ObjectId, Arc<[Unmarked]>> {
    let mut lists: BTreeMap<_, Arc<[Unmarked]>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for ground in grounds {
        let commit = ground.stands_on().map(|(_, commit)| commit);
        let Some(tree) =
            trees.iter().find(|tree| tree.remote == ground.remote && tree.commit.as_deref() == commit)
        else {
            continue;
        };
        let list = lists.entry((&ground.remote, commit, &ground.path)).or_insert_with(|| {
            tree.unmarked.iter().filter(|image| is_below(&image.file, &ground.path)).cloned().collect()
        });
        found.insert(ground.automation.clone(), Arc::clone(list));
    }
    found
}

/// The images without a marker that no automation of their repository could write, by the repository's remote.
pub fn unmarked_elsewhere(grounds: &[Ground], trees: &[Tree]) -> BTreeMap<Option<String>, Vec<Unmarked>> {
    let mut found: BTreeMap<Option<String>, Vec<Unmarked>> = BTreeMap::new();
    for tree in trees {
        let peers = tree.peers(grounds);
        let is_outside = |image: &&Unmarked| !peers.iter().any(|ground| is_below(&image.file, &ground.path));
        found
            .entry(tree.remote.clone())
            .or_default()
            .extend(tree.unmarked.iter().filter(is_outside).cloned());
    }
    for images in found.values_mut() {
        // Two commits of one repository hold the same files, mostly.
        images.sort_by(|a, b| (&a.file, a.line, &a.image).cmp(&(&b.file, b.line, &b.image)));
        images.dedup();
    }
    found.retain(|_, images| !images.is_empty());
    found
}
