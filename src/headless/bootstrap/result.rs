//! What a bootstrap answers.

use serde_json::{Map, Value, json};

use super::super::{Document, Table, Text};
use super::Found;
use super::cluster::Lack;
use crate::domain::bootstrap::{FileChange, FileState};
use crate::engine::bootstrap::Made;

/// What became of it.
pub(super) struct BootstrapResult {
    dry_run: bool,
    remote: String,
    branch: String,
    path: String,
    /// Whether the repository was, or would be, made.
    is_new: bool,
    /// Whether the branch was, or would be, made.
    created: bool,
    base: Option<String>,
    made: Option<Made>,
    files: Vec<FileChange>,
    patch: String,
    /// Title, whether it may write, and whether the forge knew it.
    key: Option<(String, bool, bool)>,
    context: Option<String>,
    lacks: Vec<Lack>,
    /// Why it is not known whether it lacks more.
    unknown: Vec<String>,
    install: String,
}

impl BootstrapResult {
    pub(super) fn new(dry_run: bool, found: &Found, made: Option<Made>, install: String) -> Self {
        let layout = &found.layout;
        Self {
            dry_run,
            remote: layout.remote.clone(),
            branch: layout.branch.clone(),
            path: found.sync.path.clone(),
            is_new: found.is_new,
            created: layout.tip.is_none(),
            base: layout.base.clone(),
            made,
            files: layout.files.clone(),
            patch: layout.patch(),
            key: found.key.as_ref().map(|key| (key.title(), key.is_writing, key.is_there)),
            context: found.context.clone(),
            lacks: found.lacks.clone(),
            unknown: found.unknown.clone(),
            install,
        }
    }

    /// What to do next, for people.
    fn next(&self) -> Vec<String> {
        let Some(context) = &self.context else {
            return vec![format!(
                "No cluster was asked. Where controllers are missing, this installs them: {}",
                self.install
            )];
        };
        let mut lines = match (self.lacks.is_empty(), self.unknown.is_empty()) {
            (true, true) => return vec![format!("{context} lacks nothing.")],
            (false, _) => vec![format!("{context} lacks:")],
            (true, false) => Vec::new(),
        };
        for (index, lack) in self.lacks.iter().enumerate() {
            lines.push(format!("  {} {}", lack.name, lack.message));
            // Several come by one command, which is said once.
            if self.lacks.get(index + 1).is_none_or(|next| next.command != lack.command) {
                lines.push(format!("    {}", lack.command));
            }
        }
        if !self.unknown.is_empty() {
            lines.push(format!("What {context} lacks is not all known:"));
            lines.extend(self.unknown.iter().map(|why| format!("  {why}")));
        }
        lines
    }
}

impl Document for BootstrapResult {
    fn kind(&self) -> &'static str {
        "BootstrapResult"
    }

    fn json(&self) -> Map<String, Value> {
        let made = self.made.as_ref();
        let key = self.key.as_ref().map(|(title, is_writing, is_there)| {
            json!({ "title": title, "read_only": !is_writing, "already": is_there })
        });
        Map::from_iter([
            ("dry_run".to_owned(), json!(self.dry_run)),
            ("remote".to_owned(), json!(self.remote)),
            ("repository_created".to_owned(), json!(self.is_new)),
            ("branch".to_owned(), json!(self.branch)),
            ("created".to_owned(), json!(self.created)),
            ("path".to_owned(), json!(self.path)),
            ("base".to_owned(), json!(self.base)),
            ("commit".to_owned(), json!(made.map(|made| &made.commit))),
            ("pushed".to_owned(), json!(made.is_some() && !self.dry_run)),
            ("verified".to_owned(), json!(made.is_some_and(|made| made.verified))),
            ("already".to_owned(), json!(made.is_none() && !self.is_new && !self.created)),
            (
                "credential".to_owned(),
                json!(made.map(|made| &made.credential).filter(|label| !label.is_empty())),
            ),
            ("files".to_owned(), json!(self.files)),
            ("patch".to_owned(), json!(self.patch)),
            ("deploy_key".to_owned(), json!(key)),
            ("context".to_owned(), json!(self.context)),
            ("missing".to_owned(), json!(self.lacks)),
            ("install".to_owned(), json!(self.install)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table = Table::new(["FILE", "ACTION"]);
        for file in &self.files {
            let action = match (file.action, self.dry_run) {
                (FileState::Created, false) => "created",
                (FileState::Created, true) => "would be created",
                (FileState::Updated, false) => "updated",
                (FileState::Updated, true) => "would be updated",
                (FileState::Unchanged, _) => "unchanged",
            };
            table.push([file.path.clone(), action.to_owned()]);
        }
        Text::TableAndLines(table, self.next())
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| format!("file/{}", file.path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_of_which_not_all_may_be_read_is_not_said_to_lack_nothing() {
        let result = |unknown: &[&str]| BootstrapResult {
            dry_run: true,
            remote: String::new(),
            branch: "main".to_owned(),
            path: String::new(),
            is_new: false,
            created: false,
            base: None,
            made: None,
            files: Vec::new(),
            patch: String::new(),
            key: None,
            context: Some("prod".to_owned()),
            lacks: Vec::new(),
            unknown: unknown.iter().map(|why| (*why).to_owned()).collect(),
            install: String::new(),
        };
        assert_eq!(result(&[]).next(), ["prod lacks nothing."]);
        let refused = "not allowed to list deployments in all namespaces";
        let said = ["What prod lacks is not all known:".to_owned(), format!("  {refused}")];
        assert_eq!(result(&[refused]).next(), said);
    }
}
