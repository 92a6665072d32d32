//! The ways to an API server that a kubeconfig describes: through proxies, and by another name than its address.

use super::support::proxies::{PASSWORD, Proxy, USER};
use super::*;

/// Somebody whose kubeconfig says this of the cluster, too.
fn with(cluster: &Cluster, changes: &Value) -> Person {
    let text = fs::read_to_string(cluster.kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config["clusters"][0]["cluster"][key] = value.clone();
    }
    let mut person = Person::new(Path::new("unused"));
    person.kubeconfig = person.folder.path().join("config");
    fs::write(&person.kubeconfig, config.to_string()).unwrap();
    person
}

fn get(person: &Person) -> Said {
    person.run(&["get", "repositories", "-n", "ways", "--source", "cluster", "--timeout", "8s", "-o", "json"])
}

#[track_caller]
fn expect(said: &Said, exit: i32, text: &str) {
    assert_eq!(said.exit, Some(exit), "{said:?}");
    assert!(said.err.contains(text), "no {text:?}: {said:?}");
}

#[test]
fn the_certificate_has_to_bear_the_name_that_the_kubeconfig_gives_the_server() {
    let Some(cluster) = shared() else { return };
    cluster.namespace("ways");
    let elsewhere = cluster.server().replace("127.0.0.1", "localhost");
    let untrusted = "\"code\":\"tls_untrusted\"";
    // The certificate is one of 127.0.0.1 alone.
    expect(&get(&with(cluster, &json!({ "server": elsewhere }))), 3, untrusted);
    get(&with(cluster, &json!({ "server": elsewhere, "tls-server-name": "127.0.0.1" }))).json();
    let misnamed = with(cluster, &json!({ "tls-server-name": "other.example.com" }));
    expect(&get(&misnamed), 3, untrusted);
}

#[test]
fn the_kubeconfigs_http_proxy_is_used_with_its_login() {
    let (Some(cluster), Some(proxy)) = (shared(), Proxy::http()) else { return };
    cluster.namespace("ways");
    let address = |login: &str| proxy.address.replace("://", &format!("://{login}"));
    get(&with(cluster, &json!({ "proxy-url": address(&format!("{USER}:{PASSWORD}@")) }))).json();
    let port = cluster.server().rsplit(':').next().unwrap().to_owned();
    assert!(proxy.log().contains(&format!("127.0.0.1:{port}")), "{}", proxy.log());
    let refused = get(&with(cluster, &json!({ "proxy-url": address(&format!("{USER}:hunter2@")) })));
    expect(&refused, 3, &format!("was asked for through the proxy {}", proxy.address));
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
}

#[test]
fn the_kubeconfigs_socks_proxy_is_used_and_one_with_a_login_is_refused_with_the_reason() {
    let (Some(cluster), Some(proxy)) = (shared(), Proxy::open_socks()) else { return };
    cluster.namespace("ways");
    let person = with(cluster, &json!({ "proxy-url": proxy.address }));
    get(&person).json();
    drop(proxy);
    expect(&get(&person), 3, "the API server was not reached");
    let login = with(cluster, &json!({ "proxy-url": "socks5://rita:hunter2@127.0.0.1:1" }));
    let refused = get(&login);
    expect(&refused, 2, "does not send to a SOCKS proxy");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
}
