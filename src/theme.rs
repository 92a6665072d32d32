//! Themes: what each role looks like on this terminal.
//!
//! A [`Role`] says what a piece of text means; a theme file says how that looks; a [`Depth`] says what the terminal can
//! do. A [`Theme`] is the three put together, ready to be asked. Files come out of a [`Library`], shipped ones and the
//! user's alike. No theme is refused because a terminal has few colours: values are brought down to what it has.

mod check;
mod colour;
mod depth;
mod error;
mod file;
mod library;
mod role;
mod sight;

use ratatui::style::{Color, Style};

pub use check::Report;
pub use depth::{Choice, Depth, Environment};
pub use error::{Finding, Place, ThemeError, Weight};
pub use file::Base;
pub use library::{Described, Head, Library, Listed, SHIPPED};
pub use role::Role;
pub use sight::is_light;

use library::Chain;

/// The style of every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    styles: [Style; Role::ALL.len()],
}

/// Nothing stands out: what is drawn with until a theme is loaded.
impl Default for Theme {
    fn default() -> Self {
        Self { name: String::new(), styles: [Style::new(); Role::ALL.len()] }
    }
}

impl Theme {
    /// The theme called `name` among those that come with the program, as [`Library::load`] has it.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`] if none is called so.
    pub fn shipped(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        Library::default().load(name, depth).map(|(theme, _)| theme)
    }

    /// The default theme; for where there is no name to go by.
    pub fn fallback(depth: Depth) -> Self {
        Self::shipped("auto", depth).unwrap_or_default()
    }

    /// The theme called `name`, which these files make, each laid over those before it.
    fn of(name: &str, chain: &Chain, depth: Depth) -> Self {
        let mut theme = Self { name: name.to_owned(), ..Self::default() };
        for (role, style) in chain.iter().flat_map(|file| file.styles(depth)) {
            theme.styles[role as usize] = style;
        }
        theme
    }

    /// A theme in which each role has a colour of its own, as foreground: [`Role::ALL`]'s position. For tests that
    /// print what each cell means.
    pub fn numbered() -> Self {
        let mut theme = Self::default();
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
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use ratatui::style::Modifier;

    use super::file::ThemeFile;
    use super::*;

    const DEPTHS: [Depth; 4] = [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::Mono];

    /// A library whose folder holds these files, for as long as the folder is kept.
    fn library(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let library = Library::new(Some(folder.path().to_owned()));
        (folder, library)
    }

    fn relative(folder: &Path, text: &str) -> String {
        text.replace(&format!("{}/", folder.display()), "")
    }

    #[test]
    fn every_shipped_theme_loads_without_a_finding_and_knows_every_role() {
        for (name, text) in SHIPPED {
            for depth in DEPTHS {
                let (theme, findings) =
                    Library::default().load(name, depth).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(findings, [], "{name}");
                assert_eq!(theme.name(), if depth == Depth::Mono { "mono" } else { name });
            }
            let file = ThemeFile::parse(name, text).unwrap();
            let missing: Vec<_> = Role::ALL
                .iter()
                .filter(|role| file.place_of(**role).is_none())
                .map(|role| role.name())
                .collect();
            assert!(missing.is_empty() || file.inherits().is_some(), "{name} lacks {missing:?}");
            let pair =
                file.pair().map(|pair| Library::default().list().into_iter().find(|one| one.name == pair));
            let back = pair.map(|pair| pair.unwrap().head.unwrap().pair.unwrap());
            assert_eq!(back.as_deref(), file.pair().map(|_| name), "a pair is one from both sides");
        }
    }

    #[test]
    fn no_file_in_the_themes_folder_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/themes");
        let mut files: Vec<_> = fs::read_dir(folder)
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
    fn what_has_to_stand_out_looks_like_plain_text_in_no_theme_and_at_no_depth() {
        let loud = [
            Role::CursorRow,
            Role::KeyHint,
            Role::BorderFocus,
            Role::StateWarn,
            Role::StateError,
            Role::BadgeWrite,
            Role::DecApproved,
            Role::DecBlocked,
            Role::TagLatest,
            Role::TagSpanMatch,
            Role::TagSpanExtract,
            Role::DiffAddWord,
            Role::DiffDelWord,
            Role::TextHostile,
        ];
        for (name, _) in SHIPPED {
            for depth in DEPTHS {
                let theme = Theme::shipped(name, depth).unwrap();
                let text = theme.style(Role::Text);
                let quiet: Vec<&str> = loud
                    .iter()
                    .filter(|role| text.patch(theme.style(**role)) == text)
                    .map(|role| role.name())
                    .collect();
                assert_eq!(quiet, [""; 0], "{name} {depth:?}");
            }
        }
    }

    #[test]
    fn no_shipped_theme_colours_an_underline() {
        for (name, _) in SHIPPED {
            for depth in DEPTHS {
                let theme = Theme::shipped(name, depth).unwrap();
                assert!(Role::ALL.iter().all(|role| theme.style(*role).underline_color.is_none()), "{name}");
            }
        }
    }

    #[test]
    fn overrides_and_inheritance_of_the_documented_example_hold() {
        let text = br##"
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
        let (_folder, library) = library(&[("dusk.toml", text)]);
        let focus = |depth| library.load("dusk", depth).unwrap().0.style(Role::BorderFocus);
        assert_eq!(focus(Depth::True).fg, Some(Color::Rgb(0x5f, 0xaf, 0xaf)));
        assert_eq!(focus(Depth::Indexed).fg, Some(Color::Indexed(73)));
        assert_eq!(focus(Depth::Sixteen).fg, Some(Color::Cyan));
        assert_eq!(focus(Depth::Mono), Style::new().add_modifier(Modifier::BOLD));
        let (theme, findings) = library.load("dusk", Depth::True).unwrap();
        assert_eq!(findings, []);
        assert_eq!(
            theme.style(Role::StateWarn),
            Theme::shipped("ansi16", Depth::True).unwrap().style(Role::StateWarn)
        );
    }

    #[test]
    fn what_a_file_gets_wrong_is_told_with_its_line_and_the_rest_counts() {
        let text = br##"schema = 1
name = "odd"
[palette]
sea = "#5faf"
[roles]
"state.okay" = { fg = "green" }
"state.ok" = { fg = "#12345" }
"state.warn" = { fg = "yellow", add = ["underlin"] }
"state.error" = { fg = "red", colour = "x" }
"##;
        let (folder, library) = library(&[("odd.toml", text)]);
        let (theme, findings) = library.load("odd", Depth::True).unwrap();
        let lines: Vec<String> =
            findings.iter().map(|finding| relative(folder.path(), &finding.to_string())).collect();
        assert_eq!(
            lines,
            [
                "odd.toml:4: palette sea: \"#5faf\" is neither #rrggbb nor a colour's name",
                "odd.toml:9: state.error: unknown key \"colour\"",
                "odd.toml:7: state.ok: \"#12345\" is neither #rrggbb nor a colour's name",
                "odd.toml:6: state.okay: unknown role \"state.okay\"; did you mean state.ok?",
                "odd.toml:8: state.warn: unknown modifier \"underlin\"; did you mean underline?",
            ]
        );
        assert_eq!(theme.style(Role::StateError).fg, Some(Color::Red));
    }

    #[test]
    fn a_file_that_is_no_theme_is_one_error_with_its_place() {
        let cases: [(&[u8], &str); 6] = [
            (b"schema = 1\nname = \"x\"\n\xff\xfe", "x.toml:3: it is not UTF-8: there is a byte 0xff"),
            (b"schema = 1\nname = \"x\x1b[31m\"\n", "x.toml:2:10: "),
            (b"schema = 2\nname = \"x\"\n", "x.toml:1:10: schema 2 is not known; it is 1"),
            (b"schema = 1\nname = \"x\"\n[role]\n", "x.toml:3:2: unknown field `role`"),
            (
                b"schema = 1\nname = \"x\"\n[roles]\ntext = { c256 = 300 }\n",
                "x.toml:4:17: invalid value: integer `300`, expected u8",
            ),
            (b"\0\0\0", "x.toml:1:4: "),
        ];
        for (text, expected) in cases {
            let (folder, library) = library(&[("x.toml", text)]);
            let error = library.load("x", Depth::True).unwrap_err();
            let said = relative(folder.path(), &error.to_string());
            assert!(said.starts_with(expected), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_read() {
        let (folder, library) = library(&[("large.toml", &vec![b'#'; (64 << 10) + 1])]);
        fs::create_dir(folder.path().join("folder.toml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.toml")).unwrap();
        let says = |name| relative(folder.path(), &library.load(name, Depth::True).unwrap_err().to_string());
        assert_eq!(says("large"), "large.toml: it is larger than 65536 bytes");
        assert_eq!(says("folder"), "folder.toml: it is no file");
        assert_eq!(says("zero"), "zero.toml: it is no file");
    }

    #[test]
    fn a_theme_that_is_not_there_says_which_are() {
        let error = Theme::shipped("solarized", Depth::True).unwrap_err();
        assert_eq!(error.to_string(), "no theme is called \"solarized\"");
        let near = Theme::shipped("default-drak", Depth::True).unwrap_err().problem();
        assert_eq!(near.hint.as_deref(), Some("Did you mean default-dark?"));
    }

    #[test]
    fn what_a_theme_makes_of_a_role_is_told_for_every_depth() {
        let roles = Library::default().describe("default-dark").unwrap();
        let row = roles.iter().find(|described| described.role == Role::DiffAddWord).unwrap();
        let owned = |fg: &str, bg: &str| [Some(fg.to_owned()), Some(bg.to_owned())];
        assert_eq!(row.colours[..2], [owned("#ffffff", "#1f5c2e"), owned("231", "22")]);
        assert_eq!(row.colours[2], owned("black", "green"));
        let key = roles.iter().find(|described| described.role == Role::KeyHint).unwrap();
        assert_eq!(key.add, ["bold"]);
    }

    #[test]
    fn a_file_of_the_users_stands_before_a_shipped_one_and_may_inherit_from_it() {
        let mine = b"schema = 1\nname = \"default-dark\"\ninherits = \"default-dark\"\n[roles]\nborder = { fg = \"#123456\" }\n";
        let (_folder, library) =
            library(&[("default-dark.toml", mine), (".hidden.toml", b""), ("a b.toml", b"")]);
        let (theme, _) = library.load("auto", Depth::True).unwrap();
        assert_eq!(theme.style(Role::Border).fg, Some(Color::Rgb(0x12, 0x34, 0x56)));
        let shipped = Theme::shipped("default-dark", Depth::True).unwrap();
        assert_eq!(theme.style(Role::StateOk), shipped.style(Role::StateOk));
        assert_eq!(
            library.names(),
            Library::default().names(),
            "nothing twice, and no names that cannot be typed"
        );
    }

    #[test]
    fn auto_is_the_dark_theme_and_on_a_light_background_its_pair() {
        let auto = |library: &Library| [false, true].map(|is_light| library.auto(is_light));
        assert_eq!(auto(&Library::default()), ["default-dark", "default-light"]);
        let mine = b"schema = 1\nname = \"default-dark\"\ninherits = \"cvd-safe\"\n";
        let (_folder, library) = library(&[("default-dark.toml", mine)]);
        assert_eq!(auto(&library), ["default-dark", "cvd-safe-light"]);
        let (theme, _) = library.load("auto", Depth::True).unwrap();
        let safe = Theme::shipped("cvd-safe", Depth::True).unwrap();
        assert_eq!(theme.style(Role::StateOk), safe.style(Role::StateOk));
        let (_folder, torn) = self::library(&[("default-dark.toml", b"schema")]);
        assert_eq!(
            auto(&torn),
            ["default-dark", "default-dark"],
            "and what is wrong with it is told when it is loaded"
        );
    }

    #[test]
    fn themes_that_inherit_from_each_other_are_refused() {
        let [a, b] = [("a", "b"), ("b", "a")]
            .map(|(name, parent)| format!("schema = 1\nname = \"{name}\"\ninherits = \"{parent}\"\n"));
        let (_folder, library) = library(&[("a.toml", a.as_bytes()), ("b.toml", b.as_bytes())]);
        assert_eq!(library.load("a", Depth::True).unwrap_err(), ThemeError::Circle("a".to_owned()));
        let lost = "schema = 1\nname = \"x\"\ninherits = \"nowhere\"";
        let (_folder, library) = self::library(&[("x.toml", lost.as_bytes())]);
        assert!(
            matches!(library.load("x", Depth::True), Err(ThemeError::Unknown { name, .. }) if name == "nowhere")
        );
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_folder() {
        let (folder, library) = library(&[("x.toml", b"schema = 1\nname = \"x\"\n")]);
        let inner = Library::new(Some(folder.path().join("inner")));
        assert!(library.load("x", Depth::True).is_ok());
        for name in ["../x", "./x", "/etc/passwd", "", "."] {
            assert!(matches!(inner.load(name, Depth::True), Err(ThemeError::Unknown { .. })), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_file_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..900) {
            let shipped = SHIPPED[0].1.as_bytes();
            let mut text = shipped[..cut.min(shipped.len())].to_vec();
            text.extend(bytes);
            let (_folder, library) = library(&[("x.toml", &text)]);
            let _ = library.load("x", Depth::Indexed);
            let _ = library.check("x");
        }
    }
}
