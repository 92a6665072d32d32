//! Message templates: calls of every function with arguments of nearly the right kinds, control structures around them,
//! and broken syntax.

use serde_json::{Value, json};

use super::{Random, STRANGE};

/// Letters of a signature: `s` text, `i` whole number, `f` number, `l` list, `d` dictionary, `b` truth, `a` anything,
/// `r` pattern, `j` JSON, `v` version, `*` any number of what follows.
const FUNCTIONS: &[(&str, &str)] = &[
    ("abbrev", "is"),
    ("abbrevboth", "iis"),
    ("trunc", "is"),
    ("trim", "s"),
    ("upper", "s"),
    ("lower", "s"),
    ("title", "s"),
    ("untitle", "s"),
    ("substr", "iis"),
    ("repeat", "is"),
    ("trimall", "ss"),
    ("trimAll", "ss"),
    ("trimSuffix", "ss"),
    ("trimPrefix", "ss"),
    ("nospace", "s"),
    ("initials", "s"),
    ("swapcase", "s"),
    ("snakecase", "s"),
    ("camelcase", "s"),
    ("kebabcase", "s"),
    ("wrap", "is"),
    ("wrapWith", "iss"),
    ("contains", "ss"),
    ("hasPrefix", "ss"),
    ("hasSuffix", "ss"),
    ("quote", "*a"),
    ("squote", "*a"),
    ("cat", "*a"),
    ("indent", "is"),
    ("nindent", "is"),
    ("replace", "sss"),
    ("plural", "ssi"),
    ("sha1sum", "s"),
    ("sha256sum", "s"),
    ("sha512sum", "s"),
    ("adler32sum", "s"),
    ("toString", "a"),
    ("atoi", "s"),
    ("int64", "a"),
    ("int", "a"),
    ("float64", "a"),
    ("seq", "*i"),
    ("toDecimal", "a"),
    ("split", "ss"),
    ("splitList", "ss"),
    ("splitn", "sis"),
    ("toStrings", "l"),
    ("until", "i"),
    ("untilStep", "iii"),
    ("add1", "a"),
    ("add", "*a"),
    ("sub", "aa"),
    ("div", "aa"),
    ("mod", "aa"),
    ("mul", "a*a"),
    ("add1f", "a"),
    ("addf", "*a"),
    ("subf", "a*a"),
    ("divf", "a*a"),
    ("mulf", "a*a"),
    ("biggest", "a*a"),
    ("max", "a*a"),
    ("min", "a*a"),
    ("maxf", "a*a"),
    ("minf", "a*a"),
    ("ceil", "a"),
    ("floor", "a"),
    ("round", "ai"),
    ("join", "sl"),
    ("sortAlpha", "l"),
    ("default", "a*a"),
    ("empty", "a"),
    ("coalesce", "*a"),
    ("all", "*a"),
    ("any", "*a"),
    ("compact", "l"),
    ("mustCompact", "l"),
    ("fromJson", "j"),
    ("toJson", "a"),
    ("toPrettyJson", "a"),
    ("toRawJson", "a"),
    ("mustFromJson", "j"),
    ("mustToJson", "a"),
    ("mustToPrettyJson", "a"),
    ("mustToRawJson", "a"),
    ("ternary", "aab"),
    ("deepCopy", "a"),
    ("mustDeepCopy", "a"),
    ("typeOf", "a"),
    ("typeIs", "sa"),
    ("typeIsLike", "sa"),
    ("kindOf", "a"),
    ("kindIs", "sa"),
    ("deepEqual", "aa"),
    ("base", "s"),
    ("dir", "s"),
    ("clean", "s"),
    ("ext", "s"),
    ("isAbs", "s"),
    ("osBase", "s"),
    ("osClean", "s"),
    ("osDir", "s"),
    ("osExt", "s"),
    ("osIsAbs", "s"),
    ("b64enc", "s"),
    ("b64dec", "s"),
    ("b32enc", "s"),
    ("b32dec", "s"),
    ("tuple", "*a"),
    ("list", "*a"),
    ("dict", "sasa"),
    ("get", "ds"),
    ("set", "dsa"),
    ("unset", "ds"),
    ("hasKey", "ds"),
    ("pluck", "s*d"),
    ("pick", "d*s"),
    ("omit", "d*s"),
    ("merge", "d*d"),
    ("mergeOverwrite", "d*d"),
    ("mustMerge", "d*d"),
    ("mustMergeOverwrite", "d*d"),
    ("append", "la"),
    ("push", "la"),
    ("mustAppend", "la"),
    ("mustPush", "la"),
    ("prepend", "la"),
    ("mustPrepend", "la"),
    ("first", "l"),
    ("mustFirst", "l"),
    ("rest", "l"),
    ("mustRest", "l"),
    ("last", "l"),
    ("mustLast", "l"),
    ("initial", "l"),
    ("mustInitial", "l"),
    ("reverse", "l"),
    ("mustReverse", "l"),
    ("uniq", "l"),
    ("mustUniq", "l"),
    ("without", "l*a"),
    ("mustWithout", "l*a"),
    ("has", "al"),
    ("mustHas", "al"),
    ("slice", "l*n"),
    ("mustSlice", "l*n"),
    ("concat", "*l"),
    ("dig", "sad"),
    ("chunk", "il"),
    ("mustChunk", "il"),
    ("hello", ""),
    ("semverCompare", "vv"),
    ("semver", "v"),
    ("urlParse", "u"),
    ("urlJoin", "d"),
    ("fail", "s"),
    ("regexMatch", "rs"),
    ("mustRegexMatch", "rs"),
    ("regexFindAll", "rsi"),
    ("mustRegexFindAll", "rsi"),
    ("regexFind", "rs"),
    ("mustRegexFind", "rs"),
    ("regexReplaceAll", "rss"),
    ("mustRegexReplaceAll", "rss"),
    ("regexReplaceAllLiteral", "rss"),
    ("mustRegexReplaceAllLiteral", "rss"),
    ("regexSplit", "rsi"),
    ("mustRegexSplit", "rsi"),
    ("regexQuoteMeta", "s"),
    ("duration", "a"),
    ("durationRound", "a"),
    ("and", "a*a"),
    ("or", "a*a"),
    ("not", "a"),
    ("len", "a"),
    ("index", "a*a"),
    ("print", "*a"),
    ("println", "*a"),
    ("printf", "p*a"),
    ("html", "*a"),
    ("js", "*a"),
    ("urlquery", "*a"),
    ("call", "a*a"),
    ("eq", "a*a"),
    ("ne", "aa"),
    ("lt", "aa"),
    ("le", "aa"),
    ("gt", "aa"),
    ("ge", "aa"),
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "abc",
    "A b-c_D",
    "HTTPServer20x",
    "one two  three",
    "v1.2.3",
    "1",
    "-7",
    "007",
    "0x1F",
    "1.5",
    "1e3",
    "/a/../b.c",
    "a.tar.gz",
    "a,b,,c",
    "YWJj",
    "MFRGG===",
    "a\\nb",
    "<&>",
    "$1",
    "10",
    "true",
    "%d",
    "x y z",
    "foo",
    " pad ",
];
const VERSIONS: &[&str] =
    &["1.2.3", "v1", "^1.2", ">=1 <2", "1.2.3-rc.1", "2.0.0+x", "x", "", "1.x || 3", "~1-0"];
const URLS: &[&str] = &[
    "http://u:p@h:80/a?b#c",
    "https://h",
    "mailto:a@b",
    "/p/q?x=1",
    "",
    "*",
    "//h/p",
    "http://h:x/",
    ":a",
    "1:a",
    "a:b",
    "http://[::1]:8/p",
    "http://[::1",
    "/%zz",
    "http://a b/",
    "HTTP://H/%41%2f",
    "http://é/é",
    "?q",
    "#f%20",
    "http://u%40@h",
    "///p",
    "a/b:c",
    "http://h:1:2/",
];
const PATTERNS: &[&str] =
    &["a", "[a-c]+", "(a)(b)?", "^", "$", "", "x*", "\\\\d+", "(", "a**", "\\\\s", "(?P<n>b)", ".", "é|a"];
const FORMATS: &[&str] = &[
    "%v",
    "%s",
    "%d",
    "%q",
    "%5d",
    "%-5s|",
    "%05d",
    "%x",
    "%X",
    "%t",
    "%c",
    "%U",
    "%e",
    "%f",
    "%.2f",
    "%g",
    "%G",
    "%b",
    "%o",
    "%O",
    "%+v",
    "%#v",
    "%T",
    "%p",
    "%%",
    "%",
    "%!",
    "%z",
    "%[2]d %[1]d",
    "%[5]d",
    "%*d",
    "%.*f",
    "%6.2f",
    "% d",
    "% x",
    "%#x",
    "%+d",
    "%+q",
    "%#q",
    "%#U",
    "%s %s",
    "%d %d",
    "%10.3v",
    "%-10q|",
    "%08.3f",
    "%[1]*d",
    "%.3s",
    "%.0f",
    "%6v",
    "%w",
];
const DOCUMENTS: &[&str] = &[
    "{\\\"a\\\":1}",
    "[1,2.5,\\\"x\\\"]",
    "null",
    "{",
    "\\\"s\\\"",
    "{\\\"a\\\":{\\\"b\\\":[true]}}",
    "",
    "[]]",
    "12345678901234567890",
];
const PATHS: &[&str] = &[
    ".",
    "$",
    ".Values",
    ".Values.cluster",
    ".Values.none",
    ".Changed",
    ".Changed.Changes",
    ".Changed.Objects",
    ".Changed.FileChanges",
    ".AutomationObject",
    ".AutomationObject.Name",
    ".Nope",
    ".Values.cluster.x",
    "$.Values.n",
    ".Changed.Changes.Nope",
    ".AutomationObject.Name.x",
    "$x",
    "$y",
    "true",
    "false",
];
const BROKEN: &[&str] = &[
    "{{",
    "}}",
    "{{end}}",
    "{{else}}",
    "{{if}}",
    "{{range}}",
    "{{.}",
    "{{ \"",
    "{{ ` }}",
    "{{'ab'}}",
    "{{1a}}",
    "{{nope}}",
    "{{$u}}",
    "{{break}}",
    "{{continue}}",
    "{{template \"x\"}}",
    "{{define \"x\"}}d{{end}}",
    "{{block \"x\" .}}b{{end}}",
    "{{/* c */}}",
    "{{- /* c */ -}}",
    "{{/*}}",
    "{{.Values.}}",
    "{{..}}",
    "{{(}}",
    "{{)}}",
    "{{|}}",
    "{{1 | 2}}",
    "{{nil}}",
    "{{$x := }}",
    "{{,}}",
    "{{\"a\" \"b\"}}",
    "{{@}}",
    "{{.a-b}}",
    "{{else if}}",
    "{{with $z := 1}}{{$z}}{{end}}",
    "{{1_000}}",
    "{{0b11}}",
    "{{'\\\\x41'}}",
];

/// What stands between and around pipelines; each `%` and its letter is a hole: `n` more of this, `p` a pipeline, `o` an
/// operand, `c`, `k`, `m` names of members, `b` something broken, else a value of that kind.
const SHAPES: &[&str] = &[
    "{{if %p}}%n{{else}}%n{{end}}",
    "{{if %o}}%n{{else if %o}}%n{{end}}",
    "{{with %p}}%n{{else with %p}}%n{{end}}",
    "{{range %p}}%n{{else}}none{{end}}",
    "{{range $x, $y := %l}}{{$x}}={{$y}};%n{{end}}",
    "{{range $x, $y := %d}}{{$x}}={{$y}};%n{{end}}",
    "{{range $y := %l}}{{$y}}%n{{break}}{{end}}",
    "{{$x := %p}}%n{{$x}}",
    "{{range $i, $c := .Changed.Changes}}{{$i}}{{$c.%c}}%n{{end}}",
    "{{range $o, $l := .Changed.Objects}}{{$o.%k}}{{len $l}}{{end}}",
    "{{range $f, $_ := .Changed.FileChanges}}{{$f}}{{range .}}{{.}}{{end}}{{end}}",
    "{{range %i}}{{.}}{{if %o}}{{continue}}{{end}};{{end}}",
    "%b",
    "a {{- %p -}} b",
    "{{define \"t\"}}%n{{end}}{{template \"t\" %o}}",
    "{{block \"u\" %o}}{{.}}{{end}}",
    "{{$x := 1}}{{$x = %p}}{{$x}}",
    "{{$x := 1}}{{range $x = %l}}{{$x}}{{end}}{{$x}}",
    "é\n",
    "{{(semver %v).%m}}",
    "{{(semver %v).%m (semver %v)}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
    "{{%p}}",
];
const CHANGE: &[&str] = &["OldValue", "NewValue", "Setter", "None"];
const OBJECT: &[&str] = &["Kind", "Name", "APIVersion", "Namespace", "NameMeta", "None"];
const METHODS: &[&str] = &[
    "Major",
    "Minor",
    "Patch",
    "Prerelease",
    "Metadata",
    "Original",
    "String",
    "IncMajor",
    "IncMinor",
    "IncPatch",
    "None",
    "major",
    "Compare",
    "Equal",
    "LessThan",
    "GreaterThan",
    "LessThanEqual",
    "GreaterThanEqual",
];

/// `op` `template`, its template and data.
pub fn request(random: &mut Random) -> Value {
    let pieces = random.several(1, 3, |random| node(random, 2));
    let mut template = pieces.concat();
    if random.one_in(12) {
        template = random.mutated(&template, "{}().$|\"`'-:= \n,é%\\0a");
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
    let values = json!({ "cluster": text(random), "n": "3" });
    let automation = json!({ "namespace": "flux-system", "name": text(random) });
    let data = json!({ "automation_object": automation, "values": values, "file_changes": files });
    json!({ "op": "template", "template": template, "data": data })
}

fn node(random: &mut Random, depth: usize) -> String {
    let shape = if depth == 0 { "{{%p}}" } else { random.pick(SHAPES) };
    let mut parts = shape.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hole, rest) = part.split_at(1);
        text += &match hole {
            "n" => node(random, depth - 1),
            "p" => pipe(random, 2),
            "o" => operand(random, 1),
            "c" => random.pick(CHANGE).to_owned(),
            "k" => random.pick(OBJECT).to_owned(),
            "m" => random.pick(METHODS).to_owned(),
            "b" => random.pick(BROKEN).to_owned(),
            kind => typed(random, kind, 1),
        };
        text += rest;
    }
    text
}

fn pipe(random: &mut Random, depth: usize) -> String {
    let mut text = call(random, depth);
    while random.one_in(5) {
        let (name, signature) = FUNCTIONS[random.below(FUNCTIONS.len())];
        let mut args = arguments(random, signature, 1);
        args.pop();
        args.insert(0, name.to_owned());
        text = format!("{text} | {}", args.join(" "));
    }
    text
}

fn call(random: &mut Random, depth: usize) -> String {
    if random.one_in(8) {
        return operand(random, depth);
    }
    let (name, signature) = FUNCTIONS[random.below(FUNCTIONS.len())];
    let mut args = arguments(random, signature, depth);
    match random.below(60) {
        0 => drop(args.pop()),
        1 => args.push(operand(random, 0)),
        _ => {}
    }
    args.insert(0, name.to_owned());
    args.join(" ")
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

fn typed(random: &mut Random, kind: &str, depth: usize) -> String {
    if random.one_in(40) {
        return random.pick(PATHS).to_owned();
    }
    if depth > 0 && random.one_in(6) {
        return format!("({})", call(random, depth - 1));
    }
    let quoted = |text: &str| format!("\"{text}\"");
    match kind.get(..1).unwrap_or("a") {
        "s" if random.one_in(10) => quoted(&random.text(STRANGE, 3).replace(['\0', '\u{b}', '"', '\\'], "")),
        "s" if random.one_in(6) => {
            random.pick(&[".Values.cluster", ".AutomationObject.Name", "(toString .)"]).to_owned()
        }
        "s" => quoted(random.pick(TEXTS)),
        "r" => quoted(random.pick(PATTERNS)),
        "u" => quoted(random.pick(URLS)),
        "v" => quoted(random.pick(VERSIONS)),
        "p" => quoted(&random.several(1, 2, |random| random.pick(FORMATS)).concat()),
        "j" => quoted(random.pick(DOCUMENTS)),
        // Behind the end of a slice Go shows what its room happens to hold.
        "n" => {
            random.pick(&["0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1"]).to_owned()
        }
        "i" => random
            .pick(&["0", "1", "2", "3", "5", "7", "-1", "-3", "10", "20", "0x10", "'a'", "1.0", "1e1"])
            .to_owned(),
        "f" => random
            .pick(&["0.5", "1.5", "-2.25", "3.14159", "1e3", "100", "0.1", "1e21", "1e-7", "0.0", "2.5e10"])
            .to_owned(),
        "b" => random.pick(&["true", "false", "true", "(eq 1 1)", "1"]).to_owned(),
        "l" => random
            .pick(&[
                "(list 1 2 3)",
                "(list)",
                "(list \"b\" \"a\" \"b\")",
                "(list 1 \"a\" nil 2.5 true)",
                "(splitList \",\" \"a,b,c\")",
                ".Changed.Changes",
                "(until 4)",
                "(list (list 1) (dict \"a\" 1))",
                "(tuple \"x\" \"\")",
                "(fromJson \"[1,2,[3]]\")",
                "(chunk 2 (list 1 2 3))",
                "\"abc\"",
            ])
            .to_owned(),
        "d" => random
            .pick(&[
                "(dict)",
                "(dict \"a\" 1)",
                "(dict \"a\" (dict \"b\" 2) \"c\" \"d\")",
                "(fromJson \"{\\\"a\\\":[1]}\")",
                ".Values",
                "(split \",\" \"a,b\")",
                "(dict \"x\" nil \"a\" \"\")",
                "(dict \"b\" true \"a\" 1.5)",
            ])
            .to_owned(),
        _ => {
            let kind = random.pick(&["s", "i", "f", "b", "l", "d", "s", "i"]);
            typed(random, kind, depth.saturating_sub(1))
        }
    }
}
