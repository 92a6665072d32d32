//! The operation `set` with symbolic links, which requests of `eval batch` do not have, and its comparison with Flux.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use supercargo::domain::manifest::Manifest;
use supercargo::domain::object::ObjectId;
use supercargo::domain::proposal::Reference;
use supercargo::domain::setrun::{self, RunError, Tree};
use supercargo::domain::setter::Setters;

/// Our answer to a request of the operation `set`; links are in `symlinks`.
pub fn answer(asked: &Value) -> Value {
    let texts = |name: &str| -> BTreeMap<String, String> {
        asked.get(name).map_or_else(BTreeMap::new, |texts| serde_json::from_value(texts.clone()).unwrap())
    };
    let policies: Vec<(ObjectId, Option<Reference>)> =
        asked["policies"].as_array().unwrap().iter().map(policy).collect();
    let (files, links) = (texts("files"), texts("symlinks"));
    let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
        .with_links(links.iter().map(|(link, target)| (link.as_str(), target.as_str())));
    let path = asked["update_path"].as_str().unwrap_or_default();
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref())));
    // Flux resolves the path before it looks at the policies, and walks it afterwards.
    let outcome = match (tree.scan(path), setters) {
        (Err(error @ RunError::TooManyLinks(_)), _) => Err(error.to_string()),
        (_, Err(error)) => Err(error.to_string()),
        (_, Ok(setters)) => setrun::run(&tree, path, &setters, 1).map_err(|error| error.to_string()),
    };
    match outcome {
        Ok(outcome) => {
            let files: BTreeMap<_, _> = outcome
                .files
                .iter()
                .map(|(path, bytes)| (path, std::str::from_utf8(bytes).unwrap()))
                .collect();
            let problem_files: Vec<_> = outcome.problem_files.iter().map(|problem| &problem.file).collect();
            json!({ "error": null, "files": files, "updates": outcome.updates, "problem_files": problem_files })
        }
        Err(error) => json!({ "error": error, "files": {}, "updates": [], "problem_files": [] }),
    }
}

/// A policy and its latest reference; without an image there is none.
pub fn policy(asked: &Value) -> (ObjectId, Option<Reference>) {
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let digest = asked["digest"].as_str().map(str::to_owned);
    let latest = Reference { image: text("image"), tag: text("tag"), digest };
    (ObjectId::new(text("namespace"), text("name")), (!latest.image.is_empty()).then_some(latest))
}

/// The request for the reference, which also describes what is in the files of our answer.
pub fn asked_of_flux(mut asked: Value) -> Value {
    asked["op"] = "set-flux".into();
    asked["ours"] = answer(&asked);
    asked
}

/// A request, our answer and Flux's.
pub struct Case<'a> {
    asked: &'a Value,
    ours: &'a Value,
    flux: &'a Value,
}

/// What is different on purpose: the number of a row of `docs/differences.md`, and whether that row is why this field of
/// the two answers (`error`, `problem_files`, `updates`, or a file, for its data) is different.
pub type Rule = (&'static str, fn(&Case<'_>, &str) -> bool);

pub const ON_PURPOSE: &[Rule] = &[
    ("W8", |case, field| {
        let ends = ["is not consistent", "to be written to files", "missing Resource metadata"];
        let ends_so = |error: &str| ends.iter().any(|end| error.ends_with(end));
        case.has_odd_metadata()
            && match field {
                "error" => case.flux[field].as_str().is_some_and(ends_so),
                "problem_files" => case.refuses_null_lists(),
                file => case.lost_null_metadata(file),
            }
    }),
    // The rest of the file's fields follow from its being a problem file.
    ("W14", |case, _| {
        let refused = case.refused();
        let more = |file: &Value| !case.flux["problem_files"].as_array().unwrap().contains(file);
        !refused.is_empty()
            && case.ours["problem_files"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|file| more(file))
                .all(|file| refused.iter().any(|path| path.ends_with(file.as_str().unwrap())))
    }),
    ("W2", |case, field| match field {
        "error" => case.has_list() && case.flux[field].as_str().is_some_and(is_of_lists),
        "updates" => {
            case.has_list() && case.updates_without_file(case.ours) == case.updates_without_file(case.flux)
        }
        file => case.is_list(file),
    }),
    ("W13", |case, field| {
        let first = case.flux["data"][field][0].as_str();
        first.is_some_and(|line| line.starts_with("error: "))
    }),
    ("W4", |case, field| case.each_line(field, |ours, flux| ours == flux || case.has_other_type(ours, flux))),
    ("W15", |case, field| {
        case.each_line(field, |ours, flux| {
            let is_nothing = untyped(ours).is_some_and(|(kind, _, text)| kind == SCALAR && text.is_empty());
            ours == flux || case.has_other_type(ours, flux) || (is_nothing && untyped(ours) == untyped(flux))
        })
    }),
    ("W12", |case, field| {
        let has_block = case.text(field).contains(['>', '|']);
        let is_folded = has_block && case.text(field).contains(['>', '+']);
        // Flux writes a plain text of several lines as a literal block.
        let is_block =
            |node: &str| has_block || untyped(node).is_some_and(|(_, _, text)| text.contains('\n'));
        case.each_line(field, |ours, flux| {
            ours == flux
                || case.has_other_type(ours, flux)
                || (is_folded && is_refolded(ours, flux))
                || (is_block(ours) && has_comment_inside(ours, flux))
        })
    }),
];

/// What Flux says of a list whose members it cannot write into files of their own.
fn is_of_lists(error: &str) -> bool {
    [
        "missing Resource metadata",
        "resource must be written under package",
        "wrong node kind: expected MappingNode",
        "to be written to files",
    ]
    .iter()
    .any(|text| error.contains(text))
}

/// How the reference calls the kinds of two sorts of nodes.
const SCALAR: &str = "8";
const ALIAS: &str = "16";

/// Kind, anchor and text of a node that the reference describes; its type is left out.
fn untyped(node: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = node.split_once(' ')?;
    let (_type, rest) = rest.split_once(" &")?;
    let (anchor, text) = rest.split_once(' ')?;
    Some((kind, anchor, text))
}

/// Whether two scalars are the same but for line breaks.
fn is_refolded(ours: &str, flux: &str) -> bool {
    texts_without_breaks(ours, flux).is_some_and(|(ours, flux)| ours == flux)
}

/// Whether two scalars are the same but for line breaks and a comment that Flux has taken into its own.
fn has_comment_inside(ours: &str, flux: &str) -> bool {
    texts_without_breaks(ours, flux)
        .is_some_and(|(ours, flux)| flux.starts_with('#') && flux.ends_with(&ours))
}

fn texts_without_breaks(ours: &str, flux: &str) -> Option<(String, String)> {
    let (ours, flux) = (untyped(ours)?, untyped(flux)?);
    let joined = |text: &str| text.replace('\n', "");
    (ours.0 == SCALAR).then(|| (joined(ours.2), joined(flux.2)))
}

impl Case<'_> {
    fn text(&self, file: &str) -> &str {
        self.asked["files"][file].as_str().unwrap_or_default()
    }

    fn is_list(&self, file: &str) -> bool {
        let text = self.text(file);
        ["List", "\"List\"", "ResourceList"].iter().any(|kind| text.contains(&format!("kind: {kind}")))
    }

    /// The files that can be read and not be edited.
    fn refused(&self) -> Vec<&str> {
        let files = self.asked["files"].as_object().unwrap().iter();
        let readable = files.filter(|(_, text)| Manifest::parse(text.as_str().unwrap()).is_ok());
        let ours = self.ours["problem_files"].as_array().unwrap();
        let is_ours = |path: &str| ours.iter().any(|file| path.ends_with(file.as_str().unwrap()));
        readable.map(|(path, _)| path.as_str()).filter(|path| is_ours(path)).collect()
    }

    /// Whether we refuse no more files than Flux but those in which a list is tagged as null.
    fn refuses_null_lists(&self) -> bool {
        let theirs = self.flux["problem_files"].as_array().unwrap();
        let is_tagged = |file: &Value| {
            let files = self.asked["files"].as_object().unwrap().iter();
            let mut own = files.filter(|(path, _)| path.ends_with(file.as_str().unwrap()));
            own.any(|(_, text)| text.as_str().unwrap().contains("metadata: !!null ["))
        };
        let ours = self.ours["problem_files"].as_array().unwrap().iter();
        theirs.iter().all(|file| self.ours["problem_files"].as_array().unwrap().contains(file))
            && ours.filter(|file| !theirs.contains(file)).all(is_tagged)
    }

    /// Whether some `metadata` is null or stands twice.
    fn has_odd_metadata(&self) -> bool {
        let mut texts = self.asked["files"].as_object().unwrap().values().filter_map(Value::as_str);
        texts.any(|text| text.contains("!!null") || text.matches("metadata").count() > 1)
    }

    fn has_list(&self) -> bool {
        self.asked["files"].as_object().unwrap().keys().any(|file| self.is_list(file))
    }

    /// The updates, without the files of lists, which have no name for Flux.
    fn updates_without_file(&self, answer: &Value) -> Vec<String> {
        let files = self.asked["files"].as_object().unwrap();
        let is_list = |file: &str| files.keys().any(|path| path.ends_with(file) && self.is_list(path));
        let mut updates: Vec<String> = answer["updates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|update| {
                let mut update = compared(update);
                let file = update["file"].as_str().unwrap();
                if is_list(file) {
                    update["file"] = "".into();
                }
                update.to_string()
            })
            .collect();
        updates.sort();
        updates
    }

    /// Whether `is_same` is true of each two nodes of the file that we and Flux write.
    fn each_line(&self, file: &str, is_same: impl Fn(&str, &str) -> bool) -> bool {
        let nodes = |data: &str| -> Option<&Vec<Value>> { self.flux[data][file].as_array() };
        let (Some(ours), Some(flux)) = (nodes("other_data"), nodes("data")) else { return false };
        ours.len() == flux.len()
            && ours.iter().zip(flux).all(|(a, b)| is_same(a.as_str().unwrap(), b.as_str().unwrap()))
    }

    /// Whether what Flux writes of a file lacks the documents whose `metadata` is tagged as null, and no more.
    fn lost_null_metadata(&self, file: &str) -> bool {
        let documents = |data: &str| -> Option<Vec<&[Value]>> {
            Some(self.flux[data][file].as_array()?.split(|node| *node == "---").collect())
        };
        let (Some(ours), Some(flux)) = (documents("other_data"), documents("data")) else { return false };
        let is_lost = |document: &&[Value]| {
            let is_null = |node: &Value| node.as_str().unwrap().starts_with("4 !!null ");
            document.windows(3).any(|nodes| nodes[0] == "8 !!str & metadata" && is_null(&nodes[2]))
        };
        let kept: Vec<_> = ours.iter().filter(|document| !is_lost(document)).collect();
        let is_same = |(a, b): (&Value, &Value)| {
            a == b || self.has_other_type(a.as_str().unwrap(), b.as_str().unwrap())
        };
        kept.len() == flux.len()
            && kept.iter().zip(flux).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(is_same))
    }

    /// Whether two nodes are the same but for the type, and hold what a policy selected, or are aliases of what does. Ours is a
    /// text then, but for a value that stood there before and is left alone, and for tags that are not YAML's own.
    fn has_other_type(&self, ours: &str, flux: &str) -> bool {
        let (Some((kind, anchor, text)), Some(other)) = (untyped(ours), untyped(flux)) else { return false };
        let is_own = !ours.starts_with("8 !!");
        let stood_there = || {
            let mut files = self.asked["files"].as_object().unwrap().values().filter_map(Value::as_str);
            files.any(|file| file.contains(text))
        };
        let is_text = || (ours.starts_with("8 !!str ") || is_own || stood_there()) && self.is_selected(text);
        other == (kind, anchor, text) && (kind == ALIAS || (kind == SCALAR && is_text()))
    }

    fn is_selected(&self, text: &str) -> bool {
        self.asked["policies"].as_array().unwrap().iter().any(|asked| {
            let Some(latest) = policy(asked).1 else { return false };
            let digest = latest.digest.as_deref().unwrap_or_default();
            let whole = format!("{}:{}", latest.image, latest.tag);
            [&latest.tag, &latest.image, digest].contains(&text) || text.starts_with(&whole)
        })
    }

    /// The fields that differ: error, problem files, updates, and the files whose data differ.
    fn differing(&self) -> Vec<String> {
        let mut fields = Vec::new();
        if self.ours["error"] != self.flux["error"] {
            return vec!["error".to_owned()];
        }
        if self.ours["problem_files"] != self.flux["problem_files"] {
            fields.push("problem_files".to_owned());
        }
        if sorted(&self.ours["updates"]) != sorted(&self.flux["updates"]) {
            fields.push("updates".to_owned());
        }
        let empty = Map::new();
        let files = |answer: &Value, name: &str| answer[name].as_object().unwrap_or(&empty).clone();
        let (ours, flux) = (files(self.flux, "other_data"), files(self.flux, "data"));
        let has_new = |file: &String| !self.asked["files"].as_object().unwrap().contains_key(file);
        fields.extend(
            ours.iter().filter(|(file, data)| flux.get(*file) != Some(*data)).map(|(file, _)| file.clone()),
        );
        let more = flux.keys().filter(|file| !ours.contains_key(*file));
        fields.extend(more.filter(|file| !(has_new(file) && self.has_list())).cloned());
        fields
    }
}

/// An update without the fields that Flux does not have.
fn compared(update: &Value) -> Value {
    let mut kept = json!({});
    for field in ["file", "object", "setter", "old", "new"] {
        kept[field] = update[field].clone();
    }
    kept
}

/// The updates by file and object; those of one object as they come.
pub fn sorted(updates: &Value) -> Vec<Value> {
    let mut updates: Vec<Value> = updates.as_array().unwrap().iter().map(compared).collect();
    updates.sort_by_key(|update| {
        let object = &update["object"];
        [&update["file"], &object["apiVersion"], &object["kind"], &object["namespace"], &object["name"]]
            .map(|field| field.as_str().unwrap().to_owned())
    });
    updates
}

/// What differs between our answer, as [`asked_of_flux`] has it, and Flux's and is no row of `docs/differences.md`.
pub fn difference(asked: &Value, flux: &Value) -> Option<String> {
    let case = Case { asked, ours: &asked["ours"], flux };
    let is_meant = |field: &String| ON_PURPOSE.iter().any(|(_, applies)| applies(&case, field));
    let fields: Vec<String> = case.differing().into_iter().filter(|field| !is_meant(field)).collect();
    (!fields.is_empty()).then(|| format!("{} differ: ours {}", fields.join(", "), case.ours))
}
