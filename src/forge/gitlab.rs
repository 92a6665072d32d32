//! GitLab's merge requests.
//!
//! Source: docs.gitlab.com, "Merge requests API" (v4).

use reqwest::Method;
use serde_json::{Value, json};

use super::dialect::{Ask, Dialect, Found, Login, found};
use super::text;
use crate::domain::forge::{Project, encoded};
use crate::domain::request::RequestSpec;

pub(super) struct GitLab;

/// A project is named by its whole path, as one part of the address.
fn requests(project: &Project) -> String {
    format!("/projects/{}/merge_requests", encoded(&project.path))
}

impl Dialect for GitLab {
    fn login(&self) -> Login {
        Login { header: "private-token", before: "" }
    }

    fn list(&self, project: &Project, spec: &RequestSpec, page: usize) -> Ask {
        let query = vec![
            ("state", "opened".to_owned()),
            ("source_branch", spec.head.clone()),
            ("target_branch", spec.base.clone()),
            ("per_page", self.page_size().to_string()),
            ("page", page.to_string()),
        ];
        Ask::get(requests(project), query)
    }

    fn page_size(&self) -> usize {
        100
    }

    fn is_it(&self, _project: &Project, spec: &RequestSpec, value: &Value) -> bool {
        // A branch of the same name in a fork is another's.
        text(value, &["state"]).is_none_or(|state| state == "opened")
            && text(value, &["source_branch"]) == Some(&spec.head)
            && text(value, &["target_branch"]) == Some(&spec.base)
            && value.get("source_project_id") == value.get("target_project_id")
    }

    fn read(&self, value: &Value) -> Option<Found> {
        found(value, "iid", "web_url", "description")
    }

    fn draft_sign(&self) -> Option<&'static str> {
        Some("Draft: ")
    }

    fn create(&self, project: &Project, spec: &RequestSpec, title: &str) -> Ask {
        let mut body = json!({
            "title": title, "description": spec.words.body, "source_branch": spec.head, "target_branch": spec.base,
        });
        if let (false, Some(fields)) = (spec.wish.labels.is_empty(), body.as_object_mut()) {
            fields.insert("labels".to_owned(), spec.wish.labels.join(",").into());
        }
        Ask::send(Method::POST, requests(project), body)
    }

    fn update(&self, project: &Project, number: u64, title: &str, body: &str) -> Ask {
        let path = format!("{}/{number}", requests(project));
        Ask::send(Method::PUT, path, json!({ "title": title, "description": body }))
    }

    fn label(&self, project: &Project, number: u64, labels: &[String]) -> Option<Ask> {
        let path = format!("{}/{number}", requests(project));
        Some(Ask::send(Method::PUT, path, json!({ "add_labels": labels.join(",") })))
    }

    fn labels_on_create(&self) -> bool {
        true
    }

    fn is_duplicate(&self, status: u16, said: &str) -> bool {
        status == 409 || (status == 422 && said.contains("already exists"))
    }
}
