//! What stands behind a tag, for commands: asked of the registry where that is due, and printed.

use serde_json::{Value, json};

use super::session::Session;
use super::tags::Chosen;
use crate::domain::age::{self, Clocks, MinAge};
use crate::domain::compare;
use crate::domain::metadata::Described;
use crate::engine::TagQuestion;
use crate::problem::Problem;

/// What is known of one tag.
pub(super) struct Facts {
    described: Option<Described>,
    clocks: Clocks,
    /// The link from what the files hold to this tag.
    compare: Option<String>,
}

impl Facts {
    /// Asks about `tag`, and about the tag that the files hold; returns what could not be told, too.
    pub(super) fn of(session: &Session, chosen: &Chosen, tag: &str) -> (Self, Vec<Problem>) {
        let in_files = chosen.policy.as_ref().map(|policy| session.tags_in_files(policy)).unwrap_or_default();
        // What the files hold may be long gone; nobody asked about that one.
        let listed = |current: &&str| *current != tag && chosen.scan.tags.position(current).is_some();
        let current = in_files.first().map(String::as_str).filter(listed);
        let (mut told, problems) = ask(session, chosen, std::iter::once(tag).chain(current));
        let (current, described) = (told.split_off(1).into_iter().next().flatten(), told.pop().flatten());
        let labels = |described: &Described| described.metadata.labels.clone();
        let pair = current.as_ref().map(labels).zip(described.as_ref().map(labels));
        let forges = session.engine.settings().forges.kinds();
        let compare = pair.and_then(|(old, new)| compare::link(&old, &new, &forges));
        let ledger = chosen.repository.as_ref().and_then(|id| session.engine.ledger(&session.world, id));
        let ledger = ledger.unwrap_or_default();
        let (first_seen, first_look) = ledger.sighting(tag);
        let clocks = Clocks::of(described.as_ref(), first_seen, first_look);
        (Self { described, clocks, compare }, problems)
    }

    /// Why and how long the tag has to wait.
    pub(super) fn held(&self, min: MinAge) -> Option<String> {
        age::explained(&self.clocks, min, crate::engine::now())
    }

    /// `null` where nothing is known.
    pub(super) fn json(&self) -> Value {
        let Some(described) = &self.described else { return Value::Null };
        let (metadata, size) = (&described.metadata, described.metadata.size.as_ref());
        json!({
            "digest": metadata.digest, "kind": metadata.kind.word(), "created": metadata.created,
            "platforms": metadata.platforms, "size": size.map(|size| size.bytes),
            "size_platform": size.and_then(|size| size.platform.as_ref()), "labels": metadata.labels,
            "signature": {"found": described.signature.is_found(), "verified": false, "text": described.signature.text()},
            "also_tagged": described.also, "moved_from": described.moved.as_ref().map(|moved| &moved.from),
            "compare": self.compare, "clocks": self.clocks, "asked": described.asked,
        })
    }

    /// A line for each fact.
    pub(super) fn text(&self) -> String {
        let Some(described) = &self.described else { return String::new() };
        let mut facts = described.facts();
        facts.push(("clocks", self.clocks.text(crate::engine::now())));
        facts.extend(self.compare.iter().map(|link| ("compare", link.clone())));
        let line = |(label, text): &(&str, String)| format!("  {label:<11} {}\n", super::table::clean(text));
        facts.iter().map(line).collect()
    }
}

/// Asks about the tags that decisions are about: what is selected, and what the files hold. Returns what could not be
/// told; the answers are in the cache.
pub(super) fn learn(session: &Session, chosen: &Chosen) -> Vec<Problem> {
    let latest = chosen.evaluation.as_ref().and_then(|evaluation| evaluation.latest);
    let latest = latest.and_then(|index| chosen.scan.tags.get(index));
    let in_files = chosen.policy.as_ref().map(|policy| session.tags_in_files(policy)).unwrap_or_default();
    let in_files = in_files.iter().map(String::as_str).filter(|tag| Some(*tag) != latest);
    let known = in_files.filter(|tag| chosen.scan.tags.position(tag).is_some());
    ask(session, chosen, latest.into_iter().chain(known)).1
}

/// What is known of each of `tags`, and why of some nothing is.
fn ask<'t>(
    session: &Session,
    chosen: &Chosen,
    tags: impl Iterator<Item = &'t str>,
) -> (Vec<Option<Described>>, Vec<Problem>) {
    let Some(repository) = &chosen.place else { return (tags.map(|_| None).collect(), Vec::new()) };
    let (engine, world) = (&session.engine, &session.world);
    let each = tags.map(|tag| {
        let question = TagQuestion { repository, tag, tags: Some(&chosen.scan.tags) };
        engine.describe(world, question, engine.settings().refresh)
    });
    let (mut told, mut problems) = (Vec::new(), Vec::new());
    // Each answer is a result of its own; only the time may run out for all.
    match session.run(async { Ok(futures::future::join_all(each).await) }) {
        Ok(answers) => {
            for answer in answers {
                told.push(answer.unwrap_or_else(|mut problem| {
                    // What stands for an image has no namespace.
                    let subject = problem.subject.trim_start_matches('/').to_owned();
                    problem.subject = subject;
                    problems.push(problem);
                    None
                }));
            }
        }
        Err(problem) => problems.push(problem),
    }
    told.resize(told.len().max(1), None);
    (told, problems)
}
