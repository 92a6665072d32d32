//! How long the files source takes over a large tree: 10,000 files, 100 MB, of which 400 hold Flux's objects.

use std::fs;
use std::path::Path;

use divan::Bencher;
use supercargo::source::files::{SourceFile, parse, read_work_tree};

fn main() {
    divan::main();
}

const FILES: usize = 10_000;
const SIZE: usize = 10_000;
/// One file in so many holds a repository and a policy.
const FLUX: usize = 25;

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_tree(bencher: Bencher<'_, '_>) {
    let folder = tree();
    bencher.bench_local(|| read_work_tree(folder.path()).map(|tree| tree.files.len()));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn parse_objects(bencher: Bencher<'_, '_>) {
    let files: Vec<_> = (0..FILES).step_by(FLUX).map(file).collect();
    bencher.bench_local(|| parse(&files, "flux-system").inventory.policies.len());
}

/// Every file of a tree names the group, so that every document of it has to be parsed.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn parse_ten_megabytes_of_helm_releases(bencher: Bencher<'_, '_>) {
    let release = |index: usize| {
        let text = format!("apiVersion: helm.toolkit.fluxcd.io/v2\n{}", deployment(index));
        SourceFile { path: format!("{index}.yaml"), bytes: text.into_bytes() }
    };
    let files: Vec<_> = (0..FILES / 10).map(release).collect();
    bencher.bench_local(|| parse(&files, "flux-system").inventory.problems.len());
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap_or_else(|error| fail(&error));
    for index in 0..FILES {
        let file = file(index);
        let path = folder.path().join(&file.path);
        let parent = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, &file.bytes))
            .unwrap_or_else(|error| fail(&error));
    }
    folder
}

#[expect(clippy::panic, reason = "a benchmark without its tree measures nothing")]
fn fail(error: &std::io::Error) -> ! {
    panic!("making the tree: {error}")
}

fn file(index: usize) -> SourceFile {
    let text = if index.is_multiple_of(FLUX) { objects(index) } else { deployment(index) };
    SourceFile { path: format!("apps/team-{}/app-{index}.yaml", index % 100), bytes: text.into_bytes() }
}

fn objects(index: usize) -> String {
    format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: app-{index}\nspec:\n  image: \
         registry.example.com/app-{index}\n  interval: 5m\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: \
         ImagePolicy\nmetadata:\n  name: app-{index}\nspec:\n  imageRepositoryRef:\n    name: app-{index}\n  policy:\n    \
         semver:\n      range: '>=1.0.0'\n"
    )
}

fn deployment(index: usize) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{index}\nspec:\n  containers:\n"
    );
    let mut container = 0;
    while text.len() < SIZE {
        let part = format!(
            "  - name: c{container}\n    image: registry.example.com/app-{index}:1.2.{container}\n    env:\n    - name: \
             TOKEN\n      valueFrom:\n        secretKeyRef: {{name: app-{index}, key: token}}\n"
        );
        text.push_str(&part);
        container += 1;
    }
    text
}
