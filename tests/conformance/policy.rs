//! Policies, their filters and patterns.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use supercargo::domain::object::{PolicyChoice, TagFilter};
use supercargo::domain::policy::Evaluator;
use supercargo::domain::tags::TagList;

use crate::{ask, same, text, texts};

pub(crate) fn case(case: &Value, _: &Value) -> Result<(), String> {
    let (mut tags, mut filter) = (case["tags"].clone(), case["filter"].clone());
    if case["candidates_only"] == true {
        // Of a tag that the filter refuses no candidate is left, which is what these cases are about.
        (tags, filter) = (json!(["a"]), json!({ "pattern": "b" }));
    }
    let answer =
        ask(&json!({ "op": "policy", "policy": case["policy"], "filterTags": filter, "tags": tags }));
    let expect = &case["expect"];
    let (latest, error) = (&answer["latest"]["tag"], &answer["error"]);
    if let Some(answers) = expect["any_of"].as_array() {
        let is_known = answers.iter().any(|answer| answer["latest"] == *latest);
        return same("one of several, by chance", &(is_known, answer["tie"] == true), &(true, true));
    }
    same("latest", latest, &expect["latest"])?;
    same("error", error, &expect["error"])?;
    same("tie", &answer["tie"], &json!(false))?;
    if error.is_null() {
        return same("stalled", &answer["stalled"], &json!(false));
    }
    same("stalled", &answer["stalled"], &expect["stalled"])?;
    // The reason is not part of the pipe's answer.
    let choice: PolicyChoice = serde_json::from_value(case["policy"].clone()).unwrap();
    let filter: Option<TagFilter> = serde_json::from_value(filter).unwrap();
    let tags = TagList::from_unsorted(texts(&tags));
    let error = Evaluator::new(&choice, filter.as_ref(), &[]).evaluate(&tags).error.unwrap();
    same("reason", &error.reason(), &text(expect, "reason"))
}

pub(crate) fn filter(case: &Value, _: &Value) -> Result<(), String> {
    let filter = json!({ "pattern": case["pattern"], "extract": case["extract"] });
    let answer = ask(&json!({
        "op": "policy", "policy": { "alphabetical": {} }, "filterTags": filter, "tags": case["tags"], "detail": true
    }));
    let rows = answer["tags"].as_array().unwrap().iter();
    let kept: BTreeMap<&str, &str> = rows
        .filter(|row| row["state"] == "latest" || row["state"] == "match")
        .map(|row| (text(row, "value"), text(row, "tag")))
        .collect();
    same("candidates", &json!(kept.keys().collect::<Vec<_>>()), &case["candidates_sorted"])?;
    same("tags of candidates", &json!(kept), &case["map"])
}

pub(crate) fn expand(case: &Value, _: &Value) -> Result<(), String> {
    let results = case["results"].as_object().unwrap();
    let haystacks: Vec<_> = results.keys().collect();
    let answer = ask(&json!({
        "op": "regex", "pattern": case["pattern"], "haystacks": haystacks, "template": case["template"]
    }));
    same("expanded", &answer["expanded"], &results.values().cloned().collect())
}

pub(crate) fn regex(case: &Value, file: &Value) -> Result<(), String> {
    let haystacks = &file["haystacks"];
    let answer = ask(&json!({ "op": "regex", "pattern": case["pattern"], "haystacks": haystacks }));
    same("error", &answer["error"], &case["go_error"])?;
    if !case["go_error"].is_null() {
        return same("matches", &answer["matches"], &Value::Null);
    }
    same("names", &answer["names"], &case["go_group_names"])?;
    let matches = texts(haystacks).iter().map(|text| case["go_matches"][text].clone()).collect();
    same("matches", &answer["matches"], &matches)
}
