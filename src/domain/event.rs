//! What is written down for those who ask later: who did what, when, where, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is written down of a commit that is about to be pushed.
pub fn pushing(commit: &str, branch: &str, remote: &str) -> String {
    format!("pushing {commit} to {branch} of {remote}")
}

/// What is written down of a commit that was pushed.
pub fn pushed(commit: &str, branch: &str, remote: &str) -> String {
    format!("pushed {commit} to {branch} of {remote}")
}

/// What is written down of a branch that was merged into another.
pub fn merged(commit: &str, from: &str, into: &str, remote: &str) -> String {
    format!("merged {from} into {into} of {remote}: {commit}")
}

/// One thing that was done. Its texts must hold no secret; whoever builds it sees to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What: `scan`, `decide`, `hold`, `fetch`, `push`, `request` or `object`.
    pub event: String,
    /// What it was done to.
    pub subject: String,
    /// In a sentence.
    pub detail: String,
    /// `ok`, `warn` or `error`.
    pub result: String,
    /// The mode it was done in.
    pub mode: String,
    /// The plan's id, where there is one.
    pub plan: Option<String>,
    /// Who did it.
    pub user: String,
    /// On which machine.
    pub host: String,
}

impl Event {
    /// The remote and the commit (or several, as `A..B`) that were pushed or merged, if that is what it is about; as [`pushed`] and [`merged`] have
    /// them.
    pub fn pushed(&self) -> Option<(&str, &str)> {
        let detail = Some(self.detail.as_str()).filter(|_| self.event == "push" && self.result == "ok")?;
        // No branch has a blank in its name.
        let (remote, commit) = if let Some(merged) = detail.strip_prefix("merged ") {
            merged.split_once(" of ")?.1.rsplit_once(": ")?
        } else {
            let (commit, place) = detail.strip_prefix("pushed ")?.split_once(" to ")?;
            (place.split_once(" of ")?.1, commit)
        };
        let is_id = |id: &str| id.len() >= 7 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_commit = commit.splitn(2, "..").all(is_id);
        is_commit.then_some((remote, commit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_was_pushed_is_found_in_what_was_written_down_of_it() {
        let event = |event: &str, detail: String, result: &str| Event {
            time: Timestamp::UNIX_EPOCH,
            event: event.to_owned(),
            subject: "shop/apps".to_owned(),
            detail,
            result: result.to_owned(),
            mode: "write".to_owned(),
            plan: None,
            user: "rita".to_owned(),
            host: "bastion".to_owned(),
        };
        let done = pushed("8d2e91b", "to/of", "https://git.example.com/a to b of c");
        assert_eq!(
            event("push", done.clone(), "ok").pushed(),
            Some(("https://git.example.com/a to b of c", "8d2e91b"))
        );
        let joined = merged("b7f2712", "updates", "main", "https://git.example.com/a of b: c");
        assert_eq!(
            event("push", joined.clone(), "ok").pushed(),
            Some(("https://git.example.com/a of b: c", "b7f2712"))
        );
        let moved = merged("4c1f0e2..b7f2712", "updates", "main", "https://git.example.com/a");
        assert_eq!(
            event("push", moved, "ok").pushed(),
            Some(("https://git.example.com/a", "4c1f0e2..b7f2712"))
        );
        let none = [
            event("push", joined, "error"),
            event("push", "updates into main of x was merged already".to_owned(), "ok"),
            event("push", "would merge updates into main of x: b7f2712".to_owned(), "ok"),
            event("push", done.clone(), "error"),
            event("scan", done, "ok"),
            event("push", "would push 8d2e91b to main of x".to_owned(), "ok"),
            event("push", pushing("8d2e91b", "main", "x"), "ok"),
            event("push", pushed("nothing", "main", "x"), "ok"),
            event("push", "8d2e91b was on main of x already".to_owned(), "ok"),
        ];
        assert!(none.iter().all(|event| event.pushed().is_none()));
    }
}
