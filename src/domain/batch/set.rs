//! `set`: what the setters change in some files.

use std::collections::BTreeMap;
use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::request::{Fields, Object, RequestError};
use crate::domain::object::ObjectId;
use crate::domain::proposal::Reference;
use crate::domain::setrun::{self, Outcome, Tree, Update};
use crate::domain::setter::Setters;

/// A policy and its latest reference; image and tag both empty: none.
#[derive(serde::Deserialize)]
struct Policy {
    namespace: String,
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    tag: String,
    digest: Option<String>,
}

impl Policy {
    fn into_setter(self) -> (ObjectId, Option<Reference>) {
        let none = self.image.is_empty() && self.tag.is_empty();
        let latest = Reference { image: self.image, tag: self.tag, digest: self.digest };
        (ObjectId { namespace: self.namespace, name: self.name }, (!none).then_some(latest))
    }
}

/// What is in a file: a text, or in base64 what is none.
struct Content(Vec<u8>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrBytes;
        impl<'de> Visitor<'de> for TextOrBytes {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or {\"base64\":\"…\"}")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content(text.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
                let bytes = Encoded::deserialize(MapAccessDeserializer::new(map))?;
                BASE64_STANDARD.decode(bytes.base64).map(Content).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(TextOrBytes)
    }
}

/// Bytes that are no UTF-8.
#[derive(Serialize, serde::Deserialize)]
struct Encoded {
    base64: String,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Encoded { base64: BASE64_STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Verdict<'a> {
    error: Option<String>,
    files: BTreeMap<String, Content>,
    updates: &'a [Update],
    problem_files: Vec<&'a str>,
}

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let policies: Vec<Object<Policy>> = fields.required("policies")?;
    let policies: Vec<_> = policies.into_iter().map(|Object(policy)| policy.into_setter()).collect();
    let files: BTreeMap<String, Content> = fields.required("files")?;
    let update_path: String = fields.optional("update_path")?.unwrap_or_default();
    for path in files.keys() {
        check_path(path, &files).map_err(|what| fields.error("files", format!("{path:?} {what}")))?;
    }
    let tree = Tree::new(files.iter().map(|(path, content)| (path.as_str(), content.0.as_slice())));
    let (outcome, error) = match run(&policies, &tree, &update_path) {
        Ok(outcome) => (outcome, None),
        Err(error) => (Outcome::default(), Some(error)),
    };
    super::json(&Verdict {
        error,
        files: outcome.files.into_iter().map(|(path, bytes)| (path, Content(bytes))).collect(),
        updates: &outcome.updates,
        problem_files: outcome.problem_files.iter().map(|problem| problem.file.as_str()).collect(),
    })
}

fn run(
    policies: &[(ObjectId, Option<Reference>)],
    tree: &Tree<'_>,
    update_path: &str,
) -> Result<Outcome, String> {
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref())));
    let setters = setters.map_err(|error| error.to_string())?;
    // Requests are what is worked on in parallel.
    setrun::run(tree, update_path, &setters, 1).map_err(|error| error.to_string())
}

/// Refuses what is no path of a file in a work tree.
fn check_path(path: &str, files: &BTreeMap<String, Content>) -> Result<(), &'static str> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is no path in a work tree");
    }
    let mut parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    if parents.any(|parent| files.contains_key(parent)) { Err("lies below a file") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    fn verdict(rest: &str) -> String {
        super::super::answer(format!("{{\"op\":\"set\",{rest}}}").as_bytes()).text
    }

    #[test]
    fn a_run_that_fails_changes_nothing() {
        let nothing = r#""files":{},"updates":[],"problem_files":[]}"#;
        let bad = r#""policies":[{"namespace":"a","name":"b","image":"O","tag":"\u0001"}],"files":{}"#;
        let error =
            r#"{"error":"encountered invalid image ref \"O:\\x01\": could not parse reference: O:\u0001","#;
        assert_eq!(verdict(bad), format!("{error}{nothing}"));
        let missing = r#""policies":[],"files":{},"update_path":"x""#;
        let error = r#"{"error":"walking path for files: lstat <workdir>/x: no such file or directory","#;
        assert_eq!(verdict(missing), format!("{error}{nothing}"));
    }

    #[test]
    fn a_file_that_is_no_utf_8_is_a_problem_file() {
        // a: \xff # {"$imagepolicy": "a:b"}
        let rest = r#""policies":[],"files":{"d/x.yaml":{"base64":"YTog/yAjIHsiJGltYWdlcG9saWN5IjogImE6YiJ9Cg=="}},"update_path":"d""#;
        assert_eq!(verdict(rest), r#"{"error":null,"files":{},"updates":[],"problem_files":["x.yaml"]}"#);
    }

    #[test]
    fn what_can_be_no_file_of_a_work_tree_is_refused() {
        for (files, expected) in [
            (r#"{"../x":""}"#, r#"files: \"../x\" is no path in a work tree"#),
            (r#"{"/x":""}"#, r#"files: \"/x\" is no path in a work tree"#),
            (r#"{"a":"","a.b":"","a/b":""}"#, r#"files: \"a/b\" lies below a file"#),
            (r#"{"a":{"base64":"%"}}"#, "files: Invalid symbol 37, offset 0. at column 53"),
            (
                r#"{"a":1}"#,
                r#"files: invalid type: integer `1`, expected a string or {\"base64\":\"…\"} at column 40"#,
            ),
        ] {
            let rest = format!(r#""policies":[],"files":{files}"#);
            assert_eq!(verdict(&rest), format!("{{\"request_error\":\"{expected}\"}}"));
        }
    }
}
