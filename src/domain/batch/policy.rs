//! `policy`: what a policy selects of some tags.

use serde::{Deserialize, Serialize};

use super::request::{Fields, Object, RequestError, optional_object};
use crate::domain::object::{OrderChoice, PolicyChoice, SemverChoice, TagFilter};
use crate::domain::policy::{Evaluator, JudgedTag, PolicyError};
use crate::domain::tags::TagList;

/// `spec.policy`.
#[derive(Deserialize)]
struct Choice {
    #[serde(default, deserialize_with = "optional_object")]
    semver: Option<SemverChoice>,
    #[serde(default, deserialize_with = "optional_object")]
    alphabetical: Option<OrderChoice>,
    #[serde(default, deserialize_with = "optional_object")]
    numerical: Option<OrderChoice>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    latest: Option<Latest<'a>>,
    error: Option<String>,
    stalled: bool,
    tie: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<JudgedTag>>,
}

#[derive(Serialize)]
struct Latest<'a> {
    tag: &'a str,
}

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let Choice { semver, alphabetical, numerical } = fields.object("policy")?;
    let choice = PolicyChoice { semver, alphabetical, numerical };
    let filter: Option<TagFilter> = fields.optional("filterTags")?.map(|Object(filter)| filter);
    let exclusions: Vec<String> = fields.optional("exclude")?.unwrap_or_default();
    let tags = TagList::from_unsorted(fields.required::<Vec<String>>("tags")?);
    let detail = fields.optional("detail")?.unwrap_or(false);
    let evaluator = Evaluator::new(&choice, filter.as_ref(), &exclusions);
    let evaluation = evaluator.evaluate(&tags);
    if let Some(error) = evaluation.error.as_ref().filter(|error| error.is_no_verdict()) {
        return Err(RequestError::new(error.to_string()));
    }
    super::json(&Verdict {
        latest: evaluation.latest.and_then(|latest| tags.get(latest)).map(|tag| Latest { tag }),
        error: evaluation.error.as_ref().map(ToString::to_string),
        stalled: evaluation.error.as_ref().is_some_and(PolicyError::stalled),
        tie: evaluation.random,
        tags: detail.then(|| evaluator.judged(&tags, &evaluation)),
    })
}

#[cfg(test)]
mod tests {
    fn verdict(rest: &str) -> String {
        super::super::answer(format!("{{\"op\":\"policy\",{rest}}}").as_bytes()).text
    }

    #[test]
    fn nothing_is_excluded_unless_asked_for() {
        let latest = r#"{"latest":{"tag":"b.sig"},"error":null,"stalled":false,"tie":false}"#;
        for exclude in ["", r#""exclude":[],"#, r#""exclude":null,"#] {
            assert_eq!(
                verdict(&format!(r#"{exclude}"policy":{{"alphabetical":{{}}}},"tags":["a","b.sig"]"#)),
                latest
            );
        }
    }

    #[test]
    fn errors_come_in_the_order_of_the_steps_and_say_whether_flux_tries_again() {
        for (rest, error, stalled) in [
            (
                r#""policy":{},"exclude":["("],"tags":[]"#,
                "scan failed: failed to compile regex (: error parsing regexp: missing closing ): `(`",
                false,
            ),
            (r#""policy":{},"tags":[]"#, "invalid policy: given ImagePolicyChoice object is invalid", true),
            (
                r#""policy":{"numerical":{"order":"up"}},"filterTags":{"pattern":"("},"tags":[]"#,
                "invalid policy: invalid order argument provided: 'UP', must be one of: ASC, DESC",
                true,
            ),
            (
                r#""policy":{"numerical":{}},"filterTags":{"pattern":"("},"tags":[]"#,
                "no tags in database",
                false,
            ),
            (
                r#""policy":{"numerical":{}},"filterTags":{"pattern":"("},"tags":["1"]"#,
                "failed to filter tags: invalid regular expression pattern '(': error parsing regexp: missing closing ): `(`",
                true,
            ),
            (
                r#""policy":{"numerical":{}},"filterTags":{"pattern":"z"},"tags":["1"]"#,
                "version list argument cannot be empty",
                false,
            ),
            (
                r#""policy":{"numerical":{}},"filterTags":{},"tags":["a","1","b"]"#,
                "failed to parse invalid numeric value 'b'",
                false,
            ),
        ] {
            let expected = format!(
                "{{\"latest\":null,\"error\":{},\"stalled\":{stalled},\"tie\":false}}",
                serde_json::Value::from(error)
            );
            assert_eq!(verdict(rest), expected);
        }
    }

    #[test]
    fn a_tie_is_what_flux_decides_by_chance() {
        let numbers = r#""policy":{"numerical":{}},"tags":["1","1.0","01"]"#;
        assert_eq!(verdict(numbers), r#"{"latest":{"tag":"01"},"error":null,"stalled":false,"tie":false}"#);
        let filtered = format!(r#"{numbers},"filterTags":{{}}"#);
        assert_eq!(verdict(&filtered), r#"{"latest":{"tag":"01"},"error":null,"stalled":false,"tie":true}"#);
    }

    #[test]
    fn detail_adds_a_row_for_each_tag() {
        let rest = r#""policy":{"semver":{"range":"1.x"}},"tags":["1.0.0","x"],"detail":true"#;
        let expected = r#"{"latest":{"tag":"1.0.0"},"error":null,"stalled":false,"tie":false,"tags":[{"tag":"1.0.0","state":"latest","value":"1.0.0","reason":""#;
        let verdict = verdict(rest);
        assert!(verdict.starts_with(expected), "{verdict}");
    }
}
