//! Does git do it? Against repositories of the real git.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "support/git.rs"]
mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use supercargo::domain::commit::{CommitSpec, Content};
use supercargo::domain::object::Person;
use supercargo::domain::setrun;
use supercargo::git::{
    BareCache, Checkout, GitCredential, GitError, Progress, PushReport, RefUpdate, Refs, Remote, ls_remote,
};
use supercargo::problem::Code;
use support::{Bare, GitServer, PASSWORD, READER, WRITER, git};

const FILES: &[(&str, &str)] = &[
    ("apps/web.yaml", "image: web:1\n"),
    ("apps/run.sh", "#!/bin/sh\n"),
    ("deep/er/db.yaml", "image: db:1\n"),
    ("README.md", "# fleet\n"),
];

fn commit_spec(parent: &str, message: &str, files: &[(&str, &str)]) -> CommitSpec {
    let bot = Person { name: "fluxcdbot".to_owned(), email: "flux@example.com".to_owned() };
    let files =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec().into())).collect();
    let (author, committer, message) = (bot.clone(), bot, message.to_owned());
    CommitSpec {
        parent: Some(parent.to_owned()),
        author,
        committer,
        time: (1_763_805_600, 60),
        message,
        files,
    }
}

fn update(branch: &str, old: Option<&str>, new: &str) -> RefUpdate {
    RefUpdate::of_branch(branch, old.map(str::to_owned), new.to_owned())
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
fn what_a_remote_has_lost_with_a_branch_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let (_, commit) = land(&cache, &remote, "updates").unwrap();
    cache.fetch(&remote, heads).unwrap();
    git(&fleet.path, &["update-ref", "-d", "refs/heads/updates"]);
    git(&fleet.path, &["gc", "-q", "--prune=now"]);
    let (report, again) = land(&cache, &remote, "updates").unwrap();
    assert_eq!(again, commit);
    assert!(report.branches[0].created && report.branches[0].verified);
    assert_eq!(fleet.tip("updates"), Some(commit));
    fleet.assert_sound();
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
fn a_path_is_resolved_by_the_links_of_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    fleet.commit(
        "main",
        &[("link", "-> /deep"), ("deep/up", "-> ../../apps"), ("only/it", "-> nowhere")],
        "Links",
    );
    let refs = cache.fetch(&remote, heads).unwrap().refs;
    let main = refs.branch("main").unwrap();
    let resolved = |path: &str| {
        let found = cache.look(main, |entry| setrun::resolve(path, entry)).unwrap();
        found.map_err(|error| error.to_string())
    };
    for (path, expected) in [
        ("", ""),
        ("./link/er", "deep/er"),
        ("deep/up/web.yaml", "apps/web.yaml"),
        ("only", "only"),
        ("../../apps", "apps"),
    ] {
        assert_eq!(resolved(path).as_deref(), Ok(expected), "{path}");
    }
    let nothing = |path: &str| format!("walking path for files: lstat <workdir>/{path}: ");
    assert_eq!(resolved("only/it"), Err(nothing("only/nowhere") + "no such file or directory"));
    assert_eq!(resolved("README.md/x"), Err(nothing("README.md/x") + "not a directory"));
    let files = cache.read_tree(main, |_| true, |_, _| true).unwrap();
    assert!(files.iter().all(|file| !["link", "deep/up", "only/it"].contains(&file.path.as_str())));
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
fn contents_that_were_written_before_are_committed_by_their_ids() {
    let dir = tempfile::tempdir().unwrap();
    let (_fleet, cache, remote) = folder_remote(dir.path());
    let base = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let texts = [("apps/web.yaml", "image: web:2\n"), ("deep/er/db.yaml", "image: db:2\n"), ("new", "1")];
    let contents: Vec<Vec<u8>> = texts.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
    let mut objects = cache.new_objects().unwrap();
    let ids = objects.write(&contents).unwrap();
    let whole = commit_spec(&base, "Two", &texts);
    let files = texts.iter().zip(ids).map(|((path, _), id)| ((*path).to_owned(), Content::Blob(id)));
    let by_id = CommitSpec { files: files.collect(), ..whole.clone() };
    assert_eq!(objects.commit(&by_id, None).unwrap(), cache.commit(&whole).unwrap());
    let nowhere = ("apps/web.yaml".to_owned(), Content::Blob("1".repeat(40)));
    assert!(cache.commit(&CommitSpec { files: vec![nowhere], ..whole }).is_err(), "nothing has that id");
}

/// The files of a cache that hold objects, with their modes.
fn object_files(cache: &BareCache) -> Vec<(PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let folders = std::fs::read_dir(cache.dir().join("objects")).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let files = files.map(|file| {
        let file = file.unwrap();
        (file.path(), file.metadata().unwrap().permissions().mode() & 0o777)
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

#[test]
fn a_commit_comes_as_one_pack_that_git_finds_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    let base = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let before = object_files(&cache);
    // Names that Git sorts otherwise than their bytes, and more files than one thread takes.
    let mut files: Vec<(String, String)> =
        ["a/x", "a.b/x", "a-b/x", "a0", "a-b.c"].map(|path| (path.to_owned(), path.to_owned())).into();
    files.extend((0..600).map(|n| (format!("many/{}/{n}.yaml", n % 7), format!("n: {}\n", n / 2))));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let spec = commit_spec(&base, "Many\n", &files);
    let commit = cache.commit(&spec).unwrap();
    let new: Vec<_> = object_files(&cache).into_iter().filter(|file| !before.contains(file)).collect();
    let endings: Vec<_> = new.iter().map(|(path, _)| path.extension().unwrap().to_str().unwrap()).collect();
    assert_eq!(endings, ["idx", "pack"]);
    assert!(new.iter().all(|(_, mode)| *mode == 0o600), "{new:?}");
    git(cache.dir(), &["fsck", "--strict", "--full"]);
    assert_eq!(cache.commit(&spec).unwrap(), commit);
    assert_eq!(object_files(&cache).len(), before.len() + 2, "what is there is not written again");
    cache.push(&remote, &[update("many", None, &commit)], &[]).unwrap();
    let read = |path: &str| git(&fleet.path, &["show", &format!("many:{path}")]);
    assert!(files.iter().step_by(97).all(|(path, text)| read(path) == text.trim_end()));
    fleet.assert_sound();
}

#[test]
fn what_no_commit_is_made_of_is_in_no_cache() {
    let dir = tempfile::tempdir().unwrap();
    let (_fleet, cache, remote) = folder_remote(dir.path());
    let base = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let before = object_files(&cache);
    let mut objects = cache.new_objects().unwrap();
    objects.write(&[b"image: web:2\n".to_vec()]).unwrap();
    drop(objects);
    for path in ["apps/web.yaml/below", "apps", "README.md/x"] {
        let refused = cache.commit(&commit_spec(&base, "x", &[("apps/db.yaml", "db: 2\n"), (path, "1")]));
        assert!(matches!(&refused, Err(GitError::Commit { path: odd, .. }) if odd == path), "{refused:?}");
    }
    assert_eq!(object_files(&cache), before);
    let beside = std::fs::read_dir(cache.dir().parent().unwrap()).unwrap().count();
    assert_eq!(beside, 2, "the cache and its lock");
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

/// Pushes a branch of ours that stands on `main`, with a commit whose name sorts before that of `main`.
fn push_review(cache: &BareCache, remote: &Remote) {
    let main = cache.fetch(remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let commit = |n: u32| {
        let spec = commit_spec(&main, &format!("Update web {n}\n"), &[("apps/web.yaml", "image: web:2\n")]);
        cache.commit(&spec).unwrap()
    };
    let review = (0..1000).map(commit).find(|review| *review < main).unwrap();
    cache.push(remote, &[update("review", None, &review)], &[]).unwrap();
    cache.fetch(remote, heads).unwrap();
}

#[test]
fn a_server_may_know_a_commit_and_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    push_review(&cache, &remote);
    let tip = fleet.commit("main", &[("apps/web.yaml", "image: web:9\n")], "by a colleague");
    assert_eq!(cache.fetch(&remote, heads).unwrap().refs.branch("main"), Some(tip.as_str()));
}

#[test]
fn a_server_may_know_a_commit_and_its_parent_over_http_too() {
    let Some(it) = http(false, WRITER) else { return };
    push_review(&it.cache, &it.remote);
    let tip = it.fleet.commit("main", &[("apps/web.yaml", "image: web:9\n")], "by a colleague");
    assert_eq!(it.cache.fetch(&it.remote, heads).unwrap().refs.branch("main"), Some(tip.as_str()));
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

/// A repository on a real HTTP server, and a remote that logs in as `user`.
struct Http {
    server: GitServer,
    fleet: Bare,
    cache: BareCache,
    remote: Remote,
    _dir: tempfile::TempDir,
}

fn login(label: &str, user: &str, password: &str) -> GitCredential {
    GitCredential::basic(label, user, password.to_owned().into())
}

fn http(tls: bool, user: &str) -> Option<Http> {
    let server = GitServer::start(tls)?;
    let fleet = server.create("fleet", FILES);
    let dir = tempfile::tempdir().unwrap();
    let mut remote = Remote::new(server.repository("fleet"));
    remote.credentials = vec![login("secret flux-system/fleet", user, PASSWORD)];
    if tls {
        remote.ca_files = vec![server.ca()];
    }
    let cache = BareCache::open(dir.path(), &remote.url).unwrap();
    Some(Http { server, fleet, cache, remote, _dir: dir })
}

#[test]
fn a_commit_lands_over_http_from_a_shallow_cache() {
    let Some(it) = http(false, WRITER) else { return };
    let base = it.fleet.commit("main", &[("history.yaml", "a: 1\n")], "More history");
    let (report, commit) = land(&it.cache, &it.remote, "main").unwrap();
    assert!(report.branches[0].verified, "{report:?}");
    assert_eq!(report.credential, "secret flux-system/fleet");
    assert_eq!(it.fleet.tip("main").as_deref(), Some(commit.as_str()));
    assert_eq!(git(&it.fleet.path, &["diff", "--name-only", &base, &commit]), "apps/web.yaml");
    it.fleet.assert_sound();
    // The parent's parent never came here.
    let shallow = std::fs::read_to_string(it.cache.dir().join("shallow")).unwrap();
    assert_eq!(shallow.trim(), base);
}

#[test]
fn a_second_fetch_of_the_same_commit_asks_once() {
    let Some(it) = http(false, WRITER) else { return };
    it.cache.fetch(&it.remote, heads).unwrap();
    let before = it.server.log().lines().count();
    it.cache.fetch(&it.remote, heads).unwrap();
    assert_eq!(it.server.log().lines().count(), before + 1, "{}", it.server.log());
}

#[test]
fn a_commit_that_no_branch_is_at_is_fetched_by_its_id() {
    let Some(it) = http(false, WRITER) else { return };
    let old = it.fleet.tip("main").unwrap();
    it.fleet.commit("main", &[("apps/web.yaml", "image: web:2\n")], "Next");
    it.cache.fetch(&it.remote, |_| vec![old.clone()]).unwrap();
    let files = it.cache.read_files(&old, &["nothing.yaml", "apps/web.yaml"]).unwrap();
    assert_eq!(
        files.iter().map(|file| (file.path.as_str(), &file.bytes[..])).collect::<Vec<_>>(),
        [("apps/web.yaml", &b"image: web:1\n"[..])]
    );
}

#[test]
fn a_shallow_cache_follows_the_branch() {
    let Some(it) = http(false, WRITER) else { return };
    it.cache.fetch(&it.remote, heads).unwrap();
    for round in 0..3 {
        it.fleet.commit("main", &[("x.yaml", &format!("x: {round}\n"))], "Next");
        let (report, commit) = {
            let fetched = it.cache.fetch(&it.remote, heads).unwrap();
            let tip = fetched.refs.branch("main").unwrap().to_owned();
            let text = format!("image: web:r{round}\n");
            let commit = it.cache.commit(&commit_spec(&tip, "n", &[("apps/web.yaml", &text)])).unwrap();
            (it.cache.push(&it.remote, &[update("main", Some(&tip), &commit)], &[]).unwrap(), commit)
        };
        assert!(report.branches[0].verified);
        assert_eq!(it.fleet.tip("main"), Some(commit));
    }
    it.fleet.assert_sound();
}

#[test]
fn a_new_branch_is_made_over_tls() {
    let Some(it) = http(true, WRITER) else { return };
    let (report, commit) = land(&it.cache, &it.remote, "image-updates").unwrap();
    assert!(report.branches[0].created && report.branches[0].verified);
    assert_eq!(it.fleet.tip("image-updates"), Some(commit));
}

#[test]
fn an_unknown_authority_is_refused() {
    let Some(mut it) = http(true, WRITER) else { return };
    it.remote.ca_files.clear();
    let error = ls_remote(&it.remote).unwrap_err();
    assert!(
        matches!(&error, GitError::Tls { message, .. } if message.contains("unknown authority")),
        "{error:?}"
    );
}

#[test]
fn nothing_to_log_in_with_is_its_own_error() {
    let Some(mut it) = http(false, WRITER) else { return };
    it.remote.credentials.clear();
    let error = it.cache.fetch(&it.remote, heads).unwrap_err();
    assert_eq!(error.code(), Code::GitAuthRequired);
    let hint = error.problem("x").hint.unwrap();
    assert!(hint.contains("supercargo create secret git") && hint.contains("--git-password-stdin"), "{hint}");
}

#[test]
fn a_refused_credential_is_named_and_the_next_one_tried() {
    let Some(mut it) = http(false, WRITER) else { return };
    let good = it.remote.credentials.remove(0);
    it.remote.credentials = vec![login("flags", WRITER, "wrong")];
    let error = ls_remote(&it.remote).unwrap_err();
    assert_eq!(error.code(), Code::GitAuthDenied);
    assert!(error.to_string().ends_with("refused the login of `--git-username` (401)"), "{error}");
    it.remote.credentials.push(good);
    assert_eq!(ls_remote(&it.remote).unwrap().1, "secret flux-system/fleet, after flags (401)");
}

#[test]
fn a_login_that_may_only_read_is_denied_the_push() {
    let Some(it) = http(false, READER) else { return };
    let error = land(&it.cache, &it.remote, "main").unwrap_err();
    assert_eq!(error.code(), Code::GitAuthDenied);
    assert!(error.to_string().contains("secret flux-system/fleet (403)"), "{error}");
    assert!(error.hint().unwrap().contains("write access"), "{error:?}");
}

#[test]
fn a_repository_that_is_not_there_is_not_found() {
    let Some(mut it) = http(false, WRITER) else { return };
    it.remote.url = it.server.repository("absent");
    assert_eq!(ls_remote(&it.remote).unwrap_err().code(), Code::GitNotFound);
}

#[test]
fn a_protected_branch_is_rejected_with_the_servers_words() {
    let Some(it) = http(false, WRITER) else { return };
    it.fleet.configure("hooks.protected", "main");
    let error = land(&it.cache, &it.remote, "main").unwrap_err();
    assert_eq!(error.code(), Code::GitRejected);
    let GitError::Rejected { reason, server, .. } = &error else { unreachable!() };
    assert!(reason.contains("declined"), "{reason}");
    assert!(server.contains("GH006: Protected branch update failed for refs/heads/main"), "{server}");
    it.fleet.assert_sound();
}

#[test]
fn a_branch_that_moves_during_the_push_is_a_race() {
    let Some(it) = http(false, WRITER) else { return };
    it.fleet.configure("hooks.delay", "1");
    let (fleet, cache, remote) = (&it.fleet, &it.cache, &it.remote);
    let error = std::thread::scope(|scope| {
        let pushing = scope.spawn(|| land(cache, remote, "main").unwrap_err());
        // Past the hooks, while ours sleeps in one.
        let until = Instant::now() + Duration::from_secs(20);
        while !it.server.log().contains("info/refs?service=git-receive-pack") && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        fleet.commit("main", &[("x.yaml", "x: 1\n")], "Faster");
        pushing.join().unwrap()
    });
    assert_eq!(error.code(), Code::GitRace, "{error:?}");
    assert_eq!(git(&fleet.path, &["log", "-1", "--format=%s", "main"]), "Faster");
    fleet.assert_sound();
}

#[test]
fn a_slow_push_is_waited_for_within_its_limit() {
    let Some(mut it) = http(false, WRITER) else { return };
    it.fleet.configure("hooks.delay", "2");
    let (report, _) = land(&it.cache, &it.remote, "one").unwrap();
    assert!(report.branches[0].verified);
    it.remote.timeouts.idle = Duration::from_millis(500);
    let spec = commit_spec(&it.fleet.tip("main").unwrap(), "slow", &[("s.yaml", "s: 1\n")]);
    let commit = it.cache.commit(&spec).unwrap();
    let error = it.cache.push(&it.remote, &[update("two", None, &commit)], &[]).unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error:?}");
    // The remote was asked and does not have it; its hook sleeps on.
    assert!(matches!(&error, GitError::Unseen(_)), "{error:?}");
    assert!(error.to_string().ends_with("whether the push landed, or still will, is not known"), "{error}");
}

#[test]
fn a_dry_run_logs_in_for_writing_and_sends_nothing() {
    let Some(it) = http(false, WRITER) else { return };
    let tip = it.cache.fetch(&it.remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let commit = it.cache.commit(&commit_spec(&tip, "dry", &[("s.yaml", "s: 1\n")])).unwrap();
    let report = it.cache.push_dry_run(&it.remote, &[update("main", Some(&tip), &commit)]).unwrap();
    assert!(!report.branches[0].verified && report.credential == "secret flux-system/fleet");
    assert!(!it.server.log().contains("POST /fleet.git/git-receive-pack"));
    assert_eq!(it.fleet.tip("main"), Some(tip));
}

#[test]
fn push_options_are_sent_only_where_they_are_taken() {
    let Some(it) = http(false, WRITER) else { return };
    let tip = it.cache.fetch(&it.remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    let options = ["merge_request.create".to_owned()];
    for (branch, taken) in [("one", false), ("two", true)] {
        git(&it.fleet.path, &["config", "receive.advertisePushOptions", &taken.to_string()]);
        let commit = it.cache.commit(&commit_spec(&tip, branch, &[("s.yaml", "s: 1\n")])).unwrap();
        let report = it.cache.push(&it.remote, &[update(branch, None, &commit)], &options).unwrap();
        assert_eq!(report.options_dropped, !taken);
        assert_eq!(it.fleet.tip(branch), Some(commit));
    }
}

#[test]
fn a_push_of_many_megabytes_is_streamed() {
    let Some(it) = http(false, WRITER) else { return };
    let tip = it.cache.fetch(&it.remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
    // Digits of a counter's hash compress to half at best.
    let noise: String = (0..120_000_u64)
        .flat_map(|n| [n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string(), "\n".to_owned()])
        .collect();
    let commit = it.cache.commit(&commit_spec(&tip, "large", &[("noise.yaml", &noise)])).unwrap();
    let report = it.cache.push(&it.remote, &[update("large", None, &commit)], &[]).unwrap();
    assert!(report.branches[0].verified);
    it.fleet.assert_sound();
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut remote = Remote::new(format!("http://{}/fleet.git", silent.local_addr().unwrap()));
    remote.timeouts.idle = Duration::from_millis(300);
    let started = Instant::now();
    let error = ls_remote(&remote).unwrap_err();
    assert_eq!(error.code(), Code::Timeout, "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_port_where_nobody_listens_is_unreachable() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = ls_remote(&Remote::new(format!("http://bot:hidden@127.0.0.1:{port}/fleet.git"))).unwrap_err();
    assert_eq!(error.code(), Code::Unreachable, "{error:?}");
    assert!(error.to_string().contains("refused") && !error.to_string().contains("hidden"), "{error}");
}

/// Not a test of its own: the process that [`a_push_that_is_killed_leaves_the_remote_whole_and_lands_once`] kills.
#[test]
#[ignore = "started by another test"]
fn child_that_pushes() {
    let (Ok(url), Ok(dir)) = (std::env::var("PUSH_URL"), std::env::var("PUSH_DIR")) else { return };
    let mut remote = Remote::new(url);
    remote.credentials = vec![login("flags", WRITER, PASSWORD)];
    let cache = BareCache::open(Path::new(&dir), &remote.url).unwrap();
    land(&cache, &remote, "main").unwrap();
}

#[test]
fn a_push_that_is_killed_leaves_the_remote_whole_and_lands_once() {
    let Some(it) = http(false, WRITER) else { return };
    it.fleet.configure("hooks.delay", "1");
    let origin = it.fleet.tip("main").unwrap();
    let cache_dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_pushes", "--ignored"])
        .env("PUSH_URL", &it.remote.url)
        .env("PUSH_DIR", cache_dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !it.server.log().contains("service=git-receive-pack") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The pack is on its way, or the hook sleeps on it.
    std::thread::sleep(Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    it.fleet.assert_sound();
    // The same plan again, on the cache that the killed process left.
    let cache = BareCache::open(cache_dir.path(), &it.remote.url).unwrap();
    let fetched = cache.fetch(&it.remote, heads).unwrap();
    let spec = commit_spec(&origin, "Update web\n", &[("apps/web.yaml", "image: web:2\n")]);
    let commit = cache.commit(&spec).unwrap();
    let report = cache.push(&it.remote, &[update("main", Some(&origin), &commit)], &[]).unwrap();
    assert!(report.branches[0].verified, "{report:?} {fetched:?}");
    assert_eq!(git(&it.fleet.path, &["rev-list", "--count", &format!("{origin}..main")]), "1");
    it.fleet.assert_sound();
}

#[test]
fn instances_that_fetch_and_commit_at_once_do_not_disturb_each_other() {
    let Some(it) = http(false, WRITER) else { return };
    let branches = ["a", "b", "c", "d"];
    std::thread::scope(|scope| {
        for branch in branches {
            let (cache, remote) = (it.cache.clone(), it.remote.clone());
            scope.spawn(move || {
                let tip = cache.fetch(&remote, heads).unwrap().refs.branch("main").unwrap().to_owned();
                let spec = commit_spec(&tip, branch, &[("apps/web.yaml", branch)]);
                let commit = cache.commit(&spec).unwrap();
                let report = cache.push(&remote, &[update(branch, None, &commit)], &[]).unwrap();
                assert!(report.branches[0].verified);
            });
        }
    });
    assert!(branches.iter().all(|branch| it.fleet.tip(branch).is_some()));
    it.fleet.assert_sound();
}

#[test]
fn history_is_never_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    git(&fleet.path, &["config", "receive.denyNonFastForwards", "false"]);
    let first = fleet.tip("main").unwrap();
    let second = fleet.commit("main", &[("x.yaml", "x: 1\n")], "Second");
    cache.fetch(&remote, heads).unwrap();
    for from in [&first, &second] {
        // On the first commit, while the branch is said to be at the second: a rewind.
        let spec = commit_spec(from, "x", &[("apps/web.yaml", "image: web:2\n")]);
        let Ok(ours) = cache.commit(&spec) else { continue };
        let pushed = cache.push(&remote, &[update("main", Some(&second), &ours)], &[]);
        assert_eq!(pushed.is_ok(), from == &second, "{pushed:?}");
    }
    assert_eq!(git(&fleet.path, &["rev-list", "--count", &format!("{second}..main")]), "1");
}

#[test]
fn a_folder_with_a_hook_is_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let (fleet, cache, remote) = folder_remote(dir.path());
    fleet.configure("hooks.protected", "main");
    let error = land(&cache, &remote, "main").unwrap_err();
    assert_eq!(error.code(), Code::GitRejected, "{error:?}");
    assert!(error.problem("x").causes.iter().any(|line| line.contains("GH006")), "{error:?}");
}

#[test]
fn a_folder_that_is_no_repository_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let error = ls_remote(&Remote::new(dir.path().to_str().unwrap())).unwrap_err();
    assert_eq!(error.code(), Code::GitNotFound, "{error:?}");
}

#[test]
fn a_cancelled_operation_ends_at_once() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let remote = Remote::new(format!("http://{}/fleet.git", silent.local_addr().unwrap()));
    let cancel = remote.cancel.clone();
    let started = Instant::now();
    let error = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ls_remote(&remote).unwrap_err());
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
        asking.join().unwrap()
    });
    assert_eq!(error, GitError::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_push_can_be_stopped_until_its_commits_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let (_fleet, cache, mut remote) = folder_remote(dir.path());
    let cancel = remote.cancel.clone();
    remote.progress = Some(Arc::new(move |progress| {
        if matches!(progress, Progress::Sending { .. }) {
            cancel.cancel();
        }
    }));
    let (report, commit) = land(&cache, &remote, "main").unwrap();
    assert!(report.branches[0].verified, "what is being sent runs to its end");
    let spec = commit_spec(&commit, "Update db\n", &[("deep/er/db.yaml", "image: db:2\n")]);
    let next = cache.commit(&spec).unwrap();
    let stopped = cache.push(&remote, &[update("main", Some(&commit), &next)], &[]);
    assert_eq!(stopped.unwrap_err(), GitError::Cancelled);
    let (refs, _) = ls_remote(&Remote::new(remote.url.clone())).unwrap();
    assert_eq!(refs.branch("main"), Some(commit.as_str()));
}

#[test]
fn a_push_branch_knows_how_far_it_is_behind() {
    let Some(it) = http(false, WRITER) else { return };
    let (_, updates) = land(&it.cache, &it.remote, "updates").unwrap();
    let main = it.fleet.tip("main").unwrap();
    let behind = |remote: &Remote, main: &str| it.cache.distance(remote, main, &updates).unwrap().behind;
    assert_eq!(behind(&it.remote, &main), Some(0));
    for round in 0..3 {
        it.fleet.commit("main", &[("x.yaml", &format!("x: {round}\n"))], "On main");
    }
    let main = it.fleet.tip("main").unwrap();
    for can_filter in ["false", "true"] {
        git(&it.fleet.path, &["config", "uploadpack.allowFilter", can_filter]);
        assert_eq!(behind(&it.remote, &main), Some(3), "filter {can_filter}");
    }
    let folder = Remote::new(it.fleet.path.to_str().unwrap());
    assert_eq!(behind(&folder, &main), Some(3));
    // Nothing is put below the folder that a fetch may have alone just then: it works before there is one.
    let root = tempfile::tempdir().unwrap();
    let unmade = BareCache::open(root.path(), &it.remote.url).unwrap();
    assert_eq!(unmade.distance(&it.remote, &main, &updates).unwrap().behind, Some(3));
    assert_eq!(root.path().read_dir().unwrap().count(), 0, "and nothing is left");
}
