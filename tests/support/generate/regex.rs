//! Patterns in Go's syntax, right, nearly right and too large, and texts that they nearly match.

mod table;

use serde_json::{Value, json};

use super::{Random, STRANGE};
use table::{CLASSES, COUNTS, ESCAPES, FLAGS, NAMES, PIECES, POSIX, SPECIAL, TAG_LIKE, UNICODE};

const PLAIN: &str = "abcABCxyz0123-._ksKS/ ";
const META: &str = r"abk01(){}[]?*+|^$.:\PpLdDwWsSbBAzQEimsUx<>,&~-=!#'_\n";

/// A pattern and a text that it may well match.
#[derive(Debug, Default)]
struct Made {
    pattern: String,
    sample: String,
}

impl Made {
    fn new(pattern: impl Into<String>, sample: impl Into<String>) -> Self {
        Self { pattern: pattern.into(), sample: sample.into() }
    }

    fn append(&mut self, other: &Self) {
        self.pattern += &other.pattern;
        self.sample += &other.sample;
    }
}

pub fn request(random: &mut Random) -> Value {
    let (pattern, sample) = pattern(random);
    let haystacks = random.several(3, 8, |random| haystack(random, &sample));
    let mut request = json!({"op": "regex", "pattern": pattern, "haystacks": haystacks});
    if random.one_in(2) {
        request["template"] = template(random).into();
    }
    request
}

/// A pattern, and a text that it may well match.
pub fn pattern(random: &mut Random) -> (String, String) {
    let made = match random.below(40) {
        0 => nested(random),
        1 => long(random),
        2 => Made::new(random.text(META, 24), ""),
        3 => repeated_counts(random),
        4 => many(random),
        5..=10 => tag_like(random),
        _ => alternatives(random, 3),
    };
    let pattern = match random.below(10) {
        0 => random.mutated(&made.pattern, META),
        1 => random.mutated(&made.pattern, STRANGE),
        _ => made.pattern,
    };
    (pattern, made.sample)
}

/// The template of an `extract`.
pub fn template(random: &mut Random) -> String {
    const PARTS: &[&str] = &[
        "$0",
        "$1",
        "$2",
        "$3",
        "${1}",
        "${2}",
        "$ts",
        "${ts}",
        "$n",
        "${n}",
        "$a1",
        "$1a",
        "${1a}",
        "$_",
        "$$",
        "$",
        "${",
        "${}",
        "${1",
        "$-",
        "$01",
        "$00",
        "${01}",
        "$1x",
        "$1_",
        "$100000000",
        "$99999999",
        "$18446744073709551616",
        "$é",
        "$٣",
        "${é}",
        "${ n}",
        "$A",
        ".",
        "-",
        "0",
        "1",
        "v",
        "x",
        "\\1",
        "é",
        "}",
        "$中",
        "$Ⅷ",
        "$\u{1d7d8}",
    ];
    random.several(1, 4, |random| random.pick(PARTS)).concat()
}

/// Something that people write in `filterTags`.
fn tag_like(random: &mut Random) -> Made {
    let mut made = Made::default();
    if random.below(3) > 0 {
        made.pattern.push('^');
    }
    for (pattern, sample) in (0..=random.below(5)).map(|_| TAG_LIKE[random.below(TAG_LIKE.len())]) {
        made.append(&Made::new(pattern, sample));
    }
    if random.below(3) > 0 {
        made.pattern.push('$');
    }
    made
}

fn alternatives(random: &mut Random, depth: usize) -> Made {
    let mut made = concatenation(random, depth);
    while random.one_in(4) {
        let other = concatenation(random, depth);
        made.pattern = [made.pattern, other.pattern].join("|");
        made.sample = if random.one_in(2) { made.sample } else { other.sample };
    }
    made
}

fn concatenation(random: &mut Random, depth: usize) -> Made {
    let mut made = Made::default();
    for _ in 0..random.below(5) {
        let mut atom = atom(random, depth);
        if random.one_in(3) {
            // Well-formed operators stand first.
            let count = if random.one_in(4) { random.pick(COUNTS) } else { random.pick(&COUNTS[..15]) };
            atom.pattern += count;
            atom.sample = match random.below(4) {
                0 => String::new(),
                1 => atom.sample.repeat(2),
                _ => atom.sample,
            };
        }
        made.append(&atom);
    }
    made
}

fn atom(random: &mut Random, depth: usize) -> Made {
    match random.below(30) {
        0..=9 => {
            let character = random.character(PLAIN);
            Made::new(if character == '.' { r"\.".to_owned() } else { character.to_string() }, character)
        }
        10 => Made::new(".", random.character(PLAIN)),
        11 => Made::new(random.pick(&["^", "$", r"\b", r"\B", r"\A", r"\z"]), ""),
        12 | 13 => Made::new(random.pick(CLASSES), random.character("1a _é\u{b}\n")),
        14..=16 => bracketed(random),
        17 => unicode(random),
        18 => Made::new(random.pick(ESCAPES), random.character("A\n.é")),
        19 => Made::new(random.pick(SPECIAL), random.text("abk", 2)),
        20 => {
            let character = random.character(STRANGE);
            Made::new(character, character)
        }
        _ if depth == 0 => Made::new("a", "a"),
        21 => Made { pattern: format!("(?{})", random.pick(FLAGS)), ..Made::default() },
        22 => wrap(random, depth, |random| format!("(?{}:", random.pick(FLAGS))),
        23 => wrap(random, depth, |random| format!("(?P<{}>", random.pick(NAMES))),
        24 => wrap(random, depth, |random| format!("(?<{}>", random.pick(NAMES))),
        25 => wrap(random, depth, |_| "(?:".to_owned()),
        _ => wrap(random, depth, |_| "(".to_owned()),
    }
}

fn wrap(random: &mut Random, depth: usize, open: impl Fn(&mut Random) -> String) -> Made {
    let open = open(random);
    let inner = alternatives(random, depth - 1);
    Made::new(format!("{open}{})", inner.pattern), inner.sample)
}

fn unicode(random: &mut Random) -> Made {
    let letter = random.pick(&["p", "P"]);
    let name = random.pick(UNICODE);
    let sample = random.character("aA1é中ΣκЖ \u{300}$-😀\u{378}");
    let spelled = if name.chars().count() == 1 && random.one_in(2) {
        format!("\\{letter}{name}")
    } else {
        format!("\\{letter}{{{name}}}")
    };
    Made::new(spelled, sample)
}

fn bracketed(random: &mut Random) -> Made {
    let mut pattern = String::from(if random.one_in(3) { "[^" } else { "[" });
    for _ in 0..=random.below(4) {
        match random.below(14) {
            0..=3 => pattern.push(random.character(PLAIN)),
            4..=6 => {
                let (low, high) = (
                    random.character("a0AKk+-!é\u{e000}"),
                    random.character("z9Zk~/-é\u{212a}\u{d7ff}\u{ffff}"),
                );
                pattern.extend([low, '-', high]);
            }
            7 => pattern += random.pick(CLASSES),
            8 => pattern.extend(["[:", random.pick(POSIX), ":]"]),
            9 => pattern += &unicode(random).pattern,
            10 => pattern += random.pick(ESCAPES),
            11 => pattern += random.pick(&["&&", "--", "~~", "[", "-", "^", "[^", "[:", ":]", "||", "\\-"]),
            12 => pattern.push(random.character(STRANGE)),
            _ => pattern.push(random.character("abc0.-")),
        }
    }
    if !random.one_in(40) {
        pattern.push(']');
    }
    Made::new(pattern, random.character("aAkK0-._é^[]&~\u{212a}ſ\n"))
}

/// Groups in groups, around the limit of a thousand levels or far from it.
fn nested(random: &mut Random) -> Made {
    let depth = match random.below(4) {
        0 => 990 + random.below(20),
        1 => 490 + random.below(20),
        _ => 1 + random.below(400),
    };
    let (open, close) = *random.pick(&[
        &("(", ")"),
        &("(?:", ")"),
        &("(?:", ")*"),
        &("(", ")?"),
        &("(?:a|", ")"),
        &("(a", "b)"),
        &("((?:", ")+)"),
        &("(?i:", "b)"),
        &("(?:", "){1}"),
        &("(?:", "){1,2}"),
    ]);
    let missing = usize::from(random.one_in(10));
    Made::new(format!("{}a{}", open.repeat(depth), close.repeat(depth - missing)), "a")
}

/// Many plain characters, or many choices.
fn long(random: &mut Random) -> Made {
    let count = 1 + random.below(300);
    match random.below(4) {
        0 => Made::new("ab".repeat(count), "ab".repeat(count)),
        1 => Made::new("a?".repeat(count) + &"a".repeat(count), "a".repeat(count)),
        2 => Made::new((0..count).map(|n| n.to_string()).collect::<Vec<_>>().join("|"), count.to_string()),
        _ => Made::new("(a|b)".repeat(count), "ab".repeat(count.div_ceil(2))),
    }
}

/// One piece very often: counted, counted of counted, written out, as choices, or in one class.
fn many(random: &mut Random) -> Made {
    let (piece, sample) = PIECES[random.below(PIECES.len())];
    let count = if random.one_in(6) { 500 + random.below(520) } else { 1 + random.below(60) };
    // Where nothing holds the beginning, a match is tried from each character on.
    let (anchor, matched) = if random.one_in(2) { ("^", count) } else { ("", count.min(60)) };
    let pattern = match random.below(5) {
        0 => format!("(?:{piece}){{{count}}}"),
        1 => format!("((?:{piece}){{{}}}){{{},}}", 1 + random.below(40), 1 + random.below(30)),
        // Go keeps all groups for each of its threads.
        2 => piece.repeat(count.min(300)),
        3 => (0..count).map(|n| format!("{piece}{n}")).collect::<Vec<_>>().join("|"),
        _ => format!("[{}]+", "a-cx-zé".repeat(count) + random.pick(CLASSES)),
    };
    Made::new(format!("{anchor}{pattern}"), sample.repeat(matched))
}

/// Counts of counts, around what they may multiply to.
fn repeated_counts(random: &mut Random) -> Made {
    const INNER: &[&str] = &[
        "a",
        "[ab]",
        "a{2}",
        "a{10}",
        "a{100}",
        "a*",
        "a+",
        "a?",
        "a{2,}",
        "a{0,500}",
        "a{0}",
        r"\d{20}",
        r"\pL",
        r"(\pL{3})",
        "a{500}b{500}",
    ];
    const OUTER: &[&str] = &[
        "{2}", "{10}", "{100}", "{0,3}", "{600}", "{0}", "{0,}", "{11}", "*", "+", "{50,}", "{1,20}", "{51}",
    ];
    let mut pattern = random.pick(INNER).to_owned();
    for _ in 0..=random.below(3) {
        if random.one_in(4) {
            pattern += "|";
            pattern += random.pick(INNER);
        }
        let open = random.pick(&["(", "(?:"]);
        pattern = format!("{open}{pattern}){}", random.pick(OUTER));
    }
    Made::new(pattern, "a".repeat(random.below(60)))
}

/// Any character at all.
fn anywhere(random: &mut Random) -> char {
    let end = *random.pick(&[&0x250, &0x3000, &0x1_1f00, &0x11_0000]);
    u32::try_from(random.below(end)).ok().and_then(char::from_u32).unwrap_or('\u{e000}')
}

pub fn haystack(random: &mut Random, sample: &str) -> String {
    match random.below(10) {
        0..=2 => sample.to_owned(),
        3 | 4 => random.mutated(sample, &format!("{PLAIN}{STRANGE}\n")),
        5 => [&random.text(PLAIN, 3), sample, &random.text(PLAIN, 3)].concat(),
        6 => random.text(PLAIN, 12),
        7 => random.text("aakK\n -_", 8),
        8 if random.one_in(2) => random.several(1, 6, anywhere).into_iter().collect(),
        8 => random.text(STRANGE, 4),
        _ => [sample, random.pick(&["\n", "", "\n\n", "é", "K"]), sample].concat(),
    }
}
