//! A patch in git's format.
//!
//! Source: git, `diff.c` and `quote.c` (`quote_two_c_style`), "diff-format(7)".

use std::fmt::Write as _;

use super::{Ending, Hunk, LineKind};

/// The unified diff of the file `path`, with `context` unchanged lines around each change; empty if nothing differs.
/// `git apply` takes it and makes exactly `new` of `old`.
pub fn unified(path: &str, old: &str, new: &str, context: usize) -> String {
    let hunks = super::hunks(old, new, context);
    let mut text = String::new();
    if hunks.is_empty() {
        return text;
    }
    // Writing into a String cannot fail.
    let _ = writeln!(text, "--- {}", name("a/", path));
    let _ = writeln!(text, "+++ {}", name("b/", path));
    for hunk in &hunks {
        push_hunk(&mut text, hunk);
    }
    text
}

fn push_hunk(patch: &mut String, hunk: &Hunk) {
    let range =
        |start: usize, len: usize| if len == 1 { start.to_string() } else { format!("{start},{len}") };
    let (old, new) = (range(hunk.old_start, hunk.old_len), range(hunk.new_start, hunk.new_len));
    let _ = writeln!(patch, "@@ -{old} +{new} @@");
    for line in &hunk.lines {
        patch.push(match line.kind {
            LineKind::Context => ' ',
            LineKind::Removed => '-',
            LineKind::Added => '+',
        });
        patch.push_str(&line.text);
        patch.push_str(match line.ending {
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::Missing => "\n\\ No newline at end of file\n",
        });
    }
}

/// A file's name as git writes it: quoted like a C string if it has control characters, quotes, backslashes or anything
/// beyond ASCII, and followed by a tab if it has a blank.
fn name(prefix: &str, path: &str) -> String {
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\');
    if path.bytes().all(is_plain) {
        let end = if path.contains(' ') { "\t" } else { "" };
        return format!("{prefix}{path}{end}");
    }
    let mut quoted = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'\r' => quoted.push_str("\\r"),
            _ if is_plain(byte) => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_has_names_ranges_and_the_missing_newline() {
        let patch = unified("a b.yaml", "x: 1\ny: 2", "x: 1\ny: 3\n", 3);
        let expected = "--- a/a b.yaml\t\n+++ b/a b.yaml\t\n@@ -1,2 +1,2 @@\n x: 1\n-y: 2\n\\ No newline at end of file\n+y: 3\n";
        assert_eq!(patch, expected);
        assert_eq!(unified("a", "x\n", "x\n", 3), "");
        assert!(unified("a", "x\n", "y\n", 3).contains("@@ -1 +1 @@\n-x\n+y\n"));
        assert!(unified("a", "", "y\n", 3).contains("@@ -0,0 +1 @@\n+y\n"));
    }

    #[test]
    fn strange_names_are_quoted_as_git_quotes_them() {
        assert_eq!(name("a/", "é\"\\.yaml"), "\"a/\\303\\251\\\"\\\\.yaml\"");
        assert_eq!(name("b/", "x\ty z"), "\"b/x\\ty z\"");
    }
}
