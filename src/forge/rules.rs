//! What the forges' APIs tell of a branch before anything is pushed to it.
//!
//! Sources: docs.github.com, "REST API endpoints for protected branches" and "… for rules"; docs.gitlab.com, "Branches API" and
//! "Project push rules API"; Gitea's `/swagger.v1.json`, `repoGetBranch` and `repoGetBranchProtection`.

use serde_json::Value;

use super::dialect::Ask;
use super::{Forge, ForgeError, at};
use crate::domain::forge::{BranchRules, ForgeKind, Project, encoded, segments};

impl Forge {
    /// The rules of a branch, as far as this token is told; a branch that is not there may have some, too.
    ///
    /// # Errors
    /// The forge does not answer, or makes no sense. That something is not for this token's eyes is no error.
    pub async fn rules(&self, branch: &str) -> Result<BranchRules, ForgeError> {
        let mut rules = BranchRules::default();
        for ask in asks(&self.project, branch) {
            match self.api.ask(&ask).await {
                Ok(answer) => read(self.project.kind, &answer, &mut rules),
                Err(ForgeError::Refused { status: 401 | 403 | 404, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rules)
    }
}

/// What is asked; each answer tells a part.
fn asks(project: &Project, branch: &str) -> Vec<Ask> {
    let (path, name) = (segments(&project.path), segments(branch));
    let paths = match project.kind {
        ForgeKind::GitHub => vec![
            format!("/repos/{path}/branches/{name}"),
            format!("/repos/{path}/branches/{name}/protection"),
            format!("/repos/{path}/rules/branches/{name}"),
        ],
        ForgeKind::GitLab => {
            let (project, name) = (encoded(&project.path), encoded(branch));
            vec![
                format!("/projects/{project}/repository/branches/{name}"),
                format!("/projects/{project}/push_rule"),
            ]
        }
        ForgeKind::Gitea => {
            vec![format!("/repos/{path}/branches/{name}"), format!("/repos/{path}/branch_protections/{name}")]
        }
        ForgeKind::Bitbucket | ForgeKind::Azure | ForgeKind::None => Vec::new(),
    };
    paths.into_iter().map(|path| Ask::get(path, Vec::new())).collect()
}

/// Takes in what an answer tells.
fn read(kind: ForgeKind, answer: &Value, rules: &mut BranchRules) {
    let is = |path: &[&str]| at(answer, path).and_then(Value::as_bool).unwrap_or_default();
    rules.is_protected |= is(&["protected"]);
    match kind {
        ForgeKind::GitHub => {
            let has = |kind: &str| {
                let rows = answer.as_array().into_iter().flatten();
                rows.filter_map(|row| row.get("type")?.as_str()).any(|found| found == kind)
            };
            rules.needs_signature |= is(&["required_signatures", "enabled"]) || has("required_signatures");
            rules.needs_request |=
                answer.get("required_pull_request_reviews").is_some() || has("pull_request");
            // Only some may move it, and who is not told.
            rules.is_protected |= has("update");
        }
        ForgeKind::GitLab => {
            rules.may_push = rules.may_push.or(answer.get("can_push").and_then(Value::as_bool));
            rules.needs_signature |= is(&["reject_unsigned_commits"]);
        }
        _ => {
            rules.may_push = rules.may_push.or(answer.get("user_can_push").and_then(Value::as_bool));
            rules.needs_signature |= is(&["require_signed_commits"]);
        }
    }
}
