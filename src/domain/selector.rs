//! Label selectors of Kubernetes, checked and compiled.
//!
//! Source: `kubernetes/apimachinery:pkg/apis/meta/v1/helpers.go`, `pkg/labels/selector.go`,
//! `pkg/util/validation/validation.go`.

use std::collections::BTreeMap;

use super::object::{LabelExpression, LabelSelector};
use super::policy::quote::go_quote;

/// What is wrong with a selector; the texts are those of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// An operator that does not exist.
    #[error("{} is not a valid label selector operator", go_quote(.0))]
    Operator(String),
    /// A key that no label can have, values that none can have, or too many or too few of them; all of one condition.
    #[error("{}", aggregate(.0))]
    Requirement(Vec<String>),
}

/// Several texts as Kubernetes lists them: each once, in brackets if there are several.
fn aggregate(texts: &[String]) -> String {
    let mut each: Vec<&str> = Vec::new();
    for text in texts {
        if !each.contains(&text.as_str()) {
            each.push(text);
        }
    }
    match each[..] {
        [one] => one.to_owned(),
        _ => format!("[{}]", each.join(", ")),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    DoesNotExist(String),
}

/// A selector that can be asked; one without any condition matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

impl Selector {
    /// Checks and compiles a selector.
    ///
    /// # Errors
    /// An expression with an unknown operator, or with values where there must be none, or none where there must be; a key
    /// or a value that no label can have.
    pub fn new(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let labels = selector.match_labels.iter().map(|(key, value)| {
            let values = vec![value.clone()];
            Ok(Requirement::In(checked(key, None, &values)?, values))
        });
        let expressions = selector.match_expressions.iter().map(requirement);
        labels.chain(expressions).collect::<Result<_, _>>().map(Self)
    }

    /// Whether labels meet every condition.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            // A label that is not there is not in the list either.
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

fn requirement(expression: &LabelExpression) -> Result<Requirement, SelectorError> {
    let LabelExpression { key, operator, values } = expression.clone();
    let takes_values = match operator.as_str() {
        "In" | "NotIn" => true,
        "Exists" | "DoesNotExist" => false,
        _ => return Err(SelectorError::Operator(operator)),
    };
    let wrong = match (takes_values, values.is_empty()) {
        (true, true) => Some(
            "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty".to_owned(),
        ),
        (false, false) => {
            let values: Vec<String> = values.iter().map(|value| go_quote(value)).collect();
            let values = values.join(",");
            Some(format!(
                "values: Invalid value: [{values}]: values set must be empty for exists and does not exist"
            ))
        }
        _ => None,
    };
    let key = checked(&key, wrong, &values)?;
    Ok(match operator.as_str() {
        "In" => Requirement::In(key, values),
        "NotIn" => Requirement::NotIn(key, values),
        "Exists" => Requirement::Exists(key),
        _ => Requirement::DoesNotExist(key),
    })
}

/// The key, if a label may have it and these values and nothing else is `wrong`.
fn checked(key: &str, wrong: Option<String>, values: &[String]) -> Result<String, SelectorError> {
    let defects = key_defects(key);
    let key_defect = (!defects.is_empty())
        .then(|| format!("key: Invalid value: {}: {}", go_quote(key), defects.join("; ")));
    let value_defect = |(index, value): (usize, &String)| {
        let defects = value_defects(value);
        (!defects.is_empty()).then(|| {
            format!("values[{index}][{key}]: Invalid value: {}: {}", go_quote(value), defects.join("; "))
        })
    };
    let values = values.iter().enumerate().filter_map(value_defect);
    let all: Vec<String> = key_defect.into_iter().chain(wrong).chain(values).collect();
    if all.is_empty() { Ok(key.to_owned()) } else { Err(SelectorError::Requirement(all)) }
}

/// What a name or a value is at most, in bytes.
const LONGEST_NAME: usize = 63;
/// What a prefix is at most, in bytes.
const LONGEST_PREFIX: usize = 253;
const EMPTY: &str = "must be non-empty";
const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
    (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const PREFIX: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
    and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and \
    end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What keeps `key` from being a label's: a name, perhaps behind a domain and a slash.
fn key_defects(key: &str) -> Vec<String> {
    let parts: Vec<&str> = key.split('/').collect();
    let (prefix, name) = match parts[..] {
        [name] => (None, name),
        [prefix, name] => (Some(prefix), name),
        _ => {
            return vec![format!(
                "a qualified name {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let empty = name.is_empty().then(|| EMPTY.to_owned());
    let of_name = empty.or_else(|| too_long(name, LONGEST_NAME)).into_iter();
    let of_name = of_name.chain((!is_name(name)).then(|| NAME.to_owned()));
    let of_prefix = prefix.map(prefix_defects).into_iter().flatten();
    let of_prefix = of_prefix.map(|defect| format!("prefix part {defect}"));
    of_prefix.chain(of_name.map(|defect| format!("name part {defect}"))).collect()
}

fn prefix_defects(prefix: &str) -> Vec<String> {
    if prefix.is_empty() {
        return vec![EMPTY.to_owned()];
    }
    let is_part = |part: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        has_ends(part, is_allowed) && part.bytes().all(|byte| is_allowed(byte) || byte == b'-')
    };
    let is_domain = prefix.split('.').all(is_part);
    too_long(prefix, LONGEST_PREFIX).into_iter().chain((!is_domain).then(|| PREFIX.to_owned())).collect()
}

fn value_defects(value: &str) -> Vec<String> {
    let is_wrong = !value.is_empty() && !is_name(value);
    too_long(value, LONGEST_NAME).into_iter().chain(is_wrong.then(|| VALUE.to_owned())).collect()
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

fn is_name(text: &str) -> bool {
    has_ends(text, |byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether there is a first and a last byte, and both are allowed there.
fn has_ends(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    [bytes.first(), bytes.last()].into_iter().all(|end| end.is_some_and(|byte| is_allowed(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(key: &str, operator: &str, values: &[&str]) -> LabelExpression {
        let values = values.iter().map(ToString::to_string).collect();
        LabelExpression { key: key.into(), operator: operator.into(), values }
    }

    fn matches(expressions: Vec<LabelExpression>, labels: &[(&str, &str)]) -> bool {
        let selector = LabelSelector { match_expressions: expressions, ..LabelSelector::default() };
        let labels = labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Selector::new(&selector).unwrap().matches(&labels)
    }

    #[test]
    fn expressions_mean_what_they_mean_in_kubernetes() {
        let labels = [("app", "web")];
        for (expression, expected) in [
            (expression("app", "In", &["web", "api"]), true),
            (expression("app", "In", &["api"]), false),
            (expression("tier", "In", &["web"]), false),
            (expression("app", "NotIn", &["web"]), false),
            (expression("tier", "NotIn", &["web"]), true),
            (expression("app", "Exists", &[]), true),
            (expression("tier", "Exists", &[]), false),
            (expression("app", "DoesNotExist", &[]), false),
            (expression("tier", "DoesNotExist", &[]), true),
        ] {
            assert_eq!(matches(vec![expression.clone()], &labels), expected, "{expression:?}");
        }
        assert!(matches(vec![], &labels), "an empty selector matches everything");
    }

    #[test]
    fn senseless_expressions_are_errors() {
        for (wrong, text) in [
            (expression("a", "Is", &["b"]), "\"Is\" is not a valid label selector operator".to_owned()),
            (
                expression("a", "In", &[]),
                "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty".to_owned(),
            ),
            (
                expression("a", "Exists", &["x", "y"]),
                "values: Invalid value: [\"x\",\"y\"]: values set must be empty for exists and does not exist".to_owned(),
            ),
            (
                expression("bad key!", "NotIn", &["x y", "z"]),
                format!(
                    "[key: Invalid value: \"bad key!\": name part {NAME}, values[0][bad key!]: Invalid value: \"x y\": {VALUE}]"
                ),
            ),
            (expression("A.io/x", "Exists", &[]), format!("key: Invalid value: \"A.io/x\": prefix part {PREFIX}")),
        ] {
            let selector = LabelSelector { match_expressions: vec![wrong], ..LabelSelector::default() };
            assert_eq!(Selector::new(&selector).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn labels_have_keys_and_values_that_kubernetes_lets_them_have() {
        let of = |key: &str, value: &str| {
            let match_labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            Selector::new(&LabelSelector { match_labels, ..LabelSelector::default() }).map(drop)
        };
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        for (key, value) in
            [("app", ""), ("a.b-c.io/App_1.x", "V1.0"), (&*long, &*long), ("app.kubernetes.io/name", "web")]
        {
            assert_eq!(of(key, value), Ok(()), "{key}: {value}");
        }
        for (key, value) in [
            ("", "x"),
            ("bad key!", "x"),
            ("-a", "x"),
            ("/a", "x"),
            ("a/", "x"),
            ("a/b/c", "x"),
            ("a..b/c", "x"),
            (&*longer, "x"),
            ("a", "x y"),
            ("a", "-x"),
            ("a", &*longer),
            ("a", "é"),
        ] {
            assert!(of(key, value).is_err(), "{key}: {value}");
        }
    }
}
