//! What a message template sees: today's data, and that of controllers before 1.0.
//!
//! Source: fluxcd/image-automation-controller:internal/source/source.go, internal/update/result.go; for the old data
//! v0.41.2:pkg/update/result.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::legacy;
use super::value::{Field, Map, MapType, Struct, StructType, TEXTS, Value};
use super::{Change, MessageData, ObjectChanges};
use crate::domain::object::ObjectId;
use crate::domain::proposal::ObjectIdentity;

/// The top of today's data.
pub(super) static TEMPLATE_DATA: StructType = StructType {
    name: "source.TemplateData",
    fields: &[Field::plain("AutomationObject"), Field::plain("Changed"), Field::plain("Values")],
    methods: &[],
    calls: &[],
    text: None,
};

/// The top of the data of controllers up to 0.41.
static LEGACY_DATA: StructType = StructType {
    name: "source.TemplateData",
    fields: &[
        Field::plain("AutomationObject"),
        Field::plain("Updated"),
        Field::plain("Changed"),
        Field::plain("Values"),
    ],
    methods: &[],
    calls: &[],
    text: None,
};

pub(super) static NAMESPACED_NAME: StructType = StructType {
    name: "types.NamespacedName",
    fields: &[Field::plain("Namespace"), Field::plain("Name")],
    methods: &[("String", |name| Value::Text(namespaced(name)))],
    calls: &[],
    text: Some(namespaced),
};

/// `.Changed`.
pub(super) static RESULT: StructType = StructType {
    name: "update.Result",
    fields: &[Field::plain("FileChanges")],
    methods: &[("Changes", changes), ("Objects", objects)],
    calls: &[],
    text: None,
};

static LEGACY_RESULT: StructType = StructType {
    name: "update.ResultV2",
    fields: &[Field::plain("ImageResult"), Field::plain("FileChanges")],
    methods: &[("Changes", changes), ("Objects", objects)],
    calls: &[],
    text: None,
};

static CHANGE: StructType = StructType {
    name: "update.Change",
    fields: &[Field::plain("OldValue"), Field::plain("NewValue"), Field::plain("Setter")],
    methods: &[],
    calls: &[],
    text: None,
};

static OBJECT_IDENTIFIER: StructType = StructType {
    name: "update.ObjectIdentifier",
    fields: &[Field::embedded("ResourceIdentifier")],
    methods: &[],
    calls: &[],
    text: None,
};

static RESOURCE_IDENTIFIER: StructType = StructType {
    name: "yaml.ResourceIdentifier",
    fields: &[Field::embedded("TypeMeta"), Field::embedded("NameMeta")],
    methods: &[],
    calls: &[],
    text: None,
};

static TYPE_META: StructType = StructType {
    name: "yaml.TypeMeta",
    fields: &[Field::json("APIVersion", "apiVersion"), Field::json("Kind", "kind")],
    methods: &[],
    calls: &[],
    text: None,
};

static NAME_META: StructType = StructType {
    name: "yaml.NameMeta",
    fields: &[Field::json("Name", "name"), Field::json("Namespace", "namespace")],
    methods: &[],
    calls: &[],
    text: None,
};

static FILE_CHANGES: MapType = MapType {
    name: "map[string]update.ObjectChanges",
    key: "string",
    zero: || Value::no_map(&OBJECT_CHANGES),
};

static OBJECT_CHANGES: MapType = MapType {
    name: "update.ObjectChanges",
    key: "update.ObjectIdentifier",
    zero: || Value::appended(CHANGE.name, Vec::new()),
};

/// Today's data.
pub(super) fn current(data: &MessageData) -> Value {
    let changed = object(&RESULT, vec![file_changes(data)]);
    object(&TEMPLATE_DATA, vec![namespaced_name(&data.automation), changed, values(data)])
}

/// The data of controllers up to 0.41; `None` if some changed value does not tell which image it came from.
pub(super) fn legacy(data: &MessageData) -> Option<Value> {
    let result = legacy::result(data)?;
    let changed = object(&LEGACY_RESULT, vec![result.clone(), file_changes(data)]);
    Some(object(&LEGACY_DATA, vec![namespaced_name(&data.automation), result, changed, values(data)]))
}

pub(super) fn object(of: &'static StructType, fields: Vec<Value>) -> Value {
    Value::Struct(Rc::new(Struct { of, fields }))
}

pub(super) fn namespaced_name(id: &ObjectId) -> Value {
    object(&NAMESPACED_NAME, vec![Value::text(id.namespace.as_str()), Value::text(id.name.as_str())])
}

fn namespaced(name: &Struct) -> Rc<str> {
    match name.fields.as_slice() {
        [Value::Text(namespace), Value::Text(name)] => format!("{namespace}/{name}").into(),
        _ => "/".into(),
    }
}

fn values(data: &MessageData) -> Value {
    let Some(values) = &data.values else { return Value::no_map(&TEXTS) };
    let entries = values.iter().map(|(key, value)| (Value::text(key.as_str()), Value::text(value.as_str())));
    Value::map(&TEXTS, entries.collect())
}

/// `.Changed.FileChanges`; objects of a file that share their four names are one.
fn file_changes(data: &MessageData) -> Value {
    let files = data.file_changes.iter().map(|(file, objects)| {
        let objects = merged(objects).into_iter().map(|(identity, changes)| {
            let changes = changes.into_iter().map(change).collect();
            (identifier(identity), Value::appended(CHANGE.name, changes))
        });
        (Value::text(file.as_str()), Value::map(&OBJECT_CHANGES, objects.collect()))
    });
    Value::map(&FILE_CHANGES, files.collect())
}

/// The changes of each object, those of the same object one after another.
pub(super) fn merged(objects: &[ObjectChanges]) -> BTreeMap<&ObjectIdentity, Vec<&Change>> {
    let mut merged: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for object in objects {
        merged.entry(&object.object).or_default().extend(&object.changes);
    }
    merged
}

pub(super) fn identifier(identity: &ObjectIdentity) -> Value {
    let text = |text: &String| Value::text(text.as_str());
    let kind = object(&TYPE_META, vec![text(&identity.api_version), text(&identity.kind)]);
    let name = object(&NAME_META, vec![text(&identity.name), text(&identity.namespace)]);
    object(&OBJECT_IDENTIFIER, vec![object(&RESOURCE_IDENTIFIER, vec![kind, name])])
}

fn change(change: &Change) -> Value {
    let text = |text: &String| Value::text(text.as_str());
    object(&CHANGE, vec![text(&change.old_value), text(&change.new_value), text(&change.setter)])
}

/// `.Changed.Changes`: all changes, exact duplicates left out.
///
/// Flux walks its maps in random order here; ours is by file, then API version, kind, name and namespace.
fn changes(result: &Struct) -> Value {
    let mut seen = std::collections::HashSet::new();
    let all = lists_by_object(result).into_iter().flat_map(|(_, list)| list).filter(|change| match change {
        Value::Struct(change) => seen.insert(change.fields.iter().map(text_of).collect::<Vec<_>>()),
        _ => false,
    });
    Value::appended(CHANGE.name, all.collect())
}

fn text_of(value: &Value) -> Rc<str> {
    match value {
        Value::Text(text) => text.clone(),
        _ => "".into(),
    }
}

/// `.Changed.Objects`: the changes of each object, of all files.
fn objects(result: &Struct) -> Value {
    merge_lists(lists_by_object(result), &OBJECT_CHANGES, CHANGE.name)
}

/// Appends the lists of equal objects.
pub(super) fn merge_lists(
    lists: Vec<(Value, Vec<Value>)>,
    of: &'static MapType,
    element: &'static str,
) -> Value {
    let mut sorted = lists;
    sorted.sort_by(|(a, _), (b, _)| super::value::compare(a, b));
    let mut merged: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, list) in sorted {
        match merged.last_mut() {
            Some((last, into)) if super::value::compare(last, &key).is_eq() => into.extend(list),
            _ => merged.push((key, list)),
        }
    }
    Value::map(of, merged.into_iter().map(|(key, list)| (key, Value::appended(element, list))).collect())
}

/// Every object of every file with its list, in order.
fn lists_by_object(result: &Struct) -> Vec<(Value, Vec<Value>)> {
    let Some(Value::Map(files)) = result.field("FileChanges") else {
        return Vec::new();
    };
    files.entries.iter().flat_map(|(_, objects)| lists(objects)).collect()
}

/// The keys of a map of lists, and the lists.
pub(super) fn lists(map: &Value) -> Vec<(Value, Vec<Value>)> {
    let Value::Map(Map { entries, .. }) = map else {
        return Vec::new();
    };
    let pairs = entries.iter().map(|(key, value)| match value {
        Value::List(list) => (key.clone(), list.items.to_vec()),
        _ => (key.clone(), Vec::new()),
    });
    pairs.collect()
}
