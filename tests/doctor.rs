//! What `doctor` says of this machine, and `doctor registry` of a registry and of whoever asks it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod operator;
    pub mod registry;
}

use serde_json::{Value, json};
use support::operator::{Operator, SECRET};
use support::registry::{DockerRegistry, Liar, Say, TlsRegistry};

/// The report in JSON, and the exit status.
fn doctor(operator: &Operator, place: &[&str]) -> (Option<i32>, Value) {
    let arguments = [&["doctor"], place, &["-o", "json"]].concat();
    let (status, said) = operator.run(&arguments);
    let document = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap_or_default();
    (status, serde_json::from_str(document).expect(&said))
}

/// Names, states and messages.
fn checks(report: &Value) -> Vec<(String, String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|check| (text(check, "name"), text(check, "status"), text(check, "message"))).collect()
}

fn auths(host: &str, user: &str, password: &str) -> String {
    json!({"auths": {host: {"username": user, "password": password}}}).to_string()
}

#[test]
fn each_credential_is_told_in_its_order_with_what_the_registry_said() {
    let Some(registry) = DockerRegistry::start(Some(("rita", SECRET))) else { return };
    registry.push("team/app", "1.0.0");
    let operator = Operator::new(&auths(&registry.host, "rita", SECRET), &[]);
    let secret =
        json!({"auths": {(registry.host.as_str()): {"username": "old", "password": "hunter2"}}}).to_string();
    operator.repository(&format!("{}/team/app", registry.host), ", secretRef: {name: pull}");
    operator.write("secret.yaml", &format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData:\n  .dockerconfigjson: '{secret}'\n"
    ));
    for place in [registry.host.clone(), format!("{}/team/app", registry.host)] {
        let (status, report) = doctor(&operator, &["registry", &place]);
        let (host, door) =
            (&registry.host, format!("answers at http://{}/v2/ and wants user and password", registry.host));
        let found = checks(&report);
        assert_eq!((status, report["ok"].as_bool()), (Some(0), Some(true)), "{report}");
        assert_eq!(found[0].0, format!("registry/{host}"));
        assert!(found[0].2.starts_with(&door), "{report}");
        let credentials: Vec<(&str, &str)> =
            found[1..].iter().map(|(_, status, text)| (&**status, &**text)).collect();
        assert!(
            credentials[0].1.starts_with("secret edge/pull as old: refused, 401 Unauthorized"),
            "{report}"
        );
        assert_eq!(credentials[0].0, "skipped");
        assert_eq!(
            credentials[1..],
            [("ok", "docker config as rita: let in"), ("skipped", "anonymous: not needed")]
        );
        assert!(found[1..].iter().all(|(name, ..)| *name == format!("credential/{host}")));
        assert!(!report.to_string().contains("hunter2"));
    }
}

#[test]
fn a_registry_that_lets_nobody_in_or_is_not_there_is_a_failure_with_what_to_do() {
    let Some(registry) = DockerRegistry::start(Some(("rita", SECRET))) else { return };
    registry.push("team/app", "1.0.0");
    let operator = Operator::new(&auths(&registry.host, "rita", "hunter2"), &[]);
    let (status, report) = doctor(&operator, &["registry", &registry.host]);
    assert_eq!((status, report["ok"].as_bool()), (Some(1), Some(false)), "{report}");
    let failed: Vec<_> = checks(&report).into_iter().filter(|(_, status, _)| status == "failed").collect();
    assert!(failed[0].2.starts_with("docker config as rita: refused, 401"), "{report}");
    assert_eq!(failed.last().unwrap().2, "nobody was let in", "{report}");
    let fixes: Vec<&str> =
        report["checks"].as_array().unwrap().iter().filter_map(|check| check["fix"].as_str()).collect();
    assert!(fixes.iter().any(|fix| fix.contains(&format!("docker login {}", registry.host))), "{report}");

    let (status, said) = operator.run(&["doctor", "registry", "127.0.0.1:1/team/app"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("✗ registry/127.0.0.1:1") && said.contains("connection refused"), "{said}");
    let (status, said) = operator.run(&["doctor", "registry", &format!("{}/no/such", registry.host)]);
    assert_eq!(status, Some(1), "{said}");
}

/// What the failed scan says, and the messages and fixes of `doctor registry`.
fn said_of(operator: &Operator, host: &str) -> (String, String) {
    let (status, said) = operator.run(&["scan", "repository", "--all"]);
    assert_eq!(status, Some(4), "{said}");
    let (_, report) = doctor(operator, &["registry", &format!("{host}/team/app")]);
    (said, report.to_string())
}

#[test]
fn a_login_is_blamed_only_by_whom_it_was_shown_to() {
    let inner = Liar::start(|_, _| Say::status("401 Unauthorized"));
    let leads = format!("Location: http://{}/v2/team/app/tags/list", inner.host);
    let leading = Liar::start(move |asked, _| {
        if asked.line == "GET /v2/" {
            Say::json("{}")
        } else {
            Say::status("307 Temporary Redirect").with(&leads)
        }
    });
    let operator = Operator::new(&auths(&leading.host, "rita", SECRET), &[]);
    operator.repository(&format!("{}/team/app", leading.host), "");
    let (scan, report) = said_of(&operator, &leading.host);
    let says = format!("leads to http://{}, which lets nobody in without a login", inner.host);
    assert!(scan.contains(&says) && !scan.contains("the login was refused"), "{scan}");
    let shown = format!("docker config as rita: not shown to http://{}", inner.host);
    assert!(report.contains(&shown) && report.contains(&says), "{report}");
    assert!(inner.asked().iter().all(|asked| asked.authorization.is_none()));

    let closed = Liar::start(|_, _| Say::status("403 Forbidden"));
    let operator = Operator::new(&auths(&closed.host, "rita", SECRET), &[]);
    operator.repository(&format!("{}/team/app", closed.host), "");
    let (scan, report) = said_of(&operator, &closed.host);
    for said in [&scan, &report] {
        assert!(said.contains("without a login, so none is to blame"), "{said}");
        assert!(!said.contains("refused"), "{said}");
    }
    assert!(closed.asked().iter().all(|asked| asked.line == "GET /v2/"), "asked for nothing else");
}

#[test]
fn a_secret_that_is_named_and_holds_nothing_for_the_host_is_told() {
    let Some(registry) = DockerRegistry::start(Some(("rita", SECRET))) else { return };
    registry.push("team/app", "1.0.0");
    let other = auths("other.example.com", "rita", SECRET);
    for (configuration, kind) in [
        ("{}".to_owned(), "kubernetes.io/dockerconfigjson"),
        (auths(&registry.host, "rita", "old"), "kubernetes.io/dockerconfigjson"),
        ("{}".to_owned(), "Opaque"),
    ] {
        let operator = Operator::new(&configuration, &[]);
        operator.repository(&format!("{}/team/app", registry.host), ", secretRef: {name: pull}");
        operator.write(
            "secret.yaml",
            &format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\ntype: {kind}\n\
             stringData:\n  .dockerconfigjson: '{other}'\n"
            ),
        );
        let (scan, report) = said_of(&operator, &registry.host);
        let says = format!("secret edge/pull has no login for {}/team/app", registry.host);
        assert!(scan.contains(&says), "{scan}");
        assert_eq!(scan.contains("Tried docker config"), configuration != "{}", "{scan}");
        assert!(
            report.contains(&format!("secret edge/pull: has no login for {}/team/app", registry.host)),
            "{report}"
        );
    }
}

#[test]
fn without_a_registry_it_is_the_check_and_the_terminal() {
    let operator = Operator::new("{}", &[]);
    operator.write("objects.yaml", "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\n");
    let (_, report) = doctor(&operator, &[]);
    let names: Vec<String> = checks(&report).into_iter().map(|(name, ..)| name).collect();
    let screen: &[&str] =
        if cfg!(feature = "tui") { &["terminal", "colour", "locale", "clipboard"] } else { &[] };
    for name in [&["config", "git", "paths/state", "paths/cache"], screen].concat() {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
}

#[test]
fn each_credential_of_a_host_is_checked_for_a_repository_that_has_it() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("team/app", "1.0.0");
    let operator = Operator::new("{}", &[]);
    operator.repository(&format!("{}/team/app", registry.host), ", secretRef: {name: pull}");
    let secret =
        json!({"auths": {(registry.host.as_str()): {"username": "old", "password": "hunter2"}}}).to_string();
    let mut more = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData:\n  .dockerconfigjson: '{secret}'\n"
    );
    for name in ["bare", "twin"] {
        let object = format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: edge}}\n\
             spec: {{interval: 1m, image: \"{}/team/app\"}}\n",
            registry.host
        );
        more.push_str(&object);
    }
    operator.write("more.yaml", &more);
    let (_, said) = operator.run(&["check", "-o", "json"]);
    let document = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap_or_default();
    let report: Value = serde_json::from_str(document).expect(&said);
    let credentials: Vec<_> =
        checks(&report).into_iter().filter(|(name, ..)| name.starts_with("credential/")).collect();
    let [(_, status, text)] = credentials.as_slice() else { panic!("one line a host: {report}") };
    assert_eq!(
        (status.as_str(), text.as_str()),
        ("ok", "edge/bare: anonymous; edge/app: secret edge/pull, then anonymous")
    );
}

/// An `ImageRepository` `edge/NAME` with these further fields.
fn object(name: &str, image: &str, fields: &str) -> String {
    format!(
        "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: edge}}\n\
         spec: {{interval: 1m, image: \"{image}\"{fields}}}\n"
    )
}

/// The messages of failed checks.
fn failures(report: &Value) -> Vec<String> {
    checks(report).into_iter().filter(|(_, status, _)| status == "failed").map(|(.., text)| text).collect()
}

#[test]
fn repositories_that_share_a_secret_and_not_the_login_in_it_are_each_asked_for() {
    let Some(registry) = DockerRegistry::start(Some(("rita", SECRET))) else { return };
    registry.push("team/app", "1.0.0");
    let (operator, host) = (Operator::new("{}", &[]), &registry.host);
    let of = |user: &str, password: &str| json!({"username": user, "password": password});
    let auths = json!({"auths": {
        (format!("{host}/team/app")): of("rita", SECRET), (format!("{host}/team/build")): of("old", "hunter2"),
    }});
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData:\n  .dockerconfigjson: '{auths}'\n"
    );
    let pull = ", secretRef: {name: pull}";
    let objects = ["app", "build"].map(|name| object(name, &format!("{host}/team/{name}"), pull));
    operator.write("objects.yaml", &[secret, objects.concat()].concat());
    let (status, report) = doctor(&operator, &["registry", host]);
    assert_eq!((status, report["ok"].as_bool()), (Some(1), Some(false)), "{report}");
    let said = report.to_string();
    assert!(said.contains("as ImageRepository edge/app asks"), "{report}");
    assert!(said.contains("as ImageRepository edge/build asks"), "{report}");
    assert!(failures(&report).iter().any(|text| text.starts_with("secret edge/pull as old: refused, 401")));
    // `check` has the same question and asks it with less.
    let (_, said) = operator.run(&["check", "-o", "json"]);
    let document = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap_or_default();
    let failures = failures(&serde_json::from_str(document).expect(&said));
    assert!(
        failures.iter().any(|text| text.contains("/v2/team/build/") && text.contains("401")),
        "{failures:?}"
    );
}

#[test]
fn repositories_that_differ_in_whom_they_trust_or_in_their_provider_are_each_asked_for() {
    let Some(tls) = TlsRegistry::start() else { return };
    let (operator, host) = (Operator::new("{}", &[]), &tls.registry.host);
    let ca = String::from_utf8(tls.ca).unwrap().trim().replace('\n', "\n    ");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: ca, namespace: edge}}\nstringData:\n  ca.crt: |\n    {ca}\n"
    );
    let image = format!("{host}/no/such");
    let trusting = ", certSecretRef: {name: ca}";
    let objects = [
        object("app", &image, trusting),
        object("bare", &image, ""),
        object("odd", &image, ", provider: what"),
        object("odder", &image, ", provider: gcp"),
    ];
    operator.write("objects.yaml", &[&secret, objects.concat().as_str()].concat());
    let (status, report) = doctor(&operator, &["registry", &image]);
    assert_eq!((status, report["ok"].as_bool()), (Some(1), Some(false)), "{report}");
    let failures = failures(&report);
    // Whoever trusts it is let in and finds no repository.
    for says in ["404 Not Found", "certificate not trusted", "provider 'what'", "invalid GCP registry"] {
        assert!(failures.iter().any(|text| text.contains(says)), "{says}: {report}");
    }
}
