//! Commit messages that a person has edited and not yet pushed.

use serde::{Deserialize, Serialize};

use super::shelf::{Shelf, file_name};

/// An edited message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The message as it was left.
    pub text: String,
    /// The rendered message that it was made from, to see whether that has changed since.
    pub base: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    key: String,
    #[serde(flatten)]
    draft: Draft,
}

/// The drafts, one small file each.
#[derive(Debug)]
pub struct Drafts {
    shelf: Shelf,
}

impl Drafts {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// The draft under `key`, which names what the message is for, such as remote, branch and automation.
    pub fn read(&self, key: &str) -> Option<Draft> {
        let name = file_name(key, "json");
        let bytes = self.shelf.read(&name)?;
        match serde_json::from_slice::<File>(&bytes) {
            Ok(file) => (file.key == key).then_some(file.draft),
            Err(_damaged) => {
                self.shelf.set_aside(
                    &name,
                    &bytes,
                    ("a draft was damaged", "the message is made from its template"),
                );
                None
            }
        }
    }

    /// Keeps a draft; returns when it is on the disk.
    pub fn write(&self, key: &str, draft: &Draft) {
        let mut bytes = Vec::new();
        super::journal::add_line(&mut bytes, &File { key: key.to_owned(), draft: draft.clone() });
        self.shelf.write(&file_name(key, "json"), &bytes);
    }

    /// Forgets a draft, once it was pushed or given up.
    pub fn remove(&self, key: &str) {
        // What cannot be removed is overwritten by the next draft, or fails then.
        let _ = self.shelf.remove(&file_name(key, "json"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};

    #[test]
    fn a_draft_survives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let draft = Draft { text: "Update\n\nvote \u{1b}[1m".into(), base: Some("Update".into()) };
        Store::open(&dirs).drafts().write("remote main flux-system/apps", &draft);
        let store = Store::open(&dirs);
        assert_eq!(store.drafts().read("remote main flux-system/apps"), Some(draft));
        assert_eq!(store.drafts().read("another"), None);
        store.drafts().remove("remote main flux-system/apps");
        assert_eq!(store.drafts().read("remote main flux-system/apps"), None);
    }
}
