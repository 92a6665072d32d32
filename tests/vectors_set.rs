//! The setters against what Flux's own code was observed to do (`tests/vectors/setters_cases.json`).
//!
//! Level 1: the same updates, the same problem files, the same error, and files that hold the same data. Our files keep
//! their layout, so they are compared as a YAML 1.1 reader sees them, not byte by byte.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde::Deserialize;
use supercargo::domain::manifest;
use supercargo::domain::object::ObjectId;
use supercargo::domain::proposal::Reference;
use supercargo::domain::setrun::{self, Outcome, Tree};
use supercargo::domain::setter::Setters;

/// Cases in which Flux's behaviour is not ours on purpose, and why. `docs/differences.md` says it to people.
const DIFFERENT: &[(&str, &str)] = &[
    ("flux2-issue-5064-list-kind", LIST),
    ("marker-percent-encoded-name", "a name is what the marker says; `%65` is no `e`"),
    ("marker-full-ref-form-with-token-elsewhere", "only `$imagepolicy` makes a marker"),
    ("explicit-null-value", TAG),
    ("tilde-null-value", TAG),
    ("bool-and-int-values-get-replaced", TAG),
    ("int-value-same-text-but-other-change-in-file", "a value that does not change is not quoted either"),
    ("bool-value-replaced-by-string", TAG),
    ("list-kind-file", LIST),
    ("list-kind-two-items", LIST),
    ("metadata-empty-map", META),
    ("metadata-null", META),
    ("annotations-empty-map", META),
    ("annotations-null", META),
    ("legacy-path-annotation-in-file", PATHANN),
    ("internal-path-annotation-in-file", PATHANN),
    ("symlink-to-file", LINK),
    ("path-with-dotdot-in-file-name", "two dots in a file name are no reason to end the run"),
    ("anchor-map-and-alias", "a merge key stays `<<`, without the tag `!!merge`"),
    ("date-value-replaced-by-date-like-tag", "a tag that looks like a date is quoted: it is a string"),
    ("null-value-replaced-by-numeric-tag", TAG),
    ("symlink-relative-outside-scan-path", LINK),
    ("list-item-unnamed", LIST),
    ("resourcelist-kind", LIST),
    ("empty-metadata-removed-position", META),
    ("string-typed-metadata-annotations", META),
];

const LIST: &str = "members of a list are edited in place, in their file";
const TAG: &str = "a value never gets a tag such as `!!null`; it becomes a string";
const META: &str = "nothing else in the document changes";
const PATHANN: &str = "a bookkeeping annotation in a file means nothing to us";
const LINK: &str = "links to files are not followed; their target is edited where it lies";

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    quirk: bool,
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

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/setters_cases.json")).unwrap()
}

fn run(case: &Case) -> Result<Outcome, String> {
    let policies: Vec<(ObjectId, Option<Reference>)> = case
        .policies
        .iter()
        .map(|policy| {
            let latest = Reference {
                image: policy.image.clone(),
                tag: policy.tag.clone(),
                digest: policy.digest.clone(),
            };
            (ObjectId::new(&policy.namespace, &policy.name), (!policy.image.is_empty()).then_some(latest))
        })
        .collect();
    let setters =
        Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref()))).map_err(|e| e.to_string())?;
    let tree = Tree::new(case.files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
        .with_links(case.symlinks.iter().map(|(link, target)| (link.as_str(), target.as_str())));
    setrun::run(&tree, &case.update_path, &setters, 1).map_err(|error| error.to_string())
}

/// What differs from the expectation, in words; empty if nothing does.
fn difference(case: &Case) -> String {
    let outcome = match run(case) {
        Ok(outcome) => outcome,
        Err(error) if Some(&error) == case.expected_error.as_ref() => return String::new(),
        Err(error) => return format!("error {error:?}, not {:?}", case.expected_error),
    };
    if let Some(error) = &case.expected_error {
        return format!("no error {error:?}");
    }
    let problems: Vec<_> = outcome.problem_files.iter().map(|problem| &problem.file).collect();
    if problems != case.problem_files.iter().collect::<Vec<_>>() {
        return format!("problem files {:?}, not {:?}", outcome.problem_files, case.problem_files);
    }
    let updates = updates_of(&outcome);
    if updates != case.expected_updates {
        return format!("updates {updates:#?}, not {:#?}", case.expected_updates);
    }
    if outcome.files.keys().ne(case.expected.keys()) {
        return format!("files {:?}, not {:?}", outcome.files.keys(), case.expected.keys());
    }
    for (path, bytes) in &outcome.files {
        let text = std::str::from_utf8(bytes).unwrap();
        if data(text) != data(&case.expected[path]) {
            return format!("{path} is\n{text}\nnot\n{}", case.expected[path]);
        }
    }
    String::new()
}

/// The updates in the order of the vectors: by file and object, then as they come.
fn updates_of(outcome: &Outcome) -> Vec<Update> {
    let mut updates: Vec<Update> = outcome
        .updates
        .iter()
        .map(|update| Update {
            file: update.file.clone(),
            object: Object {
                api_version: update.object.api_version.clone(),
                kind: update.object.kind.clone(),
                namespace: update.object.namespace.clone(),
                name: update.object.name.clone(),
            },
            setter: update.setter.clone(),
            old: update.old.clone(),
            new: update.new.clone(),
        })
        .collect();
    updates.sort_by(|a, b| (&a.file, &a.object).cmp(&(&b.file, &b.object)));
    updates
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
fn every_case_that_is_no_quirk_comes_out_as_with_flux() {
    let cases = cases();
    assert_eq!(cases.len(), 228);
    let failures: Vec<_> = cases
        .iter()
        .filter(|case| !case.quirk)
        .map(|case| (&case.name, difference(case)))
        .filter(|(_, difference)| !difference.is_empty())
        .map(|(name, difference)| format!("{name}: {difference}"))
        .collect();
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_quirks_that_we_do_not_copy_are_the_listed_ones() {
    let different: Vec<_> = cases()
        .iter()
        .filter(|case| case.quirk && !difference(case).is_empty())
        .map(|case| case.name.clone())
        .collect();
    let listed: Vec<_> = DIFFERENT.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(different, listed);
}

#[test]
fn nothing_changes_but_the_bytes_of_marked_scalars_and_a_second_run_changes_nothing() {
    for case in cases() {
        let Ok(outcome) = run(&case) else { continue };
        for (path, bytes) in &outcome.files {
            let before = case.files[path].as_bytes();
            let text = std::str::from_utf8(bytes).unwrap();
            let old = manifest::find(&case.files[path]).unwrap();
            let new = manifest::find(text).unwrap();
            assert_eq!(old.len(), new.len(), "{}", case.name);
            let (mut at, mut new_at) = (0, 0);
            for (old, new) in old.iter().zip(&new) {
                assert_eq!(before[at..old.span.start], bytes[new_at..new.span.start], "{}", case.name);
                (at, new_at) = (old.span.end, new.span.end);
            }
            assert_eq!(before[at..], bytes[new_at..], "{}", case.name);
        }
        let mut again = Case { files: case.files.clone(), ..case };
        for (path, bytes) in outcome.files {
            again.files.insert(path, String::from_utf8(bytes).unwrap());
        }
        assert_eq!(run(&again).unwrap().updates, [], "{}", again.name);
    }
}
