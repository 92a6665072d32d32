//! Themes: what each role looks like on this terminal.
//!
//! A [`Role`] says what a piece of text means; a theme file says how that looks; a [`Depth`] says what the terminal can
//! do. A [`Theme`] is the three put together, ready to be asked. No theme is refused because a terminal has few
//! colours: values are brought down to what it has.

mod colour;
mod depth;
mod file;
mod role;

use ratatui::style::{Color, Style};

pub use depth::{Choice, Depth, Environment};
pub use file::{ThemeError, Warning};
pub use role::Role;

use file::{RoleEntry, ThemeFile};

/// The themes that come with the program: name and file.
pub const SHIPPED: [(&str, &str); 4] = [
    ("default-dark", include_str!("../assets/themes/default-dark.toml")),
    ("default-light", include_str!("../assets/themes/default-light.toml")),
    ("ansi16", include_str!("../assets/themes/ansi16.toml")),
    ("mono", include_str!("../assets/themes/mono.toml")),
];

/// How far a theme may inherit from others.
const DEEPEST: usize = 8;

/// The style of every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// The theme called `name` among those that come with the program; `auto` is the default one.
    ///
    /// A terminal without colours gets `mono`, whatever was asked for.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`] if none is called so.
    pub fn shipped(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let name = match (depth, name) {
            (Depth::Mono, _) => "mono",
            (_, "auto") => "default-dark",
            _ => name,
        };
        Self::parse(shipped_text(name)?, depth).map(|(theme, _)| theme)
    }

    /// The default theme; for where there is no name to go by.
    pub fn fallback(depth: Depth) -> Self {
        Self::shipped("auto", depth).unwrap_or_else(|_| Self::plain())
    }

    /// Reads a theme file; what it does not know of is warned about and left out.
    ///
    /// # Errors
    /// If it is no TOML of that shape, or inherits from a theme that is not there.
    pub fn parse(text: &str, depth: Depth) -> Result<(Self, Vec<Warning>), ThemeError> {
        let file = ThemeFile::parse(text)?;
        let mut warnings = file.unknown();
        let mut theme = Self::plain();
        theme.name.clone_from(&file.name);
        theme.lay(&file, depth, &mut warnings, DEEPEST)?;
        Ok((theme, warnings))
    }

    /// A theme in which each role has a colour of its own, as foreground: [`Role::ALL`]'s position. For tests that
    /// print what each cell means.
    pub fn numbered() -> Self {
        let mut theme = Self::plain();
        for (index, style) in (0_u8..).zip(theme.styles.iter_mut()) {
            *style = Style::new().fg(Color::Indexed(index));
        }
        theme.styles[Role::CursorRow as usize] = Style::new().bg(Color::Indexed(Role::CursorRow as u8));
        theme
    }

    /// The theme's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `role` looks like.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    fn plain() -> Self {
        Self { name: String::new(), styles: [Style::new(); Role::ALL.len()] }
    }

    /// Lays `file` over what is there, after the theme that it inherits from.
    fn lay(
        &mut self,
        file: &ThemeFile,
        depth: Depth,
        warnings: &mut Vec<Warning>,
        left: usize,
    ) -> Result<(), ThemeError> {
        if let Some(parent) = &file.inherits {
            let left = left.checked_sub(1).ok_or_else(|| ThemeError::Circle(parent.clone()))?;
            self.lay(&ThemeFile::parse(shipped_text(parent)?)?, depth, warnings, left)?;
        }
        let has_parent = file.inherits.is_some();
        for (role, entry) in file.known_roles() {
            // With sixteen colours the parent's choice is better than the nearest of sixteen.
            if depth == Depth::Sixteen && has_parent && entry.needs_more_colours() {
                continue;
            }
            match style_of(entry, file, depth) {
                Ok(style) => self.styles[role as usize] = style,
                Err(problem) => warnings.push(Warning { role: role.name().to_owned(), problem }),
            }
        }
        Ok(())
    }
}

fn shipped_text(name: &str) -> Result<&'static str, ThemeError> {
    let found = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    found.map(|(_, text)| *text).ok_or_else(|| ThemeError::Unknown(name.to_owned()))
}

fn style_of(entry: &RoleEntry, file: &ThemeFile, depth: Depth) -> Result<Style, String> {
    let mut style = Style::new();
    for add in &entry.add {
        style = style.add_modifier(colour::modifier(add).ok_or_else(|| format!("unknown modifier {add:?}"))?);
    }
    if depth == Depth::Mono {
        return Ok(style);
    }
    let fg = match (depth, entry.c256, &entry.c16) {
        (Depth::Indexed, Some(number), _) => Some(Color::Indexed(number)),
        (Depth::Sixteen, _, Some(name)) => Some(colour::parse(name)?),
        _ => entry.fg.as_deref().map(|fg| file.colour(fg)).transpose()?,
    };
    let bg = match (depth, entry.bg256) {
        (Depth::Indexed, Some(number)) => Some(Color::Indexed(number)),
        _ => entry.bg.as_deref().map(|bg| file.colour(bg)).transpose()?,
    };
    style.fg = fg.map(|fg| colour::reduce(fg, depth));
    style.bg = bg.map(|bg| colour::reduce(bg, depth));
    Ok(style)
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    const DEPTHS: [Depth; 4] = [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::Mono];

    #[test]
    fn every_shipped_theme_loads_without_a_warning_and_knows_every_role() {
        for (name, text) in SHIPPED {
            for depth in DEPTHS {
                let (theme, warnings) =
                    Theme::parse(text, depth).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(warnings, [], "{name}");
                assert_eq!(theme.name(), name);
            }
            let file = ThemeFile::parse(text).unwrap();
            let missing: Vec<_> =
                Role::ALL.iter().filter(|role| !file.names(**role)).map(|role| role.name()).collect();
            assert!(missing.is_empty() || file.inherits.is_some(), "{name} lacks {missing:?}");
        }
    }

    #[test]
    fn no_file_in_the_themes_folder_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/themes");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let mut names = SHIPPED.map(|(name, _)| name.to_owned());
        names.sort();
        assert_eq!(files, names);
    }

    #[test]
    fn a_terminal_gets_no_more_colours_than_it_has() {
        for (name, _) in SHIPPED {
            for role in Role::ALL {
                let colours = |depth| {
                    let style = Theme::shipped(name, depth).unwrap().style(role);
                    [style.fg, style.bg].into_iter().flatten()
                };
                assert!(
                    !colours(Depth::Indexed).any(|colour| matches!(colour, Color::Rgb(..))),
                    "{name} {}",
                    role.name()
                );
                assert!(
                    !colours(Depth::Sixteen)
                        .any(|colour| matches!(colour, Color::Rgb(..) | Color::Indexed(_))),
                    "{name} {}",
                    role.name()
                );
                assert_eq!(colours(Depth::Mono).next(), None);
            }
        }
    }

    #[test]
    fn overrides_and_inheritance_of_the_documented_example_hold() {
        let text = r##"
            schema = 1
            name = "dusk"
            base = "dark"
            inherits = "ansi16"
            [palette]
            sea = "#5fafaf"
            [roles]
            "border.focus" = { fg = "sea", add = ["bold"], c256 = 73, c16 = "cyan" }
            "diff.add" = { fg = "green" }
        "##;
        let focus = |depth| Theme::parse(text, depth).unwrap().0.style(Role::BorderFocus);
        assert_eq!(focus(Depth::True).fg, Some(Color::Rgb(0x5f, 0xaf, 0xaf)));
        assert_eq!(focus(Depth::Indexed).fg, Some(Color::Indexed(73)));
        assert_eq!(focus(Depth::Sixteen).fg, Some(Color::Cyan));
        assert_eq!(focus(Depth::Mono), Style::new().add_modifier(Modifier::BOLD));
        let (theme, _) = Theme::parse(text, Depth::True).unwrap();
        assert_eq!(
            theme.style(Role::StateWarn),
            Theme::shipped("ansi16", Depth::True).unwrap().style(Role::StateWarn)
        );
    }

    #[test]
    fn what_a_file_gets_wrong_is_a_warning_and_the_rest_counts() {
        let text = r##"
            schema = 1
            name = "odd"
            [roles]
            "state.okay" = { fg = "green" }
            "state.ok" = { fg = "#12345" }
            "state.warn" = { fg = "yellow", add = ["blink?"] }
            "state.error" = { fg = "red", colour = "x" }
        "##;
        let (theme, warnings) = Theme::parse(text, Depth::True).unwrap();
        let roles: Vec<&str> = warnings.iter().map(|warning| warning.role.as_str()).collect();
        assert_eq!(roles, ["state.okay", "state.error", "state.ok", "state.warn"]);
        assert_eq!(warnings[0].to_string(), "state.okay: unknown role; did you mean state.ok?");
        assert_eq!(theme.style(Role::StateError).fg, Some(Color::Red));
    }

    #[test]
    fn a_theme_that_is_not_there_says_which_are() {
        let error = Theme::shipped("solarized", Depth::True).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no theme is called \"solarized\"; there are default-dark, default-light, ansi16, mono"
        );
        let circle = "schema = 1\nname = \"x\"\ninherits = \"nowhere\"";
        assert!(matches!(Theme::parse(circle, Depth::True), Err(ThemeError::Unknown(_))));
    }
}
