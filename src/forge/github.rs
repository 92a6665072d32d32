//! GitHub's requests, in the cloud and Enterprise.
//!
//! Source: docs.github.com, "REST API endpoints for pull requests" and "… for labels", version 2022-11-28.

use reqwest::Method;
use serde_json::{Value, json};

use super::dialect::{Ask, Dialect, Found, Login, found, is_marked_draft};
use super::text;
use crate::domain::forge::{Project, segments};
use crate::domain::request::RequestSpec;

pub(super) struct GitHub;

fn pulls(project: &Project) -> String {
    format!("/repos/{}/pulls", segments(&project.path))
}

impl Dialect for GitHub {
    fn login(&self) -> Login {
        Login { header: "authorization", before: "Bearer " }
    }

    fn list(&self, project: &Project, spec: &RequestSpec, page: usize) -> Ask {
        let query = vec![
            ("state", "open".to_owned()),
            ("head", format!("{}:{}", project.owner(), spec.head)),
            ("base", spec.base.clone()),
            ("per_page", self.page_size().to_string()),
            ("page", page.to_string()),
        ];
        Ask::get(pulls(project), query)
    }

    fn page_size(&self) -> usize {
        100
    }

    fn is_it(&self, project: &Project, spec: &RequestSpec, value: &Value) -> bool {
        // A branch of the same name in a fork is another's. Of a fork that is gone there is no name.
        let from = text(value, &["head", "repo", "full_name"]);
        text(value, &["state"]).is_none_or(|state| state == "open")
            && text(value, &["head", "ref"]) == Some(&spec.head)
            && text(value, &["base", "ref"]) == Some(&spec.base)
            && from.is_some_and(|from| from.eq_ignore_ascii_case(&project.path))
    }

    fn read(&self, value: &Value) -> Option<Found> {
        // Words in its title make nothing a draft here.
        let found = found(value, "number", "html_url", "body")?;
        Some(Found { is_draft: is_marked_draft(value), ..found })
    }

    fn draft_sign(&self) -> Option<&'static str> {
        None
    }

    fn create(&self, project: &Project, spec: &RequestSpec, title: &str) -> Ask {
        let body = json!({
            "title": title, "body": spec.words.body, "head": spec.head, "base": spec.base, "draft": spec.wish.draft,
        });
        Ask::send(Method::POST, pulls(project), body)
    }

    fn update(&self, project: &Project, number: u64, title: &str, body: &str) -> Ask {
        let path = format!("{}/{number}", pulls(project));
        Ask::send(Method::PATCH, path, json!({ "title": title, "body": body }))
    }

    fn label(&self, project: &Project, number: u64, labels: &[String]) -> Option<Ask> {
        let path = format!("/repos/{}/issues/{number}/labels", segments(&project.path));
        Some(Ask::send(Method::POST, path, json!({ "labels": labels })))
    }

    fn is_duplicate(&self, status: u16, said: &str) -> bool {
        status == 422 && said.contains("already exists")
    }
}
