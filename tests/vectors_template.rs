//! Commit message templates against what the controller's own template code, and Go's with sprig, answered.

use std::collections::BTreeSet;

use serde::Deserialize;
use supercargo::domain::template::{MessageData, Rendered, render};

#[derive(Deserialize)]
struct Vector {
    name: String,
    template: String,
    data: MessageData,
    expected_message: Option<String>,
    expected_error: Option<String>,
    #[serde(default)]
    nondeterministic: bool,
    legacy: Option<String>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/commit_templates.json")).unwrap_or_default()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

fn differs(vector: &Vector, rendered: &Rendered) -> bool {
    if vector.legacy.is_some() {
        return !rendered.removed_field
            || rendered.error.is_none()
            || rendered.message != vector.expected_message;
    }
    if rendered.removed_field {
        return rendered.error != vector.expected_error;
    }
    match (&rendered.message, &vector.expected_message) {
        (Some(ours), Some(theirs)) if vector.nondeterministic => words(ours) != words(theirs),
        (ours, theirs) => ours != theirs || rendered.error != vector.expected_error,
    }
}

#[test]
fn every_template_renders_as_the_controller_renders_it() {
    let vectors = vectors();
    assert!(vectors.len() >= 51);
    let wrong: Vec<String> = vectors
        .iter()
        .map(|vector| (vector, render(&vector.template, &vector.data)))
        .filter(|(vector, rendered)| differs(vector, rendered))
        .map(|(vector, rendered)| {
            format!(
                "{}: {rendered:?}\n  wanted {:?} {:?}",
                vector.name, vector.expected_message, vector.expected_error
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_changes_is_by_file_and_object() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector.name == "changes-order-random-across-objects").unwrap();
    let message = render(&vector.template, &vector.data).message.unwrap();
    assert_eq!(message, "c:2 d:2 b:2 a:2 e:2 ");
}

#[derive(Deserialize)]
struct Observed {
    data: MessageData,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    message: Option<String>,
    error: Option<String>,
}

#[test]
fn language_functions_and_error_texts_are_those_of_go() {
    let observed: Observed = serde_json::from_str(include_str!("vectors/go_templates.json")).unwrap();
    let wrong: Vec<String> = observed
        .cases
        .iter()
        .map(|case| (case, render(&case.template, &observed.data)))
        .filter(|(case, rendered)| rendered.message != case.message || rendered.error != case.error)
        .map(|(case, rendered)| {
            format!("{}\n  {rendered:?}\n  wanted {:?} {:?}", case.template, case.message, case.error)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs on a thread with the stack that runtimes give their workers.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn render_on_a_small_stack(template: String) -> Rendered {
    let data = vectors().swap_remove(0).data;
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(move || render(&template, &data)).unwrap().join().unwrap()
}

#[test]
fn runaway_templates_end_in_an_error() {
    for template in [
        r#"{{define "x"}}{{template "x"}}{{end}}{{template "x"}}"#.to_owned(),
        "{{range until 100000}}{{range until 100000}}{{range 1000000000}}x{{end}}{{end}}{{end}}".to_owned(),
        "{{range 100000000000}}{{end}}".to_owned(),
        r#"{{$x := "aaaaaaaaaaaaaaaa"}}{{range 100}}{{$x = print $x $x}}{{end}}{{$x}}"#.to_owned(),
        "{{$x := list 1}}{{range 100}}{{$x = list $x $x}}{{end}}{{$x}}".to_owned(),
        "{{$x := list 1}}{{range 100}}{{$x = list $x $x}}{{end}}{{toJson $x | len}}{{deepEqual $x (list 1)}}{{fail \"\"}}".to_owned(),
        r#"{{$d := dict}}{{$_ := set $d "a" $d}}{{$d}}"#.to_owned(),
        r#"{{repeat 1000000000 "x"}}"#.to_owned(),
        r#"{{printf "%999999d %999999d" 1 1}}"#.to_owned(),
        r#"{{indent 1000000000 "x"}}"#.to_owned(),
        "{{until 1000000000}}".to_owned(),
        "{{if true}}".repeat(5000),
        format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000)),
        format!("{}{}", "{{if true}}".repeat(95), "{{template \"x\"}}"),
    ] {
        let start: String = template.chars().take(60).collect();
        let rendered = render_on_a_small_stack(template);
        assert!(rendered.error.is_some() && rendered.message.is_none(), "{start}: {rendered:?}");
    }
}

#[test]
fn deep_but_sane_templates_render() {
    let template = format!("{}deep{}", "{{if true}}".repeat(90), "{{end}}".repeat(90));
    assert_eq!(render_on_a_small_stack(template).message.as_deref(), Some("deep"));
}

proptest::proptest! {
    #[test]
    fn no_template_panics(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..14)) {
        let data = vectors().swap_remove(0).data;
        let rendered = render(&pieces.concat(), &data);
        proptest::prop_assert!(rendered.message.is_some() || rendered.error.is_some());
    }

    #[test]
    fn no_text_panics(template in "\\PC{0,40}|[-{}$.a-z0-9 \"`|()=:,\\\\/*']{0,60}") {
        let data = vectors().swap_remove(0).data;
        let rendered = render(&template, &data);
        proptest::prop_assert!(rendered.message.is_some() || rendered.error.is_some());
    }
}

const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "if ",
    "range ",
    "with ",
    "else ",
    "end",
    "define \"x\"",
    "template \"x\" ",
    "block \"x\" ",
    ".",
    ".Changed",
    ".Changed.Changes ",
    ".Values",
    "$",
    "$x := ",
    "$i, $x := ",
    "(",
    ")",
    " | ",
    "1 ",
    "-2.5 ",
    "\"é\" ",
    "nil ",
    "true ",
    "index ",
    "slice ",
    "printf \"%5.2v%q%d\" ",
    "trunc ",
    "substr ",
    "split ",
    "dict ",
    "set ",
    "list ",
    "first ",
    "toJson ",
    "regexReplaceAll \"(\" ",
    "'a' ",
    "break",
    "continue",
    "/* c */",
    "x",
    "\n",
    "repeat ",
    "indent ",
    "chunk ",
    "len ",
];
