//! The engine behind a pipe: one request, a JSON object as text, and its answer.
//!
//! A supported interface for scripts and for conformance tests, so every key and its place is a promise. What reads
//! and writes the lines, and how many are worked on at once, is left to others. A request that makes sense is always
//! answered; what Flux would complain about is part of the answer.

mod policy;
mod regex;
mod request;
mod semver;
mod set;
mod template;

use request::{Fields, RequestError};
use serde::Serialize;

/// What one request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One JSON object, without a line end.
    pub text: String,
    /// Whether it answers the request; if not, it says what is wrong with the request.
    pub understood: bool,
}

type Operation = fn(&Fields<'_>) -> Result<String, RequestError>;

/// The operations by the name that `op` gives them.
const OPERATIONS: [(&str, Operation); 5] = [
    ("policy", policy::answer),
    ("semver", semver::answer),
    ("regex", regex::answer),
    ("template", template::answer),
    ("set", set::answer),
];

/// Answers `request`, the text of one JSON object.
pub fn answer(request: &[u8]) -> Answer {
    let fields = match Fields::read(request) {
        Ok(fields) => fields,
        Err(error) => return Answer::refusal(None, &error.to_string()),
    };
    match operate(&fields) {
        Ok(verdict) => Answer { text: with_id(fields.raw("id"), verdict), understood: true },
        Err(error) => Answer::refusal(fields.raw("id"), &error.to_string()),
    }
}

fn operate(fields: &Fields<'_>) -> Result<String, RequestError> {
    let name: String = fields.required("op")?;
    if let Some((_, operation)) = OPERATIONS.iter().find(|(known, _)| *known == name) {
        return operation(fields);
    }
    let known = OPERATIONS.map(|(known, _)| known).join(", ");
    Err(fields.error("op", format!("{name:?} is no operation; there are {known}")))
}

impl Answer {
    /// The answer to a request that cannot be understood, and why; `id` is JSON as the request has it.
    pub fn refusal(id: Option<&str>, reason: &str) -> Self {
        let text = format!("{{\"request_error\":{}}}", serde_json::Value::from(reason));
        Self { text: with_id(id, text), understood: false }
    }
}

/// Puts the request's own `id` before the first key of `object`, which is never empty.
fn with_id(id: Option<&str>, object: String) -> String {
    match (id, object.strip_prefix('{')) {
        (Some(id), Some(rest)) => format!("{{\"id\":{id},{rest}"),
        _ => object,
    }
}

/// A verdict as JSON, its keys in the order of its fields.
fn json(verdict: &impl Serialize) -> Result<String, RequestError> {
    serde_json::to_string(verdict).map_err(|error| RequestError::new(format!("no answer: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(request: &str) -> String {
        answer(request.as_bytes()).text
    }

    fn refused(request: &[u8]) -> String {
        let answer = answer(request);
        assert!(!answer.understood, "{}", answer.text);
        answer.text
    }

    #[test]
    fn the_examples_of_each_operation_come_out_to_the_byte() {
        for (request, expected) in [
            (
                r#"{"op":"policy","policy":{"semver":{"range":"^1.2"}},"filterTags":{"pattern":"^v(.*)$","extract":"$1"},"exclude":["^.*\\.sig$"],"tags":["v1.2.3","v1.3.0","latest"]}"#,
                r#"{"latest":{"tag":"v1.3.0"},"error":null,"stalled":false,"tie":false}"#,
            ),
            (
                r#"{"op":"semver","range":">=1.2 <2","versions":["1.2.0","v1.9.9","2.0.0","1.3","x"]}"#,
                r#"{"error":null,"results":[true,true,false,null,null]}"#,
            ),
            (
                r#"{"op":"regex","pattern":"^main-(?P<ts>\\d+)(x)?","haystacks":["main-17","no"],"template":"$ts"}"#,
                r#"{"error":null,"names":["","ts",""],"matches":[[0,7,5,7,-1,-1],null],"expanded":["17",null]}"#,
            ),
            (
                r#"{"op":"template","template":"{{range .Changed.Changes}}{{println .NewValue}}{{end}}","data":{"automation_object":{"namespace":"flux-system","name":"apps"},"values":{"cluster":"prod"},"file_changes":{"a.yaml":[{"apiVersion":"apps/v1","kind":"Deployment","namespace":"prod","name":"web","changes":[{"old_value":"web:1","new_value":"web:2","setter":"flux-system:web"}]}]}}}"#,
                r#"{"message":"web:2\n","error":null,"removed_field":false}"#,
            ),
            (
                r#"{"op":"set","policies":[{"namespace":"apps","name":"web","image":"ghcr.io/o/web","tag":"1.3.0"}],"files":{"a.yaml":"image: ghcr.io/o/web:1.2.0 # {\"$imagepolicy\": \"apps:web\"}\n"}}"#,
                r#"{"error":null,"files":{"a.yaml":"image: ghcr.io/o/web:1.3.0 # {\"$imagepolicy\": \"apps:web\"}\n"},"updates":[{"file":"a.yaml","object":{"apiVersion":"","kind":"","namespace":"","name":""},"path":"image","setter":"apps:web","old":"ghcr.io/o/web:1.2.0","new":"ghcr.io/o/web:1.3.0","start":7,"end":26}],"problem_files":[]}"#,
            ),
        ] {
            assert_eq!(answered(request), expected);
        }
    }

    #[test]
    fn an_id_of_any_kind_is_repeated_as_it_was_written() {
        for id in [
            "null",
            "0",
            "-1.50e+400",
            "12345678901234567890123",
            r#""a\u00e9\"}""#,
            r#"{"op":[1, {}],"id":2}"#,
        ] {
            let request = format!(r#"{{"id":{id},"op":"semver","range":"1","versions":[]}}"#);
            assert_eq!(answered(&request), format!(r#"{{"id":{id},"error":null,"results":[]}}"#));
            let request = format!(r#"{{ "op" : 7 , "id" : {id} }}"#);
            assert!(refused(request.as_bytes()).starts_with(&format!(r#"{{"id":{id},"request_error":""#)));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_told_with_its_place() {
        for (request, expected) in [
            ("{", r#"{"request_error":"no JSON: EOF while parsing an object at column 1"}"#),
            ("[]", r#"{"request_error":"no JSON object"}"#),
            ("{} {}", r#"{"request_error":"no JSON: trailing characters at column 4"}"#),
            (r#"{"id":1}"#, r#"{"id":1,"request_error":"op: missing"}"#),
            (
                r#"{"op":"x","id":1}"#,
                r#"{"id":1,"request_error":"op: \"x\" is no operation; there are policy, semver, regex, template, set"}"#,
            ),
            (r#"{"op":"semver","range":"1"}"#, r#"{"request_error":"versions: missing"}"#),
            (
                r#"{"op":"semver","range":"1","versions":["1",2]}"#,
                r#"{"request_error":"versions: invalid type: integer `2`, expected a string at column 44"}"#,
            ),
            (
                r#"{"op":"policy","policy":{"semver":["1.x"]},"tags":[]}"#,
                r#"{"request_error":"policy: invalid type: sequence, expected a JSON object at column 34"}"#,
            ),
            (
                r#"{"op":"policy","policy":[],"tags":[]}"#,
                r#"{"request_error":"policy: invalid type: sequence, expected a JSON object at column 24"}"#,
            ),
        ] {
            assert_eq!(refused(request.as_bytes()), expected, "{request}");
        }
        assert_eq!(refused(b"{\"id\":\"\xff\"}"), r#"{"request_error":"no UTF-8 at byte 7"}"#);
    }

    #[test]
    fn unknown_keys_are_ignored_and_of_one_key_the_last_counts() {
        let request =
            r#"{"range":"2","x":{"op":"y"},"op":"semver","range":"1","versions":["1.0.0"],"\u0069d":1}"#;
        assert_eq!(answered(request), r#"{"id":1,"error":null,"results":[true]}"#);
    }

    proptest::proptest! {
        #[test]
        fn no_request_upsets_it(request in proptest::collection::vec(proptest::sample::select(PIECES), 0..24)) {
            let answer = answer(request.concat().as_bytes());
            let value: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
            proptest::prop_assert_eq!(value.get("request_error").is_none(), answer.understood);
        }
    }

    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"",
        "\\",
        "\"op\":",
        "\"id\":",
        "\"policy\"",
        "\"semver\",",
        "\"set\",",
        "\"tags\":[],",
        "\"policy\":{},",
        "\"range\":\"1\",",
        "\"versions\":[\"1.0.0\"]",
        "null",
        "1",
        "\\u0069",
        "\"x\":{},",
        "\"é\"",
    ];
}
