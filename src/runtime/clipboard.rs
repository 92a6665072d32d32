//! The clipboard: text that is copied goes to the terminal, which is asked to keep it.

use base64::Engine as _;

/// The sequence that hands `text` to the terminal's clipboard (OSC 52), wrapped where tmux or screen stands between.
pub(super) fn sequence(text: &str) -> Vec<u8> {
    let printable: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(printable);
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
