//! Our answers against those of the Go libraries that Flux stands on, on requests made up at random.

mod support {
    pub mod generate;
    pub mod programs;
    pub mod reference;
    pub mod set;
}

use serde_json::{Value, json};
use supercargo::domain::reference::ImageName;
use support::{generate, reference, set};

#[test]
fn ranges_and_versions_are_those_of_masterminds() {
    reference::compare("semver", generate::semver::request);
}

#[test]
fn patterns_are_those_of_go() {
    reference::compare("regex", generate::regex::request);
}

#[test]
fn an_answer_that_is_missing_is_neither_a_difference_nor_agreement() {
    let ended = json!({"lost": "the worker ended: signal: killed: "});
    let too_big = json!({"too_big": "10s of processor time"});
    for (op, theirs, why) in [
        ("regex", &ended, Some("the reference gives none: the worker ended: signal: killed: ")),
        ("template", &ended, Some("the reference gives none: the worker ended: signal: killed: ")),
        ("regex", &too_big, Some("the reference gives none: 10s of processor time")),
        ("template", &too_big, None),
        ("regex", &json!({"error": "error parsing regexp"}), None),
    ] {
        assert_eq!(reference::missing(op, theirs).as_deref(), why, "{op} {theirs}");
    }
}

#[test]
fn policies_select_what_flux_selects() {
    reference::compare("policy", generate::policy::request);
}

#[test]
fn the_reference_rewrites_every_observed_case_as_flux_did() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("conformance/setters_cases.json")).unwrap();
    let requests = cases.iter().map(|case| {
        let mut request = case.clone();
        request["op"] = "set-flux".into();
        for policy in request["policies"].as_array_mut().into_iter().flatten() {
            // Without an image a policy has no latest reference, whatever its tag.
            if policy["image"].is_null() {
                policy["tag"] = "".into();
            }
        }
        request
    });
    let Some(answers) = reference::answers(requests.collect()) else { return };
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(answers) {
        let name = &case["name"];
        assert_eq!(answer["error"], case["expected_error"], "{name}");
        assert_eq!(answer["files"], case["expected"], "{name}");
        assert_eq!(answer["updates"], case["expected_updates"], "{name}");
        assert_eq!(answer["problem_files"], case["problem_files"], "{name}");
    }
}

#[test]
fn marked_scalars_are_set_as_flux_sets_them() {
    let request = |random: &mut generate::Random| set::asked_of_flux(generate::set::request(random));
    reference::compare_by("set", request, set::difference);
}

#[test]
fn a_document_that_flux_loses_is_kept_on_purpose() {
    let lost = "---\nkind: A\nmetadata: !!null {name: x}\n";
    let file = format!("image: o/web:1 # {{\"$imagepolicy\": \"apps:web\"}}\n{lost}");
    let policy = json!({"namespace": "apps", "name": "web", "image": "o/web", "tag": "2"});
    let asked = set::asked_of_flux(
        json!({"op": "set", "policies": [policy], "files": {"a.yaml": file}, "symlinks": {}, "update_path": ""}),
    );
    let Some(answers) = reference::answers(vec![asked.clone()]) else { return };
    assert_eq!(answers[0]["files"]["a.yaml"], "image: o/web:2 # {\"$imagepolicy\": \"apps:web\"}\n");
    assert!(set::answer(&asked)["files"]["a.yaml"].as_str().unwrap().ends_with(lost));
    assert_eq!(set::difference(&asked, &answers[0]), None);
}

#[test]
fn a_comment_that_flux_takes_into_a_literal_block_stays_outside() {
    for block in [
        "note: !!seq # kept\n  - |# {\"$imagepolicy\": \"\"}\n    ---\n    text\n",
        // Flux writes a plain text of several lines as a literal block too.
        "note: ! # kept\n  - of\n\n    several lines # {\"$imagepolicy\": \"apps:web:tag\"}\n",
    ] {
        let file = format!("{block}image: o/web:1 # {{\"$imagepolicy\": \"apps:web\"}}\n");
        let policy = json!({"namespace": "apps", "name": "web", "image": "o/web", "tag": "2"});
        let asked = set::asked_of_flux(json!({
            "op": "set", "policies": [policy], "files": {"a.yaml": file}, "symlinks": {}, "update_path": ""
        }));
        assert!(set::answer(&asked)["files"]["a.yaml"].as_str().unwrap().starts_with(block));
        let Some(answers) = reference::answers(vec![asked.clone()]) else { continue };
        assert_ne!(answers[0]["data"], answers[0]["other_data"], "{block}");
        assert_eq!(set::difference(&asked, &answers[0]), None, "{block}");
    }
}

#[test]
fn a_tag_that_makes_a_value_something_else_than_text_goes_with_the_value() {
    for (old, tag, new) in [
        ("!!int 5", "007", "\"007\""),
        ("!!float   5", "1.5", "\"1.5\""),
        ("!!bool 'true'", "on", "'on'"),
        ("!<tag:yaml.org,2002:int> \"5\"", "v1", "\"v1\""),
        ("!!seq latest", "1e-5", "\"1e-5\""),
        ("!!timestamp >+", "007", ">-"),
        ("!!str 5", "007", "!!str \"007\""),
        ("!own 5", "v1", "!own v1"),
    ] {
        let below = |text: &str| if old.ends_with('+') { format!("  {text}\n") } else { String::new() };
        let file = |value: &str| {
            let marked = format!("a: {value} # {{\"$imagepolicy\": \"apps:web:tag\"}}\n");
            marked + &below(if value == old { "5" } else { tag })
        };
        let policy = json!({"namespace": "apps", "name": "web", "image": "o/web", "tag": tag});
        let asked = set::asked_of_flux(json!({
            "op": "set", "policies": [policy], "files": {"a.yaml": file(old)}, "symlinks": {}, "update_path": ""
        }));
        assert_eq!(set::answer(&asked)["files"]["a.yaml"], file(new), "{old}");
        let Some(answers) = reference::answers(vec![asked.clone()]) else { continue };
        assert_eq!(set::difference(&asked, &answers[0]), None, "{old}: {}", answers[0]["files"]);
    }
}

#[test]
fn what_may_differ_is_told_to_people() {
    let told = include_str!("../docs/differences.md");
    for (row, _) in set::ON_PURPOSE {
        assert!(told.contains(&format!("\n| {row} |")), "{row} is not in docs/differences.md");
    }
}

#[test]
fn image_names_are_read_as_the_scanner_reads_them() {
    reference::compare_with("reference", generate::reference::request, |asked| {
        match ImageName::parse(
            asked["image"].as_str().unwrap_or_default(),
            asked["insecure"] == Value::Bool(true),
        ) {
            Ok(name) => json!({"error": null, "canonical": name.canonical(), "scheme": name.scheme()}),
            Err(error) => json!({"error": error.to_string(), "canonical": null, "scheme": null}),
        }
    });
}

#[test]
fn messages_are_those_of_go_s_templates_and_sprig() {
    reference::compare_by("template", generate::template::request, reference::difference_of_messages);
}

#[test]
fn letters_and_powers_in_a_template_are_those_of_go() {
    let data =
        json!({"automation_object": {"namespace": "a", "name": "b"}, "values": {}, "file_changes": {}});
    for (template, shown) in [
        ("{{\"a\"Ⅷ}}", "unrecognized character in action: U+2167 'Ⅷ'"),
        ("{{½}}", "unrecognized character in action: U+00BD '½'"),
        ("{{$é١ := 1}}{{$é١}}", "1"),
        ("{{round 0 (int 105000000000)}}", "NaN"),
        ("{{round 7 (int -105000000000)}}", "NaN"),
    ] {
        let asked = json!({"op": "template", "template": template, "data": data});
        let answer = supercargo::domain::batch::answer(asked.to_string().as_bytes()).text;
        assert!(answer.contains(shown), "{template}: {answer}");
        let Some(answers) = reference::answers(vec![asked.clone()]) else { continue };
        assert_eq!(reference::difference_of_messages(&asked, &answers[0]), None, "{template}");
    }
}

#[test]
fn an_address_is_chance_in_whatever_form_it_is_printed() {
    let data =
        json!({"automation_object": {"namespace": "a", "name": "b"}, "values": {}, "file_changes": {}});
    for (verb, own, theirs) in [
        ("%b", "1100000000000000000000000000000000000000", "1111011100000010111011100101101111001010000"),
        ("%d", "824633720832", "8486470462032"),
        ("%p", "0xc000000000", "0x19b24c533d10"),
        // What follows reads like more digits.
        ("%p0af", "0xc000000000", "0xc00db8a80"),
    ] {
        let template = format!(r#"{{{{printf "{verb}" (dict "c" (semver "1.2.3"))}}}}"#);
        let asked = json!({"op": "template", "template": template, "data": data});
        let ours = supercargo::domain::batch::answer(asked.to_string().as_bytes()).text;
        let mut flux: Value = serde_json::from_str(&ours).unwrap();
        let message = flux["message"].as_str().unwrap().to_owned();
        assert!(message.contains(own), "{message}");
        flux["message"] = message.replace(own, theirs).into();
        assert_eq!(reference::difference_of_messages(&asked, &flux), None, "{message}");
        flux["message"] = message.replace(own, "12").into();
        assert!(reference::difference_of_messages(&asked, &flux).is_some(), "{message}");
    }
}

#[test]
fn printf_prints_what_go_prints() {
    reference::compare_by("template", generate::printf::request, reference::difference_of_formats);
}

#[test]
fn a_date_shows_its_fields_as_go_keeps_them() {
    let moment = r#"(toDate "2006-01-02 15:04:05.9 -0700" "1999-12-31 23:59:59.25 -0130")"#;
    let zero = r#"(toDate "x" "y")"#;
    let object = json!({"namespace": "flux-system", "name": "a"});
    let data = json!({"automation_object": object, "values": {}, "file_changes": {}});
    for (template, shown) in [
        (format!(r#"{{{{printf "%d" {moment}.UTC}}}}"#), Some("{250000000 63082286999 0}")),
        (format!(r#"{{{{printf "%d" {zero}}}}}"#), Some("{0 0 0}")),
        (format!(r#"{{{{printf "%.3d|%o" {moment} {moment}.UTC}}}}"#), None),
    ] {
        let asked = json!({"op": "template", "template": template, "data": data});
        let answer = supercargo::domain::batch::answer(asked.to_string().as_bytes()).text;
        let ours: Value = serde_json::from_str(&answer).unwrap();
        assert!(shown.is_none_or(|shown| ours["message"] == shown), "{template}: {ours}");
        let Some(theirs) = reference::answers(vec![asked.clone()]) else { continue };
        assert_eq!(reference::difference_of_messages(&asked, &theirs[0]), None, "{template}: {}", theirs[0]);
    }
}

#[test]
fn an_automation_without_values_has_no_map_and_one_with_none_in_it_an_empty_one() {
    let object = json!({"namespace": "flux-system", "name": "a"});
    for (template, of_none, of_empty) in [
        ("{{if .Values}}a{{else}}b{{end}}{{.Values}}{{len .Values}}", "bmap[]0", "bmap[]0"),
        (r#"{{.Values.x}}{{index .Values "x"}}"#, "<no value>", "<no value>"),
        (r#"{{printf "%#v" .Values}}"#, "map[string]string(nil)", "map[string]string{}"),
        ("{{toJson .Values}}{{toJson (list .Values)}}", "null[null]", "{}[{}]"),
        ("{{eq .Values nil}}{{ne nil .Values}}", "truefalse", "falsetrue"),
        (r#"{{merge (dict "a" .Values) (dict "a" (dict))}}"#, "map[a:map[]]", "map[a:map[]]"),
        (
            r#"{{index .Changed.FileChanges "x" | printf "%#v"}}"#,
            "update.ObjectChanges(nil)",
            "update.ObjectChanges(nil)",
        ),
        (r#"{{index .Changed.FileChanges "x" | toJson}}"#, "", ""),
    ] {
        for (values, shown) in [(Value::Null, of_none), (json!({}), of_empty)] {
            let data = json!({"automation_object": object, "values": values, "file_changes": {}});
            let asked = json!({"op": "template", "template": template, "data": data});
            let answer = supercargo::domain::batch::answer(asked.to_string().as_bytes()).text;
            let ours: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(ours["message"], shown, "{template}: {ours}");
            let Some(theirs) = reference::answers(vec![asked.clone()]) else { continue };
            assert_eq!(ours, theirs[0], "{template}");
        }
    }
}

#[test]
fn templates_that_are_seldom_written_are_those_of_go() {
    let data = json!({"automation_object": {"namespace": "flux-system", "name": "a"}, "values": {}, "file_changes": {}});
    for (template, shown) in [
        (r#"{{printf "%v" 0x1p4}} {{add 0x.8p1 1}} {{0x_1p4}} {{-0X1_0.8P-1}}"#, Some("16 2 16 -8.25")),
        (r#"{{substr 0 9.1e18 "abc"}}{{substr 0 -9223372036854775808.0 "abc"}}"#, Some("abcabc")),
        ("{{substr 0 9223372036854775808.0 \"abc\"}}", None),
        ("{{printf \"%d\" 0x1p63}}", None),
        ("{{0x1p4$x}}", None),
        ("{{0x1p4.Values}}", None),
        ("{{0x1}}{{0x1p}}", None),
        ("{{0x1p1024}}", None),
        ("{{1_0.5e1_0}}", None),
        ("{{1__0.5}}", None),
        ("{{0xp1}}", None),
        ("{{", None),
        ("{{.", None),
        ("{{ .", None),
        ("{{.Changed.", None),
        ("{{range $x := .", None),
        ("{{ \"a\".", None),
        ("{{ (.).", None),
        ("{{$.", None),
        ("{{1.", None),
        ("{{.5", None),
        (
            r#"{{printf "%8v|" (list nil 1)}}{{printf "%-8v|" (dict "a" nil)}}{{printf "%6v|%06d|" nil nil}}"#,
            Some("[<nil>        1]|map[a       :<nil>]| <nil>|%!d(<nil>)|"),
        ),
        (
            r#"{{printf "%.20g|%.3g|%.17g" 9.995 123456.0 0.1}}"#,
            Some("9.9949999999999992184|1.23e+05|0.10000000000000001"),
        ),
        (r#"{{printf "%#08x|%#06o|%#.4o|%08O" 255 8 64 8}}"#, Some("0x000000ff|000010|0100|0o00000010")),
        (r#"{{printf "%5.2T|%T|%8T" 1 nil "a"}}"#, Some("   in|<nil>|  string")),
        (r#"{{printf "%+w|%#w|%." 1.5 (list 1) 2}}"#, None),
        (r#"{{printf "%j" (toDate "2006 -0700" "2020 -0130").Location}}"#, None),
        (r#"{{printf "%#.4v|%n" (toDate "2006" "2020") (toDate "2006" "2020").UTC}}"#, None),
    ] {
        let asked = json!({"op": "template", "template": template, "data": data});
        let answer = supercargo::domain::batch::answer(asked.to_string().as_bytes()).text;
        let ours: Value = serde_json::from_str(&answer).unwrap();
        assert!(shown.is_none_or(|shown| ours["message"] == shown), "{template}: {ours}");
        let Some(theirs) = reference::answers(vec![asked.clone()]) else { continue };
        assert_eq!(reference::difference_of_messages(&asked, &theirs[0]), None, "{template}: {}", theirs[0]);
    }
}
