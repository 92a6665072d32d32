//! The objects that the files here describe, at once: nothing is fetched, asked or kept.

use super::load::{Place, place};
use crate::config::Settings;
use crate::domain::inventory::Inventory;
use crate::source::files;

/// The objects of the folder that is the files source; none where that is a remote, or not there.
pub(crate) fn objects(settings: &Settings) -> Inventory {
    let Ok(Place::Folder(root)) = place(settings) else { return Inventory::default() };
    let tree = files::read_work_tree(&root).unwrap_or_default();
    files::parse(&tree.files, &settings.default_namespace).inventory
}
