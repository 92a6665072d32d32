//! A request taken apart: the raw texts of its keys, each read when it is asked for, so that an error names its place.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

/// What is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct RequestError(String);

impl RequestError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The keys of a request, each with its value's own text.
pub(super) struct Fields<'r> {
    text: &'r str,
    members: Vec<(Cow<'r, str>, &'r str)>,
}

impl<'r> Fields<'r> {
    /// Reads the outline of a request.
    pub(super) fn read(request: &'r [u8]) -> Result<Self, RequestError> {
        let text = std::str::from_utf8(request)
            .map_err(|error| RequestError(format!("no UTF-8 at byte {}", error.valid_up_to())))?;
        serde_json::from_str::<IgnoredAny>(text)
            .map_err(|error| RequestError(format!("no JSON: {}", placed(&error, 0))))?;
        let inside = text.trim_ascii().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let inside = inside.ok_or_else(|| RequestError("no JSON object".to_owned()))?;
        Ok(Self { text, members: members(inside)? })
    }

    /// The text of the value of `key`.
    pub(super) fn raw(&self, key: &str) -> Option<&'r str> {
        self.members.iter().rev().find(|(own, _)| own == key).map(|(_, value)| *value)
    }

    /// The value of `key`, which must be there.
    pub(super) fn required<T: DeserializeOwned>(&self, key: &str) -> Result<T, RequestError> {
        match self.raw(key) {
            Some(value) => self.parse(key, value),
            None => Err(self.error(key, "missing")),
        }
    }

    /// The value of `key`; `None` if it is null or not there.
    pub(super) fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, RequestError> {
        self.raw(key).map_or(Ok(None), |value| self.parse(key, value))
    }

    /// The same for an object, whose keys are those of `T`.
    pub(super) fn object<T: DeserializeOwned>(&self, key: &str) -> Result<T, RequestError> {
        self.required(key).map(|Object(value)| value)
    }

    /// What is wrong with the value of `key`.
    #[expect(clippy::unused_self, reason = "an error belongs to a request")]
    pub(super) fn error(&self, key: &str, what: impl fmt::Display) -> RequestError {
        RequestError(format!("{key}: {what}"))
    }

    fn parse<T: DeserializeOwned>(&self, key: &str, value: &str) -> Result<T, RequestError> {
        let offset = value.as_ptr().addr() - self.text.as_ptr().addr();
        serde_json::from_str(value).map_err(|error| self.error(key, placed(&error, offset)))
    }
}

/// An error with its place in a request whose first line it is about, `offset` bytes behind its beginning.
fn placed(error: &serde_json::Error, offset: usize) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    match text.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(what) if line == 1 => format!("{what} at column {}", offset + column),
        _ => text,
    }
}

/// The keys and values of an object from the text between its braces, which is known to be JSON.
fn members(inside: &str) -> Result<Vec<(Cow<'_, str>, &str)>, RequestError> {
    let mut found = Vec::new();
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut start, mut colon) = (0, None);
    let mut member = |start: usize, colon: Option<usize>, end: usize| -> Result<(), RequestError> {
        let Some(colon) = colon else { return Ok(()) };
        let (key, value) = (inside.get(start..colon), inside.get(colon + 1..end));
        found.push((key_of(key.unwrap_or_default())?, value.unwrap_or_default().trim_ascii()));
        Ok(())
    };
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => colon = Some(at),
            b',' if depth == 0 => {
                member(start, colon, at)?;
                (start, colon) = (at + 1, None);
            }
            _ => {}
        }
    }
    member(start, colon, inside.len())?;
    Ok(found)
}

/// What a key in its quotes is.
fn key_of(quoted: &str) -> Result<Cow<'_, str>, RequestError> {
    let quoted = quoted.trim_ascii();
    match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(key) if !key.contains('\\') => Ok(Cow::Borrowed(key)),
        _ => serde_json::from_str(quoted)
            .map(Cow::Owned)
            .map_err(|error| RequestError(format!("no JSON: key {quoted}: {error}"))),
    }
}

/// A value that is written as a JSON object and in no other way; what serde derives takes an array of the fields too.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// For `#[serde(deserialize_with)]`: an optional [`Object`].
pub(super) fn optional_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}
