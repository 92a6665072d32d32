//! The lab: a real registry, a real Git server that anyone may read and few may write to, an operator's checkout of
//! the Flux objects, and the program itself with a home of its own.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::git::{Bare, GitServer, git};
use super::registry::DockerRegistry;

#[path = "schema.rs"]
mod schema;

/// The manifest of the guide: one marked tag among things that a careless rewrite would touch.
pub const KUSTOMIZATION: &str = r#"apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
    - ../base     # four spaces, and "quotes" to keep
images:
- name: schoolofdevops/vote
  newTag: v8 # {"$imagepolicy": "flux-system:vote:tag"}
- name: redis
  newTag: '7.2'
"#;

/// A manifest that holds the whole image; `@REGISTRY@` stands for the lab's registry.
pub const DEPLOYMENT: &str = r#"---
apiVersion: apps/v1
kind: Deployment
metadata: {name: vote, namespace: instavote}
spec:
  template:
    spec:
      containers:
        - name: vote
          image: @REGISTRY@/vote:v8 # {"$imagepolicy": "flux-system:vote"}
"#;

/// Outside the automation's path: marked, and not to be touched.
pub const PRODUCTION: &str = "images:\n- newTag: v8 # {\"$imagepolicy\": \"flux-system:vote:tag\"}\n";

/// The tag that the guide's policy selects.
pub const NEWEST: &str = "main-e5d27a2c-1619063680";

/// What CI pushed before: the newest is neither the first nor the last by its bytes.
pub const TAGS: [&str; 6] = [
    "latest",
    "v8",
    "main-0fe1b2c3-1619060000",
    NEWEST,
    "main-f9ab1234-1619062000",
    "main-nothex-1719063680",
];

/// Everything that an operator has.
pub struct Lab {
    pub registry: DockerRegistry,
    pub server: GitServer,
    /// The remote of the manifests, on the server.
    pub instavote: Bare,
    /// Its address.
    pub url: String,
    /// Variables of the program's environment, beside its home.
    pub environment: Vec<(&'static str, String)>,
    home: TempDir,
}

impl Lab {
    /// Starts servers and fills them; `None`, said loudly, where they are not to be had.
    pub fn start() -> Option<Self> {
        Self::start_with(false)
    }

    /// The same with a Git server behind TLS, whose authority nobody knows.
    pub fn start_behind_tls() -> Option<Self> {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Option<Self> {
        let registry = DockerRegistry::start(None)?;
        let server = GitServer::start(tls)?;
        for tag in TAGS {
            registry.push("vote", tag);
        }
        let deployment = DEPLOYMENT.replace("@REGISTRY@", &registry.host);
        let files = [
            ("deploy/vote/staging/kustomization.yaml", KUSTOMIZATION),
            ("deploy/vote/staging/deployment.yaml", &*deployment),
            ("deploy/vote/production/kustomization.yaml", PRODUCTION),
            ("README.md", "instavote\n"),
        ];
        let instavote = server.create("public-instavote", &files);
        let url = server.repository("public-instavote");
        let home = tempfile::tempdir().unwrap();
        let lab = Self { registry, server, instavote, url, environment: Vec::new(), home };
        fs::create_dir_all(lab.fleet()).unwrap();
        git(&lab.path("fleet"), &["init", "-q", "."]);
        Some(lab)
    }

    /// A path in the operator's home.
    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// The folder that Flux reads its objects from, in the operator's checkout.
    pub fn fleet(&self) -> PathBuf {
        self.path("fleet/clusters/staging")
    }

    /// The command line, to be run in [`Self::fleet`] with nothing of this machine's own settings.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.current_dir(self.fleet()).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        for (variable, folder) in
            [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")]
        {
            command.env(variable, self.path(folder));
        }
        command.envs(self.environment.iter().cloned()).args(arguments);
        command
    }

    /// An image of the lab's registry.
    pub fn image(&self, tag: &str) -> String {
        format!("{}/vote:{tag}", self.registry.host)
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(arguments, &mut Command::from_std(self.command(arguments)))
    }

    /// Runs the program with a text on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        Ran::new(arguments, Command::from_std(self.command(arguments)).write_stdin(input))
    }

    /// Runs the program and reads the JSON it prints; fails the test unless it ends with `exit`.
    pub fn json(&self, exit: i32, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["-o", "json"]].concat()).expect(exit).json()
    }

    /// Follows the guide to a repository, a policy, a source and an automation that pushes to `branch`.
    pub fn automate(&self, branch: &str) {
        let image = format!("--image={}/vote", self.registry.host);
        self.run(&["create", "image", "repository", "vote", &image, "--interval=1m"]).expect(0);
        self.run(&POLICY).expect(0);
        let url = format!("--url={}", self.url);
        self.run(&["create", "source", "git", "instavote", &url, "--branch=main"]).expect(0);
        self.create_update(branch).expect(0);
    }

    /// The guide's automation, pushing to `branch`.
    pub fn create_update(&self, branch: &str) -> Ran {
        let push = format!("--push-branch={branch}");
        let mut arguments = UPDATE.to_vec();
        arguments.push(&push);
        self.run(&arguments)
    }

    /// Stores the login of `user` for the remote, as the refusal advises.
    pub fn log_in(&self, user: &str) -> Ran {
        let (url, username) = (format!("--url={}", self.url), format!("--username={user}"));
        let arguments = ["create", "secret", "git", "instavote", &url, &username, "--password-stdin"];
        self.run_with(&arguments, &format!("{}\n", super::git::PASSWORD))
    }

    /// Makes a plan of everything, as of now, in `plan.json`; returns it.
    pub fn plan(&self, more: &[&str]) -> Value {
        let arguments = [&["plan", "--all", "--refresh=always", "-o", "json"], more].concat();
        let ran = self.run(&arguments).expect(0);
        fs::write(self.plan_file(), &ran.out).unwrap();
        ran.json()
    }

    /// Where [`Self::plan`] leaves its plan.
    pub fn plan_file(&self) -> PathBuf {
        self.path("plan.json")
    }

    /// Pushes `plan.json` in earnest.
    pub fn push(&self, more: &[&str]) -> Ran {
        let file = self.plan_file();
        let push = ["push", "--plan", file.to_str().unwrap(), "--write", "--yes"];
        self.run(&[&push, more].concat())
    }
}

/// The guide's policy.
pub const POLICY: [&str; 8] = [
    "create",
    "image",
    "policy",
    "vote",
    "--image-ref=vote",
    "--select-numeric=asc",
    "--filter-regex=^main-[a-f0-9]+-(?P<ts>[0-9]+)",
    "--filter-extract=$ts",
];

/// The guide's automation, but for `--push-branch`.
pub const UPDATE: [&str; 10] = [
    "create",
    "image",
    "update",
    "instavote-all",
    "--git-repo-ref=instavote",
    "--git-repo-path=./deploy/vote/staging",
    "--checkout-branch=main",
    "--author-name=flux",
    "--author-email=flux@example.com",
    "--commit-template={{range .Updated.Images}}{{println .}}{{end}}",
];

/// What a run of the program left.
pub struct Ran {
    what: String,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn new(arguments: &[&str], command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            what: arguments.join(" "),
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The same; fails the test unless the exit status is this one.
    pub fn expect(self, exit: i32) -> Self {
        assert_eq!(self.code, Some(exit), "supercargo {}\n{}{}", self.what, self.out, self.err);
        self
    }

    /// Fails the test unless each of these texts is on standard error.
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "supercargo {}: no {text:?} in\n{}", self.what, self.err);
        }
        self
    }

    /// The JSON on standard output.
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.out);
        let answer: Value = parsed
            .unwrap_or_else(|error| panic!("supercargo {}: {error}\n{}{}", self.what, self.out, self.err));
        if answer["kind"] == "Plan" {
            schema::assert_is_plan(&answer);
        }
        answer
    }
}

/// The changed lines of a commit against its first parent: `(path, old line, new line)`.
pub fn changed_lines(bare: &Path, commit: &str) -> Vec<(String, String, String)> {
    let names = git(bare, &["diff", "--name-only", &format!("{commit}^"), commit]);
    let mut changed = Vec::new();
    for path in names.lines() {
        let [before, after] = [format!("{commit}^"), commit.to_owned()]
            .map(|at| git(bare, &["cat-file", "blob", &format!("{at}:{path}")]));
        assert_eq!(before.lines().count(), after.lines().count(), "{path}");
        let pairs = before.lines().zip(after.lines()).filter(|(before, after)| before != after);
        changed.extend(pairs.map(|(before, after)| (path.to_owned(), before.to_owned(), after.to_owned())));
    }
    changed
}
