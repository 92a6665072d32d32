//! Requests of Gitea and Forgejo, whose APIs are the same as far as this goes.
//!
//! Source: the `OpenAPI` document that every instance serves under `/swagger.v1.json`.

use reqwest::Method;
use serde_json::{Value, json};

use super::api::Api;
use super::dialect::{Ask, Dialect, Found, Login, found};
use super::error::ForgeError;
use super::{at, text};
use crate::domain::forge::{Project, segments};
use crate::domain::request::{RequestSpec, RequestWords};

pub(super) struct Gitea;

/// The colour of a label that is made: a light grey.
const COLOUR: &str = "#ededed";
/// Requests and labels on a page; what instances allow unless they are told otherwise.
const PAGE: usize = 50;
/// Pages of labels that are read.
const PAGES: usize = 20;

fn repository(project: &Project, rest: &str) -> String {
    format!("/repos/{}{rest}", segments(&project.path))
}

/// Whether a request was made by pushing to `refs/for/…`: it has no branch.
fn is_proposed(value: &Value) -> bool {
    text(value, &["head", "ref"]).is_some_and(|name| name.starts_with("refs/pull/"))
}

/// Whether a request was proposed under the topic `spec.head`. Servers tell the topic, after the user's name, or nothing; then
/// our commit tells, or a plan in its body.
///
/// Source: go-gitea/gitea:services/convert/pull.go, "`PullRequestFlowAGit`".
fn is_under_our_topic(spec: &RequestSpec, value: &Value) -> bool {
    let head = spec.head.as_str();
    let is_told = match text(value, &["head", "label"]).unwrap_or_default() {
        "" => {
            let body = text(value, &["body"]).unwrap_or_default();
            text(value, &["head", "sha"]) == Some(&spec.commit) || RequestWords::are_of_branch(body, head)
        }
        topic => topic == head || topic.strip_suffix(head).is_some_and(|user| user.ends_with('/')),
    };
    is_proposed(value) && is_told
}

impl Dialect for Gitea {
    fn login(&self) -> Login {
        Login { header: "authorization", before: "token " }
    }

    fn list(&self, project: &Project, _spec: &RequestSpec, page: usize) -> Ask {
        // There is no filter by branches; what was touched last comes first.
        let query = vec![
            ("state", "open".to_owned()),
            ("sort", "recentupdate".to_owned()),
            ("limit", PAGE.to_string()),
            ("page", page.to_string()),
        ];
        Ask::get(repository(project, "/pulls"), query)
    }

    fn page_size(&self) -> usize {
        // An instance may have smaller pages than it was asked for.
        1
    }

    fn is_it(&self, project: &Project, spec: &RequestSpec, value: &Value) -> bool {
        let from = text(value, &["head", "repo", "full_name"]);
        let is_ours = from.is_none_or(|from| from.eq_ignore_ascii_case(&project.path));
        let is_of_head = text(value, &["head", "ref"]) == Some(&spec.head) || is_under_our_topic(spec, value);
        text(value, &["base", "ref"]) == Some(&spec.base) && is_ours && is_of_head
    }

    fn is_behind(&self, spec: &RequestSpec, value: &Value) -> bool {
        is_proposed(value) && text(value, &["head", "sha"]) != Some(&spec.commit)
    }

    fn read(&self, value: &Value) -> Option<Found> {
        found(value, "number", "html_url", "body")
    }

    fn draft_sign(&self) -> Option<&'static str> {
        Some("WIP: ")
    }

    fn create(&self, project: &Project, spec: &RequestSpec, title: &str) -> Ask {
        let body = json!({ "title": title, "body": spec.words.body, "head": spec.head, "base": spec.base });
        Ask::send(Method::POST, repository(project, "/pulls"), body)
    }

    fn update(&self, project: &Project, number: u64, title: &str, body: &str) -> Ask {
        let path = repository(project, &format!("/pulls/{number}"));
        Ask::send(Method::PATCH, path, json!({ "title": title, "body": body }))
    }

    fn label(&self, _project: &Project, _number: u64, _labels: &[String]) -> Option<Ask> {
        None
    }

    fn is_duplicate(&self, status: u16, said: &str) -> bool {
        status == 409 && said.contains("already exists")
    }
}

/// Adds labels to a request: their numbers are looked up, and what does not exist is made.
pub(super) async fn label(
    api: &Api,
    project: &Project,
    number: u64,
    names: &[String],
) -> Result<(), ForgeError> {
    let numbers = numbers(api, project, names).await?;
    let path = repository(project, &format!("/issues/{number}/labels"));
    api.ask(&Ask::send(Method::POST, path, json!({ "labels": numbers }))).await.map(drop)
}

async fn numbers(api: &Api, project: &Project, names: &[String]) -> Result<Vec<u64>, ForgeError> {
    let mut known: Vec<Value> = Vec::new();
    for page in 1..=PAGES {
        let query = vec![("limit", PAGE.to_string()), ("page", page.to_string())];
        let answer = api.ask(&Ask::get(repository(project, "/labels"), query)).await?;
        let rows = answer.as_array().ok_or_else(|| api.senseless("it lists no labels"))?;
        if rows.is_empty() {
            break;
        }
        known.extend(rows.iter().cloned());
    }
    let mut numbers = Vec::new();
    for name in names {
        let label = known.iter().find(|label| text(label, &["name"]) == Some(name));
        let made = if let Some(label) = label {
            label.clone()
        } else {
            let body = json!({ "name": name, "color": COLOUR });
            api.ask(&Ask::send(Method::POST, repository(project, "/labels"), body)).await?
        };
        let number = at(&made, &["id"]).and_then(Value::as_u64);
        numbers.push(number.ok_or_else(|| api.senseless("a label has no number"))?);
    }
    Ok(numbers)
}
