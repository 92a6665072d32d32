//! The reader for all of YAML: go-yaml's events, told to the fold.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::quality::FixedState;
use granit_parser::StructureStyle;

use super::YamlError;
use super::goyaml::{Error, Event, EventKind, Lines, Parser, Scalar};
use super::walk::{Comment, Last, Walker};

/// Tells `walker` what stands in the first document of `text`, a piece of a file.
///
/// # Errors
/// A syntax error, or what `walker` has against the document.
pub(super) fn read<'a>(text: &'a str, walker: &mut Walker<'a>) -> Result<(), YamlError> {
    let source = Source::new(text);
    let mut parser = Parser::new(&source.text);
    let mut teller =
        Teller { source: &source, walker, told: 0, open: Vec::new(), ends: 0, anchors: HashSet::new() };
    loop {
        let event = parser.next().map_err(|error| syntax_error(&error, &source.text))?;
        let comments = parser.comment_lines();
        teller.comments(comments, event.start.at);
        let is_end = matches!(event.kind, EventKind::DocumentEnd | EventKind::StreamEnd);
        let owned = teller.tell(event)?;
        teller.comments(comments, owned);
        if let Some(error) = teller.walker.take_error() {
            return Err(error);
        }
        if is_end {
            return Ok(());
        }
    }
}

fn syntax_error(error: &Error, text: &str) -> YamlError {
    // What is missing at the end is missing behind the last line.
    let last_line = text.trim_end().matches('\n').count();
    YamlError {
        line: error.mark.line.min(last_line) + 1,
        column: error.mark.column + 1,
        message: error.problem.to_owned(),
    }
}

/// The text as Flux gives it to go-yaml: with line feeds for `\r\n`.
struct Source<'a> {
    text: Cow<'a, str>,
    /// Where in it the line feeds stand that were two characters.
    shortened: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        if !text.contains("\r\n") {
            return Self { text: Cow::Borrowed(text), shortened: Vec::new() };
        }
        let places = text.match_indices("\r\n").enumerate();
        let shortened = places.map(|(before, (place, _))| place - before).collect();
        Self { text: Cow::Owned(text.replace("\r\n", "\n")), shortened }
    }

    /// The same place in the file's own text.
    fn place(&self, place: usize) -> usize {
        place + self.shortened.partition_point(|shortened| *shortened < place)
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }
}

/// Tells a walker of events and comments in the order in which they stand in the text.
struct Teller<'s, 'w, 'a> {
    source: &'s Source<'s>,
    walker: &'w mut Walker<'a>,
    /// How many comments were told.
    told: usize,
    /// The open collections.
    open: Vec<StructureStyle>,
    /// Ends of block collections that were not told yet: the comments before the next node come first.
    ends: usize,
    anchors: HashSet<String>,
}

impl Teller<'_, '_, '_> {
    /// Tells of the comments before `place` that were not told yet.
    fn comments(&mut self, lines: &[(Range<usize>, usize)], place: usize) {
        while let Some((span, line)) = lines.get(self.told).filter(|(span, _)| span.start < place) {
            self.walker.comment(self.source.range(span), line + 1);
            self.told += 1;
        }
    }

    /// Tells of an event; the place up to which comments belong to it.
    fn tell(&mut self, event: Event) -> Result<usize, YamlError> {
        let is_end = matches!(event.kind, EventKind::SequenceEnd | EventKind::MappingEnd);
        if is_end && self.open.pop() == Some(StructureStyle::Block) {
            self.ends += 1;
            return Ok(0);
        }
        (0..std::mem::take(&mut self.ends)).for_each(|_| self.walker.close());
        if is_end {
            self.walker.close();
            return Ok(0);
        }
        if self.open.is_empty() && is_null_tag(&event.tag) {
            self.walker.pass_over_document();
        }
        let properties = properties(event.anchor.as_deref(), &event.tag);
        let (line, column) = (event.place.line + 1, event.place.column);
        let mut owned = 0;
        match event.kind {
            EventKind::Alias(name) if self.anchors.contains(&name) => self.walker.alias(name, line),
            EventKind::Alias(name) => {
                let message = format!("unknown anchor '{name}' referenced");
                return Err(YamlError { line, column: column + 1, message });
            }
            EventKind::Scalar(ref scalar, ref comment) => {
                let comment = counting(comment).map(|span| span.start);
                owned = comment.map_or(0, |start| start + 1);
                self.scalar(&event, scalar, comment);
            }
            EventKind::SequenceStart(style) => {
                self.open.push(style);
                self.walker.open_sequence(style, column, line);
                self.walker.fold_properties(properties);
            }
            EventKind::MappingStart(style) => {
                self.open.push(style);
                self.walker.open_mapping(style, column);
                self.walker.fold_properties(properties);
            }
            _ => {}
        }
        self.anchors.extend(event.anchor);
        Ok(owned)
    }

    /// `comment` is where the comment that counts begins.
    fn scalar(&mut self, event: &Event, scalar: &Scalar, comment: Option<usize>) {
        // What an edit writes is a text, so a tag that says otherwise is a part of what it replaces.
        let tagged = tag_before(&self.source.text, event.place.at, &event.tag);
        let tag = if tagged.is_some() { "" } else { event.tag.as_str() };
        let span = self.source.range(&(event.place.at..event.end));
        let value = Cow::Owned(scalar.value.clone());
        let is_null = (!event.tag.is_empty() && event.tag != "!").then(|| is_null_tag(&event.tag));
        let mut last = Last::new(span, event.place.line + 1, scalar.style, value)
            .with_properties(properties(event.anchor.as_deref(), tag), is_null)
            .with_tag(tagged.map(|start| self.source.place(start)))
            .with_comment(Comment::Known(comment.map(|start| self.source.place(start))));
        if let Some(block) = scalar.block {
            last = last.with_block(block.indent, block.end.map(|end| self.source.place(end)));
        }
        if self.walker.is_at_key() { self.walker.key_scalar(last) } else { self.walker.scalar(last) }
    }
}

/// The comment, if it is one line: of more lines, none is a marker.
fn counting(comment: &Lines) -> Option<&Range<usize>> {
    let (first, rest) = comment.split_first()?;
    first.as_ref().filter(|_| rest.iter().all(Option::is_none))
}

/// Where the tag right before a scalar at `start` begins, if it is one of YAML's own and says that the scalar is no text.
fn tag_before(text: &str, start: usize, tag: &str) -> Option<usize> {
    let name = tag.strip_prefix(CORE).or_else(|| tag.strip_prefix("!!")).filter(|name| *name != "str")?;
    let before = text.get(..start)?.trim_end_matches([' ', '\t']);
    let spelled = [format!("!!{name}"), format!("!<{CORE}{name}>")];
    let spelled = spelled.iter().find(|spelled| before.ends_with(spelled.as_str()))?;
    Some(before.len() - spelled.len())
}

/// What the names of YAML's own types begin with.
const CORE: &str = "tag:yaml.org,2002:";

fn is_null_tag(tag: &str) -> bool {
    matches!(tag, "tag:yaml.org,2002:null" | "!!null")
}

/// A hash of a node's anchor and tag; 0 if it has neither.
fn properties(anchor: Option<&str>, tag: &str) -> u64 {
    if anchor.is_none() && tag.is_empty() {
        return 0;
    }
    FixedState::default().hash_one((anchor, tag))
}
