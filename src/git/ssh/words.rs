//! What `ssh` and the servers behind it mean by their last words.
//!
//! `ssh` ends with 255 for a trouble of its own, else with the status of the program on the other side, which has no other way
//! than its words to say what it refuses.

use std::process::ExitStatus;

use crate::git::error::{Attempt, GitError, Refusal};
use crate::git::session::Service;

/// The status of `ssh` for what is its own trouble.
const OWN_TROUBLE: i32 = 255;
/// `ssh` knows no key of the host, or another.
const HOST_KEY: [&str; 3] =
    ["Host key verification failed", "host key is known for", "REMOTE HOST IDENTIFICATION HAS CHANGED"];
/// What `ssh` says to a host whose key has changed.
const CHANGED: [&str; 2] =
    ["REMOTE HOST IDENTIFICATION HAS CHANGED", "has changed and you have requested strict"];
/// Nobody was let in.
const DENIED: [&str; 4] = [
    "Permission denied (",
    "Too many authentication failures",
    "No supported authentication methods",
    "no mutual signature",
];
/// Servers that know no such repository, or will not say that they do.
const NOT_FOUND: [&str; 8] = [
    "does not appear to be a git repository",
    "repository not found",
    "could not be found",
    "cannot find repository",
    "repository does not exist",
    "tf401019",
    "no such repository",
    "project not found",
];

/// Servers that let the key in and do not let it write, in lower case.
///
/// Sources: docs.github.com, "Error: Permission to user/repo denied"; gitlab-org/gitlab:lib/gitlab/git_access.rb;
/// go-gitea/gitea:routers/private/serv.go; sitaramc/gitolite:src/lib/Gitolite/Conf/Load.pm; support.atlassian.com,
/// "Access denied via a deployment key"; learn.microsoft.com, "TF401027".
const MAY_NOT_WRITE: [&str; 16] = [
    "marked as read only",
    "is read-only",
    "deploy key",
    "write access",
    "permission denied",
    "permission to ",
    "not allowed to push",
    "not allowed to upload",
    "not authorized",
    "unauthorized",
    "access denied",
    "forbidden",
    "denied by",
    "tf401027",
    "you need the git",
    "prohibited by gerrit",
];

/// Which attempt was made.
pub(super) struct Case {
    /// The address as it may be shown.
    pub(super) url: String,
    /// The label of the login.
    pub(super) credential: String,
    /// What was wanted.
    pub(super) service: Service,
}

/// What it means that `ssh` ended so; `None`: all went well.
pub(super) fn judge(case: &Case, status: ExitStatus, words: &str) -> Option<GitError> {
    if status.success() {
        return None;
    }
    let says = |known: &[&str]| known.iter().any(|known| words.contains(known));
    let is_own = status.code() == Some(OWN_TROUBLE);
    let (url, credential) = (case.url.clone(), case.credential.clone());
    if is_own && says(&HOST_KEY) {
        let changed = says(&CHANGED);
        return Some(GitError::HostKey { url, credential, changed, server: words.to_owned() });
    }
    if is_own && says(&DENIED) {
        return Some(denied(case, Refusal::Key, words));
    }
    if is_own {
        return Some(GitError::Unreachable { url, message: last_line(words).to_owned() });
    }
    let lower = words.to_lowercase();
    if NOT_FOUND.iter().any(|known| lower.contains(known)) {
        return Some(GitError::NotFound { url, credential });
    }
    if words.is_empty() {
        return None;
    }
    // Let in, and refused: a key that may only read. Whatever else keeps the program from serving is its server's trouble.
    if case.service == Service::Receive && MAY_NOT_WRITE.iter().any(|known| lower.contains(known)) {
        return Some(denied(case, Refusal::Right, words));
    }
    Some(GitError::BadAnswer { url, message: last_line(words).to_owned() })
}

fn denied(case: &Case, refusal: Refusal, words: &str) -> GitError {
    GitError::AuthDenied {
        url: case.url.clone(),
        attempts: vec![Attempt { credential: case.credential.clone(), refusal }],
        server: words.to_owned(),
        writing: refusal == Refusal::Right,
    }
}

/// The last line that says something; the ones before are mostly what led to it.
fn last_line(words: &str) -> &str {
    words.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("ssh ended without a word")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use rstest::rstest;

    use super::*;
    use crate::problem::Code;

    fn code(service: Service, status: i32, words: &str) -> Option<Code> {
        let case = Case { url: "ssh://git@h/p".to_owned(), credential: "system ssh".to_owned(), service };
        judge(&case, ExitStatus::from_raw(status << 8), words).map(|error| error.code())
    }

    #[rstest]
    #[case(
        255,
        "No ED25519 host key is known for [h]:22 and you have requested strict checking.\nHost key verification failed.",
        Code::GitHostKey
    )]
    #[case(255, "git@h: Permission denied (publickey).", Code::GitAuthDenied)]
    #[case(
        255,
        "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures",
        Code::GitAuthDenied
    )]
    #[case(255, "ssh: Could not resolve hostname h: Name or service not known", Code::Unreachable)]
    #[case(1, "ERROR: Repository not found.", Code::GitNotFound)]
    #[case(128, "fatal: '/srv/x.git' does not appear to be a git repository", Code::GitNotFound)]
    #[case(
        1,
        "remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.",
        Code::GitNotFound
    )]
    #[case(1, "Gitea: Cannot find repository: ops/x", Code::GitNotFound)]
    #[case(
        1,
        "ERROR: The key you are authenticating with has been marked as read only.",
        Code::GitAuthDenied
    )]
    #[case(
        1,
        "remote: ERROR: This deploy key does not have write access to this project.",
        Code::GitAuthDenied
    )]
    #[case(1, "ERROR: Permission to acme/fleet.git denied to rita.", Code::GitAuthDenied)]
    #[case(
        1,
        "Forgejo: User: 3:rita with Key: 7:laptop is not authorized to write to ops/fleet.",
        Code::GitAuthDenied
    )]
    #[case(1, "FATAL: W any ops/fleet rita DENIED by fallthru", Code::GitAuthDenied)]
    #[case(
        1,
        "remote: TF401027: You need the Git 'GenericContribute' permission to perform this action.",
        Code::GitAuthDenied
    )]
    #[case(128, "fatal: unable to create temporary file: No space left on device", Code::BadAnswer)]
    #[case(127, "sh: 1: git-receive-pack: not found", Code::BadAnswer)]
    #[case(1, "remote: ERROR: GitLab is in maintenance; try again later.", Code::BadAnswer)]
    #[case(128, "fatal: Unable to create './HEAD.lock': Read-only file system", Code::BadAnswer)]
    #[case(1, "repository access denied. access via a deployment key is read-only.", Code::GitAuthDenied)]
    #[case(128, "fatal: the remote end hung up unexpectedly", Code::BadAnswer)]
    fn what_servers_say_has_a_code(#[case] status: i32, #[case] words: &str, #[case] expected: Code) {
        assert_eq!(code(Service::Receive, status, words), Some(expected));
    }

    #[test]
    fn a_server_that_ends_well_or_has_nothing_to_say_is_no_error() {
        assert_eq!(code(Service::Upload, 0, "Welcome to GitLab"), None);
        assert_eq!(code(Service::Upload, 128, ""), None);
    }
}
