//! `[keys]`: the lines of the section with their places. What they may ask for is [`crate::app::action::bind`]'s to say.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config_problem;
use super::file::place;
use crate::app::action::{Asked, AskedKey, Line, Preset};
use crate::problem::Problem;
use crate::text::nearest;

/// What one file says of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Keys {
    /// `preset`.
    pub(super) preset: Option<Preset>,
    /// The other lines, in their order.
    pub(super) lines: Vec<Line>,
}

impl Keys {
    /// These, and what `over` says differently.
    pub(super) fn then(mut self, over: Self) -> Self {
        self.preset = over.preset.or(self.preset);
        self.lines.extend(over.lines);
        self
    }
}

/// A file, for telling where in it something stands.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// All of it.
    pub(super) text: &'a str,
}

impl Text<'_> {
    fn at(self, span: &Range<usize>) -> String {
        format!("{}:{}", self.name, place(self.text, span.start))
    }
}

/// The `[keys]` of a table, which may be the file's or that of one context.
pub(super) fn read(file: Text<'_>, table: &DeTable<'_>, warnings: &mut Vec<Problem>) -> Keys {
    let mut keys = Keys::default();
    let Some(section) = table.get("keys") else { return keys };
    let Some(entries) = section.as_ref().as_table() else {
        warnings
            .push(config_problem(&file.at(&section.span()), "keys has to be a table").hint("Write [keys]."));
        return keys;
    };
    for (key, value) in in_order(entries) {
        if key.as_ref() == "preset" {
            keys.preset = preset(file, value, warnings).or(keys.preset);
        } else {
            lines(file, key.as_ref(), (key.span(), value), &mut keys.lines);
        }
    }
    keys
}

/// As the file has them: a table knows its keys by name.
fn in_order<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn preset(file: Text<'_>, value: &Spanned<DeValue<'_>>, warnings: &mut Vec<Problem>) -> Option<Preset> {
    let word = value.as_ref().as_str().unwrap_or_default();
    let found = Preset::named(word);
    if found.is_none() {
        let names = Preset::ALL.map(Preset::word);
        let hint = match nearest(word, names) {
            Some(near) => format!("Did you mean {near:?}?"),
            None => format!("There are {}.", names.join(", ")),
        };
        let problem = config_problem(&file.at(&value.span()), "there is no preset of keys of this name");
        warnings.push(problem.hint(hint));
    }
    found
}

/// The line of a key; `push.open` without quotes is a table in a table, and means the same.
fn lines(
    file: Text<'_>,
    id: &str,
    (span, value): (Range<usize>, &Spanned<DeValue<'_>>),
    found: &mut Vec<Line>,
) {
    let asked = match value.as_ref() {
        DeValue::Table(inner) => {
            for (key, value) in in_order(inner) {
                lines(file, &format!("{id}.{}", key.as_ref()), (span.clone(), value), found);
            }
            return;
        }
        DeValue::Boolean(false) => Asked::Unbound,
        DeValue::String(text) => {
            Asked::Keys(vec![AskedKey { text: text.to_string(), at: file.at(&value.span()) }])
        }
        DeValue::Array(keys) => {
            let key = |key: &Spanned<DeValue<'_>>| {
                let text = key.as_ref().as_str()?.to_owned();
                Some(AskedKey { text, at: file.at(&key.span()) })
            };
            keys.iter().map(key).collect::<Option<_>>().map_or(Asked::Other, Asked::Keys)
        }
        _ => Asked::Other,
    };
    found.push(Line { id: id.to_owned(), at: file.at(&span), asked });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Keys, Vec<String>) {
        let mut warnings = Vec::new();
        let table = DeTable::parse(text).unwrap();
        let keys = read(Text { name: "c.toml", text }, table.get_ref(), &mut warnings);
        (keys, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_line_has_its_place_and_each_key_its_own() {
        let (keys, warnings) = read_text(
            "mode = 'write'\n[keys]\n\"push.open\" = [\"p\", \"ctrl-g\"]\ndecide.skip = false\n\"list.sort\" = 'F5'\n\"view.log\" = [6]\n",
        );
        assert_eq!(warnings, Vec::<String>::new());
        let told: Vec<String> = keys
            .lines
            .iter()
            .map(|line| match &line.asked {
                Asked::Keys(keys) => {
                    let keys: Vec<String> =
                        keys.iter().map(|key| format!("{} {}", key.at, key.text)).collect();
                    format!("{} {}: {}", line.at, line.id, keys.join(", "))
                }
                other => format!("{} {}: {other:?}", line.at, line.id),
            })
            .collect();
        assert_eq!(
            told,
            [
                "c.toml:3:1 push.open: c.toml:3:16 p, c.toml:3:21 ctrl-g",
                "c.toml:4:1 decide.skip: Unbound",
                "c.toml:5:1 list.sort: c.toml:5:15 F5",
                "c.toml:6:1 view.log: Other",
            ]
        );
    }

    #[test]
    fn a_preset_that_is_none_is_told_with_the_nearest() {
        let (keys, warnings) = read_text("[keys]\npreset = \"emcas\"\n");
        assert_eq!((keys.preset, warnings.len()), (None, 1));
        assert!(warnings[0].starts_with("c.toml:2:10: "), "{warnings:?}");
        assert_eq!(read_text("[keys]\npreset = \"arrows\"\n").0.preset, Some(Preset::Arrows));
        assert!(read_text("keys = 3\n").1[0].starts_with("c.toml:1:8: "));
    }
}
