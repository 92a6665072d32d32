//! What is written down of pushes for those who ask later: one event for each commit, however it ended.

use super::{DryRun, Engine};
use crate::domain::landing::Landed;
use crate::store::Event;

impl Engine {
    /// Writes down what became of each commit of the plan with this id.
    pub(super) fn audit_push(&self, plan: &str, dry_run: DryRun, results: &[Landed]) {
        let who = super::land::who();
        let (user, host) = who.split_once('@').unwrap_or((&who, ""));
        let time = super::now();
        for landed in results {
            self.store.audit().append(&Event {
                time,
                event: "push".to_owned(),
                subject: landed.automation.to_string(),
                detail: detail(landed, dry_run),
                result: if landed.error.is_some() { "error" } else { "ok" }.to_owned(),
                mode: if dry_run == DryRun::None { "write" } else { "dry-run" }.to_owned(),
                plan: Some(plan.to_owned()),
                user: user.to_owned(),
                host: host.to_owned(),
            });
        }
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
