//! Who the API server notes as the author of what an object says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::FIELD_MANAGER;
use crate::text::Shown;

/// The tools with which people write; `kubectl-…` are kubectl's names for its commands.
const TOOLS: [&str; 4] = ["kubectl", "flux", "before-first-apply", FIELD_MANAGER];

/// What an object says of its own: a spec, or what a secret holds.
const PARTS: [&str; 4] = ["f:spec", "f:data", "f:stringData", "f:type"];

/// The field managers that own a part of what an object says and are no tools of people (they would set it back), and which
/// fields, such as `spec.image`.
pub(super) fn controllers_of(object: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let mut controllers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        let name = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
        let fields = owned(entry);
        if !is_tool(name) && !fields.is_empty() {
            controllers.entry(Shown::new(name).as_str().to_owned()).or_default().extend(fields);
        }
    }
    controllers
}

/// The fields of [`PARTS`] that an entry is about; a part of which it names none is one itself.
fn owned(entry: &Value) -> BTreeSet<String> {
    let parts = PARTS
        .iter()
        .filter_map(|part| Some((part.trim_start_matches("f:"), entry.get("fieldsV1")?.get(part)?)));
    let fields = parts.flat_map(|(part, fields)| {
        let names =
            fields.as_object().into_iter().flat_map(Map::keys).filter_map(|key| key.strip_prefix("f:"));
        let names: Vec<String> =
            names.map(|name| Shown::new(&format!("{part}.{name}")).as_str().to_owned()).collect();
        if names.is_empty() { vec![part.to_owned()] } else { names }
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
            .map(|(name, fields)| format!("{name}: {}", fields.into_iter().collect::<Vec<_>>().join(" ")))
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
    fn a_tool_is_known_by_its_whole_name() {
        for tool in ["kubectl", "kubectl-edit", "flux", "supercargo", "before-first-apply"] {
            assert!(is_tool(tool), "{tool}");
        }
        for other in ["flux-operator", "fluxcd", "kubectlish", "supercargo-bot", "helm"] {
            assert!(!is_tool(other), "{other}");
        }
    }
}
