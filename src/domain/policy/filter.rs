//! `filterTags` and the exclusion list: which tags take part, and by which value.
//!
//! Source: fluxcd/image-reflector-controller, `internal/policy/filter.go`.

use std::ops::Range;

use super::expand::Template;
use super::goregex::{Pattern, RegexError, Slots};
use crate::domain::object::TagFilter;

/// `filterTags`, compiled.
#[derive(Debug)]
pub(super) struct Filter {
    /// The pattern as written.
    pub(super) spelled: String,
    /// The template as written.
    pub(super) extract: String,
    pub(super) pattern: Pattern,
    /// `None`: the whole tag is the value.
    template: Option<Template>,
}

/// The value of a tag that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A part of the tag.
    Span(Range<usize>),
    /// Something made of its parts, appended to the text that was handed over.
    Composed,
}

/// Values that are no part of their tag, one after another.
#[derive(Debug, Default)]
pub(super) struct Composed {
    pub(super) text: String,
    /// Whether they would be longer than [`MAX_COMPOSED`] together; what is there is of no use then.
    pub(super) is_too_long: bool,
}

/// How long the values that `extract` makes of all tags may be together, in bytes: a thousandth of it is much.
pub(super) const MAX_COMPOSED: usize = 64 << 20;

impl Composed {
    /// Puts the values of `other` behind these.
    pub(super) fn append(&mut self, other: &Self) {
        self.is_too_long |= other.is_too_long || self.text.len() + other.text.len() > MAX_COMPOSED;
        if !self.is_too_long {
            self.text.push_str(&other.text);
        }
    }

    /// Makes the value of `tag` by `template`.
    fn add(&mut self, template: &Template, tag: &str, slots: &Slots) {
        self.is_too_long = self.is_too_long || template.expanded_len(slots) > MAX_COMPOSED - self.text.len();
        if !self.is_too_long {
            template.expand(tag, slots, &mut self.text);
        }
    }
}

impl Filter {
    pub(super) fn new(filter: &TagFilter) -> Result<Self, RegexError> {
        let pattern = Pattern::new(&filter.pattern)?;
        let template = (!filter.extract.is_empty()).then(|| Template::new(&filter.extract, pattern.names()));
        Ok(Self { spelled: filter.pattern.clone(), extract: filter.extract.clone(), pattern, template })
    }

    /// Whether tags are compared by something else than themselves, so that two of them can have the same value.
    pub(super) fn extracts(&self) -> bool {
        self.template.is_some()
    }

    /// How many groups the pattern has, and how many of them the value is made of.
    pub(super) fn groups(&self) -> (usize, usize) {
        let used = self.template.as_ref().map(Template::groups).unwrap_or_default();
        let groups = self.pattern.names().len().saturating_sub(1);
        (groups, used.iter().filter(|group| **group > 0).count())
    }

    /// The name of the one group that the value takes something from, if it is one and has a name.
    pub(super) fn only_group(&self) -> Option<&str> {
        let groups = self.template.as_ref()?.groups();
        let name = self.pattern.names().get(*groups.first()?)?;
        (groups.len() == 1 && !name.is_empty()).then_some(name)
    }

    /// The value of `tag`, or `None` if it does not pass; a composed value is appended to `composed`.
    pub(super) fn value(&self, tag: &str, slots: &mut Slots, composed: &mut Composed) -> Option<Value> {
        if !self.pattern.find(tag, slots) {
            return None;
        }
        let Some(template) = &self.template else {
            return Some(Value::Span(0..tag.len()));
        };
        if let Some(span) = template.as_span(slots) {
            return Some(Value::Span(span));
        }
        composed.add(template, tag, slots);
        Some(Value::Composed)
    }

    /// The spans of the groups that the value was made of, from the run that found it.
    pub(super) fn extracts_in(&self, slots: &Slots) -> Vec<Range<usize>> {
        self.template.as_ref().map(|template| template.spans(slots)).unwrap_or_default()
    }
}

/// One rule of an exclusion list, compiled.
#[derive(Debug)]
pub(super) struct Exclusion {
    /// As written.
    pub(super) spelled: String,
    pub(super) pattern: Pattern,
}

impl Exclusion {
    pub(super) fn new(spelled: &str) -> Result<Self, RegexError> {
        Ok(Self { spelled: spelled.to_owned(), pattern: Pattern::new(spelled)? })
    }
}
