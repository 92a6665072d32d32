//! What is sent to the API server when an object is written: applied, or in the place of what is there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::owners::said_by_us;
use crate::domain::duration::GoDuration;

/// The object as it is applied: what it says itself, and of labels and annotations what we said before, unless it says them anew.
/// It counts only as long as nobody has written to `before`.
pub(super) fn applied(before: Option<&Value>, mut new: Value) -> Value {
    new.get_mut("spec").map(without_empty_texts);
    let (Some(before), Some(metadata)) = (before, new.get_mut("metadata").and_then(Value::as_object_mut))
    else {
        return new;
    };
    if !metadata.contains_key("labels") {
        merge(metadata, "labels", said_by_us(before, "labels"));
    }
    let mut annotations = said_by_us(before, "annotations");
    annotations.extend(object_in(metadata, "annotations"));
    merge(metadata, "annotations", annotations);
    if let Some(version) = before.pointer("/metadata/resourceVersion") {
        metadata.insert("resourceVersion".to_owned(), version.clone());
    }
    new
}

/// Takes out the empty texts, which say nothing in a spec of Flux's kinds: API servers up to 1.20 apply them as nulls, which they then
/// refuse.
fn without_empty_texts(value: &mut Value) {
    let Some(fields) = value.as_object_mut() else { return };
    fields.retain(|_, value| value != "");
    fields.values_mut().for_each(without_empty_texts);
}

/// Gives a secret its texts as the server keeps them: it would not note, for what is applied as text, whose keys they are.
pub(super) fn as_data(object: &mut Value) {
    let Some(object) = object.as_object_mut() else { return };
    let Some(Value::Object(texts)) = object.remove("stringData") else { return };
    let mut data = object_in(object, "data");
    for (key, text) in texts {
        data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
    }
    merge(object, "data", data);
}

fn object_in(parent: &Map<String, Value>, key: &str) -> Map<String, Value> {
    parent.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Gives `parent` these entries under `key`, if there are any.
fn merge(parent: &mut Map<String, Value>, key: &str, entries: Map<String, Value>) {
    if !entries.is_empty() {
        parent.insert(key.to_owned(), entries.into());
    }
}

/// `before` with what `new` says in its place: spec, data and type whole, labels if there are any, annotations one by one.
pub(super) fn replaced(before: &Value, new: &Value) -> Value {
    let (mut object, new) = (before.clone(), new.as_object().cloned().unwrap_or_default());
    let Some(fields) = object.as_object_mut() else { return Value::Object(new) };
    for (key, value) in &new {
        if !["apiVersion", "kind", "metadata", "status"].contains(&key.as_str()) {
            fields.insert(key.clone(), value.clone());
        }
    }
    let given = |key: &str| new.get("metadata")?.get(key)?.as_object().cloned();
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(labels) = given("labels") {
            metadata.insert("labels".to_owned(), labels.into());
        }
        let mut annotations = object_in(metadata, "annotations");
        annotations.extend(given("annotations").unwrap_or_default());
        merge(metadata, "annotations", annotations);
    }
    object
}

/// Whether two states of an object are the same but for what the server keeps books of.
pub(super) fn is_same(before: &Value, after: &Value) -> bool {
    let parts = ["/metadata/labels", "/metadata/annotations", "/spec", "/data", "/type"];
    parts.iter().all(|part| says_same(before.pointer(part), after.pointer(part)))
}

/// The fields of a spec that are durations.
const DURATIONS: [&str; 3] = ["interval", "timeout", "retryInterval"];

/// Whether two values say the same: a duration has several spellings, `1m` and `1m0s`.
fn says_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let (Some(Value::Object(one)), Some(Value::Object(other))) = (one, other) else { return one == other };
    one.keys().chain(other.keys()).all(|key| is_same_field(key, one.get(key), other.get(key)))
}

/// Whether two values of the field `name` say the same.
pub(super) fn is_same_field(name: &str, one: Option<&Value>, other: Option<&Value>) -> bool {
    let duration = |value: Option<&Value>| value?.as_str().and_then(|text| text.parse::<GoDuration>().ok());
    match (duration(one), duration(other)) {
        (Some(one), Some(other)) if DURATIONS.contains(&name) => one == other,
        _ => says_same(one, other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spec_is_replaced_as_a_whole_and_what_was_said_about_the_object_stays() {
        let before = json!({
            "metadata": { "name": "p", "resourceVersion": "7", "labels": { "team": "x" }, "annotations": { "a": "1", "b": "1" } },
            "spec": { "filterTags": { "pattern": "^main-" }, "policy": { "semver": { "range": ">=1.0.0" } } },
            "status": { "latestImage": "r/app:1" },
        });
        let spec = json!({ "policy": { "numerical": { "order": "asc" } } });
        let new = json!({ "metadata": { "name": "p", "annotations": { "b": "2" } }, "spec": spec });
        let written = replaced(&before, &new);
        assert_eq!(written["spec"], spec);
        let metadata = json!({
            "name": "p", "resourceVersion": "7", "labels": { "team": "x" }, "annotations": { "a": "1", "b": "2" }
        });
        assert_eq!(written["metadata"], metadata);
        let labelled = replaced(&before, &json!({ "metadata": { "labels": { "app": "y" } } }));
        assert_eq!(labelled["metadata"]["labels"], json!({ "app": "y" }));
    }

    #[test]
    fn a_duration_in_another_spelling_is_no_change() {
        let object =
            |interval: &str, image: &str| json!({ "spec": { "image": image, "interval": interval } });
        assert!(is_same(&object("1m", "reg/web"), &object("1m0s", "reg/web")));
        assert!(!is_same(&object("1m", "reg/web"), &object("7m0s", "reg/web")));
        assert!(!is_same(&object("1m", "1m"), &object("1m", "1m0s")), "an image is no duration");
        assert!(!is_same(&object("1m", "x"), &json!({ "spec": { "image": "x" } })));
    }

    #[test]
    fn a_secret_keeps_no_key_that_it_is_not_given_again() {
        let before =
            json!({ "metadata": { "name": "s" }, "type": "Opaque", "data": { "bearerToken": "VA==" } });
        let mut new =
            json!({ "metadata": { "name": "s" }, "stringData": { "username": "u", "password": "p" } });
        as_data(&mut new);
        let written = replaced(&before, &new);
        assert_eq!(written["data"], json!({ "username": "dQ==", "password": "cA==" }));
        assert_eq!(written.get("stringData"), None);
        assert_eq!(written["type"], "Opaque");
    }

    #[test]
    fn what_is_applied_keeps_the_labels_and_annotations_that_we_gave() {
        let ours = json!({ "f:metadata": { "f:labels": { "f:team": {} }, "f:annotations": { "f:a": {}, "f:b": {} } } });
        let before = json!({ "metadata": {
            "name": "p", "resourceVersion": "7", "labels": { "team": "x", "theirs": "y" },
            "annotations": { "a": "1", "b": "1", "theirs": "y" },
            "managedFields": [
                { "manager": "supercargo", "operation": "Apply", "fieldsV1": ours },
                { "manager": "kubectl-label", "operation": "Update", "fieldsV1": { "f:metadata": { "f:labels": { "f:theirs": {} } } } },
            ],
        } });
        let spec = json!({ "filterTags": { "extract": "", "pattern": "^2" } });
        let new = json!({ "metadata": { "name": "p", "annotations": { "b": "2" } }, "spec": spec });
        let spec = json!({ "filterTags": { "pattern": "^2" } });
        let metadata = json!({
            "name": "p", "resourceVersion": "7", "labels": { "team": "x" }, "annotations": { "a": "1", "b": "2" }
        });
        assert_eq!(applied(Some(&before), new.clone()), json!({ "metadata": metadata, "spec": spec }));
        assert_eq!(applied(None, new.clone()), json!({ "metadata": new["metadata"], "spec": spec }));
        let labelled = applied(Some(&before), json!({ "metadata": { "labels": { "app": "y" } } }));
        assert_eq!(labelled["metadata"]["labels"], json!({ "app": "y" }));
    }
}
