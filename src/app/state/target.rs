//! `b`: where the commits go, in how many, and whether a request is opened for them.

use super::{PushDialog, State};
use crate::app::input::Field;
use crate::app::review::Review;
use crate::domain::branch::{self, Onto};
use crate::domain::freeze::FREEZE;
use crate::domain::plan::Ground;

/// What a patch is called unless a person calls it something else.
pub const PATCH: &str = "supercargo.patch";

/// The target menu.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetDialog {
    /// The row under the cursor.
    pub cursor: usize,
    /// The name of another branch or of a patch, while it is typed.
    pub field: Option<Field>,
    /// The question that it was opened from; whatever is chosen, that is asked anew.
    pub from: Option<PushDialog>,
}

/// A row of the target menu: one way to choose the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// What it is called.
    pub label: &'static str,
    /// The branches that it means, or the template of their names.
    pub branches: Vec<String>,
    /// What it means for whoever pushes there.
    pub means: String,
    /// Whether it is the one that is chosen.
    pub chosen: bool,
}

impl TargetDialog {
    /// The row of another branch.
    pub const OTHER: usize = 2;
    /// The row of a patch.
    pub const PATCH: usize = 3;
    /// The row of the branch that is read.
    pub const CHECKOUT: usize = 4;
}

impl State {
    /// The rows of the target menu, in the order of their keys.
    pub fn target_rows(&self) -> Vec<TargetRow> {
        let review = &self.review;
        let onto = &self.destination.onto;
        let row = |label, branches: Vec<String>, means, chosen| TargetRow { label, branches, means, chosen };
        let push = branches(review, |ground| ground.push.as_ref().map(|push| push.branch.as_str()));
        let checkout = branches(review, checkout);
        let (push_means, checkout_means) = (self.means(&push), self.means(&checkout));
        let other = match onto {
            Onto::Named(name) if name != Onto::REVIEW => Some(name),
            _ => None,
        };
        let other_means = match other {
            Some(name) if branch::is_template(name) => "one for each update".to_owned(),
            Some(name) => self.means(std::slice::from_ref(name)),
            None => "{policy} and {tag}: one for each update".to_owned(),
        };
        let is_patch = "a new file for git apply; nothing is sent".to_owned();
        vec![
            row("push branch", push, push_means, *onto == Onto::Push),
            row(
                "review branch",
                vec![Onto::REVIEW.to_owned()],
                self.means_of_review(),
                *onto == Onto::Named(Onto::REVIEW.to_owned()),
            ),
            row("another branch", other.cloned().into_iter().collect(), other_means, other.is_some()),
            row("patch file", vec![PATCH.to_owned()], is_patch, false),
            row("checkout branch", checkout, checkout_means, *onto == Onto::Checkout),
        ]
    }

    /// Whether the name of a branch has to be typed before anything is pushed to it, as far as is known here.
    pub fn is_protected(&self, name: &str) -> bool {
        let grounds = &self.review.grounds;
        let is_frozen = grounds.iter().flat_map(|ground| &ground.warnings).any(|found| found.code == FREEZE);
        is_frozen
            || branch::is_protected(&self.protected_branches, name)
            || self.inventory.guard(self.inventory.automations.values(), name).is_some()
            || grounds.iter().any(|ground| checkout(ground) == Some(name) || self.is_pushed_to(ground, name))
    }

    /// Whether an automation that is active in the cluster pushes to this branch.
    fn is_pushed_to(&self, ground: &Ground, name: &str) -> bool {
        let automation = self.inventory.automations.get(&ground.automation);
        let is_active =
            automation.is_some_and(|known| known.meta.origin.source == "cluster" && !known.suspend);
        let own = ground.push.as_ref().filter(|push| !push.elsewhere);
        is_active && own.is_some_and(|push| push.branch == name)
    }

    fn means(&self, branches: &[String]) -> String {
        if branches.iter().any(|branch| self.is_protected(branch)) {
            "protected: its name is typed".to_owned()
        } else {
            "not protected".to_owned()
        }
    }

    fn means_of_review(&self) -> String {
        let example = Onto::REVIEW.replace(['{', '}'], "");
        let request =
            if self.without_forge().is_some() { "no forge is known for a request" } else { "with a request" };
        let typed = if self.is_protected(&example) { "; its name is typed" } else { "" };
        format!("a new one, {request}{typed}")
    }

    /// The first remote of what is approved at which nobody knows a forge, as far as that was asked.
    pub fn without_forge(&self) -> Option<&str> {
        let remotes = self.target_remotes().into_iter();
        remotes.map(String::as_str).find(|remote| self.forges.get(*remote) == Some(&false))
    }

    /// The remotes of the automations with something approved; of all where nothing is.
    pub fn target_remotes(&self) -> Vec<&String> {
        let mut remotes: Vec<&String> =
            counting(&self.review).filter_map(|ground| ground.remote.as_ref()).collect();
        remotes.sort();
        remotes.dedup();
        remotes
    }
}

/// The branch that is read; `None`: it is a tag or a commit.
fn checkout(ground: &Ground) -> Option<&str> {
    ground.base.as_ref()?.reference.strip_prefix("refs/heads/")
}

/// The grounds of the automations with something approved; all where nothing is.
fn counting(review: &Review) -> impl Iterator<Item = &Ground> {
    let approved = review.automations();
    review.grounds.iter().filter(move |ground| approved.is_empty() || approved.contains(&ground.automation))
}

/// The branches of the automations with something approved, each once; of all where nothing is.
fn branches<'a>(review: &'a Review, of: impl Fn(&'a Ground) -> Option<&'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for branch in counting(review).filter_map(of) {
        if !found.iter().any(|known| known == branch) {
            found.push(branch.to_owned());
        }
    }
    found
}
