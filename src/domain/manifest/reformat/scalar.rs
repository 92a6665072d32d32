//! Scalars as go-yaml's emitter writes them.
//!
//! Source: `yaml/go-yaml` v3.0.4, `emitterc.go`: `yaml_emitter_analyze_scalar`, `…_select_scalar_style`, `…_write_*`.

use std::fmt::Write as _;

use crate::domain::manifest::plain as plain_form;

/// What the emitter asks about a value before it chooses a style.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer to a question of its own")]
pub(super) struct Analysis {
    /// Whether it may stand unquoted in a flow collection.
    flow_plain: bool,
    /// Whether it may stand unquoted outside of one.
    block_plain: bool,
    /// Whether it may stand in single quotes, or unquoted.
    bare: bool,
    /// Whether it may be a block scalar.
    pub(super) block: bool,
}

/// What `value` allows.
pub(super) fn analyze(value: &str) -> Analysis {
    let special = value.chars().any(|c| c != '\t' && !is_printable(c));
    let mut lines = value.split('\n');
    let last = lines.next_back().unwrap_or_default();
    let ends_in_blank = lines.any(|line| line.ends_with(' '));
    let breaks_in_blank = value.contains("\n ");
    let is_blank = |c: char| c == ' ' || c == '\t';
    let ends_word = |rest: &str| rest.is_empty() || rest.starts_with(is_blank);
    let is_mark = value.starts_with("---") || value.starts_with("...");
    let everywhere = is_mark
        || value
            .starts_with(['#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'])
        || value.strip_prefix(['?', '-']).is_some_and(ends_word)
        || value.match_indices(':').any(|(at, _)| value.get(at + 1..).is_some_and(ends_word))
        || [" #", "\t#", "\n#"].iter().any(|comment| value.contains(comment));
    let flow = everywhere || value.contains([',', '?', '[', ']', '{', '}', ':']);
    Analysis {
        flow_plain: !flow && !value.is_empty(),
        block_plain: !everywhere,
        bare: !special && !ends_in_blank && !breaks_in_blank && !value.contains('\t'),
        block: !special && !ends_in_blank && !last.ends_with(' ') && !value.is_empty(),
    }
}

/// A plain scalar on one line.
pub(super) fn plain(value: &str, in_flow: bool) -> String {
    let may = analyze(value);
    if !may.bare {
        double_quoted(value)
    } else if (in_flow && !may.flow_plain) || !may.block_plain {
        plain_form::single_quoted(value)
    } else {
        value.to_owned()
    }
}

/// A single-quoted scalar on one line.
pub(super) fn single_quoted(value: &str) -> String {
    if analyze(value).bare { plain_form::single_quoted(value) } else { double_quoted(value) }
}

/// A double-quoted scalar.
pub(super) fn double_quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match (escape(c), u32::from(c)) {
            (Some(letter), _) => text.extend(['\\', letter]),
            _ if is_printable(c) => text.push(c),
            // Writing into a String cannot fail.
            (None, code @ ..=0xff) => drop(write!(text, "\\x{code:02X}")),
            (None, code @ ..=0xffff) => drop(write!(text, "\\u{code:04X}")),
            (None, code) => drop(write!(text, "\\U{code:08X}")),
        }
    }
    text.push('"');
    text
}

fn escape(c: char) -> Option<char> {
    Some(match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => return None,
    })
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// A block scalar from its sign on, its lines at `indent`, without the last line end; `comment` stands on its first line.
pub(super) fn block(value: &str, folded: bool, comment: &str, indent: usize) -> String {
    let mut text = String::from(if folded { ">" } else { "|" });
    if value.starts_with([' ', '\n']) {
        text.push('2');
    }
    if !value.ends_with('\n') {
        text.push('-');
    } else if value.ends_with("\n\n") || value == "\n" {
        text.push('+');
    }
    text.push_str(comment);
    text.push('\n');
    let starts_blank = value.trim_start_matches('\n').starts_with([' ', '\t']);
    let mut lines = value.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let words = line.trim_end_matches('\n');
        if !words.is_empty() {
            text.push_str(&" ".repeat(indent));
            text.push_str(words);
        }
        if words.len() < line.len() {
            // The emitter folds no line that starts with a blank; of all others it doubles the end, also of the last.
            if folded && !words.is_empty() && !words.starts_with([' ', '\t']) && !starts_blank {
                text.push('\n');
            }
            if lines.peek().is_some() || folded {
                text.push('\n');
            }
        }
    }
    if folded && text.ends_with('\n') {
        text.pop();
    }
    text
}
