//! `get tags` and `explain tag`: the verdict on each tag, and why.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::session::{Progress, Session};
use super::{Answer, Document, Table, Text};
use crate::cli::{TagsArgs, WhyArgs};
use crate::config::Settings;
use crate::domain::object::{ImagePolicy, ObjectId};
use crate::domain::policy::{Evaluation, Evaluator, Explanation, ExplanationStep, TagState};
use crate::domain::proposal::Reference;
use crate::domain::reflection::Reflection;
use crate::domain::scan::Scan;
use crate::engine::Engine;
use crate::problem::{Code, Problem};

/// One tag, judged.
struct Tag {
    name: String,
    /// `None` without a policy.
    state: Option<TagState>,
    value: Option<String>,
    reason: Option<String>,
    flags: Vec<&'static str>,
    first_seen: Option<Timestamp>,
    digest: Option<String>,
}

struct TagList {
    repository: Option<ObjectId>,
    image: String,
    policy: Option<ObjectId>,
    scanned: Timestamp,
    tags: Vec<Tag>,
}

impl Document for TagList {
    fn kind(&self) -> &'static str {
        "TagList"
    }

    fn json(&self) -> Map<String, Value> {
        let item = |tag: &Tag| {
            json!({
                "tag": tag.name, "state": tag.state.map(TagState::word), "value": tag.value, "reason": tag.reason,
                "flags": tag.flags, "first_seen": tag.first_seen, "digest": tag.digest, "created": null,
            })
        };
        let items: Vec<Value> = self.tags.iter().map(item).collect();
        Map::from_iter([
            ("repository".to_owned(), json!(self.repository)),
            ("image".to_owned(), json!(self.image)),
            ("policy".to_owned(), json!(self.policy)),
            ("complete".to_owned(), json!(true)),
            ("scanned".to_owned(), json!(self.scanned)),
            ("items".to_owned(), json!(items)),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["REASON"].as_slice() } else { &[] };
        let headings = ["STATE", "TAG", "VALUE", "FLAGS", "FIRST SEEN"];
        let mut table = Table::new(headings.into_iter().chain(extra.iter().copied()));
        for tag in &self.tags {
            let cells = [
                tag.state.map(TagState::word).unwrap_or_default().to_owned(),
                tag.name.clone(),
                tag.value.clone().unwrap_or_default(),
                tag.flags.join(","),
                tag.first_seen.map(|time| time.to_string()).unwrap_or_default(),
            ];
            table.push(cells.into_iter().chain(tag.reason.clone().filter(|_| wide)));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.tags.iter().map(|tag| tag.name.clone()).collect()
    }
}

/// `get tags REPO|--image REF`.
pub(super) fn tags(settings: &Settings, args: &TagsArgs) -> Result<Answer, Problem> {
    let states: Vec<TagState> = args.state.iter().map(|word| parse_state(word)).collect::<Result<_, _>>()?;
    if let Some(image) = &args.image {
        let engine = Engine::open(settings.clone())?;
        let scan = Progress::scan_image(settings, &engine, image)?;
        let tags = scan.tags.iter().map(|tag| plain(tag, &scan)).collect();
        let list =
            TagList { repository: None, image: image.clone(), policy: None, scanned: scan.scanned, tags };
        return Ok(Answer::new(list));
    }
    let session = Session::open(settings)?;
    let name = args.repository.as_deref().unwrap_or_default();
    let chosen = choose(&session, name, args.policy.as_deref())?;
    let mut tags = judged(&session, &chosen);
    if !states.is_empty() {
        tags.retain(|tag| tag.state.is_some_and(|state| states.contains(&state)));
    }
    let image = session.world.inventory.repositories.get(&chosen.repository);
    let list = TagList {
        image: image.map(|repository| repository.image.clone()).unwrap_or_default(),
        repository: Some(chosen.repository),
        policy: chosen.policy.map(|policy| policy.meta.id),
        scanned: chosen.scan.scanned,
        tags,
    };
    Ok(Answer::new(list).with_problems(session.problems()))
}

/// The states that a word may name.
fn parse_state(word: &str) -> Result<TagState, Problem> {
    TagState::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| {
        let words: Vec<&str> = TagState::ALL.into_iter().map(TagState::word).collect();
        Problem::new(Code::Usage, "--state", format!("there is no state {word:?}"))
            .hint(format!("States are: {}.", words.join(", ")))
    })
}

/// A repository, its tags, and the policy to judge them by.
struct Chosen {
    repository: ObjectId,
    policy: Option<ImagePolicy>,
    scan: Scan,
    evaluator: Option<Arc<Evaluator>>,
    evaluation: Option<Arc<Evaluation>>,
}

fn choose(session: &Session, name: &str, policy: Option<&str>) -> Result<Chosen, Problem> {
    let inventory = &session.world.inventory;
    let id = session.find("ImageRepository", name, inventory.repositories.keys())?;
    let policies: Vec<&ImagePolicy> = inventory.policies_on(&id).collect();
    let policy = match (policy, policies.as_slice()) {
        (Some(policy), _) => {
            let found = session.find("ImagePolicy", policy, inventory.policies.keys())?;
            inventory.policies.get(&found).cloned()
        }
        (None, []) => None,
        (None, [only]) => Some((*only).clone()),
        (None, several) => {
            let names: Vec<String> = several.iter().map(|policy| policy.meta.id.to_string()).collect();
            return Err(Problem::new(
                Code::Ambiguous,
                id.to_string(),
                format!("several policies use this repository: {}", names.join(", ")),
            )
            .hint("Choose one with --policy."));
        }
    };
    let scan = tags_of(session, &id)?;
    let (evaluator, evaluation) = match &policy {
        Some(policy) => {
            let evaluated = session.engine.evaluate(inventory, policy, Some(&scan));
            (Some(evaluated.selection.evaluator), evaluated.evaluation)
        }
        None => (None, None),
    };
    Ok(Chosen { repository: id, policy, scan, evaluator, evaluation })
}

/// The tags of one repository: cached, or scanned if that is due.
pub(super) fn tags_of(session: &Session, id: &ObjectId) -> Result<Scan, Problem> {
    let refresh = session.engine.settings().refresh;
    let mut cached = session.engine.cached(&session.world);
    let due = session.engine.to_scan(&session.world, &cached, refresh).contains(id);
    let known = cached.remove(id);
    if !due && let Some(known) = known {
        return Ok(known);
    }
    match (session.run(session.engine.scan(&session.world, id, |_| {})), known) {
        (Ok(scan), _) => Ok(scan),
        (Err(problem), _) => Err(problem),
    }
}

fn plain(tag: &str, scan: &Scan) -> Tag {
    Tag {
        name: tag.to_owned(),
        state: None,
        value: None,
        reason: None,
        flags: if scan.new.position(tag).is_some() { vec!["new"] } else { Vec::new() },
        first_seen: None,
        digest: None,
    }
}

/// What is remembered of a tag's digest under a policy, and whether that is another than before.
fn digest_of(reflection: &Reflection, tag: &str) -> (Option<String>, bool) {
    let known = |reference: &Option<Reference>| {
        reference
            .as_ref()
            .filter(|reference| reference.tag == tag)
            .and_then(|reference| reference.digest.clone())
    };
    let (now, before) = (known(&reflection.latest), known(&reflection.previous));
    let moved = now.is_some() && before.is_some() && now != before;
    (now.or(before), moved)
}

/// Every tag in display order: latest, candidates from best to worst, the others in descending byte order.
fn judged(session: &Session, chosen: &Chosen) -> Vec<Tag> {
    let ledger = session.engine.ledger(&session.world, &chosen.repository);
    let first_seen = |tag: &str| ledger.as_ref().and_then(|ledger| ledger.get(tag));
    let (Some(evaluator), Some(evaluation)) = (&chosen.evaluator, &chosen.evaluation) else {
        let all = chosen.scan.tags.iter();
        return all.map(|tag| Tag { first_seen: first_seen(tag), ..plain(tag, &chosen.scan) }).collect();
    };
    let in_files = chosen.policy.as_ref().map(|policy| session.tags_in_files(policy)).unwrap_or_default();
    let policy = chosen.policy.as_ref();
    let reflection =
        policy.map(|policy| session.engine.reflection(&session.world, policy)).unwrap_or_default();
    let order = evaluator.order(&chosen.scan.tags, evaluation);
    // The best of those that are in use; what stands before it is newer.
    let in_use = |index: &u32| {
        chosen.scan.tags.get(*index as usize).is_some_and(|tag| in_files.iter().any(|known| known == tag))
    };
    let rank = order.iter().position(in_use);
    let tags = order.iter().enumerate().filter_map(|(place, index)| {
        let index = *index as usize;
        let tag = chosen.scan.tags.get(index)?;
        let row = evaluator.row(&chosen.scan.tags, evaluation, index);
        let mut flags = Vec::new();
        if in_files.iter().any(|known| known == tag) {
            flags.push("in-files");
        } else if let Some(rank) = rank
            && matches!(row.state, TagState::Latest | TagState::Match)
        {
            flags.push(if place < rank { "newer" } else { "older" });
        }
        if chosen.scan.new.position(tag).is_some() {
            flags.push("new");
        }
        let (digest, moved) = digest_of(&reflection, tag);
        if moved {
            flags.push("digest-moved");
        }
        Some(Tag {
            name: tag.to_owned(),
            state: Some(row.state),
            value: row.value,
            reason: Some(row.reason),
            flags,
            first_seen: first_seen(tag),
            digest,
        })
    });
    tags.collect()
}

/// Why a tag is selected, or not.
struct Why {
    tag: String,
    image: String,
    policy: ObjectId,
    state: TagState,
    explanation: Explanation,
}

impl Document for Why {
    fn kind(&self) -> &'static str {
        "TagExplanation"
    }

    fn json(&self) -> Map<String, Value> {
        let step =
            |step: &ExplanationStep| json!({"step": step.step, "answer": step.answer, "text": step.text});
        let steps: Vec<Value> = self.explanation.steps.iter().map(step).collect();
        Map::from_iter([
            ("tag".to_owned(), json!(self.tag)),
            ("image".to_owned(), json!(self.image)),
            ("policy".to_owned(), json!(self.policy)),
            ("state".to_owned(), json!(self.state.word())),
            ("selected".to_owned(), json!(self.state == TagState::Latest)),
            ("steps".to_owned(), json!(steps)),
            ("fix".to_owned(), json!(self.explanation.fix)),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let clean = super::table::clean;
        let verdict = if self.state == TagState::Latest { "is selected" } else { "is not selected" };
        let mut text = format!("{} {verdict} by {}\n", clean(&self.tag), self.policy);
        for (index, step) in self.explanation.steps.iter().enumerate() {
            let line =
                format!("  {} {:<10} {:<4} {}\n", index + 1, step.step, step.answer, clean(&step.text));
            text.push_str(&line);
        }
        if let Some(fix) = &self.explanation.fix {
            text.push_str("  fix: ");
            text.push_str(&clean(fix));
            text.push('\n');
        }
        Text::Raw(text.into_bytes())
    }

    fn names(&self) -> Vec<String> {
        vec![self.tag.clone()]
    }
}

/// `explain tag REPO TAG`, `why REPO TAG`.
pub(super) fn explain(settings: &Settings, args: &WhyArgs) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let chosen = choose(&session, &args.repository, args.policy.as_deref())?;
    let Some(policy) = &chosen.policy else {
        return Err(Problem::new(
            Code::NotFound,
            chosen.repository.to_string(),
            "no policy uses this repository",
        )
        .hint("Try one without saving it: supercargo eval policy --image …"));
    };
    let (Some(evaluator), Some(evaluation)) = (&chosen.evaluator, &chosen.evaluation) else {
        let evaluated = session.engine.evaluate(&session.world.inventory, policy, Some(&chosen.scan));
        let unknown = || Problem::new(Code::PolicyFailed, policy.meta.id.to_string(), "cannot be evaluated");
        return Err(evaluated.selection.outcome.err().unwrap_or_else(unknown));
    };
    let Some(index) = chosen.scan.tags.position(&args.tag) else {
        let message = format!("{} has no such tag, as of {}", chosen.repository, chosen.scan.scanned);
        let listed_by = format!("supercargo get tags {}", chosen.repository);
        let hint = crate::text::known_names(&args.tag, chosen.scan.tags.iter().take(2000), &listed_by);
        return Err(Problem::new(Code::NotFound, &args.tag, message).hint(hint));
    };
    let image = session.world.inventory.repositories.get(&chosen.repository);
    Ok(Answer::new(Why {
        tag: args.tag.clone(),
        image: image.map(|repository| repository.image.clone()).unwrap_or_default(),
        policy: policy.meta.id.clone(),
        state: evaluator.row(&chosen.scan.tags, evaluation, index).state,
        explanation: evaluator.explain(&chosen.scan.tags, evaluation, index),
    }))
}
