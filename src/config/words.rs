//! Values of the configuration that are one of a few words: refused while the file is read, where their place is known.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// `source`.
pub(super) fn source<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    value.deserialize_str(OneOf(&["auto", "files", "cluster", "both"])).map(Some)
}

/// `commit.author`.
pub(super) fn author<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    value.deserialize_str(OneOf(&["automation", "operator"])).map(Some)
}

/// `commit.sign`.
pub(super) fn sign<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    value.deserialize_str(OneOf(&["auto", "never"])).map(Some)
}

struct OneOf(&'static [&'static str]);

impl Visitor<'_> for OneOf {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {}", self.0.join(", "))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if self.0.contains(&text) { Ok(text.to_owned()) } else { Err(E::unknown_variant(text, self.0)) }
    }
}
