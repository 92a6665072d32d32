//! What strangers wrote, through every command that prints JSON or YAML: nothing in it is unseen, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod registry;
}

use std::fs;

use assert_cmd::Command;
use serde_json::Value;
use support::registry::{Liar, Say};
use tempfile::TempDir;

/// One character of each kind that a terminal obeys or a person does not see, and one of each kind that both do well by.
const STRANGE: &str = "\u{7f}\u{85}\u{9b}\u{9d}\u{ad}\u{34f}\u{61c}\u{200b}\u{200d}\u{200e}\u{2028}\u{202e}\u{2066}\u{feff}\u{fff9}\u{e0041}é→世😀";

/// What must not be printed as it is.
fn is_unseen(ch: char) -> bool {
    let seen = ['é', '→', '世', '😀'];
    STRANGE.contains(ch) && !seen.contains(&ch)
}

/// Objects, marked files and a template that strangers wrote, beside a registry of theirs.
struct Strangers {
    folder: TempDir,
    registry: Liar,
}

impl Strangers {
    fn start() -> Self {
        let registry = Liar::start(|asked, _| match asked.line.as_str() {
            "GET /v2/" => Say::json("{}"),
            line if line.contains("/tags/list") => {
                let tags = [format!("1{STRANGE}"), "2".to_owned(), format!("z{STRANGE}")];
                Say::json(format!(r#"{{"name":"a","tags":{}}}"#, serde_json::to_string(&tags).unwrap()))
            }
            _ => Say::Answer("403 Forbidden", String::new(), format!("no {STRANGE}").into_bytes()),
        });
        let folder = tempfile::tempdir().unwrap();
        let strangers = Self { folder, registry };
        // A YAML file may hold most of it only as numbers.
        let numbers: Vec<String> = STRANGE.chars().map(|ch| format!("\\U{:08x}", u32::from(ch))).collect();
        let quoted = numbers.concat();
        let host = &strangers.registry.host;
        strangers.write(
            "objects.yaml",
            &format!(
                "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: web, namespace: apps}}\n\
                 spec: {{image: {host}/o/web, interval: 1h}}\n---\n\
                 apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {{name: web, namespace: apps}}\n\
                 spec: {{imageRepositoryRef: {{name: web}}, policy: {{alphabetical: {{order: asc}}}}}}\n---\n\
                 apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {{name: bad, namespace: apps}}\n\
                 spec: {{imageRepositoryRef: {{name: web}}, policy: {{semver: {{range: \"{quoted}\"}}}}}}\n"
            ),
        );
        strangers.write(
            "deploy.yaml",
            &format!(
                "spec:\n  containers:\n  - image: \"{host}/o/web:{quoted}\" # {{\"$imagepolicy\": \"apps:web\"}}\n  \
                 - image: \"postgres:{quoted}\"\n"
            ),
        );
        strangers
            .write(&format!("b-{}.yaml", "\u{202e}\u{200b}"), "a: [ # {\"$imagepolicy\": \"apps:web\"}\n");
        strangers.write("tags.txt", &format!("1{STRANGE}\n2\nz{STRANGE}\n"));
        strangers.write(
            "message.tpl",
            &format!("{STRANGE} {{{{range .Changed.Changes}}}}{{{{.NewValue}}}}{{{{end}}}}"),
        );
        strangers.write(
            "data.json",
            r#"{"automation_object":{"namespace":"a","name":"b"},"values":{},"file_changes":{}}"#,
        );
        strangers
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What a command prints on both streams.
    fn run(&self, words: &str, format: &str, input: &str) -> [String; 2] {
        let strange = format!("x{STRANGE}");
        let arguments = words.split(' ').map(|word| match word {
            "STRANGE" => strange.clone(),
            "IMAGE" => format!("{}/o/web", self.registry.host),
            word => word.to_owned(),
        });
        let mut command = Command::cargo_bin("supercargo").unwrap();
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path().join(".home"));
        command.args(arguments).args(["-o", format, "--source", "files"]).write_stdin(input);
        let output = command.output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

/// Commands, and whether what the strangers wrote is in what they print.
const COMMANDS: &[(&str, bool)] = &[
    ("scan repository --all", false),
    ("scan --image IMAGE", false),
    ("get repositories -A", false),
    ("get policies -A", true),
    ("get automations -A", false),
    ("get updates", true),
    ("get tags apps/web", false),
    ("get tags apps/web --policy apps/web", true),
    ("get tags --image IMAGE", true),
    ("hold apps/web --tag 2 --reason STRANGE", false),
    ("get holds", false),
    ("get tags STRANGE", false),
    ("explain tag apps/web STRANGE", false),
    ("lint --strict", true),
    ("plan --all", false),
    ("diff updates", false),
    ("set", false),
    ("hold STRANGE --reason STRANGE", false),
    ("eval policy --alphabetical asc --tags-from tags.txt", true),
    ("eval policy --semver STRANGE --tags-from tags.txt", false),
    ("render message --template-file message.tpl --data data.json", true),
    ("config view", false),
    ("cache info", false),
    ("check --pre", false),
    ("doctor registry IMAGE", false),
    ("events", false),
];

#[test]
fn nothing_that_strangers_wrote_is_printed_unseen_and_nothing_of_it_is_lost() {
    let strangers = Strangers::start();
    for (words, has_it) in COMMANDS {
        for format in ["json", "yaml"] {
            let printed = strangers.run(words, format, "");
            assert!(!printed.concat().contains(is_unseen), "{words} -o {format}: {printed:?}");
            let [out, err] = printed;
            let read: Option<Value> = if format == "json" {
                out.lines().next().map(|line| serde_json::from_str(line).unwrap())
            } else {
                serde_saphyr::from_str(&out).ok()
            };
            let whole = read.map(|value| value.to_string()).unwrap_or_default();
            assert!(
                !has_it || STRANGE.chars().all(|ch| whole.contains(ch)),
                "{words} -o {format}: {out} {err}"
            );
        }
    }
}

#[test]
fn answers_to_batches_are_printed_so_too() {
    let strangers = Strangers::start();
    let tags = serde_json::to_string(&[format!("1{STRANGE}")]).unwrap();
    let id = serde_json::to_string(STRANGE).unwrap();
    let input = format!(
        "{{\"id\":{id},\"op\":\"policy\",\"tags\":{tags},\"policy\":{{\"alphabetical\":{{\"order\":\"asc\"}}}}}}\n{{\"op\":{id}}}\n"
    );
    let mut command = Command::cargo_bin("supercargo").unwrap();
    command.current_dir(strangers.folder.path()).env_clear().args(["eval", "batch"]).write_stdin(input);
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(!out.contains(is_unseen), "{out}");
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((answers.len(), answers[0]["id"].as_str()), (2, Some(STRANGE)));
}
