//! The object commands on a cluster: as flux does it, after the server has tried it and somebody has agreed.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::event_loop::EventLoop;
use super::super::push::{Question, ask};
use super::super::session::known_objects;
use super::super::{Answer, Streams};
use super::change::Change;
use super::choose::nothing;
use super::export::{Export, exports};
use super::result::{Lines, ObjectResult, answer};
use crate::cli::Chosen;
use crate::config::Settings;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::human;
use crate::engine::{Engine, Note};
use crate::problem::{Code, Problem};
use crate::source::cluster::apply::{self, Effect, Progress, Target};
use crate::source::cluster::{Cluster, apply::Change as Applied};
use crate::source::create::{Made, NewObject};
use crate::source::kubeconfig::Places;
use crate::source::objects::URL_ANNOTATION;

/// No single call takes longer, however long a command may.
const LONGEST_CALL: Duration = Duration::from_secs(30);

/// Time between two looks at what a controller has done.
const PAUSE: Duration = Duration::from_millis(500);

/// A cluster, and how far what is done to it goes.
pub(super) struct Remote {
    cluster: Cluster,
    runtime: EventLoop,
    effect: Effect,
    limit: Duration,
}

impl Remote {
    /// The cluster of the context in force; `None`: there is none.
    ///
    /// # Errors
    /// A kubeconfig that cannot be used.
    pub(super) fn connect(settings: &Settings, places: &Places) -> Result<Option<Self>, Problem> {
        let runtime = EventLoop::start()?;
        let limit = settings.timeout.0;
        let connected = Cluster::connect(places, settings.context.as_deref(), limit.min(LONGEST_CALL));
        let cluster = runtime.block_on(connected)?;
        let effect = if settings.mode == Mode::Write { Effect::Write } else { Effect::DryRun };
        Ok(cluster.map(|cluster| Self { cluster, runtime, effect, limit }))
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        self.runtime.block_on(work)
    }

    /// What stands behind what was only tried.
    fn tail(&self) -> &'static str {
        if self.effect == Effect::DryRun { " (dry run)" } else { "" }
    }

    /// `--yes`, or a `y` on the terminal, before anything is written.
    fn agree(
        &self,
        settings: &Settings,
        subject: &str,
        what: &str,
        streams: &mut Streams<'_>,
    ) -> Result<(), Problem> {
        if self.effect == Effect::DryRun || settings.yes {
            return Ok(());
        }
        let Cluster { context, server, .. } = &self.cluster;
        let question = Question {
            subject,
            text: &format!("{subject} {what} in {context} ({server})"),
            missing: "what changes a cluster has to be confirmed",
            hint: "Add --yes.",
            refused: "not confirmed; nothing was changed",
        };
        ask(&question, true, streams)
    }

    /// The objects that are named, or all of the namespace in scope, as they are.
    fn chosen(
        &self,
        settings: &Settings,
        target: &Target,
        kind: Kind,
        which: &Chosen,
    ) -> Result<Vec<(ObjectId, Value)>, Problem> {
        if which.all {
            let namespace = (!settings.all_namespaces).then_some(settings.default_namespace.as_str());
            let all = self.run(self.cluster.objects_of(target, namespace))?;
            return Ok(all.into_iter().map(|object| (apply::id_of(&object), object)).collect());
        }
        let mut found: Vec<(ObjectId, Value)> = Vec::new();
        for text in &which.names {
            let (namespace, name) = text.split_once('/').unwrap_or((&settings.default_namespace, text));
            let id = ObjectId::new(namespace, name);
            if found.iter().any(|(known, _)| *known == id) {
                continue;
            }
            match self.run(self.cluster.object(target, &id))? {
                Some(object) => found.push((id, object)),
                None => return Err(self.not_found(target, kind, &id)),
            }
        }
        Ok(found)
    }

    fn not_found(&self, target: &Target, kind: Kind, id: &ObjectId) -> Problem {
        let all = self.run(self.cluster.objects_of(target, Some(&id.namespace))).unwrap_or_default();
        let known: Vec<ObjectId> = all.iter().map(apply::id_of).collect();
        let message = format!("{kind} {} not found in {} namespace", id.name, id.namespace);
        let hint = known_objects(&kind.to_string(), &id.name, &known.iter().collect::<Vec<_>>());
        Problem::new(Code::NotFound, "", message).hint(hint)
    }

    fn result(&self, made: Made, action: &'static str, id: &ObjectId) -> ObjectResult {
        ObjectResult {
            made,
            action,
            object: id.clone(),
            file: None,
            dry_run: self.effect == Effect::DryRun,
            message: None,
            lines: Vec::new(),
        }
    }

    /// Writes down what was done; what was only tried is nothing.
    fn note(&self, settings: &Settings, id: &ObjectId, what: &str) -> Result<(), Problem> {
        if self.effect == Effect::Write {
            let detail = format!("{what} in {}", self.cluster.context);
            Engine::open(settings.clone())?.note(&[Note::ok("object", id.to_string(), detail)]);
        }
        Ok(())
    }

    /// Waits until the controller has done with the object what it was asked for.
    async fn wait(
        &self,
        target: &Target,
        kind: Kind,
        id: &ObjectId,
        at: Option<&str>,
    ) -> Result<String, Problem> {
        let until = Instant::now() + self.limit;
        loop {
            let object = self.cluster.object(target, id).await?;
            let gone = || Problem::new(Code::NotFound, id.to_string(), "it was deleted meanwhile");
            match apply::progress(kind, &object.ok_or_else(gone)?, at) {
                Progress::Done(text) => return Ok(text),
                Progress::Failed(text) => {
                    let code = if kind == Kind::ImagePolicy { Code::PolicyFailed } else { Code::BadAnswer };
                    let message = format!("{kind} reconciliation failed: '{text}'");
                    return Err(Problem::new(code, id.to_string(), message));
                }
                Progress::Waiting => {}
            }
            if Instant::now() >= until {
                let message = format!("{kind} was not reconciled within {} s", self.limit.as_secs());
                return Err(Problem::new(Code::Timeout, id.to_string(), message)
                    .hint("Is its controller running? More time gives --timeout."));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// `create` in the cluster.
///
/// # Errors
/// No agreement, and what the API server refuses. What the controller has against the object is in the answer.
pub(super) fn create(
    settings: &Settings,
    remote: &Remote,
    mut object: NewObject,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    // It says for which address a secret of ours serves.
    object.annotations.remove(URL_ANNOTATION);
    let (made, id) = (object.made, object.id.clone());
    remote.agree(settings, "create", &format!("{made} {id}"), streams)?;
    let mut lines = Lines::new(streams, settings);
    super::flags::said(&object, &mut lines);
    lines.line('✚', &format!("generating {}", made.in_words()));
    lines.line('►', &format!("applying {}", made.in_words()));
    let target = match made {
        Made::Flux(kind) => remote.run(remote.cluster.target(kind))?,
        Made::Secret => Target::secret(),
    };
    let body = Value::from(&object.yaml());
    let change = remote.run(remote.cluster.apply(&target, &id, &body, remote.effect))?;
    let action = match change {
        Applied::Created => "created",
        Applied::Updated => "updated",
        Applied::Unchanged => "unchanged",
    };
    lines.line('✔', &format!("{} {action}{}", made.in_words(), remote.tail()));
    if change != Applied::Unchanged {
        remote.note(settings, &id, &format!("{made} {action}"))?;
    }
    let mut result = remote.result(made, action, &id);
    let Made::Flux(kind) = made else { return Ok(answer(vec![result], false)) };
    if remote.effect == Effect::DryRun {
        return Ok(answer(vec![result], false));
    }
    lines.line('◎', &format!("waiting for {kind} reconciliation"));
    match remote.run(remote.wait(&target, kind, &id, None)) {
        Ok(text) => {
            lines.line('✔', &format!("{kind} reconciliation completed"));
            lines.line('✔', &text);
            result.message = Some(text);
            Ok(answer(vec![result], false))
        }
        Err(problem) => {
            let exit = problem.exit();
            result.message = Some(problem.message.clone());
            Ok(answer(vec![result], false).with_problems(vec![problem]).with_exit(exit))
        }
    }
}

/// `delete`, `suspend`, `resume` in the cluster; `flag` is `--silent` of `delete` and `--wait` of `resume`.
///
/// # Errors
/// A name that no object has, no agreement; what goes wrong with one of several objects is in the answer.
pub(super) fn change(
    settings: &Settings,
    remote: &Remote,
    change: Change,
    (kind, which): (Kind, &Chosen),
    flag: bool,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let target = remote.run(remote.cluster.target(kind))?;
    let found = remote.chosen(settings, &target, kind, which)?;
    if found.is_empty() {
        return Ok(answer(Vec::new(), true).with_note(nothing(settings, kind)));
    }
    if !(change == Change::Delete && flag) {
        let names: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
        remote.agree(
            settings,
            change.command(),
            &format!("{} {}", human(kind), names.join(", ")),
            streams,
        )?;
    }
    let waits = change == Change::Resume && (flag || (found.len() == 1 && !which.all));
    let mut lines = Lines::new(streams, settings);
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for (id, _) in &found {
        let place = format!("{} {} in {} namespace", human(kind), id.name, id.namespace);
        lines.line('►', &format!("{} {place}", change.under_way()));
        let done = changed(settings, remote, change, (&target, kind, id)).map(|action| {
            lines.line('✔', &format!("{} {}{}", human(kind), change.done(), remote.tail()));
            results.push(remote.result(Made::Flux(kind), action, id));
        });
        let waited = done.and_then(|()| {
            if !waits || remote.effect == Effect::DryRun {
                return Ok(());
            }
            lines.line('◎', &format!("waiting for {kind} reconciliation"));
            let text = remote.run(remote.wait(&target, kind, id, None))?;
            lines.line('✔', &format!("{kind} {} reconciliation completed", id.name));
            lines.line('✔', &text);
            if let Some(result) = results.last_mut() {
                result.message = Some(text);
            }
            Ok(())
        });
        failed.extend(waited.err());
    }
    let is_list = which.all || found.len() > 1;
    Ok(answer(results, is_list).with_problems(failed.clone()).with_parts(found.len(), &failed))
}

/// Does it to one object; what became of it.
fn changed(
    settings: &Settings,
    remote: &Remote,
    change: Change,
    (target, kind, id): (&Target, Kind, &ObjectId),
) -> Result<&'static str, Problem> {
    let (cluster, effect) = (&remote.cluster, remote.effect);
    let has_changed = match change {
        Change::Delete => remote.run(cluster.delete(target, id, effect)).map(|()| true),
        Change::Suspend => remote.run(cluster.suspend(target, id, true, effect)),
        Change::Resume => remote.run(cluster.suspend(target, id, false, effect)),
    }?;
    if !has_changed {
        return Ok("unchanged");
    }
    remote.note(settings, id, &format!("{kind} {}", change.done()))?;
    Ok(change.done())
}

/// `reconcile` in the cluster.
///
/// # Errors
/// A name that no object has, no agreement; what goes wrong with an object is in the answer.
pub(super) fn reconcile(
    settings: &Settings,
    remote: &Remote,
    (kind, which): (Kind, &Chosen),
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let target = remote.run(remote.cluster.target(kind))?;
    let found = remote.chosen(settings, &target, kind, which)?;
    if found.is_empty() {
        return Ok(answer(Vec::new(), true).with_note(nothing(settings, kind)));
    }
    let names: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
    remote.agree(settings, "reconcile", &format!("{} {}", human(kind), names.join(", ")), streams)?;
    let mut lines = Lines::new(streams, settings);
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for (id, object) in &found {
        let mut result = remote.result(Made::Flux(kind), "reconciled", id);
        if apply::is_suspended_object(object) {
            failed.push(Problem::new(Code::Usage, id.to_string(), "resource is suspended"));
            continue;
        }
        match reconciled(settings, remote, (&target, kind, id), &mut lines) {
            Ok(text) => {
                result.message = text;
                results.push(result);
            }
            Err(problem) => failed.push(problem),
        }
    }
    let is_list = which.all || found.len() > 1;
    Ok(answer(results, is_list).with_problems(failed.clone()).with_parts(found.len(), &failed))
}

/// Asks the controller of one object, and waits; `None`: nothing was asked.
fn reconciled(
    settings: &Settings,
    remote: &Remote,
    (target, kind, id): (&Target, Kind, &ObjectId),
    lines: &mut Lines<'_, '_>,
) -> Result<Option<String>, Problem> {
    let at = jiff::Timestamp::now().to_string();
    lines.line('►', &format!("annotating {kind} {} in {} namespace", id.name, id.namespace));
    remote.run(remote.cluster.request(target, id, &at, remote.effect))?;
    lines.line('✔', &format!("{kind} annotated{}", remote.tail()));
    if remote.effect == Effect::DryRun {
        return Ok(None);
    }
    remote.note(settings, id, &format!("{kind} reconciliation requested"))?;
    lines.line('◎', &format!("waiting for {kind} reconciliation"));
    let text = remote.run(remote.wait(target, kind, id, Some(&at)))?;
    lines.line('✔', &text);
    Ok(Some(text))
}

/// `export` from the cluster.
///
/// # Errors
/// A name that no object has; what the API server refuses.
pub(super) fn export(
    settings: &Settings,
    remote: &Remote,
    (kind, which): (Kind, &Chosen),
) -> Result<Answer, Problem> {
    let target = remote.run(remote.cluster.target(kind))?;
    let found = remote.chosen(settings, &target, kind, which)?;
    let export = |(id, object): (ObjectId, Value)| Export {
        made: Made::Flux(kind),
        yaml: crate::source::export::exported(&object, &id),
        object: id,
    };
    Ok(exports(settings, kind, which, found.into_iter().map(export).collect()))
}
