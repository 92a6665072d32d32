//! The screen of the scenario `fleet` without a terminal and without a network: keys and answers in, frames out.
//!
//! Answers come from the scenario's files and tag lists; clock, commits and sizes are fixed.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use supercargo::app::effect::{Effect, JobId, PlanWish};
use supercargo::app::keymap::Key;
use supercargo::app::layout::Size;
use supercargo::app::message::{Loaded, LookedThrough, MergeAhead, Msg, Prepared, Proposed};
use supercargo::app::moment::Moment;
use supercargo::app::review::Newer;
use supercargo::app::state::State;
use supercargo::app::update::{start, update};
use supercargo::app::world::{Glanced, Glimpse, Sightings, Told, Verdict};
use supercargo::domain::age::Clocks;
use supercargo::domain::branch::{Destination, Guard, Guarded, Onto};
use supercargo::domain::hold;
use supercargo::domain::inventory::{Inventory, is_below, targets};
use supercargo::domain::keep::{Means, Offer, RollBack, narrowed, pattern};
use supercargo::domain::landing::{Brought, Landed, LandingStep, Merge, Merged};
use supercargo::domain::lint::{
    Known, Survey, Tree, World, look, survey, unmarked_below, unmarked_elsewhere,
};
use supercargo::domain::manifest;
use supercargo::domain::object::{ImageUpdateAutomation, ObjectId, Person};
use supercargo::domain::plan::{
    Base, BuildOptions, Committing, Ground, MarkedFile, Plan, ProblemFile, PushTarget, Review, Selection,
    Warning, propose,
};
use supercargo::domain::policy::{Evaluator, TagState};
use supercargo::domain::proposal::{Hold, Proposal, Reference};
use supercargo::domain::request::Request;
use supercargo::domain::scan::{Scan, Transfer};
use supercargo::domain::tags::TagList;
use supercargo::domain::trial::Trial;
use supercargo::problem::{Code, Problem};
use supercargo::source::edit::{self, FieldChange};
use supercargo::source::files::{SourceFile, parse, read_work_tree};
use supercargo::theme::{Depth, Role, Theme};
use supercargo::views::{self, Look};

/// The time of every frame.
pub const NOW: &str = "2026-11-22T14:06:00Z";
const BASE: &str = "4c1f0e2a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e";
const OURS: &str = "8d2e91b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6";

/// The program with the scenario behind it.
pub struct Screen {
    pub state: State,
    /// Repositories whose scans do not answer.
    pub silent: Vec<ObjectId>,
    /// What registries tell of tags.
    pub told: Vec<Told>,
    /// Branches whose names have to be typed.
    pub protected: Vec<Guarded>,
    /// Whether the remote does not answer when a push is prepared.
    pub unreached: bool,
    /// Whether a push does not end.
    pub stalled: bool,
    /// Why a merge cannot be made.
    pub conflict: Option<Problem>,
    tags: BTreeMap<ObjectId, Vec<String>>,
    inventory: Arc<Inventory>,
    files: BTreeMap<String, Vec<u8>>,
    selections: BTreeMap<ObjectId, Selection>,
}

pub fn id(text: &str) -> ObjectId {
    let (namespace, name) = text.split_once('/').unwrap();
    ObjectId::new(namespace, name)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/fleet")
}

impl Screen {
    /// The program as it stands when everything was scanned and compared.
    pub fn new(width: u16, height: u16) -> Self {
        let mut screen = Self::loading(width, height, &[]);
        screen.hold_mysql();
        screen
    }

    /// The program while the scans of `silent` do not answer.
    pub fn loading(width: u16, height: u16, silent: &[&str]) -> Self {
        let mut screen = Self::closed(width, height);
        screen.silent = silent.iter().map(|text| id(text)).collect();
        let effects = start(&mut screen.state);
        screen.answer(effects);
        screen
    }

    /// The program before its first question.
    pub fn closed(width: u16, height: u16) -> Self {
        let tree = read_work_tree(&root().join("files")).unwrap();
        let inventory = Arc::new(parse(&tree.files, "flux-system").inventory);
        let tags =
            inventory.repositories.iter().map(|(id, repository)| (id.clone(), tags_of(&repository.image)));
        let mut state = State::default();
        (state.size, state.now, state.operator) = (Size { width, height }, at(NOW), "rita".to_owned());
        state.protected_branches = vec!["main".to_owned()];
        "prod-eu".clone_into(&mut state.source);
        state.offer_themes(["default-dark", "mono"].map(str::to_owned).into(), "default-dark");
        let tags = tags.collect();
        let mut files = BTreeMap::new();
        read_all(&root().join("files"), &root().join("files"), &mut files);
        let mut screen = Self {
            state,
            silent: Vec::new(),
            told: Vec::new(),
            protected: Vec::new(),
            unreached: false,
            stalled: false,
            conflict: None,
            tags,
            inventory,
            files,
            selections: BTreeMap::new(),
        };
        screen.send(Msg::Now(Moment(60_000), at(NOW)));
        screen
    }

    /// Takes every object away, so that nothing is found.
    pub fn nothing(width: u16, height: u16) -> Self {
        let mut screen = Self::closed(width, height);
        let Some(Effect::Load(job)) = start(&mut screen.state).into_iter().next() else { panic!("no load") };
        let tried = ["folder /srv/fleet: 12 YAML files, none with a Flux image object", "kube context: none"];
        screen.send(Msg::NothingFound(job, tried.iter().map(ToString::to_string).collect()));
        screen
    }

    /// More tags in a repository, before anything was asked.
    pub fn add_tags(&mut self, repository: &str, tags: impl IntoIterator<Item = String>) {
        self.tags.get_mut(&id(repository)).unwrap().extend(tags);
    }

    /// Begins; for a [`Self::closed`] program.
    pub fn open(&mut self) {
        let effects = start(&mut self.state);
        self.answer(effects);
    }

    /// Presses keys, written as in the table of actions, with blanks between them, and lets the preview follow.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.send(Msg::Key(key.parse::<Key>().unwrap()));
        }
        self.pass(80)
    }

    /// Lets so many milliseconds pass.
    pub fn pass(&mut self, milliseconds: u64) -> &mut Self {
        self.send(Msg::Now(self.state.at.plus(milliseconds), self.state.now));
        self
    }

    /// Types a text.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.send(Msg::Key(Key::char(c)));
        }
        self
    }

    /// Lets the guard time of a dialog pass.
    pub fn wait(&mut self) -> &mut Self {
        self.send(Msg::Drawn(self.state.at));
        self.pass(2_000)
    }

    /// Hands over a message, and then the answers to all that it asks for, in the order of the questions.
    pub fn send(&mut self, msg: Msg) {
        let mut queue = VecDeque::from([msg]);
        while let Some(msg) = queue.pop_front() {
            let effects = update(&mut self.state, msg);
            queue.extend(self.answers(effects));
        }
    }

    fn answer(&mut self, effects: Vec<Effect>) {
        self.answers(effects).into_iter().for_each(|msg| self.send(msg));
    }

    fn answers(&mut self, effects: Vec<Effect>) -> Vec<Msg> {
        let mut answers = Vec::new();
        for effect in effects {
            match effect {
                Effect::Load(job) | Effect::LoadAnew(job) => answers.push(self.load(job)),
                Effect::Scan(job, ids) => answers.extend(ids.iter().map(|id| self.scan(job, id))),
                Effect::Evaluate { policies, .. } => {
                    answers.extend(policies.iter().filter_map(|id| self.evaluate(id)));
                }
                Effect::Try { job, policy, trial } => answers.push(self.attempt(job, &policy, trial)),
                Effect::Propose { job, .. } => answers.push(self.propose(job)),
                Effect::Find { job, haystack, typed } => haystack.search(&typed, |hits| {
                    answers.push(Msg::Found(job, hits));
                    true
                }),
                Effect::LookThrough(job) => answers.push(self.look_through(job)),
                Effect::Prepare { job, wish: PlanWish { updates, messages, destination, .. } } => {
                    answers.push(self.prepare(job, &updates, (&messages, &destination)));
                }
                Effect::Push { .. } if self.stalled => {}
                Effect::Push { job, plan, dry_run, requests } => {
                    answers.extend(push(job, &plan, (dry_run, requests)));
                }
                Effect::LookAtMerge { job, merge, always_commit } => {
                    answers.push(merge_ahead(job, &merge, always_commit, self.conflict.clone()));
                }
                Effect::Merge { job, merge, dry_run, .. } => answers.extend(merged(job, merge, dry_run)),
                Effect::Describe { job, repository, tags } => {
                    let told = tags.iter().filter_map(|tag| self.told.iter().find(|told| told.tag == *tag));
                    answers.extend(
                        told.map(|told| Msg::Described(job, repository.clone(), Box::new(told.clone()))),
                    );
                }
                Effect::FirstSeen { job, repository, tags } => {
                    let sightings = Box::new(Sightings::of(tags, |tag| Some(first_seen(tag))));
                    answers.push(Msg::FirstSeen { job, repository, sightings, moved: vec![] });
                }
                Effect::RollBack { job, policy, tag } => answers.push(self.roll_back(job, &policy, &tag)),
                Effect::Glance { job, tags, .. } => {
                    let glanced = tags.into_iter().map(glanced).collect();
                    answers.push(Msg::Glanced(job, glanced));
                }
                _ => {}
            }
        }
        answers
    }

    fn prepare(
        &self,
        job: JobId,
        updates: &[Proposal],
        (messages, destination): (&BTreeMap<ObjectId, String>, &Destination),
    ) -> Msg {
        let who = "rita@bastion".to_owned();
        let split = destination.split;
        let options = BuildOptions {
            now: at(NOW),
            who,
            messages,
            author: None,
            split,
            check: supercargo::source::edit::check,
        };
        let mut grounds = self.grounds();
        for ground in &mut grounds {
            let (Some(base), Some(push)) = (&ground.base, &mut ground.push) else { continue };
            match &destination.onto {
                Onto::Push => {}
                Onto::Checkout => {
                    base.reference.trim_start_matches("refs/heads/").clone_into(&mut push.branch);
                }
                Onto::Named(name) => {
                    push.branch = name
                        .replace("{automation}", &ground.automation.name)
                        .replace("{plan}", "7f3c9a01b2c4");
                    (push.commit, push.behind) = (None, None);
                }
            }
        }
        for base in grounds.iter_mut().filter_map(|ground| ground.base.as_mut()) {
            base.stale = self.unreached;
            base.fetched = if base.stale { base.fetched } else { at(NOW) };
        }
        let (plan, _) = Plan::build(updates.to_vec(), &grounds, &self.selections, &options);
        Msg::Prepared(job, Ok(Box::new(Prepared { plan, protected: self.protected.clone(), moved: vec![] })))
    }

    fn attempt(&self, job: JobId, policy: &ObjectId, trial: Trial) -> Msg {
        let repository = &self.inventory.policies[policy].repository;
        let tags = Arc::new(TagList::from_unsorted(self.tags[repository].clone()));
        let before = self.state.verdicts.get(policy).map(|verdict| Arc::clone(&verdict.evaluation));
        let repository = &self.inventory.repositories[repository];
        let mut tried = trial.run(&repository.exclusions(), &tags, before);
        tried.took = Duration::from_micros(400);
        tried.look(&self.state.review.grounds, policy, &repository.image);
        Msg::Tried(job, Some(Arc::new(tried)))
    }

    /// What going back takes, with the lines that would change in the scenario's files.
    fn roll_back(&self, job: JobId, policy: &ObjectId, tag: &str) -> Msg {
        let found = &self.inventory.policies[policy];
        let ground =
            self.state.review.grounds.iter().find(|ground| ground.policies.contains(policy)).unwrap();
        let sources: Vec<SourceFile> = self
            .files
            .iter()
            .map(|(path, bytes)| SourceFile { path: path.clone(), bytes: bytes.clone() })
            .collect();
        let offer = |means, id: &ObjectId, change: FieldChange| {
            let places = edit::places(&sources, "flux-system", change.field().kind());
            let place = &places[id][0];
            let text = std::str::from_utf8(&self.files[&place.file]).unwrap();
            let edit = edit::change(text, place, id, &change).unwrap().unwrap();
            Offer { means, edits: Ok(vec![(ground.remote.clone().unwrap(), edit)]), note: None }
        };
        let selected = &self.selections[policy].outcome.as_ref().unwrap().tag;
        let narrow = match &found.choice.semver {
            Some(semver) => offer(Means::Narrow, policy, FieldChange::Range(narrowed(&semver.range, tag))),
            None => Offer { means: Means::Narrow, edits: Err("it has no range".to_owned()), note: None },
        };
        let exclude = FieldChange::Exclude(vec![pattern(selected)]);
        let offers = vec![
            offer(Means::Suspend, &ground.automation, FieldChange::Suspend),
            offer(Means::Exclude, &found.repository, exclude),
            narrow,
        ];
        let image = self.selections[policy].image.clone();
        let reference = Reference { image, tag: tag.to_owned(), digest: None };
        Msg::RollBack(job, Ok(Box::new(RollBack { reference, offers })))
    }

    /// All files of the scenario, those below the path of an automation in its repository alone.
    fn look_through(&self, job: JobId) -> Msg {
        let objects = World::new(&self.inventory, &Known::default());
        let grounds = &self.state.review.grounds;
        let mut trees: BTreeMap<&Option<String>, Tree> = BTreeMap::new();
        for ground in grounds.iter().filter(|ground| ground.base.is_some()) {
            let (peers, others): (Vec<&Ground>, Vec<&Ground>) =
                grounds.iter().partition(|other| other.remote == ground.remote);
            let peers: Vec<&ObjectId> = peers.iter().map(|peer| &peer.automation).collect();
            let mut tree = Tree {
                remote: ground.remote.clone(),
                commit: ground.stands_on().map(|(_, commit)| commit.to_owned()),
                ..Tree::default()
            };
            let own =
                self.files.iter().filter(|(file, _)| !others.iter().any(|other| is_below(file, &other.path)));
            own.filter_map(|(file, bytes)| look(file, bytes, &objects, &peers))
                .for_each(|found| tree.add(found));
            trees.insert(&ground.remote, tree);
        }
        let trees: Vec<Tree> = trees.into_values().collect();
        let unmarked = unmarked_below(grounds, &trees);
        let elsewhere = unmarked_elsewhere(grounds, &trees);
        let survey = self.survey(grounds, &trees);
        Msg::LookedThrough(job, Box::new(LookedThrough { unmarked, elsewhere, survey }))
    }

    fn load(&self, job: JobId) -> Msg {
        let loaded = Loaded {
            source: "prod-eu".to_owned(),
            inventory: Arc::clone(&self.inventory),
            problems: vec![],
            cached: BTreeMap::new(),
            failed: BTreeMap::new(),
            drafts: vec![],
            live: None,
            without_cluster: false,
        };
        Msg::Loaded(job, Ok(Box::new(loaded)))
    }

    fn scan(&self, job: JobId, repository: &ObjectId) -> Msg {
        if self.silent.contains(repository) {
            let seen = self.tags[repository].len();
            return Msg::ScanProgress { job, repository: repository.clone(), seen };
        }
        if *repository == id("edge/legacy") {
            let message = "401 unauthorised from registry.example.com";
            let problem = Problem::new(Code::RegistryUnauthorized, "edge/legacy", message)
                .cause("GET https://registry.example.com/v2/edge/legacy/tags/list → 401")
                .hint("Fix .dockerconfigjson in edge/regcred, then press r here.");
            return Msg::ScanFailed { job, repository: repository.clone(), problem };
        }
        let tags = TagList::from_unsorted(self.tags[repository].clone());
        let new: Vec<&str> = tags.iter().take(2).collect();
        let transfer = Transfer {
            pages: 1,
            requests: 2,
            bytes: 4_096,
            wall: Duration::from_millis(412),
            credential: "anonymous".to_owned(),
            budget: None,
        };
        let new = Arc::new(TagList::from_unsorted(new));
        let scan = Scan {
            tags: Arc::new(tags.clone()),
            scanned: at("2026-11-22T14:02:00Z"),
            new,
            transfer: Some(transfer),
        };
        Msg::TagsListed(job, repository.clone(), scan)
    }

    fn evaluate(&mut self, policy: &ObjectId) -> Option<Msg> {
        let found = &self.inventory.policies[policy];
        let repository = &self.inventory.repositories[&found.repository];
        let scan = self.state.scans.get(&found.repository).and_then(|scan| scan.found.clone())?;
        let evaluator = Evaluator::new(&found.choice, found.filter.as_ref(), &repository.exclusions());
        let evaluator = Arc::new(evaluator.of_repository(found.repository.clone()));
        let evaluation = evaluator.evaluate(&scan.tags);
        let reference = evaluation.latest.and_then(|index| scan.tags.get(index)).map(|tag| Reference {
            image: repository.image.clone(),
            tag: tag.to_owned(),
            digest: (found.meta.id.name == "podinfo").then(|| format!("sha256:0d44c1aa{:056}", 0)),
        });
        let problem = evaluation.error.as_ref().map(|error| error.problem(policy.to_string()));
        let outcome = match (&reference, &problem) {
            (Some(reference), _) => Ok(reference.clone()),
            (None, Some(problem)) => Err(problem.clone()),
            (None, None) => Err(Problem::new(Code::PolicyFailed, policy.to_string(), "selects nothing")),
        };
        let hours = match policy.name.as_str() {
            "checkout-api" => "2026-11-22T13:52:00Z",
            "podinfo" => "2026-11-22T12:02:00Z",
            _ => "2026-11-19T12:02:00Z",
        };
        let selection = Selection {
            image: repository.image.clone(),
            outcome,
            why: evaluator.why(&evaluation),
            clocks: Clocks::of(None, Some(at(hours)), false),
            tie: evaluation.tie,
            evaluator: Arc::clone(&evaluator),
        };
        self.selections.insert(policy.clone(), selection);
        let order = evaluator.order(&scan.tags, &evaluation);
        let tags = Arc::clone(&scan.tags);
        let took = Duration::from_micros(400);
        let evaluation = Arc::new(evaluation);
        let verdict =
            Verdict { tags, evaluator, evaluation, order, reference, problem, took, ask_again: None };
        Some(Msg::Evaluated(policy.clone(), Arc::new(verdict)))
    }

    fn grounds(&self) -> Vec<Ground> {
        self.inventory.automations.values().map(|automation| self.ground(automation)).collect()
    }

    fn ground(&self, automation: &ImageUpdateAutomation) -> Ground {
        let source = &self.inventory.git_repositories[&automation.source];
        let targets = targets(automation, source.reference.as_ref()).unwrap();
        let path = automation.update_path.trim_start_matches("./");
        let git = automation.git.as_ref().unwrap();
        let (mut files, mut problem_files) = (Vec::new(), Vec::new());
        for (name, bytes) in self.files.iter().filter(|(name, _)| name.starts_with(path)) {
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            if !manifest::is_candidate(name, bytes) {
                continue;
            }
            match MarkedFile::read(name.as_str(), text.to_owned()) {
                Ok(file) => files.push(file),
                Err(error) => problem_files.push(ProblemFile { path: name.clone(), error }),
            }
        }
        let policies = self.inventory.policies_of(automation).unwrap();
        let active = "automation apps-main is active and overwrites image-updates when it next commits (controller default).";
        let warnings =
            if automation.suspend { vec![] } else { vec![Warning::new("automation_active", active)] };
        Ground {
            automation: automation.meta.id.clone(),
            policies: policies.iter().map(|policy| policy.meta.id.clone()).collect(),
            path: path.to_owned(),
            remote: Some(source.url.clone()),
            base: Some(Base {
                reference: "refs/heads/main".to_owned(),
                commit: BASE.to_owned(),
                fetched: at("2026-11-22T14:01:00Z"),
                stale: false,
            }),
            push: Some(PushTarget {
                branch: targets.push_branch,
                commit: Some(BASE.to_owned()),
                behind: Some(0),
                refspec: None,
                options: BTreeMap::new(),
                elsewhere: false,
            }),
            author: git.author.clone(),
            committing: Committing {
                committer: Some(Person { name: "Rita Ops".to_owned(), email: "rita@example.com".to_owned() }),
                signer: (!automation.suspend).then(|| "the operator's ssh key rita@bastion".to_owned()),
                key: None,
                trailers: vec![],
            },
            template: git.message_template.clone(),
            template_values: None,
            warnings,
            files: files.into(),
            problem_files,
            texts: self
                .files
                .iter()
                .filter_map(|(name, bytes)| Some((name.clone(), std::str::from_utf8(bytes).ok()?.into())))
                .collect(),
        }
    }

    fn survey(&self, grounds: &[Ground], trees: &[Tree]) -> Survey {
        let found = |id| Some((id, self.state.scans.get(id)?.found.as_ref()?.tags.len()));
        let known = Known {
            outcomes: self.selections.iter().map(|(id, selection)| (id, &selection.outcome)).collect(),
            tags: self.inventory.repositories.keys().filter_map(found).collect(),
            ..Known::default()
        };
        survey(grounds, trees, &World::new(&self.inventory, &known))
    }

    fn propose(&self, job: JobId) -> Msg {
        let grounds = Arc::new(self.grounds());
        let review = Review::new(Arc::clone(&grounds), propose(&grounds, &self.selections));
        let survey = self.survey(&grounds, &[]);
        let proposed = Proposed {
            updates: review.proposals,
            files: review.files,
            problem_files: review.problem_files,
            grounds,
            selections: Arc::new(self.selections.clone()),
            kept: false,
            decided: None,
            survey,
            holds: self.state.review.holds.clone(),
            problems: vec![],
        };
        Msg::Proposed(job, Ok(proposed))
    }

    /// A hold, as an operator would have made it.
    fn hold_mysql(&mut self) {
        let mut updates = self.state.review.updates().to_vec();
        let held = Hold {
            policy: ObjectId::new("data", "mysql"),
            tag: None,
            until: at("2026-12-01T00:00:00Z"),
            reason: "triage".to_owned(),
            by: "rita".to_owned(),
            since: at(NOW),
        };
        self.state.review.holds = vec![held];
        hold::apply(&mut updates, &self.state.review.holds, at(NOW));
        self.state.review.replace(updates, &Newer::All);
        supercargo::app::rows::refresh(&mut self.state);
        self.state.updates.go_to_index(0);
    }

    /// What is drawn, in characters, right-trimmed.
    pub fn frame(&self) -> String {
        text_of(&self.drawn(&Theme::fallback(Depth::True), false))
    }

    /// What is drawn where there is only ASCII and no colour.
    pub fn ascii(&self) -> String {
        text_of(&self.drawn(&Theme::fallback(Depth::Mono), true))
    }

    /// The role of each cell, as a letter; below it which cells have the background of the cursor row.
    pub fn roles(&self) -> String {
        let buffer = self.drawn(&Theme::numbered(), false);
        let mut dump = rows(&buffer, |cell| match cell.fg {
            _ if cell.symbol() == " " => ' ',
            Color::Indexed(role) => letter(role),
            _ => '?',
        });
        let cursor = Color::Indexed(Role::CursorRow as u8);
        for y in 0..buffer.area.height {
            let under: Vec<u16> = (0..buffer.area.width).filter(|x| buffer[(*x, y)].bg == cursor).collect();
            if let (Some(first), Some(last)) = (under.first(), under.last()) {
                let range = format!("cursor row {y}: {first}..={last}\n");
                dump += &range;
            }
        }
        let used: Vec<String> = Role::ALL
            .iter()
            .filter(|role| {
                dump.lines()
                    .take(usize::from(buffer.area.height))
                    .any(|row| row.contains(letter(**role as u8)))
            })
            .map(|role| format!("{} {}", letter(*role as u8), role.name()))
            .collect();
        dump + &used.join(", ") + "\n"
    }

    /// What is drawn, as bytes that a terminal shows in the colours of `theme`.
    pub fn ansi(&self, theme: &Theme) -> String {
        let buffer = self.drawn(theme, false);
        let mut text = String::new();
        for y in 0..buffer.area.height {
            for x in 0..buffer.area.width {
                let cell = &buffer[(x, y)];
                text += "\x1b[0";
                text += &sgr(cell);
                text += "m";
                text += cell.symbol();
            }
            text.push_str("\x1b[0m\n");
        }
        text
    }

    /// The buffer after drawing once.
    pub fn drawn(&self, theme: &Theme, ascii: bool) -> Buffer {
        let Size { width, height } = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        views::draw(&mut buffer, &self.state, Look { theme, ascii });
        buffer
    }
}

/// When a tag of the frames was first seen.
fn first_seen(tag: &str) -> Timestamp {
    at(match tag.get(..12).unwrap_or(tag) {
        "main-9b1d3e7" | "main-8e20b11" => "2026-11-22T14:02:00Z",
        "main-77ac0d4" => "2026-11-22T13:40:00Z",
        "main-4f2a91c" => "2026-11-22T09:11:00Z",
        "main-0aa11b2" | "main-0aa11b3" => "2026-11-21T10:00:00Z",
        "pr-1182-3c9d" => "2026-11-22T13:58:00Z",
        "v2.14.0" => "2026-11-18T10:00:00Z",
        _ => "2025-11-02T10:00:00Z",
    })
}

/// What a registry tells of a tag for its row.
fn glanced(tag: String) -> Glanced {
    let number = tag.bytes().fold(7_u64, |number, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
    let glimpse = Glimpse {
        digest: format!("sha256:{number:016x}{:048}", 0),
        created: Some(first_seen(&tag) - jiff::SignedDuration::from_mins(20)),
        is_moved: false,
    };
    Glanced { tag, glimpse: Some(glimpse), is_settled: true }
}

/// The steps of a push, and its result.
fn push(job: JobId, plan: &Plan, (dry_run, requests): (bool, bool)) -> Vec<Msg> {
    let steps = [
        ("git fetch ssh://git@git.example.com/ops/fleet.git main", 412),
        ("commit tree of 2 files, parent 4c1f0e2", 3),
        ("git push ssh://git@git.example.com/ops/fleet.git 8d2e91b:refs/heads/image-updates", 1_104),
        ("git ls-remote ssh://git@git.example.com/ops/fleet.git", 301),
    ];
    let steps = steps.map(|(text, millis)| LandingStep::begun(text).ended(millis));
    let landed = plan.groups.iter().map(|group| Landed {
        automation: group.automation.clone(),
        remote: group.remote.clone().unwrap(),
        branch: group.push.as_ref().unwrap().branch.clone(),
        also: Vec::new(),
        missed: None,
        created: false,
        base: BASE.to_owned(),
        commit: Some(OURS.to_owned()),
        pushed: !dry_run,
        verified: !dry_run,
        already: false,
        credential: Some("secret flux-system/fleet".to_owned()),
        request: requests.then(|| Request::open(Some(418), "https://git.example.com/ops/fleet/pulls/418")),
        error: None,
    });
    let mut messages: Vec<Msg> = steps.map(|step| Msg::Pushing(job, step)).into();
    messages.push(Msg::Pushed(job, Ok(landed.collect())));
    messages
}

/// What a merge would do: `main` can be moved.
fn merge_ahead(job: JobId, merge: &Merge, always_commit: bool, conflict: Option<Problem>) -> Msg {
    let ahead = MergeAhead {
        merged: outcome(merge, !always_commit, true),
        protected: Some(Guard::Read),
        frozen: None,
    };
    Msg::MergeAhead(job, conflict.map_or(Ok(Box::new(ahead)), Err))
}

fn outcome(merge: &Merge, fast_forward: bool, dry_run: bool) -> Merged {
    Merged {
        automation: None,
        remote: merge.remote.clone(),
        branch: merge.into.clone(),
        created: false,
        base: BASE.to_owned(),
        tip: OURS.to_owned(),
        commit: Some(OURS.to_owned()),
        pushed: !dry_run,
        verified: !dry_run,
        already: false,
        fast_forward,
        brings: Some(vec![Brought {
            author: Person { name: "Ann".to_owned(), email: "ann@example.com".to_owned() },
            subject: "Update podinfo to 6.6.1".to_owned(),
        }]),
        credential: None,
        request: None,
        error: None,
    }
}

fn merged(job: JobId, merge: Merge, dry_run: bool) -> Vec<Msg> {
    let remote = &merge.remote;
    let steps = [
        (format!("git fetch {remote} {} {}", merge.from, merge.into), 412),
        (format!("git push {remote} 8d2e91b:refs/heads/{}", merge.into), 1_104),
    ];
    let steps = steps.map(|(text, millis)| LandingStep::begun(text).ended(millis));
    let landed = outcome(&merge, true, dry_run).landed(merge.automation);
    steps
        .map(|step| Msg::Pushing(job, step))
        .into_iter()
        .chain([Msg::Pushed(job, Ok(vec![landed]))])
        .collect()
}

/// Every file below `folder`, by its path from `root`.
fn read_all(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

fn tags_of(image: &str) -> Vec<String> {
    let path = root().join("tags").join(format!("{image}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| line.replace("\\x1b", "\x1b")).collect()
}

fn sgr(cell: &ratatui::buffer::Cell) -> String {
    let colour = |colour: Color, base: u8| match colour {
        Color::Rgb(r, g, b) => format!(";{base};2;{r};{g};{b}"),
        Color::Indexed(index) => format!(";{base};5;{index}"),
        _ => String::new(),
    };
    let modifiers = [
        (Modifier::BOLD, ";1"),
        (Modifier::DIM, ";2"),
        (Modifier::ITALIC, ";3"),
        (Modifier::UNDERLINED, ";4"),
        (Modifier::REVERSED, ";7"),
    ];
    let added: String = modifiers
        .iter()
        .filter(|(modifier, _)| cell.modifier.contains(*modifier))
        .map(|(_, code)| *code)
        .collect();
    format!("{}{}{added}", colour(cell.fg, 38), colour(cell.bg, 48))
}

fn letter(role: u8) -> char {
    let letters = b".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
    letters.get(usize::from(role)).map_or('?', |letter| char::from(*letter))
}

/// The characters of a buffer, a row a line, right-trimmed.
pub fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

fn rows(buffer: &Buffer, glyph: impl Fn(&ratatui::buffer::Cell) -> char) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| glyph(&buffer[(x, y)])).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// How many tags of each state there are; for tests that look for one.
pub fn count(verdict: &Verdict, state: TagState) -> usize {
    verdict.evaluation.states.iter().filter(|found| **found == state).count()
}
