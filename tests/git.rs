//! Does git do it? Against repositories of the real git.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "support/git.rs"]
mod support;

use std::path::Path;

use supercargo::domain::commit::CommitSpec;
use supercargo::domain::object::Person;
use supercargo::git::{BareCache, Checkout, GitError, PushReport, RefUpdate, Refs, Remote, ls_remote};
use support::{Bare, git};

const FILES: &[(&str, &str)] = &[
    ("apps/web.yaml", "image: web:1\n"),
    ("apps/run.sh", "#!/bin/sh\n"),
    ("deep/er/db.yaml", "image: db:1\n"),
    ("README.md", "# fleet\n"),
];

fn commit_spec(parent: &str, message: &str, files: &[(&str, &str)]) -> CommitSpec {
    let bot = Person { name: "fluxcdbot".to_owned(), email: "flux@example.com".to_owned() };
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let (author, committer, message) = (bot.clone(), bot, message.to_owned());
    CommitSpec { parent: parent.to_owned(), author, committer, time: (1_763_805_600, 60), message, files }
}

fn update(branch: &str, old: Option<&str>, new: &str) -> RefUpdate {
    RefUpdate { branch: branch.to_owned(), old: old.map(str::to_owned), new: new.to_owned() }
}

fn heads(refs: &Refs) -> Vec<String> {
    refs.all.keys().filter(|name| name.starts_with("refs/heads/")).cloned().collect()
}

/// Fetches, commits one changed file on `main` and pushes it to `branch`.
fn land(cache: &BareCache, remote: &Remote, branch: &str) -> Result<(PushReport, String), GitError> {
    let fetched = cache.fetch(remote, heads)?;
    let main = fetched.refs.branch("main").unwrap().to_owned();
    let spec = commit_spec(&main, "Update web\n", &[("apps/web.yaml", "image: web:2\n")]);
    let commit = cache.commit(&spec)?;
    let report = cache.push(remote, &[update(branch, fetched.refs.branch(branch), &commit)], &[])?;
    Ok((report, commit))
}

fn folder_remote(dir: &Path) -> (Bare, BareCache, Remote) {
    let fleet = Bare::create(&dir.join("fleet.git"), FILES);
    let remote = Remote::new(format!("file://{}", fleet.path.display()));
    let cache = BareCache::open(&dir.join("cache"), &remote.url).unwrap();
    (fleet, cache, remote)
}

#[test]
fn a_commit_lands_on_a_folder_and_changes_only_the_given_files() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let base = fleet.tip("main").unwrap();
    let (report, commit) = land(&cache, &remote, "main").unwrap();
    assert!(report.branches[0].verified && !report.branches[0].already && !report.branches[0].created);
    assert_eq!(fleet.tip("main").as_deref(), Some(commit.as_str()));
    assert_eq!(git(&fleet.path, &["diff", "--name-status", &base, &commit]), "M\tapps/web.yaml");
    let format = "%an <%ae>|%cn|%aI|%B";
    assert_eq!(
        git(&fleet.path, &["log", "-1", &format!("--format={format}"), &commit]),
        "fluxcdbot <flux@example.com>|fluxcdbot|2025-11-22T11:00:00+01:00|Update web"
    );
    fleet.assert_sound();
}

#[test]
fn the_same_commit_pushed_again_is_already_there() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let base = fleet.tip("main").unwrap();
    let (_, commit) = land(&cache, &remote, "main").unwrap();
    let spec = commit_spec(&base, "Update web\n", &[("apps/web.yaml", "image: web:2\n")]);
    assert_eq!(cache.commit(&spec).unwrap(), commit, "equal specifications are the same commit");
    let again = cache.push(&remote, &[update("main", Some(&base), &commit)], &[]).unwrap();
    assert!(again.branches[0].already && again.branches[0].verified);
}

#[test]
fn commits_stand_on_each_other_and_keep_modes() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let refs = cache.fetch(&remote, heads).unwrap().refs;
    let base = refs.branch("main").unwrap();
    let first = cache.commit(&commit_spec(base, "one", &[("apps/run.sh", "#!/bin/sh\ntrue\n")])).unwrap();
    let second = cache.commit(&commit_spec(&first, "two", &[("new/file.yaml", "a: 1\n")])).unwrap();
    let report = cache.push(&remote, &[update("updates", None, &second)], &["ci.skip=".to_owned()]).unwrap();
    assert!(report.branches[0].created && report.branches[0].verified);
    assert_eq!(git(&fleet.path, &["rev-list", "--count", "main..updates"]), "2");
    assert!(git(&fleet.path, &["ls-tree", "updates", "apps/run.sh"]).starts_with("100755"));
    assert_eq!(fleet.tip("main").as_deref(), Some(base));
    fleet.assert_sound();
}

#[test]
fn files_are_read_from_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (_bare, cache, remote) = folder_remote(dir.path());
    let refs = cache.fetch(&remote, heads).unwrap().refs;
    let main = refs.branch("main").unwrap();
    let is_yaml = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "yaml");
    let files = cache.read_tree(main, is_yaml, |_, bytes| bytes.starts_with(b"image: ")).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["apps/web.yaml", "deep/er/db.yaml"]);
    assert_eq!(cache.read_file(main, "README.md").unwrap().unwrap().bytes, b"# fleet\n");
    assert!(cache.read_file(main, "absent").unwrap().is_none());
}

#[test]
fn a_commit_without_a_change_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let (_bare, cache, remote) = folder_remote(dir.path());
    let refs = cache.fetch(&remote, heads).unwrap().refs;
    let spec = commit_spec(refs.branch("main").unwrap(), "x", &[("apps/web.yaml", "image: web:1\n")]);
    assert_eq!(cache.commit(&spec), Err(GitError::NoChange));
}

#[test]
fn a_colleague_who_was_faster_is_a_race() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let base = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let theirs = fleet.commit("main", &[("x.yaml", "x: 1\n")], "Faster");
    let ours = cache.commit(&commit_spec(&base, "x", &[("apps/web.yaml", "image: web:2\n")])).unwrap();
    let error = cache.push(&remote, &[update("main", Some(&base), &ours)], &[]).unwrap_err();
    assert!(matches!(&error, GitError::Race { found: Some(found), .. } if *found == theirs), "{error:?}");
    assert_eq!(fleet.tip("main"), Some(theirs));
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (_bare, cache, remote) = folder_remote(dir.path());
    let main = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    std::fs::remove_dir_all(cache.dir().join("objects")).unwrap();
    std::fs::write(cache.dir().join("HEAD"), "nonsense").unwrap();
    assert!(!cache.has(&main));
    cache.fetch(&remote, heads).unwrap();
    assert!(cache.has(&main));
}

#[test]
fn a_checkout_tells_its_remotes_and_upstream_and_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, ..) = folder_remote(dir.path());
    let clone = dir.path().join("work");
    git(dir.path(), &["clone", "-q", fleet.path.to_str().unwrap(), clone.to_str().unwrap()]);
    let checkout = Checkout::discover(&clone.join("apps")).unwrap().unwrap();
    assert_eq!(checkout.root.canonicalize().unwrap(), clone.canonicalize().unwrap());
    assert_eq!(checkout.head, fleet.tip("main"));
    assert_eq!(checkout.upstream.as_ref().unwrap().branch, "main");
    assert_eq!(checkout.remote_like(&format!("file://{}", fleet.path.display())).unwrap().0, "origin");
    assert_eq!(git(&clone, &["status", "--porcelain"]), "");
    assert!(Checkout::discover(dir.path()).unwrap().is_none());
}

#[test]
fn a_folder_that_is_not_there_is_not_found() {
    let error = ls_remote(&Remote::new("file:///nowhere/at/all.git")).unwrap_err();
    assert!(matches!(error, GitError::NotFound { .. }), "{error:?}");
}
