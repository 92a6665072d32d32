//! Which comments are found where, and what an edit leaves alone.

use super::*;

const M: &str = r#"# {"$imagepolicy": "apps:web"}"#;

/// `text` with every `M` replaced by a marker.
fn yaml(text: &str) -> String {
    text.replace('M', M)
}

fn found(text: &str) -> Vec<(String, String)> {
    let scalars = find(&yaml(text)).unwrap();
    scalars.into_iter().map(|scalar| (scalar.field, scalar.value)).collect()
}

fn one(text: &str, field: &str, value: &str) {
    assert_eq!(found(text), [(field.to_owned(), value.to_owned())], "{text}");
}

fn none(text: &str) {
    assert_eq!(found(text), [], "{text}");
    assert_eq!(
        Manifest::parse(&yaml(text)).unwrap().strays().count(),
        yaml(text).matches(M).count(),
        "{text}"
    );
}

/// `text` with every marked value replaced by `value`.
fn rewritten(text: &str, value: &str) -> String {
    let text = yaml(text);
    let manifest = Manifest::parse(&text).unwrap();
    let edits: Vec<_> = manifest.scalars().map(|scalar| (scalar, value)).collect();
    manifest.rewrite(&edits).unwrap_or_else(|error| panic!("{error}: {text}")).text.replace(M, "M")
}

#[test]
fn a_marker_behind_a_value_is_found() {
    one("image: a:1 M\n", ".image", "a:1");
    one("image: a:1\tM", ".image", "a:1");
    one("a:\n  b:\n  - c: x\n  - c: 'a:1' M\n    d: y\n", ".a.b[1].c", "a:1");
    one("- x\n".replace("- x", "l:\n- a:1 M\n- b").as_str(), ".l[0]", "a:1");
    one("image: &img a:1 M\nb: *img\n", ".image", "a:1");
    one("image: !!str a:1 M\n", ".image", "a:1");
    one("? image\n: a:1 M\n", ".image", "a:1");
    one("image:\n  a:1 M\n", ".image", "a:1");
    one("image: null M\n", ".image", "null");
    one("a.b/c: \"\" M\n", "[\"a.b/c\"]", "");
    // go-yaml wants no blank before a comment where a quote or a header ends.
    one("a: 'x'M\n", ".a", "x");
    one("a: |M\n  x\n", ".a", "x\n");
    // It hands the comment of a value that is not written to the next scalar.
    one("l:\n- !!str M\n- x\n", ".l[1]", "x");
}

#[test]
fn the_lines_of_yaml_1_1_end_a_comment() {
    for end in ["\r", "\u{85}", "\u{2028}", "\u{2029}"] {
        one(&format!("a: x M{end}b: 1\n"), ".a", "x");
        assert_eq!(rewritten(&format!("a: x M{end}b: 1\n"), "v"), format!("a: v M{end}b: 1\n"));
    }
    let cut = "a: x # {\"$imagepolicy\":\u{2028} \"apps:web\"}\n";
    assert!(Manifest::parse(cut).is_err());
}

#[test]
fn the_books_of_flux_are_kept_in_metadata_that_is_not_empty() {
    let refused = |text: &str| Manifest::parse(&yaml(text)).map(|_| ()).unwrap_err().to_string();
    for text in ["metadata: !!str\n", "metadata:\nmetadata: x\n", "metadata: {annotations: x}\nmetadata: x\n"]
    {
        assert!(refused(text).ends_with("metadata is a scalar, not a mapping"), "{text}");
    }
    assert!(refused("a: &m {b: c}\nmetadata: *m\n").ends_with("metadata is an alias, not a mapping"));
    assert!(
        refused("metadata:\n  annotations: [x]\n").ends_with("the annotations are a list, not a mapping")
    );
    // Only one that is empty is dropped.
    for text in [
        "metadata:\n  annotations: x\n  annotations: y\n",
        "metadata:\nmetadata:\n  a: b\n  annotations: x\n",
    ] {
        assert!(refused(text).ends_with("the annotations are a scalar, not a mapping"), "{text}");
    }
    // Only the first that is not empty is looked at, and what is empty is dropped with its marker.
    one("metadata: {a: x M\n  }\nmetadata: text\n", ".metadata.a", "x");
    one("metadata: ~ M\nmetadata:\n  a: x M\n", ".metadata.a", "x");
    none("metadata:\n  annotations: x M\n  b: c\n");
}

#[test]
fn a_document_that_is_null_has_no_markers() {
    none("!!null {a: x M\n}\n");
    assert!(Manifest::parse("!!null\n---\n!!null x\n").is_ok());
    assert!(Manifest::parse("!!str\n").is_err());
}

#[test]
fn a_list_of_objects_is_its_members() {
    none("kind: List\nitems: x\na: x M\n");
    none("kind: List\nfunctionConfig:\na: x M\n");
    none("a: x M\nkind: List\nitems:\n- kind: Pod\n");
    one("kind: List\na: x M\n", ".a", "x");
    one("kind: List\nitems: x\na: x M\n---\n", ".a", "x");
}

#[test]
fn what_flux_would_spoil_beside_an_edit_stays_as_it_is() {
    for (text, after) in [
        ("a: >\n  x\n    deeper\n\n# c\nb: x M\n", "a: >\n  x\n    deeper\n\n# c\nb: v M\n"),
        ("a: &x # c\n  b: x M\n", "a: &x # c\n  b: v M\n"),
        (
            "metadata: {a: b}\nmetadata: &x y\nb: *x\nc: x M\n",
            "metadata: {a: b}\nmetadata: &x y\nb: *x\nc: v M\n",
        ),
    ] {
        assert_eq!(rewritten(text, "v"), after);
    }
}

#[test]
fn an_edit_that_would_not_come_out_as_meant_is_refused() {
    for (text, value) in [("a: &x:1 M\n", "1.0"), ("a: | M\n    x\n  # c\n", "")] {
        let text = yaml(text);
        let found = find(&text).unwrap();
        assert!(rewrite(&text, &[(&found[0], value)]).is_err(), "{text}");
    }
}

#[test]
fn an_object_goes_by_the_names_it_has_when_the_edit_is_made() {
    let text = yaml(
        "kind: x M\na: x M\nmetadata:\n  name: x M\n  namespace: ~ M\n---\nkind: Pod\nmetadata: {name: b}\na: x M\n",
    );
    let manifest = Manifest::parse(&text).unwrap();
    let edits: Vec<_> = manifest.scalars().map(|scalar| (scalar, "v")).collect();
    let names = objects(&edits).into_iter().map(|object| (object.kind, object.name, object.namespace));
    let expected = [("v", "x", ""), ("v", "x", ""), ("v", "v", ""), ("v", "v", ""), ("Pod", "b", "")];
    assert_eq!(
        names.collect::<Vec<_>>(),
        expected.map(|(kind, name, namespace)| (kind.into(), name.into(), namespace.into()))
    );
}

#[test]
fn a_marker_in_a_flow_collection_belongs_to_the_entry_before_it() {
    one("a: {\n  x: a:1, M\n  y: b\n}\n", ".a.x", "a:1");
    one("a: {x: 1, y: a:1 M\n}\n", ".a.y", "a:1");
    one("a: [\n  x,\n  a:1 M\n]\n", ".a[1]", "a:1");
    one("a: [k: v M\n]\n", ".a[0].k", "v");
    one("a: [k: v, M\n]\n", ".a[0].k", "v");
    none("a: {x: 1} M\n");
    none("a: [x] M\n");
}

#[test]
fn a_marker_at_a_key_an_alias_or_nothing_is_a_stray() {
    none("M\nimage: a:1\n");
    none("image: M\n  a:1\n");
    none("image: M\nb: 1\n");
    none("a: &x 1\nb: *x M\n");
    none("image: M\n  a: 1\n");
    none("? image M\n: a:1\n");
    none("image: a:1\nM\n");
    none("image: a:1 \n  # c\n  M\nb: 2\n");
    none("? {a: b M\n}\n: a:1\n");
    none("image: x\nimage: y M\n");
}

#[test]
fn a_single_comment_above_an_item_belongs_to_it() {
    one("l:\n  M\n  - a:1\n", ".l[0]", "a:1");
    one("l:\n- x\nM\n- a:1\n", ".l[1]", "a:1");
    one("l:\n- M\n  a:1\n", ".l[0]", "a:1");
    one("l: [\n  M\n  a:1\n]\n", ".l[0]", "a:1");
    one("image:\n  M\n  a:1\n", ".image", "a:1");
    none("l:\n  # c\n  M\n  - a:1\n");
    none("l:\n  M\n  - a:1 # c\n");
    one("l:\n  M\n\n  - a:1\n", ".l[0]", "a:1");
    one("l:\n- x\n\nM\n- a:1\n", ".l[1]", "a:1");
    one("l:\nM\n- |\n  x\n", ".l[0]", "x\n");
    none("l:\n- x\nM\n\n- a:1\n");
    none("l:\n  # c\n\n  M\n  - a:1\n");
    none("l:\n  M\n  - k: a:1\n");
    none("l:\n  M\n  - - a:1\n");
}

#[test]
fn a_block_scalar_is_marked_on_its_header() {
    one("a:\n  b: | M\n    x\n    y\n\n  c: 1\n", ".a.b", "x\ny\n");
    assert_eq!(
        rewritten("a:\n  b: |+ M\n    x\n    y\n\n  c: 1\n", "v1"),
        "a:\n  b: |- M\n    v1\n\n  c: 1\n"
    );
    assert_eq!(rewritten("a: >2 M\n    x\n", "1.0"), "a: >2- M\n  1.0\n");
    assert_eq!(rewritten("a: |\tM\r\n  x\r\nb: 1\r\n", "v1"), "a: |-\tM\r\n  v1\r\nb: 1\r\n");
    assert_eq!(rewritten("a: | M\n  x", "v1"), "a: |- M\n  v1");
    assert_eq!(rewritten("a: | M\nb: 1\n", "v1"), "a: |- M\n  v1\nb: 1\n");
    assert_eq!(rewritten("a: | M\n  x\nb: 1\n", ""), "a: |- M\nb: 1\n");
    assert_eq!(rewritten("a: | M\n\n\n  x\n     \nb: 1\n", "v"), "a: |- M\n  v\nb: 1\n");
    assert_eq!(rewritten("l:\n- | M\n  x\n- y\n", "v"), "l:\n- |- M\n  v\n- y\n");
    let far = " ".repeat(70_000);
    assert_eq!(rewritten(&format!("a: | M\n{far}x\n"), "v"), format!("a: |- M\n{far}v\n"));
}

#[test]
fn an_edit_keeps_the_style_and_every_other_byte() {
    assert_eq!(rewritten("\u{feff}a:   'x'   M  \r\n\r\nb: 1", "v"), "\u{feff}a:   'v'   M  \r\n\r\nb: 1");
    assert_eq!(rewritten("a: \"x\" M", "o\"\\"), "a: \"o\\\"\\\\\" M");
    assert_eq!(rewritten("a: 'x' M", "o'"), "a: 'o''' M");
    assert_eq!(rewritten("a: x M\n", "1.0"), "a: \"1.0\" M\n");
    assert_eq!(rewritten("a: x M\n", ""), "a: \"\" M\n");
    assert_eq!(rewritten("a: x\n  y\n   z M\nb: é\n", "v"), "a: v M\nb: é\n");
    assert_eq!(rewritten("é: &a !!str x M\nb: *a\n", "v"), "é: &a !!str v M\nb: *a\n");
    assert_eq!(rewritten("a: {b: x, M\n}\n", "v:1"), "a: {b: v:1, M\n}\n");
    assert_eq!(rewritten("a: 5 M\n", "1.2.3"), "a: 1.2.3 M\n");
}

#[test]
fn each_document_is_edited_on_its_own() {
    let text = "a: x M\n---\n\n# only text\n---\nb: y M\n...\nnot: [looked at\n--- # more\nc: z M\n";
    assert_eq!(
        rewritten(text, "v"),
        "a: v M\n---\n\n# only text\n---\nb: v M\n...\nnot: [looked at\n--- # more\nc: v M\n"
    );
    let lines: Vec<_> =
        find(&yaml(text)).unwrap().iter().map(|scalar| (scalar.line, scalar.column)).collect();
    assert_eq!(lines, [(1, 4), (6, 4), (10, 4)]);
}

#[test]
fn what_flux_cannot_use_is_an_error_with_its_place() {
    let error = |text: &str| Manifest::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(error("a: 1\n---\nb: [\n").line, 3);
    assert_eq!(
        error("a: 1\n---\n- b\n").to_string(),
        "line 3, column 1: the document is a list, not a mapping"
    );
    assert_eq!(error("just text\n").line, 1);
    assert_eq!(error("metadata: x\n").line, 1);
    assert_eq!(error("a: \u{7}\n").to_string(), "line 1, column 4: control characters are not allowed");
    assert_eq!(error("%YAML 1.2\n---\na: 1\n").line, 1);
    assert!(Manifest::parse("metadata:\n---\n~\n---\n").is_ok());
}

#[test]
fn the_object_is_that_of_the_document_or_of_the_list_member() {
    let object = |text: &str| find(&yaml(text)).unwrap().remove(0).object;
    let deployment =
        object("image: a M\nmetadata:\n  name: web\n  namespace: 123\nkind: D\napiVersion: v1\n");
    assert_eq!(
        (deployment.kind.as_str(), deployment.name.as_str(), deployment.namespace.as_str()),
        ("D", "web", "123")
    );
    let list = "kind: List\nitems:\n- kind: Pod\n  metadata: {name: a}\n- image: x M\n  kind: Pod\n  metadata: {name: b}\n";
    assert_eq!(object(list).name, "b");
    assert_eq!(object(&format!("{list}---\na: 1\n")).kind, "List");
}

#[test]
fn an_edit_that_is_not_of_this_text_is_refused() {
    let text = yaml("a: x M\n");
    let other = find(&yaml("aa: x M\n")).unwrap();
    assert!(matches!(rewrite(&text, &[(&other[0], "v")]), Err(RewriteError::NotThere { .. })));
    let mine = find(&text).unwrap();
    assert!(matches!(rewrite(&text, &[(&mine[0], "v\nw: 1")]), Err(RewriteError::Unwritable { .. })));
    assert!(matches!(
        rewrite(&text, &[(&mine[0], "v"), (&mine[0], "w")]),
        Err(RewriteError::NotThere { .. })
    ));
}

#[test]
fn only_yaml_files_with_the_token_are_candidates() {
    let token = M.as_bytes();
    for path in ["a.yaml", "x/b.yml", "x/Kustomization", ".yaml"] {
        assert!(is_candidate(path, token), "{path}");
    }
    for path in ["a.YAML", "a.json", "a.yaml.tmpl", "kustomization", "Kustomization.txt"] {
        assert!(!is_candidate(path, token), "{path}");
    }
    assert!(!is_candidate("a.yaml", b"# {$imagepolicy: 1}"));
}

#[test]
fn images_of_containers_without_marker_are_listed() {
    let text = yaml(
        "spec:\n  initContainers:\n  - image: a:1\n  containers:\n  - image: b:1 M\n  - {image: c:1}\nimage: d\n",
    );
    let manifest = Manifest::parse(&text).unwrap();
    let images: Vec<_> = manifest.images().map(|image| (image.line, image.image.as_str())).collect();
    assert_eq!(images, [(3, "a:1"), (6, "c:1")]);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Text that is nearly YAML: lines of keys, items, flow collections, block scalars, markers and line ends.
    fn nearly_yaml() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "b: ",
            "image: ",
            "- ",
            "  ",
            "\n",
            "\r\n",
            "\n",
            "---\n",
            "...\n",
            "x:1",
            "'q'",
            "\"d\"",
            "'",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "| ",
            ">-",
            " M",
            " M\n",
            "# c",
            "&x ",
            "*x",
            "!!str ",
            "é",
            "\u{2028}",
            "\t",
            "? ",
            ": ",
            "~",
            "\u{feff}",
            "%YAML 1.2\n",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| yaml(&pieces.concat()))
    }

    /// A document with known values, in all styles.
    fn document() -> impl Strategy<Value = String> {
        let field = (
            "[a-z]{1,6}",
            prop::sample::select(vec![
                "V M",
                "'V' M",
                "\"V\"   M",
                "V",
                "&x V\tM",
                "!!str V M",
                "| M\n    V\n    W",
                "{i: V, j: 'V' M\n  }",
            ]),
            "([a-z0-9./][a-z0-9./:-]{0,4})?[a-z0-9]",
        );
        let fields = prop::collection::vec(field, 1..12);
        (fields, prop::sample::select(vec!["\n", "\r\n"]), prop::bool::ANY).prop_map(|(fields, end, last)| {
            let lines = fields.iter().enumerate().map(|(number, (key, shape, value))| {
                format!("{key}{number}: {}", yaml(shape).replace('V', value).replace('\n', end))
            });
            let text = lines.collect::<Vec<_>>().join(end);
            if last { text + end } else { text }
        })
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9._/:@+-]{0,20}",
            "[ -~é]{0,12}",
            prop::sample::select(vec!["on", "1.0", "~", "2024-01-31", "", "- x", "a: b", "x #y"])
                .prop_map(str::to_owned),
        ]
    }

    /// Holds the two texts against each other outside of the marked scalars.
    fn only_scalars_differ(old: &str, new: &str) -> bool {
        let outside = |text: &str| {
            let scalars = find(text).unwrap();
            let starts = std::iter::once(0).chain(scalars.iter().map(|scalar| scalar.span.end));
            let ends = scalars.iter().map(|scalar| scalar.span.start).chain([text.len()]);
            starts.zip(ends).map(|(start, end)| text.get(start..end).unwrap().to_owned()).collect::<Vec<_>>()
        };
        outside(old) == outside(new)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_text_makes_it_panic_and_no_accepted_edit_touches_anything_else(text in nearly_yaml(), value in value()) {
            let Ok(manifest) = Manifest::parse(&text) else { return Ok(()) };
            let edits: Vec<_> = manifest.scalars().map(|scalar| (scalar, value.as_str())).collect();
            if let Ok(new) = manifest.rewrite(&edits) {
                prop_assert!(only_scalars_differ(&text, &new.text));
                prop_assert!(find(&new.text).unwrap().iter().all(|scalar| scalar.value == value));
            }
        }

        #[test]
        fn every_plain_edit_of_a_good_document_is_accepted(text in document(), value in "[a-z0-9][a-z0-9._/:@-]{0,20}[a-z0-9]") {
            let manifest = Manifest::parse(&text).unwrap();
            let edits: Vec<_> = manifest.scalars().map(|scalar| (scalar, value.as_str())).collect();
            let new = manifest.rewrite(&edits).unwrap();
            prop_assert!(only_scalars_differ(&text, &new.text));
            let again = Manifest::parse(&new.text).unwrap();
            prop_assert!(again.scalars().all(|scalar| scalar.value == value));
            for (place, (scalar, now)) in new.places.iter().zip(manifest.scalars().zip(again.scalars())) {
                prop_assert_eq!(&place.old, &scalar.span);
                prop_assert_eq!(&place.new, &now.span);
            }
        }

        #[test]
        fn any_text_at_all_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = Manifest::parse(&text);
        }
    }
}

#[test]
fn deep_and_wide_documents_are_read_in_good_time() {
    let started = std::time::Instant::now();
    let deep = format!("a: {}x{}\n", "[".repeat(9_000), "]".repeat(9_000));
    assert!(find(&deep).unwrap().is_empty());
    let line = |number| yaml(&format!("k{number}: v M"));
    let wide = (0..20_000).map(line).collect::<Vec<_>>().join("\n");
    let manifest = Manifest::parse(&wide).unwrap();
    let edits: Vec<_> = manifest.scalars().map(|scalar| (scalar, "w")).collect();
    assert_eq!(edits.len(), 20_000);
    assert_eq!(manifest.rewrite(&edits).unwrap().places.len(), 20_000);
    let comments = format!("a:\n{}- b\n", "# c\n".repeat(50_000));
    assert!(find(&comments).unwrap().is_empty());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
