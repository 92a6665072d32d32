//! `get`: repositories, policies, automations, and Flux's spellings of them; where the other lists are.

mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::rows::{automation_rows, policy_rows, repository_rows};
use super::filter::Filter;
use super::scope::Scope;
use super::session::Session;
use super::{Answer, Document, Streams, Table, Text, follow, holds, tags, updates};
use crate::cli::{GetArgs, GetImage, GetWhat};
use crate::config::Settings;
use crate::domain::branch::Onto;
use crate::domain::inventory::Inventory;
use crate::domain::object::{Kind, Meta, ObjectId, Origin};
use crate::domain::status::{Ready, Status};
use crate::engine::{Engine, World};
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
    /// The controller's conditions; none where no controller says anything.
    conditions: Vec<(String, Ready)>,
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
        let rows =
            rows.into_iter().filter(|row| filter.admits(&row.meta, &row.status, &row.conditions)).collect();
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
        let mut items = Vec::new();
        for list in &self.0 {
            let kind = json!(list.shape.object.to_string());
            // Several kinds stand side by side: each item says which it is.
            items.extend(list.items().map(|mut item| {
                item["kind"] = kind.clone();
                item
            }));
        }
        Map::from_iter([("items".to_owned(), Value::Array(items))])
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

    /// What of a world the list is about: about the rest nobody is asked.
    ///
    /// # Errors
    /// A selector that is none.
    pub(super) fn scope(&self, settings: &Settings, world: &World) -> Result<Scope, Problem> {
        let inventory = &world.inventory;
        let filter = |name: &Option<String>| Filter::new(settings, name.as_deref());
        let repositories = |filter: &Filter| {
            let all = inventory.repositories.keys().filter(|id| filter.is_named(id));
            Scope::of_repositories(world, all.cloned())
        };
        let policies = |filter: &Filter| {
            let all = inventory.policies.keys().filter(|id| filter.is_named(id));
            Scope::of_policies(world, all.cloned())
        };
        let automations = |filter: &Filter| Scope::of_automations(world, |id| filter.is_named(id));
        Ok(match self {
            Self::Repositories(name) => repositories(&filter(name)?),
            Self::Policies(name) => policies(&filter(name)?),
            Self::Automations(name) => automations(&filter(name)?),
            Self::All => {
                let filter = filter(&None)?;
                repositories(&filter).and(policies(&filter)).and(automations(&filter))
            }
            Self::Updates(names, _) => {
                let namespace = settings.namespace.as_ref();
                let is_meant = |id: &&ObjectId| match names.as_slice() {
                    [] => namespace.is_none_or(|namespace| *namespace == id.namespace),
                    names => names.iter().any(|name| *name == id.name || *name == id.to_string()),
                };
                Scope::of_updates(world, inventory.policies.keys().filter(is_meant).cloned())
            }
        })
    }

    /// The answer on what the session has.
    pub(super) fn answer(&self, session: &mut Session) -> Result<Answer, Problem> {
        if let Self::Updates(names, exit_code) = self {
            return updates::get(session, names, *exit_code);
        }
        let known = Arc::clone(&session.world);
        let scope = self.scope(session.engine.settings(), &known)?;
        session.narrow(&scope);
        match self {
            Self::Repositories(name) => repositories(session, name.as_deref(), &known),
            Self::Policies(name) => policies(session, name.as_deref(), &known),
            Self::Automations(name) => automations(session, name.as_deref(), &known),
            Self::All | Self::Updates(..) => all(session),
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
        (GetWhat::Image { kind: GetImage::All }, _) if args.watch => refused(
            "-w",
            "expected a single resource type, but found all",
            "Watch one kind: get image policy -w.",
        ),
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

fn repositories(session: &Session, name: Option<&str>, known: &World) -> Result<Answer, Problem> {
    let judged = session.judge()?;
    let list = List::new(&REPOSITORIES, repository_rows(session, &judged), session, name)?;
    answer(session, list, judged.scan_problems.into_values().collect(), (name, known))
}

fn policies(session: &Session, name: Option<&str>, known: &World) -> Result<Answer, Problem> {
    let reviewed = session.review(&Onto::Push)?;
    let list = List::new(policies_of(session), policy_rows(session, &reviewed), session, name)?;
    answer(session, list, reviewed.judged.problems().cloned().collect(), (name, known))
}

fn automations(session: &Session, name: Option<&str>, known: &World) -> Result<Answer, Problem> {
    let mut reviewed = session.review(&Onto::Push)?;
    let failing = Engine::template_problems(&reviewed.review, &reviewed.judged.selections);
    reviewed.problems.extend(failing);
    let list = List::new(&AUTOMATIONS, automation_rows(session, &reviewed), session, name)?;
    answer(session, list, reviewed.problems, (name, known))
}

fn all(session: &Session) -> Result<Answer, Problem> {
    let reviewed = session.review(&Onto::Push)?;
    let lists = vec![
        List::new(&REPOSITORIES, repository_rows(session, &reviewed.judged), session, None)?,
        List::new(policies_of(session), policy_rows(session, &reviewed), session, None)?,
        List::new(&AUTOMATIONS, automation_rows(session, &reviewed), session, None)?,
    ];
    let (unread, filter) = (&session.world.inventory.unread, Filter::new(session.engine.settings(), None)?);
    let unknown = lists.iter().find_map(|list| unread.over(list.shape.object, filter.namespace()));
    if let Some(unknown) = unknown.filter(|_| lists.iter().all(|list| list.rows.is_empty())) {
        return Err(unknown.clone());
    }
    let is_partial = lists.iter().any(|list| match filter.namespace() {
        Some(namespace) => unread.within(list.shape.object, namespace).is_some(),
        None => unread.of(list.shape.object).is_some(),
    });
    let exit = if is_partial { 8 } else { 0 };
    Ok(Answer::new(All(lists)).with_problems(reviewed.problems_of(session)).with_exit(exit))
}

/// The exit of `get` is 0 whatever READY says; problems of the source and of scans are listed.
fn answer(
    session: &Session,
    list: List,
    problems: Vec<Problem>,
    (name, known): (Option<&str>, &World),
) -> Result<Answer, Problem> {
    let mut all: Vec<Problem> = session.problems();
    all.extend(problems);
    if !list.rows.is_empty() {
        return Ok(Answer::new(list).with_problems(all));
    }
    let known: Vec<&ObjectId> = match list.shape.object {
        Kind::ImageRepository => known.inventory.repositories.keys().collect(),
        Kind::ImagePolicy => known.inventory.policies.keys().collect(),
        _ => known.automations.iter().map(|automation| &automation.meta.id).collect(),
    };
    let filter = Filter::new(session.engine.settings(), name)?;
    if let Some(unknown) = session.world.inventory.unread.over(list.shape.object, filter.namespace()) {
        return Err(unknown.clone());
    }
    let sentence = filter.nothing(&list.shape.object.to_string(), &known)?;
    Ok(Answer::new(list).with_problems(all).with_note(format!("⚠ {sentence}")))
}

/// A row for each object that several places describe differently, or that does not fit: its name, and that nothing follows from it.
fn ambiguous_rows(shape: &'static Shape, inventory: &Inventory) -> impl Iterator<Item = Row> {
    let nulls = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let blank = |columns: &[&str]| vec![String::new(); columns.len()];
    inventory.ambiguous_of(shape.object).filter_map(move |id| {
        let problem = inventory.ambiguity(shape.object, id)?;
        let places = inventory.ambiguous.get(&(shape.object, id.clone()));
        let in_cluster = Origin { source: "cluster", file: None, line: None };
        let origin = places.and_then(|places| places.first()).cloned().unwrap_or(in_cluster);
        let status = Status {
            ready: Ready::False,
            reason: Some(problem.code.word().into()),
            message: problem.message,
        };
        Some(Row {
            meta: Meta { id: id.clone(), version: String::new(), labels: BTreeMap::new(), origin },
            status,
            conditions: Vec::new(),
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
