//! Whether tests against real servers run here: `SUPERCARGO_TEST_SERVERS` says `require` (a missing program fails the
//! test) or `skip` (none is started); otherwise they run where their programs are installed.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::io::Write as _;
use std::path::PathBuf;

/// Whether a test that needs these programs is to run. Where not, that is said on the terminal, past the test
/// harness, which keeps what a passing test prints to itself.
///
/// # Panics
/// If a program is missing and the environment requires the servers.
pub fn are_wanted(programs: &[&str]) -> bool {
    let wish = std::env::var("SUPERCARGO_TEST_SERVERS").unwrap_or_default();
    let missing: Vec<&str> = programs.iter().copied().filter(|name| find(name).is_none()).collect();
    assert!(wish != "require" || missing.is_empty(), "required, but not installed: {}", missing.join(", "));
    let reason = match wish.as_str() {
        "skip" => "SUPERCARGO_TEST_SERVERS=skip".to_owned(),
        _ if missing.is_empty() => return true,
        _ => format!("{} not installed (scripts/test installs what is missing)", missing.join(", ")),
    };
    let current = std::thread::current();
    let test = current.name().unwrap_or("a test");
    // Nobody is there to hear it: then it need not be said.
    let _ = std::io::stderr().write_all(format!("\nSKIPPED {test}: {reason}\n").as_bytes());
    false
}

/// Where a program lies, servers in `sbin` included; `None` if it is not installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
