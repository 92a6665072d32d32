//! `get repositories|policies|automations`, and Flux's spellings of them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::session::{Judged, Reviewed, Session};
use super::{Answer, Document, Table, Text};
use crate::cli::GetImage;
use crate::config::Settings;
use crate::domain::inventory::{self, Inventory};
use crate::domain::object::{ImagePolicy, ImageRepository, ImageUpdateAutomation, ObjectId};
use crate::domain::status::Status;
use crate::engine::{Engine, World, status};
use crate::problem::{Code, Problem};

/// One row of a Flux kind: what all three kinds share, and the cells that differ.
struct Row {
    id: ObjectId,
    /// Between the name and READY, in the order of the headings.
    cells: Vec<String>,
    /// After the name with `-o wide`.
    wide: Vec<String>,
    status: Status,
    json: Value,
}

/// The rows of one kind.
struct List {
    kind: &'static str,
    word: &'static str,
    /// Between NAME and READY.
    headings: &'static [&'static str],
    wide: &'static [&'static str],
    with_namespace: bool,
    rows: Vec<Row>,
}

impl List {
    fn table(&self, wide: bool, prefix: &str) -> Table {
        let first = self.with_namespace.then_some("NAMESPACE");
        let extra = if wide { self.wide } else { &[] };
        let headings = first
            .into_iter()
            .chain(["NAME"])
            .chain(self.headings.iter().copied())
            .chain(["READY", "MESSAGE"]);
        let mut table = Table::new(headings.chain(extra.iter().copied()));
        for row in &self.rows {
            let namespace = self.with_namespace.then(|| row.id.namespace.clone());
            let cells = namespace
                .into_iter()
                .chain([format!("{prefix}{}", row.id.name)])
                .chain(row.cells.iter().cloned())
                .chain([row.status.ready.to_string(), row.status.message.clone()])
                .chain(row.wide.iter().filter(|_| wide).cloned());
            table.push(cells);
        }
        table
    }
}

impl Document for List {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn json(&self) -> Map<String, Value> {
        let items: Vec<&Value> = self.rows.iter().map(|row| &row.json).collect();
        Map::from_iter([("items".to_owned(), json!(items))])
    }

    fn text(&self, wide: bool) -> Text {
        if self.rows.is_empty() { Text::Nothing } else { Text::Table(self.table(wide, "")) }
    }

    fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| format!("{}/{}", self.word, row.id)).collect()
    }
}

/// Flux's `get images all`: the three lists, empty ones left out.
struct All(Vec<List>);

impl Document for All {
    fn kind(&self) -> &'static str {
        "ImageList"
    }

    fn json(&self) -> Map<String, Value> {
        let items: Vec<&Value> =
            self.0.iter().flat_map(|list| list.rows.iter().map(|row| &row.json)).collect();
        Map::from_iter([("items".to_owned(), json!(items))])
    }

    fn text(&self, wide: bool) -> Text {
        let lists = self.0.iter().filter(|list| !list.rows.is_empty());
        Text::Tables(lists.map(|list| list.table(wide, &format!("{}/", list.word))).collect())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Document::names).collect()
    }
}

/// `get repositories [NAME]`.
pub(super) fn repositories(settings: &Settings, name: Option<&str>) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let judged = session.judge()?;
    let list = repository_list(settings, &session, &judged, name)?;
    answer(&session, list, judged.scan_problems.values(), "ImageRepository", name)
}

/// `get policies [NAME]`.
pub(super) fn policies(settings: &Settings, name: Option<&str>) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let reviewed = session.review()?;
    let list = policy_list(settings, &session, &reviewed, name)?;
    answer(&session, list, reviewed.judged.scan_problems.values(), "ImagePolicy", name)
}

/// `get automations [NAME]`.
pub(super) fn automations(settings: &Settings, name: Option<&str>) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let reviewed = session.review()?;
    let list = automation_list(settings, &session, &reviewed, name)?;
    answer(&session, list, reviewed.problems.iter(), "ImageUpdateAutomation", name)
}

/// `get image repository|policy|update|all`.
pub(super) fn image(settings: &Settings, kind: &GetImage) -> Result<Answer, Problem> {
    match kind {
        GetImage::Repository { name } => repositories(settings, name.as_deref()),
        GetImage::Policy { name } => policies(settings, name.as_deref()),
        GetImage::Update { name } => automations(settings, name.as_deref()),
        GetImage::All => all(settings),
    }
}

fn all(settings: &Settings) -> Result<Answer, Problem> {
    let session = Session::open(settings)?;
    let reviewed = session.review()?;
    let lists = vec![
        repository_list(settings, &session, &reviewed.judged, None)?,
        policy_list(settings, &session, &reviewed, None)?,
        automation_list(settings, &session, &reviewed, None)?,
    ];
    Ok(Answer::new(All(lists)).with_problems(session.problems()))
}

/// The exit of `get` is 0 whatever READY says; problems of the source and of scans are listed.
fn answer<'a>(
    session: &Session,
    list: List,
    problems: impl Iterator<Item = &'a Problem>,
    kind: &str,
    name: Option<&str>,
) -> Result<Answer, Problem> {
    let mut all: Vec<Problem> = session.problems();
    all.extend(problems.cloned());
    if list.rows.is_empty() {
        let inventory = &session.world.inventory;
        let known: Vec<&ObjectId> = match kind {
            "ImageRepository" => inventory.repositories.keys().collect(),
            "ImagePolicy" => inventory.policies.keys().collect(),
            _ => session.world.automations.iter().map(|automation| &automation.meta.id).collect(),
        };
        let filter = Filter::new(session.engine.settings(), name)?;
        let sentence = filter.nothing(kind, known.into_iter())?;
        all.push(Problem::new(Code::Skipped, "", sentence));
    }
    Ok(Answer::new(list).with_problems(all))
}

fn title(flag: bool) -> String {
    if flag { "True" } else { "False" }.to_owned()
}

fn repository_list(
    settings: &Settings,
    session: &Session,
    judged: &Judged,
    name: Option<&str>,
) -> Result<List, Problem> {
    let filter = Filter::new(settings, name)?;
    let all = session.world.inventory.repositories.values();
    let rows = all.map(|repository| repository_row(repository, judged));
    let rows = rows.filter(|(meta, row)| filter.admits(meta, &row.status)).map(|(_, row)| row);
    Ok(List {
        kind: "RepositoryList",
        word: "imagerepository",
        headings: &["LAST SCAN", "SUSPENDED"],
        wide: &["IMAGE", "INTERVAL", "TAGS", "NEW"],
        with_namespace: settings.all_namespaces,
        rows: rows.collect(),
    })
}

fn repository_row<'a>(
    repository: &'a ImageRepository,
    judged: &Judged,
) -> (&'a crate::domain::object::Meta, Row) {
    let id = &repository.meta.id;
    let scan = judged.scans.get(id);
    let kept = scan.map(|scan| status::kept(repository, &scan.tags));
    let (status, counts) = status::of_repository(repository, kept.as_ref(), judged.scan_problems.get(id));
    let scanned = scan.map(|scan| scan.scanned.to_string());
    let new = scan.map(|scan| scan.new.len());
    let json = json!({
        "namespace": id.namespace, "name": id.name, "image": repository.image,
        "canonical": status::canonical(repository), "interval": repository.interval,
        "provider": repository.provider, "suspended": repository.suspend,
        "ready": status.ready, "reason": status.reason, "message": status.message,
        "last_scan": scanned, "tags": counts.map(|counts| counts.kept), "new": new,
        "excluded": counts.map(|counts| counts.excluded), "origin": repository.meta.origin,
    });
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let row = Row {
        id: id.clone(),
        cells: vec![scanned.unwrap_or_default(), title(repository.suspend)],
        wide: vec![
            repository.image.clone(),
            repository.interval.to_string(),
            number(counts.map(|counts| counts.kept)),
            number(new),
        ],
        status,
        json,
    };
    (&repository.meta, row)
}

fn policy_list(
    settings: &Settings,
    session: &Session,
    reviewed: &Reviewed,
    name: Option<&str>,
) -> Result<List, Problem> {
    let filter = Filter::new(settings, name)?;
    let inventory = &session.world.inventory;
    let rows = inventory.policies.values().map(|policy| policy_row(policy, inventory, reviewed));
    let rows = rows.filter(|(meta, row)| filter.admits(meta, &row.status)).map(|(_, row)| row);
    Ok(List {
        kind: "PolicyList",
        word: "imagepolicy",
        headings: &["IMAGE", "TAG"],
        wide: &["TYPE", "RULE", "REPOSITORY", "SITES"],
        with_namespace: settings.all_namespaces,
        rows: rows.collect(),
    })
}

fn policy_row<'a>(
    policy: &'a ImagePolicy,
    inventory: &Inventory,
    reviewed: &Reviewed,
) -> (&'a crate::domain::object::Meta, Row) {
    let id = &policy.meta.id;
    let evaluated = reviewed.judged.selections.get(id);
    let status = status::of_policy(inventory, policy, evaluated);
    let latest = evaluated.and_then(|evaluated| evaluated.selection.outcome.as_ref().ok());
    let sites = status::sites_of(&reviewed.review.grounds, id);
    let (kind, rule) = match policy.choice.kind_and_rule() {
        Some((kind, rule)) => (Some(kind), Some(rule)),
        None => (None, None),
    };
    let filter = policy.filter.as_ref();
    let json = json!({
        "namespace": id.namespace, "name": id.name, "repository": policy.repository, "type": kind, "rule": rule,
        "pattern": filter.map(|filter| &filter.pattern), "extract": filter.map(|filter| &filter.extract),
        "digest_policy": policy.digest_policy, "suspended": policy.suspend,
        "ready": status.ready, "reason": status.reason, "message": status.message, "latest": latest,
        "tie": evaluated.is_some_and(|evaluated| evaluated.selection.tie),
        "controller": null, "differs": false, "sites": sites, "origin": policy.meta.origin,
    });
    let cell = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let row = Row {
        id: id.clone(),
        cells: vec![
            cell(latest.map(|latest| latest.image.as_str())),
            cell(latest.map(|latest| latest.tag.as_str())),
        ],
        wide: vec![cell(kind), cell(rule), policy.repository.to_string(), sites.to_string()],
        status,
        json,
    };
    (&policy.meta, row)
}

fn automation_list(
    settings: &Settings,
    session: &Session,
    reviewed: &Reviewed,
    name: Option<&str>,
) -> Result<List, Problem> {
    let filter = Filter::new(settings, name)?;
    let rows = session
        .world
        .automations
        .iter()
        .map(|automation| automation_row(&session.engine, &session.world, automation, reviewed));
    let rows = rows.filter(|(meta, row)| filter.admits(meta, &row.status)).map(|(_, row)| row);
    Ok(List {
        kind: "AutomationList",
        word: "imageupdateautomation",
        headings: &["LAST RUN", "SUSPENDED"],
        wide: &["REMOTE", "PUSH BRANCH", "PATH", "PENDING"],
        with_namespace: settings.all_namespaces,
        rows: rows.collect(),
    })
}

fn automation_row<'a>(
    engine: &Engine,
    world: &Arc<World>,
    automation: &'a ImageUpdateAutomation,
    reviewed: &Reviewed,
) -> (&'a crate::domain::object::Meta, Row) {
    let id = &automation.meta.id;
    let ground = reviewed.review.grounds.iter().find(|ground| ground.automation == *id);
    let pending = reviewed.review.proposals.iter().filter(|update| update.automation == *id).count();
    let status = status::of_automation(engine, world, automation, ground);
    let git = automation.git.clone().unwrap_or_default();
    let remote = ground.and_then(|ground| ground.remote.clone());
    let push = ground.and_then(|ground| ground.push.as_ref()).map(|push| push.branch.clone());
    let assumed =
        ground.is_some_and(|ground| ground.warnings.iter().any(|warning| warning.code == "assumed_remote"));
    let json = json!({
        "namespace": id.namespace, "name": id.name, "git_repository": automation.source, "remote": remote,
        "assumed": assumed, "checkout": status::checkout(world, automation), "push_branch": push,
        "path": automation.update_path, "author": git.author,
        "policies": ground.map_or(0, |ground| ground.policies.len()), "pending": pending,
        "suspended": automation.suspend, "ready": status.ready, "reason": status.reason, "message": status.message,
        "last_run": null, "template_warnings": status::template_warnings(&git.message_template, id),
        "origin": if inventory::is_implied(automation) { Value::Null } else { json!(automation.meta.origin) },
    });
    let row = Row {
        id: id.clone(),
        cells: vec![String::new(), title(automation.suspend)],
        wide: vec![
            remote.unwrap_or_default(),
            push.unwrap_or_default(),
            automation.update_path.clone(),
            pending.to_string(),
        ],
        status,
        json,
    };
    (&automation.meta, row)
}
