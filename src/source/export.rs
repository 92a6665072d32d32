//! Objects as YAML, to the byte as `flux … --export` prints them.
//!
//! Flux marshals by way of `sigs.k8s.io/yaml`: keys in alphabetical order, compact sequences, two blanks a level; a text that
//! a YAML 1.1 reader would take for something else in double quotes, one that YAML's signs forbid to be plain in single
//! ones, several lines as a literal block, and whatever passes column 80 folded at the next blank. The rules for scalars
//! are those of the emitter that Flux links.
//!
//! Source: kubernetes-sigs/yaml:goyaml.v2/{encode,emitterc,resolve}.go; fluxcd/flux2:cmd/flux/export.go.

mod emit;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::emit::document;
use crate::domain::duration::GoDuration;
use crate::domain::object::ObjectId;

/// A value of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A text.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A number, or nothing, as it is written.
    Plain(String),
    /// A mapping.
    Map(BTreeMap<String, Yaml>),
    /// A sequence.
    List(Vec<Yaml>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Yaml {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&Value> for Yaml {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Plain("null".to_owned()),
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Plain(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(entries) => {
                Self::Map(entries.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}

impl From<&Yaml> for Value {
    fn from(yaml: &Yaml) -> Self {
        match yaml {
            Yaml::Text(text) => text.as_str().into(),
            Yaml::Bool(flag) => (*flag).into(),
            Yaml::Plain(text) => serde_json::from_str(text).unwrap_or_default(),
            Yaml::List(items) => items.iter().map(Self::from).collect(),
            Yaml::Map(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect()
            }
        }
    }
}

/// The annotation in which kubectl keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What `flux export` prints of an object: its labels, annotations and spec, durations in Go's form; nothing that a server
/// added.
pub fn exported(object: &Value, id: &ObjectId) -> Yaml {
    let given = |path: &str| object.pointer(path).filter(|value| !value.is_null());
    let filled = |path: &str, without: &str| {
        let mut entries = given(path)?.as_object()?.clone();
        entries.remove(without);
        (!entries.is_empty()).then(|| Yaml::from(&Value::Object(entries)))
    };
    let metadata = map([
        ("name", Some(id.name.as_str().into())),
        ("namespace", Some(id.namespace.as_str().into())),
        ("labels", filled("/metadata/labels", "")),
        ("annotations", filled("/metadata/annotations", LAST_APPLIED)),
    ]);
    let mut spec = given("/spec").cloned();
    for key in ["interval", "timeout"] {
        let duration = spec.as_mut().and_then(|spec| spec.get_mut(key));
        if let Some(text) = duration
            && let Some(known) = text.as_str().and_then(|text| text.parse::<GoDuration>().ok())
        {
            *text = known.to_string().into();
        }
    }
    map([
        ("apiVersion", given("/apiVersion").map(Yaml::from)),
        ("kind", given("/kind").map(Yaml::from)),
        ("metadata", Some(metadata)),
        ("spec", spec.as_ref().map(Yaml::from)),
    ])
}

/// A mapping of these entries; those without a value are left out.
pub fn map<const N: usize>(entries: [(&str, Option<Yaml>); N]) -> Yaml {
    let some = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Yaml::Map(some.collect())
}

/// A mapping of texts; `None` if there is none.
pub fn texts(entries: &BTreeMap<String, String>) -> Option<Yaml> {
    let entries = entries.iter().map(|(key, value)| (key.clone(), Yaml::Text(value.clone())));
    Some(Yaml::Map(entries.collect())).filter(|map| *map != Yaml::Map(BTreeMap::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> String {
        let document = document(&map([("k", Some(text.into()))]));
        document
            .strip_prefix("---\nk:")
            .unwrap()
            .strip_suffix('\n')
            .unwrap()
            .trim_start_matches(' ')
            .to_owned()
    }

    #[test]
    fn texts_are_quoted_as_flux_quotes_them() {
        for (text, written) in [
            ("5.0.x", "5.0.x"),
            ("5.0", "\"5.0\""),
            ("1.2.3", "1.2.3"),
            ("007", "\"007\""),
            ("08", "\"08\""),
            ("1e3", "\"1e3\""),
            ("1_000", "\"1_000\""),
            ("12:30", "\"12:30\""),
            ("2024-01-31", "\"2024-01-31\""),
            ("on", "\"on\""),
            ("", "\"\""),
            ("~", "\"~\""),
            ("^main-[a-f0-9]+-(?P<ts>[0-9]+)", "^main-[a-f0-9]+-(?P<ts>[0-9]+)"),
            ("$ts", "$ts"),
            (">=1.0.0 <2.0.0", "'>=1.0.0 <2.0.0'"),
            ("*", "'*'"),
            ("~1.2", "~1.2"),
            ("[ab]+", "'[ab]+'"),
            ("it's: so", "'it''s: so'"),
            ("it's", "it's"),
            ("a #b", "'a #b'"),
            ("a#b", "a#b"),
            ("a: b", "'a: b'"),
            ("a:b", "a:b"),
            (" a", "' a'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("tab\there", "\"tab\\there\""),
            ("é", "é"),
            ("https://example.com/x", "https://example.com/x"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\nb", "|-\n  a\n  b"),
            ("a \nb", "\"a \\nb\""),
        ] {
            assert_eq!(scalar(text), written, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_folded_at_the_first_blank_behind_column_80() {
        let template = "{{range .Changed.Changes}}{{print .OldValue}} -> {{println .NewValue}}{{end}}";
        let commit = map([("messageTemplate", Some(template.into()))]);
        let object = map([("spec", Some(map([("git", Some(map([("commit", Some(commit))])))])))]);
        assert_eq!(
            document(&object),
            "---\nspec:\n  git:\n    commit:\n      messageTemplate: '{{range .Changed.Changes}}{{print .OldValue}} -> \
             {{println\n        .NewValue}}{{end}}'\n"
        );
    }

    #[test]
    fn keys_are_sorted_and_sequences_compact() {
        let list = Yaml::List(vec!["a".into(), map([("w", Some("1".into())), ("x", Some(true.into()))])]);
        let object = map([("b", Some(list)), ("a", Some(map([]))), ("c", None)]);
        assert_eq!(document(&object), "---\na: {}\nb:\n- a\n- w: \"1\"\n  x: true\n");
    }

    #[test]
    fn blocks_keep_what_follows_on_its_own_line() {
        let object = map([("a", Some("x\ny\n".into())), ("b", Some("z".into()))]);
        assert_eq!(document(&object), "---\na: |\n  x\n  y\nb: z\n");
    }
}
