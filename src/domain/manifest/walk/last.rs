//! The scalar that was met last, and what is known of its comment.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use granit_parser::ScalarStyle;

/// What is known of the comment that belongs to a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comment {
    /// It begins at that byte, or there is none.
    Known(Option<usize>),
    /// It is, for now, the marker with that number, or none; what follows may change that.
    Open(Option<usize>),
}

/// The scalar last met, while a comment may still follow that decides about it.
pub(in super::super) struct Last<'a> {
    pub(super) span: Range<usize>,
    /// The first byte of the tag before it that an edit takes away with its value.
    pub(super) tag: Option<usize>,
    /// Of a block scalar, the columns of blanks before its content, and the end of its last line of content.
    pub(super) block: (usize, Option<usize>),
    pub(super) line: usize,
    pub(super) style: ScalarStyle,
    pub(super) value: Cow<'a, str>,
    /// A hash of its anchor and tag.
    pub(super) properties: u64,
    pub(super) is_null: bool,
    pub(super) comment: Comment,
}

impl<'a> Last<'a> {
    /// A scalar without anchor and tag. The span and line of a block scalar begin with its header.
    #[inline]
    pub(in super::super) fn new(
        span: Range<usize>,
        line: usize,
        style: ScalarStyle,
        value: Cow<'a, str>,
    ) -> Self {
        let is_null = style == ScalarStyle::Plain
            && (span.is_empty() || matches!(&*value, "~" | "null" | "Null" | "NULL"));
        let comment = Comment::Open(None);
        Self { span, tag: None, block: (0, None), line, style, value, properties: 0, is_null, comment }
    }

    /// The same with `properties`, a hash of its anchor and tag (0 if it has neither), and with what a tag says about
    /// its being null.
    pub(in super::super) fn with_properties(self, properties: u64, is_null: Option<bool>) -> Self {
        Self { properties, is_null: is_null.unwrap_or(self.is_null), ..self }
    }

    /// The same with the first byte of a tag that goes with its value.
    pub(in super::super) fn with_tag(self, tag: Option<usize>) -> Self {
        Self { tag, ..self }
    }

    /// The same with `indent` columns of blanks before the content of a block scalar, the last line of which ends at
    /// `end`, if there is any.
    pub(in super::super) fn with_block(self, indent: usize, end: Option<usize>) -> Self {
        Self { block: (indent, end), ..self }
    }

    /// The same with what is known of its comment.
    pub(in super::super) fn with_comment(self, comment: Comment) -> Self {
        Self { comment, ..self }
    }

    pub(super) fn is_block(&self) -> bool {
        matches!(self.style, ScalarStyle::Literal | ScalarStyle::Folded)
    }
}

impl Hash for Last<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_scalar(self.style, &self.value, self.properties, state);
    }
}

/// Few writes, for there are more scalars than anything else.
#[inline]
pub(super) fn hash_scalar(style: ScalarStyle, value: &str, properties: u64, state: &mut impl Hasher) {
    state.write_u64(properties ^ (style as u64) << 8 ^ (value.len() as u64) << 16);
    state.write(value.as_bytes());
}
