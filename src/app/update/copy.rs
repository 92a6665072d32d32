//! `y`: what can be copied from a row, and handing it to the terminal.

use crate::app::effect::Effect;
use crate::app::review::UpdateId;
use crate::app::rows;
use crate::app::state::{Level, Menu, MenuEntry, MenuKind, Node, Overlay, State};
use crate::app::view::View;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Order;
use crate::problem::Problem;

/// Terminals take no more than this at once.
const MOST: usize = 74_000;

/// Opens the menu of what can be copied here.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let entries = entries(state);
    if entries.is_empty() {
        state.tell(Level::Info, "nothing to copy here");
        return vec![];
    }
    state.overlay = Some(Overlay::Menu(Menu { title: "copy", entries, cursor: 0, kind: MenuKind::Copy }));
    vec![]
}

/// Hands `text` to the terminal. Whether that took it cannot be known, so nothing else is claimed.
pub(super) fn send(state: &mut State, text: String) -> Vec<Effect> {
    if text.len() > MOST {
        state.tell(Level::Warning, "too long to copy: terminals take up to 74 kB");
        return vec![];
    }
    state.tell(Level::Info, format!("sent to the terminal: {text}"));
    vec![Effect::Copy(text)]
}

fn entry(label: &str, value: impl Into<String>) -> MenuEntry {
    MenuEntry { label: label.to_owned(), value: value.into() }
}

fn entries(state: &State) -> Vec<MenuEntry> {
    match state.view_below_help() {
        View::Updates => state.updates.current().map(|id| of_update(state, id)).unwrap_or_default(),
        View::Plan => state.plan.current().map(|id| of_update(state, id)).unwrap_or_default(),
        View::Repositories => {
            state.repositories.current().map(|id| of_repository(state, id)).unwrap_or_default()
        }
        View::Tags => of_tag(state).unwrap_or_default(),
        View::Policies => state.policies.current().map(|id| of_policy(state, id)).unwrap_or_default(),
        View::Automations => {
            state.automations.current().map(|id| of_automation(state, id)).unwrap_or_default()
        }
        View::Diff => of_site(state).unwrap_or_default(),
        View::Errors => {
            let problem = state.errors.list.current().and_then(|id| state.errors.get(*id));
            problem.map(|entry| vec![self::entry("report", report(&entry.problem))]).unwrap_or_default()
        }
        View::Push => of_push(state),
        View::Log => of_event(state),
        View::Playground | View::Message | View::Help | View::Start => Vec::new(),
    }
}

fn of_update(state: &State, id: &UpdateId) -> Vec<MenuEntry> {
    let mut entries = vec![entry("name", id.policy.to_string())];
    if let Some(update) = state.review.get(id)
        && let Some(new) = &update.new
    {
        entries.push(entry("tag", new.tag.clone()));
        entries.push(entry("image", format!("{}:{}", update.image, new.tag)));
        entries.extend(new.digest.iter().map(|digest| entry("digest", digest.clone())));
        let policy = state.inventory.policies.get(&id.policy);
        let current = update.current.first().map(String::as_str);
        let link = policy.and_then(|policy| state.facts.compare(&policy.repository, current, &new.tag));
        entries.extend(link.map(|link| entry("compare", link)));
    }
    entries.push(entry("command", format!("supercargo diff updates {}", id.policy)));
    entries
}

fn of_repository(state: &State, id: &ObjectId) -> Vec<MenuEntry> {
    let mut entries = vec![entry("name", id.to_string())];
    entries.extend(
        state.inventory.repositories.get(id).map(|repository| entry("image", repository.image.clone())),
    );
    entries.push(entry("command", format!("supercargo get tags {id}")));
    entries
}

fn of_tag(state: &State) -> Option<Vec<MenuEntry>> {
    let tag = state.tags.tags.get(*state.tags.list.current()? as usize)?;
    let id = state.tags.repository.as_ref()?;
    let image = &state.inventory.repositories.get(id)?.image;
    let mut entries = vec![entry("tag", tag), entry("image", format!("{image}:{tag}"))];
    let described = state.facts.described(id, tag);
    entries.extend(described.map(|described| entry("digest", described.metadata.digest.clone())));
    if let Some(policy) = &state.tags.policy {
        let current = rows::tags_in_files(state, policy).first().copied();
        entries.extend(state.facts.compare(id, current, tag).map(|link| entry("compare", link)));
        entries.push(entry("command", format!("supercargo explain tag {id} {tag} --policy {policy}")));
    }
    Some(entries)
}

fn of_policy(state: &State, id: &ObjectId) -> Vec<MenuEntry> {
    let mut entries = vec![entry("name", id.to_string())];
    if let Some(reference) = state.verdicts.get(id).and_then(|verdict| verdict.reference.as_ref()) {
        entries.push(entry("image", format!("{}:{}", reference.image, reference.tag)));
    }
    entries.push(entry("command", format!("supercargo eval policy {id}")));
    entries
}

fn of_automation(state: &State, id: &ObjectId) -> Vec<MenuEntry> {
    let mut entries = vec![entry("name", id.to_string())];
    for order in [Order::Suspend, Order::Resume, Order::Reconcile] {
        entries.push(entry(order.verb(), order.flux(Kind::ImageUpdateAutomation, id, state.flux_place())));
    }
    entries
}

fn of_site(state: &State) -> Option<Vec<MenuEntry>> {
    match state.diff.tree.current()? {
        Node::Site(id, site) => {
            let site = state.review.get(id)?.sites.get(*site)?;
            Some(vec![
                entry("new value", site.new.clone()),
                entry("old value", site.old.clone()),
                entry("place", format!("{}:{}", site.file, site.line)),
            ])
        }
        Node::Edit(id, edit) => {
            let edit = state.review.get(id)?.edits.get(*edit)?;
            Some(vec![
                entry("new lines", edit.new.clone()),
                entry("old lines", edit.old.clone()),
                entry("place", format!("{}:{}", edit.file, edit.line)),
            ])
        }
        Node::File(_, file) => Some(vec![entry("file", file.clone())]),
        Node::Update(id) => Some(of_update(state, id)),
    }
}

fn of_event(state: &State) -> Vec<MenuEntry> {
    let Some(event) = state.log.list.current().and_then(|id| state.log.get(*id)) else { return Vec::new() };
    let mut entries = vec![entry("detail", event.detail.clone()), entry("subject", event.subject.clone())];
    entries.extend(event.plan.iter().map(|plan| entry("plan", plan.clone())));
    entries.push(entry("command", "supercargo events --since 1h"));
    entries
}

fn of_push(state: &State) -> Vec<MenuEntry> {
    match state.push.as_ref().and_then(|push| push.result.as_ref()) {
        Some(Ok(landed)) => {
            let commits =
                landed.iter().filter_map(|landed| landed.commit.clone()).map(|id| entry("commit", id));
            let problems = landed.iter().filter_map(|landed| landed.error.as_ref());
            commits.chain(problems.map(|problem| entry("problem", report(problem)))).collect()
        }
        Some(Err(problem)) => vec![entry("problem", report(problem))],
        None => Vec::new(),
    }
}

/// A problem as one would send it to somebody: what, why, what to do.
pub(super) fn report(problem: &Problem) -> String {
    let mut text = problem.to_string();
    for cause in &problem.causes {
        text.push_str("\n  ");
        text.push_str(cause);
    }
    if let Some(hint) = &problem.hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    text
}
