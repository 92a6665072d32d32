//! `[keys]`: the lines of the section with their places. What they may ask for is [`crate::app::action::bind`]'s to say.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config_problem;
use super::file::{Misread, place};
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

    fn misread(self, span: &Range<usize>, message: &str, hint: String) -> Misread {
        let problem = config_problem(&self.at(span), message).hint(hint);
        Misread { at: Some(span.start), problem: Box::new(problem) }
    }
}

/// The `[keys]` of a table, which may be the file's or that of one context.
///
/// # Errors
/// A value of a wrong type.
pub(super) fn read(
    file: Text<'_>,
    table: &DeTable<'_>,
    warnings: &mut Vec<Problem>,
) -> Result<Keys, Misread> {
    let mut keys = Keys::default();
    let Some(section) = table.get("keys") else { return Ok(keys) };
    let Some(entries) = section.as_ref().as_table() else {
        return Err(file.misread(&section.span(), "keys has to be a table", "Write [keys].".to_owned()));
    };
    for (key, value) in in_order(entries) {
        if key.as_ref() == "preset" {
            keys.preset = preset(file, value, warnings)?.or(keys.preset);
        } else {
            lines(file, key.as_ref(), (key.span(), value), &mut keys.lines)?;
        }
    }
    Ok(keys)
}

/// As the file has them: a table knows its keys by name.
fn in_order<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn preset(
    file: Text<'_>,
    value: &Spanned<DeValue<'_>>,
    warnings: &mut Vec<Problem>,
) -> Result<Option<Preset>, Misread> {
    let names = Preset::ALL.map(Preset::word);
    let Some(word) = value.as_ref().as_str() else {
        let hint = format!("There are {}.", names.join(", "));
        return Err(file.misread(&value.span(), "the preset has to be a name", hint));
    };
    let found = Preset::named(word);
    if found.is_none() {
        let hint = match nearest(word, names) {
            Some(near) => format!("Did you mean {near:?}?"),
            None => format!("There are {}.", names.join(", ")),
        };
        let problem = config_problem(&file.at(&value.span()), "there is no preset of keys of this name");
        warnings.push(problem.hint(hint));
    }
    Ok(found)
}

/// The line of a key; `push.open` without quotes is a table in a table, and means the same.
fn lines(
    file: Text<'_>,
    id: &str,
    (span, value): (Range<usize>, &Spanned<DeValue<'_>>),
    found: &mut Vec<Line>,
) -> Result<(), Misread> {
    let wrong = |at: &Range<usize>| {
        let hint = format!("Write {id:?} = [\"ctrl-g\"], or false for no key.");
        file.misread(at, &format!("the keys of {id} have to be a list of names, or false"), hint)
    };
    let asked = match value.as_ref() {
        DeValue::Table(inner) => {
            for (key, value) in in_order(inner) {
                lines(file, &format!("{id}.{}", key.as_ref()), (span.clone(), value), found)?;
            }
            return Ok(());
        }
        DeValue::Boolean(false) => Asked::Unbound,
        DeValue::String(text) => {
            Asked::Keys(vec![AskedKey { text: text.to_string(), at: file.at(&value.span()) }])
        }
        DeValue::Array(keys) => {
            let key = |key: &Spanned<DeValue<'_>>| {
                let text = key.as_ref().as_str().ok_or_else(|| wrong(&key.span()))?.to_owned();
                Ok(AskedKey { text, at: file.at(&key.span()) })
            };
            Asked::Keys(keys.iter().map(key).collect::<Result<_, Misread>>()?)
        }
        _ => return Err(wrong(&value.span())),
    };
    found.push(Line { id: id.to_owned(), at: file.at(&span), asked });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Keys, Vec<String>) {
        let mut warnings = Vec::new();
        let table = DeTable::parse(text).unwrap();
        let keys = read(Text { name: "c.toml", text }, table.get_ref(), &mut warnings);
        let keys = keys.unwrap_or_else(|misread| {
            warnings.push(*misread.problem);
            Keys::default()
        });
        (keys, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_line_has_its_place_and_each_key_its_own() {
        let (keys, warnings) = read_text(
            "mode = 'write'\n[keys]\n\"push.open\" = [\"p\", \"ctrl-g\"]\ndecide.skip = false\n\"list.sort\" = 'F5'\n",
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
                Asked::Unbound => format!("{} {}: Unbound", line.at, line.id),
            })
            .collect();
        assert_eq!(
            told,
            [
                "c.toml:3:1 push.open: c.toml:3:16 p, c.toml:3:21 ctrl-g",
                "c.toml:4:1 decide.skip: Unbound",
                "c.toml:5:1 list.sort: c.toml:5:15 F5",
            ]
        );
    }

    #[test]
    fn a_preset_that_is_none_is_told_with_the_nearest() {
        let (keys, warnings) = read_text("[keys]\npreset = \"emcas\"\n");
        assert_eq!((keys.preset, warnings.len()), (None, 1));
        assert!(warnings[0].starts_with("c.toml:2:10: "), "{warnings:?}");
        assert_eq!(read_text("[keys]\npreset = \"arrows\"\n").0.preset, Some(Preset::Arrows));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_told_at_its_place() {
        for (text, at) in [
            ("keys = 3\n", "1:8"),
            ("[keys]\npreset = 3\n", "2:10"),
            ("[keys]\n\"push.open\" = 3\n", "2:15"),
            ("[keys]\n\"push.open\" = ['p', true]\n", "2:21"),
            ("[keys]\npush.open = true\n", "2:13"),
        ] {
            let told = read_text(text).1;
            assert!(told.len() == 1 && told[0].starts_with(&format!("c.toml:{at}: ")), "{text}: {told:?}");
        }
    }
}
