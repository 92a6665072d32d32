//! Notes the commit that a release is built from, for `supercargo version`.
//!
//! In this order: the variable `SUPERCARGO_COMMIT` (a packager knows best), the note that `cargo package` leaves in a
//! source archive, and, for release builds out of a work tree of our own, what git says. Whatever is not to be had is
//! left out and breaks nothing. Other builds do not look, so that a commit alone compiles nothing anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SUPERCARGO_COMMIT");
    let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let given = env::var("SUPERCARGO_COMMIT").ok().filter(|commit| !commit.is_empty());
    if let Some(commit) = given.or_else(|| from_archive(&root)).or_else(|| from_work_tree(&root)) {
        println!("cargo:rustc-env=SUPERCARGO_COMMIT={commit}");
    }
}

/// The commit in `.cargo_vcs_info.json`.
fn from_archive(root: &Path) -> Option<String> {
    let note = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = note.split_once("\"sha1\"")?;
    let hex = rest.split('"').nth(1)?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| hex.to_owned())
}

/// The commit that is checked out, if `root` is the top of a work tree and not just a folder somewhere in one.
fn from_work_tree(root: &Path) -> Option<String> {
    if env::var("PROFILE").as_deref() != Ok("release") || !root.join(".git").exists() {
        return None;
    }
    // Both change with every commit and checkout.
    for name in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", name])?);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    git(root, &["rev-parse", "--verify", "HEAD"])
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}
