use super::*;

/// What is said of an edit of a text; `known`: whether its markers stand for something.
fn told(before: &str, after: &str, known: bool) -> Option<bool> {
    reformats(&Manifest::parse(before).unwrap(), &Manifest::parse(after).unwrap(), &|_| known)
}

/// What is said of `text`, whose marked values stay as they are and stand for something.
fn said(text: &str) -> Option<bool> {
    told(text, text, true)
}

/// What is said when the value at the marker was `old` and is `new`, both as written.
fn said_of(old: &str, new: &str) -> Option<bool> {
    let text = |value| format!("tag: {value} # {{\"$imagepolicy\": \"a:b:tag\"}}\n");
    told(&text(old), &text(new), true)
}

#[test]
fn what_flux_writes_as_it_stands_is_known() {
    for text in [
        "a: 1\nb:\n  c: 'x'\n  d: \"y\" # z\n",
        "l:\n- a\n- b: 1\n  c: 2\n- - x\n  - y\n",
        "l:\n  - a\n  - b: 1\n    c: 2\n",
        "# head\n\n# first\na: 1\naa: 1\n# foot\n\nb: {x: 1, y: [2, z]}\n",
        "m:\n  a: 1\n  # end of m\nn: &x\n  k: |\n    text\n      deeper\no: *x\n",
        "a: 1\n---\nb: >-\n  text\nc:\nd: ~\n",
        "a: 1\n\n# the end\n",
        "a: 1\nb: 2\n# the end\n",
        "metadata:\n  name: x\n  annotations:\n    k: v\n",
        "a:b: :x\n?x: a#b\n:x: a?b\n=: [-a, =]\n",
        "z: &a {b: 1}\ny: {\"<<\": *a}\n",
        "metadata:\n  name: x\nmetadata:\n  annotations: y\n",
    ] {
        assert_eq!(said(text), Some(false), "{text}");
    }
}

#[test]
fn what_flux_writes_in_another_way_is_known() {
    for text in [
        "a: 1\r\n",
        "c: {a, b}\n",
        "\u{feff}a: 1\n",
        "a: 1",
        "a: 1\n\n",
        "---\na: 1\n",
        "a: 1\n...\nb: 2\n",
        "a: 1\n\nb: 2\n",
        "a: 1\n\n# x\nb: 2\n",
        "a:\n    b: 1\n",
        "a:  1\n",
        "a: 1 \n",
        "a: 1  # x\n",
        "l:\n- a\nm:\n  - b\n",
        "l:\n    - a\n",
        "a: {x: 1,y: 2}\n",
        "a: {image: o/web:1}\n",
        "a: [\n  x\n]\n",
        "a: b\n  c\n",
        "a: 'b\n  c'\n",
        "a: \"\\u00e9\"\n",
        "a: 😀\n",
        "a: |\n  x \n",
        "a: >\n  x\n",
        "<<: {a: 1}\n",
        "z: &a {b: 1}\ny: {<<: *a}\n",
        "y: <<\n",
        "y: [<<, a]\n",
        "c:: ''\n",
        "::: 1\n",
        "-: 1\n",
        "...y: 1\n",
        "y: ...a\n",
        "y: {...a: 1}\n",
        "y: ---a\n",
        "? a\n: b\n",
        "# licence\n---\na: 1\n",
        "a: 1\n--- # x\nb: 1\n",
        "metadata: {}\na: 1\n",
        "metadata:\n  annotations:\n  name: x\n",
        "m:\n  a: 1\n    # deep\n  b: 2\n",
        "a: 1\nb:\n# the end\n",
        "metadata:\n  name: x\nmetadata:\n",
    ] {
        assert_eq!(said(text), Some(true), "{text}");
    }
}

#[test]
fn what_becomes_of_a_comment_is_not_guessed() {
    for text in [
        "l:\n- # x\n  a: 1\n",
        "a: 1\n# x\n\n# y\nb: 1\n",
        "a:\n  b:\n    c: 1\n  # x\nd: 1\n",
        "? [a, b]\n: c\n",
        "a: |+\n  x\n\n",
    ] {
        assert_eq!(said(text), None, "{text}");
    }
}

#[test]
fn the_type_of_an_old_value_shows_in_what_flux_writes() {
    assert_eq!(said_of("v1", "v2"), Some(false));
    assert_eq!(said_of("v1", "\"1.25\""), Some(false));
    assert_eq!(said_of("yes", "v2"), Some(false));
    assert_eq!(said_of("v1", "\"2024-01-31\""), Some(false));
    assert_eq!(said_of("1.0", "v2"), Some(true));
    assert_eq!(said_of("1.0", "\"1.25\""), Some(false));
    assert_eq!(said_of("~", "\"1.25\""), Some(true));
    assert_eq!(said_of("2024-01-30", "\"2024-01-31\""), Some(true));
    assert_eq!(said_of("v1", "\"12e4567\""), Some(true));
    assert_eq!(said_of("1.0", "\"2024-01-31\""), Some(true));
    assert_eq!(said_of("!!str v1", "!!str \"1.25\""), Some(true));
    assert_eq!(said_of("!x 'v1'", "!x '1.25'"), Some(true));
    assert_eq!(said_of("!x 'v1'", "!x 'v2'"), Some(false));
}

#[test]
fn a_value_that_stays_is_quoted_too() {
    assert_eq!(said_of("5", "5"), Some(true));
    let text = "tag: 5 # {\"$imagepolicy\": \"a:b:tag\"}\n";
    assert_eq!(told(text, text, false), Some(false));
}

#[test]
fn the_style_of_lists_is_that_of_the_text_before() {
    let text = |value| format!("a: | # {{\"$imagepolicy\": \"a:b:tag\"}}\n{value}\nb:\n  - x\n");
    let after = text("  v2").replace("a: |", "a: |-");
    assert_eq!(told(&text("  v1"), &after, true), Some(false));
    // A list in the old block of text was the first, and compact.
    let before = text("  key:\n  - x");
    assert_eq!(told(&before, &after, true), Some(true));
}

#[test]
fn what_differs_for_sure_decides_whatever_comes_behind_it() {
    // The head comment behind the list is where nobody knows what the emitter does.
    let unsure = "a:\n  - x\n  # c\n\nb: y\n";
    assert_eq!(said(unsure), None);
    assert_eq!(said(&format!("{unsure}---\nc:   1\n")), Some(true));
    assert_eq!(said(&format!("c:   1\n---\n{unsure}")), Some(true));
    assert_eq!(said("c: 1\n---\nd: 1\n"), Some(false));
}
