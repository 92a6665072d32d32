//! Pushes, each noted on the disk; and those that nobody saw the end of: settled by what was noted of them, else by asking the remote.

use std::sync::Arc;

use jiff::SignedDuration;

use super::land::{Steps, timed};
use super::{Engine, World, blocking, short};
use crate::config::Refresh;
use crate::domain::landing::{CutOff, Fate, LandingStep};
use crate::domain::refspec::full_name;
use crate::git::{BareCache, GitError, Progress, PushReport, RefUpdate, Remote};
use crate::problem::{Code, Problem};
use crate::store::{PushNote, UnderWay};

/// What is to be sent, where, and how that is told.
pub(super) struct Sending<'a> {
    pub(super) cache: &'a BareCache,
    pub(super) remote: &'a Remote,
    /// The plan's id; empty for what is no plan's.
    pub(super) plan: &'a str,
    pub(super) update: RefUpdate,
    /// Options for the server's hooks.
    pub(super) options: &'a [String],
    pub(super) step: Steps<'a>,
    /// The command, as people know it.
    pub(super) text: &'a str,
}

/// How long what is not there may still come: a hook may run for as long as it likes, whatever became of the connection. A
/// branch that another push has moved meanwhile ends it at once, as every push names the commit it stands on.
const MAY_LAND_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Whether it was a push to no branch, such as `refs/for/main`: the server makes something else of it, and asking for it again
/// tells no more.
fn is_for_the_server(note: &PushNote) -> bool {
    !full_name(&note.branch).starts_with("refs/heads/")
}

/// What it means that the remote does not have it, and why that is said.
fn not_there(note: &PushNote, why: String) -> Fate {
    let is_late = super::now().duration_since(note.time) > MAY_LAND_FOR;
    if is_late { Fate::NotLanded(why) } else { Fate::Pending(why) }
}

/// A push that was noted, and is under way as long as this lives; the note stays open unless it is ended.
struct Noted<'a> {
    engine: &'a Engine,
    note: PushNote,
    _under_way: UnderWay,
}

impl Noted<'_> {
    /// Sends it; what failed for certain is noted as ended. Where nobody knows, the next start asks the remote.
    fn send(&mut self, sending: &Sending<'_>) -> Result<PushReport, GitError> {
        let sends = LandingStep { sends: true, ..LandingStep::begun(sending.text) };
        let step = Arc::clone(sending.step);
        let told = move |progress| {
            if let Progress::Sending { bytes: 0, .. } = progress {
                step(sends.clone());
            }
        };
        let remote = Remote { progress: Some(Arc::new(told)), ..sending.remote.clone() };
        let pushed = sending.cache.push(&remote, std::slice::from_ref(&sending.update), sending.options);
        if let Err(error) = &pushed
            && !matches!(error, GitError::Unseen(_))
        {
            self.end(Err(error.to_string()));
        }
        pushed
    }

    /// Notes how it ended: it landed, or why it did not.
    fn end(&mut self, outcome: Result<(), String>) {
        self.note.outcome = Some(outcome.map(|()| String::new()));
        self.engine.store.pushes().end(&self.note);
    }
}

impl Engine {
    /// Sends a branch, and checks that it is where it was sent, or that others went on from there: however well a server spoke of
    /// the push, a hook or a mirror may have taken it back.
    ///
    /// # Errors
    /// As [`BareCache::push`]; [`Code::GitContested`] where the branch is elsewhere afterwards, and whatever keeps the remote from
    /// saying where it is.
    pub(super) fn push_branch(&self, sending: &Sending<'_>) -> Result<PushReport, Problem> {
        let Sending { cache, remote, update, step, text, .. } = sending;
        let RefUpdate { reference, new, .. } = update;
        let branch = update.short_name();
        let mut noted = self.note_begun(sending);
        let sent = timed(step, text, || noted.send(sending));
        let mut report = sent.map_err(Problem::from)?;
        if report.branches.iter().all(|row| row.verified) {
            noted.end(Ok(()));
            return Ok(report);
        }
        // Until it is seen on the branch, the note stays open.
        let sent = format!("{} was sent to {branch}", short(new));
        let text = format!("git fetch {} {branch}", remote.shown());
        let fetched = timed(step, &text, || cache.fetch(remote, |_| vec![reference.clone()]));
        let refs = fetched.map_err(Problem::from).map_err(|problem| {
            let message = format!("{sent}, and whether it is there nobody knows: {}", problem.message);
            Problem { message, ..problem }
        })?;
        let tip = refs.refs.commit(reference);
        if tip.is_some_and(|tip| tip == new || cache.holds(remote, tip, new).unwrap_or(false)) {
            report.branches.iter_mut().for_each(|row| row.verified = true);
            noted.end(Ok(()));
            return Ok(report);
        }
        let found = tip.map_or_else(|| "is gone".to_owned(), |tip| format!("is at {}", short(tip)));
        let message = format!("{sent} and taken, but the branch {found}");
        noted.end(Err(message.clone()));
        Err(Problem::new(Code::GitContested, remote.shown(), message)
            .hint("See what hooks, mirrors or bots of the server do with the branch, then try again."))
    }

    /// Sends what is no branch, with a note on the disk and in the log for the case that nobody sees how it ends: what the server
    /// says of it is all that can be known.
    pub(super) fn send(&self, sending: &Sending<'_>) -> Result<PushReport, GitError> {
        let mut noted = self.note_begun(sending);
        let report = noted.send(sending)?;
        noted.end(Ok(()));
        Ok(report)
    }

    /// Notes that a push is about to be sent.
    fn note_begun(&self, sending: &Sending<'_>) -> Noted<'_> {
        let note = PushNote {
            plan: sending.plan.to_owned(),
            remote: sending.remote.shown(),
            branch: sending.update.short_name().to_owned(),
            commit: sending.update.new.clone(),
            time: super::now(),
            outcome: None,
        };
        let under_way = self.store.pushes().begin(&note);
        self.audit_begun(&note);
        Noted { engine: self, note, _under_way: under_way }
    }

    /// What became of the pushes of earlier runs that nobody saw the end of, oldest first. None is told twice, but for
    /// those whose remote cannot be asked, and those that may still land.
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
                let is_open = matches!(fate, Fate::Unknown(_) | Fate::Pending(_));
                let is_last_word = !is_open || is_for_the_server(&note);
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
            None if self.is_for_another_host(world, note) => None,
            None => Some(self.ask_fate(world, note).unwrap_or_else(|problem| {
                Fate::Unknown(format!("the remote cannot be asked: {}", problem.message))
            })),
        }
    }

    /// Whether a credential from the command line would go to this remote beside that of any automation, whatever is in scope.
    fn is_for_another_host(&self, world: &World, note: &PushNote) -> bool {
        let places =
            world.all_automations().filter_map(|automation| self.settle(world, automation).ok().flatten());
        self.one_git_host(places.map(|place| place.url).chain([note.remote.clone()])).is_err()
    }

    fn ask_fate(&self, world: &World, note: &PushNote) -> Result<Fate, Problem> {
        let remote = self.remote_at(world, world.all_automations(), &note.remote)?;
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        let name = full_name(&note.branch);
        let fetched = self.fetch(&cache, &remote, |_| vec![name.clone()]).map_err(Problem::from)?;
        let Some(tip) = fetched.refs.commit(&name) else {
            if is_for_the_server(note) {
                return Ok(Fate::Unknown(format!("the remote does not show what it got as {name}")));
            }
            return Ok(not_there(note, format!("the remote has no branch {}", note.branch)));
        };
        // Only the newest commit is fetched, and its text names the one before.
        if cache.is_landed(&note.commit, tip) || cache.parent(tip).as_ref() == Some(&note.commit) {
            return Ok(Fate::Landed);
        }
        if cache.parent(&note.commit).as_deref() == Some(tip) {
            return Ok(not_there(note, format!("{} is still at {}", note.branch, short(tip))));
        }
        // Others may have gone on from there; how far, only the history tells.
        if cache.holds(&remote, tip, &note.commit).unwrap_or(false) {
            return Ok(Fate::Landed);
        }
        Ok(Fate::Superseded(short(tip)))
    }
}
