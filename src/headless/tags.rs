//! `get tags` and `explain tag`: the verdict on each tag, and why.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::facts::{self, Facts};
use super::session::{Progress, Session};
use super::{Answer, Document, Table, Text};
use crate::cli::{TagsArgs, WhyArgs};
use crate::config::{Refresh, Settings};
use crate::domain::hold;
use crate::domain::object::{ImagePolicy, Kind, ObjectId};
use crate::domain::policy::{Evaluation, Evaluator, Explanation, ExplanationStep, TagState};
use crate::domain::proposal::{Hold, Reference};
use crate::domain::reflection::Reflection;
use crate::domain::running::Running;
use crate::domain::scan::Scan;
use crate::problem::{Code, Problem};
use crate::store::{KnownImages, Ledger};

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
    created: Option<Timestamp>,
}

/// The flag of a tag that some workload of the cluster runs.
const RUNNING: &str = "running";

/// The flag of a tag that stood for something else before.
const MOVED: &str = "digest-moved";

impl Tag {
    /// With what registries told of it, and nothing changed that a policy holds on to.
    fn known(mut self, images: &KnownImages, ledger: &Ledger) -> Self {
        if ledger.moved(&self.name).is_some() && !self.flags.contains(&MOVED) {
            self.flags.push(MOVED);
        }
        let Some(known) = images.tags.get(&self.name) else { return self };
        let digest = self.digest.get_or_insert_with(|| known.digest.clone());
        self.created = images.images.get(digest).and_then(|image| image.created);
        self
    }
}

struct TagList {
    repository: Option<ObjectId>,
    image: String,
    policy: Option<ObjectId>,
    /// Whether that is what the registry has now, as far as it was to be asked; else it is what an earlier scan found.
    complete: bool,
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
                "flags": tag.flags, "first_seen": tag.first_seen, "digest": tag.digest, "created": tag.created,
            })
        };
        let items: Vec<Value> = self.tags.iter().map(item).collect();
        Map::from_iter([
            ("repository".to_owned(), json!(self.repository)),
            ("image".to_owned(), json!(self.image)),
            ("policy".to_owned(), json!(self.policy)),
            ("complete".to_owned(), json!(self.complete)),
            ("scanned".to_owned(), json!(self.scanned)),
            ("items".to_owned(), json!(items)),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["DIGEST", "CREATED", "REASON"].as_slice() } else { &[] };
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
            let created = tag.created.map(|time| time.to_string());
            let more = [tag.digest.clone(), created, tag.reason.clone()].map(Option::unwrap_or_default);
            table.push(cells.into_iter().chain(more.into_iter().filter(|_| wide)));
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
        if let Some(name) = &args.policy {
            return of_image(settings, image, name, &states);
        }
        if !states.is_empty() {
            return Err(Problem::new(Code::Usage, "--state", "without a policy no tag has a state")
                .hint("Give the policy to judge by with --policy."));
        }
        let mut session = Session::empty(settings)?;
        let scan = match Progress::scan_image(settings, &session.engine, image) {
            Ok(scan) => scan,
            Err(problem) => return Ok(Answer::failed(problem, session.engine.image_problems())),
        };
        let place = session.stand_in(image);
        let chosen = Chosen { place: Some(place), ..judge(&session, None, None, scan) };
        let tags = judged(&session, &chosen, &states, &Running::default());
        let scanned = chosen.scan.scanned;
        let list =
            TagList { repository: None, image: image.clone(), policy: None, complete: true, scanned, tags };
        return Ok(Answer::new(list).with_problems(session.engine.image_problems()));
    }
    let session = Session::open(settings)?;
    let name = args.repository.as_deref().unwrap_or_default();
    let chosen = match choose(&session, name, args.policy.as_deref()) {
        Ok(chosen) => chosen,
        Err(problem) => return Ok(Answer::failed(problem, session.engine.store().take_warnings())),
    };
    let told = facts::learn(&session, &chosen);
    let running = session.running();
    let tags = judged(&session, &chosen, &states, &running);
    let image = chosen.repository.as_ref().and_then(|id| session.world.inventory.repositories.get(id));
    let list = TagList {
        image: image.map(|repository| repository.image.clone()).unwrap_or_default(),
        repository: chosen.repository,
        policy: chosen.policy.map(|policy| policy.meta.id),
        complete: chosen.missed.is_none(),
        scanned: chosen.scan.scanned,
        tags,
    };
    let mut problems = session.problems();
    problems.extend(told);
    problems.extend(running.unread.iter().map(unknown_running));
    problems.extend(chosen.missed.clone());
    Ok(Answer::new(list).with_problems(problems).with_parts(1, chosen.missed.as_slice()))
}

/// That flags of what runs may be missing: no failure of what was asked for.
fn unknown_running(problem: &Problem) -> Problem {
    Problem::new(Code::Skipped, &problem.subject, format!("what runs is not all known: {}", problem.message))
}

/// `get tags --image REF --policy P`: the tags of any image, judged as if the policy were about it.
fn of_image(settings: &Settings, image: &str, policy: &str, states: &[TagState]) -> Result<Answer, Problem> {
    let mut session = Session::open(settings)?;
    let id = session.find(Kind::ImagePolicy, policy, session.world.inventory.policies.keys())?;
    let scan = match Progress::scan_image(settings, &session.engine, image) {
        Ok(scan) => scan,
        Err(problem) => return Ok(Answer::failed(problem, session.problems())),
    };
    let place = session.stand_in(image);
    let policy = session.world.inventory.policies.get(&id).cloned();
    let chosen = Chosen { place: Some(place), ..judge(&session, None, policy, scan) };
    let told = facts::learn(&session, &chosen);
    let tags = judged(&session, &chosen, states, &Running::default());
    let mut problems = session.problems();
    problems.extend(told);
    let (policy, scanned) = (Some(id), chosen.scan.scanned);
    let list = TagList { repository: None, image: image.to_owned(), policy, complete: true, scanned, tags };
    Ok(Answer::new(list).with_problems(problems))
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
pub(super) struct Chosen {
    /// `None`: an image without an object.
    pub(super) repository: Option<ObjectId>,
    /// What registries, and what is kept, are asked by: the repository, or what stands for an image without an object.
    pub(super) place: Option<ObjectId>,
    pub(super) policy: Option<ImagePolicy>,
    pub(super) scan: Scan,
    /// Why the tags are those of an earlier scan, if a scan was due and failed.
    missed: Option<Problem>,
    evaluator: Option<Arc<Evaluator>>,
    pub(super) evaluation: Option<Arc<Evaluation>>,
}

fn choose(session: &Session, name: &str, policy: Option<&str>) -> Result<Chosen, Problem> {
    let inventory = &session.world.inventory;
    let id = session.find(Kind::ImageRepository, name, inventory.repositories.keys())?;
    let policies: Vec<&ImagePolicy> = inventory.policies_on(&id).collect();
    let policy = match (policy, policies.as_slice()) {
        (Some(policy), _) => {
            let found = session.find(Kind::ImagePolicy, policy, inventory.policies.keys())?;
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
    let (scan, missed) = tags_of(session, &id)?;
    Ok(Chosen { missed, ..judge(session, Some(id), policy, scan) })
}

/// The verdict of a policy, if there is one.
fn judge(session: &Session, repository: Option<ObjectId>, policy: Option<ImagePolicy>, scan: Scan) -> Chosen {
    let inventory = &session.world.inventory;
    let evaluated = policy.as_ref().map(|policy| session.engine.evaluate(inventory, policy, Some(&scan)));
    let (evaluator, evaluation) = match evaluated {
        Some(evaluated) => (Some(evaluated.selection.evaluator), evaluated.evaluation),
        None => (None, None),
    };
    Chosen { place: repository.clone(), repository, policy, scan, missed: None, evaluator, evaluation }
}

/// The tags of one repository: cached, or scanned if that is due; where that fails, those of an earlier scan, and why.
pub(super) fn tags_of(session: &Session, id: &ObjectId) -> Result<(Scan, Option<Problem>), Problem> {
    let refresh = session.engine.settings().refresh;
    let mut cached = session.engine.cached(&session.world);
    let due = session.engine.to_scan(&session.world, &cached, refresh).contains(id);
    let known = cached.remove(id);
    if !due && let Some(known) = known {
        return Ok((known, None));
    }
    if refresh == Refresh::Never {
        return Err(crate::engine::not_cached(&id.to_string()));
    }
    let progress = Progress::new(session.engine.settings());
    let began = crate::engine::now();
    let scanned = session.run(session.engine.scan(&session.world, id, began, |at| progress.scan(&at)));
    match (scanned, known) {
        (Ok(scan), _) => Ok((scan, None)),
        // Who ended it wants no answer.
        (Err(problem), Some(known)) if !session.end().is_cancelled() => Ok((known, Some(problem))),
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
        created: None,
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

/// Every tag in one of `states` (all, if none are given) in display order: latest, candidates from best to worst, the
/// others in descending byte order.
fn judged(session: &Session, chosen: &Chosen, states: &[TagState], running: &Running) -> Vec<Tag> {
    let mut tags = all_judged(session, chosen, running);
    tags.retain(|tag| states.is_empty() || tag.state.is_some_and(|state| states.contains(&state)));
    tags
}

fn all_judged(session: &Session, chosen: &Chosen, running: &Running) -> Vec<Tag> {
    let (repository, place) = (chosen.repository.as_ref(), chosen.place.as_ref());
    let ledger = place.and_then(|place| session.engine.ledger(&session.world, place));
    let ledger = ledger.unwrap_or_default();
    let first_seen = |tag: &str| ledger.get(tag);
    let images = place.map(|place| session.engine.known_images(&session.world, place));
    let images = images.unwrap_or_default();
    let image = repository.and_then(|id| session.world.inventory.repositories.get(id));
    let is_running = |tag: &str| image.is_some_and(|one| running.has(&one.image, tag));
    let (Some(evaluator), Some(evaluation)) = (&chosen.evaluator, &chosen.evaluation) else {
        let tag = |name| {
            let mut tag = Tag { first_seen: first_seen(name), ..plain(name, &chosen.scan) };
            if is_running(name) {
                tag.flags.insert(0, RUNNING);
            }
            tag.known(&images, &ledger)
        };
        return chosen.scan.tags.iter().map(tag).collect();
    };
    let in_files = chosen.policy.as_ref().map(|policy| session.tags_in_files(policy)).unwrap_or_default();
    let policy = chosen.policy.as_ref();
    // What is remembered is of the policy's own image.
    let own = policy.filter(|_| repository.is_some());
    let reflection = own.map(|policy| session.engine.reflection(&session.world, policy)).unwrap_or_default();
    let holds = policy.map(|_| session.engine.store().holds().in_force(crate::engine::now()));
    let differs = own.is_some_and(|policy| {
        let latest = evaluation.latest.and_then(|at| chosen.scan.tags.get(at));
        session.world.selects_another(policy, latest)
    });
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
        let is_in_files = in_files.iter().any(|known| known == tag);
        if is_in_files {
            flags.push("in-files");
        }
        if is_running(tag) {
            flags.push(RUNNING);
        }
        if let Some(rank) = rank.filter(|_| !is_in_files)
            && matches!(row.state, TagState::Latest | TagState::Match)
        {
            flags.push(if place < rank { "newer" } else { "older" });
        }
        if chosen.scan.new.position(tag).is_some() {
            flags.push("new");
        }
        if is_held(holds.as_deref().unwrap_or_default(), policy, tag, row.state) {
            flags.push("held");
        }
        if row.state == TagState::Latest && differs {
            flags.push("differs");
        }
        let (digest, moved) = digest_of(&reflection, tag);
        if moved {
            flags.push(MOVED);
        }
        let judged = Tag {
            name: tag.to_owned(),
            state: Some(row.state),
            value: row.value,
            reason: Some(row.reason),
            flags,
            first_seen: first_seen(tag),
            digest,
            created: None,
        };
        Some(judged.known(&images, &ledger))
    });
    tags.collect()
}

/// Whether a person holds a tag: it by its name, or whatever the policy selects.
fn is_held(holds: &[Hold], policy: Option<&ImagePolicy>, tag: &str, state: TagState) -> bool {
    let of_policy = |policy: &ImagePolicy| hold::of(holds, &policy.meta.id, tag, crate::engine::now());
    policy.and_then(of_policy).is_some_and(|hold| hold.tag.is_some() || state == TagState::Latest)
}

/// Why a tag is selected, or not.
struct Why {
    tag: String,
    image: String,
    policy: ObjectId,
    state: TagState,
    explanation: Explanation,
    facts: Facts,
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
            ("metadata".to_owned(), self.facts.json()),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let clean = super::table::clean;
        let verdict = if self.state == TagState::Latest { "is selected" } else { "is not selected" };
        let mut text = format!("{} {verdict} by {}\n", clean(&self.tag), clean(&self.policy.to_string()));
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
        text.push_str(&self.facts.text());
        Text::Raw(text.into_bytes())
    }

    fn names(&self) -> Vec<String> {
        vec![self.tag.clone()]
    }
}

/// That no policy uses a repository; where some are described twice, one of them may.
fn no_policy(session: &Session, repository: String) -> Problem {
    let inventory = &session.world.inventory;
    let ambiguous = inventory.ambiguous_of(Kind::ImagePolicy);
    let mut ambiguous = ambiguous.filter_map(|id| inventory.ambiguity(Kind::ImagePolicy, id));
    match ambiguous.next() {
        Some(first) => first,
        None => Problem::new(Code::NotFound, repository, "no policy uses this repository")
            .hint("Try one without saving it: supercargo eval policy --image …"),
    }
}

/// `explain tag REPO TAG`, `why REPO TAG`.
pub(super) fn explain(settings: &Settings, args: &WhyArgs) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let chosen = choose(&session, &args.repository, args.policy.as_deref())?;
    let repository = chosen.repository.as_ref().map(ToString::to_string).unwrap_or_default();
    let Some(policy) = &chosen.policy else {
        return Err(no_policy(&session, repository));
    };
    let (Some(evaluator), Some(evaluation)) = (&chosen.evaluator, &chosen.evaluation) else {
        let evaluated = session.engine.evaluate(&session.world.inventory, policy, Some(&chosen.scan));
        let unknown = || Problem::new(Code::PolicyFailed, policy.meta.id.to_string(), "cannot be evaluated");
        return Err(evaluated.selection.outcome.err().unwrap_or_else(unknown));
    };
    let Some(index) = chosen.scan.tags.position(&args.tag) else {
        let message = format!("{repository} has no such tag, as of {}", chosen.scan.scanned);
        let listed_by = format!("supercargo get tags {repository} --policy {}", policy.meta.id);
        let hint = crate::text::known_names(&args.tag, chosen.scan.tags.iter().take(2000), &listed_by);
        return Err(Problem::new(Code::NotFound, &args.tag, message).hint(hint));
    };
    let image = chosen.repository.as_ref().and_then(|id| session.world.inventory.repositories.get(id));
    let (facts, told) = Facts::of(&session, &chosen, &args.tag);
    let mut explanation = evaluator.explain(&chosen.scan.tags, evaluation, index);
    let now = crate::engine::now();
    let holds = session.engine.store().holds().in_force(now);
    let held = hold::of(&holds, &policy.meta.id, &args.tag, now).map(hold::text);
    if let (Some(step), Some(held)) =
        (explanation.steps.last_mut(), held.or_else(|| facts.held(settings.min_age)))
        && step.step == "held"
    {
        "yes".clone_into(&mut step.answer);
        step.text = held;
    }
    let mut problems = session.problems();
    problems.extend(told);
    problems.extend(chosen.missed.clone());
    let answer = Answer::new(Why {
        tag: args.tag.clone(),
        image: image.map(|repository| repository.image.clone()).unwrap_or_default(),
        policy: policy.meta.id.clone(),
        state: evaluator.row(&chosen.scan.tags, evaluation, index).state,
        explanation,
        facts,
    });
    Ok(answer.with_problems(problems).with_parts(1, chosen.missed.as_slice()))
}
