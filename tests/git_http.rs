//! Is git's protocol spoken rightly to servers that behave as real ones rarely do on demand: they redirect, show pages,
//! break off, limit.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "support/programs.rs"]
mod programs;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use supercargo::git::{GitCredential, GitError, Refs, Remote, ls_remote};
use supercargo::problem::Code;
use tokio::runtime::Runtime;
use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const HEX: &str = "0123456789abcdef0123456789abcdef01234567";
const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// A server and the runtime it lives in; requests are made outside, as callers of the module do.
struct Served {
    runtime: Runtime,
    server: MockServer,
}

impl Served {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(MockServer::start());
        Self { runtime, server }
    }

    fn answer(&self, mock: Mock) {
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn always(&self, answer: ResponseTemplate) {
        self.answer(Mock::given(any()).respond_with(answer));
    }

    fn remote(&self) -> Remote {
        let mut remote = Remote::new(format!("{}/fleet.git", self.server.uri()));
        remote.credentials =
            vec![GitCredential::basic("secret ops/fleet", "bot", "hidden".to_owned().into())];
        remote.timeouts.idle = Duration::from_secs(5);
        remote
    }

    /// The `Authorization` headers of all requests, in order.
    fn logins(&self) -> Vec<Option<String>> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        let login = |request: &wiremock::Request| {
            request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
        };
        requests.iter().map(login).collect()
    }
}

/// The references of a repository with one branch.
fn references() -> ResponseTemplate {
    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let service = line("# service=git-upload-pack\n");
    let first = line(&format!("{HEX} refs/heads/main\0side-band-64k agent=test\n"));
    let body = format!("{service}0000{first}0000");
    ResponseTemplate::new(200).set_body_raw(body, ADVERTISEMENT)
}

fn main_of(answer: Result<(Refs, String), GitError>) -> (Option<String>, String) {
    let (refs, credential) = answer.unwrap();
    (refs.branch("main").map(str::to_owned), credential)
}

#[test]
fn a_redirect_on_the_same_server_is_followed_with_the_login() {
    let served = Served::start();
    let moved = ResponseTemplate::new(301)
        .insert_header("location", "/new/fleet.git/info/refs?service=git-upload-pack");
    served.answer(Mock::given(path("/fleet.git/info/refs")).respond_with(moved));
    served.answer(Mock::given(path("/new/fleet.git/info/refs")).respond_with(references()));
    let found = main_of(ls_remote(&served.remote()));
    assert_eq!(found, (Some(HEX.to_owned()), "secret ops/fleet".to_owned()));
    assert!(served.logins().iter().all(Option::is_some));
}

#[test]
fn a_login_never_follows_to_another_host() {
    let (served, other) = (Served::start(), Served::start());
    let target = format!("{}/fleet.git/info/refs?service=git-upload-pack", other.server.uri());
    served.always(ResponseTemplate::new(302).insert_header("location", target.as_str()));
    other.always(ResponseTemplate::new(401));
    let error = ls_remote(&served.remote()).unwrap_err();
    assert_eq!(other.logins(), [None]);
    assert_eq!(error.code(), Code::GitAuthRequired, "{error:?}");
    assert!(error.hint().unwrap().contains(&other.server.uri()), "{error:?}");
}

#[test]
fn a_redirect_to_a_login_page_is_no_repository() {
    let served = Served::start();
    served.always(ResponseTemplate::new(302).insert_header("location", "/users/sign_in"));
    let error = ls_remote(&served.remote()).unwrap_err();
    assert_eq!(error.code(), Code::BadAnswer);
    assert!(error.to_string().contains("/users/sign_in, which is no repository"), "{error}");
}

#[test]
fn a_redirect_in_circles_ends() {
    let served = Served::start();
    let here = "/fleet.git/info/refs?service=git-upload-pack";
    served.always(ResponseTemplate::new(302).insert_header("location", here));
    assert_eq!(ls_remote(&served.remote()).unwrap_err().code(), Code::BadAnswer);
}

#[test]
fn a_page_instead_of_references_is_named() {
    let served = Served::start();
    served.always(ResponseTemplate::new(200).set_body_raw("<html>", "text/html; charset=utf-8"));
    let error = ls_remote(&served.remote()).unwrap_err();
    assert!(
        error.to_string().contains("it sent text/html; charset=utf-8 instead of Git's protocol"),
        "{error}"
    );
}

#[test]
fn references_that_break_off_are_no_references() {
    let served = Served::start();
    let body = "001e# service=git-upload-pack\n0000004";
    served.always(ResponseTemplate::new(200).set_body_raw(body, ADVERTISEMENT));
    assert_eq!(ls_remote(&served.remote()).unwrap_err().code(), Code::BadAnswer);
}

#[test]
fn too_many_requests_say_when_to_come_back() {
    let served = Served::start();
    served.always(ResponseTemplate::new(429).insert_header("retry-after", "17"));
    let problem = ls_remote(&served.remote()).unwrap_err().problem("ops/apps");
    assert_eq!((problem.code, problem.hint.as_deref()), (Code::RateLimited, Some("Try again in 17 s.")));
}

#[test]
fn a_server_in_trouble_is_a_bad_answer() {
    let served = Served::start();
    served.always(ResponseTemplate::new(502));
    let error = ls_remote(&served.remote()).unwrap_err();
    assert!(error.to_string().ends_with("HTTP 502 Bad Gateway"), "{error}");
}

#[test]
fn a_bearer_token_is_sent_as_one() {
    let served = Served::start();
    let granted = Mock::given(method("GET")).and(header("authorization", "Bearer t0ken"));
    served.answer(granted.respond_with(references()));
    let mut remote = served.remote();
    let data = [("bearerToken".to_owned(), "t0ken".to_owned().into())].into();
    remote.credentials = vec![GitCredential::from_secret("secret ops/token", &data).unwrap()];
    assert_eq!(main_of(ls_remote(&remote)).1, "secret ops/token");
}

#[test]
fn a_forbidden_login_tells_what_the_server_said() {
    let served = Served::start();
    served.always(ResponseTemplate::new(403).set_body_raw("SSO authorisation is missing", "text/plain"));
    let problem = ls_remote(&served.remote()).unwrap_err().problem("ops/apps");
    assert_eq!(problem.code, Code::GitAuthDenied);
    assert_eq!(problem.causes, ["SSO authorisation is missing"]);
    assert!(!format!("{problem:?}").contains("hidden"));
}

#[test]
fn a_repository_in_the_new_format_is_said_to_be_unsupported() {
    let served = Served::start();
    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let first = line(&format!("{} capabilities^{{}}\0object-format=sha256\n", "0".repeat(64)));
    let body = format!("{}0000{first}0000", line("# service=git-upload-pack\n"));
    served.always(ResponseTemplate::new(200).set_body_raw(body, ADVERTISEMENT));
    let error = ls_remote(&served.remote()).unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
}

#[test]
fn an_endless_answer_is_given_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut remote = Remote::new(format!("http://{}/fleet.git", listener.local_addr().unwrap()));
    remote.timeouts.total = Duration::from_secs(1);
    let drip = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {ADVERTISEMENT}\r\ncontent-length: 100000\r\n\r\n00ff");
        let mut piece = head.as_bytes();
        // A byte now and then: each one in time, the whole never.
        while stream.write_all(piece).is_ok() {
            std::thread::sleep(Duration::from_millis(100));
            piece = b"x";
        }
    });
    let error = ls_remote(&remote).unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error:?}");
    drip.join().unwrap();
}

/// A key of RSA, as GitHub hands it out; `None`, said loudly, where there is no openssl to make one.
fn app_key() -> Option<String> {
    static KEY: OnceLock<Option<String>> = OnceLock::new();
    let make = || {
        let made = Command::new("openssl").args(["genrsa", "-traditional", "2048"]).output().unwrap();
        String::from_utf8(made.stdout).unwrap()
    };
    KEY.get_or_init(|| programs::are_wanted(&["openssl"]).then(make)).clone()
}

/// The credential of a GitHub App that is known at `served`.
fn app(served: &Served, installation: (&str, &str)) -> Option<GitCredential> {
    let key = app_key()?;
    let (uri, id) = (served.server.uri(), format!("app-of-{}", installation.1));
    let pairs = [
        ("githubAppID", id.as_str()),
        installation,
        ("githubAppPrivateKey", &key),
        ("githubAppBaseURL", &uri),
    ];
    let data: BTreeMap<String, _> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned().into())).collect();
    Some(GitCredential::from_secret("secret ops/app", &data).unwrap())
}

fn token(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(201)
        .set_body_string(format!("{{\"token\":\"{text}\",\"expires_at\":\"2999-01-01T00:00:00Z\"}}"))
}

#[test]
fn an_app_logs_in_with_a_token_that_it_fetches_once() {
    let served = Served::start();
    let granted = Mock::given(path("/app/installations/77/access_tokens")).and(method("POST"));
    served.answer(granted.respond_with(token("t0ken")).expect(1));
    let basic = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=";
    served.answer(
        Mock::given(path("/fleet.git/info/refs"))
            .and(header("authorization", basic))
            .respond_with(references()),
    );
    let mut remote = served.remote();
    let Some(app) = app(&served, ("githubAppInstallationID", "77")) else { return };
    remote.credentials = vec![app];
    for _ in 0..2 {
        assert_eq!(main_of(ls_remote(&remote)), (Some(HEX.to_owned()), "secret ops/app".to_owned()));
    }
    let word = served.logins().remove(0).unwrap();
    let claims = word.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "app-of-77");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
}

#[test]
fn an_app_is_found_by_the_owner_it_is_installed_for() {
    let served = Served::start();
    let installed = ResponseTemplate::new(200).set_body_string("{\"id\":78}");
    served.answer(Mock::given(path("/users/rita/installation")).respond_with(installed));
    served.answer(Mock::given(path("/app/installations/78/access_tokens")).respond_with(token("other")));
    served.answer(Mock::given(path("/fleet.git/info/refs")).respond_with(references()));
    let mut remote = served.remote();
    let Some(app) = app(&served, ("githubAppInstallationOwner", "rita")) else { return };
    remote.credentials = vec![app];
    assert_eq!(ls_remote(&remote).unwrap().1, "secret ops/app");
}

#[test]
fn an_app_that_is_refused_is_named_and_nothing_it_holds_is() {
    let served = Served::start();
    served.always(ResponseTemplate::new(401));
    let mut remote = served.remote();
    let Some(app) = app(&served, ("githubAppInstallationID", "79")) else { return };
    remote.credentials = vec![app];
    let problem = ls_remote(&remote).unwrap_err().problem("x");
    assert_eq!(problem.code, Code::GitAuthDenied);
    assert!(problem.message.ends_with("fleet.git: secret ops/app (cannot be used)"), "{problem:?}");
    assert_eq!(problem.causes, ["/app/installations/79/access_tokens: 401 Unauthorized"]);
}
