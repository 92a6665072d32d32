//! What the verdicts about a few small repositories are.

use super::*;
use crate::domain::object::{DEFAULT_EXCLUSION, OrderChoice, SemverChoice};
use crate::domain::tags::TagList;
use proptest::prelude::*;

fn semver(range: &str) -> PolicyChoice {
    PolicyChoice { semver: Some(SemverChoice { range: range.to_owned() }), ..PolicyChoice::default() }
}

fn numerical(order: &str) -> PolicyChoice {
    let numerical = Some(OrderChoice { order: order.to_owned() });
    PolicyChoice { numerical, ..PolicyChoice::default() }
}

fn alphabetical(order: &str) -> PolicyChoice {
    let alphabetical = Some(OrderChoice { order: order.to_owned() });
    PolicyChoice { alphabetical, ..PolicyChoice::default() }
}

fn filter(pattern: &str, extract: &str) -> TagFilter {
    TagFilter { pattern: pattern.to_owned(), extract: extract.to_owned() }
}

fn builds() -> (Evaluator, TagList) {
    let filter = filter("^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$", "$ts");
    let evaluator = Evaluator::new(&numerical("asc"), Some(&filter), &[DEFAULT_EXCLUSION.to_owned()]);
    let tags = [
        "main-9b1d3e7-1763805600",
        "main-0aa11b2-1763700000",
        "main-0aa11b3-1763700000",
        "main-9b1d3e7-dirty",
        "v2.14.0",
        "sha256-77aa.sig",
        "1.0\u{1b}[31m.0",
    ];
    (evaluator, tags.into_iter().collect())
}

fn row(evaluator: &Evaluator, tags: &TagList, tag: &str) -> TagRow {
    evaluator.row(tags, &evaluator.evaluate(tags), tags.position(tag).unwrap())
}

#[test]
fn every_tag_has_a_state_and_a_reason() {
    let (evaluator, tags) = builds();
    for (tag, state, reason) in [
        ("main-9b1d3e7-1763805600", TagState::Latest, "selected: greatest of 2 candidates"),
        ("main-0aa11b2-1763700000", TagState::Match, "candidate; 1763805600 is greater"),
        (
            "main-0aa11b3-1763700000",
            TagState::Collide,
            "extracts \"1763700000\", as does main-0aa11b2-1763700000, which the controller keeps: the smallest in bytes",
        ),
        (
            "main-9b1d3e7-dirty",
            TagState::Filter,
            "pattern \"^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$\" does not match; it fits up to \"main-9b1d3e7-\" (column 13)",
        ),
        ("v2.14.0", TagState::Filter, "pattern \"^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$\" does not match"),
        ("sha256-77aa.sig", TagState::Exclude, "excluded by the default exclusionList \"^.*\\.sig$\""),
        (
            "1.0\u{1b}[31m.0",
            TagState::Invalid,
            "not a valid tag: byte 0x1B at position 4; can never be selected",
        ),
    ] {
        let row = row(&evaluator, &tags, tag);
        assert_eq!((row.state, row.reason.as_str()), (state, reason), "{tag}");
    }
    let row = row(&evaluator, &tags, "main-9b1d3e7-1763805600");
    assert_eq!((row.matched, row.extracts.first().cloned()), (Some(0..23), Some(13..23)));
    assert_eq!(row.value.as_deref(), Some("1763805600"));
}

#[test]
fn counts_and_order_follow_the_states() {
    let (evaluator, tags) = builds();
    let evaluation = evaluator.evaluate(&tags);
    let expected = Counts {
        tags: 7,
        candidates: 2,
        exclude: 1,
        filter: 2,
        collide: 1,
        range: 0,
        unparsed: 0,
        invalid: 1,
    };
    assert_eq!(evaluation.counts, expected);
    let order = evaluator.order(&tags, &evaluation);
    let shown: Vec<&str> = order.iter().filter_map(|index| tags.get(*index as usize)).collect();
    assert_eq!(shown[..3], ["main-9b1d3e7-1763805600", "main-0aa11b2-1763700000", "main-0aa11b3-1763700000"]);
    assert_eq!(shown[3..], ["v2.14.0", "sha256-77aa.sig", "main-9b1d3e7-dirty", "1.0\u{1b}[31m.0"]);
    assert_eq!(evaluator.why(&evaluation), "greatest of 2 candidates");
}

#[test]
fn many_candidates_are_counted_as_everywhere() {
    let choice = PolicyChoice { alphabetical: Some(OrderChoice::default()), ..PolicyChoice::default() };
    let evaluator = Evaluator::new(&choice, None, &[]);
    let tags: Vec<String> = (0..11_111).map(|at| format!("{at:05}")).collect();
    let evaluation = evaluator.evaluate(&tags.iter().map(String::as_str).collect());
    assert_eq!(evaluator.why(&evaluation), "greatest of 11 111 candidates");
}

#[test]
fn versions_say_what_they_lack() {
    let evaluator = Evaluator::new(&semver("6.x"), None, &[]);
    let tags: TagList =
        ["6.6.1", "v6.6.1", "6.5.0", "7.0.0", "6.7.0-rc.1", "16.4", "latest"].into_iter().collect();
    for (tag, reason) in [
        ("v6.6.1", "selected: greatest of 2 candidates"),
        ("6.6.1", "equal to v6.6.1; the controller takes that one"),
        ("6.5.0", "candidate; v6.6.1 is greater"),
        ("7.0.0", "7.0.0 is outside \"6.x\""),
        ("6.7.0-rc.1", "6.7.0-rc.1 is a pre-release; the range admits none (\">=6.0.0-0 <7.0.0-0\" would)"),
        ("16.4", "not a version: \"16.4\" has 2 dot-separated parts, Flux needs 3"),
        ("latest", "not a version: \"latest\" has 1 dot-separated part, Flux needs 3"),
    ] {
        assert_eq!(row(&evaluator, &tags, tag).reason, reason, "{tag}");
    }
    let evaluation = evaluator.evaluate(&tags);
    assert!(evaluation.tie && !evaluation.random, "equal, but without a filter Flux walks a list");
}

#[test]
fn a_tie_behind_a_filter_is_told_with_the_selection() {
    let (evaluator, _) = builds();
    let why = |tags: &[&str]| {
        let tags: TagList = tags.iter().copied().collect();
        evaluator.why(&evaluator.evaluate(&tags))
    };
    let tied = why(&["main-bbb2222-1700000100", "main-ccc3333-01700000100", "main-ddd4444-1600000000"]);
    assert_eq!(tied, "greatest of 2 candidates; a tie: a controller may take another that ranks the same");
    let plain = why(&["main-bbb2222-1700000100", "main-ccc3333-1600000000", "main-ddd4444-1600000000"]);
    assert_eq!(plain, "greatest of 2 candidates", "what ties further down does not matter");
    let shared = why(&["main-bbb2222-1700000100", "main-ccc3333-1700000100", "main-ddd4444-1600000000"]);
    assert_eq!(shared, "greatest of 2 candidates", "of tags that share a value one is kept for certain");
}

#[test]
fn the_fix_for_an_excluded_tag_leaves_a_list_that_is_not_the_default_again() {
    let tags: TagList = ["1.0.0.sig"].into_iter().collect();
    let fix = |list: &[&str]| {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let evaluator = Evaluator::new(&semver("*"), None, &list);
        evaluator.explain(&tags, &evaluator.evaluate(&tags), 0).fix.unwrap()
    };
    let none = "give the ImageRepository an exclusionList that excludes no tag, such as [\"^$\"]";
    assert_eq!((fix(&[DEFAULT_EXCLUSION]).as_str(), fix(&["sig"]).as_str()), (none, none));
    assert_eq!(fix(&["x", "sig"]), "give the ImageRepository an exclusionList without rule 1");
}

#[test]
fn an_explanation_stops_where_the_tag_does() {
    let evaluator = Evaluator::new(&semver("6.x"), None, &[DEFAULT_EXCLUSION.to_owned()]);
    let tags: TagList = ["6.6.1", "6.7.0-rc.1"].into_iter().collect();
    let evaluation = evaluator.evaluate(&tags);
    let steps =
        |explanation: &Explanation| explanation.steps.iter().map(|step| step.step).collect::<Vec<_>>();
    let rejected = evaluator.explain(&tags, &evaluation, tags.position("6.7.0-rc.1").unwrap());
    assert_eq!(steps(&rejected), ["excluded", "valid", "pattern", "extract", "parse", "range"]);
    assert_eq!(rejected.steps[0].text, "exclusionList has 1 rule, none matches");
    let last = rejected.steps.last().unwrap();
    assert_eq!(
        (last.answer.as_str(), last.text.as_str()),
        ("no", "6.7.0-rc.1 is a pre-release; the range admits none")
    );
    assert_eq!(rejected.fix.as_deref(), Some("use the range \">=6.0.0-0 <7.0.0-0\""));
    let selected = evaluator.explain(&tags, &evaluation, tags.position("6.6.1").unwrap());
    assert_eq!(
        steps(&selected),
        ["excluded", "valid", "pattern", "extract", "parse", "range", "order", "held"]
    );
    assert!(selected.selected);
}

#[test]
fn one_tag_that_is_no_number_fails_the_whole_policy() {
    let evaluator = Evaluator::new(&numerical("asc"), None, &[]);
    let tags: TagList = ["1", "2", "12a"].into_iter().collect();
    let evaluation = evaluator.evaluate(&tags);
    assert_eq!(evaluation.error.unwrap().text, "failed to parse invalid numeric value '12a'");
    assert_eq!(row(&evaluator, &tags, "12a").reason, "not a number: \"12a\"; this fails the WHOLE policy");
    assert_eq!(row(&evaluator, &tags, "2").reason, "candidate; the policy fails, so nothing is selected");
}

#[test]
fn many_tags_that_several_threads_share_are_judged_as_few_are() {
    // Every third is filtered out; of the others each value is another, and is made of two parts.
    let numbers = 0..60_000_u32;
    let tag = |number: u32| {
        let end = if number.is_multiple_of(3) { "-dev" } else { "" };
        format!("v{number}-{}{end}", number * 7919 % 60_013)
    };
    let tags: TagList = numbers.clone().map(tag).collect();
    assert!(tags.len() > SHARED);
    let filter =
        TagFilter { pattern: "^v(?P<i>[0-9]+)-(?P<j>[0-9]+)$".to_owned(), extract: "$j.$i".to_owned() };
    let evaluation = Evaluator::new(&numerical("asc"), Some(&filter), &[]).evaluate(&tags);
    let best = numbers.filter(|number| !number.is_multiple_of(3)).max_by_key(|number| number * 7919 % 60_013);
    assert_eq!(evaluation.latest.and_then(|latest| tags.get(latest)), best.map(tag).as_deref());
    let counts = evaluation.counts;
    assert_eq!(
        (counts.candidates, counts.filter, counts.collide, evaluation.tie),
        (40_000, 20_000, 0, false)
    );
}

#[test]
fn a_selected_tag_that_no_registry_can_have_is_recognisable() {
    let tags: TagList = ["1.2.3", "1.2.4+build"].into_iter().collect();
    let evaluation = Evaluator::new(&semver("1.x"), None, &[]).evaluate(&tags);
    assert_eq!(evaluation.latest, tags.position("1.2.4+build"));
    assert!(!evaluation.latest_is_valid);
    assert_eq!(evaluation.counts.invalid, 1);
}

#[test]
fn steps_are_named_by_the_policy_s_own_order() {
    let versions = Evaluator::new(&semver("*"), None, &[]);
    for (old, new, step) in [
        ("1.2.3", "2.0.0", Step::Major),
        ("1.2.3", "1.3.0", Step::Minor),
        ("1.2.3", "1.2.4", Step::Patch),
        ("1.2.3-rc.1", "1.2.3", Step::Pre),
        ("1.2.3", "1.2.2", Step::Down),
        ("latest", "1.2.2", Step::Build),
        ("1.2.3", "1.2.3", Step::Digest),
    ] {
        assert_eq!(versions.step(old, new), step, "{old} to {new}");
    }
    let (builds, _) = builds();
    assert_eq!(builds.step("main-aaaaaaa-2", "main-bbbbbbb-10"), Step::Build);
    assert_eq!(builds.step("main-aaaaaaa-10", "main-bbbbbbb-2"), Step::Down);
    assert_eq!(Evaluator::new(&alphabetical("desc"), None, &[]).step("b", "a"), Step::Build);
}

#[test]
fn an_order_is_put_in_upper_case_character_by_character() {
    for (order, upper) in
        [("aſc", None), ("\u{1f80}ŉß", Some("\u{1f88}ŉß")), ("\u{1fb3}ǆé", Some("\u{1fbc}ǄÉ"))]
    {
        let error =
            Evaluator::new(&alphabetical(order), None, &[]).evaluate(&["a"].into_iter().collect()).error;
        let text = upper.map(|upper| {
            format!("invalid policy: invalid order argument provided: '{upper}', must be one of: ASC, DESC")
        });
        assert_eq!(error.map(|error| error.text), text, "{order}");
    }
}

fn policy() -> impl Strategy<Value = (PolicyChoice, Option<TagFilter>)> {
    let choice = prop_oneof![
        prop_oneof![Just("1.x"), Just(">=0.0.0-0"), Just("*")].prop_map(semver),
        prop_oneof![Just("asc"), Just("desc")].prop_map(numerical),
        prop_oneof![Just("asc"), Just("desc")].prop_map(alphabetical),
    ];
    let filters = prop_oneof![
        Just(None),
        Just(Some(filter("^[v0-9.]+$", ""))),
        Just(Some(filter("([0-9]+)", "$1"))),
        Just(Some(filter("^v?(.*)$", "$1"))),
        Just(Some(filter("^([0-9]).*([0-9])$", "$1.$2.0"))),
    ];
    (choice, filters)
}

proptest! {
    #[test]
    fn a_verdict_depends_on_the_tags_and_not_on_their_order(
        (choice, filter) in policy(),
        tags in proptest::collection::vec("v?[0-2](\\.[0-2]){0,2}(-[ab01])?|nan|x", 0..12),
    ) {
        let evaluator = Evaluator::new(&choice, filter.as_ref(), &[]);
        let mut shuffled = tags.clone();
        shuffled.reverse();
        shuffled.rotate_left(tags.len() / 2);
        let (list, other) = (TagList::from_unsorted(tags), TagList::from_unsorted(shuffled));
        let (left, right) = (evaluator.evaluate(&list), evaluator.evaluate(&other));
        prop_assert_eq!(left.latest, right.latest);
        prop_assert_eq!(&left.states, &right.states);
        prop_assert_eq!(left.latest.is_some(), left.error.is_none());
        prop_assert_eq!(left.counts.tags, list.len());
        let mut order = evaluator.order(&list, &left);
        prop_assert_eq!(order.first().map(|index| *index as usize).filter(|_| left.latest.is_some()), left.latest);
        order.sort_unstable();
        prop_assert!(order.iter().copied().eq(0..u32::try_from(list.len()).unwrap()));
        for index in 0..list.len() {
            prop_assert!(!evaluator.row(&list, &left, index).reason.is_empty());
            prop_assert!(!evaluator.explain(&list, &left, index).steps.is_empty());
        }
    }

    #[test]
    fn the_winner_passes_the_filter_and_is_no_worse_than_any_other(
        (choice, filter) in policy(),
        tags in proptest::collection::vec("v?[0-2](\\.[0-2]){0,2}(-[ab01])?", 1..12),
    ) {
        let evaluator = Evaluator::new(&choice, filter.as_ref(), &[]);
        let list = TagList::from_unsorted(tags);
        let evaluation = evaluator.evaluate(&list);
        let Some(latest) = evaluation.latest.and_then(|latest| list.get(latest)) else { return Ok(()) };
        prop_assert!(evaluator.values()(latest).is_some());
        for (index, state) in evaluation.states.iter().enumerate().filter(|(_, state)| **state == TagState::Match) {
            let tag = list.get(index).unwrap_or_default();
            prop_assert_ne!(evaluator.step(latest, tag), Step::Major, "{} {} {}", latest, tag, state);
            prop_assert_eq!(evaluator.step(tag, latest) == Step::Down, false, "{} {}", latest, tag);
        }
    }
}

#[test]
fn tags_enough_for_several_threads_are_judged_as_few_are() {
    let filter = filter("^([xy])-([0-9]+)$", "0$2");
    let evaluator = Evaluator::new(&numerical("asc"), Some(&filter), &[DEFAULT_EXCLUSION.to_owned()]);
    let strange = ["q.sig".to_owned(), "-z".to_owned(), "a b".to_owned()];
    let tags: TagList =
        (0..10_000).flat_map(|n| [format!("x-{n}"), format!("y-{n}")]).chain(strange).collect();
    let evaluation = evaluator.evaluate(&tags);
    assert_eq!(evaluation.latest.and_then(|latest| tags.get(latest)), Some("x-9999"));
    let Counts { candidates, collide, exclude, invalid, .. } = evaluation.counts;
    assert_eq!((candidates, collide, exclude, invalid), (10_000, 10_000, 1, 2));
    for n in [0, 77, 9_999] {
        let kept = evaluation.collides_with(tags.position(&format!("y-{n}")).unwrap());
        assert_eq!(kept, tags.position(&format!("x-{n}")));
    }
}

#[test]
fn what_extract_makes_of_all_tags_is_bounded() {
    let evaluator =
        |count: usize| Evaluator::new(&alphabetical("asc"), Some(&filter(".*", &"$0".repeat(count))), &[]);
    let tags: TagList = (0..2_000)
        .map(|number| format!("{number:0>128}"))
        .collect::<Vec<_>>()
        .iter()
        .map(String::as_str)
        .collect();
    let found = evaluator(100_000).evaluate(&tags);
    assert_eq!(found.latest, None);
    let error = found.error.unwrap();
    assert_eq!(error.kind, PolicyErrorKind::Filter);
    assert_eq!(error.text, "failed to filter tags: extract makes more than 67108864 bytes of them");
    assert_eq!(evaluator(100).evaluate(&tags).latest, tags.position(&format!("{:0>128}", 1_999)));
}
