//! What a person should know before anything is pushed to where an automation pushes.

use super::super::World;
use super::place::Place;
use crate::domain::inventory::{self, Targets};
use crate::domain::object::{ImageUpdateAutomation, ObjectId, Person};
use crate::domain::plan::Warning;
use crate::domain::refspec::Refspec;
use crate::text::count;

/// That an automation runs beside us; `own` is where it pushes itself, and `is_own` whether we push there too.
pub(super) fn active_warning(
    automation: &ImageUpdateAutomation,
    own: &Targets,
    is_own: bool,
) -> Option<Warning> {
    if automation.suspend || inventory::is_implied(automation) {
        return None;
    }
    let branch = &own.push_branch;
    let there = match (is_own, own.switching) {
        (true, true) => format!(" and may overwrite {branch}"),
        (true, false) => String::new(),
        (false, _) => format!(" to {branch}"),
    };
    let text = format!(
        "automation {} is not suspended: a controller that runs it commits the same updates{there}",
        automation.meta.id
    );
    Some(Warning::new("automation_active", text))
}

/// That a push branch lacks commits of the branch that it was made from.
pub(super) fn behind_warning(branch: &str, behind: Option<usize>) -> Option<Warning> {
    let behind = behind.filter(|behind| *behind > 0)?;
    let text = format!("{branch} lacks {} of the branch it was made from", count(behind, "commit"));
    Some(Warning::new("push_branch_behind", text))
}

/// How many commits of others are named.
const NAMED: usize = 5;

/// The commits on a push branch that are not by the automation's author: they are built upon, and kept.
pub(super) fn foreign_commits(
    author: &Person,
    branch: &str,
    ahead: Option<Vec<(Person, String)>>,
) -> Option<Warning> {
    let mut foreign = ahead?;
    foreign.retain(|(by, _)| by.email != author.email);
    let named: Vec<String> =
        foreign.iter().take(NAMED).map(|(by, subject)| format!("{} ({})", subject, by.name)).collect();
    let more =
        if foreign.len() > NAMED { format!(" and {} more", foreign.len() - NAMED) } else { String::new() };
    let text = format!(
        "{branch} has {} by others, which are kept: {}{more}",
        count(foreign.len(), "commit"),
        named.join(", ")
    );
    (!foreign.is_empty()).then(|| Warning::new("foreign_commits", text))
}

/// What is not done as a refspec has it.
pub(super) fn refspec_warning(text: &str) -> Option<Warning> {
    match Refspec::parse(text) {
        Ok(spec) if spec.forces => Some(Warning::new(
            "refspec",
            format!("{} is pushed without the force that {text:?} asks for", spec.to),
        )),
        Ok(_) => None,
        Err(defect) => Some(Warning::new("refspec", format!("{defect}; it is not pushed"))),
    }
}

/// What keeps the repository's own secret from being used.
pub(super) fn secret_warnings(world: &World, place: &Place<'_>) -> Option<Warning> {
    let repository = place.repository?;
    let secret = ObjectId::new(&repository.meta.id.namespace, repository.secret_ref.as_ref()?);
    let error = world.secret(&secret).err()?;
    Some(Warning::new(error.code(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inventory::Checkout;

    #[test]
    fn an_automation_that_is_not_suspended_is_told_of() {
        let mut automation = inventory::implied_automation("apps", "main");
        let targets = Targets {
            checkout: Checkout::Branch("main".to_owned()),
            push_branch: "main".to_owned(),
            switching: false,
        };
        let said = |automation: &ImageUpdateAutomation, own: &Targets, is_own: bool| {
            active_warning(automation, own, is_own).map(|warning| warning.message)
        };
        assert_eq!(said(&automation, &targets, true), None, "nobody runs what is made up");
        automation.meta.id.name = "all".to_owned();
        automation.meta.origin.source = "files";
        let text = "automation apps/all is not suspended: a controller that runs it commits the same updates";
        assert_eq!(said(&automation, &targets, true).as_deref(), Some(text));
        let switching = Targets { switching: true, push_branch: "updates".to_owned(), ..targets.clone() };
        assert_eq!(said(&automation, &switching, true), Some(format!("{text} and may overwrite updates")));
        // On another branch nobody is in the way.
        assert_eq!(said(&automation, &switching, false), Some(format!("{text} to updates")));
        automation.suspend = true;
        assert_eq!(said(&automation, &targets, true), None);
    }
}
