//! An operator with a docker configuration, helpers and objects of their own, and nothing of this machine's.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses a part of it; names say what they do"
)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What must never be seen, wherever it was put.
pub const SECRET: &str = "hunter2-of-the-helper";

pub struct Operator {
    pub folder: tempfile::TempDir,
    /// Whether the programs of this machine can be found.
    pub has_programs: bool,
    /// Further variables of the environment, each with a path below [`Self::folder`].
    pub environment: Vec<(&'static str, &'static str)>,
}

impl Operator {
    /// Helpers by name, each with what it does (a shell script that has the host on its standard input).
    pub fn new(configuration: &str, helpers: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home/.config/supercargo", "bin", "docker"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let operator = Self { folder, has_programs: true, environment: Vec::new() };
        operator.write("docker/config.json", configuration);
        for (name, does) in helpers {
            let program = format!("bin/docker-credential-{name}");
            operator.write(&program, &format!("#!/bin/sh\nread -r host\n{does}\n"));
            fs::set_permissions(operator.path(&program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        operator
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).unwrap();
    }

    /// Has `host` asked at `address` instead.
    pub fn ask_elsewhere(&self, host: &str, address: &str) {
        let text = format!("[registries.\"{host}\"]\nendpoint = \"http://{address}\"\n");
        self.write("home/.config/supercargo/config.toml", &text);
    }

    /// Writes an `ImageRepository` `edge/app` with these further fields.
    pub fn repository(&self, image: &str, fields: &str) {
        let text = format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: app, namespace: edge}}\n\
             spec: {{interval: 1m, image: \"{image}\"{fields}}}\n"
        );
        self.write("objects.yaml", &text);
    }

    /// The program, with traces.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.args(arguments).args(["--log-level", "trace"]);
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.path("home"));
        command.env("DOCKER_CONFIG", self.path("docker"));
        command.envs(self.environment.iter().map(|(name, below)| (name, self.path(below))));
        let programs = if self.has_programs { std::env::var("PATH").unwrap() } else { String::new() };
        command.env("PATH", format!("{}:{programs}", self.path("bin").display()));
        command
    }

    /// Runs the program, with traces; returns the exit status and all that was said.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let ran = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert!(!said.contains(SECRET), "{said}");
        assert_eq!(files_with(&self.path("home"), SECRET), Vec::<PathBuf>::new());
        (ran.status.code(), said)
    }

    /// Lists the tags of `image`.
    pub fn scan(&self, image: &str) -> (Option<i32>, String) {
        self.run(&["scan", "--image", image, "--timeout", "2s"])
    }
}

/// The files below `folder` in which `text` stands.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if memchr::memmem::find(&fs::read(&path).unwrap(), text.as_bytes()).is_some() {
            found.push(path);
        }
    }
    found
}
