//! By which way is a registry reached? Certificates and proxies of `certSecretRef` and `proxySecretRef`, against real
//! servers.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod client;
    pub mod front;
    pub mod proxies;
    pub mod registry;
}

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use supercargo::domain::reference::ImageName;
use supercargo::problem::Code;
use supercargo::registry::{
    Client, ClientOptions, Endpoint, Keyring, ListRequest, Transport, TransportError,
};
use support::client::{client, list};
use support::front::{Door, Flaw, Front};
use support::proxies::{PASSWORD, Proxy, USER};
use support::registry::{DockerRegistry, TlsRegistry};

type Data = BTreeMap<String, SecretString>;

fn data(values: &[(&str, &str)]) -> Data {
    values.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect()
}

/// Whoever has these certificates.
fn with_certificates(values: &[(&str, &str)]) -> Keyring {
    let data = data(values);
    keyring(|transport| transport.add_certificates("edge/tls", |key| data.get(key)))
}

/// Whoever goes through this proxy.
fn through(address: &str, login: &[(&str, &str)]) -> Keyring {
    let data = data(&[login, &[("address", address)]].concat());
    keyring(|transport| transport.add_proxy("edge/proxy", |key| data.get(key)))
}

fn keyring(fill: impl FnOnce(&mut Transport) -> Result<(), TransportError>) -> Keyring {
    let (mut keyring, mut transport) = (Keyring::new(), Transport::default());
    let filled = fill(&mut transport);
    keyring.set_transport(filled.map(|()| transport));
    keyring
}

#[tokio::test]
async fn a_registry_for_clients_with_certificates_lets_in_whoever_has_the_secret_and_nobody_else() {
    let Some(tls) = TlsRegistry::start_for(true) else { return };
    let (client, image) = (client(), format!("{}/no/such", tls.registry.host));
    let (ca, (certificate, key)) = (String::from_utf8(tls.ca).unwrap(), tls.client.unwrap());

    let whole = with_certificates(&[("ca.crt", &ca), ("tls.crt", &certificate), ("tls.key", &key)]);
    let error = list(&client, &image, &whole).await.unwrap_err();
    assert_eq!(error.code(), Code::RegistryNotFound, "let in, and the repository is not there: {error}");

    // The same client, so that what it holds for one secret could be used for the other.
    let half = with_certificates(&[("ca.crt", &ca)]);
    let error = list(&client, &image, &half).await.unwrap_err();
    assert!(matches!(error.code(), Code::TlsUntrusted | Code::Unreachable), "{error}");
    assert!(error.to_string().contains(" a client certificate"), "{error}");
    assert!(error.problem("x").hint.unwrap().contains("certSecretRef"));
    let error = list(&client, &image, &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::TlsUntrusted, "{error}");
}

#[tokio::test]
async fn certificates_that_are_none_are_named_and_never_shown() {
    let Some(tls) = TlsRegistry::start() else { return };
    let (client, image) = (client(), format!("{}/no/such", tls.registry.host));
    let folder = tempfile::tempdir().unwrap();
    let made = |name| {
        let (key, certificate) = support::registry::certificate(folder.path(), name);
        (fs::read_to_string(key).unwrap(), fs::read_to_string(certificate).unwrap())
    };
    let ((key, _), (_, certificate)) = (made("one"), made("other"));
    for (values, says) in [
        (&[("ca.crt", "hunter2")][..], "failed to parse CA certificate"),
        (
            &[("tls.crt", certificate.as_str()), ("tls.key", key.as_str())],
            "failed to parse TLS certificate and key: they are no pair",
        ),
        (&[("tls.crt", "hunter2"), ("tls.key", "hunter2")], "failed to parse TLS certificate and key"),
        (&[("tls.crt", "hunter2")], "secret 'edge/tls' contains 'tls.crt' but missing 'tls.key'"),
    ] {
        let error = list(&client, &image, &with_certificates(values)).await.unwrap_err();
        assert_eq!(error.code(), Code::Authentication, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_proxy_is_gone_through_even_to_this_machine() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let (Some(http), Some(socks)) = (Proxy::http(), Proxy::socks()) else { return };
    registry.push("team/app", "1.0.0");
    let (client, image) = (client(), format!("{}/team/app", registry.host));
    for proxy in [&http, &socks] {
        let keyring = through(&proxy.address, &[("username", USER), ("password", PASSWORD)]);
        let listing = list(&client, &image, &keyring).await.unwrap();
        assert_eq!(listing.tags.iter().collect::<Vec<_>>(), ["1.0.0"], "{}", proxy.address);
    }
    assert!(http.log().contains("/v2/team/app/tags/list"), "{}", http.log());
}

/// Runs `scan repository --all` on a folder with one repository, its secrets beside it; returns exit status and what was said.
fn scan(repository: &str, secret: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: app, namespace: edge}}\nspec: \
         {{interval: 1m, {repository}}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: way, namespace: edge}}\n\
         stringData:\n{secret}"
    );
    std::fs::write(folder.path().join("objects.yaml"), text).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .args(["scan", "repository", "--all", "--log-level", "trace"])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path().join("home"))
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn secrets_that_create_makes_lead_to_the_registry() {
    let (Some(registry), Some(tls)) =
        (DockerRegistry::start(Some(("rita", "s3cret-pass"))), TlsRegistry::start_for(true))
    else {
        return;
    };
    let Some(proxy) = Proxy::http() else { return };
    registry.push("team/app", "1.0.0");
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut command = assert_cmd::Command::cargo_bin("supercargo").unwrap();
        command.env_clear().env("HOME", folder.path().join("home")).current_dir(folder.path());
        let ran = command.args(arguments).args(["-n", "edge"]).write_stdin(input).output().unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert!(!said.contains("s3cret-pass") && !said.contains(PASSWORD), "{said}");
        (ran.status.code(), said)
    };
    let spec = |image: &str| {
        format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: app, namespace: edge}}\n\
             spec: {{interval: 1m, image: {image}}}\n"
        )
    };
    let repository = |text: String| std::fs::write(folder.path().join("app.yaml"), spec(&text)).unwrap();
    let scan = || run(&["scan", "repository", "app"], "");

    repository(format!(
        "{}/team/app, secretRef: {{name: login}}, proxySecretRef: {{name: way}}",
        registry.host
    ));
    assert_eq!(scan().0, Some(4));
    let login =
        ["create", "secret", "oci", "login", "--url", &registry.host, "-u", "rita", "--password-stdin"];
    let (status, said) = run(&login, "s3cret-pass\n");
    assert_eq!(status, Some(0), "{said}");
    let way =
        ["create", "secret", "proxy", "way", "--address", &proxy.address, "-u", USER, "--password-stdin"];
    assert_eq!(run(&way, PASSWORD).0, Some(0));
    let (status, said) = scan();
    assert_eq!(status, Some(0), "{said}");
    assert!(proxy.log().contains("/v2/team/app/tags/list"), "{}", proxy.log());

    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = tls.client.unwrap();
    let files =
        [write("ca", &String::from_utf8(tls.ca).unwrap()), write("crt", &certificate), write("key", &key)];
    let [ca, certificate, key] = &files;
    let pair = ["--ca-crt-file", ca, "--tls-crt-file", certificate, "--tls-key-file", key];
    assert_eq!(run(&[&["create", "secret", "tls", "certs"][..], &pair].concat(), "").0, Some(0));
    repository(format!("{}/no/such, certSecretRef: {{name: certs}}", tls.registry.host));
    let (status, said) = scan();
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("404 Not Found"), "let in, and the repository is not there: {said}");
}

#[test]
fn the_secrets_that_a_repository_names_make_its_way_from_files_to_the_registry() {
    let (Some(registry), Some(tls)) = (DockerRegistry::start(None), TlsRegistry::start_for(true)) else {
        return;
    };
    let Some(proxy) = Proxy::http() else { return };
    registry.push("team/app", "1.0.0");

    let image = format!("image: {}/team/app, proxySecretRef: {{name: way}}", registry.host);
    let login = format!("  address: {}\n  username: {USER}\n  password: {PASSWORD}\n", proxy.address);
    let (status, said) = scan(&image, &login);
    assert_eq!(status, Some(0), "{said}");
    assert!(proxy.log().contains("/v2/team/app/tags/list"), "{}", proxy.log());
    assert!(!said.contains(PASSWORD), "{said}");

    let indented = |pem: &str| format!("    {}\n", pem.trim().replace('\n', "\n    "));
    let (ca, (certificate, key)) = (String::from_utf8(tls.ca).unwrap(), tls.client.unwrap());
    let pair = format!(
        "  caFile: |\n{}  tls.crt: |\n{}  tls.key: |\n{}",
        indented(&ca),
        indented(&certificate),
        indented(&key)
    );
    let image = format!("image: {}/no/such, certSecretRef: {{name: way}}", tls.registry.host);
    let (status, said) = scan(&image, &pair);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("404 Not Found"), "let in, and the repository is not there: {said}");
    let (_, said) = scan(&image, &format!("  ca.crt: |\n{}", indented(&ca)));
    assert!(said.contains(" a client certificate"), "{said}");
    let (_, said) = scan(&image, "  tls.crt: hunter2\n");
    assert!(said.contains("contains 'tls.crt' but missing 'tls.key'") && !said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_proxy_that_refuses_us_or_is_gone_is_no_reason_to_go_without_it() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let (Some(http), Some(socks)) = (Proxy::http(), Proxy::socks()) else { return };
    registry.push("team/app", "1.0.0");
    let (client, image) = (client(), format!("{}/team/app", registry.host));
    for (address, password) in [
        (http.address.as_str(), "hunter2"),
        (socks.address.as_str(), "hunter2"),
        ("http://127.0.0.1:1", PASSWORD),
    ] {
        let keyring = through(address, &[("username", USER), ("password", password)]);
        let error = list(&client, &image, &keyring).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
        let problem = error.problem("x");
        let hint = problem.hint.unwrap_or_default();
        let (_, place) = address.split_once("//").unwrap();
        assert!(hint.contains(place) && hint.contains("proxySecretRef"), "{error}: {hint}");
        let says = |cause: &String| cause.starts_with("through the proxy ") && cause.ends_with(place);
        assert!(problem.causes.iter().any(says), "{:?}", problem.causes);
    }
    let nowhere = through("ftp://127.0.0.1", &[]);
    let error = list(&client, &image, &nowhere).await.unwrap_err();
    assert!(error.to_string().contains("supported schemes"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_anothers_is_refused_even_if_its_authority_is_known() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    for (flaw, says) in [
        (Flaw::None, "404 Not Found"),
        (Flaw::Expired, "certificate not trusted: it has expired"),
        (Flaw::OtherName, "certificate not trusted: it is for another name"),
    ] {
        let Some(front) = Front::start(&registry, Door::Tls(flaw)) else { return };
        let image = format!("{}/no/such", front.host);
        let trusting = with_certificates(&[("ca.crt", &front.pem("server.crt"))]);
        let error = list(&client(), &image, &trusting).await.unwrap_err();
        assert!(error.to_string().contains(says), "{flaw:?}: {error}");
        let code = if flaw == Flaw::None { Code::RegistryNotFound } else { Code::TlsUntrusted };
        assert_eq!(error.code(), code, "{error}");
        let hint = error.problem("x").hint.unwrap();
        assert!(!hint.contains("--ca-file"), "{flaw:?} is not helped by an authority: {hint}");
    }
    let Some(front) = Front::start(&registry, Door::Tls(Flaw::None)) else { return };
    let error = list(&client(), &format!("{}/no/such", front.host), &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::TlsUntrusted, "{error}");
    assert!(
        error.to_string().ends_with("certificate not trusted: no authority that we trust has signed it"),
        "{error}"
    );
    assert!(error.problem("x").hint.unwrap().contains("--ca-file"));
}

#[tokio::test]
async fn a_front_that_wants_a_client_certificate_says_so_on_a_page_and_that_is_passed_on() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let Some(front) = Front::start(&registry, Door::Clients) else { return };
    registry.push("team/app", "1.0.0");
    let image = format!("{}/team/app", front.host);
    let (ca, certificate, key) = (front.pem("server.crt"), front.pem("client.crt"), front.pem("client.key"));
    let whole = with_certificates(&[("ca.crt", &ca), ("tls.crt", &certificate), ("tls.key", &key)]);
    assert_eq!(list(&client(), &image, &whole).await.unwrap().tags.len(), 1);
    let error = list(&client(), &image, &with_certificates(&[("ca.crt", &ca)])).await.unwrap_err();
    assert!(
        error.to_string().ends_with("(an HTML page: 400 No required SSL certificate was sent)"),
        "{error}"
    );
}

/// A client that asks for `registry.example.com` at `address`.
fn elsewhere(address: &str) -> Client {
    let endpoint = Endpoint { url: Some(address.parse().unwrap()), ca: None };
    let endpoints = BTreeMap::from([("registry.example.com".to_owned(), endpoint)]);
    Client::new(ClientOptions { endpoints, pauses: [Duration::ZERO; 2], ..ClientOptions::default() }).unwrap()
}

#[tokio::test]
async fn tls_to_a_plain_port_and_the_reverse_are_named() {
    let (Some(plain), Some(tls)) = (DockerRegistry::start(None), TlsRegistry::start()) else { return };
    let image = "registry.example.com/team/app";
    let error =
        list(&elsewhere(&format!("https://{}", plain.host)), image, &Keyring::new()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unreachable, "{error}");
    assert!(error.to_string().ends_with("the server does not speak TLS"), "{error}");
    let client = elsewhere(&format!("http://{}", tls.registry.host));
    let error = list(&client, image, &Keyring::new()).await.unwrap_err();
    assert!(
        error.to_string().ends_with("400 Bad Request: Client sent an HTTP request to an HTTPS server."),
        "{error}"
    );
    assert!(error.problem("x").hint.unwrap().starts_with("The server speaks TLS"), "{error}");
}

#[tokio::test]
async fn a_front_that_limits_us_is_given_its_time_or_named() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let Some(front) = Front::start(&registry, Door::Limited) else { return };
    registry.push("team/app", "1.0.0");
    let pauses = [Duration::from_secs(5), Duration::from_secs(5)];
    let patient = Client::new(ClientOptions { pauses, ..ClientOptions::default() }).unwrap();
    let image = ImageName::parse(&format!("{}/team/app", front.host), false).unwrap();
    let keyring = Keyring::new();
    let request = ListRequest { image: &image, timeout: Duration::from_mins(1), keyring: &keyring };
    let begun = Instant::now();
    // Four requests pass, of which `/v2/` is one; the fifth has to wait.
    for _ in 0..4 {
        assert_eq!(patient.list_tags(&request, |_| {}).await.unwrap().tags.len(), 1);
    }
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut refused = None;
    for _ in 0..5 {
        refused = list(&client(), &image.canonical(), &keyring).await.err();
    }
    assert_eq!(refused.unwrap().code(), Code::RateLimited);
}
