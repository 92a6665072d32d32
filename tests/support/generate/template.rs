//! Message templates: calls of every function with arguments of nearly the right kinds, control structures around them,
//! and broken syntax.

mod table;

use serde_json::{Value, json};

use super::{Random, STRANGE};
use table::{
    BAD, BAD_URLS, BROKEN, CHANGE, COMPARISONS, DATES, DOCUMENTS, DURATIONS, FORMATS, FUNCTIONS, LAYOUTS,
    METHODS, NUMBERS_OF_DATES, OBJECT, OF_DATES, OF_DURATIONS, PARTS, PATHS, PATTERNS, PLAIN_VERSIONS,
    SHAPES, TEXTS, URLS, VERSIONS,
};

/// `op` `template`, its template and data.
pub fn request(random: &mut Random) -> Value {
    let pieces = random.several(1, 3, |random| node(random, 2));
    let mut template = pieces.concat();
    if random.one_in(20) {
        template = random.mutated(&template, "{}().$|\"`'-:= \n,é%\\0a");
    }
    if random.one_in(60) {
        // What somebody has typed so far.
        template = template.chars().take(random.below(template.chars().count() + 1)).collect();
        template += random.pick(&["", ".", " .", "$", "{{.", "{{ .Changed."]);
    }
    let text = |random: &mut Random| random.pick(&["a", "b:1", "é", "", "x y"]).to_owned();
    let files: serde_json::Map<String, Value> = random
        .several(1, 2, |random| {
            let objects = random.several(1, 3, |random| {
                let changes = random.several(1, 2, |random| {
                    json!({ "old_value": text(random), "new_value": text(random), "setter": text(random) })
                });
                json!({
                    "apiVersion": random.pick(&["v1", "apps/v1"]), "kind": random.pick(&["A", "B"]),
                    "namespace": random.pick(&["", "n"]), "name": text(random), "changes": changes
                })
            });
            (random.pick(&["a.yaml", "b/c.yaml", "é"]).to_owned(), json!(objects))
        })
        .into_iter()
        .collect();
    // Templates tell none from an empty map.
    let values = match random.below(8) {
        0 => Value::Null,
        1 => json!({}),
        _ => json!({ "cluster": text(random), "n": "3" }),
    };
    let automation = json!({ "namespace": "flux-system", "name": text(random) });
    let data = json!({ "automation_object": automation, "values": values, "file_changes": files });
    json!({ "op": "template", "template": template, "data": data })
}

fn node(random: &mut Random, depth: usize) -> String {
    let shape = if depth == 0 { "{{%p}}" } else { random.pick(SHAPES) };
    // Both are worth a try now and then, and most of the time the end of the template.
    let ends = shape == "%b" || depth == 1 && shape.starts_with("{{define");
    let shape = if ends && !random.one_in(3) { "{{%p}}" } else { shape };
    filled(random, shape, depth)
}

/// A shape with its holes filled.
fn filled(random: &mut Random, shape: &str, depth: usize) -> String {
    let mut parts = shape.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hole, rest) = part.split_at(1);
        text += &match hole {
            "n" => node(random, depth.saturating_sub(1)),
            "p" => pipe(random, 2),
            "o" => operand(random, 1),
            "c" => random.pick(CHANGE).to_owned(),
            "k" => random.pick(OBJECT).to_owned(),
            "q" => random.pick(COMPARISONS).to_owned(),
            "m" | "M" | "N" => {
                let calls = if hole == "m" { METHODS } else { OF_DATES };
                let call = random.pick(if hole == "N" { OF_DURATIONS } else { calls });
                filled(random, call, 0)
            }
            "b" => random.pick(BROKEN).to_owned(),
            kind => typed(random, kind, 1),
        };
        text += rest;
    }
    text
}

fn pipe(random: &mut Random, depth: usize) -> String {
    let (mut text, mut answered) = call(random, depth, None);
    while random.one_in(5) {
        let takes =
            |signature: &str| signature.ends_with(answered) || answered != "a" && signature.ends_with('a');
        let (name, signature, answers) = function(random, |(_, signature, _)| takes(signature));
        let mut args = arguments(random, signature, 1);
        args.pop();
        args.insert(0, name.to_owned());
        text = format!("{text} | {}", args.join(" "));
        answered = answers;
    }
    text
}

/// A function of those that fit, mostly.
fn function(random: &mut Random, fits: impl Fn(&Row) -> bool) -> Row {
    let fitting: Vec<_> = FUNCTIONS.iter().filter(|row| fits(row)).collect();
    if fitting.is_empty() || random.one_in(40) {
        return *pick_row(random, FUNCTIONS);
    }
    **pick_row(random, &fitting)
}

type Row = (&'static str, &'static str, &'static str);

/// A call of what answers `wanted`, mostly, and what it answers.
fn call(random: &mut Random, depth: usize, wanted: Option<&str>) -> (String, &'static str) {
    if random.one_in(8) {
        let value = match wanted {
            Some(kind) => typed(random, kind, 0),
            None => operand(random, depth),
        };
        return (value, "a");
    }
    let (name, signature, answers) =
        function(random, |(_, _, answers)| wanted.is_none_or(|wanted| *answers == wanted));
    let mut args = arguments(random, signature, depth);
    match random.below(90) {
        0 => drop(args.pop()),
        1 => args.push(operand(random, 0)),
        _ => {}
    }
    args.insert(0, name.to_owned());
    (args.join(" "), answers)
}

fn arguments(random: &mut Random, signature: &str, depth: usize) -> Vec<String> {
    let (fixed, repeated) = signature.split_once('*').unwrap_or((signature, ""));
    let kinds = fixed.chars().map(String::from).collect::<Vec<_>>();
    let more = random.below(4);
    let rest = std::iter::repeat_n(repeated.to_owned(), if repeated.is_empty() { 0 } else { more });
    kinds.into_iter().chain(rest).map(|kind| typed(random, &kind, depth)).collect()
}

fn operand(random: &mut Random, depth: usize) -> String {
    let kind = random.pick(&["s", "i", "f", "l", "d", "b", "a", "a"]);
    typed(random, kind, depth)
}

/// Numbers with a fraction, in all the ways that Go writes constants.
const FRACTIONS: &[&str] = &[
    "0.5",
    "1.5",
    "-2.25",
    "3.14159",
    "1e3",
    "100",
    "0.1",
    "1e21",
    "1e-7",
    "0.0",
    "2.5e10",
    "0x.8p1",
    "-0X1_0P-2",
    "9.1e18",
    "-9223372036854775808.0",
    "9223372036854775808.0",
    "0x1p63",
    "1_0.5e1_0",
];

fn typed(random: &mut Random, kind: &str, depth: usize) -> String {
    if random.one_in(200) {
        return random.pick(PATHS).to_owned();
    }
    if depth > 0 && kind != "S" && random.one_in(6) {
        let wanted = Some(kind).filter(|kind| "silfdbt".contains(kind));
        return format!("({})", call(random, depth - 1, wanted).0);
    }
    let quoted = |text: &str| format!("\"{text}\"");
    match kind.get(..1).unwrap_or("a") {
        "s" if random.one_in(10) => quoted(&random.text(STRANGE, 3).replace(['\0', '\u{b}', '"', '\\'], "")),
        "s" if random.one_in(6) => {
            random.pick(&["$.Values.cluster", "$.AutomationObject.Name", "(toString .)"]).to_owned()
        }
        // A character that is cut in two is a difference that is known.
        "s" | "S" => quoted(random.pick(TEXTS)),
        "r" | "j" | "D" if random.one_in(12) => {
            let bad = BAD.iter().find(|(own, _)| *own == kind).map_or(&[""][..], |(_, bad)| bad);
            quoted(random.pick(bad))
        }
        "r" => quoted(random.pick(PATTERNS)),
        "u" if random.one_in(4) => quoted(random.pick(BAD_URLS)),
        "u" => quoted(random.pick(URLS)),
        "v" => quoted(random.pick(VERSIONS)),
        "w" if random.one_in(40) => quoted(random.pick(VERSIONS)),
        "w" => quoted(random.pick(PLAIN_VERSIONS)),
        // What they stand for is text: other bytes are a difference that is known.
        "B" => quoted(
            random.pick(&["YWJj", "w6k=", "YQ==", "YQ", "Y!", "MFRGG===", "MFRGG", "a", "", "ME======"]),
        ),
        "R" => quoted(random.pick(PARTS)),
        "L" => quoted(random.pick(LAYOUTS)),
        "T" => quoted(random.pick(DATES)),
        "D" => quoted(random.pick(DURATIONS)),
        "t" => date(random),
        "m" => {
            let call = random.pick(NUMBERS_OF_DATES);
            filled(random, call, 0)
        }
        "p" => quoted(&random.several(1, 2, |random| random.pick(FORMATS)).concat()),
        "j" => quoted(random.pick(DOCUMENTS)),
        // Behind the end of a slice Go shows what its room happens to hold.
        "n" => {
            random.pick(&["0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1"]).to_owned()
        }
        "i" => random
            .pick(&[
                "0", "1", "2", "3", "5", "7", "1", "2", "-1", "-3", "10", "20", "0x10", "'a'", "1.0", "1e1",
                "0x1p1",
            ])
            .to_owned(),
        "c" if random.one_in(12) => random.pick(&["-1", "-3", "0"]).to_owned(),
        "c" => random.pick(&["1", "2", "3", "4", "7"]).to_owned(),
        "z" if random.one_in(12) => typed(random, "a", 0),
        "z" => random.pick(&["1", "2", "-3", "7", "0.5", "1e3"]).to_owned(),
        "f" => random.pick(FRACTIONS).to_owned(),
        "b" if random.one_in(30) => "1".to_owned(),
        "b" => random.pick(&["true", "false", "(eq 1 1)"]).to_owned(),
        "l" if random.one_in(40) => "\"abc\"".to_owned(),
        "l" => random
            .pick(&[
                "(list 1 2 3)",
                "(list)",
                "(list \"b\" \"a\" \"b\")",
                "(list 1 \"a\" nil 2.5 true)",
                "(splitList \",\" \"a,b,c\")",
                "$.Changed.Changes",
                "(until 4)",
                "(list (list 1) (dict \"a\" 1))",
                "(tuple \"x\" \"\")",
                "(fromJson \"[1,2,[3]]\")",
                "(chunk 2 (list 1 2 3))",
            ])
            .to_owned(),
        "d" if random.one_in(60) => random.pick(&[".Values", "(split \",\" \"a,b\")"]).to_owned(),
        "d" => random
            .pick(&[
                "(dict)",
                "(dict \"a\" 1)",
                "(dict \"a\" (dict \"b\" 2) \"c\" \"d\")",
                "(fromJson \"{\\\"a\\\":[1]}\")",
                // One value each that cannot be merged with every other: which of two is met first is chance in Go.
                "(dict \"v\" $.Values \"c\" 1)",
                "(dict \"c\" $.AutomationObject)",
                "(dict \"v\" (dict \"cluster\" 1) \"c\" (list))",
                "(dict \"w\" \"\" \"c\" \"\")",
                "(dict \"c\" (semver \"1.2.3\"))",
                "(dict \"x\" nil \"a\" \"\")",
                "(dict \"b\" true \"a\" 1.5)",
            ])
            .to_owned(),
        "e" => anything(random, &["s", "i", "f", "b", "l", "d", "s", "i", "m"], depth),
        _ => anything(random, &["s", "i", "f", "b", "l", "d", "s", "i", "s", "i", "t", "m"], depth),
    }
}

fn anything(random: &mut Random, kinds: &[&str], depth: usize) -> String {
    let kind = random.pick(kinds);
    typed(random, kind, depth.saturating_sub(1))
}

/// A date; one in four does not go by its layout.
fn date(random: &mut Random) -> String {
    if random.one_in(4) {
        let (layout, text) = (random.pick(LAYOUTS), random.pick(DATES));
        let text =
            if random.one_in(3) { random.mutated(text, "0123456789:-+., zTZé") } else { text.to_owned() };
        return format!(
            "({} \"{layout}\" \"{text}\")",
            if random.one_in(8) { "mustToDate" } else { "toDate" }
        );
    }
    let (layout, text) = *pick_row(
        random,
        &[
            ("2006-01-02", "2024-02-29"),
            ("2006-01-02", "1969-12-31"),
            ("2006-01-02T15:04:05Z07:00", "2024-02-29T23:59:59.123456789+02:00"),
            ("2006-01-02T15:04:05Z07:00", "2024-06-01T01:02:03Z"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "Thu, 29 Feb 2024 10:11:12 CEST"),
            ("2006-01-02 15:04:05 -0700", "1999-12-31 23:59:59.9 -0130"),
            ("20060102150405", "20240229101112"),
        ],
    );
    format!("(toDate \"{layout}\" \"{text}\")")
}

fn pick_row<'t, T>(random: &mut Random, rows: &'t [T]) -> &'t T {
    &rows[random.below(rows.len())]
}
