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
        Ok(Self { from: full(from), to: full(to), forces: plain.is_some() })
    }
}

fn full(name: &str) -> String {
    if name == "HEAD" || name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") }
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
        for wrong in [":main", "", "+:main", "refs/heads/*:refs/heads/*", "a b:c", "a:b:c"] {
            assert!(sides(wrong).is_err(), "{wrong}");
        }
    }
}
