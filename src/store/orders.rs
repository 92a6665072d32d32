//! The order of each list of the screen, as a person left it.

use std::collections::BTreeMap;

use super::shelf::Shelf;

/// The file's name.
const NAME: &str = "orders.json";

/// One small file.
#[derive(Debug)]
pub struct Orders {
    shelf: Shelf,
}

impl Orders {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// By the list's name: the order's name, and whether it is turned around. What cannot be read is as if nothing was kept.
    pub fn read(&self) -> BTreeMap<String, (String, bool)> {
        let bytes = self.shelf.read(NAME).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Keeps them, in place of those that were kept.
    pub fn write(&self, orders: &BTreeMap<String, (String, bool)>) {
        if let Ok(text) = serde_json::to_vec(orders) {
            self.shelf.write(NAME, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn orders_survive_the_process_and_a_damaged_file_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let orders = BTreeMap::from([("Updates".to_owned(), ("step".to_owned(), true))]);
        Store::open(&dirs).orders().write(&orders);
        assert_eq!(Store::open(&dirs).orders().read(), orders);
        std::fs::write(dirs.state.unwrap().join(NAME), "{").unwrap();
        assert!(Store::open(&Dirs::below(dir.path())).orders().read().is_empty());
    }
}
