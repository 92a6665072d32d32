//! A tree as serde's input.
//!
//! An entry that is null counts as absent, as the API server has it.

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::YamlError;
use super::tree::{Key, Node, Value};

/// Reads a value out of a tree; a number, boolean or null where a text belongs is an error, as it is for the API
/// server.
///
/// # Errors
/// The first field that is missing or has the wrong type, with its place.
pub fn from_node<'n, T: Deserialize<'n>>(node: &'n Node<'_>) -> Result<T, YamlError> {
    T::deserialize(Reader { node, strict: true }).map_err(|error| error.at(node))
}

/// As [`from_node`], but a plain number or boolean passes for a text.
///
/// # Errors
/// As [`from_node`].
pub fn from_node_lenient<'n, T: Deserialize<'n>>(node: &'n Node<'_>) -> Result<T, YamlError> {
    T::deserialize(Reader { node, strict: false }).map_err(|error| error.at(node))
}

/// What serde calls an error, on its way out of the tree: it collects the field's path.
#[derive(Debug)]
struct FieldError {
    place: Option<(usize, usize)>,
    path: Vec<String>,
    message: String,
}

impl FieldError {
    fn at(mut self, node: &Node<'_>) -> YamlError {
        let (line, column) = self.place.unwrap_or((node.line, node.column));
        self.path.reverse();
        let mut field = String::new();
        for part in &self.path {
            if !field.is_empty() && !part.starts_with('[') {
                field.push('.');
            }
            field.push_str(part);
        }
        YamlError { line, column, field, message: self.message }
    }

    fn inside(mut self, part: String, node: &Node<'_>) -> Self {
        self.path.push(part);
        self.place.get_or_insert((node.line, node.column));
        self
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FieldError {}

impl de::Error for FieldError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { place: None, path: Vec::new(), message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { place: None, path: vec![field.to_owned()], message: "is missing".to_owned() }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}, found {}", name_of(found)))
    }
}

fn name_of(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "a mapping".to_owned(),
        de::Unexpected::Unit => "nothing".to_owned(),
        de::Unexpected::Str(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

#[derive(Clone, Copy)]
struct Reader<'n> {
    node: &'n Node<'n>,
    strict: bool,
}

/// What a plain scalar is in every version of YAML; words such as `yes` or `0777` that differ between them are texts.
fn type_of(text: &str) -> Option<&'static str> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && !has_leading_zero(text)
        && text.parse::<f64>().is_ok();
    match text {
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Some("the boolean"),
        _ if is_number => Some("the number"),
        _ => None,
    }
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

impl<'n> Reader<'n> {
    fn text(self) -> Result<&'n str, FieldError> {
        let Value::Scalar { text, is_text } = &self.node.value else {
            return Err(self.unexpected("a text"));
        };
        if self.node.is_null() {
            return Err(self.unexpected("a text"));
        }
        match type_of(text) {
            Some(kind) if self.strict && !is_text => {
                Err(de::Error::custom(format!("expected a text, found {kind} {text}: write it in quotes")))
            }
            _ => Ok(text),
        }
    }

    fn unexpected(self, expected: &str) -> FieldError {
        let found = match &self.node.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar { .. } if self.node.is_null() => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("{text:?}"),
        };
        de::Error::custom(format!("expected {expected}, found {found}"))
    }

    fn child(self, node: &'n Node<'n>) -> Self {
        Self { node, strict: self.strict }
    }
}

impl<'n> de::Deserializer<'n> for Reader<'n> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match &self.node.value {
            Value::Sequence(_) => self.deserialize_seq(visitor),
            Value::Mapping(_) => self.deserialize_map(visitor),
            Value::Scalar { .. } if self.node.is_null() => visitor.visit_unit(),
            Value::Scalar { text, is_text: true } => visitor.visit_borrowed_str(text),
            Value::Scalar { text, .. } => match (text.parse::<i64>(), type_of(text), boolean(text)) {
                (Ok(number), Some(_), _) => visitor.visit_i64(number),
                (_, Some("the boolean"), Some(value)) => visitor.visit_bool(value),
                _ => visitor.visit_borrowed_str(text),
            },
        }
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match &self.node.value {
            Value::Scalar { text, is_text: false } => match boolean(text) {
                Some(value) => visitor.visit_bool(value),
                None => Err(self.unexpected("true or false")),
            },
            _ => Err(self.unexpected("true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let Value::Sequence(items) = &self.node.value else { return Err(self.unexpected("a list")) };
        visitor.visit_seq(Items { items: items.iter().enumerate(), parent: self })
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let Value::Mapping(entries) = &self.node.value else { return Err(self.unexpected("a mapping")) };
        visitor.visit_map(Entries { rest: entries.iter(), value: None, parent: self })
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'n>>
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier
    }
}

struct Items<'n> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node<'n>>>,
    parent: Reader<'n>,
}

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let value = seed.deserialize(self.parent.child(node));
        value.map(Some).map_err(|error| error.inside(format!("[{index}]"), node))
    }
}

struct Entries<'n> {
    rest: std::slice::Iter<'n, (Key<'n>, Node<'n>)>,
    value: Option<&'n (Key<'n>, Node<'n>)>,
    parent: Reader<'n>,
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        self.value = self.rest.by_ref().find(|(_, value)| !value.is_null());
        let Some((key, _)) = self.value else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(&key.text)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, FieldError> {
        let Some((key, node)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for without a key"));
        };
        seed.deserialize(self.parent.child(node)).map_err(|error| error.inside(key.text.to_string(), node))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::documents;
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Shape {
        name: String,
        #[serde(default)]
        suspend: bool,
        #[serde(default)]
        list: Vec<String>,
        #[serde(default)]
        labels: BTreeMap<String, String>,
    }

    fn read(text: &str) -> Result<Shape, YamlError> {
        let node = Node::parse(documents(text)[0]).unwrap().unwrap();
        from_node(&node)
    }

    #[test]
    fn absent_and_null_are_the_same() {
        let shape = read("name: x\nsuspend:\nlist: ~\nother: {a: [1]}\n").unwrap();
        assert_eq!(shape, Shape { name: "x".into(), suspend: false, list: vec![], labels: BTreeMap::new() });
    }

    #[test]
    fn errors_name_the_field_and_the_place() {
        for (text, line, said) in [
            ("suspend: true\n", 1, "name: is missing"),
            ("name: x\nlist:\n  - a\n  - {b: 1}\n", 4, "list[1]: expected a text, found a mapping"),
            (
                "name: x\nlabels:\n  app: true\n",
                3,
                "labels.app: expected a text, found the boolean true: write it in quotes",
            ),
            ("name: 1.10\n", 1, "name: expected a text, found the number 1.10: write it in quotes"),
            ("name: x\nsuspend: maybe\n", 2, "suspend: expected true or false, found \"maybe\""),
            ("name: x\nlist: {}\n", 2, "list: expected a list, found a mapping"),
            ("- a\n", 1, "expected a mapping, found a list"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.line, error.to_string().as_str()), (line, said), "{text}");
        }
    }

    #[test]
    fn words_that_only_old_yaml_reads_as_something_else_are_texts() {
        for word in ["yes", "on", "0777", "1_000", "1.2.3", "v1", ".", "inf", "1e3x", "08"] {
            assert_eq!(read(&format!("name: {word}\n")).unwrap().name, word);
        }
    }
}
