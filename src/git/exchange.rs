//! One request and its answer as a stream: small requests are sent whole, large ones while they are being written.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use reqwest::{Body, Response};
use tokio::task::JoinHandle;

use super::error::GitError;
use super::http::{Http, network_error};
use super::network::{handle, wait};
use super::session::{Line, Service, Session, Talk};
use super::wire::Advertised;

/// Up to this size a request is sent whole, with its length; beyond it is streamed. As git's `http.postBuffer`.
const POST_BUFFER: usize = 1 << 20;
/// Pieces of a streamed request that may wait for the network.
const PIECES_UNDER_WAY: usize = 8;

/// Finds the repository, logs in, and reads what it has.
///
/// # Errors
/// Whatever keeps the server from answering.
pub(super) fn talk(session: &Arc<Session>, http: &Arc<Http>, service: Service) -> Result<Talk, GitError> {
    let stream = |state| HttpStream {
        session: Arc::clone(session),
        http: Arc::clone(http),
        service: service.word(),
        state,
    };
    let mut first = stream(State::Reading(http.advertise(session, service.word())?, Bytes::new()));
    let advertised = Advertised::read(&mut first).map_err(|error| session.explain(&error))?;
    // Read to its end, so that the connection serves the next request too.
    io::copy(&mut first, &mut io::sink()).map_err(|error| session.explain(&error))?;
    Ok(Talk { advertised, line: Line::Stream(Box::new(stream(State::Collecting(Vec::new())))) })
}

/// One request and its answer, as they are written and read.
pub(super) struct HttpStream {
    session: Arc<Session>,
    http: Arc<Http>,
    service: &'static str,
    state: State,
}

enum State {
    /// The request is small so far.
    Collecting(Vec<u8>),
    /// The request is on its way while it is being written.
    Streaming(Upload),
    /// The answer's head is here; the bytes wait to be read.
    Reading(Response, Bytes),
    /// An error was reported.
    Failed,
}

/// A request whose body is still being written.
struct Upload {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    answer: JoinHandle<reqwest::Result<Response>>,
}

impl Drop for Upload {
    /// An upload that is given up must not end as if it were complete.
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl HttpStream {
    fn write_piece(&mut self, bytes: &[u8]) -> Result<(), GitError> {
        match &mut self.state {
            State::Collecting(buffer) if buffer.len() + bytes.len() <= POST_BUFFER => {
                buffer.extend_from_slice(bytes);
                Ok(())
            }
            State::Collecting(buffer) => {
                let collected = Bytes::from(std::mem::take(buffer));
                let upload = self.start()?;
                self.state = State::Streaming(upload);
                self.send(collected)?;
                self.send(Bytes::copy_from_slice(bytes))
            }
            State::Streaming(_) => self.send(Bytes::copy_from_slice(bytes)),
            State::Reading(..) | State::Failed => Err(self.out_of_turn()),
        }
    }

    /// Starts a request whose body follows in pieces.
    fn start(&self) -> Result<Upload, GitError> {
        let (pieces, body) = mpsc::channel(PIECES_UNDER_WAY);
        let request = self.http.post(self.service, Body::wrap_stream(body));
        Ok(Upload { pieces, answer: handle()?.spawn(request) })
    }

    fn send(&mut self, piece: Bytes) -> Result<(), GitError> {
        let State::Streaming(upload) = &mut self.state else { return Err(self.out_of_turn()) };
        match wait(&self.session, "the server to take the pack", upload.pieces.send(Ok(piece)))? {
            Ok(()) => Ok(()),
            // The server stopped listening; its answer says why.
            Err(_closed) => {
                self.finish()?;
                Err(self.session.bad_answer(&"it answered before it had the whole pack"))
            }
        }
    }

    /// Ends the request and waits for the head of the answer.
    fn finish(&mut self) -> Result<(), GitError> {
        let waiting_for = "the server to answer";
        let answer = match std::mem::replace(&mut self.state, State::Failed) {
            State::Collecting(buffer) => {
                let request = self.http.post(self.service, Body::from(buffer));
                wait(&self.session, waiting_for, request)?
            }
            State::Streaming(mut upload) => {
                upload.pieces.close_channel();
                let answer = wait(&self.session, waiting_for, &mut upload.answer)?;
                answer.map_err(|error| self.session.bad_answer(&error))?
            }
            State::Reading(..) | State::Failed => return Err(self.out_of_turn()),
        };
        let response = answer.map_err(|error| network_error(&self.session, &error))?;
        let response = self.http.accept_post(&self.session, self.service, response)?;
        self.state = State::Reading(response, Bytes::new());
        Ok(())
    }

    fn read_piece(&mut self, buffer: &mut [u8]) -> Result<usize, GitError> {
        if !matches!(self.state, State::Reading(..)) {
            self.finish()?;
        }
        let State::Reading(response, waiting) = &mut self.state else { return Err(self.out_of_turn()) };
        if waiting.is_empty() {
            let chunk = wait(&self.session, "the server to send", response.chunk())?;
            *waiting = chunk.map_err(|error| network_error(&self.session, &error))?.unwrap_or_default();
        }
        let piece = waiting.split_to(waiting.len().min(buffer.len()));
        buffer.get_mut(..piece.len()).unwrap_or_default().copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn out_of_turn(&self) -> GitError {
        GitError::Git { action: "speak to the remote", message: format!("{} out of turn", self.service) }
    }
}

impl Read for HttpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_piece(buffer).map_err(|error| self.session.leave(error))
    }
}

impl Write for HttpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.write_piece(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(self.session.leave(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
