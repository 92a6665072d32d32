//! What `lint` says of a work tree, of the commits that a plan stands on.
//!
//! The files that automations write are read for the plan. All others of their repositories, and images without a marker in
//! any of them, are looked for in a step of its own: every file has to be looked into, and nothing that is planned waits.

use std::collections::BTreeMap;

use super::{Engine, Scans, Selections, World, walk};
use crate::domain::lint::{self, Known, Survey, Tree};
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::problem::Problem;

impl Engine {
    /// What is wrong with the files that `grounds` stand on, with policies and automations; of the files around those, what
    /// `trees` tell.
    pub fn survey(
        &self,
        world: &World,
        (grounds, trees): (&[Ground], &[Tree]),
        (selections, scans): (&Selections, &Scans),
        failed: &BTreeMap<ObjectId, Problem>,
    ) -> Survey {
        let known = Known {
            scan_problems: failed.iter().collect(),
            paths: paths(grounds),
            ..self.known(selections, scans)
        };
        lint::survey(grounds, trees, &lint::World::new(&world.inventory, &known))
    }

    /// All files of each commit that one of `grounds` stands on, looked through. What cannot be read is left out: whoever
    /// compares is told of it.
    pub fn look_through(&self, world: &World, grounds: &[Ground]) -> Vec<Tree> {
        let known = Known { paths: paths(grounds), ..Known::default() };
        let objects = lint::World::new(&world.inventory, &known);
        let mut each: BTreeMap<_, &Ground> = BTreeMap::new();
        for ground in grounds {
            each.entry((&ground.remote, ground.stands_on())).or_insert(ground);
        }
        each.into_values().filter_map(|ground| self.tree(world, (ground, grounds), &objects).ok()).collect()
    }

    /// All files of the commit that `ground` stands on.
    fn tree(
        &self,
        world: &World,
        (ground, grounds): (&Ground, &[Ground]),
        objects: &lint::World,
    ) -> Result<Tree, Problem> {
        let peers = grounds.iter().filter(|peer| peer.remote == ground.remote);
        let peers: Vec<&ObjectId> = peers.map(|peer| &peer.automation).collect();
        let look = |file: &str, bytes: &[u8]| lint::look(file, bytes, objects, &peers);
        let commit = ground.stands_on().map(|(_, commit)| commit);
        let found = match commit {
            Some(commit) => {
                let cache = self.cache_of(world, ground)?;
                let look = |file: &str, _mode, bytes: &[u8]| look(file, bytes);
                cache.read_tree_as(commit, lint::may_mean_markers, look).map_err(Problem::from)?
            }
            None => walk::files(&world.root.clone().unwrap_or_default(), lint::may_mean_markers, &look)?,
        };
        let (remote, commit) = (ground.remote.clone(), commit.map(str::to_owned));
        let mut tree = Tree { remote, commit, ..Tree::default() };
        for report in found {
            tree.add(report);
        }
        Ok(tree)
    }
}

/// Where automations write, the links of their paths followed.
fn paths(grounds: &[Ground]) -> BTreeMap<&ObjectId, String> {
    grounds.iter().map(|ground| (&ground.automation, ground.path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Refresh, Settings, SourceChoice};
    use crate::domain::lint::{LintedMarker, Verdict};
    use crate::domain::object::Person;
    use crate::engine::tests::settings;
    use crate::git::init_bare;
    use crate::store::Dirs;

    const OBJECTS: &str = "apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: web, namespace: apps}
spec: {image: o/web, interval: 1m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: apps}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: '*'}}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: apps}
spec:
  interval: 1m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {email: f@example.com}}, push: {branch: main}}
  update: {path: ./deploy}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: apps}
spec: {interval: 1m, url: FLEET, ref: {branch: main}}
";

    const FILES: &[(&str, &str)] = &[
        ("deploy/a.yaml", "spec: {containers: [{image: o/web:1}, {image: 'postgres:16'}]}\n"),
        (
            "deploy/marked.yaml",
            "spec:\n  containers:\n  - image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n  - image: redis:7\n",
        ),
        ("deploy/meant.yaml", "spec:\n  containers:\n  - image: o/web:1 # {imagepolicy: apps:web}\n"),
        ("deploy/broken.yaml", "image: [\n"),
        ("deploy/guide.md", "spec: {containers: [{image: o/web:1}]}\n"),
        ("other/a.yaml", "spec: {containers: [{image: o/web:1}]}\n"),
        ("other/marked.yaml", "image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n"),
        ("other/broken.yaml", "image: [ # {\"$imagepolicy\": \"apps:web\"}\n"),
        ("deploy/bad.yaml", "image: [ # {\"$imagepolicy\": \"apps:web\"}\n"),
        ("deploy/hidden.yaml", "image: o/web:1 # {\"\\u0024imagepolicy\": \"apps:web\"}\n"),
        ("deploy/large.YAML", "image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n"),
        ("deploy/end.yaml", "a: 1\n...\nimage: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n"),
    ];

    #[tokio::test]
    async fn all_files_of_an_automation_are_looked_through_and_the_answer_is_that_of_lint() {
        let dir = tempfile::tempdir().unwrap();
        let (remote, objects) = (dir.path().join("fleet.git"), dir.path().join("objects"));
        let author = Person { name: "ci".into(), email: "ci@example.com".into() };
        let files: Vec<_> =
            FILES.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        init_bare(&remote, "main", (&author, 1_700_000_000), &files).unwrap();
        fs::create_dir(&objects).unwrap();
        fs::write(objects.join("o.yaml"), OBJECTS.replace("FLEET", &format!("file://{}", remote.display())))
            .unwrap();
        let files = Some(objects.to_string_lossy().into_owned());
        let engine = Engine::open_in(
            Settings { files, source: SourceChoice::Files, ..settings() },
            &Dirs::below(&dir.path().join("home")),
        )
        .unwrap();
        let world = engine.load().await.unwrap();
        let (grounds, problems) =
            engine.grounds(&world, Refresh::Auto, &crate::domain::branch::Onto::Push).await.unwrap();
        assert_eq!((grounds.len(), problems), (1, vec![]));

        let trees = engine.look_through(&world, &grounds);
        let unmarked = lint::unmarked_below(&grounds, &trees);
        let images = &unmarked[&ObjectId::new("apps", "all")];
        let named: Vec<_> =
            images.iter().map(|image| format!("{}:{} {}", image.file, image.line, image.image)).collect();
        assert_eq!(
            named,
            ["deploy/a.yaml:1 o/web:1", "deploy/a.yaml:1 postgres:16", "deploy/marked.yaml:4 redis:7"]
        );

        let none = BTreeMap::new();
        let survey = engine.survey(&world, (&grounds, &trees), (&BTreeMap::new(), &BTreeMap::new()), &none);
        let known = Known { paths: paths(&grounds), ..Known::default() };
        let mut files: Vec<_> = FILES.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        files.sort_unstable();
        let report = lint::lint(&files, &lint::World::new(&world.inventory, &known), 1);
        assert_eq!(report.unmarked[..3], **images);
        let elsewhere = lint::unmarked_elsewhere(&grounds, &trees);
        assert_eq!(elsewhere.values().flatten().cloned().collect::<Vec<_>>(), report.unmarked[3..]);
        // What waits for a scan is no fault of the marker.
        let wrong =
            |marker: &&LintedMarker| marker.verdict.is_problem() && marker.verdict != Verdict::NoLatest;
        let mut told: Vec<_> = survey.markers.iter().collect();
        told.sort_by_key(|marker| (&marker.file, marker.line));
        assert_eq!(told, report.markers.iter().filter(wrong).collect::<Vec<_>>());
        assert_eq!(told.len(), 5, "{told:?}");
        let mut bad: Vec<_> = survey.files.iter().map(|file| file.file.as_str()).collect();
        bad.extend(grounds[0].problem_files.iter().map(|file| file.path.as_str()));
        bad.sort_unstable();
        assert_eq!(bad, report.files.iter().map(|file| file.file.as_str()).collect::<Vec<_>>());
        assert_eq!(bad, ["deploy/bad.yaml", "other/broken.yaml"]);
        assert_eq!(survey.chains.values().cloned().collect::<Vec<_>>(), report.broken_chains);

        let alone = engine.survey(&world, (&grounds, &[]), (&BTreeMap::new(), &BTreeMap::new()), &none);
        assert_eq!((alone.markers.len(), alone.files.len()), (1, 0), "until all files were looked through");
    }
}
