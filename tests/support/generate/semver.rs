//! Ranges in every spelling, and versions near their bounds.

use serde_json::{Value, json};

use super::{Random, STRANGE};

const OPERATORS: &[&str] = &["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"];
const NO_OPERATORS: &[&str] = &["==", "!", "<>", "> =", "~=", "^^", "=!", "=~", "v", "-", "||", "~>=", ">>"];
const BLANKS: &[&str] = &["", "", " ", "  ", "\t", "\n", "\r\n", "\u{c}"];
const NO_BLANKS: &[&str] = &["\u{b}", "\u{a0}", "\u{85}", "\u{2028}"];
const WILDCARDS: &[&str] = &["x", "X", "*"];
const HUGE: &[&str] = &[
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "99999999999999999999999",
    "000000000000000000000000000001",
];
const PARTS: &[&str] = &[
    "0",
    "1",
    "2",
    "10",
    "01",
    "00",
    "-0",
    "-1",
    "-",
    "--",
    "0a",
    "a",
    "A",
    "alpha",
    "beta",
    "rc",
    "rc9",
    "rc10",
    "z",
    "18446744073709551616",
    "18446744073709551615",
    "1-2",
    "x",
];
const BAD_PARTS: &[&str] = &["01", "00", "é", "a_b", "", "0000"];
const MUTATIONS: &str = "0123456789.-+vxX*|<>=!~^, \t\u{b}\u{a0}éa_$";

pub fn request(random: &mut Random) -> Value {
    let range = range(random);
    let versions = random.several(4, 12, |random| near(random, &range));
    json!({"op": "semver", "range": range, "versions": versions})
}

pub fn range(random: &mut Random) -> String {
    let groups =
        if random.one_in(60) { random.several(31, 34, short_group) } else { random.several(1, 3, group) };
    let mut text = join(random, groups, &["||", " || ", "|| "], &["|||", "||||", "|", "|| ||"]);
    if random.one_in(80) {
        // Around the limit of the whole text.
        let missing = (508 + random.below(10)).saturating_sub(text.len());
        text = if random.one_in(2) { " ".repeat(missing) + &text } else { text + &"0".repeat(missing) };
    }
    if random.one_in(8) { random.mutated(&text, MUTATIONS) } else { text }
}

fn short_group(random: &mut Random) -> String {
    random.pick(&["1", "2.x", "<1", ""]).to_owned()
}

fn group(random: &mut Random) -> String {
    let terms = random.several(1, 3, |random| if random.one_in(6) { hyphen(random) } else { term(random) });
    let text =
        join(random, terms, &[" ", ", ", ",", "  ", " , ", "\t", " ,\n"], &["", ",,", ", ,", ";", " and "]);
    [random.pick(BLANKS), &text, random.pick(BLANKS)].concat()
}

/// Joins with a good separator mostly, with a bad one now and then.
fn join(random: &mut Random, texts: Vec<String>, good: &[&str], bad: &[&str]) -> String {
    let mut joined = String::new();
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            joined += if random.one_in(60) { random.pick(bad) } else { random.pick(good) };
        }
        joined += &text;
    }
    joined
}

fn term(random: &mut Random) -> String {
    let operator = if random.one_in(60) { random.pick(NO_OPERATORS) } else { random.pick(OPERATORS) };
    [operator, blank(random), &bound(random)].concat()
}

fn hyphen(random: &mut Random) -> String {
    let operator = if random.one_in(40) { random.pick(OPERATORS) } else { "" };
    let (before, after) = if random.one_in(8) { (blank(random), blank(random)) } else { (" ", " ") };
    [operator, &bound(random), before, "-", after, &bound(random)].concat()
}

fn blank(random: &mut Random) -> &'static str {
    if random.one_in(200) { random.pick(NO_BLANKS) } else { random.pick(BLANKS) }
}

fn bound(random: &mut Random) -> String {
    let mut text = if random.one_in(6) { "v".to_owned() } else { String::new() };
    let count = if random.one_in(120) { 4 } else { 1 + random.below(3) };
    let numbers: Vec<String> = (0..count).map(|_| segment(random)).collect();
    text += &numbers.join(".");
    text + &suffixes(random)
}

fn segment(random: &mut Random) -> String {
    match random.below(150) {
        0..=110 => random.below(4).to_string(),
        111..=144 => random.pick(WILDCARDS).to_owned(),
        145 => random.pick(HUGE).to_owned(),
        146 => format!("0{}", random.below(3)),
        147 => random.text("0123xX*|", 4),
        148 => random.text("0123456789", 22),
        _ => random.pick(&["**", "xx", "1x", "x1", "|", "a", "", "1|2", "-1"]).to_owned(),
    }
}

fn part(random: &mut Random) -> String {
    let parts = if random.one_in(40) { BAD_PARTS } else { PARTS };
    random.pick(parts).to_owned()
}

fn suffixes(random: &mut Random) -> String {
    let mut text = String::new();
    if random.one_in(4) {
        text += "-";
        text += &random.several(1, 3, part).join(".");
    }
    if random.one_in(12) {
        text += "+";
        text += &random.several(1, 2, part).join(".");
    }
    match random.below(300) {
        // Around the limit of one version.
        0 => text + "-" + &"a".repeat(240 + random.below(16)),
        1 => text + "+" + &"b".repeat(240 + random.below(16)),
        2 => text + random.pick(&["-", "+", "-a..b", "-a.", "+_"]),
        _ => text,
    }
}

/// A version near what `range` speaks of.
fn near(random: &mut Random, range: &str) -> String {
    match random.below(12) {
        0 => version(random) + &suffixes(random),
        1 => bound(random),
        2 => {
            let bounds: Vec<&str> = range.split([' ', ',', '|', '<', '>', '=', '~', '^', '!']).collect();
            random.pick(&bounds).to_owned()
        }
        3 => {
            let text = version(random) + &suffixes(random);
            random.mutated(&text, &format!("{MUTATIONS}{STRANGE}"))
        }
        4..=6 => version(random) + "-" + &part(random),
        _ => version(random),
    }
}

/// A plain version; few different ones, so that they meet the bounds.
pub fn version(random: &mut Random) -> String {
    let v = if random.one_in(5) { "v" } else { "" };
    let zero = if random.one_in(12) { "0" } else { "" };
    format!("{v}{}.{zero}{}.{}", random.below(5), random.below(5), random.below(5))
}
