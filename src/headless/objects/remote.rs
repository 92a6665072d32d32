//! The object commands on a cluster: as flux does it, after the server has tried it and somebody has agreed.

mod turn;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::turn::{Asked, Turn};
use super::super::event_loop::EventLoop;
use super::super::push::{Question, ask};
use super::super::session::known_objects;
use super::super::{Answer, Streams, where_writable};
use super::change::Change;
use super::choose::{self, nothing};
use super::export::{Export, exports};
use super::flags::Keys;
use super::result::{Lines, ObjectResult, answer};
use crate::cli::Chosen;
use crate::config::Settings;
use crate::domain::mode::Mode;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::human;
use crate::engine::{Engine, Note};
use crate::problem::{Code, Problem};
use crate::source::cluster::apply::{self, Effect, Target};
use crate::source::cluster::connect::CALL;
use crate::source::cluster::{Cluster, apply::Change as Applied};
use crate::source::create::{Made, NewObject};
use crate::source::kubeconfig::Places;
use crate::source::objects::URL_ANNOTATION;

/// Where to look for a name of which there is nothing here.
const ELSEWHERE: &str = "There is none here; -A, -n NAMESPACE or --context NAME looks elsewhere.";

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
        let connected = Cluster::connect(places, settings.context.as_deref(), limit.min(CALL));
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
        if which.all || settings.all_namespaces {
            let namespace = (!settings.all_namespaces).then_some(settings.default_namespace.as_str());
            let all = self.run(self.cluster.objects_of(target, namespace))?;
            let mut all: BTreeMap<ObjectId, Value> =
                all.into_iter().map(|object| (apply::id_of(&object), object)).collect();
            let ids = choose::chosen(settings, kind, which, &all.keys().collect::<Vec<_>>());
            let ids =
                ids.map_err(|problem| if all.is_empty() { problem.hint(ELSEWHERE) } else { problem })?;
            return Ok(ids.into_iter().filter_map(|id| all.remove_entry(&id)).collect());
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

    /// The kind as it is served, and [`Self::chosen`] of it.
    fn found(
        &self,
        settings: &Settings,
        kind: Kind,
        which: &Chosen,
    ) -> Result<(Target, Vec<(ObjectId, Value)>), Problem> {
        let target = self.run(self.cluster.target(kind))?;
        let found = self.chosen(settings, &target, kind, which)?;
        Ok((target, found))
    }

    fn not_found(&self, target: &Target, kind: Kind, id: &ObjectId) -> Problem {
        let all = self.run(self.cluster.objects_of(target, Some(&id.namespace))).unwrap_or_default();
        let known: Vec<ObjectId> = all.iter().map(apply::id_of).collect();
        let message = format!("{kind} {} not found in {} namespace", id.name, id.namespace);
        let problem = Problem::new(Code::NotFound, id.to_string(), message);
        if known.is_empty() {
            return problem.hint(ELSEWHERE);
        }
        problem.hint(known_objects(&kind.to_string(), &id.name, &known.iter().collect::<Vec<_>>()))
    }

    fn result(&self, made: Made, action: &'static str, id: &ObjectId) -> ObjectResult {
        ObjectResult {
            made,
            action: Some(action),
            object: id.clone(),
            file: None,
            dry_run: self.effect == Effect::DryRun,
            message: None,
            lines: Vec::new(),
        }
    }

    /// Writes down what was done; what was only tried is nothing. What keeps it from being written down is a warning: it is done.
    fn note(&self, settings: &Settings, id: &ObjectId, what: &str) -> Option<Problem> {
        if self.effect == Effect::DryRun {
            return None;
        }
        let detail = format!("{what} in {}", self.cluster.context);
        match Engine::open(settings.clone()) {
            Ok(engine) => {
                engine.note(&[Note::ok("object", id.to_string(), detail)]);
                None
            }
            Err(problem) => Some(Problem { code: Code::State, ..problem }),
        }
    }

    /// Until when a command may wait that begins now: for all of its objects together.
    fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// Waits until the controller has done with the object what it was asked for; `handled` as [`apply::progress`] has it.
    async fn wait(
        &self,
        (target, kind, id): Object<'_>,
        handled: Option<&str>,
        until: Instant,
    ) -> Result<String, Problem> {
        self.cluster.wait_for((target, kind, id), handled, (until, self.limit)).await
    }
}

/// An object of a kind that is served.
type Object<'a> = (&'a Target, Kind, &'a ObjectId);

/// `create` in the cluster.
///
/// # Errors
/// No agreement, and what the API server refuses. What the controller has against the object is in the answer.
pub(super) fn create(
    settings: &Settings,
    remote: &Remote,
    (mut object, keys): (NewObject, &Keys),
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    // It says for which address a secret of ours serves.
    object.annotations.remove(URL_ANNOTATION);
    let (made, id) = (object.made, object.id.clone());
    remote.agree(settings, "create", &format!("{made} {id}"), streams)?;
    let mut lines = Lines::new(streams, settings);
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
    let is_dry_run = remote.effect == Effect::DryRun;
    lines.keys(keys, is_dry_run);
    let noted = (change != Applied::Unchanged)
        .then(|| remote.note(settings, &id, &format!("{made} {action}")))
        .flatten();
    let warnings: Vec<Problem> = noted.into_iter().collect();
    let mut result = remote.result(made, action, &id);
    result.message = keys.message(is_dry_run);
    let Made::Flux(kind) = made else { return Ok(answer(vec![result], false).with_problems(warnings)) };
    if is_dry_run {
        return Ok(answer(vec![result], false));
    }
    lines.line('◎', &format!("waiting for {kind} reconciliation"));
    match remote.run(remote.wait((&target, kind, &id), None, remote.deadline())) {
        Ok(text) => {
            lines.line('✔', &format!("{kind} reconciliation completed"));
            lines.line('✔', &text);
            result.message = Some(text);
            Ok(answer(vec![result], false).with_problems(warnings))
        }
        Err(problem) => {
            let exit = problem.exit();
            result.message = Some(problem.message.clone());
            let problems = warnings.into_iter().chain([problem]).collect();
            Ok(answer(vec![result], false).with_problems(problems).with_exit(exit))
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
    let (target, found) = where_writable(settings, change.command(), remote.found(settings, kind, which))?;
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
    let waits = change == Change::Resume
        && (flag || (found.len() == 1 && !which.all))
        && remote.effect == Effect::Write;
    let mut lines = Lines::new(streams, settings);
    let mut turn = Turn::new(remote);
    let mut asked = Vec::new();
    for (id, _) in &found {
        let place = format!("{} {} in {} namespace", human(kind), id.name, id.namespace);
        lines.line('►', &format!("{} {place}", change.under_way()));
        let Some(action) = turn.call(id, changed(remote, change, &target, id)) else { continue };
        lines.line('✔', &format!("{} {}{}", human(kind), change.done(), remote.tail()));
        if action == change.done() {
            turn.warnings.extend(remote.note(settings, id, &format!("{kind} {action}")));
        }
        let result = remote.result(Made::Flux(kind), action, id);
        if waits {
            asked.push(Asked { result, handled: None });
        } else {
            turn.results.push(result);
        }
    }
    let completed = |id: &ObjectId| Some(format!("{kind} {} reconciliation completed", id.name));
    turn.wait((&target, kind), asked, &mut lines, completed);
    Ok(turn.answer(kind, &found, which.all))
}

/// Does it to one object; what became of it.
async fn changed(
    remote: &Remote,
    change: Change,
    target: &Target,
    id: &ObjectId,
) -> Result<&'static str, Problem> {
    let (cluster, effect) = (&remote.cluster, remote.effect);
    let has_changed = match change {
        Change::Delete => cluster.delete(target, id, effect).await.map(|()| true),
        Change::Suspend => cluster.suspend(target, id, true, effect).await,
        Change::Resume => cluster.suspend(target, id, false, effect).await,
    }?;
    Ok(if has_changed { change.done() } else { "unchanged" })
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
    let (target, found) = where_writable(settings, "reconcile", remote.found(settings, kind, which))?;
    if found.is_empty() {
        return Ok(answer(Vec::new(), true).with_note(nothing(settings, kind)));
    }
    let names: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
    remote.agree(settings, "reconcile", &format!("{} {}", human(kind), names.join(", ")), streams)?;
    let mut lines = Lines::new(streams, settings);
    let mut turn = Turn::new(remote);
    let mut asked = Vec::new();
    for (id, object) in &found {
        if apply::is_suspended_object(object) {
            turn.failed.push(Problem::new(Code::Usage, id.to_string(), "resource is suspended"));
            continue;
        }
        lines.line('►', &format!("annotating {kind} {} in {} namespace", id.name, id.namespace));
        let at = jiff::Timestamp::now().to_string();
        let requested = remote.cluster.request(&target, id, &at, remote.effect);
        let Some(handled) = turn.call(id, requested) else { continue };
        lines.line('✔', &format!("{kind} annotated{}", remote.tail()));
        let result = remote.result(Made::Flux(kind), "reconciled", id);
        if remote.effect == Effect::DryRun {
            turn.results.push(result);
            continue;
        }
        turn.warnings.extend(remote.note(settings, id, &format!("{kind} reconciliation requested")));
        asked.push(Asked { result, handled: Some(handled) });
    }
    turn.wait((&target, kind), asked, &mut lines, |_| None);
    Ok(turn.answer(kind, &found, which.all))
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
    let (_, found) = remote.found(settings, kind, which)?;
    let export = |(id, object): (ObjectId, Value)| Export {
        made: Made::Flux(kind),
        yaml: crate::source::export::exported(&object, &id),
        object: id,
    };
    Ok(exports(settings, kind, which, found.into_iter().map(export).collect()))
}
