//! Registries that go wrong: for each seed one script of what a server says at which step, and what may come of it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![allow(unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use super::generate::Random;
use super::registry::{Asked, Liar, Say, base64};

/// What is in every secret of these tests, and must never be seen.
pub const SECRET: &str = "hunter2";
const USER: &str = "rita";
/// The same in the header of basic authentication.
pub const PACKED_SECRET: &str = "cml0YTpodW50ZXIyLXBhc3N3b3Jk";
pub const PASSWORD: &str = "hunter2-password";
const TOKEN: &str = "hunter2.token";

/// What the registry wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    Password,
    Token,
}

/// A step of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Door,
    Token,
    Page(usize),
}

/// What the server does instead of what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    // What may pass.
    Status(&'static str),
    Reset,
    CutBody,
    CutChunks,
    TooMuchPromised,
    // What is an answer, and the wrong one.
    Forbidden,
    Unauthorized,
    NotFound,
    RedirectRing,
    RedirectElsewhere,
    /// To a server that wants a login too.
    RedirectToAsk,
    /// To a server whose page leads to another page of its own.
    RedirectToPages,
    LimitedForLong,
    Html,
    Nonsense,
    CutJson,
    Numbers,
    Twice,
    Errors,
    TooLittlePromised,
    Bomb,
    BrokenGzip,
    Endless,
    Silence,
    Stall,
    Drip,
    LinkRing,
    LinkElsewhere,
    LinkBroken,
    LinkOtherScheme,
    EmptyToken,
    Echo,
    /// The same in a header, where `{}` stands in this line.
    EchoIn(&'static str, &'static str),
}

const MOVED: &str = "307 Temporary Redirect";

/// Faults that pass if they come less than three times.
const PASSING: &[Fault] = &[
    Fault::Status("500 Internal Server Error"),
    Fault::Status("502 Bad Gateway"),
    Fault::Status("503 Service Unavailable"),
    Fault::Status("429 Too Many Requests"),
    Fault::Status("408 Request Timeout"),
    Fault::Reset,
    Fault::CutBody,
    Fault::CutChunks,
    Fault::TooMuchPromised,
    Fault::Echo,
    Fault::Echo,
    Fault::Echo,
];

/// Faults that end a listing wherever they come.
const FINAL: &[Fault] = &[
    Fault::Forbidden,
    Fault::Unauthorized,
    Fault::NotFound,
    Fault::RedirectRing,
    Fault::RedirectElsewhere,
    Fault::RedirectToAsk,
    Fault::LimitedForLong,
    Fault::EchoIn(MOVED, "Location: /echo/{}"),
    Fault::EchoIn("401 Unauthorized", "WWW-Authenticate: Bearer realm=\"gopher://{}/\",service=\"faults\""),
    Fault::Bomb,
    Fault::BrokenGzip,
    Fault::Endless,
    Fault::Silence,
    Fault::Stall,
    Fault::Drip,
];

/// Faults of a page.
const OF_PAGES: &[Fault] = &[
    Fault::Html,
    Fault::Nonsense,
    Fault::CutJson,
    Fault::Numbers,
    Fault::Twice,
    Fault::Errors,
    Fault::TooLittlePromised,
    Fault::RedirectToPages,
    Fault::EchoIn("206 Partial Content", "Content-Range: bytes 0-9/100"),
    Fault::EchoIn("200 OK", "Link: {}"),
    Fault::EchoIn("200 OK", "Link: <http://{}.example.com/v2/>; rel=\"next\""),
    Fault::LinkRing,
    Fault::LinkElsewhere,
    Fault::LinkBroken,
    Fault::LinkOtherScheme,
];

/// Faults of a token service.
const OF_TOKENS: &[Fault] = &[Fault::Html, Fault::Nonsense, Fault::CutJson, Fault::Errors, Fault::EmptyToken];

/// What may come of a script. A list that comes must be whole in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Whole,
    Failure,
}

/// What a server does, by a seed.
#[derive(Debug, Clone)]
pub struct Script {
    pub access: Access,
    /// In the order in which they are sent: unsorted, some twice, some that are no tags.
    pub pages: Vec<Vec<String>>,
    absolute: bool,
    packed: bool,
    chunked: bool,
    /// Where what goes wrong, and how often; more often than anybody asks is for ever.
    pub faults: Vec<(Step, Fault, usize)>,
}

impl Script {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(Random::new(seed).next());
        let access = random.pick(&[Access::Open, Access::Password, Access::Token, Access::Token]);
        let pages = random.several(1, 5, |random| random.several(0, 8, tag));
        let (absolute, packed, chunked) = (random.one_in(2), random.one_in(3), random.one_in(3));
        let mut script = Self { access, pages, absolute, packed, chunked, faults: Vec::new() };
        for _ in 0..=random.below(3) {
            let fault = script.fault(&mut random);
            // One thing at a time in one place.
            if script.faults.iter().all(|(step, ..)| *step != fault.0) {
                script.faults.push(fault);
            }
        }
        script
    }

    fn fault(&self, random: &mut Random) -> (Step, Fault, usize) {
        let page = Step::Page(random.below(self.pages.len()));
        let step = match (random.below(5), self.access) {
            (0, _) => Step::Door,
            (1, Access::Token) => Step::Token,
            _ => page,
        };
        let own: &[Fault] = match step {
            Step::Door => &[],
            Step::Token => OF_TOKENS,
            Step::Page(_) => OF_PAGES,
        };
        let wrong = random.one_in(2);
        let choices = [if wrong { FINAL } else { PASSING }, if wrong { own } else { &[] }].concat();
        let times = if wrong || random.one_in(3) { usize::MAX } else { 1 + random.below(2) };
        (step, random.pick(&choices), times)
    }

    /// Whether it is about time, so that little should be given.
    pub fn takes_time(&self) -> bool {
        let slow = [Fault::Silence, Fault::Stall, Fault::Drip];
        self.faults.iter().any(|(_, fault, _)| slow.contains(fault))
    }

    pub fn outcome(&self) -> Outcome {
        let lasts = |(step, fault, times): &(Step, Fault, usize)| {
            *times == usize::MAX && !self.is_harmless(*step, *fault)
        };
        if self.faults.iter().any(lasts) { Outcome::Failure } else { Outcome::Whole }
    }

    fn is_harmless(&self, step: Step, fault: Fault) -> bool {
        match (step, fault) {
            // What it wants is told again where it is needed.
            (Step::Door, Fault::Unauthorized) => true,
            // Of a refusal no more is read than is of use.
            (Step::Door, Fault::Bomb) => self.access != Access::Open,
            _ => false,
        }
    }

    /// All tags, as a list has them: in descending byte order, with duplicates.
    pub fn tags(&self) -> Vec<String> {
        let mut all: Vec<String> = self.pages.concat();
        all.sort_by(|a, b| b.cmp(a));
        all
    }

    pub fn start(self, thief: &str) -> Liar {
        let (address, thief) = (Arc::new(OnceLock::<String>::new()), thief.to_owned());
        let own = Arc::clone(&address);
        let liar = Liar::start(move |asked, before| self.answer(asked, before, own.get().unwrap(), &thief));
        address.set(liar.host.clone()).unwrap();
        liar
    }

    fn answer(&self, asked: &Asked, before: usize, host: &str, thief: &str) -> Say {
        if asked.line.contains("/echo/") {
            return Say::status("404 Not Found");
        }
        let step = step_of(&asked.line, self.pages.len());
        let fault = self.faults.iter().find(|(at, _, times)| *at == step && before < *times);
        let right = self.right(asked, step, host);
        match fault {
            Some((_, fault, _)) => wrong(*fault, &right, asked, step, host, thief),
            None => self.dressed(right),
        }
    }

    /// What an honest server says.
    fn right(&self, asked: &Asked, step: Step, host: &str) -> Say {
        let shown = asked.authorization.as_deref();
        let basic = format!("Basic {}", base64(format!("{USER}:{PASSWORD}")));
        let lets_in = match self.access {
            Access::Open => true,
            Access::Password => shown == Some(&basic),
            Access::Token => shown == Some(&format!("Bearer {TOKEN}")),
        };
        match step {
            Step::Token if shown == Some(&basic) => {
                Say::json(format!(r#"{{"token":"{TOKEN}","expires_in":300}}"#))
            }
            Step::Token => Say::json(r#"{"token":"nobody"}"#),
            _ if !lets_in => {
                let challenge = match self.access {
                    Access::Token => format!("Bearer realm=\"http://{host}/token\",service=\"faults\""),
                    _ => "Basic realm=\"faults\"".to_owned(),
                };
                Say::status("401 Unauthorized").with(&format!("WWW-Authenticate: {challenge}"))
            }
            Step::Door => Say::json("{}"),
            Step::Page(page) => self.page(page, host),
        }
    }

    fn page(&self, page: usize, host: &str) -> Say {
        let body = serde_json::json!({ "name": "team/app", "tags": self.pages[page] }).to_string();
        let say = Say::json(body);
        if page + 1 == self.pages.len() {
            return say;
        }
        let origin = if self.absolute { format!("http://{host}") } else { String::new() };
        say.with(&format!("Link: <{origin}/v2/team/app/tags/list?n=1000&last={}>; rel=\"next\"", page + 1))
    }

    /// The same answer, packed or in pieces.
    fn dressed(&self, say: Say) -> Say {
        match say {
            Say::Answer(status, lines, body) if self.packed && !body.is_empty() => {
                Say::Answer(status, format!("{lines}Content-Encoding: gzip\r\n"), gzip(&body))
            }
            Say::Answer(status, lines, body) if self.chunked => {
                let mut bytes = head(status, &lines, "Transfer-Encoding: chunked");
                for piece in body.chunks(7) {
                    bytes.extend([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
                }
                bytes.extend(b"0\r\n\r\n");
                Say::Raw(bytes)
            }
            other => other,
        }
    }
}

fn tag(random: &mut Random) -> String {
    match random.below(8) {
        0 => random.text("a/b:\u{1b}\"\\ü {}", 6),
        1 => "1.0.0".to_owned(),
        _ => format!("{}.{}.{}", random.below(4), random.below(20), random.below(20)),
    }
}

fn step_of(line: &str, pages: usize) -> Step {
    if line.contains("/token") {
        return Step::Token;
    }
    if !line.contains("tags/list") {
        return Step::Door;
    }
    let page = line.split_once("last=").and_then(|(_, page)| page.parse().ok()).unwrap_or(0);
    Step::Page(usize::min(page, pages - 1))
}

/// The fault, made of what would be right.
fn wrong(fault: Fault, right: &Say, asked: &Asked, step: Step, host: &str, thief: &str) -> Say {
    let (status, lines, body) = match right {
        Say::Answer(status, lines, body) => (*status, lines.clone(), body.clone()),
        _ => ("200 OK", String::new(), Vec::new()),
    };
    let padded = [body.as_slice(), b"        "].concat();
    let next = |target: &str| Say::tags(&["1"]).with(&format!("Link: <{target}>; rel=\"next\""));
    match fault {
        Fault::Status(status) => Say::status(status),
        Fault::Reset => Say::Raw(Vec::new()),
        Fault::CutBody => Say::Raw(raw(status, &lines, &format!("Content-Length: {}", padded.len()), &body)),
        Fault::TooMuchPromised => Say::Raw(raw(status, &lines, "Content-Length: 100000", &body)),
        Fault::CutChunks => Say::Raw(raw(status, &lines, "Transfer-Encoding: chunked", b"5\r\n{\"tag")),
        Fault::Forbidden => Say::status("403 Forbidden"),
        Fault::Unauthorized => Say::status("401 Unauthorized"),
        Fault::NotFound => Say::status("404 Not Found"),
        Fault::RedirectRing => {
            let path = asked.line.split_once(' ').map_or("/", |(_, path)| path);
            Say::status("307 Temporary Redirect").with(&format!("Location: {path}"))
        }
        Fault::RedirectElsewhere => {
            Say::status("307 Temporary Redirect").with(&format!("Location: http://{thief}/x"))
        }
        Fault::RedirectToAsk => Say::status(MOVED).with(&format!("Location: http://{thief}/ask")),
        Fault::RedirectToPages => Say::status(MOVED).with(&format!("Location: http://{thief}/pages")),
        Fault::LimitedForLong => Say::status("429 Too Many Requests").with("Retry-After: 3600"),
        Fault::Html => Say::json("<!doctype html><title>log in</title>"),
        Fault::Nonsense => Say::json(r#""tags""#),
        Fault::CutJson => {
            Say::json(String::from_utf8_lossy(&body[..body.len().saturating_sub(2)]).into_owned())
        }
        Fault::Numbers => Say::json(r#"{"tags":["1",2]}"#),
        Fault::Twice => Say::json(r#"{"tags":["1"],"tags":["2"]}"#),
        Fault::Errors => Say::json(r#"{"errors":[{"code":"DENIED","message":"no"}]}"#),
        Fault::TooLittlePromised => {
            Say::Raw(raw("200 OK", &lines, "Content-Length: 5", b"{\"tags\":[\"1\"]}"))
        }
        Fault::Bomb => Say::Answer(status, format!("{lines}Content-Encoding: gzip\r\n"), bomb().to_vec()),
        Fault::BrokenGzip => {
            Say::Answer(status, format!("{lines}Content-Encoding: gzip\r\n"), b"\x1f\x8b\x08no gzip".to_vec())
        }
        Fault::Endless => Say::Endless,
        Fault::Silence => Say::Stall(Vec::new()),
        Fault::Stall => Say::Stall(raw(status, &lines, "Content-Length: 9", b"{\"t")),
        Fault::Drip => Say::Drip(raw("200 OK", &lines, "Content-Length: 99999", &[b' '; 3000])),
        Fault::LinkRing => next(asked.line.split_once(' ').map_or("/", |(_, path)| path)),
        Fault::LinkElsewhere => next(&format!("http://{thief}/v2/team/app/tags/list")),
        Fault::LinkOtherScheme => next(&format!("https://{host}/v2/team/app/tags/list?n=1000")),
        Fault::LinkBroken => Say::tags(&["1"]).with("Link: /v2/team/app/tags/list"),
        Fault::EmptyToken => Say::json(r#"{"token":""}"#),
        Fault::Echo => {
            let shown = asked.authorization.as_deref().unwrap_or_default();
            // As it came, and as whoever debugs a registry would print it.
            let text = format!(
                "{} {} at {step:?}: {shown} {}",
                asked.line,
                asked.body,
                unpacked(shown).unwrap_or_default()
            );
            Say::Answer("500 Internal Server Error", String::new(), text.into_bytes())
        }
        Fault::EchoIn(status, line) => {
            let shown = asked.authorization.as_deref().unwrap_or("nobody");
            let password =
                unpacked(shown).and_then(|pair| pair.split_once(':').map(|(_, word)| word.to_owned()));
            let token = shown.split_once(' ').map_or(shown, |(_, token)| token).to_owned();
            Say::Answer(status, String::new(), body).with(&line.replace("{}", &password.unwrap_or(token)))
        }
    }
}

/// User and password of basic authentication.
fn unpacked(shown: &str) -> Option<String> {
    shown.strip_prefix("Basic ").map(|pair| String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap())
}

/// A server that others are sent to: it wants their login, or has pages of its own.
pub fn thief() -> Liar {
    let address = Arc::new(OnceLock::<String>::new());
    let own = Arc::clone(&address);
    let thief = Liar::start(move |asked, _| match asked.line.as_str() {
        "GET /ask" => {
            let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", own.get().unwrap());
            Say::status("401 Unauthorized").with(&realm)
        }
        "GET /pages" => Say::tags(&["1"]).with("Link: </more>; rel=\"next\""),
        _ => Say::status("404 Not Found"),
    });
    address.set(thief.host.clone()).unwrap();
    thief
}

fn head(status: &str, lines: &str, length: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{lines}{length}\r\nConnection: close\r\n\r\n").into_bytes()
}

fn raw(status: &str, lines: &str, length: &str, body: &[u8]) -> Vec<u8> {
    [head(status, lines, length).as_slice(), body].concat()
}

/// Eight million blanks in a few thousand bytes.
fn bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| gzip(&vec![b' '; 8 << 20]))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut command = Command::new("gzip");
    let mut child = command.arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let packed = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap().unwrap();
    packed
}
