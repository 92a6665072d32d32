//! What lies over a view: filter field, menus, palette, help, questions.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::help::{self, HelpRow, Pages};
use crate::app::input::Field;
use crate::app::list::{Filter, Motion};
use crate::app::palette::{self, Command, Entry};
use crate::app::rows;
use crate::app::state::{Help, Level, MenuKind, Overlay, Palette, State};
use crate::app::view::{Context, View};
use crate::domain::mode::Mode;

use super::{
    cluster, copy, decide, diff, find, hold, keys, lists, merge, mode, navigate, order, push, revert, run,
    saved_plan, tags, target,
};

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Filter => {
            let view = state.view_below_help();
            let typed = rows::filter(state, view).map(Filter::typed).unwrap_or_default();
            state.filter = Some(Field::new(typed));
        }
        Action::Palette => state.overlay = Some(Overlay::Palette(Palette::default())),
        Action::Help => {
            let of = state.context_below_help();
            state.help = Some(Help { of, field: Field::default(), cursor: 0 });
        }
        Action::ChoiceDown => choice(state, 1),
        Action::ChoiceUp => choice(state, -1),
        Action::Complete => complete(state),
        Action::Accept => return accept(state),
        _ => {}
    }
    vec![]
}

/// Hands what is shown to the pager, from its first line on.
pub(super) fn page(state: &mut State) -> Vec<Effect> {
    (state.preview.scroll, state.diff.scroll) = (0, 0);
    vec![Effect::Page]
}

/// Moves a cursor among `len` entries.
pub(super) fn go(cursor: &mut usize, len: usize, motion: Motion) {
    let last = len.saturating_sub(1);
    *cursor = match motion {
        Motion::By(rows) | Motion::Half(rows) | Motion::Page(rows) => cursor.saturating_add_signed(rows),
        Motion::First => 0,
        Motion::Last => last,
    }
    .min(last);
}

fn choice(state: &mut State, by: isize) {
    match state.context() {
        Context::View(View::Help) => {
            let len = help_pages(state).places();
            if let Some(help) = &mut state.help {
                go(&mut help.cursor, len, Motion::By(by));
            }
        }
        Context::TypeHold => hold::choose(state, by),
        Context::Find => find::choose(state, by),
        Context::Palette => {
            let Some(Overlay::Palette(open)) = &mut state.overlay else { return };
            if open.recall(&state.commands, by) {
                return;
            }
            let Some(Overlay::Palette(open)) = &state.overlay else { return };
            let len = palette::entries(state, open.field.text()).len();
            if let Some(Overlay::Palette(open)) = &mut state.overlay {
                go(&mut open.cursor, len, Motion::By(by));
            }
        }
        _ => {
            // While a filter is typed the arrows move in the list.
            navigate::go(state, Motion::By(by));
        }
    }
}

fn help_pages(state: &State) -> Pages {
    let area = state.layout().list;
    Pages::of(state, help::body(area.width, area.height))
}

/// Turns the pages of the help.
pub(super) fn turn(state: &mut State, by: isize) {
    let pages = help_pages(state);
    if let Some(help) = &mut state.help {
        help.cursor = pages.turned(help.cursor, by);
    }
}

/// Fills in the name under the palette's cursor.
fn complete(state: &mut State) {
    let Some(Overlay::Palette(open)) = &state.overlay else { return };
    let name =
        palette::entries(state, open.field.text()).into_iter().nth(open.cursor).map(|entry| entry.name);
    if let (Some(name), Some(Overlay::Palette(open))) = (name, &mut state.overlay) {
        *open = Palette { field: Field::new(name), ..Palette::default() };
    }
}

fn accept(state: &mut State) -> Vec<Effect> {
    match state.context() {
        Context::Filter => {
            keys::apply_filter(state);
            state.filter = None;
            vec![]
        }
        Context::Palette => run_entry(state),
        Context::Find => find::accept(state),
        Context::View(View::Help) => run_help_row(state),
        Context::TypeBranch if matches!(state.overlay, Some(Overlay::Merge(_))) => merge::begin(state),
        Context::TypeBranch => push::branch_typed(state),
        Context::TypeTarget => target::typed(state),
        Context::TypeHold => hold::accept(state),
        _ => vec![],
    }
}

fn run_entry(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Palette(open)) = &state.overlay else { return vec![] };
    let typed = open.field.text().trim().to_owned();
    let entry = palette::entries(state, &typed).into_iter().nth(open.cursor);
    state.overlay = None;
    let name = entry.as_ref().map_or_else(|| typed.clone(), |entry| entry.name.clone());
    // First: what is run may be to leave.
    let mut effects = remember(state, name);
    effects.extend(carry_out(state, entry, &typed));
    effects
}

/// So many commands are kept.
const REMEMBERED: usize = 100;

/// Keeps what is run from the palette, each command once, for Up to bring back.
fn remember(state: &mut State, command: String) -> Vec<Effect> {
    if command.is_empty() {
        return vec![];
    }
    state.commands.retain(|known| *known != command);
    state.commands.insert(0, command);
    state.commands.truncate(REMEMBERED);
    vec![Effect::SaveCommands(state.commands.clone())]
}

/// Runs the entry that is called so.
pub(super) fn run_named(state: &mut State, typed: &str) -> Vec<Effect> {
    let entry = palette::named(state, typed);
    carry_out(state, entry, typed)
}

fn carry_out(state: &mut State, entry: Option<Entry>, typed: &str) -> Vec<Effect> {
    let entry_refusal = entry.as_ref().and_then(|entry| entry.refusal.clone());
    match entry.map(|entry| entry.command) {
        Some(Command::Row(row)) => run(state, row),
        Some(Command::Theme(index)) => {
            mode::theme(state, index);
            vec![]
        }
        Some(Command::Tags(repository)) => tags::open(state, repository, None),
        Some(Command::Context(context)) => cluster::use_context(state, context),
        Some(Command::Namespace(namespace)) => lists::look_at(state, namespace),
        Some(Command::Revert(_) | Command::Review) if entry_refusal.is_some() => {
            state.tell(Level::Refusal, entry_refusal.unwrap_or_default());
            vec![]
        }
        Some(Command::Revert(commit)) => revert::commit_of(state, None, commit),
        Some(Command::Review) => saved_plan::open(state, typed),
        None => {
            let (views, doc) = palette::elsewhere(typed);
            let says = match palette::nearest_name(state, typed) {
                _ if typed.starts_with("ctx ") => no_context(state, typed),
                _ if !views.is_empty() => {
                    format!("nothing to {typed} here; in {}: {doc}", views.join(", "))
                }
                Some(near) => format!("no action is called {typed}; did you mean {near}?"),
                None => format!("no action is called {typed}: `?` lists what there is"),
            };
            state.tell(Level::Refusal, says);
            vec![]
        }
    }
}

/// That a context is not there, and which are.
fn no_context(state: &State, typed: &str) -> String {
    let name = typed.trim_start_matches("ctx ").trim();
    if state.contexts.is_empty() {
        return format!("no kube context is called {name}: the kubeconfig has none");
    }
    format!("no kube context is called {name}; there are: {}", state.contexts.join(", "))
}

/// Runs the entry under help's cursor in the context that help was opened in. What answers a question is not run: Enter is
/// no yes, wherever it is pressed.
fn run_help_row(state: &mut State) -> Vec<Effect> {
    let row = state.help.as_ref().and_then(|help| help::rows(state).into_iter().nth(help.cursor));
    if row.is_none() && state.help.as_ref().is_some_and(|help| !help.of.asks()) {
        // What no key does may have a name.
        let typed = state.help.take().map(|help| help.field.text().to_owned()).unwrap_or_default();
        state.overlay = Some(Overlay::Palette(Palette { field: Field::new(typed), ..Palette::default() }));
        return vec![];
    }
    let is_question = state.help.take().is_some_and(|help| help.of.asks());
    let Some(HelpRow { row, keys, .. }) = row else { return vec![] };
    if is_question && !matches!(row.action, Action::No | Action::Back) {
        state.tell(Level::Info, format!("{keys} does that here; Enter answers no question"));
        return vec![];
    }
    run(state, row)
}

/// Closes what is in front of the view, if anything is: help, overlay, filter field. Text of inputs is kept where it
/// matters: a message is.
pub(super) fn close(state: &mut State) -> bool {
    if state.help.take().is_some() {
        return true;
    }
    if state.overlay.take().is_some() {
        return true;
    }
    if state.filter.take().is_some() {
        // Esc clears the filter; Enter would have kept it.
        let view = state.view_below_help();
        if let Some(filter) = rows::filter_mut(state, view) {
            *filter = Filter::default();
        }
        rows::refresh_view(state, view);
        return true;
    }
    false
}

/// Chooses the entry under a menu's cursor.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Menu(menu)) = state.overlay.take() else { return vec![] };
    let Some(entry) = menu.entries.get(menu.cursor) else { return vec![] };
    match menu.kind {
        MenuKind::Copy => copy::send(state, entry.value.clone()),
        MenuKind::Theme => {
            mode::theme(state, menu.cursor);
            vec![]
        }
        MenuKind::Sort => {
            if let Some(list) = navigate::list(state) {
                *list.order().0 = menu.cursor;
            }
            rows::refresh_view(state, state.view_below_help());
            vec![]
        }
    }
}

/// Yes, to whatever is asked.
pub(super) fn yes(state: &mut State) -> Vec<Effect> {
    match state.overlay {
        Some(Overlay::Push(_)) => push::confirmed(state),
        Some(Overlay::Merge(_)) => merge::confirmed(state),
        Some(Overlay::Quit(_)) => vec![Effect::Quit],
        Some(Overlay::Resume(_)) => {
            state.overlay = None;
            vec![]
        }
        Some(Overlay::Pushing { stops: true }) => push::stop(state),
        Some(Overlay::Pushing { stops: false }) => {
            state.overlay = None;
            state.leave_view();
            vec![]
        }
        Some(Overlay::Order(_)) => order::confirmed(state),
        Some(Overlay::Mode) => {
            state.overlay = None;
            mode::set(state, Mode::Write)
        }
        _ => vec![],
    }
}

/// No, to whatever is asked.
pub(super) fn no(state: &mut State) -> Vec<Effect> {
    if matches!(state.overlay, Some(Overlay::Resume(_))) {
        state.overlay = None;
        return decide::drop_all(state);
    }
    let effects = push::stop_preparing(state).unwrap_or_default();
    state.overlay = None;
    effects
}

/// From the dialog to the diff of what would be pushed.
pub(super) fn diff_first(state: &mut State) -> Vec<Effect> {
    let first = state.review.approved().map(crate::app::review::UpdateId::of).next();
    let effects = no(state);
    if let Some(id) = first
        && state.view_below_help() != View::Diff
    {
        diff::open_at(state, &id);
    }
    effects
}
