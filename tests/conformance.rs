//! Every observed answer of Flux's own code and of its libraries (`tests/conformance/*.json`), asked again of ours.
//!
//! `cargo test --test conformance -- --nocapture` prints how many cases of which file were asked. What `eval batch` can
//! be asked is asked through it, so that the pipe's own shapes are held too; the rest is asked of the function itself.
//! What comes out differently on purpose is listed by name, here and in `docs/differences.md`, and nothing else is left out.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

#[path = "conformance/policy.rs"]
mod policy;
#[path = "conformance/scan.rs"]
mod scan;
#[path = "conformance/set.rs"]
mod set;
#[path = "conformance/template.rs"]
mod template;
#[path = "conformance/version.rs"]
mod version;
mod support {
    pub mod set;
}

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde_json::Value;
use supercargo::domain::batch;

/// What one case of a file must be, given the whole file too; an error says what is not.
type Check = fn(case: &Value, file: &Value) -> Result<(), String>;

/// One list of cases: its file, its key there (empty: the file is the list), and how each of its cases is asked.
type List = (&'static str, &'static str, Check);

const LISTS: &[List] = &[
    ("scan_cases", "references", scan::reference),
    ("scan_cases", "exclusion", scan::exclusion),
    ("scan_cases", "latest_tags", scan::latest_tags),
    ("scan_cases", "revisions", scan::revision),
    ("scan_cases", "should_scan", scan::should_scan),
    ("semver_versions", "versions", version::version),
    ("semver_versions", "compare", version::compare),
    ("semver_constraints", "check", version::check),
    ("semver_constraints", "invalid", version::invalid),
    ("semver_constraints", "valid", version::valid),
    ("semver_constraints", "hyphen_rewrite", version::hyphen_rewrite),
    ("semver_constraints", "mismatch_reasons", version::mismatch_reason),
    ("policy_cases", "cases", policy::case),
    ("policy_cases", "filters", policy::filter),
    ("policy_cases", "expand", policy::expand),
    ("go_regex", "cases", policy::regex),
    ("commit_templates", "", template::commit_template),
    ("go_templates", "cases", template::go_template),
    ("setters_cases", "", set::case),
];

/// Cases that come out differently on purpose, and why. `docs/differences.md` says it to people.
const DIFFERENT: &[(&str, &str)] = &[
    ("apply: database read failure", "there is no database that could fail; tags are an argument"),
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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn read(file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(file).with_extension("json")).unwrap()).unwrap()
}

/// The answer of `eval batch` to `request`.
fn ask(request: &Value) -> Value {
    let answer = batch::answer(request.to_string().as_bytes());
    assert!(answer.understood, "{request}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

fn same<T: PartialEq + Debug>(what: &str, ours: &T, theirs: &T) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: ours {ours:?}, theirs {theirs:?}")) }
}

/// A text that must be there.
fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A case by its name, or as it is written.
fn named(case: &Value) -> String {
    case["name"].as_str().map_or_else(|| case.to_string(), str::to_owned)
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what somebody asks for with --nocapture")]
fn every_case_of_every_file_comes_out_as_it_was_observed() {
    let (mut failed, mut different, mut asked) = (Vec::new(), Vec::new(), 0);
    for (name, key, check) in LISTS {
        let file = read(name);
        let cases = if key.is_empty() { &file } else { &file[*key] }.as_array().unwrap();
        assert!(!cases.is_empty(), "{name} {key}");
        let mut on_purpose = 0;
        asked += cases.len();
        for case in cases {
            let Err(what) = check(case, &file) else { continue };
            // Where a file tells quirks apart, nothing else is a matter of taste.
            if is_listed(case) && (case["quirk"] == true || *name != "setters_cases") {
                on_purpose += 1;
                different.push(named(case));
            } else {
                failed.push(format!("{name} {key}: {}\n    {what}", named(case)));
            }
        }
        println!("{name:20} {key:16} {:5} cases, {on_purpose:2} of them different on purpose", cases.len());
    }
    println!(
        "{asked} cases, {} differences; {} more are meant, and listed in docs/differences.md",
        failed.len(),
        different.len()
    );
    assert!(failed.is_empty(), "{} differ:\n{}", failed.len(), failed.join("\n"));
    different.sort();
    let mut listed: Vec<_> = DIFFERENT.iter().map(|(name, _)| (*name).to_owned()).collect();
    listed.sort();
    assert_eq!(different, listed);
}

fn is_listed(case: &Value) -> bool {
    DIFFERENT.iter().any(|(name, _)| *name == named(case))
}

#[test]
fn every_list_of_every_file_is_asked() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_asked = |key: &str| LISTS.iter().any(|(file, list, _)| (*file, *list) == (name, key));
        match read(name) {
            Value::Object(lists) => {
                let lists = lists.iter().filter(|(_, list)| list.get(0).is_some_and(Value::is_object));
                lists.for_each(|(key, _)| assert!(is_asked(key), "{name} {key}"));
            }
            _ => assert!(is_asked(""), "{name}"),
        }
    }
}

#[test]
fn every_difference_is_told_to_people() {
    let told = std::fs::read_to_string(folder().join("../../docs/differences.md")).unwrap();
    for (name, _) in DIFFERENT {
        assert!(told.contains(&format!("`{name}`")), "{name} is not in docs/differences.md");
    }
}
