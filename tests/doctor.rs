//! What `doctor` says of this machine, and `doctor registry` of a registry and of whoever asks it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod operator;
    pub mod registry;
}

use serde_json::{Value, json};
use support::operator::{Operator, SECRET};
use support::registry::DockerRegistry;

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
