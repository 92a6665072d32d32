//! The clipboard: text that is copied goes to a tool of this computer's desktop and to the terminal, which is asked to keep it.
//!
//! Over ssh the terminal alone is asked: a tool would fill the clipboard of a computer at which nobody sits.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;

use crate::environment::{has_program, without_ours};

/// The variable that says that a desktop is there (empty: on macOS), and its tool with the arguments.
type Tool = (&'static str, &'static [&'static str]);

/// The tools that are known; the first that is there is taken.
const TOOLS: &[Tool] = &[
    ("WAYLAND_DISPLAY", &["wl-copy"]),
    ("DISPLAY", &["xclip", "-selection", "clipboard"]),
    ("DISPLAY", &["xsel", "--clipboard", "--input"]),
    ("WSL_DISTRO_NAME", &["clip.exe"]),
    ("", &["pbcopy"]),
];

/// The tool to hand text to; `None` over ssh, and where there is no desktop or none of its tools.
pub(super) fn tool(
    variable: impl Fn(&str) -> Option<String>,
    is_there: impl Fn(&str) -> bool,
) -> Option<&'static [&'static str]> {
    if ["SSH_TTY", "SSH_CONNECTION"].iter().any(|name| variable(name).is_some()) {
        return None;
    }
    let has_desktop =
        |name: &str| if name.is_empty() { cfg!(target_os = "macos") } else { variable(name).is_some() };
    let fits =
        |(desktop, words): &&Tool| has_desktop(desktop) && words.first().is_some_and(|name| is_there(name));
    TOOLS.iter().find(fits).map(|(_, words)| *words)
}

/// Hands `text` to the desktop's tool, if there is one. Nobody waits for it; where it fails there is still the terminal.
pub(super) fn hand_over(text: &str) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some([name, arguments @ ..]) = tool(variable, has_program) else { return };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = without_ours(&mut command).spawn() else { return };
    let (input, text) = (child.stdin.take(), printable(text));
    std::thread::spawn(move || {
        // A tool that takes nothing has failed, and says so to nobody.
        let _ = input.map(|mut input| input.write_all(text.as_bytes()));
        let _ = child.wait();
    });
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// The sequence that hands `text` to the terminal's clipboard (OSC 52), wrapped where tmux or screen stands between.
pub(super) fn sequence(text: &str) -> Vec<u8> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(printable(text));
    let sequence = format!("\x1b]52;c;{encoded}\x07");
    if std::env::var_os("TMUX").is_some() {
        let doubled = sequence.replace('\x1b', "\x1b\x1b");
        // tmux takes the plain form into its own buffer and on where `set-clipboard` is on, the wrapped one where passing
        // through is allowed; what it does not take it drops.
        return format!("{sequence}\x1bPtmux;{doubled}\x1b\\").into_bytes();
    }
    if std::env::var_os("STY").is_some() {
        // screen passes on no more than 768 bytes at once.
        let pieces = sequence.as_bytes().chunks(512);
        return pieces.flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect();
    }
    sequence.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_taken_where_its_desktop_is_and_never_over_ssh() {
        let with =
            |names: &'static [&'static str]| move |name: &str| names.contains(&name).then(|| "1".to_owned());
        let all = |_: &str| true;
        let first = |found: Option<&'static [&'static str]>| found.and_then(|words| words.first().copied());
        assert_eq!(first(tool(with(&["DISPLAY", "WAYLAND_DISPLAY"]), all)), Some("wl-copy"));
        assert_eq!(first(tool(with(&["DISPLAY"]), |name| name == "xsel")), Some("xsel"));
        assert_eq!(first(tool(with(&["DISPLAY", "SSH_TTY"]), all)), None);
        assert_eq!(first(tool(with(&["DISPLAY"]), |_| false)), None);
    }
}
