//! What it costs to judge a hundred thousand tags: `cargo bench --bench policy`.
//!
//! The tags are made by arithmetic, so that every run and every machine has the same.

use divan::Bencher;
use supercargo::domain::object::{OrderChoice, PolicyChoice, SemverChoice, TagFilter};
use supercargo::domain::policy::Evaluator;
use supercargo::domain::tags::TagList;

const TAGS: u64 = 100_000;

fn main() {
    divan::main();
}

/// A number that looks random, the same for the same `n`.
fn scatter(n: u64) -> u64 {
    let mixed = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (mixed >> 31)
}

/// `main-SHA7-UNIXTIME`.
fn builds() -> TagList {
    (0..TAGS).map(|n| format!("main-{:07x}-{}", scatter(n) & 0x0fff_ffff, 1_600_000_000 + n * 61)).collect()
}

/// `X.Y.Z`, one in ten with a pre-release.
fn versions() -> TagList {
    (0..TAGS)
        .map(|n| {
            let pre = if n % 10 == 0 { format!("-rc.{}", n % 7) } else { String::new() };
            format!("{}.{}.{}{pre}", n / 2500, n / 50 % 50, n % 50)
        })
        .collect()
}

fn numerical(pattern: &str) -> Evaluator {
    let choice = PolicyChoice { numerical: Some(OrderChoice::default()), ..PolicyChoice::default() };
    let filter = TagFilter { pattern: pattern.to_owned(), extract: "$ts".to_owned() };
    Evaluator::new(&choice, Some(&filter), &[r"^.*\.sig$".to_owned()])
}

fn semver() -> Evaluator {
    let semver = Some(SemverChoice { range: ">=1.2 <40".to_owned() });
    Evaluator::new(&PolicyChoice { semver, ..PolicyChoice::default() }, None, &[r"^.*\.sig$".to_owned()])
}

/// The pattern that Flux's guide uses, with and without an end.
#[divan::bench(args = ["^main-[a-f0-9]+-(?P<ts>[0-9]+)", "^main-[a-f0-9]{7}-(?P<ts>[0-9]+)$"])]
fn filter_extract_numerical(bencher: Bencher, pattern: &str) {
    let (tags, evaluator) = (builds(), numerical(pattern));
    bencher.bench(|| evaluator.evaluate(&tags));
}

/// A pattern that needs the full engine: what is before the number may contain dashes.
#[divan::bench]
fn filter_extract_numerical_by_engine(bencher: Bencher) {
    let (tags, evaluator) = (builds(), numerical("^.+-(?P<ts>[0-9]+)$"));
    bencher.bench(|| evaluator.evaluate(&tags));
}

#[divan::bench]
fn versions_in_a_range(bencher: Bencher) {
    let (tags, evaluator) = (versions(), semver());
    bencher.bench(|| evaluator.evaluate(&tags));
}

#[divan::bench]
fn order_of_all_rows(bencher: Bencher) {
    let (tags, evaluator) = (builds(), numerical("^main-[a-f0-9]+-(?P<ts>[0-9]+)"));
    let evaluation = evaluator.evaluate(&tags);
    bencher.bench(|| evaluator.order(&tags, &evaluation));
}

/// Reading a registry's list into the packed form.
#[divan::bench]
fn pack(bencher: Bencher) {
    let tags: Vec<String> = builds().iter().map(str::to_owned).collect();
    bencher.with_inputs(|| tags.clone()).bench_values(TagList::from_unsorted);
}
