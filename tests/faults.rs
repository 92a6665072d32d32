//! Conversations with registries that go wrong in every way we know, through the real client and real sockets, by seed: never a
//! short or wrong list taken for a whole one, never a hang, never a secret in what is said, never a request too many.
//!
//! `SUPERCARGO_LONG=1` runs all of them, 2,000 with the client and 500 with the program itself, which takes three minutes;
//! `SUPERCARGO_SEED=N` runs one. All went as they should on 2026-11-28.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod faults;
    pub mod generate;
    pub mod registry;
}

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::Value;
use supercargo::domain::reference::ImageName;
use supercargo::registry::{Client, ClientOptions, Keyring, ListRequest};
use support::faults::{self, Fault, Outcome, PACKED_SECRET, PASSWORD, SECRET, Script};
use tracing_subscriber::fmt::MakeWriter;

/// So many conversations by default, and with `SUPERCARGO_LONG=1`.
const SAMPLE: u64 = 150;
const LONG: u64 = 2_000;
/// More requests than this are no conversation.
const MOST: usize = 100;

/// Everything that is traced.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Traces {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn client(first_byte: Duration) -> Client {
    let brief = Duration::from_millis(1);
    Client::new(ClientOptions {
        pauses: [brief, brief],
        longest_pause: Duration::from_millis(50),
        first_byte_timeout: first_byte,
        next_byte_timeout: first_byte,
        connect_timeout: Duration::from_secs(5),
        max_reply: 1 << 20,
        total: 16,
        seed: Some(1),
        ..ClientOptions::default()
    })
    .unwrap()
}

fn shows_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains(SECRET) || text.contains(&PACKED_SECRET.to_lowercase())
}

/// The client of many conversations, each with a registry that it has not met.
struct Stranger {
    shared: Client,
    first_byte: Duration,
    /// Hosts and ports; the system gives the port of a server that has ended to another one.
    met: Mutex<HashSet<String>>,
}

impl Stranger {
    fn new(first_byte: Duration) -> Self {
        Self { shared: client(first_byte), first_byte, met: Mutex::default() }
    }

    /// A client that remembers nothing of `host`; `own` is where one for it alone is put, if need be.
    fn to<'c>(&'c self, host: &str, own: &'c mut Option<Client>) -> &'c Client {
        if self.met.lock().unwrap().insert(host.to_owned()) {
            return &self.shared;
        }
        own.insert(client(self.first_byte))
    }
}

/// Holds one conversation; what was wrong with it, if anything.
async fn converse(seed: u64, clients: &[Stranger; 2], thief: &str) -> Option<String> {
    let script = Script::new(seed);
    let (tags, expected) = (script.tags(), script.outcome());
    let (stranger, limit) = if script.takes_time() { (&clients[0], 1) } else { (&clients[1], 60) };
    let liar = script.clone().start(thief);
    let mut own = None;
    let client = stranger.to(&liar.host, &mut own);
    let image = ImageName::parse(&format!("{}/team/app", liar.host), false).unwrap();
    let mut keyring = Keyring::new();
    keyring.add_login("flags", None, "rita", PASSWORD.into());
    let timeout = Duration::from_secs(limit);
    let (begun, request) = (Instant::now(), ListRequest { image: &image, timeout, keyring: &keyring });
    let listed = client.list_tags(&request, |_| {}).await;

    let said = match &listed {
        Ok(listing) if listing.tags.iter().ne(tags.iter().map(String::as_str)) => {
            Some(format!("{} tags of {}", listing.tags.len(), tags.len()))
        }
        Ok(_) if expected == Outcome::Failure => Some("a list in spite of everything".to_owned()),
        Err(error) if expected == Outcome::Whole => Some(format!("no list: {error}")),
        _ => None,
    };
    let text = listed.as_ref().err().map_or_else(String::new, |error| {
        let problem = error.problem("edge/app");
        format!("{error} {error:?} {problem:?} {}", error.flux_text())
    });
    let late = begun.elapsed() > timeout + Duration::from_secs(20);
    let wrong = said
        .or_else(|| shows_secret(&text).then(|| format!("a secret in {text}")))
        .or_else(|| late.then(|| format!("{:?} for {limit} s", begun.elapsed())))
        .or_else(|| (liar.asked().len() > MOST).then(|| format!("{} requests", liar.asked().len())));
    wrong.map(|wrong| format!("seed {seed}: {wrong}\n    {script:?}"))
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_registry_does_a_list_is_whole_or_a_failure() {
    let traces = Traces::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    let subscriber = subscriber.with_env_filter("supercargo=trace").with_writer(traces.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let thief = faults::thief();
    let clients = [Stranger::new(Duration::from_millis(300)), Stranger::new(Duration::from_secs(30))];
    let seeds = match (setting("SUPERCARGO_SEED"), setting("SUPERCARGO_LONG")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(long)) if long > 0 => 0..LONG,
        _ => 0..SAMPLE,
    };
    let all = futures::stream::iter(seeds.clone()).map(|seed| converse(seed, &clients, &thief.host));
    let wrong: Vec<String> = all.buffer_unordered(16).filter_map(futures::future::ready).collect().await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seeds.count(), wrong.join("\n"));

    for asked in thief.asked() {
        let (line, is_known) = (asked.line.as_str(), ["GET /x", "GET /ask", "GET /pages", "GET /more"]);
        assert!(
            is_known.contains(&line) && asked.authorization.is_none(),
            "{line}: nothing of ours goes elsewhere"
        );
    }
    let traces = String::from_utf8_lossy(&traces.0.lock().unwrap()).into_owned();
    assert!(traces.contains("/v2/team/app/tags/list"), "the traces are looked at");
    assert!(!shows_secret(&traces), "a secret in the traces");
}

/// So many conversations of the program itself.
const OF_PROGRAM: usize = 24;
const LONG_OF_PROGRAM: usize = 500;

/// Everything below a folder, file by file.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.map(|path| {
        if path.is_dir() { files(&path) } else { vec![(path.clone(), std::fs::read(path).unwrap())] }
    });
    found.flatten().collect()
}

/// Has the program list the tags of a registry that goes wrong; what was wrong with that, if anything.
fn converse_with_program(seed: u64, thief: &str) -> Option<String> {
    let script = Script::new(seed);
    let (home, liar) = (tempfile::tempdir().unwrap(), script.clone().start(thief));
    let mut program = assert_cmd::Command::cargo_bin("supercargo").unwrap();
    program.current_dir(home.path()).env_clear().env("HOME", home.path()).timeout(Duration::from_mins(2));
    program.args(["get", "tags", "--image", &format!("{}/team/app", liar.host), "-o", "json"]);
    program.args(["--log-level", "trace", "--registry-username", "rita", "--registry-password-stdin"]);
    let output = program.write_stdin(PASSWORD).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let printed: Option<Vec<String>> = serde_json::from_str::<Value>(&out).ok().and_then(|list| {
        let tag = |item: &Value| item["tag"].as_str().map(str::to_owned);
        list["items"].as_array().map(|items| items.iter().filter_map(tag).collect())
    });
    let (mut expected, mut listed) = (script.tags(), printed.unwrap_or_default());
    expected.sort_unstable();
    listed.sort_unstable();
    let succeeded = output.status.code() == Some(0);
    let said = match (succeeded, script.outcome()) {
        (true, Outcome::Failure) => Some("a list in spite of everything".to_owned()),
        (true, _) if listed != expected => Some(format!("{} tags of {}", listed.len(), expected.len())),
        (false, Outcome::Whole) => Some(format!("no list: {:?}", output.status)),
        (false, _) if !listed.is_empty() => Some("a part of a list".to_owned()),
        (false, _) if !err.contains(r#""kind":"Problem""#) => Some("it does not say why".to_owned()),
        _ => None,
    };
    let shows = |bytes: &[u8]| shows_secret(&String::from_utf8_lossy(bytes));
    let leaks =
        [out.as_bytes(), err.as_bytes()].into_iter().any(shows).then(|| "a secret in a stream".to_owned());
    let kept = files(home.path()).into_iter().find(|(_, bytes)| shows(bytes));
    let wrong = said.or(leaks).or(kept.map(|(path, _)| format!("a secret in {}", path.display())));
    wrong.map(|wrong| format!("seed {seed}: {wrong}\n    {script:?}\n{out}\n{err}"))
}

#[test]
fn the_program_itself_prints_and_keeps_neither_a_part_of_a_list_nor_a_secret() {
    let many =
        if setting("SUPERCARGO_LONG").is_some_and(|long| long > 0) { LONG_OF_PROGRAM } else { OF_PROGRAM };
    let seeds = (0..LONG).filter(|seed| !Script::new(*seed).takes_time()).take(many);
    let (seeds, wrong) = (Mutex::new(seeds), Mutex::new(Vec::new()));
    let next = || seeds.lock().unwrap().next();
    let thief = faults::thief();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let found = converse_with_program(seed, &thief.host);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {many}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(thief.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[test]
fn both_ends_of_a_conversation_are_among_the_scripts() {
    let scripts: Vec<Script> = (0..SAMPLE).map(Script::new).collect();
    let whole = scripts.iter().filter(|script| script.outcome() == Outcome::Whole).count();
    assert!((30..120).contains(&whole), "{whole} of {SAMPLE} end well");
    assert!(scripts.iter().filter(|script| script.faults.len() > 1).count() > 30);
    let repeats =
        |script: &&Script| script.faults.iter().any(|(_, fault, times)| *fault == Fault::Echo && *times > 2);
    assert!(scripts.iter().filter(repeats).count() > 5, "servers that repeat what they were shown");
}
