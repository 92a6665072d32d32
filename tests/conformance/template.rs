//! Commit message templates against what the controller's own template code, and Go's with sprig, answered.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use supercargo::domain::template::{MessageData, Rendered, render};

use crate::{ask, read, same, text};

pub(crate) fn commit_template(case: &Value, _: &Value) -> Result<(), String> {
    let answer = ask(&json!({ "op": "template", "template": case["template"], "data": case["data"] }));
    let is_removed = answer["removed_field"] == true;
    if !case["legacy"].is_null() {
        same("refused", &(is_removed, answer["error"].is_null()), &(true, false))?;
        return same("message", &answer["message"], &case["expected_message"]);
    }
    same("error", &answer["error"], &case["expected_error"])?;
    if is_removed {
        return Ok(());
    }
    if case["nondeterministic"] == true {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        return same("words", &words(text(&answer, "message")), &words(text(case, "expected_message")));
    }
    same("message", &answer["message"], &case["expected_message"])
}

pub(crate) fn go_template(case: &Value, file: &Value) -> Result<(), String> {
    let answer = ask(&json!({ "op": "template", "template": case["template"], "data": file["data"] }));
    same("error", &answer["error"], &case["error"])?;
    same("message", &answer["message"], &case["message"])
}

/// The data of the first case.
fn data() -> MessageData {
    serde_json::from_value(read("commit_templates")[0]["data"].take()).unwrap()
}

#[test]
fn the_order_of_changes_is_by_file_and_object() {
    let vectors = read("commit_templates");
    let of = |case: &&Value| case["name"] == "changes-order-random-across-objects";
    let case = vectors.as_array().unwrap().iter().find(of).unwrap();
    let data = serde_json::from_value(case["data"].clone()).unwrap();
    assert_eq!(render(text(case, "template"), &data).message.unwrap(), "c:2 d:2 b:2 a:2 e:2 ");
}

/// Runs on a thread with the stack that runtimes give their workers.
fn render_on_a_small_stack(template: String) -> Rendered {
    let data = data();
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
        r#"{{range until 100000}}{{$_ := regexMatch "(\\pL{1000})" "a"}}{{end}}"#.to_owned(),
        r#"{{$x := repeat 50000 "a"}}{{range until 100000}}{{$_ := regexFind "(a|aa)+b" $x}}{{end}}"#.to_owned(),
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
fn what_a_method_gathers_is_gathered_once() {
    let mut data = data();
    let (file, mut objects) = data.file_changes.pop_first().unwrap();
    let change = objects[0].changes[0].clone();
    objects[0].changes = vec![change; 20_000];
    data.file_changes.insert(file, objects);
    for (template, message) in [
        (
            "{{range until 50000}}{{with $.Changed.Changes}}{{end}}{{if $.Changed.Objects}}{{end}}{{end}}done",
            "done",
        ),
        ("{{$a := .Changed.Changes}}{{deepEqual $a .Changed.Changes}}", "true"),
    ] {
        assert_eq!(render(template, &data).message.as_deref(), Some(message));
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
        let data = data();
        let rendered = render(&pieces.concat(), &data);
        proptest::prop_assert!(rendered.message.is_some() || rendered.error.is_some());
    }

    #[test]
    fn no_text_panics(template in "\\PC{0,40}|[-{}$.a-z0-9 \"`|()=:,\\\\/*']{0,60}") {
        let data = data();
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
