//! Which objects `get` shows: namespace, name, labels and state, as `flux get` and `kubectl get` choose them.

use super::session::known_objects;
use crate::config::Settings;
use crate::domain::object::{LabelExpression, LabelSelector, Meta, ObjectId};
use crate::domain::selector::Selector;
use crate::domain::status::{Ready, Status};
use crate::problem::{Code, Problem};

/// The choice of one `get`.
pub(super) struct Filter {
    /// `None`: all namespaces.
    namespace: Option<String>,
    name: Option<String>,
    labels: Option<Selector>,
    state: Option<StateSelector>,
}

/// `--status-selector ready=false`.
struct StateSelector {
    kind: String,
    equal: bool,
    status: String,
}

impl Filter {
    /// The choice that the settings and a name on the command line make.
    ///
    /// # Errors
    /// A selector that is none.
    pub(super) fn new(settings: &Settings, name: Option<&str>) -> Result<Self, Problem> {
        let (namespace, name) = match name.and_then(|name| name.split_once('/')) {
            Some((namespace, name)) => (Some(namespace.to_owned()), Some(name.to_owned())),
            None if settings.all_namespaces => (None, name.map(str::to_owned)),
            None => (Some(settings.default_namespace.clone()), name.map(str::to_owned)),
        };
        let labels = labels(settings)?;
        let state = settings.status_selector.as_deref().map(parse_state).transpose()?;
        Ok(Self { namespace, name, labels, state })
    }

    /// The namespace that is shown; `None`: all are.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether an object is shown.
    pub(super) fn admits(&self, meta: &Meta, status: &Status, conditions: &[(String, Ready)]) -> bool {
        self.is_named(&meta.id)
            && self.labels.as_ref().is_none_or(|labels| labels.matches(&meta.labels))
            && self.state.as_ref().is_none_or(|state| state.admits(status, conditions))
    }

    /// Whether an object is of the namespace and the name.
    pub(super) fn is_named(&self, id: &ObjectId) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
            && self.name.as_ref().is_none_or(|name| *name == id.name)
    }

    /// What to say when nothing is shown: an unknown name is a problem, an empty list is Flux's sentence.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a name.
    pub(super) fn nothing(&self, kind: &str, known: &[&ObjectId]) -> Result<String, Problem> {
        let place = match &self.namespace {
            Some(namespace) => format!("{namespace:?} namespace"),
            None => "any namespace".to_owned(),
        };
        let Some(name) = &self.name else { return Ok(format!("no {kind} objects found in {place}")) };
        let message = format!("{kind} object '{name}' not found in {place}");
        Err(Problem::new(Code::NotFound, name, message).hint(known_objects(kind, name, known)))
    }
}

/// The label selector of the command line.
///
/// # Errors
/// It is none.
pub(super) fn labels(settings: &Settings) -> Result<Option<Selector>, Problem> {
    settings.label_selector.as_deref().map(parse_labels).transpose()
}

impl StateSelector {
    /// Whether a condition is as it is wanted: `ready`, or another that the controller gives; one that it does not give is never so.
    fn admits(&self, status: &Status, conditions: &[(String, Ready)]) -> bool {
        let is_wanted = |is: Ready| is.to_string().eq_ignore_ascii_case(&self.status);
        let holds = if self.kind.eq_ignore_ascii_case("ready") {
            is_wanted(status.ready)
        } else {
            conditions.iter().any(|(kind, is)| kind.eq_ignore_ascii_case(&self.kind) && is_wanted(*is))
        };
        holds == self.equal
    }
}

fn parse_state(text: &str) -> Result<StateSelector, Problem> {
    let parts = match text.split_once("!=") {
        Some((kind, status)) => Some((kind, status, false)),
        None => text.split_once('=').map(|(kind, status)| (kind, status, true)),
    };
    match parts {
        Some((kind, status, equal)) => {
            Ok(StateSelector { kind: kind.to_owned(), equal, status: status.to_owned() })
        }
        None => Err(Problem::new(
            Code::Usage,
            "--status-selector",
            format!("expected status selector in type=status or type!=status format, but found: {text}"),
        )),
    }
}

/// A label selector as kubectl takes it: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`.
fn parse_labels(text: &str) -> Result<Selector, Problem> {
    let wrong = || {
        Problem::new(Code::Usage, "--label-selector", format!("{text:?} is no label selector"))
            .hint("Write it as kubectl takes it, such as app=web,tier!=db.")
    };
    let mut selector = LabelSelector::default();
    for term in split_terms(text) {
        selector.match_expressions.push(parse_term(&term).ok_or_else(wrong)?);
    }
    Selector::new(&selector).map_err(|error| wrong().caused_by(&error))
}

/// Cuts at the commas that stand outside parentheses.
fn split_terms(text: &str) -> Vec<String> {
    let (mut terms, mut depth) = (vec![String::new()], 0_usize);
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(term) = terms.last_mut() {
            term.push(character);
        }
    }
    terms.into_iter().map(|term| term.trim().to_owned()).collect()
}

fn parse_term(term: &str) -> Option<LabelExpression> {
    let expression = |key: &str, operator: &str, values: Vec<String>| {
        let key = key.trim().to_owned();
        (!key.is_empty()).then(|| LabelExpression { key, operator: operator.to_owned(), values })
    };
    for (sign, operator) in [("!=", "NotIn"), ("==", "In"), ("=", "In")] {
        if let Some((key, value)) = term.split_once(sign) {
            return expression(key, operator, vec![value.trim().to_owned()]);
        }
    }
    for (word, operator) in [(" notin ", "NotIn"), (" in ", "In")] {
        if let Some((key, values)) = term.split_once(word) {
            let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
            return expression(
                key,
                operator,
                values.split(',').map(|value| value.trim().to_owned()).collect(),
            );
        }
    }
    match term.strip_prefix('!') {
        Some(key) => expression(key, "DoesNotExist", Vec::new()),
        None => expression(term, "Exists", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_condition_can_be_chosen_by_and_one_that_is_not_given_is_never_so() {
        let conditions = [("Stalled".to_owned(), Ready::True), ("Reconciling".to_owned(), Ready::False)];
        let status = Status { ready: Ready::False, reason: None, message: String::new() };
        let admits = |text: &str| parse_state(text).unwrap().admits(&status, &conditions);
        let chosen = ["stalled=true", "Reconciling=False", "ready=false", "ready!=true", "x!=true"];
        assert!(chosen.iter().all(|text| admits(text)));
        assert!(["stalled=false", "stalled!=true", "ready=true", "x=true"].iter().all(|text| !admits(text)));
        assert!(parse_state("stalled").is_err());
    }

    #[test]
    fn selectors_are_read_as_kubectl_reads_them() {
        let terms = split_terms("a=b, c!=d,e,!f,g in (h, i)");
        assert_eq!(terms, ["a=b", "c!=d", "e", "!f", "g in (h, i)"]);
        let operators: Vec<String> = terms.iter().map(|term| parse_term(term).unwrap().operator).collect();
        assert_eq!(operators, ["In", "NotIn", "Exists", "DoesNotExist", "In"]);
        assert!(parse_term("").is_none());
    }
}
