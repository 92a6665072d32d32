//! Takes the terminal, and gives it back on every way out: quit, error, panic, signal, suspend.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::answer::{FOLLOW, UNFOLLOW};
use super::paint::Painter;
use crate::app::layout::Size;
use crate::views::Frame;

/// Alternate screen, bracketed paste, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[2J";
/// The same backwards, and the region of a scroll of which only a part could be sent; only what was set is reset.
const LEAVE: &[u8] = b"\x1b[r\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Has the mouse's buttons and wheel reported, and nothing of its movements (modes 1000 and 1006), and ends that.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether the terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Whether it says when its background changes, while it is ours.
static FOLLOWED: AtomicBool = AtomicBool::new(false);
/// Whether it reports the mouse, while it is ours.
static POINTED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal while it is ours.
pub(super) struct Screen {
    painter: Painter,
    /// What the next frame is drawn on.
    next: Buffer,
    out: File,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be put into raw mode, or not be written to.
    pub(super) fn enter(size: Size) -> io::Result<Self> {
        HOOK.call_once(restore_on_panic);
        let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        take(&mut out)?;
        let painter = Painter::new(size.width, size.height);
        Ok(Self { painter, next: empty(size), out })
    }

    /// Shows what `draw` draws into an empty buffer, with the cursor where it says; sends nothing if nothing changed. Returns what
    /// a click means where.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Frame) -> io::Result<Frame> {
        self.next.reset();
        let drawn = draw(&mut self.next);
        if let Some(frame) = self.painter.frame(&mut self.next, drawn.cursor) {
            self.out.write_all(frame.as_bytes())?;
        }
        Ok(drawn)
    }

    /// Has the terminal report the mouse, or leave it alone; says so only if that is new.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn point(&mut self, takes: bool) -> io::Result<()> {
        if POINTED.swap(takes, Ordering::SeqCst) == takes {
            return Ok(());
        }
        self.out.write_all(if takes { MOUSE } else { NO_MOUSE })
    }

    /// Sends bytes that draw nothing, such as a text for the clipboard.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Has the terminal say when its background changes, as long as it is ours.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn follow(&mut self) -> io::Result<()> {
        FOLLOWED.store(true, Ordering::SeqCst);
        self.out.write_all(FOLLOW)
    }

    /// The terminal has another size; the next frame draws everything.
    pub(super) fn resize(&mut self, size: Size) {
        self.painter.resize(size.width, size.height);
        self.next = empty(size);
    }

    /// Forgets what the terminal shows; the next frame draws everything.
    pub(super) fn redraw(&mut self) {
        self.painter.forget();
    }

    /// Lends the terminal, as it was before, to what `work` runs on it, and takes it again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn lend<T>(&mut self, work: impl FnOnce() -> T) -> io::Result<T> {
        restore();
        let done = work();
        take(&mut self.out)?;
        self.redraw();
        Ok(done)
    }

    /// Gives the terminal back for a while, stops this process (and those it was started with) until the shell
    /// continues it, and takes the terminal again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        stop()?;
        take(&mut self.out)?;
        self.redraw();
        Ok(())
    }
}

fn empty(size: Size) -> Buffer {
    Buffer::empty(Rect { x: 0, y: 0, width: size.width, height: size.height })
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take(out: &mut File) -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    out.write_all(ENTER)?;
    for (is_on, begin) in [(&FOLLOWED, FOLLOW), (&POINTED, MOUSE)] {
        if is_on.load(Ordering::SeqCst) {
            out.write_all(begin)?;
        }
    }
    Ok(())
}

/// Gives the terminal back, once.
pub(super) fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // A terminal that is gone cannot be given back, and there is nobody to tell.
        let mut out = io::stdout();
        let mut bytes = Vec::new();
        for (is_on, end) in [(&POINTED, NO_MOUSE), (&FOLLOWED, UNFOLLOW)] {
            bytes.extend_from_slice(if is_on.load(Ordering::SeqCst) { end } else { &[] });
        }
        bytes.extend_from_slice(LEAVE);
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Gives the terminal back before a panic of the event loop is printed, so that it can be read.
///
/// A panic of a worker does not end the program: it becomes a problem on the screen, which it must not write over.
fn restore_on_panic() {
    let before = panic::take_hook();
    let owner = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == owner {
            restore();
        }
        if !ENTERED.load(Ordering::SeqCst) {
            before(info);
        }
    }));
}

/// Stops this process, and those it was started with, until the shell continues it.
///
/// # Errors
/// The system refuses it.
pub(super) fn stop() -> rustix::io::Result<()> {
    rustix::process::kill_current_process_group(rustix::process::Signal::STOP)
}

/// The terminal's size; 80x24 if it does not say.
pub(super) fn size() -> Size {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => Size { width, height },
        _ => Size { width: 80, height: 24 },
    }
}
