//! Asks forges for pull and merge requests, and for repositories: GitHub (also Enterprise), GitLab, Gitea and Forgejo, by their
//! REST APIs.
//!
//! Responsible for finding out what runs a Git host ([`Forges`]) and for one request from a branch into another
//! ([`Forge::request`]): one that is open is updated, else one is opened. What a request says is the domain's business; that
//! the branch is there, and what is done without a token, the engine's.

mod api;
mod dialect;
mod error;
mod find;
mod gitea;
mod github;
mod gitlab;
mod locate;
pub mod printed;
mod probe;
mod repository;
mod rules;

use serde_json::Value;

use crate::domain::forge::{ForgeKind, Project};
use crate::domain::request::{Request, RequestSpec};

use self::api::Api;
use self::dialect::{Dialect, Found};
pub use self::error::ForgeError;
pub use self::locate::{Forges, Located, Token};
pub use self::repository::{DeployKey, Hosted, NewRepository};

/// A request that is open, and what went wrong afterwards.
#[derive(Debug)]
pub struct Opened {
    /// The request.
    pub request: Request,
    /// What was not done to it, and why.
    pub trouble: Option<Trouble>,
    /// Whether it is of a commit that was proposed without a branch, and of another than ours: it has to be proposed.
    pub is_behind: bool,
}

/// What a forge refuses of a request that is open.
#[derive(Debug)]
pub enum Trouble {
    /// Another title and body.
    Words(ForgeError),
    /// Labels.
    Labels(ForgeError),
}

/// One repository at one forge, and what it is asked with.
pub struct Forge {
    project: Project,
    dialect: &'static dyn Dialect,
    api: Api,
}

impl Forge {
    /// The repository that was located, asked with its token, or anonymously without one.
    ///
    /// `None` for a forge whose API is not spoken, or not known, and for a repository without an owner.
    ///
    /// # Errors
    /// [`ForgeError::Setup`] if no HTTP client can be made.
    pub fn of(located: &Located, forges: &Forges) -> Result<Option<Self>, ForgeError> {
        let dialect: &'static dyn Dialect = match located.project.kind {
            ForgeKind::GitHub => &github::GitHub,
            ForgeKind::GitLab => &gitlab::GitLab,
            ForgeKind::Gitea => &gitea::Gitea,
            ForgeKind::Bitbucket | ForgeKind::Azure | ForgeKind::None => return Ok(None),
        };
        let Some(base) = located.api.as_ref().filter(|_| located.project.has_owner()) else {
            return Ok(None);
        };
        let api = Api {
            client: forges.client(base)?,
            base: base.clone(),
            token: located.token.clone(),
            login: dialect.login(),
            patience: forges.patience,
        };
        Ok(Some(Self { project: located.project.clone(), dialect, api }))
    }

    /// Opens the request, or updates the one that is open from the same branch into the same.
    ///
    /// What opening one leads to is looked at once more where nobody saw how it ended, or another was faster.
    ///
    /// # Errors
    /// [`ForgeError`], with what was asked and as whom.
    pub async fn request(&self, spec: &RequestSpec) -> Result<Opened, ForgeError> {
        if let Some(found) = self.find(spec).await? {
            return Ok(self.update(spec, found).await);
        }
        let sign = self.dialect.draft_sign().filter(|_| spec.wish.draft).unwrap_or_default();
        let (title, labels) = (format!("{sign}{}", spec.words.title), &spec.wish.labels);
        let created = self.api.ask(&self.dialect.create(&self.project, spec, &title)).await;
        match created {
            Ok(answer) => {
                let found =
                    self.dialect.read(&answer).ok_or_else(|| self.api.senseless("it tells no number"))?;
                Ok(self.labelled(&found, labels, self.dialect.labels_on_create()).await)
            }
            Err(error) if self.may_be_open(&error) => match self.find(spec).await {
                Ok(Some(found)) => Ok(self.update(spec, found).await),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The open request from the same branch into the same, as it stands.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn open(&self, spec: &RequestSpec) -> Result<Option<Opened>, ForgeError> {
        Ok(self.find(spec).await?.map(|found| self.opened(&found, None)))
    }

    /// The page of a request by its number.
    pub fn page(project: &Project, number: u64) -> String {
        let Project { web, path, kind } = project;
        match kind {
            ForgeKind::GitLab => format!("{web}/{path}/-/merge_requests/{number}"),
            ForgeKind::Gitea => format!("{web}/{path}/pulls/{number}"),
            _ => format!("{web}/{path}/pull/{number}"),
        }
    }

    /// Whether the forge refused because there is one, or nobody saw the end.
    fn may_be_open(&self, error: &ForgeError) -> bool {
        match error {
            ForgeError::Refused { status, said, .. } => self.dialect.is_duplicate(*status, said),
            ForgeError::Timeout { .. } | ForgeError::Unreachable { .. } | ForgeError::BadAnswer { .. } => {
                true
            }
            _ => false,
        }
    }

    /// Brings the words of an open request up to date, and makes it a draft where its title does that; it is open whether or not
    /// the forge takes them.
    async fn update(&self, spec: &RequestSpec, mut found: Found) -> Opened {
        let sign = self.dialect.draft_sign().filter(|_| spec.wish.draft && !found.is_draft);
        let updated = spec.words.update(&found.title, &found.body);
        let drafted = || sign.map(|_| (found.title.clone(), found.body.clone()));
        if let Some((title, body)) = updated.or_else(drafted) {
            let title = format!("{}{title}", sign.unwrap_or_default());
            let ask = self.dialect.update(&self.project, found.number, &title, &body);
            if let Err(error) = self.api.ask(&ask).await {
                return self.opened(&found, Some(Trouble::Words(error)));
            }
            found.is_draft |= sign.is_some();
        }
        self.labelled(&found, &spec.wish.labels, false).await
    }

    /// Sets the labels of a request that is open, unless that is `done`; it is open even where they cannot be set.
    async fn labelled(&self, found: &Found, labels: &[String], done: bool) -> Opened {
        let unlabelled = self.label(found.number, labels, done).await.err();
        self.opened(found, unlabelled.map(Trouble::Labels))
    }

    fn opened(&self, found: &Found, trouble: Option<Trouble>) -> Opened {
        Opened { request: self.shown(found), trouble, is_behind: found.is_behind }
    }

    async fn label(&self, number: u64, labels: &[String], done: bool) -> Result<(), ForgeError> {
        if labels.is_empty() || done {
            return Ok(());
        }
        match self.dialect.label(&self.project, number, labels) {
            Some(ask) => self.api.ask(&ask).await.map(drop),
            None => gitea::label(&self.api, &self.project, number, labels).await,
        }
    }

    /// The request with its page: the forge's own word if that is an address, else where such a forge has it.
    fn shown(&self, found: &Found) -> Request {
        let page = found.page.clone().unwrap_or_else(|| Self::page(&self.project, found.number));
        Request { draft: Some(found.is_draft), ..Request::open(Some(found.number), page) }
    }
}

/// The value below a path of keys.
fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The text below a path of keys.
fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str()
}
