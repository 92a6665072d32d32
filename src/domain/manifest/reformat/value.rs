//! How Flux writes the values at markers, and whether that is how we wrote them.
//!
//! Source: `kubernetes-sigs/kustomize:kyaml/yaml/compatibility.go` (`FormatNonStringStyle`); `yaml/go-yaml` v3.0.4,
//! `encode.go` (`node`).

use std::mem::discriminant;

use super::resolve::{Type, is_quoted, kept};
use crate::domain::manifest::{MarkedScalar, Style};

/// Whether Flux writes another source for `new`, which was `old` in `text`, than the one that stands there.
pub(super) fn rewritten(text: &str, old: &MarkedScalar, new: &MarkedScalar) -> bool {
    let own = own_tag(text, old);
    let tag = own.or_else(|| tag_before(text, old));
    let is_plain = matches!(old.style, Style::Plain);
    if matches!(old.style, Style::Block(_)) && new.value.is_empty() {
        return true;
    }
    let is_null = match tag {
        Some(tag) => tag == "!!null",
        None => is_plain && kept(&old.value) == Type::Null,
    };
    let (style, written_tag) = match (is_quoted(&new.value), tag) {
        // Nulls are never put in quotes, and lose those that they have.
        (true, _) if is_null => (Style::Plain, (kept(&new.value) != Type::Null).then_some("!!null")),
        (true, tag) if matches!(old.style, Style::Single | Style::Double) => {
            (old.style.clone(), tag.map(|_| "!!str"))
        }
        (true, _) => (Style::Double, None),
        (false, Some(tag)) => (old.style.clone(), Some(tag)),
        (false, None) if !is_plain => (old.style.clone(), None),
        (false, None) => match (kept(&old.value), kept(&new.value)) {
            (before, after) if before == after => (Style::Plain, None),
            (Type::Text, _) => (Style::Double, None),
            // The type of the old value stays, and is written.
            _ => return true,
        },
    };
    // What is within the old value's span went with it.
    let kept = tag.filter(|_| own.is_none());
    discriminant(&style) != discriminant(&new.style) || written_tag != kept
}

/// The tag at the beginning of a scalar's span, which goes when the value does.
fn own_tag<'a>(text: &'a str, scalar: &MarkedScalar) -> Option<&'a str> {
    let source = text.get(scalar.span.clone())?;
    source.split([' ', '\t']).next().filter(|word| word.starts_with('!'))
}

/// The tag before a scalar.
fn tag_before<'a>(text: &'a str, scalar: &MarkedScalar) -> Option<&'a str> {
    let before = text.get(..scalar.span.start).unwrap_or_default();
    let words = before.rsplit([' ', '\n']).filter(|word| !word.is_empty());
    words.take_while(|word| word.starts_with(['&', '!'])).find(|word| word.starts_with('!'))
}
