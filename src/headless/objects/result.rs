//! What the object commands say: flux's lines on standard error, and one result for each object.

use serde_json::{Map, Value, json};

use super::super::{Answer, Document, Streams, Text};
use super::flags::Keys;
use crate::cli::Format;
use crate::config::Settings;
use crate::domain::object::ObjectId;
use crate::problem::Problem;
use crate::source::create::Made;

/// The progress lines of flux, on standard error.
pub(in super::super) struct Lines<'a, 'b> {
    pub(super) streams: &'a mut Streams<'b>,
    silent: bool,
    is_json: bool,
}

impl<'a, 'b> Lines<'a, 'b> {
    pub(super) fn new(streams: &'a mut Streams<'b>, settings: &Settings) -> Self {
        let is_json = settings.output == Format::Json;
        Self { streams, silent: settings.quiet || is_json, is_json }
    }

    pub(super) fn line(&mut self, sign: char, text: &str) {
        if !self.silent {
            self.always(sign, text);
        }
    }

    /// What there is to do about the keys of a new secret. JSON has it in the result.
    pub(super) fn keys(&mut self, keys: &Keys, is_dry_run: bool) {
        if self.is_json {
            return;
        }
        for (sign, line) in keys.lines(is_dry_run) {
            self.always(sign, &line);
        }
    }

    /// A line that is said even where progress is not: it is said once, and somebody has to act on it.
    fn always(&mut self, sign: char, text: &str) {
        // Nothing is lost with a line that nobody can read.
        let _ = writeln!(self.streams.err, "{sign} {}", super::super::table::clean(text));
    }
}

/// `kind/namespace/name`, in lower case.
pub(super) fn name_of(made: Made, id: &ObjectId) -> String {
    format!("{}/{id}", made.to_string().to_lowercase())
}

/// What became of one object.
pub(super) struct ObjectResult {
    pub(super) made: Made,
    /// `created`, `updated`, `unchanged`, `deleted`, `suspended`, `resumed` or `reconciled`; `None`: it failed.
    pub(super) action: Option<&'static str>,
    pub(super) object: ObjectId,
    /// The file it was done in; `None`: in the cluster.
    pub(super) file: Option<String>,
    pub(super) dry_run: bool,
    /// What came of it.
    pub(super) message: Option<String>,
    /// What there is to print beside.
    pub(super) lines: Vec<String>,
}

impl ObjectResult {
    /// Of an object that was asked about alone, and with which nothing came to be.
    pub(super) fn failed(made: Made, object: &ObjectId, file: Option<String>, problem: &Problem) -> Self {
        let message = Some(problem.message.clone());
        Self { made, action: None, object: object.clone(), file, dry_run: false, message, lines: Vec::new() }
    }

    fn value(&self) -> Value {
        json!({
            "action": self.action,
            "object": {
                "kind": self.made.to_string(),
                "namespace": self.object.namespace,
                "name": self.object.name,
            },
            "target": if self.file.is_some() { "files" } else { "cluster" },
            "file": self.file,
            "dry_run": self.dry_run,
            "message": self.message,
        })
    }

    fn printed(&self) -> Vec<u8> {
        let lines = self.lines.iter().map(|line| super::super::table::clean(line) + "\n");
        lines.collect::<String>().into_bytes()
    }
}

impl Document for ObjectResult {
    fn kind(&self) -> &'static str {
        "ObjectResult"
    }

    fn json(&self) -> Map<String, Value> {
        match self.value() {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(self.printed())
    }

    fn names(&self) -> Vec<String> {
        self.action.map(|_| name_of(self.made, &self.object)).into_iter().collect()
    }
}

/// What became of several objects.
struct ObjectResults(Vec<ObjectResult>);

impl Document for ObjectResults {
    fn kind(&self) -> &'static str {
        "ObjectResultList"
    }

    fn json(&self) -> Map<String, Value> {
        // What went wrong stands above the list; an item has the key that it has alone.
        let item = |result: &ObjectResult| {
            let mut item = result.value();
            item["problems"] = json!([]);
            item
        };
        Map::from_iter([("items".to_owned(), self.0.iter().map(item).collect())])
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Raw(self.0.iter().flat_map(ObjectResult::printed).collect())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Document::names).collect()
    }
}

/// The answer of a command on objects: one that was asked about alone has no list around it.
pub(super) fn answer(mut results: Vec<ObjectResult>, is_list: bool) -> Answer {
    match results.pop() {
        Some(one) if !is_list && results.is_empty() => Answer::new(one),
        last => {
            results.extend(last);
            Answer::new(ObjectResults(results))
        }
    }
}
