//! `create` and `render message` as a person runs them: flags in, files and lines out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

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
    let output = place.run(&[VOTE, &["--source", "cluster"]].concat());
    assert_eq!(output.status.code(), Some(2));
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
    let strict = place.run_with(&[&args[..], &["--strict", "-o", "json"]].concat(), DATA);
    assert_eq!((strict.status.code(), &json(&strict)["message"]), (Some(6), &Value::Null));
}
