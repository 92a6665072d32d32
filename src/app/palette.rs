//! S13 and S12: the actions of a context by name, from the same table as everything else.

use std::collections::BTreeSet;

use super::action::{self, ACTIONS, Action, Group, Row};
use super::state::State;
use super::view::{Context, View};
use crate::domain::object::ObjectId;
use crate::text;

/// What an entry does.
#[derive(Debug, Clone)]
pub enum Command {
    /// A row of the table.
    Row(&'static Row),
    /// The theme at this index.
    Theme(usize),
    /// The tags of this repository.
    Tags(ObjectId),
    /// The objects of this kube context.
    Context(String),
    /// The objects of this namespace alone, or all.
    Namespace(Option<String>),
    /// The plan that takes this commit back.
    Revert(String),
    /// The plan that was saved in a file.
    Review,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, as typed after `:`.
    pub name: String,
    /// What it does, in a sentence.
    pub doc: String,
    /// Its keys, as people read them.
    pub keys: String,
    /// What it does.
    pub command: Command,
    /// Why it cannot run now.
    pub refusal: Option<String>,
}

/// Shorter and commoner names than a row's id.
const NAMES: &[(&str, &str)] = &[
    ("view.updates", "updates"),
    ("view.repositories", "repositories"),
    ("view.policies", "policies"),
    ("view.automations", "automations"),
    ("view.plan", "plan"),
    ("view.log", "log"),
    ("view.errors", "errors"),
    ("mode.read-only", "mode read-only"),
    ("mode.dry-run", "mode dry-run"),
    ("mode.write", "mode write"),
    ("profile.normal", "profile normal"),
    ("profile.low-bandwidth", "profile low-bandwidth"),
    ("mouse.toggle", "mouse"),
    ("demo.start", "demo"),
    ("theme.open", "theme"),
    ("help.open", "help"),
    ("git.login", "login"),
    ("program.quit", "quit"),
    // Its own word means the object under the cursor.
    ("program.suspend", "shell"),
    ("push.open", "push"),
    ("push.target", "target"),
    ("branch.merge", "merge"),
    ("commit.revert", "revert"),
    ("log.revert", "revert"),
    ("plan.review", "review"),
    ("tags.rollback", "rollback"),
    ("message.open", "message"),
    ("scan.all", "rescan all"),
    ("scan.row", "rescan"),
    ("decide.all", "approve all"),
    ("object.suspend", "suspend"),
    ("object.resume", "resume"),
    ("object.reconcile", "reconcile"),
];

/// The name of a row in the palette.
pub fn name(row: &Row) -> String {
    match NAMES.iter().find(|(id, _)| *id == row.id) {
        Some((_, name)) => (*name).to_owned(),
        None => row.id.replace('.', " "),
    }
}

/// The entries that fit what was typed, the best first.
pub fn entries(state: &State, typed: &str) -> Vec<Entry> {
    let raw = typed.trim();
    let typed = raw.to_lowercase();
    if let Some(entry) = revert(state, &typed).or_else(|| review(state, raw)) {
        return vec![entry];
    }
    let mut ranked: Vec<(usize, Entry)> =
        all(state).into_iter().filter_map(|entry| rank(&entry, &typed).map(|rank| (rank, entry))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// The entry of this name, else the action that the footer calls so, else the best whose name begins so.
pub fn named(state: &State, typed: &str) -> Option<Entry> {
    let typed = typed.trim().to_lowercase();
    let is_label = |entry: &Entry| matches!(entry.command, Command::Row(row) if row.label == typed);
    let entries = || all(state).into_iter();
    let by_name = || entries().find(|entry| entry.name == typed);
    let by_label = || entries().find(|entry| is_label(entry) && entry.refusal.is_none());
    let begun = || self::entries(state, &typed).into_iter().find(|entry| entry.name.starts_with(&typed));
    by_name().or_else(by_label).or_else(begun)
}

/// `revert 8d2e91b`: works in every view, whatever its row is.
fn revert(state: &State, typed: &str) -> Option<Entry> {
    let commit = typed.strip_prefix("revert ")?.trim();
    let is_id = |id: &str| (4..=40).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let row = action::by_id("commit.revert").filter(|_| commit.splitn(2, "..").all(is_id))?;
    let in_mode = |refusal: &action::Refusal| matches!(refusal, action::Refusal::Mode(_));
    Some(Entry {
        name: format!("revert {commit}"),
        doc: "Prepare the plan that takes this commit back".to_owned(),
        keys: String::new(),
        command: Command::Revert(commit.to_owned()),
        refusal: action::refusal(state, row).filter(in_mode).map(|refusal| refusal.to_string()),
    })
}

/// `review plan.json`: works in every view.
fn review(state: &State, typed: &str) -> Option<Entry> {
    let path = typed.strip_prefix("review ").map(str::trim).filter(|path| !path.is_empty())?;
    let row = action::by_id("plan.review")?;
    Some(Entry {
        name: format!("review {path}"),
        doc: "Open this plan in the place of what is under review".to_owned(),
        keys: String::new(),
        command: Command::Review,
        refusal: action::refusal(state, row).map(|refusal| refusal.to_string()),
    })
}

/// The views in which an action of this name is one, and what it does there; empty if it is none anywhere.
pub fn elsewhere(typed: &str) -> (Vec<&'static str>, &'static str) {
    let rows: Vec<&Row> = ACTIONS.iter().filter(|row| name(row) == typed).collect();
    let is_there = |view: &View| rows.iter().any(|row| row.scope.contains(Context::View(*view)));
    let views = View::ALL.into_iter().filter(is_there).map(View::title).collect();
    (views, rows.first().map_or("", |row| row.doc))
}

/// The name that was probably meant.
pub fn nearest_name(state: &State, typed: &str) -> Option<String> {
    let entries = all(state);
    text::nearest(typed, entries.iter().map(|entry| entry.name.as_str())).map(str::to_owned)
}

fn all(state: &State) -> Vec<Entry> {
    let context = Context::View(state.view_below_help());
    let rows = ACTIONS.iter().filter(|row| row.scope.contains(context) && row.action != Action::Palette);
    let mut entries: Vec<Entry> = rows
        .map(|row| Entry {
            name: name(row),
            doc: action::doc(state, row).to_owned(),
            keys: row.keys_shown(&state.bindings),
            command: Command::Row(row),
            refusal: action::refusal(state, row).map(|refusal| refusal.to_string()),
        })
        .collect();
    entries.sort_by_key(|entry| match entry.command {
        Command::Row(row) => place(row),
        _ => usize::MAX,
    });
    entries.extend(state.contexts.iter().map(|context| Entry {
        name: format!("ctx {context}"),
        doc: "The objects of this kube context".to_owned(),
        keys: String::new(),
        command: Command::Context(context.clone()),
        refusal: None,
    }));
    entries.extend(namespaces(state).map(|(name, namespace)| Entry {
        name: format!("ns {name}"),
        doc: "List the objects of this namespace alone; `ns all` lists every one".to_owned(),
        keys: String::new(),
        command: Command::Namespace(namespace),
        refusal: None,
    }));
    entries.extend(state.themes.iter().enumerate().map(|(index, theme)| Entry {
        name: format!("theme {theme}"),
        doc: "Draw with this theme".to_owned(),
        keys: String::new(),
        command: Command::Theme(index),
        refusal: None,
    }));
    entries.extend(state.inventory.repositories.keys().map(|id| Entry {
        name: format!("tags {id}"),
        doc: "The tags of this repository".to_owned(),
        keys: String::new(),
        command: Command::Tags(id.clone()),
        refusal: None,
    }));
    entries
}

/// The namespaces that hold image objects, by name, all of them first.
fn namespaces(state: &State) -> impl Iterator<Item = (String, Option<String>)> {
    let inventory = &state.inventory;
    let (repositories, policies) = (inventory.repositories.keys(), inventory.policies.keys());
    let objects = repositories.chain(policies).chain(inventory.automations.keys());
    let names: BTreeSet<&String> = objects.map(|id| &id.namespace).collect();
    let all = std::iter::once(("all".to_owned(), None));
    all.chain(names.into_iter().map(|name| (name.clone(), Some(name.clone()))))
}

/// Where a row stands among those that fit alike: places to go to, then what one does there, moving about last.
fn place(row: &Row) -> usize {
    use Action::{
        Demo, ModeDryRun, ModeReadOnly, ModeWrite, ViewAutomations, ViewErrors, ViewLog, ViewPlan,
        ViewPolicies, ViewRepositories, ViewUpdates,
    };
    match (row.action, row.group) {
        (
            ViewUpdates | ViewRepositories | ViewPolicies | ViewAutomations | ViewPlan | ViewLog | ViewErrors,
            _,
        ) => 0,
        (_, Group::Act) => 1,
        (_, Group::Decide) => 2,
        (_, Group::Look) => 3,
        (ModeReadOnly | ModeDryRun | ModeWrite | Demo, _) => 4,
        (_, Group::Everywhere) => 5,
        (_, Group::Move) => 6,
    }
}

/// How well an entry fits; smaller is better, `None` not at all.
fn rank(entry: &Entry, typed: &str) -> Option<usize> {
    // The part before the dot says what an action belongs to; what it does is the name's to say.
    let area = match &entry.command {
        Command::Row(row) => row.id.split('.').next().unwrap_or_default(),
        _ => "",
    };
    if typed.is_empty() {
        // Names of objects would drown the actions.
        return matches!(entry.command, Command::Row(_)).then_some(0);
    }
    let checks = [
        entry.name == typed,
        entry.name.starts_with(typed),
        entry.name.split(' ').any(|word| word.starts_with(typed)),
        entry.name.contains(typed) || area.contains(typed),
        entry.keys.split(' ').any(|key| key.to_lowercase() == typed),
        entry.doc.to_lowercase().contains(typed),
        is_subsequence(typed, &entry.name),
    ];
    checks.iter().position(|fits| *fits)
}

/// Whether the characters of `short` occur in `long` in this order; forgives letters left out.
fn is_subsequence(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().all(|wanted| rest.any(|c| c == wanted))
}
