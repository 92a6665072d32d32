//! Keys that look like the marker's and are none, such as `$imagepolicies`, `$image-policy` or `imagepolicy`.
//!
//! Only the first key of an object that begins a comment is looked at. It looks like the marker's if its letters do: two
//! edits apart at most, capitals and whatever is no letter or digit left aside, a plural counted as its singular. Without
//! its `$` the value has to be one that a marker has, too: comments of other tools have keys of their own.

use std::ops::Range;

use super::near::{is_quote, value_of};
use super::{KEY, parse_setter};
use crate::text::edit_distance;

/// So many edits make a key another one.
const EDITS: usize = 2;

/// So many bytes from the brace on are looked at where a whole file is searched; no policy has a name so long that they
/// would not do.
const REACH: usize = 640;

/// Where in `comment`, `#` included or not, a key stands that looks like the marker's.
pub(super) fn key_in(comment: &str) -> Option<Range<usize>> {
    let object = comment.trim_start_matches(['#', ' ', '\t']).strip_prefix('{')?;
    let object = object.trim_start().trim_start_matches(is_quote);
    let end = object.find(|c| is_quote(c) || is_separator(c) || matches!(c, '{' | '}' | ',' | '\n'))?;
    let (key, after) = object.split_at_checked(end)?;
    if !looks_alike(key) || !after.trim_start_matches(is_quote).trim_start().starts_with(is_separator) {
        return None;
    }
    let is_meant = key.starts_with('$') || is_setter(value_of(after).1);
    let start = comment.len() - object.len();
    is_meant.then(|| start..start + key.trim_end().len())
}

/// Whether a comment somewhere in `text` begins with such a key.
pub(super) fn is_in(text: &[u8]) -> bool {
    memchr::memchr_iter(b'{', text).any(|at| {
        let before = text.get(..at).unwrap_or_default().iter().rev();
        let is_comment = before.copied().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(b'#');
        is_comment && {
            let rest = text.get(at..).unwrap_or_default();
            let rest = rest.get(..REACH).unwrap_or(rest);
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            line.utf8_chunks().next().is_some_and(|chunk| key_in(chunk.valid()).is_some())
        }
    })
}

/// What may stand between a key and its value.
fn is_separator(c: char) -> bool {
    matches!(c, ':' | '=' | '：')
}

fn looks_alike(key: &str) -> bool {
    // What is longer by more than all that is left aside could be is not worth a look.
    if key.len() > 3 * KEY.len() {
        return false;
    }
    let letters: String = key.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let singular = letters.strip_suffix("ies").map(|stem| format!("{stem}y"));
    edit_distance(singular.as_deref().unwrap_or(&letters), KEY.trim_start_matches('$')) <= EDITS
}

/// Whether a value names a policy as a marker does.
fn is_setter(value: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    value.chars().all(is_of_names) && parse_setter(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(comment: &str) -> Option<&str> {
        let found = key_in(comment).and_then(|place| comment.get(place));
        assert_eq!(is_in(comment.as_bytes()), found.is_some(), "{comment}");
        found
    }

    #[test]
    fn a_key_that_is_nearly_the_markers_is_found() {
        for (comment, found) in [
            (r#"# {"$imagepolicies": "apps:web"}"#, "$imagepolicies"),
            (r#"# {"$image-policy": "apps:web:tag"}"#, "$image-policy"),
            (r#"#{"$image_policies":"apps:web"}"#, "$image_policies"),
            (r#"# {"$image policy" : "apps:web"}"#, "$image policy"),
            (r#"# {"imagepolicy": "apps:web"}"#, "imagepolicy"),
            (r#"# {"imagePolicy": "apps:web.v2:digest"}"#, "imagePolicy"),
            ("# {imagepolicy: apps:web}", "imagepolicy"),
            ("## {  $imgpolicy = apps:web }", "$imgpolicy"),
            ("# # {'$imagepolciy': 'apps:web'}", "$imagepolciy"),
            ("# {“imagepolicy”: “apps:web”}", "imagepolicy"),
            (r#"# {"$imagepolicys": 5}"#, "$imagepolicys"),
            (r#"# {"$ImagePolicy.": null}"#, "$ImagePolicy."),
        ] {
            assert_eq!(key(comment), Some(found), "{comment}");
        }
    }

    #[test]
    fn keys_of_other_tools_and_comments_about_policies_are_left_alone() {
        for comment in [
            r##"# {"$ref":"#/definitions/io.k8s.cli.setters.image"}"##,
            r#"# {"$openapi":"image-policy"}"#,
            "# kpt-set: ${image}",
            r#"# {"$kpt-set": "imagepolicy:web"}"#,
            r#"# {"type":"string","x-kustomize":{"setter":{"name":"imagepolicy"}}}"#,
            r#"# {"imagePullPolicy": "apps:web"}"#,
            r#"# {"imagePolicy": "Always"}"#,
            r#"# {"imagePolicy": "https://example.com/policy"}"#,
            r#"# {"imagepolicy": "$apps:web"}"#,
            r#"# {"$imagepolicyref": "apps:web"}"#,
            r#"# {"$imagerepository": "apps:web"}"#,
            r#"# {"policy": "apps:web"}"#,
            r#"# {"image": "apps:web"}"#,
            "# {imagepolicy}",
            "# {imagePolicy, pullPolicy: apps:web}",
            "# {{ .Values.imagePolicy: apps:web }}",
            "# {{imagePolicy: apps:web}}",
            "# imagepolicy: apps:web",
            "# see {imagepolicy: apps:web}",
            "#{image_policy}:#{tag}",
            "# {}",
            "# {",
            "",
        ] {
            assert_eq!(key(comment), None, "{comment}");
        }
        assert!(!is_in(b"{imagepolicy: apps:web}\n#\n{imagepolicy: apps:web}\n"), "no comment is in it");
        assert!(is_in(b"a: \xff\nb: 1 # {imagepolicy: apps:web} \xff\n"));
    }
}
