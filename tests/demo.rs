//! `demo --headless` as a process: whatever ends it, nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

fn demo(folder: &Path, out: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
    command.args(["demo", "--headless", "--keep", "-o", "json"]).env_clear().env("TMPDIR", folder);
    command.env("HOME", folder.join("home")).env("PATH", std::env::var_os("PATH").unwrap());
    command.stdout(out).stderr(Stdio::null()).spawn().unwrap()
}

fn left(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("supercargo")).collect()
}

#[test]
fn a_signal_at_any_moment_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (delay, signal) in
        [(30, "INT"), (80, "TERM"), (200, "INT"), (500, "TERM"), (1200, "INT"), (2500, "TERM")]
    {
        let mut demo = demo(folder.path(), Stdio::null());
        sleep(Duration::from_millis(delay));
        let kill = Command::new("kill").args([&format!("-{signal}"), &demo.id().to_string()]).status();
        assert!(kill.unwrap().success());
        demo.wait().unwrap();
        assert_eq!(left(folder.path()), [] as [String; 0], "SIG{signal} after {delay} ms");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = demo(folder.path(), Stdio::piped());
    let mut line = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"ready\""), "{line}");
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert_eq!(left(folder.path()), [] as [String; 0]);
}

#[test]
fn on_a_full_disk_it_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    for size in ["4k", "64k"] {
        let mut wrapped = Command::new("unshare");
        let script = format!(
            "mount -t tmpfs -o size={size} tmpfs \"$TMPDIR\" || exit 42; \"$0\" demo --headless; \
                              exit=$?; ls \"$TMPDIR\" >&2; exit $exit"
        );
        wrapped.args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_supercargo")]).env_clear();
        wrapped.env("TMPDIR", folder.path()).env("HOME", folder.path().join("home"));
        let output = wrapped.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if said.starts_with("unshare: ") || output.status.code() == Some(42) {
            // The harness keeps what a passing test prints to itself, but not this.
            let note = b"\nSKIPPED: no file system may be mounted here\n";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), note);
            return;
        }
        assert_eq!(output.status.code(), Some(3), "{size}: {said}");
        assert!(said.contains("No space left on device"), "{size}: {said}");
        assert!(!said.contains("supercargo-demo-") || said.lines().count() == 1, "{size}: {said}");
    }
}
