//! The part of JSON Schema (2020-12) that the published schema is written in, and no more: a keyword that is not known here
//! fails the test, so that none is passed over. Stricter than a reader has to be: a key that is not described is an error.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use serde_json::Value;

/// The schema of plans, as it is published.
pub fn of_plans() -> Value {
    serde_json::from_str(include_str!("../../assets/schema/plan.json")).unwrap()
}

/// Holds a plan against the published schema.
///
/// # Panics
/// With everything that is not as described.
pub fn assert_is_plan(plan: &Value) {
    let schema = of_plans();
    let wrong = Check { schema: &schema }.value(&schema, plan, "plan");
    assert!(wrong.is_empty(), "{}\n{plan:#}", wrong.join("\n"));
}

/// What is wrong with a document by a schema, each with its place.
pub fn defects(schema: &Value, document: &Value) -> Vec<String> {
    Check { schema }.value(schema, document, "")
}

struct Check<'a> {
    schema: &'a Value,
}

impl Check<'_> {
    fn value(&self, rule: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for (keyword, argument) in rule.as_object().expect("a schema is an object") {
            match keyword.as_str() {
                "$ref" => {
                    let name = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    let rule = self.schema["$defs"].get(name).unwrap_or_else(|| panic!("no $defs/{name}"));
                    wrong.extend(self.value(rule, value, at));
                }
                "anyOf" => {
                    let ways = argument.as_array().unwrap();
                    let tried: Vec<Vec<String>> =
                        ways.iter().map(|rule| self.value(rule, value, at)).collect();
                    if tried.iter().all(|wrong| !wrong.is_empty()) {
                        wrong.extend(tried.into_iter().flatten());
                    }
                }
                "const" if argument != value => wrong.push(format!("{at}: {value} is not {argument}")),
                "enum" if !argument.as_array().unwrap().contains(value) => {
                    wrong.push(format!("{at}: {value} is none of {argument}"));
                }
                "type" if !is_of(argument, value) => wrong.push(format!("{at}: {value} is no {argument}")),
                "$schema" | "$id" | "$defs" | "title" | "description" | "const" | "enum" | "type" => {}
                "properties" | "additionalProperties" | "required" => {
                    wrong.extend(self.object(rule, (keyword, argument), value, at));
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        wrong.extend(self.value(argument, item, &format!("{at}[{index}]")));
                    }
                }
                _ => wrong.extend(bound((keyword, argument), value).map(|text| format!("{at}: {text}"))),
            }
        }
        wrong
    }

    fn object(
        &self,
        rule: &Value,
        (keyword, argument): (&str, &Value),
        value: &Value,
        at: &str,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(object) = value.as_object() else { return wrong };
        if keyword == "required" {
            let missing =
                argument.as_array().unwrap().iter().filter(|key| !object.contains_key(key.as_str().unwrap()));
            return missing.map(|key| format!("{at}: {key} is missing")).collect();
        }
        let described = rule.get("properties");
        for (key, value) in object {
            let at = format!("{at}.{key}");
            match described.and_then(|described| described.get(key)) {
                Some(rule) if keyword == "properties" => wrong.extend(self.value(rule, value, &at)),
                None if keyword == "additionalProperties" => wrong.extend(self.value(argument, value, &at)),
                None if rule.get("additionalProperties").is_none() => {
                    wrong.push(format!("{at} is not described"));
                }
                _ => {}
            }
        }
        wrong
    }
}

fn is_of(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    };
    types.as_array().map_or_else(|| is(types), |all| all.iter().any(is))
}

/// What a bound on a size or a text says, where the value has one.
fn bound((keyword, argument): (&str, &Value), value: &Value) -> Option<String> {
    let limit = || argument.as_i64().unwrap();
    let length = |length: usize| i64::try_from(length).unwrap();
    let holds = match keyword {
        "minimum" => value.as_i64().is_none_or(|number| number >= limit()),
        "maximum" => value.as_i64().is_none_or(|number| number <= limit()),
        "minLength" => value.as_str().is_none_or(|text| length(text.chars().count()) >= limit()),
        "minItems" => value.as_array().is_none_or(|items| length(items.len()) >= limit()),
        "pattern" => {
            let pattern = regex::Regex::new(argument.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        other => panic!("the keyword {other} is not known here"),
    };
    (!holds).then(|| format!("{value} against {keyword} {argument}"))
}
