//! Who else reads a branch or pushes to it, as far as that is known.

use crate::domain::branch::Guard;
use crate::domain::object::{ImageUpdateAutomation, Kind};
use crate::problem::Problem;

use super::{Inventory, TargetError, is_implied};

/// Whether a controller acts upon an automation.
enum Acts<'a> {
    Yes,
    No,
    /// Whether the cluster has it could not be read.
    Unread(&'a Problem),
}

impl Inventory {
    /// Why the name of a branch has to be confirmed, for what is known of `automations`: one reads it, one that is active in the
    /// cluster pushes to it, or may.
    ///
    /// Where a cluster or a part of it was not read, files tell which automations there are, and those that are not suspended
    /// there may be active; where they tell of none, it may be any branch.
    pub fn guard<'a>(
        &self,
        automations: impl IntoIterator<Item = &'a ImageUpdateAutomation>,
        branch: &str,
    ) -> Option<Guard> {
        let (mut active, mut unread, mut are_in_files) = (None, None, false);
        for automation in automations {
            are_in_files |= is_of_files(automation);
            let acts = self.acts(automation);
            match self.targets_of(automation) {
                Ok(targets) if targets.checkout.branch() == Some(branch) => return Some(Guard::Read),
                Ok(targets) if targets.push_branch != branch => {}
                Ok(_) => match acts {
                    Acts::Yes => _ = active.get_or_insert(&automation.meta.id),
                    Acts::Unread(why) => _ = unread.get_or_insert(why.message.clone()),
                    Acts::No => {}
                },
                Err(TargetError::Unread(why)) if !matches!(acts, Acts::No) => {
                    _ = unread.get_or_insert(why.message);
                }
                Err(_) => {}
            }
        }
        let any = self.unread.cluster.as_ref().or(self.unread.over(Kind::ImageUpdateAutomation, None));
        let any = any.filter(|_| !are_in_files).map(|why| why.message.clone());
        let active = active.map(|automation| Guard::Active(automation.clone()));
        active.or_else(|| unread.or(any).map(Guard::Unread))
    }

    fn acts(&self, automation: &ImageUpdateAutomation) -> Acts<'_> {
        if automation.suspend {
            return Acts::No;
        }
        if !is_of_files(automation) {
            return if is_implied(automation) { Acts::No } else { Acts::Yes };
        }
        let namespace = &automation.meta.id.namespace;
        let within = self.unread.within(Kind::ImageUpdateAutomation, namespace);
        self.unread.cluster.as_ref().or(within).map_or(Acts::No, Acts::Unread)
    }
}

/// Whether only files tell of an automation: of what the cluster has, the cluster's is in force.
fn is_of_files(automation: &ImageUpdateAutomation) -> bool {
    automation.meta.origin.source != "cluster" && !is_implied(automation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inventory::implied_automation;
    use crate::domain::object::ObjectId;
    use crate::problem::Code;

    /// An automation that pushes to `branch`.
    fn automation(name: &str, source: &'static str, branch: &str) -> ImageUpdateAutomation {
        let mut automation = implied_automation("shop", branch);
        automation.meta.id = ObjectId::new("shop", name);
        automation.meta.origin.source = source;
        if let Some(git) = &mut automation.git {
            git.checkout =
                Some(crate::domain::object::GitRef { branch: Some("main".to_owned()), ..Default::default() });
            git.push_branch = Some(branch.to_owned());
        }
        automation
    }

    fn refused() -> Problem {
        Problem::new(Code::ClusterForbidden, "prod", "not allowed to list")
    }

    #[test]
    fn what_could_not_be_read_is_the_same_to_a_branch_whether_it_was_a_part_or_all() {
        let area = |namespace: Option<&str>| (Kind::ImageUpdateAutomation, namespace.map(str::to_owned));
        let mut whole = Inventory::default();
        whole.unread.cluster = Some(refused());
        let mut part = Inventory::default();
        part.unread.note(area(None), refused());
        let unread = Some(Guard::Unread("not allowed to list".to_owned()));
        for inventory in [&whole, &part] {
            let files = [automation("apps", "files", "auto"), implied_automation("shop", "main")];
            assert_eq!(inventory.guard(&files, "auto"), unread, "it may be active");
            assert_eq!(inventory.guard(&files, "review"), None, "nobody is known to push there");
            assert_eq!(inventory.guard(&files, "main"), Some(Guard::Read));
            assert_eq!(inventory.guard(&files[1..], "review"), unread, "nobody knows which there are");
            let suspended = ImageUpdateAutomation { suspend: true, ..files[0].clone() };
            assert_eq!(inventory.guard([&suspended], "auto"), None);
            let cluster = automation("apps", "cluster", "auto");
            assert_eq!(inventory.guard([&cluster], "auto"), Some(Guard::Active(cluster.meta.id.clone())));
        }
        part.unread.note_read(Kind::ImageUpdateAutomation, "shop");
        assert_eq!(part.guard([&automation("apps", "files", "auto")], "auto"), None, "it is not there");
        assert_eq!(Inventory::default().guard([&automation("apps", "files", "auto")], "auto"), None);
    }
}
