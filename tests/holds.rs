//! Holds, as commands make them, keep to them and end them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use serde_json::{Value, json};
use support::lab::{Lab, NEWEST};

/// The one update of a lab.
fn update(lab: &Lab) -> Value {
    lab.json(0, &["get", "updates"])["items"][0].clone()
}

/// The names of a tag's flags.
fn flags(lab: &Lab, tag: &str) -> Vec<String> {
    let list = lab.json(0, &["get", "tags", "vote"]);
    let items = list["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["tag"] == json!(tag)).unwrap();
    item["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_held_waits_everywhere_until_it_is_released_or_named() {
    let Some(mut lab) = Lab::start() else { return };
    lab.environment.push(("USER", "rita".to_owned()));
    lab.automate("image-updates");
    assert_eq!(lab.json(0, &["get", "holds"])["items"], json!([]));
    lab.plan(&[]);

    let made = lab.json(0, &["hold", "vote", "--tag", NEWEST, "--reason", "triage"]);
    assert_eq!((&made["kind"], &made["tag"], &made["by"]), (&json!("Hold"), &json!(NEWEST), &json!("rita")));
    assert_eq!(made["policy"], json!({"namespace": "flux-system", "name": "vote"}));
    let listed = lab.json(0, &["get", "holds"]);
    assert_eq!(listed["kind"], json!("HoldList"));
    for key in ["policy", "tag", "until", "reason", "by", "since"] {
        assert_eq!(listed["items"][0][key], made[key], "{key}");
    }
    let seconds = |key: &str| made[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(seconds("until") - seconds("since"), 7 * 24 * 3600, "a week, where nothing else is said");

    let held = update(&lab);
    assert_eq!((&held["state"], &held["hold"]["reason"]), (&json!("held"), &json!("triage")), "{held:#}");
    assert!(flags(&lab, NEWEST).contains(&"held".to_owned()));
    assert!(!flags(&lab, "main-f9ab1234-1619062000").contains(&"held".to_owned()));
    let steps = lab.json(0, &["explain", "tag", "vote", NEWEST])["steps"].clone();
    let last = steps.as_array().unwrap().last().unwrap();
    assert_eq!((&last["step"], &last["answer"]), (&json!("held"), &json!("yes")));
    assert!(last["text"].as_str().unwrap().ends_with("by rita: triage"), "{last:#}");
    assert_eq!(lab.json(0, &["diff", "updates"])["files"], json!([]));
    let ran = lab.run(&["plan", "--all", "-o", "json"]).expect(0).says(&["by rita: triage"]);
    let all = ran.json();
    assert_eq!((&all["groups"], &all["problems"]), (&json!([]), &json!([])));

    // The plan was made before.
    lab.log_in(support::git::WRITER).expect(0);
    lab.push(&[]).expect(7).says(&["by rita: triage", "unhold"]);
    let named = lab.run(&["plan", "vote", "-o", "json"]).expect(0);
    assert_eq!(named.json()["groups"][0]["updates"][0]["decision"], json!("approved"));
    std::fs::write(lab.plan_file(), &named.out).unwrap();
    lab.push(&[]).expect(0);

    assert_eq!(lab.json(0, &["unhold", "vote", "--tag", "v8"])["items"], json!([]));
    let ended = lab.json(0, &["unhold", "vote"]);
    assert_eq!(ended["items"][0]["tag"], json!(NEWEST));
    assert_eq!(lab.json(0, &["get", "holds"])["items"], json!([]));
    lab.instavote.assert_sound();
}

#[test]
fn a_hold_says_what_is_wrong_with_it_and_ends_by_itself() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.json(0, &["get", "updates"]);
    let hold = |more: &[&str]| lab.run(&[&["hold", "vote", "--reason", "why"], more].concat());
    hold(&["--tag", "no tag"]).expect(2).says(&["no tag that anything could have"]);
    hold(&["--until", "2020-01-01"]).expect(2).says(&["not in the future"]);
    hold(&["--until", "someday"]).expect(2).says(&["a date such as 2026-12-01"]);
    hold(&["--read-only"]).expect(7);
    lab.run(&["hold", "voet", "--reason", "why"]).expect(2).says(&["vote"]);
    lab.run(&["hold", "vote", "--tag", "v9", "--reason", "why"]).expect(0).says(&["has no tag v9"]);
    lab.run(&["unhold", "vote"]).expect(0);
    hold(&["--until", "2s"]).expect(0);
    assert_eq!(update(&lab)["state"], json!("held"));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(update(&lab)["state"], json!("pending"));
    assert_eq!(lab.json(0, &["get", "holds"])["items"], json!([]));

    std::fs::create_dir_all(lab.path("config/supercargo")).unwrap();
    let config = lab.path("config/supercargo/config.toml");
    std::fs::write(&config, "[hold]\ndays = 2\n").unwrap();
    let made = lab.json(0, &["hold", "vote", "--reason", "why"]);
    let seconds = |key: &str| made[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(seconds("until") - seconds("since"), 2 * 24 * 3600);
    std::fs::write(&config, "[hold]\ndays = 0\n").unwrap();
    lab.run(&["get", "holds"]).expect(2).says(&["config.toml:2:8", "1 to 3650"]);
    std::fs::remove_file(&config).unwrap();

    std::fs::write(lab.path("state/supercargo/holds.toml"), "version = 1\n[[hold]\n").unwrap();
    lab.run(&["get", "updates"]).expect(0).says(&["none of its holds is in force"]);
    lab.run(&["get", "updates"]).expect(0).says(&["holds.toml.corrupt"]);
}

#[test]
fn while_pushes_are_frozen_a_plan_says_so_and_a_push_needs_the_branchs_name() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(support::git::WRITER).expect(0);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |days: i64| (today + jiff::Span::new().days(days)).strftime("%a").to_string();
    std::fs::create_dir_all(lab.path("config/supercargo")).unwrap();
    let config = lab.path("config/supercargo/config.toml");
    let freeze = |from: i64, to: i64| {
        let text = format!("freeze = [\"{} 00:00 - {} 00:00 UTC\"]\n", day(from), day(to));
        std::fs::write(&config, text).unwrap();
    };
    freeze(-1, 2);
    let plan = lab.plan(&[]);
    let warnings = plan["groups"][0]["warnings"].as_array().unwrap();
    let frozen = warnings.iter().find(|warning| warning["code"] == json!("freeze")).unwrap();
    assert!(frozen["message"].as_str().unwrap().starts_with("pushes are frozen until "), "{frozen:#}");
    let table = lab.run(&["plan", "--all"]).expect(0);
    assert!(table.out.contains("pushes are frozen until "), "{}", table.out);
    lab.push(&["--dry-run=server"]).expect(0);
    lab.push(&[]).expect(7).says(&["pushes are frozen until", "--confirm-branch image-updates"]);
    lab.push(&["--confirm-branch", "main"]).expect(7);
    freeze(-3, -1);
    lab.push(&["--dry-run=server"]).expect(0);
    freeze(-1, 2);
    lab.push(&["--confirm-branch", "image-updates"]).expect(0);
    std::fs::write(&config, "ascii = true\nfreeze = [\"weekends\"]\n").unwrap();
    lab.run(&["plan", "--all"]).expect(2).says(&["config.toml:2:11", "is no freeze window"]);
    lab.instavote.assert_sound();
}

#[test]
fn what_was_done_is_listed_and_followed_line_by_line() {
    let Some(mut lab) = Lab::start() else { return };
    lab.environment.push(("USER", "rita".to_owned()));
    lab.automate("image-updates");
    lab.log_in(support::git::WRITER).expect(0);
    lab.run(&["hold", "vote", "--until", "1h", "--reason", "triage"]).expect(0);
    lab.run(&["unhold", "vote"]).expect(0);
    lab.plan(&[]);
    lab.push(&[]).expect(0);
    let listed = lab.run(&["events", "-o", "json"]).expect(0).out;
    let events: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (kind, subject, detail) in [
        ("object", "flux-system/vote", "ImagePolicy created in"),
        ("scan", "flux-system/vote", "6 tags in "),
        ("hold", "flux-system/vote", "held until "),
        ("hold", "flux-system/vote", "released held until "),
        ("fetch", &*lab.url, "main@"),
        ("push", "flux-system/instavote-all", "pushed "),
    ] {
        let is_it = |event: &&Value| {
            event["event"] == json!(kind) && event["detail"].as_str().unwrap().contains(detail)
        };
        let found = events.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {detail}: {listed}"));
        assert_eq!((&found["subject"], &found["user"]), (&json!(subject), &json!("rita")), "{found}");
        assert_eq!((&found["kind"], &found["result"]), (&json!("Event"), &json!("ok")), "{found}");
        for key in ["apiVersion", "time", "mode", "plan", "host"] {
            assert!(found.as_object().unwrap().contains_key(key), "{key}: {found}");
        }
    }
    assert!(!listed.contains(support::git::PASSWORD));
    let table = lab.run(&["events", "--since", "1h"]).expect(0).out;
    assert_eq!(table.lines().count(), events.len() + 1);
    lab.run(&["events", "--since", "2100-01-01"]).expect(0).says(&["nothing was done since then"]);
    lab.run(&["events", "--since", "lately"]).expect(2);

    let mut follow = lab.command(&["events", "--since", "1s", "-w", "-o", "name"]);
    let mut followed = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    lab.run(&["hold", "vote", "--reason", "why"]).expect(0);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(followed.stdout.take().unwrap()));
    let seen = lines.find(|line| line.as_ref().unwrap() == "event/hold/flux-system/vote");
    followed.kill().unwrap();
    followed.wait().unwrap();
    assert!(seen.is_some());
}

#[test]
fn a_plan_warns_of_another_automation_that_pushes_to_the_same_branch() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.instavote.commit("main", &[("deploy/other/a.yaml", "a: 1\n")], "Others");
    let create = |name: &str, branch: &str| {
        let push = format!("--push-branch={branch}");
        let own = ["create", "image", "update", name, "--git-repo-ref=instavote", "--checkout-branch=main"];
        let author =
            ["--author-name=flux", "--author-email=flux@example.com", "--git-repo-path=./deploy/other"];
        lab.run(&[&own[..], &author, &[push.as_str()]].concat()).expect(0);
    };
    let warnings = || {
        let plan = lab.json(0, &["plan", "vote", "--refresh=always"]);
        let warnings = plan["groups"][0]["warnings"].as_array().unwrap().clone();
        let same = warnings.into_iter().filter(|warning| warning["code"] == json!("same_branch"));
        same.map(|warning| warning["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    create("elsewhere", "other-updates");
    assert_eq!(warnings(), Vec::<String>::new());
    create("other", "image-updates");
    let said = warnings();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("flux-system/other") && said[0].contains("suspend it"), "{said:?}");
    let file = lab.fleet().join("other-automation.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("spec:\n", "spec:\n  suspend: true\n", 1)).unwrap();
    assert_eq!(warnings(), Vec::<String>::new(), "one that is suspended pushes nothing");
}
