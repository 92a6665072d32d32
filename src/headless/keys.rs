//! `keys`: what each key of the dashboard does, out of the table that the dashboard itself goes by, with the preset and the keys
//! that the configuration sets.

use serde_json::{Map, Value, json};

use super::{Answer, Document, Table, Text};
use crate::app::action::{ACTIONS, Row};
use crate::app::keymap::{Bindings, Key};
use crate::config::Settings;

/// `keys`: the keys in force; what could not be had of `[keys]`, and what it took from others, are the answer's problems.
pub(super) fn keys(settings: &Settings) -> Answer {
    Answer::new(Keys(settings.bindings.clone())).with_problems(settings.key_warnings.clone())
}

/// The keys that work now.
struct Keys(Bindings);

impl Keys {
    /// `table`, `preset emacs`, or the place in a file.
    fn origin(&self, row: &Row) -> String {
        self.0.origin(row.id).unwrap_or("table").to_owned()
    }
}

impl Document for Keys {
    fn kind(&self) -> &'static str {
        "KeyList"
    }

    fn json(&self) -> Map<String, Value> {
        let item = |row: &Row| {
            json!({
                "action": row.id,
                "keys": row.keys_in(&self.0).into_iter().map(Key::spelled).collect::<Vec<_>>(),
                "label": row.label,
                "help": row.doc,
                "group": row.group.title(),
                "effect": row.effect.word(),
                "origin": self.origin(row),
            })
        };
        Map::from_iter([("items".to_owned(), ACTIONS.iter().map(item).collect())])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["EFFECT", "ORIGIN"].as_slice() } else { &[] };
        let mut table = Table::new(["KEYS", "ACTION", "WHAT"].into_iter().chain(extra.iter().copied()));
        for row in ACTIONS {
            let cells = [row.keys_shown(&self.0), row.id.to_owned(), row.doc.to_owned()];
            let more = wide.then(|| [row.effect.word().to_owned(), self.origin(row)]);
            table.push(cells.into_iter().chain(more.into_iter().flatten()));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        ACTIONS.iter().map(|row| format!("action/{}", row.id)).collect()
    }
}
