//! The theme file: its shape, and what of it means nothing.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use toml::Spanned;

use super::error::{Finding, Place, ThemeError, Weight};
use super::{Depth, Role, colour};

/// The version of the shape that this program reads.
const SCHEMA: u8 = 1;

/// The background that a theme is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Both.
    #[default]
    Any,
    /// A dark one.
    Dark,
    /// A light one.
    Light,
}

impl Base {
    /// The word in a theme file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// What stands in a theme file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    schema: Spanned<u8>,
    name: String,
    base: Option<Base>,
    pair: Option<String>,
    inherits: Option<String>,
    min_contrast: Option<f64>,
    min_distance: Option<f64>,
    #[serde(default)]
    palette: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    roles: BTreeMap<Spanned<String>, RoleEntry>,
}

/// How one role looks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct RoleEntry {
    /// Foreground: a name of the palette, `reset`, a name of the sixteen, `#rrggbb`.
    fg: Option<String>,
    /// Background, as `fg`.
    bg: Option<String>,
    /// `bold`, `dim`, `italic`, `underline`, `reverse`.
    add: Vec<String>,
    /// The foreground where there are 256 colours.
    c256: Option<u8>,
    /// The background where there are 256 colours.
    bg256: Option<u8>,
    /// The foreground where there are sixteen.
    c16: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

/// A theme file as it was read.
#[derive(Debug, Clone)]
pub(super) struct ThemeFile {
    /// What messages call it: its path, or the name of a theme that comes with the program.
    label: String,
    /// Where its lines end.
    newlines: Vec<usize>,
    content: Content,
}

impl ThemeFile {
    /// Reads the file called `label`.
    ///
    /// # Errors
    /// If it is no TOML of that shape, or of a version to come.
    pub(super) fn parse(label: &str, text: &str) -> Result<Self, ThemeError> {
        let newlines: Vec<usize> =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let unreadable = |at: usize, message: String| {
            let (line, column) = place(&newlines, at);
            ThemeError::Unreadable { place: format!("{label}:{line}:{column}"), message }
        };
        let content: Content = toml::from_str(text).map_err(|error| {
            unreadable(error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        if *content.schema.get_ref() != SCHEMA {
            let message = format!("schema {} is not known; it is {SCHEMA}", content.schema.get_ref());
            return Err(unreadable(content.schema.span().start, message));
        }
        Ok(Self { label: label.to_owned(), newlines, content })
    }

    /// The name that it gives itself.
    pub(super) fn name(&self) -> &str {
        &self.content.name
    }

    /// Which background it is for, if it says so.
    pub(super) fn base(&self) -> Option<Base> {
        self.content.base
    }

    /// Its counterpart for the other background.
    pub(super) fn pair(&self) -> Option<&str> {
        self.content.pair.as_deref()
    }

    /// The theme that has what this one does not list.
    pub(super) fn inherits(&self) -> Option<&str> {
        self.content.inherits.as_deref()
    }

    /// The least contrast that it promises, if it says one.
    pub(super) fn min_contrast(&self) -> Option<f64> {
        self.content.min_contrast
    }

    /// The least distance of states that it promises to colour-blind eyes, if it says one.
    pub(super) fn min_distance(&self) -> Option<f64> {
        self.content.min_distance
    }

    /// Where it lists `role`.
    pub(super) fn place_of(&self, role: Role) -> Option<Place> {
        let (key, _) = self.content.roles.get_key_value(role.name())?;
        Some(self.place(key))
    }

    fn place(&self, key: &Spanned<String>) -> Place {
        let (line, _) = place(&self.newlines, key.span().start);
        Place { file: self.label.clone(), line }
    }

    fn finding(&self, key: &Spanned<String>, subject: &str, message: String) -> Finding {
        Finding { weight: Weight::Error, place: Some(self.place(key)), subject: subject.to_owned(), message }
    }

    /// The styles of the roles that it lists, at `depth`; one that cannot be read is left out.
    pub(super) fn styles(&self, depth: Depth) -> impl Iterator<Item = (Role, Style)> {
        self.content.roles.iter().filter_map(move |(name, entry)| {
            // With sixteen colours the parent's choice is better than the nearest of sixteen.
            if depth == Depth::Sixteen && self.content.inherits.is_some() && entry.needs_more_colours() {
                return None;
            }
            Some((by_name(name.get_ref())?, self.style(entry, depth).ok()?))
        })
    }

    fn style(&self, entry: &RoleEntry, depth: Depth) -> Result<Style, String> {
        let mut style = Style::new();
        for add in &entry.add {
            style = style.add_modifier(modifier(add)?);
        }
        if depth == Depth::Mono {
            return Ok(style);
        }
        let fg = match (depth, entry.c256, &entry.c16) {
            (Depth::Indexed, Some(number), _) => Some(Color::Indexed(number)),
            (Depth::Sixteen, _, Some(name)) => Some(colour::parse(name)?),
            _ => entry.fg.as_deref().map(|fg| self.colour(fg)).transpose()?,
        };
        let bg = match (depth, entry.bg256) {
            (Depth::Indexed, Some(number)) => Some(Color::Indexed(number)),
            _ => entry.bg.as_deref().map(|bg| self.colour(bg)).transpose()?,
        };
        style.fg = fg.map(|fg| colour::reduce(fg, depth));
        style.bg = bg.map(|bg| colour::reduce(bg, depth));
        Ok(style)
    }

    /// A colour by its name in the palette, or as it is.
    fn colour(&self, name: &str) -> Result<Color, String> {
        colour::parse(self.content.palette.get(name).map_or(name, String::as_str))
    }

    /// What in it means nothing: roles, keys, colours, modifiers.
    pub(super) fn mistakes(&self) -> Vec<Finding> {
        let palette = self.content.palette.iter().filter_map(|(name, value)| {
            let problem = colour::parse(value).err()?;
            Some(self.finding(name, &format!("palette {}", name.get_ref()), problem))
        });
        palette.chain(self.content.roles.iter().flat_map(|(name, entry)| self.wrong(name, entry))).collect()
    }

    fn wrong(&self, name: &Spanned<String>, entry: &RoleEntry) -> Vec<Finding> {
        let mut wrong = Vec::new();
        if by_name(name.get_ref()).is_none() {
            wrong.push(unknown("role", name.get_ref(), Role::ALL.map(Role::name)));
        }
        wrong.extend(entry.unknown.keys().map(|key| unknown("key", key, KEYS)));
        wrong.extend(entry.add.iter().filter_map(|add| modifier(add).err()));
        let named = [&entry.fg, &entry.bg].into_iter().flatten().map(|name| self.colour(name));
        let plain = entry.c16.iter().map(|name| colour::parse(name));
        wrong.extend(named.chain(plain).filter_map(Result::err));
        wrong.into_iter().map(|message| self.finding(name, name.get_ref(), message)).collect()
    }
}

/// The keys of a role.
const KEYS: [&str; 6] = ["fg", "bg", "add", "c256", "bg256", "c16"];
/// What may stand in `add`.
const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

impl RoleEntry {
    /// Whether sixteen colours would make something else of it.
    fn needs_more_colours(&self) -> bool {
        let is_plain = |value: &Option<String>| {
            let is_basic = |value| colour::parse(value).is_ok_and(|colour| !matches!(colour, Color::Rgb(..)));
            value.as_deref().is_none_or(is_basic)
        };
        self.c16.is_none() && !(is_plain(&self.fg) && is_plain(&self.bg))
    }
}

/// What `add` says in a style, in the order of the words there are.
pub(super) fn added(style: Style) -> Vec<&'static str> {
    let is_added = |(_, modifier): &&(&str, Modifier)| style.add_modifier.contains(*modifier);
    MODIFIERS.iter().filter(is_added).map(|(name, _)| *name).collect()
}

/// Line and column of the byte at `at`, both counted from 1.
fn place(newlines: &[usize], at: usize) -> (usize, usize) {
    let before = newlines.partition_point(|newline| *newline < at);
    let begin = before.checked_sub(1).and_then(|last| newlines.get(last)).map_or(0, |newline| newline + 1);
    (before + 1, at - begin + 1)
}

fn by_name(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

fn modifier(name: &str) -> Result<Modifier, String> {
    let found = MODIFIERS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, modifier)| *modifier)
        .ok_or_else(|| unknown("modifier", name, MODIFIERS.map(|(name, _)| name)))
}

/// `unknown role "x"; did you mean y?`
fn unknown<const N: usize>(what: &str, name: &str, known: [&str; N]) -> String {
    match crate::text::nearest(name, known) {
        Some(near) => format!("unknown {what} {name:?}; did you mean {near}?"),
        None => format!("unknown {what} {name:?}"),
    }
}
