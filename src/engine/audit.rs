//! What is written down for those who ask later: who did what, where, and how it ended.

use super::{DryRun, Engine, MergeRequest};
use crate::domain::landing::{Landed, Merged};
use crate::problem::Problem;
use crate::store::Event;

/// One thing that was done, as whoever did it knows it.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// What: `scan`, `decide`, `hold`, `fetch`, `push`, `request` or `object`.
    pub(crate) event: &'static str,
    /// What it was done to.
    pub(crate) subject: String,
    /// In a sentence, without any secret.
    pub(crate) detail: String,
    /// `ok`, `warn` or `error`.
    pub(crate) result: &'static str,
    /// The mode it was done in; empty: that of the settings.
    pub(crate) mode: &'static str,
    /// The plan's id, where there is one.
    pub(crate) plan: Option<String>,
}

impl Note {
    /// Something that went well, in the mode of the settings.
    pub(crate) fn ok(event: &'static str, subject: String, detail: String) -> Self {
        Self { event, subject, detail, result: "ok", mode: "", plan: None }
    }
}

impl Engine {
    /// Writes down what was done, now and by the account that this process runs as. Blocks: it writes a file.
    pub(crate) fn note(&self, notes: &[Note]) {
        let who = super::land::who();
        let (user, host) = who.split_once('@').unwrap_or((&who, ""));
        let time = super::now();
        let event = |note: &Note| Event {
            time,
            event: note.event.to_owned(),
            subject: note.subject.clone(),
            detail: note.detail.clone(),
            result: note.result.to_owned(),
            mode: if note.mode.is_empty() { self.settings.mode.word() } else { note.mode }.to_owned(),
            plan: note.plan.clone(),
            user: user.to_owned(),
            host: host.to_owned(),
        };
        self.store.audit().append(&notes.iter().map(event).collect::<Vec<_>>());
    }

    /// Writes down what became of each commit of the plan with this id.
    pub(super) fn audit_push(&self, plan: &str, dry_run: DryRun, results: &[Landed]) {
        for landed in results {
            let what = (landed.automation.to_string(), detail(landed, dry_run));
            self.audit_landing(what, landed.error.is_some(), dry_run, Some(plan));
        }
    }

    /// Writes down what became of a merge.
    pub(super) fn audit_merge(&self, request: &MergeRequest, merged: &Result<Merged, Problem>) {
        let MergeRequest { remote, from, into, dry_run, .. } = request;
        let place = format!("{from} into {into} of {remote}");
        let detail = match merged {
            Err(problem) => format!("not merged {place}: {}", problem.message),
            Ok(merged) if merged.already => format!("{place} was merged already"),
            Ok(merged) => {
                let commit = merged.commit.as_deref().map(super::short).unwrap_or_default();
                let word = if *dry_run { "would merge" } else { "merged" };
                format!("{word} {place}: {commit}")
            }
        };
        let how = if *dry_run { DryRun::Server } else { DryRun::None };
        self.audit_landing((into.clone(), detail), merged.is_err(), how, None);
    }

    fn audit_landing(
        &self,
        (subject, detail): (String, String),
        is_error: bool,
        dry_run: DryRun,
        plan: Option<&str>,
    ) {
        self.note(&[Note {
            event: "push",
            subject,
            detail,
            result: if is_error { "error" } else { "ok" },
            mode: if dry_run == DryRun::None { "write" } else { "dry-run" },
            plan: plan.map(str::to_owned),
        }]);
    }
}

/// `pushed 8d2e91b to image-updates of https://…`, or why not.
fn detail(landed: &Landed, dry_run: DryRun) -> String {
    let commit = landed.commit.as_deref().map(super::short).unwrap_or_default();
    let place = format!("{} of {}", landed.branch, landed.remote);
    match (&landed.error, landed.already) {
        (Some(problem), _) => format!("not pushed to {place}: {}", problem.message),
        (None, true) => format!("{commit} was on {place} already"),
        (None, false) if dry_run == DryRun::None => format!("pushed {commit} to {place}"),
        (None, false) => format!("would push {commit} to {place}"),
    }
}
