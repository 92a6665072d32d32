//! Images without a marker, and what was looked through for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::effect::JobId;
use crate::domain::lint;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;

/// The images without a marker.
#[derive(Debug, Clone, Default)]
pub struct Unmarked {
    /// The look that was begun last.
    pub job: Option<JobId>,
    /// Of each automation, by file and line; one whose files were not looked through yet is missing.
    pub found: BTreeMap<ObjectId, Arc<[lint::Unmarked]>>,
    /// Those outside of the paths of all automations, by the remote; `None`: the folder without Git.
    pub elsewhere: BTreeMap<Option<String>, Vec<lint::Unmarked>>,
    /// What the last look was for.
    through: Vec<Place>,
}

/// An automation, and the remote, commit and path that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    automation: ObjectId,
    remote: Option<String>,
    commit: Option<String>,
    path: String,
}

impl From<&Ground> for Place {
    fn from(ground: &Ground) -> Self {
        Self {
            automation: ground.automation.clone(),
            remote: ground.remote.clone(),
            commit: ground.stands_on().map(|(_, commit)| commit.to_owned()),
            path: ground.path.clone(),
        }
    }
}

impl Unmarked {
    /// Whether `grounds` are to be looked through: they are others than the last time. They count as looked through from now on.
    pub fn is_due(&mut self, grounds: &[Ground]) -> bool {
        let places: Vec<Place> = grounds.iter().map(Place::from).collect();
        // What is no commit may be another at any time.
        let is_new = places != self.through || places.iter().any(|place| place.commit.is_none());
        self.through = places;
        is_new
    }

    /// The objects are others: what stands in files has to be set against them.
    pub fn forget(&mut self) {
        self.through.clear();
    }
}
