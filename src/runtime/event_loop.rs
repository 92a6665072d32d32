//! The loop: wait, take everything that waits, fold it into the state, begin the work that was asked for, draw once.
//!
//! There is no tick. The loop sleeps until a key, an answer, a signal, or the moment that the state names.

use std::io::{self, IsTerminal as _, Stdin};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::answer::Answer;
use super::clock::{self, Clock};
use super::effects::EffectRunner;
use super::front::Front;
use super::input::{Input, Mouse, Parser, Pointed, REJOIN};
use super::lent;
use super::mailbox::{self, Caught, Inbox, Letter, mailbox};
use super::plain;
use super::signals::Signals;
use super::{Appearance, Left, terminal_problem};
use crate::app::effect::Effect;
use crate::app::keymap::Key;
use crate::app::message::Msg;
use crate::app::state::State;
use crate::app::update::{start, update};
use crate::engine::Engine;
use crate::problem::Problem;
use crate::theme::{Depth, Finding, Theme};
use crate::views::{self, Frame, Look};

/// Sizes that change within this time are drawn once.
const RESIZE: Duration = Duration::from_millis(30);
/// How long a push may keep a process whose terminal is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long signals of the keyboard may be on their way after another program had the terminal.
const LENT: Duration = Duration::from_millis(500);
/// How long after the question a program that is left waits for the answer, so that the shell does not get it.
const ANSWER: Duration = Duration::from_millis(300);
/// The least time between two frames on a bad line.
const FRAME: Duration = Duration::from_millis(100);
/// Letters that may wait before workers do.
const LETTERS: usize = 1024;

/// Runs the dashboard until it is left. All work is done by `workers`; this thread reads keys and draws.
///
/// # Errors
/// The terminal cannot be prepared.
pub(super) fn run(
    engine: Engine,
    workers: &Handle,
    state: State,
    (appearance, signals): (Appearance, Signals),
) -> Result<Left, Problem> {
    let failed = |error: io::Error| terminal_problem("cannot use the terminal").caused_by(&error);
    let (mailbox, inbox) = mailbox(LETTERS).map_err(failed)?;
    signals.forward(workers, &mailbox);
    let runner =
        EffectRunner::new(engine, workers.clone(), mailbox, state.reviewing.is_none()).map_err(failed)?;
    let front = Front::open(&state).map_err(failed)?;
    let mut looping = Loop {
        state,
        front,
        runner,
        theme: Theme::default(),
        dressed: (String::new(), Depth::Mono),
        drawn: Frame::default(),
        drawn_at: None,
        draw_due: None,
        appearance,
        clock: Clock::new(),
        leaving: None,
        push_unseen: false,
        parser: Parser::default(),
        torn: None,
        asked: None,
        lent: None,
        resized: None,
        terminal: io::stdin(),
        inbox,
    };
    let left = looping.run();
    if left != Left::Hangup {
        looping.await_answer();
    }
    let Loop { front, runner, .. } = looping;
    drop(front);
    let patience = if left == Left::Quit { Duration::ZERO } else { PATIENCE };
    workers.block_on(runner.finish(patience));
    Ok(left)
}

struct Loop {
    state: State,
    front: Front,
    runner: EffectRunner,
    theme: Theme,
    /// The name of the theme that was loaded last, or tried to, and with how many colours.
    dressed: (String, Depth),
    /// What can be clicked.
    drawn: Frame,
    /// When the last frame was drawn.
    drawn_at: Option<Instant>,
    /// When the next frame is, where that has to wait.
    draw_due: Option<Instant>,
    appearance: Appearance,
    clock: Clock,
    /// Until when signals of the keyboard are another program's.
    lent: Option<Instant>,
    /// How it is left as soon as the push under way has ended.
    leaving: Option<Left>,
    /// Whether a push has ended since the last frame.
    push_unseen: bool,
    parser: Parser,
    /// When the beginning of a key's sequence is given up.
    torn: Option<Instant>,
    /// When the terminal was asked for its background.
    asked: Option<Instant>,
    /// When the terminal's new size is asked for.
    resized: Option<Instant>,
    terminal: Stdin,
    inbox: Inbox<Letter>,
}

/// What the loop does after a message.
type Flow = Result<(), Left>;

impl Loop {
    fn run(&mut self) -> Left {
        // The first frame comes before any work is asked for.
        let mut flow = self.draw();
        let first = start(&mut self.state);
        flow = flow.and_then(|()| self.perform(first));
        loop {
            if let Err(left) = flow {
                return left;
            }
            flow = self.turn();
        }
    }

    /// One frame: waits, takes in everything that is there, draws.
    fn turn(&mut self) -> Flow {
        gone(self.inbox.wait(&self.terminal, self.patience()))?;
        let mut bytes = self.read()?;
        if !bytes.is_empty() {
            self.torn = None;
            self.message(Msg::KeysCame(self.clock.moment()))?;
        }
        self.now()?;
        self.due()?;
        while !bytes.is_empty() {
            self.bytes(&bytes)?;
            bytes = self.read()?;
        }
        while let Some(letter) = self.inbox.next() {
            match letter {
                Letter::Answer(msg) => self.message(*msg)?,
                Letter::Signal(caught) => self.caught(caught)?,
            }
        }
        self.draw()
    }

    /// The bytes that the terminal has.
    fn read(&mut self) -> Result<Vec<u8>, Left> {
        match (mailbox::read(&self.terminal), &self.front) {
            // Its end is a key like any other where the terminal hands over lines and is still there.
            (Err(error), Front::Plain(_))
                if error.kind() == io::ErrorKind::UnexpectedEof && self.terminal.is_terminal() =>
            {
                Ok(b"\x03\n".to_vec())
            }
            (read, _) => gone(read),
        }
    }

    /// How long the loop may sleep.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let due = self
            .torn
            .into_iter()
            .chain(self.resized)
            .chain(self.draw_due)
            .map(|due| due.saturating_duration_since(now));
        due.fold(self.clock.until(self.state.wake_at()), Duration::min)
    }

    /// Does what was put off until now.
    fn due(&mut self) -> Flow {
        let now = Instant::now();
        if self.resized.take_if(|due| *due <= now).is_some() {
            self.resize()?;
        }
        if self.torn.take_if(|due| *due <= now).is_some() {
            let inputs = self.parser.give_up();
            self.inputs(inputs)?;
        }
        Ok(())
    }

    fn caught(&mut self, caught: Caught) -> Flow {
        match caught {
            Caught::Leave(Left::Signal(2 | 3)) | Caught::Stop
                if self.lent.is_some_and(|until| Instant::now() < until) => {}
            // The terminal makes a signal of the key.
            Caught::Leave(Left::Signal(2)) if matches!(self.front, Front::Plain(_)) => {
                self.message(Msg::Key(Key::ctrl('c')))?;
            }
            Caught::Leave(left) => return Err(left),
            Caught::Resized => {
                self.resized.get_or_insert_with(|| Instant::now() + RESIZE);
            }
            Caught::Stop => self.suspend()?,
            Caught::Resumed => {
                self.resize()?;
                self.front.redraw();
            }
        }
        Ok(())
    }

    /// Tells the state what time it is.
    fn now(&mut self) -> Flow {
        self.message(Msg::Now(self.clock.moment(), clock::now()))
    }

    fn resize(&mut self) -> Flow {
        let size = self.front.size();
        if size == self.state.size {
            return Ok(());
        }
        self.front.resize(size);
        self.message(Msg::Resized(size))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Flow {
        if let Front::Plain(plain) = &mut self.front {
            let lines = plain.lines(bytes);
            return lines.iter().try_for_each(|line| self.line(line));
        }
        let inputs = self.parser.feed(bytes);
        self.torn = self.parser.is_waiting().then(|| Instant::now() + REJOIN);
        self.inputs(inputs)
    }

    /// Takes in a line that was typed.
    fn line(&mut self, line: &str) -> Flow {
        match plain::meaning(&self.state, line) {
            Ok(messages) if messages.is_empty() => self.front.redraw(),
            Ok(messages) => messages.into_iter().try_for_each(|msg| self.message(msg))?,
            Err(says) => gone(self.front.say(&says))?,
        }
        Ok(())
    }

    fn inputs(&mut self, inputs: Vec<Input>) -> Flow {
        for input in inputs {
            match input {
                Input::Key(key) => self.message(Msg::Key(key))?,
                Input::Paste(text) => self.message(Msg::Paste(text))?,
                Input::Answer(answer) => self.answered(answer)?,
                Input::Mouse(mouse) => self.pointed(mouse)?,
            }
        }
        Ok(())
    }

    /// The mouse did something to what the last frame shows.
    fn pointed(&mut self, mouse: Mouse) -> Flow {
        let spot = self.drawn.spot(mouse.x, mouse.y);
        let msg = match mouse.what {
            Pointed::WheelDown => Msg::Wheel { down: true, spot: self.drawn.pane(mouse.x, mouse.y) },
            Pointed::WheelUp => Msg::Wheel { down: false, spot: self.drawn.pane(mouse.x, mouse.y) },
            Pointed::Press => match spot {
                Some(spot) => Msg::Clicked(spot),
                None => return Ok(()),
            },
        };
        self.message(msg)
    }

    fn message(&mut self, msg: Msg) -> Flow {
        let pushed = matches!(msg, Msg::Pushed(..));
        self.push_unseen |= pushed;
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
                Effect::OpenWay => self.open_ways()?,
                Effect::Page => self.page()?,
                Effect::Write(text) => self.write(&text)?,
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => self.front.redraw(),
                Effect::UseContext(job, context) => {
                    let msg = match self.runner.use_context(job, &context) {
                        Ok(configured) => Msg::Configured(Box::new(configured)),
                        Err(problem) => Msg::Loaded(job, Err(problem)),
                    };
                    self.message(msg)?;
                }
                Effect::Copy(text) => gone(self.front.copy(&text))?,
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

    /// Lends the terminal to one program that asks after the other, up to the first that does not get its answer.
    fn open_ways(&mut self) -> Flow {
        let mut questions = self.runner.questions();
        // A ctrl-c or ctrl-z at the prompt is meant for it.
        let ran = self.lend(|| questions.iter_mut().find_map(|question| lent::answered(question).err()))?;
        self.message(Msg::WayOpened(ran.map_or(Ok(questions.len()), Err)))
    }

    /// Lends the terminal to the pager, with everything that the view in front shows a part of.
    fn page(&mut self) -> Flow {
        let look = Look { theme: &self.theme, ascii: self.appearance.ascii };
        let text = views::whole(&self.state, look);
        let ended = self.lend(|| lent::paged(&text))?;
        self.message(Msg::PagerEnded(ended))
    }

    /// Lends the terminal to the editor.
    fn write(&mut self, text: &str) -> Flow {
        let written = self.lend(|| lent::written(text))?;
        self.message(Msg::MessageWritten(written))
    }

    /// Lends the terminal to a program, whose signals of the keyboard are its own.
    fn lend<T>(&mut self, work: impl FnOnce() -> T) -> Result<T, Left> {
        self.await_answer();
        let done = gone(self.front.lend(work))?;
        self.lent = Some(Instant::now() + LENT);
        self.resize()?;
        Ok(done)
    }

    fn suspend(&mut self) -> Flow {
        self.await_answer();
        gone(self.front.suspend())?;
        self.resize()
    }

    /// Takes in what the terminal says of its background; the next frame is drawn accordingly.
    fn answered(&mut self, answer: Answer) -> Flow {
        match answer {
            Answer::Light => self.appearance.auto = self.appearance.library.auto(true),
            Answer::Dark => self.appearance.auto = self.appearance.library.auto(false),
            Answer::Last => {
                let took = self.asked.map(|asked| asked.elapsed()).unwrap_or_default();
                return self.message(Msg::TerminalIsSlow(took));
            }
            Answer::Unreadable => {}
        }
        Ok(())
    }

    /// Asks the terminal for its background, once, where that decides on the theme. What is shown waits for no answer.
    fn ask(&mut self) -> Flow {
        if self.asked.is_some() || !self.appearance.asks || self.state.theme_shown() != "auto" {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        self.parser.ask();
        gone(self.front.ask())
    }

    /// Takes in the answers that are on their way, for a moment, before somebody else has the terminal.
    fn await_answer(&mut self) {
        let Some(until) = self.asked.map(|asked| asked + ANSWER) else { return };
        while self.parser.is_asked() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.inbox.wait(&self.terminal, left).is_err() {
                return;
            }
            let Ok(bytes) = mailbox::read(&self.terminal) else { return };
            self.parser.feed(&bytes);
        }
    }

    /// Loads the theme that is to be drawn with, unless it is the one that was loaded last; says what is wrong with it.
    fn dress(&mut self) -> Flow {
        let library = &self.appearance.library;
        let wanted = self.appearance.resolve(self.state.theme_shown());
        let depth = self.appearance.depth_for(self.state.profile);
        if self.dressed == (wanted.to_owned(), depth) {
            return Ok(());
        }
        self.dressed = (wanted.to_owned(), depth);
        let problem = match library.load(wanted, depth) {
            Ok((theme, findings)) => {
                self.theme = theme;
                Finding::problem(&findings, &self.dressed.0)
            }
            Err(error) => {
                self.theme = Theme::fallback(depth);
                Some(error.problem())
            }
        };
        problem.map_or(Ok(()), |problem| self.message(Msg::Warned(problem)))
    }

    /// Draws the state and sends what changed; on a bad line not so soon after the last time.
    fn draw(&mut self) -> Flow {
        let due = self.drawn_at.filter(|_| self.state.profile.is_low()).map(|at| at + FRAME);
        self.draw_due = due.filter(|due| *due > Instant::now());
        if self.draw_due.is_some() {
            return Ok(());
        }
        self.drawn_at = Some(Instant::now());
        self.dress()?;
        let look = Look { theme: &self.theme, ascii: self.appearance.ascii };
        self.drawn = gone(self.front.show(&self.state, look))?;
        if let Some(line) = self.drawn.scrolled {
            // What is drawn is that already.
            let _ = update(&mut self.state, Msg::Scrolled(line));
        }
        self.ask()?;
        if std::mem::take(&mut self.push_unseen) {
            self.runner.pushes_seen();
        }
        let effects = update(&mut self.state, Msg::Drawn(self.clock.moment()));
        self.perform(effects)
    }
}

/// A terminal that takes no bytes any more is gone.
fn gone<T>(result: io::Result<T>) -> Result<T, Left> {
    result.map_err(|_gone| Left::Hangup)
}
