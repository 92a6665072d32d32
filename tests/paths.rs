//! Does a person get there? The program in a terminal, real keys, real registry and remote of the demo; keys are
//! counted, bytes are counted, and the terminal has to come back as it was.
#![cfg(feature = "tui")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests; figures are printed")]

#[path = "support/pty.rs"]
mod pty;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pty::Pty;
use rustix::process::Signal;

/// A demo whose CI pushes nothing while a test runs.
const STILL: [&str; 3] = ["demo", "--interval", "1h"];
/// The dialog drops keys for 300 ms after it was drawn.
const GUARD: Duration = Duration::from_millis(400);
const ENTER: &str = "\r";
const ESCAPE: &str = "\x1b";

/// A demo in a terminal of this size, with its updates on the screen.
fn demo(columns: u16, rows: u16) -> Pty {
    demo_with(columns, rows, &[])
}

fn demo_with(columns: u16, rows: u16, variables: &[(&str, &str)]) -> Pty {
    let mut pty = Pty::start_with(columns, rows, &STILL, variables);
    pty.wait("[ ] flux-system/podinfo").wait("[!] flux-system/nginx").wait("7/7 ");
    pty.settle(Duration::from_millis(200));
    pty
}

fn remote(pty: &Pty) -> PathBuf {
    let demo = std::fs::read_dir(pty.temporary()).unwrap().next().unwrap().unwrap();
    demo.path().join("fleet.git")
}

/// Message and changed lines of the commit that the push branch of the remote points to.
fn pushed(pty: &Pty) -> (String, Vec<String>) {
    let repository = git2::Repository::open_bare(remote(pty)).unwrap();
    let commit = repository.find_branch("image-updates", git2::BranchType::Local).unwrap();
    let commit = commit.get().peel_to_commit().unwrap();
    let parent = commit.parent(0).unwrap();
    assert_eq!(
        repository.find_branch("main", git2::BranchType::Local).unwrap().get().target(),
        Some(parent.id())
    );
    let (old, new) = (parent.tree().unwrap(), commit.tree().unwrap());
    let diff = repository.diff_tree_to_tree(Some(&old), Some(&new), None).unwrap();
    let mut lines = Vec::new();
    diff.print(git2::DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-') {
            lines.push(format!("{}{}", line.origin(), String::from_utf8_lossy(line.content()).trim()));
        }
        true
    })
    .unwrap();
    (commit.message().unwrap().to_owned(), lines)
}

fn assert_only_tags_changed(lines: &[String]) {
    assert!(!lines.is_empty());
    for pair in lines.chunks(2) {
        let (old, new) = (pair[0].strip_prefix('-').unwrap(), pair[1].strip_prefix('+').unwrap());
        assert_eq!(old.rsplit_once(':').map(|(name, _)| name.len() > 3), Some(true));
        assert!(old.contains("$imagepolicy") && new.contains("$imagepolicy"), "{old} → {new}");
        assert_ne!(old, new);
    }
}

#[test]
fn approved_from_the_list_and_pushed_in_three_keys() {
    let mut pty = demo(100, 30);
    let begun = Instant::now();
    pty.press(" ").wait("[x] flux-system/checko").press("p").wait("Push 1 commit?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit").wait("the remote now reports");
    println!("G1b: {} keys, {} ms", pty.keys, begun.elapsed().as_millis());
    assert_eq!(pty.keys, 3);
    let (message, lines) = pushed(&pty);
    assert!(message.contains("staging"), "{message}");
    assert_only_tags_changed(&lines);
    // The list is compared anew behind the result.
    pty.settle(Duration::from_secs(1));
    assert_eq!(pty.signal(Signal::TERM).end(), 143);
    pty.assert_handed_back();
}

#[test]
fn looked_at_approved_worded_and_pushed_in_six_keys() {
    let mut pty = demo(100, 30);
    pty.press(ENTER).wait("› diff").press(" ").wait("[x] flux-system/checkout-api");
    pty.press("c").wait("commit message").send(" by hand").wait("by hand");
    pty.press(ESCAPE).wait_until("the diff again", |text| !text.contains("commit message"));
    pty.press("p").wait("Push 1 commit?").wait("by hand");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 1 commit");
    println!("G1: {} keys", pty.keys);
    assert_eq!(pty.keys, 6);
    let (message, lines) = pushed(&pty);
    assert!(message.lines().next().unwrap().ends_with(" by hand"), "{message}");
    assert_only_tags_changed(&lines);
}

#[test]
fn keys_typed_before_the_dialog_could_be_seen_push_nothing() {
    let mut pty = demo(100, 30);
    pty.send(" ").wait("[x]").send("py");
    pty.wait("Push 1 commit?");
    pty.settle(Duration::from_millis(600));
    assert!(pty.text().contains("Push 1 commit?"), "{}", pty.text());
    // Enter is not yes either.
    pty.send(ENTER);
    pty.settle(Duration::from_millis(300));
    assert!(pty.text().contains("Push 1 commit?"), "{}", pty.text());
    pty.send("n").wait_until("the list", |text| !text.contains("Push 1 commit?"));
    let asked = Instant::now();
    pty.send("p").wait("Push 1 commit?").send("y");
    if asked.elapsed() < Duration::from_millis(250) {
        pty.settle(Duration::from_millis(600));
        assert!(pty.text().contains("Push 1 commit?"), "{}", pty.text());
    }
    let repository = git2::Repository::open_bare(remote(&pty)).unwrap();
    let branches = repository.branches(None).unwrap().count();
    assert_eq!(branches, 1, "only main");
}

#[test]
fn a_new_tag_appears_without_a_key() {
    let mut pty = Pty::start(100, 30, &["demo", "--interval", "300ms"]);
    pty.wait("[ ] flux-system/podinfo").wait("1 new tag");
}

#[test]
fn the_terminal_comes_back_after_quitting_and_after_signals() {
    for (signal, status) in [(None, 0), (Some(Signal::TERM), 143), (Some(Signal::HUP), 129)] {
        let mut pty = demo(80, 24);
        let begun = Instant::now();
        match signal {
            None => pty.send("q"),
            Some(signal) => pty.signal(signal),
        };
        assert_eq!(pty.end(), status);
        println!("end with status {status}: {} ms", begun.elapsed().as_millis());
        pty.assert_handed_back();
    }
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_recovers() {
    let mut pty = Pty::start(20, 5, &STILL);
    pty.wait("60x16").resize(100, 30).wait("[ ] flux-system/podinfo");
    pty.resize(1, 1);
    pty.settle(Duration::from_millis(200));
    pty.resize(20, 5).wait("60x16").resize(80, 24).wait("[ ] flux-system/podinfo");
    assert_eq!(pty.send("q").end(), 0);
    pty.assert_handed_back();
}

#[test]
fn what_is_no_terminal_gets_advice_and_no_escape_codes() {
    let mut pty = Pty::start_with(80, 24, &["demo"], &[("TERM", "dumb")]);
    assert_eq!(pty.end(), 2);
    assert!(pty.text().contains("supercargo get updates"), "{}", pty.text());
    assert!(!pty.bytes.contains(&0x1b));
    let command = Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .stdin(Stdio::null())
        .env("TERM", "xterm-256color")
        .output()
        .unwrap();
    assert_eq!(command.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&command.stderr).contains("supercargo get updates"));
    assert!(!command.stderr.contains(&0x1b) && command.stdout.is_empty());
}

#[test]
fn a_move_of_the_cursor_costs_few_bytes_and_waiting_none() {
    for ((columns, rows), most) in [((80, 24), 240), ((100, 30), 300), ((160, 45), 300)] {
        let mut pty = demo(columns, rows);
        pty.settle(Duration::from_secs(1));
        // Of each key the first frame is the move, the second, where there is room for one, the preview.
        let frames: Vec<Vec<usize>> = ["j", "j", "j", "k", "k", "k"]
            .map(|key| pty.frames_of(key, Duration::from_millis(250)))
            .into_iter()
            .collect();
        println!("{columns}x{rows}: {frames:?} B");
        for frame in &frames {
            assert!(frame[0] <= most, "{frames:?}");
            assert!(frame[1..].iter().all(|bytes| *bytes <= 2560), "{frames:?}");
        }
        // Ages change once a minute; that may fall into the first of these.
        let waits = [0, 1].map(|_| pty.settle(Duration::from_millis(1500)));
        assert!(waits.contains(&0), "{waits:?}");
    }
}

#[test]
fn a_held_key_draws_no_preview_before_it_is_let_go() {
    let mut pty = demo(100, 30);
    // A busy machine may let the 80 ms pass between two keys; not five times in a row.
    let held = (0..5).any(|_| {
        let from = pty.bytes.len();
        for key in ["j", "j", "k", "k", "j", "k"] {
            pty.send(key).settle(Duration::from_millis(20));
        }
        pty.settle(Duration::from_millis(400));
        let frames = pty.frames(from);
        println!("{frames:?} B");
        frames.iter().rev().skip(1).all(|bytes| *bytes <= 300)
    });
    assert!(held, "only the last frame may be a preview");
}

#[test]
fn a_screen_costs_no_more_than_its_cells() {
    // First frame, and another view, in bytes.
    for ((columns, rows), first, other) in [
        ((80, 24), 2560, 2560),
        ((100, 30), 4096, 4096),
        ((120, 40), 4096, 5632),
        ((200, 60), 16_384, 16_384),
    ] {
        // 256 colours, which is what a terminal has over ssh.
        let mut pty = demo_with(columns, rows, &[("COLORTERM", "")]);
        let start = pty.frames(0);
        let views: Vec<usize> = ["t", ESCAPE, "2", "3", "4", "5", "1", "?", ESCAPE]
            .iter()
            .flat_map(|key| pty.frames_of(key, Duration::from_millis(250)))
            .collect();
        println!("{columns}x{rows}: start {start:?} B, views {views:?} B");
        assert!(start.iter().all(|bytes| *bytes <= first), "{start:?}");
        assert!(views.iter().all(|bytes| *bytes <= other), "{views:?}");
    }
}

#[test]
fn every_key_of_the_footer_does_something() {
    let mut pty = demo(100, 30);
    for (key, shows) in [
        ("t", "› tags"),
        (ESCAPE, "[1 Updates"),
        ("2", "[2 Repositories"),
        ("3", "[3 Policies"),
        ("4", "[4 Automations"),
        ("5", "Nothing approved yet"),
        ("1", "[1 Updates"),
        ("?", "help for Updates"),
        (ESCAPE, "DEC POLICY"),
        (":", "command"),
        (ESCAPE, "DEC POLICY"),
        ("o", "sort"),
        (ESCAPE, "DEC POLICY"),
        ("y", "copy"),
        (ESCAPE, "DEC POLICY"),
        ("!", "Errors"),
    ] {
        pty.send(key).wait(shows);
        // A key that comes within 50 ms of Escape belongs to it, and a busy machine takes its time to read either.
        pty.settle(Duration::from_millis(if key == ESCAPE { 400 } else { 80 }));
    }
}
