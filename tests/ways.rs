//! By which way is a registry reached? Certificates and proxies of `certSecretRef` and `proxySecretRef`, against real
//! servers.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod proxies;
    pub mod registry;
}

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use supercargo::domain::reference::ImageName;
use supercargo::problem::Code;
use supercargo::registry::{
    Client, ClientOptions, Keyring, ListRequest, Listing, RegistryError, Transport, TransportError,
};
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

fn client() -> Client {
    let brisk = Duration::from_millis(5);
    Client::new(ClientOptions { pauses: [brisk, brisk], ..ClientOptions::default() }).unwrap()
}

async fn list(client: &Client, image: &str, keyring: &Keyring) -> Result<Listing, RegistryError> {
    let image = ImageName::parse(image, false).unwrap();
    client.list_tags(&ListRequest { image: &image, timeout: Duration::from_secs(5), keyring }, |_| {}).await
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
    for (values, says) in [
        (&[("ca.crt", "hunter2")][..], "failed to parse CA certificate"),
        (&[("tls.crt", "hunter2"), ("tls.key", "hunter2")], "failed to parse TLS certificate and key"),
        (&[("tls.crt", "hunter2")], "secret 'edge/tls' contains 'tls.crt' but missing 'tls.key'"),
    ] {
        let error = list(&client, &image, &with_certificates(values)).await.unwrap_err();
        assert_eq!(error.code(), Code::Config, "{error}");
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
    }
    let nowhere = through("ftp://127.0.0.1", &[]);
    let error = list(&client, &image, &nowhere).await.unwrap_err();
    assert!(error.to_string().contains("supported schemes"), "{error}");
}
