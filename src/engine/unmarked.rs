//! Images without a marker in all files that automations read, also in those without any marker.
//!
//! It is what `lint` says of a work tree, of the commits that a plan stands on. Every file has to be looked into, so it is a
//! step of its own: nothing that is planned waits for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Engine, World, walk};
use crate::domain::inventory::is_below;
use crate::domain::lint::{self, Unmarked};
use crate::domain::manifest::is_yaml_name;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::problem::Problem;

impl Engine {
    /// The images without a marker below the path of each of `grounds`, by automation; automations that read the same share a
    /// list. What cannot be read is left out: whoever compares is told of it.
    pub fn unmarked(&self, world: &World, grounds: &[Ground]) -> BTreeMap<ObjectId, Arc<[Unmarked]>> {
        let objects = lint::World::new(&world.inventory, &lint::Known::default());
        let mut read: HashMap<_, Option<Arc<[Unmarked]>>> = HashMap::new();
        let mut found = BTreeMap::new();
        for ground in grounds {
            let place = (&ground.remote, ground.stands_on(), &ground.path);
            let images =
                read.entry(place).or_insert_with(|| self.unmarked_below(world, ground, &objects).ok());
            found.extend(images.clone().map(|images| (ground.automation.clone(), images)));
        }
        found
    }

    fn unmarked_below(
        &self,
        world: &World,
        ground: &Ground,
        objects: &lint::World,
    ) -> Result<Arc<[Unmarked]>, Problem> {
        let is_read = |file: &str| is_yaml_name(file) && is_below(file, &ground.path);
        let make = |file: &str, bytes: &[u8]| is_read(file).then(|| lint::unmarked(file, bytes, objects));
        let images = match ground.stands_on() {
            Some((_, commit)) => {
                let cache = self.cache_of(world, ground)?;
                cache
                    .read_tree_as(commit, is_read, |file, _, bytes| make(file, bytes))
                    .map_err(Problem::from)?
            }
            None => walk::files(&world.root.clone().unwrap_or_default(), &make)?,
        };
        Ok(images.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Refresh, Settings, SourceChoice};
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

        let found = engine.unmarked(&world, &grounds);
        let images = &found[&ObjectId::new("apps", "all")];
        let named: Vec<_> =
            images.iter().map(|image| format!("{}:{} {}", image.file, image.line, image.image)).collect();
        assert_eq!(
            named,
            ["deploy/a.yaml:1 o/web:1", "deploy/a.yaml:1 postgres:16", "deploy/marked.yaml:4 redis:7"]
        );
        let objects = lint::World::new(&world.inventory, &lint::Known::default());
        let files: Vec<_> = FILES.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        let mut report = lint::lint(&files, &objects, 1);
        report.retain_files(|file| file.starts_with("deploy/"));
        assert_eq!(report.unmarked, images.to_vec());
    }
}
