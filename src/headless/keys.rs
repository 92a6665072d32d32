//! `keys`: what each key of the dashboard does, out of the table that the dashboard itself goes by.

use serde_json::{Map, Value, json};

use super::{Document, Table, Text};
use crate::app::action::{ACTIONS, Row};

/// The keys that work now.
pub(super) struct Keys;

impl Document for Keys {
    fn kind(&self) -> &'static str {
        "KeyList"
    }

    fn json(&self) -> Map<String, Value> {
        let item = |row: &Row| {
            json!({
                "action": row.id,
                "keys": row.keys,
                "label": row.label,
                "help": row.doc,
                "group": row.group.title(),
                "effect": row.effect.word(),
            })
        };
        Map::from_iter([("items".to_owned(), ACTIONS.iter().map(item).collect())])
    }

    fn text(&self, wide: bool) -> Text {
        let extra = if wide { ["EFFECT"].as_slice() } else { &[] };
        let mut table = Table::new(["KEYS", "ACTION", "WHAT"].into_iter().chain(extra.iter().copied()));
        for row in ACTIONS {
            let cells = [row.keys_shown(), row.id.to_owned(), row.doc.to_owned()];
            table.push(cells.into_iter().chain(wide.then(|| row.effect.word().to_owned())));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        ACTIONS.iter().map(|row| format!("action/{}", row.id)).collect()
    }
}
