//! Docker's credential helpers, as programs of their own, between the operator's docker configuration and a real registry.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod registry;
}

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use support::registry::DockerRegistry;

const SECRET: &str = "hunter2-of-the-helper";

/// An operator with a docker configuration and some helpers.
struct Operator {
    folder: tempfile::TempDir,
}

impl Operator {
    /// Helpers by name, each with what it does (a shell script that has the host on its standard input).
    fn new(configuration: &str, helpers: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "bin", "docker"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("docker/config.json"), configuration).unwrap();
        for (name, does) in helpers {
            let program = folder.path().join(format!("bin/docker-credential-{name}"));
            fs::write(&program, format!("#!/bin/sh\nread -r host\n{does}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    /// Lists the tags of `image`; returns the exit status and all that was said, traces too.
    fn scan(&self, image: &str) -> (Option<i32>, String) {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.args(["scan", "--image", image, "--timeout", "2s", "--log-level", "trace"]);
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path().join("home"));
        command.env("DOCKER_CONFIG", self.folder.path().join("docker"));
        command.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        let ran = command.output().unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert!(!said.contains(SECRET), "{said}");
        (ran.status.code(), said)
    }
}

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
        ("echo 'credentials not found in native keychain'; exit 1", "No credential for"),
    ] {
        let operator = Operator::new(r#"{"credsStore":"ours"}"#, &[("ours", does)]);
        let begun = std::time::Instant::now();
        let (status, said) = operator.scan(&image);
        assert!(matches!(status, Some(3 | 4)), "{does}: {said}");
        assert!(said.contains(named) || does == "sleep 30", "{does}: {said}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(12), "{does}");
    }
    let operator = Operator::new(r#"{"credsStore":"absent"}"#, &[]);
    let (status, said) = operator.scan(&image);
    assert_eq!(status, Some(4), "{said}");
    assert!(said.contains("helper absent"), "{said}");
}
