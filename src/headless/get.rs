//! `get`: repositories, policies, automations, and Flux's spellings of them; where the other lists are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::session::{Judged, Reviewed, Session};
use super::{Answer, Document, Streams, Table, Text, follow, holds, tags, updates};
use crate::cli::{GetArgs, GetImage, GetWhat};
use crate::config::Settings;
use crate::domain::controller::{Beside, Reported};
use crate::domain::inventory::{self, Inventory};
use crate::domain::object::{ImagePolicy, ImageRepository, ImageUpdateAutomation, Kind, Meta, ObjectId};
use crate::domain::proposal::Reference;
use crate::domain::status::{Ready, Status};
use crate::engine::{Engine, World, status};
use crate::problem::{Code, Problem};

/// One Flux kind, as `get` shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// The list's `kind`.
    list: &'static str,
    /// The object's kind.
    object: Kind,
    /// Between NAME and READY.
    headings: &'static [&'static str],
    /// After MESSAGE with `-o wide`.
    wide: &'static [&'static str],
    /// What [`Row::keys`] has.
    keys: [&'static [&'static str]; 2],
}

const REPOSITORIES: Shape = Shape {
    list: "RepositoryList",
    object: Kind::ImageRepository,
    headings: &["LAST SCAN", "SUSPENDED"],
    wide: &["IMAGE", "INTERVAL", "TAGS", "NEW"],
    keys: [&["image", "canonical", "interval", "provider"], &["last_scan", "tags", "new", "excluded"]],
};

const POLICIES: Shape = Shape {
    list: "PolicyList",
    object: Kind::ImagePolicy,
    headings: &["IMAGE", "TAG"],
    wide: &["TYPE", "RULE", "REPOSITORY", "SITES"],
    keys: [
        &["repository", "type", "rule", "pattern", "extract", "digest_policy"],
        &["latest", "tie", "controller", "differs", "sites"],
    ],
};

/// The same beside what a cluster says: what is selected here comes last.
const POLICIES_BESIDE: Shape = Shape { wide: &["TYPE", "RULE", "REPOSITORY", "SITES", "HERE"], ..POLICIES };

const AUTOMATIONS: Shape = Shape {
    list: "AutomationList",
    object: Kind::ImageUpdateAutomation,
    headings: &["LAST RUN", "SUSPENDED"],
    wide: &["REMOTE", "PUSH BRANCH", "PATH", "PENDING"],
    keys: [
        &[
            "git_repository",
            "remote",
            "assumed",
            "checkout",
            "push_branch",
            "path",
            "author",
            "policies",
            "pending",
        ],
        &["last_run", "template_warnings"],
    ],
};

/// What one object has to say: what all kinds share, and what is its kind's own.
struct Row {
    meta: Meta,
    status: Status,
    suspended: bool,
    /// Whether no object describes it.
    implied: bool,
    /// The cells below [`Shape::headings`].
    cells: Vec<String>,
    /// The cells below [`Shape::wide`].
    wide: Vec<String>,
    /// Keys of the JSON between the name and `suspended`, and between `message` and `origin`.
    keys: [Value; 2],
}

impl Row {
    fn json(&self) -> Value {
        let shared = [
            json!({ "namespace": self.meta.id.namespace, "name": self.meta.id.name }),
            self.keys[0].clone(),
            json!({
                "suspended": self.suspended, "ready": self.status.ready, "reason": self.status.reason,
                "message": self.status.message,
            }),
            self.keys[1].clone(),
            json!({ "origin": (!self.implied).then_some(&self.meta.origin) }),
        ];
        let keys = shared.into_iter().filter_map(|part| match part {
            Value::Object(keys) => Some(keys),
            _ => None,
        });
        Value::Object(keys.flatten().collect())
    }
}

/// The rows of one kind.
struct List {
    shape: &'static Shape,
    with_namespace: bool,
    rows: Vec<Row>,
}

impl List {
    /// The objects that the settings and a name choose, a row each.
    fn new(
        shape: &'static Shape,
        rows: impl Iterator<Item = Row>,
        session: &Session,
        name: Option<&str>,
    ) -> Result<Self, Problem> {
        let (settings, inventory) = (session.engine.settings(), &session.world.inventory);
        let filter = Filter::new(settings, name)?;
        let mut rows: Vec<Row> = rows.chain(ambiguous_rows(shape, inventory)).collect();
        rows.sort_by(|a, b| a.meta.id.cmp(&b.meta.id));
        let rows = rows.into_iter().filter(|row| filter.admits(&row.meta, &row.status)).collect();
        Ok(Self { shape, with_namespace: settings.all_namespaces, rows })
    }

    fn word(&self) -> String {
        self.shape.object.to_string().to_ascii_lowercase()
    }

    fn table(&self, wide: bool, prefix: &str) -> Table {
        let first = self.with_namespace.then_some("NAMESPACE");
        let extra = if wide { self.shape.wide } else { &[] };
        let headings = first
            .into_iter()
            .chain(["NAME"])
            .chain(self.shape.headings.iter().copied())
            .chain(["READY", "MESSAGE"]);
        let mut table = Table::new(headings.chain(extra.iter().copied()));
        for row in &self.rows {
            let namespace = self.with_namespace.then(|| row.meta.id.namespace.clone());
            let cells = namespace
                .into_iter()
                .chain([format!("{prefix}{}", row.meta.id.name)])
                .chain(row.cells.iter().cloned())
                .chain([row.status.ready.to_string(), row.status.message.clone()])
                .chain(row.wide.iter().filter(|_| wide).cloned());
            table.push(cells);
        }
        table
    }

    fn items(&self) -> impl Iterator<Item = Value> {
        self.rows.iter().map(Row::json)
    }
}

impl Document for List {
    fn kind(&self) -> &'static str {
        self.shape.list
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), self.items().collect())])
    }

    fn text(&self, wide: bool) -> Text {
        if self.rows.is_empty() { Text::Nothing } else { Text::Table(self.table(wide, "")) }
    }

    fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| format!("{}/{}", self.word(), row.meta.id)).collect()
    }
}

/// Flux's `get images all`: the three lists, empty ones left out.
struct All(Vec<List>);

impl Document for All {
    fn kind(&self) -> &'static str {
        "ImageList"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), self.0.iter().flat_map(List::items).collect())])
    }

    fn text(&self, wide: bool) -> Text {
        let lists = self.0.iter().filter(|list| !list.rows.is_empty());
        Text::Tables(lists.map(|list| list.table(wide, &format!("{}/", list.word()))).collect())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Document::names).collect()
    }
}

/// What one `get` is about, tags left aside.
#[derive(Debug, Clone)]
pub(super) enum What {
    Repositories(Option<String>),
    Policies(Option<String>),
    Automations(Option<String>),
    /// Flux's `get images all`.
    All,
    /// The updates of these policies, or of all; and whether the exit tells whether there is one.
    Updates(Vec<String>, bool),
}

impl What {
    fn of(what: &GetWhat) -> Option<Self> {
        Some(match what {
            GetWhat::Repositories { name } | GetWhat::Image { kind: GetImage::Repository { name } } => {
                Self::Repositories(name.clone())
            }
            GetWhat::Policies { name } | GetWhat::Image { kind: GetImage::Policy { name } } => {
                Self::Policies(name.clone())
            }
            GetWhat::Automations { name } | GetWhat::Image { kind: GetImage::Update { name } } => {
                Self::Automations(name.clone())
            }
            GetWhat::Image { kind: GetImage::All } => Self::All,
            GetWhat::Updates { names, exit_code, .. } => Self::Updates(names.clone(), *exit_code),
            GetWhat::Tags(_) | GetWhat::Holds => return None,
        })
    }

    /// The answer on what the session has.
    pub(super) fn answer(&self, session: &mut Session) -> Result<Answer, Problem> {
        match self {
            Self::Repositories(name) => repositories(session, name.as_deref()),
            Self::Policies(name) => policies(session, name.as_deref()),
            Self::Automations(name) => automations(session, name.as_deref()),
            Self::All => all(session),
            Self::Updates(names, exit_code) => updates::get(session, names, *exit_code),
        }
    }
}

/// `get`.
pub(super) fn get(settings: &Settings, args: &GetArgs, streams: &mut Streams<'_>) -> Result<Answer, Problem> {
    let refused = |subject: &str, text: &str, hint: &str| {
        Err(Problem::new(Code::Usage, subject, text.to_owned()).hint(hint.to_owned()))
    };
    match (&args.what, What::of(&args.what)) {
        (GetWhat::Tags(_), _) if args.watch => {
            refused("-w", "get tags shows one moment", "scan -w tells each tag that comes, goes or moves.")
        }
        (GetWhat::Holds, _) if args.watch => {
            refused("-w", "get holds shows one moment", "events -w tells each hold that is made or ended.")
        }
        (GetWhat::Tags(args), _) => tags::tags(settings, args),
        (GetWhat::Holds, _) => holds::get(settings),
        (_, Some(What::Updates(_, true))) if args.watch => {
            refused("--exit-code", "a watch ends by a signal and answers nothing", "Leave -w out.")
        }
        (_, Some(what)) if args.watch => follow::follow(settings, &what, streams),
        (_, Some(what)) => what.answer(&mut Session::open(settings)?),
        (_, None) => Ok(Answer::nothing()),
    }
}

fn repositories(session: &Session, name: Option<&str>) -> Result<Answer, Problem> {
    let judged = session.judge()?;
    let list = List::new(&REPOSITORIES, repository_rows(session, &judged), session, name)?;
    answer(session, list, judged.scan_problems.into_values().collect(), name)
}

fn policies(session: &Session, name: Option<&str>) -> Result<Answer, Problem> {
    let reviewed = session.review()?;
    let list = List::new(policies_of(session), policy_rows(session, &reviewed), session, name)?;
    answer(session, list, reviewed.judged.problems().cloned().collect(), name)
}

fn automations(session: &Session, name: Option<&str>) -> Result<Answer, Problem> {
    let mut reviewed = session.review()?;
    let failing = Engine::template_problems(&reviewed.review, &reviewed.judged.selections);
    reviewed.problems.extend(failing);
    let list = List::new(&AUTOMATIONS, automation_rows(session, &reviewed), session, name)?;
    answer(session, list, reviewed.problems, name)
}

fn all(session: &Session) -> Result<Answer, Problem> {
    let reviewed = session.review()?;
    let lists = vec![
        List::new(&REPOSITORIES, repository_rows(session, &reviewed.judged), session, None)?,
        List::new(policies_of(session), policy_rows(session, &reviewed), session, None)?,
        List::new(&AUTOMATIONS, automation_rows(session, &reviewed), session, None)?,
    ];
    let unread = lists.iter().find_map(|list| session.world.unread(list.shape.object));
    if let Some(unread) = unread.filter(|_| lists.iter().all(|list| list.rows.is_empty())) {
        return Err(unread.clone());
    }
    let exit = if unread.is_some() { 8 } else { 0 };
    Ok(Answer::new(All(lists)).with_problems(reviewed.problems_of(session)).with_exit(exit))
}

/// The exit of `get` is 0 whatever READY says; problems of the source and of scans are listed.
fn answer(
    session: &Session,
    list: List,
    problems: Vec<Problem>,
    name: Option<&str>,
) -> Result<Answer, Problem> {
    let mut all: Vec<Problem> = session.problems();
    all.extend(problems);
    if !list.rows.is_empty() {
        return Ok(Answer::new(list).with_problems(all));
    }
    if let Some(unread) = session.world.unread(list.shape.object) {
        return Err(unread.clone());
    }
    let inventory = &session.world.inventory;
    let known: Vec<&ObjectId> = match list.shape.object {
        Kind::ImageRepository => inventory.repositories.keys().collect(),
        Kind::ImagePolicy => inventory.policies.keys().collect(),
        _ => session.world.automations.iter().map(|automation| &automation.meta.id).collect(),
    };
    let filter = Filter::new(session.engine.settings(), name)?;
    let sentence = filter.nothing(&list.shape.object.to_string(), &known)?;
    Ok(Answer::new(list).with_problems(all).with_note(format!("⚠ {sentence}")))
}

/// A row for each object that several places describe differently: its name, and that nothing follows from it.
fn ambiguous_rows(shape: &'static Shape, inventory: &Inventory) -> impl Iterator<Item = Row> {
    let nulls = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let blank = |columns: &[&str]| vec![String::new(); columns.len()];
    inventory.ambiguous_of(shape.object).filter_map(move |id| {
        let problem = inventory.ambiguity(shape.object, id)?;
        let origin = inventory.ambiguous.get(&(shape.object, id.clone()))?.first()?.clone();
        let status = Status {
            ready: Ready::False,
            reason: Some(Code::Ambiguous.word().into()),
            message: problem.message,
        };
        Some(Row {
            meta: Meta { id: id.clone(), version: String::new(), labels: BTreeMap::new(), origin },
            status,
            suspended: false,
            implied: false,
            cells: blank(shape.headings),
            wide: blank(shape.wide),
            keys: shape.keys.map(nulls),
        })
    })
}

fn policies_of(session: &Session) -> &'static Shape {
    if session.world.live.is_some() { &POLICIES_BESIDE } else { &POLICIES }
}

fn title(flag: bool) -> String {
    if flag { "True" } else { "False" }.to_owned()
}

fn repository_rows(session: &Session, judged: &Judged) -> impl Iterator<Item = Row> {
    let world = &session.world;
    world.inventory.repositories.values().map(|repository| repository_row(repository, world, judged))
}

fn repository_row(repository: &ImageRepository, world: &World, judged: &Judged) -> Row {
    let id = &repository.meta.id;
    let scan = judged.scans.get(id);
    let kept = scan.map(|scan| status::kept(repository, &scan.tags));
    let (status, counts) = status::of_repository(repository, kept.as_ref(), judged.scan_problems.get(id));
    let (kept, excluded) = (counts.map(|counts| counts.kept), counts.map(|counts| counts.excluded));
    // Of what a cluster has, its controllers have the say, as in flux; counts are ours.
    let reported = world.reported(Kind::ImageRepository, id);
    let scanned = match reported {
        Some(reported) => reported.last_scan.as_ref().map(|scan| scan.time.to_string()),
        None => scan.map(|scan| scan.scanned.to_string()),
    };
    let new = scan.map(|scan| scan.new.len());
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    Row {
        meta: repository.meta.clone(),
        status: reported.map_or(status, Reported::status),
        suspended: repository.suspend,
        implied: false,
        keys: [
            json!({
                "image": repository.image, "canonical": status::canonical(repository),
                "interval": repository.interval, "provider": repository.provider,
            }),
            json!({ "last_scan": scanned, "tags": kept, "new": new, "excluded": excluded }),
        ],
        cells: vec![scanned.unwrap_or_default(), title(repository.suspend)],
        wide: vec![repository.image.clone(), repository.interval.to_string(), number(kept), number(new)],
    }
}

fn policy_rows(session: &Session, reviewed: &Reviewed) -> impl Iterator<Item = Row> {
    let world = &session.world;
    world.inventory.policies.values().map(|policy| policy_row(policy, world, reviewed))
}

fn policy_row(policy: &ImagePolicy, world: &World, reviewed: &Reviewed) -> Row {
    let id = &policy.meta.id;
    let evaluated = reviewed.judged.selections.get(id);
    let latest = evaluated.and_then(|evaluated| evaluated.selection.outcome.as_ref().ok());
    let sites = status::sites_of(&reviewed.review.grounds, id);
    let reported = world.reported(Kind::ImagePolicy, id);
    let controller = reported.and_then(|reported| reported.latest.as_ref());
    let scanned = reviewed.judged.scans.get(&policy.repository).map(|scan| scan.scanned);
    let beside = world.beside(policy, latest, scanned);
    let shown = if reported.is_some() { controller } else { latest };
    let mut wide = Vec::from([sites.to_string()]);
    wide.extend(world.live.as_ref().map(|_| here(latest, &beside)));
    let (kind, rule) = match policy.choice.kind_and_rule() {
        Some((kind, rule)) => (Some(kind), Some(rule)),
        None => (None, None),
    };
    let filter = policy.filter.as_ref();
    let cell = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Row {
        meta: policy.meta.clone(),
        status: reported
            .map_or_else(|| status::of_policy(&world.inventory, policy, evaluated), Reported::status),
        suspended: policy.suspend,
        implied: false,
        keys: [
            json!({
                "repository": policy.repository, "type": kind, "rule": rule,
                "pattern": filter.map(|filter| &filter.pattern), "extract": filter.map(|filter| &filter.extract),
                "digest_policy": policy.digest_policy,
            }),
            json!({
                "latest": latest, "tie": evaluated.is_some_and(|evaluated| evaluated.selection.tie),
                "controller": controller, "differs": matches!(beside, Beside::Differs(_)), "sites": sites,
            }),
        ],
        cells: vec![
            cell(shown.map(|latest| latest.image.as_str())),
            cell(shown.map(|latest| latest.tag.as_str())),
        ],
        wide: [cell(kind), cell(rule), policy.repository.to_string()].into_iter().chain(wide).collect(),
    }
}

/// What is selected here, and why a controller has something else.
fn here(latest: Option<&Reference>, beside: &Beside) -> String {
    let tag = latest.map(|latest| latest.tag.clone()).unwrap_or_default();
    match beside {
        Beside::Differs(cause) => format!("{tag} (≠ {})", cause.word()),
        Beside::Agrees | Beside::Unknown => tag,
    }
}

fn automation_rows(session: &Session, reviewed: &Reviewed) -> impl Iterator<Item = Row> {
    session.world.automations.iter().map(|automation| automation_row(session, automation, reviewed))
}

fn automation_row(session: &Session, automation: &ImageUpdateAutomation, reviewed: &Reviewed) -> Row {
    let (id, world) = (&automation.meta.id, &session.world);
    let ground = reviewed.review.grounds.iter().find(|ground| ground.automation == *id);
    let updates = || reviewed.review.proposals.iter().filter(|update| update.automation == *id);
    let pending = updates().count();
    let subject = id.to_string();
    let ran = status::Ran {
        ground,
        problem: reviewed.problems.iter().find(|problem| problem.subject == subject),
        has_changes: updates().any(|update| update.blocked.is_none()),
        selections: &reviewed.judged.selections,
    };
    let git = automation.git.clone().unwrap_or_default();
    let remote = ground.and_then(|ground| ground.remote.clone());
    let push = ground.and_then(|ground| ground.push.as_ref()).map(|push| push.branch.clone());
    let assumed =
        ground.is_some_and(|ground| ground.warnings.iter().any(|warning| warning.code == "assumed_remote"));
    let reported = world.reported(Kind::ImageUpdateAutomation, id);
    let last_run = reported.and_then(|reported| reported.last_run).map(|time| time.to_string());
    Row {
        meta: automation.meta.clone(),
        status: reported.map_or_else(
            || status::of_automation(&session.engine, world, automation, &ran),
            Reported::status,
        ),
        suspended: automation.suspend,
        implied: inventory::is_implied(automation),
        keys: [
            json!({
                "git_repository": automation.source, "remote": remote, "assumed": assumed,
                "checkout": status::checkout(world, automation), "push_branch": push,
                "path": automation.update_path, "author": git.author,
                "policies": ground.map_or(0, |ground| ground.policies.len()), "pending": pending,
            }),
            json!({
                "last_run": last_run, "template_warnings": status::template_warnings(&git.message_template, id),
            }),
        ],
        cells: vec![last_run.unwrap_or_default(), title(automation.suspend)],
        wide: vec![
            remote.unwrap_or_default(),
            push.unwrap_or_default(),
            automation.update_path.clone(),
            pending.to_string(),
        ],
    }
}
