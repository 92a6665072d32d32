//! Image names, exclusion, and what a scan stores.

use std::time::Duration;

use serde_json::{Value, json};
use supercargo::domain::reference::ImageName;
use supercargo::domain::scan::{self, ScanDue, ScanQuestion};
use supercargo::domain::tags::TagList;

use crate::{ask, same, text, texts};

pub(crate) fn reference(case: &Value, _: &Value) -> Result<(), String> {
    let expect = &case["expect"];
    let name = match ImageName::parse(text(case, "image"), case["insecure"].as_bool().unwrap()) {
        Ok(name) => name,
        Err(error) => return same("error", &Some(error.to_string().as_str()), &expect["error"].as_str()),
    };
    same("error", &None, &expect["error"].as_str())?;
    same("canonical", &name.canonical().as_str(), &text(expect, "canonical"))?;
    same("registry", &name.registry.as_str(), &text(expect, "registry"))?;
    same("repository", &name.repository.as_str(), &text(expect, "repository"))?;
    same("scheme", &name.scheme(), &text(expect, "scheme"))
}

pub(crate) fn exclusion(case: &Value, _: &Value) -> Result<(), String> {
    let (policy, tags) = (json!({ "alphabetical": {} }), &case["tags"]);
    let answer = ask(
        &json!({ "op": "policy", "policy": policy, "exclude": case["patterns"], "tags": tags, "detail": true }),
    );
    if let Some(error) = case["error"].as_str() {
        return same("error", &text(&answer, "error"), &format!("scan failed: {error}").as_str());
    }
    let rows = answer["tags"].as_array().unwrap().iter().filter(|row| row["state"] != "exclude");
    let mut kept: Vec<_> = rows.map(|row| text(row, "tag").to_owned()).collect();
    let mut expected = texts(&case["kept"]);
    kept.sort();
    expected.sort();
    same("kept", &kept, &expected)
}

pub(crate) fn latest_tags(case: &Value, _: &Value) -> Result<(), String> {
    let list = TagList::from_unsorted(texts(&case["tags"]));
    same("latest tags", &json!(scan::latest_tags(&list)), &case["latest_tags"])
}

pub(crate) fn revision(case: &Value, _: &Value) -> Result<(), String> {
    let stored = texts(&case["stored_tags_in_order"]);
    let revision = scan::revision(stored.iter().map(String::as_str));
    same("revision", &revision.as_str(), &text(case, "badger_revision"))?;
    let listed = TagList::from_unsorted(texts(&case["registry_order"]));
    if listed.is_empty() {
        Ok(())
    } else {
        same("order", &json!(listed.iter().collect::<Vec<_>>()), &json!(stored))
    }
}

pub(crate) fn should_scan(case: &Value, _: &Value) -> Result<(), String> {
    let (exclusions, observed) = (texts(&case["exclusion_list"]), texts(&case["observed_exclusion_list"]));
    let interval = Duration::from_secs_f64(case["interval_s"].as_f64().unwrap());
    let due = scan::should_scan(&ScanQuestion {
        image: text(case, "image"),
        insecure: false,
        interval,
        exclusions: &exclusions,
        observed_canonical: text(case, "observed_canonical"),
        observed_exclusions: &observed,
        stored_tags: case["db_error"].is_null().then(|| texts(&case["db_tags"]).len()),
        requested: case["annotation"].as_str(),
        handled: case["last_handled"].as_str(),
        since_scan: case["last_scan_age_s"].as_f64().map(Duration::from_secs_f64),
    });
    let expect = &case["expect"];
    same("error", &due.is_err(), &expect["error"].as_bool().unwrap_or(false))?;
    let (scan, reason, next) = match due {
        Ok(ScanDue::Now(reason)) => (true, reason, interval),
        Ok(ScanDue::After(left)) => (false, "", left),
        Err(_) => (false, "", interval),
    };
    same("scan", &scan, &expect["scan"].as_bool().unwrap())?;
    same("reason", &reason, &text(expect, "reason"))?;
    same("next", &((next.as_secs_f64() * 1e6).round() / 1e6), &expect["next_s"].as_f64().unwrap())
}
