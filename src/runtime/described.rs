//! What `doctor` says of the terminal: how the dashboard would look there, and what decided that.

use std::io::IsTerminal;

use super::{Appearance, answers, appearance, terminal};
use crate::app::profile::Profile;
use crate::config::Settings;
use crate::theme::Depth;

/// A variable's value, if it is set and not empty.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The terminal, colours, theme, profile, mouse, locale and clipboard as the dashboard would have them, each with its reason: name
/// and text.
pub(crate) fn described(settings: &Settings) -> [(&'static str, String); 7] {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let look = appearance(settings);
    let (width, height) = (terminal::size().width, terminal::size().height);
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let kind = if is_terminal { format!("{width}x{height}") } else { "not a terminal".to_owned() };
    let plain = if super::is_plain(settings, variable("TERM").as_deref()) {
        "; lines to read instead of a screen: --plain, SUPERCARGO_ACCESSIBLE or a dumb terminal"
    } else {
        ""
    };
    let characters = if look.ascii { "ASCII alone" } else { "Unicode" };
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| variable(name).is_some()).unwrap_or("LANG");
    [
        ("terminal", format!("{kind}, {}{plain}", said(&variable, "TERM"))),
        ("colour", colours(&look, settings.profile, &variable)),
        ("theme", theme(&settings.theme, &look, &variable)),
        ("profile", profile(settings.profile)),
        ("mouse", mouse(settings.mouse, settings.profile)),
        ("locale", format!("{characters}; {}", said(&variable, locale))),
        ("clipboard", clipboard(&variable, crate::environment::has_program)),
    ]
}

fn said(variable: Variable<'_>, name: &str) -> String {
    variable(name).map_or_else(|| format!("{name} is not set"), |value| format!("{name}={value}"))
}

fn colours(look: &Appearance, profile: Profile, variable: Variable<'_>) -> String {
    let colours = match look.depth_for(profile) {
        Depth::True => "24-bit colours",
        Depth::Indexed => "256 colours",
        Depth::Sixteen => "16 colours",
        Depth::Mono => "no colours",
    };
    let by = ["NO_COLOR", "CLICOLOR_FORCE", "COLORTERM", "TERM"].map(|name| said(variable, name)).join(", ");
    format!("{colours}; {by}")
}

/// Which theme it is, and what decided that.
fn theme(name: &str, look: &Appearance, variable: Variable<'_>) -> String {
    if name != "auto" {
        return format!("{name}, by its name");
    }
    let until = format!("{}; {}", look.auto, said(variable, "COLORFGBG"));
    let term = said(variable, "TERM");
    if look.asks {
        return format!("auto: asks the terminal for its background (OSC 11); {until} until it answers");
    }
    let why = if answers(&variable("TERM").unwrap_or_default()) {
        "there are no colours".to_owned()
    } else {
        format!("{term} does not answer")
    };
    format!("auto: {until}; the terminal is not asked, as {why}")
}

fn profile(profile: Profile) -> String {
    let what = if profile.is_low() {
        "one pane, no row background, no spinner, 16 colours, no mouse, 10 frames/s"
    } else {
        "`:profile low-bandwidth` is for bad lines"
    };
    format!("{}; {what}", profile.word())
}

fn mouse(is_wanted: bool, profile: Profile) -> String {
    match (is_wanted, profile.is_low()) {
        (_, true) => "the terminal's: the profile low-bandwidth has none".to_owned(),
        (true, false) => {
            "taken, clicks and wheel; Shift-drag selects text, m or mouse = false leaves it".to_owned()
        }
        (false, false) => "the terminal's, by mouse = false; m takes it".to_owned(),
    }
}

fn clipboard(variable: Variable<'_>, is_there: impl Fn(&str) -> bool) -> String {
    let tool = super::clipboard::tool(variable, is_there).and_then(|words| words.first());
    let tool = tool.map_or_else(String::new, |name| format!("{name}, and "));
    let is_in_screen = variable("STY").is_some();
    let way = match (variable("TMUX"), is_in_screen) {
        (Some(_), _) => "OSC 52, to tmux and through it: it must have set-clipboard or allow-passthrough",
        (None, true) => "OSC 52 through GNU screen: the terminal must allow it",
        (None, false) => "OSC 52: the terminal must allow it",
    };
    let over =
        if variable("SSH_TTY").is_some() { "; over ssh that is the clipboard where you sit" } else { "" };
    format!("{tool}{way}{over}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Library;

    fn look(asks: bool) -> Appearance {
        Appearance {
            depth: Depth::Indexed,
            auto: "default-dark".to_owned(),
            asks,
            library: Library::default(),
            ascii: false,
        }
    }

    fn only(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_theme_says_what_decided_on_it() {
        let xterm = only(&[("TERM", "xterm-256color"), ("COLORFGBG", "15;0")]);
        assert_eq!(theme("mono", &look(true), &xterm), "mono, by its name");
        assert_eq!(
            theme("auto", &look(true), &xterm),
            "auto: asks the terminal for its background (OSC 11); default-dark; COLORFGBG=15;0 until it answers"
        );
        assert!(theme("auto", &look(false), &xterm).ends_with("not asked, as there are no colours"));
        let screen = only(&[("TERM", "screen-256color")]);
        assert_eq!(
            theme("auto", &look(false), &screen),
            "auto: default-dark; COLORFGBG is not set; the terminal is not asked, as TERM=screen-256color does not answer"
        );
    }

    #[test]
    fn mouse_profile_and_clipboard_say_why_they_are_what_they_are() {
        assert!(mouse(true, Profile::LowBandwidth).contains("low-bandwidth"));
        assert!(mouse(true, Profile::Normal).starts_with("taken"));
        assert!(mouse(false, Profile::Normal).contains("mouse = false"));
        assert!(colours(&look(true), Profile::LowBandwidth, &only(&[])).starts_with("16 colours"));
        assert!(clipboard(&only(&[("TMUX", "x"), ("SSH_TTY", "y")]), |_| true).contains("tmux"));
        assert!(clipboard(&only(&[("STY", "x")]), |_| true).contains("GNU screen"));
        assert!(clipboard(&only(&[]), |_| true).ends_with("must allow it"));
        assert!(clipboard(&only(&[("DISPLAY", ":0")]), |_| true).starts_with("xclip, and OSC 52"));
    }
}
