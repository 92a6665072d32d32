//! What the forge of the tests knows of repositories: whether one is there, who may make it, and its deploy keys.
//!
//! Sources: docs.github.com, "REST API endpoints for repositories" and "… for deploy keys"; docs.gitlab.com, "Projects API";
//! Gitea's `/swagger.v1.json`.

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::super::git::Bare;
use super::{Kind, State, refuse, say};

/// Who asks, and what there is.
pub(super) struct Home {
    user: String,
    /// Over HTTP and over ssh.
    urls: [String; 2],
    exists: bool,
    pub(super) keys: Vec<Value>,
}

impl Home {
    pub(super) fn new(user: &str, urls: [&str; 2]) -> Self {
        Self { user: user.to_owned(), urls: urls.map(str::to_owned), exists: false, keys: Vec::new() }
    }
}

impl State {
    /// The answer to what is asked of repositories; `None` to anything else.
    pub(super) fn of_repository(&mut self, ask: &Request, path: &str) -> Option<ResponseTemplate> {
        self.home.as_ref()?;
        if !self.knows(ask) {
            return Some(refuse(401, "Bad credentials"));
        }
        let below = self.below_project(path);
        let rest = path.split_once("/api/v").and_then(|(_, rest)| rest.get(1..)).unwrap_or_default();
        let (owner, name) = self.project.rsplit_once('/')?;
        let home = self.home.as_ref()?;
        let is_group = home.user != owner;
        let group = format!("/orgs/{owner}/repos");
        let body: Value = serde_json::from_slice(&ask.body).unwrap_or(Value::Null);
        match (ask.method.as_str(), rest, below.as_deref()) {
            ("GET", "/user", _) => Some(say(200, &json!({"login": home.user, "username": home.user}))),
            ("GET", rest, _) if rest.starts_with("/namespaces/") => {
                let known = is_group && rest == format!("/namespaces/{owner}");
                Some(if known { say(200, &json!({"id": 9})) } else { refuse(404, "404 Namespace Not Found") })
            }
            ("POST", "/user/repos", _) if self.kind != Kind::GitLab && !is_group => Some(self.make(&body)),
            ("POST", rest, _) if self.kind != Kind::GitLab && is_group && rest == group => {
                Some(self.make(&body))
            }
            ("POST", "/projects", _) if self.kind == Kind::GitLab => {
                assert_eq!(body["namespace_id"], if is_group { json!(9) } else { Value::Null });
                assert_eq!(body["path"], name);
                Some(self.make(&body))
            }
            ("GET", _, Some("")) if home.exists => Some(say(200, &self.shown())),
            (method, _, Some("/keys" | "/deploy_keys")) if home.exists => Some(self.keys(method, ask, &body)),
            _ => Some(refuse(404, "Not Found")),
        }
    }

    /// Makes the repository, unless it is there.
    fn make(&mut self, body: &Value) -> ResponseTemplate {
        let name = self.project.rsplit('/').next().unwrap();
        assert_eq!((&body["name"], &body["auto_init"].as_bool().unwrap_or_default()), (&json!(name), &false));
        let home = self.home.as_mut().unwrap();
        if home.exists {
            return refuse(422, "name already exists on this account");
        }
        home.exists = true;
        Bare::create_empty(&self.repository);
        say(201, &self.shown())
    }

    fn shown(&self) -> Value {
        let [http, ssh] = &self.home.as_ref().unwrap().urls;
        json!({
            "full_name": self.project, "path_with_namespace": self.project, "clone_url": http, "ssh_url": ssh,
            "http_url_to_repo": http, "ssh_url_to_repo": ssh,
        })
    }

    fn keys(&mut self, method: &str, ask: &Request, body: &Value) -> ResponseTemplate {
        let home = self.home.as_mut().unwrap();
        if method == "POST" {
            home.keys.push(body.clone());
            return say(201, body);
        }
        let first = ask.url.query_pairs().all(|(key, page)| key != "page" || page == "1");
        say(200, &json!(if first { home.keys.clone() } else { Vec::new() }))
    }
}
