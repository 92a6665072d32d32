//! The tree of one document: built from the parser's events, anchors followed, merge keys merged.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};

use super::{Document, YamlError};

/// How many nodes one document may grow to; aliases make a small text large.
const MAX_NODES: usize = 250_000;

/// A value and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What stands there.
    pub value: Value<'a>,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text, number, boolean or nothing, as written.
    Scalar {
        /// The text, escapes resolved.
        text: Cow<'a, str>,
        /// Whether it is a text whatever it looks like: quoted, a block, or tagged `!!str`.
        is_text: bool,
    },
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// A mapping, in the order of the file; no key occurs twice.
    Mapping(Vec<(Key<'a>, Node<'a>)>),
}

/// The key of an entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key.
    pub text: Cow<'a, str>,
}

impl<'a> Node<'a> {
    /// Parses one document; `None` if nothing is in it.
    ///
    /// # Errors
    /// The first thing that is no YAML, a key that occurs twice, a key that is no scalar, an unknown anchor, or a
    /// document that grows beyond 250,000 nodes.
    pub fn parse(document: Document<'a>) -> Result<Option<Self>, YamlError> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let mut builder = Builder { offset: document.line - 1, ..Builder::default() };
        for event in Parser::new_from_str_with_options(document.text, options) {
            let (event, span) = event.map_err(|error| {
                let mark = error.marker();
                YamlError::new(mark.line() + document.line - 1, mark.col() + 1, error.info())
            })?;
            builder.take(event, span)?;
        }
        Ok(builder.root)
    }

    /// The value of a mapping's entry.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(found, _)| found.text == key).map(|(_, value)| value)
    }

    /// The text of a scalar, unless it is null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> &[Self] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// Whether it is one of the spellings of nothing.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, is_text: false }
            if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// An error about this node.
    pub fn error(&self, message: impl Into<String>) -> YamlError {
        YamlError::new(self.line, self.column, message)
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::Sequence(items) => items.iter().map(Self::size).sum(),
            Value::Mapping(entries) => entries.iter().map(|(_, value)| 1 + value.size()).sum(),
        }
    }
}

/// A collection whose end has not been seen.
struct Open<'a> {
    node: Node<'a>,
    anchor: usize,
    key: Option<Key<'a>>,
}

#[derive(Default)]
struct Builder<'a> {
    /// Lines of the file before the document.
    offset: usize,
    nodes: usize,
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Node<'a>>,
    root: Option<Node<'a>>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: Span) -> Result<(), YamlError> {
        let (line, column) = (span.start.line() + self.offset, span.start.col() + 1);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.as_deref().is_some_and(is_string_tag);
                self.add(Node { line, column, value: Value::Scalar { text, is_text } }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(line, column, Value::Sequence(Vec::new()), anchor)
            }
            Event::MappingStart(_, anchor, _) => self.begin(line, column, Value::Mapping(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(line, column, anchor),
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        line: usize,
        column: usize,
        value: Value<'a>,
        anchor: usize,
    ) -> Result<(), YamlError> {
        // A collection in the place of a key.
        if let Some(Open { node: Node { value: Value::Mapping(_), .. }, key: None, .. }) = self.open.last() {
            return Err(YamlError::new(line, column, "a list or mapping is used as a key"));
        }
        self.open.push(Open { node: Node { line, column, value }, anchor, key: None });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(Open { mut node, anchor, .. }) = self.open.pop() else { return Ok(()) };
        if let Value::Mapping(entries) = &mut node.value {
            refuse_duplicates(entries)?;
            merge(entries);
        }
        self.add(node, anchor)
    }

    fn alias(&mut self, line: usize, column: usize, anchor: usize) -> Result<(), YamlError> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(YamlError::new(line, column, "an alias inside its own anchor"));
        };
        // Measured before it is copied: a bomb doubles with each alias.
        self.nodes += target.size();
        if self.nodes > MAX_NODES {
            return Err(YamlError::new(line, column, format!("more than {MAX_NODES} nodes in one document")));
        }
        let value = target.value.clone();
        self.add(Node { line, column, value }, 0)
    }

    /// Puts a complete node where it belongs: a key or value of the open mapping, an item of the open list, the root.
    fn add(&mut self, node: Node<'a>, anchor: usize) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(node.error(format!("more than {MAX_NODES} nodes in one document")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::Sequence(items) => items.push(node),
            Value::Mapping(entries) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                None => open.key = Some(key_of(node)?),
            },
            Value::Scalar { .. } => {}
        }
        Ok(())
    }
}

fn is_string_tag(tag: &Tag) -> bool {
    tag.core_suffix() == Some("str")
}

fn key_of(node: Node<'_>) -> Result<Key<'_>, YamlError> {
    match node.value {
        Value::Scalar { text, .. } => Ok(Key { line: node.line, column: node.column, text }),
        _ => Err(node.error("a list or mapping is used as a key")),
    }
}

/// Sorted rather than compared pair by pair: a hostile mapping has a hundred thousand keys.
fn refuse_duplicates(entries: &[(Key<'_>, Node<'_>)]) -> Result<(), YamlError> {
    let mut keys: Vec<&Key<'_>> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_by(|a, b| a.text.cmp(&b.text).then(a.line.cmp(&b.line)).then(a.column.cmp(&b.column)));
    let pairs = keys.windows(2).filter_map(|pair| match pair {
        [first, second] if first.text == second.text => Some((*first, *second)),
        _ => None,
    });
    match pairs.min_by_key(|(_, second)| (second.line, second.column)) {
        None => Ok(()),
        Some((first, second)) => Err(YamlError::new(
            second.line,
            second.column,
            format!("the key {:?} occurs twice, first on line {}", second.text, first.line),
        )),
    }
}

/// Replaces a merge key by the entries of what it names; keys of the mapping itself win, then earlier sources.
fn merge<'a>(entries: &mut Vec<(Key<'a>, Node<'a>)>) {
    let Some(place) = entries.iter().position(|(key, _)| key.text == "<<") else { return };
    let (_, source) = entries.remove(place);
    let sources = match source.value {
        Value::Sequence(items) => items,
        _ => vec![source],
    };
    for source in sources {
        let Value::Mapping(merged) = source.value else { continue };
        for (key, value) in merged {
            if !entries.iter().any(|(known, _)| known.text == key.text) {
                entries.push((key, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::documents;
    use super::*;

    fn parse(text: &str) -> Result<Option<Node<'_>>, YamlError> {
        documents(text).into_iter().next().map_or(Ok(None), Node::parse)
    }

    #[test]
    fn nodes_know_their_place_in_the_file() {
        let text = "a: 1\n---\nb:\n  - c: x\n    d: y\n";
        let root = Node::parse(documents(text)[1]).unwrap().unwrap();
        let d = root.get("b").unwrap().items()[0].get("d").unwrap();
        assert_eq!((d.line, d.column, d.text()), (5, 8, Some("y")));
    }

    #[test]
    fn a_key_that_occurs_twice_is_an_error_at_its_second_place() {
        let error = parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 1));
        assert_eq!(error.message, "the key \"a\" occurs twice, first on line 1");
    }

    #[test]
    fn tabs_as_indentation_are_an_error_with_a_place() {
        let error = parse("a:\n\tb: 1\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(!error.message.is_empty());
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let root = parse("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\n").unwrap().unwrap();
        let y = root.get("y").unwrap();
        assert_eq!(y.get("a").unwrap().text(), Some("1"));
        assert_eq!(y.get("b").unwrap().text(), Some("3"));
        assert_eq!(root.get("z").unwrap().get("b").unwrap().text(), Some("2"));
    }

    #[test]
    fn an_alias_bomb_ends_as_an_error() {
        let level = |level: usize| {
            format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "))
        };
        let levels = (1..10).map(level).collect::<String>();
        let text = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{levels}");
        let error = parse(&text).unwrap_err();
        assert!(error.message.starts_with("more than 250000 nodes"), "{error}");
    }

    #[test]
    fn line_ends_and_a_missing_last_one_make_no_difference() {
        for text in ["a: 1\r\nb: x\r\n", "a: 1\nb: x", "\u{feff}a: 1\nb: x\n"] {
            assert_eq!(parse(text).unwrap().unwrap().get("b").unwrap().text(), Some("x"), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[-a:&*<{}\\[\\],'\"|>\n\t #%!?.x]{0,80}") {
            for document in documents(&text) {
                let _ = Node::parse(document);
            }
        }
    }
}
