//! Time: what ends, begins or moves by itself.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::moment::Moment;
use crate::app::review::Newer;
use crate::app::rows;
use crate::app::state::State;
use crate::app::world::Phase;
use crate::domain::proposal::UpdateState;

use super::{cluster, compare, evaluate, facts, log, playground, scans};

/// Rows stand still for so many milliseconds after a key.
const QUIET: u64 = 400;
/// One of the spinner's four shapes, in milliseconds.
const SPINNER: u64 = 250;

/// It is now `now`: what is due happens.
pub(super) fn now(state: &mut State, at: Moment, now: Timestamp) -> Vec<Effect> {
    state.at = state.at.max(at);
    state.now = now;
    if state.status_ends().is_some_and(|end| end <= state.at) {
        state.status = None;
    }
    if state.preview.follows().is_some_and(|due| due <= state.at) {
        state.settle_preview();
    }
    if state.reorder_due.is_some_and(|due| due <= state.at) {
        state.reorder_due = None;
        rows_changed(state);
    }
    let mut effects = scans::scan_due(state);
    effects.extend(playground::try_due(state));
    effects.extend(evaluate::ask_due(state));
    effects.extend(of_age(state));
    effects.extend(look_at_source(state));
    effects.extend(cluster::retry(state));
    effects.extend(facts::look(state));
    effects.extend(log::left(state));
    effects
}

/// Has it looked once a minute, when ages change anyway, whether the objects are others by now.
fn look_at_source(state: &mut State) -> Option<Effect> {
    let minute = state.now.as_second().div_euclid(60);
    let is_due = state.phase == Phase::Ready && state.jobs.load.is_none() && minute != state.source_looked_at;
    if !is_due {
        return None;
    }
    // They were read a moment ago when this is the first look.
    let is_first = std::mem::replace(&mut state.source_looked_at, minute) == 0;
    (!is_first).then_some(Effect::LookAtSource)
}

/// Has updates compared anew when one that was too young no longer is; once for each.
fn of_age(state: &mut State) -> Vec<Effect> {
    let Some(until) = next_of_age(state).filter(|until| *until <= state.now) else { return vec![] };
    state.jobs.aged = Some(until);
    compare::propose(state, false, Newer::None)
}

/// When the next update is old enough, or let go of.
fn next_of_age(state: &State) -> Option<Timestamp> {
    let held = state.review.updates().iter().filter(|update| update.state == UpdateState::Held);
    let until = held.filter_map(|update| Some(update.hold.as_ref()?.until));
    until.filter(|until| state.jobs.aged.is_none_or(|done| *until > done)).min()
}

/// Keys came at `at`. They were pressed on the rows as they are, which therefore stay until the keys have been taken in.
pub(super) fn keys_came(state: &mut State, at: Moment) -> Vec<Effect> {
    state.at = state.at.max(at);
    state.last_key = Some(state.at);
    vec![]
}

/// So many milliseconds after a change of which many come at once, the rows are rebuilt for all of them.
const GATHER: u64 = 50;

/// Plans to rebuild the rows, for all that changes until then: of a thousand scans that end at once, each alone would keep keys
/// waiting for as long as it takes to find out how a thousand policies stand.
pub(super) fn rows_change(state: &mut State) {
    if !state.frozen {
        state.reorder_due.get_or_insert(state.at.plus(GATHER));
    }
}

/// Rebuilds the rows, or plans to when a key was pressed a moment ago; not at all while they are frozen.
pub(super) fn rows_changed(state: &mut State) {
    if state.frozen {
        return;
    }
    match state.last_key {
        Some(key) if state.at.since(key) < QUIET => state.reorder_due = Some(key.plus(QUIET)),
        _ => {
            rows::refresh(state);
            if rows::tags_are_old(state) {
                rows::tags(state);
            }
        }
    }
}

impl State {
    /// When [`crate::app::message::Msg::Now`] is next needed without anything else happening: what clears, moves or
    /// begins by itself, the spinner's next shape, the next minute for ages.
    pub fn wake_at(&self) -> Moment {
        let into_minute = u64::try_from(self.now.as_millisecond().rem_euclid(60_000)).unwrap_or(0);
        let minute = self.at.plus(60_000 - into_minute);
        // On a bad line there is no spinner: what is written is drawn once a second.
        let turn = if self.plain || self.profile.is_low() { 1_000 } else { SPINNER };
        let spinner = self.is_working().then(|| Moment((self.at.0 / turn + 1) * turn));
        let scan = self
            .scans
            .iter()
            .filter(|(_, scan)| scan.running.is_none())
            .filter_map(|(_, scan)| scan.due)
            .min();
        let look = facts::is_due(self).then_some(self.at);
        // The seconds until then are counted on the screen.
        let retry = self.retry.map(|due| due.min(self.at.plus(1_000)));
        let age = next_of_age(self).map(|until| self.moment_of(until));
        let trial = playground::due(self);
        [
            spinner,
            self.status_ends(),
            trial,
            self.reorder_due,
            self.preview.follows(),
            scan,
            self.digest_due(),
            age,
            look,
            retry,
        ]
        .into_iter()
        .flatten()
        .fold(minute, Moment::min)
    }

    /// When the next digest is to be asked for.
    fn digest_due(&self) -> Option<Moment> {
        let waiting = self.verdicts.iter().filter(|(id, _)| !self.evaluating.contains(*id));
        let next = waiting.filter_map(|(_, verdict)| verdict.ask_again).min()?;
        Some(self.moment_of(next))
    }

    /// The moment at which it will be `time`; now if that is past.
    fn moment_of(&self, time: Timestamp) -> Moment {
        let wait = time.as_millisecond().saturating_sub(self.now.as_millisecond());
        self.at.plus(u64::try_from(wait).unwrap_or(0))
    }
}
