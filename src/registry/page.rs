//! One page of a tag list.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::wire_text;
use crate::domain::tags::Unsorted;

/// Reads the tags of one page, the body of `GET /v2/REPOSITORY/tags/list`, and puts them behind the others.
///
/// `tags` may be null or absent, which is none, unless the answer reports errors instead. The error says in words what the
/// body is; what was read before it is of no use then.
///
/// Sources: opencontainers/distribution-spec:spec.md, "Listing Tags" and "Error Codes".
pub(super) fn read_tags(body: &[u8], tags: &mut Unsorted) -> Result<(), String> {
    if body.trim_ascii_start().starts_with(b"<") {
        return Err("the answer is an HTML page, not a list of tags; this may be no registry".to_owned());
    }
    tags.reserve(body.len());
    // One look at the whole spares the reader one at each tag.
    let read = match std::str::from_utf8(body) {
        Ok(text) => read_page(serde_json::Deserializer::from_str(text), tags),
        Err(_) => read_page(serde_json::Deserializer::from_slice(body), tags),
    };
    match read {
        Ok(()) => Ok(()),
        Err(error) if error.is_eof() => {
            Err(format!("the list of tags is cut off after {} bytes", body.len()))
        }
        Err(error) => Err(format!("the answer is not a list of tags: {}", wire_text::unquoted(&error))),
    }
}

fn read_page<'b>(
    mut reader: serde_json::Deserializer<impl serde_json::de::Read<'b>>,
    tags: &mut Unsorted,
) -> serde_json::Result<()> {
    Page(tags).deserialize(&mut reader)?;
    reader.end()
}

/// Tags go from the text into the packed list, with no value of their own between.
struct Page<'t>(&'t mut Unsorted);

impl<'de> DeserializeSeed<'de> for Page<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let (mut listed, mut refused) = (false, false);
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "tags" if listed => return Err(A::Error::duplicate_field("tags")),
                "tags" => {
                    fields.next_value_seed(Tags(self.0))?;
                    listed = true;
                }
                _ => {
                    refused |= name == "errors";
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        if refused && !listed {
            return Err(A::Error::custom("it reports errors although its status is that of a success"));
        }
        Ok(())
    }
}

/// A list of tags, or nothing.
struct Tags<'t>(&'t mut Unsorted);

impl<'de> DeserializeSeed<'de> for Tags<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Tags<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of tags")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tags: A) -> Result<(), A::Error> {
        while tags.next_element_seed(Tag(self.0))?.is_some() {}
        Ok(())
    }
}

/// One tag.
struct Tag<'t>(&'t mut Unsorted);

impl<'de> DeserializeSeed<'de> for Tag<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Tag<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tag")
    }

    fn visit_str<E: Error>(self, tag: &str) -> Result<(), E> {
        self.0.push(tag);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags_of(body: &[u8]) -> Result<Vec<String>, String> {
        let mut tags = Unsorted::default();
        read_tags(body, &mut tags)?;
        Ok(tags.sorted().iter().map(str::to_owned).collect())
    }

    #[test]
    fn bodies_that_are_no_lists_are_named() {
        assert_eq!(tags_of(br#"{"name":"a","tags":["1","\u0032"]}"#).unwrap(), ["2", "1"]);
        for empty in [r#"{"name":"a","tags":null}"#, "{}", r#"{"tags":[],"errors":[]}"#] {
            assert_eq!(tags_of(empty.as_bytes()).unwrap(), Vec::<String>::new());
        }
        let named = [
            (" <!doctype html>", "HTML"),
            (r#"{"tags":["1","#, "cut off after 13 bytes"),
            (r#"{"tags":[1]}"#, "not a list of tags: invalid type: integer `1`, expected a tag"),
            (r#"{"tags":"hunter2"}"#, "not a list of tags: invalid type: string, expected an array of tags"),
            (r#"["1"]"#, "not a list of tags: invalid type: sequence, expected an object"),
            (r#"{"tags":["1"],"tags":["2"]}"#, "duplicate field `tags`"),
            (r#"{"tags":["1"]} x"#, "trailing characters"),
            (r#"{"errors":[{"code":"DENIED"}]}"#, "it reports errors"),
        ];
        for (body, says) in named {
            let error = tags_of(body.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_is_a_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = tags_of(&body);
        }
    }
}
