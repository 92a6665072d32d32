//! Does a person get there? The program in a terminal, real keys, real registry and remote of the demo; keys are
//! counted, bytes are counted, and the terminal has to come back as it was.
#![cfg(feature = "tui")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests; figures are printed")]

#[path = "support/pty.rs"]
mod pty;
#[path = "support/registry.rs"]
mod registry;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pty::Pty;
use pty::Shows::{self, CursorOn, NoMore, Text};
use registry::{Liar, Say};
use rustix::process::Signal;
use supercargo::store::{Dirs, PushNote, Store};

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
    let lines = changed(&repository, &parent.tree().unwrap(), &commit.tree().unwrap());
    (commit.message().unwrap().to_owned(), lines)
}

/// The lines that differ, with their signs.
fn changed(repository: &git2::Repository, old: &git2::Tree<'_>, new: &git2::Tree<'_>) -> Vec<String> {
    let diff = repository.diff_tree_to_tree(Some(old), Some(new), None).unwrap();
    let mut lines = Vec::new();
    diff.print(git2::DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-') {
            lines.push(format!("{}{}", line.origin(), String::from_utf8_lossy(line.content()).trim()));
        }
        true
    })
    .unwrap();
    lines
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
    pty.press(" ").wait("[x] flux-…/checkout-api").press("p").wait("Push 1 commit?");
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
fn all_but_one_go_to_a_branch_for_review_in_seven_keys() {
    let mut pty = demo(100, 30);
    pty.press("a").wait("approved 5 of 6");
    pty.press("j").see(&CursorOn(4)).press("s").wait("[-] flux-system/mysql");
    pty.press("b")
        .wait("review")
        .press("2")
        .wait_until("the menu is gone", |text| !text.contains("Esc  cancel"));
    pty.press("p").wait("Push 2 commits?").wait("supercargo/");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 2 commits");
    println!("G2: {} keys", pty.keys);
    assert_eq!(pty.keys, 7);
    let repository = git2::Repository::open_bare(remote(&pty)).unwrap();
    let names = repository.branches(Some(git2::BranchType::Local)).unwrap();
    let names: Vec<String> =
        names.map(|branch| branch.unwrap().0.name().unwrap().unwrap().to_owned()).collect();
    assert!(names.iter().any(|name| name.starts_with("supercargo/")), "{names:?}");
}

#[test]
fn why_a_tag_was_not_picked_and_another_pattern_for_it_take_six_keys() {
    let mut pty = demo(100, 30);
    pty.press("t").wait("› tags").wait("v2.14.0");
    pty.press("/").wait("FILTER").send("v2.14").wait("(1 of 9)").press(ENTER).wait("FILTER v2.14");
    pty.press(ENTER).wait("why v2.14.0 is not selected");
    pty.press("e").wait("› playground").send("x").wait("EDIT");
    pty.press(ESCAPE).wait_until("the tags again", |text| !text.contains("› playground"));
    println!("G3: {} keys", pty.keys);
    assert_eq!(pty.keys, 6);
}

#[test]
fn a_bad_tag_is_held_and_the_rest_pushed_in_five_keys_on_a_small_terminal() {
    let mut pty = demo(80, 24);
    pty.press("H").wait("Hold flux-system/checkout-api?").send("crashes").wait("crashes");
    pty.press(ENTER).wait("[H] flux-").press("a").wait("approved 4 of 5");
    pty.press("p").wait("Push 2 commits?");
    std::thread::sleep(GUARD);
    pty.press("y").wait("pushed 2 commits");
    println!("G4: {} keys", pty.keys);
    assert_eq!(pty.keys, 5);
    let repository = git2::Repository::open_bare(remote(&pty)).unwrap();
    let tree =
        |name| repository.find_branch(name, git2::BranchType::Local).unwrap().get().peel_to_tree().unwrap();
    let lines = changed(&repository, &tree("main"), &tree("image-updates"));
    let is_held = |line: &String| !line.contains("$imagepolicy") || line.contains("checkout-api");
    assert!(!lines.is_empty() && !lines.iter().any(is_held), "{lines:?}");
}

#[test]
fn a_value_of_a_wrong_type_is_told_and_does_not_stop_the_dashboard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "ascii = 3\n").unwrap();
    let mut pty = demo_with(100, 30, &[("SUPERCARGO_CONFIG", path.to_str().unwrap())]);
    pty.press("!").wait("› Errors").press("G").wait("config.toml:1:9").wait("default is in force");
}

#[test]
fn what_is_copied_goes_to_the_desktop_s_tool_and_to_the_terminal() {
    const TO_THE_TERMINAL: &[u8] = b"\x1b]52;c;";
    for over_ssh in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (tool, copied) = (folder.path().join("wl-copy"), folder.path().join("copied"));
        std::fs::write(&tool, format!("#!/bin/sh\ncat > {0}.new && mv {0}.new {0}\n", copied.display()))
            .unwrap();
        std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let ssh = if over_ssh { "/dev/pts/9" } else { "" };
        let mut pty =
            demo_with(100, 30, &[("PATH", &path), ("WAYLAND_DISPLAY", "wayland-0"), ("SSH_TTY", ssh)]);
        pty.press("y").wait("name ").press(ENTER).wait("sent to the terminal");
        pty.settle(Duration::from_millis(500));
        assert!(has(&pty.bytes, TO_THE_TERMINAL));
        let text = std::fs::read_to_string(&copied).ok();
        assert_eq!(text.as_deref(), (!over_ssh).then_some("flux-system/checkout-api"));
    }
}

#[test]
fn the_pager_gets_the_whole_text_and_the_editor_the_message() {
    let pager = ("PAGER", "cat; echo END OF PAGE; read line < /dev/tty; :");
    let editor = ("VISUAL", "grep -q staging \"$1\" && printf 'Written elsewhere\\n\\nBody\\n' >");
    let mut pty = demo_with(80, 24, &[pager, editor]);
    pty.press(ENTER).wait("› diff").press("\x0f").wait("END OF PAGE");
    let text = pty.text();
    assert!(text.contains("checkout") && !text.contains("› diff"), "{text}");
    pty.send(ENTER).wait("› diff");
    pty.press(" ").wait("[x]").press("c").wait("commit message").press("\x05").wait("Written elsewhere");
    pty.press(ESCAPE).wait_until("the diff", |text| !text.contains("commit message"));
    pty.press("p").wait("Push 1 commit?").wait("Written elsewhere");
    assert_eq!(pty.signal(Signal::TERM).end(), 143);
    pty.assert_handed_back();
}

#[test]
fn a_pager_or_an_editor_that_fails_is_named_and_changes_nothing() {
    let mut pty = demo_with(100, 30, &[("PAGER", "no-such-pager"), ("EDITOR", "false")]);
    pty.press("\x0f").wait("no-such-pager failed: exit status: 127");
    pty.press(" ").wait("[x]").press("c").wait("commit message").press("\x05");
    pty.wait("false failed: exit status: 1").wait("staging");
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

/// What asks a terminal for its background, and the colour of the default themes' keys on dark and on light ones.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";
const ON_DARK: &[u8] = b"38;2;127;176;255";
const ON_LIGHT: &[u8] = b"38;2;0;95;175";

/// The list and its preview, without times.
fn rows(text: &str) -> Vec<String> {
    text.lines().skip(1).take(26).map(|line| line.chars().take(80).collect()).collect()
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[test]
fn a_light_terminal_gets_the_light_theme_and_its_answer_is_not_typed_however_it_comes() {
    let whole: &[&str] = &["\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\\x1b[?62;4c"];
    let torn: &[&str] = &["\x1b", "]11;rgb:fdfd/f6", "f6/e3e3\x1b", "\\", "\x1b[?6", "2;4c"];
    for parts in [whole, torn] {
        let mut pty = demo(100, 30);
        let question = pty.bytes.windows(QUESTION.len()).position(|part| part == QUESTION).unwrap();
        assert!(has(&pty.bytes[..question], ON_DARK), "the first frame waits for no answer");
        let (from, shown) = (pty.bytes.len(), rows(&pty.text()));
        for part in parts {
            // Longer than a key's own sequence may take.
            pty.send(part).settle(Duration::from_millis(150));
        }
        assert!(has(&pty.bytes[from..], ON_LIGHT) && !has(&pty.bytes[from..], QUESTION));
        assert_eq!(rows(&pty.text()), shown, "nothing was typed");
        let from = pty.bytes.len();
        pty.send("\x1b[?997;1n").settle(Duration::from_millis(150));
        assert!(has(&pty.bytes[from..], ON_DARK), "a terminal that turns dark is followed");
        pty.press("j").see(&CursorOn(4));
        pty.send("q").end();
        assert!(has(&pty.bytes[from..], b"\x1b[?2031l"), "only while the screen is ours");
        pty.assert_handed_back();
    }
}

#[test]
fn a_terminal_is_not_asked_where_its_background_decides_on_nothing() {
    for variables in [("SUPERCARGO_THEME", "default-dark"), ("NO_COLOR", "1"), ("TERM", "screen-256color")] {
        let mut pty = demo_with(80, 24, &[variables]);
        assert!(!has(&pty.bytes, QUESTION), "{variables:?}");
        pty.send("q").end();
    }
}

#[test]
fn a_demo_that_a_signal_ends_at_any_moment_leaves_no_folder() {
    for (delay, signal, exit) in [
        (60, Signal::TERM, 143),
        (150, Signal::INT, 130),
        (300, Signal::HUP, 129),
        (600, Signal::TERM, 143),
        (1500, Signal::QUIT, 131),
    ] {
        let mut pty = Pty::start(100, 30, &["demo", "--interval", "100ms"]);
        let begun = Instant::now();
        // Before its first byte or folder it is no demo yet, and the system ends it.
        while entries(&pty.temporary()) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "no demo");
        }
        std::thread::sleep(Duration::from_millis(delay));
        assert_eq!(pty.signal(signal).end(), exit, "after {delay} ms");
        pty.assert_handed_back();
    }
}

fn entries(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
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
    let command = Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .stdin(Stdio::null())
        .env("TERM", "xterm-256color")
        .output()
        .unwrap();
    assert_eq!(command.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&command.stderr).contains("supercargo get updates"));
    assert!(!command.stderr.contains(&0x1b) && command.stdout.is_empty());
}

/// What the program does until then belongs to the key before.
const SILENCE: Duration = Duration::from_millis(250);

/// Presses `key`, which moves the cursor to row `row` of the screen; returns the bytes of each frame, the last of which
/// is what follows the cursor.
fn step(pty: &mut Pty, key: &str, row: usize, has_preview: bool) -> Vec<usize> {
    let from = pty.bytes.len();
    pty.send(key).see(&CursorOn(row));
    if has_preview {
        pty.wait_until("the preview of the cursor's row", |text| {
            let row = text.lines().find(|line| line.starts_with('▌')).unwrap_or_default();
            let name = row.split_once('/').map(|(_, name)| name.split(['…', ' ']).next().unwrap_or_default());
            // The widest layout has a title without a rule.
            let is_title =
                |line: &&str| line.contains("── flux-system/") || line.starts_with(" flux-system/");
            let rule = text.lines().find(is_title);
            rule.zip(name).is_some_and(|(rule, name)| rule.contains(name))
        });
    }
    pty.settle(SILENCE);
    pty.frames(from)
}

#[test]
fn a_move_of_the_cursor_costs_few_bytes_and_waiting_none() {
    for ((columns, rows), most) in [((80, 24), 240), ((100, 30), 300), ((120, 40), 300), ((200, 60), 300)] {
        let mut pty = demo(columns, rows);
        let top = pty.cursor_row().unwrap();
        // Down to the last update, which is blocked, and has another footer than those above; and up again.
        let down = (1..7).map(|row| ("j", top + row));
        let way: Vec<(&str, usize)> = down.chain((0..6).rev().map(|row| ("k", top + row))).collect();
        // A minute that passes, or a message that clears, falls into one key or another, but not into the same twice.
        let mut walk = || -> Vec<Vec<usize>> {
            way.iter().map(|(key, row)| step(&mut pty, key, *row, columns >= 100)).collect()
        };
        let frames = [walk(), walk()];
        println!("{columns}x{rows}: {frames:?} B");
        for (first, second) in frames[0].iter().zip(&frames[1]) {
            // Of each key the first frame is the move, the second, where there is one, what follows the cursor.
            assert!(first[0].min(second[0]) <= most, "{frames:?}");
            assert!(first[1..].iter().chain(&second[1..]).all(|bytes| *bytes <= 2560), "{frames:?}");
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

/// A folder with one repository and one policy, and a registry that says `say` of its tags.
fn tags_of(say: impl Fn() -> Say + Send + Sync + 'static) -> (Liar, tempfile::TempDir) {
    let registry = Liar::start(move |_, _| say());
    let folder = tempfile::tempdir().unwrap();
    let objects = format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\n\
         kind: ImageRepository\n\
         metadata: {{name: app, namespace: shop}}\n\
         spec: {{image: {}/shop/app, interval: 1h, insecure: true}}\n\
         ---\n\
         apiVersion: image.toolkit.fluxcd.io/v1\n\
         kind: ImagePolicy\n\
         metadata: {{name: app, namespace: shop}}\n\
         spec:\n  \
           imageRepositoryRef: {{name: app}}\n  \
           filterTags: {{pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)', extract: $ts}}\n  \
           policy: {{numerical: {{order: asc}}}}\n",
        registry.host
    );
    std::fs::write(folder.path().join("objects.yaml"), objects).unwrap();
    (registry, folder)
}

/// S3 with two thousand tags, the cursor on the last row of its pane.
fn long_list(columns: u16, rows: u16) -> (Liar, tempfile::TempDir, Pty) {
    let tags: Vec<String> = (0..2000_u64)
        .map(|number| format!("main-{:07x}-{}", number * 2_654_435_761 % (1 << 28), 1_763_000_000 + number))
        .collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let body = format!("{{\"name\":\"shop/app\",\"tags\":{tags:?}}}");
    let (registry, folder) = tags_of(move || Say::json(body.clone()));
    let mut pty = Pty::start(columns, rows, &["--files", folder.path().to_str().unwrap()]);
    pty.wait("1/1 ").send("2").wait("LAST SCAN").wait("2000").send(ENTER).wait("2000 match");
    let mut row = 1;
    loop {
        let before = pty.cursor_row();
        row += 1;
        pty.send("j").wait(&format!("row {row}/2000"));
        if pty.cursor_row() == before {
            pty.settle(SILENCE);
            return (registry, folder, pty);
        }
    }
}

/// The row of the list that the status line names.
fn row_of(pty: &Pty) -> usize {
    let text = pty.text();
    let (_, behind) = text.split_once("row ").unwrap();
    behind.split_once('/').unwrap().0.parse().unwrap()
}

#[test]
fn a_list_that_scrolls_costs_its_new_row() {
    for ((columns, rows), most, page) in [((80, 24), 280, 2048), ((120, 40), 400, 3584)] {
        let (_registry, _folder, mut pty) = long_list(columns, rows);
        let mut frames: Vec<usize> = Vec::new();
        let mut held = 0;
        for _ in 0..30 {
            let from = pty.bytes.len();
            let next = format!("row {}/2000", row_of(&pty) + 1);
            pty.send("j").wait(&next);
            frames.extend(pty.frames(from).first());
            held += pty.bytes.len() - from;
        }
        // Now up: to the first row of the pane, and on.
        while pty.cursor_row() != Some(pty.text().lines().position(|line| line.contains("TAG")).unwrap() + 1)
        {
            let next = format!("row {}/2000", row_of(&pty) - 1);
            pty.send("k").wait(&next);
        }
        pty.settle(SILENCE);
        for _ in 0..10 {
            let from = pty.bytes.len();
            let next = format!("row {}/2000", row_of(&pty) - 1);
            pty.send("k").wait(&next);
            frames.extend(pty.frames(from).first());
        }
        println!("{columns}x{rows}: scrolled {frames:?} B, 30 keys {held} B");
        assert!(frames.iter().all(|bytes| *bytes <= most), "{frames:?}");
        let row = row_of(&pty);
        pty.settle(SILENCE);
        let from = pty.bytes.len();
        pty.send("\x1b[6~").wait_until("a page", |text| !text.contains(&format!("row {row}/")));
        let paged = pty.frames(from);
        println!("{columns}x{rows}: page {paged:?} B");
        assert!(paged[0] <= page, "{paged:?}");
    }
}

#[test]
fn a_key_that_is_held_while_the_list_scrolls_fits_a_slow_line() {
    for ((columns, rows), most) in [((80, 24), 9_000), ((120, 40), 12_000)] {
        let (_registry, _folder, mut pty) = long_list(columns, rows);
        let end = format!("row {}/2000", row_of(&pty) + 30);
        let from = pty.bytes.len();
        for _ in 0..30 {
            pty.send("j").settle(Duration::from_millis(33));
        }
        pty.wait(&end);
        let bytes = pty.bytes.len() - from;
        println!("{columns}x{rows}: 30 keys in 1 s {bytes} B");
        // On a machine so busy that it pauses for 80 ms, previews come in between.
        let frames = pty.frames(from);
        let previews: usize = frames.iter().filter(|bytes| **bytes > 400).sum();
        assert!(bytes - previews <= most, "{frames:?}");
    }
}

#[test]
fn a_spinner_costs_a_few_bytes_a_turn() {
    let (_registry, folder) = tags_of(|| Say::Nothing);
    let mut pty = Pty::start(80, 24, &["--files", folder.path().to_str().unwrap()]);
    pty.wait("scanning 1 of 1");
    let seconds = |text: &str| text.split(" · ").nth(1).map(str::to_owned);
    // From one second to the next it turns four times; the frame of the second itself says which one it is.
    let mut turns = Vec::new();
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        let (from, before) = (pty.bytes.len(), seconds(&pty.text()));
        pty.settle(Duration::from_millis(100));
        if seconds(&pty.text()) == before {
            turns.extend(pty.frames(from));
        }
    }
    println!("spinner {turns:?} B");
    assert!(turns.len() >= 8 && turns.iter().all(|bytes| *bytes <= 20), "{turns:?}");
}

#[test]
fn a_policy_whose_scan_fails_says_so_and_why() {
    let (_registry, folder) = tags_of(|| Say::status("403 Forbidden"));
    let mut pty = Pty::start(120, 40, &["--files", folder.path().to_str().unwrap()]);
    pty.wait("0/1 scanned").send("3").wait("LATEST HERE").wait("fails");
    pty.wait("the scan of ImageRepository shop/app fails").wait("403");
}

/// One repository object, of an image at `host`.
fn repository(host: &str, name: &str) -> String {
    format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{image: {host}/shop/{name}, interval: 1h, insecure: true}}\n---\n"
    )
}

#[test]
fn a_large_scan_says_first_what_it_will_ask_and_objects_that_come_later_are_seen() {
    let (registry, folder) = tags_of(|| Say::tags(&["1.0.0"]));
    let objects: String =
        (0..21).map(|number| repository(&registry.host, &format!("app-{number}"))).collect();
    std::fs::write(folder.path().join("more.yaml"), objects).unwrap();
    let mut pty = Pty::start(100, 30, &["--files", folder.path().to_str().unwrap()]);
    pty.wait("scanning 22 repositories: at least 23 requests to 1 registry").wait("22/22 ");
    pty.send("2").wait("LAST SCAN").send("R").wait("scanning 22 repositories: at least");
    std::fs::write(folder.path().join("late.yaml"), repository(&registry.host, "late")).unwrap();
    // The files are looked at once a minute.
    for _ in 0..3 {
        pty.settle(Duration::from_secs(25));
    }
    pty.wait("2 Repositories 23").wait("23/23 ");
    assert!(registry.asked().iter().any(|asked| asked.line.contains("/shop/late/")), "it is scanned too");
}

#[test]
fn a_push_whose_end_nobody_saw_is_told_at_the_next_start_and_once() {
    let (_registry, folder) = tags_of(|| Say::tags(&["1.0.0"]));
    let state = tempfile::tempdir().unwrap();
    let dirs = Dirs { state: Some(state.path().join("supercargo")), cache: None };
    let note = PushNote {
        plan: "7f3c9a01b2c4".to_owned(),
        remote: "https://git.example.com/ops/fleet".to_owned(),
        branch: "image-updates".to_owned(),
        commit: "8d2e91b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6".to_owned(),
        time: "2026-03-01T13:40:00Z".parse().unwrap(),
        outcome: Some(Err("declined by a hook".to_owned())),
    };
    let store = Store::open(&dirs);
    drop(store.pushes().begin(&note));
    store.pushes().end(&note);
    drop(store);
    let start = || {
        let variables = [("XDG_STATE_HOME", state.path().to_str().unwrap())];
        let mut pty = Pty::start_with(100, 30, &["--files", folder.path().to_str().unwrap()], &variables);
        pty.wait("1/1 ");
        pty
    };
    let mut pty = start();
    pty.wait("push: the push of 8d2e91b to image-updates of https://git.example.com/ops/fleet");
    pty.send("!").wait("did not land: declined by a hook");
    pty.signal(Signal::TERM).end();
    let mut pty = start();
    pty.settle(Duration::from_secs(1));
    assert!(!pty.text().contains("8d2e91b"), "{}", pty.text());
}

#[test]
fn what_waits_for_a_scan_that_fails_is_blocked_with_its_reason() {
    let (registry, folder) = tags_of(|| Say::status("403 Forbidden"));
    let marked =
        format!("image: {}/shop/app:main-0a-1 # {{\"$imagepolicy\": \"shop:app\"}}\n", registry.host);
    std::fs::write(folder.path().join("deploy.yaml"), marked).unwrap();
    let mut pty = Pty::start(120, 40, &["--files", folder.path().to_str().unwrap()]);
    pty.wait("0/1 scanned").wait("[!] shop/app").wait("1 blocked").wait("403");
}

/// How many cells of the screen look different from `before`.
fn changed_cells(before: &vt100::Screen, after: &vt100::Screen) -> usize {
    let (rows, columns) = before.size();
    let (rows, columns) = (rows.get(), columns.get());
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    places.filter(|(row, column)| before.cell(*row, *column) != after.cell(*row, *column)).count()
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
        let (open, close) = (Text("help for Updates"), NoMore("help for Updates"));
        // 24-bit colours, and the 256 that a terminal has over ssh.
        for colors in ["truecolor", ""] {
            let mut pty = demo_with(columns, rows, &[("COLORTERM", colors)]);
            let start = pty.frames(0);
            let mut views = Vec::new();
            for (key, shows) in [
                ("t", Text("› tags")),
                (ESCAPE, NoMore("› tags")),
                ("2", Text("LAST SCAN")),
                ("3", Text("LATEST HERE")),
                ("4", Text("AUTOMATION ")),
                ("5", Text("Nothing approved yet")),
                ("1", Text("CURRENT → NEW")),
                ("?", open),
                (ESCAPE, close),
                ("?", open),
                (ESCAPE, close),
            ] {
                let before = pty.screen().clone();
                let frames = pty.frames_of(key, &shows, SILENCE);
                views.push((key, frames, changed_cells(&before, pty.screen())));
            }
            println!("{columns}x{rows} {colors:?}: start {start:?} B, views {views:?}");
            assert!(start.iter().all(|bytes| *bytes <= first), "{start:?}");
            for (key, frames, cells) in &views {
                let most = other.min(cells * 14 / 10 + 300);
                assert!(frames[0] <= most, "{key:?} {frames:?} B for {cells} cells");
            }
        }
    }
}

#[test]
fn every_key_of_the_footer_does_something() {
    let mut pty = demo(100, 30);
    let keys: &[(&str, Shows<'_>)] = &[
        ("t", Text("› tags")),
        (ESCAPE, NoMore("› tags")),
        ("2", Text("LAST SCAN")),
        ("3", Text("LATEST HERE")),
        ("4", Text("SEL AUTOMATION")),
        ("5", Text("Nothing approved yet")),
        ("1", Text("CURRENT → NEW")),
        ("?", Text("help for Updates")),
        (ESCAPE, NoMore("help for Updates")),
        (":", Text("EDIT")),
        (ESCAPE, NoMore("EDIT")),
        ("o", Text("─ sort by ─")),
        (ESCAPE, NoMore("─ sort by ─")),
        ("y", Text("─ copy ─")),
        (ESCAPE, NoMore("─ copy ─")),
        ("/", Text("FILTER")),
        (ESCAPE, NoMore("FILTER")),
        ("i", NoMore("── flux-system/")),
        ("i", Text("── flux-system/")),
        ("s", Text("[-]")),
        ("x", NoMore("[-]")),
        ("b", Text("Where do the commits go?")),
        (ESCAPE, NoMore("Where do the commits go?")),
        ("a", Text("approved 5 of 6")),
        ("!", Text("› Errors")),
    ];
    for (key, shows) in keys {
        let is_there = match shows {
            Text(text) => pty.text().contains(text),
            NoMore(text) => !pty.text().contains(text),
            CursorOn(row) => pty.cursor_row() == Some(*row),
        };
        assert!(!is_there, "{shows:?} before {key:?} was pressed:\n{}", pty.text());
        pty.send(key).see(shows);
    }
}

#[test]
fn a_key_that_comes_with_the_escape_before_it_is_not_lost() {
    let mut pty = demo(100, 30);
    pty.send("?").wait("help for Updates").send("\x1b2").wait("LAST SCAN");
}
