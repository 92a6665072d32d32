//! The theme file: its shape, and what is wrong with one.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::style::Color;
use serde::Deserialize;

use super::{Role, SHIPPED, colour};

/// A theme that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// Not the TOML of a theme.
    #[error("reading the theme: {0}")]
    Parse(#[from] toml::de::Error),
    /// No theme has that name.
    #[error("no theme is called {0:?}; there are {names}", names = names())]
    Unknown(String),
    /// It inherits from itself.
    #[error("theme {0:?} inherits from itself")]
    Circle(String),
}

/// Something in a theme file that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The role, as the file names it.
    pub role: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.role, self.problem)
    }
}

fn names() -> String {
    SHIPPED.map(|(name, _)| name).join(", ")
}

/// A theme file as it was read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeFile {
    /// The version of the shape; 1.
    #[serde(rename = "schema")]
    _schema: u8,
    /// The theme's name.
    pub(super) name: String,
    /// Which background it is for: `dark`, `light` or `any`.
    #[serde(rename = "base", default)]
    _base: Base,
    /// Its counterpart for the other background.
    #[serde(rename = "pair")]
    _pair: Option<String>,
    /// The theme that has what this one does not list.
    pub(super) inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, RoleEntry>,
}

/// The background that a theme is for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Base {
    #[default]
    Any,
    Dark,
    Light,
}

/// How one role looks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RoleEntry {
    /// Foreground: a name of the palette, `reset`, a name of the sixteen, `#rrggbb`.
    pub(super) fg: Option<String>,
    /// Background, as `fg`.
    pub(super) bg: Option<String>,
    /// `bold`, `dim`, `italic`, `underline`, `reverse`.
    pub(super) add: Vec<String>,
    /// The foreground where there are 256 colours.
    pub(super) c256: Option<u8>,
    /// The background where there are 256 colours.
    pub(super) bg256: Option<u8>,
    /// The foreground where there are sixteen.
    pub(super) c16: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

impl RoleEntry {
    /// Whether sixteen colours would make something else of it.
    pub(super) fn needs_more_colours(&self) -> bool {
        let is_plain = |value: &Option<String>| {
            value.as_deref().is_none_or(|value| colour::parse(value).is_ok_and(is_basic))
        };
        self.c16.is_none() && !(is_plain(&self.fg) && is_plain(&self.bg))
    }
}

fn is_basic(colour: Color) -> bool {
    !matches!(colour, Color::Rgb(..))
}

impl ThemeFile {
    pub(super) fn parse(text: &str) -> Result<Self, ThemeError> {
        Ok(toml::from_str(text)?)
    }

    /// The roles that exist, with what the file says of them.
    pub(super) fn known_roles(&self) -> impl Iterator<Item = (Role, &RoleEntry)> {
        self.roles.iter().filter_map(|(name, entry)| Some((by_name(name)?, entry)))
    }

    /// Whether the file itself lists `role`.
    #[cfg(test)]
    pub(super) fn names(&self, role: Role) -> bool {
        self.roles.contains_key(role.name())
    }

    /// A colour by its name in the palette, or as it is.
    pub(super) fn colour(&self, name: &str) -> Result<Color, String> {
        colour::parse(self.palette.get(name).map_or(name, String::as_str))
    }

    /// Roles and keys that mean nothing.
    pub(super) fn unknown(&self) -> Vec<Warning> {
        let roles = self.roles.keys().filter(|name| by_name(name).is_none());
        let keys =
            self.roles.iter().flat_map(|(role, entry)| entry.unknown.keys().map(move |key| (role, key)));
        roles
            .map(|role| Warning { role: role.clone(), problem: unknown_role(role) })
            .chain(
                keys.map(|(role, key)| Warning {
                    role: role.clone(),
                    problem: format!("unknown key {key:?}"),
                }),
            )
            .collect()
    }
}

fn by_name(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

fn unknown_role(name: &str) -> String {
    let common = |role: &Role| role.name().bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    match Role::ALL.iter().rev().max_by_key(|role| common(role)) {
        Some(nearest) if common(nearest) >= 3 => format!("unknown role; did you mean {}?", nearest.name()),
        _ => "unknown role".to_owned(),
    }
}
