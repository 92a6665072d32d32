//! Names of branches: what Git takes for one, so that a slip of the keyboard is found before anything is planned on it;
//! and names that differ from update to update.

use std::fmt;

use super::freeze::Frozen;
use super::object::ObjectId;
use super::refspec::short_name;

/// Why `name` cannot be a branch; `None` if it can.
///
/// Source: git/git:refs.c, `check_refname_format`; builtin/branch.c for the leading dash and `HEAD`.
pub fn defect(name: &str) -> Option<&'static str> {
    let is_forbidden =
        |c: char| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let parts = || name.split('/');
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.chars().any(is_forbidden) || name.contains("@{") {
        return Some("it holds a blank or one of ~ ^ : ? * [ \\ @{");
    }
    if name.contains("..") || name.ends_with('.') || parts().any(|part| part.starts_with('.')) {
        return Some("a point stands where Git allows none");
    }
    if parts().any(|part| part.is_empty() || part.strip_suffix(".lock").is_some()) {
        return Some("a part of it is empty or ends in .lock");
    }
    (name.starts_with('-') || name == "@" || name == "HEAD").then_some("Git means something else by it")
}

/// The branch that is meant by what was typed: `refs/heads/x` is `x`, as where git is told what to push.
///
/// # Errors
/// Why it can be no branch; half a sentence.
pub fn named(text: &str) -> Result<&str, &'static str> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    if name.starts_with("refs/") {
        return Err("it is the full name of what is no branch");
    }
    defect(name).map_or(Ok(name), Err)
}

/// Whether the name differs from update to update.
pub fn is_template(name: &str) -> bool {
    name.contains(['{', '}'])
}

/// Where commits go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Onto {
    /// To the branch that each automation pushes to.
    #[default]
    Push,
    /// To the branch that each automation reads.
    Checkout,
    /// To the branch of this name; with placeholders, each update to its own.
    Named(String),
}

impl Onto {
    /// The branch for a review that every plan gets anew.
    pub const REVIEW: &str = "supercargo/{automation}-{plan}";

    /// Whether each update gets a branch of its own.
    pub fn is_template(&self) -> bool {
        matches!(self, Self::Named(name) if ["{policy}", "{tag}"].iter().any(|word| name.contains(word)))
    }

    /// The branch that is given, if one is.
    pub fn named(name: Option<String>) -> Self {
        name.map_or(Self::Push, Self::Named)
    }
}

/// Where commits go, and how many they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// The branch.
    pub onto: Onto,
    /// Whether each policy gets a commit of its own.
    pub split: bool,
}

/// What the placeholders of a branch's name stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// `{policy}`.
    pub policy: &'a str,
    /// `{tag}`.
    pub tag: &'a str,
    /// `{automation}`.
    pub automation: &'a str,
    /// `{plan}`: the id of the plan, as it is for the automations' own branches.
    pub plan: &'a str,
}

/// The name of the branch for one update: `template` with its placeholders filled in. What Git takes in no name becomes a
/// dash.
///
/// # Errors
/// Another placeholder, or a name that is none all the same; one sentence.
pub fn expand(template: &str, names: Names<'_>) -> Result<String, String> {
    let mut name = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').ok_or("a brace has no partner")?;
        let value = match word {
            "policy" => names.policy,
            "tag" => names.tag,
            "automation" => names.automation,
            "plan" => names.plan,
            _ => {
                return Err(format!(
                    "{{{word}}} is no placeholder; {{policy}}, {{tag}}, {{automation}} and {{plan}} are"
                ));
            }
        };
        name.extend([before, &part(value)]);
        rest = after;
    }
    name.push_str(rest);
    if rest.contains('}') {
        return Err("a brace has no partner".to_owned());
    }
    let branch = named(&name).map(str::to_owned);
    branch.map_err(|defect| format!("{name:?} cannot be a branch: {defect}"))
}

/// The template that gives each update its branch, of which `made` has at least one; `None`: none that is made of policy, tag
/// and automation does.
pub fn template_of(made: &[(Names<'_>, &str)]) -> Option<String> {
    let (names, branch) = made.first()?;
    let words = [("{tag}", names.tag), ("{policy}", names.policy), ("{automation}", names.automation)];
    // The one that leaves out least comes first.
    let candidates = (1..1_u8 << words.len()).rev().map(|chosen| {
        let chosen = words.iter().enumerate().filter(|(n, _)| chosen & (1 << n) != 0);
        chosen.fold((*branch).to_owned(), |name, (_, (word, value))| {
            let value = part(value);
            if value.is_empty() { name } else { name.replacen(&value, word, 1) }
        })
    });
    let fits = |template: &String| {
        made.iter().all(|(names, branch)| expand(template, *names).is_ok_and(|name| name == *branch))
    };
    candidates.into_iter().find(fits)
}

/// Why `template` can be no branch, whatever it is filled with; `None`: it can.
pub fn template_defect(template: &str) -> Option<String> {
    let names = Names { policy: "policy", tag: "1.0.0", automation: "automation", plan: "7f3c9a01b2c4" };
    expand(template, names).err()
}

/// A branch whose name has to be confirmed before anything is pushed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// Its name.
    pub branch: String,
    /// Why.
    pub why: Guard,
}

/// Why the name of a branch has to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Pushes are frozen.
    Frozen(Frozen),
    /// The configuration says so.
    Configured,
    /// An automation reads it, as clusters do.
    Read,
    /// An automation that is active in the cluster pushes to it.
    Active(ObjectId),
    /// Whether one does could not be read, for this reason.
    Unread(String),
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frozen(frozen) => frozen.fmt(f),
            Self::Configured => f.write_str("it is one of protected_branches"),
            Self::Read => f.write_str("an automation reads this branch, and clusters follow it"),
            Self::Active(automation) => {
                write!(f, "automation {automation}, which is active in the cluster, pushes to it")
            }
            Self::Unread(why) => {
                write!(
                    f,
                    "nobody knows whether an automation that is active in the cluster pushes to it: {why}"
                )
            }
        }
    }
}

/// Whether `branch` is one of those whose names have to be typed before anything is pushed to them: a pattern is a name,
/// or a beginning followed by `*`.
pub fn is_protected(patterns: &[String], branch: &str) -> bool {
    patterns.iter().map(|pattern| short_name(pattern)).any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => branch.starts_with(beginning),
        None => pattern == branch,
    })
}

/// A value as a part of a name.
fn part(value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut part: String = value.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    while part.contains("..") {
        part = part.replace("..", ".-");
    }
    if let Some(stem) = part.strip_suffix(".lock") {
        part = format!("{stem}-lock");
    }
    let inner = part.trim_start_matches('.');
    let inner = format!("{}{inner}", "-".repeat(part.len() - inner.len()));
    let stem = inner.trim_end_matches('.');
    format!("{stem}{}", "-".repeat(inner.len() - stem.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_branches_is_found_again() {
        let names = |policy, tag| Names { policy, tag, automation: "apps", plan: "7f3c9a01b2c4" };
        let updates = [names("web", "1.2.0"), names("db", "8.0+1"), names("x", "x")];
        for template in
            ["x/{policy}/{tag}", "{policy}-{tag}", "up/{policy}", "{automation}/{tag}", "up/{tag}"]
        {
            let branches = updates.map(|names| expand(template, names).unwrap());
            let made: Vec<_> = updates.into_iter().zip(branches.iter().map(String::as_str)).collect();
            let found = template_of(&made).unwrap();
            assert_eq!(updates.map(|names| expand(&found, names).unwrap()), branches, "{template} {found}");
        }
        assert_eq!(template_of(&[(updates[0], "web/1.2.0"), (updates[1], "other")]), None);
        assert_eq!(template_of(&[]), None);
    }

    #[test]
    fn what_git_refuses_is_no_branch() {
        for name in ["main", "image-updates", "release/1.2", "ümlaut", "a@b", "updates/{policy}"] {
            assert_eq!(defect(name), None, "{name}");
        }
        let refused = [
            "",
            "bad branch",
            "a/../b",
            "a..b",
            ".a",
            "a/.b",
            "a.",
            "a//b",
            "/a",
            "a/",
            "a.lock",
            "a.lock/b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "a@{1}",
            "@",
            "-x",
            "HEAD",
            "a\u{7f}",
            "a\nb",
        ];
        for name in refused {
            assert!(defect(name).is_some(), "{name:?}");
        }
    }

    fn filled(template: &str, tag: &str) -> Result<String, String> {
        expand(template, Names { policy: "web", tag, automation: "apps", plan: "7f3c9a01b2c4" })
    }

    #[test]
    fn the_full_name_of_a_branch_is_the_branch_and_that_of_anything_else_is_none() {
        assert_eq!((named("x/y"), named("refs/heads/x/y")), (Ok("x/y"), Ok("x/y")));
        for wrong in ["refs/tags/v1", "refs/heads/refs/heads/x", "refs/heads/", "refs/heads/a..b", ""] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        assert_eq!(filled("refs/heads/updates/{policy}", "1").as_deref(), Ok("updates/web"));
    }

    #[test]
    fn placeholders_are_filled_with_what_git_takes() {
        assert_eq!(filled("updates/{policy}-{tag}", "1.2.0").as_deref(), Ok("updates/web-1.2.0"));
        assert_eq!(filled("plain", "1").as_deref(), Ok("plain"));
        assert_eq!(filled(Onto::REVIEW, "1").as_deref(), Ok("supercargo/apps-7f3c9a01b2c4"));
        for (tag, name) in [("v1..2", "u/v1.-2"), ("1.", "u/1-"), ("x.lock", "u/x-lock"), (".x", "u/-x")] {
            assert_eq!(filled("u/{tag}", tag).as_deref(), Ok(name), "{tag}");
        }
        for wrong in ["{name}", "{policy", "policy}", "{policy}}", "{policy}..{tag}"] {
            assert!(filled(wrong, "1").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_protects_a_name_or_all_that_begin_like_it() {
        let patterns = ["main".to_owned(), "release/*".to_owned()];
        for (branch, is) in [("main", true), ("maint", false), ("release/1.2", true), ("release", false)] {
            assert_eq!(is_protected(&patterns, branch), is, "{branch}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_filled_name_is_one(policy in "[a-z0-9.-]{1,20}", tag in "[A-Za-z0-9_.+@{}~ -]{1,20}") {
            let names = Names { policy: &policy, tag: &tag, automation: &policy, plan: "7f3c9a01b2c4" };
            let name = expand("updates/{policy}/{tag}", names);
            proptest::prop_assert!(name.is_ok(), "{:?}", name);
        }
    }
}
