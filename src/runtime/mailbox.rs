//! Where the thread that draws waits: for keys, and for what workers found.
//!
//! It is the only one that reads the terminal, and sleeps in one call for both. A thread or an executor between the two
//! costs each key another wake-up, and on a busy machine those are what a key waits for.

use std::io::{self, PipeReader, PipeWriter, Read, Stdin, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::Left;
use crate::app::message::Msg;

/// What the loop finds in its mailbox.
#[derive(Debug)]
pub(super) enum Letter {
    /// What a worker found.
    Answer(Box<Msg>),
    /// A signal.
    Signal(Caught),
}

/// The signals that concern a terminal program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caught {
    /// To end.
    Leave(Left),
    /// The terminal has another size.
    Resized,
    /// To stop until the shell continues.
    Stop,
    /// The shell continued.
    Resumed,
}

/// A pipe that has a byte in it while somebody rings.
#[derive(Debug)]
struct Bell {
    rings: AtomicBool,
    pipe: PipeWriter,
}

impl Bell {
    fn ring(&self) {
        if !self.rings.swap(true, Ordering::SeqCst) {
            // Nobody waits any more: the program is ending.
            let _ = (&self.pipe).write_all(&[0]);
        }
    }
}

/// Where workers put what they found.
#[derive(Debug)]
pub(super) struct Mailbox<T> {
    send: mpsc::Sender<T>,
    bell: Arc<Bell>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { send: self.send.clone(), bell: Arc::clone(&self.bell) }
    }
}

impl<T> Mailbox<T> {
    /// Puts `found` in, as soon as there is room.
    pub(super) async fn send(&self, found: T) {
        // Nobody listens any more: the program is ending.
        let _ = self.send.send(found).await;
        self.bell.ring();
    }

    /// Puts `found` in if there is room.
    ///
    /// # Errors
    /// There is none, or nobody listens any more.
    pub(super) fn try_send(&self, found: T) -> Result<(), TrySendError<T>> {
        self.send.try_send(found)?;
        self.bell.ring();
        Ok(())
    }
}

/// The other end of a [`Mailbox`].
#[derive(Debug)]
pub(super) struct Inbox<T> {
    receive: mpsc::Receiver<T>,
    pipe: PipeReader,
    bell: Arc<Bell>,
}

/// A mailbox with room for `capacity` letters.
///
/// # Errors
/// The system has no descriptor left.
pub(super) fn mailbox<T>(capacity: usize) -> io::Result<(Mailbox<T>, Inbox<T>)> {
    let (send, receive) = mpsc::channel(capacity);
    let (reader, writer) = io::pipe()?;
    let bell = Arc::new(Bell { rings: AtomicBool::new(false), pipe: writer });
    Ok((Mailbox { send, bell: Arc::clone(&bell) }, Inbox { receive, pipe: reader, bell }))
}

impl<T> Inbox<T> {
    /// Sleeps until the terminal has something, a letter is there, a signal was caught or `time` is over.
    ///
    /// # Errors
    /// Waiting is not possible.
    pub(super) fn wait(&self, terminal: &Stdin, time: Duration) -> io::Result<()> {
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut asked = [PollFd::new(terminal, PollFlags::IN), PollFd::new(&self.pipe, PollFlags::IN)];
        match rustix::event::poll(&mut asked, Some(&time)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [_, bell] = asked;
        if bell.revents().contains(PollFlags::IN) {
            (&self.pipe).read_exact(&mut [0])?;
            // From here on it is rung anew, for letters that are taken out after this or later.
            self.bell.rings.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The next letter that is there.
    pub(super) fn next(&mut self) -> Option<T> {
        self.receive.try_recv().ok()
    }
}

/// The bytes that the terminal has; an empty list if none, an error once it went away.
///
/// The terminal stays blocking, for whether it is not belongs to everybody who has it open: it is asked, then read.
pub(super) fn read(terminal: &Stdin) -> io::Result<Vec<u8>> {
    let mut asked = [PollFd::new(terminal, PollFlags::IN)];
    match rustix::event::poll(&mut asked, Some(&Timespec::default())) {
        Ok(0) | Err(Errno::INTR) => return Ok(Vec::new()),
        Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    let mut buffer = [0; 4096];
    match rustix::io::read(terminal, &mut buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
        Err(Errno::INTR | Errno::AGAIN) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Waits for the bell alone, as `Inbox::wait` does beside the terminal.
    fn rings(inbox: &Inbox<u8>) -> bool {
        let mut asked = [PollFd::new(&inbox.pipe, PollFlags::IN)];
        rustix::event::poll(&mut asked, Some(&Timespec::default())).unwrap() > 0
    }

    #[test]
    fn many_letters_ring_once_and_a_later_one_again() {
        let (mailbox, mut inbox) = mailbox(8).unwrap();
        assert!(!rings(&inbox));
        for letter in 1..4 {
            mailbox.try_send(letter).unwrap();
        }
        inbox.wait(&io::stdin(), Duration::from_secs(5)).unwrap();
        assert!(!rings(&inbox), "one byte for all of them");
        assert_eq!(std::iter::from_fn(|| inbox.next()).collect::<Vec<_>>(), [1, 2, 3]);
        mailbox.try_send(4).unwrap();
        assert!(rings(&inbox));
    }

    #[test]
    fn a_letter_from_another_thread_ends_the_wait() {
        let (mailbox, mut inbox) = mailbox(1).unwrap();
        let sender = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            mailbox.try_send(7).unwrap();
        });
        let began = Instant::now();
        let found = loop {
            if let Some(found) = inbox.next() {
                break found;
            }
            inbox.wait(&io::stdin(), Duration::from_secs(30)).unwrap();
        };
        assert_eq!(found, 7);
        assert!(began.elapsed() < Duration::from_secs(30));
        sender.join().unwrap();
    }

    #[test]
    fn a_full_box_says_so_and_nothing_rings() {
        let (mailbox, inbox) = mailbox(1).unwrap();
        mailbox.try_send(1).unwrap();
        inbox.wait(&io::stdin(), Duration::from_secs(5)).unwrap();
        assert!(mailbox.try_send(2).is_err());
        assert!(!rings(&inbox));
    }
}
