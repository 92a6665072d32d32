//! The reader for all of YAML: a full parser, whose events it tells to the fold.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use granit_parser::{Event, Parser, Span, Tag};

use super::YamlError;
use super::walk::{Last, Walker};

/// Tells `walker` what stands in the first document of `text`, a piece of a file.
///
/// # Errors
/// A syntax error, or what `walker` has against the document.
pub(super) fn read<'a>(text: &'a str, walker: &mut Walker<'a>) -> Result<(), YamlError> {
    for event in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            message: error.kind().to_string(),
        })?;
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        tell(text, event, &span, walker);
        if let Some(error) = walker.take_error() {
            return Err(error);
        }
    }
    Ok(())
}

fn tell<'a>(text: &'a str, event: Event<'a>, span: &Span, walker: &mut Walker<'a>) {
    let range = span.byte_range().unwrap_or_default();
    let (line, column) = (span.start.line(), span.start.col());
    match event {
        Event::Comment(..) => walker.comment(range, line),
        Event::Scalar(value, style, anchor, tag) => {
            let scalar = Last::new(range, line, style, value)
                .with_indent(span.indent.unwrap_or(0))
                .with_properties(properties(anchor, tag.as_deref()));
            if walker.is_at_key() { walker.key_scalar(scalar) } else { walker.scalar(scalar) }
        }
        Event::MappingStart(style, anchor, tag) => {
            walker.open_mapping(style, column);
            walker.fold_properties(properties(anchor, tag.as_deref()));
        }
        Event::SequenceStart(style, anchor, tag) => {
            walker.open_sequence(style, column, line);
            walker.fold_properties(properties(anchor, tag.as_deref()));
        }
        Event::MappingEnd | Event::SequenceEnd => walker.close(),
        Event::Alias(id) => {
            walker.alias(id, text.get(range).unwrap_or_default().trim_start_matches('*'));
        }
        _ => {}
    }
}

/// A hash of a node's anchor and tag; 0 if it has neither.
fn properties(anchor: usize, tag: Option<&Tag>) -> u64 {
    if anchor == 0 && tag.is_none() {
        return 0;
    }
    FixedState::default().hash_one((anchor, tag.map(|tag| (tag.handle(), tag.suffix()))))
}

/// How the full parser is asked to read. All three limits guard memory of streaming readers; the text is in memory
/// already.
pub(super) fn options() -> granit_parser::Options {
    granit_parser::options! {
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: 10_000,
        block_nesting_limit: 10_000,
    }
}
