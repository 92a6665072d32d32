//! How many colours the terminal has.

/// How many colours can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256 of xterm; what most terminals on the far side of an ssh connection have.
    Indexed,
    /// The sixteen that a terminal's own theme decides on.
    Sixteen,
    /// None: bold, dim, underline and reverse only.
    Mono,
}

/// What was asked for: `--color`, or the key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// What the environment says.
    #[default]
    Auto,
    /// Colours, as many as the terminal has.
    Always,
    /// None.
    Never,
}

/// The variables that say something about colours; `None` if unset.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// `NO_COLOR`: not empty means none.
    pub no_color: Option<&'a str>,
    /// `CLICOLOR_FORCE`: neither empty nor `0` means colours.
    pub clicolor_force: Option<&'a str>,
    /// `COLORTERM`: `truecolor` or `24bit`.
    pub colorterm: Option<&'a str>,
    /// `TERM`.
    pub term: Option<&'a str>,
}

impl Depth {
    /// The depth in force: the choice, then `NO_COLOR`, `CLICOLOR_FORCE`, `COLORTERM`, `TERM`.
    pub fn detect(choice: Choice, environment: Environment<'_>) -> Self {
        let is_set = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
        let forced = environment.clicolor_force.is_some_and(|value| !value.is_empty() && value != "0");
        match choice {
            Choice::Never => Self::Mono,
            Choice::Always => Self::of_terminal(environment, true),
            Choice::Auto if is_set(environment.no_color) => Self::Mono,
            Choice::Auto => Self::of_terminal(environment, forced),
        }
    }

    fn of_terminal(environment: Environment<'_>, forced: bool) -> Self {
        let term = environment.term.unwrap_or_default();
        let true_colour = matches!(environment.colorterm, Some("truecolor" | "24bit"));
        // Consoles without colours; sixteen is the least that a terminal with colours has.
        let is_plain = term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2");
        match term {
            _ if is_plain && !forced => Self::Mono,
            _ if true_colour || term.ends_with("-direct") => Self::True,
            _ if term.ends_with("256color") || is_known_for_256(term) => Self::Indexed,
            _ => Self::Sixteen,
        }
    }
}

/// Terminals whose names do not say it.
fn is_known_for_256(term: &str) -> bool {
    matches!(term, "alacritty" | "xterm-kitty" | "xterm-ghostty" | "foot" | "wezterm")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(choice: Choice, no_color: &str, force: &str, colorterm: &str, term: &str) -> Depth {
        let environment = Environment {
            no_color: Some(no_color),
            clicolor_force: Some(force),
            colorterm: Some(colorterm),
            term: Some(term),
        };
        Depth::detect(choice, environment)
    }

    #[test]
    fn the_stronger_word_wins() {
        assert_eq!(detect(Choice::Never, "", "1", "truecolor", "xterm-256color"), Depth::Mono);
        assert_eq!(detect(Choice::Always, "1", "", "", "xterm-256color"), Depth::Indexed);
        assert_eq!(detect(Choice::Auto, "1", "1", "truecolor", "xterm"), Depth::Mono);
        assert_eq!(detect(Choice::Auto, "", "1", "", "vt100"), Depth::Sixteen);
        assert_eq!(detect(Choice::Auto, "", "0", "", "vt100"), Depth::Mono);
    }

    #[test]
    fn the_terminal_is_known_by_its_variables() {
        assert_eq!(detect(Choice::Auto, "", "", "truecolor", "xterm"), Depth::True);
        assert_eq!(detect(Choice::Auto, "", "", "", "xterm-direct"), Depth::True);
        assert_eq!(detect(Choice::Auto, "", "", "", "screen-256color"), Depth::Indexed);
        assert_eq!(detect(Choice::Auto, "", "", "", "linux"), Depth::Sixteen);
        assert_eq!(Depth::detect(Choice::Auto, Environment::default()), Depth::Sixteen);
    }
}
