//! Find every marker of a monorepo and rewrite all of them, on all cores: `cargo bench --bench rewrite`.
//!
//! `MONOREPO_OUT=DIR cargo bench --bench rewrite` writes the tree to DIR instead, to time other programs on it.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark fails loudly")]

#[path = "support/monorepo.rs"]
mod monorepo;

use std::fs;
use std::path::Path;

use divan::counter::BytesCount;
use supercargo::domain::manifest::Manifest;
use supercargo::domain::setrun::{self, Tree};
use supercargo::domain::setter::Setters;

fn main() {
    if let Some(out) = std::env::var_os("MONOREPO_OUT") {
        write(Path::new(&out));
    } else {
        divan::main();
    }
}

fn write(out: &Path) {
    for (path, text) in monorepo::files(monorepo::FULL) {
        let file = out.join(path);
        fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(file, text).expect("the file can be written");
    }
    println!("{}", out.display());
}

fn setters(size: monorepo::Size) -> Setters {
    let policies = monorepo::policies(size);
    Setters::new(policies.iter().map(|(id, latest)| (id, Some(latest)))).expect("the policies are good")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The row of the performance table: screen, find, rewrite and verify all, in memory.
#[divan::bench(sample_count = 5)]
fn rewrite_all(bencher: divan::Bencher<'_, '_>) {
    let files = monorepo::files(monorepo::FULL);
    let setters = setters(monorepo::FULL);
    let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
    bencher.counter(BytesCount::new(files.iter().map(|(_, text)| text.len()).sum::<usize>())).bench(|| {
        let outcome = setrun::run(&tree, "", &setters, cores()).expect("the path is there");
        assert_eq!((outcome.files.len(), outcome.updates.len()), (6_000, 20_000));
        outcome
    });
}

/// The same when nothing has to change: what every start costs.
#[divan::bench(sample_count = 5)]
fn find_all(bencher: divan::Bencher<'_, '_>) {
    let files = monorepo::files(monorepo::FULL);
    let none = Setters::default();
    let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
    bencher.bench(|| setrun::run(&tree, "", &none, cores()).expect("the path is there"));
}

/// One file of each kind, for the cost of the parser alone.
#[divan::bench(args = [0, 3])]
fn parse_one(bencher: divan::Bencher<'_, '_>, number: usize) {
    let files = monorepo::files(monorepo::Size { files: 4, ..monorepo::FULL });
    let text = &files.get(number).expect("there are four").1;
    bencher.counter(BytesCount::new(text.len())).bench(|| Manifest::parse(text).expect("it is good"));
}
