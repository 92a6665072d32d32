//! `git.push.refspec` of an automation: what else is pushed once its branch is there.

use super::branch;

/// What is pushed, and where to: full names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refspec {
    /// Such as `refs/heads/image-updates`, or `HEAD` for the commit that was just pushed.
    pub from: String,
    /// Such as `refs/for/main`.
    pub to: String,
    /// Whether it asks to overwrite what is there; nobody does.
    pub forces: bool,
}

impl Refspec {
    /// Reads a refspec; a short name is a branch's, and without `:` both sides are the same.
    ///
    /// # Errors
    /// It removes something, stands for several references, or names what Git takes for none; one sentence.
    ///
    /// Source: git/git:Documentation/pull-fetch-param.adoc, git-push(1).
    pub fn parse(text: &str) -> Result<Self, String> {
        let plain = text.strip_prefix('+');
        let (from, to) = plain.unwrap_or(text).split_once(':').unwrap_or((plain.unwrap_or(text), ""));
        if from.is_empty() {
            return Err(format!("the refspec {text:?} would remove {to:?}, and nothing here removes"));
        }
        let to = if to.is_empty() { from } else { to };
        for side in [from, to].into_iter().filter(|side| *side != "HEAD") {
            if let Some(defect) = branch::defect(side) {
                return Err(format!("the refspec {text:?} names no reference: {defect}"));
            }
        }
        if to == "HEAD" {
            return Err(format!("the refspec {text:?} pushes to HEAD, which is not said to be a branch"));
        }
        Ok(Self { from: full_name(from), to: full_name(to), forces: plain.is_some() })
    }
}

/// The full name of a branch or of what has one: the inverse of [`short_name`].
pub fn full_name(name: &str) -> String {
    if name == "HEAD" || name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") }
}

/// A reference as people call it: a branch by its name, unless that could be taken for a full one.
pub fn short_name(reference: &str) -> &str {
    let branch = reference.strip_prefix("refs/heads/");
    branch.filter(|name| *name != "HEAD" && !name.starts_with("refs/")).unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_full_names_and_nothing_is_removed_or_forced() {
        let sides = |text: &str| Refspec::parse(text).map(|spec| (spec.from, spec.to, spec.forces));
        let made = |from: &str, to: &str, forces| Ok((from.to_owned(), to.to_owned(), forces));
        assert_eq!(sides("auto:refs/for/main"), made("refs/heads/auto", "refs/for/main", false));
        assert_eq!(sides("+refs/heads/main:auto"), made("refs/heads/main", "refs/heads/auto", true));
        assert_eq!(sides("HEAD:main"), made("HEAD", "refs/heads/main", false));
        assert_eq!(sides("auto"), made("refs/heads/auto", "refs/heads/auto", false));
        for wrong in [":main", "", "+:main", "refs/heads/*:refs/heads/*", "a b:c", "a:b:c", "main:HEAD"] {
            assert!(sides(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_short_name_leads_back_to_its_reference() {
        let names = [
            ("refs/heads/release/9", "release/9"),
            ("refs/for/main", "refs/for/main"),
            ("refs/heads/refs/heads/main", "refs/heads/refs/heads/main"),
        ];
        for (reference, short) in names {
            assert_eq!(short_name(reference), short);
            assert_eq!(full_name(short), reference);
        }
    }
}
