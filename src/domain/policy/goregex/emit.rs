//! Writes a parsed pattern in Rust's syntax, with nothing left to interpretation.

use std::fmt::Write as _;

use super::ast::{Assert, Kind, Node};
use super::class::{Class, Item};

/// A class that no character is in.
const NEVER: &str = r"[^\x{0}-\x{10FFFF}]";
/// The characters that Go knows, in Rust's syntax: Rust's tables are of a newer version of Unicode.
///
/// Source: golang/go 1.26, `src/unicode/tables.go`.
pub(in crate::domain) const KNOWN: &str = r"\p{age=15.0}";
/// Patterns of more parts are not cut into stems.
const MAX_STEMS: usize = 64;

/// The pattern in Rust's syntax; its groups have the same numbers and no names.
pub(super) fn emit(root: &Node) -> String {
    let mut out = String::new();
    write_node(&mut out, root);
    out
}

/// The pattern cut short after each of its parts, if it is anchored at the beginning and at most `deepest` levels high.
pub(super) fn stems(root: &Node, deepest: usize) -> Vec<String> {
    if root.height > deepest {
        return Vec::new();
    }
    let mut flat = Vec::new();
    flatten(root, &mut flat);
    if !matches!(flat.first().map(|node| &node.kind), Some(Kind::Assert(Assert::BeginText)))
        || flat.len() > MAX_STEMS
    {
        return Vec::new();
    }
    let mut stem = String::new();
    flat.into_iter()
        .map(|node| {
            write_node(&mut stem, node);
            stem.clone()
        })
        .collect()
}

/// The parts of a concatenation in order, with groups that are not repeated taken apart.
fn flatten<'n>(node: &'n Node, flat: &mut Vec<&'n Node>) {
    match &node.kind {
        Kind::Concat(nodes) => nodes.iter().for_each(|node| flatten(node, flat)),
        Kind::Capture(node) => flatten(node, flat),
        _ => flat.push(node),
    }
}

// Writing to a string cannot fail, so the results of `write!` are dropped.
fn write_node(out: &mut String, node: &Node) {
    match &node.kind {
        Kind::Empty => out.push_str("(?:)"),
        Kind::Literal { code, fold } => write_literal(out, *code, *fold),
        Kind::Class { class, fold } => {
            out.push_str(if *fold { "(?i:" } else { "(?:" });
            write_class(out, class);
            out.push(')');
        }
        Kind::Any { newline } => out.push_str(if *newline { "(?s:.)" } else { r"[^\n]" }),
        Kind::Assert(assert) => out.push_str(match assert {
            Assert::BeginText => r"\A",
            Assert::EndText => r"\z",
            Assert::BeginLine => "(?m:^)",
            Assert::EndLine => "(?m:$)",
            Assert::Word => r"(?-u:\b)",
            Assert::NotWord => r"(?-u:\B)",
        }),
        Kind::Capture(node) => {
            out.push('(');
            write_node(out, node);
            out.push(')');
        }
        Kind::Repeat { node, min, max, greedy } => {
            out.push_str("(?:");
            write_node(out, node);
            out.push(')');
            write_count(out, *min, *max);
            out.push_str(if *greedy { "" } else { "?" });
        }
        Kind::Concat(nodes) => nodes.iter().for_each(|node| write_node(out, node)),
        Kind::Alternate(nodes) => write_choice(out, nodes),
    }
}

fn write_choice(out: &mut String, nodes: &[Node]) {
    out.push_str("(?:");
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push('|');
        }
        write_node(out, node);
    }
    out.push(')');
}

fn write_count(out: &mut String, min: u32, max: Option<u32>) {
    let _ = match (min, max) {
        (0, None) => write!(out, "*"),
        (1, None) => write!(out, "+"),
        (0, Some(1)) => write!(out, "?"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
}

fn write_literal(out: &mut String, code: u32, fold: bool) {
    let Some(character) = char::from_u32(code) else {
        // A surrogate, which no text of valid UTF-8 has.
        return out.push_str(NEVER);
    };
    let _ = match (character.is_ascii_alphanumeric(), fold) {
        (true, false) => write!(out, "{character}"),
        (true, true) => write!(out, "(?i:{character})"),
        (false, false) => write!(out, "\\x{{{code:X}}}"),
        (false, true) => write!(out, "(?i:\\x{{{code:X}}})"),
    };
}

fn write_class(out: &mut String, class: &Class) {
    let mut items = String::new();
    for item in &class.items {
        write_item(&mut items, item);
    }
    bridge_surrogates(&mut items, class);
    let _ = match (items.is_empty(), class.negated) {
        (true, false) => write!(out, "{NEVER}"),
        (true, true) => write!(out, "(?s:.)"),
        (false, false) => write!(out, "[{items}]"),
        (false, true) => write!(out, "[^{items}]"),
    };
}

fn write_item(out: &mut String, item: &Item) {
    match item {
        Item::Range(low, high) => write_range(out, *low, *high),
        Item::Ascii { ranges, negated } => {
            // Within brackets of its own: letter case is folded before it is inverted, in Go as in Rust.
            out.push_str(if *negated { "[^" } else { "[" });
            for (low, high) in *ranges {
                write_range(out, u32::from(*low), u32::from(*high));
            }
            out.push(']');
        }
        Item::Any { negated: false } => write_range(out, 0, u32::from(char::MAX)),
        Item::Any { negated: true } => {}
        Item::Unicode { name, negated } => write_named(out, name, *negated),
    }
}

/// Writes a category or script, or all others, as far as Go knows the characters; what it does not know is unassigned.
fn write_named(out: &mut String, name: &str, negated: bool) {
    let has_unassigned = matches!(name, "c" | "other" | "cn" | "unassigned");
    let (open, letter) = match (has_unassigned, negated) {
        (false, false) => ("[", 'p'),
        (false, true) => ("[^", 'p'),
        (true, false) => ("[^", 'P'),
        (true, true) => ("[", 'P'),
    };
    let _ = write!(out, "{open}\\{letter}{{{name}}}&&{KNOWN}]");
}

/// The last character before the surrogates, and the first behind them.
const AROUND_SURROGATES: (u32, u32) = (0xd7ff, 0xe000);

/// Writes a range that neither begins nor ends with a surrogate, which no text of valid UTF-8 has.
fn write_range(out: &mut String, low: u32, high: u32) {
    let (before, behind) = AROUND_SURROGATES;
    let low = if low > before { low.max(behind) } else { low };
    let high = if high < behind { high.min(before) } else { high };
    if low <= high {
        let _ = write!(out, "\\x{{{low:X}}}-\\x{{{high:X}}}");
    }
}

/// Bridges the surrogates if both of their neighbours are in the class anyway.
///
/// Rust's engine takes two ranges that end and begin there for separate ones and, when it inverts them, the neighbours
/// for what is between.
fn bridge_surrogates(out: &mut String, class: &Class) {
    let (before, behind) = AROUND_SURROGATES;
    let has = |code: u32| {
        class
            .items
            .iter()
            .any(|item| matches!(item, Item::Range(low, high) if (*low..=*high).contains(&code)))
    };
    if has(before) && has(behind) {
        write_range(out, before, behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_interpretation() {
        let emitted = |pattern: &str| emit(&super::super::parse::parse(pattern).unwrap().root);
        assert_eq!(emitted("^a.[b-d]$"), r"\Aa[^\n](?:[\x{62}-\x{64}])\z");
        assert_eq!(emitted("(?P<n>a|b)+?"), "(?:((?:a|b)))+?");
        assert_eq!(emitted(r"\Q.+\E*"), r"\x{2E}(?:\x{2B})*");
        assert_eq!(emitted(r"[\x{d800}-\x{dfff}]"), format!("(?:{NEVER})"));
    }
}
