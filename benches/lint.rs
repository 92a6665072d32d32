//! What the findings of the screen cost on a monorepo: 20,000 markers, 1,000 policies, the files parsed already:
//! `cargo bench --bench lint`.

#![expect(clippy::expect_used, reason = "a benchmark fails loudly")]

#[path = "support/monorepo.rs"]
mod monorepo;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use divan::Bencher;
use supercargo::domain::inventory::Inventory;
use supercargo::domain::lint::{Known, Outcome, World, lint, survey};
use supercargo::domain::object::{ObjectId, Person};
use supercargo::domain::plan::{Committing, Ground, MarkedFile};
use supercargo::source::files::{SourceFile, parse};

fn main() {
    divan::main();
}

/// The objects behind the markers: a repository and a policy each, one automation for all.
fn inventory() -> Inventory {
    let mut text = String::from(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\nspec: {url: \
         'https://git.example.com/fleet.git', ref: {branch: main}}\n---\napiVersion: \
         image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\nmetadata: {name: all}\nspec: {interval: 1m, \
         sourceRef: {name: fleet}, git: {commit: {author: {email: f@example.com}}}, update: {path: ./clusters}}\n",
    );
    for (id, latest) in monorepo::policies(monorepo::FULL) {
        let (name, image) = (&id.name, &latest.image);
        let _ = write!(
            text,
            "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: {name}}}\nspec: \
             {{image: {image}, interval: 1m}}\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: \
             ImagePolicy\nmetadata: {{name: {name}}}\nspec: {{imageRepositoryRef: {{name: {name}}}, policy: {{semver: \
             {{range: '*'}}}}}}\n"
        );
    }
    let files = [SourceFile { path: "objects.yaml".to_owned(), bytes: text.into_bytes() }];
    parse(&files, "flux-system").inventory
}

/// What every policy selects.
fn outcomes() -> BTreeMap<ObjectId, Outcome> {
    monorepo::policies(monorepo::FULL).into_iter().map(|(id, latest)| (id, Ok(latest))).collect()
}

fn known(outcomes: &BTreeMap<ObjectId, Outcome>) -> Known<'_> {
    let tags = outcomes.keys().map(|id| (id, 100)).collect();
    Known { outcomes: outcomes.iter().collect(), tags, ..Known::default() }
}

fn ground() -> Ground {
    let files = monorepo::files(monorepo::FULL).into_iter();
    let files = files.map(|(path, text)| MarkedFile::read(path, text).expect("the tree is valid"));
    Ground {
        automation: ObjectId::new("flux-system", "all"),
        policies: outcomes().into_keys().collect(),
        path: "clusters".to_owned(),
        remote: None,
        base: None,
        push: None,
        author: Person::default(),
        committing: Committing::default(),
        template: String::new(),
        template_values: None,
        warnings: Vec::new(),
        files: files.filter(|file| !file.sites.is_empty()).collect::<Vec<_>>().into(),
        problem_files: Vec::new(),
        texts: BTreeMap::new(),
    }
}

/// Policies and automations alone.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn world_of_1000_policies(bencher: Bencher<'_, '_>) {
    let (inventory, outcomes) = (inventory(), outcomes());
    bencher.bench_local(|| World::new(&inventory, &known(&outcomes)));
}

/// All that the screen computes when updates were compared anew.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn survey_of_20000_markers(bencher: Bencher<'_, '_>) {
    let (inventory, outcomes, grounds) = (inventory(), outcomes(), [ground()]);
    bencher.bench_local(|| {
        let found = survey(&grounds, &[], &World::new(&inventory, &known(&outcomes)));
        let unused = found.chains.values().all(|chain| chain.status == "unused");
        assert!(unused && found.markers.is_empty(), "whatever a marker names arrives");
    });
}

/// `lint` without reading the disk: 100 MB are parsed on two threads.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn lint_of_10000_files(bencher: Bencher<'_, '_>) {
    let (inventory, outcomes, files) = (inventory(), outcomes(), monorepo::files(monorepo::FULL));
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
    let world = World::new(&inventory, &known(&outcomes));
    bencher.bench_local(|| lint(&files, &world, 2).markers.len());
}
