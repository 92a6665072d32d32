//! A link to what changed between two images, from what they say of the source they were built from.
//!
//! The link is built of checked parts alone: a label can say anything.

use std::collections::BTreeMap;

use super::forge::ForgeKind;
use super::metadata::Labels;

/// How a forge writes a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `…/compare/OLD...NEW`.
    GitHub,
    /// `…/-/compare/OLD...NEW`.
    GitLab,
}

/// Words in a host's name, and the form of the forge that goes by them. Gitea and Forgejo write as GitHub does.
const HOSTS: [(&str, Form); 5] = [
    ("github", Form::GitHub),
    ("gitlab", Form::GitLab),
    ("gitea", Form::GitHub),
    ("forgejo", Form::GitHub),
    ("codeberg", Form::GitHub),
];

/// The page on which a forge shows what came between two revisions.
///
/// `None` unless both images name the same repository, at a host that is one of the forges we know by the configuration's
/// `forges` or else by its name, and two different revisions.
///
/// Sources: docs.github.com "Comparing commits"; docs.gitlab.com "Compare revisions"; docs.gitea.com (routes).
pub fn link(old: &Labels, new: &Labels, forges: &BTreeMap<String, ForgeKind>) -> Option<String> {
    let (before, after) = (revision(old)?, revision(new)?);
    let place = repository(new.source.as_deref()?)?;
    if before == after || repository(old.source.as_deref()?)? != place {
        return None;
    }
    let (host, path) = place.split_once('/')?;
    let middle = match form(host, forges)? {
        Form::GitHub => "compare",
        Form::GitLab => "-/compare",
    };
    Some(format!("https://{host}/{path}/{middle}/{before}...{after}"))
}

/// How the forge at `host` writes a comparison; what was configured counts more than a name.
fn form(host: &str, forges: &BTreeMap<String, ForgeKind>) -> Option<Form> {
    match forges.get(host) {
        Some(ForgeKind::GitHub | ForgeKind::Gitea) => Some(Form::GitHub),
        Some(ForgeKind::GitLab) => Some(Form::GitLab),
        Some(ForgeKind::Bitbucket | ForgeKind::Azure | ForgeKind::None) => None,
        None => {
            let by_name = |(word, _): &&(&str, Form)| host.split(['.', '-']).any(|part| part == *word);
            HOSTS.iter().find(by_name).map(|(_, form)| *form)
        }
    }
}

/// A revision: hexadecimal digits of a commit, abbreviated or not.
fn revision(labels: &Labels) -> Option<&str> {
    let text = labels.revision.as_deref()?;
    let is_commit = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then_some(text)
}

/// `HOST/PATH` of a repository's address in one of the usual spellings, without user, port and `.git`.
fn repository(source: &str) -> Option<String> {
    let source = source.strip_prefix("git+").unwrap_or(source);
    let rest =
        ["https://", "http://", "ssh://", "git://"].iter().find_map(|scheme| source.strip_prefix(scheme));
    let (host, path) = match rest {
        Some(rest) => rest.split_once('/')?,
        // As ssh writes it: `git@HOST:PATH`.
        None => source.split_once('@')?.1.split_once(':')?,
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let path = path.split(['#', '?']).next()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'~');
    let parts = path.split('/');
    let leads_somewhere =
        parts.clone().count() >= 2 && parts.clone().all(|part| !matches!(part, "" | "." | ".."));
    let is_clean = host.contains('.') && host.bytes().all(is_host) && path.bytes().all(is_path);
    (is_clean && leads_somewhere).then(|| format!("{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(source: &str, revision: &str) -> Labels {
        Labels { source: Some(source.into()), revision: Some(revision.into()), version: None }
    }

    fn between(old: &str, new: &str) -> Option<String> {
        by_name(&labels(old, "4c1f0e2a"), &labels(new, "77ab0134"))
    }

    /// The link where nothing is configured.
    fn by_name(old: &Labels, new: &Labels) -> Option<String> {
        link(old, new, &BTreeMap::new())
    }

    #[test]
    fn what_is_configured_of_a_host_counts_more_than_its_name() {
        let of = |host: &str, kind| {
            let source = format!("https://{host}/a/b");
            let forges = BTreeMap::from([(host.to_owned(), kind)]);
            link(&labels(&source, "4c1f0e2a"), &labels(&source, "77ab0134"), &forges)
        };
        let written =
            |middle: &str| Some(format!("https://code.example.com/a/b/{middle}/4c1f0e2a...77ab0134"));
        assert_eq!(of("code.example.com", ForgeKind::Gitea), written("compare"));
        assert_eq!(of("code.example.com", ForgeKind::GitLab), written("-/compare"));
        assert_eq!(of("gitlab.example.com", ForgeKind::None), None);
    }

    #[test]
    fn each_forge_has_its_own_form() {
        for (source, wanted) in [
            (
                "https://github.com/acme/podinfo",
                "https://github.com/acme/podinfo/compare/4c1f0e2a...77ab0134",
            ),
            (
                "git@github.com:acme/podinfo.git",
                "https://github.com/acme/podinfo/compare/4c1f0e2a...77ab0134",
            ),
            (
                "https://gitlab.example.com/ops/shop/api.git",
                "https://gitlab.example.com/ops/shop/api/-/compare/4c1f0e2a...77ab0134",
            ),
            ("ssh://git@codeberg.org:22/a/b/", "https://codeberg.org/a/b/compare/4c1f0e2a...77ab0134"),
            (
                "git+https://gitea.example.com/a/b#main",
                "https://gitea.example.com/a/b/compare/4c1f0e2a...77ab0134",
            ),
        ] {
            assert_eq!(between(source, source).as_deref(), Some(wanted));
        }
        let mixed = between("git@github.com:acme/podinfo.git", "https://GitHub.com/acme/podinfo");
        assert!(mixed.is_some(), "spellings of one repository");
    }

    #[test]
    fn what_is_not_sure_is_no_link() {
        let github = "https://github.com/acme/podinfo";
        for (old, new) in [
            (github, "https://github.com/acme/other"),
            ("https://git.example.com/a/b", "https://git.example.com/a/b"),
            ("https://notgithub.com/a/b", "https://notgithub.com/a/b"),
            ("javascript:alert(1)//github.com/a/b", "javascript:alert(1)//github.com/a/b"),
            ("https://github.com/a/../../b", "https://github.com/a/../../b"),
            ("https://github.com/acme", "https://github.com/acme"),
            ("https://github.com/a b/c", "https://github.com/a b/c"),
            ("", ""),
        ] {
            assert_eq!(between(old, new), None, "{old} {new}");
        }
        for revision in ["main", "4c1f0e", "4c1f0e2a/../..", ""] {
            assert_eq!(by_name(&labels(github, revision), &labels(github, "77ab0134")), None, "{revision}");
        }
        assert_eq!(
            by_name(&labels(github, "77ab0134"), &labels(github, "77ab0134")),
            None,
            "nothing came between"
        );
        assert_eq!(by_name(&Labels::default(), &labels(github, "77ab0134")), None);
    }

    proptest::proptest! {
        #[test]
        fn a_link_leads_to_a_forge_and_holds_no_surprise(
            source in "(https://|ssh://git@|git@)?[a-z.:@/ -]{0,12}github[.]com[/:][a-zA-Z0-9./_~%?#@ -]{0,30}",
            old in "[0-9a-f]{6,12}", new in "[0-9a-f.]{6,12}",
        ) {
            if let Some(link) = by_name(&labels(&source, &old), &labels(&source, &new)) {
                proptest::prop_assert!(link.starts_with("https://"));
                proptest::prop_assert!(link.bytes().all(|b| b.is_ascii_graphic() && !b"@?#%\"'<>".contains(&b)));
                proptest::prop_assert!(!link.contains("/../"));
            }
        }
    }
}
