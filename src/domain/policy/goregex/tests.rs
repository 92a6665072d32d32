use super::*;
use proptest::prelude::*;
use regex::Regex;

#[test]
fn the_place_of_an_error_is_where_reading_ends() {
    for (pattern, place) in [
        ("a*|*b", "a*|".len().."a*|*".len()),
        ("^(?P<n>[0-9]+", 13..13),
        ("a)b", 3..3),
        ("[z-a]x", 1..4),
        (r"\d\y\d", 2..4),
        ("x{2000}", 1..7),
        ("é**", 2..4),
    ] {
        assert_eq!(error_place(pattern), place, "{pattern}");
    }
}

type Groups = Option<Vec<Option<Range<usize>>>>;

fn groups(pattern: &Pattern, find: impl Fn(&mut Slots) -> bool) -> Groups {
    let mut slots = pattern.slots();
    find(&mut slots).then(|| (0..pattern.names().len()).map(|group| slots.group(group)).collect())
}

fn found(pattern: &Pattern, text: &str) -> Groups {
    groups(pattern, |slots| pattern.find(text, slots))
}

fn found_by_engine(pattern: &Pattern, text: &str) -> Groups {
    groups(pattern, |slots| find_by_engine(pattern.engine_for(text).unwrap(), text, 0, slots))
}

fn found_by_threads(pattern: &Pattern, text: &str) -> Groups {
    groups(pattern, |slots| pattern.find_by_threads(text, 0, slots))
}

#[test]
fn deep_nesting_is_refused_where_go_refuses_it_and_needs_little_stack() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Pattern::new(&nested(900)).unwrap().is_match("a"));
    let error = Pattern::new(&nested(1001)).unwrap_err();
    assert!(error.to_string().contains("expression nests too deeply"), "{error}");
    let error = Pattern::new(&"(".repeat(100_000)).unwrap_err();
    assert!(error.to_string().contains("missing closing )"));
}

#[test]
fn where_no_stack_can_be_had_nothing_is_said_of_the_pattern() {
    // No address space has so much.
    let error = with_own_stack(1 << 47, || Ok(())).unwrap_err();
    assert!(error.is_no_verdict());
    assert!(error.to_string().starts_with("the pattern was not read: no thread with a stack"), "{error}");
    assert!(!Pattern::new("(").unwrap_err().is_no_verdict());
}

#[test]
fn too_deep_a_tree_is_noticed_before_what_follows_it() {
    let open = format!("{}a{}", "(a".repeat(501), "b)".repeat(500));
    for (rest, what) in [
        ("[", "missing closing ]"),
        ("", "expression nests too deeply"),
        ("b|[", "expression nests too deeply"),
        ("b)[", "expression nests too deeply"),
    ] {
        let error = Pattern::new(&format!("{open}{rest}")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("error parsing regexp: {what}: ")), "{rest}: {error}");
    }
}

#[test]
fn a_class_inverted_around_the_surrogates_has_not_their_neighbours() {
    for class in [
        r"[^\p{Any}]",
        r"[^a-\x{FFFF}]",
        r"[^\x{0}-\x{d7ff}\x{e000}-\x{10ffff}]",
        r"[^\x{d000}-\x{dc00}\x{dc01}-z]",
    ] {
        let Ok(pattern) = Pattern::new(class) else { continue };
        assert!(!pattern.is_match("\u{d7ff}") && !pattern.is_match("\u{e000}"), "{class}");
    }
}

#[test]
fn characters_newer_than_go_s_tables_are_unassigned() {
    for (class, matches) in [
        (r"\pL", false),
        (r"\PL", true),
        (r"\p{Cn}", true),
        (r"\p{C}", true),
        (r"\P{C}", false),
        (r"\p{Assigned}", false),
        (r"[^\p{Han}]", true),
    ] {
        assert_eq!(Pattern::new(class).unwrap().is_match("\u{2ebf0}"), matches, "{class}");
        assert_eq!(Pattern::new(class).unwrap().is_match("中"), !matches, "{class}");
    }
}

#[test]
fn an_anchored_pattern_says_how_far_it_fits() {
    let pattern = Pattern::new("^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$").unwrap();
    assert_eq!(pattern.fits_up_to("main-9b1d3e7-dirty"), Some(13));
    assert_eq!(pattern.fits_up_to("main-xyz"), Some(5));
    assert_eq!(pattern.fits_up_to("v1"), Some(0));
    assert_eq!(Pattern::new("main").unwrap().fits_up_to("mai"), None);
}

#[test]
fn a_pattern_of_many_big_classes_is_a_small_program() {
    for (pattern, text) in [
        (r"^\pL{1000}$", "é".repeat(1000)),
        (r"^(?:\pL\pN?){500}$", "é1".repeat(500)),
        (r"^((\pL{10}){10}){10}$", "a".repeat(1000)),
        (r"(?i)^(?:[^\P{Greek}ſ]|\p{Lu}){300}$", "Σs".repeat(150)),
    ] {
        let compiled = Pattern::new(pattern).unwrap();
        let engine = compiled.engine.as_ref().unwrap();
        assert_eq!(engine.texts, Texts::Ascii, "{pattern}");
        assert!(engine.regex.memory_usage() < 1 << 20, "{pattern}: {}", engine.regex.memory_usage());
        assert!(compiled.threads.len() < 3_000, "{pattern}: {}", compiled.threads.len());
        for text in [text.clone(), text.replace(['é', 'Σ'], "k")] {
            assert_eq!(found(&compiled, &text).unwrap()[0], Some(0..text.len()), "{pattern}");
            assert!(compiled.is_match(&text), "{pattern}");
            assert!(
                !compiled.is_match(text.get(2..).unwrap()) && !compiled.is_match(&format!("{text}-")),
                "{pattern}"
            );
        }
    }
}

#[test]
fn many_groups_are_not_kept_for_each_state_of_the_engine() {
    let pattern = Pattern::new(&"(a)".repeat(5_000)).unwrap();
    assert!(pattern.engine.is_none());
    assert!(pattern.threads.len() <= 15_000);
    let groups = found(&pattern, &"a".repeat(5_001)).unwrap();
    assert_eq!(groups.len(), 5_001);
    assert_eq!((&groups[0], &groups[5_000]), (&Some(0..5_000), &Some(4_999..5_000)));
}

#[test]
fn a_class_for_texts_of_ascii_has_what_folds_into_it() {
    let compiled = Pattern::new(r"(?i)^(?:[\x{212a}ſ]|\pL{1000}|[^\x{e9}a-z])$").unwrap();
    assert_eq!(compiled.engine.as_ref().unwrap().texts, Texts::Ascii);
    for (text, matches) in
        [("k", true), ("S", true), ("a", false), ("1", true), ("\u{212a}", true), ("É", false)]
    {
        assert_eq!(compiled.is_match(text), matches, "{text}");
        assert_eq!(compiled.threads.is_match(text), matches, "{text}");
    }
}

#[test]
fn what_branches_begin_with_in_common_is_written_once() {
    let many = (0..20_000).map(|n| format!("a{n}")).collect::<Vec<_>>().join("|");
    for (pattern, size) in [
        ("abc|abd|aef|bcx|bcy", 16),
        (r"\pLa|\pLb", 2),
        ("[ab]c|[ab]d|.e", 6),
        ("a*b|a*c", 10),
        ("(?i:a)x|ay", 6),
        ("(?i)kx|Ky", 2),
        ("a|b|c|[d-f]", 1),
        ("||a", 3),
        (&many, 40_000),
    ] {
        let compiled = Pattern::new(&format!("^(?:{pattern})$")).unwrap();
        assert!(compiled.threads.len() <= size + 2, "{pattern}: {}", compiled.threads.len());
    }
    let compiled = Pattern::new(&format!("^(?:{many})$")).unwrap();
    for (text, matches) in [("a19999", true), ("a20000", false), ("a0", true), ("a", false), ("aé", false)] {
        assert_eq!((compiled.is_match(text), compiled.threads.is_match(text)), (matches, matches), "{text}");
    }
}

/// Patterns that grow with a count, the first count that is too much, and what is said then.
type Limit<'l> = (&'l dyn Fn(usize) -> String, usize, &'l str);

#[test]
fn a_pattern_is_too_large_where_it_is_so_for_go() {
    const LARGE: &str = "expression too large";
    let choice = (0..20_000).map(|n| format!("a{n}")).collect::<Vec<_>>().join("|");
    let words =
        (0..3_000).map(|n| format!("{:x}-{}", n * 7919 % 65536, n % 17)).collect::<Vec<_>>().join("|");
    let growing = |longest: usize| (1..longest).map(|n| "a".repeat(n)).collect::<Vec<_>>().join("|");
    // The first count with which Go 1.26 refuses the pattern.
    let limits: [Limit<'_>; 8] = [
        (&|n| format!("(?:{choice}){{{n}}}"), 540, LARGE),
        (&|n| format!("(?:{words}){{{n}}}"), 153, LARGE),
        (&|n| r"\pL".repeat(n), 25_459, LARGE),
        (&|n| r"(\pL)".repeat(n), 8_487, LARGE),
        (&|n| r"(?:\pL)".repeat(n), 6_365, LARGE),
        (&|n| r"(?:\pL|x+)".repeat(n), 12_725, LARGE),
        (&|n| format!("(?:{}){{1000}}", "a".repeat(n)), 3_356, LARGE),
        (&growing, 502, "expression nests too deeply"),
    ];
    for (pattern, limit, what) in limits {
        let error = |count| match parse_deep(&pattern(count)) {
            Err(RegexError::Refused { what, .. }) => Some(what),
            other => other.err().map(|_no_verdict| "no verdict"),
        };
        let name = pattern(1);
        let name = name.get(..20).unwrap_or(&name);
        assert_eq!((error(limit - 1), error(limit)), (None, Some(what)), "{name}");
    }
}

/// Pieces of which many combinations can run by the loop.
fn piece() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        "[abc.-]".prop_map(|text| text.replace('.', "\\.")),
        Just("[ab]".to_owned()),
        Just("[^a]".to_owned()),
        Just("[0-9]".to_owned()),
        Just("\\d".to_owned()),
        Just("[\\w.]".to_owned()),
        Just(".".to_owned()),
    ];
    let count = prop_oneof![
        4 => Just(""), 2 => Just("+"), 1 => Just("*"), 1 => Just("?"), 1 => Just("{2}"), 1 => Just("{1,2}"),
    ];
    (atom, count, any::<bool>()).prop_map(|(atom, count, group)| {
        if group { format!("({atom}{count})") } else { format!("{atom}{count}") }
    })
}

/// Patterns that Go and Rust read alike, as far as texts of ASCII tell.
fn shared_pattern() -> impl Strategy<Value = String> {
    let atom = proptest::sample::select(vec![
        "a",
        "b",
        "0",
        "\\.",
        ".",
        "[a-c]",
        "[^ab]",
        "[0-9_]",
        "[[:alpha:]]",
        "[^[:digit:]]",
        "\\d",
        "\\D",
        "\\w",
        "\\W",
        "\\s",
        "\\pL",
        "\\x61",
        "\\n",
        "(?i:b)",
        "(?i)a",
        "(?s:.)",
        "(?m:^b$)",
        "^",
        "$",
        "\\A",
        "\\z",
        "\\b",
        "\\B",
        "",
    ]);
    let count =
        proptest::sample::select(vec!["", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??", "{0,2}?"]);
    // Not `{0}`: Rust does not count the groups below it, Go does.
    atom.prop_map(str::to_owned).prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => inner.clone().prop_map(|inner| format!("({inner})")),
            2 => (inner, count.clone()).prop_map(|(inner, count)| format!("(?:{inner}){count}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_translated_pattern_agrees_with_the_original_where_both_languages_do(
        pattern in shared_pattern(),
        texts in proptest::collection::vec("[abcAB01 _.\n-]{0,8}", 8),
    ) {
        let (ours, original) = (Pattern::new(&pattern).unwrap(), Regex::new(&pattern).unwrap());
        for text in &texts {
            let groups = |captures: regex::Captures<'_>| {
                captures.iter().map(|group| group.map(|group| group.range())).collect::<Vec<_>>()
            };
            let expected = original.captures(text).map(groups);
            prop_assert_eq!(&found(&ours, text), &expected, "{} on {:?}", pattern, text);
            prop_assert_eq!(&found_by_threads(&ours, text), &expected, "{} on {:?}", pattern, text);
            prop_assert_eq!(ours.threads.is_match(text), expected.is_some(), "{} on {:?}", pattern, text);
        }
    }

    #[test]
    fn loop_engine_and_threads_find_the_same(
        pieces in proptest::collection::vec(piece(), 0..5),
        anchors in (any::<bool>(), any::<bool>()),
        texts in proptest::collection::vec("[ab01.é\n-]{0,8}", 8),
    ) {
        let pattern = format!(
            "{}{}{}", if anchors.0 { "^" } else { "" }, pieces.concat(), if anchors.1 { "$" } else { "" }
        );
        let compiled = Pattern::new(&pattern).unwrap();
        for text in &texts {
            let by_engine = found_by_engine(&compiled, text);
            prop_assert_eq!(&found(&compiled, text), &by_engine, "{} on {:?}", pattern, text);
            prop_assert_eq!(&found_by_threads(&compiled, text), &by_engine, "{} on {:?}", pattern, text);
            prop_assert_eq!(compiled.is_match(text), by_engine.is_some(), "{} on {:?}", pattern, text);
        }
    }

    #[test]
    fn no_pattern_upsets_the_translator(pattern in any::<String>()) {
        let _ = Pattern::new(&pattern);
    }

    #[test]
    fn what_go_takes_rust_takes(pattern in r"[ab01(){}\[\]?*+|^$.:\\PpLdDQEimsU<>,&~-]{0,24}") {
        if let Ok(compiled) = Pattern::new(&pattern) {
            prop_assert!(compiled.engine.is_some(), "{}", pattern);
        }
    }
}
