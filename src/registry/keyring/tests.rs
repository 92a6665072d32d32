use std::collections::BTreeMap;

use super::*;

fn config(entries: &[(&str, &str)]) -> SecretString {
    let auths: BTreeMap<_, _> = entries
        .iter()
        .map(|(host, user)| (*host, serde_json::json!({"username": user, "password": "p"})))
        .collect();
    serde_json::json!({ "auths": auths }).to_string().into()
}

fn secret(keyring: &mut Keyring, label: &str, entries: &[(&str, &str)]) {
    let data = config(entries);
    let found = |key: &str| (key == ".dockerconfigjson").then_some(&data);
    assert_eq!(keyring.add_pull_secret(label, "kubernetes.io/dockerconfigjson", found), Ok(true));
}

fn users(keyring: &Keyring, host: &str, repository: &str) -> Vec<String> {
    let user = |offer: Offer| match offer {
        Offer::Ready(Credential { label, login: Login::Basic { username, .. } }) => {
            format!("{label}={username}")
        }
        other => other.label().to_owned(),
    };
    keyring.candidates(host, repository).into_iter().map(user).collect()
}

#[test]
fn a_helper_that_is_named_by_no_programs_name_is_said_with_file_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let text = r#"{"credHelpers":{"r.example.com":"a/b","s.example.com":"ecr-login"},"credsStore":"../x"}"#;
    std::fs::write(&file, text).unwrap();
    let mut keyring = Keyring::new();
    let here = |name: &str| (name == "DOCKER_CONFIG").then(|| folder.path().as_os_str().to_owned());
    let said: Vec<String> = keyring.add_docker_files(here).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    for (said, key) in said.iter().zip([r#"credHelpers."r.example.com""#, "credsStore"]) {
        assert!(said.contains(key) && said.contains(&file.display().to_string()), "{said}");
    }
}

#[test]
fn credentials_come_in_the_documented_order() {
    let mut keyring = Keyring::new();
    keyring.add_login("flags", None, "f", "x".into());
    keyring.add_environment(|name| name.starts_with("SUPERCARGO_REGISTRY_").then(|| "r.example.com".into()));
    secret(&mut keyring, "secret a/b", &[("r.example.com", "s")]);
    keyring.add_docker_config("docker config", config(&[("r.example.com", "d")]).expose_secret()).unwrap();
    let all = ["flags=f", "environment=r.example.com", "secret a/b=s", "docker config=d", "anonymous"];
    assert_eq!(users(&keyring, "r.example.com", "a"), all);
    assert_eq!(users(&keyring, "other.example.com", "a"), ["flags=f", "anonymous"]);
}

#[test]
fn longer_paths_and_earlier_secrets_win() {
    let mut keyring = Keyring::new();
    secret(&mut keyring, "one", &[("ghcr.io", "host"), ("ghcr.io/foo", "path"), ("*.io", "glob")]);
    secret(&mut keyring, "two", &[("ghcr.io", "late")]);
    assert_eq!(users(&keyring, "ghcr.io", "foobar/x"), ["one=path", "anonymous"]);
    assert_eq!(users(&keyring, "ghcr.io", "bar"), ["one=host", "anonymous"]);
    assert_eq!(users(&keyring, "quay.io", "bar"), ["one=glob", "anonymous"]);
}

#[test]
fn docker_hub_is_known_by_its_canonical_name_and_in_docker_files_by_its_short_one() {
    let mut keyring = Keyring::new();
    secret(&mut keyring, "short", &[("docker.io", "no")]);
    assert_eq!(users(&keyring, "index.docker.io", "library/a"), ["anonymous"]);
    secret(&mut keyring, "long", &[("https://index.docker.io/v1/", "yes")]);
    keyring.add_docker_config("docker config", config(&[("docker.io", "d")]).expose_secret()).unwrap();
    assert_eq!(users(&keyring, "index.docker.io", "library/a"), ["long=yes", "docker config=d", "anonymous"]);
}

#[test]
fn of_a_file_the_hosts_own_helper_is_first_then_the_common_one_then_an_entry() {
    let mut keyring = Keyring::new();
    let text = r#"{"auths":{"a.example.com":{"username":"u","password":"p"},"b.example.com":{},"evil":{}},
        "credHelpers":{"a.example.com":"own","evil":"../../bin/sh","docker.io":"hub"},"credsStore":"common"}"#;
    keyring.add_docker_config("docker config", text).unwrap();
    let all = |host: &str| users(&keyring, host, "x");
    assert_eq!(
        all("a.example.com"),
        ["docker config (helper own)", "docker config (helper common)", "docker config=u", "anonymous"]
    );
    assert_eq!(all("b.example.com"), ["docker config (helper common)", "anonymous"]);
    assert_eq!(
        all("index.docker.io"),
        ["docker config (helper hub)", "docker config (helper common)", "anonymous"]
    );
    assert_eq!(all("evil"), ["docker config (helper common)", "anonymous"], "a path is no helper");
}

#[test]
fn auth_overrides_user_and_password_and_tokens_override_both() {
    let mut keyring = Keyring::new();
    let text = r#"{"auths":{"a":{"username":"u","password":"p","auth":"eDp5Onp6"},"b":{"identitytoken":"t"},"c":{}}}"#;
    keyring.add_docker_config("docker config", text).unwrap();
    let of = |host: &str| match keyring.candidates(host, "x").into_iter().next() {
        Some(Offer::Ready(credential)) => credential.login,
        other => panic!("{other:?}"),
    };
    assert!(matches!(of("a"), Login::Basic { username, password }
        if username == "x" && password.expose_secret() == "y:zz"));
    assert!(matches!(of("b"), Login::Identity { .. }));
    assert!(matches!(of("c"), Login::Anonymous));
}

#[test]
fn what_cannot_be_read_is_named_without_its_content() {
    let mut keyring = Keyring::new();
    let wrong = keyring.add_docker_config("docker config", r#"{"auths":{"a":{"password":["hunter2"]}}}"#);
    assert!(!wrong.unwrap_err().to_string().contains("hunter2"));
    let wrong = keyring.add_docker_config("docker config", r#"{"auths":{"a":{"auth":"aHVudGVyMg=="}}}"#);
    assert!(wrong.unwrap_err().to_string().ends_with("must be formatted as base64(username:password)"));
    assert_eq!(keyring.add_pull_secret("s", "Opaque", |_| None), Ok(false));
    keyring.add_login("flags", None, "u", "hunter2".into());
    assert!(!format!("{keyring:?}").contains("hunter2"));
}

proptest::proptest! {
    #[test]
    fn no_file_is_a_panic(text in ".*", host in ".*", repository in ".*") {
        let mut keyring = Keyring::new();
        let _ = keyring.add_docker_config("docker config", &text);
        let entry = serde_json::json!({"auths": {(text.as_str()): {"username": "u", "password": "p"}}}).to_string();
        keyring.add_docker_config("docker config", &entry).unwrap();
        keyring.candidates(&host, &repository);
    }
}
