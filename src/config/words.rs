//! Values of the configuration that are one of a few words, or of a form: refused while the file is read, where their place is known.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::SourceChoice;

/// `source`.
pub(super) fn source<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SourceChoice>, D::Error> {
    let words = &[
        ("auto", SourceChoice::Auto),
        ("files", SourceChoice::Files),
        ("cluster", SourceChoice::Cluster),
        ("both", SourceChoice::Both),
    ];
    value.deserialize_str(OneOf(words)).map(Some)
}

/// `commit.author`: whether it is the operator.
pub(super) fn author<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    value.deserialize_str(OneOf(&[("automation", false), ("operator", true)])).map(Some)
}

/// `commit.sign`: whether anything is signed.
pub(super) fn sign<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    value.deserialize_str(OneOf(&[("auto", true), ("never", false)])).map(Some)
}

/// The words, and what they mean.
struct OneOf<T: 'static>(&'static [(&'static str, T)]);

impl<T: Copy> Visitor<'_> for OneOf<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        write!(formatter, "one of {}", words.join(", "))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let known = self.0.iter().find(|(word, _)| *word == text);
        known
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// One of `commit.trailers`: the key of a trailer, or a whole one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trailer(pub(super) String);

impl<'de> Deserialize<'de> for Trailer {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_str(TrailerReader)
    }
}

/// Refuses a trailer while its text is being read: what is refused later is put down to the whole list.
struct TrailerReader;

impl Visitor<'_> for TrailerReader {
    type Value = Trailer;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a trailer")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Trailer, E> {
        let key = text.split(':').next().unwrap_or_default();
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_key && !text.contains('\n') {
            return Ok(Trailer(text.to_owned()));
        }
        Err(E::custom(format!("{text:?} is no key of a trailer")))
    }
}
