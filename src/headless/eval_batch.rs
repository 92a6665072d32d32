//! `eval batch`: requests from standard input, answers to standard output, line by line.
//!
//! One thread reads, several evaluate, the caller's writes. Lines travel in small parcels; each parcel brings its own way
//! back, and the ways back are queued in the order of the input, so that answers keep it. What is under way is limited in
//! number and bytes: whoever is too fast waits.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::report;
use crate::bug;
use crate::cli::EvalBatchArgs;
use crate::domain::batch::{self, Answer};
use crate::problem::{Code, Problem};

use super::Streams;
use super::visible::visible;

/// The longest line, in bytes, its end not counted.
const MAX_LINE: usize = 64 << 20;
/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// The most lines of a parcel, so that a few long requests do not all go to one thread.
const MAX_LINES: usize = 32;
/// Bytes of requests under way; a single line may be longer.
const MAX_BYTES: usize = 32 << 20;
/// Parcels under way.
const MAX_PARCELS: usize = 256;
/// A request may nest; what is not used of a stack costs nothing.
const STACK: usize = 16 << 20;

/// Runs `eval batch` on the streams of this process and returns its exit status.
pub(super) fn run(args: &EvalBatchArgs, json: bool, streams: &mut Streams<'_>) -> u8 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    match pipe(io::stdin(), streams.out, args.strict, threads) {
        Ok(End::Input) => 0,
        Ok(End::Refusal) => 2,
        // Whoever read our answers has enough of them and needs no word about it.
        Err(Failure::Write(error)) if error.kind() == ErrorKind::BrokenPipe => 1,
        Err(failure) => {
            report(streams, json, &failure.problem());
            1
        }
    }
}

/// Why no more is answered.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// All was read and answered.
    Input,
    /// A request could not be understood, and that is one too many.
    Refusal,
}

#[derive(Debug)]
enum Failure {
    Read(io::Error),
    Write(io::Error),
    /// No thread could be had, or one is gone.
    Thread(io::Error),
}

impl Failure {
    fn problem(&self) -> Problem {
        let (subject, what, error) = match self {
            Self::Read(error) => ("standard input", "cannot be read", error),
            Self::Write(error) => ("standard output", "cannot be written", error),
            Self::Thread(error) => ("eval batch", "cannot go on", error),
        };
        Problem::new(Code::Storage, subject, what).caused_by(error)
    }
}

/// Answers every line of `input` on `output`.
fn pipe(
    input: impl Read + Send + 'static,
    output: &mut dyn Write,
    strict: bool,
    threads: usize,
) -> Result<End, Failure> {
    let (work, todo) = mpsc::sync_channel(MAX_PARCELS);
    let (ways, answers) = mpsc::sync_channel(MAX_PARCELS);
    let todo = Arc::new(Mutex::new(todo));
    let spawn = |work: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().stack_size(STACK).spawn(work).map_err(Failure::Thread)
    };
    for _ in 0..threads {
        let todo = Arc::clone(&todo);
        spawn(Box::new(move || evaluate(&todo, strict)))?;
    }
    let budget = Arc::new(Budget::default());
    let mut reader = Reader { work, ways, budget: Arc::clone(&budget), parcel: Parcel::default() };
    spawn(Box::new(move || reader.read(input)))?;
    // Threads are not waited for: the reader may sit in a read that never ends.
    write(&answers, output, &budget)
}

/// Lines that are worked on together.
#[derive(Default)]
struct Parcel {
    /// `None` for a line that was too long.
    lines: Vec<Option<Vec<u8>>>,
    bytes: usize,
}

/// A parcel and its way back.
struct Job {
    parcel: Parcel,
    done: SyncSender<Done>,
}

/// The answers to a parcel.
struct Done {
    text: Vec<u8>,
    /// How much of the budget is free again.
    bytes: usize,
    /// Whether the last answer is a refusal that ends it all.
    refused: bool,
}

/// How many bytes are under way.
#[derive(Default)]
struct Budget {
    spent: Mutex<usize>,
    less: Condvar,
}

impl Budget {
    /// Waits until `bytes` fit, or nothing else is under way.
    fn spend(&self, bytes: usize) {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |spent: &mut usize| *spent > 0 && *spent + bytes > MAX_BYTES;
        *self.less.wait_while(spent, full).unwrap_or_else(PoisonError::into_inner) += bytes;
    }

    fn free(&self, bytes: usize) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.less.notify_one();
    }
}

/// The next answers, or why there are no more.
type Way = Result<Receiver<Done>, io::Error>;

struct Reader {
    work: SyncSender<Job>,
    ways: SyncSender<Way>,
    budget: Arc<Budget>,
    parcel: Parcel,
}

/// Nobody wants answers any more.
struct Gone;

impl Reader {
    /// Reads to the end of `input`, or until nobody wants answers any more.
    fn read(&mut self, mut input: impl Read) {
        if let Err(error) = self.split(&mut input) {
            // The writer may be gone, which ends it as well.
            let _ = self.ways.send(Err(error));
        }
    }

    fn split(&mut self, input: &mut impl Read) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut line = Line::default();
        loop {
            let length = match input.read(&mut chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut pieces = chunk.get(..length).unwrap_or_default().split(|byte| *byte == b'\n').peekable();
            while let Some(piece) = pieces.next() {
                line.add(piece);
                // What follows the last line end is continued by the next chunk, if there is one.
                if (length == 0 || pieces.peek().is_some()) && self.add(line.take()).is_err() {
                    return Ok(());
                }
            }
            // What is complete does not wait for more.
            if self.send().is_err() || length == 0 {
                return Ok(());
            }
        }
    }

    fn add(&mut self, line: Option<Vec<u8>>) -> Result<(), Gone> {
        if line.as_ref().is_some_and(|line| line.trim_ascii().is_empty()) {
            return Ok(());
        }
        self.parcel.bytes += line.as_ref().map_or(0, Vec::len);
        self.parcel.lines.push(line);
        if self.parcel.lines.len() < MAX_LINES && self.parcel.bytes < CHUNK { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), Gone> {
        let parcel = std::mem::take(&mut self.parcel);
        if parcel.lines.is_empty() {
            return Ok(());
        }
        self.budget.spend(parcel.bytes);
        let (done, way) = mpsc::sync_channel(1);
        self.ways.send(Ok(way)).map_err(|_unsent| Gone)?;
        self.work.send(Job { parcel, done }).map_err(|_unsent| Gone)
    }
}

/// A line as it comes in.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Line {
    fn add(&mut self, piece: &[u8]) {
        if self.too_long || self.bytes.len() + piece.len() > MAX_LINE {
            *self = Self { bytes: Vec::new(), too_long: true };
        } else {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// The line, `None` if it was too long; what comes next is another.
    fn take(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(self);
        (!line.too_long).then_some(line.bytes)
    }
}

/// Evaluates parcels until there are no more.
fn evaluate(todo: &Mutex<Receiver<Job>>, strict: bool) {
    loop {
        let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { parcel, done }) = next else { return };
        // The writer may be gone; then the reader ends soon, and so does this.
        let _ = done.send(answers(parcel, strict));
    }
}

fn answers(parcel: Parcel, strict: bool) -> Done {
    let mut done = Done { text: Vec::new(), bytes: parcel.bytes, refused: false };
    for line in parcel.lines {
        let Answer { text, understood } = match line {
            Some(line) => bug::caught(|| batch::answer(&line)).unwrap_or_else(|bug| {
                let causes = bug.causes.join(", ");
                Answer::refusal(None, &format!("{}: {causes}", bug.message))
            }),
            None => Answer::refusal(None, &format!("the line is longer than {MAX_LINE} bytes")),
        };
        done.text.extend_from_slice(visible(&text).as_bytes());
        done.text.push(b'\n');
        if strict && !understood {
            done.refused = true;
            break;
        }
    }
    done
}

/// Writes answers in their order; whenever the next one is not there yet, what is written goes out.
fn write(answers: &Receiver<Way>, output: &mut dyn Write, budget: &Budget) -> Result<End, Failure> {
    loop {
        let way = match next(answers, output)? {
            Some(Ok(way)) => way,
            Some(Err(error)) => return Err(Failure::Read(error)),
            None => return Ok(End::Input),
        };
        let Some(done) = next(&way, output)? else {
            return Err(Failure::Thread(io::Error::other("a worker is gone")));
        };
        output.write_all(&done.text).map_err(Failure::Write)?;
        if done.refused {
            output.flush().map_err(Failure::Write)?;
            return Ok(End::Refusal);
        }
        budget.free(done.bytes);
    }
}

/// What comes next, `None` if nothing does; `output` is flushed before there is any waiting.
fn next<T>(from: &Receiver<T>, output: &mut dyn Write) -> Result<Option<T>, Failure> {
    match from.try_recv() {
        Ok(item) => Ok(Some(item)),
        Err(TryRecvError::Empty) => {
            output.flush().map_err(Failure::Write)?;
            Ok(from.recv().ok())
        }
        Err(TryRecvError::Disconnected) => output.flush().map_err(Failure::Write).map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: impl Read + Send + 'static, strict: bool) -> (Result<End, Failure>, String) {
        let mut output = Vec::new();
        let end = pipe(input, &mut output, strict, 2);
        (end, String::from_utf8(output).unwrap())
    }

    fn request(id: usize) -> String {
        format!(r#"{{"id":{id},"op":"semver","range":"1","versions":["1.0.{id}"]}}"#)
    }

    fn answer(id: usize) -> String {
        format!("{{\"id\":{id},\"error\":null,\"results\":[true]}}\n")
    }

    /// Gives one byte more than it gave before, so that lines are cut everywhere.
    struct Dribble(Vec<u8>, usize);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            self.1 = self.1 % 700 + 1;
            Ok(length)
        }
    }

    #[test]
    fn answers_come_in_the_order_of_the_requests_however_they_arrive() {
        let requests: String = (0..2000).map(|id| request(id) + ["\n", "\r\n", "\n \n\n"][id % 3]).collect();
        let expected: String = (0..2000).map(answer).collect();
        for start in [1, 500] {
            let (end, output) = run(Dribble(requests.trim_end().into(), start), false);
            assert_eq!(end.unwrap(), End::Input);
            assert_eq!(output, expected);
        }
        assert_eq!(run(io::Cursor::new(requests), true).1, expected);
    }

    #[test]
    fn no_input_is_no_output() {
        for input in ["", "\n", " \n\t\r\n"] {
            let (end, output) = run(input.as_bytes(), true);
            assert_eq!((end.unwrap(), output.as_str()), (End::Input, ""));
        }
    }

    #[test]
    fn a_refusal_ends_a_strict_run_and_no_other() {
        let requests = format!("{}\n{{}}\n{}\n", request(1), request(2));
        let refusal = "{\"request_error\":\"op: missing\"}\n";
        let (end, output) = run(io::Cursor::new(requests.clone()), false);
        assert_eq!((end.unwrap(), output), (End::Input, format!("{}{refusal}{}", answer(1), answer(2))));
        let (end, output) = run(io::Cursor::new(requests), true);
        assert_eq!((end.unwrap(), output), (End::Refusal, format!("{}{refusal}", answer(1))));
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_the_rest_goes_on() {
        // Blanks around a request belong to its line.
        let padded = |length: usize| {
            let blanks = u64::try_from(length - request(1).len()).unwrap();
            io::repeat(b' ').take(blanks).chain(io::Cursor::new(request(1) + "\n"))
        };
        let input = padded(MAX_LINE).chain(padded(MAX_LINE + 1)).chain(io::Cursor::new(request(2)));
        let (end, output) = run(input, false);
        end.unwrap();
        let refusal = "{\"request_error\":\"the line is longer than 67108864 bytes\"}\n";
        assert_eq!(output, format!("{}{refusal}{}", answer(1), answer(2)));
    }

    /// Shows what was written, one flush at a time.
    struct Flushes(mpsc::Sender<Vec<u8>>, Vec<u8>);

    impl Write for Flushes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            if !self.1.is_empty() {
                self.0.send(std::mem::take(&mut self.1)).map_err(io::Error::other)?;
            }
            Ok(())
        }
    }

    #[test]
    fn an_answer_does_not_wait_for_the_next_request() {
        let (input, mut requests) = io::pipe().unwrap();
        let (sender, flushed) = mpsc::channel();
        let worker = thread::spawn(move || pipe(input, &mut Flushes(sender, Vec::new()), false, 2));
        for id in 0..50 {
            writeln!(requests, "{}", request(id)).unwrap();
            assert_eq!(String::from_utf8(flushed.recv().unwrap()).unwrap(), answer(id));
        }
        drop(requests);
        assert_eq!(worker.join().unwrap().unwrap(), End::Input);
    }

    #[test]
    fn what_was_read_before_a_failure_is_answered() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let (end, output) = run(io::Cursor::new(request(1) + "\n{").chain(Broken), false);
        assert!(matches!(end, Err(Failure::Read(_))));
        assert_eq!(output, answer(1));
    }

    #[test]
    fn a_reader_that_goes_away_ends_it() {
        let (reader, mut output) = io::pipe().unwrap();
        drop(reader);
        let endless = io::repeat(b'\n').take(1 << 20).chain(io::Cursor::new(request(1) + "\n"));
        let end = pipe(endless, &mut output, false, 2);
        assert!(matches!(end, Err(Failure::Write(error)) if error.kind() == ErrorKind::BrokenPipe));
    }
}
