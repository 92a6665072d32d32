//! What nobody means to give, on the command line: an end within bounds of time and memory, and one error that says what is
//! wrong, where, and what to do.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support {
    pub mod desk;
    pub mod git;
}

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// So long a command may take, in a build without optimization on a busy machine.
const LONGEST: Duration = Duration::from_mins(1);
/// So many KiB of address space it may take, threads and all.
const ADDRESSES: u32 = 3 << 20;

const DATA: &str = r#"{"automation_object":{"namespace":"a","name":"b"},"values":{},"file_changes":{}}"#;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("data", DATA);
        desk
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.0.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Runs the program within its bounds: the exit, and standard error.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {ADDRESSES} && exec \"$0\" \"$@\"");
        command.arg("-c").arg(limited).arg(env!("CARGO_BIN_EXE_supercargo")).args(arguments);
        command.current_dir(self.0.path()).env("HOME", self.0.path().join("home"));
        let started = Instant::now();
        let output = command.output().unwrap();
        assert!(started.elapsed() < LONGEST, "{arguments:?} took {:?}", started.elapsed());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// Runs the program, which has to end with `code` and one problem, whose text has all of `parts`; the text is short.
    fn refuses(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let (ended, said) = self.run(arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {said:.500}");
        assert_eq!(
            said.lines().filter(|line| line.starts_with('✗')).count(),
            1,
            "{arguments:?}: {said:.500}"
        );
        assert!(said.len() < 10_000, "{arguments:?}: {} bytes", said.len());
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: no {part:?} in {said:.2000}");
        }
    }
}

fn renders<'a>(template: &'a str, data: &'a str) -> [&'a str; 6] {
    ["render", "message", "--template-file", template, "--data", data]
}

#[test]
fn templates_that_never_end_or_nest_without_end_are_refused_with_their_place() {
    let desk = Desk::new();
    let deep = |open: &str, close: &str| open.repeat(50_000) + &close.repeat(50_000);
    for (template, part) in [
        ("{{range until 100000}}{{range until 100000}}{{end}}{{end}}".to_owned(), "too much work"),
        ("{{range 100000000000}}{{end}}".to_owned(), "too much work"),
        (r#"{{define "x"}}{{template "x"}}{{end}}{{template "x"}}"#.to_owned(), "maximum template depth"),
        (format!("{{{{{}}}}}", deep("(", ")")), "max expression depth"),
        (deep("{{if 1}}", "{{end}}"), "max expression depth"),
        ("x".repeat(10 << 20), "longer than 1048576 bytes"),
        (format!("{{{{\"{}\"}}}}", "x".repeat(10 << 20)), "commit message:1:2"),
        (r#"{{repeat 1000000000 "x"}}"#.to_owned(), "longer than 1048576 bytes"),
        ("{{untilStep 0 9000000000 1}}".to_owned(), "list longer than"),
        (r#"{{mustRegexMatch "(a{1000}){1000}" "a"}}"#.to_owned(), "invalid repeat count"),
        ("{{$d := dict}}{{$_ := set $d \"a\" $d}}{{$d}}".to_owned(), "maximum nesting of values"),
    ] {
        desk.write("my.tpl", template);
        desk.refuses(&renders("my.tpl", "data"), 6, &["✗ my.tpl: ", part, "hint: Correct the template"]);
    }
}

#[test]
fn data_of_another_shape_or_size_is_refused_with_what_is_wanted() {
    let desk = Desk::new();
    desk.write("my.tpl", "{{.Values.x}}");
    for data in [
        DATA.get(..40).unwrap().to_owned(),
        String::new(),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
        "[]".to_owned(),
        "{}".to_owned(),
        DATA.replace("\"values\":{}", "\"values\":[1]"),
        DATA.replace("\"values\":{}", "\"values\":{\"x\":1}"),
        format!("{DATA}x"),
    ] {
        desk.write("my.json", data);
        desk.refuses(&renders("my.tpl", "my.json"), 2, &["✗ my.json: is no message data", "hint: Give what"]);
    }
    desk.refuses(&renders("my.tpl", "/dev/zero"), 2, &["✗ /dev/zero: is larger than 64 MiB", "hint: "]);
    desk.refuses(&renders("/dev/zero", "data"), 2, &["✗ /dev/zero: is larger than 64 MiB", "hint: "]);
    desk.write("binary", b"\xff\xfe");
    desk.refuses(&renders("binary", "data"), 2, &["✗ binary: is not UTF-8"]);
    desk.refuses(&renders("nowhere", "data"), 2, &["✗ nowhere: cannot be read", "No such file"]);
}

#[test]
fn lists_of_tags_and_patterns_without_end_are_refused() {
    let desk = Desk::new();
    let eval = ["eval", "policy", "--tags-from", "tags", "--semver", "*"];
    for tags in ["[\"1.0.0\",".to_owned(), "[".repeat(1_000_000), "[1]".to_owned(), "{\"tags\":1}".to_owned()]
    {
        desk.write("tags", tags);
        desk.refuses(&eval, 2, &["✗ --tags-from tags: is no list of tags", "hint: Give a tag a line"]);
    }
    let endless = ["eval", "policy", "--tags-from", "/dev/zero", "--semver", "*"];
    desk.refuses(&endless, 2, &["is larger than 64 MiB", "hint: "]);
    desk.write("tags", "1".repeat(10 << 20));
    desk.refuses(
        &["eval", "policy", "--tags-from", "tags", "--numerical", "asc"],
        6,
        &["invalid numeric value"],
    );
    desk.write("tags", "a".repeat(100_000));
    for (pattern, part) in [
        ("(a{1000}){1000}".to_owned(), "invalid repeat count"),
        ("(".repeat(60_000) + &")".repeat(60_000), "invalid regular expression pattern"),
        ("(.*)*(.*)*(.*)*$".to_owned(), "unable to determine latest version"),
    ] {
        desk.refuses(&[&eval[..], &["--pattern", &pattern]].concat(), 6, &["✗ policy: ", part]);
    }
}

#[test]
fn marked_files_without_end_are_rewritten_or_refused_with_the_line() {
    let desk = Desk::new();
    let marked = "image: o/web:1 # {\"$imagepolicy\": \"apps:web:tag\"}\n";
    let doubled = |n: usize| format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1);
    let bomb = "a0: &a0 [x, x]\n".to_owned() + &(0..60).map(doubled).collect::<String>();
    let set = ["set", "--policy=apps:web=o/web:2", "--exit-code", "deploy"];
    for large in [bomb, format!("a: {}\n", "x".repeat(10 << 20)), format!("# {}\n", "x".repeat(10 << 20))] {
        desk.write("deploy/a.yaml", large + marked);
        assert_eq!(desk.run(&set), (Some(1), String::new()));
    }
    for (broken, part) in [
        ("a: ".to_owned() + &"[".repeat(200_000) + &"]".repeat(200_000), "exceeded max depth"),
        ("a: \"".to_owned() + &"x".repeat(10 << 20), "line 2"),
    ] {
        desk.write("deploy/a.yaml", broken + "\n" + marked);
        desk.refuses(&set, 0, &["✗ deploy/a.yaml: line ", part, "hint: Correct the file there"]);
    }
    let name = "a".repeat(10 << 20);
    desk.write("deploy/a.yaml", format!("image: o/web:1 # {{\"$imagepolicy\": \"{name}:web\"}}\n"));
    let (ended, said) = desk.run(&set);
    assert_eq!((ended, said.as_str()), (Some(0), "⚠ apps/web: no marker names this policy\n"));
}

#[test]
fn a_tree_of_files_without_end_is_planned_but_for_those_that_nobody_can_read() {
    let marked = "image: o/web:1 # {\"$imagepolicy\": \"shop:web:tag\"}\n";
    let doubled = |n: usize| format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1);
    let nested = "a: ".to_owned() + &"[".repeat(200_000) + &"]".repeat(200_000) + "\n" + marked;
    let unended = format!("a: \"{}\n{marked}", "x".repeat(1 << 20));
    let bomb = "a0: &a0 [x, x]\n".to_owned() + &(0..60).map(doubled).collect::<String>() + marked;
    let long = format!("a: {}\n{marked}", "x".repeat(1 << 20));
    let named = format!("image: o/web:1 # {{\"$imagepolicy\": \"{}:web\"}}\n", "a".repeat(1 << 20));
    let files =
        [("nested", &nested), ("unended", &unended), ("bomb", &bomb), ("long", &long), ("named", &named)];
    let paths = files.map(|(name, text)| (format!("deploy/{name}.yaml"), text.as_str()));
    let desk = support::desk::Desk::new("");
    desk.fleet.commit("main", &paths.each_ref().map(|(path, text)| (path.as_str(), *text)), "Their files");
    let started = Instant::now();
    let plan = desk.json(0, &["plan", "--all"]);
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
    let problems: Vec<_> = plan["problems"].as_array().unwrap().iter().map(|one| &one["subject"]).collect();
    assert_eq!(problems, ["deploy/nested.yaml", "deploy/unended.yaml"]);
    let files = plan["groups"][0]["files"].as_array().unwrap();
    let edited: Vec<_> = files.iter().map(|file| &file["path"]).collect();
    assert_eq!(edited, ["apps/db.yaml", "apps/web.yaml", "deploy/bomb.yaml", "deploy/long.yaml"]);
}

#[test]
fn a_plan_that_is_none_is_refused_before_anything_is_read_of_it() {
    let desk = Desk::new();
    let plan = json!({ "apiVersion": "supercargo/v1", "kind": "Plan", "id": "x", "groups": [] }).to_string();
    for text in [
        plan.get(..30).unwrap().to_owned(),
        "[".repeat(1_000_000),
        "{\"groups\":".repeat(200_000),
        plan.replace("[]", "1"),
        "null".to_owned(),
    ] {
        desk.write("my.plan", text);
        desk.refuses(&["push", "--plan", "my.plan"], 2, &["✗ my.plan: ", "hint: Make one with"]);
        let (ended, said) = desk.run(&["render", "message", "--plan", "my.plan"]);
        assert_eq!((ended, said.contains("hint: Make one with")), (Some(2), true), "{said:.500}");
    }
    let long = plan.replace("\"x\"", &Value::from("x".repeat(100 << 20)).to_string());
    desk.write("my.plan", long);
    for command in [&["push", "--plan", "my.plan"][..], &["render", "message", "--plan", "my.plan"]] {
        desk.refuses(command, 2, &["✗ my.plan: is larger than 64 MiB", "hint: "]);
    }
}
