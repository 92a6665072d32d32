//! Comments that were meant as markers and are none: what is wrong with each, and how it should read.
//!
//! Flux passes over them without a word. Here the key is looked for in any case and in any quotes, then one that looks like
//! it, and what is found is read as a person would read it.

use super::{KEY, long, lookalike, parse_setter, setter_of};

/// A comment that means to be a marker and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The policy that it names, as far as that can be made out; may be empty.
    pub setter: String,
    /// What is wrong with it.
    pub message: String,
    /// The comment as it was meant, without its `#`; `None` if it names no policy.
    pub fix: Option<String>,
}

/// What is said of the long form, which Flux sets in files that have the short one somewhere.
const LONG_FORM: &str =
    "this long form of a marker is none to supercargo, and to Flux only in a file with a short one";

/// A marker's text without its `#`.
pub fn text_of(setter: &str) -> String {
    format!("{{\"{KEY}\": \"{setter}\"}}")
}

/// Whether `text` has the key, in whatever case, or a comment with one that looks like it, or with the long form of a marker.
pub fn mentions_key(text: &[u8]) -> bool {
    key_at(text).is_some() || lookalike::is_in(text) || long::is_in(text)
}

/// What is wrong with `comment` (`#` included) if it means to be a marker; `None` if it is one, or speaks of other things.
pub fn malformed(comment: &str) -> Option<Malformed> {
    if setter_of(comment).is_some_and(|setter| !has_blank(&setter)) {
        return None;
    }
    if let Some(setter) = long::setter_of(comment) {
        let fix = Some(text_of(&setter));
        return Some(Malformed { setter, message: LONG_FORM.to_owned(), fix });
    }
    let reading = Reading::of(comment)?;
    let found: Vec<&str> =
        FAULTS.iter().filter(|(is_so, _)| is_so(&reading)).map(|(_, text)| *text).collect();
    let message =
        if found.is_empty() { "it is not one JSON object of texts".to_owned() } else { found.join("; ") };
    let setter: String = reading.value.chars().filter(|c| !c.is_whitespace()).collect();
    let is_plain = setter.chars().all(|c| c.is_ascii_graphic() && !is_quote(c) && c != '\\');
    // Which of several is meant is not for us to say.
    let is_one = !has_several(&reading);
    let fix = (is_one && is_plain && parse_setter(&setter).is_ok()).then(|| text_of(&setter));
    Some(Malformed { setter, message, fix })
}

/// Where a comment in `line` begins that is a marker or means to be one.
pub fn comment_in(line: &str) -> Option<usize> {
    if !mentions_key(line.as_bytes()) {
        return None;
    }
    let starts = line.match_indices('#').map(|(at, _)| at);
    let mut starts = starts.filter(|at| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    starts.find(|at| {
        let comment = line.get(*at..).unwrap_or_default().trim_end();
        setter_of(comment).is_some() || malformed(comment).is_some()
    })
}

fn key_at(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'$', text).find(|at| {
        let end = at + KEY.len();
        text.get(*at..end).is_some_and(|word| word.eq_ignore_ascii_case(KEY.as_bytes()))
            && !text.get(end).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_')
    })
}

/// Whether a setter's name has a blank in it, which no policy's name has.
pub fn has_blank(setter: &str) -> bool {
    setter.contains(char::is_whitespace)
}

/// A comment taken apart, with patience.
struct Reading<'a> {
    /// What stands before the brace, or before the key if there is no brace.
    lead: &'a str,
    key: &'a str,
    key_quote: Option<char>,
    value: &'a str,
    value_quote: Option<char>,
    /// From the opening brace, if there is one, to the closing brace, if there is one.
    object: &'a str,
    is_open: bool,
    is_closed: bool,
    /// What stands behind the closing brace.
    tail: &'a str,
}

impl<'a> Reading<'a> {
    fn of(comment: &'a str) -> Option<Self> {
        let body = comment.trim_start_matches('#');
        let key = key_at(body.as_bytes()).map(|at| at..at + KEY.len());
        let key = key.or_else(|| lookalike::key_in(body))?;
        let (before, rest) = body.split_at_checked(key.start)?;
        let (key, after) = rest.split_at_checked(key.len())?;
        let key_quote = before.chars().next_back().filter(|c| is_quote(*c));
        let open = before.find('{');
        if key_quote.is_none() && open.is_none() {
            return None;
        }
        let start = open.unwrap_or_else(|| before.trim_end_matches(is_quote).len());
        let (lead, object) = body.split_at_checked(start)?;
        let close = object.rfind('}').map(|at| at + 1);
        let (object, tail) = object.split_at_checked(close.unwrap_or(object.len()))?;
        let (value_quote, value) = value_of(after);
        let (is_open, is_closed) = (open.is_some(), close.is_some());
        Some(Self { lead, key, key_quote, value, value_quote, object, is_open, is_closed, tail })
    }

    fn has_other_key(&self) -> bool {
        !self.key.eq_ignore_ascii_case(KEY)
    }

    fn has_other_case(&self) -> bool {
        self.key != KEY && !self.has_other_key()
    }

    fn has_plain_quote(&self, wanted: char) -> bool {
        [self.key_quote, self.value_quote].contains(&Some(wanted))
    }
}

/// Whether a value is none that a marker can have, in an object that JSON can be read from.
fn has_other_value(it: &Reading<'_>) -> bool {
    let parsed = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(it.object);
    parsed.is_ok_and(|map| map.values().any(|value| !value.is_string() && !value.is_null()))
}

/// Whether the key stands in it more than once: of a comment one object is read.
fn has_several(it: &Reading<'_>) -> bool {
    let keys = it.object.as_bytes();
    let first = key_at(keys).map(|at| at + KEY.len());
    first.and_then(|end| keys.get(end..)).is_some_and(|rest| key_at(rest).is_some())
}

/// The quote before the value and the value, given what follows the key; without a quote it has a letter or a digit at least.
pub(super) fn value_of(after: &str) -> (Option<char>, &str) {
    let text = after.trim_start_matches(is_quote).trim_start();
    let text = text.strip_prefix([':', '=', '：']).unwrap_or(text).trim_start();
    let quote = text.chars().next().filter(|c| is_quote(*c));
    if let Some(quote) = quote {
        let inner = text.get(quote.len_utf8()..).unwrap_or_default();
        return (Some(quote), inner.split(|c| is_quote(c) || c == '}').next().unwrap_or_default());
    }
    let value = text.split([',', '}']).next().unwrap_or_default().trim().trim_end_matches(is_quote);
    (None, if value.contains(char::is_alphanumeric) { value } else { "" })
}

/// Quotes that programs for prose put in place of the plain ones.
const TYPOGRAPHIC: &[char] =
    &['“', '”', '„', '‟', '‘', '’', '‚', '‛', '«', '»', '‹', '›', '″', '′', '＂', '＇'];

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '´') || TYPOGRAPHIC.contains(&c)
}

/// Whether a comment has a fault.
type Fault = fn(&Reading<'_>) -> bool;

/// What can be wrong, and what is said of it; all that apply are said.
const FAULTS: &[(Fault, &str)] = &[
    (|it| it.lead.contains('#'), "a second # stands before it"),
    (
        |it| !it.lead.trim_matches(['#', ' ', '\t']).is_empty(),
        "text stands before it; give that a line of its own",
    ),
    (
        |it| it.object.contains(TYPOGRAPHIC),
        "the quotes are typographic ones, as they come with text copied from a page; only \" will do",
    ),
    (|it| it.has_plain_quote('\''), "the quotes are single ones; only \" will do"),
    (|it| it.has_plain_quote('`') || it.has_plain_quote('´'), "the quotes are accents; only \" will do"),
    (|it| !it.is_open, "the opening brace is missing"),
    (|it| it.key_quote.is_none(), "the key has no quotes"),
    (|it| it.has_other_case(), "the key is $imagepolicy, in small letters"),
    (|it| it.has_other_key(), "Flux knows no other key than $imagepolicy and passes the comment over"),
    (|it| it.value.is_empty(), "it names no policy"),
    (has_several, "two markers stand in one comment, and a value takes one; leave one of them"),
    (|it| it.value_quote.is_none() && !it.value.is_empty(), "the value has no quotes"),
    (|it| has_blank(it.value), "a blank stands inside of the value"),
    (has_other_value, "every value has to be a text in quotes"),
    (
        |it| it.object.strip_suffix('}').is_some_and(|inner| inner.trim_end().ends_with(',')),
        "a comma stands before the closing brace",
    ),
    (|it| !it.is_closed, "the closing brace is missing"),
    (|it| !it.tail.trim().is_empty(), "text stands behind it; give that a line of its own"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEANT: &str = r#"{"$imagepolicy": "apps:web:tag"}"#;

    #[test]
    fn each_kind_of_malformed_marker_is_named_and_mended() {
        for (comment, fault) in [
            ("# {“$imagepolicy”: “apps:web:tag”}", "typographic"),
            ("# {„$imagepolicy“: „apps:web:tag“}", "typographic"),
            ("# {‘$imagepolicy’: ’apps:web:tag’}", "typographic"),
            ("# {\"$imagepolicy\": \"apps:web:tag”}", "typographic"),
            ("# {'$imagepolicy': 'apps:web:tag'}", "single"),
            ("# {`$imagepolicy`: `apps:web:tag`}", "accents"),
            (r#"# {$imagepolicy: "apps:web:tag"}"#, "the key has no quotes"),
            (r#"# {"$imagepolicy": apps:web:tag}"#, "the value has no quotes"),
            (r#"# {"$imagepolicy": "apps:web:tag",}"#, "a comma stands before"),
            (r#"# {"$imagepolicy": "apps:web:tag"} keep"#, "text stands behind"),
            (r#"# {"$imagepolicy": "apps:web:tag"} # keep"#, "text stands behind"),
            (r#"# keep {"$imagepolicy": "apps:web:tag"}"#, "text stands before"),
            (r#"# # {"$imagepolicy": "apps:web:tag"}"#, "a second #"),
            (r#"# {"$imagePolicy": "apps:web:tag"}"#, "small letters"),
            (r#"# {"$imagepolicies": "apps:web:tag"}"#, "no other key"),
            (r#"# {"$image-policy": "apps:web:tag"}"#, "no other key"),
            (r#"# {"imagepolicy": "apps:web:tag"}"#, "no other key"),
            ("# {imagepolicy: apps:web:tag}", "the key has no quotes"),
            (r#"# {"$imagepolicy": "apps:web:tag", "pin": true}"#, "a text in quotes"),
            (r#"# {"$imagepolicy": "apps:web:tag "}"#, "a blank stands inside"),
            (r#"# {"$imagepolicy": "apps: web:tag"}"#, "a blank stands inside"),
            (r#"# {"$imagepolicy": "apps:web:tag""#, "the closing brace is missing"),
            (r#"# "$imagepolicy": "apps:web:tag""#, "the opening brace is missing"),
        ] {
            let found = malformed(comment).unwrap();
            assert!(found.message.contains(fault), "{comment}: {}", found.message);
            assert_eq!(found.fix.as_deref(), Some(MEANT), "{comment}");
            assert_eq!(found.setter, "apps:web:tag", "{comment}");
        }
    }

    #[test]
    fn the_long_form_is_told_with_the_short_one() {
        let found = malformed(r##"# {"$ref":"#/definitions/io.k8s.cli.setters.apps:web:tag"}"##).unwrap();
        assert_eq!((found.setter.as_str(), found.fix.as_deref()), ("apps:web:tag", Some(MEANT)));
        assert!(found.message.contains("long form"), "{}", found.message);
    }

    #[test]
    fn a_single_fault_is_all_that_is_said() {
        let message = |comment: &str| malformed(comment).unwrap().message;
        assert_eq!(message(r#"# {"$imagepolicy": "apps:web",}"#), "a comma stands before the closing brace");
        assert_eq!(message("# {'$imagepolicy': 'apps:web'}"), "the quotes are single ones; only \" will do");
        assert_eq!(
            message(r#"# {"$imagepolicies": "apps:web"}"#),
            "Flux knows no other key than $imagepolicy and passes the comment over"
        );
        assert_eq!(message(r#"# # {"$imagepolicy": "apps:web"}"#), "a second # stands before it");
        assert_eq!(
            message(r#"# {"$imagepolicy": "apps:web" "x": "y"}"#),
            "it is not one JSON object of texts"
        );
    }

    #[test]
    fn of_two_markers_in_one_comment_none_is_taken_away_unsaid() {
        for second in [r#"{"$imagepolicy": "apps:db"}"#, r#"# {"$imagepolicy": "apps:web:tag"}"#] {
            let found = malformed(&format!("# {MEANT} {second}")).unwrap();
            assert!(found.message.contains("two markers"), "{}", found.message);
            assert_eq!(found.fix, None, "{second}");
        }
        let list = malformed(r#"# ["$imagepolicy"]"#).unwrap();
        assert_eq!((list.setter.as_str(), list.fix), ("", None));
        assert!(list.message.contains("it names no policy"), "{}", list.message);
    }

    #[test]
    fn what_names_no_policy_is_not_mended() {
        for comment in ["# {'$imagepolicy'}", r#"# {"$imagepolicy": 5}"#, r#"# see "$imagepolicy""#] {
            assert_eq!(malformed(comment).unwrap().fix, None, "{comment}");
        }
    }

    #[test]
    fn markers_and_other_comments_are_left_alone() {
        for comment in [
            r#"# {"$imagepolicy": "apps:web"}"#,
            r#"## {"$imagepolicy": "apps:nobody:TAG"}"#,
            "# the $imagepolicy comment below is a marker",
            "# {\"$imagepolicyref\": \"x\"}",
            "# image policy {}",
            r##"# {"$ref":"#/definitions/io.k8s.cli.setters.imagepolicy"}"##,
            r#"# {"$openapi":"imagepolicy"}"#,
            r#"# {"$kpt-set": "imagepolicy"}"#,
        ] {
            assert_eq!(malformed(comment), None, "{comment}");
        }
    }

    #[test]
    fn a_comment_within_a_line_is_found_where_it_begins() {
        assert_eq!(comment_in("image: a#b # {'$imagepolicy': 'apps:web'}\n"), Some(11));
        assert_eq!(comment_in("# {\"$imagepolicy\": \"apps:web\"}"), Some(0));
        assert_eq!(comment_in("image: a#b # {imagepolicy: apps:web}"), Some(11));
        assert_eq!(comment_in("echo $imagepolicy # {}"), None);
    }

    proptest! {
        #[test]
        fn what_is_mended_is_a_marker(comment in "#[ #]{0,3}[{“]{0,2}[\"'“]?\\$?image[-pP]olic(y|ies)[\"'”]?[: ]{0,2}[\"'“]?[a-z:]{0,8}[\"'”,} ]{0,4}") {
            if let Some(Malformed { setter, fix: Some(fix), .. }) = malformed(&comment) {
                prop_assert_eq!(setter_of(&format!("# {fix}")), Some(setter));
            }
        }

        #[test]
        fn no_comment_panics(comment in "#\\PC{0,10}\\$imagepolicy\\PC{0,20}") {
            let _ = malformed(&comment);
            let _ = comment_in(&comment);
        }
    }
}
