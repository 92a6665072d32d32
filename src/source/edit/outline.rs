//! A document as its author wrote it: which bytes each node has, aliases left as they are.

use std::ops::Range;

use granit_parser::{Event, Options, Parser, StructureStyle};

/// A node and its bytes within the document: of a scalar its source, anchor and tag left out; of a collection in braces all of
/// it; of a block from its first node to the end of its last.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) span: Range<usize>,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// A scalar or an alias.
    Leaf,
    Sequence {
        is_flow: bool,
        items: Vec<Outline>,
    },
    /// Keys and values.
    Mapping {
        is_flow: bool,
        entries: Vec<(Outline, Outline)>,
    },
}

impl Outline {
    /// The outline of a document that parses.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let mut builder = Builder::default();
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.ok()?;
            builder.take(&event, span.byte_range()?);
        }
        builder.root
    }

    /// The entry of a mapping whose key is the plain or quoted text `key`.
    pub(super) fn get(&self, text: &str, key: &str) -> Option<&(Self, Self)> {
        let Shape::Mapping { entries, .. } = &self.shape else { return None };
        entries.iter().find(|(found, _)| found.source(text).trim_matches(['"', '\'']) == key)
    }

    /// The member of a list of lists.
    pub(super) fn member(&self, text: &str, items: &[usize]) -> Option<&Self> {
        let Some((first, rest)) = items.split_first() else { return Some(self) };
        match &self.get(text, "items")?.1.shape {
            Shape::Sequence { items, .. } => items.get(*first)?.member(text, rest),
            _ => None,
        }
    }

    /// What is written there.
    pub(super) fn source<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.span.clone()).unwrap_or_default()
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Outline>,
}

/// A collection whose end has not been seen.
struct Open {
    start: usize,
    is_flow: bool,
    is_mapping: bool,
    /// Items, or keys and values in turn.
    nodes: Vec<Outline>,
}

impl Builder {
    fn take(&mut self, event: &Event<'_>, span: Range<usize>) {
        match event {
            Event::Scalar(..) | Event::Alias(_) => self.add(Outline { span, shape: Shape::Leaf }),
            Event::SequenceStart(style, ..) => self.begin(span.start, *style, false),
            Event::MappingStart(style, ..) => self.begin(span.start, *style, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(span.end),
            _ => {}
        }
    }

    fn begin(&mut self, start: usize, style: StructureStyle, is_mapping: bool) {
        let is_flow = style == StructureStyle::Flow;
        self.open.push(Open { start, is_flow, is_mapping, nodes: Vec::new() });
    }

    fn end(&mut self, end: usize) {
        let Some(Open { start, is_flow, is_mapping, nodes }) = self.open.pop() else { return };
        let last = nodes.last().map_or(start, |node| node.span.end);
        let span = start..if is_flow { end } else { last };
        let shape = if is_mapping {
            Shape::Mapping { is_flow, entries: pairs(nodes) }
        } else {
            Shape::Sequence { is_flow, items: nodes }
        };
        self.add(Outline { span, shape });
    }

    fn add(&mut self, node: Outline) {
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.root = Some(node),
        }
    }
}

fn pairs(nodes: Vec<Outline>) -> Vec<(Outline, Outline)> {
    let mut nodes = nodes.into_iter();
    std::iter::from_fn(|| Some((nodes.next()?, nodes.next()?))).collect()
}
