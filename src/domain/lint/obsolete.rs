//! Objects written in a version that Flux no longer serves, with the line to write instead.
//!
//! Source: fluxcd/image-reflector-controller and fluxcd/image-automation-controller, `config/crd/bases` and changelogs.

use serde::Serialize;

use crate::problem::{Code, Problem};

/// An object in an obsolete version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obsolete {
    /// The file.
    pub file: String,
    /// The line of its `apiVersion`, from 1.
    pub line: usize,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The version, such as `v1beta2`.
    pub version: String,
    /// What became of the version.
    pub message: String,
    /// The line as it should read.
    pub fix: String,
}

/// API group, kinds, and the version that is served.
const SERVED: &[(&str, &[&str], &str)] = &[
    ("image.toolkit.fluxcd.io", &["ImageRepository", "ImagePolicy", "ImageUpdateAutomation"], "v1"),
    ("source.toolkit.fluxcd.io", &["GitRepository"], "v1"),
    ("kustomize.toolkit.fluxcd.io", &["Kustomization"], "v1"),
];

/// Since when a version of the image objects is gone.
const GONE: &[(&str, &str)] = &[
    ("v1alpha1", "long ago"),
    ("v1alpha2", "long ago"),
    ("v1beta1", "in Flux 2.7"),
    ("v1beta2", "in Flux 2.9"),
];

impl Obsolete {
    /// The object `name` of `kind` whose `apiVersion` stands at `line` (from 1) of `text`, if that version is obsolete.
    pub fn of(
        api_version: &str,
        kind: &str,
        name: &str,
        (file, text, line): (&str, &str, usize),
    ) -> Option<Self> {
        let (group, version) = api_version.split_once('/')?;
        let (_, _, served) = SERVED.iter().find(|(of, kinds, _)| *of == group && kinds.contains(&kind))?;
        if !["v1alpha", "v1beta"].iter().any(|early| version.starts_with(early)) {
            return None;
        }
        let old = text.lines().nth(line.checked_sub(1)?)?;
        Some(Self {
            file: file.to_owned(),
            line,
            kind: kind.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            message: message(group, version, served),
            fix: old.replacen(api_version, &format!("{group}/{served}"), 1),
        })
    }
}

impl From<&Obsolete> for Problem {
    fn from(object: &Obsolete) -> Self {
        let place = format!("{}:{}", object.file, object.line);
        let message = format!("{} {}: {}", object.kind, object.name, object.message);
        Self::new(Code::Skipped, place, message).hint(format!("Write `{}`.", object.fix.trim()))
    }
}

fn message(group: &str, version: &str, served: &str) -> String {
    let gone = GONE.iter().find(|(of, _)| *of == version && group.starts_with("image."));
    match gone {
        Some((_, when)) => format!("{group}/{version} was removed {when}; {served} is served"),
        None => format!("{group}/{version} is obsolete; {served} is served"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(line: &str, api_version: &str, kind: &str) -> Option<String> {
        Obsolete::of(api_version, kind, "x", ("a.yaml", &format!("---\n{line}\n"), 2)).map(|found| found.fix)
    }

    #[test]
    fn the_line_keeps_all_but_the_version() {
        let old = "image.toolkit.fluxcd.io/v1beta2";
        for (line, expected) in [
            ("apiVersion: image.toolkit.fluxcd.io/v1beta2", "apiVersion: image.toolkit.fluxcd.io/v1"),
            (
                "  - apiVersion: 'image.toolkit.fluxcd.io/v1beta2' # old\r",
                "  - apiVersion: 'image.toolkit.fluxcd.io/v1' # old",
            ),
        ] {
            assert_eq!(fix(line, old, "ImagePolicy").as_deref(), Some(expected));
        }
    }

    #[test]
    fn only_early_versions_of_kinds_that_are_read_are_obsolete() {
        let is_old = |api_version, kind| fix(api_version, api_version, kind).is_some();
        assert!(is_old("image.toolkit.fluxcd.io/v1beta1", "ImageUpdateAutomation"));
        assert!(is_old("image.toolkit.fluxcd.io/v1alpha2", "ImagePolicy"));
        assert!(is_old("source.toolkit.fluxcd.io/v1beta2", "GitRepository"));
        assert!(is_old("kustomize.toolkit.fluxcd.io/v1beta1", "Kustomization"));
        assert!(!is_old("image.toolkit.fluxcd.io/v1", "ImagePolicy"));
        assert!(!is_old("source.toolkit.fluxcd.io/v1beta2", "OCIRepository"));
        assert!(!is_old("kustomize.config.k8s.io/v1beta1", "Kustomization"));
    }

    #[test]
    fn it_is_said_when_an_image_version_went() {
        let found = |version: &str| message("image.toolkit.fluxcd.io", version, "v1");
        assert_eq!(found("v1beta1"), "image.toolkit.fluxcd.io/v1beta1 was removed in Flux 2.7; v1 is served");
        assert!(found("v1beta2").contains("in Flux 2.9"));
        assert!(message("source.toolkit.fluxcd.io", "v1beta2", "v1").contains("is obsolete"));
    }
}
