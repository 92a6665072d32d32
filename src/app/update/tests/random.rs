//! No sequence of messages panics `update`, and the selected row is always visible.

use proptest::prelude::*;

use super::world::{epoch, review_of, update_named};
use super::*;
use crate::app::action::ACTIONS;
use crate::app::effect::JobId;
use crate::app::keymap::Key;
use crate::app::moment::Moment;
use crate::app::review::Newer;

#[derive(Debug, Clone)]
enum Step {
    Key(usize),
    Type(char),
    Paste(String),
    Size(u16, u16),
    Time(u64),
    Propose(Vec<u8>),
    Answer(u64, bool),
    Draw,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0usize..500).prop_map(Step::Key),
        1 => any::<char>().prop_map(Step::Type),
        1 => ".{0,12}".prop_map(Step::Paste),
        1 => (0u16..220, 0u16..70).prop_map(|(width, height)| Step::Size(width, height)),
        2 => (0u64..90_000).prop_map(Step::Time),
        1 => prop::collection::vec(0u8..12, 0..8).prop_map(Step::Propose),
        1 => (0u64..20, any::<bool>()).prop_map(|(job, good)| Step::Answer(job, good)),
        1 => Just(Step::Draw),
    ];
    prop::collection::vec(step, 0..120)
}

fn keys() -> Vec<Key> {
    ACTIONS.iter().flat_map(super::super::super::action::Row::keys).collect()
}

fn take(state: &mut State, step: Step, keys: &[Key]) {
    match step {
        Step::Key(index) => drop(update(state, Msg::Key(keys[index % keys.len()]))),
        Step::Type(c) => drop(update(state, Msg::Key(Key::char(c)))),
        Step::Paste(text) => drop(update(state, Msg::Paste(text))),
        Step::Size(width, height) => drop(update(state, Msg::Resized(Size { width, height }))),
        Step::Time(by) => {
            let at = Moment(state.at.0 + by);
            let now = epoch() + jiff::SignedDuration::from_millis(i64::try_from(at.0).unwrap());
            update(state, Msg::Now(at, now));
        }
        Step::Propose(names) => {
            let updates =
                names.iter().map(|name| update_named(&format!("n{name} 1.0 -> 1.{name}"))).collect();
            if let Some(job) = state.jobs.propose {
                update(state, Msg::Proposed(job, Ok(Proposed { updates, ..Proposed::default() })));
            } else {
                super::super::compare::propose(state, false, Newer::None);
            }
        }
        Step::Answer(job, good) => {
            let problem = Problem::new(Code::Timeout, "x", "too slow");
            let result = if good { Ok(Vec::new()) } else { Err(problem.clone()) };
            update(state, Msg::Pushed(JobId(job), result));
            update(state, Msg::Prepared(JobId(job), Err(problem)));
        }
        Step::Draw => drop(update(state, Msg::Drawn(state.at))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_messages_panics_or_hides_the_cursor(steps in steps()) {
        let mut state = review_of(&["web 1.0 -> 1.1", "api 1.0 -> 2.0", "db 3 -> 4"]);
        let keys = keys();
        for step in steps {
            take(&mut state, step, &keys);
            let rows = state.layout().rows();
            let window = state.updates.window(rows);
            prop_assert!(rows == 0 || state.updates.is_empty() || window.contains(&state.updates.cursor()));
            prop_assert!(state.wake_at() > Moment(0));
            let _ = crate::app::action::hints(&state, state.size.width);
        }
    }
}
