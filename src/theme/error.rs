//! What is wrong with a theme: so much that it cannot be used, or something in it.

use std::fmt;

use crate::problem::{Code, Problem};
use crate::text;

/// A theme that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// A file that is not the TOML of a theme, or cannot be read.
    #[error("{place}: {message}")]
    Unreadable {
        /// The file, with line and column where they are known.
        place: String,
        /// What is wrong there.
        message: String,
    },
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Missing(String),
    /// No theme has that name.
    #[error("no theme is called {name:?}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It inherits from itself, on whatever way.
    #[error("theme {0:?} inherits from itself")]
    Circle(String),
}

impl ThemeError {
    /// The error as people and scripts get it.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Unreadable { place, message } => Problem::new(Code::Config, place, message.clone()),
            Self::Missing(path) => Problem::new(Code::NotFound, path, "there is no such file"),
            Self::Unknown { name, known } => {
                let hint = text::known_names(name, known.iter().map(String::as_str), "supercargo theme list");
                Problem::new(Code::NotFound, format!("theme {name}"), "no theme has this name").hint(hint)
            }
            Self::Circle(name) => {
                Problem::new(Code::Config, format!("theme {name}"), "it inherits from itself")
            }
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The file says something that means nothing, or does not keep what it promises.
    Error,
    /// Worth knowing; the theme says itself that it is so.
    Note,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path, or the name of a theme that comes with the program.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// Something that is wrong in a theme that can be used otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// Where it stands, if it is one line's.
    pub place: Option<Place>,
    /// The role or key, as the file names it.
    pub subject: String,
    /// What is wrong.
    pub message: String,
}

impl Finding {
    /// What people are told of the findings in the theme called `theme`: the first, and how to see the others.
    pub fn problem(findings: &[Self], theme: &str) -> Option<Problem> {
        let first = findings.first()?;
        let place = first.place.as_ref().map_or_else(|| theme.to_owned(), ToString::to_string);
        let problem = Problem::new(Code::Config, place, format!("{}: {}", first.subject, first.message));
        Some(problem.hint(format!("All that is wrong with it: supercargo theme check {theme}")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.subject, self.message)
    }
}
