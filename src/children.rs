//! Programs that are started here and lead groups of their own, so that they find no terminal to ask on. They are ended when they
//! are given up, and when a signal ends this process: in a session of their own they do not hear of it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::environment::has_program;

/// The signals that end a process and could leave its children behind.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What has a program hear of the end of whoever started it, however that came about. `timeout` passes the signal on to the whole
/// group, and ends what does not heed it.
const ENDS_WITH_US: [&str; 3] = ["setpriv", "--pdeathsig", "TERM"];

/// What has a program lead a session of its own, without a terminal.
pub(crate) const ALONE: [&str; 2] = ["setsid", "-w"];

/// What to put in front of a program's command line, as far as the system has it, so that it leads a session of its own without
/// a terminal, ends with us even where we are killed, and with all that it started soon after `limit`, when nobody waits for it
/// any more.
///
/// To the system we have ended with the thread that started it, so that has to be one that lasts.
pub(crate) fn confinement(limit: Duration) -> Vec<String> {
    let seconds = (limit.as_secs() + 1).to_string();
    let further: [&[&str]; 2] = [&ALONE, &["timeout", "-k", "1", "-s", "KILL", &seconds]];
    let found = further.into_iter().filter(|words| words.first().is_some_and(|name| has_program(name)));
    let first = can_end_with_us().then_some(&ENDS_WITH_US[..]);
    first.into_iter().chain(found).flatten().map(|word| (*word).to_owned()).collect()
}

/// Whether the system's `setpriv` can do that; those of small systems cannot.
fn can_end_with_us() -> bool {
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        let [program, words @ ..] = ENDS_WITH_US;
        let mut tried = Command::new(program);
        tried.args(words).arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    });
    *CAN
}

/// Who leads the groups that still run.
static LEADERS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Whether somebody else hears the signals, and decides what they end.
static CAUGHT: AtomicBool = AtomicBool::new(false);

/// A program and all that it starts, which end when this goes.
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// The group of a child that was started a moment ago, by its number; `None` for one that has ended.
    pub(crate) fn led_by(leader: Option<u32>) -> Self {
        let leader = leader.and_then(|number| i32::try_from(number).ok()).and_then(Pid::from_raw);
        leaders().extend(leader);
        listen();
        Self(leader)
    }

    /// The leader has ended and was waited for: its number may be somebody else's from now on.
    pub(crate) fn release(&mut self) {
        if let Some(leader) = self.0.take() {
            leaders().retain(|one| *one != leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            end(leader);
        }
        self.release();
    }
}

/// Leaves it to the caller what a signal ends; whoever catches signals calls this before the first may come.
pub(crate) fn leave_signals_to_others() {
    CAUGHT.store(true, Ordering::Release);
}

/// Ends all groups that still run.
pub(crate) fn end_all() {
    leaders().iter().copied().for_each(end);
}

fn end(leader: Pid) {
    let _ = kill_process_group(leader, Signal::KILL);
    // One that is not its group's first yet has started nothing.
    let _ = kill_process(leader, Signal::KILL);
}

fn leaders() -> MutexGuard<'static, Vec<Pid>> {
    LEADERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen for signals, once; a process that starts no program needs none of this.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wait = || {
            let Ok(mut signals) = Signals::new(ENDING.into_iter().filter(|number| !is_ignored(*number)))
            else {
                return;
            };
            for number in signals.forever() {
                if !CAUGHT.load(Ordering::Acquire) {
                    end_all();
                    // Whoever started us sees that it was the signal.
                    let _ = emulate_default_handler(number);
                }
            }
        };
        // Without a thread signals end us as they always do.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
    });
}

/// Whether whoever started us wants a signal ignored, as `nohup` does, and a shell for what runs in the background.
fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (mask >> (number - 1)) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_put_into_a_session_with_an_end() {
        let mut words = confinement(Duration::from_secs(5));
        if can_end_with_us() {
            assert_eq!(words.drain(..3).collect::<Vec<_>>(), ENDS_WITH_US);
        }
        assert_eq!(words, ["setsid", "-w", "timeout", "-k", "1", "-s", "KILL", "6"]);
    }
}
