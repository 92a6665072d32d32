//! Pushes, each noted on the disk; and those that nobody saw the end of: settled by what was noted of them, else by asking the remote.

use std::sync::Arc;

use super::land::{Steps, timed};
use super::{Engine, World, blocking, short};
use crate::config::Refresh;
use crate::domain::landing::{CutOff, Fate, LandingStep};
use crate::domain::refspec::full_name;
use crate::git::{BareCache, GitError, Progress, PushReport, RefUpdate, Remote};
use crate::problem::{Code, Problem};
use crate::store::PushNote;

/// Whether it was a push to no branch, such as `refs/for/main`: the server makes something else of it, and asking for it again
/// tells no more.
fn is_for_the_server(note: &PushNote) -> bool {
    !full_name(&note.branch).starts_with("refs/heads/")
}

impl Engine {
    /// Sends a branch, and checks that it is where it was sent, or that others went on from there: however well a server spoke of
    /// the push, a hook or a mirror may have taken it back.
    ///
    /// # Errors
    /// As [`BareCache::push`]; [`Code::GitRace`] where the branch is elsewhere afterwards, and whatever keeps the remote from
    /// saying where it is.
    pub(super) fn push_branch(
        &self,
        (cache, remote): (&BareCache, &Remote),
        plan: &str,
        update: RefUpdate,
        options: &[String],
        (step, text): (Steps<'_>, &str),
    ) -> Result<PushReport, Problem> {
        let RefUpdate { reference, new, .. } = update.clone();
        let branch = update.short_name().to_owned();
        let sent = timed(step, text, || self.send((cache, remote), plan, update, options, (step, text)));
        let mut report = sent.map_err(Problem::from)?;
        if report.branches.iter().all(|row| row.verified) {
            return Ok(report);
        }
        let sent = format!("{} was sent to {branch}", short(&new));
        let text = format!("git fetch {} {branch}", remote.shown());
        let fetched = timed(step, &text, || cache.fetch(remote, |_| vec![reference.clone()]));
        let refs = fetched.map_err(Problem::from).map_err(|problem| {
            let message = format!("{sent}, and whether it is there nobody knows: {}", problem.message);
            Problem { message, ..problem }
        })?;
        let tip = refs.refs.commit(&reference);
        if tip.is_some_and(|tip| tip == new || cache.holds(remote, tip, &new).unwrap_or(false)) {
            report.branches.iter_mut().for_each(|row| row.verified = true);
            return Ok(report);
        }
        let found = tip.map_or_else(|| "is gone".to_owned(), |tip| format!("is at {}", short(tip)));
        let message = format!("{sent} and taken, but the branch {found}");
        Err(Problem::new(Code::GitRace, remote.shown(), message)
            .hint("See what hooks, mirrors or bots of the server do with the branch, then try again."))
    }

    /// Sends, with a note on the disk and in the log for the case that nobody sees how it ends. `plan` is empty for what is
    /// no plan's.
    pub(super) fn send(
        &self,
        (cache, remote): (&BareCache, &Remote),
        plan: &str,
        update: RefUpdate,
        options: &[String],
        (step, text): (Steps<'_>, &str),
    ) -> Result<PushReport, GitError> {
        let mut note = PushNote {
            plan: plan.to_owned(),
            remote: remote.shown(),
            branch: update.short_name().to_owned(),
            commit: update.new.clone(),
            time: super::now(),
            outcome: None,
        };
        let _under_way = self.store.pushes().begin(&note);
        self.audit_begun(&note);
        let (step, sends) = (Arc::clone(step), LandingStep { sends: true, ..LandingStep::begun(text) });
        let told = move |progress| {
            if let Progress::Sending { bytes: 0, .. } = progress {
                step(sends.clone());
            }
        };
        let remote = Remote { progress: Some(Arc::new(told)), ..remote.clone() };
        let pushed = cache.push(&remote, &[update], options);
        // Where nobody knows, the note stays open, and the next start asks the remote.
        if !matches!(pushed, Err(GitError::Unseen(_))) {
            note.outcome = Some(pushed.as_ref().map(|_| String::new()).map_err(ToString::to_string));
            self.store.pushes().end(&note);
        }
        pushed
    }

    /// What became of the pushes of earlier runs that nobody saw the end of, oldest first. None is told twice, but for
    /// those whose remote cannot be asked.
    ///
    /// Where no network may be used, or a credential was given that is for another host, those that only a remote could
    /// settle wait for another time.
    ///
    /// # Errors
    /// Only a bug of ours.
    pub async fn settle_pushes(&self, world: &Arc<World>) -> Result<Vec<CutOff>, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || {
            let pushes = engine.store.pushes();
            let mut settled = Vec::new();
            for note in pushes.unreported() {
                let Some(fate) = engine.fate(&world, &note) else { continue };
                let is_last_word = !matches!(fate, Fate::Unknown(_)) || is_for_the_server(&note);
                let PushNote { remote, branch, commit, time, .. } = note.clone();
                let cut_off = CutOff { remote, branch, commit: short(&commit), time, fate };
                if is_last_word {
                    // Whoever pushed came no further than to begin.
                    engine.audit_cut_off(&note.plan, &cut_off);
                    pushes.reported(&note);
                }
                settled.push(cut_off);
            }
            Ok(settled)
        })
        .await
    }

    /// Notes that a person has seen how the pushes of this process ended.
    pub fn pushes_seen(&self) {
        self.store.pushes().seen();
    }

    /// `None`: the remote would have to be asked, and may not be.
    fn fate(&self, world: &World, note: &PushNote) -> Option<Fate> {
        match &note.outcome {
            Some(Ok(_)) => Some(Fate::Landed),
            Some(Err(why)) => Some(Fate::NotLanded(why.clone())),
            None if self.settings.refresh == Refresh::Never => None,
            None if self.one_git_host(self.addresses(world).chain([note.remote.clone()])).is_err() => None,
            None => Some(self.ask_fate(world, note).unwrap_or_else(|problem| {
                Fate::Unknown(format!("the remote cannot be asked: {}", problem.message))
            })),
        }
    }

    fn ask_fate(&self, world: &World, note: &PushNote) -> Result<Fate, Problem> {
        let remote = self.remote_at(world, world.automations.iter(), &note.remote)?;
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        let name = full_name(&note.branch);
        let fetched = self.fetch(&cache, &remote, |_| vec![name.clone()]).map_err(Problem::from)?;
        let Some(tip) = fetched.refs.commit(&name) else {
            if is_for_the_server(note) {
                return Ok(Fate::Unknown(format!("the remote does not show what it got as {name}")));
            }
            return Ok(Fate::NotLanded(format!("the remote has no branch {}", note.branch)));
        };
        // Only the newest commit is fetched, and its text names the one before.
        if cache.is_landed(&note.commit, tip) || cache.parent(tip).as_ref() == Some(&note.commit) {
            return Ok(Fate::Landed);
        }
        if cache.parent(&note.commit).as_deref() == Some(tip) {
            return Ok(Fate::NotLanded(format!("{} is still at {}", note.branch, short(tip))));
        }
        // Others may have gone on from there; how far, only the history tells.
        if cache.holds(&remote, tip, &note.commit).unwrap_or(false) {
            return Ok(Fate::Landed);
        }
        Ok(Fate::Superseded(short(tip)))
    }
}
