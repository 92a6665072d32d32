//! The fuzz targets of `fuzz/`, on any compiler and for a bounded time: on their seeds, on mutations of these, and on what
//! the generators make up. The targets of registries' answers, of the cache and of YAML's two readers need doors that
//! only a fuzzer and unit tests have; there they run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what cannot be read and what breaks a rule fails the test"
)]

#[path = "../fuzz/targets/constraint.rs"]
mod constraint;
#[path = "../fuzz/targets/manifest.rs"]
mod manifest;
#[path = "../fuzz/targets/marker.rs"]
mod marker;
#[path = "../fuzz/targets/plan.rs"]
mod plan;
#[path = "../fuzz/targets/policy.rs"]
mod policy;
#[path = "../fuzz/targets/reference.rs"]
mod reference;
#[path = "../fuzz/targets/regex.rs"]
mod regex;
mod support {
    pub mod generate;
}
#[path = "../fuzz/targets/template.rs"]
mod template;

use std::panic::catch_unwind;
use std::path::Path;

use support::generate::{self, Random, STRANGE};

/// Inputs for each target, and with `SUPERCARGO_LONG=1`.
const SAMPLE: usize = 1_000;
const LONG: usize = 50_000;

fn seeds(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<String> = files
        .iter()
        .map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned())
        .collect();
    assert!(!seeds.is_empty(), "{target} has seeds");
    seeds
}

/// A seed with a few changes, or two of them in one.
fn mutated(random: &mut Random, seeds: &[String]) -> String {
    let mut text = seeds[random.below(seeds.len())].clone();
    if random.one_in(4) {
        let other = &seeds[random.below(seeds.len())];
        let (head, tail) = (random.below(text.chars().count() + 1), random.below(other.chars().count() + 1));
        text = text.chars().take(head).chain(other.chars().skip(tail)).collect();
    }
    let characters = format!("{text}{STRANGE}\n\t {{}}[]()\"'\\#&*-:|>");
    for _ in 0..=random.below(6) {
        text = random.mutated(&text, &characters);
    }
    text
}

/// Runs a target on its seeds and on as many other inputs as are asked for.
fn fuzz(target: &str, make: impl Fn(&mut Random, &[String]) -> String, run: fn(&str)) {
    let seeds = seeds(target);
    let long = std::env::var("SUPERCARGO_LONG").is_ok_and(|value| value == "1");
    let inputs =
        (0..if long { LONG } else { SAMPLE }).map(|case| make(&mut Random::new(case as u64), &seeds));
    for input in seeds.iter().cloned().chain(inputs) {
        assert!(catch_unwind(|| run(&input)).is_ok(), "{target} fails on {input:?}");
    }
}

#[test]
fn ranges() {
    let make = |random: &mut Random, seeds: &[String]| {
        if random.one_in(2) {
            return mutated(random, seeds);
        }
        let versions = random.several(1, 6, generate::semver::version);
        format!("{}\n{}", generate::semver::range(random), versions.join("\n"))
    };
    fuzz("constraint", make, constraint::run);
}

#[test]
fn patterns() {
    let make = |random: &mut Random, seeds: &[String]| {
        if random.one_in(2) {
            return mutated(random, seeds);
        }
        let (pattern, sample) = generate::regex::pattern(random);
        [pattern, generate::regex::template(random), generate::regex::haystack(random, &sample)].join("\n")
    };
    fuzz("regex", make, regex::run);
}

#[test]
fn image_references() {
    let make = |random: &mut Random, seeds: &[String]| {
        if random.one_in(2) { mutated(random, seeds) } else { generate::reference::image(random) }
    };
    fuzz("reference", make, reference::run);
}

#[test]
fn markers() {
    fuzz("marker", mutated, marker::run);
}

#[test]
fn policies() {
    fuzz("policy", mutated, policy::run);
}

#[test]
fn yaml() {
    fuzz("manifest", mutated, manifest::run);
}

#[test]
fn templates() {
    fuzz("template", mutated, template::run);
}

#[test]
fn plans() {
    fuzz("plan", mutated, |text| plan::run(text.as_bytes()));
}

/// What cannot be read breaks no rule, so the seeds must be readable.
#[test]
fn seeds_of_plans_are_plans() {
    for seed in seeds("plan") {
        serde_json::from_str::<supercargo::domain::plan::Plan>(&seed).unwrap();
    }
}

/// A test that the runner notices a failure, without which none of the above could fail.
#[test]
#[should_panic(expected = "reference fails on")]
fn a_broken_rule_is_noticed() {
    fuzz("reference", mutated, |text| assert!(!text.contains('@'), "broken"));
}

#[test]
fn every_target_has_seeds_and_is_run_here_or_beside_what_it_reads() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets");
    let mut names: Vec<String> = std::fs::read_dir(targets)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let run = [
        "cache",
        "constraint",
        "manifest",
        "marker",
        "plan",
        "policy",
        "readers",
        "reference",
        "regex",
        "registry",
        "template",
    ];
    assert_eq!(names, run);
    assert!(run.iter().all(|target| !seeds(target).is_empty()));
}
