//! Who works here, and whom commits are by.

use super::World;
use crate::domain::object::Person;
use crate::domain::plan::Plan;
use crate::problem::{Code, Problem};

/// Who authors, where no automation does; nobody if git does not know either.
pub(super) fn operator(world: &World) -> Person {
    world.git_config.author().unwrap_or_default()
}

/// Whether every commit of a plan has an author. Without Git there is no commit.
///
/// # Errors
/// One has none, as where git does not know who works here: git refuses that, too.
pub fn has_authors(plan: &Plan) -> Result<(), Problem> {
    let mut commits = plan.groups.iter().filter(|group| group.push.is_some());
    let Some(group) = commits.find(|group| group.author == Person::default()) else {
        return Ok(());
    };
    Err(nobody(&group.automation.to_string()))
}

/// Nobody says who a commit is by.
pub(super) fn nobody(subject: &str) -> Problem {
    let message = "author identity unknown: neither the automation nor git says who the commit is by";
    Problem::new(Code::Config, subject, message).hint(
        "Run `git config --global user.email you@example.com` and `git config --global user.name \"Your Name\"`.",
    )
}

/// `USER@HOST` of this process.
pub(crate) fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(account);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.map(|host| host.trim().to_owned()).or_else(|| variable("HOSTNAME"));
    format!("{user}@{}", host.unwrap_or_else(|| "localhost".to_owned()))
}

/// The account that this process runs as: its name in the list of accounts, else its number.
fn account() -> String {
    use std::os::unix::fs::MetadataExt;
    let Ok(process) = std::fs::metadata("/proc/self") else { return "unknown".to_owned() };
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = process.uid().to_string();
    name_in(&accounts, &number).unwrap_or(number)
}

/// The name of the account with this number, in lines as those of passwd(5).
fn name_in(accounts: &str, number: &str) -> Option<String> {
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields.get(2) == Some(&number))?;
    line.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nrita:x:1000:1000::/home/rita:/bin/sh\n:x:7:7::/:/bin/sh\n";
        let name = |number: &str| name_in(accounts, number);
        assert_eq!(name("1000").as_deref(), Some("rita"));
        assert_eq!((name("100"), name("7")), (None, None));
    }
}
