//! Real bare repositories, made and looked at with git itself, cut off from the configuration of whoever runs the tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the server's pre-receive hook does; see [`Bare::configure`].
const HOOK: &str = r#"#!/bin/sh
delay=$(git config hooks.delay) && sleep "$delay"
rc=0
while read -r old new ref; do
	if git config --get-all hooks.protected | grep -qxF "${ref#refs/heads/}"; then
		echo "error: GH006: Protected branch update failed for $ref." >&2
		echo "error: Changes must be made through a pull request." >&2
		rc=1
	fi
done
exit $rc
"#;

/// git, with nobody's configuration.
pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Colleague")
        .env("GIT_AUTHOR_EMAIL", "colleague@example.com")
        .env("GIT_COMMITTER_NAME", "Colleague")
        .env("GIT_COMMITTER_EMAIL", "colleague@example.com")
        .args(["-c", "safe.directory=*", "-c", "init.defaultBranch=main"]);
    command
}

/// Runs git and returns what it printed; fails the test if git fails.
pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = git_command(dir).args(arguments).output().expect("git is installed");
    assert_ok(&output, arguments);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn assert_ok(output: &Output, what: &[&str]) {
    assert!(output.status.success(), "git {what:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A bare repository as a forge keeps it: no rewinds, no deletions, a hook that can protect branches.
pub struct Bare {
    /// Its folder.
    pub path: PathBuf,
}

impl Bare {
    /// Makes the repository `path` with these files as the first commit of `main`.
    pub fn create(path: &Path, files: &[(&str, &str)]) -> Self {
        fs::create_dir_all(path).unwrap();
        git(path, &["init", "-q", "--bare", "-b", "main", "."]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("receive.denyNonFastForwards", "true"),
            ("receive.denyDeletes", "true"),
            ("receive.advertisePushOptions", "false"),
        ] {
            git(path, &["config", key, value]);
        }
        let hook = path.join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, HOOK).unwrap();
        make_executable(&hook);
        let bare = Self { path: path.to_owned() };
        bare.commit("main", files, "Import");
        bare
    }

    /// Commits past the hooks, as a colleague whose change was merged; returns the commit.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)], message: &str) -> String {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        git(dir, &["init", "-q", "."]);
        let from = self.path.to_str().unwrap();
        let known = git_command(dir).args(["fetch", "-q", from, branch]).output().unwrap().status.success();
        if known {
            git(dir, &["checkout", "-q", "FETCH_HEAD"]);
        }
        for (path, content) in files {
            let file = dir.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content).unwrap();
            if content.starts_with("#!") {
                make_executable(&file);
            }
        }
        git(dir, &["add", "-A"]);
        git(dir, &["commit", "-q", "-m", message]);
        git(&self.path, &["fetch", "-q", dir.to_str().unwrap(), &format!("HEAD:refs/heads/{branch}")]);
        self.tip(branch).unwrap()
    }

    /// Sets what the hook obeys: `hooks.protected BRANCH`, `hooks.delay SECONDS`.
    pub fn configure(&self, key: &str, value: &str) {
        git(&self.path, &["config", "--add", key, value]);
    }

    /// The commit of a branch; `None` if there is no such branch.
    pub fn tip(&self, branch: &str) -> Option<String> {
        let name = format!("refs/heads/{branch}");
        let output = git_command(&self.path).args(["rev-parse", "-q", "--verify", &name]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    /// Fails the test if anything in the repository is not as git wants it.
    pub fn assert_sound(&self) {
        git(&self.path, &["fsck", "--strict", "--full", "--no-dangling"]);
    }
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
