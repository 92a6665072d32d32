//! A commit that is to be made: everything that decides about its id, and nothing else.
//!
//! Two equal specifications on the same parent make the same commit, to the byte; that is why the time is part of it
//! and is never asked from a clock later.

use super::object::Person;

/// Why Git would take no such message; `None`: it does.
pub fn message_defect(message: &str) -> Option<&'static str> {
    if message.contains('\0') {
        return Some("the message of a commit holds no NUL");
    }
    message.trim().is_empty().then_some("a commit needs a message")
}

/// The message with trailers behind it: `KEY: WHO` for each key, one that is a whole trailer already as it is.
///
/// They join the trailers that the message ends with, else they are a paragraph of their own.
///
/// Source: git-interpret-trailers(1).
pub fn with_trailers(message: &str, trailers: &[String], who: &Person) -> String {
    if trailers.is_empty() {
        return message.to_owned();
    }
    let body = message.trim_end();
    let last = body.rsplit_once("\n\n").map_or("", |(_, last)| last);
    let has_some = !last.is_empty() && last.lines().all(is_trailer);
    let mut text = format!("{body}{}", if has_some { "\n" } else { "\n\n" });
    for trailer in trailers {
        let line = if trailer.contains(':') { trailer.clone() } else { format!("{trailer}: {who}") };
        if !last.lines().any(|known| known == line) {
            text.extend([line.as_str(), "\n"]);
        }
    }
    text
}

/// Whether `found` is `planned`, with or without trailers behind it.
pub fn is_message(found: &str, planned: &str) -> bool {
    let added = found.strip_prefix(planned.trim_end());
    found == planned
        || added.is_some_and(|added| added.lines().all(|line| line.is_empty() || is_trailer(line)))
}

/// `Reviewed-by: Rita <rita@example.com>`.
fn is_trailer(line: &str) -> bool {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    line.split_once(": ").is_some_and(|(key, _)| is_key(key))
}

/// One commit, complete before anything is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSpec {
    /// The commit it stands on, in hex; its tree is what `files` change. `None`: the first of a history.
    pub parent: Option<String>,
    /// Whose change it is.
    pub author: Person,
    /// Who made the commit.
    pub committer: Person,
    /// When: seconds since 1970 and the offset from UTC in minutes; of author and committer alike.
    pub time: (i64, i32),
    /// The message, byte for byte; nothing is trimmed or added.
    pub message: String,
    /// Paths from the repository's root and their new content. A file that exists keeps its mode.
    pub files: Vec<(String, Content)>,
}

/// What a file of a commit shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What the repository has already under this id of a blob, in hex.
    Blob(String),
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_stand_in_the_last_paragraph_and_only_once() {
        let rita = Person { name: "Rita".into(), email: "rita@example.com".into() };
        let with = |message: &str, trailers: &[&str]| {
            let trailers: Vec<String> = trailers.iter().map(|text| (*text).to_owned()).collect();
            with_trailers(message, &trailers, &rita)
        };
        let reviewed = "Reviewed-by: Rita <rita@example.com>\n";
        assert_eq!(with("Update", &[]), "Update");
        assert_eq!(with("Update\n", &["Reviewed-by"]), format!("Update\n\n{reviewed}"));
        assert_eq!(with("feat: x", &["Reviewed-by"]), format!("feat: x\n\n{reviewed}"));
        let body = "Update\n\nBody: text of it\n\nTicket: 7\n";
        assert_eq!(with(body, &["Reviewed-by", "Ticket: 7"]), format!("{body}{reviewed}"));
    }

    #[test]
    fn a_message_is_known_with_trailers_behind_it() {
        for (found, is) in [
            ("Update\n", true),
            ("Update\n\nReviewed-by: Rita <r@x>\n", true),
            ("Update more\n", false),
            ("Update\n\nand more\n", false),
        ] {
            assert_eq!(is_message(found, "Update\n"), is, "{found:?}");
        }
    }
}
