//! How much is asked of a registry, and how long it is waited for: budgets, pauses, bounds of time and size, giving up.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod operator;
    pub mod registry;
}

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use supercargo::domain::reference::ImageName;
use supercargo::problem::Code;
use supercargo::registry::{Client, ClientOptions, Endpoint, Keyring, ListRequest, Listing, RegistryError};
use support::operator::Operator;
use support::registry::{Liar, Say};

const SECOND: Duration = Duration::from_secs(1);

async fn list(client: &Client, image: &str) -> Result<Listing, RegistryError> {
    let (image, keyring) = (ImageName::parse(image, false).unwrap(), Keyring::new());
    client.list_tags(&ListRequest { image: &image, timeout: SECOND * 20, keyring: &keyring }, |_| {}).await
}

/// A client that asks one thing at a time, and waits `patience` for a first byte and the next, but ten seconds for a connection.
fn client(patience: Duration) -> Client {
    let options = ClientOptions {
        per_host: 1,
        first_byte_timeout: patience,
        next_byte_timeout: patience,
        max_reply: 1 << 20,
        ..ClientOptions::default()
    };
    Client::new(options).unwrap()
}

/// What lists the tags that `say` says, behind an open door.
fn lists(say: impl Fn(&str) -> Say + Send + Sync + 'static) -> Liar {
    Liar::start(move |asked, _| if asked.line == "GET /v2/" { Say::json("{}") } else { say(&asked.line) })
}

#[tokio::test]
async fn a_connection_the_first_byte_and_the_next_are_waited_for_apart() {
    let patience = Duration::from_millis(200);
    let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"tags\":[\"1\"".to_vec();
    for (said, says) in
        [(Vec::new(), "no answer within 0.2 s"), (begun, "no more of the answer within 0.2 s")]
    {
        let liar = lists(move |_| Say::Stall(said.clone()));
        let asked = Instant::now();
        let error = list(&client(patience), &format!("{}/app", liar.host)).await.unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        assert!(error.to_string().ends_with(says), "{error}");
        assert!(asked.elapsed() < SECOND * 5, "so long it was, and no longer: {:?}", asked.elapsed());
        assert!(error.flux_text().ends_with("context deadline exceeded"), "as Flux says");
    }
    // It takes connections and never says hello.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    let endpoint = Endpoint { url: Some(address.parse().unwrap()), ca: None };
    let endpoints = BTreeMap::from([("r.example.com".to_owned(), endpoint)]);
    let options = ClientOptions { endpoints, connect_timeout: patience, ..ClientOptions::default() };
    let error = list(&Client::new(options).unwrap(), "r.example.com/app").await.unwrap_err();
    assert!(error.to_string().ends_with("no connection within 0.2 s"), "{error}");
}

#[tokio::test]
async fn what_says_more_at_its_door_than_any_registry_is_none() {
    let liar = Liar::start(|asked, _| match asked.line.as_str() {
        "GET /v2/" => Say::json(" ".repeat(2 << 20)),
        _ => Say::tags(&["1.0.0"]),
    });
    let client = Client::new(ClientOptions::default()).unwrap();
    let error = list(&client, &format!("{}/app", liar.host)).await.unwrap_err();
    assert!(error.to_string().ends_with("/v2/: the answer is longer than 1 MiB"), "{error}");
}

#[tokio::test]
async fn all_pages_together_are_bounded_as_one_is() {
    let tag = "x".repeat(100);
    let liar = lists(move |line| {
        let page = line.rsplit('=').next().and_then(|page| page.parse::<u32>().ok()).unwrap_or(0);
        let tags = vec![tag.as_str(); 5_000];
        Say::tags(&tags).with(&format!("Link: </v2/app/tags/list?n={}>; rel=\"next\"", page + 1))
    });
    let error = list(&client(SECOND * 10), &format!("{}/app", liar.host)).await.unwrap_err();
    assert_eq!(error.code(), Code::BadAnswer, "{error}");
    let said = "the pages so far are longer than 1 MiB together, the `max_reply_mib` of the configuration";
    assert!(error.to_string().ends_with(said), "{error}");
    assert!(error.problem("app").hint.unwrap().starts_with("Raise `max_reply_mib`"));
}

#[tokio::test]
async fn a_registry_that_wants_silence_gets_it_from_all() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&asked);
    let liar = lists(move |_| {
        let mut times = times.lock().unwrap();
        times.push(Instant::now());
        if times.len() == 1 {
            return Say::status("429 Too Many Requests").with("Retry-After: 1");
        }
        Say::tags(&["1"])
    });
    let client = client(SECOND * 10);
    let images: Vec<String> = (0..4).map(|n| format!("{}/app-{n}", liar.host)).collect();
    let listed = futures::future::join_all(images.iter().map(|image| list(&client, image))).await;
    assert!(listed.iter().all(Result::is_ok));
    let times = asked.lock().unwrap();
    assert_eq!(times.len(), 5);
    let earliest = times[1..].iter().min().unwrap().duration_since(times[0]);
    assert!(earliest >= Duration::from_millis(990), "asked again after {earliest:?}");
}

/// Lists so many repositories as a fleet is scanned; the failures.
async fn list_fleet(client: &Client, host: &str, many: usize) -> Vec<RegistryError> {
    let images: Vec<String> = (0..many).map(|n| format!("{host}/app-{n}")).collect();
    let each = images.iter().map(|image| list(client, image));
    let listed: Vec<_> = futures::stream::iter(each).buffered(64).collect().await;
    listed.into_iter().filter_map(Result::err).collect()
}

fn with_pauses(milliseconds: [u64; 2]) -> Client {
    let pauses = milliseconds.map(Duration::from_millis);
    Client::new(ClientOptions { pauses, ..ClientOptions::default() }).unwrap()
}

#[tokio::test]
async fn a_fleet_of_a_registry_that_admits_so_many_a_second_is_scanned_without_a_failure() {
    const EACH: Duration = Duration::from_millis(10);
    let (full, refused) = (Mutex::new(Instant::now()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refused);
    let liar = Liar::start(move |asked, _| {
        let (mut full, now) = (full.lock().unwrap(), Instant::now());
        // Five at once, and a hundred a second.
        if (*full).max(now) > now + EACH * 5 {
            counted.fetch_add(1, Ordering::SeqCst);
            return Say::status("429 Too Many Requests");
        }
        *full = (*full).max(now) + EACH;
        if asked.line == "GET /v2/" { Say::json("{}") } else { Say::tags(&["1"]) }
    });
    let begun = Instant::now();
    let failures = list_fleet(&with_pauses([100, 300]), &liar.host, 200).await;
    assert!(failures.is_empty(), "{} of 200: {}", failures.len(), failures[0]);
    let refused = refused.load(Ordering::SeqCst);
    assert!(refused > 0, "it did refuse");
    assert!(refused < 100, "it was not run against: {refused}");
    assert!(begun.elapsed() < SECOND * 15, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_registry_that_refuses_for_ever_is_given_up_by_a_whole_fleet_at_once() {
    let liar = Liar::start(|_, _| Say::status("429 Too Many Requests"));
    let begun = Instant::now();
    let failures = list_fleet(&with_pauses([20, 60]), &liar.host, 200).await;
    assert_eq!(failures.len(), 200);
    assert!(failures.iter().all(|error| error.code() == Code::RateLimited), "{}", failures[0]);
    assert!(liar.asked().len() < 40, "{}", liar.asked().len());
    assert!(begun.elapsed() < SECOND * 5, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn whoever_waits_for_a_registry_that_is_dead_hears_it_once() {
    let liar = Liar::start(|_, _| Say::Stall(Vec::new()));
    let client = client(Duration::from_millis(300));
    let images: Vec<String> = (0..20).map(|n| format!("{}/app-{n}", liar.host)).collect();
    let begun = Instant::now();
    let listed = futures::future::join_all(images.iter().map(|image| list(&client, image))).await;
    assert!(listed.iter().all(|listed| listed.as_ref().is_err_and(|error| error.code() == Code::Timeout)));
    assert!(begun.elapsed() < SECOND * 4, "{:?}", begun.elapsed());
    assert_eq!(liar.asked().len(), 1, "the door was knocked at once for all");
}

#[tokio::test]
async fn a_listing_that_is_given_up_leaves_its_place_at_once() {
    let liar = lists(|line| if line.contains("slow") { Say::Stall(Vec::new()) } else { Say::tags(&["1"]) });
    let client = client(SECOND * 20);
    let (slow, quick) = (format!("{}/slow", liar.host), format!("{}/quick", liar.host));
    let given_up = tokio::time::timeout(Duration::from_millis(500), list(&client, &slow)).await;
    assert!(given_up.is_err());
    let before = liar.asked().len();
    let begun = Instant::now();
    assert!(list(&client, &quick).await.is_ok());
    assert!(begun.elapsed() < SECOND * 5, "{:?}", begun.elapsed());
    assert_eq!(liar.asked().len(), before + 1, "nothing goes on behind our back");
}

#[tokio::test]
async fn the_budget_that_a_registry_tells_is_passed_on() {
    let liar = lists(|_| {
        let say = Say::tags(&["1"]).with("ratelimit-limit: 100;w=21600");
        say.with("ratelimit-remaining: 76;w=21600")
    });
    let listing = list(&client(SECOND * 10), &format!("{}/app", liar.host)).await.unwrap();
    assert_eq!(listing.budget.unwrap().text(), "76 of 100 requests left (per 6h0m0s)");
}

#[test]
fn a_list_that_broke_off_decides_nothing_and_the_older_one_stays() {
    let next = "Link: </v2/app/tags/list?n=1000&last=1.0.0>; rel=\"next\"";
    let is_gone = Arc::new(AtomicBool::new(true));
    let goes = Arc::clone(&is_gone);
    let liar = lists(move |line| match line {
        "GET /v2/app/tags/list?n=1000" => Say::tags(&["1.0.0"]).with(next),
        _ if goes.load(Ordering::SeqCst) => Say::Raw(Vec::new()),
        _ => Say::tags(&["1.1.0"]),
    });
    let operator = Operator::new("{}", &[]);
    operator.write(
        "objects.yaml",
        &format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: app, namespace: edge}}\n\
             spec: {{interval: 1m, image: {}/app}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\n\
             metadata: {{name: app, namespace: edge}}\nspec: {{imageRepositoryRef: {{name: app}}, policy: {{semver: {{range: 1.x}}}}}}\n",
            liar.host
        ),
    );
    let latest = || {
        let (_, said) = operator.run(&["get", "policies", "-A", "--refresh=always", "-o", "json"]);
        let list = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap();
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        let [policy] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
        (policy["latest"]["tag"].clone(), list["problems"].to_string())
    };
    let (tag, problems) = latest();
    assert!(tag.is_null(), "of the first look there is no list at all: {tag}");
    assert!(problems.contains("a list that is not complete is not used"), "{problems}");
    is_gone.store(false, Ordering::SeqCst);
    assert_eq!(latest(), ("1.1.0".into(), "[]".into()));
    is_gone.store(true, Ordering::SeqCst);
    let (tag, problems) = latest();
    assert_eq!(tag, "1.1.0", "1.0.0 would be a downgrade");
    assert!(problems.contains("1 page with 1 tag had come"), "{problems}");
}

#[test]
fn what_a_registry_asks_to_wait_is_in_every_form_of_the_answer() {
    let liar = lists(|line| {
        let status = if line.contains("busy") { "429 Too Many Requests" } else { "503 Service Unavailable" };
        Say::status(status).with("Retry-After: 300")
    });
    let operator = Operator::new("{}", &[]);
    for (name, code, hint) in [
        ("busy", "rate_limited", "The registry asks to wait 300 s; a login often raises the limit."),
        ("down", "unreachable", "The registry itself is in trouble; it asks to wait 300 s."),
    ] {
        let image = format!("{}/{name}", liar.host);
        let (status, said) = operator.scan(&image);
        assert_eq!(status, Some(3), "{said}");
        assert!(said.contains(&format!("hint: {hint}")), "{said}");
        let (_, said) = operator.run(&["scan", "--image", &image, "-o", "json"]);
        assert!(said.contains(&format!(r#""code":"{code}""#)), "{said}");
        assert!(said.contains(&format!(r#""hint":"{hint}""#)), "{said}");
    }
}

#[test]
fn a_scan_that_failed_is_told_until_one_succeeds_and_the_tags_before_it_still_serve() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_gone);
    let liar =
        lists(
            move |_| {
                if down.load(Ordering::SeqCst) { Say::status("404 Not Found") } else { Say::tags(&["1.0.0"]) }
            },
        );
    let operator = Operator::new("{}", &[]);
    operator.repository(&format!("{}/app", liar.host), "");
    let told = || {
        // Each time another process; none of them has to scan.
        let (_, said) = operator.run(&["get", "repositories", "-A", "-o", "json", "--refresh", "never"]);
        let list = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap();
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        let item = &list["items"][0];
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        (text("ready"), text("reason"), text("message"), item["tags"].as_u64())
    };
    let scan = || operator.run(&["scan", "repository", "--all"]).0;
    assert_eq!(scan(), Some(0));
    let good = told();
    assert_eq!((good.0.as_str(), good.3), ("True", Some(1)));
    is_gone.store(true, Ordering::SeqCst);
    assert_eq!(scan(), Some(3));
    let (ready, reason, message, tags) = told();
    assert_eq!((ready.as_str(), reason.as_str(), tags), ("False", "ReadOperationFailed", Some(1)));
    let says = format!(
        "scan failed: GET http://{}/v2/app/tags/list?n=1000: unexpected status code 404 Not Found",
        liar.host
    );
    assert_eq!(message, says, "in the words of Flux");
    is_gone.store(false, Ordering::SeqCst);
    assert_eq!(scan(), Some(0));
    assert_eq!(told(), good);
}

/// Writes so many repositories of `host`.
fn repositories(operator: &Operator, host: &str, many: usize) {
    let mut text = String::new();
    for n in 0..many {
        let head = "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n";
        writeln!(text, "{head}metadata: {{name: app-{n}, namespace: edge}}\nspec: {{interval: 1m, image: {host}/app-{n}}}")
            .unwrap();
    }
    operator.write("objects.yaml", &text);
}

#[test]
fn scans_that_time_ends_are_told_beside_those_that_came_in_time_and_kept_as_failures() {
    let liar =
        lists(|line| if line.contains("app-0") { Say::tags(&["1.0.0"]) } else { Say::Stall(Vec::new()) });
    let operator = Operator::new("{}", &[]);
    // Four are asked at once, so the last never has its turn.
    repositories(&operator, &liar.host, 6);
    let run = |arguments: &[&str]| {
        let (_, said) = operator.run(arguments);
        let list = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap();
        let list: serde_json::Value = serde_json::from_str(list).unwrap();
        list["items"].as_array().unwrap().clone()
    };
    let scanned = run(&["scan", "repository", "--all", "--timeout", "3s", "-o", "json"]);
    assert_eq!((scanned.len(), scanned[0]["tags"].as_u64()), (6, Some(1)), "{scanned:?}");
    let message = |n: usize| scanned[n]["error"]["message"].as_str().unwrap_or_default();
    assert!(message(1).contains("/v2/app-1/tags/list") && message(1).contains("within"), "{}", message(1));
    assert_eq!(message(5), "not scanned within 3s");
    let told = run(&["get", "repositories", "-A", "-o", "json", "--refresh", "never"]);
    let ready: Vec<_> = told.iter().map(|item| item["ready"].as_str().unwrap_or_default()).collect();
    assert_eq!(ready, ["True", "False", "False", "False", "False", "False"]);
}

#[test]
fn a_large_scan_says_before_what_it_will_ask_and_every_scan_what_is_left() {
    let liar = lists(|_| Say::tags(&["1"]).with("ratelimit-remaining: 6;w=3600"));
    let operator = Operator::new("{}", &[]);
    repositories(&operator, &liar.host, 21);
    let (status, said) = operator.run(&["scan", "repository", "--all"]);
    assert_eq!(status, Some(0), "{said}");
    let large = "► scanning 21 repositories: at least 22 requests to 1 registry\n";
    assert!(said.contains(large), "{said}");
    let left = format!("► {}: 6 requests left (per 1h0m0s)", liar.host);
    assert!(said.contains(&left), "{said}");

    // A few are worth a word if the registry will answer but a few.
    repositories(&operator, &liar.host, 3);
    let (_, said) = operator.run(&["scan", "repository", "--all", "-o", "wide"]);
    let scarce = format!("4 of them to {}, which has 6 requests left (per 1h0m0s)", liar.host);
    assert!(said.contains(&scarce), "{said}");
    assert!(said.contains("BUDGET"), "{said}");
    let (_, said) = operator.run(&["scan", "repository", "app-0", "-o", "json"]);
    assert!(said.contains(r#""budget":{"remaining":6,"limit":null,"window_seconds":3600}"#), "{said}");
    assert!(!said.contains("► scanning"), "{said}");
}

#[tokio::test]
async fn a_server_that_a_registry_sends_us_to_tells_nothing_of_its_budget() {
    let store =
        lists(|_| Say::tags(&["1"]).with("ratelimit-limit: 10;w=60").with("ratelimit-remaining: 1;w=60"));
    let there = format!("Location: http://{}/v2/app/tags/list", store.host);
    let sends = |budget: &'static str| {
        let there = there.clone();
        lists(move |_| Say::status("307 Temporary Redirect").with(&there).with(budget))
    };
    let registry = sends("x-tells: nothing");
    let listing = list(&client(SECOND * 10), &format!("{}/app", registry.host)).await.unwrap();
    assert_eq!(listing.budget, None);
    let registry = sends("ratelimit-remaining: 76;w=21600");
    let listing = list(&client(SECOND * 10), &format!("{}/app", registry.host)).await.unwrap();
    assert_eq!(listing.budget.unwrap().remaining, 76);
}

#[test]
fn a_scan_of_all_where_there_is_nothing_says_so() {
    let operator = Operator::new("{}", &[]);
    repositories(&operator, "127.0.0.1:9", 1);
    let (status, said) = operator.run(&["scan", "repository", "--all", "-n", "nowhere"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("⚠ no ImageRepository objects found in \"nowhere\" namespace"), "{said}");
    assert!(!said.contains("CREDENTIAL"), "{said}");
}
