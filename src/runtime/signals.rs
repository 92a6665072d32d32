//! Signals: caught from the moment when there is something to be left behind, told to the loop as soon as it runs.

use std::io;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Left;
use super::mailbox::{Caught, Letter, Mailbox};

/// Every signal that the dashboard knows; one that comes before anybody listens is kept.
pub(super) struct Signals(Vec<(Signal, Caught)>);

impl Signals {
    /// Catches all of them from now on.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub(super) fn catch(runtime: &Handle) -> io::Result<Self> {
        crate::children::leave_signals_to_others();
        let _inside = runtime.enter();
        // tokio names no constants for these two.
        let (stop, resumed) = (rustix::process::Signal::TSTP, rustix::process::Signal::CONT);
        let all = [
            (SignalKind::terminate(), Caught::Leave(Left::Signal(15))),
            (SignalKind::hangup(), Caught::Leave(Left::Signal(1))),
            (SignalKind::interrupt(), Caught::Leave(Left::Signal(2))),
            (SignalKind::quit(), Caught::Leave(Left::Signal(3))),
            (SignalKind::window_change(), Caught::Resized),
            (SignalKind::from_raw(stop.as_raw()), Caught::Stop),
            (SignalKind::from_raw(resumed.as_raw()), Caught::Resumed),
        ];
        let caught = all.into_iter().map(|(kind, caught)| Ok((signal(kind)?, caught)));
        caught.collect::<io::Result<_>>().map(Self)
    }

    /// Waits for one that ends the program.
    pub(super) async fn leave(&mut self) -> Left {
        let waits = self.0.iter_mut().filter_map(|(signal, caught)| match caught {
            Caught::Leave(left) => Some(Box::pin(async move {
                signal.recv().await;
                *left
            })),
            Caught::Resized | Caught::Stop | Caught::Resumed => None,
        });
        futures::future::select_all(waits).await.0
    }

    /// Puts each from now on into the mailbox, those that came before first.
    pub(super) fn forward(self, workers: &Handle, mailbox: &Mailbox<Letter>) {
        for (signal, caught) in self.0 {
            drop(workers.spawn(forward(signal, caught, mailbox.clone())));
        }
    }
}

async fn forward(mut signal: Signal, caught: Caught, mailbox: Mailbox<Letter>) {
    while signal.recv().await.is_some() {
        mailbox.send(Letter::Signal(caught)).await;
    }
}
