//! In what the forges' APIs differ: paths, names of fields, and how a request says where it comes from.

use reqwest::Method;
use serde_json::Value;

use super::text;
use crate::domain::forge::Project;
use crate::domain::request::{RequestSpec, RequestWords};

/// One question to an API.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Below the API's address, beginning with `/`; its parts are encoded.
    pub(super) path: String,
    /// Names and values, not encoded.
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Ask {
    pub(super) fn get(path: String, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    pub(super) fn send(method: Method, path: String, body: Value) -> Self {
        Self { method, path, query: Vec::new(), body: Some(body) }
    }
}

/// A request that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u64,
    /// The page that the forge names, if that is an address.
    pub(super) page: Option<String>,
    pub(super) title: String,
    pub(super) body: String,
    /// As [`Dialect::is_behind`] has it.
    pub(super) is_behind: bool,
    /// Whether it is a draft, by its own word or by its title.
    pub(super) is_draft: bool,
}

/// How a token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Login {
    /// The header.
    pub(super) header: &'static str,
    /// What stands before the token in it.
    pub(super) before: &'static str,
}

/// The API of one kind of forge.
pub(super) trait Dialect: Send + Sync {
    fn login(&self) -> Login;

    /// A page, from 1, of the open requests among which the one from `spec.head` into `spec.base` is.
    fn list(&self, project: &Project, spec: &RequestSpec, page: usize) -> Ask;

    /// A page with fewer requests is the last.
    fn page_size(&self) -> usize;

    /// Whether a request of the list is from `spec.head`, of this repository itself, into `spec.base`.
    fn is_it(&self, project: &Project, spec: &RequestSpec, value: &Value) -> bool;

    /// Whether a request is of a commit that was proposed under `spec.head`, and of another than `spec.commit`: that the branch
    /// moved does not move it.
    fn is_behind(&self, _spec: &RequestSpec, _value: &Value) -> bool {
        false
    }

    /// What is to be known of a request; `None` if the value is none.
    fn read(&self, value: &Value) -> Option<Found>;

    /// What the title of a draft begins with; `None` where a draft is made in another way, and only while the request is opened.
    fn draft_sign(&self) -> Option<&'static str>;

    fn create(&self, project: &Project, spec: &RequestSpec, title: &str) -> Ask;

    fn update(&self, project: &Project, number: u64, title: &str, body: &str) -> Ask;

    /// Adds labels to a request; `None` where they have to be named by their numbers.
    fn label(&self, project: &Project, number: u64, labels: &[String]) -> Option<Ask>;

    /// Whether [`Self::create`] gives the labels too.
    fn labels_on_create(&self) -> bool {
        false
    }

    /// Whether a refusal means that such a request is open.
    fn is_duplicate(&self, status: u16, said: &str) -> bool;
}

/// Reads the fields that all forges have under some name.
pub(super) fn found(value: &Value, number: &str, page: &str, body: &str) -> Option<Found> {
    let title = text(value, &["title"]).unwrap_or_default();
    let page = text(value, &[page]).and_then(|text| url::Url::parse(text).ok());
    let page = page.filter(|page| matches!(page.scheme(), "http" | "https") && page.username().is_empty());
    Some(Found {
        number: value.get(number)?.as_u64()?,
        page: page.map(String::from),
        title: title.to_owned(),
        body: text(value, &[body]).unwrap_or_default().to_owned(),
        is_behind: false,
        is_draft: is_marked_draft(value) || RequestWords::are_of_draft(title),
    })
}

/// Whether a request says of itself that it is a draft.
pub(super) fn is_marked_draft(value: &Value) -> bool {
    value.get("draft").and_then(Value::as_bool) == Some(true)
}
