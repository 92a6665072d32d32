//! What strangers wrote, through every command: in JSON and YAML nothing in it is unseen, and nothing is lost; on a terminal none of
//! it is obeyed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod registry;
}
#[path = "support/pty.rs"]
mod pty;

use std::fs;
use std::time::Duration;

use assert_cmd::Command;
use pty::Pty;
use serde_json::Value;
use support::registry::{Liar, Say};
use tempfile::TempDir;

/// An order to a terminal, one character of each kind that it obeys or a person does not see, and one of each kind that both do
/// well by.
const STRANGE: &str = "\u{1b}[5;35m\u{7}\u{8}\u{7f}\u{85}\u{9b}\u{9d}\u{ad}\u{34f}\u{61c}\u{200b}\u{200d}\u{200e}\u{2028}\u{202e}\u{2066}\u{feff}\u{fff9}\u{e0041}é→世😀";

/// A character as JSON writes it.
fn written(ch: char) -> String {
    serde_json::to_string(&ch.to_string()).unwrap().trim_matches('"').to_owned()
}

/// What must not be printed as it is.
fn is_unseen(ch: char) -> bool {
    let seen = ['é', '→', '世', '😀'];
    STRANGE.contains(ch) && !seen.contains(&ch) && !ch.is_ascii_graphic()
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
                !has_it || STRANGE.chars().all(|ch| whole.contains(&written(ch))),
                "{words} -o {format}: {out} {err}"
            );
        }
    }
}

/// Commands that are given something strange to find, make or refuse, beside [`COMMANDS`].
const STRANGE_COMMANDS: &[&str] = &[
    "STRANGE",
    "-C STRANGE get updates",
    "-n STRANGE get policies",
    "get policies -l STRANGE",
    "get image all -A",
    "get STRANGE",
    "why apps/web STRANGE",
    "plan STRANGE",
    "plan --all --message STRANGE --branch STRANGE",
    "push --plan STRANGE",
    "review STRANGE",
    "merge STRANGE --into STRANGE",
    "revert STRANGE",
    "unhold STRANGE",
    "rollback STRANGE --to STRANGE --reason STRANGE",
    "set -p STRANGE STRANGE",
    "lint STRANGE",
    "eval policy STRANGE",
    "create image policy STRANGE --image-ref STRANGE --select-semver STRANGE",
    "create image repository STRANGE --image STRANGE --export",
    "delete image policy STRANGE",
    "suspend image policy STRANGE",
    "resume image update STRANGE",
    "reconcile image repository STRANGE",
    "export image policy STRANGE",
    "bootstrap git --url STRANGE --path STRANGE",
    "doctor",
    "doctor registry STRANGE",
    "events --since STRANGE",
    "theme show STRANGE",
    "theme check STRANGE",
    "--theme STRANGE keys",
    "--config STRANGE config check",
    "man STRANGE",
    "completion STRANGE",
    "schema STRANGE",
    "cache STRANGE",
    "__complete get policies STRANGE",
];

/// What stays of a terminal's bytes without the sequences that may come: colours, and what a bar of progress is drawn with.
fn without_ours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| ('@'..='~').contains(&c)).unwrap();
        let (parameters, rest) = part.split_at(end);
        let (last, rest) = rest.split_at(1);
        let is_ours = match last {
            "m" => parameters != "5;35" && parameters.chars().all(|c| c.is_ascii_digit() || c == ';'),
            "K" | "J" | "A" | "G" => parameters.chars().all(|c| c.is_ascii_digit()),
            "h" | "l" => parameters == "?25",
            _ => false,
        };
        kept.push_str(if is_ours { "" } else { "\u{1b}[" });
        kept.push_str(rest);
    }
    kept
}

#[test]
fn a_terminal_is_given_no_order_of_a_stranger_s_by_any_command() {
    let strangers = Strangers::start();
    let home = strangers.folder.path().join(".home");
    let of_forms =
        |words: &str| ["table", "wide", "name"].map(|form| format!("{words} -o {form} --source files"));
    let commands = COMMANDS.iter().flat_map(|(words, _)| of_forms(words));
    let mut shown = 0;
    for words in commands.chain(STRANGE_COMMANDS.iter().map(|words| (*words).to_owned())) {
        let quoted = words.split(' ').map(|word| match word {
            "STRANGE" => "\"x$STRANGE\"",
            "IMAGE" => "\"$IMAGE\"",
            word => word,
        });
        let line = format!("cd \"$AT\" && exec \"$SUPERCARGO\" {}", quoted.collect::<Vec<_>>().join(" "));
        let image = format!("{}/o/web", strangers.registry.host);
        let folder = strangers.folder.path().to_str().unwrap();
        let variables = [
            ("AT", folder),
            ("HOME", home.to_str().unwrap()),
            ("STRANGE", STRANGE),
            ("IMAGE", &image),
            ("NO_PROXY", "*"),
        ];
        let mut pty = Pty::shell(160, 50, &line, &variables);
        pty.end();
        pty.settle(Duration::from_millis(1));
        let text = String::from_utf8(pty.bytes.clone()).unwrap();
        let kept = without_ours(&text);
        let obeyed = |c: char| is_unseen(c) || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        assert!(!kept.contains(obeyed), "{words}: {text:?}");
        shown += usize::from(text.contains("^[[5;35m"));
    }
    assert!(shown > 30, "what is not obeyed is shown: {shown}");
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
