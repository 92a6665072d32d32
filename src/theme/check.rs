//! Whether a theme can be read: by its contrast, and by people who see some colours alike.
//!
//! Only colours with a known value count: `reset` and the sixteen are whatever the terminal's owner made of them. It is
//! checked with 24 bits and with 256 colours.
//!
//! Source of the bounds and backgrounds: WCAG 2.1, 1.4.3 and 1.4.6 for contrast; backgrounds of widespread terminal
//! themes.

use std::path::Path;

use ratatui::style::{Modifier, Style};

use super::colour;
use super::error::{Finding, Weight};
use super::file::{Base, ThemeFile};
use super::library::{Chain, nearest};
use super::sight::{Eyes, Rgb, contrast, distance};
use super::{Depth, Role, Theme};

/// The least contrast of any text.
const CONTRAST: f64 = 4.5;
/// The least distance of two states for colour-blind eyes.
const DISTANCE: f64 = 20.0;

const DARK: &[Rgb] = &[[0; 3], [0x1e; 3], [0x28, 0x2c, 0x34], [0x2e, 0x34, 0x40]];
const LIGHT: &[Rgb] = &[[0xff; 3], [0xfd, 0xf6, 0xe3], [0xf5; 3]];

/// What must not look alike.
const PAIRS: [(Role, Role); 7] = [
    (Role::StateOk, Role::StateError),
    (Role::StateOk, Role::StateWarn),
    (Role::StateWarn, Role::StateError),
    (Role::DecApproved, Role::DecBlocked),
    (Role::DecApproved, Role::DecPartial),
    (Role::DecPartial, Role::DecBlocked),
    (Role::DiffAdd, Role::DiffDel),
];

/// The depths at which colours have a value, with what is said of the second.
const DEPTHS: [(Depth, &str); 2] = [(Depth::True, ""), (Depth::Indexed, " with 256 colours")];

/// What was found in a theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The theme's name.
    pub name: String,
    /// What is to be said, mistakes of the files first.
    pub findings: Vec<Finding>,
    /// The least contrast of all text whose colours are known, `None` if none are.
    pub contrast: Option<f64>,
    /// The least distance of two states for colour-blind eyes, likewise.
    pub distance: Option<f64>,
}

impl Report {
    /// Whether nothing is wrong; notes do not count.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight == Weight::Note)
    }
}

/// A figure of a role or two: how much, where that is, and at which depth.
#[derive(Debug)]
struct Figure {
    value: f64,
    at: String,
}

/// Checks a theme that `asked` named.
pub(super) fn report(asked: &str, chain: &Chain) -> Report {
    let mut findings: Vec<Finding> = chain.iter().flat_map(ThemeFile::mistakes).collect();
    findings.extend(chain.last().and_then(|file| misnamed(asked, file)));
    let base = nearest(chain, ThemeFile::base).unwrap_or_default();
    let themes = DEPTHS.map(|(depth, says)| (Theme::of(asked, chain, depth), says));
    let contrasts = Role::ALL.map(|role| (role, figures(&themes, |theme| contrast_of(theme, role, base))));
    let distances = PAIRS.map(|pair| (pair, figures(&themes, |theme| distance_of(theme, pair, base))));
    let wanted = nearest(chain, ThemeFile::min_contrast).unwrap_or(CONTRAST).max(CONTRAST);
    findings.extend(contrasts.iter().filter_map(|(role, figures)| low(chain, *role, figures, wanted)));
    let promised = nearest(chain, ThemeFile::min_distance).unwrap_or(DISTANCE);
    findings.extend(distances.iter().filter_map(|(pair, figures)| near(chain, *pair, figures, promised)));
    Report {
        name: chain.last().map(|file| file.name().to_owned()).unwrap_or_default(),
        findings,
        contrast: least(contrasts.iter().flat_map(|(_, figures)| figures)),
        distance: least(distances.iter().flat_map(|(_, figures)| figures)),
    }
}

/// A theme is chosen by its file's name, so another one inside would only mislead.
fn misnamed(asked: &str, file: &ThemeFile) -> Option<Finding> {
    let path = Path::new(asked);
    let is_file = path.extension().is_some_and(|extension| extension == "toml");
    let chosen = if is_file { path.file_stem()?.to_str()? } else { asked };
    (file.name() != chosen).then(|| Finding {
        weight: Weight::Error,
        place: None,
        subject: "name".to_owned(),
        message: format!("{:?} is not what the file is called; it is chosen as {chosen}", file.name()),
    })
}

/// A figure for each depth at which there is one.
fn figures(themes: &[(Theme, &str)], of: impl Fn(&Theme) -> Option<Figure>) -> Vec<Figure> {
    let figure = |(theme, says): &(Theme, &str)| {
        let figure = of(theme)?;
        Some(Figure { at: format!("{}{says}", figure.at), ..figure })
    };
    themes.iter().filter_map(figure).collect()
}

fn least<'a>(figures: impl Iterator<Item = &'a Figure>) -> Option<f64> {
    figures.map(|figure| figure.value).reduce(f64::min)
}

fn low(chain: &Chain, role: Role, figures: &[Figure], wanted: f64) -> Option<Finding> {
    let figure = figures.iter().find(|figure| figure.value < wanted)?;
    Some(Finding {
        weight: Weight::Error,
        place: chain.iter().rev().find_map(|file| file.place_of(role)),
        subject: role.name().to_owned(),
        message: format!("contrast {:.1}:1 on {}, less than {wanted}:1", round_down(figure.value), figure.at),
    })
}

/// The two as a finding: an error where they are nearer than promised, else a note.
fn near(chain: &Chain, (a, b): (Role, Role), figures: &[Figure], promised: f64) -> Option<Finding> {
    let below = |bound: f64| figures.iter().find(|figure| figure.value < bound);
    let (figure, weight) = below(promised)
        .map(|figure| (figure, Weight::Error))
        .or(below(DISTANCE).map(|f| (f, Weight::Note)))?;
    Some(Finding {
        weight,
        place: chain.iter().rev().find_map(|file| file.place_of(b)),
        subject: format!("{} and {}", a.name(), b.name()),
        message: format!(
            "ΔE {:.0} for {}, less than {}",
            figure.value.floor(),
            figure.at,
            promised.max(DISTANCE)
        ),
    })
}

/// To one decimal, so that what is too little never looks like enough.
fn round_down(value: f64) -> f64 {
    (value * 10.0).floor() / 10.0
}

/// The backgrounds that a theme may meet.
fn backgrounds(base: Base) -> impl Iterator<Item = Rgb> {
    let (dark, light) = match base {
        Base::Dark => (DARK, [].as_slice()),
        Base::Light => ([].as_slice(), LIGHT),
        Base::Any => (DARK, LIGHT),
    };
    dark.iter().chain(light).copied()
}

/// The least contrast of `role` on what it may stand on: its own background, else the terminal's and the cursor's row.
fn contrast_of(theme: &Theme, role: Role, base: Base) -> Option<Figure> {
    let style = theme.style(role);
    let ink = style.fg.and_then(colour::value)?;
    let row = || theme.style(Role::CursorRow).bg.and_then(colour::value);
    let grounds: Vec<Rgb> = style.bg.map_or_else(
        || backgrounds(base).chain(row()).collect(),
        |own| colour::value(own).into_iter().collect(),
    );
    let figures = grounds.into_iter().map(|ground| (contrast(ink, ground), ground));
    let (value, ground) = figures.reduce(|least, next| if next.0 < least.0 { next } else { least })?;
    Some(Figure { value, at: hex(ground) })
}

/// How far apart the two look to those eyes to which they look nearest.
fn distance_of(theme: &Theme, (a, b): (Role, Role), base: Base) -> Option<Figure> {
    let (a, b) = (theme.style(a), theme.style(b));
    let figures = backgrounds(base).flat_map(|ground| {
        let inks = ink(a, ground).zip(ink(b, ground));
        Eyes::ALL.into_iter().filter_map(move |eyes| {
            let ((text_a, behind_a), (text_b, behind_b)) = inks?;
            Some((distance(text_a, text_b, eyes).max(distance(behind_a, behind_b, eyes)), eyes))
        })
    });
    let (value, eyes) = figures.reduce(|least, next| if next.0 < least.0 { next } else { least })?;
    Some(Figure { value, at: format!("{} eyes", eyes.word()) })
}

/// What a style makes of text and of what is behind it, on a terminal of this background; `None` where only its owner
/// knows.
fn ink(style: Style, ground: Rgb) -> Option<(Rgb, Rgb)> {
    let text = style.fg.and_then(colour::value)?;
    let behind = style.bg.map_or(Some(ground), colour::value)?;
    Some(if style.add_modifier.contains(Modifier::REVERSED) { (behind, text) } else { (text, behind) })
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::library::{Library, SHIPPED};

    fn shipped(name: &str) -> Report {
        Library::default().check(name).unwrap()
    }

    fn of(text: &str) -> Report {
        report("mine", &vec![ThemeFile::parse("mine.toml", text).unwrap()])
    }

    fn said(report: &Report) -> Vec<String> {
        report.findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_shipped_theme_keeps_what_it_promises() {
        for (name, _) in SHIPPED {
            let report = shipped(name);
            assert!(report.is_clean(), "{name}: {:#?}", said(&report));
        }
    }

    #[test]
    fn what_is_made_for_eyes_that_see_less_promises_more() {
        for name in ["high-contrast", "high-contrast-light"] {
            let report = shipped(name);
            assert!(report.contrast >= Some(7.0), "{name}: {:?}", report.contrast);
            assert!(report.distance >= Some(20.0), "{name}: {:?}", report.distance);
        }
        for name in ["cvd-safe", "cvd-safe-light"] {
            let report = shipped(name);
            assert!(report.distance >= Some(25.0), "{name}: {:?}", report.distance);
            assert_eq!(said(&report), [""; 0], "{name}");
        }
    }

    #[test]
    fn the_default_themes_say_how_near_their_states_are_to_colour_blind_eyes() {
        let dark = said(&shipped("default-dark"));
        let near = "state.ok and state.error: ΔE 6 for deutan eyes, less than 20";
        assert!(dark.iter().any(|line| line.ends_with(near)), "{dark:#?}");
        assert!(shipped("default-light").findings.iter().all(|finding| finding.weight == Weight::Note));
    }

    #[test]
    fn colours_that_the_terminal_decides_on_are_not_judged() {
        for name in ["ansi16", "mono"] {
            let report = shipped(name);
            assert_eq!((report.contrast, report.distance, said(&report)), (None, None, vec![]), "{name}");
        }
    }

    #[test]
    fn text_that_cannot_be_read_is_named_with_its_line_and_the_worst_background() {
        let report = of(
            "schema = 1\nname = \"mine\"\nbase = \"dark\"\n[roles]\n\"text.dim\" = { fg = \"#606060\" }\n",
        );
        assert_eq!(said(&report), ["mine.toml:5: text.dim: contrast 1.9:1 on #2e3440, less than 4.5:1"]);
        assert!(!report.is_clean());
        let report = of(
            "schema = 1\nname = \"mine\"\nbase = \"dark\"\nmin_contrast = 7\n[roles]\n\"text\" = { fg = \"#a3a9b3\" }\n",
        );
        assert_eq!(said(&report), ["mine.toml:6: text: contrast 5.2:1 on #2e3440, less than 7:1"]);
        let report =
            of("schema = 1\nname = \"mine\"\nmin_contrast = 2\n[roles]\n\"text\" = { fg = \"#808080\" }\n");
        assert!(said(&report)[0].ends_with("less than 4.5:1"), "nobody promises less: {:?}", said(&report));
    }

    #[test]
    fn a_row_under_the_cursor_has_to_be_read_too() {
        let text = "schema = 1\nname = \"mine\"\nbase = \"dark\"\n[roles]\n\"cursor.row\" = { bg = \"#707070\" }\n\
            \"text.dim\" = { fg = \"#b0b0b0\" }\n";
        assert_eq!(said(&of(text)), ["mine.toml:6: text.dim: contrast 2.2:1 on #707070, less than 4.5:1"]);
    }

    #[test]
    fn states_that_look_alike_are_wrong_unless_the_theme_says_so_itself() {
        let roles = "[roles]\n\"state.ok\" = { fg = \"#87d787\" }\n\"state.error\" = { fg = \"#ff8787\" }\n";
        let strict = of(&format!("schema = 1\nname = \"mine\"\nbase = \"dark\"\n{roles}"));
        assert_eq!(
            said(&strict),
            ["mine.toml:6: state.ok and state.error: ΔE 6 for deutan eyes, less than 20"]
        );
        assert!(!strict.is_clean());
        let open = of(&format!("schema = 1\nname = \"mine\"\nbase = \"dark\"\nmin_distance = 5\n{roles}"));
        assert_eq!((open.findings.len(), open.is_clean()), (1, true));
    }

    #[test]
    fn what_256_colours_make_of_a_theme_counts_too() {
        let text = "schema = 1\nname = \"mine\"\nbase = \"light\"\n[roles]\n\"text\" = { fg = \"#000000\", c256 = 250 }\n";
        let found = said(&of(text));
        assert_eq!(found, ["mine.toml:5: text: contrast 1.7:1 on #f5f5f5 with 256 colours, less than 4.5:1"]);
    }

    #[test]
    fn a_name_that_the_file_does_not_have_is_told() {
        let report = of("schema = 1\nname = \"yours\"\n");
        assert_eq!(said(&report), ["name: \"yours\" is not what the file is called; it is chosen as mine"]);
    }

    #[test]
    fn sixteen_colours_can_be_read_on_a_light_terminal_and_badges_on_any() {
        let sixteen = |name: &str| Library::default().load(name, Depth::Sixteen).unwrap().0;
        let light = sixteen("default-light");
        for role in Role::ALL {
            let style = light.style(role);
            let ink = style.fg.and_then(colour::of_xterm);
            let ground = style.bg.and_then(colour::of_xterm).unwrap_or([0xff; 3]);
            let readable = ink.is_none_or(|ink| contrast(ink, ground) >= 4.5);
            assert!(readable, "{}: {style:?}", role.name());
        }
        for role in [Role::BadgeDryrun, Role::BadgeWrite] {
            let style = sixteen("ansi16").style(role);
            let both = style.fg.and_then(colour::of_xterm).zip(style.bg.and_then(colour::of_xterm));
            assert!(both.is_some_and(|(ink, ground)| contrast(ink, ground) >= 4.5), "{style:?}");
            assert!(!style.add_modifier.intersects(Modifier::BOLD | Modifier::REVERSED), "{style:?}");
        }
    }

    #[test]
    fn what_has_the_keys_can_be_read_on_a_dark_terminal_with_sixteen_colours() {
        for name in ["default-dark", "cvd-safe", "ansi16"] {
            let theme = Library::default().load(name, Depth::Sixteen).unwrap().0;
            let ink = theme.style(Role::BorderFocus).fg.and_then(colour::of_xterm);
            assert!(ink.is_some_and(|ink| contrast(ink, [0; 3]) >= 4.0), "{name}: {ink:?}");
        }
    }

    #[test]
    fn what_stands_for_a_character_looks_like_no_text_around_it() {
        for (name, _) in SHIPPED {
            for depth in [Depth::True, Depth::Sixteen, Depth::Mono] {
                let theme = Library::default().load(name, depth).unwrap().0;
                for role in [Role::TagInvalid, Role::StateError, Role::TagCollide] {
                    assert_ne!(theme.style(Role::TextHostile), theme.style(role), "{name}, {}", role.name());
                }
            }
        }
    }
}
