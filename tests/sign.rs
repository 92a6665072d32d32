//! Who commits, with which trailers and whose signature; and what a commit leaves as it was. git itself is asked.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod desk;
    pub mod git;
    pub mod pty;
}

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use support::desk::Desk;
use support::git::{git, git_command};
use support::pty::Pty;

/// Runs a program that makes keys.
fn make(desk: &Desk, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).env("GNUPGHOME", desk.path("gnupg")).current_dir(desk.path(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key of ssh in the file `key`; its passphrase may be empty.
fn ssh_key(desk: &Desk, kind: &str, passphrase: &str) {
    make(desk, "ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", "rita", "-f", "key"]);
    let public = std::fs::read_to_string(desk.path("key.pub")).unwrap();
    desk.write("signers", &format!("* {public}"));
}

/// A key of gpg for `rita@example.com`, in the folder `gnupg`; its passphrase may be empty.
fn gpg_key(desk: &Desk, passphrase: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(desk.path("gnupg")).unwrap();
    std::fs::set_permissions(desk.path("gnupg"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let batch = ["--batch", "--pinentry-mode=loopback", "--passphrase", passphrase];
    make(
        desk,
        "gpg",
        &[&batch[..], &["--quick-gen-key", "Rita <rita@example.com>", "ed25519", "sign"]].concat(),
    );
}

/// Ends what gpg left running in the folder `gnupg`.
fn end_agent(desk: &Desk) {
    make(desk, "gpgconf", &["--kill", "all"]);
}

fn configure(desk: &Desk, more: &str) {
    desk.write(".gitconfig", &format!("[user]\n\tname = Rita\n\temail = rita@example.com\n{more}"));
}

/// Whether git accepts the signature of a branch's tip.
fn is_signed(desk: &Desk, branch: &str) -> bool {
    let signers = format!("gpg.ssh.allowedSignersFile={}", desk.path("signers").display());
    let mut command = git_command(&desk.fleet.path);
    command.env("GNUPGHOME", desk.path("gnupg")).args(["-c", &signers, "verify-commit", branch]);
    command.output().unwrap().status.success()
}

/// Plans and pushes everything.
fn land(desk: &Desk) {
    desk.plan("plan.json", &["--all"]);
    desk.push(0, "plan.json", &[]);
    desk.fleet.assert_sound();
}

/// Gives the automation a signing key of its own, in a secret with these fields.
fn give_key(desk: &Desk, kind: &str, fields: &[(&str, &str)]) {
    let objects = std::fs::read_to_string(desk.path("objects/all.yaml")).unwrap();
    let key = format!("Update images, signingKey: {{type: {kind}, secretRef: {{name: signing}}}}");
    desk.write("objects/all.yaml", &objects.replace("Update images", &key));
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("  {name}: |\n    {}\n", value.trim_end().replace('\n', "\n    ")))
        .collect();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: signing, namespace: shop}}\nstringData:\n{}",
        fields.concat()
    );
    desk.write("objects/secret.yaml", &secret);
}

#[test]
fn the_operator_s_ssh_key_signs_as_git_is_told_and_the_same_plan_lands_once() {
    let desk = Desk::reviewing();
    // An ECDSA signature is another one each time.
    ssh_key(&desk, "ecdsa", "");
    let key = desk.path("key");
    configure(
        &desk,
        &format!("\tsigningkey = {}\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n", key.display()),
    );
    land(&desk);
    assert!(is_signed(&desk, "image-updates"));
    let again = desk.push(0, "plan.json", &[]);
    assert_eq!(again["results"][0]["already"], json!(true), "{again:#}");
    assert_eq!(git(&desk.fleet.path, &["rev-list", "--count", "main..image-updates"]), "1");
    // `never` leaves it out, merges are signed like everything else.
    let merge = [
        "merge",
        "image-updates",
        "--into",
        "main",
        "--no-ff",
        "--write",
        "--yes",
        "--confirm-branch",
        "main",
    ];
    desk.json(0, &merge);
    assert!(is_signed(&desk, "main"));
    desk.write(".config/supercargo/config.toml", "[commit]\nsign = \"never\"\n");
    desk.tags("web", &["1.2.0"]);
    land(&desk);
    assert!(!is_signed(&desk, "image-updates"));
}

#[test]
fn a_signed_plan_that_two_instances_land_at_once_lands_once() {
    let desk = Desk::reviewing();
    ssh_key(&desk, "ecdsa", "");
    let key = desk.path("key");
    configure(
        &desk,
        &format!("\tsigningkey = {}\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n", key.display()),
    );
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let arguments = ["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"];
    // Caches of their own, so that none waits for another.
    let push = |n: usize| {
        let mut command = desk.command(&arguments);
        command.env("XDG_CACHE_HOME", desk.path(&format!("cache{n}"))).spawn().unwrap()
    };
    let pushes: Vec<_> = (0..4).map(push).collect();
    for mut push in pushes {
        assert_eq!(push.wait().unwrap().code(), Some(0));
    }
    assert_eq!(git(&desk.fleet.path, &["rev-list", "--count", "main..image-updates"]), "1");
}

#[test]
fn the_operator_s_gpg_key_signs_and_is_found_by_the_committer() {
    let mut desk = Desk::reviewing();
    gpg_key(&desk, "");
    configure(&desk, "[commit]\n\tgpgsign = true\n");
    desk.environment.push(("GNUPGHOME".to_owned(), desk.path("gnupg").display().to_string()));
    land(&desk);
    assert!(is_signed(&desk, "image-updates"));
    end_agent(&desk);
}

#[test]
fn a_passphrase_is_never_asked_for_and_nothing_is_pushed_without_it() {
    let desk = Desk::reviewing();
    ssh_key(&desk, "ed25519", "secret");
    let key = desk.path("key");
    configure(
        &desk,
        &format!("\tsigningkey = {}\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n", key.display()),
    );
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.err.contains("could not be signed with the operator's ssh key") && ran.err.contains("ssh-add"),
        "{ran:?}"
    );
    let mut desk = desk;
    gpg_key(&desk, "secret");
    end_agent(&desk);
    configure(&desk, "[commit]\n\tgpgsign = true\n");
    desk.environment.push(("GNUPGHOME".to_owned(), desk.path("gnupg").display().to_string()));
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("hint: Unlock it first"), "{ran:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None);
    end_agent(&desk);
}

#[test]
fn a_program_that_does_not_end_is_ended_in_time_with_all_that_it_started_and_named() {
    let desk = Desk::reviewing();
    ssh_key(&desk, "ed25519", "");
    desk.plan("plan.json", &["--all"]);
    let program = desk.path("slow");
    let script =
        format!("#!/bin/sh\necho $$ > {0}\nsleep 300 & echo $! >> {0}\nwait\n", desk.path("pids").display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (key, program) = (desk.path("key"), program.display().to_string());
    let ssh = format!("[gpg \"ssh\"]\n\tprogram = {program}\n[gpg]\n\tformat = ssh\n");
    let ways = [
        format!("\tsigningkey = {}\n{ssh}", key.display()),
        format!("[gpg]\n\tprogram = {program}\n"),
        format!("[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tdefaultKeyCommand = {program}\n"),
    ];
    for way in ways {
        configure(&desk, &format!("{way}[commit]\n\tgpgsign = true\n"));
        let plan = desk.path("plan.json");
        let begun = std::time::Instant::now();
        let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes", "--timeout=1s"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let named = ran.err.contains(&program) || ran.err.contains("gpg.ssh.defaultKeyCommand");
        assert!(named && ran.err.contains("did not end within 1 s") && ran.err.contains("hint: "), "{ran:?}");
        for pid in std::fs::read_to_string(desk.path("pids")).unwrap().lines() {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "{way}: {state}");
        }
    }
    assert_eq!(desk.fleet.tip("image-updates"), None);
}

/// The dashboard on the plan `plan.json`, in which `:ssh unlock` is answered with the passphrase `secret` at `prompt`; then it is
/// pushed.
fn unlock_and_push(desk: &Desk, prompt: &str) {
    let (plan, objects, home) = (desk.path("plan.json"), desk.path("objects"), desk.path(""));
    let (gnupg, home) = (desk.path("gnupg"), home.to_str().unwrap());
    let arguments = ["review", plan.to_str().unwrap(), "-C", objects.to_str().unwrap(), "--write"];
    let variables = [
        ("HOME", home),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("USER", "rita"),
        ("GNUPGHOME", gnupg.to_str().unwrap()),
    ];
    let mut pty = Pty::start_with(100, 30, &arguments, &variables);
    pty.wait("shop/web").settle(Duration::from_secs(2));
    pty.press(":ssh unlock").wait("▌ ssh unlock").press("\r").wait(prompt);
    pty.settle(Duration::from_secs(1));
    pty.press("secret\r").wait("1 question answered").settle(Duration::from_secs(2));
    pty.press("p").wait("Push 1 commit?");
    // Keys in the first moments of a dialog are dropped.
    std::thread::sleep(Duration::from_millis(700));
    pty.press("y").wait("pushed 1 commit");
    assert!(is_signed(desk, "image-updates"));
}

#[test]
fn a_key_of_ssh_that_a_person_unlocks_on_the_terminal_signs_what_is_pushed_from_the_screen() {
    let desk = Desk::reviewing();
    ssh_key(&desk, "ed25519", "secret");
    let key = desk.path("key");
    configure(
        &desk,
        &format!("\tsigningkey = {}\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n", key.display()),
    );
    desk.plan("plan.json", &["--all"]);
    unlock_and_push(&desk, "Enter passphrase for");
}

#[test]
fn pinentry_gets_the_terminal_and_what_gpg_s_agent_was_told_signs_what_is_pushed_from_the_screen() {
    let desk = Desk::reviewing();
    gpg_key(&desk, "secret");
    desk.write("gnupg/gpg-agent.conf", "pinentry-program /usr/bin/pinentry-curses\n");
    end_agent(&desk);
    configure(&desk, "[commit]\n\tgpgsign = true\n");
    desk.plan("plan.json", &["--all"]);
    unlock_and_push(&desk, "Passphrase:");
    end_agent(&desk);
}

#[test]
fn an_automation_s_own_key_signs_where_the_operator_has_none() {
    let read = |desk: &Desk, name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    let desk = Desk::reviewing();
    ssh_key(&desk, "ed25519", "secret");
    give_key(&desk, "ssh", &[("identity", &read(&desk, "key")), ("password", "secret")]);
    land(&desk);
    assert!(is_signed(&desk, "image-updates"));
    for passphrase in ["", "secret"] {
        let mut desk = Desk::reviewing();
        gpg_key(&desk, passphrase);
        let given =
            ["--batch", "--pinentry-mode=loopback", "--passphrase", passphrase, "--armor", "-o", "key.asc"];
        make(&desk, "gpg", &[&given[..], &["--export-secret-keys"]].concat());
        let all = [("git.asc", &*read(&desk, "key.asc")), ("passphrase", passphrase)];
        give_key(&desk, "gpg", &all[..if passphrase.is_empty() { 1 } else { 2 }]);
        std::fs::create_dir(desk.path("tmp")).unwrap();
        desk.environment.push(("TMPDIR".to_owned(), desk.path("tmp").display().to_string()));
        land(&desk);
        assert!(is_signed(&desk, "image-updates"));
        assert_eq!(
            std::fs::read_dir(desk.path("tmp")).unwrap().count(),
            0,
            "nothing of the key is left behind"
        );
        end_agent(&desk);
    }
}

#[test]
fn a_key_that_cannot_be_used_stops_the_push_and_one_that_is_not_there_is_told_of() {
    let desk = Desk::reviewing();
    give_key(&desk, "gpg", &[("identity", "x")]);
    desk.plan("plan.json", &["--all"]);
    let plan = desk.path("plan.json");
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.err.contains("signing key secret 'shop/signing' does not contain a 'git.asc' key"),
        "{ran:?}"
    );
    // Where the secret was readable the plan promises the key: without it nothing is pushed.
    std::fs::remove_file(desk.path("objects/secret.yaml")).unwrap();
    let ran = desk.run(&["push", "--plan", plan.to_str().unwrap(), "--write", "--yes"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("secret shop/signing") && ran.err.contains("commit.gpgsign"), "{ran:?}");
    assert_eq!(desk.fleet.tip("image-updates"), None);
    let plan = desk.plan("plan.json", &["--all"]);
    let warnings = plan["groups"][0]["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["code"] == "secret_not_found"), "{warnings:?}");
    desk.push(0, "plan.json", &[]);
}

#[test]
fn author_committer_and_trailers_are_as_configured() {
    let mut desk = Desk::reviewing();
    let who =
        |desk: &Desk| git(&desk.fleet.path, &["log", "-1", "--format=%an|%cn <%ce>|%B", "image-updates"]);
    desk.write(".config/supercargo/config.toml", "[commit]\ntrailers = [\"Reviewed-by\"]\n");
    land(&desk);
    let trailer = "Update images\n\nReviewed-by: Rita <rita@example.com>";
    assert_eq!(who(&desk), format!("bot|Rita <rita@example.com>|{trailer}"));
    assert_eq!(desk.push(0, "plan.json", &[])["results"][0]["already"], json!(true));
    desk.write(".config/supercargo/config.toml", "[commit]\nauthor = \"operator\"\n");
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ann"),
        ("GIT_AUTHOR_EMAIL", "ann@example.com"),
        ("GIT_COMMITTER_NAME", "Carl"),
        ("GIT_COMMITTER_EMAIL", "carl@example.com"),
    ] {
        desk.environment.push((name.to_owned(), value.to_owned()));
    }
    desk.tags("web", &["1.3.0"]);
    land(&desk);
    assert_eq!(who(&desk), "Ann|Carl <carl@example.com>|Update images");
    desk.write(".config/supercargo/config.toml", "[commit]\ntrailers = [\"no key\"]\n");
    let refused = desk.run(&["plan", "--all"]);
    assert!(refused.code == Some(2) && refused.err.contains("config.toml:2:13: "), "{refused:?}");
}

#[test]
fn modes_links_submodules_pointers_and_attributes_stay_as_they_are() {
    let desk = Desk::new("");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let marked = support::desk::DB.replace("@REGISTRY@", &desk.registry);
    desk.fleet.commit(
        "main",
        &[
            ("link.yaml", "-> apps/web.yaml"),
            ("run.yaml", &format!("#!/usr/bin/env kubectl\n{marked}")),
            ("model.bin", pointer),
            (".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n*.yaml text eol=crlf\n"),
        ],
        "Odd files",
    );
    add_submodule(&desk.fleet.path);
    let before = git(&desk.fleet.path, &["ls-tree", "-r", "main"]);
    desk.plan("plan.json", &["--all"]);
    desk.push(0, "plan.json", &["--confirm-branch", "main"]);
    let after = git(&desk.fleet.path, &["ls-tree", "-r", "main"]);
    let mut changed = Vec::new();
    for (old, new) in before.lines().zip(after.lines()) {
        let parts = |line: &str| {
            let (head, path) = line.split_once('\t').unwrap();
            (head.split_at(11).0.to_owned(), path.to_owned())
        };
        assert_eq!(parts(old), parts(new), "modes and names");
        if old != new {
            changed.push(parts(new).1);
        }
    }
    assert_eq!(changed, ["apps/db.yaml", "apps/web.yaml", "run.yaml"]);
    desk.fleet.assert_sound();
}

/// Adds a submodule to `main`: a commit of another repository.
fn add_submodule(path: &Path) {
    let index = path.join("tmp-index");
    let run = |arguments: &[&str]| {
        let output = git_command(path).env("GIT_INDEX_FILE", &index).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["read-tree", "main"]);
    run(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,8d2e91b0123456789abcdef0123456789abcdef0,vendor/charts",
    ]);
    let tree = run(&["write-tree"]);
    let commit = run(&["commit-tree", &tree, "-p", "main", "-m", "Submodule"]);
    run(&["update-ref", "refs/heads/main", &commit]);
    std::fs::remove_file(index).unwrap();
}
