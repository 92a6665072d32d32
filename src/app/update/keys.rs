//! A key press or a paste: to the action it means in the context that has the keys, or into the text that is typed.

use crate::app::action::{self, Row};
use crate::app::effect::Effect;
use crate::app::keymap::{Key, KeyCode};
use crate::app::list::Filter;
use crate::app::rows;
use crate::app::state::{Level, MergeDialog, Overlay, Playground, State, TargetDialog};
use crate::app::view::{Context, View};
use crate::text::{count, may_be_typed};

use super::{find, guard, hold, log, message, overlays, playground, run};

/// Takes in one key.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Effect> {
    state.heard();
    let context = state.context();
    if guard::drops_keys(state, context) && key != Key::ctrl('c') {
        return vec![];
    }
    if key != Key::ctrl('c') {
        state.leaving = false;
    }
    if log::keeps(state, key) {
        return vec![];
    }
    let row = action::lookup(&state.bindings, context, key);
    if !row.is_some_and(|row| row.action.moves()) {
        state.settle_preview();
    }
    if let Some(row) = row {
        return run(state, row);
    }
    // The next key has its own answer.
    state.status.take_if(|status| status.level == Level::Refusal);
    let mut is_known = false;
    let effects = type_in(state, context, |input| {
        is_known = match input {
            Input::Line(field) => field.key(key),
            Input::Message(text) => text.key(key),
            Input::Playground(playground) => playground.key(key),
        };
        is_known
    });
    if is_known || !key.alt {
        if let Context::View(view) = context
            && !context.is_input()
        {
            say_where(state, view, key);
        }
        return effects;
    }
    escape_first(state, key)
}

/// Says of a key that means something in other views where that is: a key that does nothing without a word looks broken.
fn say_where(state: &mut State, view: View, key: Key) {
    let views = View::ALL.into_iter().filter(|other| *other != view && !Context::View(*other).is_input());
    let found: Vec<(View, &Row)> = views
        .filter_map(|view| Some((view, action::lookup(&state.bindings, Context::View(view), key)?)))
        .collect();
    let Some((_, first)) = found.first() else { return };
    let places = found.iter().filter(|(_, row)| row.id == first.id).map(|(view, _)| view.title());
    let places = places.collect::<Vec<_>>().join(", ");
    state.tell(Level::Info, format!("{key} does nothing in {}; in {places}: {}", view.title(), first.doc));
}

/// Takes in Alt and a key, which mean nothing together: over a slow line Escape and the key after it come at once and
/// look the same.
fn escape_first(state: &mut State, key: Key) -> Vec<Effect> {
    let mut effects = press(state, Key::plain(KeyCode::Esc));
    effects.extend(press(state, Key { alt: false, ..key }));
    effects
}

/// Takes in the name of an action of the view in front. Less than its beginning runs nothing: nobody has seen what it would be.
pub(super) fn named(state: &mut State, name: &str) -> Vec<Effect> {
    state.last_key = Some(state.at);
    state.leaving = false;
    if !matches!(state.context(), Context::View(_) | Context::Overlay) {
        return vec![];
    }
    state.status = None;
    state.settle_preview();
    overlays::run_named(state, name)
}

/// Takes in pasted text; outside of inputs it is ignored. No control character gets in, and that is said.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.heard();
    let context = state.context();
    let mut is_taken = false;
    let effects = type_in(state, context, |input| {
        is_taken = true;
        match input {
            Input::Line(field) => field.insert(text),
            Input::Message(message) => message.insert(text),
            Input::Playground(playground) => playground.insert(text),
        }
        true
    });
    let left_out = text.chars().filter(|c| !may_be_typed(*c) && !['\n', '\r'].contains(c)).count();
    if is_taken && left_out > 0 {
        let characters = count(left_out, "control character");
        state.tell(Level::Refusal, format!("{characters} of the pasted text left out"));
    }
    effects
}

/// What takes text.
enum Input<'a> {
    Line(&'a mut crate::app::input::Field),
    Message(&'a mut crate::app::input::Message),
    Playground(&'a mut Playground),
}

/// Changes the text of the input in front, and lets what depends on it follow.
fn type_in(state: &mut State, context: Context, change: impl FnOnce(Input<'_>) -> bool) -> Vec<Effect> {
    match context {
        Context::View(View::Message) => {
            let changed =
                state.editing.as_mut().is_some_and(|editing| change(Input::Message(&mut editing.message)));
            if changed { message::changed(state) } else { vec![] }
        }
        Context::View(View::Playground) => {
            let changed =
                state.playground.as_mut().is_some_and(|playground| change(Input::Playground(playground)));
            if changed {
                playground::changed(state);
            }
            vec![]
        }
        Context::Filter => {
            if let Some(field) = &mut state.filter {
                change(Input::Line(field));
            }
            apply_filter(state);
            vec![]
        }
        Context::View(View::Help) => {
            if let Some(help) = &mut state.help {
                change(Input::Line(&mut help.field));
                help.cursor = 0;
            }
            vec![]
        }
        Context::Find => {
            let Some(Overlay::Find(open)) = &mut state.overlay else { return vec![] };
            let before = open.field.text().to_owned();
            change(Input::Line(&mut open.field));
            if open.field.text() == before { vec![] } else { find::search(state) }
        }
        Context::Palette | Context::TypeBranch | Context::TypeTarget | Context::TypeHold => {
            match &mut state.overlay {
                Some(Overlay::Palette(palette)) => {
                    change(Input::Line(&mut palette.field));
                    (palette.cursor, palette.recalled) = (0, None);
                }
                Some(Overlay::Branch(dialog)) => {
                    change(Input::Line(&mut dialog.field));
                }
                Some(
                    Overlay::Merge(MergeDialog { typed: Some(field), .. })
                    | Overlay::Target(TargetDialog { field: Some(field), .. }),
                ) => {
                    change(Input::Line(field));
                }
                Some(Overlay::Hold(dialog)) => {
                    if let Some(field) = dialog.fields.get_mut(dialog.field) {
                        change(Input::Line(field));
                    }
                    return hold::ask(state);
                }
                _ => {}
            }
            vec![]
        }
        _ => vec![],
    }
}

/// Makes the view's filter what was typed.
pub(super) fn apply_filter(state: &mut State) {
    let typed = state.filter.as_ref().map(|field| field.text().to_owned()).unwrap_or_default();
    let view = state.view_below_help();
    if let Some(filter) = rows::filter_mut(state, view)
        && filter.typed() != typed
    {
        *filter = Filter::parse(&typed);
        rows::refresh_view(state, view);
    }
}
