//! `.Updated` and `.Changed.ImageResult`, which controllers before 1.0 offered and much published configuration still uses.
//!
//! Source: fluxcd/image-automation-controller:v0.41.2 pkg/update/{result,setters}.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::MessageData;
use super::data::{identifier, lists, merge_lists, merged, namespaced_name, object};
use super::value::{Field, MapType, Struct, StructType, Value};
use crate::domain::object::ObjectId;

static RESULT: StructType = StructType {
    name: "update.Result",
    fields: &[Field::plain("Files")],
    methods: &[("Images", images), ("Objects", objects)],
    calls: &[],
    text: None,
};

static FILE_RESULT: StructType = StructType {
    name: "update.FileResult",
    fields: &[Field::plain("Objects")],
    methods: &[],
    calls: &[],
    text: None,
};

static IMAGE_REF: StructType = StructType {
    name: "update.imageRef",
    fields: &[
        Field { name: "reference", embedded: false, json: None, hidden: true },
        Field { name: "policy", embedded: false, json: None, hidden: true },
    ],
    methods: &[
        ("String", |image| Value::Text(text(image))),
        ("Registry", |image| Value::text(parts(image).registry)),
        ("Repository", |image| Value::text(parts(image).repository)),
        ("Identifier", |image| Value::text(parts(image).identifier)),
        ("Name", |image| Value::text(parts(image).full())),
        ("Policy", |image| image.fields.get(1).cloned().unwrap_or(Value::Nil)),
    ],
    calls: &[],
    text: Some(text),
};

static FILES: MapType = MapType {
    name: "map[string]update.FileResult",
    key: "string",
    zero: || object(&FILE_RESULT, vec![Value::no_map(&OBJECTS)]),
};

static OBJECTS: MapType = MapType {
    name: "map[update.ObjectIdentifier][]update.ImageRef",
    key: "update.ObjectIdentifier",
    zero: || Value::appended(IMAGE, Vec::new()),
};

const IMAGE: &str = "update.ImageRef";

/// `.Updated`; `None` if some change does not tell which image it came from.
pub(super) fn result(data: &MessageData) -> Option<Value> {
    let known = images_by_policy(data);
    let mut files = Vec::new();
    for (file, changes) in &data.file_changes {
        let mut objects = Vec::new();
        for (identity, changes) in merged(changes) {
            let mut images: Vec<(&str, ObjectId)> = Vec::new();
            for change in changes {
                let policy = policy_of(&change.setter)?.0;
                let image = (known.get(&policy)?.as_str(), policy);
                if !images.contains(&image) {
                    images.push(image);
                }
            }
            let images = images.into_iter().map(|(image, policy)| image_ref(image, &policy)).collect();
            objects.push((identifier(identity), Value::appended(IMAGE, images)));
        }
        let objects = Value::map(&OBJECTS, objects);
        files.push((Value::text(file.as_str()), object(&FILE_RESULT, vec![objects])));
    }
    Some(object(&RESULT, vec![Value::map(&FILES, files)]))
}

/// The policy that a setter names, and its suffix.
fn policy_of(setter: &str) -> Option<(ObjectId, &str)> {
    let (namespace, rest) = setter.split_once(':')?;
    let (name, part) = rest.split_once(':').unwrap_or((rest, ""));
    Some((ObjectId::new(namespace, name), part))
}

/// What each policy elected: as given, else as the changes themselves tell.
fn images_by_policy(data: &MessageData) -> BTreeMap<ObjectId, String> {
    let mut parts: BTreeMap<ObjectId, BTreeMap<&str, &str>> = BTreeMap::new();
    let objects = data.file_changes.values().flatten();
    for change in objects.flat_map(|object| &object.changes) {
        if let Some((policy, part)) = policy_of(&change.setter) {
            parts.entry(policy).or_default().insert(part, &change.new_value);
        }
    }
    let from_parts = |parts: &BTreeMap<&str, &str>| match (parts.get(""), parts.get("name"), parts.get("tag"))
    {
        (Some(whole), ..) => Some((*whole).to_owned()),
        (None, Some(name), Some(tag)) => Some(format!("{name}:{tag}")),
        _ => None,
    };
    let told = parts.iter().filter_map(|(policy, parts)| Some((policy.clone(), from_parts(parts)?)));
    let mut images: BTreeMap<ObjectId, String> = told.collect();
    let given =
        data.references.iter().map(|(policy, of)| (policy.clone(), format!("{}:{}", of.image, of.tag)));
    images.extend(given);
    images
}

fn image_ref(image: &str, policy: &ObjectId) -> Value {
    object(&IMAGE_REF, vec![Value::text(image), namespaced_name(policy)])
}

fn text(image: &Struct) -> Rc<str> {
    match image.fields.first() {
        Some(Value::Text(text)) => text.clone(),
        _ => "".into(),
    }
}

/// A reference with the defaults filled in.
struct Parts {
    registry: String,
    repository: String,
    /// The tag, or the digest if there is one.
    identifier: String,
    digest: bool,
}

impl Parts {
    fn full(&self) -> String {
        let between = if self.digest { '@' } else { ':' };
        format!("{}/{}{between}{}", self.registry, self.repository, self.identifier)
    }
}

/// Source: google/go-containerregistry:pkg/name; a first part with `.` or `:`, or `localhost`, is a registry.
fn parts(image: &Struct) -> Parts {
    let text = text(image);
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (&*text, None),
    };
    let tag_at = name.rfind(':').filter(|&at| !name.get(at..).unwrap_or_default().contains('/'));
    let (name, tag) = match tag_at {
        Some(at) => (name.get(..at).unwrap_or_default(), name.get(at + 1..).unwrap_or_default()),
        None => (name, "latest"),
    };
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("index.docker.io", name),
    };
    let registry = if registry == "docker.io" { "index.docker.io" } else { registry };
    let library = registry == "index.docker.io" && !repository.contains('/');
    Parts {
        registry: registry.to_owned(),
        repository: if library { format!("library/{repository}") } else { repository.to_owned() },
        identifier: digest.unwrap_or(tag).to_owned(),
        digest: digest.is_some(),
    }
}

/// `.Updated.Images`: the distinct images of all files.
fn images(result: &Struct) -> Value {
    let mut seen: Vec<(Rc<str>, Rc<str>)> = Vec::new();
    let all = lists_by_object(result).into_iter().flat_map(|(_, list)| list).filter(|image| match image {
        Value::Struct(image) => {
            let policy = match image.fields.get(1) {
                Some(Value::Struct(policy)) => policy.of.text.map(|print| print(policy)).unwrap_or_default(),
                _ => "".into(),
            };
            let key = (text(image), policy);
            let new = !seen.contains(&key);
            seen.push(key);
            new
        }
        _ => false,
    });
    Value::appended(IMAGE, all.collect())
}

/// `.Updated.Objects`: the images of each object, of all files.
fn objects(result: &Struct) -> Value {
    merge_lists(lists_by_object(result), &OBJECTS, IMAGE)
}

fn lists_by_object(result: &Struct) -> Vec<(Value, Vec<Value>)> {
    let Some(Value::Map(files)) = result.field("Files") else {
        return Vec::new();
    };
    let objects = files.entries.iter().filter_map(|(_, file)| match file {
        Value::Struct(file) => file.field("Objects").cloned(),
        _ => None,
    });
    objects.flat_map(|objects| lists(&objects)).collect()
}
