//! Where themes are found by their names: those that come with the program, and files in the user's folder.
//!
//! Both are the same TOML and go the same way. A file of the user's stands before a shipped theme of its name, and may
//! inherit from that one.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::check::{self, Report};
use super::error::{Finding, ThemeError};
use super::file::{self, Base, ThemeFile};
use super::{Depth, Role, Theme, colour};

/// The themes that come with the program: name and file.
pub const SHIPPED: [(&str, &str); 8] = [
    ("default-dark", include_str!("../../assets/themes/default-dark.toml")),
    ("default-light", include_str!("../../assets/themes/default-light.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
    ("high-contrast-light", include_str!("../../assets/themes/high-contrast-light.toml")),
    ("cvd-safe", include_str!("../../assets/themes/cvd-safe.toml")),
    ("cvd-safe-light", include_str!("../../assets/themes/cvd-safe-light.toml")),
    ("ansi16", include_str!("../../assets/themes/ansi16.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

/// The theme for dark backgrounds, whose pair is the one for light ones.
const DARK: &str = "default-dark";

/// No theme is larger, in bytes; what is, was not meant to be one.
const LARGEST: u64 = 64 << 10;

/// The themes that can be named.
#[derive(Debug, Clone, Default)]
pub struct Library {
    folder: Option<PathBuf>,
}

/// One of them, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name to choose it by.
    pub name: String,
    /// Its file, if it is the user's.
    pub path: Option<PathBuf>,
    /// Which background it is for, its counterpart and what it inherits from; or why it cannot be used.
    pub head: Result<Head, ThemeError>,
}

/// What a theme says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which background it is for.
    pub base: Base,
    /// Its counterpart for the other background.
    pub pair: Option<String>,
    /// The theme that has what it does not list.
    pub inherits: Option<String>,
}

/// What a theme makes of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The role.
    pub role: Role,
    /// Foreground and background with 24 bits, with 256 and with 16 colours, as a theme file writes them; `None` is the
    /// terminal's own.
    pub colours: [[Option<String>; 2]; 3],
    /// `bold`, `dim`, `italic`, `underline`, `reverse`.
    pub add: Vec<&'static str>,
}

/// The depths that have colours.
const DEPTHS: [Depth; 3] = [Depth::True, Depth::Indexed, Depth::Sixteen];

/// A theme with all that it inherits from, the farthest first.
pub(super) type Chain = Vec<ThemeFile>;

impl Library {
    /// The shipped themes and those in `folder`, which need not be there.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The names to choose from: shipped ones first, then the user's own.
    pub fn names(&self) -> Vec<String> {
        let mut names = SHIPPED.map(|(name, _)| name.to_owned()).to_vec();
        names.extend(self.files().into_iter().filter(|name| shipped(name).is_none()));
        names
    }

    /// All of them, in the order of [`Self::names`].
    pub fn list(&self) -> Vec<Listed> {
        let listed = |name: String| {
            let path = self.path(&name).filter(|path| path.exists());
            let head = self.find(&name, &[]).and_then(|found| self.chain(found)).map(|chain| {
                let own = |say: fn(&ThemeFile) -> Option<&str>| chain.last().and_then(say).map(str::to_owned);
                Head {
                    base: nearest(&chain, ThemeFile::base).unwrap_or_default(),
                    pair: own(ThemeFile::pair),
                    inherits: own(ThemeFile::inherits),
                }
            });
            Listed { name, path, head }
        };
        self.names().into_iter().map(listed).collect()
    }

    /// The theme called `name` at this depth, with what its files say that means nothing; `auto` is the one for dark
    /// backgrounds. A terminal without colours gets `mono`, whatever was asked for.
    ///
    /// # Errors
    /// If none is called so, or its file or one that it inherits from cannot be read.
    pub fn load(&self, name: &str, depth: Depth) -> Result<(Theme, Vec<Finding>), ThemeError> {
        let name = match (depth, name) {
            (Depth::Mono, _) => "mono",
            (_, "auto") => DARK,
            _ => name,
        };
        let chain = self.chain(self.find(name, &[])?)?;
        let mistakes = chain.iter().flat_map(ThemeFile::mistakes).collect();
        Ok((Theme::of(name, &chain, depth), mistakes))
    }

    /// The theme that `auto` stands for: `default-dark`, or on a light background its pair, which it may inherit.
    pub fn auto(&self, is_light: bool) -> String {
        let pair = || {
            let chain = self.find(DARK, &[]).and_then(|found| self.chain(found)).ok()?;
            nearest(&chain, |file| file.pair().map(str::to_owned))
        };
        is_light.then(pair).flatten().unwrap_or_else(|| DARK.to_owned())
    }

    /// What is to be said of the theme called `name`, or, if that is a path (it ends in `.toml` or has a slash), of
    /// the file there.
    ///
    /// # Errors
    /// If there is no such theme or file, or it cannot be read.
    pub fn check(&self, name: &str) -> Result<Report, ThemeError> {
        let is_path = name.contains('/') || Path::new(name).extension().is_some_and(|is| is == "toml");
        let found = if is_path { read(Path::new(name))? } else { self.find(name, &[])? };
        Ok(check::report(name, &self.chain(found)?))
    }

    /// What the theme called `name` makes of every role, all that it inherits counted in.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn describe(&self, name: &str) -> Result<Vec<Described>, ThemeError> {
        let chain = self.chain(self.find(name, &[])?)?;
        let themes = DEPTHS.map(|depth| Theme::of(name, &chain, depth));
        let described = |role: Role| {
            let [full, ..] = &themes;
            let colours = themes.each_ref().map(|theme| {
                let style = theme.style(role);
                [style.fg, style.bg].map(|colour| colour.map(colour::shown))
            });
            Described { role, colours, add: file::added(full.style(role)) }
        };
        Ok(Role::ALL.map(described).to_vec())
    }

    /// The file and all that it inherits from.
    fn chain(&self, (label, text): (String, Cow<'static, str>)) -> Result<Chain, ThemeError> {
        let mut chain = vec![ThemeFile::parse(&label, &text)?];
        let mut seen = vec![label];
        while let Some(parent) = chain.last().and_then(|file| file.inherits().map(str::to_owned)) {
            let (label, text) = self.find(&parent, &seen)?;
            chain.push(ThemeFile::parse(&label, &text)?);
            seen.push(label);
        }
        chain.reverse();
        Ok(chain)
    }

    /// What messages call the theme `name`, and its text; none of `seen`, for that would be a circle.
    fn find(&self, name: &str, seen: &[String]) -> Result<(String, Cow<'static, str>), ThemeError> {
        let is_new = |label: &str| !seen.iter().any(|seen| seen == label);
        let own = self.path(name).filter(|path| path.exists());
        if let Some(path) = own.as_deref().filter(|path| is_new(&path.display().to_string())) {
            return read(path);
        }
        match shipped(name) {
            Some(text) if is_new(name) => Ok((name.to_owned(), Cow::Borrowed(text))),
            None if own.is_none() => Err(ThemeError::Unknown { name: name.to_owned(), known: self.names() }),
            _ => Err(ThemeError::Circle(name.to_owned())),
        }
    }

    /// Where the user's file of this name would be; a name that leads out of the folder has none.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref().filter(|_| is_name(name))?;
        Some(folder.join(format!("{name}.toml")))
    }

    /// The names of the user's files, sorted.
    fn files(&self) -> Vec<String> {
        let entries = self.folder.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        let name = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".toml").filter(|name| is_name(name)).map(str::to_owned)
        };
        let mut names: Vec<String> = entries.into_iter().flatten().flatten().filter_map(name).collect();
        names.sort();
        names
    }
}

/// What the nearest file that says anything says.
pub(super) fn nearest<T>(chain: &Chain, say: impl Fn(&ThemeFile) -> Option<T>) -> Option<T> {
    chain.iter().rev().find_map(say)
}

/// Whether a file may be chosen by this name, which is typed in a shell and shown on the screen.
fn is_name(name: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name != "auto" && name.chars().all(is_fit)
}

fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// The path and the text of a file.
fn read(path: &Path) -> Result<(String, Cow<'static, str>), ThemeError> {
    let label = path.display().to_string();
    let unreadable = |place: String, message: String| ThemeError::Unreadable { place, message };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ThemeError::Missing(label.clone()),
        _ => unreadable(label.clone(), error.to_string()),
    };
    // Opening a pipe would wait for somebody to write into it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unreadable(label, "it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(unreadable(label, format!("it is larger than {LARGEST} bytes")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((label, Cow::Owned(text))),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes.iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
            let byte = bytes.get(valid).copied().unwrap_or_default();
            Err(unreadable(
                format!("{label}:{line}"),
                format!("it is not UTF-8: there is a byte {byte:#04x}"),
            ))
        }
    }
}
