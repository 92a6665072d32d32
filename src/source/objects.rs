//! Writes objects into files: which file, which document of it, and nothing else in it.
//!
//! A file is replaced as a whole by a rename, so that nobody ever sees half of it; every byte outside the one document stays.
//! What has changed since it was read is left alone.
//! Nothing is staged or committed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use self::disk::{Access, read, replace};
use super::create::{Made, NewObject};
use super::export::document;
use super::yaml::{Document, documents};
use crate::domain::inventory::Inventory;
use crate::domain::object::{Kind, Meta, ObjectId};
use crate::problem::{Code, Problem};

mod disk;

pub use disk::{is_open_to_others, remove_file, rewrite, text};

/// The annotation of a secret of ours that says which address it was made for.
pub const URL_ANNOTATION: &str = "supercargo/url";

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was not there.
    Created,
    /// It was there and is another now.
    Updated,
    /// It was there as it is to be.
    Unchanged,
}

impl Action {
    /// The word of the JSON: `created`, `updated`, `unchanged`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why an object was not written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The file or folder cannot be read or written.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A symbolic link, which a rename would replace.
    #[error("{} is a symbolic link; give the file it points to", .0.display())]
    Link(PathBuf),
    /// Somebody else changed the file after it was read.
    #[error("{} has changed meanwhile; nothing was done to it", .0.display())]
    Changed(PathBuf),
    /// Bytes that are no text.
    #[error("{} is not UTF-8", .0.display())]
    NotText(PathBuf),
    /// The object is there twice.
    #[error("{} holds {count} documents of {kind} {id}; which one is meant is unclear", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The object's kind.
        kind: Made,
        /// Its name.
        id: ObjectId,
    },
    /// The object stands in a `kind: List`, whose members are not rewritten.
    #[error("{kind} {id} is a member of a List in {}; edit it there", path.display())]
    InList {
        /// The file.
        path: PathBuf,
        /// The object's kind.
        kind: Made,
        /// Its name.
        id: ObjectId,
    },
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        let code = match &error {
            ObjectError::Io { .. } => Code::Storage,
            ObjectError::Link(_) => Code::Usage,
            ObjectError::Changed(_) => Code::StalePlan,
            ObjectError::NotText(_) => Code::YamlInvalid,
            ObjectError::Twice { .. } | ObjectError::InList { .. } => Code::Ambiguous,
        };
        let problem = Self::new(code, "", error.to_string());
        if code == Code::StalePlan {
            return problem.hint("Look at what it says now, and run the command again.");
        }
        match std::error::Error::source(&error) {
            Some(source) => problem.caused_by(source),
            None => problem,
        }
    }
}

/// Where `object` is to be written: `path` if given (a file, or a folder for a new one); else the object's own file; else
/// the one folder that holds its namespace's image objects; else `root`, the files source.
///
/// A relative `path` counts from `current`, or, where that leads out of the files source, from `root`.
pub fn target(
    object: &NewObject,
    path: Option<&Path>,
    root: &Path,
    current: &Path,
    inventory: &Inventory,
) -> PathBuf {
    let name = format!("{}-{}.yaml", object.id.name, object.made.suffix());
    if let Some(path) = path {
        let here = clean(&current.join(path));
        let path =
            if here.starts_with(clean(root)) || here.exists() { here } else { clean(&root.join(path)) };
        let is_file = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        return if is_file { path } else { path.join(name) };
    }
    if let Some(file) = own_file(object, inventory) {
        return root.join(file);
    }
    let folder = common_folder(&object.id.namespace, inventory).unwrap_or_default();
    root.join(folder).join(name)
}

/// The path without `.` and `..`, as far as its text tells.
#[must_use]
pub fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

fn own_file<'i>(object: &NewObject, inventory: &'i Inventory) -> Option<&'i str> {
    let id = &object.id;
    let meta = match object.made {
        Made::Flux(Kind::ImageRepository) => inventory.repositories.get(id).map(|object| &object.meta),
        Made::Flux(Kind::ImagePolicy) => inventory.policies.get(id).map(|object| &object.meta),
        Made::Flux(Kind::ImageUpdateAutomation) => inventory.automations.get(id).map(|object| &object.meta),
        Made::Flux(Kind::GitRepository) => inventory.git_repositories.get(id).map(|object| &object.meta),
        Made::Secret => None,
    };
    meta.and_then(|meta| meta.origin.file.as_deref())
}

/// The folder that holds all image objects of a namespace; `None` if there is none, or several.
fn common_folder<'i>(namespace: &str, inventory: &'i Inventory) -> Option<&'i str> {
    let repositories = inventory.repositories.values().map(|object| &object.meta);
    let policies = inventory.policies.values().map(|object| &object.meta);
    let automations = inventory.automations.values().map(|object| &object.meta);
    let all = repositories.chain(policies).chain(automations);
    let of_namespace = all.filter(|meta: &&Meta| meta.id.namespace == namespace);
    let files = of_namespace.filter_map(|meta| meta.origin.file.as_deref());
    let folders: BTreeSet<&str> =
        files.map(|file| file.rsplit_once('/').map_or("", |(folder, _)| folder)).collect();
    let mut folders = folders.into_iter();
    folders.next().filter(|_| folders.next().is_none())
}

/// Puts `object` into `file`: in place of its document, behind the last one, or as a new file. Labels (unless the object has
/// some) and annotations of the document that it replaces stay, as when flux updates an object.
///
/// With `dry_run` everything but the writing is done.
///
/// # Errors
/// The file cannot be read or written, is a link, or holds the object in a way that cannot be replaced.
pub fn write(object: &NewObject, file: &Path, dry_run: bool) -> Result<Action, ObjectError> {
    let old = read(file)?;
    let (action, new) = edit(object, old.as_deref(), file)?;
    if !dry_run && action != Action::Unchanged {
        let access = if object.made == Made::Secret { Access::OwnerIfNew } else { Access::AsBefore };
        replace(file, old.as_deref(), &new, access)?;
    }
    Ok(action)
}

/// Keeps a secret of ours: `NAMESPACE/NAME.yaml` below `folder`, for nobody's eyes but the owner's.
///
/// # Errors
/// The folder or file cannot be written.
pub fn write_secret(
    object: &NewObject,
    folder: &Path,
    dry_run: bool,
) -> Result<(PathBuf, Action), ObjectError> {
    let folder = folder.join(&object.id.namespace);
    let file = folder.join(format!("{}.yaml", object.id.name));
    let old = read(&file)?;
    let (action, new) = edit(object, old.as_deref(), &file)?;
    if !dry_run && action != Action::Unchanged {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| ObjectError::Io { doing: "creating", path: folder.clone(), source })?;
        replace(&file, old.as_deref(), &new, Access::Owner)?;
    }
    Ok((file, action))
}

/// The text of a file with the object in it, and what that means.
fn edit(object: &NewObject, old: Option<&str>, file: &Path) -> Result<(Action, String), ObjectError> {
    let Some(old) = old else {
        return Ok((Action::Created, document(&object.yaml())));
    };
    let documents = documents(old);
    let own: Vec<&Document<'_>> = documents.iter().filter(|one| is_document_of(one.text, object)).collect();
    match own.as_slice() {
        [] if documents.iter().any(|one| is_in_list(one.text, object)) => {
            Err(ObjectError::InList { path: file.to_owned(), kind: object.made, id: object.id.clone() })
        }
        [] => Ok((Action::Created, append(old, &document(&object.yaml())))),
        [one] => Ok(exchange(object, old, one.text)),
        several => Err(ObjectError::Twice {
            path: file.to_owned(),
            count: several.len(),
            kind: object.made,
            id: object.id.clone(),
        }),
    }
}

/// The value of a document; `None` if it does not parse.
fn parsed(text: &str) -> Option<Value> {
    serde_saphyr::from_str(text.strip_prefix("---").unwrap_or(text)).ok()
}

fn is_document_of(text: &str, object: &NewObject) -> bool {
    text.contains(object.id.name.as_str()) && parsed(text).is_some_and(|value| is_same(&value, object))
}

fn is_in_list(text: &str, object: &NewObject) -> bool {
    let value = parsed(text).unwrap_or_default();
    let items = value.get("items").and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|item| is_same(item, object)))
}

/// Whether a value is an object of the same group, kind, namespace and name; no namespace fits every one.
fn is_same(value: &Value, object: &NewObject) -> bool {
    let field = |path: &str| value.pointer(path).and_then(Value::as_str);
    let group = |version: &str| version.rsplit_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    field("/kind") == Some(&object.made.to_string())
        && field("/apiVersion").map(group) == Some(group(object.made.api_version()))
        && field("/metadata/name") == Some(&object.id.name)
        && field("/metadata/namespace").is_none_or(|namespace| namespace == object.id.namespace)
}

/// The text with the object in place of `text`, one of its documents.
fn exchange(object: &NewObject, old: &str, text: &str) -> (Action, String) {
    let mut object = object.clone();
    if let Some(known) = parsed(text) {
        let kept = |path: &str| {
            let entries = known.pointer(path).and_then(Value::as_object).into_iter().flatten();
            entries
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect::<Vec<_>>()
        };
        if object.labels.is_empty() {
            object.labels.extend(kept("/metadata/labels"));
        }
        for (key, value) in kept("/metadata/annotations") {
            object.annotations.entry(key).or_insert(value);
        }
        if parsed(&document(&object.yaml())) == Some(known) {
            return (Action::Unchanged, old.to_owned());
        }
    }
    let new = document(&object.yaml());
    let body = new.strip_prefix("---\n").unwrap_or(&new);
    let is_around = |line: &&str| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        line.is_empty() || line.starts_with(['#', '%'])
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // What stands before and behind the object is not the object's: marker, comments, blank lines.
    let before: usize = lines.iter().take_while(|line| is_around(line)).map(|line| line.len()).sum();
    let behind: usize = lines.iter().rev().take_while(|line| is_around(line)).map(|line| line.len()).sum();
    // The document is a part of the file's text.
    let start = text.as_ptr() as usize - old.as_ptr() as usize;
    let (from, to) = (start + before, start + text.len() - behind);
    let body = in_lines_of(text, body);
    let (head, tail) = (old.get(..from).unwrap_or_default(), old.get(to..).unwrap_or_default());
    let ended = tail.is_empty() && !old.ends_with('\n');
    let body = if ended { body.trim_end() } else { &body };
    (Action::Updated, format!("{head}{body}{tail}"))
}

/// The text with a document behind it.
fn append(old: &str, new: &str) -> String {
    if old.trim().is_empty() {
        return format!("{old}{new}");
    }
    let new = in_lines_of(old, new);
    let end = match (old.ends_with('\n'), old.contains("\r\n")) {
        (true, _) => "",
        (false, true) => "\r\n",
        (false, false) => "\n",
    };
    // A last line that is a marker already begins the next document.
    let new = match old.trim_end().rsplit('\n').next().map(str::trim_end) {
        Some("---") => new.split_once('\n').map_or(new.as_str(), |(_, body)| body),
        _ => &new,
    };
    format!("{old}{end}{new}")
}

/// `new` with the line ends of `text`.
fn in_lines_of(text: &str, new: &str) -> String {
    if text.contains("\r\n") { new.replace('\n', "\r\n") } else { new.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::create::{Common, PolicyFlags, RepositoryFlags, SecretFlags};
    use super::super::{create, files};
    use super::*;
    use crate::text::SecretString;

    fn common() -> Common {
        Common { name: Some("vote".into()), namespace: "apps".into(), labels: Vec::new() }
    }

    fn repository(image: &str) -> NewObject {
        let flags = RepositoryFlags { image: Some(image.into()), ..RepositoryFlags::default() };
        create::image_repository(&common(), &flags).unwrap()
    }

    fn edited(old: &str, object: &NewObject) -> (Action, String) {
        edit(object, Some(old), Path::new("x.yaml")).unwrap()
    }

    const BODY: &str = "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: vote\n  \
                        namespace: apps\nspec:\n  image: reg/vote\n  interval: 0s\n";

    #[test]
    fn one_document_is_replaced_and_every_other_byte_stays() {
        let others = "# first\na: 1 # x\n---\n# about vote\n";
        let old = "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nmetadata: {name: vote, namespace: \
                   apps}\nspec: {image: reg/old, interval: 1m}\n";
        let behind = "\n# about b\n---\nb:   2";
        let (action, new) = edited(&format!("{others}{old}{behind}"), &repository("reg/vote"));
        assert_eq!(action, Action::Updated);
        assert_eq!(new, format!("{others}{BODY}{behind}"));
        assert_eq!(edited(&new, &repository("reg/vote")), (Action::Unchanged, new.clone()));
    }

    #[test]
    fn a_file_keeps_its_line_ends_and_a_missing_last_one() {
        let crlf = BODY.replace("reg/vote", "reg/old").replace('\n', "\r\n");
        let (_, new) = edited(crlf.trim_end(), &repository("reg/vote"));
        assert_eq!(new, BODY.replace('\n', "\r\n").trim_end());
    }

    #[test]
    fn a_new_object_goes_behind_the_last_document() {
        let object = repository("reg/vote");
        for (old, before) in
            [("", ""), ("a: 1\n", "a: 1\n"), ("a: 1", "a: 1\n"), ("# only words\n", "# only words\n")]
        {
            assert_eq!(edited(old, &object), (Action::Created, format!("{before}---\n{BODY}")), "{old:?}");
        }
        assert_eq!(edited("a: 1\n---\n", &object), (Action::Created, format!("a: 1\n---\n{BODY}")));
        let other = BODY.replace("apps", "shop");
        assert_eq!(edited(&other, &object).0, Action::Created);
    }

    #[test]
    fn labels_and_annotations_of_the_old_object_stay() {
        let old = BODY
            .replace("  name: vote\n", "  annotations:\n    a: b\n  labels:\n    team: x\n  name: vote\n")
            .replace("reg/vote", "reg/old");
        let (_, new) = edited(&old, &repository("reg/vote"));
        assert_eq!(new, old.replace("reg/old", "reg/vote"));
    }

    #[test]
    fn what_cannot_be_replaced_is_refused() {
        let object = repository("reg/vote");
        let list = format!("kind: List\nitems:\n- {}", BODY.trim_end().replace('\n', "\n  "));
        let refused = |old: &str| edit(&object, Some(old), Path::new("x.yaml")).unwrap_err();
        assert!(matches!(refused(&list), ObjectError::InList { .. }));
        assert!(matches!(refused(&format!("{BODY}---\n{BODY}")), ObjectError::Twice { count: 2, .. }));
    }

    #[test]
    fn an_object_is_written_where_it_belongs() {
        let file =
            |path: &str, text: &str| files::SourceFile { path: path.into(), bytes: text.as_bytes().to_vec() };
        let inventory = |files: &[files::SourceFile]| files::parse(files, "flux-system").inventory;
        let (root, here) = (Path::new("/r"), Path::new("/r/sub"));
        let of = |object: &NewObject, path: Option<&str>, inventory: &Inventory| {
            target(object, path.map(Path::new), root, here, inventory).display().to_string()
        };
        let object = repository("reg/vote");
        let flags = PolicyFlags {
            image_ref: Some("vote".into()),
            semver: Some("1.x".into()),
            ..PolicyFlags::default()
        };
        let policy = create::image_policy(&common(), &flags).unwrap();
        let nothing = Inventory::default();
        let one = inventory(&[file("apps/all.yaml", BODY)]);
        let two = inventory(&[file("apps/all.yaml", BODY), file("b/x.yaml", &BODY.replace("vote", "web"))]);
        assert_eq!(of(&object, None, &nothing), "/r/vote-registry.yaml");
        assert_eq!(of(&object, None, &one), "/r/apps/all.yaml");
        assert_eq!(of(&policy, None, &one), "/r/apps/vote-policy.yaml");
        assert_eq!(of(&policy, None, &two), "/r/vote-policy.yaml");
        assert_eq!(of(&policy, Some("x/y.yaml"), &one), "/r/sub/x/y.yaml");
        assert_eq!(of(&policy, Some("x"), &one), "/r/sub/x/vote-policy.yaml");
        assert_eq!(of(&policy, Some("/tmp/../r/x"), &one), "/r/x/vote-policy.yaml");
        let outside = target(&policy, Some(Path::new("x-not-there")), root, Path::new("/elsewhere"), &one);
        assert_eq!(outside, Path::new("/r/x-not-there/vote-policy.yaml"));
    }

    #[test]
    fn files_are_replaced_by_a_rename_and_links_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b.yaml");
        let object = repository("reg/vote");
        assert_eq!(write(&object, &file, true).unwrap(), Action::Created);
        assert!(!file.exists());
        assert_eq!(write(&object, &file, false).unwrap(), Action::Created);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(write(&repository("reg/new"), &file, false).unwrap(), Action::Updated);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        let link = folder.path().join("link.yaml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(matches!(write(&object, &link, false), Err(ObjectError::Link(_))));
    }

    #[test]
    fn secrets_of_ours_are_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let password = Some(SecretString::from("x".to_owned()));
        let flags = SecretFlags {
            url: Some("https://x".into()),
            username: Some("u".into()),
            password,
            ..SecretFlags::default()
        };
        let secret = create::secret_git(&common(), &flags).unwrap();
        let (file, action) = write_secret(&secret, &folder.path().join("secrets"), false).unwrap();
        assert_eq!(action, Action::Created);
        assert_eq!(file, folder.path().join("secrets/apps/vote.yaml"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        let elsewhere = folder.path().join("d/s.yaml");
        assert_eq!(write(&secret, &elsewhere, false).unwrap(), Action::Created);
        assert_eq!(mode(&elsewhere), 0o600);
    }
}
