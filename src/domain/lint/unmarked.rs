//! Images of containers that have no marker, and what to do if they are to be updated.

use serde::Serialize;

use super::world::World;
use crate::domain::manifest::{self, Manifest};
use crate::domain::marker;
use crate::domain::object::ObjectId;
use crate::problem::{Code, Problem};
use crate::text::count;

/// A container's image without a marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmarked {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The image.
    pub image: String,
    /// What to do, if it is to be updated.
    pub fix: String,
    /// The policies for it; with one, nothing but the marker is missing.
    #[serde(skip)]
    pub policies: Vec<ObjectId>,
}

impl Unmarked {
    /// Whether it wants nothing but the marker of one of `policies`. A name without tag and digest does not: kustomize sets those.
    pub fn wants_marker_of(&self, policies: &[ObjectId]) -> bool {
        self.has_version() && self.policies.iter().any(|policy| policies.contains(policy))
    }

    /// Whether there is a tag or a digest.
    fn has_version(&self) -> bool {
        name_of(&self.image) != self.image
    }
}

/// Whether the key that images have stands anywhere.
pub(super) fn may_have_image(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"image").is_some()
}

/// So many images are named where they are all one problem.
const NAMED: usize = 12;

/// What is to be said of those `images` that want nothing but the marker, as `automation` has a policy for each among its
/// `policies`; `None` if there is no such image.
pub fn forgotten(automation: &ObjectId, policies: &[ObjectId], images: &[Unmarked]) -> Option<Problem> {
    let forgotten: Vec<&Unmarked> = images.iter().filter(|image| image.wants_marker_of(policies)).collect();
    let message = match forgotten.len() {
        0 => return None,
        1 => "1 image has a policy and no marker".to_owned(),
        several => format!("{} have policies and no markers", count(several, "image")),
    };
    let hint = "Put markers behind those that are to be updated; what is pinned on purpose may stay.";
    Some(naming(&forgotten, Problem::new(Code::Skipped, automation.to_string(), message).hint(hint)))
}

/// What is to be said of the `images` without a marker that lie in `repository` outside of the paths of all its automations;
/// `None` if there are none.
pub fn outside(repository: &str, images: &[Unmarked]) -> Option<Problem> {
    let (wanting, others): (Vec<&Unmarked>, _) =
        images.iter().partition(|image| image.has_version() && !image.policies.is_empty());
    let verb = match images.len() {
        0 => return None,
        1 => "has",
        _ => "have",
    };
    let although = match wanting.len() {
        0 => String::new(),
        wanting => format!(", {wanting} of them although a policy is for it"),
    };
    let images = count(images.len(), "image");
    let message = format!("{images} outside of the paths of all automations {verb} no marker{although}");
    let hint =
        "What is to be updated needs a marker, and an automation whose `spec.update.path` leads there.";
    let problem = Problem::new(Code::Skipped, repository, message).hint(hint);
    Some(naming(&[wanting, others].concat(), problem))
}

/// The problem with the first of `images` as its causes.
fn naming(images: &[&Unmarked], problem: Problem) -> Problem {
    let name = |image: &&Unmarked| format!("{}:{}: {}. {}", image.file, image.line, image.image, image.fix);
    let mut causes: Vec<String> = images.iter().take(NAMED).map(name).collect();
    let rest = images.len().saturating_sub(NAMED);
    if rest > 0 {
        causes.push(format!("and {rest} more: `supercargo lint --strict` names each"));
    }
    causes.into_iter().fold(problem, Problem::cause)
}

impl World {
    /// The images of `manifest` without a marker; one with a comment that means to be a marker is told by that.
    pub(super) fn unmarked(&self, file: &str, manifest: &Manifest<'_>) -> Vec<Unmarked> {
        let is_told = |line: usize| manifest.strays().any(|stray| stray.line == line);
        let images = manifest.images().filter(|image| !is_told(image.line));
        let unmarked = |image: &manifest::Image| {
            let policies = self.policies_of(&image.image);
            Unmarked {
                file: file.to_owned(),
                line: image.line,
                image: image.image.clone(),
                fix: fix(policies),
                policies: policies.to_vec(),
            }
        };
        images.map(unmarked).collect()
    }

    /// The policies for the image of a reference.
    fn policies_of(&self, image: &str) -> &[ObjectId] {
        self.images.get(name_of(image)).map_or(&[], Vec::as_slice)
    }
}

/// A reference without its tag and digest.
fn name_of(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    // A colon behind the last slash begins the tag; one before it the port.
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

fn fix(policies: &[ObjectId]) -> String {
    match policies {
        [] => "Give it an ImageRepository, an ImagePolicy and a marker, if it is to be updated.".to_owned(),
        [policy] => {
            let marker = marker::text_of(&format!("{}:{}", policy.namespace, policy.name));
            format!("Put `# {marker}` behind it.")
        }
        several => {
            let names = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("Put the marker of one of its policies behind it: {names}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_want_nothing_but_a_marker_are_one_problem() {
        let (automation, web) = (ObjectId::new("apps", "all"), ObjectId::new("apps", "web"));
        let image = |line: usize, policies: &[&ObjectId]| Unmarked {
            file: "a.yaml".to_owned(),
            line,
            image: "o/web:1".to_owned(),
            fix: "Put it there.".to_owned(),
            policies: policies.iter().copied().cloned().collect(),
        };
        let own = std::slice::from_ref(&web);
        let says = |images: &[Unmarked]| forgotten(&automation, own, images).map(|problem| problem.message);
        assert_eq!(says(&[]), None);
        let others = ObjectId::new("shop", "web");
        assert_eq!(says(&[image(1, &[]), image(2, &[&others])]), None, "the automation has no policy for it");
        let one = says(&[image(1, &[]), image(2, &[&others, &web])]);
        assert_eq!(one.as_deref(), Some("1 image has a policy and no marker"));
        let bare = Unmarked { image: "r:5000/o/web".to_owned(), ..image(1, &[&web]) };
        assert_eq!(says(&[bare]), None, "kustomize sets its tag");
        let many: Vec<Unmarked> = (1..=20).map(|line| image(line, &[&web])).collect();
        let problem = forgotten(&automation, own, &many).unwrap();
        assert_eq!((problem.subject.as_str(), problem.causes.len()), ("apps/all", NAMED + 1));
        assert_eq!(problem.message, "20 images have policies and no markers");
        assert_eq!(problem.causes[0], "a.yaml:1: o/web:1. Put it there.");
        assert_eq!(problem.causes[NAMED], "and 8 more: `supercargo lint --strict` names each");

        assert_eq!(outside("fleet", &[]), None);
        let problem = outside("fleet", &[image(1, &[]), image(2, &[&web])]).unwrap();
        let message = "2 images outside of the paths of all automations have no marker, 1 of them although a policy is for it";
        assert_eq!((problem.subject.as_str(), problem.message.as_str()), ("fleet", message));
        assert_eq!(problem.causes[0], "a.yaml:2: o/web:1. Put it there.", "first what a policy is for");
    }
}
