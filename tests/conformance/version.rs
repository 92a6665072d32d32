//! Versions, their order, and ranges.

use serde_json::{Value, json};
use supercargo::domain::policy::constraint::Constraints;
use supercargo::domain::policy::version::Version;

use crate::{ask, same, text};

/// What `eval batch` says about one version.
fn in_range(range: &str, version: &str) -> Value {
    let answer = ask(&json!({ "op": "semver", "range": range, "versions": [version] }));
    assert_eq!(answer["error"], Value::Null, "{range}");
    answer["results"][0].clone()
}

fn range_error(range: &str) -> Value {
    let answer = ask(&json!({ "op": "semver", "range": range, "versions": ["1.0.0"] }));
    assert_eq!(answer["results"].is_null(), !answer["error"].is_null(), "{range}");
    answer["error"].clone()
}

pub(crate) fn version(case: &Value, _: &Value) -> Result<(), String> {
    let spelled = text(case, "version");
    let parsed = Version::parse(spelled);
    same("loose", &parsed.is_ok(), &case["loose"].as_bool().unwrap())?;
    let normalised = parsed.as_ref().ok().map(ToString::to_string);
    same("normalised", &normalised.as_deref(), &case["normalised"].as_str())?;
    same("for Flux", &!in_range("*-0", spelled).is_null(), &case["flux"].as_bool().unwrap())?;
    match case["loose_error"].as_str() {
        Some(error) => same("error", &parsed.err().map(|own| own.to_string()).as_deref(), &Some(error)),
        None => Ok(()),
    }
}

pub(crate) fn compare(case: &Value, _: &Value) -> Result<(), String> {
    let [a, b] = ["a", "b"].map(|key| Version::parse(text(case, key)).unwrap());
    same("order", &i64::from(a.precedence(&b) as i8), &case["cmp"].as_i64().unwrap())
}

pub(crate) fn check(case: &Value, _: &Value) -> Result<(), String> {
    let (range, spelled, ok) =
        (text(case, "constraint"), text(case, "version"), case["ok"].as_bool().unwrap());
    let (constraints, version) = (Constraints::parse(range).unwrap(), Version::parse(spelled).unwrap());
    // The library's switch that admits pre-releases everywhere; Flux never sets it, so the pipe does not have it.
    if case["include_prerelease"].as_bool().unwrap_or(false) {
        return same("ok", &constraints.including_pre_releases().check(&version), &ok);
    }
    same("ok", &constraints.check(&version), &ok)?;
    match in_range(range, spelled) {
        Value::Bool(ours) => same("ok of the pipe", &ours, &ok),
        _ => same("a tag with two dots", &spelled.matches('.').count().ge(&2), &false),
    }
}

pub(crate) fn invalid(case: &Value, _: &Value) -> Result<(), String> {
    same("error", &range_error(text(case, "constraint")), &case["error"])
}

pub(crate) fn valid(case: &Value, _: &Value) -> Result<(), String> {
    let range = Constraints::parse(text(case, "constraint")).map(|range| range.to_string());
    let shown = range.map_err(|error| error.to_string())?;
    same("string", &shown.as_str(), &text(case, "string"))?;
    if case["or_groups"].is_null() {
        return Ok(());
    }
    let groups: Vec<&str> = shown.split(" || ").collect();
    same("groups", &json!(groups.len()), &case["or_groups"])?;
    same("terms", &json!(groups.first().unwrap().split(' ').count()), &case["first_group_len"])
}

pub(crate) fn hyphen_rewrite(case: &Value, _: &Value) -> Result<(), String> {
    // A sign that no range has makes the parser quote the rewritten text.
    let error = range_error(&format!("{}!", text(case, "input")));
    same("rewritten", &error, &json!(format!("improper constraint: \"{}!\"", text(case, "rewritten"))))
}

pub(crate) fn mismatch_reason(case: &Value, _: &Value) -> Result<(), String> {
    let range = Constraints::parse(text(case, "constraint")).unwrap();
    let reason = range.mismatch(&Version::parse(text(case, "version")).unwrap());
    same("reason", &reason.as_deref(), &case["first_reason"].as_str())
}
