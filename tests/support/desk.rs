//! A desk: an operator's folder of Flux objects, a registry that lists two images, a bare repository that is the remote,
//! and the program that people run, with a home and a git configuration of its own.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use supercargo::store::{Dirs, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::git::Bare;

#[allow(clippy::duplicate_mod, reason = "one test file looks at the schema itself")]
#[path = "schema.rs"]
mod schema;

/// The marked files of the remote; `@REGISTRY@` stands for the registry.
pub const WEB: &str =
    "kind: Deployment\nimage: @REGISTRY@/web:1.0.0 # {\"$imagepolicy\": \"shop:web\"}\nreplicas: 2\n";
/// As [`WEB`].
pub const DB: &str = "image: @REGISTRY@/db:1.0.0 # {\"$imagepolicy\": \"shop:db\"}\n";

/// What a run of the program ended with.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// See the module.
pub struct Desk {
    /// The remote.
    pub fleet: Bare,
    /// `HOST:PORT` of the registry.
    pub registry: String,
    /// Further variables of the program.
    pub environment: Vec<(String, String)>,
    home: TempDir,
    runtime: Runtime,
    server: MockServer,
    lists: RefCell<BTreeMap<String, Vec<String>>>,
}

impl Desk {
    /// A desk whose automation pushes to `image-updates`; `git` are further lines of its `spec.git`, in flow style.
    pub fn new(git: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(MockServer::start());
        let registry = server.address().to_string();
        let home = tempfile::tempdir().unwrap();
        let (web, db) = (WEB.replace("@REGISTRY@", &registry), DB.replace("@REGISTRY@", &registry));
        let files = [("apps/web.yaml", web.as_str()), ("apps/db.yaml", &db), ("README.md", "fleet\n")];
        let fleet = Bare::create(&home.path().join("fleet.git"), &files);
        let desk = Self {
            fleet,
            registry,
            environment: Vec::new(),
            home,
            runtime,
            server,
            lists: RefCell::default(),
        };
        for folder in ["objects", ".config/supercargo"] {
            fs::create_dir_all(desk.path(folder)).unwrap();
        }
        desk.write(".gitconfig", "[user]\n\tname = Rita\n\temail = rita@example.com\n");
        desk.describe(git);
        desk.tags("web", &["1.0.0", "1.1.0"]);
        desk.tags("db", &["1.0.0", "1.2.0"]);
        desk
    }

    /// Writes the objects; `git` as in [`Self::new`].
    pub fn describe(&self, git: &str) {
        let image = |name: &str| {
            format!(
                "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n\
                 metadata: {{name: {name}, namespace: shop}}\n\
                 spec: {{interval: 1m, image: {registry}/{name}, insecure: true}}\n---\n\
                 apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\n\
                 metadata: {{name: {name}, namespace: shop}}\n\
                 spec: {{imageRepositoryRef: {{name: {name}}}, policy: {{semver: {{range: 1.x}}}}}}\n---\n",
                registry = self.registry
            )
        };
        let source = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet, namespace: shop}}\n\
             spec: {{interval: 1m, url: \"file://{}\", ref: {{branch: main}}}}\n---\n",
            self.fleet.path.display()
        );
        let automation = format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\n\
             metadata: {{name: apps, namespace: shop}}\n\
             spec: {{interval: 1m, suspend: true, sourceRef: {{kind: GitRepository, name: fleet}}, \
             git: {{commit: {{author: {{name: bot, email: bot@example.com}}, messageTemplate: Update images}}{git}}}}}\n"
        );
        let objects = [image("web"), image("db"), source, automation].concat();
        self.write("objects/all.yaml", &objects);
    }

    /// The usual way to push: to a branch of its own.
    pub fn reviewing() -> Self {
        Self::new(", push: {branch: image-updates}")
    }

    /// What the registry lists of an image from now on.
    pub fn tags(&self, name: &str, tags: &[&str]) {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let mut lists = self.lists.borrow_mut();
        lists.insert(name.to_owned(), tags);
        self.runtime.block_on(async {
            self.server.reset().await;
            let ping = Mock::given(path("/v2/")).respond_with(ResponseTemplate::new(200));
            ping.mount(&self.server).await;
            for (name, tags) in lists.iter() {
                let answer = ResponseTemplate::new(200).set_body_json(json!({ "name": name, "tags": tags }));
                let list = Mock::given(path(format!("/v2/{name}/tags/list"))).respond_with(answer);
                list.mount(&self.server).await;
            }
        });
    }

    /// What the program keeps in this home.
    pub fn store(&self) -> Store {
        let home = self.home.path().as_os_str().to_owned();
        Store::open(&Dirs::from_environment(|name| (name == "HOME").then(|| home.clone())))
    }

    /// The address of the remote.
    pub fn address(&self) -> String {
        format!("file://{}", self.fleet.path.display())
    }

    /// Does something while another instance of this account has the lock of the remote for a while.
    pub fn while_another_pushes<T>(&self, long: Duration, work: impl FnOnce() -> T) -> T {
        let lock = self.store().remote_locks().try_take(&self.address(), "omar").unwrap();
        let other = std::thread::spawn(move || {
            std::thread::sleep(long);
            drop(lock);
        });
        let done = work();
        other.join().unwrap();
        done
    }

    /// A path in the operator's home.
    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// Writes a file in the operator's home.
    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).unwrap();
    }

    /// The command line, with nothing of this machine's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command.args(arguments).current_dir(self.path("objects")).env_clear();
        command.env("HOME", self.home.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("USER", "rita");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs the program, which has to end with `code`, and returns the JSON that it prints.
    pub fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        let answer: Value = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
        if answer["kind"] == "Plan" {
            schema::assert_is_plan(&answer);
        }
        answer
    }

    /// Makes a plan with these arguments, keeps it in the file `name` of the home, and returns it.
    pub fn plan(&self, name: &str, arguments: &[&str]) -> Value {
        let plan = self.json(0, &[&["plan"], arguments, &["--refresh", "always"]].concat());
        self.write(name, &plan.to_string());
        plan
    }

    /// Lands the plan in the file `name`; the program has to end with `code`.
    pub fn push(&self, code: i32, name: &str, arguments: &[&str]) -> Value {
        let file = self.path(name);
        let push = ["push", "--plan", file.to_str().unwrap(), "--write", "--yes"];
        self.json(code, &[&push, arguments].concat())
    }
}
