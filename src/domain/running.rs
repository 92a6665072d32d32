//! Which images the workloads of a cluster run, by the name of the image: whether a tag is in use there.

use std::collections::BTreeMap;
use std::fmt;

use super::object::ObjectId;
use super::proposal::ObjectIdentity;
use super::reference::{ImageName, parse_reference};
use crate::problem::Problem;

/// What makes pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Such as `Deployment`.
    pub kind: &'static str,
    /// Its name.
    pub id: ObjectId,
}

impl Workload {
    /// Whether a file describes it so; the namespace may come from elsewhere.
    fn is(&self, object: &ObjectIdentity) -> bool {
        object.kind == self.kind
            && object.name == self.id.name
            && (object.namespace.is_empty() || object.namespace == self.id.namespace)
    }
}

impl fmt::Display for Workload {
    /// `Deployment shop/api`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// What one workload runs of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The tag, `latest` where nothing is said, or the digest where only that is.
    pub tag: String,
    /// Who runs it.
    pub workload: Workload,
}

/// The images that are running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// By the image's canonical name, in the order of tags and workloads.
    images: BTreeMap<String, Vec<Use>>,
    /// Why some or all workloads are not known.
    pub unread: Vec<Problem>,
}

impl Running {
    /// Notes that a workload runs `image`, as its pod's containers name it; what is no image is passed over.
    pub fn add(&mut self, image: &str, workload: &Workload) {
        let Ok(parsed) = parse_reference(image) else { return };
        let Some(name) = canonical(&parsed.name) else { return };
        let tag = parsed.tag.or(parsed.digest).unwrap_or_else(|| "latest".to_owned());
        let one = Use { tag, workload: workload.clone() };
        let uses = self.images.entry(name).or_default();
        if let Err(place) = uses.binary_search(&one) {
            uses.insert(place, one);
        }
    }

    /// Who runs an image, by tag; `image` as an `ImageRepository` names it.
    pub fn of_image(&self, image: &str) -> &[Use] {
        let uses = canonical(image).and_then(|name| self.images.get(&name));
        uses.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether some workload runs this tag of an image.
    pub fn has(&self, image: &str, tag: &str) -> bool {
        self.of_image(image).iter().any(|one| one.tag == tag)
    }

    /// Who runs an image in one of `objects`, which files describe; where none of these is there (a name may be made when files
    /// are applied), all that run the image.
    pub fn in_objects(&self, image: &str, objects: &[&ObjectIdentity]) -> Vec<&Use> {
        let all = self.of_image(image);
        let described = |one: &&Use| objects.iter().any(|object| one.workload.is(object));
        let own: Vec<&Use> = all.iter().filter(described).collect();
        if own.is_empty() { all.iter().collect() } else { own }
    }
}

/// The tags of some uses, each once, such as `6.5.3, 6.5.4`.
pub fn tags(uses: &[&Use]) -> String {
    let mut tags: Vec<&str> = uses.iter().map(|one| short(&one.tag)).collect();
    tags.dedup();
    tags.join(", ")
}

/// A digest is cut to what tells it from others.
fn short(tag: &str) -> &str {
    if tag.contains(':') { tag.get(..19).unwrap_or(tag) } else { tag }
}

fn canonical(image: &str) -> Option<String> {
    ImageName::parse(image, false).ok().map(|name| name.canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(kind: &'static str, namespace: &str, name: &str) -> Workload {
        Workload { kind, id: ObjectId::new(namespace, name) }
    }

    fn fleet() -> Running {
        let mut running = Running::default();
        running.add("reg.example.com:5000/web:1.2.0", &workload("Deployment", "shop", "web"));
        running.add("reg.example.com:5000/web:1.2.0", &workload("Deployment", "shop", "web"));
        running.add("reg.example.com:5000/web:1.1.0", &workload("CronJob", "edge", "web"));
        running.add("nginx", &workload("DaemonSet", "edge", "front"));
        let digest = format!("docker.io/library/nginx@sha256:{}", "a".repeat(64));
        running.add(&digest, &workload("DaemonSet", "edge", "back"));
        running.add("NO image", &workload("Deployment", "shop", "odd"));
        running
    }

    #[test]
    fn an_image_is_the_same_however_its_name_is_written() {
        let running = fleet();
        assert!(
            running.has("reg.example.com:5000/web", "1.2.0")
                && !running.has("reg.example.com:5000/web", "1.3.0")
        );
        let nginx: Vec<&Use> = running.of_image("nginx").iter().collect();
        assert_eq!(tags(&nginx), "latest, sha256:aaaaaaaaaaaa");
        assert_eq!(running.of_image("docker.io/library/nginx").len(), 2);
        assert_eq!(running.of_image("other"), []);
    }

    #[test]
    fn of_an_update_the_workloads_that_its_files_describe_count_before_the_others() {
        let running = fleet();
        let of = |kind: &str, namespace: &str| {
            let object = ObjectIdentity {
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: "web".to_owned(),
                ..ObjectIdentity::default()
            };
            tags(&running.in_objects("reg.example.com:5000/web", &[&object]))
        };
        assert_eq!(of("Deployment", "shop"), "1.2.0");
        assert_eq!(of("CronJob", ""), "1.1.0");
        assert_eq!(of("Kustomization", ""), "1.1.0, 1.2.0");
        assert_eq!(of("Deployment", "edge"), "1.1.0, 1.2.0");
    }
}
