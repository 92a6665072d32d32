//! What Flux's own code was seen to answer (`tests/vectors/`), one assertion for each row: image names, scans, ranges,
//! regular expressions, policies.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use supercargo::domain::reference::{self, ImageName, ScanDue, ScanQuestion};
use supercargo::domain::tags::TagList;

fn vectors(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn rows<'a>(vectors: &'a Value, key: &str) -> &'a [Value] {
    let rows = vectors[key].as_array().unwrap();
    assert!(!rows.is_empty(), "{key} has rows");
    rows
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Collects what differs, so that one run shows all of it.
#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn check<T: PartialEq + std::fmt::Debug>(&mut self, row: &dyn std::fmt::Display, ours: &T, flux: &T) {
        if ours != flux {
            self.0.push(format!("{row}\n    ours {ours:?}\n    flux {flux:?}"));
        }
    }

    fn finish(self) {
        assert!(self.0.is_empty(), "{} differ:\n{}", self.0.len(), self.0.join("\n"));
    }
}

#[test]
fn image_names() {
    let vectors = vectors("scan_cases.json");
    let mut report = Report::default();
    for row in rows(&vectors, "references") {
        let (expect, image) = (&row["expect"], row["image"].as_str().unwrap());
        let ours = ImageName::parse(image, row["insecure"].as_bool().unwrap());
        match (ours, expect["error"].as_str()) {
            (Err(error), Some(flux)) => report.check(row, &error.to_string().as_str(), &flux),
            (Err(error), None) => report.check(row, &error.to_string().as_str(), &"no error"),
            (Ok(name), flux) => {
                report.check(row, &flux, &None);
                report.check(
                    row,
                    &name.canonical().as_str(),
                    &expect["canonical"].as_str().unwrap_or_default(),
                );
                report.check(row, &name.registry.as_str(), &expect["registry"].as_str().unwrap_or_default());
                report.check(
                    row,
                    &name.repository.as_str(),
                    &expect["repository"].as_str().unwrap_or_default(),
                );
                report.check(row, &name.scheme(), &expect["scheme"].as_str().unwrap_or_default());
            }
        }
    }
    report.finish();
}

#[test]
fn revisions_and_latest_tags() {
    let vectors = vectors("scan_cases.json");
    let mut report = Report::default();
    for row in rows(&vectors, "revisions") {
        let stored = texts(&row["stored_tags_in_order"]);
        let revision = reference::revision(stored.iter().map(String::as_str));
        report.check(row, &revision.as_str(), &row["badger_revision"].as_str().unwrap());
    }
    for row in rows(&vectors, "latest_tags") {
        let list = TagList::from_unsorted(texts(&row["tags"]));
        report.check(
            row,
            &reference::latest_tags(&list),
            &texts(&row["latest_tags"]).iter().map(String::as_str).collect(),
        );
    }
    report.finish();
}

#[test]
fn when_a_scan_is_due() {
    let vectors = vectors("scan_cases.json");
    let mut report = Report::default();
    for row in rows(&vectors, "should_scan") {
        let (exclusions, observed) = (texts(&row["exclusion_list"]), texts(&row["observed_exclusion_list"]));
        let interval = Duration::from_secs_f64(row["interval_s"].as_f64().unwrap());
        let due = reference::should_scan(&ScanQuestion {
            image: row["image"].as_str().unwrap(),
            insecure: false,
            interval,
            exclusions: &exclusions,
            observed_canonical: row["observed_canonical"].as_str().unwrap(),
            observed_exclusions: &observed,
            stored_tags: row["db_error"].is_null().then(|| texts(&row["db_tags"]).len()),
            requested: row["annotation"].as_str(),
            handled: row["last_handled"].as_str(),
            since_scan: row["last_scan_age_s"].as_f64().map(Duration::from_secs_f64),
        });
        let expect = &row["expect"];
        report.check(row, &due.is_err(), &expect["error"].as_bool().unwrap_or(false));
        let (scan, reason, next) = match due {
            Ok(ScanDue::Now(reason)) => (true, reason, interval),
            Ok(ScanDue::After(left)) => (false, "", left),
            Err(_) => (false, "", interval),
        };
        report.check(row, &scan, &expect["scan"].as_bool().unwrap());
        report.check(row, &reason, &expect["reason"].as_str().unwrap());
        let next = (next.as_secs_f64() * 1e6).round() / 1e6;
        report.check(row, &next, &expect["next_s"].as_f64().unwrap());
    }
    report.finish();
}
