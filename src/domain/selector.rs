//! Label selectors of Kubernetes, checked and compiled.
//!
//! Source: `kubernetes/apimachinery:pkg/apis/meta/v1/helpers.go`, `pkg/labels/selector.go`.

use std::collections::BTreeMap;

use super::object::{LabelExpression, LabelSelector};

/// What is wrong with a selector; the texts are those of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// An operator that does not exist.
    #[error("{0:?} is not a valid label selector operator")]
    Operator(String),
    /// `In` or `NotIn` without a value.
    #[error("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")]
    NoValues,
    /// `Exists` or `DoesNotExist` with values.
    #[error("values: Invalid value: {0:?}: values set must be empty for exists and does not exist")]
    Values(Vec<String>),
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
    /// An expression with an unknown operator, or with values where there must be none, or none where there must be.
    pub fn new(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let labels = selector.match_labels.iter();
        let labels = labels.map(|(key, value)| Ok(Requirement::In(key.clone(), vec![value.clone()])));
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
    if takes_values && values.is_empty() {
        return Err(SelectorError::NoValues);
    }
    if !takes_values && !values.is_empty() {
        return Err(SelectorError::Values(values));
    }
    Ok(match operator.as_str() {
        "In" => Requirement::In(key, values),
        "NotIn" => Requirement::NotIn(key, values),
        "Exists" => Requirement::Exists(key),
        _ => Requirement::DoesNotExist(key),
    })
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
            (expression("a", "Is", &["b"]), "\"Is\" is not a valid label selector operator"),
            (
                expression("a", "In", &[]),
                "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
            ),
            (
                expression("a", "Exists", &["b"]),
                "values: Invalid value: [\"b\"]: values set must be empty for exists and does not exist",
            ),
        ] {
            let selector = LabelSelector { match_expressions: vec![wrong], ..LabelSelector::default() };
            assert_eq!(Selector::new(&selector).unwrap_err().to_string(), text);
        }
    }
}
