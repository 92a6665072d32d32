//! Finds objects: every place in the files that describes one, and what it says there.

use std::collections::BTreeMap;

use super::super::files::{SourceFile, holds_flux_objects, is_foreign};
use super::super::flux::kind_of;
use super::super::load::Namespaces;
use super::super::yaml::{Document, Node, Value, documents};
use super::{Place, document_at, start_of};
use crate::domain::object::{Kind, ObjectId};

/// The places that describe each object of a kind, in the order of the files; what does not parse is passed over.
///
/// `default_namespace` is that of objects which name none and lie below no `kustomization.yaml` that does.
pub fn places(files: &[SourceFile], default_namespace: &str, kind: Kind) -> BTreeMap<ObjectId, Vec<Place>> {
    let namespaces = Namespaces::read(files, default_namespace);
    let mut all: BTreeMap<ObjectId, Vec<Place>> = BTreeMap::new();
    for file in files {
        for (id, place) in in_file(file, &namespaces, kind) {
            all.entry(id).or_default().push(place);
        }
    }
    all
}

/// The one place at which an object stands in a file of `files`; `None` if it stands there no more, or more than once. The other
/// files are looked at for namespaces only.
pub fn place_now(
    files: &[SourceFile],
    default_namespace: &str,
    (kind, id): (Kind, &ObjectId),
    file: &str,
) -> Option<Place> {
    let namespaces = Namespaces::read(files, default_namespace);
    let file = files.iter().find(|known| known.path == file)?;
    let all = in_file(file, &namespaces, kind).into_iter();
    let mut own = all.filter(|(found, _)| found == id).map(|(_, place)| place);
    own.next().filter(|_| own.next().is_none())
}

/// The object at `place`, in JSON.
pub fn value(files: &[SourceFile], place: &Place) -> Option<serde_json::Value> {
    let file = files.iter().find(|file| file.path == place.file)?;
    let text = std::str::from_utf8(&file.bytes).ok()?;
    let (index, all) = document_at(text, place)?;
    let node = Node::parse(*all.get(index)?).ok()??;
    let member = place.items.iter().try_fold(&node, |list, index| list.get("items")?.items().get(*index))?;
    Some(json_of(member))
}

/// What a node is for the API server.
fn json_of(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        _ if node.is_null() => serde_json::Value::Null,
        Value::Scalar { text, is_text: false } => match text.as_ref() {
            "true" | "True" | "TRUE" => true.into(),
            "false" | "False" | "FALSE" => false.into(),
            text => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        },
        Value::Scalar { text, is_text: true } => text.as_ref().into(),
        Value::Sequence(items) => items.iter().map(json_of).collect(),
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.text.clone().into_owned(), json_of(value))).collect()
        }
    }
}

/// Whether a `kustomization.yaml` lists a file of its own folder among its resources.
pub fn lists_resource(kustomization: &str, name: &str) -> bool {
    let listed = |document| {
        let node = Node::parse(document).ok()??;
        let resources = node.get("resources")?.items();
        Some(
            resources
                .iter()
                .any(|resource| resource.text().map(|text| text.trim_start_matches("./")) == Some(name)),
        )
    };
    documents(kustomization).into_iter().any(|document| listed(document).unwrap_or_default())
}

fn in_file(file: &SourceFile, namespaces: &Namespaces<'_>, kind: Kind) -> Vec<(ObjectId, Place)> {
    let text = std::str::from_utf8(&file.bytes).ok().filter(|_| holds_flux_objects(&file.bytes));
    let Some(text) = text else { return Vec::new() };
    let wanted = Wanted { kind, default: namespaces.of(&file.path) };
    let mut all = Vec::new();
    for document in documents(text).into_iter().filter(|document| !is_foreign(document.text)) {
        let Ok(Some(node)) = Node::parse(document) else { continue };
        let mut found = Vec::new();
        wanted.look(&node, &mut Vec::new(), &mut found);
        let place = |(id, items)| (id, Place { items, ..whole(&file.path, text, &document) });
        all.extend(found.into_iter().map(place));
    }
    all
}

fn whole(file: &str, text: &str, document: &Document<'_>) -> Place {
    let start = start_of(text, document);
    let range = start..start + document.text.len();
    Place { file: file.to_owned(), line: document.line, document: range, items: Vec::new() }
}

struct Wanted<'a> {
    kind: Kind,
    /// The namespace of what names none.
    default: &'a str,
}

impl Wanted<'_> {
    /// Adds to `found` the objects below `path`, and where each stands.
    fn look(&self, node: &Node<'_>, path: &mut Vec<usize>, found: &mut Vec<(ObjectId, Vec<usize>)>) {
        let text = |key| node.get(key).and_then(Node::text).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if let Some(items) = node.get("items").filter(|_| kind.ends_with("List")) {
            for (index, item) in items.items().iter().enumerate() {
                path.push(index);
                self.look(item, path, found);
                path.pop();
            }
            return;
        }
        let meta = |key| node.get("metadata").and_then(|metadata| metadata.get(key)?.text());
        let namespace = meta("namespace").filter(|namespace| !namespace.is_empty()).unwrap_or(self.default);
        let is_meant = kind_of(api_version, kind).is_some_and(|(kind, _)| kind == self.kind);
        if let Some(name) = meta("name").filter(|name| is_meant && !name.is_empty()) {
            found.push((ObjectId::new(namespace, name), path.clone()));
        }
    }
}
