//! What the cluster says, where one is a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::controller::Reports;
use crate::domain::kustomization::Kustomizations;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Place;
use crate::domain::running::Running;

/// What stands around the objects of a cluster; `None`: not asked for yet, or there is no cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Which images run.
    pub running: Option<Arc<Running>>,
    /// What applies files.
    pub kustomizations: Option<Arc<Kustomizations>>,
}

/// What was read of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The name of its context.
    pub context: String,
    /// The same for a line of flux.
    pub place: Place,
    /// What controllers say of its objects.
    pub reports: Arc<Reports>,
    /// Objects that files describe otherwise, with the fields.
    pub drifts: Arc<BTreeMap<(Kind, ObjectId), Vec<&'static str>>>,
    /// When it was read.
    pub read: Timestamp,
}
