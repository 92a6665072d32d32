//! Repositories at a forge: whether one is there, making one, and the keys that may reach it.
//!
//! Source: docs.github.com, "REST API endpoints for repositories" and "… for deploy keys"; docs.gitlab.com, "Projects API",
//! "Namespaces API" and "Deploy keys API" (v4); Gitea's `/swagger.v1.json`.

use reqwest::Method;
use serde_json::{Value, json};

use super::dialect::Ask;
use super::{Forge, ForgeError, text};
use crate::domain::forge::{ForgeKind, Project, encoded, segments};

/// Pages of deploy keys that are read.
const PAGES: usize = 20;

/// A repository that is at the forge, by where it is cloned from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    /// Over HTTP, as the forge says it.
    pub http: String,
    /// Over ssh: `ssh://…` or `git@HOST:PATH`, as the forge says it.
    pub ssh: String,
}

/// A repository that is to be made, empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepository {
    /// Whether the owner is whoever asks, and no organisation or group.
    pub is_personal: bool,
    /// Whether only those who may read it see it.
    pub is_private: bool,
    /// The branch to be shown first, where the forge lets one choose.
    pub branch: String,
}

/// A key that reaches one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKey {
    /// What it is called.
    pub title: String,
    /// The public key, as a line of `authorized_keys`.
    pub key: String,
    /// Whether it may write.
    pub is_writing: bool,
}

impl DeployKey {
    /// Whether it is the same key, whatever it is called and whoever is named behind it.
    pub fn is(&self, key: &str) -> bool {
        let material = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
        material(&self.key) == material(key)
    }
}

/// The address of the repository itself, and what stands below it.
fn place(project: &Project, rest: &str) -> String {
    match project.kind {
        ForgeKind::GitLab => format!("/projects/{}{rest}", encoded(&project.path)),
        _ => format!("/repos/{}{rest}", segments(&project.path)),
    }
}

/// Where the deploy keys are.
fn keys_place(project: &Project) -> String {
    place(project, if project.kind == ForgeKind::GitLab { "/deploy_keys" } else { "/keys" })
}

impl Forge {
    /// The repository; `None` if there is none, or none that the token may see.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn repository(&self) -> Result<Option<Hosted>, ForgeError> {
        match self.api.ask(&Ask::get(place(&self.project, ""), Vec::new())).await {
            Ok(answer) => self.hosted(&answer).map(Some),
            Err(ForgeError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the repository; where it is there by then, it is taken as it is.
    ///
    /// # Errors
    /// As [`Self::request`]; [`ForgeError::Stranger`] if a personal one is somebody else's than the token.
    pub async fn create_repository(&self, wish: &NewRepository) -> Result<Hosted, ForgeError> {
        let ask = self.creation(wish).await?;
        let error = match self.api.ask(&ask).await {
            Ok(answer) => return self.hosted(&answer),
            Err(error) => error,
        };
        // Another may have been faster, or nobody saw how it ended.
        match self.repository().await {
            Ok(Some(hosted)) => Ok(hosted),
            _ => Err(error),
        }
    }

    /// The keys that reach the repository.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn deploy_keys(&self) -> Result<Vec<DeployKey>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let query =
                vec![("per_page", "50".to_owned()), ("limit", "50".to_owned()), ("page", page.to_string())];
            let answer = self.api.ask(&Ask::get(keys_place(&self.project), query)).await?;
            let rows = answer.as_array().ok_or_else(|| self.api.senseless("it lists no deploy keys"))?;
            if rows.is_empty() {
                break;
            }
            all.extend(rows.iter().filter_map(|row| self.deploy_key(row)));
        }
        Ok(all)
    }

    /// Lets a key reach the repository.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn add_deploy_key(&self, key: &DeployKey) -> Result<(), ForgeError> {
        let DeployKey { title, key, is_writing } = key;
        let body = match self.project.kind {
            ForgeKind::GitLab => json!({ "title": title, "key": key, "can_push": is_writing }),
            _ => json!({ "title": title, "key": key, "read_only": !is_writing }),
        };
        self.api.ask(&Ask::send(Method::POST, keys_place(&self.project), body)).await.map(drop)
    }

    fn deploy_key(&self, row: &Value) -> Option<DeployKey> {
        let flag = |name: &str| row.get(name).and_then(Value::as_bool);
        let is_writing = match self.project.kind {
            ForgeKind::GitLab => flag("can_push").unwrap_or_default(),
            _ => !flag("read_only").unwrap_or_default(),
        };
        let title = text(row, &["title"]).unwrap_or_default().to_owned();
        Some(DeployKey { title, key: text(row, &["key"])?.to_owned(), is_writing })
    }

    /// The question that makes the repository, once it is clear whose it will be.
    async fn creation(&self, wish: &NewRepository) -> Result<Ask, ForgeError> {
        let Project { kind, path, .. } = &self.project;
        let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
        if wish.is_personal {
            self.is_owned_by(owner).await?;
        }
        if *kind == ForgeKind::GitLab {
            return self.creation_at_gitlab((owner, name), wish).await;
        }
        let mut body = json!({ "name": name, "private": wish.is_private, "auto_init": false });
        if let (ForgeKind::Gitea, Some(fields)) = (kind, body.as_object_mut()) {
            fields.insert("default_branch".to_owned(), wish.branch.as_str().into());
        }
        let place = if wish.is_personal {
            "/user/repos".to_owned()
        } else {
            format!("/orgs/{}/repos", encoded(owner))
        };
        Ok(Ask::send(Method::POST, place, body))
    }

    /// GitLab wants the number of the group.
    async fn creation_at_gitlab(
        &self,
        (owner, name): (&str, &str),
        wish: &NewRepository,
    ) -> Result<Ask, ForgeError> {
        let visibility = if wish.is_private { "private" } else { "public" };
        let mut body = json!({
            "name": name, "path": name, "visibility": visibility, "initialize_with_readme": false,
        });
        if !wish.is_personal {
            let answer =
                self.api.ask(&Ask::get(format!("/namespaces/{}", encoded(owner)), Vec::new())).await?;
            let number = answer.get("id").and_then(Value::as_u64);
            let number = number.ok_or_else(|| self.api.senseless("the group has no number"))?;
            if let Some(fields) = body.as_object_mut() {
                fields.insert("namespace_id".to_owned(), number.into());
            }
        }
        Ok(Ask::send(Method::POST, "/projects".to_owned(), body))
    }

    /// A personal repository is whoever's the token is.
    async fn is_owned_by(&self, owner: &str) -> Result<(), ForgeError> {
        let answer = self.api.ask(&Ask::get("/user".to_owned(), Vec::new())).await?;
        let name = if self.project.kind == ForgeKind::GitLab { "username" } else { "login" };
        let user = text(&answer, &[name]).ok_or_else(|| self.api.senseless("it tells no user"))?;
        if user.eq_ignore_ascii_case(owner) {
            return Ok(());
        }
        let whom = self.api.whom().to_owned();
        Err(ForgeError::Stranger { whom, user: user.to_owned(), owner: owner.to_owned() })
    }

    fn hosted(&self, answer: &Value) -> Result<Hosted, ForgeError> {
        let (http, ssh) = match self.project.kind {
            ForgeKind::GitLab => ("http_url_to_repo", "ssh_url_to_repo"),
            _ => ("clone_url", "ssh_url"),
        };
        let address = |key: &str| {
            let address = text(answer, &[key]).filter(|address| !address.is_empty()).map(str::to_owned);
            address.ok_or_else(|| self.api.senseless(&format!("the repository has no {key}")))
        };
        Ok(Hosted { http: address(http)?, ssh: address(ssh)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_material() {
        let key = DeployKey { title: "x".into(), key: "ssh-ed25519 AAAA flux@x".into(), is_writing: true };
        assert!(key.is("ssh-ed25519 AAAA\n") && key.is(" ssh-ed25519  AAAA rita"));
        assert!(!key.is("ssh-ed25519 BBBB flux@x") && !key.is("ssh-rsa AAAA"));
    }
}
