//! Values of arguments that a typing error makes useless: refused before anything is read or asked.

/// A branch that Git would take, by its short or its full name.
pub(super) fn branch(name: &str) -> Result<String, String> {
    let named = crate::domain::branch::named(name).map(str::to_owned);
    named.map_err(|defect| format!("Git takes no such branch: {defect}"))
}

/// The branch of a push: a plan's placeholders are filled in already, and Git would take these for part of the name.
pub(super) fn whole_branch(name: &str) -> Result<String, String> {
    if crate::domain::branch::is_template(name) {
        return Err("placeholders are filled in when the plan is made: plan --branch".to_owned());
    }
    branch(name)
}

/// A branch that Git would take once its placeholders are filled in.
pub(super) fn branch_template(name: &str) -> Result<String, String> {
    match crate::domain::branch::template_defect(name) {
        Some(defect) => Err(defect),
        None => Ok(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()),
    }
}

/// A message that is not blank: Git makes no commit without one.
pub(super) fn message(text: &str) -> Result<String, String> {
    crate::domain::commit::message_defect(text)
        .map_or_else(|| Ok(text.to_owned()), |defect| Err(defect.to_owned()))
}

/// The reason of a hold, without blanks around it.
pub(super) fn reason(text: &str) -> Result<String, String> {
    crate::domain::hold::reason_defect(text)
        .map_or_else(|| Ok(text.trim().to_owned()), |defect| Err(defect.to_owned()))
}

/// A label of a request: a text that no forge takes for two.
pub(super) fn label(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() || name.contains(|c: char| c == ',' || c.is_control()) {
        return Err("a label is a text without a comma".to_owned());
    }
    Ok(name.to_owned())
}

/// A folder of a repository, without `./` before and `/` behind it; empty: the root.
pub(super) fn folder(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let is_odd =
        |part: &&str| *part == ".." || part.eq_ignore_ascii_case(".git") || part.contains(['\\', '\0']);
    if parts.iter().any(is_odd) {
        return Err("it is no folder inside the repository".to_owned());
    }
    Ok(parts.join("/"))
}

/// A part of a repository's name at a forge.
fn is_part(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.chars().all(is_plain) && !matches!(text, "." | "..")
}

/// A person, an organisation, or a group in groups.
pub(super) fn owner(text: &str) -> Result<String, String> {
    if text.split('/').all(is_part) { Ok(text.to_owned()) } else { Err("no owner is called so".to_owned()) }
}

/// The name of a repository, without its owner.
pub(super) fn repository(text: &str) -> Result<String, String> {
    let name = text.strip_suffix(".git").unwrap_or(text);
    if is_part(name) {
        return Ok(name.to_owned());
    }
    Err("no repository is called so; its owner is --owner".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    #[test]
    fn a_branch_message_hold_or_label_that_makes_no_sense_is_a_usage_error() {
        for arguments in [
            vec!["plan", "--all", "--branch", "bad branch"],
            vec!["plan", "--all", "--branch", ""],
            vec!["plan", "--all", "--branch", "updates/{name}"],
            vec!["push", "--plan", "-", "--branch", "a/../b"],
            vec!["push", "--plan", "-", "--branch", "updates/{policy}"],
            vec!["plan", "--all", "--message", "  "],
            vec!["hold", "web", "--reason", "  "],
            vec!["hold", "web", "--reason", "two\nlines"],
            vec!["hold", "web", "--reason", "why", "--until", "soon"],
            vec!["hold", "web"],
            vec!["push", "--plan", "-", "--pull-request", "--label", "a,b"],
            vec!["push", "--plan", "-", "--draft"],
            vec!["bootstrap", "git", "--url", "https://h/p", "--path", "../x"],
            vec!["bootstrap", "git", "--url", "https://h/p", "--branch", "bad branch"],
            vec!["bootstrap", "git"],
            vec!["bootstrap", "github", "--owner", "octo"],
            vec!["bootstrap", "github", "--owner", "octo", "--repository", "octo/fleet"],
            vec!["bootstrap", "github", "--owner", "", "--repository", "fleet"],
        ] {
            let all = std::iter::once("supercargo").chain(arguments.iter().copied());
            assert!(Cli::try_parse_from(all).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn a_branch_is_the_same_by_its_full_name_wherever_it_is_typed() {
        let parsed = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' '));
            format!("{:?}", cli.map_err(|error| error.to_string()).unwrap())
        };
        for line in [
            "supercargo push --plan - --branch BRANCH",
            "supercargo plan --all --branch BRANCH",
            "supercargo plan --all --branch BRANCH/{policy}",
            "supercargo merge BRANCH --into main",
            "supercargo merge review --into BRANCH",
            "supercargo create image update apps --checkout-branch BRANCH --push-branch other",
            "supercargo create image update apps --checkout-branch other --push-branch BRANCH",
            "supercargo create source git fleet --url https://h/p --branch BRANCH",
        ] {
            let full = parsed(&line.replace("BRANCH", "refs/heads/updates"));
            assert_eq!(full, parsed(&line.replace("BRANCH", "updates")), "{line}");
        }
        let tag = ["supercargo", "push", "--plan", "-", "--branch", "refs/tags/v1"];
        assert!(Cli::try_parse_from(tag).is_err());
    }

    #[test]
    fn a_minimum_age_is_taken_before_and_behind_what_evaluates_and_refused_elsewhere() {
        let age = |arguments: &[&str]| {
            let cli = Cli::try_parse_from(std::iter::once("supercargo").chain(arguments.iter().copied()));
            let age =
                cli.map_err(|error| error.to_string())?.min_age().map_err(|problem| problem.to_string())?;
            Ok::<_, String>(age.map(|age| age.to_string()))
        };
        let days = Ok(Some("3d".to_owned()));
        assert_eq!(age(&["--min-age", "3d"]), days, "the dashboard");
        assert_eq!(age(&["get", "updates", "--min-age", "72h"]), days);
        assert_eq!(
            age(&["--min-age", "1d", "diff", "updates", "--min-age=3d"]),
            days,
            "the nearer one counts"
        );
        assert_eq!(age(&["--min-age", "3d", "plan", "--all"]), days);
        assert_eq!(age(&["push", "--plan", "-", "--min-age", "0"]), Ok(Some("0".to_owned())));
        assert_eq!(age(&["lint"]), Ok(None));
        assert!(age(&["--min-age", "3d", "lint"]).unwrap_err().contains("evaluates no updates"));
        assert!(age(&["lint", "--min-age", "3d"]).is_err());
        assert!(age(&["plan", "--all", "--min-age", "soon"]).unwrap_err().contains("is no age"));
    }

    #[test]
    fn the_short_help_of_a_command_fits_a_small_terminal() {
        for command in
            [vec!["get", "updates"], vec!["push"], vec!["diff", "updates"], vec!["set"], vec!["lint"]]
        {
            let all = std::iter::once("supercargo").chain(command.iter().copied()).chain(["-h"]);
            let lines = Cli::try_parse_from(all).unwrap_err().to_string().lines().count();
            assert!(lines <= 24, "{command:?}: {lines} lines");
        }
    }
}
