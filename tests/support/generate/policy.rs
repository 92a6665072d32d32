//! Policies with filters and exclusions, over tags that collide, tie and fail.

use serde_json::{Value, json};

use super::{Random, STRANGE, regex, semver};

const RANGES: &[&str] = &[
    "*",
    ">=0.0.0-0",
    "1.x",
    "^1.2",
    ">=1",
    ">=1.0.0-0 <2.0.0-0",
    "~1.2",
    "1.2 - 2.3",
    "<2 || >3",
    "!=1.2.3",
];
const ORDERS: &[&str] = &[
    "asc",
    "desc",
    "",
    "ASC",
    "Desc",
    "dESC",
    "descending",
    " asc",
    "aſc",
    "ß",
    "ﬁ",
    "DEſC",
    "ŉ",
    "\u{1f80}",
    "ı",
    "ǆ",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "+0",
    "1",
    "01",
    "1.0",
    "1.",
    "+1",
    "1e0",
    "10e-1",
    "0x1p0",
    "0X1P0",
    "0x.8p1",
    "1_0",
    "10",
    "0x_1p0",
    "0x1_0p0",
    "1e1_0",
    "inf",
    "+Inf",
    "-inf",
    "infinity",
    "INFINITY",
    "nan",
    "NaN",
    "1e-400",
    "5e-324",
    "2e-324",
    "0x1p-1074",
    "0x1p-1075",
    "0x1.8p-1075",
    "1.7976931348623157e308",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    ".5",
    "0.5",
    "-.5",
    "5.",
    "0e99999999999999999999",
    "0x0p99999999999999999999",
    "0x123456789abcdef123456789p0",
    "0x.00000000000000000000000000001p100",
    "2.2250738585072011e-308",
    "1e23",
    "8.5e22",
    "0.000000000000000000001e21",
    "00000000000000000000000000000000000000001",
    "1.00000000000000000000000000000000000000000000001",
    "20260101",
    "1763700000",
    "0x1P-2",
];
const NO_NUMBERS: &[&str] = &[
    "0x1",
    "0b1",
    "0o1",
    "_1",
    "1_",
    "1__0",
    "1_e0",
    "1e_0",
    "infin",
    "+nan",
    "-nan",
    "1e400",
    "-1e400",
    "0x1p1024",
    "0x1.fffffffffffff8p1023",
    "1.7976931348623159e308",
    "1e",
    "e1",
    ".",
    "0x",
    "0xp1",
    "0x1p",
    "0x1p+",
    "1e+",
    "1.2.3",
    "--1",
    "1 ",
    " 1",
    "",
    "١",
    "1e99999999999999999999",
    "0x1p99999999999999999999",
    "1p2",
    "0x1e2",
    "1d",
    "1f",
    "Infinit",
    "infinityx",
];
const WORDS: &[&str] = &[
    "latest",
    "main",
    "stable",
    "alpine",
    "a",
    "b",
    "A",
    "_",
    "z",
    "edge",
    "RELEASE.2025-01-01T00-00-00Z",
    "sha256-77aa.sig",
    "x.sig",
    "nightly",
];
const FILTERS: &[(&str, &str)] = &[
    ("^v?(.*)$", "$1"),
    ("^[v0-9.]+$", ""),
    ("([0-9]+)", "$1"),
    ("([0-9]+)", "$0"),
    ("^main-[a-f0-9]+-(?P<ts>[0-9]+)$", "$ts"),
    ("^main-([a-f0-9]+)-(?P<ts>[0-9]+)$", "$ts.$1"),
    ("^([0-9]).*([0-9])$", "$1.$2.0"),
    ("^(?P<a>.*)-(?P<b>.*)$", "$b-$a"),
    ("", ""),
    ("", "$0"),
    ("^(.*)$", "$1"),
    ("^(.*)$", "$1$1"),
    ("^0*(.*)$", "$1"),
    ("^[+]?(.*)$", "$1"),
    (".*", "1"),
    (".*", "1.2.3"),
    ("^(.)", "$1"),
    ("^.(.*)$", "$1"),
    ("(x)?", "$1"),
    ("^(.*)$", "v$1"),
    ("^(.*)$", "${1}.0.0"),
    ("^(.*)$", "$1+b"),
    ("[", "$1"),
    ("a**", ""),
    ("^no-such-tag$", ""),
];
const EXCLUSIONS: &[&str] = &[
    "^.*\\.sig$",
    "latest",
    "^v",
    "-rc",
    "[0-9]$",
    "1.0.2",
    "",
    "^$",
    "a{,2}",
    "(",
    "[[a-z]]",
    "\\pX",
    "(?i)MAIN",
    ".",
];

pub fn request(random: &mut Random) -> Value {
    let policy = policy(random);
    let tags = tags(random, policy["numerical"].is_object());
    let mut request = json!({"op": "policy", "policy": policy, "tags": tags});
    if random.below(5) > 1 {
        request["filterTags"] = filter(random);
    }
    if random.one_in(3) {
        request["exclude"] = json!(random.several(0, 3, exclusion));
    }
    request
}

fn policy(random: &mut Random) -> Value {
    let mut policy = json!({});
    // Rarely none, or several.
    let kinds = match random.below(30) {
        0 => random.several(0, 3, |random| random.below(3)),
        kind => vec![kind % 3],
    };
    for kind in kinds {
        match kind {
            0 => policy["semver"] = json!({"range": range(random)}),
            1 => policy["alphabetical"] = json!({"order": order(random)}),
            _ => policy["numerical"] = json!({"order": order(random)}),
        }
    }
    policy
}

fn range(random: &mut Random) -> String {
    if random.one_in(4) { semver::range(random) } else { random.pick(RANGES).to_owned() }
}

fn order(random: &mut Random) -> &'static str {
    if random.one_in(20) { random.pick(ORDERS) } else { random.pick(&ORDERS[..2]) }
}

fn filter(random: &mut Random) -> Value {
    let (pattern, extract) = FILTERS[random.below(FILTERS.len())];
    let (mut pattern, mut extract) = (pattern.to_owned(), extract.to_owned());
    if random.one_in(8) {
        pattern = regex::pattern(random).0;
    }
    if random.one_in(8) {
        extract = regex::template(random);
    }
    match random.below(40) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!({"pattern": pattern}),
        3 => json!({"extract": extract}),
        _ => json!({"pattern": pattern, "extract": extract}),
    }
}

fn exclusion(random: &mut Random) -> String {
    if random.one_in(6) { regex::pattern(random).0 } else { random.pick(EXCLUSIONS).to_owned() }
}

/// Tags of one kind mostly, so that they have something to do with each other.
fn tags(random: &mut Random, numerical: bool) -> Vec<String> {
    let kind = if numerical && !random.one_in(4) { 1 + random.below(2) } else { random.below(6) };
    let most = if random.one_in(10) { 24 } else { 7 };
    let least = usize::from(!random.one_in(20));
    let mut tags = random.several(least, most, |random| {
        let kind = if random.one_in(40) { random.below(6) } else { kind };
        tag(random, kind)
    });
    if random.one_in(6) && !tags.is_empty() {
        let again = tags[random.below(tags.len())].clone();
        tags.push(again);
    }
    tags
}

fn tag(random: &mut Random, kind: usize) -> String {
    match kind {
        0 => equal_version(random),
        1 => random.below(30).to_string(),
        2 if random.one_in(20) => random.pick(NO_NUMBERS).to_owned(),
        2 => random.pick(NUMBERS).to_owned(),
        3 => build(random),
        4 => random.pick(WORDS).to_owned(),
        _ if random.one_in(3) => {
            let text = equal_version(random);
            random.mutated(&text, STRANGE)
        }
        _ => semver::version(random) + random.pick(&["", "-rc.1", "-rc1", "+b", "-alpine"]),
    }
}

/// One of few versions in one of many spellings.
fn equal_version(random: &mut Random) -> String {
    let (v, zero) = (random.pick(&["", "v", "V", ""]), random.pick(&["", "", "0"]));
    let tail = random.pick(&["", "", "-rc.1", "-rc.01", "-0", "+b", "+c", "-rc.1+b", ".4"]);
    format!("{v}{}.{zero}{}.{}{tail}", 1 + random.below(2), random.below(3), random.below(2))
}

fn build(random: &mut Random) -> String {
    let (branch, commit) =
        (random.pick(&["main", "main", "dev"]), random.pick(&["9b1d3e7", "0aa11b2", "1234567"]));
    format!("{branch}-{commit}-{}{}", random.pick(&["", "0", "1."]), 1_763_700_000 + random.below(4))
}
