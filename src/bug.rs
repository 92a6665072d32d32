//! A bug of ours: a panic ends the program with exit 9 and one problem, not with a trace in the middle of the data.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, Once, PoisonError};

use crate::problem::{Code, Problem};

/// Where the latest panic happened, `FILE:LINE`; the payload that unwinds does not know.
static PLACE: Mutex<Option<String>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// Keeps panics from being printed where they happen; with `RUST_BACKTRACE` they still are.
///
/// A panic of a worker is printed by nobody: whoever waits for the worker turns it into a problem.
pub(crate) fn be_quiet() {
    HOOK.call_once(|| {
        let loud = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            remember(info);
            if loud {
                before(info);
            }
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
    *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
}

/// Does the work.
///
/// # Errors
/// The work panicked: [`Code::Internal`].
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    // Nothing that the work had in hand is looked at again.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| problem(payload.as_ref()))
}

fn problem(payload: &(dyn Any + Send)) -> Problem {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason is known");
    let problem = Problem::new(Code::Internal, "supercargo", "a bug of ours ended this command").cause(text);
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let problem = match place {
        Some(place) => problem.cause(format!("at {place}")),
        None => problem,
    };
    problem.hint("Please report this with the command you typed; RUST_BACKTRACE=1 shows the way to it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_problem_with_exit_9() {
        let problem = caught(|| panic!("index {} is out of range", 7)).unwrap_err();
        assert_eq!(problem.exit(), 9);
        assert_eq!(problem.causes.first().map(String::as_str), Some("index 7 is out of range"));
        assert_eq!(caught(|| 3), Ok(3));
    }
}
