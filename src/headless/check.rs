//! `check`: whether everything that a scan, a plan and a push need is there, one line each.

mod cluster;

use std::process::Command;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::event_loop::EventLoop;
use super::session::within;
use super::table::clean;
use super::{Answer, Document, Text};
use crate::cli::CheckArgs;
use crate::config::{Refresh, Settings};
use crate::engine::{Engine, RegistryProbe, World};
use crate::environment::without_ours;
use crate::git::GitConfig;
use crate::problem::{Code, Problem};
use crate::source::kubeconfig;
use crate::text::count;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn glyph(self) -> &'static str {
        match self {
            Self::Passed => "✔",
            Self::Failed => "✗",
            Self::Skipped => "-",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    name: String,
    outcome: Outcome,
    pub(super) message: String,
    fix: Option<String>,
}

impl Check {
    pub(super) fn new(name: impl Into<String>, outcome: Outcome, message: impl Into<String>) -> Self {
        Self { name: name.into(), outcome, message: message.into(), fix: None }
    }

    pub(super) fn failed(name: impl Into<String>, problem: &Problem) -> Self {
        let says = |text: &str| problem.message.contains(text);
        let mut message = if says(&problem.subject) { problem.message.clone() } else { problem.to_string() };
        if let Some(cause) = problem.causes.first().filter(|cause| !says(cause)) {
            message = format!("{message}: {cause}");
        }
        Self { name: name.into(), outcome: Outcome::Failed, message, fix: problem.hint.clone() }
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Runs every check that the arguments ask for.
pub(super) fn check(settings: &Settings, args: &CheckArgs) -> Result<Answer, Problem> {
    Ok(Report::answer(all(settings, args)?))
}

/// Everything that a scan, a plan and a push need.
pub(super) fn all(settings: &Settings, args: &CheckArgs) -> Result<Vec<Check>, Problem> {
    let engine = Engine::open(settings.clone())?;
    let mut checks = vec![config(settings), state(&engine), git_program()];
    let runtime = EventLoop::start()?;
    let world = runtime.block_on(within(settings, engine.load()));
    checks.push(ssh_program(&engine, world.as_deref().ok()));
    let read = runtime.block_on(within(settings, label_of_files(&engine, &world)));
    checks.push(files(settings, args, read));
    if !args.pre {
        match &world {
            Ok(world) => {
                engine.credentials_are_for_one_host(world)?;
                checks.push(objects(world));
                if settings.refresh == Refresh::Never {
                    checks.push(Check::new(
                        "remote",
                        Outcome::Skipped,
                        "--refresh never: no server is asked",
                    ));
                } else {
                    runtime.block_on(within(settings, network(&engine, world, &mut checks)))?;
                }
            }
            Err(problem) => {
                checks.push(Check::new("objects", Outcome::Skipped, no_objects(&engine, problem)));
            }
        }
    }
    checks.push(kube(&engine, &world));
    if !args.pre {
        let asked = async { Ok(of_cluster(&engine, &world).await) };
        checks.extend(runtime.block_on(within(settings, asked))?);
    }
    Ok(checks)
}

fn config(settings: &Settings) -> Check {
    let is_mistake = |warning: &&Problem| matches!(warning.code, Code::Config | Code::UnknownKey);
    // What a later version reads is no mistake.
    match settings.warnings.iter().chain(&settings.key_warnings).find(is_mistake) {
        Some(warning) => Check::failed("config", warning),
        None => Check::new("config", Outcome::Passed, format!("mode {}", settings.mode.word())),
    }
}

/// Taking the role of the writer makes our folder and a file in it; who has the role already has shown as much.
fn state(engine: &Engine) -> Check {
    drop(engine.store().try_writer());
    match engine.store().take_warnings().first() {
        Some(warning) => {
            let check = Check::failed("state", warning);
            if check.fix.is_some() {
                check
            } else {
                check.fix("Set HOME or XDG_STATE_HOME to a folder that can be written.")
            }
        }
        None => Check::new("state", Outcome::Passed, "decisions and tags are kept on disk"),
    }
}

/// Git's own program is what credential helpers are asked through.
fn git_program() -> Check {
    let fix = "Install git: stored credentials are asked for through it.";
    match without_ours(&mut Command::new("git")).arg("--version").output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let version = text.trim().trim_start_matches("git version ").to_owned();
            Check::new("git", Outcome::Passed, format!("git {version}"))
        }
        Ok(output) => {
            Check::new("git", Outcome::Failed, format!("git --version: {}", output.status)).fix(fix)
        }
        Err(error) => Check::new("git", Outcome::Failed, format!("git --version: {error}")).fix(fix),
    }
}

/// What speaks ssh to Git remotes; no matter where none of them is reached by it.
fn ssh_program(engine: &Engine, world: Option<&World>) -> Check {
    let config = world.map_or_else(|| GitConfig::read(None), |world| GitConfig::clone(&world.git_config));
    let is_needed = world.is_some_and(|world| engine.speaks_ssh(world));
    match config.ssh_program().version() {
        Ok(version) => Check::new("ssh", Outcome::Passed, version),
        Err(error) if is_needed => Check::new("ssh", Outcome::Failed, error)
            .fix("Install OpenSSH's client: remotes are reached through it."),
        Err(error) => Check::new("ssh", Outcome::Skipped, format!("{error}; no remote is reached by it")),
    }
}

/// What is said of files where the cluster alone is a source.
const NO_FILES: &str = "no files are read: the cluster alone is the source";

fn has_files(world: &World) -> bool {
    world.root.is_some() || world.source_url.is_some()
}

/// Whether a problem is the cluster's: what is wrong with it is said there.
fn is_of_context(engine: &Engine, problem: &Problem) -> bool {
    let context = kubeconfig::in_force(&engine.kube_places(), engine.settings().context.as_deref());
    context.ok().flatten().is_some_and(|context| context.name == problem.subject)
}

/// What the files are called that were read; `None` where they are no source. A cluster that is not read is in the way of the world,
/// not of them.
async fn label_of_files(
    engine: &Engine,
    world: &Result<Arc<World>, Problem>,
) -> Result<Option<String>, Problem> {
    match world {
        Ok(world) => Ok(has_files(world).then(|| world.label.clone())),
        Err(problem) if is_of_context(engine, problem) => {
            Ok(engine.load_files_alone().await?.map(|world| world.label))
        }
        Err(problem) => Err(problem.clone()),
    }
}

/// Why no objects were looked at.
fn no_objects(engine: &Engine, problem: &Problem) -> String {
    if is_of_context(engine, problem) {
        return format!("not known while {} is not read", problem.subject);
    }
    "there are no files to read".to_owned()
}

fn files(settings: &Settings, args: &CheckArgs, read: Result<Option<String>, Problem>) -> Check {
    match read {
        Ok(None) => Check::new("files", Outcome::Skipped, NO_FILES),
        Ok(Some(label)) => Check::new("files", Outcome::Passed, label),
        // Before anything is set up there may well be none yet.
        Err(problem) if args.pre && settings.files.is_none() && problem.code == Code::NotFound => {
            Check::new("files", Outcome::Skipped, problem.to_string())
        }
        Err(problem) => Check::failed("files", &problem),
    }
}

fn objects(world: &World) -> Check {
    let inventory = &world.inventory;
    let found = format!(
        "{}, {}, {}",
        count(inventory.repositories.len(), "repository"),
        count(inventory.policies.len(), "policy"),
        count(inventory.automations.len(), "automation")
    );
    let problems: Vec<_> = world.problems.iter().filter(|problem| problem.code != Code::Skipped).collect();
    match problems.first() {
        None => Check::new("objects", Outcome::Passed, found),
        Some(first) => {
            let mut check = Check::failed("objects", first);
            check.message = format!("{found}; {}, first {}", count(problems.len(), "problem"), check.message);
            check
        }
    }
}

async fn network(engine: &Engine, world: &Arc<World>, checks: &mut Vec<Check>) -> Result<(), Problem> {
    let (registries, remotes) = futures::join!(engine.probe_registries(world), engine.probe_remotes(world));
    for host in registries.chunk_by(|a, b| a.host == b.host) {
        checks.extend([registry(host), credential(host)]);
    }
    for (id, answer) in remotes? {
        let name = format!("remote/{}/{}", id.namespace, id.name);
        checks.push(match answer {
            Ok(message) => Check::new(name, Outcome::Passed, message),
            Err(problem) => Check::failed(name, &problem),
        });
    }
    Ok(())
}

/// Whether a host was reached, by what it answered to any of the probes.
fn registry(probes: &[RegistryProbe]) -> Check {
    let name = format!("registry/{}", probes.first().map_or("", |probe| &probe.host));
    let unreached = probes.iter().find(|probe| !probe.is_reached());
    if let Some(problem) = unreached.and_then(|probe| probe.problem.as_ref()) {
        return Check::failed(name, problem);
    }
    let asked: Vec<String> = probes.iter().map(|probe| probe.repository.to_string()).collect();
    Check::new(name, Outcome::Passed, format!("answers for {}", asked.join(", ")))
}

/// Whether a host accepts what its repositories have to log in with; of several lists, all have to be.
fn credential(probes: &[RegistryProbe]) -> Check {
    let name = format!("credential/{}", probes.first().map_or("", |probe| &probe.host));
    let denied: Vec<&RegistryProbe> = probes.iter().filter(|probe| probe.is_denied()).collect();
    if let Some(problem) = denied.first().and_then(|probe| probe.problem.as_ref()) {
        let mut check = Check::failed(name, problem);
        let others: Vec<String> = denied.iter().skip(1).map(|probe| probe.repository.to_string()).collect();
        if !others.is_empty() {
            check.message = format!("{}; so too {}", check.message, others.join(", "));
        }
        return check;
    }
    if probes.iter().any(|probe| probe.problem.is_some()) {
        return Check::new(name, Outcome::Skipped, "the registry was not reached");
    }
    let used = |probe: &RegistryProbe| {
        let credentials = probe.credentials.join(", then ");
        if probes.len() == 1 { credentials } else { format!("{}: {credentials}", probe.repository) }
    };
    Check::new(name, Outcome::Passed, probes.iter().map(used).collect::<Vec<_>>().join("; "))
}

fn kube(engine: &Engine, world: &Result<Arc<World>, Problem>) -> Check {
    let context = match kubeconfig::in_force(&engine.kube_places(), engine.settings().context.as_deref()) {
        Ok(Some(context)) => context,
        Ok(None) => return Check::new("kube", Outcome::Skipped, "no kube context is in force"),
        Err(error) => return Check::failed("kube", &error.into()),
    };
    let server = context.server.map(|server| format!(" ({server})")).unwrap_or_default();
    let said = match world {
        Ok(world) if world.live.is_some() => None,
        Ok(world) => world.problems.iter().find(|problem| problem.subject == context.name),
        Err(problem) => Some(problem).filter(|problem| problem.subject == context.name),
    };
    match (said, world) {
        (Some(problem), _) => Check::failed("kube", problem),
        (None, Ok(world)) if world.live.is_some() => {
            Check::new("kube", Outcome::Passed, format!("context {}{server} is read", context.name))
        }
        (None, _) => {
            let message = format!("context {}{server} is in force and not asked", context.name);
            Check::new("kube", Outcome::Skipped, message)
        }
    }
}

/// What the cluster says that is read; one that shows nobody its objects is asked too, for there it matters most who may do what.
async fn of_cluster(engine: &Engine, world: &Result<Arc<World>, Problem>) -> Vec<Check> {
    let reached = match world {
        Ok(world) => world.live.as_ref().map(|live| (live.cluster().clone(), live.kinds())),
        Err(problem) if problem.code == Code::ClusterForbidden => match engine.connect().await {
            Ok(Some(cluster)) => cluster.kinds().await.ok().map(|kinds| (cluster, kinds)),
            // What keeps it from being asked was said of the context.
            _ => None,
        },
        Err(_) => None,
    };
    let Some((cluster, kinds)) = reached else { return Vec::new() };
    let settings = engine.settings();
    let namespace = settings.namespace.as_ref().or(cluster.namespace.as_ref());
    cluster::checks(&cluster, &kinds, namespace.unwrap_or(&settings.default_namespace)).await
}

/// All checks, in the order in which they were made.
pub(super) struct Report {
    checks: Vec<Check>,
}

impl Report {
    /// The report as a command's answer: 1 if a check failed.
    pub(super) fn answer(checks: Vec<Check>) -> Answer {
        let exit = u8::from(checks.iter().any(|check| check.outcome == Outcome::Failed));
        Answer::new(Self { checks }).with_exit(exit)
    }
}

impl Document for Report {
    fn kind(&self) -> &'static str {
        "CheckReport"
    }

    fn json(&self) -> Map<String, Value> {
        let checks = self.checks.iter().map(|check| {
            json!({
                "name": check.name,
                "status": check.outcome.word(),
                "message": check.message,
                "fix": check.fix,
            })
        });
        let mut object = Map::new();
        let ok = self.checks.iter().all(|check| check.outcome != Outcome::Failed);
        object.insert("ok".to_owned(), json!(ok));
        object.insert("checks".to_owned(), checks.collect());
        object
    }

    fn text(&self, _wide: bool) -> Text {
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for check in &self.checks {
            let (name, message) = (clean(&check.name), clean(&check.message));
            let line = format!("{} {name:width$}  {message}\n", check.outcome.glyph());
            text.push_str(&line);
            if let Some(fix) = &check.fix {
                let line = format!("  fix: {}\n", clean(fix));
                text.push_str(&line);
            }
        }
        Text::Raw(text.into_bytes())
    }

    fn names(&self) -> Vec<String> {
        self.checks.iter().map(|check| format!("check/{}", check.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::ObjectId;

    fn probe(problem: Option<Problem>) -> RegistryProbe {
        RegistryProbe {
            host: "registry.example.com".into(),
            repository: ObjectId::new("shop", "web"),
            credentials: vec!["secret shop/login".into(), "anonymous".into()],
            problem,
        }
    }

    #[test]
    fn a_registry_that_refuses_us_is_reached() {
        let denied = probe(Some(Problem::new(Code::RegistryUnauthorized, "shop/web", "401").hint("Log in.")));
        assert_eq!(registry(std::slice::from_ref(&denied)).outcome, Outcome::Passed);
        let check = credential(std::slice::from_ref(&denied));
        assert_eq!((check.outcome, check.fix.as_deref()), (Outcome::Failed, Some("Log in.")));
        let down = [probe(Some(Problem::new(Code::Unreachable, "shop/web", "refused")))];
        assert_eq!(registry(&down).outcome, Outcome::Failed);
        assert_eq!(credential(&down).outcome, Outcome::Skipped);
        assert_eq!(credential(&[probe(None)]).message, "secret shop/login, then anonymous");
    }

    #[test]
    fn one_refused_credential_of_a_host_fails_it_though_another_serves() {
        let api = RegistryProbe {
            repository: ObjectId::new("shop", "api"),
            credentials: vec!["anonymous".into()],
            ..probe(None)
        };
        let both = [api.clone(), probe(None)];
        assert_eq!(
            credential(&both).message,
            "shop/api: anonymous; shop/web: secret shop/login, then anonymous"
        );
        let denied = probe(Some(Problem::new(Code::RegistryForbidden, "shop/web", "403")));
        let check = credential(&[api, denied]);
        assert_eq!((check.outcome, check.message.as_str()), (Outcome::Failed, "shop/web: 403"));
    }

    #[test]
    fn the_report_is_a_line_each_and_its_fix_below() {
        let failed = Check::new("kube", Outcome::Failed, "x\u{1b}[31m").fix("repair it");
        let report = Report { checks: vec![Check::new("files", Outcome::Passed, "files:fleet"), failed] };
        let Text::Raw(bytes) = report.text(false) else { panic!("raw text") };
        let expected = "✔ files  files:fleet\n✗ kube   x^[[31m\n  fix: repair it\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        let json = Value::Object(report.json());
        assert_eq!(json["ok"], false);
        assert_eq!(
            json["checks"][0],
            json!({"name":"files","status":"ok","message":"files:fleet","fix":null})
        );
    }
}
