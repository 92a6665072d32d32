//! The block reader against the full parser: where it answers at all, the two answer the same.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;

use super::super::piece::{Piece, block_part, full_part};
use super::super::{YamlError, parts};

const MARKER: &str = r#"# {"$imagepolicy": "apps:web"}"#;

/// Whether the block reader answers for `text`, as one piece of a file; then the full parser must say the same.
fn agrees(text: &str) -> bool {
    let piece = Piece { base: 7, lines: 3, ..Piece::new(text) };
    // With everything that is looked at in a piece with markers, and with what is looked at in this one.
    [true, piece.may_be_marked].into_iter().all(|may_be_marked| {
        let piece = Piece { may_be_marked, ..piece };
        let Some(block) = block_part(piece) else { return false };
        assert_eq!(Ok::<_, YamlError>(block), full_part(piece), "{text:?}");
        true
    })
}

/// `text` with every `M` replaced by a marker.
fn yaml(text: &str) -> String {
    text.replace('M', MARKER)
}

#[test]
fn what_kubernetes_files_are_made_of_is_read() {
    for text in [
        "",
        "\n",
        "# only text\n\n",
        "a: 1",
        "a: 1\r\nb: 2\r",
        "---\n# owner\n\na: 1\n",
        "a: b c:d#e f M\nb: -x\nc: --flag=1 # c\n",
        "a:\n  b:\n    c: x\n  d: y\ne: z\n",
        "a:\n# c\n  b: 1\n",
        "a: # c\n  b: 1\n# c\nc:\nd: # c\n\n# d\n",
        "a:\n- b: 1\n  c: 2\n- d\nb: 1\n",
        "a:\n  - b:\n    - x M\n    c:\n\n  - 'it''s' M\n  -   \"q\\\"\\\\n\" # c\n",
        "a:\n- - x\n  - y: 1\n    z: 2\n- - - w\n",
        "'a b': x\n\"c\": y\n",
        "a: []\nb: {}\nc: [x, 'y, z', \"]\", -1]  # c\nd: {x: 1, \"y\": {z: [a:b]}}\ne:\n- [x]\n- {x: y}\n",
        "a: |\n  x\n   y\n\n  z\nb: >-\n  x\n  y\n\n   z\n  w\nc: |+ M\n  x\n\n\nd: 1\n",
        "a:\n- |-\n  x\n  # no comment\n# comment\n- b: | # c\n    x\n",
        "a: |\n\n  x\n  \n \n\t\nb: 1\n".replace("\n\t", "").as_str(),
        "a: |\n  x",
        "\u{e9}: \u{fc} # \u{1f600}\n",
        "  a: 1\n  b:\n   c: 2\n",
    ] {
        assert!(agrees(&yaml(text)), "{text:?}");
        assert!(agrees(&yaml(text).replace('\n', "\r\n").replace("\r\r", "\r")), "{text:?} with CRLF");
    }
}

#[test]
fn what_it_is_not_sure_of_is_left_to_the_full_parser() {
    for text in [
        "- a\n",
        "a\n",
        "a: b: c\n",
        "a: b:\n",
        "a: 'b' c\n",
        "a: 'b\n  c'\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: b\n c: d\n",
        "a:\n  b: 1\n c: 2\n",
        "a: 1\n- b\n",
        "a:\n  - b\n  c: 1\n",
        "a: &x 1\n",
        "a: *x\n",
        "a: !!str 1\n",
        "? a\n: b\n",
        "%YAML 1.2\n---\na: 1\n",
        "--- a\n",
        "---\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\n...\n",
        "\u{feff}a: 1\n",
        "a:\tb\n",
        "a: b\tc\n",
        "\ta: 1\n",
        "a: \"\\x41\"\n",
        "a: \"\\/\"\n",
        "a: [b?c]\n",
        "a: |\n  \tb\n",
        yaml("l:\n  M\n  - a:1\n").as_str(),
        yaml("l:\n- x\n\nM\n\n- a:1\n").as_str(),
        "a: \"b\\\n  c\"\n",
        "a: @b\n",
        "a: `b\n",
        "a: %b\n",
        "a: ]\n",
        "a: ,\n",
        "a: - b\n",
        "a: ? b\n",
        "a: |2\n   x\n",
        "a: |\n",
        "a: |\nb: 1\n",
        "a: |\n    \n  x\n",
        "a: | x\n",
        "a: |#\n  x\n",
        "a: |\n    x\n  y\n",
        "a: [b\n",
        "a: [b,\n  c]\n",
        "a: [b]c\n",
        "a: [b]#\n",
        "a: [-, b]\n",
        "a: [b: c]\n",
        "a: [b,]\n",
        "a: {b}\n",
        "a: {{ .x }}\n",
        "a: {b:c}\n",
        "a: {b: c #}\n",
        "a : 1\n",
        "a:\n-\n",
        "a:\n- # c\n  b\n",
        "a: b\u{85}c\n",
        "a: \u{7}\n",
        "a\rb: 1\n",
        "metadata: x\n",
        "metadata:\n- x\n",
        "metadata:\n  - x\n",
        "<<: *a\n",
        "a: 'b'#c\n",
        "[a]: b\n",
        "a: >\n\n",
        "key\n: x\n",
        "a:\n  - b\n - c\n",
        format!("{}: 1\n", "k".repeat(1_100)).as_str(),
    ] {
        assert!(!agrees(text), "{text:?}");
    }
}

#[test]
fn every_piece_of_the_observed_files_reads_the_same() {
    let json: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/conformance/setters_cases.json")).unwrap();
    let mut read = 0;
    for case in json.as_array().unwrap() {
        for files in [&case["files"], &case["expected"]] {
            for text in files.as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str()) {
                let pieces = parts::split(text).unwrap_or_default();
                read += pieces.into_iter().filter(|piece| agrees(text.get(piece.clone()).unwrap())).count();
                agrees(text);
            }
        }
    }
    assert!(read > 250, "{read}");
}

#[test]
fn every_file_of_the_scenarios_reads_the_same() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))];
    let (mut all, mut read) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(path).unwrap();
                for piece in parts::split(&text).unwrap() {
                    all += 1;
                    read += usize::from(agrees(text.get(piece).unwrap()));
                }
            }
        }
    }
    assert!(read > 0 && read * 10 >= all * 9, "{read} of {all}");
}

/// A scalar on one line.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        24 => "[a-z0-9./][a-z0-9./:-]{0,8}",
        1 => "[ -~\u{e9}]{1,8}",
        8 => select(vec!["''", "'a b'", "'it''s'", "\"\"", "\"a: #b\"", "\"\\n\\\"\"", "~", "[]", "{}", "[a, 'b']", "{a: b, c: {d: e}}", "a #b", "-1"]).prop_map(str::to_owned),
        3 => select(vec![
            "''", "'a b'", "'it''s'", "\"\"", "\"a: #b\"", "\"\\n\\\"\"", "\"\\u00e9\"", "~", "null", "[]", "{}", "[a, 'b']", "[a, [b]]", "{a: b, c: {d: e}}",
            "a b", "a #b", "a#b", "-1", "- x", "--x", "a: b", "a:", "&x a", "*x", "!t a", "<<", "{{ .a }}", "[a: b]", "[a,]", "{a}", "{a:b}", "[-]", "@a", "| ", ">", "'a", "a'",
        ])
        .prop_map(str::to_owned),
    ]
}

/// What may stand behind a value.
fn comment() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        " ",
        " M",
        " M",
        "  M ",
        " # c",
        " # c",
        " # c",
        "#c",
        " #",
        "\t# c",
        " # \u{e9}\tx",
    ])
    .prop_map(str::to_owned)
}

/// The lines of a value below `key:`, each with its indentation to come.
fn node() -> impl Strategy<Value = Vec<String>> {
    let leaf = (scalar(), comment()).prop_map(|(value, comment)| vec![format!("{value}{comment}")]);
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop_oneof![20 => "[a-z]{1,4}", 1 => select(vec!["metadata", "image", "containers", "'q'", "\"d\"", "a b", "a/b.c", "\u{e9}", "<<", "kind", "- x", "? a", "a "]).prop_map(str::to_owned)];
        let entry = (key, comment(), inner, prop_oneof![20 => Just(2_usize), 1 => 0_usize..5], block()).boxed();
        let item = (comment(), prop::collection::vec(scalar(), 1..3), select(vec![1_usize, 1, 1, 3]));
        prop_oneof![
            3 => prop::collection::vec(entry.clone(), 1..4).prop_map(|entries| entries.into_iter().flat_map(mapping_entry).collect()),
            2 => prop::collection::vec(entry, 1..3).prop_map(|entries| sequence(entries.into_iter().map(mapping_entry).collect())),
            1 => prop::collection::vec(item, 1..3).prop_map(|items| items.into_iter().flat_map(|(comment, values, blanks)| {
                values.into_iter().map(move |value| format!("-{}{value}{comment}", " ".repeat(blanks)))
            }).collect()),
        ]
    })
}

/// A block scalar's header and lines, or nothing.
fn block() -> impl Strategy<Value = Option<(String, Vec<String>)>> {
    let header = (
        prop_oneof![20 => "[|>][+-]?", 1 => select(vec!["|2", "|\t", "|x"]).prop_map(str::to_owned)],
        comment(),
    );
    let line = prop_oneof![12 => "[a-z][a-z #:-]{0,8}", 1 => select(vec!["", "  ", "\tx", "  x", "# c", "---"]).prop_map(str::to_owned)];
    let content = prop::collection::vec(line, 1..6);
    prop::option::weighted(
        0.15,
        (header, content).prop_map(|((sign, comment), content)| (format!("{sign}{comment}"), content)),
    )
}

type Entry = (String, String, Vec<String>, usize, Option<(String, Vec<String>)>);

fn mapping_entry((key, comment, below, indent, block): Entry) -> Vec<String> {
    let (first, lines) = match (block, below.as_slice()) {
        (Some((header, content)), _) => (format!("{key}: {header}"), content),
        (None, [only]) if !only.starts_with('-') && indent != 4 => (format!("{key}: {only}"), Vec::new()),
        (None, lines) => (format!("{key}:{comment}"), lines.to_vec()),
    };
    let indented = lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent)));
    std::iter::once(first).chain(indented).collect()
}

/// Each group of lines as an item.
fn sequence(items: Vec<Vec<String>>) -> Vec<String> {
    items
        .into_iter()
        .flat_map(|lines| {
            lines
                .into_iter()
                .enumerate()
                .map(|(number, line)| format!("{}{line}", if number == 0 { "- " } else { "  " }))
        })
        .collect()
}

/// A file near the border of what the block reader takes, with comment and blank lines strewn in.
fn file() -> impl Strategy<Value = String> {
    let strewn = prop::collection::vec(
        (
            any::<Index>(),
            select(vec!["", "", "  ", "# c", "# c", "M", "    # c", "    # c", "  M", "  M", "---", "..."]),
        ),
        0..3,
    );
    (
        node(),
        strewn,
        select(vec!["\n", "\n", "\n", "\r\n"]),
        any::<bool>(),
        select(vec!["", "", "", "---\n", "--- \r\n", "# c\n"]),
    )
        .prop_map(|(mut lines, strewn, end, has_end, start)| {
            for (index, line) in strewn {
                let at = index.index(lines.len() + 1);
                lines.insert(at, line.to_owned());
            }
            // Whatever it is, below a key it is no error.
            let text = format!("root:{end}  {}", lines.join(&format!("{end}  ")));
            yaml(&format!("{start}{text}{}", if has_end { end } else { "" }))
        })
}

/// A change of one place: a piece put in, and some bytes taken out.
fn mutation() -> impl Strategy<Value = (Index, usize, String)> {
    let piece = prop_oneof![
        3 => select(vec![
            " ", "  ", "\n", "\n ", "\r", "\t", ":", ": ", "- ", "-", "#", " #", "'", "\"", "{", "}", "[", "]", ",", ", ", "|", ">", "&", "*", "!", "%", "@", "`", "?", "? ", "\\", "---", "\n---\n",
            "...", "~", "\u{feff}", "\u{85}", "\u{2028}", "\u{a0}", "\u{7f}", "\u{0}", "x", "M", "\n\n", "0", "\u{e9}",
        ])
        .prop_map(str::to_owned),
        1 => Just(String::new()),
        1 => "[ -~]{1,3}",
    ];
    (any::<Index>(), 0_usize..4, piece)
}

fn mutated(text: &str, (index, taken, piece): &(Index, usize, String)) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = index.index(characters.len() + 1);
    let behind = characters.get(at + taken..).unwrap_or_default();
    characters.iter().take(at).copied().chain(piece.chars()).chain(behind.iter().copied()).collect()
}

/// A file as they are.
const DEPLOYMENT: &str = r#"# owned by a team
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    note: >-
      some text
      folded
spec:
  template:
    spec:
      initContainers:
      - image: o/init:1
        name: init
      containers:
        - name: "web"
          image: 'o/web:1' M
          args: ["--port=8080", -x, {a: b}] # see the handbook
          env:
            # comment
            - name: A
              value: "x \"y\""

            - name: B
          command:
          - sh
          - |
            set -e
              # not a comment
            exec web
      volumes: []
status: {}
"#;

#[test]
fn many_of_the_made_files_are_on_this_side_of_the_border() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = file();
    let read = (0..400).filter(|_| agrees(&strategy.new_tree(&mut runner).unwrap().current())).count();
    assert!((80..320).contains(&read), "{read} of 400");
}

proptest! {
    #[test]
    fn files_near_the_border_read_the_same_or_are_left_to_the_full_parser(text in file(), mutations in prop::collection::vec(mutation(), 8)) {
        agrees(&text);
        for mutation in &mutations {
            agrees(&mutated(&text, mutation));
        }
    }

    #[test]
    fn a_broken_file_reads_the_same_or_is_left_to_the_full_parser(mutations in prop::collection::vec(mutation(), 16), returns in any::<bool>()) {
        let good = yaml(DEPLOYMENT).replace('\n', if returns { "\r\n" } else { "\n" });
        prop_assert!(agrees(&good));
        let mut worse = good.clone();
        for mutation in &mutations {
            agrees(&mutated(&good, mutation));
            worse = mutated(&worse, mutation);
            agrees(&worse);
        }
    }
}
