//! `scan`: list tags now, and say how that went.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::objects::reconcile::suspended;
use super::session::{Progress, Session};
use super::updates::add_unsaid;
use super::{Answer, Document, Streams, Table, Text};
use crate::cli::{ScanArgs, ScanWhat};
use crate::config::Settings;
use crate::domain::inventory::Inventory;
use crate::domain::object::{ImageRepository, Kind, ObjectId};
use crate::domain::reference::ImageName;
use crate::domain::scan::{Budget, Scan};
use crate::engine::{Engine, Scans, World, status};
use crate::problem::{Code, Problem};

/// One scanned repository.
struct Item {
    /// `None` for `--image`.
    id: Option<ObjectId>,
    image: String,
    /// `None` when the scan failed.
    scan: Option<Scan>,
    kept: Option<status::Kept>,
    error: Option<Problem>,
}

struct Report(Vec<Item>);

impl Document for Report {
    fn kind(&self) -> &'static str {
        "ScanReport"
    }

    fn json(&self) -> Map<String, Value> {
        let items: Vec<Value> = self.0.iter().map(Item::json).collect();
        Map::from_iter([("items".to_owned(), json!(items))])
    }

    fn text(&self, wide: bool) -> Text {
        let columns = ["NAME", "IMAGE", "TAGS", "NEW", "PAGES", "SECONDS", "CREDENTIAL", "MESSAGE"];
        let further: &[&str] = if wide { &["REQUESTS", "BYTES", "BUDGET"] } else { &[] };
        let mut table = Table::new(columns.into_iter().chain(further.iter().copied()));
        for item in &self.0 {
            table.push(item.row().into_iter().chain(item.further().into_iter().filter(|_| wide)));
        }
        if table.is_empty() { Text::Nothing } else { Text::Table(table) }
    }

    fn names(&self) -> Vec<String> {
        let name = |item: &Item| match &item.id {
            Some(id) => format!("imagerepository/{id}"),
            None => format!("image/{}", item.image),
        };
        self.0.iter().map(name).collect()
    }
}

impl Item {
    /// What nobody asked a registry about.
    fn blocked(id: ObjectId, problem: Problem) -> Self {
        Self { id: Some(id), image: String::new(), scan: None, kept: None, error: Some(problem) }
    }

    fn json(&self) -> Value {
        let transfer = self.scan.as_ref().and_then(|scan| scan.transfer.as_ref());
        json!({
            "namespace": self.id.as_ref().map(|id| &id.namespace), "name": self.id.as_ref().map(|id| &id.name),
            "image": (!self.image.is_empty()).then_some(&self.image), "tags": self.kept.as_ref().map(|kept| kept.kept),
            "excluded": self.kept.as_ref().map(|kept| kept.excluded),
            "new": self.scan.as_ref().map(|scan| scan.new.len()),
            "revision": self.kept.as_ref().map(|kept| &kept.revision),
            "pages": transfer.map(|transfer| transfer.pages), "requests": transfer.map(|transfer| transfer.requests),
            "bytes": transfer.map(|transfer| transfer.bytes),
            "wall_seconds": transfer.map(|transfer| rounded(transfer.wall.as_secs_f64())),
            "credential": transfer.map(|transfer| &transfer.credential), "error": self.error,
            "budget": self.budget().map(|budget| json!({
                "remaining": budget.remaining, "limit": budget.limit,
                "window_seconds": budget.window.map(|window| window.as_secs()),
            })),
        })
    }

    /// What the registry said it will still answer.
    fn budget(&self) -> Option<Budget> {
        self.scan.as_ref()?.transfer.as_ref()?.budget
    }

    /// The further columns of the wide table.
    fn further(&self) -> [String; 3] {
        let transfer = self.scan.as_ref().and_then(|scan| scan.transfer.as_ref());
        [
            transfer.map(|transfer| transfer.requests.to_string()).unwrap_or_default(),
            transfer.map(|transfer| transfer.bytes.to_string()).unwrap_or_default(),
            self.budget().map(|budget| budget.text()).unwrap_or_default(),
        ]
    }

    fn row(&self) -> Vec<String> {
        let transfer = self.scan.as_ref().and_then(|scan| scan.transfer.as_ref());
        let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
        let message = match (&self.error, &self.kept) {
            (Some(error), _) => error.message.clone(),
            (None, Some(kept)) => {
                format!("successful scan: found {} tags with checksum {}", kept.kept, kept.revision)
            }
            (None, None) => String::new(),
        };
        vec![
            // Without an object the image is all the name there is.
            self.id.as_ref().map_or_else(|| self.image.clone(), ToString::to_string),
            self.image.clone(),
            number(self.kept.as_ref().map(|kept| kept.kept)),
            number(self.scan.as_ref().map(|scan| scan.new.len())),
            number(transfer.map(|transfer| transfer.pages)),
            transfer.map(|transfer| format!("{:.2}", transfer.wall.as_secs_f64())).unwrap_or_default(),
            transfer.map(|transfer| transfer.credential.clone()).unwrap_or_default(),
            message,
        ]
    }
}

/// Milliseconds are as fine as anybody reads.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// `scan repository NAME…|--all`, `scan --image REF`.
pub(super) fn scan(
    settings: &Settings,
    args: &ScanArgs,
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    super::asks(settings, "scan")?;
    match (&args.what, &args.image) {
        (Some(ScanWhat::Repository { names, all }), None) => {
            let session = Session::open(settings)?;
            let ids = chosen(&session, names, *all)?;
            session.engine.one_registry(&session.world, &ids)?;
            if args.watch {
                watch_objects(&session, (&ids, *all), streams)
            } else {
                scan_objects(&session, (&ids, *all))
            }
        }
        (None, Some(image)) if args.watch => watch_image(settings, image, streams),
        (None, Some(image)) => scan_image(settings, image),
        _ => Err(Problem::new(Code::Usage, "scan", "say what to scan")
            .hint("Use scan repository NAME, scan repository --all, or scan --image REF.")),
    }
}

/// The repositories that are named, or all of the namespace, those too that several places describe differently; in the
/// order of their names, each once.
fn chosen(session: &Session, names: &[String], all: bool) -> Result<Vec<ObjectId>, Problem> {
    let inventory = &session.world.inventory;
    let known = inventory.repositories.keys();
    let chosen: BTreeSet<ObjectId> = if all {
        let namespace = session.engine.settings().namespace.as_ref();
        let is_in_scope = |id: &&ObjectId| namespace.is_none_or(|namespace| *namespace == id.namespace);
        known.chain(inventory.ambiguous_of(Kind::ImageRepository)).filter(is_in_scope).cloned().collect()
    } else {
        let find = |name: &String| session.find(Kind::ImageRepository, name, known.clone());
        names.iter().map(find).collect::<Result<_, _>>()?
    };
    Ok(chosen.into_iter().collect())
}

/// Watches the objects that are named, or all of the namespace, those that come later too.
fn watch_objects(
    session: &Session,
    (ids, all): (&[ObjectId], bool),
    streams: &mut Streams<'_>,
) -> Result<Answer, Problem> {
    let namespace = session.engine.settings().namespace.as_ref();
    let is_in_scope = |id: &ObjectId| namespace.is_none_or(|namespace| *namespace == id.namespace);
    let is_meant = |id: &ObjectId| if all { is_in_scope(id) } else { ids.contains(id) };
    let chosen = |world: &World| {
        let known = world.inventory.repositories.values();
        known.filter(|repository| is_meant(&repository.meta.id)).cloned().collect()
    };
    super::watch::watch(session, chosen, true, streams)
}

/// An image is watched as a repository would be that says nothing but its name.
fn watch_image(settings: &Settings, image: &str, streams: &mut Streams<'_>) -> Result<Answer, Problem> {
    ImageName::parse(image, false).map_err(|error| error.problem(image))?;
    let session = Session::empty(settings)?;
    let repository = ImageRepository::of_image(image);
    super::watch::watch(&session, |_| vec![repository.clone()], false, streams)
}

/// The objects that are not scanned, and why: those that several places describe differently, and those that somebody froze.
fn unscanned(inventory: &Inventory, ids: &[ObjectId]) -> BTreeMap<ObjectId, Problem> {
    let is_suspended =
        |id: &ObjectId| inventory.repositories.get(id).is_some_and(|repository| repository.suspend);
    let why = |id: &ObjectId| {
        let frozen = || is_suspended(id).then(|| suspended(Kind::ImageRepository, id));
        inventory.ambiguity(Kind::ImageRepository, id).or_else(frozen)
    };
    ids.iter().filter_map(|id| Some((id.clone(), why(id)?))).collect()
}

fn scan_objects(session: &Session, (ids, all): (&[ObjectId], bool)) -> Result<Answer, Problem> {
    let inventory = &session.world.inventory;
    let mut blocked = unscanned(inventory, ids);
    let ids: Vec<ObjectId> = ids.iter().filter(|id| !blocked.contains_key(id)).cloned().collect();
    let frozen = if all { take_frozen(&mut blocked) } else { Vec::new() };
    let progress = Progress::new(session.engine.settings());
    progress.forecast(&session.engine.forecast(&session.world, &ids, &Scans::default()));
    let outcomes = session
        .run(async { Ok(session.engine.scan_all(&session.world, &ids, |at| progress.scan(&at)).await) })?;
    drop(progress);
    let mut items = Vec::new();
    for (id, outcome) in outcomes {
        let repository = inventory.repositories.get(&id);
        let image = repository.map(|repository| repository.image.clone()).unwrap_or_default();
        let (scan, kept, error) = match outcome {
            Err(problem) => (None, None, Some(problem)),
            Ok(scan) => match repository.map(|repository| session.engine.kept(repository, &scan.tags)) {
                Some(Ok(kept)) => (Some(scan), Some(kept), None),
                Some(Err(text)) => {
                    let problem =
                        Problem::new(Code::PolicyInvalid, id.to_string(), format!("scan failed: {text}"));
                    (Some(scan), None, Some(problem))
                }
                None => (Some(scan), None, None),
            },
        };
        items.push(Item { id: Some(id), image, scan, kept, error });
    }
    items.extend(blocked.into_iter().map(|(id, problem)| Item::blocked(id, problem)));
    items.sort_by(|a, b| a.id.cmp(&b.id));
    let is_empty = items.is_empty() && frozen.is_empty();
    let answer = finish(items, session.problems());
    let answer = if is_empty { answer.with_note(nothing(session)?) } else { answer };
    Ok(frozen.into_iter().fold(answer, Answer::with_note))
}

/// Nobody asked for one that is suspended in particular: a line says that it is left out.
fn take_frozen(blocked: &mut BTreeMap<ObjectId, Problem>) -> Vec<String> {
    let frozen = blocked.extract_if(.., |_, problem| problem.code != Code::Ambiguous);
    frozen.map(|(id, _)| format!("⚠ {id}: it is suspended, and not scanned")).collect()
}

/// That there is nothing to scan where `--all` looks.
fn nothing(session: &Session) -> Result<String, Problem> {
    let settings = session.engine.settings();
    let all_namespaces = settings.namespace.is_none();
    let all = Filter::new(&Settings { all_namespaces, ..settings.clone() }, None)?;
    Ok(format!("⚠ {}", all.nothing(&Kind::ImageRepository.to_string(), &[])?))
}

fn scan_image(settings: &Settings, image: &str) -> Result<Answer, Problem> {
    let engine = Engine::open(settings.clone())?;
    let scanned = Progress::scan_image(settings, &engine, image);
    let item = match scanned {
        Ok(scan) => {
            let kept = status::kept_by_default(&scan.tags).ok();
            Item { id: None, image: image.to_owned(), scan: Some(scan), kept, error: None }
        }
        Err(problem) => {
            Item { id: None, image: image.to_owned(), scan: None, kept: None, error: Some(problem) }
        }
    };
    Ok(finish(vec![item], engine.image_problems()))
}

fn finish(items: Vec<Item>, mut problems: Vec<Problem>) -> Answer {
    let failed: Vec<Problem> = items.iter().filter_map(|item| item.error.clone()).collect();
    add_unsaid(&mut problems, failed.iter().cloned());
    let parts = items.len();
    let notes = budgets(&items);
    let answer = Answer::new(Report(items)).with_problems(problems).with_parts(parts, &failed);
    notes.into_iter().fold(answer, Answer::with_note)
}

/// What each registry that tells it will still answer, as it told the last time.
fn budgets(items: &[Item]) -> Vec<String> {
    let told = items.iter().filter_map(|item| {
        let image = ImageName::parse(&item.image, false).ok()?;
        Some((image.registry, item.budget()?))
    });
    let least = told.fold(BTreeMap::new(), |mut least: BTreeMap<String, Budget>, (host, budget)| {
        let known = least.entry(host).or_insert(budget);
        known.remaining = known.remaining.min(budget.remaining);
        least
    });
    least.into_iter().map(|(host, budget)| format!("► {host}: {}", budget.text())).collect()
}
