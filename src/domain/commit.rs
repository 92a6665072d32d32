//! A commit that is to be made: everything that decides about its id, and nothing else.
//!
//! Two equal specifications on the same parent make the same commit, to the byte; that is why the time is part of it
//! and is never asked from a clock later.

use super::object::Person;

/// Why Git would take no such message; `None`: it does.
pub fn message_defect(message: &str) -> Option<&'static str> {
    message.trim().is_empty().then_some("a commit needs a message")
}

/// One commit, complete before anything is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSpec {
    /// The commit it stands on, in hex; its tree is what `files` change.
    pub parent: String,
    /// Whose change it is.
    pub author: Person,
    /// Who made the commit.
    pub committer: Person,
    /// When: seconds since 1970 and the offset from UTC in minutes; of author and committer alike.
    pub time: (i64, i32),
    /// The message, byte for byte; nothing is trimmed or added.
    pub message: String,
    /// Paths from the repository's root and their new content, whole. A file that exists keeps its mode.
    pub files: Vec<(String, Vec<u8>)>,
}
