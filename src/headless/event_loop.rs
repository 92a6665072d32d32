//! The event loop of a command. When it goes, nobody waits for work beside it that is not awaited any more, such as a fetch
//! from a remote that does not answer: what was given up, or ended by a signal, ends at once.

use tokio::runtime::{Builder, Runtime};

use crate::problem::{Code, Problem};

/// A loop of one thread: an answer goes from the connection to who asked without waking anybody.
pub(super) struct EventLoop(Option<Runtime>);

impl EventLoop {
    /// Starts one.
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn start() -> Result<Self, Problem> {
        let built = Builder::new_current_thread().enable_all().build();
        built.map(|runtime| Self(Some(runtime))).map_err(|error| none().caused_by(&error))
    }

    /// Runs work to its end.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        self.0.as_ref().ok_or_else(none)?.block_on(work)
    }

    /// Begins work that goes on beside everything else.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            drop(runtime.spawn(work));
        }
    }

    /// Waits for all work that has begun beside the loop.
    pub(super) fn finish(mut self) {
        drop(self.0.take());
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn none() -> Problem {
    Problem::new(Code::Internal, "supercargo", "no event loop can be started")
}
