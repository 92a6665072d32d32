//! The setters against what Flux's own code was observed to do.
//!
//! Level 1: the same updates, the same problem files, the same error, and files that hold the same data. Our files keep
//! their layout, so they are compared as a YAML 1.1 reader sees them, not byte by byte.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde::Deserialize;
use serde_json::{Value, json};
use supercargo::domain::manifest::{self, Manifest};
use supercargo::domain::object::ObjectId;
use supercargo::domain::proposal::Reference;
use supercargo::domain::setter::{Resolution, SetterError, Setters};

use crate::support::set;
use crate::{ask, read};

#[derive(Deserialize)]
struct Case {
    name: String,
    policies: Vec<Policy>,
    #[serde(default)]
    update_path: String,
    #[serde(default)]
    symlinks: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    #[serde(default)]
    expected: BTreeMap<String, String>,
    #[serde(default)]
    expected_updates: Vec<Update>,
    #[serde(default)]
    problem_files: Vec<String>,
    #[serde(default)]
    expected_error: Option<String>,
}

#[derive(Deserialize)]
struct Policy {
    namespace: String,
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    digest: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Update {
    file: String,
    object: Object,
    setter: String,
    old: String,
    new: String,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "camelCase")]
struct Object {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

/// What a run changes, from the pipe or from the function behind it.
#[derive(Deserialize)]
struct Outcome {
    error: Option<String>,
    files: BTreeMap<String, String>,
    updates: Vec<Update>,
    problem_files: Vec<String>,
}

pub(crate) fn case(case: &Value, _: &Value) -> Result<(), String> {
    let case: Case = serde_json::from_value(case.clone()).unwrap();
    match difference(&case) {
        difference if difference.is_empty() => Ok(()),
        difference => Err(difference),
    }
}

fn run(case: &Case) -> Outcome {
    let policies: Vec<_> = case.policies.iter().map(Policy::request).collect();
    let mut asked =
        json!({ "op": "set", "policies": policies, "files": case.files, "update_path": case.update_path });
    let answer = if case.symlinks.is_empty() {
        ask(&asked)
    } else {
        // The pipe has no links.
        asked["symlinks"] = json!(case.symlinks);
        set::answer(&asked)
    };
    serde_json::from_value(answer).unwrap()
}

impl Policy {
    fn request(&self) -> Value {
        // Without an image a policy has no latest reference, whatever its tag.
        let tag = if self.image.is_empty() { "" } else { &self.tag };
        json!({
            "namespace": self.namespace, "name": self.name, "image": self.image, "tag": tag, "digest": self.digest
        })
    }
}

fn setters(case: &Case) -> Result<Setters, SetterError> {
    let policies: Vec<(ObjectId, Option<Reference>)> = case
        .policies
        .iter()
        .map(|policy| {
            let (image, tag, digest) = (policy.image.clone(), policy.tag.clone(), policy.digest.clone());
            let latest = Reference { image, tag, digest };
            (ObjectId::new(&policy.namespace, &policy.name), (!policy.image.is_empty()).then_some(latest))
        })
        .collect();
    Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref())))
}

/// What differs from the expectation, in words; empty if nothing does.
fn difference(case: &Case) -> String {
    let mut outcome = run(case);
    // The order of the vectors: by file and object, then as they come.
    outcome.updates.sort_by(|a, b| (&a.file, &a.object).cmp(&(&b.file, &b.object)));
    if outcome.error != case.expected_error {
        return format!("error {:?}, not {:?}", outcome.error, case.expected_error);
    }
    if outcome.problem_files != case.problem_files {
        return format!("problem files {:?}, not {:?}", outcome.problem_files, case.problem_files);
    }
    if outcome.updates != case.expected_updates {
        return format!("updates {:#?}, not {:#?}", outcome.updates, case.expected_updates);
    }
    if outcome.files.keys().ne(case.expected.keys()) {
        return format!("files {:?}, not {:?}", outcome.files.keys(), case.expected.keys());
    }
    for (path, text) in &outcome.files {
        if data(text) != data(&case.expected[path]) {
            return format!("{path} is\n{text}\nnot\n{}", case.expected[path]);
        }
    }
    String::new()
}

/// The data of a file: one line for each thing in it, scalars with their YAML 1.1 type; comments, layout, quotes, and the
/// documents that hold nothing left out.
fn data(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for part in text.replace("\r\n", "\n").trim_start_matches('\u{feff}').split_inclusive("\n---") {
        let part = part.strip_suffix("\n---").unwrap_or(part);
        let mut document = Vec::new();
        for event in Parser::new_from_str(part) {
            let (event, _) = event.unwrap();
            match event {
                Event::DocumentEnd => break,
                Event::Comment(..) | Event::StreamStart | Event::DocumentStart(..) | Event::StreamEnd => {}
                Event::Scalar(value, style, anchor, tag) => {
                    let is_string = style != ScalarStyle::Plain || !is_not_a_string(&value);
                    let tag = tag.map(|tag| tag.suffix().to_owned());
                    let kind = tag.unwrap_or_else(|| if is_string { "str" } else { "other" }.to_owned());
                    document.push(format!("{kind} {value:?} &{anchor}"));
                }
                Event::MappingStart(_, anchor, tag) => document.push(format!("map &{anchor} {tag:?}")),
                Event::SequenceStart(_, anchor, tag) => document.push(format!("seq &{anchor} {tag:?}")),
                other => document.push(format!("{other:?}")),
            }
        }
        if !matches!(document.as_slice(), [only] if only.starts_with("other")) {
            all.extend(document);
        }
    }
    all
}

/// A plain scalar that go-yaml resolves to a number, a boolean, a null or a date.
fn is_not_a_string(text: &str) -> bool {
    const WORDS: &[&str] = &["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let number = text.replace('_', "");
    let number = number.trim_start_matches(['-', '+']);
    let based = ["0x", "0o", "0b"].iter().any(|base| number.starts_with(base));
    let date = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    WORDS.contains(&text.to_lowercase().as_str())
        || (!text.starts_with('_')
            && number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && number.parse::<f64>().is_ok())
        || (based && number.len() > 2 && number.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit()))
        || date
}

#[test]
fn nothing_changes_but_the_bytes_of_marked_scalars_and_a_second_run_changes_nothing() {
    let cases: Vec<Case> = serde_json::from_value(read("setters_cases")).unwrap();
    for case in cases {
        let outcome = run(&case);
        for (path, text) in &outcome.files {
            let before = case.files[path].as_bytes();
            let old = manifest::find(&case.files[path]).unwrap();
            let new = manifest::find(text).unwrap();
            assert_eq!(old.len(), new.len(), "{}", case.name);
            let (bytes, mut at, mut new_at) = (text.as_bytes(), 0, 0);
            for (old, new) in old.iter().zip(&new) {
                assert_eq!(before[at..old.span.start], bytes[new_at..new.span.start], "{}", case.name);
                (at, new_at) = (old.span.end, new.span.end);
            }
            assert_eq!(before[at..], bytes[new_at..], "{}", case.name);
        }
        let mut again = Case { files: case.files.clone(), ..case };
        again.files.extend(outcome.files);
        assert_eq!(run(&again).updates, [], "{}", again.name);
    }
}

#[test]
fn what_the_controller_would_reformat_is_said_of_every_file() {
    let (mut judged, mut unknown) = (0, 0);
    for case in read("setters_cases").as_array().unwrap() {
        let case: Case = serde_json::from_value(case.clone()).unwrap();
        let Ok(setters) = setters(&case) else { continue };
        let is_setter = |setter: &str| matches!(setters.resolve(setter), Resolution::Known { .. });
        for (path, text) in &run(&case).files {
            let Some(flux) = case.expected.get(path) else { continue };
            let before = Manifest::parse(&case.files[path]).unwrap();
            judged += 1;
            match manifest::reformats(&before, &Manifest::parse(text).unwrap(), &is_setter) {
                Some(said) => assert_eq!(said, flux != text, "{}: {path}", case.name),
                None => unknown += 1,
            }
        }
    }
    assert!(judged > 180 && unknown * 20 <= judged, "{unknown} of {judged} are unknown");
}
