//! The loop: wait, take everything that waits, fold it into the state, begin the work that was asked for, draw once.
//!
//! There is no tick. The loop sleeps until a key, an answer, a signal, or the moment that the state names.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::{self, Clock};
use super::effects::EffectRunner;
use super::input::{self, Input, Parser, REJOIN};
use super::terminal::{self, Screen};
use super::{Appearance, Left, terminal_problem};
use crate::app::effect::Effect;
use crate::app::message::Msg;
use crate::app::state::State;
use crate::app::update::{start, update};
use crate::engine::Engine;
use crate::problem::Problem;
use crate::theme::Theme;
use crate::views::{self, Look};

/// Sizes that change within this time are drawn once.
const RESIZE: Duration = Duration::from_millis(30);
/// How long a push may keep a process whose terminal is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers that may wait before workers do.
const ANSWERS: usize = 1024;

/// Runs the dashboard until it is left.
///
/// # Errors
/// The terminal cannot be prepared.
pub(super) async fn run(engine: Engine, state: State, appearance: Appearance) -> Result<Left, Problem> {
    let failed = |error: io::Error| terminal_problem("cannot use the terminal").caused_by(&error);
    let mut signals = Signals::listen().map_err(failed)?;
    let keys = input::spawn_reader().map_err(failed)?;
    let (send, answers) = mpsc::channel(ANSWERS);
    let runner = EffectRunner::new(engine, send).map_err(failed)?;
    let screen = Screen::enter(state.size).map_err(failed)?;
    let theme = theme(&appearance.theme, &appearance);
    let mut looping = Loop {
        state,
        screen,
        runner,
        theme,
        appearance,
        clock: Clock::new(),
        leaving: None,
        parser: Parser::default(),
    };
    let left = looping.run(&mut signals, keys, answers).await;
    let Loop { screen, runner, .. } = looping;
    drop(screen);
    let patience = if left == Ok(Left::Quit) { Duration::ZERO } else { PATIENCE };
    runner.finish(patience).await;
    left
}

fn theme(name: &str, appearance: &Appearance) -> Theme {
    Theme::shipped(name, appearance.depth).unwrap_or_else(|_| Theme::fallback(appearance.depth))
}

/// The signals that concern a terminal program.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    resized: Signal,
    stop: Signal,
    resumed: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        // tokio names no constants for these two.
        let (stop, resumed) = (rustix::process::Signal::TSTP, rustix::process::Signal::CONT);
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            resized: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(stop.as_raw()))?,
            resumed: signal(SignalKind::from_raw(resumed.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Wake {
        tokio::select! {
            _ = self.terminate.recv() => Wake::Leave(Left::Signal(15)),
            _ = self.hangup.recv() => Wake::Leave(Left::Signal(1)),
            _ = self.interrupt.recv() => Wake::Leave(Left::Signal(2)),
            _ = self.quit.recv() => Wake::Leave(Left::Signal(3)),
            _ = self.resized.recv() => Wake::Resized,
            _ = self.stop.recv() => Wake::Stop,
            _ = self.resumed.recv() => Wake::Resumed,
        }
    }
}

/// Why the loop woke up.
enum Wake {
    Bytes(Vec<u8>),
    Answer(Msg),
    Time,
    /// The rest of a key's sequence did not come.
    TornKey,
    Resized,
    Stop,
    Resumed,
    Leave(Left),
}

struct Loop {
    state: State,
    screen: Screen,
    runner: EffectRunner,
    theme: Theme,
    appearance: Appearance,
    clock: Clock,
    /// How it is left as soon as the push under way has ended.
    leaving: Option<Left>,
    parser: Parser,
}

/// What the loop does after a message.
type Flow = Result<(), Left>;

impl Loop {
    async fn run(
        &mut self,
        signals: &mut Signals,
        mut keys: mpsc::Receiver<Vec<u8>>,
        mut answers: mpsc::Receiver<Msg>,
    ) -> Result<Left, Problem> {
        // The first frame comes before any work is asked for.
        if let Err(left) = self.draw() {
            return Ok(left);
        }
        let first = start(&mut self.state);
        let mut flow = self.perform(first);
        let mut size_due = None;
        while flow.is_ok() {
            let wake = self.wait(signals, &mut keys, &mut answers, size_due).await;
            flow = self.take(wake, &mut size_due);
            while flow.is_ok() {
                match keys.try_recv() {
                    Ok(bytes) => flow = self.bytes(&bytes),
                    Err(_) => break,
                }
            }
            while flow.is_ok() {
                match answers.try_recv() {
                    Ok(msg) => flow = self.message(msg),
                    Err(_) => break,
                }
            }
            flow = flow.and_then(|()| self.draw());
        }
        Ok(flow.err().unwrap_or(Left::Quit))
    }

    /// Sleeps until something happens.
    async fn wait(
        &self,
        signals: &mut Signals,
        keys: &mut mpsc::Receiver<Vec<u8>>,
        answers: &mut mpsc::Receiver<Msg>,
        size_due: Option<Instant>,
    ) -> Wake {
        let wake = Instant::now() + self.clock.until(self.state.wake_at());
        let torn = async {
            if self.parser.is_waiting() {
                tokio::time::sleep(REJOIN).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let resized = async {
            match size_due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            wake = signals.next() => wake,
            bytes = keys.recv() => bytes.map_or(Wake::Leave(Left::Hangup), Wake::Bytes),
            () = torn => Wake::TornKey,
            () = resized => Wake::Time,
            Some(msg) = answers.recv() => Wake::Answer(msg),
            () = tokio::time::sleep_until(wake) => Wake::Time,
        }
    }

    fn take(&mut self, wake: Wake, size_due: &mut Option<Instant>) -> Flow {
        if matches!(wake, Wake::Bytes(_)) {
            self.message(Msg::KeysCame(self.clock.moment()))?;
        }
        self.now()?;
        if size_due.is_some_and(|due| due <= Instant::now()) {
            *size_due = None;
            self.resize()?;
        }
        match wake {
            Wake::Bytes(bytes) => self.bytes(&bytes),
            Wake::Answer(msg) => self.message(msg),
            Wake::Time => Ok(()),
            Wake::TornKey => {
                let inputs = self.parser.give_up();
                self.inputs(inputs)
            }
            Wake::Resized => {
                size_due.get_or_insert_with(|| Instant::now() + RESIZE);
                Ok(())
            }
            Wake::Stop => self.suspend(),
            Wake::Resumed => {
                self.resize()?;
                self.screen.redraw();
                Ok(())
            }
            Wake::Leave(left) => Err(left),
        }
    }

    /// Tells the state what time it is.
    fn now(&mut self) -> Flow {
        self.message(Msg::Now(self.clock.moment(), clock::now()))
    }

    fn resize(&mut self) -> Flow {
        let size = terminal::size();
        if size == self.state.size {
            return Ok(());
        }
        self.screen.resize(size);
        self.message(Msg::Resized(size))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Flow {
        let inputs = self.parser.feed(bytes);
        self.inputs(inputs)
    }

    fn inputs(&mut self, inputs: Vec<Input>) -> Flow {
        for input in inputs {
            self.message(match input {
                Input::Key(key) => Msg::Key(key),
                Input::Paste(text) => Msg::Paste(text),
            })?;
        }
        Ok(())
    }

    fn message(&mut self, msg: Msg) -> Flow {
        let pushed = matches!(msg, Msg::Pushed(..));
        let effects = update(&mut self.state, msg);
        self.perform(effects)?;
        match self.leaving {
            Some(left) if pushed => Err(left),
            _ => Ok(()),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Flow {
        for effect in effects {
            match effect {
                Effect::Quit => self.leave(Left::Quit)?,
                Effect::Demo => self.leave(Left::Demo)?,
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => self.screen.redraw(),
                Effect::Theme(name) => self.theme = theme(&name, &self.appearance),
                Effect::Copy(text) => gone(self.screen.send_raw(&clipboard(&text)))?,
                other => self.runner.run(other, self.state.mode.word()),
            }
        }
        Ok(())
    }

    /// Leaves, or, while a push is under way, as soon as that has ended; asked a second time, at once.
    fn leave(&mut self, left: Left) -> Flow {
        if self.leaving.is_none() && self.runner.is_pushing() {
            self.leaving = Some(left);
            return Ok(());
        }
        Err(left)
    }

    fn suspend(&mut self) -> Flow {
        gone(self.screen.suspend())?;
        self.resize()
    }

    /// Draws the state and sends what changed.
    fn draw(&mut self) -> Flow {
        let state = &self.state;
        let look = Look { theme: &self.theme, ascii: self.appearance.ascii };
        gone(self.screen.draw(|buffer| views::draw(buffer, state, look)))?;
        let effects = update(&mut self.state, Msg::Drawn(self.clock.moment()));
        self.perform(effects)
    }
}

/// A terminal that takes no bytes any more is gone.
fn gone(result: io::Result<()>) -> Flow {
    result.map_err(|_gone| Left::Hangup)
}

/// The sequence that hands `text` to the terminal's clipboard (OSC 52), wrapped where tmux stands between.
fn clipboard(text: &str) -> Vec<u8> {
    let printable: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(printable);
    let sequence = format!("\x1b]52;c;{encoded}\x07");
    if std::env::var_os("TMUX").is_some() {
        let doubled = sequence.replace('\x1b', "\x1b\x1b");
        return format!("\x1bPtmux;{doubled}\x1b\\").into_bytes();
    }
    sequence.into_bytes()
}
