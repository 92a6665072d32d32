//! From files to objects: documents are cut, parsed, told apart and put into the inventory.

use std::collections::BTreeMap;

use crate::domain::inventory::{Inventory, Object};
use crate::domain::lint::Obsolete;
use crate::domain::object::{Kind, Meta, ObjectId, Origin};
use crate::domain::parallel::on_all_cores;
use crate::problem::{Code, Problem};

use super::files::{SourceFile, holds_flux_objects, holds_related_objects, is_foreign, is_kustomization};
use super::flux::{
    AutomationSpec, GitRepositorySpec, Header, ImagePolicySpec, ImageRepositorySpec, Specified, VERSIONS,
    kind_of,
};
use super::secrets::{AccountShape, Secret, SecretShape, Secrets};
use super::yaml::{Document, Node, YamlError, documents, from_node, from_node_lenient};

/// What files describe.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The objects, and what was wrong with files and objects.
    pub inventory: Inventory,
    /// The secrets and service accounts beside them.
    pub secrets: Secrets,
}

/// Reads the objects in `files`, whichever tree they come from, in the order given.
///
/// An object without a namespace takes that of the nearest `kustomization.yaml` upwards that gives one, else
/// `default_namespace`. What can not be read is in the inventory's problems, with file, line and column.
pub fn parse(files: &[SourceFile], default_namespace: &str) -> Loaded {
    let namespaces = Namespaces::read(files, default_namespace);
    let mut loaded = Loaded::default();
    for findings in on_all_cores(files, |file| read_file(file, &namespaces)) {
        loaded.inventory.problems.extend(findings.problems);
        loaded.inventory.obsolete.extend(findings.obsolete);
        for found in findings.found {
            loaded.take(found);
        }
    }
    loaded
}

/// Which namespace an object gets that names none.
pub(super) struct Namespaces<'a> {
    /// By folder, without a final `/`; the root is empty.
    folders: BTreeMap<&'a str, String>,
    default: &'a str,
}

impl<'a> Namespaces<'a> {
    pub(super) fn read(files: &'a [SourceFile], default: &'a str) -> Self {
        let own = |file: &'a SourceFile| {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            kustomization_namespace(&file.bytes).map(|namespace| (folder, namespace))
        };
        let folders = files.iter().filter(|file| is_kustomization(&file.path)).filter_map(own).collect();
        Self { folders, default }
    }

    pub(super) fn of(&self, path: &str) -> &str {
        let mut rest = path;
        while let Some((folder, _)) = rest.rsplit_once('/') {
            if let Some(namespace) = self.folders.get(folder) {
                return namespace;
            }
            rest = folder;
        }
        self.folders.get("").map_or(self.default, String::as_str)
    }
}

fn kustomization_namespace(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    documents(text).into_iter().find_map(|document| {
        let node = Node::parse(document).ok().flatten()?;
        node.get("namespace")?.text().filter(|namespace| !namespace.is_empty()).map(ToOwned::to_owned)
    })
}

/// An object that was read.
enum Found {
    Flux(Box<Object>),
    Namespace(String, BTreeMap<String, String>),
    Secret(Secret),
    Encrypted(ObjectId, &'static str),
    Broken(ObjectId, YamlError),
    Account(ObjectId, Vec<String>),
}

#[derive(Default)]
struct Findings {
    found: Vec<Found>,
    problems: Vec<Problem>,
    obsolete: Vec<Obsolete>,
}

impl Loaded {
    fn take(&mut self, found: Found) {
        match found {
            Found::Flux(object) => self.inventory.add(*object),
            Found::Namespace(name, labels) => {
                self.inventory.namespaces.entry(name).or_default().extend(labels);
            }
            Found::Secret(secret) => self.secrets.add(secret),
            Found::Encrypted(id, by) => self.secrets.add_encrypted(id, by),
            Found::Broken(id, error) => self.secrets.add_broken(id, error.to_string()),
            Found::Account(id, pull_secrets) => self.secrets.add_account(id, Ok(pull_secrets)),
        }
    }
}

fn read_file(file: &SourceFile, namespaces: &Namespaces<'_>) -> Findings {
    let mut reader = FileReader {
        path: &file.path,
        text: "",
        namespace: namespaces.of(&file.path),
        findings: Findings::default(),
    };
    let is_flux = holds_flux_objects(&file.bytes);
    if !is_flux && !holds_related_objects(&file.bytes) {
        return reader.findings;
    }
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => {
            reader.text = text;
            for document in documents(text) {
                reader.read_document(document, is_flux);
            }
        }
        Err(error) if is_flux => {
            let before = file.bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', before).count() + 1;
            reader.report(&YamlError::new(line, 1, "the file is not UTF-8"));
        }
        Err(_) => {}
    }
    reader.findings
}

struct FileReader<'a> {
    path: &'a str,
    text: &'a str,
    namespace: &'a str,
    findings: Findings,
}

impl FileReader<'_> {
    /// In a file without Flux objects only what they may refer to is read, and what is broken there is none of ours.
    fn read_document(&mut self, document: Document<'_>, is_flux: bool) {
        if is_foreign(document.text) || (!is_flux && !holds_related_objects(document.text.as_bytes())) {
            return;
        }
        match Node::parse(document) {
            Ok(Some(node)) => self.read_object(&node, document.line),
            Err(error) if is_flux => self.report(&error),
            Ok(None) | Err(_) => {}
        }
    }

    fn report(&mut self, error: &YamlError) {
        let subject = format!("{}:{}:{}", self.path, error.line, error.column);
        self.findings.problems.push(Problem::new(Code::YamlInvalid, subject, error.to_string()));
    }

    /// `line` is where the object's document begins, or the object itself inside a list.
    fn read_object(&mut self, node: &Node<'_>, line: usize) {
        let text = |key| node.get(key).and_then(Node::text).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if kind.ends_with("List") && node.get("items").is_some() {
            for item in node.get("items").map(Node::items).unwrap_or_default() {
                self.read_object(item, item.line);
            }
            return;
        }
        self.note_obsolete(node, api_version, kind);
        let origin =
            Origin { source: "files", file: Some(self.path.to_owned()), line: u32::try_from(line).ok() };
        let read = match kind_of(api_version, kind) {
            Some((kind, version)) if VERSIONS.contains(&version) => {
                self.flux_object(kind, version, node, origin).map(Some)
            }
            Some((kind, _)) => {
                self.unsupported(kind, api_version, node);
                Ok(None)
            }
            None => self.related_object(kind, node, origin),
        };
        if let Ok(Some(Found::Broken(_, error))) = &read {
            self.report(error);
        }
        match read {
            Ok(found) => self.findings.found.extend(found),
            Err(error) => self.report(&error),
        }
    }

    fn note_obsolete(&mut self, node: &Node<'_>, api_version: &str, kind: &str) {
        let name = node.get("metadata").and_then(|metadata| metadata.get("name")?.text()).unwrap_or_default();
        let line = node.get("apiVersion").map_or(0, |version| version.line);
        let found = Obsolete::of(api_version, kind, name, (self.path, self.text, line));
        self.findings.obsolete.extend(found);
    }

    fn unsupported(&mut self, kind: Kind, api_version: &str, node: &Node<'_>) {
        let subject = format!("{}:{}:{}", self.path, node.line, node.column);
        let message =
            format!("{kind} of {api_version} is passed over: versions read are {}", VERSIONS.join(", "));
        let group = api_version.split('/').next().unwrap_or_default();
        let problem = Problem::new(Code::Skipped, subject, message);
        self.findings.problems.push(problem.hint(format!("Change `apiVersion` to `{group}/v1`.")));
    }

    fn flux_object(
        &self,
        kind: Kind,
        version: &str,
        node: &Node<'_>,
        origin: Origin,
    ) -> Result<Found, YamlError> {
        let (id, labels) = self.identity(node, from_node(node)?)?;
        let meta = Meta { id, version: version.to_owned(), labels, origin };
        Ok(Found::Flux(Box::new(match kind {
            Kind::ImageRepository => {
                let object: Specified<ImageRepositorySpec> = from_node(node)?;
                Object::Repository(object.spec.into_domain(meta))
            }
            Kind::ImagePolicy => {
                let object: Specified<ImagePolicySpec> = from_node(node)?;
                Object::Policy(object.spec.into_domain(meta))
            }
            Kind::ImageUpdateAutomation => {
                let object: Specified<AutomationSpec> = from_node(node)?;
                Object::Automation(Box::new(object.spec.into_domain(meta)))
            }
            Kind::GitRepository => {
                let object: Specified<GitRepositorySpec> = from_node(node)?;
                Object::Git(object.spec.into_domain(meta))
            }
        })))
    }

    fn identity(
        &self,
        node: &Node<'_>,
        header: Header,
    ) -> Result<(ObjectId, BTreeMap<String, String>), YamlError> {
        let place = node.get("metadata").unwrap_or(node);
        let Some(name) = header.metadata.name.filter(|name| !name.is_empty()) else {
            return Err(YamlError { field: "metadata.name".to_owned(), ..place.error("is missing") });
        };
        let namespace = header.metadata.namespace.filter(|namespace| !namespace.is_empty());
        let namespace = namespace.unwrap_or_else(|| self.namespace.to_owned());
        Ok((ObjectId::new(namespace, name), header.metadata.labels))
    }

    fn related_object(
        &self,
        kind: &str,
        node: &Node<'_>,
        origin: Origin,
    ) -> Result<Option<Found>, YamlError> {
        if !matches!(kind, "Secret" | "SealedSecret" | "ExternalSecret" | "ServiceAccount" | "Namespace") {
            return Ok(None);
        }
        let (id, labels) = self.identity(node, from_node_lenient(node)?)?;
        Ok(Some(match kind {
            "Namespace" => Found::Namespace(id.name, labels),
            "ServiceAccount" => Found::Account(id, from_node_lenient::<AccountShape>(node)?.names()),
            "SealedSecret" => Found::Encrypted(id, "SealedSecret"),
            "ExternalSecret" => Found::Encrypted(external_target(node, &id), "ExternalSecret"),
            _ if node.get("sops").is_some() => Found::Encrypted(id, "SOPS"),
            _ => {
                let shape: SecretShape = from_node_lenient(node)?;
                let secret = shape.into_secret(id.clone(), origin);
                secret.map_or_else(|key| Found::Broken(id, not_base64(node, &key)), Found::Secret)
            }
        }))
    }
}

/// The secret that an `ExternalSecret` makes: `spec.target.name`, else its own name.
fn external_target(node: &Node<'_>, id: &ObjectId) -> ObjectId {
    let target = node.get("spec").and_then(|spec| spec.get("target")?.get("name")?.text());
    target.map_or_else(|| id.clone(), |name| ObjectId::new(id.namespace.clone(), name))
}

fn not_base64(node: &Node<'_>, key: &str) -> YamlError {
    let place = node.get("data").and_then(|data| data.get(key)).unwrap_or(node);
    YamlError {
        field: format!("data.{key}"),
        ..place.error("is not base64; plain text belongs into stringData")
    }
}

#[cfg(test)]
mod tests;
