//! Is the registry spoken to rightly? A real registry says yes; a server that refuses, limits and lies says how.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod client;
    pub mod programs;
    pub mod registry;
}

use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use supercargo::demo::registry::DemoRegistry;
use supercargo::domain::reference::ImageName;
use supercargo::problem::Code;
use supercargo::registry::{Client, ClientOptions, Keyring, ListRequest, Listing, RegistryError};
use support::client::{brisk, list};
use support::programs;
use support::registry::{DockerRegistry, Liar, Say, TlsRegistry};

/// A client that does not pause for seconds between its attempts.
fn client() -> Client {
    Client::new(ClientOptions { max_reply: 1 << 20, ..brisk() }).unwrap()
}

/// The tags, in descending byte order.
fn texts(listing: &Listing) -> Vec<&str> {
    listing.tags.iter().collect()
}

async fn digest(client: &Client, image: &str, tag: &str) -> Result<String, RegistryError> {
    let image = ImageName::parse(image, false).unwrap();
    let request = ListRequest { image: &image, timeout: Duration::from_secs(5), keyring: &Keyring::new() };
    client.digest(&request, tag).await
}

fn login(label: &str, user: &str, password: &str) -> Keyring {
    let mut keyring = Keyring::new();
    keyring.add_login(label, None, user, password.into());
    keyring
}

/// What a registry that is honest but for the list says: `/v2/` is open, the list is as given.
fn list_says(say: impl Fn(usize) -> Say + Send + Sync + 'static) -> Liar {
    Liar::start(move |asked, before| if asked.line == "GET /v2/" { Say::json("{}") } else { say(before) })
}

async fn failure(liar: &Liar) -> RegistryError {
    list(&client(), &format!("{}/team/app", liar.host), &Keyring::new()).await.unwrap_err()
}

#[tokio::test]
async fn a_real_registry_lists_what_was_pushed_and_what_is_pushed_later() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let first = registry.push("team/app", "1.0.0");
    registry.push("team/app", "1.1.0");
    let (client, image) = (client(), format!("{}/team/app", registry.host));
    let listing = list(&client, &image, &Keyring::new()).await.unwrap();
    assert_eq!(texts(&listing), ["1.1.0", "1.0.0"]);
    assert_eq!((listing.pages, listing.credential.as_str()), (1, "anonymous"));
    assert_eq!(digest(&client, &image, "1.0.0").await.unwrap(), first);
    registry.push("team/app", "1.2.0");
    assert_eq!(list(&client, &image, &Keyring::new()).await.unwrap().tags.len(), 3);
}

#[tokio::test]
async fn a_real_registry_says_what_it_does_not_have() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let wrong = list(&client(), &format!("{}/no/such", registry.host), &Keyring::new()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::RegistryNotFound);
    assert!(
        wrong.flux_text().contains("/v2/no/such/tags/list?n=1000: NAME_UNKNOWN: repository name not known"),
        "{wrong}"
    );
    registry.push("team/app", "1");
    let wrong = digest(&client(), &format!("{}/team/app", registry.host), "2").await.unwrap_err();
    assert_eq!(wrong.code(), Code::RegistryNotFound);
    assert!(wrong.flux_text().ends_with("(HEAD responses have no body, use GET for details)"), "{wrong}");
}

#[tokio::test]
async fn a_real_registry_with_a_login_takes_the_right_one_and_names_the_wrong() {
    let Some(registry) = DockerRegistry::start(Some(("rita", "s3cret-pass"))) else { return };
    registry.push("team/app", "1");
    let image = format!("{}/team/app", registry.host);
    let none = list(&client(), &image, &Keyring::new()).await.unwrap_err();
    let problem = none.problem("shop/app");
    assert_eq!((problem.code, problem.exit()), (Code::RegistryUnauthorized, 4));
    assert!(problem.message.contains(": 401 Unauthorized"), "{problem}");
    assert!(problem.hint.unwrap().contains(&format!("docker login {}", registry.host)));

    let wrong = list(&client(), &image, &login("secret shop/pull", "rita", "wrong-pass")).await.unwrap_err();
    let problem = wrong.problem("shop/app");
    assert!(problem.hint.as_ref().unwrap().contains("secret shop/pull"), "{problem:?}");
    assert!(!format!("{problem:?}{wrong:?}").contains("wrong-pass"));

    let mut both = login("flags", "rita", "wrong-pass");
    both.add_login("environment", Some(&registry.host), "rita", "s3cret-pass".into());
    let right = list(&client(), &image, &both).await.unwrap();
    assert_eq!(
        (right.credential.as_str(), right.refused[0].label.as_str(), right.refused.len()),
        ("environment", "flags", 1)
    );
    assert_eq!(texts(&right), ["1"]);
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused_until_its_authority_is_named() {
    let Some(tls) = TlsRegistry::start() else { return };
    let image = format!("{}/no/such", tls.registry.host);
    let error = list(&client(), &image, &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::TlsUntrusted, "{error}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("GET https://{}/v2/: certificate not trusted", tls.registry.host))
    );

    let client = Client::new(ClientOptions { ca: vec![tls.ca], ..ClientOptions::default() }).unwrap();
    let error = list(&client, &image, &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::RegistryNotFound, "{error}");
    assert!(
        Client::new(ClientOptions { ca: vec![b"no certificate".to_vec()], ..ClientOptions::default() })
            .is_err()
    );
}

#[tokio::test]
async fn the_digest_of_an_image_for_several_architectures_is_that_of_its_index() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let image = format!("{}/team/app", registry.host);
    let index = registry.push_index("team/app", "1.0.0");
    let client = client();
    assert_eq!(digest(&client, &image, "1.0.0").await.unwrap(), index);
    assert_ne!(digest(&client, &image, "1.0.0-arm64").await.unwrap(), index);
    assert_eq!(digest(&client, &image, &index).await.unwrap(), index, "a digest is there by its own name");
    let moved = registry.move_tag("team/app", "1.0.0");
    assert_ne!(moved, index);
    assert_eq!(digest(&client, &image, "1.0.0").await.unwrap(), moved);
    assert_eq!(digest(&client, &image, &index).await.unwrap(), index, "what a tag left is still there");
}

/// An answer to `HEAD` with these header lines.
fn head_says(lines: &str) -> Liar {
    let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{lines}\r\n").into_bytes();
    Liar::start(move |asked, _| match asked.line.as_str() {
        "GET /v2/" => Say::json("{}"),
        _ => Say::Raw(answer.clone()),
    })
}

#[tokio::test]
async fn a_digest_needs_three_headers_and_each_that_lacks_is_named() {
    let digest_line = format!("Docker-Content-Digest: sha256:{}\r\n", "a".repeat(64));
    let (kind, length) =
        ("Content-Type: application/vnd.oci.image.index.v1+json\r\n", "Content-Length: 7\r\n");
    let ask = async |lines: &str| {
        let liar = head_says(lines);
        (digest(&client(), &format!("{}/team/app", liar.host), "1").await, liar)
    };
    for (lines, method, lacks) in [
        (format!("{length}{digest_line}"), "HEAD", "Content-Type"),
        (format!("Content-Type: \r\n{length}{digest_line}"), "HEAD", "Content-Type"),
        // As Flux's library has it.
        (format!("{kind}{digest_line}"), "GET", "Content-Length"),
        (format!("{kind}{length}"), "HEAD", "Docker-Content-Digest"),
    ] {
        let (answer, liar) = ask(&lines).await;
        let error = answer.unwrap_err();
        let expected = format!(
            "{method} http://{}/v2/team/app/manifests/1: response did not include {lacks} header",
            liar.host
        );
        assert_eq!((error.code(), error.flux_text()), (Code::BadAnswer, expected));
        assert_eq!(liar.asked().len(), 2, "no GET takes its place: {:?}", liar.asked());
    }
    let (answer, _) = ask(&format!("{kind}{length}Docker-Content-Digest: sha256:ABC\r\n")).await;
    assert!(answer.unwrap_err().to_string().contains("no SHA-256 digest"));
    let (answer, liar) = ask(&format!("{kind}{length}{digest_line}")).await;
    assert_eq!(answer.unwrap(), format!("sha256:{}", "a".repeat(64)));
    let accept = "application/vnd.docker.distribution.manifest.v1+json,\
        application/vnd.docker.distribution.manifest.v1+prettyjws,\
        application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.image.manifest.v1+json,\
        application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.oci.image.index.v1+json";
    assert_eq!(liar.asked().last().unwrap().accept.as_deref(), Some(accept));
}

#[tokio::test]
async fn a_digest_that_is_refused_reads_as_in_flux_and_what_may_pass_is_asked_again() {
    for (status, code, requests) in [
        ("204 No Content", Code::BadAnswer, 1),
        ("404 Not Found", Code::RegistryNotFound, 1),
        ("405 Method Not Allowed", Code::BadAnswer, 1),
        ("429 Too Many Requests", Code::RateLimited, 4),
    ] {
        let liar = list_says(move |_| Say::status(status));
        let error = digest(&client(), &format!("{}/team/app", liar.host), "1").await.unwrap_err();
        let expected = format!(
            "HEAD http://{}/v2/team/app/manifests/1: unexpected status code {status} (HEAD responses have no body, \
             use GET for details)",
            liar.host
        );
        assert_eq!((error.code(), error.flux_text()), (code, expected));
        assert_eq!(liar.asked().iter().filter(|asked| asked.line.starts_with("HEAD")).count(), requests);
    }
}

#[tokio::test]
async fn the_demos_registry_is_read_page_by_page() {
    let registry = DemoRegistry::start().await.unwrap();
    let now = Timestamp::now();
    let tags: Vec<String> = (0..2500).map(|n| format!("1.0.{n}")).collect();
    let digests: Vec<String> = tags.iter().map(|tag| registry.push("team/app", tag, now)).collect();
    let (client, image) = (client(), format!("{}/team/app", registry.host()));
    let listing = list(&client, &image, &Keyring::new()).await.unwrap();
    assert_eq!((listing.pages, listing.requests), (3, 5), "three pages, /v2/ by HTTPS and by HTTP");
    assert_eq!(listing.tags, registry.tags("team/app").into_iter().collect());
    assert_eq!(digest(&client, &image, "1.0.7").await.unwrap(), digests[7]);
    let again = list(&client, &image, &Keyring::new()).await.unwrap();
    assert_eq!(again.requests, 3, "what /v2/ says is remembered");
}

/// The tags that `skopeo` lists of an image over plain HTTP, in descending byte order; `login`: `USER:PASSWORD`.
async fn listed_by_skopeo(image: String, login: Option<&'static str>) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let mut skopeo = Command::new("skopeo");
    skopeo.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home.path());
    skopeo.args(["list-tags", "--tls-verify=false"]);
    match login {
        Some(login) => skopeo.args(["--creds", login]),
        None => skopeo.arg("--no-creds"),
    };
    skopeo.arg(format!("docker://{image}"));
    // The registry may be served by this very thread.
    let output = tokio::task::spawn_blocking(move || skopeo.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tags = said["Tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned());
    let mut tags: Vec<String> = tags.collect();
    tags.sort_unstable_by(|a, b| b.cmp(a));
    tags
}

#[tokio::test]
async fn skopeo_lists_the_same_tags_of_a_real_registry_and_page_by_page() {
    if !programs::are_wanted(&["skopeo"]) {
        return;
    }
    let Some(real) = DockerRegistry::start(Some(("rita", "s3cret-pass"))) else { return };
    let tags = (0..2500).map(|n| format!("{}-{:07x}_{n}", ["main", "V1.2", "_x"][n % 3], n * 2_654_435));
    real.seed("team/app", tags);
    let image = format!("{}/team/app", real.host);
    let listing = list(&client(), &image, &login("flags", "rita", "s3cret-pass")).await.unwrap();
    assert_eq!(texts(&listing), listed_by_skopeo(image, Some("rita:s3cret-pass")).await);
    assert_eq!(listing.tags.len(), 2501);

    let paged = DemoRegistry::start().await.unwrap();
    for n in 0..2500 {
        paged.push("team/app", &format!("1.0.{n}"), Timestamp::UNIX_EPOCH);
    }
    let image = format!("{}/team/app", paged.host());
    let listing = list(&client(), &image, &Keyring::new()).await.unwrap();
    assert_eq!(texts(&listing), listed_by_skopeo(image, None).await);
    assert_eq!((listing.pages, listing.tags.len()), (3, 2500));
}

#[tokio::test]
async fn every_refusal_has_a_word_of_its_own() {
    for (status, code) in [
        ("401 Unauthorized", Code::RegistryUnauthorized),
        ("403 Forbidden", Code::RegistryForbidden),
        ("404 Not Found", Code::RegistryNotFound),
        ("429 Too Many Requests", Code::RateLimited),
        ("500 Internal Server Error", Code::BadAnswer),
        ("503 Service Unavailable", Code::Unreachable),
    ] {
        let body = r#"{"errors":[{"code":"SOME_CODE","message":"some words"}]}"#;
        let liar = list_says(move |_| Say::Answer(status, String::new(), body.into()));
        let error = failure(&liar).await;
        assert_eq!(error.code(), code, "{error}");
        let expected =
            format!("GET http://{}/v2/team/app/tags/list?n=1000: {status}: SOME_CODE: some words", liar.host);
        assert_eq!(error.to_string(), expected);
    }
}

/// A server's lie, made from the bytes of a truncated answer if it likes.
type Lie = fn(Vec<u8>) -> Say;

#[tokio::test]
async fn answers_that_make_no_sense_are_named() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"tags\":[\"1\",".to_vec();
    let cases: [(Lie, &str); 8] = [
        (|_| Say::json("<!DOCTYPE html><html>log in</html>"), "HTML page"),
        (|_| Say::json(r#"{"tags":["1","#), "cut off"),
        (Say::Raw, "ended early"),
        (|_| Say::json(r#"{"tags":"1"}"#), "not a list of tags"),
        (|_| Say::Endless, "longer than 1 MiB"),
        (|_| Say::tags(&["1"]).with("Link: </v2/team/app/tags/list?n=1000>; rel=\"next\""), "already read"),
        (|_| Say::tags(&["1"]).with("Link: <http://example.com/v2/x>; rel=\"next\""), "another server"),
        (
            |_| Say::status("302 Found").with("Location: /v2/team/app/tags/list?n=1000"),
            "more than 10 redirects",
        ),
    ];
    for (say, words) in cases {
        let cut = cut.clone();
        let error = failure(&list_says(move |_| say(cut.clone()))).await;
        assert_eq!(error.code(), Code::BadAnswer, "{error}");
        assert!(error.to_string().contains(words), "{error} does not say {words:?}");
    }
}

#[tokio::test]
async fn a_registry_that_is_gone_after_the_first_page_leaves_no_list_and_says_what_had_come() {
    let next = "Link: </v2/team/app/tags/list?n=1000&last=1>; rel=\"next\"";
    let liar = Liar::start(move |asked, _| match asked.line.as_str() {
        "GET /v2/" => Say::json("{}"),
        "GET /v2/team/app/tags/list?n=1000" => Say::tags(&["2", "1"]).with(next),
        _ => Say::Raw(Vec::new()),
    });
    let error = failure(&liar).await;
    assert_eq!(error.code(), Code::Unreachable, "{error}");
    let causes = error.problem("edge/app").causes;
    assert_eq!(causes, ["1 page with 2 tags had come; a list that is not complete is not used"]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_registry_that_cannot_be_reached() {
    let error = list(&client(), "no-such-host.invalid/app", &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unreachable, "{error}");
    assert!(error.to_string().starts_with("GET https://no-such-host.invalid/v2/: "), "{error}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_server_is_given_its_time() {
    let liar = list_says(|before| match before {
        0 => Say::status("429 Too Many Requests").with("Retry-After: 1"),
        1 => Say::Raw(Vec::new()),
        _ => Say::tags(&["1"]),
    });
    let started = Instant::now();
    let listing = list(&client(), &format!("{}/app", liar.host), &Keyring::new()).await.unwrap();
    assert_eq!(texts(&listing), ["1"]);
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After is honoured");

    let liar = list_says(|_| Say::status("429 Too Many Requests").with("Retry-After: 3600"));
    let error = failure(&liar).await;
    assert!(error.problem("x").hint.unwrap().contains("3600 s"));
    assert_eq!(liar.asked().len(), 2, "an hour is not sat out");
    let (client, mut said) = (client(), Vec::new());
    for name in ["one", "two"] {
        let image = format!("{}/team/{name}", liar.host);
        said.push(list(&client, &image, &Keyring::new()).await.unwrap_err());
    }
    assert_eq!(liar.asked().len(), 4, "of one client's repositories one asks, and all hear what was said");
    assert!(said.iter().all(|error| error.code() == Code::RateLimited), "{said:?}");
    assert!(said[1].to_string().contains("/team/one/"), "what was asked is what was refused: {}", said[1]);
}

#[tokio::test]
async fn a_server_that_is_down_or_slow_does_not_hold_us_up() {
    let error = list(&client(), "127.0.0.1:1/app", &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unreachable);
    assert!(error.to_string().ends_with("connection refused"), "{error}");

    let liar = list_says(|_| Say::Nothing);
    let image = ImageName::parse(&format!("{}/app", liar.host), false).unwrap();
    let keyring = Keyring::new();
    let request = ListRequest { image: &image, timeout: Duration::from_secs(1), keyring: &keyring };
    let started = Instant::now();
    let error = client().list_tags(&request, |_| {}).await.unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error}");
    assert!(error.flux_text().ends_with("context deadline exceeded"));
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn tags_come_as_they_are_sent_however_hostile() {
    let liar = list_says(|_| Say::json(r#"{"name":"a","tags":["1.0\u001b[2J","","1","1","ü"]}"#));
    let listing = list(&client(), &format!("{}/app", liar.host), &Keyring::new()).await.unwrap();
    assert_eq!(texts(&listing), ["ü", "1.0\u{1b}[2J", "1", "1", ""]);
    for empty in [r#"{"tags":null}"#, r#"{"tags":[]}"#, "{}"] {
        let liar = list_says(move |_| Say::json(empty));
        assert!(
            list(&client(), &format!("{}/app", liar.host), &Keyring::new()).await.unwrap().tags.is_empty()
        );
    }
}

#[tokio::test]
async fn a_token_service_that_is_down_is_named_with_what_was_asked() {
    let liar = Liar::start(|_, _| {
        Say::status("401 Unauthorized")
            .with("WWW-Authenticate: Bearer realm=http://127.0.0.1:1/token,service=\"tests\"")
    });
    let error = list(&client(), &format!("{}/public", liar.host), &Keyring::new()).await.unwrap_err();
    let asked = "GET http://127.0.0.1:1/token?scope=repository%3Apublic%3Apull&service=tests: ";
    assert!(error.to_string().starts_with(asked), "{error}");
    assert_eq!(error.code(), Code::Unreachable);
}

/// A registry with a token service of its own; `private` opens at the second request with a token for `rita`.
fn token_registry() -> Liar {
    let address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let own = std::sync::Arc::clone(&address);
    let liar = Liar::start(move |asked, before| {
        let host = own.get().unwrap();
        let refused = Say::status("401 Unauthorized").with(&format!(
            "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"tests\",scope=\"extra\""
        ));
        let line = asked.line.as_str();
        if line.starts_with("GET /token") {
            let who = if asked.authorization.is_some() { "rita" } else { "anyone" };
            return Say::json(format!(r#"{{"access_token":"{who}-{before}","expires_in":300}}"#));
        }
        match (line, asked.authorization.as_deref()) {
            ("GET /v2/public/tags/list?n=1000", Some("Bearer anyone-0")) => Say::tags(&["1"]),
            ("GET /v2/private/tags/list?n=1000", Some("Bearer rita-0")) if before > 0 => Say::tags(&["2"]),
            _ => refused,
        }
    });
    address.set(liar.host.clone()).unwrap();
    liar
}

#[tokio::test]
async fn tokens_are_fetched_kept_and_renewed_once() {
    let liar = token_registry();
    let (client, public, private) =
        (client(), format!("{}/public", liar.host), format!("{}/private", liar.host));
    let tokens = || liar.asked().iter().filter(|asked| asked.line.starts_with("GET /token")).count();
    assert_eq!(texts(&list(&client, &public, &Keyring::new()).await.unwrap()), ["1"]);
    assert_eq!(texts(&list(&client, &public, &Keyring::new()).await.unwrap()), ["1"]);
    assert_eq!(tokens(), 1, "the token is kept");

    let rita = login("flags", "rita", "pass");
    let listing = list(&client, &private, &rita).await.unwrap();
    assert_eq!((texts(&listing).as_slice(), listing.credential.as_str()), (["2"].as_slice(), "flags"));
    assert_eq!(tokens(), 3, "a refused token is fetched anew, once, with the scope that was asked for");
    assert!(
        liar.asked().iter().any(|asked| asked.line.contains("scope=extra&scope=repository%3Aprivate%3Apull"))
    );

    let denied = list(&client, &private, &Keyring::new()).await.unwrap_err();
    assert_eq!(denied.code(), Code::RegistryUnauthorized);
}

#[tokio::test]
async fn a_login_does_not_follow_a_redirect_to_another_server() {
    let elsewhere = Liar::start(|_, _| Say::tags(&["stolen?"]));
    let target = format!("Location: http://{}/x", elsewhere.host);
    let liar = list_says(move |_| Say::status("307 Temporary Redirect").with(&target));
    let listing =
        list(&client(), &format!("{}/app", liar.host), &login("flags", "rita", "pass")).await.unwrap();
    assert_eq!(texts(&listing), ["stolen?"]);
    assert!(liar.asked().last().unwrap().authorization.is_some());
    assert!(elsewhere.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[tokio::test]
async fn one_registry_is_asked_four_things_at_once_at_most() {
    let liar = list_says(|_| {
        std::thread::sleep(Duration::from_millis(30));
        Say::tags(&["1"])
    });
    let (client, keyring) = (client(), Keyring::new());
    let images: Vec<String> = (0..20).map(|n| format!("{}/app-{n}", liar.host)).collect();
    let listings = futures::future::join_all(images.iter().map(|image| list(&client, image, &keyring))).await;
    assert!(listings.iter().all(Result::is_ok));
    assert_eq!(liar.most(), 4);
    assert_eq!(liar.asked().iter().filter(|asked| asked.line == "GET /v2/").count(), 1, "/v2/ is asked once");
}
