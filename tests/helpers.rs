//! Docker's credential helpers, as programs of their own, between the operator's docker configuration and a real registry.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod operator;
    pub mod pty;
    pub mod registry;
    pub mod tokens;
}

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use support::operator::{Operator, SECRET};
use support::pty::Pty;
use support::registry::{DockerRegistry, Liar, Say, base64};
use support::tokens::{Manners, TokenService};

fn registry() -> Option<DockerRegistry> {
    let registry = DockerRegistry::start(Some(("rita", SECRET)))?;
    registry.push("team/app", "1.0.0");
    Some(registry)
}

#[test]
fn the_hosts_helper_is_asked_for_the_host_and_has_the_login() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/team/app", registry.host);
    let says = format!(
        "echo \"asked for $host as $1\" >> \"$HOME/asked\"; echo '{{\"Username\":\"rita\",\"Secret\":\"{SECRET}\"}}'"
    );
    let own = format!(r#"{{"credHelpers":{{"{}":"ours"}},"credsStore":"broken"}}"#, registry.host);
    let operator = Operator::new(&own, &[("ours", &says), ("broken", "exit 1")]);
    let (status, said) = operator.scan(&image);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("docker config (helper ours)"), "{said}");
    let asked = fs::read_to_string(operator.folder.path().join("home/asked")).unwrap();
    assert_eq!(asked, format!("asked for {} as get\n", registry.host));

    let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", &says)]);
    assert_eq!(operator.scan(&image).0, Some(0));
}

#[test]
fn neither_a_stale_entry_nor_a_stale_helper_hides_the_login_that_is_good() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/team/app", registry.host);
    let hands_out = |password: &str| format!("echo '{{\"Username\":\"rita\",\"Secret\":\"{password}\"}}'");
    let nothing = "echo 'credentials not found in native keychain'; exit 1";
    let file = |store: &str, password: &str| {
        let auth = base64(format!("rita:{password}"));
        format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}},{store}}}"#, host = registry.host)
    };
    let own = format!(r#""credHelpers":{{"{}":"ours"}},"credsStore":"common""#, registry.host);
    for (store, ours, common, entry, serves) in [
        (r#""credsStore":"common""#, "", hands_out(SECRET), "stale", "docker config (helper common)"),
        (r#""credsStore":"common""#, "", hands_out("stale"), SECRET, "docker config\t"),
        (r#""credsStore":"not-there""#, "", String::new(), SECRET, "docker config\t"),
        (&own, nothing, hands_out(SECRET), "stale", "docker config (helper common)"),
        (&own, &hands_out("stale"), nothing.to_owned(), SECRET, "docker config\t"),
    ] {
        let operator = Operator::new(&file(store, entry), &[("ours", ours), ("common", &common)]);
        let (status, said) = operator.scan(&image);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains(serves), "{said}");
    }
}

#[test]
fn a_helper_that_hangs_fails_lies_or_wants_to_talk_is_named_and_stays_off_the_screen() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/team/app", registry.host);
    let garbage = format!("echo '{SECRET}'; echo '{SECRET}' >&2");
    let talk = format!("echo '{SECRET}' > /dev/tty; read -r answer < /dev/tty; exit 1");
    for (does, named) in [
        ("sleep 30", "no answer within 2 s"),
        ("exit 1", "it failed"),
        (garbage.as_str(), "its answer is not the JSON it should be"),
        (talk.as_str(), "it failed"),
        ("echo '{\"Username\":\"rita\",\"Secret\":\"wrong\"}'", "Tried docker config (helper ours)"),
        (
            "echo 'credentials not found in native keychain'; exit 1",
            "docker config (helper ours) has no login for",
        ),
    ] {
        let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", does)]);
        let begun = std::time::Instant::now();
        let (status, said) = operator.scan(&image);
        assert!(matches!(status, Some(3 | 4)), "{does}: {said}");
        assert!(said.contains(named) || does == "sleep 30", "{does}: {said}");
        assert!(begun.elapsed() < Duration::from_secs(12), "{does}");
    }
    let operator = Operator::new(r#"{"credsStore":"absent"}"#, &[]);
    let (status, said) = operator.scan(&image);
    assert_eq!(status, Some(4), "{said}");
    assert!(said.contains("(helper absent): docker-credential-absent is not installed"), "{said}");
}

/// What a helper does that hangs, and leaves a trace of its life.
const HANGS: &str = "(while :; do echo x >> \"$HOME/beats\"; sleep 0.1; done) & sleep 30";

/// Whether a helper that [`HANGS`] comes to its end.
fn falls_silent(operator: &Operator) -> bool {
    let beats = || fs::metadata(operator.path("home/beats")).map_or(0, |meta| meta.len());
    // What was sent a signal may still be running.
    let is_still = |_: i32| {
        let before = beats();
        std::thread::sleep(Duration::from_millis(500));
        before == beats()
    };
    (0..10).any(is_still)
}

/// The program, told so by the shell that starts it, and waiting for a helper that [`HANGS`].
fn waiting(operator: &Operator, image: &str, told: &str) -> Child {
    let program = operator.command(&["scan", "--image", image, "--timeout", "8s"]);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{told}exec \"$0\" \"$@\""))
        .arg(program.get_program())
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        shell.env(name, value.unwrap());
    }
    let child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let has_begun = |_: &i32| {
        std::thread::sleep(Duration::from_millis(50));
        operator.path("home/beats").exists()
    };
    assert!((0..600).find(has_begun).is_some(), "the helper was never asked");
    child
}

#[test]
fn a_signal_that_ends_us_ends_the_helper_that_we_wait_for() {
    // Nobody is asked before the helper has answered, so anything that is a registry will do.
    let registry = Liar::start(|_, _| Say::status("401 Unauthorized"));
    let image = format!("{}/team/app", registry.host);
    // The second is told to ignore the signal, as a shell tells what runs in its background of that of Ctrl+C; the last one nobody
    // can catch.
    for (told, signal, ends) in [
        ("", Signal::TERM, Some(Signal::TERM)),
        ("trap '' TERM; ", Signal::TERM, None),
        ("", Signal::KILL, Some(Signal::KILL)),
    ] {
        let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", HANGS)]);
        let mut child = waiting(&operator, &image, told);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait().unwrap();
        assert_eq!(ended.signal(), ends.map(Signal::as_raw), "{ended}");
        assert!(falls_silent(&operator), "{told}{signal:?}: it goes on");
    }
}

#[test]
fn the_systems_authorities_are_not_read_for_a_registry_that_shows_no_certificate() {
    let registry = Liar::start(|_, _| Say::json(r#"{"tags":["1.0.0"]}"#));
    let operator = Operator::new("{}", &[]);
    let pipe = operator.path("authorities");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let image = format!("{}/team/app", registry.host);
    let mut program = operator.command(&["scan", "--image", &image, "--timeout", "20s"]);
    // Whoever reads a pipe that nobody writes to waits for ever.
    let ran =
        program.env("SSL_CERT_FILE", &pipe).env("SSL_CERT_DIR", operator.path("none")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn what_a_helper_that_hangs_has_started_ends_with_it() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/team/app", registry.host);
    let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", HANGS)]);
    // On a busy machine the time of a scan may be over before the helper is asked.
    let has_begun = |_: &i32| {
        operator.scan(&image);
        operator.path("home/beats").exists()
    };
    assert!((0..20).find(has_begun).is_some(), "the helper was never asked");
    assert!(falls_silent(&operator), "it goes on");
}

#[test]
fn a_helper_that_speaks_to_the_terminal_finds_none_though_we_have_one() {
    let Some(registry) = registry() else { return };
    let talk = format!("echo '{SECRET}' > /dev/tty && touch \"$HOME/spoke\"; echo '{SECRET}' >&2; exit 1");
    let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", &talk)]);
    let path = format!("{}:{}", operator.path("bin").display(), std::env::var("PATH").unwrap());
    let (home, docker) = (operator.path("home"), operator.path("docker"));
    let variables =
        [("HOME", &home), ("DOCKER_CONFIG", &docker)].map(|(name, path)| (name, path.to_str().unwrap()));
    let variables = [&variables[..], &[("PATH", path.as_str())]].concat();
    let image = format!("{}/team/app", registry.host);
    let mut pty = Pty::start_with(200, 50, &["scan", "--image", &image, "--timeout", "5s"], &variables);
    assert_eq!(pty.end(), 4, "{}", pty.text());
    let shown = String::from_utf8_lossy(&pty.bytes).into_owned();
    assert!(shown.contains("docker config (helper ours): it failed"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!home.join("spoke").exists(), "it had our terminal");
}

#[test]
fn podmans_files_of_logins_serve_where_dockers_has_none() {
    let Some(registry) = registry() else { return };
    let image = format!("{}/team/app", registry.host);
    let auths = |path: &str, password: &str| {
        let auth = base64(format!("rita:{password}"));
        format!(r#"{{"auths":{{"{}{path}":{{"auth":"{auth}"}}}}}}"#, registry.host)
    };
    let mut operator = Operator::new(r#"{"auths":{}}"#, &[]);
    fs::create_dir_all(operator.path("run/containers")).unwrap();
    operator.write("run/containers/auth.json", &auths("", SECRET));
    assert_eq!(operator.scan(&image).0, Some(4), "nobody says where it is");
    operator.environment = vec![("XDG_RUNTIME_DIR", "run")];
    let (status, said) = operator.scan(&image);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("containers auth file"), "{said}");
    // Podman writes logins for a part of a registry, too.
    operator.write("auth.json", &auths("/team", SECRET));
    operator.write("run/containers/auth.json", &auths("", "expired"));
    operator.environment.push(("REGISTRY_AUTH_FILE", "auth.json"));
    let (status, said) = operator.scan(&image);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("registry auth file"), "{said}");
}

#[test]
fn a_pipe_of_logins_is_read_once_for_all_requests_and_one_without_a_writer_is_given_up() {
    let Some(registry) = registry() else { return };
    let auth = base64(format!("rita:{SECRET}"));
    let login = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.host);
    let operator = Operator::new("{}", &[]);
    let object = |name: &str| {
        format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: edge}}\n\
             spec: {{interval: 1m, image: {}/team/app}}\n",
            registry.host
        )
    };
    operator.write("objects.yaml", &["a", "b", "c"].map(object).concat());
    operator.write("login.json", &login);
    let shell = |script: &str| {
        let program = operator.command(&["scan", "repository", "--all"]);
        let mut shell = Command::new("bash");
        shell.args(["-c", script, "bash"]).arg(program.get_program()).args(program.get_args());
        shell.current_dir(operator.folder.path()).env_clear();
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = shell.output().unwrap();
        (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
    };
    let (status, said) = shell("REGISTRY_AUTH_FILE=<(cat login.json) exec \"$@\"");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("registry auth file"), "{said}");
    let begun = std::time::Instant::now();
    let (status, said) = shell("mkfifo pipe; REGISTRY_AUTH_FILE=pipe exec \"$@\"");
    assert_eq!(status, Some(4), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let says = "pipe could not be read: it is a pipe that nobody wrote to its end within 5 s";
    assert_eq!(said.matches(says).count(), 1, "{said}");
}

#[test]
fn two_pull_secrets_for_one_registry_never_mix() {
    let Some(registry) = registry() else { return };
    let object = |name: &str, secret: &str| {
        format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: edge}}\n\
             spec: {{interval: 1m, image: {}/team/app, secretRef: {{name: {secret}}}}}\n",
            registry.host
        )
    };
    let secret = |name: &str, password: &str| {
        let auths =
            format!(r#"{{"auths":{{"{}":{{"username":"rita","password":"{password}"}}}}}}"#, registry.host);
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: edge}}\n\
             type: kubernetes.io/dockerconfigjson\nstringData: {{.dockerconfigjson: '{auths}'}}\n"
        )
    };
    let operator = Operator::new("{}", &[]);
    // What is known of the door is shared, whoever comes first.
    let objects =
        [("a", "good"), ("b", "bad"), ("c", "good"), ("d", "bad")].map(|(name, of)| object(name, of));
    operator.write(
        "objects.yaml",
        &[&objects[..], &[secret("good", SECRET), secret("bad", "expired")]].concat().concat(),
    );
    let (status, said) = operator.run(&["scan", "repository", "--all", "-o", "json"]);
    assert_eq!(status, Some(8), "{said}");
    let report = said.lines().find(|line| line.starts_with("{\"apiVersion\"")).unwrap();
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    for (item, serves) in report["items"].as_array().unwrap().iter().zip([true, false, true, false]) {
        if serves {
            assert_eq!(item["credential"], "secret edge/good", "{item}");
            continue;
        }
        assert_eq!(item["error"]["code"], "registry_unauthorized", "{item}");
        let hint = item["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("secret edge/bad") && !hint.contains("good"), "{hint}");
    }
}

#[test]
fn an_accounts_pull_secrets_log_in_and_an_account_that_is_nowhere_is_named() {
    let Some(registry) = registry() else { return };
    let operator = Operator::new("{}", &[]);
    operator.repository(&format!("{}/team/app", registry.host), ", serviceAccountName: puller");
    let (status, said) = operator.run(&["scan", "repository", "--all"]);
    assert_eq!(status, Some(4), "{said}");
    assert!(said.contains("serviceaccount 'edge/puller' is nowhere to be read"), "{said}");
    let auths = format!(r#"{{"auths":{{"{}":{{"username":"rita","password":"{SECRET}"}}}}}}"#, registry.host);
    operator.write(
        "account.yaml",
        &format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: puller, namespace: edge}}\nimagePullSecrets: [{{name: pull}}]\n\
             ---\napiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\ntype: kubernetes.io/dockerconfigjson\n\
             stringData: {{.dockerconfigjson: '{auths}'}}\n"
        ),
    );
    let (status, said) = operator.run(&["scan", "repository", "--all"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("secret edge/pull"), "{said}");
}

#[test]
fn a_secret_that_is_there_and_broken_stops_the_scan_as_controllers_stop() {
    // Whoever is let in without a login must not hide that the login is broken.
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("team/app", "1.0.0");
    let image = format!("{}/team/app", registry.host);
    let operator = Operator::new("{}", &[]);
    let docker = "type: kubernetes.io/dockerconfigjson\n";
    let whole = format!("{docker}stringData: {{.dockerconfigjson: '{{\"auths\":{{}}}}'}}\n");
    let secret = |text: &str| {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: pull, namespace: edge}}\n{text}");
        operator.write("secret.yaml", &text);
    };
    operator.repository(&image, ", secretRef: {name: pull}");
    secret(&whole);
    assert_eq!(operator.run(&["scan", "repository", "--all"]).0, Some(0));
    let cases = [
        ("secretRef", format!("{docker}stringData: {{.dockerconfigjson: '{SECRET}'}}\n"), "does not parse"),
        (
            "secretRef",
            format!(
                "{docker}stringData: {{.dockerconfigjson: '{{\"auths\":{{\"r\":{{\"auth\":\"aGVsbG8=\"}}}}}}'}}\n"
            ),
            "must be formatted as base64(username:password)",
        ),
        ("secretRef", format!("{docker}data: {{.dockerconfigjson: '{SECRET}'}}\n"), "is not base64"),
        ("certSecretRef", format!("stringData: {{ca.crt: '{SECRET}'}}\n"), "failed to parse CA certificate"),
        ("proxySecretRef", "stringData: {address: ''}\n".to_owned(), "proxy address is empty"),
    ];
    for (field, text, says) in cases {
        operator.repository(&image, &format!(", {field}: {{name: pull}}"));
        secret(&text);
        let (status, said) = operator.run(&["scan", "repository", "--all"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(
            said.contains("failed to configure authentication options: ") && said.contains(says),
            "{said}"
        );
        assert!(said.contains("put right the secret edge/pull"), "{said}");
        // What an earlier scan found is still there, and is no reason to say that all is well.
        let (status, said) = operator.run(&["get", "repositories", "-A", "-o", "json"]);
        assert_eq!(status, Some(0), "{said}");
        let ready = "\"ready\":\"False\",\"reason\":\"AuthenticationFailed\"";
        assert!(said.replace(": ", ":").contains(ready) && said.contains("\"tags\":1"), "{said}");
    }
    // Of another type, or with nothing in it, it counts for nothing, as in Flux.
    operator.repository(&image, ", secretRef: {name: pull}");
    for text in [
        "stringData: {.dockerconfigjson: nonsense}\n",
        &format!("{docker}stringData: {{.dockerconfigjson: ''}}\n"),
    ] {
        secret(text);
        assert_eq!(operator.run(&["scan", "repository", "--all"]).0, Some(0));
    }
}

/// Where Amazon's registries are, and who has the login of one.
const ECR: &str = "012345678901.dkr.ecr.us-east-1.amazonaws.com";

fn hands_out() -> String {
    format!("echo \"$host\" >> \"$HOME/asked\"; echo '{{\"Username\":\"rita\",\"Secret\":\"{SECRET}\"}}'")
}

#[test]
fn a_providers_helper_logs_in_for_its_hosts_whatever_secret_the_object_names() {
    let Some(registry) = registry() else { return };
    let own = format!(r#"{{"credHelpers":{{"{ECR}":"mine"}}}}"#);
    for (configuration, helper) in [("{}", "ecr-login"), (own.as_str(), "mine")] {
        let operator = Operator::new(configuration, &[(helper, &hands_out())]);
        operator.ask_elsewhere(ECR, &registry.host);
        operator.repository(&format!("{ECR}/team/app"), ", provider: aws, secretRef: {name: no-such-secret}");
        let (status, said) = operator.run(&["scan", "repository", "--all"]);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains(&format!("provider aws (helper {helper})")), "{said}");
        assert!(!said.contains("no-such-secret"), "{said}");
        assert_eq!(fs::read_to_string(operator.path("home/asked")).unwrap(), format!("{ECR}\n"));
    }
}

#[test]
fn a_helper_that_hands_out_an_identity_token_as_azures_does_gets_in_by_it() {
    const ACR: &str = "team.azurecr.io";
    let Some((service, registry)) = TokenService::start(Manners::default()) else { return };
    registry.push("team/app", "1.0.0");
    let answer = format!(r#"{{"Username":"<token>","Secret":"{}"}}"#, service.identity("rita"));
    let operator = Operator::new("{}", &[("acr-env", &format!("echo '{answer}'"))]);
    operator.ask_elsewhere(ACR, &registry.host);
    operator.repository(&format!("{ACR}/team/app"), ", provider: azure");
    let (status, said) = operator.run(&["scan", "repository", "--all"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("provider azure (helper acr-env)"), "{said}");
    assert!(service.asked().iter().any(|asked| asked.line == "POST /token"), "it is exchanged by form");
}

#[test]
fn a_providers_helper_that_is_missing_or_fails_is_named() {
    let Some(registry) = registry() else { return };
    for (helpers, says) in [
        (&[][..], "provider aws (helper ecr-login): docker-credential-ecr-login is not installed"),
        (&[("ecr-login", "exit 1")], "provider aws (helper ecr-login): it failed"),
    ] {
        let mut operator = Operator::new("{}", helpers);
        operator.has_programs = !helpers.is_empty();
        operator.ask_elsewhere(ECR, &registry.host);
        operator.repository(&format!("{ECR}/team/app"), ", provider: aws");
        let (status, said) = operator.run(&["scan", "repository", "--all"]);
        assert_eq!(status, Some(4), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_provider_that_does_not_run_the_host_ends_the_scan_in_the_words_of_flux() {
    let operator = Operator::new("{}", &[]);
    for (provider, says) in [
        ("gcp", "invalid GCP registry: '127.0.0.1:1'. must match ^(((.+\\.)?gcr\\.io)|"),
        ("oci", "provider 'oci' not implemented"),
    ] {
        operator.repository("127.0.0.1:1/team/app", &format!(", provider: {provider}"));
        let (status, said) = operator.run(&["scan", "repository", "--all"]);
        assert_eq!(status, Some(6), "{said}");
        assert!(said.contains(says), "{said}");
        let (_, said) = operator.run(&["get", "repositories", "-A", "-o", "json"]);
        assert!(
            said.contains("scan failed: ") && said.contains(provider.to_uppercase().as_str())
                || provider == "oci",
            "{said}"
        );
    }
}
