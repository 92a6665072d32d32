//! Commit message templates: Go's `text/template` with the functions that Flux offers, over what Flux puts in.
//!
//! [`render`] says for a template and a list of changes what the image-automation-controller of today would write, or its
//! error to the byte; and for templates that use fields which controllers 1.0 removed, also what older ones wrote. The parser
//! is our own: `gotmpl`'s, which was to be used, takes `{{if .X}}` without an end and drops all text behind a stray `{{end}}`,
//! where a controller refuses the template. Functions that read a clock, the environment, the network or chance do not exist,
//! as in Flux. Differences from Go: texts are UTF-8 always, and work, size and nesting are limited.
//!
//! Source: fluxcd/image-automation-controller:internal/source/source.go; golang/go:src/text/template;
//! Masterminds/sprig v3.3.0, `HermeticTxtFuncMap`.

mod data;
mod eval;
mod format;
mod functions;
mod legacy;
mod lex;
mod literal;
mod node;
mod parse;
mod time;
mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::object::ObjectId;
use super::proposal::{ObjectIdentity, Reference};
use crate::problem::{Code, Problem};

/// The message of an automation without a template.
pub const DEFAULT_MESSAGE: &str = "Update from image update automation";

/// What Flux calls the template; it stands in every error text.
const NAME: &str = "commit message";

/// What replaces the removed fields in most templates.
const REPLACEMENT: &str = "{{range .Changed.Changes}}{{println .NewValue}}{{end}}";

/// What a commit message is made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MessageData {
    /// The automation.
    #[serde(rename = "automation_object")]
    pub automation: ObjectId,
    /// `messageTemplateValues`; `None` where the automation has none, which templates tell from an empty map.
    #[serde(default)]
    pub values: Option<BTreeMap<String, String>>,
    /// The changes by file, the file relative to `update.path`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub file_changes: BTreeMap<String, Vec<ObjectChanges>>,
    /// What the policies elected, for the removed `.Updated.Images`: a marker with a suffix alone does not tell its image.
    #[serde(skip)]
    pub references: BTreeMap<ObjectId, Reference>,
}

/// The changes of one object in one file, in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ObjectChanges {
    /// The object of the document.
    #[serde(flatten, deserialize_with = "identity")]
    pub object: ObjectIdentity,
    /// What changes there.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// One marked value that changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// The value before.
    pub old_value: String,
    /// The value after.
    pub new_value: String,
    /// The marker, suffix included.
    pub setter: String,
}

/// What became of a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The message; with [`Self::removed_field`] that of controllers before 1.0. `None` if there is none.
    pub message: Option<String>,
    /// What today's controller says instead, to the byte.
    pub error: Option<String>,
    /// Whether the template uses `.Updated` or `.Changed.ImageResult`.
    pub removed_field: bool,
    /// What the author of the template should know.
    pub warnings: Vec<Warning>,
}

/// A remark about a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// `removed_field`, or `template_failed`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if we know.
    pub replacement: Option<String>,
}

/// The code of a [`Warning`] about a field that controllers 1.0 removed.
const REMOVED_FIELD: &str = "removed_field";

impl Warning {
    /// What `message` says of a removed field.
    pub fn of_removed_field(message: impl Into<String>) -> Self {
        let replacement = Some(REPLACEMENT.to_owned());
        Self { code: REMOVED_FIELD, message: message.into(), replacement }
    }

    /// Whether it is about a removed field, by its `code`.
    pub fn is_of_removed_field(code: &str) -> bool {
        code == REMOVED_FIELD
    }

    /// The remark as a problem of `subject`; it stops nothing unless the template does not parse.
    pub fn problem(&self, subject: impl Into<String>) -> Problem {
        let is_failure = self.code == Code::TemplateFailed.word();
        let code = if is_failure { Code::TemplateFailed } else { Code::Skipped };
        self.with_hint(Problem::new(code, subject, &self.message))
    }

    fn with_hint(&self, problem: Problem) -> Problem {
        match &self.replacement {
            Some(replacement) => problem.hint(format!("Write `{replacement}` instead.")),
            None => problem,
        }
    }
}

impl Rendered {
    /// The error as a problem of the automation `subject`; `None` if there is a message to be used.
    pub fn problem(&self, subject: &str) -> Option<Problem> {
        if self.message.is_some() {
            return None;
        }
        self.refusal(subject)
    }

    /// What today's controller says instead of the message; `None` if it has nothing to say.
    pub fn refusal(&self, subject: &str) -> Option<Problem> {
        let problem = Problem::new(Code::TemplateFailed, subject, self.error.as_deref()?);
        Some(match self.warnings.first() {
            Some(warning) => warning.with_hint(problem),
            None => problem,
        })
    }
}

/// Why Go's `url.Parse` refuses `raw`, in its words; `None` if it does not.
pub fn url_refusal(raw: &str) -> Option<String> {
    functions::url_refusal(raw)
}

/// Renders `template`; an empty one is [`DEFAULT_MESSAGE`].
pub fn render(template: &str, data: &MessageData) -> Rendered {
    if template.is_empty() {
        return Rendered { message: Some(DEFAULT_MESSAGE.to_owned()), ..Rendered::default() };
    }
    let trees = match parse::parse(template) {
        Ok(trees) => trees,
        Err(error) => {
            let error = Some(format!("unable to create commit message template from spec: {error}"));
            return Rendered { error, ..Rendered::default() };
        }
    };
    let failure = match eval::execute(template, &trees, &data::current(data)) {
        Ok(message) => return Rendered { message: Some(message), ..Rendered::default() },
        Err(failure) => failure,
    };
    let Some(refusal) = failure.removed.map(refusal) else {
        let error = Some(format!("failed to run template from spec: {}", failure.text));
        return Rendered { error, ..Rendered::default() };
    };
    let message = data::legacy(data).and_then(|legacy| eval::execute(template, &trees, &legacy).ok());
    let warning = Warning::of_removed_field(&refusal);
    Rendered { message, error: Some(refusal), removed_field: true, warnings: vec![warning] }
}

/// Why today's controller will not use the template of `automation`, whatever will change; to be asked before a commit is
/// due. A removed field in a branch that an empty commit does not run is not found.
pub fn refused(template: &str, automation: &ObjectId) -> Option<Warning> {
    let nothing = MessageData {
        automation: automation.clone(),
        values: None,
        file_changes: BTreeMap::new(),
        references: BTreeMap::new(),
    };
    let rendered = render(template, &nothing);
    if let Some(warning) = rendered.warnings.into_iter().next() {
        return Some(warning);
    }
    let is_parsed = parse::parse(template).is_ok();
    let fails = |text: &String| {
        !is_parsed
            || text.contains(NO_FIELD) && render(template, &specimen(nothing)).error.as_ref() == Some(text)
    };
    let message = rendered.error.filter(fails)?;
    Some(Warning { code: Code::TemplateFailed.word(), message, replacement: None })
}

/// What Go says where a template asks a value for what its type does not have: no commit will have it either.
const NO_FIELD: &str = "can't evaluate field";

/// The same data with one change.
fn specimen(nothing: MessageData) -> MessageData {
    let change = Change {
        old_value: "example.com/app:1".to_owned(),
        new_value: "example.com/app:2".to_owned(),
        setter: "flux-system:app".to_owned(),
    };
    let changed = ObjectChanges { object: ObjectIdentity::default(), changes: vec![change] };
    MessageData { file_changes: BTreeMap::from([("app.yaml".to_owned(), vec![changed])]), ..nothing }
}

/// Whether Go's `time.Parse` takes `text` for a time that is spelt by `layout`.
pub(in crate::domain) fn fits_layout(layout: &str, text: &str) -> bool {
    time::parse(layout, text).is_ok()
}

/// The controller's words about a field it has no more.
fn refusal(field: eval::Removed) -> String {
    let (field, instead) = match field {
        eval::Removed::Updated => (".Updated", "'.Changed'"),
        eval::Removed::ImageResult => {
            (".Changed.ImageResult", "'.Changed.FileChanges' or '.Changed.Objects'")
        }
    };
    format!(
        "template uses removed '{field}' field. Please use {instead} instead. See: \
         https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template"
    )
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The four names of an object, those that are missing empty.
fn identity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectIdentity, D::Error> {
    #[derive(Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    #[derive(Default)]
    struct Names {
        api_version: String,
        kind: String,
        namespace: String,
        name: String,
    }
    let Names { api_version, kind, namespace, name } = Names::deserialize(deserializer)?;
    Ok(ObjectIdentity { api_version, kind, namespace, name })
}
