//! YAML documents as trees that remember where everything stood.
//!
//! [`documents`] cuts a stream into documents without parsing it, so that a broken one costs only itself;
//! [`Node::parse`] reads one; [`from_node`] hands it to serde, with errors that name field, line and column.
//! Editing files is not done here but on spans, by [`crate::domain`].

mod de;
mod tree;

use std::fmt;

pub use de::{from_node, from_node_lenient};
pub use tree::{Key, Node, Value};

/// Why a document was not read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// The line in the file, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The field it is about, such as `spec.interval`; empty if it is about the text itself.
    pub field: String,
    /// What is wrong, in lower case.
    pub message: String,
}

impl YamlError {
    /// An error about the text at a place.
    pub fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, field: String::new(), message: message.into() }
    }
}

impl fmt::Display for YamlError {
    /// `FIELD: MESSAGE`, without the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for YamlError {}

/// One document of a stream, not parsed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a> {
    /// The line of the file on which its text begins, from 1.
    pub line: usize,
    /// Its text, a leading `---` included.
    pub text: &'a str,
}

/// Cuts a stream at its document markers; a byte order mark at the front is left out.
///
/// This needs no parser: YAML forbids `---` and `...` at the start of a line inside any scalar (YAML 1.2.2, rule
/// `c-forbidden`). Parts that hold only comments, directives and blanks are left out.
pub fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let mut start = 0;
    let mut start_line = 1;
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let (begins, ends) = (is_marker(line, "---"), is_marker(line, "..."));
        if begins || ends {
            push_document(&mut found, text.get(start..offset), start_line);
            start = if begins { offset } else { offset + line.len() };
            start_line = if begins { index + 1 } else { index + 2 };
        }
        offset += line.len();
    }
    push_document(&mut found, text.get(start..), start_line);
    found
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn push_document<'a>(found: &mut Vec<Document<'a>>, text: Option<&'a str>, line: usize) {
    let text = text.unwrap_or_default();
    let has_content = |line: &str| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        !line.is_empty() && !line.starts_with(['#', '%'])
    };
    if text.lines().any(has_content) {
        found.push(Document { line, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stream: &str) -> Vec<(usize, &str)> {
        documents(stream).into_iter().map(|document| (document.line, document.text)).collect()
    }

    #[test]
    fn streams_are_cut_at_their_markers() {
        assert_eq!(texts("a: 1\n---\nb: 2\n"), [(1, "a: 1\n"), (2, "---\nb: 2\n")]);
        assert_eq!(texts("---\n# only words\n---\r\nb: 2"), [(3, "---\r\nb: 2")]);
        assert_eq!(texts("a: 1\n...\nb: 2\n"), [(1, "a: 1\n"), (3, "b: 2\n")]);
        assert_eq!(texts("%YAML 1.2\n--- {a: 1}\n"), [(2, "--- {a: 1}\n")]);
        assert_eq!(texts("\u{feff}a: 1"), [(1, "a: 1")]);
        assert_eq!(texts("a: ---\n---b: 1\n ---\n"), [(1, "a: ---\n---b: 1\n ---\n")]);
        assert_eq!(texts(""), []);
    }
}
