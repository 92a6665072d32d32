//! What is written down of pushes for those who ask later: one event for each commit, however it ended.

use super::{DryRun, Engine, MergeRequest};
use crate::domain::landing::{Landed, Merged};
use crate::problem::Problem;
use crate::store::Event;

impl Engine {
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
        let who = super::land::who();
        let (user, host) = who.split_once('@').unwrap_or((&who, ""));
        self.store.audit().append(&Event {
            time: super::now(),
            event: "push".to_owned(),
            subject,
            detail,
            result: if is_error { "error" } else { "ok" }.to_owned(),
            mode: if dry_run == DryRun::None { "write" } else { "dry-run" }.to_owned(),
            plan: plan.map(str::to_owned),
            user: user.to_owned(),
            host: host.to_owned(),
        });
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
