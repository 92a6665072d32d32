//! The real process, killed with SIGKILL anywhere between approval and verification: no decision is lost, no commit lands
//! twice, and the remote stays what git calls sound. And four processes at once on one repository: each lands once or is
//! refused with a reason.
//!
//! A sample of seeded points by default; `SUPERCARGO_LONG=1` asks for more than three hundred of them and two hundred
//! landings, `SUPERCARGO_SEED=N` for others.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking; figures are printed"
)]

mod support {
    pub mod git;
    pub mod lab;
    #[cfg(feature = "tui")]
    pub mod pty;
    pub mod registry;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::git::{WRITER, git, git_command};
use support::lab::{Lab, NEWEST, changed_lines};

const BRANCH: &str = "image-updates";

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// So many by default, and with `SUPERCARGO_LONG=1`.
fn cases(sample: u64, long: u64) -> u64 {
    if setting("SUPERCARGO_LONG").is_some_and(|value| value > 0) { long } else { sample }
}

/// Numbers that look like chance and are the same for the same seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn of(case: u64) -> Self {
        Self(setting("SUPERCARGO_SEED").unwrap_or(1).wrapping_mul(1_000_003).wrapping_add(case))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

/// A lab with a login, whose automation pushes to a branch that is not there yet; and its remote as it is then.
fn lab() -> Option<(Lab, PathBuf)> {
    let lab = Lab::start()?;
    lab.automate(BRANCH);
    lab.log_in(WRITER).expect(0);
    // Something that has to survive as well.
    lab.run(&["hold", "vote", "--tag", "v8", "--reason", "kept"]).expect(0);
    let before = lab.path("before.git");
    copy(&lab.instavote.path, &before);
    Some((lab, before))
}

fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// How many commits the push branch has beside `main`; none if there is no such branch.
fn landed(lab: &Lab) -> usize {
    let arguments = ["rev-list", "--count", BRANCH, "^main", "--"];
    let counted = git_command(&lab.instavote.path).args(arguments).output().unwrap();
    String::from_utf8(counted.stdout).unwrap().trim().parse().unwrap_or(0)
}

/// One commit, on `main`, which changed the marked lines and nothing else; and a hold and a log that can be read.
fn assert_landed_once(lab: &Lab, case: &str) {
    assert_eq!(landed(lab), 1, "{case}");
    lab.instavote.assert_sound();
    let tip = lab.instavote.tip(BRANCH).unwrap();
    let parent = git(&lab.instavote.path, &["rev-parse", &format!("{tip}^")]);
    assert_eq!(Some(parent), lab.instavote.tip("main"), "{case}");
    for (path, old, new) in changed_lines(&lab.instavote.path, &tip) {
        assert!(old.contains("$imagepolicy") && new.contains(NEWEST), "{case}: {path}: {new}");
    }
    assert_eq!(lab.json(0, &["get", "holds"])["items"][0]["reason"], json!("kept"), "{case}");
    let events = lab.run(&["events", "-o", "json"]).expect(0).out;
    assert!(events.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{case}: {events}");
}

/// How the remote is reached, and so who moves its branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The server, which goes on alone when the client is gone.
    Server,
    /// git on this machine, which is told by a pipe that the client is gone.
    Folder,
    /// The process itself.
    FolderWithoutGit,
}

const WAYS: [Way; 3] = [Way::Server, Way::Folder, Way::FolderWithoutGit];

impl Way {
    fn plan(self) -> String {
        format!("plan-{self:?}.json")
    }

    /// Makes the plan that is pushed this way.
    fn prepare(self, lab: &Lab) {
        let url = format!("--git-url=file://{}", lab.instavote.path.display());
        let mut arguments = vec!["plan", "--all", "--refresh=always", "-o", "json"];
        arguments.extend((self != Self::Server).then_some(url.as_str()));
        let ran = lab.run(&arguments).expect(0);
        assert_eq!(ran.json()["groups"].as_array().unwrap().len(), 1);
        fs::write(lab.path(&self.plan()), ran.out).unwrap();
    }

    /// Begins to push it.
    fn push(self, lab: &Lab) -> Child {
        let (plan, url) =
            (lab.path(&self.plan()), format!("--git-url=file://{}", lab.instavote.path.display()));
        let mut arguments = vec!["push", "--plan", plan.to_str().unwrap(), "--write", "--yes", "-o", "json"];
        arguments.extend((self != Self::Server).then_some(url.as_str()));
        let mut command = lab.command(&arguments);
        if self == Self::FolderWithoutGit {
            command.env("PATH", "/nowhere");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Pushes it to the end; returns the result of its one commit.
    fn push_whole(self, lab: &Lab, case: &str) -> Value {
        let output = self.push(lab).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{case}: {said}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["results"][0].clone()
    }

    fn restore(self, lab: &Lab, before: &Path) {
        copy(before, &lab.instavote.path);
        if self == Self::FolderWithoutGit {
            // Nobody is there to run it.
            fs::remove_file(lab.instavote.path.join("hooks/pre-receive")).unwrap();
        }
    }
}

#[test]
fn a_push_that_is_killed_anywhere_lands_once_when_it_is_pushed_again() {
    let Some((lab, before)) = lab() else { return };
    let mut times = Vec::new();
    for way in WAYS {
        way.restore(&lab, &before);
        way.prepare(&lab);
        fs::remove_dir_all(lab.path("cache/supercargo/git")).unwrap();
        let begun = Instant::now();
        way.push_whole(&lab, "undisturbed");
        times.push(begun.elapsed());
        assert_landed_once(&lab, "undisturbed");
    }
    let (mut done, mut half, count) = (0, 0, cases(6, 300));
    for number in 0..count {
        let mut chance = Chance::of(number);
        let at = usize::try_from(number).unwrap() % WAYS.len();
        let way = WAYS[at];
        way.restore(&lab, &before);
        if chance.below(2) == 0 {
            fs::remove_dir_all(lab.path("cache/supercargo/git")).unwrap();
        }
        let whole = u64::try_from(times[at].as_micros()).unwrap();
        let delay = Duration::from_micros(chance.below(whole + whole / 10));
        let case = format!("case {number}: {way:?}, killed after {delay:?} of {:?}", times[at]);
        let mut push = way.push(&lab);
        sleep(delay);
        push.kill().unwrap();
        let ended = push.wait_with_output().unwrap();
        done += usize::from(ended.status.success());
        lab.instavote.assert_sound();
        let then = landed(&lab);
        half += usize::from(!ended.status.success() && then == 1);
        assert!(then <= 1, "{case}");
        let result = way.push_whole(&lab, &case);
        assert_eq!(result["verified"], json!(true), "{case}: {result:#}");
        assert_eq!(way.push_whole(&lab, &case)["already"], json!(true), "{case}");
        assert_landed_once(&lab, &case);
    }
    println!("{count} pushes killed: {done} had ended, {half} had landed and not told");
}

/// Makes the newest tag another one, so that there is an update again; returns it.
fn new_tag(lab: &Lab, number: u64) -> String {
    let tag = format!("main-abc{number:04x}-{}", 1_700_000_000 + number);
    lab.registry.push("vote", &tag);
    tag
}

/// One process of a round, by its own or the common state folder.
fn push_of(lab: &Lab, instance: u64, plan: &Path) -> Child {
    let mut command =
        lab.command(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes", "-o", "json"]);
    // Two share everything, as two windows of one operator do; the others are on computers of their own.
    if instance > 1 {
        for (variable, folder) in [("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")] {
            command.env(variable, lab.path(&format!("{folder}-{instance}")));
        }
        command.env("SUPERCARGO_GIT_USERNAME", WRITER);
        command.env("SUPERCARGO_GIT_PASSWORD", support::git::PASSWORD);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn four_at_once_on_one_repository_land_each_once_or_say_why_not() {
    const INSTANCES: u64 = 4;
    let Some((lab, _)) = lab() else { return };
    let rounds = cases(12, 200) / INSTANCES;
    let (mut pushed, mut already, mut refused) = (0, 0, 0);
    for round in 0..rounds {
        let tag = new_tag(&lab, round);
        let before = landed(&lab);
        // In every other round all of them have the same plan; else each has one of its own, and they exclude each other.
        let is_same = round % 2 == 0;
        let plans: Vec<PathBuf> = (0..INSTANCES)
            .map(|instance| {
                let path = lab.path(&format!("plan-{instance}.json"));
                let message = format!("Round {round}, plan {}", if is_same { 0 } else { instance });
                let arguments = ["plan", "vote", "--message", &message, "-o", "json"];
                if instance == 0 || !is_same {
                    let refresh = if instance == 0 { "--refresh=always" } else { "--refresh=auto" };
                    let ran = lab.run(&[&arguments[..], &[refresh]].concat()).expect(0);
                    fs::write(&path, ran.out).unwrap();
                    return path;
                }
                lab.path("plan-0.json")
            })
            .collect();
        let running: Vec<Child> =
            (0..INSTANCES).zip(&plans).map(|(instance, plan)| push_of(&lab, instance, plan)).collect();
        let (mut done, already_before) = (0, already);
        for (instance, child) in running.into_iter().enumerate() {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let case = format!("round {round}, instance {instance}: {said}");
            let document: Value = serde_json::from_slice(&output.stdout).expect(&case);
            let result = &document["results"][0];
            match output.status.code() {
                Some(0) if result["already"] == json!(true) => already += 1,
                Some(0) => {
                    assert_eq!(
                        (&result["pushed"], &result["verified"]),
                        (&json!(true), &json!(true)),
                        "{case}"
                    );
                    done += 1;
                }
                Some(5) => {
                    let code = result["error"]["code"].as_str().unwrap();
                    assert!(matches!(code, "stale_plan" | "git_race"), "{case}");
                    assert!(!result["error"]["message"].as_str().unwrap().is_empty(), "{case}");
                    refused += 1;
                }
                other => unreachable!("{other:?}, {case}"),
            }
        }
        assert_eq!(landed(&lab), before + 1, "round {round}: exactly one commit");
        assert_eq!(done, 1, "round {round}: one has pushed it, and no other claims that");
        let others = already - already_before;
        assert!(!is_same || others == INSTANCES - 1, "round {round}: of one plan the others find it there");
        pushed += done;
        let tip = lab.instavote.tip(BRANCH).unwrap();
        let files = git(&lab.instavote.path, &["grep", "-h", &tag, &tip, "--", "deploy/vote/staging"]);
        assert_eq!(files.lines().count(), 2, "round {round}: {files}");
    }
    lab.instavote.assert_sound();
    assert_eq!(git(&lab.instavote.path, &["rev-list", "--merges", "--count", BRANCH]), "0");
    println!("{} landings: {pushed} pushed, {already} found it there, {refused} refused", rounds * INSTANCES);
}

#[cfg(feature = "tui")]
mod screen {
    use rustix::process::Signal;

    use super::support::pty::Pty;
    use super::*;

    /// The dialog drops keys for 300 ms after it was drawn.
    const GUARD: Duration = Duration::from_millis(400);

    /// The program on its screen, which has yet to fetch.
    fn dashboard(lab: &Lab) -> Pty {
        let fetched = lab.path("cache/supercargo/git");
        if fetched.exists() {
            fs::remove_dir_all(fetched).unwrap();
        }
        let fleet = lab.fleet();
        let folders = ["home", "config", "state", "cache"].map(|name| match name {
            "home" => lab.path(""),
            name => lab.path(name),
        });
        let [home, config, state, cache] = folders.each_ref().map(|path| path.to_str().unwrap());
        let variables = [
            ("HOME", home),
            ("XDG_CONFIG_HOME", config),
            ("XDG_STATE_HOME", state),
            ("XDG_CACHE_HOME", cache),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ];
        Pty::start_with(100, 30, &["-C", fleet.to_str().unwrap(), "--write"], &variables)
    }

    /// Opens the dialog of what is approved, and confirms it.
    fn push(pty: &mut Pty) {
        pty.press("p").wait("Push 1 commit?");
        sleep(GUARD);
        pty.press("y");
    }

    #[test]
    fn a_dashboard_that_is_killed_anywhere_has_its_decisions_and_lands_them_once() {
        let Some((lab, before)) = lab() else { return };
        lab.json(0, &["get", "updates"]);
        let (mut kept, mut there, count) = (0, 0, cases(4, 60));
        for number in 0..count {
            let mut chance = Chance::of(10_000 + number);
            copy(&before, &lab.instavote.path);
            // What an earlier case left must not pass for what this one keeps.
            for folder in ["journal", "drafts"] {
                let folder = lab.path(&format!("state/supercargo/{folder}"));
                if folder.exists() {
                    fs::remove_dir_all(folder).unwrap();
                }
            }
            let mut pty = dashboard(&lab);
            pty.wait("[ ] flux-system/vote").press(" ").wait("[x] flux-system/vote");
            let when = match number % 4 {
                0 => "as soon as the decision is on the screen".to_owned(),
                1 => {
                    pty.press("p").wait("Push 1 commit?");
                    "before the push was confirmed".to_owned()
                }
                _ => {
                    push(&mut pty);
                    let delay = Duration::from_micros(chance.below(1_200_000));
                    sleep(delay);
                    format!("{delay:?} after the push was confirmed")
                }
            };
            let case = format!("case {number}, killed {when}");
            pty.signal(Signal::KILL).end();
            lab.instavote.assert_sound();
            let then = landed(&lab);
            assert!(then <= 1, "{case}");
            drop(pty);

            let mut pty = dashboard(&lab);
            let is_there =
                |text: &str| text.contains("Resume 1 update") || text.contains("No pending updates");
            pty.wait_until(&format!("{case}: the decision"), is_there);
            if pty.text().contains("Resume 1 update") {
                kept += 1;
                pty.press("y").wait("[x] flux-system/vote");
                push(&mut pty);
                pty.wait_until(&format!("{case}: the push"), |text| {
                    text.contains("the remote now reports") || text.contains("already")
                });
            } else {
                there += 1;
                // The server may have gone on after the client was killed.
                assert_eq!(landed(&lab), 1, "{case}: the decision is lost");
            }
            assert_eq!(pty.signal(Signal::TERM).end(), 143);
            assert_landed_once(&lab, &case);
        }
        println!("{count} dashboards killed: {kept} decisions came back, {there} had landed");
    }
}
