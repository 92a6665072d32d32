//! What Flux's own code was seen to answer (`tests/vectors/`), one assertion for each row: image names, scans, ranges,
//! regular expressions, policies.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use supercargo::domain::object::{PolicyChoice, TagFilter};
use supercargo::domain::policy::constraint::Constraints;
use supercargo::domain::policy::expand::Template;
use supercargo::domain::policy::goregex::Pattern;
use supercargo::domain::policy::version::Version;
use supercargo::domain::policy::{Evaluation, Evaluator};
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

#[test]
fn versions_and_their_order() {
    let vectors = vectors("semver_versions.json");
    let mut report = Report::default();
    for row in rows(&vectors, "versions") {
        let text = row["version"].as_str().unwrap();
        let parsed = Version::parse(text);
        report.check(
            row,
            &parsed.as_ref().ok().map(ToString::to_string).as_deref(),
            &row["normalised"].as_str(),
        );
        report.check(row, &Version::from_tag(text).is_some(), &row["flux"].as_bool().unwrap());
        if let Some(flux) = row["loose_error"].as_str() {
            report.check(row, &parsed.err().map(|error| error.to_string()).as_deref(), &Some(flux));
        }
    }
    for row in rows(&vectors, "compare") {
        let [a, b] = ["a", "b"].map(|key| row[key].as_str().unwrap());
        let ordering = Version::parse(a).unwrap().precedence(&Version::parse(b).unwrap());
        report.check(row, &i64::from(ordering as i8), &row["cmp"].as_i64().unwrap());
    }
    report.finish();
}

#[test]
fn ranges() {
    let vectors = vectors("semver_constraints.json");
    let mut report = Report::default();
    // Flux never sets the library's switch that admits pre-releases everywhere.
    for row in
        rows(&vectors, "check").iter().filter(|row| !row["include_prerelease"].as_bool().unwrap_or(false))
    {
        let range = Constraints::parse(row["constraint"].as_str().unwrap()).unwrap();
        let version = Version::parse(row["version"].as_str().unwrap()).unwrap();
        report.check(row, &range.check(&version), &row["ok"].as_bool().unwrap());
    }
    for row in rows(&vectors, "invalid") {
        let error =
            Constraints::parse(row["constraint"].as_str().unwrap()).err().map(|error| error.to_string());
        report.check(row, &error.as_deref(), &row["error"].as_str());
    }
    for row in rows(&vectors, "valid") {
        let range = Constraints::parse(row["constraint"].as_str().unwrap()).map(|range| range.to_string());
        report.check(row, &range.as_deref(), &Ok(row["string"].as_str().unwrap()));
    }
    for row in rows(&vectors, "mismatch_reasons") {
        let range = Constraints::parse(row["constraint"].as_str().unwrap()).unwrap();
        let reason = range.mismatch(&Version::parse(row["version"].as_str().unwrap()).unwrap());
        report.check(row, &reason.as_deref(), &row["first_reason"].as_str());
    }
    report.finish();
}

/// The offsets of all groups, -1 for one that took no part.
fn offsets(pattern: &Pattern, text: &str) -> Option<Vec<i64>> {
    let mut slots = pattern.slots();
    let offset = |end: usize| i64::try_from(end).unwrap();
    pattern.find(text, &mut slots).then(|| {
        (0..pattern.names().len())
            .flat_map(|group| {
                slots.group(group).map_or([-1, -1], |span| [offset(span.start), offset(span.end)])
            })
            .collect()
    })
}

#[test]
fn regular_expressions() {
    let vectors = vectors("go_regex.json");
    let haystacks = texts(&vectors["haystacks"]);
    let mut report = Report::default();
    for row in rows(&vectors, "cases") {
        let spelled = row["pattern"].as_str().unwrap();
        let pattern = match Pattern::new(spelled) {
            Ok(pattern) => pattern,
            Err(error) => {
                report.check(&spelled, &Some(error.to_string().as_str()), &row["go_error"].as_str());
                continue;
            }
        };
        report.check(&spelled, &None, &row["go_error"].as_str());
        report.check(&spelled, &pattern.names().to_vec(), &texts(&row["go_group_names"]));
        for text in &haystacks {
            let flux = row["go_matches"].get(text);
            let flux =
                flux.map(|ends| ends.as_array().unwrap().iter().map(|end| end.as_i64().unwrap()).collect());
            report.check(&format!("{spelled} on {text:?}"), &offsets(&pattern, text), &flux);
            report.check(&format!("{spelled} in {text:?}"), &pattern.is_match(text), &flux.is_some());
        }
    }
    report.finish();
}

#[test]
fn templates_of_extract() {
    let vectors = vectors("policy_cases.json");
    let mut report = Report::default();
    for row in rows(&vectors, "expand") {
        let pattern = Pattern::new(row["pattern"].as_str().unwrap()).unwrap();
        let template = Template::new(row["template"].as_str().unwrap(), pattern.names());
        for (text, flux) in row["results"].as_object().unwrap() {
            let (mut slots, mut ours) = (pattern.slots(), String::new());
            assert!(pattern.find(text, &mut slots), "{row}");
            template.expand(text, &slots, &mut ours);
            report.check(row, &ours.as_str(), &flux.as_str().unwrap());
        }
    }
    report.finish();
}

#[test]
fn exclusion_lists() {
    let vectors = vectors("scan_cases.json");
    let mut report = Report::default();
    for row in rows(&vectors, "exclusion") {
        let choice: PolicyChoice = serde_json::from_str(r#"{"alphabetical":{}}"#).unwrap();
        let list = TagList::from_unsorted(texts(&row["tags"]));
        let evaluation = Evaluator::new(&choice, None, &texts(&row["patterns"])).evaluate(&list);
        if let Some(flux) = row["error"].as_str() {
            let error = evaluation.error.map(|error| error.to_string());
            report.check(row, &error.as_deref(), &Some(format!("scan failed: {flux}").as_str()));
            continue;
        }
        let kept: Vec<&str> = (list.iter().zip(&evaluation.states))
            .filter_map(|(tag, state)| (state.word() != "exclude").then_some(tag))
            .collect();
        let mut flux = texts(&row["kept"]);
        flux.sort_by(|a, b| b.cmp(a));
        report.check(row, &kept, &flux.iter().map(String::as_str).collect());
    }
    report.finish();
}

fn evaluate(row: &Value) -> (TagList, Evaluation) {
    let choice: PolicyChoice = serde_json::from_value(row["policy"].clone()).unwrap();
    let filter: Option<TagFilter> = serde_json::from_value(row["filter"].clone()).unwrap();
    let list = TagList::from_unsorted(texts(&row["tags"]));
    let evaluation = Evaluator::new(&choice, filter.as_ref(), &[]).evaluate(&list);
    (list, evaluation)
}

#[test]
fn policies() {
    let vectors = vectors("policy_cases.json");
    let mut report = Report::default();
    // Two kinds of rows cannot be asked here: a policer called with an empty list, behind the check for stored tags,
    // and a database that fails.
    let askable = |row: &&Value| row["candidates_only"].is_null() && row["database_error"].is_null();
    for row in rows(&vectors, "cases").iter().filter(askable) {
        let (list, evaluation) = evaluate(row);
        let expect = &row["expect"];
        let latest = evaluation.latest.and_then(|latest| list.get(latest));
        let error = evaluation.error.as_ref().map(ToString::to_string);
        if let Some(answers) = expect["any_of"].as_array() {
            let known = answers.iter().any(|answer| answer["latest"].as_str() == latest);
            report.check(row, &(known, evaluation.random, evaluation.tie), &(true, true, true));
        } else {
            report.check(row, &latest, &expect["latest"].as_str());
            report.check(row, &error.as_deref(), &expect["error"].as_str());
            report.check(row, &evaluation.random, &false);
        }
        if let Some(error) = evaluation.error {
            report.check(row, &error.stalled(), &expect["stalled"].as_bool().unwrap());
            report.check(row, &error.reason(), &expect["reason"].as_str().unwrap());
        }
    }
    report.finish();
}
