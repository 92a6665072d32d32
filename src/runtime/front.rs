//! What the loop shows the state on: a screen, or lines of text.

use std::io;

use super::answer::QUESTION;
use super::clipboard;
use super::plain::{self, Plain};
use super::terminal::{self, Screen};
use crate::app::layout::Size;
use crate::app::state::State;
use crate::text::Shown;
use crate::views::{self, Frame, Look};

/// One of the two.
pub(super) enum Front {
    /// A terminal that is ours.
    Screen(Box<Screen>),
    /// A terminal that is left as it is.
    Plain(Plain),
}

impl Front {
    /// Takes the terminal, or leaves it as it is.
    ///
    /// # Errors
    /// It cannot be taken.
    pub(super) fn open(state: &State) -> io::Result<Self> {
        if state.plain {
            return Ok(Self::Plain(Plain::default()));
        }
        Screen::enter(state.size).map(|screen| Self::Screen(Box::new(screen)))
    }

    /// The cells that there are to draw on.
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Screen(_) => terminal::size(),
            Self::Plain(_) => plain::SIZE,
        }
    }

    /// Shows the state; sends nothing if nothing changed. Returns what a click means where.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn show(&mut self, state: &State, look: Look<'_>) -> io::Result<Frame> {
        match self {
            Self::Screen(screen) => {
                screen.point(state.mouse && !state.profile.is_low())?;
                screen.draw(|buffer| views::frame(buffer, state, look))
            }
            Self::Plain(plain) => plain.show(state, look).map(|()| Frame::default()),
        }
    }

    /// Hands `text` to the desktop's clipboard and to the terminal's; where it has none, to the eyes.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        clipboard::hand_over(text);
        match self {
            Self::Screen(screen) => screen.send_raw(&clipboard::sequence(text)),
            Self::Plain(plain) => text.lines().try_for_each(|line| plain.say(Shown::new(line).as_str())),
        }
    }

    /// Asks the terminal for its background, and to say when that changes.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn ask(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.follow().and_then(|()| screen.send_raw(QUESTION)),
            Self::Plain(_) => Ok(()),
        }
    }

    /// Answers a line that was typed and means nothing; on a screen none is.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Screen(_) => Ok(()),
            Self::Plain(plain) => plain.say(text),
        }
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, size: Size) {
        if let Self::Screen(screen) = self {
            screen.resize(size);
        }
    }

    /// Shows all of it again the next time.
    pub(super) fn redraw(&mut self) {
        match self {
            Self::Screen(screen) => screen.redraw(),
            Self::Plain(plain) => plain.redraw(),
        }
    }

    /// Lends the terminal to what `work` runs on it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn lend<T>(&mut self, work: impl FnOnce() -> T) -> io::Result<T> {
        match self {
            Self::Screen(screen) => screen.lend(work),
            Self::Plain(_) => Ok(work()),
        }
    }

    /// Stops this process until the shell continues it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.suspend(),
            Self::Plain(_) => Ok(terminal::stop()?),
        }
    }
}
