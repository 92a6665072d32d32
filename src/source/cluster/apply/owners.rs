//! Who the API server notes as the author of what an object says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::FIELD_MANAGER;
use super::body::is_same_field;
use crate::text::Shown;

/// The tools with which people write; `kubectl-…` are kubectl's names for its commands.
const TOOLS: [&str; 4] = ["kubectl", "flux", "before-first-apply", FIELD_MANAGER];

/// What an object says of its own: a spec, or what a secret holds.
const PARTS: [&str; 4] = ["f:spec", "f:data", "f:stringData", "f:type"];

/// A field that an object has of its own. Its name may have points in it, as keys of secrets do: it is no path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field {
    part: &'static str,
    /// `None`: the part itself.
    name: Option<String>,
}

impl Field {
    /// Whether both states of an object say the same of it. What is found in neither is not known to stay.
    fn stays(&self, before: &Value, after: &Value) -> bool {
        let name = self.name.as_deref();
        let value = |object| {
            let part = Value::get(object, self.part)?;
            name.map_or(Some(part), |name| part.get(name))
        };
        let (one, other) = (value(before), value(after));
        (one.is_some() || other.is_some()) && is_same_field(name.unwrap_or(self.part), one, other)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}.{}", self.part, Shown::new(name).as_str()),
            None => f.write_str(self.part),
        }
    }
}

/// The controllers that own what is another in `after`, and which fields.
pub(super) fn owners_of_changes(before: &Value, after: &Value) -> BTreeMap<String, BTreeSet<Field>> {
    let mut owners = controllers_of(before);
    for fields in owners.values_mut() {
        fields.retain(|field| !field.stays(before, after));
    }
    owners.retain(|_, fields| !fields.is_empty());
    owners
}

/// The field managers that own a part of what an object says and are no tools of people (they would set it back), and which
/// fields, such as `spec.image`.
fn controllers_of(object: &Value) -> BTreeMap<String, BTreeSet<Field>> {
    let mut controllers: BTreeMap<String, BTreeSet<Field>> = BTreeMap::new();
    for entry in entries(object) {
        let name = text(entry, "manager");
        let fields = owned(entry);
        if !is_tool(name) && !fields.is_empty() {
            controllers.entry(Shown::new(name).as_str().to_owned()).or_default().extend(fields);
        }
    }
    controllers
}

/// Whether an object says a thing, whoever wrote it, of which `new` has no word: applying would leave it in force, or, at API
/// servers up to 1.20, leave a null in the place of what we applied ourselves.
pub(super) fn says_more(object: &Value, new: &Value) -> bool {
    entries(object).any(|entry| {
        PARTS.iter().any(|part| {
            let fields = entry.get("fieldsV1").and_then(|fields| fields.get(part));
            fields.is_some_and(|fields| goes_beyond(fields, new.get(part.trim_start_matches("f:"))))
        })
    })
}

/// Whether a set of fields has one that `value` has not. Members of a list are named by what they hold: they count as missing.
fn goes_beyond(fields: &Value, value: Option<&Value>) -> bool {
    let Some(value) = value else { return true };
    fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != ".")
        .any(|(key, fields)| key.strip_prefix("f:").is_none_or(|name| goes_beyond(fields, value.get(name))))
}

/// The labels or annotations (`part`) of an object that we applied, as they are now.
pub(super) fn said_by_us(object: &Value, part: &str) -> Map<String, Value> {
    let Some(now) = object.pointer(&format!("/metadata/{part}")).and_then(Value::as_object) else {
        return Map::new();
    };
    let ours: Vec<&Value> = entries(object)
        .filter(|entry| is_applied_by_us(entry))
        .filter_map(|entry| entry.pointer(&format!("/fieldsV1/f:metadata/f:{part}")))
        .collect();
    let is_ours = |key: &str| ours.iter().any(|fields| fields.get(format!("f:{key}")).is_some());
    now.iter().filter(|(key, _)| is_ours(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What the API server noted of who wrote what.
fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_applied_by_us(entry: &Value) -> bool {
    text(entry, "manager") == FIELD_MANAGER && text(entry, "operation") == "Apply"
}

/// The fields of [`PARTS`] that an entry is about; a part of which it names none is one itself.
fn owned(entry: &Value) -> BTreeSet<Field> {
    let parts = PARTS
        .iter()
        .filter_map(|part| Some((part.trim_start_matches("f:"), entry.get("fieldsV1")?.get(part)?)));
    let fields = parts.flat_map(|(part, fields)| {
        let names =
            fields.as_object().into_iter().flat_map(Map::keys).filter_map(|key| key.strip_prefix("f:"));
        let each: Vec<Field> = names.map(|name| Field { part, name: Some(name.to_owned()) }).collect();
        if each.is_empty() { vec![Field { part, name: None }] } else { each }
    });
    fields.collect()
}

/// Whether a field manager is a tool of people: by its whole name, for `flux-operator` is a controller.
fn is_tool(name: &str) -> bool {
    TOOLS.contains(&name) || name.starts_with("kubectl-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn controllers_that_own_a_part_of_the_spec_are_named_once_and_tools_are_not() {
        let entry = |manager: &str, part: &str| json!({ "manager": manager, "fieldsV1": { part: {} } });
        let object = json!({ "metadata": { "managedFields": [
            { "manager": "kustomize-controller", "fieldsV1": { "f:spec": { ".": {}, "f:image": {}, "f:interval": {} } } },
            entry("kustomize-controller", "f:spec"),
            entry("flux-operator", "f:spec"),
            entry("helm-controller", "f:data"),
            entry("image-reflector-controller", "f:status"),
            entry("source-controller", "f:metadata"),
            entry("kubectl", "f:spec"),
            entry("kubectl-client-side-apply", "f:spec"),
            entry("flux", "f:spec"),
            entry("supercargo", "f:spec"),
            entry("before-first-apply", "f:spec"),
        ] } });
        let shown: Vec<String> = controllers_of(&object)
            .into_iter()
            .map(|(name, fields)| {
                format!("{name}: {}", fields.iter().map(Field::to_string).collect::<Vec<_>>().join(" "))
            })
            .collect();
        let expected = [
            "flux-operator: spec",
            "helm-controller: data",
            "kustomize-controller: spec spec.image spec.interval",
        ];
        assert_eq!(shown, expected);
        assert!(controllers_of(&json!({})).is_empty());
    }

    #[test]
    fn what_a_controller_owns_and_would_be_another_is_found_by_its_whole_name() {
        let entry = json!({ "manager": "external-secrets", "fieldsV1": {
            "f:data": { ".": {}, "f:.dockerconfigjson": {}, "f:tls.crt": {}, "f:odd\u{1b}key": {}, "f:user": {} },
            "f:spec": { "f:interval": {}, "f:image": {} },
            "f:type": {},
        } });
        let object = |password: &str, interval: &str, image: &str| {
            json!({
                "metadata": { "managedFields": [entry] }, "type": "Opaque",
                "data": { ".dockerconfigjson": password, "tls.crt": password, "odd\u{1b}key": password, "user": "dQ==" },
                "spec": { "interval": interval, "image": image },
            })
        };
        let changed = |after: &Value| {
            let owners = owners_of_changes(&object("cA==", "1m", "r/web"), after);
            owners.into_values().flatten().map(|field| field.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            changed(&object("cA==", "1m0s", "r/web")),
            Vec::<String>::new(),
            "a duration has two spellings"
        );
        assert_eq!(
            changed(&object("cQ==", "1m0s", "r/web")),
            ["data..dockerconfigjson", "data.odd^[key", "data.tls.crt"]
        );
        assert_eq!(changed(&object("cA==", "1m0s", "r/db")), ["spec.image"]);
        // A field that is nowhere is not known to stay.
        let lost = json!({ "metadata": { "managedFields": [entry] } });
        assert_eq!(owners_of_changes(&lost, &lost).into_values().flatten().count(), 7);
    }

    #[test]
    fn an_object_says_more_if_somebody_owns_a_field_that_is_not_said_again() {
        let says_more = |part: &str, fields: Value, new: Value| {
            let entry = json!({ "manager": "flux", "fieldsV1": { part: fields } });
            says_more(&json!({ "metadata": { "managedFields": [entry] } }), &new)
        };
        let policy = json!({ ".": {}, "f:policy": { ".": {}, "f:semver": { ".": {}, "f:range": {} } } });
        let range = json!({ "spec": { "policy": { "semver": { "range": "1.x" } }, "suspend": false } });
        let order = json!({ "spec": { "policy": { "numerical": { "order": "asc" } } } });
        assert!(!says_more("f:spec", policy.clone(), range.clone()));
        assert!(says_more("f:spec", policy.clone(), order));
        assert!(says_more(
            "f:spec",
            json!({ "f:policy": {}, "f:digestReflectionPolicy": {} }),
            range.clone()
        ));
        assert!(says_more(
            "f:spec",
            json!({ "f:list": { "k:{\"name\":\"a\"}": {} } }),
            json!({ "spec": { "list": [] } })
        ));
        assert!(says_more("f:data", json!({ "f:password": {} }), json!({ "data": { "token": "dA==" } })));
        assert!(!says_more("f:status", policy.clone(), range.clone()));
        assert!(!says_more("f:metadata", policy, range));
    }

    #[test]
    fn a_tool_is_known_by_its_whole_name() {
        for tool in ["kubectl", "kubectl-edit", "flux", "supercargo", "before-first-apply"] {
            assert!(is_tool(tool), "{tool}");
        }
        for other in ["flux-operator", "fluxcd", "kubectlish", "supercargo-bot", "helm"] {
            assert!(!is_tool(other), "{other}");
        }
    }
}
