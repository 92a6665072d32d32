//! `export`: objects as YAML, as flux prints them.

use serde_json::{Map, Value, json};

use super::super::{Answer, Document, Text};
use super::choose::{ActsOn, acts_on, beside, chosen, nothing};
use super::remote;
use super::result::name_of;
use crate::cli::{Chosen, ObjectArgs};
use crate::config::Settings;
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::create::Made;
use crate::source::export::{Yaml, document};
use crate::source::{edit, files};

/// One object's YAML.
pub(super) struct Export {
    pub(super) made: Made,
    pub(super) object: ObjectId,
    pub(super) yaml: Yaml,
}

impl Document for Export {
    fn kind(&self) -> &'static str {
        "Export"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("document".to_owned(), json!(document(&self.yaml)))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(document(&self.yaml).into_bytes())
    }

    fn names(&self) -> Vec<String> {
        vec![name_of(self.made, &self.object)]
    }
}

/// Several objects' YAML.
struct Exports(Vec<Export>);

impl Document for Exports {
    fn kind(&self) -> &'static str {
        "ExportList"
    }

    fn json(&self) -> Map<String, Value> {
        let items = self.0.iter().map(|export| Value::Object(export.json())).collect();
        Map::from_iter([("items".to_owned(), Value::Array(items))])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(self.0.iter().flat_map(|export| document(&export.yaml).into_bytes()).collect())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Document::names).collect()
    }
}

/// `export image …`.
///
/// # Errors
/// A cluster that would be meant, a name that no object has, an object that several places describe differently.
pub(in super::super) fn export(settings: &Settings, args: &ObjectArgs) -> Result<Answer, Problem> {
    if let ActsOn::Cluster(remote) = acts_on(settings, false)? {
        return remote::export(settings, &remote, args.what.parts());
    }
    let tree = files::read_work_tree(&super::root_of(settings)?)?;
    let (kind, which) = args.what.parts();
    let inventory = files::parse(&tree.files, &settings.default_namespace).inventory;
    let places = edit::places(&tree.files, &settings.default_namespace, kind);
    let problems: Vec<Problem> =
        tree.problems.into_iter().chain(inventory.problems.iter().cloned()).collect();
    let ids = chosen(settings, kind, which, &places.keys().collect::<Vec<_>>());
    let ids = ids.map_err(|problem| beside(problem, &problems))?;
    if let Some(problem) = ids.iter().find_map(|id| inventory.ambiguity(kind, id)) {
        return Err(problem);
    }
    let mut all = Vec::new();
    for id in &ids {
        let object = places.get(id).and_then(|places| edit::value(&tree.files, places.first()?));
        let object = object.ok_or_else(|| {
            Problem::new(Code::Internal, id.to_string(), "what was read cannot be found again")
        })?;
        all.push(Export {
            made: Made::Flux(kind),
            object: id.clone(),
            yaml: crate::source::export::exported(&object, id),
        });
    }
    Ok(exports(settings, kind, which, all).with_problems(problems))
}

/// The answer to `export`: one object that was asked for alone has no list around it.
pub(super) fn exports(settings: &Settings, kind: Kind, which: &Chosen, mut all: Vec<Export>) -> Answer {
    match all.pop() {
        Some(one) if all.is_empty() && !which.all => Answer::new(one),
        Some(last) => Answer::new(Exports(all.into_iter().chain([last]).collect())),
        None => Answer::new(Exports(all)).with_note(nothing(settings, kind)),
    }
}
