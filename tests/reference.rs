//! Our answers against those of the Go libraries that Flux stands on, on requests made up at random.
#![expect(clippy::unwrap_used, reason = "an answer that cannot be made is a failed test")]

mod support {
    pub mod generate;
    pub mod programs;
    pub mod reference;
}

use serde_json::{Value, json};
use supercargo::domain::object::{PolicyChoice, TagFilter};
use supercargo::domain::policy::Evaluator;
use supercargo::domain::policy::constraint::Constraints;
use supercargo::domain::policy::expand::Template;
use supercargo::domain::policy::goregex::Pattern;
use supercargo::domain::policy::version::Version;
use supercargo::domain::tags::TagList;
use support::{generate, reference};

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn ranges_and_versions_are_those_of_masterminds() {
    reference::compare("semver", generate::semver::request, semver);
}

fn semver(request: &Value) -> Value {
    match Constraints::parse(request["range"].as_str().unwrap()) {
        Ok(range) => {
            let check = |text: &String| Version::from_tag(text).map(|version| range.check(&version));
            let results: Vec<Option<bool>> = texts(&request["versions"]).iter().map(check).collect();
            json!({"error": null, "results": results})
        }
        Err(error) => json!({"error": error.to_string(), "results": null}),
    }
}

#[test]
fn patterns_are_those_of_go() {
    reference::compare("regex", generate::regex::request, regex);
}

fn regex(request: &Value) -> Value {
    let template = request["template"].as_str();
    let (names, matches, expanded, error) = match Pattern::new(request["pattern"].as_str().unwrap()) {
        Ok(pattern) => {
            let haystacks = texts(&request["haystacks"]);
            let matches: Vec<Value> = haystacks.iter().map(|text| find(&pattern, text)).collect();
            let expand = |template| haystacks.iter().map(|text| expand(&pattern, template, text)).collect();
            (json!(pattern.names()), json!(matches), template.map(expand), Value::Null)
        }
        Err(error) => (Value::Null, Value::Null, None, error.to_string().into()),
    };
    let mut answer = json!({"error": error, "names": names, "matches": matches});
    if template.is_some() {
        answer["expanded"] = expanded.unwrap_or_default();
    }
    answer
}

fn find(pattern: &Pattern, text: &str) -> Value {
    let mut slots = pattern.slots();
    if !pattern.find(text, &mut slots) {
        return Value::Null;
    }
    let ends = |group| {
        slots
            .group(group)
            .map_or([-1, -1], |span| [span.start, span.end].map(|end| i64::try_from(end).unwrap()))
    };
    json!((0..pattern.names().len()).flat_map(ends).collect::<Vec<_>>())
}

fn expand(pattern: &Pattern, template: &str, text: &str) -> Value {
    let (mut slots, mut expanded) = (pattern.slots(), String::new());
    if !pattern.find(text, &mut slots) {
        return Value::Null;
    }
    Template::new(template, pattern.names()).expand(text, &slots, &mut expanded);
    expanded.into()
}

#[test]
fn policies_select_what_flux_selects() {
    reference::compare("policy", generate::policy::request, policy);
}

fn policy(request: &Value) -> Value {
    let choice: PolicyChoice = serde_json::from_value(request["policy"].clone()).unwrap();
    let filter: Option<TagFilter> = serde_json::from_value(request["filterTags"].clone()).unwrap();
    let tags = TagList::from_unsorted(texts(&request["tags"]));
    let verdict = Evaluator::new(&choice, filter.as_ref(), &texts(&request["exclude"])).evaluate(&tags);
    let latest = verdict.latest.and_then(|latest| tags.get(latest)).map(|tag| json!({"tag": tag}));
    json!({
        "latest": latest,
        "error": verdict.error.as_ref().map(ToString::to_string),
        "stalled": verdict.error.as_ref().is_some_and(supercargo::domain::policy::PolicyError::stalled),
        "tie": verdict.random,
    })
}
