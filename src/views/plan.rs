//! The plan: approved updates, one commit for each automation, and where each would go.

use super::updates;
use ratatui::layout::Rect;

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row, Table, Widths, change, change_width};
use super::words;
use crate::app::action::key_of;
use crate::app::layout::Layout;
use crate::app::list::fit;
use crate::app::pointer::Spot;
use crate::app::review::UpdateId;
use crate::app::state::State;
use crate::domain::branch::Onto;
use crate::domain::edit::ObjectEdit;
use crate::domain::object::ObjectId;
use crate::domain::plan::{Ground, PushTarget};
use crate::domain::proposal::Proposal;
use crate::text::Shown;
use crate::theme::Role;

const COLUMNS: [Column; 5] = [
    Column::fixed("DEC", 3),
    Column::fixed("POLICY", 22).flex(14, 32).cut(Cut::Start),
    Column::fixed("CURRENT → NEW", 34).flex(20, 49).first(),
    Column::fixed("STEP", 5).flex(5, 6).drop(2).over(1),
    Column::fixed("SITES", 9).snug().right().drop(1),
];

/// A row of the plan: the head of a commit, an update in it, or what is said below its updates.
enum Entry<'a> {
    Commit(&'a ObjectId),
    Target(&'a ObjectId),
    Author(&'a ObjectId),
    Update(&'a UpdateId),
    Edit(&'a ObjectEdit),
    Warning(Shown),
    Blank,
}

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.plan.is_empty() {
        let way = Line::of(Role::KeyHint, key_of(state, "view.updates"))
            .and(", then ")
            .with(Role::KeyHint, key_of(state, "decide.approve"))
            .and(" on what should be pushed.");
        return super::page(canvas, layout, "Nothing approved yet.", &[way]);
    }
    let entries = entries(state, layout.list.width);
    let current = state.plan.current();
    let cursor = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Update(id) if Some(*id) == current))
        .unwrap_or(0);
    let arrow = canvas.arrow();
    let table = Table {
        columns: &COLUMNS,
        sorted: None,
        rows: entries.len(),
        top: fit(0, (cursor + 1).min(entries.len() - 1), entries.len(), layout.rows()),
        cursor,
        orders: &[],
        is_list: false,
        range: None,
        focused: state.overlay.is_none(),
        widths: Widths::Measured,
    };
    table.draw(canvas, super::table_area(layout), |index| match entries.get(index) {
        Some(entry) => row(state, entry, arrow),
        None => Row::Line(Line::default()),
    });
    let below = super::rect(layout.list);
    for (y, entry) in (below.y..below.bottom()).zip(entries.iter().skip(table.top)) {
        let Entry::Update(id) = entry else { continue };
        if let Some(index) = state.plan.rows().iter().position(|row| row == *id) {
            canvas.spot(Rect { y, height: 1, ..below }, Spot::Row(index));
        }
    }
}

fn entries(state: &State, width: u16) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let rows = state.plan.rows();
    for (at, id) in rows.iter().enumerate() {
        let is_first = at == 0 || rows.get(at - 1).is_some_and(|before| before.automation != id.automation);
        if is_first {
            entries.push(Entry::Commit(&id.automation));
            entries.push(Entry::Target(&id.automation));
            entries.push(Entry::Author(&id.automation));
        }
        entries.push(Entry::Update(id));
        let edits = state.review.get(id).map_or(&[][..], Proposal::approved_edits);
        entries.extend(edits.iter().map(Entry::Edit));
        let is_last = rows.get(at + 1).is_none_or(|next| next.automation != id.automation);
        if is_last {
            let warnings = state.review.ground(&id.automation).map_or(&[][..], |ground| &ground.warnings);
            entries.extend(warnings.iter().flat_map(|warning| wrapped(&warning.message, width)));
            entries.push(Entry::Blank);
        }
    }
    entries
}

/// `! ` and a warning, in as many rows as it takes.
fn wrapped<'a>(text: &str, width: u16) -> impl Iterator<Item = Entry<'a>> + use<'a> {
    let lines = Shown::new(text).wrap(usize::from(width).saturating_sub(5));
    let starts = std::iter::once("! ").chain(std::iter::repeat("  "));
    starts.zip(lines).map(|(start, line)| Entry::Warning(Shown::new(start).and(line)))
}

fn row<'a>(state: &'a State, entry: &Entry<'a>, arrow: &'static str) -> Row<'a> {
    match entry {
        Entry::Commit(automation) => Row::Line(commit(state, automation)),
        Entry::Target(automation) => Row::Line(target(state, automation, arrow)),
        Entry::Author(automation) => Row::Line(author(state, automation)),
        Entry::Edit(edit) => Row::Line(edit_line(edit)),
        Entry::Warning(text) => Row::Line(Line::of(Role::StateWarn, text)),
        Entry::Blank => Row::Line(Line::default()),
        Entry::Update(id) => match state.review.get(id) {
            Some(update) => update_row(update, arrow),
            None => Row::Line(Line::default()),
        },
    }
}

/// `    and ImageUpdateAutomation shop/apps: suspend: true   clusters/apps.yaml:14`.
fn edit_line(edit: &ObjectEdit) -> Line {
    let place = format!("   {}:{}", edit.file, edit.line);
    Line::plain("    and ").and(Shown::from(edit.words())).dim(Shown::from(place))
}

/// `flux-system/apps-main   1 commit: 2 updates · 3 files · 4 sites`.
fn commit(state: &State, automation: &ObjectId) -> Line {
    let updates: Vec<&Proposal> =
        state.review.approved().filter(|update| update.automation == *automation).collect();
    let sites: usize = updates.iter().map(|update| update.approved().count()).sum();
    let mut files: Vec<&str> =
        updates.iter().flat_map(|update| update.approved()).map(|site| site.file.as_str()).collect();
    let edits: Vec<&ObjectEdit> = updates.iter().flat_map(|update| update.approved_edits()).collect();
    files.extend(edits.iter().map(|edit| edit.file.as_str()));
    files.sort_unstable();
    files.dedup();
    let counts = format!(
        "   one commit: {} · {} · {}",
        words::count(updates.len(), "update"),
        words::count(files.len(), "file"),
        words::sites_and_edits(sites, edits.len())
    );
    let line = Line::of(Role::Select, automation.to_string()).and(counts);
    let edited = state.review.messages.get(automation).map(|message| message.subject.text().to_owned());
    edited.map_or_else(|| line.clone(), |subject| line.clone().dim("   message ").and(subject))
}

/// `main@4c1f0e2 → image-updates   of https://git.example.com/ops/fleet.git`.
fn target(state: &State, automation: &ObjectId, arrow: &str) -> Line {
    let Some(ground) = state.review.ground(automation) else { return Line::of(Role::TextDim, "no remote") };
    let (Some(base), Some(push)) = (&ground.base, &ground.push) else {
        return Line::of(Role::StateWarn, "no remote: nothing can be pushed");
    };
    let line = Line::plain(words::branch(&base.reference)).and("@").and(words::short(&base.commit));
    let line = line.dim(format!(" {arrow} ")).and(branch(state, ground, push));
    let line = if state.destination.split { line.dim("   one commit for each policy") } else { line };
    let line = if state.requests { line.dim("   with a request") } else { line };
    let remote = ground.remote.as_deref().unwrap_or_default();
    line.dim("   of ").dim(remote)
}

/// `by fluxcdbot <flux@example.com>   signed: the operator's ssh key`.
fn author(state: &State, automation: &ObjectId) -> Line {
    let Some(ground) = state.review.ground(automation) else { return Line::default() };
    let line = Line::default().dim("by ").dim(ground.author.to_string());
    match &ground.committing.signer {
        Some(signer) => line.dim("   signed: ").dim(signer),
        None => line.dim("   not signed"),
    }
}

/// The branch that is chosen for what stands on `ground`; of a name with placeholders, the template.
fn branch<'a>(state: &'a State, ground: &'a Ground, push: &'a PushTarget) -> &'a str {
    match (&state.destination.onto, &ground.base) {
        (Onto::Named(name), _) => name,
        (Onto::Checkout, Some(base)) => words::branch(&base.reference),
        (Onto::Push | Onto::Checkout, _) => &push.branch,
    }
}

fn update_row<'a>(update: &'a Proposal, arrow: &'static str) -> Row<'a> {
    let (role, mark) = words::update_box(update);
    let (step_role, step) = words::step(update);
    let approved = update.approved().count();
    let all = update.sites.iter().filter(|site| site.blocked.is_none()).count();
    let sites = if approved == all { approved.to_string() } else { format!("{approved} of {all}") };
    Row::Cells(vec![
        Cell::of(role, mark),
        Cell::plain(update.policy.to_string()),
        Cell::fitted(change_width(&updates::current(update), arrow, &updates::new(update)), move |max| {
            change(&updates::current(update), arrow, &updates::new(update), max)
        }),
        Cell::of(step_role, step),
        Cell::plain(sites),
    ])
}

/// How much would be pushed.
pub(super) fn summary(state: &State) -> Line {
    let tally = state.review.tally();
    let is_split = state.destination.split || state.destination.onto.is_template();
    let commits = if is_split { tally.approved } else { state.review.automations().len() };
    let undecided = match tally.undecided {
        0 => String::new(),
        1 => " · 1 undecided is not included".to_owned(),
        several => format!(" · {several} undecided are not included"),
    };
    let sites = words::count(tally.approved_sites, "site");
    Line::plain(format!(
        "{} approved · {sites} · {}{undecided}",
        tally.approved,
        words::count(commits, "commit")
    ))
}
