//! `create` and `render message` as a person runs them: flags in, files and lines out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

#[path = "objects/change.rs"]
mod change;

/// A folder with a home and an empty files source.
struct Place {
    folder: TempDir,
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("fleet/clusters")).unwrap();
        Self { folder }
    }

    fn fleet(&self) -> std::path::PathBuf {
        self.folder.path().join("fleet")
    }

    /// Runs the program in the fleet; nothing is scanned.
    fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, "")
    }

    fn run_with(&self, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::cargo_bin("supercargo").unwrap();
        command.current_dir(self.fleet()).env_clear().env("HOME", self.folder.path().join("home"));
        command
            .args(["--refresh", "never", "--source", "files"])
            .args(args)
            .write_stdin(stdin)
            .output()
            .unwrap()
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.fleet().join(file)).unwrap()
    }
}

fn lines(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

const VOTE: &[&str] =
    &["create", "image", "repository", "vote", "--image=127.0.0.1:5000/vote", "--interval=1m"];

#[test]
fn a_repository_is_created_updated_and_left_alone() {
    let place = Place::new();
    let to = ["--path", "clusters/staging"];
    let created = place.run(&[VOTE, &to].concat());
    assert_eq!(created.status.code(), Some(0), "{}", lines(&created));
    let said = lines(&created);
    for line in ["✚ generating ImageRepository", "► applying ImageRepository", "✔ ImageRepository created"]
    {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    let text = place.text("clusters/staging/vote-registry.yaml");
    assert!(
        text.starts_with("---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n"),
        "{text}"
    );
    // Without --path the object's own file is found again.
    let again = json(&place.run(&[VOTE, &["-o", "json"]].concat()));
    assert_eq!(again["action"], "unchanged");
    let changed = json(&place.run(&[VOTE, &["--secret-ref=regcred", "-o", "json"]].concat()));
    assert_eq!((&changed["kind"], &changed["action"]), (&"ObjectResult".into(), &"updated".into()));
    assert_eq!(changed["file"], "clusters/staging/vote-registry.yaml");
    assert!(place.text("clusters/staging/vote-registry.yaml").contains("  secretRef:\n    name: regcred\n"));
}

#[test]
fn an_export_writes_nothing() {
    let place = Place::new();
    let output = place.run(&[VOTE, &["--export"]].concat());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: vote\n  namespace: \
         flux-system\nspec:\n  image: 127.0.0.1:5000/vote\n  interval: 1m0s\n"
    );
    assert_eq!(lines(&output), "");
    assert_eq!(fs::read_dir(place.fleet()).unwrap().count(), 1);
}

#[test]
fn what_flux_refuses_is_refused_in_its_words() {
    let place = Place::new();
    let output = place.run(&["create", "image", "policy", "vote"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        lines(&output),
        "✗ the name of an ImageRepository in the namespace is required (--image-ref)\n"
    );
    let output = place.run(&[VOTE, &["--read-only"]].concat());
    assert_eq!(output.status.code(), Some(7));
    assert!(lines(&output).contains("hint: Leave --read-only out"), "{}", lines(&output));
    let output = place.run(&[VOTE, &["--source", "cluster"]].concat());
    assert_eq!(output.status.code(), Some(2));
}

const ALL: &[&str] = &[
    "create",
    "image",
    "update",
    "all",
    "--git-repo-ref=fleet",
    "--checkout-branch=main",
    "--author-name=f",
    "--author-email=f@example.com",
];

#[test]
fn a_template_that_does_not_parse_is_refused_before_anything_is_written() {
    let place = Place::new();
    for export in [&[][..], &["--export"]] {
        let output = place.run(&[ALL, &["--commit-template={{range .Changed"], export].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(6), 0));
        assert!(lines(&output).contains("unable to create commit message template from spec"));
    }
    assert_eq!(fs::read_dir(place.fleet()).unwrap().count(), 1);
}

#[test]
fn a_template_with_a_removed_field_is_written_and_remarked_upon() {
    let place = Place::new();
    let template = "--commit-template={{range .Updated.Images}}{{println .}}{{end}}";
    let output = place.run(&[ALL, &[template, "-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", lines(&output));
    let document = json(&output);
    assert_eq!(document["action"], "created");
    let problem = &document["problems"][0];
    assert!(problem["message"].as_str().unwrap().contains("removed '.Updated' field"), "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains(".Changed.Changes"), "{problem}");
}

#[test]
fn objects_are_not_written_to_where_git_would_find_a_remote() {
    let place = Place::new();
    fs::create_dir_all(place.fleet().join("a@b/c:d")).unwrap();
    let output = place.run(&[VOTE, &["-C", "a@b/c:d"]].concat());
    assert_eq!(output.status.code(), Some(0), "a path is none: {}", lines(&output));
    let output = place.run(&[VOTE, &["-C", "https://rita:hunter2@git.example.com/fleet"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let said = lines(&output);
    assert!(
        said.contains("https://git.example.com/fleet: is a remote") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_secret_goes_into_our_own_folder() {
    let place = Place::new();
    let args =
        ["create", "secret", "git", "fleet", "--url=https://git/x", "--username=u", "--password-stdin"];
    let output = place.run_with(&args, "hunter2\n");
    assert_eq!(output.status.code(), Some(0), "{}", lines(&output));
    assert!(!lines(&output).contains("hunter2"));
    let file = place.folder.path().join("home/.local/state/supercargo/secrets/flux-system/fleet.yaml");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert!(fs::read_to_string(&file).unwrap().contains("  password: hunter2\n"));
}

const FLEET: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: apps}
spec: {interval: 1m, url: https://git.invalid/fleet, ref: {branch: main}EXTRA}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: apps}
spec: {interval: 1m, sourceRef: {kind: GitRepository, name: fleet}, git: {commit: {author: {email: f@example.com}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: app, namespace: apps}
stringData: {githubAppID: '1'}
";

#[test]
fn an_automation_whose_repository_cannot_log_in_says_it_in_flux_s_words() {
    for (extra, reason, message) in [
        (
            ", provider: github",
            "InvalidSourceConfiguration",
            "secretRef with github app data must be specified when provider is set to github: invalid source configuration",
        ),
        (
            ", secretRef: {name: app}",
            "InvalidSourceConfiguration",
            "secretRef 'apps/app' has github app data but provider is not set to github: invalid source configuration",
        ),
        (
            ", provider: azure, serviceAccountName: flux",
            "FeatureGateDisabled",
            "to use spec.serviceAccountName for provider authentication please enable the \
             ObjectLevelWorkloadIdentity feature gate in the controller",
        ),
    ] {
        let place = Place::new();
        fs::write(place.fleet().join("all.yaml"), FLEET.replace("EXTRA", extra)).unwrap();
        let output = place.run(&["get", "automations", "-A", "-o", "json"]);
        let item = &json(&output)["items"][0];
        assert_eq!((&item["ready"], &item["reason"]), (&"False".into(), &reason.into()), "{extra}: {item}");
        assert_eq!(item["message"], message, "{extra}");
    }
}

const DATA: &str = r#"{"automation_object":{"namespace":"flux-system","name":"apps"},"file_changes":{"a.yaml":[{"kind":"Deployment","name":"web","changes":[{"old_value":"web:1","new_value":"web:2","setter":"flux-system:web"}]}]}}"#;

#[test]
fn a_message_is_printed_byte_for_byte_and_removed_fields_are_told() {
    let place = Place::new();
    fs::write(place.fleet().join("template"), "{{range .Updated.Images}}{{println .}}{{end}}").unwrap();
    let args = ["render", "message", "--template-file", "template", "--data", "-"];
    let output = place.run_with(&args, DATA);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"web:2\n"[..]));
    assert!(lines(&output).contains("template uses removed '.Updated' field."), "{}", lines(&output));
    let document = json(&place.run_with(&[&args[..], &["-o", "json"]].concat(), DATA));
    assert_eq!((&document["message"], &document["error"]), (&"web:2\n".into(), &Value::Null));
    assert_eq!(document["warnings"][0]["code"], "removed_field");
    assert_eq!(document["problems"], serde_json::json!([]), "a remark is no problem");
    let strict = place.run_with(&[&args[..], &["--strict", "-o", "json"]].concat(), DATA);
    assert_eq!((strict.status.code(), &json(&strict)["message"]), (Some(6), &Value::Null));
}

#[test]
fn the_messages_of_a_plan_say_which_templates_controllers_refuse() {
    let place = Place::new();
    let warning = r#"{"code":"removed_field","message":"template uses removed '.Updated' field."}"#;
    let group =
        |message: &str, warnings: &str| format!(r#"{{"message":"{message}","warnings":[{warnings}]}}"#);
    let plan = format!(r#"{{"groups":[{},{}]}}"#, group("web:2\\n", warning), group("db:3\\n", ""));
    let args = ["render", "message", "--plan", "-"];
    let output = place.run_with(&args, &plan);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"web:2\ndb:3\n"[..]));
    assert!(lines(&output).contains("removed '.Updated' field."), "{}", lines(&output));
    let strict = place.run_with(&[&args[..], &["--strict", "-o", "json"]].concat(), &plan);
    let document = json(&strict);
    assert_eq!((strict.status.code(), &document["message"]), (Some(6), &Value::Null));
    assert_eq!(document["warnings"][0]["code"], "removed_field");
}
