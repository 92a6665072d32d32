//! Holds `docs/fidelity.md` to the code: what a row names must be there.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of all functions of the source and of the tests.
fn functions() -> BTreeSet<String> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    rust_files(&root().join("tests"), &mut files);
    let mut names: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        names
            .extend(text.split("fn ").skip(1).map(|rest| rest.chars().take_while(|c| is_part(*c)).collect()));
    }
    names
}

/// The words in backquotes of one cell.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The rows of the page's tables, as cells; a bar behind a backslash is none.
fn rows(page: &str) -> Vec<Vec<String>> {
    page.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Rule"))
        .map(|line| line.replace("\\|", "\u{1}").trim_matches('|').split('|').map(str::to_owned).collect())
        .collect()
}

/// Whether observed cases go by this name: a file, and behind `#` one of its lists, or a category of its cases.
fn is_observed(name: &str) -> bool {
    let (file, list) = name.split_once('#').unwrap_or((name, ""));
    let path = root().join("tests/conformance").join(file).with_extension("json");
    let Ok(text) = fs::read_to_string(path) else { return false };
    match serde_json::from_str(&text).unwrap() {
        serde_json::Value::Array(cases) => {
            list.is_empty() || cases.iter().any(|case| case["category"] == list)
        }
        lists => lists[list].is_array(),
    }
}

#[test]
fn every_row_names_files_and_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/fidelity.md")).unwrap();
    let (rows, functions) = (rows(&page), functions());
    assert!(rows.len() > 80, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let [rule, home, proof] = row.as_slice() else {
            wrong.push(format!("three cells: {row:?}"));
            continue;
        };
        let is_ours = !home.trim().starts_with("none:") && !home.trim().starts_with("*later*");
        if is_ours && (words(home).next().is_none() || words(proof).next().is_none()) {
            wrong.push(format!("no home or no proof: {rule}"));
        }
        let is_file = |file: &&str| !root().join("src").join(file).is_file();
        wrong.extend(words(home).filter(|_| is_ours).filter(is_file).map(|file| format!("no file {file}")));
        let is_test = |name: &&str| !functions.contains(*name) && !is_observed(name);
        wrong.extend(words(proof).filter(is_test).map(|name| format!("no test {name}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_point_of_the_screen_names_its_tests_or_says_what_is_open() {
    let page = fs::read_to_string(root().join("docs/ux-checklist.md")).unwrap();
    let functions = functions();
    let rows: Vec<Vec<String>> = rows(&page).into_iter().filter(|row| row[0].trim() != "#").collect();
    assert_eq!(rows.len(), 72);
    let mut open = 0;
    for (number, row) in (1..).zip(&rows) {
        let [place, _, proof] = row.as_slice() else { panic!("three cells: {row:?}") };
        assert_eq!(place.trim(), number.to_string());
        let is_test = |word: &&str| word.contains('_') || functions.contains(*word);
        let tests: Vec<&str> = words(proof).filter(is_test).collect();
        let unknown: Vec<&&str> = tests.iter().filter(|test| !functions.contains(**test)).collect();
        assert!(unknown.is_empty(), "{number}: {unknown:?}");
        let is_open = proof.trim().starts_with("open: ");
        open += usize::from(is_open);
        assert!(is_open || !tests.is_empty() || proof.contains("performance.md"), "{number} has no proof");
    }
    assert!(page.contains(&format!("*open*: {open} of 72.")), "{open} are open");
}
