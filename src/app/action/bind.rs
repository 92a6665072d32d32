//! A person's own keys: what `[keys]` of the configuration asks for, as far as it can be had.
//!
//! A line that cannot be had is told, with its place, and its action keeps the keys it had; the other lines count. What
//! leads out of things, what answers questions and what chooses in fields is not to be had at all, so that no
//! configuration makes a push a matter of another key than `y`.

use super::{ACTIONS, Action, EffectClass, Preset, Row, Scope, by_id};
use crate::app::keymap::{Bindings, Key, KeyCode};
use crate::app::view::Context;
use crate::problem::{Code, Problem};
use crate::text::nearest;

/// A line of `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The action's id, as it stands there.
    pub id: String,
    /// Where: `FILE:LINE:COLUMN`.
    pub at: String,
    /// What it asks for.
    pub asked: Asked,
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// These keys and no others.
    Keys(Vec<AskedKey>),
    /// No key.
    Unbound,
}

/// A key, as it is written and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedKey {
    /// Its name.
    pub text: String,
    /// Where: `FILE:LINE:COLUMN`.
    pub at: String,
}

/// Why a line cannot be had: its place, the reason, and perhaps what would be right.
struct Wrong(String, String, Option<String>);

/// The keys in force with this preset and these lines, of which a later one of the same action wins; and what is wrong
/// with the lines, or follows from them for other actions.
pub fn bind(preset: Preset, lines: &[Line]) -> (Bindings, Vec<Problem>) {
    let mut bindings = preset.bindings();
    let mut told = Vec::new();
    let mut given: Vec<(&'static Row, Vec<Key>, &str)> = Vec::new();
    for line in in_force(lines) {
        match read(&bindings, line).and_then(|(row, keys)| free(&given, line, row, keys)) {
            Ok((row, keys)) => given.push((row, keys, &line.at)),
            Err(Wrong(at, message, hint)) => {
                let problem = Problem::new(Code::Config, at, message);
                told.push(hint.into_iter().fold(problem, Problem::hint));
            }
        }
    }
    for (row, keys, at) in &given {
        bindings.set(row.id, keys.clone(), *at);
    }
    for (row, keys, at) in &given {
        let others = ACTIONS.iter().filter(|other| given.iter().all(|(row, ..)| row.id != other.id));
        for other in others.filter(|other| other.scope.overlaps(row.scope)) {
            told.extend(take(&mut bindings, other, (row, keys, at)));
        }
    }
    (bindings, told)
}

/// The lines without those that a later one of the same action replaces.
fn in_force(lines: &[Line]) -> impl Iterator<Item = &Line> {
    let is_last = |(at, line): &(usize, &Line)| !lines.iter().skip(at + 1).any(|later| later.id == line.id);
    lines.iter().enumerate().filter(is_last).map(|(_, line)| line)
}

/// The action of a line and its keys, if it may have them.
fn read(bindings: &Bindings, line: &Line) -> Result<(&'static Row, Vec<Key>), Wrong> {
    let wrong = |message: String, hint: Option<String>| Wrong(line.at.clone(), message, hint);
    let Some(row) = by_id(&line.id) else {
        let near =
            nearest(&line.id, ACTIONS.iter().map(|row| row.id)).map(|near| format!("Did you mean {near:?}?"));
        let hint = near.unwrap_or_else(|| "List the actions: supercargo keys.".to_owned());
        return Err(wrong(format!("there is no action {:?}", line.id), Some(hint)));
    };
    if is_locked(row) {
        return Err(wrong(format!("the keys of {} cannot be changed", row.id), None));
    }
    match &line.asked {
        Asked::Unbound if matches!(row.action, Action::Help | Action::Palette) => {
            Err(wrong(format!("{} needs a key: all the others are found through it", row.id), None))
        }
        Asked::Unbound => Ok((row, Vec::new())),
        Asked::Keys(keys) if keys.is_empty() => Err(wrong(
            format!("the list of keys of {} is empty", row.id),
            Some("Write false for no key.".to_owned()),
        )),
        Asked::Keys(keys) => {
            let keys = keys.iter().map(|key| allowed(bindings, row, key)).collect::<Result<Vec<_>, _>>()?;
            Ok((row, keys))
        }
    }
}

/// The same, unless a line before it has one of the keys where this one would need it.
fn free(
    given: &[(&'static Row, Vec<Key>, &str)],
    line: &Line,
    row: &'static Row,
    keys: Vec<Key>,
) -> Result<(&'static Row, Vec<Key>), Wrong> {
    for (other, taken, at) in given.iter().filter(|(other, ..)| other.scope.overlaps(row.scope)) {
        if let Some(key) = keys.iter().find(|key| taken.contains(key)) {
            let message = format!(
                "{} is given to {} already, at {at}; {} keeps its keys",
                key.spelled(),
                other.id,
                row.id
            );
            return Err(Wrong(line.at.clone(), message, None));
        }
    }
    Ok((row, keys))
}

/// Takes from `other` the keys that a line gives to another action; says so.
fn take(
    bindings: &mut Bindings,
    other: &'static Row,
    (row, keys, at): (&Row, &[Key], &str),
) -> Option<Problem> {
    let had = other.keys_in(bindings);
    let (lost, left): (Vec<Key>, Vec<Key>) = had.into_iter().partition(|key| keys.contains(key));
    let names = lost.iter().map(|key| key.spelled()).collect::<Vec<_>>().join(", ");
    let rest = if left.is_empty() { "which has no key now" } else { "which keeps its others" };
    (!lost.is_empty()).then(|| {
        bindings.set(other.id, left, at);
        Problem::new(
            Code::Config,
            at,
            format!("{names} was the key of {}, {rest}; it is {}'s", other.id, row.id),
        )
    })
}

/// The contexts that ask something or take one text: their few keys are the same for everybody.
const FIXED: Scope = Scope::of(&[
    Context::Filter,
    Context::Palette,
    Context::Find,
    Context::ConfirmPush,
    Context::TypeBranch,
    Context::ConfirmMerge,
    Context::Target,
    Context::Edit,
    Context::TypeTarget,
    Context::TypeHold,
    Context::ConfirmQuit,
    Context::ConfirmMode,
    Context::ConfirmOrder,
    Context::ConfirmResume,
    Context::TooSmall,
]);

/// Whether an action's keys are the same for everybody.
fn is_locked(row: &Row) -> bool {
    use Action::{Accept, Back, Cancel, ChoiceDown, ChoiceUp, Complete, No, Suspend, Yes};
    matches!(row.action, Accept | Back | Cancel | ChoiceDown | ChoiceUp | Complete | No | Suspend | Yes)
        || Context::all().all(|context| !row.scope.contains(context) || FIXED.contains(context))
}

/// A key that `row` may have.
fn allowed(bindings: &Bindings, row: &Row, asked: &AskedKey) -> Result<Key, Wrong> {
    let wrong = |message: String| Wrong(asked.at.clone(), message, None);
    let key = parse(&asked.text).map_err(&wrong)?;
    let name = key.spelled();
    if let Some(reason) = never_comes(key) {
        return Err(wrong(format!("{name}: {reason}")));
    }
    let types = |context: Context| context.is_input() && row.scope.contains(context);
    if key.typed().is_some() && Context::all().any(types) {
        return Err(wrong(format!("{name} types text in a field, where {} works too", row.id)));
    }
    let is_fixed = |other: &&Row| is_locked(other) && other.scope.overlaps(row.scope);
    if let Some(other) = ACTIONS.iter().filter(is_fixed).find(|other| other.keys_in(bindings).contains(&key))
    {
        return Err(wrong(format!("{name} is the key of {}, which cannot be changed", other.id)));
    }
    if row.effect >= EffectClass::Remote && is_unsafe(key) {
        return Err(wrong(format!(
            "{name} cannot be the key of {}: a torn key sequence or a slip types it, and it reaches further than this computer",
            row.id
        )));
    }
    Ok(key)
}

/// Keys that must not lead to a push or an order: the last characters of the sequences of arrow and function keys and of the
/// mouse, `P`, which is a slip away from `p`, and what confirms.
fn is_unsafe(key: Key) -> bool {
    let is_last =
        matches!(key.code, KeyCode::Char('A'..='F' | 'H' | 'M' | 'O'..='S' | 'Z' | 'm' | 'u' | '~'));
    (is_last && !key.ctrl) || matches!(key.typed(), Some('y'))
}

/// Reads a key as people write it: names and modifiers in any case.
fn parse(text: &str) -> Result<Key, String> {
    let no_key = || format!("no key is called {text:?}");
    let end = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let cut = text.get(..end).and_then(|text| text.rfind('-')).map_or(0, |at| at + 1);
    let (modifiers, name) = text.split_at_checked(cut).ok_or_else(no_key)?;
    let is_letter = name.chars().count() == 1;
    let (modifiers, lower) = (modifiers.to_lowercase(), name.to_lowercase());
    let keeps_case = is_letter && !modifiers.contains("ctrl-");
    let key: Key = format!("{modifiers}{}", if keeps_case { name } else { &lower })
        .parse()
        .map_err(|_unknown| no_key())?;
    match key.code {
        KeyCode::Char(c) if key.shift && c.is_alphabetic() => {
            Err(format!("write {:?} for {text:?}", c.to_uppercase().to_string()))
        }
        KeyCode::Char(c) if key.shift => Err(format!("write the character that Shift makes of {c:?}")),
        _ => Ok(key),
    }
}

/// Why a terminal never sends this key, or not as this key.
fn never_comes(key: Key) -> Option<&'static str> {
    match (key.code, key.ctrl, key.alt, key.shift) {
        (KeyCode::Char('i'), true, ..) => Some("terminals send the same as for tab"),
        (KeyCode::Char('m' | 'j'), true, ..) => Some("terminals send the same as for enter"),
        (KeyCode::Char('h'), true, ..) => Some("terminals send the same as for backspace"),
        (KeyCode::Char('['), true, ..) => Some("terminals send the same as for esc"),
        (KeyCode::Char('[' | 'O' | ']' | 'P' | '_' | '^'), false, true, _) => {
            Some("the sequences of other keys begin like that")
        }
        (KeyCode::Char(c), true, ..) if !c.is_ascii_lowercase() && c != ' ' => {
            Some("terminals do not send it")
        }
        (KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace, true, ..)
        | (KeyCode::Enter | KeyCode::Backspace, _, _, true) => {
            Some("terminals do not tell it from the plain key")
        }
        (KeyCode::Esc, ..) if key.ctrl || key.alt || key.shift => {
            Some("terminals do not tell it from the plain key")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::action::lookup;
    use crate::app::view::View;

    fn line((number, (id, keys)): (usize, &(&str, &str))) -> Line {
        let at = |column: usize| format!("c.toml:{}:{column}", number + 1);
        let key = |text: &str| AskedKey { text: text.to_owned(), at: at(20) };
        let asked = match *keys {
            "false" => Asked::Unbound,
            keys => Asked::Keys(keys.split_whitespace().map(key).collect()),
        };
        Line { id: (*id).to_owned(), at: at(1), asked }
    }

    fn bound(lines: &[(&str, &str)]) -> (Bindings, Vec<String>) {
        let lines: Vec<Line> = lines.iter().enumerate().map(line).collect();
        let (bindings, told) = bind(Preset::Vim, &lines);
        (bindings, told.iter().map(ToString::to_string).collect())
    }

    fn keys(bindings: &Bindings, id: &str) -> String {
        by_id(id).unwrap().keys_shown(bindings)
    }

    fn meant(bindings: &Bindings, key: &str) -> Option<&'static str> {
        lookup(bindings, Context::View(View::Updates), key.parse().unwrap()).map(|row| row.id)
    }

    #[test]
    fn a_line_gives_an_action_its_keys_and_takes_the_old_ones() {
        let (bindings, told) =
            bound(&[("push.open", "ctrl-g g"), ("decide.skip", "false"), ("list.sort", "Ctrl-G F5")]);
        assert_eq!(keys(&bindings, "push.open"), "Ctrl-g g");
        assert_eq!(meant(&bindings, "ctrl-g"), Some("push.open"));
        assert_eq!(meant(&bindings, "p"), None);
        assert_eq!(keys(&bindings, "decide.skip"), "");
        assert_eq!(
            meant(&bindings, "g"),
            Some("push.open"),
            "a key of one's own comes before one of the table"
        );
        assert_eq!(keys(&bindings, "move.first"), "Home");
        assert_eq!(keys(&bindings, "list.sort"), "o", "a key that is given twice is the first one's");
        assert_eq!(
            told,
            [
                "c.toml:3:1: ctrl-g is given to push.open already, at c.toml:1:1; list.sort keeps its keys",
                "c.toml:1:1: g was the key of move.first, which keeps its others; it is push.open's",
            ]
        );
    }

    #[test]
    fn two_actions_can_change_their_keys() {
        let (bindings, told) = bound(&[("push.open", "s"), ("decide.skip", "p")]);
        assert_eq!((meant(&bindings, "s"), meant(&bindings, "p")), (Some("push.open"), Some("decide.skip")));
        assert_eq!(told, Vec::<String>::new());
    }

    #[test]
    fn a_bad_line_is_told_with_its_place_and_changes_nothing_else() {
        for (id, keys, said) in [
            ("push.opne", "x", "c.toml:1:1: there is no action \"push.opne\""),
            ("push.open", "hyper-x", "c.toml:1:20: no key is called \"hyper-x\""),
            ("push.open", "", "c.toml:1:1: the list of keys of push.open is empty"),
            ("push.open", "ctrl-i", "c.toml:1:20: ctrl-i: terminals send the same as for tab"),
            ("push.open", "alt-[", "c.toml:1:20: alt-[: the sequences of other keys begin like that"),
            ("push.open", "shift-g", "c.toml:1:20: write \"G\" for \"shift-g\""),
            ("program.redraw", "r", "c.toml:1:20: r types text in a field, where program.redraw works too"),
            ("help.open", "false", "c.toml:1:1: help.open needs a key: all the others are found through it"),
        ] {
            let (bindings, told) = bound(&[(id, keys), ("decide.skip", "ctrl-s")]);
            assert_eq!(told, [said], "{id} {keys}");
            assert_eq!(meant(&bindings, "p"), Some("push.open"));
            assert_eq!(meant(&bindings, "ctrl-s"), Some("decide.skip"));
        }
    }

    #[test]
    fn system_keys_and_the_keys_of_questions_stay_what_they_are() {
        for id in [
            "dialog.push",
            "dialog.no",
            "branch.accept",
            "work.cancel",
            "view.back",
            "target.checkout",
            "merge.commit",
        ] {
            let (bindings, told) = bound(&[(id, "ctrl-g")]);
            assert_eq!(told, [format!("c.toml:1:1: the keys of {id} cannot be changed")]);
            assert_eq!(bindings, Bindings::default());
        }
        for (id, key, owner) in [
            ("push.open", "esc", "view.back"),
            ("decide.skip", "ctrl-c", "work.cancel"),
            ("move.down", "y", "dialog.push"),
            ("push.target", "n", "dialog.no"),
        ] {
            let (bindings, told) = bound(&[(id, key)]);
            assert_eq!(told, [format!("c.toml:1:20: {key} is the key of {owner}, which cannot be changed")]);
            assert_eq!(bindings, Bindings::default());
        }
    }

    #[test]
    fn letters_that_are_unbound_on_purpose_never_push() {
        for key in ["A", "B", "C", "D", "E", "F", "P", "Q", "S", "H", "O", "R", "M", "y"] {
            for id in ["push.open", "branch.merge", "object.suspend"] {
                let (bindings, told) = bound(&[(id, key)]);
                assert_eq!(told.len(), 1, "{id} {key}");
                assert_eq!(bindings, Bindings::default());
            }
        }
        let (bindings, _) = bound(&[("list.sort", "S")]);
        assert_eq!(keys(&bindings, "list.sort"), "S", "what stays on this computer may have them");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_a_key_means_one_thing_in_a_context_and_esc_and_y_what_they_mean(
            asked in prop::collection::vec((0..ACTIONS.len(), "[a-zA-Z:?/]|ctrl-[a-z]|f[1-9]|esc|enter|space|tab|false|down"), 0..12),
        ) {
            let lines: Vec<(&str, &str)> = asked.iter().map(|(row, key)| (ACTIONS[*row].id, key.as_str())).collect();
            let (bindings, _) = bound(&lines);
            for context in Context::all() {
                let mut seen = std::collections::BTreeSet::new();
                let rows = || ACTIONS.iter().filter(|row| row.scope.contains(context));
                for key in rows().flat_map(|row| row.keys_in(&bindings)) {
                    prop_assert!(seen.insert(key), "{} means two things in {:?}", key, context);
                }
                for key in ["esc", "ctrl-c", "y"].map(|key| key.parse::<Key>().unwrap()) {
                    let before = lookup(&Bindings::default(), context, key).filter(|row| is_locked(row));
                    let after = lookup(&bindings, context, key).map(|row| row.id);
                    prop_assert!(before.is_none_or(|row| Some(row.id) == after), "{} in {:?}", key, context);
                }
            }
        }
    }
}
