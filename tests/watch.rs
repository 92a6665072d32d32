//! `scan -w`, with the program that people run, on a real registry.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::lab::{Lab, NEWEST, POLICY};

/// How long anything may take; the intervals are a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// A watch under way, and the lines that it prints.
struct Watch {
    program: Child,
    lines: Receiver<Value>,
}

impl Watch {
    fn start(lab: &Lab, arguments: &[&str]) -> Self {
        let arguments = [arguments, &["-w", "-o", "json", "--quiet"]].concat();
        let mut program = lab.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(program.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { program, lines }
    }

    fn next(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    fn end(mut self, signal: &str) -> Option<i32> {
        let kill = std::process::Command::new("kill").args([signal, &self.program.id().to_string()]).status();
        assert!(kill.unwrap().success());
        ended(&mut self.program).code()
    }
}

/// Waits for a program that should end by itself.
fn ended(program: &mut Child) -> ExitStatus {
    let since = Instant::now();
    loop {
        if let Some(status) = program.try_wait().unwrap() {
            return status;
        }
        if since.elapsed() > PATIENCE {
            program.kill().unwrap();
            program.wait().unwrap();
            assert!(since.elapsed() <= PATIENCE, "it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A lab whose repository is scanned every second, and whose policy asks for digests as often. Its list is known, so whatever
/// comes from now on is a change, however late a watch looks first.
fn hurried() -> Option<Lab> {
    let lab = Lab::start()?;
    let image = format!("--image={}/vote", lab.registry.host);
    lab.run(&["create", "image", "repository", "vote", &image, "--interval=1s"]).expect(0);
    lab.run(&[&POLICY[..], &["--reflect-digest=Always", "--interval=1s"]].concat()).expect(0);
    lab.run(&["scan", "repository", "vote"]).expect(0);
    Some(lab)
}

#[test]
fn each_tag_that_comes_moves_or_goes_is_a_line_until_a_signal() {
    let Some(lab) = hurried() else { return };
    let watch = Watch::start(&lab, &["scan", "repository", "--all"]);
    let new = "main-0000aaaa-1719063680";
    let digest = lab.registry.push("vote", new);
    let line = watch.next();
    let known = [("kind", json!("TagChange")), ("namespace", json!("flux-system")), ("name", json!("vote"))];
    assert!(known.iter().all(|(key, value)| line[key] == *value), "{line}");
    assert_eq!(line["apiVersion"], "supercargo/v1");
    assert_eq!(line["image"], json!(format!("{}/vote", lab.registry.host)));
    assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    let change = |line: &Value| [line["change"].clone(), line["tag"].clone(), line["digest"].clone()];
    // The policy selects it, and so its digest is known.
    assert_eq!(change(&line), [json!("added"), json!(new), json!(digest)]);
    let moved = lab.registry.move_tag("vote", new);
    assert_eq!(change(&watch.next()), [json!("digest_moved"), json!(new), json!(moved)]);
    lab.registry.remove_tag("vote", "v8");
    assert_eq!(change(&watch.next()), [json!("removed"), json!("v8"), json!(null)]);
    assert_eq!(watch.end("-INT"), Some(130));
    let watch = Watch::start(&lab, &["scan", "repository", "vote"]);
    lab.registry.push("vote", "v9");
    assert_eq!(change(&watch.next()), [json!("added"), json!("v9"), json!(null)]);
    assert_eq!(watch.end("-TERM"), Some(143));
}

#[test]
fn a_tag_that_moves_is_seen_if_it_is_selected_or_in_the_files_or_its_digest_is_known() {
    let Some(lab) = Lab::start() else { return };
    let image = format!("--image={}/vote", lab.registry.host);
    // The policy reflects no digest.
    lab.automate("image-updates");
    lab.run(&["create", "image", "repository", "vote", &image, "--interval=1s"]).expect(0);
    lab.run(&["scan", "repository", "vote"]).expect(0);
    // The files are fetched, and one tag is looked at.
    lab.run(&["get", "updates"]).expect(0);
    lab.run(&["explain", "tag", "vote", "latest"]).expect(0);
    let watch = Watch::start(&lab, &["scan", "repository", "--all"]);
    lab.registry.push("vote", "v9");
    assert_eq!(watch.next()["tag"], "v9", "the watch has begun");
    for tag in [NEWEST, "v8", "latest"] {
        let moved = lab.registry.move_tag("vote", tag);
        let line = watch.next();
        assert_eq!([&line["change"], &line["tag"]], [&json!("digest_moved"), &json!(tag)], "{line}");
        assert_eq!(line["digest"], json!(moved), "{line}");
    }
    // Nobody knows what this one stood for.
    lab.registry.move_tag("vote", "v9");
    lab.registry.push("vote", "v10");
    assert_eq!(watch.next()["tag"], "v10");
    assert_eq!(watch.end("-INT"), Some(130));
    // What moves while nobody watches is told when somebody does again.
    lab.registry.push("vote", "v8");
    let watch = Watch::start(&lab, &["scan", "repository", "vote"]);
    let line = watch.next();
    assert_eq!([&line["change"], &line["tag"]], [&json!("digest_moved"), &json!("v8")], "{line}");
    assert_eq!(watch.end("-TERM"), Some(143));
}

#[test]
fn objects_that_come_into_the_files_are_watched_from_then_on() {
    let Some(lab) = hurried() else { return };
    let image = format!("{}/api", lab.registry.host);
    lab.registry.push("api", "1.0.0");
    // What is known before it is watched is what the first look is compared with.
    lab.run(&["scan", "--image", &image]).expect(0);
    let watch = Watch::start(&lab, &["scan", "repository", "--all"]);
    lab.registry.push("vote", "v9");
    assert_eq!(watch.next()["tag"], "v9", "the watch has begun");
    let image = format!("--image={image}");
    lab.run(&["create", "image", "repository", "api", &image, "--interval=1s"]).expect(0);
    lab.registry.push("api", "1.0.1");
    let line = watch.next();
    assert_eq!([&line["name"], &line["change"]], [&json!("api"), &json!("added")], "{line}");
    assert_eq!(line["tag"], "1.0.1", "{line}");
    assert_eq!(watch.end("-INT"), Some(130));
}

#[test]
fn a_list_is_printed_and_again_when_something_in_it_changes() {
    let Some(lab) = hurried() else { return };
    let watch = Watch::start(&lab, &["get", "policies"]);
    let latest = |line: &Value| line["items"][0]["latest"]["tag"].clone();
    let first = watch.next();
    assert_eq!([&first["kind"], &first["apiVersion"]], [&json!("PolicyList"), &json!("supercargo/v1")]);
    assert_eq!(latest(&first), "main-e5d27a2c-1619063680", "{first}");
    let new = "main-0000aaaa-1719063680";
    lab.registry.push("vote", new);
    let next = loop {
        let next = watch.next();
        if latest(&next) != latest(&first) {
            break next;
        }
    };
    assert_eq!(latest(&next), new, "{next}");
    assert_eq!(watch.end("-INT"), Some(130));
    let watch = Watch::start(&lab, &["get", "repositories"]);
    assert_eq!(watch.next()["items"].as_array().unwrap().len(), 1);
    let image = format!("--image={}/vote", lab.registry.host);
    lab.run(&["create", "image", "repository", "again", &image, "--interval=1s"]).expect(0);
    let names = loop {
        let next = watch.next();
        let names: Vec<Value> =
            next["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
        if names.len() > 1 {
            break names;
        }
    };
    assert_eq!(names, [json!("again"), json!("vote")], "an object that came into the files is in the list");
    assert_eq!(watch.end("-TERM"), Some(143));
    lab.run(&["get", "tags", "vote", "-w"]).expect(2);
    lab.run(&["get", "updates", "--exit-code", "-w"]).expect(2);
}

#[test]
fn a_signal_ends_an_answer_under_way() {
    let Some(lab) = hurried() else { return };
    lab.automate("image-updates");
    let watch = Watch::start(&lab, &["get", "automations"]);
    assert_eq!(watch.next()["items"][0]["name"], "instavote-all");
    // From now on the remote takes a connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("--url=http://{}/fleet.git", silent.local_addr().unwrap());
    lab.run(&["create", "source", "git", "instavote", &url, "--branch=main"]).expect(0);
    let _asked = silent.accept().unwrap();
    let since = Instant::now();
    assert_eq!(watch.end("-INT"), Some(130));
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
}

#[test]
fn a_watch_whose_reader_has_gone_ends() {
    let Some(lab) = hurried() else { return };
    let mut program = lab.command(&["scan", "repository", "--all", "-w"]);
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut header = String::new();
    let mut output = BufReader::new(program.stdout.take().unwrap());
    output.read_line(&mut header).unwrap();
    assert_eq!(header, "TIME\tNAME\tCHANGE\tTAG\tDIGEST\n");
    drop(output);
    assert_eq!(ended(&mut program).code(), Some(0));
}

#[test]
fn a_watch_that_asks_much_of_registries_says_so_first() {
    let Some(lab) = Lab::start() else { return };
    let object = |number: usize| {
        format!(
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n\
             metadata: {{name: vote-{number}, namespace: flux-system}}\n\
             spec: {{image: {}/vote, interval: 1h}}\n",
            lab.registry.host
        )
    };
    let objects: String = (0..21).map(object).collect();
    std::fs::write(lab.fleet().join("many.yaml"), objects).unwrap();
    let mut program =
        lab.command(&["scan", "repository", "--all", "-w"]).stderr(Stdio::piped()).spawn().unwrap();
    let said: Vec<String> =
        BufReader::new(program.stderr.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    program.kill().unwrap();
    program.wait().unwrap();
    let says =
        ["► watching 21 repositories", "► scanning 21 repositories: at least 22 requests to 1 registry"];
    assert_eq!(said, says);
}

#[test]
fn an_image_without_an_object_is_watched_from_what_is_known_of_it() {
    let Some(lab) = Lab::start() else { return };
    let image = format!("{}/vote", lab.registry.host);
    lab.run(&["scan", "--image", &image]).expect(0);
    lab.registry.push("vote", "v9");
    let watch = Watch::start(&lab, &["scan", "--image", &image]);
    let line = watch.next();
    assert_eq!([&line["namespace"], &line["name"]], [&json!(null), &json!(null)], "{line}");
    assert_eq!([&line["image"], &line["tag"]], [&json!(image), &json!("v9")]);
    assert_eq!(watch.end("-HUP"), Some(129));
}

#[test]
fn without_its_registry_what_is_known_is_answered_with_the_reason_why_it_may_be_old() {
    let Some(mut lab) = hurried() else { return };
    lab.registry.stop();
    std::thread::sleep(Duration::from_secs(2));
    let list = lab.run(&["get", "tags", "vote", "-o", "json"]).expect(3).json();
    assert_eq!(list["complete"], json!(false), "{list}");
    assert!(list["items"].as_array().unwrap().iter().any(|item| item["tag"] == NEWEST), "{list}");
    assert!(
        list["problems"].as_array().unwrap().iter().any(|problem| problem["code"] == "unreachable"),
        "{list}"
    );
    let why = lab.run(&["explain", "tag", "vote", NEWEST, "-o", "json"]).expect(3).json();
    assert_eq!(why["tag"], NEWEST, "{why}");
    let verdict = lab.run(&["eval", "policy", "vote", "-o", "json"]).expect(3).json();
    assert_eq!(verdict["latest"]["tag"], NEWEST, "{verdict}");
    let list = lab.run(&["get", "tags", "vote", "-o", "json", "--refresh=never"]).expect(0).json();
    assert_eq!(list["complete"], json!(true), "nobody was to be asked");
}

#[test]
fn a_registry_that_is_gone_is_said_once_and_watched_on() {
    let Some(mut lab) = hurried() else { return };
    lab.registry.stop();
    let mut program = lab.command(&["scan", "repository", "--all", "-w", "-o", "json", "--quiet"]);
    let mut program = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(program.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let problem: Value = serde_json::from_str(&line).unwrap();
    assert_eq!([&problem["code"], &problem["subject"]], [&json!("unreachable"), &json!("flux-system/vote")]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(program.try_wait().unwrap().is_none(), "it goes on");
    program.kill().unwrap();
    program.wait().unwrap();
    line.clear();
    assert_eq!(said.read_line(&mut line).unwrap(), 0, "{line}");
}
