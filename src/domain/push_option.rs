//! Push options, as Git carries them: each is one line of its protocol.
//!
//! Source: git/git:builtin/push.c ("push options must not have new line characters"); gitprotocol-common(5), "pkt-line Format".

/// The most bytes that a line of the protocol holds.
pub const LONGEST: usize = 65_516;

/// Why an option cannot be sent; the rest of a sentence that begins with it. `None`: it can.
pub fn defect(option: &str) -> Option<&'static str> {
    if option.contains(['\n', '\r']) {
        return Some("it has a line break");
    }
    if option.contains('\0') {
        return Some("it has a NUL");
    }
    (option.len() > LONGEST).then_some("it is longer than 65516 bytes")
}

/// A text as the value of an option, cut to `most` bytes: forges read `\n` as a line's end.
pub fn one_line(text: &str, most: usize) -> String {
    let line = text.trim_end().replace("\r\n", "\n").replace(['\n', '\r'], "\\n").replace('\0', "");
    let end = (0..=most.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
    let cut = line.get(..end.unwrap_or(0)).unwrap_or_default();
    // Half of a line's end would be a sign of its own.
    if cut.len() < line.len() { cut.trim_end_matches('\\').to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_one_line_that_fits() {
        assert_eq!(defect("merge_request.title=New images, now"), None);
        assert_eq!(defect(&"x".repeat(LONGEST)), None);
        for option in ["a=b\nc", "a=b\r", "a\0b", &"x".repeat(LONGEST + 1)] {
            assert!(defect(option).is_some(), "{}", option.len());
        }
    }

    #[test]
    fn a_text_becomes_one_line_that_fits() {
        assert_eq!(one_line("a\r\nb\nc\n\n", 100), "a\\nb\\nc");
        assert_eq!(one_line("aé\nb", 4), "aé");
        assert_eq!(one_line("aé", 2), "a");
        assert_eq!(defect(&one_line(&"\n".repeat(LONGEST).replace('\n', "a\n"), LONGEST)), None);
    }
}
