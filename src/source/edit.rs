//! Edits of objects that stand in files: one taken out, one suspended or resumed, a field of one set for a plan, and no other
//! byte changed.
//!
//! An edit is a change of bytes that the YAML parser found. The edited text is read again, and refused unless it says what the
//! old one said but for what was meant. Which object is meant, and writing the file, is left to others.

mod entry;
mod field;
mod lines;
mod outline;
mod places;
mod remove;
mod rule;
mod suspend;

use std::ops::Range;

use super::yaml::{Document, Node, Value, documents};

pub use field::{FieldChange, change, changes, check};
pub use places::{lists_resource, place_now, places, value};
pub use remove::remove;
pub use rule::with_trial;
pub use suspend::suspend;

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as its source calls it.
    pub file: String,
    /// The line on which its document begins, from 1.
    pub line: usize,
    /// The bytes of its document.
    document: Range<usize>,
    /// Which item of the document's list it is, and of which list in that; empty: it is the document.
    items: Vec<usize>,
}

/// Why an object was not edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The object, or what was to change of it, is written in a way that leaves no bytes which are its own.
    #[error("it is written in a way that cannot be edited without changing more than is meant")]
    Unwritable,
}

/// What a document says, places and the order of keys left aside; `None` if it does not parse.
fn meaning(document: Document<'_>) -> Option<serde_json::Value> {
    Some(Node::parse(document).ok()?.map_or(serde_json::Value::Null, |node| node_meaning(&node)))
}

/// As [`meaning`]: a scalar is its text, and whether it is a text whatever it looks like.
fn node_meaning(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, is_text } => serde_json::json!([text, is_text]),
        Value::Sequence(items) => {
            serde_json::json!({ "items": items.iter().map(node_meaning).collect::<Vec<_>>() })
        }
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| (format!(".{}", key.text), node_meaning(value))).collect()
        }
    }
}

/// What stands at a member of a list of lists.
fn member<'v>(said: &'v mut serde_json::Value, items: &[usize]) -> Option<&'v mut serde_json::Value> {
    items.iter().try_fold(said, |list, index| list.get_mut(".items")?.get_mut("items")?.get_mut(*index))
}

/// Whether two documents say the same, or are the same text.
fn is_same(one: &Document<'_>, other: &Document<'_>) -> bool {
    one.text == other.text || meaning(*one).is_some_and(|said| meaning(*other) == Some(said))
}

/// The index of the document that begins where `place` says, and all of them.
fn document_at<'a>(text: &'a str, place: &Place) -> Option<(usize, Vec<Document<'a>>)> {
    let all = documents(text);
    let index = all.iter().position(|document| start_of(text, document) == place.document.start)?;
    Some((index, all))
}

/// Where in the text one of its documents begins.
fn start_of(text: &str, document: &Document<'_>) -> usize {
    document.text.as_ptr() as usize - text.as_ptr() as usize
}
