//! How a person left the screen: the order of each list, its share of the room, the commands of the palette.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shelf::Shelf;

/// By the list's name: the order's name, and whether it is turned around.
pub type Orders = Kept<BTreeMap<String, (String, bool)>>;

/// By the view's name: what its list has more of the room than it begins with, in hundredths.
pub type Shares = Kept<BTreeMap<String, i16>>;

/// What was run from the palette, the newest first.
pub type Commands = Kept<Vec<String>>;

/// One small file of JSON.
#[derive(Debug)]
pub struct Kept<T> {
    shelf: Shelf,
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned + Default> Kept<T> {
    pub(super) fn new(shelf: Shelf, name: &'static str) -> Self {
        Self { shelf, name, of: PhantomData }
    }

    /// What was kept last. What cannot be read is as if nothing was kept.
    pub fn read(&self) -> T {
        let bytes = self.shelf.read(self.name).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Keeps it, in place of what was kept.
    pub fn write(&self, value: &T) {
        if let Ok(text) = serde_json::to_vec(value) {
            self.shelf.write(self.name, &text);
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
        Store::open(&dirs).commands().write(&vec!["ns shop".to_owned()]);
        assert_eq!(Store::open(&dirs).orders().read(), orders);
        let shares = BTreeMap::from([("Updates".to_owned(), -10)]);
        Store::open(&dirs).shares().write(&shares);
        assert_eq!(Store::open(&dirs).shares().read(), shares);
        assert_eq!(Store::open(&dirs).commands().read(), ["ns shop"]);
        std::fs::write(dirs.state.unwrap().join("orders.json"), "{").unwrap();
        assert!(Store::open(&Dirs::below(dir.path())).orders().read().is_empty());
    }
}
