//! The reference program of `scripts/reference`, built with Go where Go is at hand.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};

use serde_json::Value;
use supercargo::domain::batch;

use super::generate::Random;
use super::programs;

/// So many cases by default, and with `SUPERCARGO_LONG=1`.
const SAMPLE: usize = 3_000;
const LONG: usize = 100_000;
/// Requests that may be under way.
const OPEN: usize = 256;
/// More differences than these are only counted.
const SHOWN: usize = 20;

/// The program, built once a run; `None` where Go is not installed, which is said aloud.
pub fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    // Where a system-wide installation of Go lies.
    let usual = Some(PathBuf::from("/usr/local/go/bin/go")).filter(|go| go.is_file());
    let Some(go) = programs::find("go").or(usual) else {
        say("skipped: go is not installed; nothing was compared with Flux's own libraries");
        return None;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/reference");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reference");
    let run = |go: &mut Command| go.current_dir(&folder).output().unwrap();
    let modules = run(Command::new(&go).args(["mod", "download"]));
    if !modules.status.success() {
        // An older Go, or no way to the modules: nothing that a change of ours could mend.
        let why = String::from_utf8_lossy(&modules.stderr).into_owned();
        say(&format!("skipped: go has no modules; nothing was compared with Flux's own libraries: {why}"));
        return None;
    }
    let build = run(Command::new(&go).args(["build", "-o"]).arg(&program).arg("."));
    assert!(build.status.success(), "go build: {}", String::from_utf8_lossy(&build.stderr));
    Some(program)
}

/// Says something past the test harness, which keeps what a passing test prints to itself.
pub fn say(text: &str) {
    // Nobody is there to hear it: then it need not be said.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// Puts requests that `make` makes up to the program and to `eval batch`, and compares the answers.
///
/// `SUPERCARGO_LONG=1` asks for many more of them, `SUPERCARGO_SEED` for others, `SUPERCARGO_CASES` for so many.
pub fn compare(op: &str, make: fn(&mut Random) -> Value) {
    compare_with(op, make, |asked| {
        serde_json::from_str(&batch::answer(asked.to_string().as_bytes()).text).unwrap()
    });
}

/// The same for what `eval batch` does not answer, with what does.
pub fn compare_with(op: &str, make: fn(&mut Random) -> Value, ours: fn(&Value) -> Value) {
    compare_by(op, make, |asked, theirs| {
        let ours = ours(asked);
        (ours != *theirs).then(|| format!("ours {ours}"))
    });
}

/// How our errors end where a template is more than we do.
const TOO_MUCH: [&str; 6] = [
    "needs too much work",
    "text longer than 1048576 bytes",
    "message longer than 1048576 bytes",
    "list longer than 100000 items",
    "exceeded maximum template depth (150)",
    "exceeded maximum nesting of values (100)",
];

/// How our errors end where a function or method is left out on purpose; `docs/differences.md` lists them.
const LEFT_OUT: &str = "this function is not supported by supercargo";

/// How our errors end where Go's `slice` may reach behind a list's end.
const BEHIND: &str = "reflect.Value.Slice: slice index out of bounds";

/// The operation of which the generator makes requests that the reference has no room or patience for.
const MAY_BE_TOO_BIG: &str = "template";

/// How our errors say that this computer had no room to read a pattern, which is nothing about the pattern.
const NOT_READ: &str = "the pattern was not read: ";

/// Why an answer of the reference is none, if it is none. It is then no difference, nor is it agreement.
pub fn missing(op: &str, theirs: &Value) -> Option<String> {
    let too_big = theirs["too_big"].as_str().filter(|_| op != MAY_BE_TOO_BIG);
    let why = theirs["lost"].as_str().or(too_big)?;
    Some(format!("the reference gives none: {why}"))
}

/// What differs in the answers to a template. One that is too much for the reference's memory or patience must be so for us;
/// one that is too much for us alone makes a longer message than we make. What we leave out on purpose is no difference.
pub fn difference_of_messages(asked: &Value, theirs: &Value) -> Option<String> {
    let ours: Value = serde_json::from_str(&batch::answer(asked.to_string().as_bytes()).text).unwrap();
    let is_too_much =
        ours["error"].as_str().is_some_and(|error| TOO_MUCH.iter().any(|end| error.ends_with(end)));
    let is_left_out = ours["error"].as_str().is_some_and(|error| error.ends_with(LEFT_OUT));
    let is_long = theirs["message"].as_str().is_some_and(|message| message.len() > 1 << 20);
    // Behind the end of a slice Go finds what its room happens to hold.
    let is_behind =
        theirs["error"].is_null() && ours["error"].as_str().is_some_and(|error| error.ends_with(BEHIND));
    let is_same = || ours == *theirs || differ_in_addresses_alone(&ours["message"], &theirs["message"]);
    let agreed =
        if is_too_big(theirs) || is_long { is_too_much } else { is_left_out || is_behind || is_same() };
    (!agreed).then(|| format!("ours {ours}"))
}

/// Our address as verbs print it.
const ADDRESSES: [&str; 5] = [
    "c000000000",
    "C000000000",
    "824633720832",
    "14000000000000",
    "1100000000000000000000000000000000000000",
];

/// The same where `printf` may show addresses in any form: in such a message they are as long as chance makes them, and so is
/// what stands around them.
pub fn difference_of_formats(asked: &Value, theirs: &Value) -> Option<String> {
    let difference = difference_of_messages(asked, theirs)?;
    (!ADDRESSES.iter().any(|address| difference.contains(address))).then_some(difference)
}

/// Our address in hexadecimal, decimal and binary, and what Go's may be in its place, which is chance.
const CHANCE: [(&str, &str); 3] = [
    ("0xc000000000", "0x[0-9a-f]{7,12}"),
    ("824633720832", "[0-9]{11,16}"),
    ("1100000000000000000000000000000000000000", "[01]{27,48}"),
];

/// Whether two messages are the same but for addresses. What stands beside one may read like a part of it.
fn differ_in_addresses_alone(ours: &Value, theirs: &Value) -> bool {
    let (Some(ours), Some(theirs)) = (ours.as_str(), theirs.as_str()) else { return false };
    let has_address = CHANCE.iter().any(|(own, _)| ours.contains(own));
    let escaped = regex::escape(ours);
    let pattern = CHANCE.iter().fold(escaped, |pattern, (own, any)| pattern.replace(own, any));
    has_address && regex::Regex::new(&format!("^{pattern}$")).is_ok_and(|pattern| pattern.is_match(theirs))
}

/// Whether the reference gave up.
fn is_too_big(theirs: &Value) -> bool {
    theirs["too_big"].is_string()
}

/// The same for answers that need not be equal: `difference` says in what way an answer of the reference is not ours.
pub fn compare_by(
    op: &str,
    make: fn(&mut Random) -> Value,
    difference: impl Fn(&Value, &Value) -> Option<String>,
) {
    let Some(program) = program() else { return };
    let (cases, seed) = extent();
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (put, open) = mpsc::sync_channel(OPEN);
    let writer = std::thread::spawn(move || {
        for case in 0..cases {
            let asked = made(make, seed, case);
            let line = format!("{asked}\n");
            // Nobody listens where the comparison has failed already.
            if put.send(asked).is_err() || stdin.write_all(line.as_bytes()).is_err() {
                break;
            }
        }
    });
    let mut report = Report::default();
    for (case, line) in BufReader::new(stdout).lines().enumerate() {
        let theirs = read(case, line);
        let asked = open.recv().unwrap();
        match missing(op, &theirs) {
            Some(why) => report.miss(case, &asked, &why),
            None => report.add(case, &asked, difference(&asked, &theirs), &theirs),
        }
    }
    writer.join().unwrap();
    let status = child.wait().unwrap();
    let answered = report.compared + report.missed.len();
    assert!(
        status.success() && answered == cases,
        "the reference ended with {status} after {answered} of {cases} answers"
    );
    say(&format!(
        "{op}: {cases} cases with seed {seed} compared with the reference, {} of them errors, {} too big for it, \
         {} differences",
        report.errors, report.too_big, report.differences
    ));
    report.settle();
}

/// A line of the reference's answers.
fn read(case: usize, line: std::io::Result<String>) -> Value {
    let line = line.unwrap_or_else(|error| panic!("case {case}: the reference cannot be read: {error}"));
    serde_json::from_str(&line)
        .unwrap_or_else(|error| panic!("case {case}: the reference broke off: {error}: {line}"))
}

/// How many cases, and the seed.
fn extent() -> (usize, u64) {
    let long = setting("SUPERCARGO_LONG").is_some_and(|value| value > 0);
    let cases = setting("SUPERCARGO_CASES").map(|cases| usize::try_from(cases).unwrap());
    (cases.unwrap_or(if long { LONG } else { SAMPLE }), setting("SUPERCARGO_SEED").unwrap_or(1))
}

/// The request of a case. The seeds of neighbours are unlike, so that it can be made again by its number alone.
fn made(make: fn(&mut Random) -> Value, seed: u64, case: usize) -> Value {
    make(&mut Random::new(Random::new(seed << 32 | case as u64).next()))
}

/// The requests that [`compare`] would put.
pub fn requests(make: fn(&mut Random) -> Value) -> Vec<Value> {
    let (cases, seed) = extent();
    (0..cases).map(|case| made(make, seed, case)).collect()
}

/// The program's answers to `requests`, in order; `None` where Go is not installed.
pub fn answers(requests: Vec<Value>) -> Option<Vec<Value>> {
    let mut child = Command::new(program()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        for request in requests {
            writeln!(stdin, "{request}").unwrap();
        }
    });
    let lines = BufReader::new(stdout).lines().enumerate();
    let answers: Vec<Value> = lines.map(|(case, line)| read(case, line)).collect();
    writer.join().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "the reference ended with {status} after {} answers", answers.len());
    for answer in &answers {
        assert_eq!(missing("", answer), None);
    }
    Some(answers)
}

#[derive(Default)]
struct Report {
    compared: usize,
    errors: usize,
    too_big: usize,
    differences: usize,
    shown: Vec<String>,
    /// Cases that were not compared, as one of the two had no answer for a reason that is not the case's.
    missed: Vec<String>,
}

impl Report {
    fn add(&mut self, case: usize, asked: &Value, difference: Option<String>, theirs: &Value) {
        if let Some(ours) = difference.as_ref().filter(|ours| ours.contains(NOT_READ)) {
            return self.miss(case, asked, ours);
        }
        self.compared += 1;
        self.errors += usize::from(!theirs["error"].is_null());
        self.too_big += usize::from(is_too_big(theirs));
        if let Some(difference) = difference {
            self.differences += 1;
            if self.shown.len() < SHOWN {
                self.shown.push(format!("case {case}: {asked}\n    {difference}\n    flux {theirs}"));
            }
        }
    }
    fn miss(&mut self, case: usize, asked: &Value, why: &str) {
        self.missed.push(format!("case {case}: {why}: {asked}"));
    }

    /// Fails if anything differs; and, in other words, if anything could not be compared.
    fn settle(&self) {
        assert!(self.differences == 0, "{} differ:\n{}", self.differences, self.shown.join("\n"));
        let missed = self.missed.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(
            self.missed.is_empty(),
            "none differ, but {} were not compared, for reasons of this computer:\n{missed}",
            self.missed.len()
        );
    }
}
