//! Templates that call `printf`: verbs, flags, widths, precisions and operand numbers of every kind with operands of every
//! type.

use serde_json::{Value, json};

use super::Random;

const WHOLE: &[&str] = &[
    "0",
    "1",
    "5",
    "-5",
    "255",
    "-256",
    "1000000",
    "9223372036854775807",
    "-9223372036854775808",
    "'a'",
    "'é'",
    "'世'",
    r"'\n'",
    r"'\x00'",
    r"'\''",
    "0x7f",
    "1114111",
    "1114112",
    "55296",
    "-1",
    "127",
    "160",
    "173",
    "8232",
    "0x1F600",
    "(int64 7)",
    "(int64 -7)",
    r#"(index "abc" 1)"#,
    r#"(index "é" 0)"#,
    "0o17",
    "39",
    "92",
    "(semver \"1.2.3\").Major",
];

const FRACTIONS: &[&str] = &[
    "0.0",
    "1.0",
    "-1.0",
    "-2.25",
    "3.14159265358979",
    "1e21",
    "1e20",
    "1e6",
    "123456789.0",
    "1e-5",
    "0.0001",
    "-0.00001",
    "1e100",
    "1e-300",
    "5e-324",
    "1.7976931348623157e308",
    r#"(float64 "NaN")"#,
    r#"(float64 "Inf")"#,
    r#"(float64 "-Inf")"#,
    r#"(float64 "-0")"#,
    "0.1",
    "2.5",
    "0.5",
    "99999.5",
    "999999.5",
    "100000.0",
    "0x1p-2",
    "(divf 1 3)",
    "12345678.5",
    "1e22",
    "0.000123456",
    "9.995",
];

const TEXTS: &[&str] = &[
    r#""""#,
    r#""a""#,
    r#""héllo""#,
    r#""a\tb\n""#,
    r#""`q`""#,
    r#""\"q\\""#,
    r#""世界""#,
    r#""\U0001F600""#,
    r#""\x00\x7f""#,
    r#""\u00a0\u200b""#,
    r#""\u2028""#,
    r#""long text here""#,
    r#""%d""#,
    r#""\r""#,
    r#""e\u0301""#,
    r#""\u00ad""#,
    r#""-x""#,
];

const OTHERS: &[&str] = &[
    "true",
    "false",
    "nil",
    "(list)",
    "(list 1 2)",
    r#"(list 1 "a" nil 2.5 true)"#,
    r#"(list (list 1) (dict "a" 1))"#,
    r#"(splitList "," "a,b")"#,
    "(until 3)",
    "(until 0)",
    "(dict)",
    r#"(dict "b" "x" "a" nil)"#,
    r#"(dict "k" (dict "l" 1.5))"#,
    ".Values",
    ".AutomationObject",
    ".Changed",
    ".Changed.Changes",
    ".Changed.FileChanges",
    "(index .Changed.Changes 0)",
    ".",
    r#"(split "," "a,b")"#,
    r#"(semver "1.2.3-a+b")"#,
    r#"(list (semver "1.2.3"))"#,
    r#"(toDate "2006-01-02" "2020-03-04")"#,
    r#"(toDate "2006" "2020").Month"#,
    r#"(toDate "2006" "2020").Weekday"#,
    r#"(toDate "2006" "2020").UTC"#,
    r#"(toDate "2006" "2020").Location"#,
    r#"((toDate "2006" "2021").Sub (toDate "2006" "2020"))"#,
    r#"(toDate "2006 -0700" "2020 -0130").Location"#,
    r#"(list (toDate "2006 MST" "2020 EST"))"#,
    "(list nil)",
    r#"(regexFindAll "x" "y" -1)"#,
    "(list .AutomationObject)",
    r#"(list "héllo" "")"#,
    "(list 1.5 -2.5)",
    r#"(index .Changed.FileChanges "none")"#,
];

const VERBS: &str = "dddvvvssqqxxXXbboOcUtTpeEffFgGGwziukyQ%!é世-.[(,";

/// `op` `template`: one call of `printf` with up to three verbs.
pub fn request(random: &mut Random) -> Value {
    let count = 1 + random.below(3);
    let most = count + usize::from(random.one_in(10));
    let verbs = random.several(count - 1, most, verb);
    let format = verbs.concat();
    let mut operands: Vec<&str> = (0..count).map(|_| operand(random)).collect();
    if format.contains('*') && random.one_in(2) {
        operands.insert(0, random.pick(&["5", "-5", "0", "12", "1000001", "(int64 3)", "\"x\"", "2.0"]));
    }
    let template = format!("{{{{printf \"{format}\" {}}}}}", operands.join(" "));
    let change = json!({ "old_value": "o:1", "new_value": "o:2", "setter": "n:p" });
    let object =
        json!({ "apiVersion": "v1", "kind": "K", "namespace": "n", "name": "x", "changes": [change] });
    let data = json!({
        "automation_object": { "namespace": "ns", "name": "a" }, "values": { "k": "v" }, "file_changes": { "a.yaml": [object] }
    });
    json!({ "op": "template", "template": template, "data": data })
}

fn operand(random: &mut Random) -> &'static str {
    let kind = random.pick(&[WHOLE, FRACTIONS, TEXTS, OTHERS]);
    random.pick(kind)
}

/// One verb with its flags, and what stands behind it.
fn verb(random: &mut Random) -> String {
    let mut text = "%".to_owned() + &random.text("+-# 0", 4);
    text += random.pick(&["", "", "", "", "", "", "", "[1]", "[2]", "[0]", "[x]", "[1000001]"]);
    text += random.pick(&["", "", "", "1", "3", "5", "10", "20", "40", "*", "1000", "99999999999"]);
    text +=
        random.pick(&["", "", "", ".", ".0", ".1", ".2", ".4", ".10", ".20", ".30", ".*", ".1100", ".-1"]);
    text += if random.one_in(30) { random.pick(&["[1]", "[3]", "[x]"]) } else { "" };
    if !random.one_in(20) {
        text.push(random.character(VERBS));
    }
    text + random.pick(&["|", "", "a", " "])
}
