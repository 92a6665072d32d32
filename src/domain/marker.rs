//! The marker: a comment such as `# {"$imagepolicy": "flux-system:podinfo:tag"}` that says which policy governs a value.
//!
//! Here a comment's text becomes a setter name, and a setter name becomes a policy and a part of its reference. Which
//! scalar a comment belongs to is the manifest's business, and what is written there the setters'.
//!
//! Source: `fluxcd/image-automation-controller:internal/update/filter.go`,
//! `kubernetes-sigs/kustomize:kyaml/fieldmeta/fieldmeta.go`.

mod long;
mod lookalike;
mod near;

use super::object::ObjectId;
use super::proposal::MarkerPart;

pub use near::{Malformed, comment_in, has_blank, malformed, mentions_key, text_of};

/// The key that makes a comment a marker.
const KEY: &str = "$imagepolicy";

/// The bytes without which Flux does not look into a file at all; both quotes belong to it.
pub const TOKEN: &[u8] = b"\"$imagepolicy\"";

/// The setter name in `comment` (the whole comment, `#` included), or `None` if the comment is no marker.
///
/// After its leading `#` a marker is one strict JSON object whose values are strings or `null`. Further keys are passed
/// over, of equal keys the last counts, and `null` counts as the empty name (which no policy has).
pub fn setter_of(comment: &str) -> Option<String> {
    let mut json = Json { rest: comment.trim_start_matches('#') };
    json.blanks();
    json.object()
}

/// Whether a comment in `text` may be a marker or mean to be one: it has the key, or a backslash with which the key may
/// be spelt otherwise.
pub fn may_be_in(text: &str) -> bool {
    mentions_key(text.as_bytes()) || memchr::memchr(b'\\', text.as_bytes()).is_some()
}

/// Which policy a setter name stands for, and which part of its reference; `Err` says what is wrong with the name.
///
/// # Errors
/// [`NameError`], for a name that is not `NAMESPACE:NAME`, `…:tag`, `…:name` or `…:digest`.
pub fn parse_setter(setter: &str) -> Result<(ObjectId, MarkerPart), NameError> {
    let mut words = setter.split(':');
    let (Some(namespace), Some(name)) = (words.next(), words.next()) else {
        return Err(NameError::NoNamespace);
    };
    if namespace.is_empty() || name.is_empty() {
        return Err(NameError::NoNamespace);
    }
    let suffix: Vec<&str> = words.collect();
    let part = match suffix.as_slice() {
        [] => MarkerPart::Whole,
        ["tag"] => MarkerPart::Tag,
        ["name"] => MarkerPart::Name,
        ["digest"] => MarkerPart::Digest,
        _ => return Err(NameError::BadSuffix(suffix.join(":"))),
    };
    Ok((ObjectId::new(namespace, name), part))
}

/// What is wrong with a setter name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing before or nothing after the first colon, or no colon.
    #[error("a marker names its policy as NAMESPACE:NAME")]
    NoNamespace,
    /// A third word that is none of the three.
    #[error("unknown suffix \":{0}\"; there are :tag, :name and :digest")]
    BadSuffix(String),
}

/// A reader of the little JSON that a marker may hold. We accept what Go's `encoding/json` decodes into a map of
/// strings, which `serde_json` does not quite do: a lone surrogate is no error there.
struct Json<'a> {
    rest: &'a str,
}

impl Json<'_> {
    /// The value of [`KEY`] in the one object that fills the text.
    fn object(&mut self) -> Option<String> {
        let mut setter = None;
        self.eat('{')?;
        self.blanks();
        if self.eat('}').is_none() {
            loop {
                self.blanks();
                let key = self.string()?;
                self.blanks();
                self.eat(':')?;
                self.blanks();
                let value = self.string_or_null()?;
                if key == KEY {
                    setter = Some(value);
                }
                self.blanks();
                if self.eat(',').is_none() {
                    self.eat('}')?;
                    break;
                }
            }
        }
        self.blanks();
        self.rest.is_empty().then_some(setter).flatten()
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let found = chars.next()?;
        self.rest = chars.as_str();
        Some(found)
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn string_or_null(&mut self) -> Option<String> {
        if let Some(rest) = self.rest.strip_prefix("null") {
            self.rest = rest;
            return Some(String::new());
        }
        self.string()
    }

    fn string(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut text = String::new();
        loop {
            let is_plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
            let plain = self.rest.bytes().take_while(|byte| is_plain(byte)).count();
            text.push_str(self.rest.get(..plain)?);
            self.rest = self.rest.get(plain..)?;
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// What follows `\u`: one character, or two halves of one; half a pair becomes U+FFFD as in Go.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.rest;
        if let Some(rest) = self.rest.strip_prefix("\\u") {
            self.rest = rest;
            let second = self.four_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            self.rest = before;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits =
            self.rest.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.rest = self.rest.get(4..)?;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is(comment: &str, setter: &str) {
        assert_eq!(setter_of(comment).as_deref(), Some(setter), "{comment}");
    }

    #[test]
    fn a_marker_is_one_json_object_of_strings_behind_any_number_of_hashes() {
        is(r#"# {"$imagepolicy": "apps:web"}"#, "apps:web");
        is(r#"#{"$imagepolicy":"apps:web"}"#, "apps:web");
        is("#   {  \"$imagepolicy\"\t:   \"apps:web\"  }   ", "apps:web");
        is(r#"# {"$imagepolicy": "apps:web"}"#, "apps:web");
        is(r#"# {"$imagepolicy": "apps:web", "note": null}"#, "apps:web");
        is(r#"# {"a": "b", "\u0024imagepolicy": "apps\u003aweb"}"#, "apps:web");
        is(r#"# {"$imagepolicy": "apps:web", "$imagepolicy": "apps:api"}"#, "apps:api");
        is(r#"# {"$imagepolicy": "apps:web", "x": "\ud800"}"#, "apps:web");
        is(r#"# {"$imagepolicy": "\ud83d\ude00"}"#, "😀");
        is(r#"# {"$imagepolicy": "apps:web", "$imagepolicy": null}"#, "");
    }

    #[test]
    fn anything_else_on_the_line_makes_it_no_marker() {
        for comment in [
            r#"# # {"$imagepolicy": "apps:web"}"#,
            r#"# keep {"$imagepolicy": "apps:web"}"#,
            r#"# {"$imagepolicy": "apps:web"} keep"#,
            r#"# {"$imagepolicy": "apps:web"} # keep"#,
            "# {'$imagepolicy': 'apps:web'}",
            r#"# {$imagepolicy: "apps:web"}"#,
            r#"# {"$imagepolicy": "apps:web", "pin": true}"#,
            r#"# {"$imagepolicy": "apps:web",}"#,
            r#"# {"$imagePolicy": "apps:web"}"#,
            "# {\"$imagepolicy\": \"apps:web\"}\u{a0}",
            "# {}",
            "# null",
            "#",
            "",
        ] {
            assert_eq!(setter_of(comment), None, "{comment}");
        }
    }

    #[test]
    fn no_marker_is_in_a_text_without_the_key_and_without_a_backslash() {
        for text in ["a: b # {\"$imagepolicy\": \"apps:web\"}", r#"a: b # {"\u0024imagepolicy": "apps:web"}"#]
        {
            assert!(may_be_in(text), "{text}");
        }
        assert!(!may_be_in("a: b # {\"imagepolicy\": \"$apps:web\"}"));
    }

    #[test]
    fn a_setter_name_has_a_policy_and_perhaps_a_part() {
        let id = ObjectId::new("apps", "web");
        assert_eq!(parse_setter("apps:web"), Ok((id.clone(), MarkerPart::Whole)));
        assert_eq!(parse_setter("apps:web:digest"), Ok((id, MarkerPart::Digest)));
        assert_eq!(parse_setter("apps:tag:tag"), Ok((ObjectId::new("apps", "tag"), MarkerPart::Tag)));
        assert_eq!(parse_setter("web"), Err(NameError::NoNamespace));
        assert_eq!(parse_setter("apps:web:"), Err(NameError::BadSuffix(String::new())));
        assert_eq!(parse_setter("apps:web:TAG"), Err(NameError::BadSuffix("TAG".into())));
    }

    proptest! {
        #[test]
        fn a_valid_marker_is_read_as_any_json_reader_reads_it(setter in "\\PC{0,20}", note in "\\PC{0,10}") {
            let json = serde_json::json!({ "note": note, "$imagepolicy": setter });
            prop_assert_eq!(setter_of(&format!("# {json}")), Some(setter));
        }

        #[test]
        fn no_comment_panics(comment in "#[ {}\"$imagepolcy:\\\\u0-9a-f,]{0,40}") {
            let _ = setter_of(&comment);
        }
    }
}
