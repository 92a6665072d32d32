//! What is written down for those who ask later: who did what, where, and how it ended.

use std::cell::RefCell;
use std::time::Instant;

use super::{DryRun, Engine, MergeRequest};
use crate::domain::event;
use crate::domain::landing::{CutOff, Fate, Landed, Merged};
use crate::domain::scan::Scan;
use crate::git::{BareCache, Fetched, GitError, Refs, Remote};
use crate::problem::{Code, Problem};
use crate::store::{Event, PushNote};
use crate::text::count;

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

    /// A scan: how much came how fast, or why nothing did.
    pub(crate) fn scan(subject: String, scanned: Result<&Scan, &Problem>) -> Self {
        let (detail, result) = match scanned {
            Ok(scan) => (scanned_text(scan), "ok"),
            // It is asked again by itself.
            Err(problem) if problem.code == Code::RateLimited => (problem.message.clone(), "warn"),
            Err(problem) => (problem.message.clone(), "error"),
        };
        Self { result, ..Self::ok("scan", subject, detail) }
    }

    /// A fetch: what is at the tips that were wanted, or why that is not known.
    pub(super) fn fetch(
        remote: &Remote,
        seconds: f32,
        fetched: Result<(&Refs, &[String]), &GitError>,
    ) -> Self {
        let (detail, result) = match fetched {
            Ok((refs, wanted)) => (format!("{} in {seconds:.1} s", tips(refs, wanted)), "ok"),
            Err(error) => (error.to_string(), "error"),
        };
        Self { result, ..Self::ok("fetch", remote.shown(), detail) }
    }
}

impl Engine {
    /// Writes down what was done, now and by the account that this process runs as. Blocks: it writes a file.
    pub(crate) fn note(&self, notes: &[Note]) {
        if notes.is_empty() {
            return;
        }
        let who = super::who();
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

    /// Fetches, as [`BareCache::fetch`] does, and writes that down.
    pub(super) fn fetch(
        &self,
        cache: &BareCache,
        remote: &Remote,
        choose: impl Fn(&Refs) -> Vec<String>,
    ) -> Result<Fetched, GitError> {
        let (from, wanted) = (Instant::now(), RefCell::new(Vec::new()));
        let fetched = cache.fetch(remote, |refs| {
            let names = choose(refs);
            wanted.borrow_mut().clone_from(&names);
            names
        });
        let wanted = wanted.into_inner();
        let came = fetched.as_ref().map(|fetched| (&fetched.refs, wanted.as_slice()));
        self.note(&[Note::fetch(remote, from.elapsed().as_secs_f32(), came)]);
        fetched
    }

    /// Writes down what became of each commit of the plan with this id.
    pub(super) fn audit_push(&self, plan: &str, dry_run: DryRun, results: &[Landed]) {
        for landed in results {
            let subject = landed.automation.to_string();
            let how = (dry_run, Some(plan));
            let is_error = landed.error.is_some() && landed.missed.is_none();
            self.audit_landing("push", (subject.clone(), detail(landed, dry_run)), is_error, how);
            if let (Some(missed), Some(problem)) = (&landed.missed, &landed.error) {
                let text = not_pushed(missed, landed, problem);
                self.audit_landing("push", (subject, text), true, how);
            }
        }
    }

    /// Writes down that a push begins, so that one which is killed leaves a trace at once.
    pub(super) fn audit_begun(&self, note: &PushNote) {
        let PushNote { plan, remote, branch, commit, .. } = note;
        let what = (branch.clone(), event::pushing(&super::short(commit), branch, remote));
        let plan = Some(plan.as_str()).filter(|plan| !plan.is_empty());
        self.audit_landing("push", what, false, (DryRun::None, plan));
    }

    /// Writes down what became of a push that nobody saw the end of.
    pub(super) fn audit_cut_off(&self, plan: &str, cut_off: &CutOff) {
        let what = (cut_off.branch.clone(), cut_off.to_string());
        let plan = Some(plan).filter(|plan| !plan.is_empty());
        self.audit_landing("push", what, cut_off.fate != Fate::Landed, (DryRun::None, plan));
    }

    /// Writes down what became of the request of a push, whose commits these are.
    pub(super) fn audit_request(&self, plan: &str, dry_run: DryRun, results: &[Landed]) {
        let Some(landed) = results.last() else { return };
        let detail = match (&landed.request, &landed.error) {
            (Some(request), _) => {
                let page = request.url.as_deref().unwrap_or("no page");
                format!("{} for {} of {}: {page}", request.label(), landed.branch, landed.remote)
            }
            (None, Some(problem)) => problem.message.clone(),
            (None, None) => return,
        };
        let what = (landed.automation.to_string(), detail);
        self.audit_landing("request", what, landed.error.is_some(), (dry_run, Some(plan)));
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
                if *dry_run {
                    format!("would merge {place}: {commit}")
                } else {
                    let all = merged.revertible().unwrap_or_default();
                    let all: Vec<String> = all.split("..").map(super::short).collect();
                    event::merged(&all.join(".."), from, into, remote)
                }
            }
        };
        let how = if *dry_run { DryRun::Server } else { DryRun::None };
        self.audit_landing("push", (into.clone(), detail), merged.is_err(), (how, None));
    }

    fn audit_landing(
        &self,
        event: &'static str,
        (subject, detail): (String, String),
        is_error: bool,
        (dry_run, plan): (DryRun, Option<&str>),
    ) {
        self.note(&[Note {
            event,
            subject,
            detail,
            result: if is_error { "error" } else { "ok" },
            mode: if dry_run == DryRun::None { "write" } else { "dry-run" },
            plan: plan.map(str::to_owned),
        }]);
    }
}

/// `main@4c1f0e2, image-updates@8d2e91b`.
fn tips(refs: &Refs, wanted: &[String]) -> String {
    let tip = |name: &String| {
        let commit = super::short(refs.commit(name)?);
        Some(format!("{}@{commit}", name.strip_prefix("refs/heads/").unwrap_or(name)))
    };
    let tips: Vec<String> = wanted.iter().filter_map(tip).collect();
    if tips.is_empty() { "nothing".to_owned() } else { tips.join(", ") }
}

/// `98426 tags in 4.1 s, 99 requests`.
fn scanned_text(scan: &Scan) -> String {
    let tags = count(scan.tags.len(), "tag");
    match &scan.transfer {
        Some(how) => {
            let requests = count(how.requests, "request");
            format!("{tags} in {:.1} s, {requests}", how.wall.as_secs_f32())
        }
        None => tags,
    }
}

/// `pushed 8d2e91b to image-updates of https://…`, or why not.
fn detail(landed: &Landed, dry_run: DryRun) -> String {
    let commit = landed.commit.as_deref().map(super::short).unwrap_or_default();
    let (places, remote) = (landed.places(), &landed.remote);
    match (&landed.error, landed.already) {
        (Some(problem), _) if landed.missed.is_none() => not_pushed(&landed.branch, landed, problem),
        (_, true) if landed.commit.is_none() => {
            format!("{} of {remote} had all of it already", landed.branch)
        }
        (_, true) => format!("{commit} was on {} of {remote} already", landed.branch),
        (_, false) if dry_run == DryRun::None => event::pushed(&commit, &places, remote),
        (_, false) => format!("would push {commit} to {places} of {remote}"),
    }
}

fn not_pushed(place: &str, landed: &Landed, problem: &Problem) -> String {
    format!("not pushed to {place} of {}: {}", landed.remote, problem.message)
}
